//! The system's clock.

use dme_model::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The time.
pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}
