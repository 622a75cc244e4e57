//! Recurrence rules as text (RFC 5545 §3.3.10) ↔ the neutral [`Recurrence`].
//!
//! A rule that the neutral one has no words for (seconds to hours, days of the year, weeks of the
//! year, other calendars) is [`Rule::Beyond`] it. Parts that say what the start says anyway, such
//! as `BYHOUR` of the hour at which the series begins, are no hindrance.

use super::value::{DAY, DateTime};
use dme_model::{Frequency, LocalTime, NthDay, Recurrence, RecurrenceEnd, Weekday};

/// A rule that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rule {
    /// One that the neutral form says whole.
    Neutral(Recurrence),
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
                "HOURLY" | "MINUTELY" | "SECONDLY" => {
                    frequency = Some(Frequency::Daily);
                    beyond = true;
                }
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
            "BYMONTH" => match numbers(&value, |text| within::<i8>(text, 12)) {
                Some(months) => {
                    rule.by_month =
                        months.iter().filter_map(|one| u8::try_from(*one).ok()).collect();
                }
                // Leap months of other calendars: `5L`.
                None => beyond = true,
            },
            "BYSETPOS" => rule.by_set_position = numbers(&value, |text| within(text, 366))?,
            "WKST" => rule.first_day = Some(weekday(&value)?),
            "BYHOUR" => beyond |= value.parse() != Ok(time / 3600),
            "BYMINUTE" => beyond |= value.parse() != Ok(time / 60 % 60),
            "BYSECOND" => beyond |= value.parse() != Ok(time % 60),
            "BYYEARDAY" | "BYWEEKNO" | "RSCALE" | "SKIP" => {
                beyond |= name != "RSCALE" || value != "GREGORIAN";
            }
            // What nobody defined says nothing (RFC 5545 §3.3.10 allows none).
            _ => {}
        }
    }
    rule.frequency = frequency?;
    Some(if beyond { Rule::Beyond } else { Rule::Neutral(rule) })
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
            "FREQ=SECONDLY",
            "FREQ=HOURLY;INTERVAL=3",
            "FREQ=DAILY;BYHOUR=9,12",
            "FREQ=YEARLY;BYYEARDAY=100",
            "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
            "RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=5L",
        ] {
            let read = parse(text, LocalTime::from_seconds(9 * 3600), |at| at);
            assert_eq!(read, Some(Rule::Beyond), "{text}");
        }
        neutral("RRULE:FREQ=DAILY;BYHOUR=9;BYMINUTE=0;BYSECOND=0;X-OWN=1");
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
