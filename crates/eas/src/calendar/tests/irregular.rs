//! Series of which one rule is not all, on a phone: what it is told, and what it changes.

use super::*;
use dme_model::{Irregular, Onward};
use dme_recurrence::Series;

/// Daily at ten from the 1st of December; from the 10th on at eleven, with another title.
fn later_from_the_tenth(end: RecurrenceEnd) -> Event {
    let value = Event {
        title: "After".into(),
        start: at("20261210T110000"),
        end: at("20261210T130000"),
        zone: Some("Europe/Berlin".into()),
        ..Event::default()
    };
    let patch = EventPatch::only([EventField::Title, EventField::Time], &value);
    let from = at("20261210T100000");
    let change = InstanceChange::Changed(Box::new(patch.clone()));
    Event {
        recurrence: Some(Recurrence { end, ..Recurrence::every(Frequency::Daily) }),
        exceptions: vec![Exception { original: from, change }],
        irregular: Irregular { onward: vec![Onward { from, patch }], ..Irregular::default() },
        ..simple()
    }
}

fn twenty_days() -> Event {
    later_from_the_tenth(RecurrenceEnd::Count(20))
}

/// Each Tuesday, but for the first of a month.
fn less_than_a_rule() -> Event {
    let first = NthDay { day: Weekday::Tuesday, nth: Some(1) };
    let first = Recurrence { by_day: vec![first], ..Recurrence::every(Frequency::Monthly) };
    Event {
        recurrence: Some(Recurrence::every(Frequency::Weekly)),
        irregular: Irregular { excluded: vec![first], ..Irregular::default() },
        ..simple()
    }
}

/// Each Tuesday, the 10th of each month, and New Year's Eve; but not on the 8th.
fn more_than_a_rule() -> Event {
    let monthly =
        |day| Recurrence { by_month_day: vec![day], ..Recurrence::every(Frequency::Monthly) };
    Event {
        recurrence: Some(Recurrence::every(Frequency::Weekly)),
        irregular: Irregular {
            rules: vec![monthly(10)],
            excluded: vec![monthly(8)],
            added: vec![at("20261231T100000")],
            onward: vec![],
        },
        ..simple()
    }
}

fn cases() -> Vec<(&'static str, Event)> {
    vec![
        ("otherwise from the tenth on", twenty_days()),
        ("so for ever", later_from_the_tenth(RecurrenceEnd::Never)),
        ("less than a rule", less_than_a_rule()),
        ("more than a rule", more_than_a_rule()),
        ("a date at another time of day", {
            let value = Event {
                start: at("20261203T150000"),
                end: at("20261203T160000"),
                zone: Some("Europe/Berlin".into()),
                ..Event::default()
            };
            let patch = EventPatch::only([EventField::Time], &value);
            let original = at("20261203T100000");
            let change = InstanceChange::Changed(Box::new(patch));
            Event {
                recurrence: Some(Recurrence::every(Frequency::Weekly)),
                exceptions: vec![Exception { original, change }],
                irregular: Irregular { added: vec![original], ..Irregular::default() },
                ..simple()
            }
        }),
        ("an added date", {
            let mut event = more_than_a_rule();
            (event.irregular.rules, event.irregular.excluded) = (vec![], vec![]);
            event
        }),
    ]
}

/// An instance: when it begins and ends, and what it is called.
type Shown = Vec<(LocalTime, LocalTime, String)>;

/// The instances until a time, of the series or as a phone makes them of what it reads.
fn shown(event: &Event, until: LocalTime) -> Shown {
    let all = Series::of(event).unwrap().instances().take_while(|at| *at < until);
    let one = |original: LocalTime| {
        let mut one = instance::by_rule(event, original);
        match event.exceptions.iter().find(|one| one.original == original) {
            Some(Exception { change: InstanceChange::Deleted, .. }) => return None,
            Some(Exception { change: InstanceChange::Changed(patch), .. }) => patch.apply(&mut one),
            None => {
                if let Some(patch) = event.irregular.change_at(original) {
                    patch.apply(&mut one);
                }
            }
        }
        Some((one.start, one.end, one.title))
    };
    all.filter_map(one).collect()
}

