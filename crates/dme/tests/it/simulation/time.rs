//! The time of a life: it begins on one day, passes as the paused clock of its runtime does, and goes on
//! by whole days when the life says so.

use dme_model::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::time::Instant;

/// When all lives begin.
pub const BEGIN: Timestamp = Timestamp::from_seconds(1_800_000_000);

#[derive(Clone)]
pub struct Time {
    begun: Instant,
    /// In milliseconds.
    day: Arc<AtomicI64>,
}

impl Time {
    pub fn begin() -> Self {
        let day = Arc::new(AtomicI64::new(BEGIN.as_millis()));
        Self { begun: Instant::now(), day }
    }

    pub fn now(&self) -> Timestamp {
        let day = Timestamp::from_millis(self.day.load(Ordering::Relaxed));
        day.plus(self.begun.elapsed())
    }

    /// Since the beginning, days that were passed over left out.
    pub fn passed(&self) -> std::time::Duration {
        self.begun.elapsed()
    }

    /// It is this day, counted from the beginning.
    pub fn is_day(&self, day: Timestamp) {
        self.day.store(day.as_millis(), Ordering::Relaxed);
    }
}
