//! Which mailboxes are watched, and which phones wait for them (rule S7).
//!
//! One watch serves all of a user's waiting phones. It begins with the first phone that waits,
//! stays a while after the last (a phone that was told comes back within seconds), and is renewed
//! whenever the mail system or the link is lost; the phones stay parked meanwhile and look for
//! themselves when the watch stands again.

use crate::metrics::Metrics;
use dme_mailbox::{Account, Mailbox, WatchEvent};
use dme_model::{CollectionId, UserId};
use futures_util::StreamExt;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Opens the mailbox to be watched, by whatever route there is now.
#[async_trait::async_trait]
pub trait WatchOpener: Send + Sync {
    /// A handle without a deadline of its own.
    async fn open(&self, account: &Account) -> dme_mailbox::Result<Arc<dyn Mailbox>>;
}

/// How watches behave.
#[derive(Clone, Copy, Debug)]
pub struct WatchTimes {
    /// How long a watch stays after its last phone left.
    pub linger: Duration,
    /// The first pause before a lost watch is renewed; it doubles up to `longest_pause`.
    pub first_pause: Duration,
    /// The longest such pause.
    pub longest_pause: Duration,
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
}

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
    collections: BTreeSet<CollectionId>,
}

/// A phone's place at a watch. Dropping it gives the place up.
pub struct Seat {
    watch: Arc<Watch>,
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
        Arc::new(Self { opener, times, metrics, users: Mutex::default() })
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
        let watch = self.watch(account, collections);
        let receiver = watch.told.subscribe();
        let mut stands = watch.stands.subscribe();
        let _ = tokio::time::timeout(patience, stands.wait_for(|stands| *stands)).await;
        let from = receiver.borrow().tick;
        drop(stands);
        Seat { watch, receiver, from }
    }

    fn watch(self: &Arc<Self>, account: &Account, collections: &[CollectionId]) -> Arc<Watch> {
        let mut users = lock(&self.users);
        if let Some(watch) = users.get(&account.user).and_then(Weak::upgrade) {
            let mut wanted = lock(&watch.wanted);
            // The newest credentials serve the next renewal.
            wanted.account = account.clone();
            let before = wanted.collections.len();
            wanted.collections.extend(collections.iter().cloned());
            if wanted.collections.len() != before {
                watch.stands.send_replace(false);
                watch.changed.notify_one();
            }
            drop(wanted);
            return watch;
        }
        let watch = Arc::new(Watch {
            wanted: Mutex::new(Wanted {
                account: account.clone(),
                collections: collections.iter().cloned().collect(),
            }),
            changed: Notify::new(),
            told: watch::Sender::new(Told::default()),
            stands: watch::Sender::new(false),
        });
        users.insert(account.user.clone(), Arc::downgrade(&watch));
        tokio::spawn(Self::keep(self.clone(), account.user.clone(), watch.clone()));
        watch
    }

    /// Ends a user's watch: access was withdrawn. Parked phones are ended by their own means.
    pub fn end(&self, user: &UserId) {
        if let Some(watch) = lock(&self.users).remove(user).and_then(|watch| watch.upgrade()) {
            lock(&watch.wanted).collections.clear();
            watch.changed.notify_one();
        }
    }

    /// Holds one watch up until nobody has sat at it for a while.
    async fn keep(self: Arc<Self>, user: UserId, watch: Arc<Watch>) {
        let _counted = self.metrics.watch();
        let mut pause = self.times.first_pause;
        loop {
            let (account, collections) = {
                let wanted = lock(&watch.wanted);
                (wanted.account.clone(), wanted.collections.iter().cloned().collect::<Vec<_>>())
            };
            if collections.is_empty() {
                return;
            }
            let ended = tokio::select! {
                ended = self.follow(&watch, &account, &collections) => Some(ended),
                () = watch.changed.notified() => None,
                () = self.deserted(&watch) => {
                    if self.strike_off(&user, &watch) { return } else { None }
                }
            };
            watch.stands.send_replace(false);
            let Some(ended) = ended else { continue };
            match ended {
                Ok(()) => pause = self.times.first_pause,
                Err((stood, error)) => {
                    if stood {
                        pause = self.times.first_pause;
                    }
                    tracing::info!(%user, %error, ?pause, "watch lost; it is renewed");
                    self.metrics.mailbox_error(error.name());
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = watch.changed.notified() => {}
                () = self.deserted(&watch) => {
                    if self.strike_off(&user, &watch) { return }
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

    /// Passes on what one watch tells, until it ends. The error says whether it ever stood.
    async fn follow(
        &self,
        watch: &Watch,
        account: &Account,
        collections: &[CollectionId],
    ) -> Result<(), (bool, dme_mailbox::Error)> {
        let mailbox = self.opener.open(account).await.map_err(|error| (false, error))?;
        let mut events = mailbox.watch(collections).await.map_err(|error| (false, error))?;
        let mut stood = false;
        while let Some(event) = events.next().await {
            let event = event.map_err(|error| (stood, error))?;
            watch.told.send_modify(|told| {
                told.tick += 1;
                match &event {
                    WatchEvent::Ready => told.all = told.tick,
                    WatchEvent::Hierarchy => told.hierarchy = told.tick,
                    WatchEvent::Changed(id) => {
                        told.collections.insert(id.clone(), told.tick);
                    }
                }
            });
            if event == WatchEvent::Ready {
                stood = true;
                watch.stands.send_replace(true);
            }
        }
        Ok(())
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
            if self.receiver.changed().await.is_err() {
                // The watch itself was ended; nothing will be told any more.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Whether the watch stands at this moment.
    pub fn stands(&self) -> bool {
        *self.watch.stands.borrow()
    }
}