#[test]
fn the_instances_are_shown_as_they_are() {
    for (name, event) in cases() {
        for version in ProtocolVersion::ALL {
            let there = received(&told(&event, version), version).unwrap();
            let spring = at("20270301T000000");
            assert_eq!(shown(&there, spring), shown(&event, spring), "{name}, {version}");
            assert!(there.exceptions.len() <= 250, "{name}");
            // No other one ever, nor one at another time than it is.
            let (all, ever) = (shown(&there, at("20300101T000000")), at("20300101T000000"));
            let real = shown(&event, ever);
            assert!(all.iter().all(|one| real.contains(one)), "{name}, {version}");
        }
    }
}

#[test]
fn each_instance_that_is_otherwise_is_told_as_an_exception() {
    let data = told(&twenty_days(), V14_1);
    let find = |data: &[Element], tag| data.iter().find(|one| one.tag == tag).cloned().unwrap();
    let rule = find(&data, page::RECURRENCE);
    assert_eq!(rule.children()[2], text(page::OCCURRENCES, "20"));
    let exceptions = find(&data, page::EXCEPTIONS);
    assert_eq!(exceptions.children().len(), 11);
    assert_eq!(
        exceptions.children()[1].children(),
        [
            text(page::EXCEPTION_START_TIME, "20261211T090000Z"),
            text(page::SUBJECT, "After"),
            text(page::START_TIME, "20261211T100000Z"),
            text(page::END_TIME, "20261211T120000Z"),
            text(page::ALL_DAY_EVENT, "0"),
        ]
    );
    let data = told(&less_than_a_rule(), V16_1);
    let gone = find(&data, page::EXCEPTIONS).children()[0].clone();
    assert_eq!(
        gone.children(),
        [
            text(page::DELETED, "1"),
            text(page::UID, "u1"),
            text(base::INSTANCE_ID, "20261201T090000Z"),
        ]
    );
}

#[test]
fn a_series_that_would_be_shown_wrong_later_ends_before() {
    let event = later_from_the_tenth(RecurrenceEnd::Never);
    let there = received(&told(&event, V14_1), V14_1).unwrap();
    let RecurrenceEnd::Until(last) = there.recurrence.unwrap().end else {
        panic!("it goes on for ever")
    };
    assert_eq!(last, at("20270630T100000"));
}

#[test]
fn a_phone_that_repeats_it_changes_nothing_now_or_months_later() {
    for (name, event) in cases() {
        for version in [V12_1, V14_1, V16_1] {
            let mut data = told(&event, version);
            data.retain(|element| element.tag != page::SUBJECT);
            data.push(text(page::SUBJECT, "Named anew"));
            for days in [0, 1, 20, 40, 100, 400] {
                let now = Timestamp::from_seconds(NOW.as_seconds() + days * 86_400);
                let ghosting = Ghosting::default();
                let writing = Writing::Change { ghosting: &ghosting, present: Some(&event) };
                let context = Context { home: &home(), now };
                let patch = patch_from_elements(&data, version, writing, &context).unwrap();
                let fields: Vec<_> = patch.fields.iter().copied().collect();
                assert_eq!(fields, [EventField::Title], "{name}, {version}, {days} days later");
            }
        }
    }
}

/// What a phone of 14.1 writes that shows the event with other exceptions.
fn with_exceptions(event: &Event, change: impl FnOnce(&mut Vec<Exception>)) -> EventPatch {
    let mut on_phone = received(&told(event, V14_1), V14_1).unwrap();
    change(&mut on_phone.exceptions);
    on_phone.exceptions.sort_by_key(|one| one.original);
    super::change(&told(&on_phone, V14_1), V14_1, event)
}

#[test]
fn what_a_phone_does_to_one_instance_is_done_to_that_alone() {
    let event = twenty_days();
    let (gone, named) = (at("20261212T100000"), at("20261214T100000"));
    let patch = with_exceptions(&event, |exceptions| {
        for one in exceptions {
            match &mut one.change {
                _ if one.original == gone => one.change = InstanceChange::Deleted,
                InstanceChange::Changed(patch) if one.original == named => {
                    patch.value.title = "Once".into();
                }
                _ => {}
            }
        }
    });
    assert_eq!(patch.fields.iter().copied().collect::<Vec<_>>(), [EventField::Exceptions]);
    let originals: Vec<_> = patch.value.exceptions.iter().map(|one| one.original).collect();
    assert_eq!(originals, [at("20261210T100000"), gone, named]);
    assert_eq!(patch.value.exceptions[0], event.exceptions[0]);
    assert_eq!(patch.value.exceptions[1].change, InstanceChange::Deleted);
    let InstanceChange::Changed(once) = &patch.value.exceptions[2].change else { panic!() };
    assert_eq!((&*once.value.title, once.value.start), ("Once", at("20261214T110000")));
}

