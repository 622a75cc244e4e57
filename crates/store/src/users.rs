//! Users switched off here, whatever the directory says of them.

use crate::session::{Row, values};
use crate::{Result, Store};
use dme_model::{Timestamp, UserId};

const DISABLE: &str = "INSERT INTO disabled_user (user_id, since) VALUES ($1, $2) \
     ON CONFLICT (user_id) DO NOTHING";
const ENABLE: &str = "DELETE FROM disabled_user WHERE user_id = $1";
const DISABLED: &str = "SELECT user_id, since FROM disabled_user ORDER BY user_id";
const IS_DISABLED: &str = "SELECT COUNT(*) FROM disabled_user WHERE user_id = $1";

impl Store {
    /// Switches a user off.
    ///
    /// # Errors
    /// The database's.
    pub async fn disable_user(&self, user: &UserId, now: Timestamp) -> Result<()> {
        let user = user.clone();
        self.write(move |session| {
            session.execute(DISABLE, values![user.as_str(), now])?;
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
        self.write(move |session| {
            session.execute(ENABLE, values![user.as_str()])?;
            Ok(())
        })
        .await
    }

    /// Whether a user is switched off.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_disabled(&self, user: &UserId) -> Result<bool> {
        let user = user.clone();
        self.look_up(move |session| {
            let found: i64 =
                session.query_one(IS_DISABLED, values![user.as_str()], |row| row.get(0))?;
            Ok(found > 0)
        })
        .await
    }

    /// All who are switched off, and since when.
    ///
    /// # Errors
    /// The database's.
    pub async fn disabled_users(&self) -> Result<Vec<(UserId, Timestamp)>> {
        self.read(|session| {
            let disabled = |row: &Row<'_>| Ok((UserId::from(row.get::<String>(0)?), row.get(1)?));
            session.query(DISABLED, values![], disabled)
        })
        .await
    }
}
