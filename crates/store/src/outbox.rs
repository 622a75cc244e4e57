//! Messages that wait for the connector of their sender's mail.

use crate::session::{Row, values};
use crate::states::{from_json, to_json};
use crate::{Error, Result, Store};
use dme_mailbox::Submission;
use dme_model::{Timestamp, UserId};

const COUNT: &str =
    "SELECT COUNT(*), COALESCE(SUM(LENGTH(message)), 0) FROM outbox WHERE user_id = $1";
const LAST: &str = "SELECT COALESCE(MAX(n), 0) FROM outbox";
const PUT: &str = "INSERT INTO outbox (n, user_id, act, address, display_name, submission, message, \
     queued, attempts, aside, trouble) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, NULL) \
     ON CONFLICT (act) DO NOTHING";
const FIRST: &str = "SELECT n, user_id, address, display_name, submission, message, queued, \
     attempts, aside, trouble FROM outbox WHERE user_id = $1 AND aside = 0 ORDER BY n LIMIT 1";
const ALL: &str = "SELECT n, user_id, address, display_name, submission, NULL, queued, attempts, \
     aside, trouble FROM outbox ORDER BY n";
const WAITING: &str = "SELECT DISTINCT user_id FROM outbox WHERE aside = 0";
const NOTE: &str = "UPDATE outbox SET attempts = $1, submission = $2, aside = $3, trouble = $4 \
     WHERE n = $5 AND act = $6";
const REMOVE: &str = "DELETE FROM outbox WHERE n = $1 AND act = $2";
const DISCARD: &str = "DELETE FROM outbox WHERE n = $1";

/// A message that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queued {
    /// Its number.
    pub n: i64,
    /// Whose it is.
    pub user: UserId,
    /// The sender's mail address.
    pub address: String,
    /// The sender's name.
    pub display_name: Option<String>,
    /// What is to be sent; without the message where it was only listed.
    pub submission: Submission,
    /// Since when it waits.
    pub queued: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// It is not tried any more: an administrator has to look.
    pub aside: bool,
    /// Why the last attempt failed.
    pub trouble: Option<String>,
}

/// What one user may have waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutboxLimits {
    /// Messages.
    pub messages: usize,
    /// Bytes of them.
    pub bytes: u64,
}

fn queued(row: &Row<'_>) -> Result<Queued> {
    let (text, message): (String, Option<Vec<u8>>) = (row.get(4)?, row.get(5)?);
    let read = from_json::<Submission>(&text, "outbox.submission")?;
    let submission = Submission { message: message.unwrap_or_default().into(), ..read };
    Ok(Queued {
        n: row.get(0)?,
        user: UserId::from(row.get::<String>(1)?),
        address: row.get(2)?,
        display_name: row.get(3)?,
        submission,
        queued: row.get(6)?,
        attempts: u32::try_from(row.get::<i64>(7)?).unwrap_or(u32::MAX),
        aside: row.get(8)?,
        trouble: row.get(9)?,
    })
}

impl Store {
    /// Has a message wait. It is durable when this returns. One whose act waits already waits once.
    ///
    /// # Errors
    /// `Refused` where the user has as much waiting as may; the database's.
    pub async fn queue_message(
        &self,
        user: &UserId,
        (address, display_name): (&str, Option<&str>),
        submission: &Submission,
        now: Timestamp,
        limits: OutboxLimits,
    ) -> Result<()> {
        let (user, address) = (user.clone(), address.to_owned());
        let display_name = display_name.map(str::to_owned);
        let (message, act) = (submission.message.clone(), submission.key.0.clone());
        let text = to_json(submission, "outbox.submission")?;
        self.write(move |session| {
            let counts = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let (count, bytes): (i64, i64) =
                session.query_one(COUNT, values![user.as_str()], counts)?;
            let bytes =
                u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(message.len() as u64);
            if usize::try_from(count).unwrap_or(usize::MAX) >= limits.messages
                || bytes > limits.bytes
            {
                return Err(Error::Refused(format!("{user} has as much waiting as may").into()));
            }
            // Made of the time, so that a number does not soon come again for another message.
            let last: i64 = session.query_one(LAST, values![], |row| row.get(0))?;
            let n = last.saturating_add(1).max(now.as_millis());
            let name = display_name.as_ref();
            let row = values![n, user.as_str(), &act, &address, name, &text, &message[..], now];
            session.execute(PUT, row)?;
            Ok(())
        })
        .await
    }

    /// The message of a user that waits longest.
    ///
    /// # Errors
    /// The database's.
    pub async fn first_queued(&self, user: &UserId) -> Result<Option<Queued>> {
        let user = user.clone();
        self.read(move |session| session.query_optional(FIRST, values![user.as_str()], queued))
            .await
    }

    /// All that wait, the longest first, without the messages themselves. One that cannot be read
    /// is left out.
    ///
    /// # Errors
    /// The database's.
    pub async fn all_queued(&self) -> Result<Vec<Queued>> {
        self.read(|session| {
            let all = session.query(ALL, values![], |row| match queued(row) {
                Err(Error::Unreadable { .. }) => Ok(None),
                read => read.map(Some),
            })?;
            Ok(all.into_iter().flatten().collect())
        })
        .await
    }

    /// Those who have something waiting that is to be tried.
    ///
    /// # Errors
    /// The database's.
    pub async fn waiting_users(&self) -> Result<Vec<UserId>> {
        self.read(|session| {
            session.query(WAITING, values![], |row| Ok(UserId::from(row.get::<String>(0)?)))
        })
        .await
    }

    /// Notes what is known of a message that waits: before an attempt that it is made, and after
    /// it why it failed.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_attempt(&self, queued: &Queued) -> Result<()> {
        let text = to_json(&queued.submission, "outbox.submission")?;
        let act = queued.submission.key.0.clone();
        let Queued { n, attempts, aside, .. } = *queued;
        let trouble = queued.trouble.clone();
        self.write(move |session| {
            let row = values![attempts, &text, aside, trouble.as_ref(), n, &act];
            session.execute(NOTE, row)?;
            Ok(())
        })
        .await
    }

    /// Forgets a message that is sent, or that its sender has back.
    ///
    /// # Errors
    /// The database's.
    pub async fn remove_queued(&self, queued: &Queued) -> Result<()> {
        let (n, act) = (queued.n, queued.submission.key.0.clone());
        self.write(move |session| {
            session.execute(REMOVE, values![n, &act])?;
            Ok(())
        })
        .await
    }

    /// Takes a message away that shall not be sent.
    ///
    /// # Errors
    /// `NotFound` where there is none of this number; the database's.
    pub async fn discard_queued(&self, n: i64) -> Result<()> {
        self.write(move |session| match session.execute(DISCARD, values![n])? {
            0 => Err(Error::NotFound(format!("message {n} that waits"))),
            _ => Ok(()),
        })
        .await
    }
}
