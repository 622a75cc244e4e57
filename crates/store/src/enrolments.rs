//! The tokens handed out to future connectors (rule L1). Only the hash of each is kept.

use crate::states::{from_json, to_json};
use crate::{Error, Result, SqliteStore};
use async_trait::async_trait;
use dme_link::{BookError, Enrolment, Enrolments, Fingerprint, Rejection, TokenHash};
use dme_model::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use std::fmt::Write;

const CREATE: &str = "INSERT INTO enrolment (hash, name, approval, expires, used_by) \
     VALUES ($1, $2, $3, $4, $5)";
const ENROLMENT: &str =
    "SELECT hash, name, approval, expires, used_by FROM enrolment WHERE hash = $1";
const ENROLMENTS: &str =
    "SELECT hash, name, approval, expires, used_by FROM enrolment ORDER BY name, hash";
const REDEEM: &str = "UPDATE enrolment SET used_by = $1 WHERE hash = $2";
const REVOKE: &str = "DELETE FROM enrolment WHERE name = $1 AND used_by IS NULL";

const EXPIRE: &str = "DELETE FROM enrolment WHERE expires < $1";

type Written = (String, String, String, i64, Option<String>);

fn written(row: &Row<'_>) -> rusqlite::Result<Written> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn read((hash, name, approval, expires, used_by): Written) -> Result<Enrolment> {
    let unreadable = |error: dme_link::Error| Error::Unreadable {
        place: "enrolment.used_by",
        reason: error.to_string(),
    };
    Ok(Enrolment {
        hash: from_hex(&hash)?,
        name,
        approval: from_json(&approval, "enrolment.approval")?,
        expires: Timestamp::from_millis(expires),
        used_by: used_by.map(|key| key.parse().map_err(unreadable)).transpose()?,
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

impl SqliteStore {
    /// Forgets the tokens that expired before this moment, used or not.
    ///
    /// # Errors
    /// The database's.
    pub async fn expire_enrolments(&self, before: Timestamp) -> Result<()> {
        self.write(move |connection| {
            connection.prepare_cached(EXPIRE)?.execute([before.as_millis()])?;
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Enrolments for SqliteStore {
    async fn create(&self, enrolment: Enrolment) -> Result<(), BookError> {
        let write = self.write(move |connection| {
            connection.prepare_cached(CREATE)?.execute(params![
                hex(&enrolment.hash),
                enrolment.name,
                to_json(&enrolment.approval, "enrolment.approval")?,
                enrolment.expires.as_millis(),
                enrolment.used_by.map(|key| key.to_string()),
            ])?;
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
        let write = self.write(move |connection| {
            let mut find = connection.prepare_cached(ENROLMENT)?;
            let Some(found) = find.query_row([&hash], written).optional()? else {
                return Ok(Err(Rejection::Unknown));
            };
            let mut enrolment = read(found)?;
            if let Err(rejection) = enrolment.check(&key, now) {
                return Ok(Err(rejection));
            }
            connection.prepare_cached(REDEEM)?.execute([key.to_string(), hash])?;
            enrolment.used_by = Some(key);
            Ok(Ok(enrolment))
        });
        Ok(write.await?)
    }

    async fn list(&self) -> Result<Vec<Enrolment>, BookError> {
        let all = self.read(|connection| {
            let mut statement = connection.prepare_cached(ENROLMENTS)?;
            let rows = statement.query_map([], written)?;
            rows.map(|row| read(row?)).collect()
        });
        Ok(all.await?)
    }

    async fn revoke(&self, name: &str) -> Result<(), BookError> {
        let name = name.to_owned();
        let write = self.write(move |connection| {
            connection.prepare_cached(REVOKE)?.execute([name])?;
            Ok(())
        });
        Ok(write.await?)
    }
}
