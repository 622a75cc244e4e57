//! Rules to elements and back.

use super::*;
use crate::date;
use dme_wbxml::pages::calendar as page;

/// Tuesday, 1 December 2026, ten o'clock.
const START: LocalTime = LocalTime::from_seconds(1_796_119_200);

fn nth(day: Weekday, nth: i8) -> NthDay {
    NthDay { day, nth: Some(nth) }
}

fn each(days: &[Weekday]) -> Vec<NthDay> {
    days.iter().map(|day| NthDay { day: *day, nth: None }).collect()
}

fn every(frequency: Frequency) -> Recurrence {
    Recurrence::every(frequency)
}

fn told(rule: &Recurrence) -> Option<Vec<(&'static str, String)>> {
    let until = |last: LocalTime| date::format_compact(last.as_utc());
    let children = children(&OF_EVENTS, rule, START, ProtocolVersion::V16_1, until)?;
    let said = |child: &Element| (child.tag.name().unwrap(), child.as_text().unwrap().to_owned());
    Some(children.iter().map(said).collect())
}

fn read_back(children: Vec<Element>) -> Result<Option<Recurrence>> {
    let element = Element::parent(page::RECURRENCE, children);
    read(&OF_EVENTS, &element, |last| {
        last.moment_value().map(|last| LocalTime::from_seconds(last.as_seconds()))
    })
}

fn said(children: &[(Tag, &str)]) -> Result<Option<Recurrence>> {
    read_back(children.iter().map(|(tag, text)| Element::text(*tag, *text)).collect())
}

