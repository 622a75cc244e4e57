//! How much a connector is asked to do at once (rule R6), and how much of it for one user: whose
//! mailbox hangs must not take the connector from all others.

use super::links::LinksConfig;
use dme_model::UserId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a call counts as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Work {
    /// Answered at once.
    Call,
    /// Lasts as long as its caller takes to read. Counted apart from calls: whoever is reading
    /// may need a call in between, and must get it.
    Fetch,
    /// Lasts for hours and does nothing but wait.
    Watch,
    /// A question to the directory. Counted apart: logins must not wait for mailboxes.
    Directory,
}

/// The limits of one connector.
pub(super) struct Gate {
    calls: Places,
    fetches: Places,
    directory: Places,
    watches: Places,
    /// The shares of the users who have something running or waiting.
    shares: Arc<Shares>,
    limits: LinksConfig,
}

/// Room for some work, and how much of it waits.
struct Places {
    free: Arc<Semaphore>,
    all: usize,
    waiting: AtomicUsize,
}

/// The connector has more to do than it may, or more for this user.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

/// A place among the running, given up when dropped.
pub(super) struct Permit {
    _place: OwnedSemaphorePermit,
    _own: Option<OwnPlace>,
}

#[derive(Default)]
struct Shares(Mutex<HashMap<UserId, Arc<Share>>>);

/// What one user may have running.
struct Share {
    calls: Places,
    fetches: Places,
}

/// A user's share in use; the last one out forgets it.
struct Held {
    shares: Arc<Shares>,
    user: UserId,
    share: Arc<Share>,
}

struct OwnPlace {
    // In this order: the place is given back before the share is looked at.
    _place: OwnedSemaphorePermit,
    _held: Held,
}

impl Gate {
    pub(super) fn new(limits: LinksConfig) -> Self {
        Self {
            calls: Places::new(limits.parallel),
            fetches: Places::new(limits.parallel_fetches),
            directory: Places::new(limits.directory),
            watches: Places::new(limits.watches),
            shares: Arc::default(),
            limits,
        }
    }

    /// Waits for a place, if the queue is not full. Work for a user waits for one of the user's
    /// own places first, and is not in the others' queue meanwhile.
    pub(super) async fn enter(
        &self,
        work: Work,
        user: Option<&UserId>,
    ) -> Result<Permit, Exhausted> {
        let (places, queue) = match work {
            Work::Call => (&self.calls, self.limits.queued),
            Work::Fetch => (&self.fetches, self.limits.queued),
            Work::Directory => (&self.directory, self.limits.queued),
            Work::Watch => (&self.watches, 0),
        };
        let own = match (work, user) {
            (Work::Call | Work::Fetch, Some(user)) => {
                let held = self.shares.hold(user, self.limits);
                let (call, own_queue) = (work == Work::Call, self.limits.queued_per_user);
                let own = if call { &held.share.calls } else { &held.share.fetches };
                let place = own.enter(own_queue, || own.waiting()).await?;
                Some(OwnPlace { _place: place, _held: held })
            }
            _ => None,
        };
        // Calls and fetches share a queue.
        let waiting = || match work {
            Work::Call | Work::Fetch => self.queued(),
            Work::Directory | Work::Watch => places.waiting(),
        };
        let place = places.enter(queue, waiting).await?;
        Ok(Permit { _place: place, _own: own })
    }

    /// Its limits.
    pub(super) fn limits(&self) -> LinksConfig {
        self.limits
    }

    /// As much waits as may, or runs where nothing may wait: whoever comes next is told to come
    /// again.
    pub(super) fn is_exhausted(&self) -> bool {
        let running = self.calls.free.available_permits() == 0;
        self.queued() >= self.limits.queued && (self.limits.queued > 0 || running)
    }

    /// Calls and fetches that run.
    pub(super) fn outstanding(&self) -> usize {
        self.calls.used().saturating_add(self.fetches.used())
    }

    /// Calls and fetches that wait for a place. Those that wait for another of the same user are
    /// not counted: they are nobody else's load.
    pub(super) fn queued(&self) -> usize {
        self.calls.waiting().saturating_add(self.fetches.waiting())
    }

    /// Watches that stand.
    pub(super) fn watches(&self) -> usize {
        self.watches.used()
    }
}

impl Places {
    fn new(all: usize) -> Self {
        let all = all.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(all)), all, waiting: AtomicUsize::new(0) }
    }

    fn used(&self) -> usize {
        self.all.saturating_sub(self.free.available_permits())
    }

    fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    async fn enter(
        &self,
        queue: usize,
        waiting: impl Fn() -> usize,
    ) -> Result<OwnedSemaphorePermit, Exhausted> {
        if let Ok(permit) = self.free.clone().try_acquire_owned() {
            return Ok(permit);
        }
        if waiting() >= queue {
            return Err(Exhausted);
        }
        let _waiting = Waiting::enter(&self.waiting);
        self.free.clone().acquire_owned().await.map_err(|_| Exhausted)
    }
}

