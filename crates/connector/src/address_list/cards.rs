//! The cards in memory, read again at an interval for as long as the address list is there.

use super::reader::{Reader, Shown};
use dme_directory::{Error, Result};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// How long somebody who asks waits for the first reading.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a server that could not be asked is left alone, at the most.
const PAUSE: Duration = Duration::from_secs(30);

/// What was read last; none before the first reading.
type Last = Option<Result<Arc<Shown>>>;

/// The cards, kept fresh. They are read from the first question on.
pub(super) struct Cards {
    last: watch::Receiver<Last>,
    unread: Mutex<Option<Keeper>>,
}

/// Who keeps them fresh, until nobody is there to ask for them.
struct Keeper {
    reader: Reader,
    refresh: Duration,
    last: watch::Sender<Last>,
}

impl Cards {
    /// Those that the reader reads at this interval.
    pub fn of(reader: Reader, refresh: Duration) -> Self {
        let (sender, last) = watch::channel(None);
        let keeper = Keeper { reader, refresh, last: sender };
        Self { last, unread: Mutex::new(Some(keeper)) }
    }

    /// Whoever is on the cards, as they were read last.
    ///
    /// # Errors
    /// When they never could be read.
    pub async fn now(&self) -> Result<Arc<Shown>> {
        let keeper = self.unread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(keeper) = keeper {
            tokio::spawn(keeper.keep());
        }
        let mut last = self.last.clone();
        let read = timeout(PATIENCE, last.wait_for(Option::is_some)).await;
        let read = read.ok().and_then(|read| read.ok()?.clone());
        read.unwrap_or_else(|| Err(Error::Busy("the address book is being read".to_owned())))
    }
}

impl Keeper {
    async fn keep(mut self) {
        let mut good: Option<Instant> = None;
        loop {
            let read = self.reader.read().await;
            let pause = if read.is_ok() { self.refresh } else { PAUSE.min(self.refresh) };
            match (read, good) {
                (Ok(changed), _) => {
                    good = Some(Instant::now());
                    if changed || self.last.borrow().as_ref().is_none_or(Result::is_err) {
                        self.last.send_replace(Some(Ok(Arc::new(self.reader.shown().clone()))));
                    }
                }
                (Err(error), None) => {
                    tracing::warn!(%error, "the address list cannot be read");
                    self.last.send_replace(Some(Err(error)));
                }
                (Err(error), Some(read)) => {
                    let age = read.elapsed().as_secs();
                    tracing::warn!(%error, age, "the address list is shown as it was, age in s");
                }
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.last.closed() => return,
            }
        }
    }
}