const WORKDAYS: [Weekday; 5] =
    [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

#[test]
fn what_activesync_can_say_is_said_and_read_as_the_same_rule() {
    let rules: Vec<(Recurrence, &[(&str, &str)])> = vec![
        (
            Recurrence { interval: 3, ..every(Frequency::Daily) },
            &[("Type", "0"), ("Interval", "3")],
        ),
        (
            Recurrence {
                by_day: each(&WORKDAYS),
                first_day: Some(Weekday::Monday),
                end: RecurrenceEnd::Count(12),
                ..every(Frequency::Weekly)
            },
            &[
                ("Type", "1"),
                ("Interval", "1"),
                ("Occurrences", "12"),
                ("DayOfWeek", "62"),
                ("FirstDayOfWeek", "1"),
            ],
        ),
        (
            Recurrence {
                by_month_day: vec![15],
                end: RecurrenceEnd::Until(START),
                ..every(Frequency::Monthly)
            },
            &[
                ("Type", "2"),
                ("Interval", "1"),
                ("Until", "20261201T100000Z"),
                ("DayOfMonth", "15"),
                ("CalendarType", "1"),
            ],
        ),
        (
            Recurrence { by_day: vec![nth(Weekday::Tuesday, 2)], ..every(Frequency::Monthly) },
            &[
                ("Type", "3"),
                ("Interval", "1"),
                ("WeekOfMonth", "2"),
                ("DayOfWeek", "4"),
                ("CalendarType", "1"),
            ],
        ),
        (
            // The last day.
            Recurrence { by_month_day: vec![-1], ..every(Frequency::Monthly) },
            &[
                ("Type", "3"),
                ("Interval", "1"),
                ("WeekOfMonth", "5"),
                ("DayOfWeek", "127"),
                ("CalendarType", "1"),
            ],
        ),
        (
            // The last working day.
            Recurrence {
                by_day: each(&WORKDAYS),
                by_set_position: vec![-1],
                ..every(Frequency::Monthly)
            },
            &[
                ("Type", "3"),
                ("Interval", "1"),
                ("WeekOfMonth", "5"),
                ("DayOfWeek", "62"),
                ("CalendarType", "1"),
            ],
        ),
        (
            Recurrence { by_month: vec![12], by_month_day: vec![24], ..every(Frequency::Yearly) },
            &[
                ("Type", "5"),
                ("Interval", "1"),
                ("DayOfMonth", "24"),
                ("MonthOfYear", "12"),
                ("CalendarType", "1"),
            ],
        ),
        (
            Recurrence {
                by_month: vec![3],
                by_day: vec![nth(Weekday::Sunday, -1)],
                ..every(Frequency::Yearly)
            },
            &[
                ("Type", "6"),
                ("Interval", "1"),
                ("WeekOfMonth", "5"),
                ("DayOfWeek", "1"),
                ("MonthOfYear", "3"),
                ("CalendarType", "1"),
            ],
        ),
    ];
    for (rule, expected) in rules {
        let expected: Vec<_> = expected.iter().map(|(tag, s)| (*tag, (*s).to_owned())).collect();
        assert_eq!(told(&rule), Some(expected), "{rule:?}");
        assert_eq!(fidelity(&rule, START), Fidelity::Exact, "{rule:?}");
        let until = |last: LocalTime| date::format_compact(last.as_utc());
        let elements = children(&OF_EVENTS, &rule, START, ProtocolVersion::V16_1, until);
        assert_eq!(read_back(elements.unwrap()), Ok(Some(rule)));
    }
}

#[test]
fn what_it_says_otherwise_is_the_same_series() {
    let plain = |frequency| every(frequency);
    let tuesday = each(&[Weekday::Tuesday]);
    for (rule, expected) in [
        // The day of the begin.
        (plain(Frequency::Weekly), (1, "DayOfWeek", "4")),
        (plain(Frequency::Monthly), (2, "DayOfMonth", "1")),
        (plain(Frequency::Yearly), (5, "MonthOfYear", "12")),
        // Each day that is a working day; each Tuesday of a month; each month of a year.
        (Recurrence { by_day: each(&WORKDAYS), ..plain(Frequency::Daily) }, (1, "DayOfWeek", "62")),
        (
            Recurrence { by_day: tuesday.clone(), ..plain(Frequency::Monthly) },
            (1, "DayOfWeek", "4"),
        ),
        (Recurrence { by_month_day: vec![9], ..plain(Frequency::Yearly) }, (2, "DayOfMonth", "9")),
        (
            Recurrence { by_month: vec![5], by_month_day: vec![9], ..plain(Frequency::Monthly) },
            (5, "MonthOfYear", "5"),
        ),
        // The third of all days is the third.
        (
            Recurrence {
                by_day: each(&Weekday::ALL),
                by_set_position: vec![3],
                ..plain(Frequency::Monthly)
            },
            (2, "DayOfMonth", "3"),
        ),
        (
            Recurrence { by_day: tuesday, by_set_position: vec![-1], ..plain(Frequency::Monthly) },
            (3, "WeekOfMonth", "5"),
        ),
    ] {
        let (sort, tag, value) = expected;
        let told = told(&rule).unwrap();
        assert_eq!(told[0], ("Type", i32::to_string(&sort)), "{rule:?}");
        assert!(told.contains(&(tag, value.to_owned())), "{told:?}");
        assert_eq!(fidelity(&rule, START), Fidelity::Exact, "{rule:?}");
    }
}

#[test]
fn what_it_cannot_say_is_shown_by_the_closest_series_of_which_the_instances_are() {
    for (rule, expected) in [
        // Of several days the one on which it begins, else the first.
        (
            Recurrence { by_month_day: vec![15, 1], ..every(Frequency::Monthly) },
            (2, "DayOfMonth", "1"),
        ),
        (
            Recurrence {
                by_day: vec![nth(Weekday::Monday, 1), nth(Weekday::Tuesday, 3)],
                ..every(Frequency::Monthly)
            },
            (3, "WeekOfMonth", "3"),
        ),
        (
            Recurrence { by_month: vec![3, 9], by_month_day: vec![1], ..every(Frequency::Yearly) },
            (5, "MonthOfYear", "3"),
        ),
        // In shorter months a phone shows it on their last day.
        (
            Recurrence { by_month_day: vec![31], ..every(Frequency::Monthly) },
            (2, "DayOfMonth", "31"),
        ),
        // More instances than it counts.
        (
            Recurrence { end: RecurrenceEnd::Count(1_000), ..every(Frequency::Daily) },
            (0, "Interval", "1"),
        ),
    ] {
        let (sort, tag, value) = expected;
        let told = told(&rule).unwrap();
        assert_eq!(told[0], ("Type", i32::to_string(&sort)), "{rule:?}");
        assert!(told.contains(&(tag, value.to_owned())), "{told:?}");
        assert_eq!(fidelity(&rule, START), Fidelity::Closest, "{rule:?}");
    }
}

#[test]
fn where_no_series_is_close_none_is_shown() {
    let friday = each(&[Weekday::Friday]);
    for rule in [
        Recurrence { by_day: friday.clone(), by_month_day: vec![13], ..every(Frequency::Monthly) },
        Recurrence { by_month: vec![1], ..every(Frequency::Daily) },
        Recurrence { by_month: vec![1], ..every(Frequency::Weekly) },
        Recurrence { by_month_day: vec![-3], ..every(Frequency::Monthly) },
        Recurrence { by_day: vec![nth(Weekday::Friday, 5)], ..every(Frequency::Monthly) },
        Recurrence { by_day: vec![nth(Weekday::Friday, 20)], ..every(Frequency::Yearly) },
        Recurrence { by_day: friday.clone(), interval: 2, ..every(Frequency::Monthly) },
        Recurrence { by_day: friday, interval: 2, ..every(Frequency::Daily) },
        Recurrence { interval: 1_000, ..every(Frequency::Daily) },
    ] {
        assert_eq!(told(&rule), None, "{rule:?}");
        assert_eq!(fidelity(&rule, START), Fidelity::None, "{rule:?}");
    }
}

#[test]
fn each_version_is_told_what_it_knows() {
    let weekly = Recurrence { first_day: Some(Weekday::Monday), ..every(Frequency::Weekly) };
    let monthly = every(Frequency::Monthly);
    let has = |rule, tag, version| {
        let children = children(&OF_EVENTS, rule, START, version, |_| String::new()).unwrap();
        children.iter().any(|child| child.tag == tag)
    };
    use ProtocolVersion::{V12_1, V14_0, V14_1};
    assert!(!has(&monthly, page::CALENDAR_TYPE, V12_1));
    assert!(has(&monthly, page::CALENDAR_TYPE, V14_0));
    assert!(!has(&weekly, page::CALENDAR_TYPE, V14_1));
    assert!(!has(&weekly, page::FIRST_DAY_OF_WEEK, V14_0));
    assert!(has(&weekly, page::FIRST_DAY_OF_WEEK, V14_1));
}

#[test]
fn a_series_that_leaves_out_weeks_names_the_day_on_which_these_begin() {
    let first = |rule: &Recurrence, version| {
        let children = children(&OF_EVENTS, rule, START, version, |_| String::new()).unwrap();
        let first = children.iter().find(|child| child.tag == page::FIRST_DAY_OF_WEEK);
        first.map(|child| child.as_text().unwrap().to_owned())
    };
    let days = || each(&[Weekday::Sunday, Weekday::Monday]);
    let second = Recurrence { interval: 2, by_day: days(), ..every(Frequency::Weekly) };
    let sunday = Recurrence { first_day: Some(Weekday::Sunday), ..second.clone() };
    let daily = Recurrence { interval: 2, ..every(Frequency::Daily) };
    use ProtocolVersion::{V14_0, V14_1, V16_1};
    for version in [V14_1, V16_1] {
        // RFC 5545 §3.3.10: without WKST weeks begin on Monday.
        assert_eq!(first(&second, version).as_deref(), Some("1"));
        assert_eq!(first(&sunday, version).as_deref(), Some("0"));
        assert_eq!(first(&daily, version), None);
        // Of each week it decides nothing.
        assert_eq!(first(&Recurrence { interval: 1, ..second.clone() }, version), None);
    }
    assert_eq!(first(&second, V14_0), None, "the element is not known there");
}

#[test]
fn a_phone_may_leave_out_what_the_begin_says() {
    assert_eq!(said(&[]), Ok(None), "emptied");
    assert_eq!(said(&[(page::TYPE, "1")]), Ok(Some(every(Frequency::Weekly))));
    assert_eq!(said(&[(page::TYPE, "2")]), Ok(Some(every(Frequency::Monthly))));
    assert_eq!(
        said(&[(page::TYPE, "0"), (page::INTERVAL, "0")]),
        Ok(Some(every(Frequency::Daily)))
    );
    let workdays = Recurrence { by_day: each(&WORKDAYS), ..every(Frequency::Weekly) };
    assert_eq!(said(&[(page::TYPE, "0"), (page::DAY_OF_WEEK, "62")]), Ok(Some(workdays)));
    let last = Recurrence { by_month_day: vec![-1], ..every(Frequency::Monthly) };
    assert_eq!(said(&[(page::TYPE, "2"), (page::DAY_OF_MONTH, "127")]), Ok(Some(last)));
}

#[test]
fn what_is_wrong_is_said_with_its_element() {
    let daily = (page::TYPE, "0");
    for (children, element) in [
        (vec![(page::INTERVAL, "1")], page::TYPE),
        (vec![(page::TYPE, "4")], page::TYPE),
        (vec![(page::TYPE, "seven")], page::TYPE),
        (vec![daily, (page::INTERVAL, "1000")], page::INTERVAL),
        (vec![daily, (page::OCCURRENCES, "0")], page::OCCURRENCES),
        (vec![daily, (page::UNTIL, "never")], page::UNTIL),
        (vec![daily, (page::DAY_OF_WEEK, "128")], page::DAY_OF_WEEK),
        (vec![daily, (page::DAY_OF_MONTH, "32")], page::DAY_OF_MONTH),
        (vec![daily, (page::WEEK_OF_MONTH, "6")], page::WEEK_OF_MONTH),
        (vec![daily, (page::MONTH_OF_YEAR, "13")], page::MONTH_OF_YEAR),
        (vec![daily, (page::FIRST_DAY_OF_WEEK, "7")], page::FIRST_DAY_OF_WEEK),
        // The Chinese calendar counts moons.
        (vec![daily, (page::CALENDAR_TYPE, "15")], page::CALENDAR_TYPE),
        (vec![daily, (page::IS_LEAP_MONTH, "1")], page::IS_LEAP_MONTH),
    ] {
        let found = match said(&children) {
            Err(Error::Value { element, .. } | Error::Missing { element, .. }) => element,
            other => panic!("{children:?}: {other:?}"),
        };
        assert_eq!(found, element);
    }
    let both = said(&[daily, (page::UNTIL, "20261201T100000Z"), (page::OCCURRENCES, "3")]);
    assert_eq!(both, Err(Error::Conflict(page::UNTIL, page::OCCURRENCES)));
}
