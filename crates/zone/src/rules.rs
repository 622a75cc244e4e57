//! The yearly rules of a clock: an offset and, where it has summer time, the days of its begin and
//! end.

use crate::offset;
use crate::timeline::{Change, Timeline, year_of, year_start};
use crate::yearly::{Week, YearlyDay};
use crate::zone::Zone;
use dme_model::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// How far ahead is looked to tell the fourth of five weekdays from the last.
const YEARS: i16 = 12;

const DAY: i32 = 86_400;

/// A yearly change of the clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct YearlyChange {
    /// The day, by week of the month.
    pub(crate) day: YearlyDay,
    /// Seconds since that day's midnight by the clock before the change, up to 24 hours.
    pub(crate) second: i32,
}

/// Summer time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Daylight {
    /// Seconds ahead of UTC while it lasts.
    pub(crate) offset: i32,
    /// Its begin.
    pub(crate) start: YearlyChange,
    /// Its end.
    pub(crate) end: YearlyChange,
}

/// The rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rules {
    /// Seconds ahead of UTC, summer time aside.
    pub(crate) standard: i32,
    /// Summer time; the greater of two offsets, whatever a law calls it (Dublin's is the winter's).
    pub(crate) daylight: Option<Daylight>,
}

impl Rules {
    /// The rules of a zone in the year of a moment.
    pub(crate) fn of_zone(zone: &TimeZone, at: Timestamp) -> Self {
        let year = year_of(at);
        // The moment may lie in the next year or the last one by the zone's clock.
        let year = year_by_clock(zone.to_offset(crate::zone::instant(at)).seconds(), at, year);
        Self::of_timeline(&Timeline::of_zone(zone, year, YEARS), year, at)
    }

    /// The rules by which a clock went in a year: its two changes, wherever they lie. Where it had
    /// only one it began the year with the other, as Windows puts it. A year with more changes has
    /// no such rules; then those that follow a moment count, so that its surroundings are right.
    pub(crate) fn of_timeline(timeline: &Timeline, year: i16, at: Timestamp) -> Self {
        let pairs = |one: &Change, other: &Change| one.before == other.after;
        let mut changes = timeline.year(year);
        if changes.len() > 2 {
            let following = changes.partition_point(|change| change.at <= at.as_seconds());
            changes = changes.get(following..).unwrap_or_default();
        }
        match changes {
            [change] => Self::of_single(change, year),
            [one, other, ..] if pairs(one, other) => Self::of_pair(one, other, timeline),
            _ => Self { standard: timeline.offset_at(at.as_seconds()), daylight: None },
        }
    }

    fn of_pair(one: &Change, other: &Change, timeline: &Timeline) -> Self {
        let (start, end) = if one.after > one.before { (one, other) } else { (other, one) };
        let yearly = |change| YearlyChange::of(change, &timeline.changes);
        let daylight = yearly(start).zip(yearly(end)).map(|(from, to)| Daylight {
            offset: start.after,
            start: from,
            end: to,
        });
        Self { standard: end.after, daylight }
    }

    fn of_single(change: &Change, year: i16) -> Self {
        let back = Change {
            at: year_start(year) - i64::from(change.after),
            before: change.after,
            after: change.before,
            name: String::new(),
        };
        let both = Timeline { first: change.after, changes: vec![back.clone(), change.clone()] };
        Self::of_pair(&back, change, &both)
    }

    /// The zone that has these rules in all years. None where the offsets are out of reason.
    pub(crate) fn zone(&self) -> Option<Zone> {
        let Some(daylight) = self.daylight else { return Zone::fixed(self.standard) };
        let (standard, mut summer) =
            (offset::posix(self.standard)?, offset::posix(daylight.offset)?);
        if daylight.offset - self.standard == 3600 {
            // An hour is what is meant without a number.
            summer.truncate(summer.find('>')? + 1);
        }
        let (start, end) = (daylight.start.posix(), daylight.end.posix());
        Zone::posix(&format!("{standard}{summer},{start},{end}"))
    }

    /// Whether these are the same rules but for the day of the month: those who write them do not
    /// agree on which of five weekdays is the fourth.
    pub(crate) fn alike(&self, other: &Self) -> bool {
        let months =
            |summer: Daylight| (summer.offset, summer.start.day.month, summer.end.day.month);
        self.standard == other.standard && self.daylight.map(months) == other.daylight.map(months)
    }
}

fn year_by_clock(offset: i32, at: Timestamp, year: i16) -> i16 {
    crate::timeline::clock(at.as_seconds(), offset).year().clamp(year - 1, year + 1)
}

impl YearlyChange {
    /// The rule that explains this change and as many of those of the following years as possible.
    fn of(change: &Change, all: &[Change]) -> Option<Self> {
        let clock = change.clock();
        let second = second_of_day(clock);
        let plain = YearlyDay::by_week(clock.date()).map(|day| Self { day, second });
        // Midnight may be meant as the end of the day before.
        let eve = clock.date().yesterday().ok().filter(|_| second == 0);
        let eve = eve.into_iter().flat_map(YearlyDay::by_week);
        let eve = eve.map(|day| Self { day, second: DAY });
        let explained = |rule: &Self| {
            let later = all.iter().filter(|other| {
                other.at >= change.at
                    && (other.after > other.before) == (change.after > change.before)
            });
            later.take_while(|change| rule.explains(change.clock())).count()
        };
        let mut rules: Vec<Self> = plain.chain(eve).collect();
        // The first of those that are as good.
        rules.reverse();
        rules.into_iter().max_by_key(explained)
    }

    /// Whether the clock showed this at a change by the rule.
    pub(crate) fn explains(&self, clock: DateTime) -> bool {
        let years = [clock.year(), clock.year() - i16::from(self.second == DAY)];
        years.iter().any(|year| self.clock(*year) == Some(clock))
    }

    /// What the clock shows at the change in a year.
    fn clock(&self, year: i16) -> Option<DateTime> {
        let midnight = self.day.date(year)?.at(0, 0, 0, 0);
        midnight.checked_add(jiff::Span::new().seconds(self.second)).ok()
    }

    /// `M10.5.0/3`.
    fn posix(&self) -> String {
        let week = match self.day.week {
            Week::From(day) => (day - 1) / 7 + 1,
            Week::Last => 5,
        };
        let weekday = self.day.weekday.to_sunday_zero_offset();
        format!("M{}.{week}.{weekday}/{}", self.day.month, offset::posix_time(self.second))
    }
}

/// Seconds since midnight.
pub(crate) fn second_of_day(clock: DateTime) -> i32 {
    i32::from(clock.hour()) * 3600 + i32::from(clock.minute()) * 60 + i32::from(clock.second())
}

#[cfg(test)]
mod tests;
