//! Which connector serves whom, what each offered when it was last linked, and what
//! administrators set of it.

use crate::session::{Conditions, Row, Session, values};
use crate::states::{from_json, to_json};
use crate::{Result, Store};
use dme_link::Capabilities;
use dme_model::{ConnectorId, Function, Timestamp, UserId};
use std::collections::{BTreeMap, BTreeSet};

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

/// So many users are asked for by one statement: a database takes no more than some thousands of
/// values.
const AT_ONCE: usize = 1_000;

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

fn route(row: &Row<'_>) -> Result<(UserId, Option<RouteRecord>)> {
    let text = |column| row.get::<String>(column);
    // One of a function that this release does not know is passed over.
    let function = Function::named(&text(1)?);
    let (home, serving) = (row.get(2)?, text(3)?);
    let (since, why) = (row.get(4)?, text(5)?);
    let record = function.map(|function| RouteRecord { function, home, serving, since, why });
    Ok((UserId::from(text(0)?), record))
}

fn version(session: &Session<'_>, name: &str) -> Result<i64> {
    Ok(session.query_optional(SETTING, values![name], |row| row.get(0))?.unwrap_or(0))
}

impl Store {
    /// A user's routes.
    ///
    /// # Errors
    /// The database's.
    pub async fn routes(&self, user: &UserId) -> Result<Vec<RouteRecord>> {
        let user = user.clone();
        self.look_up(move |session| {
            let rows = session.query(ROUTES, values![user.as_str()], route)?;
            Ok(rows.into_iter().filter_map(|(_, record)| record).collect())
        })
        .await
    }

    /// Everybody's routes, by user.
    ///
    /// # Errors
    /// The database's.
    pub async fn all_routes(&self) -> Result<Vec<(UserId, RouteRecord)>> {
        self.read(|session| {
            let rows = session.query(ALL_ROUTES, values![], route)?;
            Ok(rows.into_iter().filter_map(|(user, record)| Some((user, record?))).collect())
        })
        .await
    }

    /// By which connectors each of these users is served in some function, by their names.
    ///
    /// # Errors
    /// The database's.
    pub async fn serving(
        &self,
        users: impl IntoIterator<Item = UserId>,
    ) -> Result<BTreeMap<UserId, BTreeSet<String>>> {
        self.connectors_of("serving", users).await
    }

    /// At which connectors each of these users is at home in some function, by their names: those
    /// that serve them while all is well. Where only a failover has served so far, it is that.
    ///
    /// # Errors
    /// The database's.
    pub async fn homes(
        &self,
        users: impl IntoIterator<Item = UserId>,
    ) -> Result<BTreeMap<UserId, BTreeSet<String>>> {
        self.connectors_of("COALESCE(home, serving)", users).await
    }

    async fn connectors_of(
        &self,
        which: &'static str,
        users: impl IntoIterator<Item = UserId>,
    ) -> Result<BTreeMap<UserId, BTreeSet<String>>> {
        let users: BTreeSet<UserId> = users.into_iter().collect();
        let users: Vec<String> = users.iter().map(UserId::to_string).collect();
        if users.is_empty() {
            return Ok(BTreeMap::new());
        }
        self.read(move |session| {
            let mut found: BTreeMap<UserId, BTreeSet<String>> = BTreeMap::new();
            for some in users.chunks(AT_ONCE) {
                let mut wanted = Conditions::default();
                let names: Vec<String> =
                    some.iter().map(|user| wanted.give(user.as_str())).collect();
                wanted.and(&format!("user_id IN ({})", names.join(", ")));
                let sql = format!("SELECT DISTINCT user_id, {which} FROM route{}", wanted.sql());
                let rows = session.query(&sql, wanted.values(), |row| {
                    Ok((UserId::from(row.get::<String>(0)?), row.get::<String>(1)?))
                })?;
                for (user, connector) in rows {
                    found.entry(user).or_default().insert(connector);
                }
            }
            Ok(found)
        })
        .await
    }

    /// How many users each connector serves in some function, by its name.
    ///
    /// # Errors
    /// The database's.
    pub async fn users_by_connector(&self) -> Result<BTreeMap<String, usize>> {
        self.read(|session| {
            let users = session.query(USERS, values![], |row| {
                Ok((row.get(0)?, usize::try_from(row.get::<i64>(1)?).unwrap_or(0)))
            })?;
            Ok(users.into_iter().collect())
        })
        .await
    }

    /// Puts a user's routes in the place of those there were.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_routes(&self, user: &UserId, routes: Vec<RouteRecord>) -> Result<()> {
        let user = user.clone();
        self.write(move |session| {
            session.execute(FORGET_ROUTES, values![user.as_str()])?;
            for RouteRecord { function, home, serving, since, why } in &routes {
                let (user, function, home) = (user.as_str(), function.as_str(), home.as_ref());
                let row = values![user, function, home, serving, *since, why];
                session.execute(PUT_ROUTE, row)?;
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
        self.write(move |session| {
            match &user {
                Some(user) => session.execute(FORGET_ROUTES, values![user.as_str()])?,
                None => session.execute(FORGET_ALL, values![])?,
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
        self.read(|session| {
            session.query(OFFERS, values![], |row| {
                let (id, offer): (String, String) = (row.get(0)?, row.get(1)?);
                Ok((ConnectorId::from(id), from_json(&offer, "connector_offer.offer")?))
            })
        })
        .await
    }

    /// Notes what a connector offers.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_offer(&self, id: &ConnectorId, offer: &Capabilities) -> Result<()> {
        let (id, offer) = (id.clone(), to_json(offer, "connector_offer.offer")?);
        self.write(move |session| {
            session.execute(PUT_OFFER, values![id.as_str(), &offer])?;
            Ok(())
        })
        .await
    }

    /// What administrators set of connectors.
    ///
    /// # Errors
    /// The database's.
    pub async fn connector_settings(&self) -> Result<Vec<SettingRecord>> {
        self.read(|session| {
            session.query(SETTINGS, values![], |row| {
                Ok(SettingRecord {
                    name: row.get(0)?,
                    version: u64::try_from(row.get::<i64>(1)?).unwrap_or(0),
                    settings: row.get(2)?,
                    changed: row.get(3)?,
                })
            })
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
        self.write(move |session| {
            let next = version(session, &name)?.saturating_add(1);
            session.execute(PUT_SETTING, values![&name, next, &settings, now])?;
            Ok(u64::try_from(next).unwrap_or(0))
        })
        .await
    }
}
