//! What waits for a connector's next contact, durable, and done in this order whatever was asked for
//! first: a new key, its configuration, a diagnosis, its counts. Before all of them its key is looked
//! at: one that was locked or removed is told so, and no more.
//!
//! Only orders are kept here. The configuration is wanted until the connector says that it holds
//! (`dme_link`'s registrar), and counts a connector tells of its own accord when it links.

use crate::front::Clock;
use dme_link::{LinkEvent, Links, NotAnswered};
use dme_model::ConnectorId;
use dme_store::{ConnectorOrder, Result, Store, WaitingConnectorOrder};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;

/// How long a connector may take to find out about itself.
const DIAGNOSIS: Duration = Duration::from_secs(120);
/// How often it is tried again at connectors that are linked.
const AGAIN: Duration = Duration::from_secs(60);
/// How long connectors that come are waited for, to be looked up together.
const GATHER: Duration = Duration::from_millis(200);

/// Orders for connectors, and whoever carries them out.
pub struct ConnectorOrders {
    store: Store,
    links: Links,
    clock: Clock,
    new: Notify,
}

impl ConnectorOrders {
    pub(crate) fn new(store: Store, links: Links, clock: Clock) -> Arc<Self> {
        Arc::new(Self { store, links, clock, new: Notify::new() })
    }

    /// Has a connector do something when it is next in contact, which is at once where it is linked.
    /// What waits already is not asked for twice.
    ///
    /// # Errors
    /// The database's.
    pub async fn order(&self, id: &ConnectorId, order: ConnectorOrder, by: &str) -> Result<()> {
        let (connector, by, at) = (id.clone(), by.to_owned(), (self.clock)());
        self.store.put_connector_order(WaitingConnectorOrder { connector, order, by, at }).await?;
        tracing::info!(%id, order = order.as_str(), "an order waits for the connector");
        self.new.notify_one();
        Ok(())
    }

    /// Carries out what waits, as long as it is polled.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut events = self.links.subscribe();
        let mut ticks = tokio::time::interval(AGAIN);
        let mut running: FuturesUnordered<BoxFuture<'static, ConnectorId>> =
            FuturesUnordered::new();
        let mut busy = BTreeSet::new();
        // Those that were to be looked at again while something was carried out for them.
        let mut again: BTreeSet<ConnectorId> = BTreeSet::new();
        loop {
            let due = tokio::select! {
                Some(id) = running.next(), if !running.is_empty() => {
                    busy.remove(&id);
                    again.take(&id).into_iter().collect()
                }
                event = events.recv() => match event {
                    Ok(LinkEvent::Connected(_)) => {
                        tokio::time::sleep(GATHER).await;
                        while events.try_recv().is_ok() {}
                        self.waited_for().await
                    }
                    Ok(LinkEvent::Lost { .. } | LinkEvent::News(_)) => continue,
                    Err(RecvError::Lagged(_)) => self.waited_for().await,
                    Err(RecvError::Closed) => return,
                },
                _ = ticks.tick() => self.waited_for().await,
                () = self.new.notified() => self.waited_for().await,
            };
            for id in due {
                if busy.insert(id.clone()) {
                    running.push(Box::pin(self.clone().carry_out(id)));
                } else {
                    again.insert(id);
                }
            }
        }
    }

    /// The connectors in contact for which anything waits.
    async fn waited_for(&self) -> BTreeSet<ConnectorId> {
        match self.store.connector_orders().await {
            Ok(all) => {
                let all = all.into_iter().map(|waiting| waiting.connector);
                all.filter(|id| self.links.is_linked(id)).collect()
            }
            Err(error) => {
                tracing::warn!(%error, "the connectors' orders could not be read");
                BTreeSet::new()
            }
        }
    }

    async fn carry_out(self: Arc<Self>, id: ConnectorId) -> ConnectorId {
        if let Err(error) = self.carry_out_each(&id).await {
            tracing::warn!(%id, %error, "a connector's orders could not be carried out");
        }
        id
    }

    async fn carry_out_each(&self, id: &ConnectorId) -> Result<()> {
        for waiting in self.store.connector_orders_of(id).await? {
            match waiting.order {
                ConnectorOrder::Rotate => self.rotate(&waiting).await?,
                ConnectorOrder::Diagnose => self.diagnose(id).await?,
            }
        }
        Ok(())
    }

    /// Done when the link was made with a certificate that is younger than the order: whatever is lost
    /// on the way there, it is asked for again.
    async fn rotate(&self, waiting: &WaitingConnectorOrder) -> Result<()> {
        let id = &waiting.connector;
        let certificate = self.links.connector(id).and_then(|link| link.certificate);
        if certificate.is_some_and(|certificate| certificate.made > waiting.at.as_seconds()) {
            self.store.end_connector_order(id, ConnectorOrder::Rotate).await?;
            tracing::info!(%id, "the connector has another key, as ordered");
        } else {
            self.links.rotate(id);
        }
        Ok(())
    }

    async fn diagnose(&self, id: &ConnectorId) -> Result<()> {
        match self.links.diagnose(id, DIAGNOSIS).await {
            Ok(diagnosis) => {
                self.store.put_diagnosis(id, &diagnosis, (self.clock)()).await?;
                tracing::info!(%id, "the connector found out about itself, as ordered");
            }
            Err(error @ NotAnswered::Unsupported) => {
                self.store.end_connector_order(id, ConnectorOrder::Diagnose).await?;
                tracing::warn!(%id, %error, "the connector's order is dropped");
            }
            Err(error) => tracing::info!(%id, %error, "the connector is asked again"),
        }
        Ok(())
    }
}
