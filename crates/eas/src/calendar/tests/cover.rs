//! Series that a phone is told by more than they are, less what they are not.

use super::*;
use dme_recurrence::{instances, is_instance};

/// `FREQ=MONTHLY` with more.
fn monthly(by_day: &[(Weekday, Option<i8>)], by_month_day: &[i8]) -> Event {
    let by_day = by_day.iter().map(|(day, nth)| NthDay { day: *day, nth: *nth }).collect();
    let by_month_day = by_month_day.to_vec();
    let rule = Recurrence { by_day, by_month_day, ..Recurrence::every(Frequency::Monthly) };
    Event { recurrence: Some(rule), ..simple() }
}

/// The 1st and 15th.
fn paydays() -> Event {
    monthly(&[], &[1, 15])
}

/// 2026-12-01 is a Tuesday, the first of the month.
fn cases() -> Vec<(&'static str, Event)> {
    vec![
        ("the 1st and 15th", paydays()),
        ("each Tuesday the 1st", monthly(&[(Weekday::Tuesday, None)], &[1])),
        (
            "the first and third Tuesday",
            monthly(&[(Weekday::Tuesday, Some(1)), (Weekday::Tuesday, Some(3))], &[]),
        ),
        (
            "the first Tuesday and the last Friday",
            monthly(&[(Weekday::Tuesday, Some(1)), (Weekday::Friday, Some(-1))], &[]),
        ),
        ("the first and hundredth day of the year", {
            let days = vec![1, 100];
            let rule = Recurrence { by_year_day: days, ..Recurrence::every(Frequency::Yearly) };
            Event { recurrence: Some(rule), ..simple() }
        }),
        ("the Mondays of weeks 1, 20 and 40", {
            let by_week_number = vec![1, 20, 40];
            let by_day = vec![NthDay { day: Weekday::Monday, nth: None }];
            let yearly = Recurrence::every(Frequency::Yearly);
            let rule = Recurrence { by_week_number, by_day, ..yearly };
            Event { recurrence: Some(rule), ..simple() }
        }),
        ("the 1st and 15th of one month a year", {
            let mut event = paydays();
            event.recurrence.as_mut().unwrap().interval = 12;
            event
        }),
    ]
}

/// What a phone shows of a series until a day.
fn shown(event: &Event, until: LocalTime) -> Vec<LocalTime> {
    let gone = |at: &LocalTime| {
        let deleted = |one: &&Exception| one.change == InstanceChange::Deleted;
        event.exceptions.iter().filter(deleted).any(|one| one.original == *at)
    };
    let rule = event.recurrence.as_ref().unwrap();
    instances(event.start, rule).take_while(|at| *at < until).filter(|at| !gone(at)).collect()
}

#[test]
fn the_instances_of_the_coming_months_are_shown_and_no_others() {
    for (name, event) in cases() {
        for version in [V12_1, V14_1, V16_1] {
            let there = received(&told(&event, version), version).unwrap();
            let spring = at("20270301T000000");
            assert_eq!(shown(&there, spring), shown(&event, spring), "{name}");
            assert!(there.exceptions.len() <= 250, "{name}");
            let all = shown(&there, at("21000101T000000"));
            let rule = event.recurrence.as_ref().unwrap();
            assert!(all.iter().all(|at| is_instance(event.start, rule, *at)), "{name}: {all:?}");
        }
    }
}

#[test]
fn of_a_series_that_began_long_ago_the_coming_months_are_shown() {
    let old = Event { start: at("20161201T100000"), end: at("20161201T110000"), ..paydays() };
    let there = received(&told(&old, V14_1), V14_1).unwrap();
    let months = |event| -> Vec<LocalTime> {
        let from = at("20261201T000000");
        shown(event, at("20270301T000000")).into_iter().filter(|at| *at > from).collect()
    };
    assert_eq!(months(&there), months(&old));
    assert_eq!(months(&there).len(), 6);
}

#[test]
fn a_series_that_ends_is_shown_to_its_end() {
    let mut event = paydays();
    event.recurrence.as_mut().unwrap().end = RecurrenceEnd::Count(5);
    let there = received(&told(&event, V14_1), V14_1).unwrap();
    let all = at("21000101T000000");
    assert_eq!(shown(&there, all), shown(&event, all));
}

#[test]
fn a_phone_that_repeats_it_changes_nothing_now_or_months_later() {
    for (name, event) in cases() {
        let data = with_title(told(&event, V14_1), "Pay");
        for days in [0, 1, 20, 40, 100, 400] {
            let now = Timestamp::from_seconds(NOW.as_seconds() + days * 86_400);
            let patch = changed_at(&data, &event, now);
            let fields: Vec<_> = patch.fields.iter().copied().collect();
            assert_eq!(fields, [EventField::Title], "{name} after {days} days");
        }
    }
}

#[test]
fn what_a_phone_does_to_one_instance_is_done_to_that_alone() {
    let event = paydays();
    let gone = at("20270115T100000");
    let mut on_phone = received(&told(&event, V14_1), V14_1).unwrap();
    on_phone.exceptions.push(Exception { original: gone, change: InstanceChange::Deleted });
    on_phone.exceptions.sort_by_key(|one| one.original);
    let patch = change(&told(&on_phone, V14_1), V14_1, &event);
    assert_eq!(patch.fields.iter().copied().collect::<Vec<_>>(), [EventField::Exceptions]);
    let expected = [Exception { original: gone, change: InstanceChange::Deleted }];
    assert_eq!(patch.value.exceptions, expected);
}

#[test]
fn an_end_that_a_phone_sets_is_that_of_the_original_rule() {
    let event = paydays();
    let mut on_phone = received(&told(&event, V14_1), V14_1).unwrap();
    on_phone.recurrence.as_mut().unwrap().end = RecurrenceEnd::Until(at("20270304T100000"));
    let patch = change(&told(&on_phone, V14_1), V14_1, &event);
    let rule = patch.value.recurrence.unwrap();
    let end = RecurrenceEnd::Until(at("20270304T100000"));
    assert_eq!(rule, Recurrence { end, ..event.recurrence.unwrap() });
}

#[test]
fn another_rule_that_a_phone_sets_takes_the_place_of_it() {
    let event = paydays();
    let daily = Event { recurrence: Some(Recurrence::every(Frequency::Daily)), ..simple() };
    let patch = change(&told(&daily, V14_1), V14_1, &event);
    assert_eq!(patch.value.recurrence, daily.recurrence);
}

fn with_title(mut elements: Vec<Element>, title: &str) -> Vec<Element> {
    elements.retain(|element| element.tag != page::SUBJECT);
    elements.push(text(page::SUBJECT, title));
    elements
}

fn changed_at(data: &[Element], present: &Event, now: Timestamp) -> EventPatch {
    let ghosting = Ghosting::default();
    let writing = Writing::Change { ghosting: &ghosting, present: Some(present) };
    let home = home();
    patch_from_elements(data, V14_1, writing, &Context { home: &home, now }).unwrap()
}
