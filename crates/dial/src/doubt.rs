//! A server that says nothing is slow, or there is no way to it any more.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

/// Tells a server that takes its time from one that cannot be reached: where it is silent for as
/// long as a connection may take to stand, another connection is tried. A firewall that drops what
/// is sent lets the old connections stand for many minutes (RFC 9293 §3.8.3), and no one is made.
///
/// All who wait for one server share what was found, so that a server with much to do gets no more
/// than one such connection in that time.
#[derive(Debug)]
pub struct Doubt {
    after: Duration,
    found: Mutex<Option<Found>>,
}

#[derive(Clone, Copy, Debug)]
struct Found {
    at: Instant,
    reached: bool,
}

impl Doubt {
    /// In doubt after this time of silence.
    pub fn after(after: Duration) -> Self {
        Self { after, found: Mutex::default() }
    }

    /// Waits for what a server says, up to this end at the latest; none where it came to nothing,
    /// or where the server could not be reached meanwhile. `reach` tries that, and may take its time.
    pub async fn answer<T, F>(
        &self,
        answer: impl Future<Output = T>,
        end: Instant,
        reach: impl Fn() -> F,
    ) -> Option<T>
    where
        F: Future<Output = bool>,
    {
        let mut answer = pin!(answer);
        loop {
            let doubted = end.min(Instant::now() + self.after);
            if let Ok(answer) = timeout_at(doubted, &mut answer).await {
                return Some(answer);
            }
            if Instant::now() >= end {
                return None;
            }
            let reached = timeout_at(end, self.is_reached(&reach));
            let reached = tokio::select! {
                biased;
                answer = &mut answer => return Some(answer),
                reached = reached => reached.unwrap_or(false),
            };
            if !reached {
                return None;
            }
        }
    }

    async fn is_reached<F>(&self, reach: impl Fn() -> F) -> bool
    where
        F: Future<Output = bool>,
    {
        // Whoever comes while it is tried waits for that.
        let mut found = self.found.lock().await;
        match *found {
            Some(found) if found.at.elapsed() < self.after => found.reached,
            _ => {
                let reached = reach().await;
                *found = Some(Found { at: Instant::now(), reached });
                reached
            }
        }
    }
}

/// Until when a session may come to stand, where the call it is for ends then: half of the time is
/// for the call itself, or for another connector where there is no way from this one. `longest` at
/// the most.
pub fn opens_until(deadline: Instant, longest: Duration) -> Instant {
    let now = Instant::now();
    now + longest.min(deadline.saturating_duration_since(now) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::time::sleep;

    const AFTER: Duration = Duration::from_secs(10);
    const CALL: Duration = Duration::from_secs(60);

    async fn after<T>(time: Duration, value: T) -> T {
        sleep(time).await;
        value
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_server_that_can_be_reached_has_until_the_end() {
        let doubt = Doubt::after(AFTER);
        let begun = Instant::now();
        let reach = || after(Duration::from_millis(5), true);
        let answer = after(4 * AFTER, "slow");
        assert_eq!(doubt.answer(answer, begun + CALL, reach).await, Some("slow"));
        assert_eq!(doubt.answer(pending::<()>(), begun + CALL, reach).await, None);
        assert_eq!(begun.elapsed(), CALL);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_cannot_be_reached_is_given_up_long_before_the_end() {
        let doubt = Doubt::after(AFTER);
        let begun = Instant::now();
        let reach = || after(AFTER, false);
        assert_eq!(doubt.answer(pending::<()>(), begun + CALL, reach).await, None);
        assert_eq!(begun.elapsed(), 2 * AFTER, "its silence, and that of another connection");
        let late = after(AFTER + AFTER / 2, "late");
        let doubt = Doubt::after(AFTER);
        let end = Instant::now() + CALL;
        assert_eq!(doubt.answer(late, end, reach).await, Some("late"), "before that was known");
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_wait_share_one_connection_to_try() {
        let (doubt, tried) = (Doubt::after(AFTER), AtomicUsize::new(0));
        let end = Instant::now() + CALL;
        let reach = || {
            tried.fetch_add(1, Ordering::SeqCst);
            after(AFTER / 2, false)
        };
        let wait = || doubt.answer(pending::<()>(), end, reach);
        let all = tokio::join!(wait(), wait(), wait());
        assert_eq!(all, (None, None, None));
        assert_eq!(tried.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn opening_leaves_half_of_the_time() {
        let now = Instant::now();
        assert_eq!(opens_until(now + AFTER, CALL), now + AFTER / 2);
        assert_eq!(opens_until(now + 10 * CALL, CALL), now + CALL);
        assert_eq!(opens_until(now, CALL), now);
    }
}
