//! The wall clock.

use dme_model::Timestamp;
use std::time::SystemTime;

/// The wall clock, for what is kept.
pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}
