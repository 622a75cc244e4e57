//! The wall clock.

use dme_model::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock, for what is kept.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
