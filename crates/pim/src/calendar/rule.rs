//! Recurrence rules as text (RFC 5545 §3.3.10) ↔ the neutral [`Recurrence`].
//!
//! A rule that the neutral one has no words for (by another calendar, or at times that do not come
//! again) is [`Rule::Beyond`] it. Of several times a day ([`Rule::Part`]) it has words for one.
//! Parts that say what the start says anyway, such as `BYHOUR` of the hour at which the series
//! begins, are no hindrance.

use super::value::{DAY, DateTime};
use dme_model::{Frequency, LocalTime, NthDay, Recurrence, RecurrenceEnd, Weekday};
use std::collections::BTreeSet;

/// A rule that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rule {
    /// One that the neutral form says whole.
    Neutral(Recurrence),
    /// One with several times a day, of which the neutral form says that at which the series begins.
    Part(Recurrence),
    /// One that it has no words for.
    Beyond,
}

/// Reads the text of an `RRULE`, with or without that name before it. `start` is when the series
/// begins, by its own clock; `local` makes a reading of that clock of one of UTC, which is how
/// rules of series in a time zone name their end. None where it is no rule at all.
pub fn parse(text: &str, start: LocalTime, local: impl Fn(LocalTime) -> LocalTime) -> Option<Rule> {
    let text = text.trim();
    let text = match text.get(..6) {
        Some(name) if name.eq_ignore_ascii_case("RRULE:") => text.get(6..)?,
        _ => text,
    };
    let mut rule = Recurrence::every(Frequency::Daily);
    let mut frequency = None;
    let mut beyond = false;
    let mut times = Times::default();
    let time = start.as_seconds().rem_euclid(DAY);
    for part in text.split(';').filter(|part| !part.trim().is_empty()) {
        let (name, value) = part.split_once('=')?;
        let (name, value) = (name.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase());
        match name.as_str() {
            "FREQ" => match value.as_str() {
                "DAILY" => frequency = Some(Frequency::Daily),
                "WEEKLY" => frequency = Some(Frequency::Weekly),
                "MONTHLY" => frequency = Some(Frequency::Monthly),
                "YEARLY" => frequency = Some(Frequency::Yearly),
                "HOURLY" => times.unit = Some(3600),
                "MINUTELY" => times.unit = Some(60),
                "SECONDLY" => times.unit = Some(1),
                _ => return None,
            },
            "INTERVAL" => rule.interval = value.parse::<u32>().ok()?.max(1),
            "COUNT" => rule.end = RecurrenceEnd::Count(value.parse::<u32>().ok()?.max(1)),
            "UNTIL" => {
                let until = DateTime::parse(&value)?;
                rule.end = RecurrenceEnd::Until(match until {
                    // A day as the end of a series of times means that whole day.
                    DateTime { date: true, local, .. } if time > 0 => local.plus_seconds(DAY - 1),
                    DateTime { utc: true, local: at, .. } => local(at),
                    DateTime { local, .. } => local,
                });
            }
            "BYDAY" => rule.by_day = numbers(&value, nth_day)?,
            "BYMONTHDAY" => rule.by_month_day = numbers(&value, |text| within(text, 31))?,
            // Other calendars have leap months (`5L`), and longer years.
            "BYMONTH" => match numbers(&value, |text| within::<i8>(text, 12)) {
                Some(months) => {
                    rule.by_month =
                        months.iter().filter_map(|one| u8::try_from(*one).ok()).collect();
                }
                None => beyond = true,
            },
            "BYYEARDAY" => match numbers(&value, |text| within(text, 366)) {
                Some(days) => rule.by_year_day = days,
                None => beyond = true,
            },
            "BYWEEKNO" => match numbers(&value, |text| within(text, 53)) {
                Some(weeks) => rule.by_week_number = weeks,
                None => beyond = true,
            },
            "BYSETPOS" => rule.by_set_position = numbers(&value, |text| within(text, 366))?,
            "WKST" => rule.first_day = Some(weekday(&value)?),
            "BYHOUR" => times.limit(&value, time / 3600),
            "BYMINUTE" => times.limit(&value, time / 60 % 60),
            "BYSECOND" => times.limit(&value, time % 60),
            "RSCALE" => beyond |= value != "GREGORIAN",
            "SKIP" => beyond |= value != "OMIT",
            // What nobody defined says nothing (RFC 5545 §3.3.10 allows none).
            _ => {}
        }
    }
    if times.unit.is_some() {
        frequency = Some(Frequency::Daily);
    }
    rule.frequency = frequency?;
    Some(match times.of_a_day(&mut rule) {
        _ if beyond => Rule::Beyond,
        Some(1) => Rule::Neutral(rule),
        Some(_) => Rule::Part(rule),
        None => Rule::Beyond,
    })
}

