//! What is to be delivered to others by HTTP.

use crate::session::{Row, values};
use crate::{Error, Result, Store};
use dme_model::Timestamp;

const LAST: &str = "SELECT COALESCE(MAX(n), 0) FROM webhook_delivery";
const WAITING: &str = "SELECT COUNT(*) FROM webhook_delivery WHERE webhook = $1";
const PUT: &str = "INSERT INTO webhook_delivery \
     (n, webhook, kind, body, queued, attempts, due, trouble) \
     VALUES ($1, $2, $3, $4, $5, 0, $6, NULL)";
const DUE: &str = "SELECT n, webhook, kind, body, queued, attempts, due, trouble \
     FROM webhook_delivery WHERE webhook = $1 AND due <= $2 ORDER BY due, n LIMIT $3";
const NEXT_DUE: &str = "SELECT MIN(due) FROM webhook_delivery WHERE webhook = $1";
const AGAIN: &str =
    "UPDATE webhook_delivery SET attempts = $1, due = $2, trouble = $3 WHERE n = $4";
const REMOVE: &str = "DELETE FROM webhook_delivery WHERE n = $1";
const STATES: &str =
    "SELECT name, failing_since, disabled, trouble, delivered FROM webhook ORDER BY name";
const PUT_STATE: &str = "INSERT INTO webhook (name, failing_since, disabled, trouble, delivered) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO UPDATE SET \
     failing_since = excluded.failing_since, disabled = excluded.disabled, \
     trouble = excluded.trouble, delivered = excluded.delivered";

/// Something to be delivered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Its number; it is also told to the receiver, who can see by it what came twice.
    pub n: i64,
    /// To which webhook, by its name.
    pub webhook: String,
    /// The kind of the event.
    pub kind: String,
    /// What is sent.
    pub body: String,
    /// Since when it waits.
    pub queued: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is to be tried.
    pub due: Timestamp,
    /// Why it did not work the last time.
    pub trouble: Option<String>,
}

/// How it goes with a webhook.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WebhookState {
    /// Which.
    pub name: String,
    /// Since when nothing could be delivered.
    pub failing_since: Option<Timestamp>,
    /// Nothing is delivered any more, until somebody enables it.
    pub disabled: bool,
    /// Why the last delivery failed.
    pub trouble: Option<String>,
    /// When something was delivered last.
    pub delivered: Option<Timestamp>,
}

fn delivery(row: &Row<'_>) -> Result<Delivery> {
    Ok(Delivery {
        n: row.get(0)?,
        webhook: row.get(1)?,
        kind: row.get(2)?,
        body: row.get(3)?,
        queued: row.get(4)?,
        attempts: u32::try_from(row.get::<i64>(5)?).unwrap_or(u32::MAX),
        due: row.get(6)?,
        trouble: row.get(7)?,
    })
}

impl Store {
    /// Has something wait for its delivery; it is durable when this returns.
    ///
    /// # Errors
    /// `Refused` where so many wait already; the database's.
    pub async fn queue_delivery(
        &self,
        webhook: &str,
        kind: &str,
        body: String,
        now: Timestamp,
        most: u32,
    ) -> Result<()> {
        let (webhook, kind) = (webhook.to_owned(), kind.to_owned());
        self.write(move |session| {
            let waiting: i64 = session.query_one(WAITING, values![&webhook], |row| row.get(0))?;
            if waiting >= i64::from(most) {
                return Err(Error::Refused(
                    format!("{waiting} deliveries wait for {webhook}").into(),
                ));
            }
            let last: i64 = session.query_one(LAST, values![], |row| row.get(0))?;
            // Made of the time, so that a number does not soon come again.
            let n = last.saturating_add(1).max(now.as_millis());
            session.execute(PUT, values![n, &webhook, &kind, &body, now, now])?;
            Ok(())
        })
        .await
    }

    /// What is to be delivered to a webhook now, the longest due first.
    ///
    /// # Errors
    /// The database's.
    pub async fn due_deliveries(
        &self,
        webhook: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Delivery>> {
        let webhook = webhook.to_owned();
        self.read(move |session| session.query(DUE, values![&webhook, now, limit], delivery)).await
    }

    /// When the next delivery to a webhook is due.
    ///
    /// # Errors
    /// The database's.
    pub async fn next_delivery(&self, webhook: &str) -> Result<Option<Timestamp>> {
        let webhook = webhook.to_owned();
        self.read(move |session| session.query_one(NEXT_DUE, values![&webhook], |row| row.get(0)))
            .await
    }

    /// How many deliveries wait for a webhook.
    ///
    /// # Errors
    /// The database's.
    pub async fn waiting_deliveries(&self, webhook: &str) -> Result<u64> {
        let webhook = webhook.to_owned();
        let waiting = self.read(move |session| {
            session.query_one(WAITING, values![&webhook], |row| row.get::<i64>(0))
        });
        Ok(u64::try_from(waiting.await?).unwrap_or(0))
    }

    /// Notes that a delivery failed, and when it is to be tried again.
    ///
    /// # Errors
    /// The database's.
    pub async fn deliver_again(
        &self,
        n: i64,
        attempts: u32,
        due: Timestamp,
        why: &str,
    ) -> Result<()> {
        let why = why.to_owned();
        self.write(move |session| {
            session.execute(AGAIN, values![attempts, due, &why, n])?;
            Ok(())
        })
        .await
    }

    /// Forgets a delivery that was made, or is given up.
    ///
    /// # Errors
    /// The database's.
    pub async fn remove_delivery(&self, n: i64) -> Result<()> {
        self.write(move |session| {
            session.execute(REMOVE, values![n])?;
            Ok(())
        })
        .await
    }

    /// How it goes with each webhook of which something is known.
    ///
    /// # Errors
    /// The database's.
    pub async fn webhook_states(&self) -> Result<Vec<WebhookState>> {
        self.read(|session| {
            session.query(STATES, values![], |row| {
                Ok(WebhookState {
                    name: row.get(0)?,
                    failing_since: row.get(1)?,
                    disabled: row.get(2)?,
                    trouble: row.get(3)?,
                    delivered: row.get(4)?,
                })
            })
        })
        .await
    }

    /// Notes how it goes with a webhook.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_webhook_state(&self, state: &WebhookState) -> Result<()> {
        let state = state.clone();
        self.write(move |session| {
            let WebhookState { name, failing_since, disabled, trouble, delivered } = &state;
            let row = values![name, *failing_since, *disabled, trouble.as_ref(), *delivered];
            session.execute(PUT_STATE, row)?;
            Ok(())
        })
        .await
    }
}
