//! Moments, as pages tell them.

use jiff::Timestamp;

/// `2026-11-26 22:51` in UTC; a dash where there is none.
pub(crate) fn moment(seconds: Option<i64>) -> String {
    let found = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    found.map_or_else(|| "–".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M").to_string())
}
