//! The tokens and codes handed out to connectors (rule L1). Only the hash of a token is kept, and
//! what a code is worked out to, until it expires.

use crate::session::{Row, values};
use crate::states::{from_json, to_json};
use crate::{Error, Result, Store};
use async_trait::async_trait;
use dme_link::{BookError, Enrolment, Enrolments, Fingerprint, Rejection, TokenHash};
use dme_model::{ConnectorId, Timestamp};
use std::fmt::Write;

const CREATE: &str = "INSERT INTO enrolment (hash, name, approval, expires, used_by, connector) \
     VALUES ($1, $2, $3, $4, $5, $6)";
const ENROLMENT: &str =
    "SELECT hash, name, approval, expires, used_by, connector FROM enrolment WHERE hash = $1";
const ENROLMENTS: &str =
    "SELECT hash, name, approval, expires, used_by, connector FROM enrolment ORDER BY name, hash";
const REDEEM: &str = "UPDATE enrolment SET used_by = $1 WHERE hash = $2";
const REVOKE: &str = "DELETE FROM enrolment WHERE name = $1 AND used_by IS NULL";

const EXPIRE: &str = "DELETE FROM enrolment WHERE expires < $1";

fn enrolment(row: &Row<'_>) -> Result<Enrolment> {
    let unreadable = |error: dme_link::Error| Error::Unreadable {
        place: "enrolment.used_by",
        reason: error.to_string(),
    };
    let used_by: Option<String> = row.get(4)?;
    let again: Option<String> = row.get(5)?;
    Ok(Enrolment {
        hash: from_hex(&row.get::<String>(0)?)?,
        name: row.get(1)?,
        approval: from_json(&row.get::<String>(2)?, "enrolment.approval")?,
        expires: row.get(3)?,
        used_by: used_by.map(|key| key.parse().map_err(unreadable)).transpose()?,
        again: again.map(ConnectorId::from),
    })
}

fn hex(hash: &TokenHash) -> String {
    hash.0.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Result<TokenHash> {
    let unreadable =
        || Error::Unreadable { place: "enrolment.hash", reason: "it is not 64 digits".into() };
    let mut bytes = [0; 32];
    for (i, byte) in bytes.iter_mut().enumerate() {
        let digits = text.get(i * 2..i * 2 + 2).ok_or_else(unreadable)?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| unreadable())?;
    }
    Ok(TokenHash(bytes))
}

impl Store {
    /// Forgets the tokens that expired before this moment, used or not.
    ///
    /// # Errors
    /// The database's.
    pub async fn expire_enrolments(&self, before: Timestamp) -> Result<()> {
        self.write(move |session| {
            session.execute(EXPIRE, values![before])?;
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Enrolments for Store {
    async fn create(&self, enrolment: Enrolment) -> Result<(), BookError> {
        let write = self.write(move |session| {
            let Enrolment { hash, name, approval, expires, used_by, again } = &enrolment;
            let (hash, approval) = (hex(hash), to_json(approval, "enrolment.approval")?);
            let used_by = used_by.map(|key| key.to_string());
            let again = again.as_ref().map(ConnectorId::as_str);
            let row = values![&hash, name, &approval, *expires, used_by.as_ref(), again];
            session.execute(CREATE, row)?;
            Ok(())
        });
        Ok(write.await?)
    }

    async fn redeem(
        &self,
        hash: &TokenHash,
        key: &Fingerprint,
        now: Timestamp,
    ) -> Result<Result<Enrolment, Rejection>, BookError> {
        let (hash, key) = (hex(hash), *key);
        let write = self.write(move |session| {
            let found = session.query_optional(ENROLMENT, values![&hash], enrolment)?;
            let Some(mut enrolment) = found else { return Ok(Err(Rejection::Unknown)) };
            if let Err(rejection) = enrolment.check(&key, now) {
                return Ok(Err(rejection));
            }
            session.execute(REDEEM, values![&key.to_string(), &hash])?;
            enrolment.used_by = Some(key);
            Ok(Ok(enrolment))
        });
        Ok(write.await?)
    }

    async fn list(&self) -> Result<Vec<Enrolment>, BookError> {
        Ok(self.read(|session| session.query(ENROLMENTS, values![], enrolment)).await?)
    }

    async fn revoke(&self, name: &str) -> Result<(), BookError> {
        let name = name.to_owned();
        let write = self.write(move |session| {
            session.execute(REVOKE, values![&name])?;
            Ok(())
        });
        Ok(write.await?)
    }
}
