//! Watches stand at the connectors that their users' routes lead to, and follow them.

use super::{WatchOpener, Watches};
use crate::front::Clock;
use crate::router::Router;
use async_trait::async_trait;
use dme_mailbox::{Account, Mailbox};
use dme_model::{ConnectorId, RequestId, UserId};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often it is looked whether watches should stand elsewhere, though nothing changed.
const REROUTE_EVERY: Duration = Duration::from_secs(5);
/// What changes within this time is looked at once.
const REROUTE_PAUSE: Duration = Duration::from_millis(500);
/// A watch lives until it is dropped; this is longer than any server runs.
const WATCH_LIMIT: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Opens mailboxes to watch by the routes there are now.
pub struct RoutedWatches {
    router: Arc<Router>,
    clock: Clock,
}

impl RoutedWatches {
    /// By this router.
    pub fn new(router: Arc<Router>, clock: Clock) -> Self {
        Self { router, clock }
    }
}

fn request(account: &Account) -> RequestId {
    RequestId::from(format!("watch-{}", account.user))
}

#[async_trait]
impl WatchOpener for RoutedWatches {
    async fn open(&self, account: &Account) -> dme_mailbox::Result<Arc<dyn Mailbox>> {
        let now = (self.clock)();
        self.router.open_for(account, &request(account), now, WATCH_LIMIT).await
    }

    async fn way(&self, account: &Account) -> Option<Vec<ConnectorId>> {
        let now = (self.clock)();
        self.router.serving_now(account, &request(account), now).await.ok()
    }

    fn serving(&self, user: &UserId) -> String {
        self.router.serving(user)
    }
}

/// Has watches follow their users' routes. What changes at once is looked at once; and now and
/// then all, for those whose turn has come to go back to a connector that is there again.
pub async fn reroute(watches: Arc<Watches>, mut versions: watch::Receiver<u64>) {
    loop {
        let _ = tokio::time::timeout(REROUTE_EVERY, versions.changed()).await;
        tokio::time::sleep(REROUTE_PAUSE).await;
        versions.mark_unchanged();
        watches.reroute().await;
    }
}
