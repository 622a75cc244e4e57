//! The wall clock. Whoever decides by the time is given a [`crate::front::Clock`] instead.

use dme_model::Timestamp;
use std::time::SystemTime;

/// The system's time.
pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}