/// What a rule says of the times of a day.
#[derive(Default)]
struct Times {
    /// The seconds of the step of a rule that steps by less than days.
    unit: Option<i64>,
    /// How many times of a day the limits name, one with another; none where the start is at none.
    named: Option<u32>,
    limited: bool,
}

impl Times {
    /// Takes in a list of hours, minutes or seconds; `own` is that of the start.
    fn limit(&mut self, value: &str, own: i64) {
        let all = numbers(value, |text| text.parse::<i64>().ok()).unwrap_or_default();
        let distinct = u32::try_from(BTreeSet::from_iter(&all).len()).unwrap_or(u32::MAX);
        let before = if self.limited { self.named } else { Some(1) };
        self.limited = true;
        self.named =
            before.filter(|_| all.contains(&own)).map(|count| count.saturating_mul(distinct));
    }

    /// How many instances the rule has for each at the start's time of day; makes a rule of days of
    /// it, of these alone. None where that time does not come again, or they cannot be counted and
    /// must be.
    fn of_a_day(&self, rule: &mut Recurrence) -> Option<u32> {
        let limit = if self.limited { self.named? } else { 1 };
        let count = match self.unit {
            None => Some(limit),
            Some(unit) => {
                let step = unit.checked_mul(i64::from(rule.interval))?;
                // After so many steps it is the start's time of day again.
                let steps = DAY / greatest_common_divisor(DAY, step);
                rule.interval = u32::try_from(steps.checked_mul(step)? / DAY).ok()?;
                match u32::try_from(steps).ok()? {
                    1 => Some(1),
                    // Days that are left out are left out evenly only where each is like the next.
                    steps if !self.limited && (rule.interval == 1 || !limits_days(rule)) => {
                        Some(steps)
                    }
                    // Each time that the limits name is one of the steps only where these are single.
                    _ if step == unit && unit == 3600 => Some(limit),
                    _ => None,
                }
            }
        };
        let several = count != Some(1);
        if several && !rule.by_set_position.is_empty() {
            return None;
        }
        match (&mut rule.end, count) {
            (RecurrenceEnd::Count(all), Some(count)) => *all = all.div_ceil(count),
            (RecurrenceEnd::Count(_), None) => return None,
            _ => {}
        }
        Some(count.unwrap_or(u32::MAX))
    }
}

/// Whether a rule leaves out days that its steps come to.
fn limits_days(rule: &Recurrence) -> bool {
    !(rule.by_day.is_empty() && rule.by_month_day.is_empty() && rule.by_month.is_empty())
        || rule.counts_by_year()
}

