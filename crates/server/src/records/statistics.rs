//! What is counted of requests, by hour, user, device, connector and command. Counted in memory,
//! and written every minute: of a request nothing is written at once.

use crate::front::Clock;
use dme_link::{LinkState, Links};
use dme_model::{ConnectorId, Timestamp};
use dme_store::{By, CountFilter, CountLine, Counted, Counts, Store};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often what was counted is written.
const FLUSH: Duration = Duration::from_secs(60);
/// So many are told apart between two writings; what is beyond is counted of nobody.
const TOLD_APART: usize = 100_000;
/// So many are written in one transaction: others write between.
const WRITTEN: usize = 500;
/// As what the bytes of links are counted.
pub const LINK: &str = "link";
/// Lines of an answer at the most.
pub const LARGEST_ANSWER: u32 = 100_000;

/// One request that was served.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    /// Whose; empty where nobody logged in.
    pub user: String,
    /// Which device's.
    pub device: String,
    /// The connector that serves the user's mail.
    pub connector: String,
    /// The command.
    pub command: &'static str,
    /// Whether it failed.
    pub failed: bool,
    /// Bytes of its body.
    pub received: u64,
    /// Bytes of its answer.
    pub sent: u64,
    /// Items that went or came.
    pub items: u64,
    /// How long it took; none where it waited.
    pub took: Option<Duration>,
}

/// The counts.
pub struct Statistics {
    store: Store,
    clock: Clock,
    counted: Mutex<HashMap<Counted, Counts>>,
    /// What each link had carried when it was last looked at.
    carried: Mutex<BTreeMap<ConnectorId, (u64, u64)>>,
}

impl Statistics {
    /// Counts for this store.
    pub(crate) fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, counted: Mutex::default(), carried: Mutex::default() }
    }

    /// Counts a request.
    pub fn count(&self, request: Request) {
        let of = Counted {
            start: Counted::hour_of((self.clock)()),
            user: request.user,
            device: request.device,
            connector: request.connector,
            command: request.command.to_owned(),
        };
        let mut counts = Counts {
            requests: 1,
            errors: request.failed.into(),
            received: request.received,
            sent: request.sent,
            items: request.items,
            ..Counts::default()
        };
        if let Some(took) = request.took {
            counts.took(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
        self.add(of, &counts);
    }

    fn add(&self, of: Counted, counts: &Counts) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let of = if counted.len() < TOLD_APART || counted.contains_key(&of) {
            of
        } else {
            Counted { user: String::new(), device: String::new(), ..of }
        };
        counted.entry(of).or_default().add(counts);
    }

    /// Counts what the links carried since it was last done. Seen from the server.
    fn count_links(&self, links: &[LinkState], now: Timestamp) {
        let mut carried = self.carried.lock().unwrap_or_else(PoisonError::into_inner);
        for link in links.iter().filter(|link| link.peer.is_some()) {
            let (calls, bulk) = (link.traffic.calls, link.traffic.bulk);
            let now_carried = (calls.received + bulk.received, calls.sent + bulk.sent);
            // What was carried before this server began is not of now.
            let before = carried.insert(link.id.clone(), now_carried).unwrap_or_default();
            let received = now_carried.0.saturating_sub(before.0);
            let sent = now_carried.1.saturating_sub(before.1);
            if received + sent == 0 {
                continue;
            }
            let of = Counted {
                start: Counted::hour_of(now),
                connector: link.name.clone(),
                command: LINK.to_owned(),
                ..Counted::default()
            };
            // Nobody asked for anything by that.
            self.add(of, &Counts { received, sent, ..Counts::default() });
        }
    }

    /// Writes what was counted every minute, and once more when the server stops.
    pub(crate) async fn keep(&self, links: &Links, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(FLUSH) => {}
                () = stop.cancelled() => {}
            }
            self.count_links(&links.connectors(), (self.clock)());
            self.flush().await;
            if stop.is_cancelled() {
                return;
            }
        }
    }

    /// Writes what was counted. What cannot be written now is kept for the next time.
    pub async fn flush(&self) {
        let counted = {
            let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *counted)
        };
        if counted.is_empty() {
            return;
        }
        let all: Vec<_> = counted.into_iter().collect();
        for some in all.chunks(WRITTEN) {
            if let Err(error) = self.store.add_counts(some.to_vec()).await {
                tracing::error!(%error, "what was counted could not be written");
                some.iter().for_each(|(of, counts)| self.add(of.clone(), counts));
            }
        }
    }

    /// What was counted of phones' requests, up to a minute ago, told apart by these. What crossed
    /// connectors' links is no phone's, and is told where the filter asks for the command [`LINK`]
    /// alone.
    ///
    /// # Errors
    /// The database's.
    pub async fn counts(
        &self,
        filter: &CountFilter,
        by: &BTreeSet<By>,
    ) -> dme_store::Result<Vec<CountLine>> {
        let without = filter.command.is_none().then_some(LINK);
        self.store.counts_but(filter, without, by, LARGEST_ANSWER).await
    }
}
