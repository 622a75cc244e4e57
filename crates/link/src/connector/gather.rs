//! Notices of changes gathered, so that a thin line carries several at once.

use dme_mailbox::{Result, WatchEvent};
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use futures_util::stream::unfold;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// The beats at which what was gathered is told: the same for all watches, so that those of many
/// users share their packets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beats {
    begun: Instant,
    every: Duration,
}

impl Beats {
    /// From now on; none where the time between two is nothing.
    pub(super) fn every(every: Duration) -> Option<Self> {
        (!every.is_zero()).then(|| Self { begun: Instant::now(), every })
    }

    /// The next one.
    fn next(self) -> Instant {
        let past = self.begun.elapsed().as_nanos() / self.every.as_nanos().max(1);
        let past = u32::try_from(past).unwrap_or(u32::MAX);
        self.begun + self.every.saturating_mul(past.saturating_add(1))
    }
}

/// Tells the watch's events at the beats, each once. That the watch stands, and that it is lost,
/// is told at once.
pub(super) fn gathered(
    watch: BoxStream<'static, Result<WatchEvent>>,
    beats: Beats,
) -> BoxStream<'static, Result<WatchEvent>> {
    // Asked again after its end, where something was still to be told.
    let watch = watch.fuse().boxed();
    let gathering = Gathering { watch, beats, due: VecDeque::new(), ready: VecDeque::new() };
    unfold(gathering, async |mut gathering| Some((gathering.next().await?, gathering))).boxed()
}

struct Gathering {
    watch: BoxStream<'static, Result<WatchEvent>>,
    beats: Beats,
    /// To be told at the next beat.
    due: VecDeque<WatchEvent>,
    /// To be told now.
    ready: VecDeque<Result<WatchEvent>>,
}

impl Gathering {
    async fn next(&mut self) -> Option<Result<WatchEvent>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let beat = self.beats.next();
            let event = if self.due.is_empty() {
                self.watch.next().await
            } else {
                match tokio::time::timeout_at(beat, self.watch.next()).await {
                    Ok(event) => event,
                    Err(_) => {
                        self.tell();
                        continue;
                    }
                }
            };
            match event {
                Some(Ok(WatchEvent::Ready)) => return Some(Ok(WatchEvent::Ready)),
                Some(Ok(event)) if self.due.contains(&event) => {}
                Some(Ok(event)) => self.due.push_back(event),
                // What was seen before the end is told before it.
                Some(Err(error)) => {
                    self.tell();
                    self.ready.push_back(Err(error));
                }
                None if self.due.is_empty() => return None,
                None => self.tell(),
            }
        }
    }

    fn tell(&mut self) {
        self.ready.extend(self.due.drain(..).map(Ok));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_mailbox::{Error, ErrorKind};
    use futures_util::FutureExt;
    use tokio::sync::mpsc;

    const BEAT: Duration = Duration::from_secs(5);

    fn changed(collection: &str) -> Result<WatchEvent> {
        Ok(WatchEvent::Changed(collection.into()))
    }

    fn watched() -> (mpsc::Sender<Result<WatchEvent>>, BoxStream<'static, Result<WatchEvent>>) {
        let (sender, events) = mpsc::channel(16);
        let events = unfold(events, async |mut events| Some((events.recv().await?, events)));
        (sender, gathered(events.boxed(), Beats::every(BEAT).unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn many_changes_of_one_folder_are_told_once_a_beat() {
        let (sender, mut told) = watched();
        sender.try_send(Ok(WatchEvent::Ready)).unwrap();
        assert_eq!(told.next().now_or_never().unwrap(), Some(Ok(WatchEvent::Ready)));
        for collection in ["inbox", "sent", "inbox", "inbox"] {
            sender.try_send(changed(collection)).unwrap();
        }
        let begun = Instant::now();
        assert!(told.next().now_or_never().is_none());
        assert_eq!(told.next().await, Some(changed("inbox")));
        assert_eq!(begun.elapsed(), BEAT);
        assert_eq!(told.next().now_or_never().unwrap(), Some(changed("sent")));
        sender.try_send(changed("inbox")).unwrap();
        assert_eq!(told.next().await, Some(changed("inbox")));
        assert_eq!(begun.elapsed(), 2 * BEAT);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_is_told_at_once_and_what_was_seen_before_it() {
        let (sender, mut told) = watched();
        let lost = || Err(Error::new(ErrorKind::Unavailable, "gone"));
        sender.try_send(changed("inbox")).unwrap();
        sender.try_send(lost()).unwrap();
        assert_eq!(told.next().now_or_never().unwrap(), Some(changed("inbox")));
        assert_eq!(told.next().now_or_never().unwrap(), Some(lost()));
        sender.try_send(changed("sent")).unwrap();
        drop(sender);
        assert_eq!(told.next().now_or_never().unwrap(), Some(changed("sent")));
        assert_eq!(told.next().now_or_never().unwrap(), None);
    }
}
