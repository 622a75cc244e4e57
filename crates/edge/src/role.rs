//! The edge as it runs: a front by the server's rules and the connector's services, begun anew when
//! either changes.

use crate::edge::{Edge, EdgeError, FromServer, lock};
use crate::settings;
use dme_link::{ConnectorStatus, Services};
use dme_server::edges::facts::EdgeRules;
use dme_server::role::{EdgeFront, Lent};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often it is looked whether the server should hear of something.
const LOOK: Duration = Duration::from_secs(2);
/// How long it is waited before a front that could not begin is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// An edge that runs.
pub struct EdgeRunning {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl EdgeRunning {
    /// Ends it: parked phones are released, running requests are answered.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the edge ended in disorder");
        }
    }
}

impl Edge {
    /// Begins to serve phones. `services` are the connector's own, `status` says how its link is.
    pub fn start(
        self: Arc<Self>,
        services: watch::Receiver<Services>,
        status: watch::Receiver<ConnectorStatus>,
    ) -> EdgeRunning {
        let stop = CancellationToken::new();
        let task = tokio::spawn(self.run(services, status, stop.clone()));
        EdgeRunning { stop, task }
    }

    async fn run(
        self: Arc<Self>,
        mut services: watch::Receiver<Services>,
        mut status: watch::Receiver<ConnectorStatus>,
        stop: CancellationToken,
    ) {
        let mut rules = self.rules.subscribe();
        let mut look = tokio::time::interval(LOOK);
        loop {
            let by = rules.borrow_and_update().clone();
            let with = services.borrow_and_update().clone();
            let front = match by.filter(|rules| serves(rules, &with)) {
                Some(rules) => self.begin(&rules, with).await,
                None => None,
            };
            let again = tokio::time::sleep(AGAIN);
            tokio::pin!(again);
            loop {
                tokio::select! {
                    () = stop.cancelled() => return self.end(front).await,
                    Ok(()) = rules.changed() => break,
                    Ok(()) = services.changed() => break,
                    Ok(()) = status.changed() => self.note(&status.borrow_and_update().clone()),
                    () = &mut again, if front.is_none() => break,
                    _ = look.tick() => self.look().await,
                }
            }
            self.end(front).await;
        }
    }

    async fn begin(self: &Arc<Self>, rules: &EdgeRules, services: Services) -> Option<EdgeFront> {
        let config = settings::front(&self.config, &self.directory, rules);
        let lent =
            Lent { lease: Some(self.lease.clone()), elsewhere: Arc::new(FromServer(self.clone())) };
        let policy = rules.policy.clone();
        match EdgeFront::start(config, self.store.clone(), services, policy, lent).await {
            Ok(front) => {
                tracing::info!(phones = %front.phones, "the edge serves phones");
                *lock(&self.front) = Some(front.front.clone());
                *lock(&self.listens) = Some(front.phones);
                Some(front)
            }
            Err(error) => {
                let error = EdgeError::from(error);
                tracing::error!(%error, "the edge cannot serve phones");
                None
            }
        }
    }

    async fn end(&self, front: Option<EdgeFront>) {
        *lock(&self.front) = None;
        *lock(&self.listens) = None;
        if let Some(front) = front {
            front.stop().await;
        }
    }

    /// How the link is. A connector that its server does not take serves no phones either.
    fn note(&self, status: &ConnectorStatus) {
        let linked = matches!(status, ConnectorStatus::Linked { .. });
        self.linked.store(linked, Ordering::Relaxed);
        if !linked {
            self.in_step.store(false, Ordering::Relaxed);
        }
        if let ConnectorStatus::Refused(refused) = status {
            tracing::warn!(%refused, "the server does not take this connector: its edge stops");
            self.lease.end();
        }
    }

    async fn look(&self) {
        let memory = self.memory.lock().await;
        match self.gather(&memory).await {
            Ok(true) => self.has_news(),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "what the server is to know cannot be gathered"),
        }
    }
}

/// Whether there is anything to serve phones with, by these rules.
fn serves(rules: &EdgeRules, services: &Services) -> bool {
    rules.lease_ms > 0
        && services.mailboxes.is_some()
        && rules.realms.iter().any(|realm| services.realms.contains(&realm.name))
}
