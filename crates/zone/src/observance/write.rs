//! Observances for a zone.

use super::{Observance, ObservanceKind};
use crate::rules::second_of_day;
use crate::timeline::{Change, Timeline, year_start};
use crate::yearly::{Week, YearlyDay};
use dme_model::{Frequency, LocalTime, NthDay, Recurrence, RecurrenceEnd, Timestamp, Weekday};
use jiff::civil::{self, Date, DateTime};
use jiff::tz::TimeZone;

/// How many years ahead a rule must hold to hold for ever.
const YEARS: i16 = 30;

/// From here on everything is told, also for later items. Some programs tell zones apart by the
/// years from 2000 on: to `vobject` a zone whose clocks first change in 2025 is UTC if London's.
const FIRST_YEAR: i16 = 1999;

/// Fewer years in a row are dates rather than a rule.
const SHORTEST_RULE: usize = 3;

/// No summer time is longer.
const LONGEST_SUMMER: i64 = 400 * 86_400;

pub(super) fn observances(zone: &TimeZone, from_year: i16) -> Vec<Observance> {
    // The changes of the year before say what holds when it begins.
    let first_year = from_year.saturating_sub(1).min(FIRST_YEAR);
    let last_year = from_year.max(FIRST_YEAR).saturating_add(YEARS);
    let timeline = Timeline::of_zone(zone, first_year, last_year - first_year);
    let mut all = vec![beginning(zone, &timeline, first_year)];
    let mut groups: Vec<Vec<&Change>> = vec![];
    for change in &timeline.changes {
        let same = |other: &Change| {
            (other.before, other.after, &other.name) == (change.before, change.after, &change.name)
        };
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| same(first))) {
            Some(group) => group.push(change),
            None => groups.push(vec![change]),
        }
    }
    for group in groups {
        all.extend(of_group(&group, last_year - 1, is_summer(&group, &timeline)));
    }
    all
}

/// What holds before the first change.
fn beginning(zone: &TimeZone, timeline: &Timeline, year: i16) -> Observance {
    let at = crate::zone::instant(Timestamp::from_seconds(year_start(year)));
    Observance {
        kind: ObservanceKind::Standard,
        start: LocalTime::from_seconds(year_start(year)),
        offset_from: timeline.first,
        offset_to: timeline.first,
        rule: None,
        dates: vec![],
        name: zone.to_offset_info(at).abbreviation().to_owned(),
    }
}

/// Clocks that are put forward, and back within a year.
fn is_summer(group: &[&Change], timeline: &Timeline) -> bool {
    group.iter().any(|change| {
        let next = timeline.changes.iter().find(|next| next.at > change.at);
        let is_back =
            |next: &Change| next.after == change.before && next.at - change.at < LONGEST_SUMMER;
        change.after > change.before && next.is_some_and(is_back)
    })
}

/// Changes between the same offsets as rules, as far as they follow one, and single dates.
fn of_group(group: &[&Change], last_year: i16, is_summer: bool) -> Vec<Observance> {
    let observance = |times: &[DateTime], rule| {
        let (first, dates) = times.split_first()?;
        let change = group.first()?;
        Some(Observance {
            kind: if is_summer { ObservanceKind::Daylight } else { ObservanceKind::Standard },
            start: local(*first),
            offset_from: change.before,
            offset_to: change.after,
            rule,
            dates: dates.iter().copied().map(local).collect(),
            name: change.name.clone(),
        })
    };
    let times: Vec<DateTime> = group.iter().map(|change| change.clock()).collect();
    let (mut all, mut single, mut rest) = (vec![], vec![], &*times);
    while let Some((first, after_first)) = rest.split_first() {
        let (day, length) = longest_run(rest);
        let (run, after_run) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        if length < SHORTEST_RULE {
            single.push(*first);
            rest = after_first;
            continue;
        }
        let goes_on = run.last().is_some_and(|last| last.year() >= last_year);
        for (month, by_day, by_month_day) in parts(day) {
            let of_month: Vec<DateTime> =
                run.iter().filter(|time| time.month() == month).copied().collect();
            let Some((first, later)) = of_month.split_first() else { continue };
            let until = later.last().copied().unwrap_or(*first);
            let end =
                if goes_on { RecurrenceEnd::Never } else { RecurrenceEnd::Until(local(until)) };
            let rule = Recurrence {
                by_month: vec![month.unsigned_abs()],
                by_day: vec![by_day],
                by_month_day,
                end,
                ..Recurrence::every(Frequency::Yearly)
            };
            all.extend(observance(&[*first], Some(rule)));
        }
        rest = after_run;
    }
    all.extend(observance(&single, None));
    all
}

/// The day that explains the first time and the most of the following, a year each.
fn longest_run(times: &[DateTime]) -> (YearlyDay, usize) {
    let Some(first) = times.first() else {
        return (YearlyDay { month: 1, weekday: civil::Weekday::Monday, week: Week::Last }, 0);
    };
    let length = |day: &YearlyDay| {
        let years = first.year()..;
        let explained = times.iter().zip(years).take_while(|(time, year)| {
            // The day may lie in the year after the one it is counted from.
            second_of_day(**time) == second_of_day(*first) && day.date(*year) == Some(time.date())
        });
        explained.count()
    };
    let mut days: Vec<YearlyDay> = YearlyDay::by_any(first.date()).collect();
    // The first of those that are as good.
    days.reverse();
    let days = days.into_iter().map(|day| (day, length(&day)));
    days.max_by_key(|(_, length)| *length).unwrap_or((
        YearlyDay { month: first.month(), weekday: first.weekday(), week: Week::Last },
        1,
    ))
}

/// A yearly day as month, weekday and days of the month; in two months where it may fall into the
/// next.
fn parts(day: YearlyDay) -> Vec<(i8, NthDay, Vec<i8>)> {
    let weekday = weekday(day.weekday);
    let nth = |nth| vec![(day.month, NthDay { day: weekday, nth: Some(nth) }, vec![])];
    match day.week {
        Week::Last => nth(-1),
        Week::From(from) if from % 7 == 1 && from < 28 => nth(from / 7 + 1),
        Week::From(from) => {
            let each = NthDay { day: weekday, nth: None };
            // No rule of any zone is about a leap day.
            let length = Date::new(2001, day.month, 1).map_or(31, Date::days_in_month);
            let (this, next): (Vec<i8>, Vec<i8>) = (from..from + 7).partition(|day| *day <= length);
            let next: Vec<i8> = next.into_iter().map(|day| day - length).collect();
            let months = [(day.month, this), (day.month % 12 + 1, next)];
            let months = months.into_iter().filter(|(_, days)| !days.is_empty());
            months.map(|(month, days)| (month, each, days)).collect()
        }
    }
}

fn local(time: DateTime) -> LocalTime {
    let seconds = jiff::tz::Offset::UTC.to_timestamp(time).map_or(0, |time| time.as_second());
    LocalTime::from_seconds(seconds)
}

fn weekday(day: civil::Weekday) -> Weekday {
    match day {
        civil::Weekday::Sunday => Weekday::Sunday,
        civil::Weekday::Monday => Weekday::Monday,
        civil::Weekday::Tuesday => Weekday::Tuesday,
        civil::Weekday::Wednesday => Weekday::Wednesday,
        civil::Weekday::Thursday => Weekday::Thursday,
        civil::Weekday::Friday => Weekday::Friday,
        civil::Weekday::Saturday => Weekday::Saturday,
    }
}
