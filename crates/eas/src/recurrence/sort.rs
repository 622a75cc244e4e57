//! Which of ActiveSync's sorts of series a neutral rule is.

use super::{MAX, weekday_code};
use dme_model::{Frequency, LocalTime, Recurrence};

/// All days of the week, as `DayOfWeek` adds them up.
pub(super) const EVERY_DAY: u8 = 127;
/// The last one in the month, as `WeekOfMonth` counts.
pub(super) const LAST_WEEK: u8 = 5;
/// Every month has at least so many days. On a later one a phone puts the instance of a shorter
/// month on its last day, while RFC 5545 leaves it out.
pub(super) const SHORTEST_MONTH: u8 = 28;

/// A sort of series (`Type`, MS-ASCAL 2.2.2.45) with what it needs. Days of the week are added up:
/// Sunday 1, Monday 2, Tuesday 4 …
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sort {
    Daily,
    Weekly { days: u8 },
    Monthly { day: u8 },
    MonthlyByDay { week: u8, days: u8 },
    Yearly { month: u8, day: u8 },
    YearlyByDay { month: u8, week: u8, days: u8 },
}

/// Which days of a month.
enum Within {
    Day(u8),
    Nth { week: u8, days: u8 },
    Each { days: u8 },
}

/// A day of the calendar as a rule sees it.
struct Start {
    month: u8,
    day: u8,
    /// As a sum of one.
    weekday: u8,
}

impl Sort {
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Daily => 0,
            Self::Weekly { .. } => 1,
            Self::Monthly { .. } => 2,
            Self::MonthlyByDay { .. } => 3,
            Self::Yearly { .. } => 5,
            Self::YearlyByDay { .. } => 6,
        }
    }

    /// The sort that a rule is, or is closest to, and whether it is just that.
    pub(super) fn of(rule: &Recurrence, start: LocalTime) -> Option<(Self, bool)> {
        if rule.interval > MAX || rule.counts_by_year() {
            return None;
        }
        let start = Start::of(start)?;
        match rule.frequency {
            Frequency::Daily | Frequency::Weekly => Self::of_days(rule, &start),
            Frequency::Monthly if rule.by_month.is_empty() => Self::of_months(rule, &start),
            Frequency::Monthly => Self::of_years(rule, &start).filter(|_| rule.interval <= 1),
            Frequency::Yearly if rule.by_month.is_empty() && !rule.by_month_day.is_empty() => {
                // On these days of every month.
                Self::of_months(rule, &start).filter(|_| rule.interval <= 1)
            }
            Frequency::Yearly if rule.by_month.is_empty() && !rule.by_day.is_empty() => None,
            Frequency::Yearly => Self::of_years(rule, &start),
        }
    }

    fn of_days(rule: &Recurrence, start: &Start) -> Option<(Self, bool)> {
        let limited = !(rule.by_month.is_empty()
            && rule.by_month_day.is_empty()
            && rule.by_set_position.is_empty());
        match (rule.frequency, rule.by_day.is_empty()) {
            _ if limited => None,
            (Frequency::Daily, true) => Some((Self::Daily, true)),
            (Frequency::Daily, false) if rule.interval > 1 => None,
            (_, true) => Some((Self::Weekly { days: start.weekday }, true)),
            (_, false) => Some((Self::Weekly { days: sum(rule) }, true)),
        }
    }

    fn of_months(rule: &Recurrence, start: &Start) -> Option<(Self, bool)> {
        match Within::of(rule, start)? {
            (Within::Day(day), exact) => Some((Self::Monthly { day }, exact)),
            (Within::Nth { week, days }, exact) => Some((Self::MonthlyByDay { week, days }, exact)),
            (Within::Each { days }, exact) if rule.interval <= 1 => {
                Some((Self::Weekly { days }, exact))
            }
            (Within::Each { .. }, _) => None,
        }
    }

    fn of_years(rule: &Recurrence, start: &Start) -> Option<(Self, bool)> {
        let own = rule.by_month.is_empty() || rule.by_month.contains(&start.month);
        let month = if own { start.month } else { *rule.by_month.first()? };
        let one = rule.by_month.len() <= 1;
        match Within::of(rule, start)? {
            (Within::Day(day), exact) => Some((Self::Yearly { month, day }, exact && one)),
            (Within::Nth { week, days }, exact) => {
                Some((Self::YearlyByDay { month, week, days }, exact && one))
            }
            (Within::Each { .. }, _) => None,
        }
    }
}

impl Within {
    fn of(rule: &Recurrence, start: &Start) -> Option<(Self, bool)> {
        match (rule.by_month_day.as_slice(), rule.by_day.is_empty()) {
            ([], true) if rule.by_set_position.is_empty() => Self::of_day(start.day),
            ([day], true) if rule.by_set_position.is_empty() => Self::of_month_day(*day),
            (days, true) if rule.by_set_position.is_empty() => {
                let own = days.iter().find(|day| u8::try_from(**day) == Ok(start.day));
                let (within, _) = Self::of_month_day(*own.or_else(|| days.first())?)?;
                Some((within, false))
            }
            ([], false) => Self::of_weekdays(rule, start),
            // Both at once, or one of several days of the month.
            _ => None,
        }
    }

    fn of_day(day: u8) -> Option<(Self, bool)> {
        Some((Self::Day(day), day <= SHORTEST_MONTH))
    }

    fn of_month_day(day: i8) -> Option<(Self, bool)> {
        match day {
            -1 => Some((Self::Nth { week: LAST_WEEK, days: EVERY_DAY }, true)),
            1..=31 => Self::of_day(day.unsigned_abs()),
            _ => None,
        }
    }

    fn of_weekdays(rule: &Recurrence, start: &Start) -> Option<(Self, bool)> {
        let days = sum(rule);
        let counted = rule.by_day.iter().any(|day| day.nth.is_some());
        match rule.by_set_position.as_slice() {
            [] if !counted => Some((Self::Each { days }, true)),
            [] => {
                // Of several, the one on which the series begins.
                let own =
                    rule.by_day.iter().find(|day| 1 << weekday_code(day.day) == start.weekday);
                let day = own.or_else(|| rule.by_day.first())?;
                let within = Self::Nth { week: week(day.nth?)?, days: 1 << weekday_code(day.day) };
                Some((within, rule.by_day.len() == 1))
            }
            [first, rest @ ..] if !counted => {
                let week = week(*first)?;
                let within = match days {
                    EVERY_DAY if week != LAST_WEEK => Self::Day(week),
                    _ => Self::Nth { week, days },
                };
                Some((within, rest.is_empty()))
            }
            _ => None,
        }
    }
}

impl Start {
    fn of(start: LocalTime) -> Option<Self> {
        let moment = jiff::Timestamp::from_second(start.as_seconds()).ok()?;
        let date = jiff::tz::TimeZone::UTC.to_datetime(moment).date();
        Some(Self {
            month: date.month().unsigned_abs(),
            day: date.day().unsigned_abs(),
            weekday: 1 << date.weekday().to_sunday_zero_offset().unsigned_abs(),
        })
    }
}

fn sum(rule: &Recurrence) -> u8 {
    rule.by_day.iter().fold(0, |sum, day| sum | 1 << weekday_code(day.day))
}

/// `WeekOfMonth`. The fifth is none that it knows: 5 means the last.
fn week(nth: impl Into<i32>) -> Option<u8> {
    match nth.into() {
        -1 => Some(LAST_WEEK),
        nth @ 1..=4 => u8::try_from(nth).ok(),
        _ => None,
    }
}
