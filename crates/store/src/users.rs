//! Users switched off here, whatever the directory says of them.

use crate::{Result, SqliteStore};
use dme_model::{Timestamp, UserId};
use rusqlite::params;

const DISABLE: &str = "INSERT INTO disabled_user (user_id, since) VALUES ($1, $2) \
     ON CONFLICT (user_id) DO NOTHING";
const ENABLE: &str = "DELETE FROM disabled_user WHERE user_id = $1";
const DISABLED: &str = "SELECT user_id, since FROM disabled_user ORDER BY user_id";
const IS_DISABLED: &str = "SELECT COUNT(*) FROM disabled_user WHERE user_id = $1";

impl SqliteStore {
    /// Switches a user off.
    ///
    /// # Errors
    /// The database's.
    pub async fn disable_user(&self, user: &UserId, now: Timestamp) -> Result<()> {
        let user = user.clone();
        self.write(move |connection| {
            let row = params![user.as_str(), now.as_millis()];
            connection.prepare_cached(DISABLE)?.execute(row)?;
            Ok(())
        })
        .await
    }

    /// Lets a user in again.
    ///
    /// # Errors
    /// The database's.
    pub async fn enable_user(&self, user: &UserId) -> Result<()> {
        let user = user.clone();
        self.write(move |connection| {
            connection.prepare_cached(ENABLE)?.execute([user.as_str()])?;
            Ok(())
        })
        .await
    }

    /// Whether a user is switched off.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_disabled(&self, user: &UserId) -> Result<bool> {
        self.look_up(|connection| {
            let mut statement = connection.prepare_cached(IS_DISABLED)?;
            let found: i64 = statement.query_row([user.as_str()], |row| row.get(0))?;
            Ok(found > 0)
        })
        .await
    }

    /// All who are switched off, and since when.
    ///
    /// # Errors
    /// The database's.
    pub async fn disabled_users(&self) -> Result<Vec<(UserId, Timestamp)>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(DISABLED)?;
            let rows = statement.query_map([], |row| {
                let (user, since): (String, i64) = (row.get(0)?, row.get(1)?);
                Ok((UserId::from(user), Timestamp::from_millis(since)))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}