#[test]
fn an_instance_by_itself_is_changed_from_what_it_is() {
    let event = twenty_days();
    let data = texts(&[(page::START_TIME, "20261212T123000Z")]);
    let context = Context { home: &home(), now: NOW };
    let edit = instance_from_elements("20261212T090000Z", &data, V16_1, &event, &context).unwrap();
    let dme_model::ItemEdit::Instance { patch, .. } = edit else { panic!("{edit:?}") };
    // It lasts two hours, as all from the tenth on.
    let times = (patch.value.start, patch.value.end);
    assert_eq!(times, (at("20261212T133000"), at("20261212T153000")));
}

#[test]
fn an_end_that_a_phone_sets_is_that_of_the_series() {
    for (event, end) in [
        (twenty_days(), "20261215T100000"),
        // With the end of a month, which a series that is told whole never was.
        (later_from_the_tenth(RecurrenceEnd::Count(60)), "20261231T100000"),
        (less_than_a_rule(), "20270316T100000"),
        (more_than_a_rule(), "20270316T100000"),
    ] {
        let mut on_phone = received(&told(&event, V14_1), V14_1).unwrap();
        let end = RecurrenceEnd::Until(at(end));
        on_phone.recurrence.as_mut().unwrap().end = end;
        let patch = change(&told(&on_phone, V14_1), V14_1, &event);
        let rule = event.recurrence.clone().unwrap();
        assert_eq!(patch.value.recurrence, Some(Recurrence { end, ..rule }));
        assert!(patch.fields.contains(&EventField::Recurrence));
    }
    // So many times of what the phone shows.
    let mut on_phone = received(&told(&more_than_a_rule(), V14_1), V14_1).unwrap();
    let rule = on_phone.recurrence.as_mut().unwrap();
    rule.end = RecurrenceEnd::Count(4);
    let last = dme_recurrence::instances(on_phone.start, rule).last().unwrap();
    let patch = change(&told(&on_phone, V14_1), V14_1, &more_than_a_rule());
    assert_eq!(patch.value.recurrence.unwrap().end, RecurrenceEnd::Until(last));
}

#[test]
fn a_long_text_is_not_told_of_each_of_many_instances() {
    let mut event = later_from_the_tenth(RecurrenceEnd::Never);
    let value = Event { text: Some(Text::plain("long ".repeat(1_000))), ..Event::default() };
    event.irregular.onward[0].patch.set(EventField::Text, &value);
    if let InstanceChange::Changed(patch) = &mut event.exceptions[0].change {
        patch.set(EventField::Text, &value);
    }
    let data = told(&event, V14_1);
    let exceptions = data.iter().find(|one| one.tag == page::EXCEPTIONS).unwrap().children();
    let with_text = exceptions.iter().filter(|one| one.child(base::BODY).is_some());
    assert_eq!((exceptions.len() > 100, with_text.count()), (true, 1));
    assert!(change(&data, V14_1, &event).is_empty());
}

#[test]
fn an_exception_in_which_a_phone_is_told_nothing_stays() {
    // Until 14.0 no exception tells who is asked.
    let value = Event { attendees: vec![], ..Event::default() };
    let patch = EventPatch::of([EventField::Attendees], value);
    let kept = Exception {
        original: at("20261208T100000"),
        change: InstanceChange::Changed(Box::new(patch)),
    };
    let mut event = meeting();
    event.exceptions = vec![kept.clone()];
    let mut on_phone = received(&told(&event, V12_1), V12_1).unwrap();
    let gone = Exception { original: at("20261210T100000"), change: InstanceChange::Deleted };
    on_phone.exceptions = vec![gone.clone()];
    let patch = change(&told(&on_phone, V12_1), V12_1, &event);
    assert_eq!(patch.value.exceptions, [kept, gone]);
}
