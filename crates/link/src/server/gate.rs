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
    /// The question whose mailbox it is. Counted apart: when a connector is lost, all its users ask
    /// it of the others at once, whose own users must not wait for that, nor these for them.
    Question,
}

/// The limits of one connector.
pub(super) struct Gate {
    calls: Places,
    fetches: Places,
    directory: Places,
    watches: Places,
    questions: Places,
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
    questions: Places,
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
            questions: Places::new(limits.questions.min(limits.parallel).max(1)),
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
            Work::Question => (&self.questions, self.limits.queued_questions),
        };
        let own = match (work, user) {
            (Work::Call | Work::Fetch | Work::Question, Some(user)) => {
                Some(self.own_place(work, user).await?)
            }
            _ => None,
        };
        // Calls and fetches share a queue.
        let waiting = || match work {
            Work::Call | Work::Fetch => self.queued(),
            Work::Directory | Work::Watch | Work::Question => places.waiting(),
        };
        let place = places.enter(queue, waiting).await?;
        Ok(Permit { _place: place, _own: own })
    }

    /// One of the user's own places.
    async fn own_place(&self, work: Work, user: &UserId) -> Result<OwnPlace, Exhausted> {
        let held = self.shares.hold(user, self.limits);
        let own = match work {
            Work::Fetch => &held.share.fetches,
            Work::Question => &held.share.questions,
            Work::Call | Work::Directory | Work::Watch => &held.share.calls,
        };
        let place = own.enter(self.limits.queued_per_user, || own.waiting()).await?;
        Ok(OwnPlace { _place: place, _held: held })
    }

    /// Its limits.
    pub(super) fn limits(&self) -> LinksConfig {
        self.limits
    }

    /// Whether it counts as exhausted, by the one rule there is.
    pub(super) fn is_exhausted(&self) -> bool {
        is_exhausted(&self.limits, self.calls.used(), self.queued())
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

/// The one place that says when a connector is exhausted (rule R6): as much waits as may, or, where
/// nothing may wait, as many calls run as may; whoever comes next is told to come again. Fetches
/// that run have places of their own and take none from calls.
fn is_exhausted(limits: &LinksConfig, calls: usize, queued: usize) -> bool {
    match limits.queued {
        0 => calls >= limits.parallel,
        most => queued >= most,
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
                // What is asked about one user is asked once at a time: it is the same question.
                questions: Places::new(1),
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
    fn exhausted_means_one_thing() {
        for (parallel, queued, calls, waiting, exhausted) in [
            (25, 250, 25, 249, false),
            (25, 250, 25, 250, true),
            // As many fetches wait as may: calls would find a place, fetches would not.
            (25, 250, 3, 250, true),
            (25, 1, 25, 0, false),
            (25, 0, 24, 0, false),
            (25, 0, 25, 0, true),
            // And twelve fetches: more than 25 in all, and still nobody is told to come again.
            (25, 0, 13, 0, false),
        ] {
            let limits = LinksConfig { parallel, queued, ..LinksConfig::default() };
            let said = is_exhausted(&limits, calls, waiting);
            assert_eq!(said, exhausted, "{calls} of {parallel} run, {waiting} of {queued} wait");
        }
    }

    #[test]
    fn fetches_that_run_do_not_exhaust_a_connector() {
        let gate = Gate::new(LinksConfig { queued: 0, ..LinksConfig::default() });
        let user = |number: usize| format!("user{}", number / 4);
        let _calls: Vec<_> =
            (0..13).map(|n| enter(&gate, Work::Call, &user(n)).unwrap().unwrap()).collect();
        let _fetches: Vec<_> =
            (0..12).map(|n| enter(&gate, Work::Fetch, &user(n)).unwrap().unwrap()).collect();
        assert_eq!((gate.outstanding(), gate.is_exhausted()), (25, false));
        assert!(matches!(enter(&gate, Work::Call, "ann"), Some(Ok(_))));
    }

    #[test]
    fn whose_mailbox_it_is_is_asked_beside_the_calls_in_the_order_of_asking_and_once_a_user() {
        let gate = Gate::new(LinksConfig { parallel: 2, queued: 0, ..LinksConfig::default() });
        let _calls: Vec<_> = ["bob", "eve"]
            .map(|user| enter(&gate, Work::Call, user).unwrap().unwrap())
            .into_iter()
            .collect();
        assert!(gate.is_exhausted());
        let mut running: Vec<_> = ["ann", "carl"]
            .map(|user| enter(&gate, Work::Question, user).unwrap().unwrap())
            .into_iter()
            .collect();
        let users = ["ann", "ann", "dora", "emil"].map(UserId::from);
        let mut waiting: Vec<_> =
            users.iter().map(|user| Box::pin(gate.enter(Work::Question, Some(user)))).collect();
        for one in &mut waiting {
            assert!(one.as_mut().now_or_never().is_none());
        }
        assert_eq!((gate.outstanding(), gate.queued()), (2, 0), "no load to anybody");
        running.remove(1);
        let first: Vec<_> = waiting.iter_mut().map(|one| one.as_mut().now_or_never()).collect();
        let found: Vec<bool> = first.iter().map(Option::is_some).collect();
        assert_eq!(found, [false, false, true, false], "Dora, for Ann has a place already");
        waiting.truncate(2);
        running.clear();
        let second: Vec<_> = waiting.iter_mut().map(|one| one.as_mut().now_or_never()).collect();
        let found: Vec<bool> = second.iter().map(Option::is_some).collect();
        assert_eq!(found, [true, false], "the same question once at a time");
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
