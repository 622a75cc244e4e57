//! The connectors the server knows, by their keys (rules A6 and L2).

use crate::session::{Row, Session, values};
use crate::states::{from_json, to_json};
use crate::{Error, Result, Store};
use async_trait::async_trait;
use dme_link::{BookError, ConnectorBook, ConnectorRecord, ConnectorState, Fingerprint};
use dme_model::{ConnectorId, Timestamp};

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
/// `newer` of a key that was used, or is the first; and of one that was not used yet.
const OLDER: i64 = 0;
const NEWER: i64 = 1;

fn fingerprint(text: &str) -> Result<Fingerprint> {
    text.parse().map_err(|error: dme_link::Error| Error::Unreadable {
        place: "connector_key.fingerprint",
        reason: error.to_string(),
    })
}

fn owner(session: &Session<'_>, key: &Fingerprint) -> Result<Option<ConnectorId>> {
    let id = |row: &Row<'_>| Ok(ConnectorId::from(row.get::<String>(0)?));
    session.query_optional(KEY_OWNER, values![&key.to_string()], id)
}

fn keys(session: &Session<'_>, id: &ConnectorId) -> Result<Vec<Fingerprint>> {
    session.query(KEYS, values![id.as_str()], |row| fingerprint(&row.get::<String>(0)?))
}

fn record(session: &Session<'_>, id: &ConnectorId) -> Result<Option<ConnectorRecord>> {
    session.query_optional(CONNECTOR, values![id.as_str()], |row| {
        Ok(ConnectorRecord {
            id: id.clone(),
            name: row.get(0)?,
            state: from_json(&row.get::<String>(1)?, "connector.state")?,
            keys: keys(session, id)?,
            enrolled: row.get(2)?,
            last_seen: row.get(3)?,
        })
    })
}

fn known(session: &Session<'_>, id: &ConnectorId) -> Result<ConnectorRecord> {
    record(session, id)?.ok_or_else(|| Error::NotFound(format!("connector {id}")))
}

#[async_trait]
impl ConnectorBook for Store {
    async fn find(&self, key: &Fingerprint) -> Result<Option<ConnectorRecord>, BookError> {
        let key = *key;
        let read = self.read(move |session| match owner(session, &key)? {
            Some(id) => record(session, &id),
            None => Ok(None),
        });
        Ok(read.await?)
    }

    async fn get(&self, id: &ConnectorId) -> Result<Option<ConnectorRecord>, BookError> {
        let id = id.clone();
        Ok(self.read(move |session| record(session, &id)).await?)
    }

    async fn list(&self) -> Result<Vec<ConnectorRecord>, BookError> {
        let read = self.read(|session| {
            let ids = session.query(CONNECTORS, values![], |row| row.get::<String>(0))?;
            ids.into_iter().map(|id| known(session, &ConnectorId::from(id))).collect()
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
        let write = self.write(move |session| {
            if let Some(id) = owner(session, &key)? {
                return known(session, &id);
            }
            // Connectors are never deleted, so that the count gives no id twice.
            let count: i64 = session.query_one(COUNT, values![], |row| row.get(0))?;
            let id = ConnectorId::from(format!("c{}", count.saturating_add(1)));
            let state = to_json(&state, "connector.state")?;
            session.execute(ENROL, values![id.as_str(), &name, &state, now])?;
            session.execute(PUT_KEY, values![&key.to_string(), id.as_str(), OLDER])?;
            known(session, &id)
        });
        Ok(write.await?)
    }

    async fn set_state(&self, id: &ConnectorId, state: ConnectorState) -> Result<(), BookError> {
        let id = id.clone();
        let write = self.write(move |session| {
            let removed = known(session, &id)?.state == ConnectorState::Removed;
            if removed && state != ConnectorState::Removed {
                return Err(Error::Refused(format!("{id} was removed; enrol it anew").into()));
            }
            let state = to_json(&state, "connector.state")?;
            session.execute(SET_STATE, values![&state, id.as_str()])?;
            Ok(())
        });
        Ok(write.await?)
    }

    async fn add_key(&self, id: &ConnectorId, key: &Fingerprint) -> Result<(), BookError> {
        let (id, key) = (id.clone(), *key);
        let write = self.write(move |session| {
            known(session, &id)?;
            match owner(session, &key)? {
                Some(owner) if owner == id => Ok(()),
                Some(_) => Err(Error::Refused("another connector has this key".into())),
                None => {
                    session.execute(FORGET_NEWER, values![id.as_str()])?;
                    session.execute(PUT_KEY, values![&key.to_string(), id.as_str(), NEWER])?;
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
        let write = self.write(move |session| {
            let keys = known(session, &id)?.keys;
            if !keys.contains(&key) {
                return Err(Error::Refused(format!("{id} does not have this key any more").into()));
            }
            if keys.first() != Some(&key) {
                session.execute(FORGET_OLDER, values![id.as_str()])?;
                session.execute(MAKE_OLDER, values![id.as_str()])?;
            }
            session.execute(SEEN, values![now, id.as_str()])?;
            Ok(())
        });
        Ok(write.await?)
    }
}
