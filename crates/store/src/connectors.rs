//! The connectors the server knows, by their keys (rules A6 and L2).

use crate::states::{from_json, to_json};
use crate::{Error, Result, SqliteStore};
use async_trait::async_trait;
use dme_link::{BookError, ConnectorBook, ConnectorRecord, ConnectorState, Fingerprint};
use dme_model::{ConnectorId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

const CONNECTOR: &str = "SELECT name, state, enrolled, last_seen FROM connector WHERE id = $1";
const CONNECTORS: &str = "SELECT id FROM connector ORDER BY name, id";
const COUNT: &str = "SELECT COUNT(*) FROM connector";
const ENROL: &str =
    "INSERT INTO connector (id, name, state, enrolled, last_seen) VALUES ($1, $2, $3, $4, NULL)";
const SET_STATE: &str = "UPDATE connector SET state = $1 WHERE id = $2";
const SEEN: &str = "UPDATE connector SET last_seen = $1 WHERE id = $2";

const KEYS: &str = "SELECT fingerprint FROM connector_key WHERE connector = $1 ORDER BY newer";
const KEY_OWNER: &str = "SELECT connector FROM connector_key WHERE fingerprint = $1";
const FORGET_NEWER: &str = "DELETE FROM connector_key WHERE connector = $1 AND newer = 1";
const FORGET_OLDER: &str = "DELETE FROM connector_key WHERE connector = $1 AND newer = 0";
const MAKE_OLDER: &str = "UPDATE connector_key SET newer = 0 WHERE connector = $1";
const PUT_KEY: &str =
    "INSERT INTO connector_key (fingerprint, connector, newer) VALUES ($1, $2, $3)";

fn fingerprint(text: &str) -> Result<Fingerprint> {
    text.parse().map_err(|error: dme_link::Error| Error::Unreadable {
        place: "connector_key.fingerprint",
        reason: error.to_string(),
    })
}

fn owner(connection: &Connection, key: &Fingerprint) -> Result<Option<ConnectorId>> {
    let mut statement = connection.prepare_cached(KEY_OWNER)?;
    let id: Option<String> = statement.query_row([key.to_string()], |row| row.get(0)).optional()?;
    Ok(id.map(ConnectorId::from))
}

fn keys(connection: &Connection, id: &ConnectorId) -> Result<Vec<Fingerprint>> {
    let mut statement = connection.prepare_cached(KEYS)?;
    let rows = statement.query_map([id.as_str()], |row| row.get::<_, String>(0))?;
    rows.map(|row| fingerprint(&row?)).collect()
}

fn record(connection: &Connection, id: &ConnectorId) -> Result<Option<ConnectorRecord>> {
    let mut statement = connection.prepare_cached(CONNECTOR)?;
    let found: Option<(String, String, i64, Option<i64>)> = statement
        .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((name, state, enrolled, last_seen)) = found else { return Ok(None) };
    Ok(Some(ConnectorRecord {
        id: id.clone(),
        name,
        state: from_json(&state, "connector.state")?,
        keys: keys(connection, id)?,
        enrolled: Timestamp::from_millis(enrolled),
        last_seen: last_seen.map(Timestamp::from_millis),
    }))
}

fn known(connection: &Connection, id: &ConnectorId) -> Result<ConnectorRecord> {
    record(connection, id)?.ok_or_else(|| Error::NotFound(format!("connector {id}")))
}

#[async_trait]
impl ConnectorBook for SqliteStore {
    async fn find(&self, key: &Fingerprint) -> Result<Option<ConnectorRecord>, BookError> {
        let key = *key;
        let read = self.read(move |connection| match owner(connection, &key)? {
            Some(id) => record(connection, &id),
            None => Ok(None),
        });
        Ok(read.await?)
    }

    async fn get(&self, id: &ConnectorId) -> Result<Option<ConnectorRecord>, BookError> {
        let id = id.clone();
        Ok(self.read(move |connection| record(connection, &id)).await?)
    }

    async fn list(&self) -> Result<Vec<ConnectorRecord>, BookError> {
        let read = self.read(|connection| {
            let mut statement = connection.prepare_cached(CONNECTORS)?;
            let ids = statement
                .query_map([], |row| row.get::<_, String>(0))?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            ids.into_iter().map(|id| known(connection, &ConnectorId::from(id))).collect()
        });
        Ok(read.await?)
    }

    async fn enrol(
        &self,
        name: &str,
        key: &Fingerprint,
        state: ConnectorState,
        now: Timestamp,
    ) -> Result<ConnectorRecord, BookError> {
        let (name, key) = (name.to_owned(), *key);
        let write = self.write(move |connection| {
            if let Some(id) = owner(connection, &key)? {
                return known(connection, &id);
            }
            // Connectors are never deleted, so that the count gives no id twice.
            let count: i64 = connection.prepare_cached(COUNT)?.query_row([], |row| row.get(0))?;
            let id = ConnectorId::from(format!("c{}", count.saturating_add(1)));
            let state = to_json(&state, "connector.state")?;
            let row = params![id.as_str(), name, state, now.as_millis()];
            connection.prepare_cached(ENROL)?.execute(row)?;
            let row = params![key.to_string(), id.as_str(), 0];
            connection.prepare_cached(PUT_KEY)?.execute(row)?;
            known(connection, &id)
        });
        Ok(write.await?)
    }

    async fn set_state(&self, id: &ConnectorId, state: ConnectorState) -> Result<(), BookError> {
        let id = id.clone();
        let write = self.write(move |connection| {
            let removed = known(connection, &id)?.state == ConnectorState::Removed;
            if removed && state != ConnectorState::Removed {
                return Err(Error::Refused(format!("{id} was removed; enrol it anew")));
            }
            let state = to_json(&state, "connector.state")?;
            connection.prepare_cached(SET_STATE)?.execute(params![state, id.as_str()])?;
            Ok(())
        });
        Ok(write.await?)
    }

    async fn add_key(&self, id: &ConnectorId, key: &Fingerprint) -> Result<(), BookError> {
        let (id, key) = (id.clone(), *key);
        let write = self.write(move |connection| {
            known(connection, &id)?;
            match owner(connection, &key)? {
                Some(owner) if owner == id => Ok(()),
                Some(_) => Err(Error::Refused("another connector has this key".into())),
                None => {
                    connection.prepare_cached(FORGET_NEWER)?.execute([id.as_str()])?;
                    let row = params![key.to_string(), id.as_str(), 1];
                    connection.prepare_cached(PUT_KEY)?.execute(row)?;
                    Ok(())
                }
            }
        });
        Ok(write.await?)
    }

    async fn key_used(
        &self,
        id: &ConnectorId,
        key: &Fingerprint,
        now: Timestamp,
    ) -> Result<(), BookError> {
        let (id, key) = (id.clone(), *key);
        let write = self.write(move |connection| {
            let keys = known(connection, &id)?.keys;
            if !keys.contains(&key) {
                return Err(Error::Refused(format!("{id} does not have this key any more")));
            }
            if keys.first() != Some(&key) {
                connection.prepare_cached(FORGET_OLDER)?.execute([id.as_str()])?;
                connection.prepare_cached(MAKE_OLDER)?.execute([id.as_str()])?;
            }
            connection.prepare_cached(SEEN)?.execute(params![now.as_millis(), id.as_str()])?;
            Ok(())
        });
        Ok(write.await?)
    }
}
