//! Which connector serves whom, what each offered when it was last linked, and what
//! administrators set of it.

use crate::states::{from_json, to_json};
use crate::{Result, SqliteStore};
use dme_link::Capabilities;
use dme_model::{ConnectorId, Function, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;

const ROUTES: &str =
    "SELECT user_id, function, home, serving, since, why FROM route WHERE user_id = $1";
const ALL_ROUTES: &str = "SELECT user_id, function, home, serving, since, why FROM route \
     ORDER BY user_id, function";
const USERS: &str = "SELECT serving, COUNT(DISTINCT user_id) FROM route GROUP BY serving";
const FORGET_ROUTES: &str = "DELETE FROM route WHERE user_id = $1";
const FORGET_ALL: &str = "DELETE FROM route";
const PUT_ROUTE: &str = "INSERT INTO route (user_id, function, home, serving, since, why) \
     VALUES ($1, $2, $3, $4, $5, $6)";

const OFFERS: &str = "SELECT connector, offer FROM connector_offer";
const PUT_OFFER: &str = "INSERT INTO connector_offer (connector, offer) VALUES ($1, $2) \
     ON CONFLICT (connector) DO UPDATE SET offer = excluded.offer";

const SETTINGS: &str = "SELECT name, version, settings, changed FROM connector_setting";
const SETTING: &str = "SELECT version FROM connector_setting WHERE name = $1";
const PUT_SETTING: &str = "INSERT INTO connector_setting (name, version, settings, changed) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE SET version = excluded.version, \
     settings = excluded.settings, changed = excluded.changed";

/// Which connector serves one function of a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RouteRecord {
    /// Which function.
    pub function: Function,
    /// The name of the connector that serves it while all is well; none where only a failover has
    /// so far.
    pub home: Option<String>,
    /// The name of the one that serves it now.
    pub serving: String,
    /// Since when that one does.
    pub since: Timestamp,
    /// Why, in words.
    pub why: String,
}

/// What administrators set of a connector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettingRecord {
    /// The connector's name.
    pub name: String,
    /// Counts the changes, from 1.
    pub version: u64,
    /// JSON, which the server alone reads.
    pub settings: String,
    /// When it was last changed.
    pub changed: Timestamp,
}

fn route(row: &Row<'_>) -> rusqlite::Result<(UserId, Option<RouteRecord>)> {
    let text = |column| row.get::<_, String>(column);
    // One of a function that this release does not know is passed over.
    let function = Function::named(&text(1)?);
    let (home, serving) = (row.get(2)?, text(3)?);
    let (since, why) = (Timestamp::from_millis(row.get(4)?), text(5)?);
    let record = function.map(|function| RouteRecord { function, home, serving, since, why });
    Ok((UserId::from(text(0)?), record))
}

fn version(connection: &Connection, name: &str) -> Result<i64> {
    let mut statement = connection.prepare_cached(SETTING)?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?.unwrap_or(0))
}

impl SqliteStore {
    /// A user's routes.
    ///
    /// # Errors
    /// The database's.
    pub async fn routes(&self, user: &UserId) -> Result<Vec<RouteRecord>> {
        self.look_up(|connection| {
            let mut statement = connection.prepare_cached(ROUTES)?;
            let rows = statement.query_map([user.as_str()], route)?;
            let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(rows.into_iter().filter_map(|(_, record)| record).collect())
        })
        .await
    }

    /// Everybody's routes, by user.
    ///
    /// # Errors
    /// The database's.
    pub async fn all_routes(&self) -> Result<Vec<(UserId, RouteRecord)>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(ALL_ROUTES)?;
            let rows = statement.query_map([], route)?;
            let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(rows.into_iter().filter_map(|(user, record)| Some((user, record?))).collect())
        })
        .await
    }

    /// How many users each connector serves in some function, by its name.
    ///
    /// # Errors
    /// The database's.
    pub async fn users_by_connector(&self) -> Result<BTreeMap<String, usize>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(USERS)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
            rows.map(|row| {
                let (name, users) = row?;
                Ok((name, usize::try_from(users).unwrap_or(0)))
            })
            .collect()
        })
        .await
    }

    /// Puts a user's routes in the place of those there were.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_routes(&self, user: &UserId, routes: Vec<RouteRecord>) -> Result<()> {
        let user = user.clone();
        self.write(move |connection| {
            connection.prepare_cached(FORGET_ROUTES)?.execute([user.as_str()])?;
            for RouteRecord { function, home, serving, since, why } in &routes {
                connection.prepare_cached(PUT_ROUTE)?.execute(params![
                    user.as_str(),
                    function.as_str(),
                    home,
                    serving,
                    since.as_millis(),
                    why,
                ])?;
            }
            Ok(())
        })
        .await
    }

    /// Forgets a user's routes, or everybody's.
    ///
    /// # Errors
    /// The database's.
    pub async fn forget_routes(&self, user: Option<&UserId>) -> Result<()> {
        let user = user.cloned();
        self.write(move |connection| {
            match user {
                Some(user) => connection.prepare_cached(FORGET_ROUTES)?.execute([user.as_str()])?,
                None => connection.prepare_cached(FORGET_ALL)?.execute([])?,
            };
            Ok(())
        })
        .await
    }

    /// What each connector offered when it was last linked.
    ///
    /// # Errors
    /// The database's.
    pub async fn offers(&self) -> Result<Vec<(ConnectorId, Capabilities)>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(OFFERS)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.map(|row| {
                let (id, offer): (String, String) = row?;
                Ok((ConnectorId::from(id), from_json(&offer, "connector_offer.offer")?))
            })
            .collect()
        })
        .await
    }

    /// Notes what a connector offers.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_offer(&self, id: &ConnectorId, offer: &Capabilities) -> Result<()> {
        let (id, offer) = (id.clone(), to_json(offer, "connector_offer.offer")?);
        self.write(move |connection| {
            connection.prepare_cached(PUT_OFFER)?.execute(params![id.as_str(), offer])?;
            Ok(())
        })
        .await
    }

    /// What administrators set of connectors.
    ///
    /// # Errors
    /// The database's.
    pub async fn connector_settings(&self) -> Result<Vec<SettingRecord>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(SETTINGS)?;
            let rows = statement.query_map([], |row| {
                Ok(SettingRecord {
                    name: row.get(0)?,
                    version: u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
                    settings: row.get(2)?,
                    changed: Timestamp::from_millis(row.get(3)?),
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
        .await
    }

    /// Sets what an administrator wants of a connector, and gives the new version.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_connector_settings(
        &self,
        name: &str,
        settings: String,
        now: Timestamp,
    ) -> Result<u64> {
        let name = name.to_owned();
        self.write(move |connection| {
            let next = version(connection, &name)?.saturating_add(1);
            let row = params![name, next, settings, now.as_millis()];
            connection.prepare_cached(PUT_SETTING)?.execute(row)?;
            Ok(u64::try_from(next).unwrap_or(0))
        })
        .await
    }
}
