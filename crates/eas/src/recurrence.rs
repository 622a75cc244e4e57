//! How events and tasks repeat: neutral rules to and from `Recurrence` (MS-ASCAL 2.2.2.37, MS-ASTASK
//! 2.2.2.18, and for invitations MS-ASEMAIL 2.2.2.59).
//!
//! ActiveSync knows six sorts of series, each with one day or one set of weekdays. A neutral rule
//! that is none of them is shown by the closest one whose instances there are: of the 1st and 15th
//! the one on which the series begins. Where there is none, such as for each Friday the 13th, no
//! rule is shown and the item stands for its first instance alone. Of events more is shown by what
//! a series has exceptions for: see `calendar::cover`. The rule itself stays what it was: what a
//! phone repeats unchanged is no change ([`crate::Writing`]).

use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::version::ProtocolVersion;
use dme_model::{Frequency, LocalTime, NthDay, Recurrence, RecurrenceEnd, Weekday};
use dme_wbxml::pages::{calendar, email, email2, tasks};
use dme_wbxml::{Element, Tag};

mod sort;

use sort::{EVERY_DAY, LAST_WEEK, Sort};

/// The most steps between two instances, and the most instances (MS-ASCAL 2.2.2.26, 2.2.2.34).
const MAX: u32 = 999;

/// How well ActiveSync says a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fidelity {
    /// Wholly.
    Exact,
    /// By a rule of which not all instances are the same.
    Closest,
    /// Not at all: the phone sees the first instance alone.
    None,
}

/// How well ActiveSync says the rule of an item that begins then.
pub fn fidelity(rule: &Recurrence, start: LocalTime) -> Fidelity {
    Sort::of(rule, start).map_or(Fidelity::None, |(_, exact)| match exact && is_sayable_end(rule) {
        true => Fidelity::Exact,
        false => Fidelity::Closest,
    })
}

/// Whether a phone that is told a rule so lacks instances. Of days that not every month has it is
/// told the rule all the same: there it shows the month's last day.
pub(crate) fn lacks_instances(rule: &Recurrence, start: LocalTime) -> bool {
    match Sort::of(rule, start) {
        None => rule.interval <= MAX,
        Some((_, true)) => false,
        Some((Sort::Monthly { day } | Sort::Yearly { day, .. }, false)) => {
            let one = rule.by_month_day.len() <= 1 && rule.by_month.len() <= 1;
            !(one && day > sort::SHORTEST_MONTH)
        }
        Some((_, false)) => true,
    }
}

/// The tags of one class.
pub(crate) struct Vocabulary {
    pub sort: Tag,
    pub until: Tag,
    pub occurrences: Tag,
    pub interval: Tag,
    pub day_of_week: Tag,
    pub day_of_month: Tag,
    pub week_of_month: Tag,
    pub month_of_year: Tag,
    pub calendar_type: Tag,
    pub is_leap_month: Tag,
    pub first_day_of_week: Tag,
}

pub(crate) const OF_EVENTS: Vocabulary = Vocabulary {
    sort: calendar::TYPE,
    until: calendar::UNTIL,
    occurrences: calendar::OCCURRENCES,
    interval: calendar::INTERVAL,
    day_of_week: calendar::DAY_OF_WEEK,
    day_of_month: calendar::DAY_OF_MONTH,
    week_of_month: calendar::WEEK_OF_MONTH,
    month_of_year: calendar::MONTH_OF_YEAR,
    calendar_type: calendar::CALENDAR_TYPE,
    is_leap_month: calendar::IS_LEAP_MONTH,
    first_day_of_week: calendar::FIRST_DAY_OF_WEEK,
};

pub(crate) const OF_TASKS: Vocabulary = Vocabulary {
    sort: tasks::TYPE,
    until: tasks::UNTIL,
    occurrences: tasks::OCCURRENCES,
    interval: tasks::INTERVAL,
    day_of_week: tasks::DAY_OF_WEEK,
    day_of_month: tasks::DAY_OF_MONTH,
    week_of_month: tasks::WEEK_OF_MONTH,
    month_of_year: tasks::MONTH_OF_YEAR,
    calendar_type: tasks::CALENDAR_TYPE,
    is_leap_month: tasks::IS_LEAP_MONTH,
    first_day_of_week: tasks::FIRST_DAY_OF_WEEK,
};

/// In an invitation.
pub(crate) const OF_MAIL: Vocabulary = Vocabulary {
    sort: email::TYPE,
    until: email::UNTIL,
    occurrences: email::OCCURRENCES,
    interval: email::INTERVAL,
    day_of_week: email::DAY_OF_WEEK,
    day_of_month: email::DAY_OF_MONTH,
    week_of_month: email::WEEK_OF_MONTH,
    month_of_year: email::MONTH_OF_YEAR,
    calendar_type: email2::CALENDAR_TYPE,
    is_leap_month: email2::IS_LEAP_MONTH,
    first_day_of_week: email2::FIRST_DAY_OF_WEEK,
};

