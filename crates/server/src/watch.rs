//! Which mailboxes are watched, and which phones wait for them (rule S7).
//!
//! One watch serves all of a user's waiting phones. It begins with the first phone that waits,
//! stays a while after the last (a phone that was told comes back within seconds), and is renewed
//! whenever the mail system or the link is lost; the phones stay parked meanwhile and look for
//! themselves when the watch stands again.

mod routes;

pub use routes::{RoutedWatches, reroute};

use crate::jitter;
use crate::metrics::Metrics;
use dme_mailbox::{Account, Error, ErrorKind, Mailbox, WatchEvent};
use dme_model::{CollectionId, ConnectorId, UserId};
use futures_util::{StreamExt, stream};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// So much longer a lost watch may wait for each other one that waits to be renewed: when a
/// connector is lost, all its watches are, and another one has to take them.
const SPREAD: Duration = Duration::from_micros(500);
/// So many users' routes are looked at in parallel when watches are rerouted.
const REROUTED_AT_ONCE: u32 = 16;

/// Opens the mailbox to be watched, by whatever route there is now.
#[async_trait::async_trait]
pub trait WatchOpener: Send + Sync {
    /// A handle without a deadline of its own.
    async fn open(&self, account: &Account) -> dme_mailbox::Result<Arc<dyn Mailbox>>;

    /// The connectors by which it would be opened now; none where it could not be.
    async fn way(&self, _: &Account) -> Option<Vec<ConnectorId>> {
        None
    }

    /// The name of the connector that serves the user, for what is counted.
    fn serving(&self, _: &UserId) -> String {
        String::new()
    }
}

/// How watches behave.
#[derive(Clone, Copy, Debug)]
pub struct WatchTimes {
    /// How long a watch stays after its last phone left.
    pub linger: Duration,
    /// The first pause before a lost watch is renewed, or somewhat less; it doubles up to
    /// `longest_pause`. Where many are lost at once it is longer.
    pub first_pause: Duration,
    /// The longest such pause.
    pub longest_pause: Duration,
    /// How long a watch may take to stand before it is begun anew.
    pub stand: Duration,
}

/// What has been told of a mailbox so far; only ever grows.
#[derive(Clone, Debug, Default)]
struct Told {
    /// Counts every event.
    tick: u64,
    /// The tick at which all must be looked at again: the watch was interrupted, or began.
    all: u64,
    /// The tick of the last change of the list of collections.
    hierarchy: u64,
    /// The tick of the last change of each collection.
    collections: HashMap<CollectionId, u64>,
}

/// All watches of this server.
pub struct Watches {
    opener: Arc<dyn WatchOpener>,
    times: WatchTimes,
    metrics: Arc<Metrics>,
    users: Mutex<HashMap<UserId, Weak<Watch>>>,
    /// How many wait to be renewed.
    lost: AtomicU32,
}

/// One more that waits to be renewed.
struct Lost<'a>(&'a AtomicU32);

struct Watch {
    wanted: Mutex<Wanted>,
    /// Rouses the task when `wanted` changed.
    changed: Notify,
    told: watch::Sender<Told>,
    /// Whether the watch stands now.
    stands: watch::Sender<bool>,
}

struct Wanted {
    account: Account,
    /// By which connectors the watch that stands was opened.
    way: Option<Vec<ConnectorId>>,
    /// Whether there was anybody to open it when that was last looked at.
    served: bool,
    /// How many seats ask for each. One nobody asks for any more goes at the next renewal: it may
    /// have been deleted, and a watch that names it would fail for ever.
    collections: BTreeMap<CollectionId, usize>,
    /// Access was withdrawn.
    ended: bool,
}

impl Wanted {
    /// What the watch is to be told of from now on. While nobody sits, as before: a phone that was
    /// told comes back for the same.
    fn renew(&mut self) -> Vec<CollectionId> {
        if self.collections.values().any(|seats| *seats > 0) {
            self.collections.retain(|_, seats| *seats > 0);
        }
        self.collections.keys().cloned().collect()
    }
}

/// A phone's place at a watch. Dropping it gives the place up.
pub struct Seat {
    watch: Arc<Watch>,
    collections: Vec<CollectionId>,
    receiver: watch::Receiver<Told>,
    from: u64,
}