pub(crate) fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The text of a rule, without the name. `until` writes the end of the series as its start is
/// written: a date of whole days, a time without a zone of a floating one, a time in UTC of any
/// other (RFC 5545 §3.3.10).
pub fn format(rule: &Recurrence, until: impl Fn(LocalTime) -> String) -> String {
    let frequency = match rule.frequency {
        Frequency::Daily => "DAILY",
        Frequency::Weekly => "WEEKLY",
        Frequency::Monthly => "MONTHLY",
        Frequency::Yearly => "YEARLY",
    };
    let mut out = format!("FREQ={frequency}");
    match rule.end {
        RecurrenceEnd::Never => {}
        RecurrenceEnd::Until(last) => out.push_str(&format!(";UNTIL={}", until(last))),
        RecurrenceEnd::Count(count) => out.push_str(&format!(";COUNT={count}")),
    }
    if rule.interval > 1 {
        out.push_str(&format!(";INTERVAL={}", rule.interval));
    }
    push_list(&mut out, "BYMONTH", &rule.by_month, u8::to_string);
    push_list(&mut out, "BYWEEKNO", &rule.by_week_number, i8::to_string);
    push_list(&mut out, "BYYEARDAY", &rule.by_year_day, i16::to_string);
    push_list(&mut out, "BYMONTHDAY", &rule.by_month_day, i8::to_string);
    push_list(&mut out, "BYDAY", &rule.by_day, |day| {
        let nth = day.nth.map(|nth| nth.to_string()).unwrap_or_default();
        format!("{nth}{}", weekday_code(day.day))
    });
    push_list(&mut out, "BYSETPOS", &rule.by_set_position, i16::to_string);
    if let Some(day) = rule.first_day {
        out.push_str(&format!(";WKST={}", weekday_code(day)));
    }
    out
}

fn push_list<T>(out: &mut String, name: &str, values: &[T], text: impl Fn(&T) -> String) {
    if !values.is_empty() {
        let values: Vec<String> = values.iter().map(text).collect();
        out.push_str(&format!(";{name}={}", values.join(",")));
    }
}

/// How many values a part may have: the days of a year.
const MAX_VALUES: usize = 366;

fn numbers<T>(value: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    value
        .split(',')
        .filter(|one| !one.trim().is_empty())
        .take(MAX_VALUES)
        .map(|one| read(one.trim()))
        .collect()
}

/// A number other than zero up to a limit, and its negative.
fn within<T: TryFrom<i32>>(text: &str, limit: i32) -> Option<T> {
    let number: i32 = text.parse().ok()?;
    if number == 0 || number.abs() > limit {
        return None;
    }
    T::try_from(number).ok()
}

fn nth_day(text: &str) -> Option<NthDay> {
    let at = text.len().checked_sub(2).filter(|at| text.is_char_boundary(*at))?;
    let (nth, day) = text.split_at(at);
    let nth = if nth.is_empty() { None } else { Some(within(nth, 53)?) };
    Some(NthDay { day: weekday(day)?, nth })
}

const CODES: [&str; 7] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

fn weekday(code: &str) -> Option<Weekday> {
    let at = CODES.iter().position(|one| *one == code)?;
    Weekday::ALL.get(at).copied()
}

