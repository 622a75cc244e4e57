//! Moments and clock readings, without a calendar library in the signature.

use crate::civil;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From seconds since the epoch; saturates.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Whole days (UTC) since the epoch, rounded down.
    pub const fn as_days(self) -> i64 {
        self.0.div_euclid(86_400_000)
    }

    /// This moment less a span; saturates.
    pub fn minus(self, span: std::time::Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This moment plus a span; saturates.
    pub fn plus(self, span: std::time::Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// Of a clock before 1970 the epoch; saturates.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Date and time in UTC, to the second: `2026-11-26 19:02:07 UTC`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil::date(self.as_days());
        let second = self.as_seconds().rem_euclid(86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }
}

/// What a clock on the wall shows: date and time of day, in no zone or in one that is told beside
/// it. Counted in seconds since 1970-01-01T00:00:00 on that same clock.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct LocalTime(i64);

impl LocalTime {
    /// From seconds since 1970-01-01T00:00:00 on the same clock.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Midnight of a day counted from 1970-01-01; saturates.
    pub const fn from_days(days: i64) -> Self {
        Self(days.saturating_mul(86_400))
    }

    /// Seconds since 1970-01-01T00:00:00 on the same clock.
    pub const fn as_seconds(self) -> i64 {
        self.0
    }

    /// Whole days since 1970-01-01, rounded down.
    pub const fn as_days(self) -> i64 {
        self.0.div_euclid(86_400)
    }

    /// So many seconds later, or earlier where negative; saturates.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The moment at which a clock on UTC shows this.
    pub const fn as_utc(self) -> Timestamp {
        Timestamp::from_seconds(self.0)
    }
}

/// A day of a calendar, such as a birthday; the year may be unknown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Date {
    /// The year, 1 to 9999, where it is known.
    pub year: Option<u16>,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}