/// Why a parked phone is roused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Roused {
    /// These collections may have changed.
    Collections(Vec<CollectionId>),
    /// The list of collections has changed.
    Hierarchy,
    /// The watch was interrupted: anything may have changed.
    Anything,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watches {
    /// No watches yet.
    pub fn new(
        opener: Arc<dyn WatchOpener>,
        times: WatchTimes,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let (users, lost) = (Mutex::default(), AtomicU32::new(0));
        Arc::new(Self { opener, times, metrics, users, lost })
    }

    /// Takes a place at the user's watch for these collections. Whatever is told from this moment
    /// on rouses the place, so look for changes after taking it, not before. Waits until the
    /// watch stands, but no longer than `patience`: the renewal then goes on without the caller.
    pub async fn sit(
        self: &Arc<Self>,
        account: &Account,
        collections: &[CollectionId],
        patience: Duration,
    ) -> Seat {
        let mut seat = self.seat(account, collections);
        let mut stands = seat.watch.stands.subscribe();
        let _ = tokio::time::timeout(patience, stands.wait_for(|stands| *stands)).await;
        seat.from = seat.receiver.borrow().tick;
        seat
    }

    fn seat(self: &Arc<Self>, account: &Account, collections: &[CollectionId]) -> Seat {
        let mut users = lock(&self.users);
        let known = users.get(&account.user).and_then(Weak::upgrade);
        let begun = known.is_some();
        let watch = match known {
            Some(watch) => watch,
            None => {
                let watch = Arc::new(Watch {
                    wanted: Mutex::new(Wanted {
                        account: account.clone(),
                        way: None,
                        served: true,
                        collections: BTreeMap::new(),
                        ended: false,
                    }),
                    changed: Notify::new(),
                    told: watch::Sender::new(Told::default()),
                    stands: watch::Sender::new(false),
                });
                users.insert(account.user.clone(), Arc::downgrade(&watch));
                tokio::spawn(Self::keep(self.clone(), account.user.clone(), watch.clone()));
                watch
            }
        };
        let mut wanted = lock(&watch.wanted);
        // The newest credentials serve the next renewal.
        wanted.account = account.clone();
        let before = wanted.collections.len();
        for collection in collections {
            *wanted.collections.entry(collection.clone()).or_default() += 1;
        }
        if begun && wanted.collections.len() != before {
            watch.stands.send_replace(false);
            watch.changed.notify_one();
        }
        drop(wanted);
        let receiver = watch.told.subscribe();
        Seat { watch, collections: collections.to_vec(), receiver, from: 0 }
    }

    /// Renews the watches that would be opened by other connectors now, such as those of one that
    /// drains, and those that nobody could open and somebody can again. The phones stay parked.
    pub async fn reroute(&self) {
        let all: Vec<Arc<Watch>> = lock(&self.users).values().filter_map(Weak::upgrade).collect();
        let rerouted = stream::iter(all).map(|watch| async move {
            let account = lock(&watch.wanted).account.clone();
            let way = self.opener.way(&account).await;
            if watch.is_to_be_renewed(way) {
                watch.changed.notify_one();
                // Not all at once, for those who take them.
                tokio::time::sleep(SPREAD * REROUTED_AT_ONCE).await;
            }
        });
        rerouted.buffer_unordered(REROUTED_AT_ONCE as usize).collect::<()>().await;
    }

    /// Ends a user's watch: access was withdrawn. Parked phones are ended by their own means.
    pub fn end(&self, user: &UserId) {
        if let Some(watch) = lock(&self.users).remove(user).and_then(|watch| watch.upgrade()) {
            watch.end();
        }
    }

    /// Ends every watch: the server goes down.
    pub fn end_all(&self) {
        for watch in lock(&self.users).drain().filter_map(|(_, watch)| watch.upgrade()) {
            watch.end();
        }
    }

    /// Holds one watch up until nobody has sat at it for a while.
    async fn keep(self: Arc<Self>, user: UserId, watch: Arc<Watch>) {
        let _counted = self.metrics.watch();
        let mut pause = self.times.first_pause;
        // It outlasts the renewals: else a watch that fails more often than it may linger would
        // never be given up.
        let mut deserted = std::pin::pin!(self.deserted(&watch));
        loop {
            let (account, collections) = {
                let mut wanted = lock(&watch.wanted);
                if wanted.ended {
                    return;
                }
                (wanted.account.clone(), wanted.renew())
            };
            let mut stood = None;
            let lost = tokio::select! {
                lost = self.follow(&watch, &account, &collections, &mut stood) => Some(lost),
                () = watch.changed.notified() => None,
                () = &mut deserted => {
                    if self.strike_off(&user, &watch) { return }
                    deserted.set(self.deserted(&watch));
                    None
                }
            };
            watch.stands.send_replace(false);
            let Some(lost) = lost else { continue };
            // One that fell as soon as it stood is no better than one that never did.
            if stood.is_some_and(|since: Instant| since.elapsed() >= self.times.longest_pause) {
                pause = self.times.first_pause;
            }
            tracing::info!(%user, error = %lost, ?pause, "watch lost; it is renewed");
            self.metrics.mailbox_error(&self.opener.serving(&user), lost.name());
            let (others, _lost) = Lost::one_more(&self.lost);
            let wait = jitter::about(pause) + SPREAD * others;
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = watch.changed.notified() => {}
                () = &mut deserted => {
                    if self.strike_off(&user, &watch) { return }
                    deserted.set(self.deserted(&watch));
                }
            }
            pause = (pause * 2).min(self.times.longest_pause);
        }
    }

    /// Ends when no phone has sat at the watch for the time it lingers.
    async fn deserted(&self, watch: &Watch) {
        loop {
            watch.told.closed().await;
            tokio::time::sleep(self.times.linger).await;
            if watch.told.is_closed() {
                return;
            }
        }
    }

    /// Takes a deserted watch off the list; false when a phone has just come to it.
    fn strike_off(&self, user: &UserId, watch: &Arc<Watch>) -> bool {
        let mut users = lock(&self.users);
        // A phone takes its place under this lock, so that this look is the last.
        if Arc::strong_count(watch) > 1 {
            return false;
        }
        if users.get(user).is_some_and(|known| known.ptr_eq(&Arc::downgrade(watch))) {
            users.remove(user);
        }
        true
    }

    /// Passes on what one watch tells, until it is lost, and says why. Notes when it first stood.
    async fn follow(
        &self,
        watch: &Watch,
        account: &Account,
        collections: &[CollectionId],
        stood: &mut Option<Instant>,
    ) -> Error {
        let begin = async {
            let mailbox = self.opener.open(account).await?;
            lock(&watch.wanted).way = self.opener.way(account).await;
            let mut events = mailbox.watch(collections).await?;
            let first = events.next().await;
            Ok((events, first))
        };
        // A watch that stands waits for ever; one that never comes to stand is begun anew.
        let begun = tokio::time::timeout(self.times.stand, begin).await.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Timeout, "the watch did not come to stand in time"))
        });
        let (mut events, mut next) = match begun {
            Ok(begun) => begun,
            Err(error) => return error,
        };
        loop {
            match next {
                Some(Ok(event)) => {
                    watch.tell(&event, collections);
                    if event == WatchEvent::Ready {
                        stood.get_or_insert_with(Instant::now);
                        watch.stands.send_replace(true);
                    }
                }
                Some(Err(error)) => return error,
                None => return Error::new(ErrorKind::Protocol, "the watch ended without a reason"),
            }
            next = events.next().await;
        }
    }
}

