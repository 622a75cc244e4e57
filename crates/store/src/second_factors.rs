//! What users show beside their password: a secret that makes codes, and codes in its place.

use crate::session::{Session, values};
use crate::{Result, Store};
use dme_model::{Timestamp, UserId};

const PUT: &str = "INSERT INTO second_factor (user_id, secret, made, step) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO NOTHING";
const OF: &str = "SELECT secret, made, step, \
     (SELECT COUNT(*) FROM recovery_code code WHERE code.user_id = factor.user_id) \
     FROM second_factor factor WHERE factor.user_id = $1";
const USE: &str = "UPDATE second_factor SET step = $1 WHERE user_id = $2 AND step < $3";
const REMOVE: &str = "DELETE FROM second_factor WHERE user_id = $1";

const PUT_CODE: &str = "INSERT INTO recovery_code (hash, user_id) VALUES ($1, $2)";
const USE_CODE: &str = "DELETE FROM recovery_code WHERE hash = $1 AND user_id = $2";
const REMOVE_CODES: &str = "DELETE FROM recovery_code WHERE user_id = $1";

/// A user's second factor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SecondFactor {
    /// What codes are made of, sealed.
    pub secret: Vec<u8>,
    /// When it was made.
    pub made: Timestamp,
    /// The last step of time whose code was used.
    pub step: i64,
    /// Recovery codes that were not used yet.
    pub recovery_codes: i64,
}

fn replace_codes(session: &Session<'_>, user: &UserId, hashes: &[String]) -> Result<()> {
    session.execute(REMOVE_CODES, values![user.as_str()])?;
    for hash in hashes {
        session.execute(PUT_CODE, values![hash, user.as_str()])?;
    }
    Ok(())
}

impl Store {
    /// A user's second factor; none where there is none.
    ///
    /// # Errors
    /// The database's.
    pub async fn second_factor(&self, user: &UserId) -> Result<Option<SecondFactor>> {
        let user = user.clone();
        self.look_up(move |session| {
            session.query_optional(OF, values![user.as_str()], |row| {
                let (secret, made, step) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(SecondFactor { secret, made, step, recovery_codes: row.get(3)? })
            })
        })
        .await
    }

    /// Keeps a second factor, and the hashes of codes in its place; says whether the user had none.
    /// `factor.recovery_codes` is not looked at.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_second_factor(
        &self,
        user: &UserId,
        factor: SecondFactor,
        hashes: Vec<String>,
    ) -> Result<bool> {
        let user = user.clone();
        self.write(move |session| {
            let SecondFactor { secret, made, step, recovery_codes: _ } = &factor;
            let row = values![user.as_str(), secret.as_slice(), *made, *step];
            let is_first = session.execute(PUT, row)? > 0;
            if is_first {
                replace_codes(session, &user, &hashes)?;
            }
            Ok(is_first)
        })
        .await
    }

    /// Uses the code of a step up, and with it those before; says whether it was still good.
    ///
    /// # Errors
    /// The database's.
    pub async fn use_step(&self, user: &UserId, step: i64) -> Result<bool> {
        let user = user.clone();
        self.write(move |session| Ok(session.execute(USE, values![step, user.as_str(), step])? > 0))
            .await
    }

    /// Uses a recovery code of a user's up; says whether it was still good.
    ///
    /// # Errors
    /// The database's.
    pub async fn use_recovery_code(&self, user: &UserId, hash: &str) -> Result<bool> {
        let (user, hash) = (user.clone(), hash.to_owned());
        self.write(move |session| Ok(session.execute(USE_CODE, values![&hash, user.as_str()])? > 0))
            .await
    }

    /// Keeps the hashes of new recovery codes in the place of all a user had.
    ///
    /// # Errors
    /// The database's.
    pub async fn replace_recovery_codes(&self, user: &UserId, hashes: Vec<String>) -> Result<()> {
        let user = user.clone();
        self.write(move |session| replace_codes(session, &user, &hashes)).await
    }

    /// Forgets a user's second factor, and the codes in its place; says whether there was one.
    ///
    /// # Errors
    /// The database's.
    pub async fn remove_second_factor(&self, user: &UserId) -> Result<bool> {
        let user = user.clone();
        self.write(move |session| {
            session.execute(REMOVE_CODES, values![user.as_str()])?;
            Ok(session.execute(REMOVE, values![user.as_str()])? > 0)
        })
        .await
    }
}
