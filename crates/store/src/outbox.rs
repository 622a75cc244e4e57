//! Messages that wait for the connector of their sender's mail.

use crate::states::{from_json, to_json};
use crate::{Error, Result, SqliteStore};
use dme_mailbox::Submission;
use dme_model::{Timestamp, UserId};
use rusqlite::{OptionalExtension, Row, params};

const COUNT: &str =
    "SELECT COUNT(*), COALESCE(SUM(LENGTH(message)), 0) FROM outbox WHERE user_id = $1";
const NEXT: &str = "SELECT COALESCE(MAX(n), 0) + 1 FROM outbox";
const PUT: &str = "INSERT INTO outbox (n, user_id, address, display_name, submission, message, \
     queued, attempts, trouble) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, NULL)";
const FIRST: &str = "SELECT n, user_id, address, display_name, submission, message, queued, \
     attempts, trouble FROM outbox WHERE user_id = $1 ORDER BY n LIMIT 1";
const ALL: &str = "SELECT n, user_id, address, display_name, submission, NULL, queued, attempts, \
     trouble FROM outbox ORDER BY n";
const NOTE: &str = "UPDATE outbox SET attempts = $1, submission = $2, trouble = $3 WHERE n = $4";
const REMOVE: &str = "DELETE FROM outbox WHERE n = $1";

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

fn queued(row: &Row<'_>) -> rusqlite::Result<Result<Queued>> {
    let submission: String = row.get(4)?;
    let message: Option<Vec<u8>> = row.get(5)?;
    let read = from_json::<Submission>(&submission, "outbox.submission");
    Ok(match read {
        Ok(submission) => Ok(Queued {
            n: row.get(0)?,
            user: UserId::from(row.get::<_, String>(1)?),
            address: row.get(2)?,
            display_name: row.get(3)?,
            submission: Submission { message: message.unwrap_or_default().into(), ..submission },
            queued: Timestamp::from_millis(row.get(6)?),
            attempts: u32::try_from(row.get::<_, i64>(7)?).unwrap_or(u32::MAX),
            trouble: row.get(8)?,
        }),
        Err(error) => Err(error),
    })
}

impl SqliteStore {
    /// Has a message wait. It is durable when this returns.
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
        let (message, text) =
            (submission.message.clone(), to_json(submission, "outbox.submission")?);
        self.write(move |connection| {
            let (count, bytes): (i64, i64) = connection
                .prepare_cached(COUNT)?
                .query_row([user.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let bytes =
                u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(message.len() as u64);
            if usize::try_from(count).unwrap_or(usize::MAX) >= limits.messages
                || bytes > limits.bytes
            {
                return Err(Error::Refused(format!("{user} has as much waiting as may")));
            }
            let n: i64 = connection.prepare_cached(NEXT)?.query_row([], |row| row.get(0))?;
            connection.prepare_cached(PUT)?.execute(params![
                n,
                user.as_str(),
                address,
                display_name,
                text,
                &message[..],
                now.as_millis(),
            ])?;
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
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(FIRST)?;
            statement.query_row([user.as_str()], queued).optional()?.transpose()
        })
        .await
    }

    /// All that wait, the longest first, without the messages themselves.
    ///
    /// # Errors
    /// The database's.
    pub async fn all_queued(&self) -> Result<Vec<Queued>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(ALL)?;
            let rows = statement.query_map([], queued)?;
            rows.map(|row| row?).collect()
        })
        .await
    }

    /// Notes before an attempt that it is made, and after it why it failed.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_attempt(
        &self,
        n: i64,
        attempts: u32,
        submission: &Submission,
        trouble: Option<String>,
    ) -> Result<()> {
        let text = to_json(submission, "outbox.submission")?;
        self.write(move |connection| {
            let row = params![i64::from(attempts), text, trouble, n];
            connection.prepare_cached(NOTE)?.execute(row)?;
            Ok(())
        })
        .await
    }

    /// Forgets a message: it is sent, or shall not be.
    ///
    /// # Errors
    /// `NotFound` where there is none of this number; the database's.
    pub async fn remove_queued(&self, n: i64) -> Result<()> {
        self.write(move |connection| match connection.prepare_cached(REMOVE)?.execute([n])? {
            0 => Err(Error::NotFound(format!("message {n} that waits"))),
            _ => Ok(()),
        })
        .await
    }
}
