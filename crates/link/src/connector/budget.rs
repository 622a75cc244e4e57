//! What a link may carry in a month before somebody is told. Nothing is ever held back for it.
//!
//! What was used stands in `traffic.json` beside the identity, so that a restart forgets at most
//! what crossed since it was last written. Months are those of UTC.

use crate::{Error, Result, Used, files};
use dme_model::{Timestamp, civil};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const FILE: &str = "traffic.json";

/// How much of the budget is gone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// Less than four fifths.
    #[default]
    Within,
    /// Four fifths.
    Nearly,
    /// All of it.
    Over,
}

/// The account of a month.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Account {
    /// Months since January of the year 0.
    month: i64,
    /// Bytes used in it.
    used: u64,
    /// What was last warned of.
    warned: Level,
}

/// A connector's budget, and what is gone of it.
#[derive(Debug)]
pub(super) struct Budget {
    limit: u64,
    path: PathBuf,
    account: Account,
    /// As the file has it.
    kept: Account,
    /// How much of what this process counted is in the account.
    settled: u64,
}

impl Budget {
    /// With what an earlier process left in the directory.
    pub(super) fn open(limit: u64, dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let damaged = |error: serde_json::Error| Error::Damaged {
            path: path.clone(),
            what: format!("{error}; it may be removed: the month is then counted from here on"),
        };
        let kept = match files::read(&path)? {
            Some(text) => serde_json::from_str(&text).map_err(damaged)?,
            None => Account::default(),
        };
        Ok(Self { limit, path, account: kept.clone(), kept, settled: 0 })
    }

    /// Enters what this process has counted up to now. Answers the level where it is higher than
    /// any that was warned of this month.
    pub(super) fn settle(&mut self, counted: u64, now: Timestamp) -> Result<Option<Level>> {
        let month = month(now);
        if month != self.account.month {
            self.account = Account { month, ..Account::default() };
        }
        self.account.used = self.account.used.saturating_add(counted - self.settled.min(counted));
        self.settled = counted;
        let level = match self.account.used {
            used if used >= self.limit => Level::Over,
            used if used >= self.limit - self.limit / 5 => Level::Nearly,
            _ => Level::Within,
        };
        let risen = (level > self.account.warned).then_some(level);
        self.account.warned = level.max(self.account.warned);
        if self.account != self.kept {
            let text = serde_json::to_string(&self.account)
                .map_err(|error| Error::Protocol(error.to_string()))?;
            files::write(&self.path, &text)?;
            self.kept = self.account.clone();
        }
        Ok(risen)
    }

    /// What the server is told.
    pub(super) fn used(&self) -> Used {
        Used { bytes: self.account.used, budget: self.limit }
    }
}

/// Months since January of the year 0 (Gregorian, UTC).
fn month(now: Timestamp) -> i64 {
    let (year, month, _) = civil::date(now.as_days());
    year * 12 + month - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(days: i64) -> Timestamp {
        Timestamp::from_seconds(days * 86_400)
    }

    #[test]
    fn months_are_those_of_the_calendar() {
        // 31 December 1999, 1 January, 29 February, 1 March 2000; 31 January, 1 February 1970.
        for (days, expected) in [
            (10_956, 1_999 * 12 + 11),
            (10_957, 2_000 * 12),
            (11_016, 2_000 * 12 + 1),
            (11_017, 2_000 * 12 + 2),
            (30, 1_970 * 12),
            (31, 1_970 * 12 + 1),
        ] {
            assert_eq!(month(day(days)), expected, "{days}");
        }
        assert_eq!(month(Timestamp::from_seconds(31 * 86_400 - 1)), 1_970 * 12);
    }

    #[test]
    fn warnings_come_at_four_fifths_and_at_all_of_it_once_a_month() {
        let dir = tempfile::tempdir().unwrap();
        let mut budget = Budget::open(1_000, dir.path()).unwrap();
        for (counted, on, risen) in [
            (799, 0, None),
            (800, 1, Some(Level::Nearly)),
            (900, 2, None),
            (1_000, 3, Some(Level::Over)),
            (5_000, 4, None),
            // February.
            (5_799, 31, None),
            (7_000, 32, Some(Level::Over)),
        ] {
            assert_eq!(budget.settle(counted, day(on)).unwrap(), risen, "{counted}");
        }
        assert_eq!(budget.used(), Used { bytes: 2_000, budget: 1_000 });
    }

    #[test]
    fn the_file_is_written_when_there_is_something_new_to_keep() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        let mut budget = Budget::open(1_000, dir.path()).unwrap();
        for (counted, on, written) in
            [(0, 0, true), (0, 1, false), (5, 1, true), (5, 2, false), (5, 31, true)]
        {
            budget.settle(counted, day(on)).unwrap();
            assert_eq!(file.exists(), written, "{counted} on day {on}");
            files::remove(&file).unwrap();
        }
    }

    #[test]
    fn a_restart_forgets_nothing_that_was_settled() {
        let dir = tempfile::tempdir().unwrap();
        let mut before = Budget::open(1_000, dir.path()).unwrap();
        assert_eq!(before.settle(850, day(0)).unwrap(), Some(Level::Nearly));
        let mut after = Budget::open(1_000, dir.path()).unwrap();
        assert_eq!(after.settle(50, day(1)).unwrap(), None);
        assert_eq!(after.used().bytes, 900);
        std::fs::write(dir.path().join(FILE), "{").unwrap();
        let damaged = Budget::open(1_000, dir.path()).unwrap_err().to_string();
        assert!(damaged.contains("traffic.json is damaged"), "{damaged}");
    }
}
