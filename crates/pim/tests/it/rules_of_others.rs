//! The instances of a thousand rules as other libraries expand them.

use crate::python::python;
use crate::rules;
use calcard::common::timezone::Tz;
use calcard::icalendar::ICalendar;
use dme_model::{Frequency, LocalTime, Recurrence, RecurrenceEnd, Weekday};
use dme_pim::calendar::rule::format;
use dme_pim::recurrence::{instances, instances_from};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

const RULES: usize = 1_000;

/// No further instances are compared.
const MOST: usize = 40;

/// 2060-01-01: how far ahead instances are looked for.
const HORIZON: LocalTime = LocalTime::from_days(32_872);

/// A rule that RFC 5545 allows, and on whose meaning all agree: the others take a numbered weekday
/// beside one without a number for a condition that both must meet, an end before the start for an
/// error, and begin the first of the weeks with the start when they count its days. A week of the
/// year without a day is all of its days to them, and how many weeks the year before had they get
/// wrong.
fn is_agreed_on((start, rule): &(LocalTime, Recurrence)) -> bool {
    let has_number = |numbered| rule.by_day.iter().any(|day| day.nth.is_some() == numbered);
    let has_months = matches!(rule.frequency, Frequency::Monthly | Frequency::Yearly);
    let has_others = [rule.by_day.len(), rule.by_month_day.len(), rule.by_month.len()] != [0; 3];
    let first_day = rule.first_day.unwrap_or(Weekday::Monday);
    let begins_week =
        Weekday::ALL.into_iter().zip(0..).any(|day| day == (first_day, (start.as_days() + 4) % 7));
    let names_day = !(rule.by_day.is_empty() && rule.by_month_day.is_empty());
    !(has_number(true) && (has_number(false) || !has_months))
        && (!rule.counts_by_year() || rule.frequency == Frequency::Yearly)
        && (rule.by_week_number.is_empty() || (names_day && !has_number(true)))
        && rule.by_week_number.iter().all(|week| week.abs() < 52)
        && (rule.by_month_day.is_empty() || rule.frequency != Frequency::Weekly)
        && (rule.by_set_position.is_empty() || has_others)
        && (rule.by_set_position.is_empty() || rule.frequency != Frequency::Weekly || begins_week)
        && !matches!(rule.end, RecurrenceEnd::Until(until) if until < *start)
}

/// Whether the rule, its end aside, has an instance after the horizon. The others look for one until
/// the year 9999, which takes Python minutes; that such rules
/// have none is tested beside the code.
fn goes_on((start, rule): &(LocalTime, Recurrence)) -> bool {
    let rule = Recurrence { end: RecurrenceEnd::Never, ..rule.clone() };
    instances_from(*start, &rule, HORIZON).next().is_some()
}

/// Starts and rules, the same ones each time. All end, for the others do not see when a rule can
/// have no more instances.
fn cases() -> Vec<(LocalTime, Recurrence)> {
    let mut runner = TestRunner::deterministic();
    let strategy = (rules::start(), rules::rule()).prop_filter("agreed on", is_agreed_on);
    let strategy = strategy.prop_filter("goes on", goes_on);
    let cases = (0..RULES).map(|_| strategy.new_tree(&mut runner).unwrap().current());
    cases
        .map(|(start, mut rule)| {
            if rule.end == RecurrenceEnd::Never {
                rule.end = RecurrenceEnd::Until(HORIZON);
            }
            (start, rule)
        })
        .collect()
}

fn text(time: LocalTime) -> String {
    let moment = jiff::Timestamp::from_second(time.as_seconds()).unwrap();
    moment.strftime("%Y%m%dT%H%M%S").to_string()
}

/// Ours, up to the horizon.
fn ours(start: LocalTime, rule: &Recurrence) -> Vec<String> {
    instances(start, rule).take_while(|at| *at <= HORIZON).take(MOST).map(text).collect()
}

/// Theirs, with the start in front: to the others it is none where the rule does not have it.
fn with_start(start: LocalTime, rule: &Recurrence, theirs: Vec<String>) -> Vec<String> {
    let mut all = theirs;
    if all.first() != Some(&text(start)) {
        all.insert(0, text(start));
    }
    let count = match rule.end {
        RecurrenceEnd::Count(count) => count.try_into().unwrap(),
        _ => MOST,
    };
    all.truncate(count.min(MOST));
    all
}

#[test]
fn dateutil_has_the_same_instances() {
    let script = r#"
import sys
from itertools import islice
from datetime import datetime
from dateutil.rrule import rrulestr
for line in sys.stdin:
    start, rule = line.split()
    found = rrulestr(rule, dtstart=datetime.strptime(start, "%Y%m%dT%H%M%S"))
    print(" ".join(at.strftime("%Y%m%dT%H%M%S") for at in islice(found, 40)))
"#;
    let cases = cases();
    let line = |(start, rule): &(LocalTime, Recurrence)| {
        // Both ends, so that a count that is never reached is not looked for until the year 9999.
        let until = match rule.end {
            RecurrenceEnd::Count(_) => format!(";UNTIL={}", text(HORIZON)),
            _ => String::new(),
        };
        format!("{} {}{until}\n", text(*start), format(rule, text))
    };
    let input: String = cases.iter().map(line).collect();
    let output = python(script, &input);
    assert_eq!(output.lines().count(), RULES);
    for ((start, rule), theirs) in cases.iter().zip(output.lines()) {
        let theirs = theirs.split_whitespace().map(str::to_owned).collect();
        let theirs = with_start(*start, rule, theirs);
        assert_eq!(ours(*start, rule), theirs, "{} {}", text(*start), format(rule, text));
    }
}

#[test]
fn calcard_has_the_same_instances() {
    for (start, rule) in cases() {
        let rule_text = format(&rule, text);
        let object = format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART:{}\r\nRRULE:{rule_text}\r\n\
             END:VEVENT\r\nEND:VCALENDAR\r\n",
            text(start)
        );
        let expanded = ICalendar::parse(&object).unwrap().expand_dates(Tz::Floating, MOST + 1);
        assert!(expanded.errors.is_empty(), "{rule_text}: {:?}", expanded.errors);
        let theirs = expanded.events.iter().map(|event| event.start.timestamp());
        let theirs = theirs.map(LocalTime::from_seconds).filter(|at| *at <= HORIZON);
        let theirs = with_start(start, &rule, theirs.map(text).collect());
        assert_eq!(ours(start, &rule), theirs, "{} {rule_text}", text(start));
    }
}