impl Shares {
    fn hold(self: &Arc<Self>, user: &UserId, limits: LinksConfig) -> Held {
        let mut shares = self.lock();
        let share = shares.entry(user.clone()).or_insert_with(|| {
            // Never more than half, lest a small connector be one user's alone.
            let part = |all: usize| limits.per_user.min(all / 2).max(1);
            Arc::new(Share {
                calls: Places::new(part(limits.parallel)),
                fetches: Places::new(part(limits.parallel_fetches)),
            })
        });
        Held { shares: self.clone(), user: user.clone(), share: share.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Arc<Share>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut shares = self.shares.lock();
        // The map's and this one: nobody else has it, and under the lock nobody gets it.
        if Arc::strong_count(&self.share) <= 2 {
            shares.remove(&self.user);
        }
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn gate() -> Gate {
        Gate::new(LinksConfig {
            parallel: 1,
            parallel_fetches: 1,
            queued: 1,
            watches: 1,
            directory: 1,
            ..LinksConfig::default()
        })
    }

    /// The place, where one is free.
    fn enter(gate: &Gate, work: Work, user: &str) -> Option<Result<Permit, Exhausted>> {
        gate.enter(work, Some(&UserId::from(user))).now_or_never()
    }

    #[test]
    fn beyond_the_queue_the_connector_is_exhausted() {
        let gate = gate();
        let running = gate.enter(Work::Call, None).now_or_never().unwrap().unwrap();
        let mut queued = Box::pin(gate.enter(Work::Call, None));
        assert!(queued.as_mut().now_or_never().is_none());
        assert_eq!((gate.outstanding(), gate.queued()), (1, 1));
        assert!(matches!(enter(&gate, Work::Call, "ann"), Some(Err(Exhausted))));
        drop(running);
        assert!(matches!(queued.now_or_never(), Some(Ok(_))));
        assert_eq!((gate.outstanding(), gate.queued()), (0, 0));
    }

    #[test]
    fn where_nothing_may_wait_it_is_exhausted_when_all_places_are_taken() {
        let gate = Gate::new(LinksConfig { parallel: 1, queued: 0, ..LinksConfig::default() });
        assert!(!gate.is_exhausted());
        let _running = enter(&gate, Work::Call, "ann").unwrap().unwrap();
        assert!(gate.is_exhausted());
        assert!(matches!(enter(&gate, Work::Call, "bob"), Some(Err(Exhausted))));
    }

    #[test]
    fn whoever_reads_a_fetch_gets_a_call_in_between() {
        let gate = gate();
        let _reading = enter(&gate, Work::Fetch, "ann").unwrap().unwrap();
        assert!(matches!(enter(&gate, Work::Call, "ann"), Some(Ok(_))));
    }

    #[test]
    fn watches_are_not_work_and_do_not_queue() {
        let gate = gate();
        let _watch = enter(&gate, Work::Watch, "ann").unwrap().unwrap();
        assert_eq!((gate.outstanding(), gate.watches()), (0, 1));
        assert!(matches!(enter(&gate, Work::Watch, "ann"), Some(Err(Exhausted))));
    }

    #[test]
    fn one_user_leaves_room_for_the_others_and_does_not_fill_their_queue() {
        let gate = Gate::new(LinksConfig {
            parallel: 4,
            per_user: 2,
            queued: 1,
            queued_per_user: 3,
            ..LinksConfig::default()
        });
        let anns: Vec<_> =
            (0..2).map(|_| enter(&gate, Work::Call, "ann").unwrap().unwrap()).collect();
        let ann = UserId::from("ann");
        let mut waiting: Vec<_> =
            (0..3).map(|_| Box::pin(gate.enter(Work::Call, Some(&ann)))).collect();
        for own in &mut waiting {
            assert!(own.as_mut().now_or_never().is_none(), "waits for one of her own");
        }
        assert!(
            matches!(enter(&gate, Work::Call, "ann"), Some(Err(Exhausted))),
            "her queue is full"
        );
        assert_eq!((gate.outstanding(), gate.queued()), (2, 0), "of which others see nothing");
        let bobs: Vec<_> =
            (0..2).map(|_| enter(&gate, Work::Call, "bob").unwrap().unwrap()).collect();
        assert_eq!(gate.outstanding(), 4);
        drop((anns, bobs, waiting));
        assert!(gate.shares.lock().is_empty(), "nothing is kept of those who are done");
    }

    #[test]
    fn half_of_a_small_connector_is_the_most_one_user_gets() {
        let gate = Gate::new(LinksConfig { parallel: 4, per_user: 8, ..LinksConfig::default() });
        let _anns: Vec<_> =
            (0..2).map(|_| enter(&gate, Work::Call, "ann").unwrap().unwrap()).collect();
        assert!(enter(&gate, Work::Call, "ann").is_none());
        assert!(matches!(enter(&gate, Work::Call, "bob"), Some(Ok(_))));
    }

    #[test]
    fn logins_do_not_wait_for_mailboxes() {
        let gate = gate();
        let _busy = enter(&gate, Work::Call, "ann").unwrap().unwrap();
        assert!(matches!(gate.enter(Work::Directory, None).now_or_never(), Some(Ok(_))));
    }
}