/// The children of `Recurrence` for a rule, in the documents' order; none where ActiveSync cannot
/// say it. `until` writes when the last instance begins.
pub(crate) fn children(
    tags: &Vocabulary,
    rule: &Recurrence,
    start: LocalTime,
    version: ProtocolVersion,
    until: impl Fn(LocalTime) -> String,
) -> Option<Vec<Element>> {
    let (sort, _) = Sort::of(rule, start)?;
    let mut children = vec![];
    children.put_number(tags.sort, sort.code());
    children.put_number(tags.interval, rule.interval.max(1));
    match rule.end {
        RecurrenceEnd::Until(last) => children.put(tags.until, until(last)),
        RecurrenceEnd::Count(count) if count <= MAX => {
            children.put_number(tags.occurrences, count);
        }
        RecurrenceEnd::Count(_) | RecurrenceEnd::Never => {}
    }
    let (month, week, days, day) = match sort {
        Sort::Daily => (None, None, None, None),
        Sort::Weekly { days } => (None, None, Some(days), None),
        Sort::Monthly { day } => (None, None, None, Some(day)),
        Sort::MonthlyByDay { week, days } => (None, Some(week), Some(days), None),
        Sort::Yearly { month, day } => (Some(month), None, None, Some(day)),
        Sort::YearlyByDay { month, week, days } => (Some(month), Some(week), Some(days), None),
    };
    children.put_some_number(tags.week_of_month, week);
    children.put_some_number(tags.day_of_week, days);
    children.put_some_number(tags.day_of_month, day);
    children.put_some_number(tags.month_of_year, month);
    if version >= ProtocolVersion::V14_0 && !matches!(sort, Sort::Daily | Sort::Weekly { .. }) {
        // Gregorian.
        children.put(tags.calendar_type, "1");
    }
    if version >= ProtocolVersion::V14_1 && matches!(sort, Sort::Weekly { .. }) {
        // Left out it is Monday in iCalendar (RFC 5545 §3.3.10), in ActiveSync what the user has set
        // (MS-ASCAL 2.2.2.24, MS-ASEMAIL 2.2.2.33).
        let first = rule.first_day.or_else(|| counts_weeks(rule).then_some(Weekday::Monday));
        children.put_some_number(tags.first_day_of_week, first.map(weekday_code));
    }
    Some(children)
}

/// Whether the day on which weeks begin decides which instances there are.
fn counts_weeks(rule: &Recurrence) -> bool {
    rule.frequency == Frequency::Weekly && rule.interval > 1
}

/// Makes no change of what a phone says, or does not, of the day on which weeks begin, where the rule
/// is the same with it. `written` and `told` are rules as they are read, `present` is the item's.
///
/// Left out, it stays; where it decides nothing it stays whatever a phone says; and Monday, told of a
/// rule that does not name it, is not named in either.
pub(crate) fn keep_first_day(
    written: &mut Option<Recurrence>,
    told: &mut Option<Recurrence>,
    present: Option<&Recurrence>,
) {
    let Some(told) = told else { return };
    let mut written = written.as_mut();
    if let Some(written) = &mut written {
        let said = written.first_day.filter(|_| counts_weeks(written));
        written.first_day = said.or(told.first_day);
    }
    if present.is_some_and(|present| present.first_day.is_none()) {
        for rule in written.into_iter().chain([told]) {
            rule.first_day = rule.first_day.filter(|day| *day != Weekday::Monday);
        }
    }
}

/// The neutral rule a `Recurrence` says; none where it is empty. `until` reads when the last
/// instance begins.
///
/// # Errors
/// Where the sort of series is none of the six, a value is out of its range, both `Until` and
/// `Occurrences` are there, or days are counted by another calendar than the Gregorian.
pub(crate) fn read(
    tags: &Vocabulary,
    element: &Element,
    until: impl Fn(&Element) -> Result<LocalTime>,
) -> Result<Option<Recurrence>> {
    if element.children().is_empty() {
        return Ok(None);
    }
    let in_range = |tag: Tag, range: std::ops::RangeInclusive<u8>, expected| {
        let number = element.number_of::<u8>(tag)?;
        match number {
            Some(number) if !range.contains(&number) => {
                Err(Error::Value { element: tag, expected })
            }
            _ => Ok(number),
        }
    };
    let days = in_range(tags.day_of_week, 1..=EVERY_DAY, "a sum of weekdays, 1 to 127")?;
    let day = in_range(tags.day_of_month, 1..=127, "a day, 1 to 31, or 127 for the last")?;
    let week = in_range(tags.week_of_month, 1..=LAST_WEEK, "a week, 1 to 5")?;
    let month = in_range(tags.month_of_year, 1..=12, "a month, 1 to 12")?;
    if day.is_some_and(|day| (32..127).contains(&day)) {
        return Err(Error::Value { element: tags.day_of_month, expected: "1 to 31, or 127" });
    }
    read_calendar(tags, element)?;
    let mut rule = Recurrence::every(Frequency::Daily);
    match element.required_number::<u8>(tags.sort)? {
        0 | 1 if days.is_some() => rule.set_week(days),
        0 => {}
        1 => rule.frequency = Frequency::Weekly,
        2 => rule.set_month_day(Frequency::Monthly, day),
        3 => rule.set_nth_day(Frequency::Monthly, week, days),
        5 => rule.set_month_day(Frequency::Yearly, day),
        6 => rule.set_nth_day(Frequency::Yearly, week, days),
        _ => return Err(Error::Value { element: tags.sort, expected: "0 to 3, 5 or 6" }),
    }
    if rule.frequency == Frequency::Yearly {
        rule.by_month.extend(month);
    }
    let interval = element.number_of::<u32>(tags.interval)?.unwrap_or(1);
    if interval > MAX {
        return Err(Error::Value { element: tags.interval, expected: "1 to 999" });
    }
    rule.interval = interval.max(1);
    rule.first_day = in_range(tags.first_day_of_week, 0..=6, "a weekday, 0 to 6")?
        .and_then(|code| Weekday::ALL.get(usize::from(code)).copied());
    rule.end = match (element.child(tags.until), element.number_of::<u32>(tags.occurrences)?) {
        (Some(_), Some(_)) => return Err(Error::Conflict(tags.until, tags.occurrences)),
        (Some(last), None) => RecurrenceEnd::Until(until(last)?),
        (None, Some(0)) => {
            return Err(Error::Value { element: tags.occurrences, expected: "1 to 999" });
        }
        (None, Some(count)) => RecurrenceEnd::Count(count),
        (None, None) => RecurrenceEnd::Never,
    };
    Ok(Some(rule))
}

