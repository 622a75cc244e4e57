//! Acts that are carried out to their end, once.
//!
//! A call is cancelled when its caller goes away (rule L7). Sending a message and saving a draft are
//! not: between the mail server's yes and the copy in Sent there is a moment at which nobody else
//! knows that the message went out, and a caller who asks again would have it sent twice. They run
//! in tasks of their own, which outlive the link. Who asks for one that still runs, over whichever
//! link, waits for it and gets its answer.
//!
//! An answer is kept for a while beyond the end: the one it was for may have lost it with the link.
//! That is a help and no state: another connector that takes over finds the copy in Sent.

use dme_mailbox::{Error, ErrorKind, Result};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Answers that are kept at the most; beyond, the oldest go.
const KEPT: usize = 1000;

/// Acts of one kind.
pub(super) struct Acts<T> {
    keep: Duration,
    /// Whether the answer is good for whoever asks again.
    is_final: fn(&T) -> bool,
    table: Arc<Mutex<Table<T>>>,
    tasks: TaskTracker,
}

type Table<T> = HashMap<String, Act<T>>;

/// The answer to an act, for whoever waits for it.
type Answer<T> = Shared<BoxFuture<'static, Result<T>>>;

struct Act<T> {
    answer: Answer<T>,
    /// When it went well; none while it runs.
    ended: Option<Instant>,
}

impl<T: Clone + Send + Sync + 'static> Acts<T> {
    /// None yet; answers that are final are kept for this long.
    pub(super) fn new(tasks: TaskTracker, keep: Duration, is_final: fn(&T) -> bool) -> Self {
        Self { keep, is_final, table: Arc::default(), tasks }
    }

    /// The answer to the act of this name, which is begun unless it runs already or has just gone
    /// well. Who drops the answer drops nothing else.
    pub(super) fn carry_out<F>(&self, name: String, act: impl FnOnce() -> F) -> Answer<T>
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let mut table = lock(&self.table);
        self.forget_old(&mut table);
        if let Some(known) = table.get(&name) {
            return known.answer.clone();
        }
        let (act, own, ended) = (act(), name.clone(), Arc::clone(&self.table));
        let is_final = self.is_final;
        let task = async move {
            let mut running = Running { table: ended, name: own, went_well: false };
            let answer = act.await;
            running.went_well = answer.as_ref().is_ok_and(is_final);
            answer
        };
        let task = self.tasks.spawn(task.in_current_span());
        let panicked = |_| Err(Error::new(ErrorKind::Bug, "the act came to no end"));
        let answer = task.map(move |ended| ended.unwrap_or_else(panicked)).boxed().shared();
        table.insert(name, Act { answer: answer.clone(), ended: None });
        answer
    }

    fn forget_old(&self, table: &mut Table<T>) {
        let now = Instant::now();
        table.retain(|_, act| act.ended.is_none_or(|ended| now - ended < self.keep));
        if table.len() >= KEPT {
            let ended = table.iter().filter_map(|(name, act)| Some((act.ended?, name.clone())));
            if let Some((_, oldest)) = ended.min_by_key(|(ended, _)| *ended) {
                table.remove(&oldest);
            }
        }
    }
}

/// Notes an act's end, however it ends.
struct Running<T> {
    table: Arc<Mutex<Table<T>>>,
    name: String,
    went_well: bool,
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        let mut table = lock(&self.table);
        match table.get_mut(&self.name).filter(|_| self.went_well) {
            Some(act) => act.ended = Some(Instant::now()),
            // To be tried again.
            None => drop(table.remove(&self.name)),
        }
    }
}

fn lock<T>(table: &Mutex<Table<T>>) -> MutexGuard<'_, Table<T>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::sync::Notify;

    const KEEP: Duration = Duration::from_secs(600);

    #[derive(Default)]
    struct Work {
        begun: AtomicU32,
        release: Notify,
    }

    impl Work {
        fn act(self: &Arc<Self>) -> impl Future<Output = Result<u32>> + use<> {
            let work = self.clone();
            async move {
                let number = work.begun.fetch_add(1, Ordering::SeqCst);
                work.release.notified().await;
                Ok(number)
            }
        }
    }

    fn acts(keep: Duration) -> Acts<u32> {
        Acts::new(TaskTracker::new(), keep, |number| *number < 100)
    }

    #[tokio::test(start_paused = true)]
    async fn an_act_goes_on_without_its_caller_and_answers_the_next_one() {
        let (acts, work) = (acts(KEEP), Arc::new(Work::default()));
        drop(acts.carry_out("a".into(), || work.act()));
        tokio::task::yield_now().await;
        let again = acts.carry_out("a".into(), || work.act());
        work.release.notify_one();
        assert_eq!(again.await, Ok(0));
        assert_eq!(acts.carry_out("a".into(), || work.act()).await, Ok(0));
        assert_eq!(work.begun.load(Ordering::SeqCst), 1);
        tokio::time::advance(KEEP).await;
        work.release.notify_one();
        assert_eq!(acts.carry_out("a".into(), || work.act()).await, Ok(1));
    }

    #[tokio::test]
    async fn others_do_not_wait_and_what_is_not_kept_is_done_again() {
        let (acts, work) = (acts(Duration::ZERO), Arc::new(Work::default()));
        let first = acts.carry_out("a".into(), || work.act());
        let other = acts.carry_out("b".into(), || async { Ok(7) });
        assert_eq!(other.await, Ok(7));
        work.release.notify_one();
        assert_eq!(first.await, Ok(0));
        work.release.notify_one();
        assert_eq!(acts.carry_out("a".into(), || work.act()).await, Ok(1));
    }

    #[tokio::test]
    async fn what_failed_or_broke_is_tried_again() {
        let acts = acts(KEEP);
        let refused = || Error::new(ErrorKind::Busy { after: Duration::ZERO }, "later");
        let failed = acts.carry_out("a".into(), || async move { Err(refused()) });
        assert_eq!(failed.await, Err(refused()));
        assert_eq!(acts.carry_out("a".into(), || async { Ok(1) }).await, Ok(1));
        assert!(lock(&acts.table).contains_key("a"));
        // An answer that is not the last word is no answer to the next one.
        for number in [100, 101] {
            assert_eq!(acts.carry_out("b".into(), || async move { Ok(number) }).await, Ok(number));
        }
    }

    #[tokio::test]
    async fn so_many_answers_are_kept_and_no_more() {
        let acts = acts(KEEP);
        for number in 0..KEPT + 10 {
            acts.carry_out(number.to_string(), || async { Ok(1) }).await.unwrap();
        }
        assert_eq!(lock(&acts.table).len(), KEPT);
    }
}
