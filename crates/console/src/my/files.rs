//! Files that were made for somebody and wait to be fetched: once, and not for long. They are kept in
//! memory alone; what a restart takes is made again.

use crate::Refusal;
use crate::opaque::{Hash, hash, random};
use dme_model::{Secret, Timestamp};
use http::StatusCode;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a file waits.
const LIFE: Duration = Duration::from_secs(10 * 60);
/// Files that wait at once.
const FILES: usize = 1000;

/// Those that wait.
#[derive(Default)]
pub(crate) struct Files(Mutex<HashMap<Hash, (Vec<u8>, Timestamp)>>);

impl Files {
    /// Keeps one: what it is fetched by.
    pub(super) fn keep(&self, file: Vec<u8>, now: Timestamp) -> Result<Secret, Refusal> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (_, until)| now < *until);
        if kept.len() >= FILES {
            let words = "too many files wait to be fetched: try again in ten minutes";
            return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, words).said("too-many", ""));
        }
        let once = random().map_err(Refusal::failed)?;
        kept.insert(hash(&once), (file, now.plus(LIFE)));
        Ok(once)
    }

    /// Gives it away, the first time and in time.
    pub(super) fn take(&self, once: &Secret, now: Timestamp) -> Option<Vec<u8>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(&hash(once)).filter(|(_, until)| now < *until).map(|(file, _)| file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_fetched_once_and_in_time() {
        let (files, at) = (Files::default(), Timestamp::from_seconds);
        let (one, other) =
            (files.keep(vec![1], at(0)).unwrap(), files.keep(vec![2], at(0)).unwrap());
        assert_eq!(files.take(&one, at(1)), Some(vec![1]));
        assert_eq!(files.take(&one, at(1)), None);
        assert_eq!(files.take(&other, at(600)), None, "too late");
        assert_eq!(files.take(&Secret::new("x"), at(1)), None);
    }
}
