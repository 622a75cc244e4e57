//! How much a connector is asked to do at once (rule R6).

use super::links::LinksConfig;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
}

/// The limits of one connector.
pub(super) struct Gate {
    calls: Arc<Semaphore>,
    fetches: Arc<Semaphore>,
    watches: Arc<Semaphore>,
    waiting: AtomicUsize,
    limits: LinksConfig,
}

/// The connector has more to do than it may.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

/// A place among the running, given up when dropped.
pub(super) type Permit = OwnedSemaphorePermit;

impl Gate {
    pub(super) fn new(limits: LinksConfig) -> Self {
        let semaphore = |limit: usize| Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)));
        Self {
            calls: semaphore(limits.parallel),
            fetches: semaphore(limits.parallel_fetches),
            watches: semaphore(limits.watches),
            waiting: AtomicUsize::new(0),
            limits,
        }
    }

    /// Waits for a place, if the queue is not full.
    pub(super) async fn enter(&self, work: Work) -> Result<Permit, Exhausted> {
        let semaphore = match work {
            Work::Call => &self.calls,
            Work::Fetch => &self.fetches,
            Work::Watch => &self.watches,
        };
        if let Ok(permit) = semaphore.clone().try_acquire_owned() {
            return Ok(permit);
        }
        if work == Work::Watch || self.waiting.load(Ordering::Relaxed) >= self.limits.queued {
            return Err(Exhausted);
        }
        let _waiting = Waiting::enter(&self.waiting);
        semaphore.clone().acquire_owned().await.map_err(|_| Exhausted)
    }

    /// Calls and fetches that run.
    pub(super) fn outstanding(&self) -> usize {
        let used = |limit: usize, free: usize| limit.saturating_sub(free);
        used(self.limits.parallel, self.calls.available_permits())
            .saturating_add(used(self.limits.parallel_fetches, self.fetches.available_permits()))
    }

    /// Calls and fetches that wait for a place.
    pub(super) fn queued(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Watches that stand.
    pub(super) fn watches(&self) -> usize {
        self.limits.watches.saturating_sub(self.watches.available_permits())
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
            ..LinksConfig::default()
        })
    }

    #[test]
    fn beyond_the_queue_the_connector_is_exhausted() {
        let gate = gate();
        let running = gate.enter(Work::Call).now_or_never().unwrap().unwrap();
        let mut queued = Box::pin(gate.enter(Work::Call));
        assert!(queued.as_mut().now_or_never().is_none());
        assert_eq!((gate.outstanding(), gate.queued()), (1, 1));
        assert!(matches!(gate.enter(Work::Call).now_or_never(), Some(Err(Exhausted))));
        drop(running);
        assert!(matches!(queued.now_or_never(), Some(Ok(_))));
        assert_eq!((gate.outstanding(), gate.queued()), (0, 0));
    }

    #[test]
    fn whoever_reads_a_fetch_gets_a_call_in_between() {
        let gate = gate();
        let _reading = gate.enter(Work::Fetch).now_or_never().unwrap().unwrap();
        assert!(matches!(gate.enter(Work::Call).now_or_never(), Some(Ok(_))));
    }

    #[test]
    fn watches_are_not_work_and_do_not_queue() {
        let gate = gate();
        let _watch = gate.enter(Work::Watch).now_or_never().unwrap().unwrap();
        assert_eq!((gate.outstanding(), gate.watches()), (0, 1));
        assert!(matches!(gate.enter(Work::Watch).now_or_never(), Some(Err(Exhausted))));
    }
}
