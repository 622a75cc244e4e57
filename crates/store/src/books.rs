//! What administrators decide by rules. Each is a text with a revision: who writes names the one he
//! has read, and is refused where it is no longer the last.

use crate::session::{Row, Session, values};
use crate::{Error, Result, Store};
use dme_model::{DeviceId, Timestamp, UserId};
use dme_sync::DeviceKey;
use serde::{Deserialize, Serialize};

/// A text as it stands. It goes to other stores as JSON, to those of the release before and after
/// too: a field that is added has a default.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Book {
    /// Its revision, 1 for the first.
    pub revision: u64,
    /// What it says; JSON.
    pub content: String,
    /// Since when.
    pub changed: Timestamp,
    /// Who wrote it.
    pub author: String,
}

/// A new text in the place of one that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// The revision that was read; 0 where there was none.
    pub read: u64,
    /// What it shall say; JSON.
    pub content: String,
    /// Who writes.
    pub author: String,
    /// When.
    pub at: Timestamp,
}

const BOOK: &str = "SELECT revision, content, changed, author FROM rule_book WHERE name = $1";
const PUT_BOOK: &str = "INSERT INTO rule_book (name, revision, content, changed, author) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, \
     content = excluded.content, changed = excluded.changed, author = excluded.author";
const REMOVE_BOOK: &str = "DELETE FROM rule_book WHERE name = $1";
const LEVEL: &str = "SELECT revision, content, changed, author FROM device_level \
     WHERE user_id = $1 AND device_id = $2";
const LEVELS: &str = "SELECT revision, content, changed, author, user_id, device_id \
     FROM device_level ORDER BY user_id, device_id";
const PUT_LEVEL: &str = "INSERT INTO device_level \
     (user_id, device_id, revision, content, changed, author) VALUES ($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (user_id, device_id) DO UPDATE SET revision = excluded.revision, \
     content = excluded.content, changed = excluded.changed, author = excluded.author";
const REMOVE_LEVEL: &str = "DELETE FROM device_level WHERE user_id = $1 AND device_id = $2";

fn read(row: &Row<'_>) -> Result<Book> {
    Ok(Book {
        revision: u64::try_from(row.get::<i64>(0)?).unwrap_or(0),
        content: row.get(1)?,
        changed: row.get(2)?,
        author: row.get(3)?,
    })
}

/// The text after the one that was read, where that is still the last.
fn next(found: Option<&Book>, edit: &Edit, what: impl FnOnce() -> String) -> Result<Book> {
    let found = found.map_or(0, |book| book.revision);
    if found != edit.read {
        return Err(Error::Stale { what: what(), found });
    }
    Ok(Book {
        revision: found.saturating_add(1),
        content: edit.content.clone(),
        changed: edit.at,
        author: edit.author.clone(),
    })
}

fn stored(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

fn put_book(session: &Session<'_>, name: &str, book: &Book) -> Result<()> {
    let Book { revision, content, changed, author } = book;
    session.execute(PUT_BOOK, values![name, stored(*revision), content, *changed, author])?;
    Ok(())
}

fn put_level(session: &Session<'_>, key: &DeviceKey, book: &Book) -> Result<()> {
    let (user, device) = (key.user.as_str(), key.device.as_str());
    let Book { revision, content, changed, author } = book;
    let row = values![user, device, stored(*revision), content, *changed, author];
    session.execute(PUT_LEVEL, row)?;
    Ok(())
}

/// Drops a device's level, for [`Store::remove_device`].
pub(crate) fn forget_level(session: &Session<'_>, key: &DeviceKey) -> Result<()> {
    session.execute(REMOVE_LEVEL, values![key.user.as_str(), key.device.as_str()])?;
    Ok(())
}

impl Store {
    /// The book of this name; none where nobody has written it.
    ///
    /// # Errors
    /// The database's.
    pub async fn book(&self, name: &'static str) -> Result<Option<Book>> {
        self.look_up(move |session| session.query_optional(BOOK, values![name], read)).await
    }

    /// Writes a book; answers its new revision.
    ///
    /// # Errors
    /// [`Error::Stale`] where somebody else wrote it meanwhile, or the database's.
    pub async fn put_book(&self, name: &'static str, edit: Edit) -> Result<u64> {
        self.write(move |session| {
            let found = session.query_optional(BOOK, values![name], read)?;
            let book = next(found.as_ref(), &edit, || name.to_owned())?;
            put_book(session, name, &book)?;
            Ok(book.revision)
        })
        .await
    }

    /// Enters a book as it is in another store, whatever its revision is here; none removes it.
    ///
    /// # Errors
    /// The database's.
    pub async fn copy_book(&self, name: &'static str, book: Option<&Book>) -> Result<()> {
        let book = book.cloned();
        self.write(move |session| match &book {
            Some(book) => put_book(session, name, book),
            None => session.execute(REMOVE_BOOK, values![name]).map(drop),
        })
        .await
    }

    /// The levels of all devices that have one.
    ///
    /// # Errors
    /// The database's.
    pub async fn device_levels(&self) -> Result<Vec<(DeviceKey, Book)>> {
        self.read(|session| {
            session.query(LEVELS, values![], |row| {
                let (user, device): (String, String) = (row.get(4)?, row.get(5)?);
                let key = DeviceKey { user: UserId::from(user), device: DeviceId::from(device) };
                Ok((key, read(row)?))
            })
        })
        .await
    }

    /// Writes a device's level; answers its new revision.
    ///
    /// # Errors
    /// As [`Store::put_book`].
    pub async fn put_device_level(&self, key: &DeviceKey, edit: Edit) -> Result<u64> {
        let key = key.clone();
        self.write(move |session| {
            let (user, device) = (key.user.as_str(), key.device.as_str());
            let found = session.query_optional(LEVEL, values![user, device], read)?;
            let what = || format!("the policy of device {device} of {user}");
            let book = next(found.as_ref(), &edit, what)?;
            put_level(session, &key, &book)?;
            Ok(book.revision)
        })
        .await
    }

    /// Enters a device's level as it is in another store, whatever its revision is here; none
    /// removes it.
    ///
    /// # Errors
    /// The database's.
    pub async fn copy_device_level(&self, key: &DeviceKey, level: Option<&Book>) -> Result<()> {
        let (key, level) = (key.clone(), level.cloned());
        self.write(move |session| match &level {
            Some(level) => put_level(session, &key, level),
            None => forget_level(session, &key),
        })
        .await
    }
}
