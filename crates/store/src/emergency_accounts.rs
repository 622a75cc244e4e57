//! The account with which administrators sign in when nothing else is left.

use crate::session::values;
use crate::{Result, Store};
use dme_model::Timestamp;

const CLEAR: &str = "DELETE FROM emergency_account";
const PUT: &str = "INSERT INTO emergency_account (name, password, made, ends) \
     VALUES ($1, $2, $3, $4)";
const ANY: &str = "SELECT name, password, made, ends, used, client FROM emergency_account";
const USED: &str = "UPDATE emergency_account SET used = $1, client = $2";

/// The account for emergencies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EmergencyAccount {
    /// By which name one signs in.
    pub name: String,
    /// An Argon2id hash of its password, as a PHC string.
    pub password: String,
    /// When it was made.
    pub made: Timestamp,
    /// From when on it opens nothing.
    pub ends: Timestamp,
    /// When it was used last, and from which address.
    pub used: Option<(Timestamp, String)>,
}

impl Store {
    /// The account for emergencies; none where there is none.
    ///
    /// # Errors
    /// The database's.
    pub async fn emergency_account(&self) -> Result<Option<EmergencyAccount>> {
        self.look_up(|session| {
            session.query_optional(ANY, values![], |row| {
                let (name, password) = (row.get(0)?, row.get(1)?);
                let (made, ends) = (row.get(2)?, row.get(3)?);
                let (used, client): (Option<Timestamp>, Option<String>) =
                    (row.get(4)?, row.get(5)?);
                Ok(EmergencyAccount { name, password, made, ends, used: used.zip(client) })
            })
        })
        .await
    }

    /// Keeps it, in the place of the one before. It was never used.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_emergency_account(&self, account: EmergencyAccount) -> Result<()> {
        self.write(move |session| {
            session.execute(CLEAR, values![])?;
            let EmergencyAccount { name, password, made, ends, used: _ } = &account;
            session.execute(PUT, values![name, password, *made, *ends])?;
            Ok(())
        })
        .await
    }

    /// Notes that it was used.
    ///
    /// # Errors
    /// The database's.
    pub async fn use_emergency_account(&self, now: Timestamp, client: &str) -> Result<()> {
        let client = client.to_owned();
        self.write(move |session| {
            session.execute(USED, values![now, &client])?;
            Ok(())
        })
        .await
    }

    /// Takes it away; says whether there was one.
    ///
    /// # Errors
    /// The database's.
    pub async fn remove_emergency_account(&self) -> Result<bool> {
        self.write(|session| Ok(session.execute(CLEAR, values![])? > 0)).await
    }
}
