//! When the clocks change by given observances.

use super::Observance;
use crate::timeline::{Change, Timeline, clock};
use dme_model::{Frequency, LocalTime, NthDay, Recurrence, RecurrenceEnd, Weekday};
use jiff::civil::{self, Date};

/// No zone has had so many changes in its written history.
const MOST_OBSERVANCES: usize = 512;
const MOST_CHANGES: usize = 4_096;

/// No zone is or was further from UTC.
const FURTHEST: u32 = 86_400;

impl Timeline {
    /// The changes in a year and the ones after it; the last one before is known by its offset.
    /// None where no observance is usable.
    pub(crate) fn of_observances(
        observances: &[Observance],
        year: i16,
        years: i16,
    ) -> Option<Self> {
        let is_usable = |observance: &&Observance| {
            let offsets = [observance.offset_from, observance.offset_to];
            offsets.iter().all(|offset| offset.unsigned_abs() < FURTHEST)
        };
        let mut onsets = vec![];
        for observance in observances.iter().take(MOST_OBSERVANCES).filter(is_usable) {
            let room = MOST_CHANGES.saturating_sub(onsets.len());
            for local in times(observance, year, years).into_iter().take(room) {
                let at = local.as_seconds().saturating_sub(i64::from(observance.offset_from));
                onsets.push((at, observance));
            }
        }
        onsets.sort_by_key(|(at, _)| *at);
        let (_, earliest) = onsets.first()?;
        let mut timeline = Self { first: earliest.offset_from, changes: vec![] };
        let mut before = timeline.first;
        for (at, observance) in onsets {
            let (after, name) = (observance.offset_to, observance.name.clone());
            let change = Change { at, before, after, name };
            let its_year = change.clock().year();
            if its_year >= year.saturating_add(years) {
                break;
            }
            before = after;
            if its_year < year {
                timeline.first = after;
            } else if change.before != after {
                timeline.changes.push(change);
            }
        }
        Some(timeline)
    }
}

/// The times of an observance in some years, and at least the last one before them.
fn times(observance: &Observance, year: i16, years: i16) -> Vec<LocalTime> {
    let mut times = vec![observance.start];
    times.extend(observance.dates.iter().take(MOST_CHANGES));
    let Some(rule) = observance.rule.as_ref() else { return times };
    if rule.frequency != Frequency::Yearly {
        return times;
    }
    let start = clock(observance.start.as_seconds(), 0);
    let first = start.year();
    let interval = i16::try_from(rule.interval.max(1)).unwrap_or(i16::MAX);
    let last = match rule.end {
        RecurrenceEnd::Never => i16::MAX,
        RecurrenceEnd::Until(until) => clock(until.as_seconds(), 0).year(),
        // A rule of a zone has one day a year.
        RecurrenceEnd::Count(count) => {
            let years = i16::try_from(count).unwrap_or(i16::MAX).saturating_sub(1);
            first.saturating_add(years.saturating_mul(interval))
        }
    };
    let last = last.min(year.saturating_add(years));
    // The last time before these years is wanted too.
    let skipped = year.min(last).saturating_sub(first).max(0) / interval;
    let from = first.saturating_add(skipped.saturating_sub(1).saturating_mul(interval)).max(first);
    for year in (from..=last).step_by(usize::from(interval.unsigned_abs())) {
        for date in dates(rule, start.date(), year) {
            let time = i64::from(crate::rules::second_of_day(start));
            let local = days_since_epoch(date).saturating_mul(86_400).saturating_add(time);
            let local = LocalTime::from_seconds(local);
            let in_time = match rule.end {
                RecurrenceEnd::Until(until) => local <= until,
                _ => true,
            };
            if in_time && local > observance.start {
                times.push(local);
            }
        }
    }
    times
}

/// The days of a yearly rule in a year.
fn dates(rule: &Recurrence, start: Date, year: i16) -> Vec<Date> {
    let is_month = |month: &i8| match &*rule.by_month {
        [] => *month == start.month(),
        months => months.contains(&month.unsigned_abs()),
    };
    let mut all = vec![];
    for first in (1..=12).filter(is_month).filter_map(|month| Date::new(year, month, 1).ok()) {
        let days: Vec<Date> = first.series(jiff::Span::new().days(1)).take(31).collect();
        let days = days.into_iter().filter(|day| day.month() == first.month());
        all.extend(days.filter(|day| match (&*rule.by_day, &*rule.by_month_day) {
            ([], []) => day.day() == start.day(),
            ([], month_days) => is_month_day(*day, month_days),
            (weekdays, []) => weekdays.iter().any(|weekday| is_weekday(*day, *weekday)),
            (weekdays, month_days) => {
                weekdays.iter().any(|weekday| is_weekday(*day, *weekday))
                    && is_month_day(*day, month_days)
            }
        }));
    }
    if rule.by_set_position.is_empty() {
        return all;
    }
    let place = |position: i16| match usize::from(position.unsigned_abs()) {
        0 => None,
        place if position > 0 => all.get(place - 1),
        place => all.get(all.len().checked_sub(place)?),
    };
    let positions = rule.by_set_position.iter().take(366);
    positions.filter_map(|position| place(*position).copied()).collect()
}

fn is_month_day(day: Date, month_days: &[i8]) -> bool {
    let from_end = day.day() - day.days_in_month() - 1;
    month_days.iter().any(|wanted| *wanted == day.day() || *wanted == from_end)
}

fn is_weekday(day: Date, wanted: NthDay) -> bool {
    if day.weekday() != weekday(wanted.day) {
        return false;
    }
    match wanted.nth {
        None => true,
        Some(nth) if nth > 0 => (day.day() - 1) / 7 + 1 == nth,
        Some(nth) => (day.days_in_month() - day.day()) / 7 + 1 == nth.saturating_neg(),
    }
}

fn weekday(day: Weekday) -> civil::Weekday {
    match day {
        Weekday::Sunday => civil::Weekday::Sunday,
        Weekday::Monday => civil::Weekday::Monday,
        Weekday::Tuesday => civil::Weekday::Tuesday,
        Weekday::Wednesday => civil::Weekday::Wednesday,
        Weekday::Thursday => civil::Weekday::Thursday,
        Weekday::Friday => civil::Weekday::Friday,
        Weekday::Saturday => civil::Weekday::Saturday,
    }
}

fn days_since_epoch(date: Date) -> i64 {
    date.since((jiff::Unit::Day, Date::constant(1970, 1, 1)))
        .map_or(0, |span| i64::from(span.get_days()))
}
