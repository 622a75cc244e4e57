//! The changes of a clock over some years, whatever they were read from.

use crate::zone::instant;
use dme_model::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// A change of the clocks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Change {
    /// When, in seconds since the epoch.
    pub(crate) at: i64,
    /// Seconds ahead of UTC before it.
    pub(crate) before: i32,
    /// Seconds ahead of UTC after it.
    pub(crate) after: i32,
    /// What the clock is called after it; may be empty.
    pub(crate) name: String,
}

impl Change {
    /// What the clock would have shown at the change, had it not been changed.
    pub(crate) fn clock(&self) -> DateTime {
        clock(self.at, self.before)
    }
}

/// The changes of a clock, ascending; none that changes nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Timeline {
    /// The offset before the first change.
    pub(crate) first: i32,
    /// The changes.
    pub(crate) changes: Vec<Change>,
}

/// The year of a moment on UTC's clock, within what can be reckoned with.
pub(crate) fn year_of(at: Timestamp) -> i16 {
    Offset::UTC.to_datetime(instant(at)).year().clamp(-9_000, 9_000)
}

/// Begin of a year on UTC's clock, in seconds since the epoch.
pub(crate) fn year_start(year: i16) -> i64 {
    jiff::civil::Date::new(year, 1, 1)
        .and_then(|day| TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)))
        .map_or(0, jiff::Timestamp::as_second)
}

/// What a clock shows at a moment.
pub(crate) fn clock(at: i64, offset: i32) -> DateTime {
    let shown = at.saturating_add(i64::from(offset));
    Offset::UTC.to_datetime(instant(Timestamp::from_seconds(shown)))
}

impl Timeline {
    /// The changes of a zone in a year, by its own clock, and in the years after it.
    pub(crate) fn of_zone(zone: &TimeZone, year: i16, years: i16) -> Self {
        // The zone's year begins within a day of UTC's.
        let from = instant(Timestamp::from_seconds(year_start(year) - 86_400));
        let mut offset = zone.to_offset(from).seconds();
        let mut timeline = Self { first: offset, changes: vec![] };
        for transition in zone.following(from) {
            let (before, after) = (offset, transition.offset().seconds());
            let name = transition.abbreviation().to_owned();
            let change = Change { at: transition.timestamp().as_second(), before, after, name };
            let its_year = change.clock().year();
            if its_year >= year.saturating_add(years) {
                break;
            }
            offset = after;
            if its_year < year {
                timeline.first = after;
            } else if before != after {
                timeline.changes.push(change);
            }
        }
        timeline
    }

    /// The offset at a moment.
    pub(crate) fn offset_at(&self, at: i64) -> i32 {
        let last = self.changes.iter().rev().find(|change| change.at <= at);
        last.map_or(self.first, |change| change.after)
    }

    /// The changes in a year by the clock itself.
    pub(crate) fn year(&self, year: i16) -> &[Change] {
        let start = self.changes.partition_point(|change| change.clock().year() < year);
        let end = self.changes.partition_point(|change| change.clock().year() <= year);
        self.changes.get(start..end).unwrap_or_default()
    }

    /// Whether both clocks show the same from one moment to another.
    pub(crate) fn agrees(&self, other: &Self, from: i64, to: i64) -> bool {
        let within = |timeline: &Self| {
            let changes = timeline.changes.iter();
            changes
                .filter(|change| change.at > from && change.at < to)
                .map(|change| (change.at, change.after))
                .collect::<Vec<_>>()
        };
        self.offset_at(from) == other.offset_at(from) && within(self) == within(other)
    }
}
