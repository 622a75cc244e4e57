//! When a connector may be linked at all: a line that is there, or cheap, at certain times only.

use crate::Hours;
use dme_model::Timestamp;
use std::time::Duration;

/// When a connector is linked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Windows {
    /// Once each so long, counted from dial to dial, for so long from when the link stands.
    Every {
        /// From one begin to the next.
        every: Duration,
        /// How long a link stands.
        lasting: Duration,
    },
    /// At these hours.
    Hours(Hours),
}

impl Windows {
    /// How long until the next window, the last having begun so long ago; at once where there was
    /// none.
    pub(super) fn until_begin(&self, last: Option<Duration>, now: Timestamp) -> Duration {
        match self {
            Self::Every { every, .. } => {
                last.map_or(Duration::ZERO, |last| every.saturating_sub(last))
            }
            Self::Hours(hours) => hours.until_begin(now),
        }
    }

    /// How long a link that was made just now may stand.
    pub(super) fn left(&self, now: Timestamp) -> Duration {
        match self {
            Self::Every { lasting, .. } => *lasting,
            Self::Hours(hours) => hours.left(now),
        }
    }

    /// Whether it is over although no link was made in it. One that comes each so long is not: the
    /// server is dialled until it is there.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        match self {
            Self::Every { .. } => false,
            Self::Hours(hours) => hours.left(now).is_zero(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_zone::Zone;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_seconds(1_768_176_000 + hour * 3_600)
    }

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(minutes * 60)
    }

    #[test]
    fn each_so_long_is_counted_from_one_begin_to_the_next() {
        let windows = Windows::Every { every: minutes(30), lasting: minutes(5) };
        for (last, wait) in [(None, 0), (Some(0), 30), (Some(10), 20), (Some(31), 0)] {
            let wait = minutes(wait);
            assert_eq!(windows.until_begin(last.map(minutes), at(0)), wait);
        }
        assert_eq!(windows.left(at(0)), minutes(5));
        assert!(!windows.is_over(at(0)));
    }

    #[test]
    fn hours_are_those_of_the_clock() {
        let windows = Windows::Hours(Hours::read(&["22:00-06:00"], Zone::utc()).unwrap());
        for (hour, wait, left, over) in [(21, 60, 0, true), (22, 0, 480, false)] {
            assert_eq!(windows.until_begin(Some(minutes(1)), at(hour)), minutes(wait));
            assert_eq!(windows.left(at(hour)), minutes(left));
            assert_eq!(windows.is_over(at(hour)), over);
        }
    }
}