/// Refuses what is counted otherwise than by the Gregorian calendar: moons would be read as months.
/// Japan's, Taiwan's, Korea's and Thailand's own differ from it in the year's number alone.
fn read_calendar(tags: &Vocabulary, element: &Element) -> Result<()> {
    let gregorian = matches!(
        element.number_of::<u8>(tags.calendar_type)?,
        None | Some(0..=5 | 7 | 9..=12)
    );
    if !gregorian || element.boolean_of(tags.is_leap_month)? == Some(true) {
        let element = if gregorian { tags.is_leap_month } else { tags.calendar_type };
        return Err(Error::Value { element, expected: "the Gregorian calendar" });
    }
    Ok(())
}

/// When the last instance of a series begins at the latest that ends then. Told so, phones that take
/// `Until` for a day see the same series as those that take it for a moment.
pub(crate) fn last_begin(until: LocalTime, start: LocalTime) -> LocalTime {
    let midnight = |time: LocalTime| LocalTime::from_days(time.as_days());
    let of_day = start.as_seconds().saturating_sub(midnight(start).as_seconds());
    let that_day = midnight(until).plus_seconds(of_day);
    if that_day > until { that_day.plus_seconds(-86_400) } else { that_day }
}

fn is_sayable_end(rule: &Recurrence) -> bool {
    !matches!(rule.end, RecurrenceEnd::Count(count) if count > MAX)
}

/// Sunday 0 to Saturday 6.
fn weekday_code(day: Weekday) -> u8 {
    let place = Weekday::ALL.iter().position(|other| *other == day).unwrap_or_default();
    u8::try_from(place).unwrap_or_default()
}

/// The weekdays a sum names, from Sunday on: Sunday 1, Monday 2, Tuesday 4 …
fn weekdays(sum: u8) -> impl Iterator<Item = Weekday> {
    Weekday::ALL.into_iter().filter(move |day| sum & (1 << weekday_code(*day)) != 0)
}

/// What the elements of one sort of series say.
trait Said {
    fn set_week(&mut self, days: Option<u8>);
    fn set_month_day(&mut self, frequency: Frequency, day: Option<u8>);
    fn set_nth_day(&mut self, frequency: Frequency, week: Option<u8>, days: Option<u8>);
}

impl Said for Recurrence {
    fn set_week(&mut self, days: Option<u8>) {
        self.frequency = Frequency::Weekly;
        let days = weekdays(days.unwrap_or_default());
        self.by_day = days.map(|day| NthDay { day, nth: None }).collect();
    }

    /// Without a day it is the one on which the series begins.
    fn set_month_day(&mut self, frequency: Frequency, day: Option<u8>) {
        self.frequency = frequency;
        let day = day.map(|day| if day == EVERY_DAY { -1 } else { i8::try_from(day).unwrap_or(1) });
        self.by_month_day.extend(day);
    }

    fn set_nth_day(&mut self, frequency: Frequency, week: Option<u8>, days: Option<u8>) {
        self.frequency = frequency;
        let week = week.unwrap_or(1);
        let nth = if week == LAST_WEEK { -1 } else { i8::try_from(week).unwrap_or(1) };
        let days = days.unwrap_or_default();
        let mut named = weekdays(days);
        match (named.next(), named.next()) {
            _ if days == EVERY_DAY => self.by_month_day.push(nth),
            (Some(day), None) => self.by_day.push(NthDay { day, nth: Some(nth) }),
            _ => {
                self.by_day.extend(weekdays(days).map(|day| NthDay { day, nth: None }));
                if days != 0 {
                    self.by_set_position.push(nth.into());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
