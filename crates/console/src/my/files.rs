//! Files that were made for somebody and wait to be fetched: once, and not for long.

use crate::Refusal;
use crate::kept::{Kept, NotKept};
use dme_model::{Secret, Timestamp};
use http::StatusCode;
use std::time::Duration;

/// How long a file waits.
const LIFE: Duration = Duration::from_secs(10 * 60);
/// Files that wait at once.
const FILES: usize = 1000;

/// Those that wait.
pub(crate) struct Files(Kept<Vec<u8>>);

impl Default for Files {
    fn default() -> Self {
        Self(Kept::refusing(LIFE, FILES))
    }
}

impl Files {
    /// Keeps one: what it is fetched by.
    pub(super) fn keep(&self, file: Vec<u8>, now: Timestamp) -> Result<Secret, Refusal> {
        self.0.keep(file, now).map_err(|why| match why {
            NotKept::Full => {
                let words = "too many files wait to be fetched: try again in ten minutes";
                Refusal::new(StatusCode::TOO_MANY_REQUESTS, words).said("too-many", "")
            }
            why @ NotKept::NoRandomness(_) => Refusal::failed(why),
        })
    }

    /// Gives it away, the first time and in time.
    pub(super) fn take(&self, once: &Secret, now: Timestamp) -> Option<Vec<u8>> {
        self.0.take(once, now)
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
