//! What waits for connectors, and what they found out about themselves.

use crate::session::{Row, values};
use crate::states::{from_json, to_json};
use crate::{Error, Result, Store};
use dme_link::Diagnosis;
use dme_model::{ConnectorId, Timestamp};

const PUT: &str = "INSERT INTO connector_order (connector, what, by_whom, at) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (connector, what) DO NOTHING";
const ALL: &str = "SELECT connector, what, by_whom, at FROM connector_order";
const OF: &str = "SELECT connector, what, by_whom, at FROM connector_order WHERE connector = $1";
const DONE: &str = "DELETE FROM connector_order WHERE connector = $1 AND what = $2";
const FORGET: &str = "DELETE FROM connector_order WHERE connector = $1";

const DIAGNOSIS: &str = "SELECT diagnosis, taken FROM connector_diagnosis WHERE connector = $1";
const PUT_DIAGNOSIS: &str = "INSERT INTO connector_diagnosis (connector, diagnosis, taken) \
     VALUES ($1, $2, $3) ON CONFLICT (connector) DO UPDATE SET diagnosis = excluded.diagnosis, \
     taken = excluded.taken";

/// What a connector may be ordered to do at its next contact, in the order in which it is done.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ConnectorOrder {
    /// Take a new key, and have it certified: the old one is forgotten with its next link.
    Rotate,
    /// Find out about itself.
    Diagnose,
}

impl ConnectorOrder {
    /// All there are, in their order.
    pub const ALL: [Self; 2] = [Self::Rotate, Self::Diagnose];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Diagnose => "diagnose",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// An order that waits for a connector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingConnectorOrder {
    /// Whom for.
    pub connector: ConnectorId,
    /// What.
    pub order: ConnectorOrder,
    /// Who asked for it.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
}

fn waiting(row: &Row<'_>) -> Result<WaitingConnectorOrder> {
    let what: String = row.get(1)?;
    let unreadable = || Error::Unreadable {
        place: "connector_order.what",
        reason: format!("no order is called {what}"),
    };
    Ok(WaitingConnectorOrder {
        connector: ConnectorId::from(row.get::<String>(0)?),
        order: ConnectorOrder::named(&what).ok_or_else(unreadable)?,
        by: row.get(2)?,
        at: row.get(3)?,
    })
}

impl Store {
    /// Has something wait for a connector. What waits already stays as it is.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_connector_order(&self, waiting: WaitingConnectorOrder) -> Result<()> {
        self.write(move |session| {
            let WaitingConnectorOrder { connector, order, by, at } = &waiting;
            session.execute(PUT, values![connector.as_str(), order.as_str(), by, *at])?;
            Ok(())
        })
        .await
    }

    /// All that waits, for any connector.
    ///
    /// # Errors
    /// The database's.
    pub async fn connector_orders(&self) -> Result<Vec<WaitingConnectorOrder>> {
        let mut all = self.read(|session| session.query(ALL, values![], waiting)).await?;
        all.sort_by(|a, b| (&a.connector, a.order).cmp(&(&b.connector, b.order)));
        Ok(all)
    }

    /// What waits for one connector, as it is to be done.
    ///
    /// # Errors
    /// The database's.
    pub async fn connector_orders_of(
        &self,
        id: &ConnectorId,
    ) -> Result<Vec<WaitingConnectorOrder>> {
        let id = id.clone();
        let mut all =
            self.read(move |session| session.query(OF, values![id.as_str()], waiting)).await?;
        all.sort_by_key(|one| one.order);
        Ok(all)
    }

    /// Lets an order go that was done or is called off; says whether it waited.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_connector_order(
        &self,
        id: &ConnectorId,
        order: ConnectorOrder,
    ) -> Result<bool> {
        let id = id.clone();
        self.write(move |session| {
            Ok(session.execute(DONE, values![id.as_str(), order.as_str()])? > 0)
        })
        .await
    }

    /// Lets all go that waits for a connector that comes no more.
    ///
    /// # Errors
    /// The database's.
    pub async fn forget_connector_orders(&self, id: &ConnectorId) -> Result<()> {
        let id = id.clone();
        self.write(move |session| {
            session.execute(FORGET, values![id.as_str()])?;
            Ok(())
        })
        .await
    }

    /// What a connector found out last about itself, and when.
    ///
    /// # Errors
    /// The database's.
    pub async fn diagnosis(&self, id: &ConnectorId) -> Result<Option<(Diagnosis, Timestamp)>> {
        let id = id.clone();
        self.read(move |session| {
            session.query_optional(DIAGNOSIS, values![id.as_str()], |row| {
                let text: String = row.get(0)?;
                Ok((from_json(&text, "connector_diagnosis.diagnosis")?, row.get(1)?))
            })
        })
        .await
    }

    /// Keeps what a connector found out about itself in the place of what it found out before, and
    /// lets the order for it go.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_diagnosis(
        &self,
        id: &ConnectorId,
        diagnosis: &Diagnosis,
        taken: Timestamp,
    ) -> Result<()> {
        let (id, text) = (id.clone(), to_json(diagnosis, "connector_diagnosis.diagnosis")?);
        self.write(move |session| {
            session.execute(PUT_DIAGNOSIS, values![id.as_str(), &text, taken])?;
            session.execute(DONE, values![id.as_str(), ConnectorOrder::Diagnose.as_str()])?;
            Ok(())
        })
        .await
    }
}
