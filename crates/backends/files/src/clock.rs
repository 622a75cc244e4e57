//! The system's clock.

use dme_model::Timestamp;
use std::time::SystemTime;

/// The time.
pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}