fn weekday_code(day: Weekday) -> &'static str {
    let at = Weekday::ALL.iter().position(|one| *one == day).unwrap_or_default();
    CODES.get(at).copied().unwrap_or("SU")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::value;

    fn neutral(text: &str) -> Recurrence {
        match parse(text, LocalTime::from_seconds(9 * 3600), |at| at.plus_seconds(3600)) {
            Some(Rule::Neutral(rule)) => rule,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn rules_survive_both_ways() {
        for text in [
            "FREQ=DAILY",
            "FREQ=WEEKLY;COUNT=5;INTERVAL=2;BYDAY=MO,WE;WKST=SU",
            "FREQ=MONTHLY;BYMONTHDAY=-1,15",
            "FREQ=MONTHLY;UNTIL=20270101T080000Z;BYDAY=-1FR",
            "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "FREQ=YEARLY;BYYEARDAY=1,-1",
            "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        ] {
            let back = format(&neutral(text), |last| value::utc(last.plus_seconds(-3600).as_utc()));
            assert_eq!(back, text);
        }
    }

    #[test]
    fn the_end_is_read_on_the_series_own_clock() {
        let end = |text: &str| match neutral(text).end {
            RecurrenceEnd::Until(last) => value::date_time(last),
            end => panic!("{end:?}"),
        };
        assert_eq!(end("FREQ=DAILY;UNTIL=20270101T080000Z"), "20270101T090000");
        assert_eq!(end("FREQ=DAILY;UNTIL=20270101T080000"), "20270101T080000");
        assert_eq!(end("FREQ=DAILY;UNTIL=20270101"), "20270101T235959");
    }

    #[test]
    fn what_the_neutral_form_has_no_words_for_is_said_so() {
        for text in [
            "FREQ=HOURLY;INTERVAL=5;BYHOUR=9,14;COUNT=4",
            "FREQ=DAILY;BYHOUR=8,12",
            "FREQ=DAILY;BYHOUR=9,12;BYSETPOS=1",
            "FREQ=MINUTELY;INTERVAL=30;BYHOUR=9,10;COUNT=8",
            "RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=BACKWARD",
            "RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=5L",
            "RSCALE=HEBREW;FREQ=YEARLY;BYYEARDAY=380",
            "RSCALE=HEBREW;FREQ=YEARLY;BYWEEKNO=55",
            "FREQ=HOURLY;INTERVAL=5;BYDAY=MO,FR;COUNT=25",
            "FREQ=HOURLY;INTERVAL=36;BYMONTH=1;COUNT=9",
        ] {
            let read = parse(text, LocalTime::from_seconds(9 * 3600), |at| at);
            assert_eq!(read, Some(Rule::Beyond), "{text}");
        }
        neutral("RRULE:FREQ=DAILY;BYHOUR=9;BYMINUTE=0;BYSECOND=0;X-OWN=1");
        neutral("RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=OMIT");
    }

    #[test]
    fn of_several_times_a_day_that_of_the_start_is_told() {
        for (text, told) in [
            ("FREQ=SECONDLY", "FREQ=DAILY"),
            ("FREQ=HOURLY;INTERVAL=3;COUNT=20", "FREQ=DAILY;COUNT=3"),
            ("FREQ=HOURLY;BYHOUR=9,12,15;BYDAY=MO,FR", "FREQ=DAILY;BYDAY=MO,FR"),
            ("FREQ=DAILY;BYHOUR=9,12;COUNT=5", "FREQ=DAILY;COUNT=3"),
            ("FREQ=WEEKLY;BYDAY=TU;BYHOUR=8,9;BYMINUTE=0,30", "FREQ=WEEKLY;BYDAY=TU"),
            ("FREQ=MINUTELY;INTERVAL=30;BYHOUR=9,10", "FREQ=DAILY"),
            ("FREQ=HOURLY;INTERVAL=5;COUNT=25", "FREQ=DAILY;COUNT=2;INTERVAL=5"),
            ("FREQ=HOURLY;INTERVAL=36", "FREQ=DAILY;INTERVAL=3"),
            ("FREQ=HOURLY;INTERVAL=3;BYDAY=MO,FR;COUNT=20", "FREQ=DAILY;COUNT=3;BYDAY=MO,FR"),
            ("FREQ=HOURLY;INTERVAL=5;BYDAY=MO,FR", "FREQ=DAILY;INTERVAL=5;BYDAY=MO,FR"),
        ] {
            match parse(text, LocalTime::from_seconds(9 * 3600), |at| at) {
                Some(Rule::Part(rule)) => {
                    assert_eq!(format(&rule, value::date_time), told, "{text}")
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        assert_eq!(neutral("FREQ=HOURLY;INTERVAL=48"), neutral("FREQ=DAILY;INTERVAL=2"));
    }

    #[test]
    fn nonsense_is_no_rule() {
        for text in [
            "",
            "FREQ=FORTNIGHTLY",
            "INTERVAL=2",
            "FREQ=DAILY;COUNT=-1",
            "FREQ=WEEKLY;BYDAY=XX",
            "FREQ=WEEKLY;BYDAY=ÄÖ",
            "FREQ=MONTHLY;BYMONTHDAY=32",
            "FREQ=DAILY;UNTIL=never",
            "FREQ",
        ] {
            assert_eq!(parse(text, LocalTime::default(), |at| at), None, "{text}");
        }
    }
}