impl<'a> Lost<'a> {
    /// With how many others wait.
    fn one_more(all: &'a AtomicU32) -> (u32, Self) {
        (all.fetch_add(1, Ordering::Relaxed), Self(all))
    }
}

impl Drop for Lost<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Watch {
    fn tell(&self, event: &WatchEvent, collections: &[CollectionId]) {
        // Only what was asked for is remembered, so that the memory has an end.
        if matches!(event, WatchEvent::Changed(id) if !collections.contains(id)) {
            return;
        }
        self.told.send_modify(|told| {
            told.tick += 1;
            match event {
                WatchEvent::Ready => {
                    told.all = told.tick;
                    told.collections.clear();
                }
                WatchEvent::Hierarchy => told.hierarchy = told.tick,
                WatchEvent::Changed(id) => {
                    told.collections.insert(id.clone(), told.tick);
                }
            }
        });
    }

    /// Whether it is to be begun anew at once, where it would be opened by these connectors now.
    fn is_to_be_renewed(&self, way: Option<Vec<ConnectorId>>) -> bool {
        let mut wanted = lock(&self.wanted);
        let was_served = std::mem::replace(&mut wanted.served, way.is_some());
        let Some(now) = way else { return false };
        if wanted.way.as_ref().is_some_and(|was| *was != now) {
            wanted.way = None;
            return true;
        }
        !was_served && !*self.stands.borrow()
    }

    fn end(&self) {
        lock(&self.wanted).ended = true;
        self.changed.notify_one();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut wanted = lock(&self.watch.wanted);
        for collection in &self.collections {
            if let Some(seats) = wanted.collections.get_mut(collection) {
                *seats = seats.saturating_sub(1);
            }
        }
    }
}

impl Seat {
    /// Waits until something is told of these collections since the last look.
    pub async fn roused(&mut self, collections: &[CollectionId]) -> Roused {
        loop {
            {
                let told = self.receiver.borrow_and_update();
                let from = std::mem::replace(&mut self.from, told.tick);
                if told.all > from {
                    return Roused::Anything;
                }
                if told.hierarchy > from {
                    return Roused::Hierarchy;
                }
                let changed: Vec<CollectionId> = collections
                    .iter()
                    .filter(|id| told.collections.get(*id).is_some_and(|tick| *tick > from))
                    .cloned()
                    .collect();
                if !changed.is_empty() {
                    return Roused::Collections(changed);
                }
            }
            // The sender lives in the watch this seat holds: it does not go before the seat.
            let _ = self.receiver.changed().await;
        }
    }

    /// Whether the watch stands at this moment.
    pub fn stands(&self) -> bool {
        *self.watch.stands.borrow()
    }
}

#[cfg(test)]
mod tests;
