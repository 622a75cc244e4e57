//! What runs beside the listeners, until the server ends.

use super::Running;
use crate::config::ServerConfig;
use crate::connectors::count;
use crate::edges::{Edges, FromEdges};
use crate::front::Front;
use crate::metrics::Metrics;
use crate::records::events::Unwritten;
use crate::records::{Lookout, Witnesses, expire, look_out};
use crate::watch::reroute;
use dme_link::{Authority, LinkEvent, Links};
use dme_model::{ConnectorId, Function};
use dme_sync::StateStore;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// The directories are not read more often than this for connectors that come.
const REFRESH_PAUSE: Duration = Duration::from_secs(1);
/// How often the connectors are counted though nothing was heard of a link.
const COUNT_EVERY: Duration = Duration::from_secs(60);
/// How often it is looked for what is too old to be kept.
const EXPIRE_EVERY: Duration = Duration::from_secs(3600);
/// How long an expired token is remembered.
const TOKENS_KEPT: Duration = Duration::from_secs(7 * 86_400);
/// How long a phone's certificate is remembered that has ended.
const CERTIFICATES_KEPT: Duration = Duration::from_secs(365 * 86_400);
/// How long the journal of sent messages is kept.
const JOURNAL_LIFE: Duration = Duration::from_secs(7 * 86_400);

impl Running {
    /// Begins what keeps phones, connectors and directories in step.
    pub(super) fn keep(&self, links: &Links) {
        let front = &self.front;
        let (gate, stop) = (front.gate.clone(), self.stop.clone());
        self.tasks.spawn(async move { gate.run(stop.cancelled()).await });
        let providers = front.clone();
        self.run_until_stop(async move { providers.bearers.begin().await });
        self.run_until_stop(count_links(links.clone(), front.metrics.clone()));
        self.run_until_stop(ask_directories_that_come(front.clone(), links.subscribe()));
        self.run_until_stop(reroute(front.watches.clone(), front.connectors.versions()));
        if let Some(outbox) = front.outbox.clone() {
            self.run_until_stop(outbox.run(front.router.clone(), front.connectors.clone()));
        }
        self.run_until_stop(end_who_is_revoked(front.clone()));
        self.run_until_stop(drop_what_is_old(front.clone()));
    }

    /// Begins what a server does for its connectors.
    pub(super) fn keep_connectors(
        &self,
        config: &ServerConfig,
        links: &Links,
        from_edges: Arc<FromEdges>,
    ) {
        self.run_until_stop(self.front.connector_orders.clone().run());
        let edges = Edges::new(self.front.clone(), links.clone(), from_edges, &config.realms);
        self.run_until_stop(edges.run());
    }

    /// What is kept of what happens, and what is done with it.
    pub(super) fn keep_records(
        &self,
        config: &ServerConfig,
        links: Links,
        authority: &Arc<Authority>,
        unwritten: Unwritten,
    ) {
        let (front, stop) = (self.front.clone(), self.quiet.clone());
        let events = front.events.clone();
        self.records.spawn(events.clone().write(unwritten, front.webhooks.clone(), stop.clone()));
        let (statistics, counted) = (front.statistics.clone(), links.clone());
        self.records.spawn(async move { statistics.keep(&counted, stop).await });
        self.run_until_stop(front.webhooks.clone().run(events.clone()));
        self.run_until_stop(expire(front.clone(), config.records.clone()));
        self.run_until_stop(
            Witnesses {
                store: front.store.clone(),
                links,
                authority: authority.clone(),
                events: events.clone(),
                clock: front.clock.clone(),
                every: config.records.countersign_every.0,
            }
            .run(),
        );
        self.run_until_stop(look_out(Lookout {
            events,
            gate: front.gate.clone(),
            connectors: front.connectors.clone(),
            clock: front.clock.clone(),
            certificate: config.phones.certificate.clone(),
        }));
    }
}

/// Keeps the metric of links true, as long as it is polled.
async fn count_links(links: Links, metrics: Arc<Metrics>) {
    let mut events = links.subscribe();
    loop {
        count(&links, &metrics).await;
        tokio::select! {
            event = events.recv() => match event {
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            // A connector may have been enrolled, and never come.
            () = tokio::time::sleep(COUNT_EVERY) => {}
        }
    }
}

/// A directory that has just come is asked at once, not at the next interval.
async fn ask_directories_that_come(front: Arc<Front>, mut links: Receiver<LinkEvent>) {
    loop {
        let is_directory = |id: &ConnectorId| {
            let linked = front.connectors.linked();
            let found = linked.into_iter().find(|one| one.state.id == *id);
            found.is_some_and(|one| one.offer.offers(Function::Directory))
        };
        match links.recv().await {
            Ok(LinkEvent::Connected(id)) if !is_directory(&id) => {}
            Ok(LinkEvent::Connected(_)) | Err(RecvError::Lagged(_)) => {
                front.gate.refresh().await;
                // However often one comes and goes.
                tokio::time::sleep(REFRESH_PAUSE).await;
            }
            Ok(LinkEvent::Lost { .. } | LinkEvent::News(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// Lets go the parked phones of whoever may no longer be in (rule A5).
async fn end_who_is_revoked(front: Arc<Front>) {
    let mut revoked = front.gate.revocations();
    loop {
        match revoked.recv().await {
            Ok(revoked) => {
                front.parking.end_user(&revoked.user);
                front.watches.end(&revoked.user);
            }
            // Missed some: everyone comes back and is asked again.
            Err(RecvError::Lagged(_)) => front.parking.end_all(),
            Err(RecvError::Closed) => return,
        }
    }
}

/// Drops from the database what nobody asks for any longer.
async fn drop_what_is_old(front: Arc<Front>) {
    loop {
        tokio::time::sleep(EXPIRE_EVERY).await;
        let before = (front.clock)().minus(JOURNAL_LIFE);
        if let Err(error) = front.store.expire(before).await {
            tracing::warn!(%error, "old journal entries could not be dropped");
        }
        let before = (front.clock)().minus(CERTIFICATES_KEPT);
        if let Err(error) = front.store.expire_device_certificates(before).await {
            tracing::warn!(%error, "certificates that ended could not be dropped");
        }
        // Until then a late one is told that its token has expired, not that it never was.
        let before = (front.clock)().minus(TOKENS_KEPT);
        if let Err(error) = front.store.expire_enrolments(before).await {
            tracing::warn!(%error, "expired tokens could not be dropped");
        }
    }
}
