//! Series: rules, exceptions, and what a phone cannot be told.

use crate::world::*;
use dme_model::*;
use dme_pim::{Error, calendar};

/// Each Tuesday at nine in Berlin, from 2026-12-01 on; the 8th is off, the 15th is moved.
fn weekly() -> String {
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VTIMEZONE\r\nTZID:Berlin\r\n\
     BEGIN:DAYLIGHT\r\nDTSTART:19810329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n\
     RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\nBEGIN:STANDARD\r\n\
     DTSTART:19961027T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n\
     RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n\
     BEGIN:VEVENT\r\nUID:s@x\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Weekly\r\n\
     DTSTART;TZID=Berlin:20261201T090000\r\nDTEND;TZID=Berlin:20261201T100000\r\n\
     RRULE:FREQ=WEEKLY;COUNT=5\r\nEXDATE;TZID=Berlin:20261208T090000\r\nX-A:b\r\nEND:VEVENT\r\n\
     BEGIN:VEVENT\r\nUID:s@x\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Later\r\n\
     RECURRENCE-ID;TZID=Berlin:20261215T090000\r\n\
     DTSTART;TZID=Berlin:20261215T110000\r\nDTEND;TZID=Berlin:20261215T120000\r\nX-O:p\r\n\
     END:VEVENT\r\nEND:VCALENDAR\r\n"
        .into()
}

fn originals(event: &Event) -> Vec<(LocalTime, bool)> {
    let deleted = |one: &Exception| one.change == InstanceChange::Deleted;
    event.exceptions.iter().map(|one| (one.original, deleted(one))).collect()
}

fn instance(at: &str, field: EventField, change: impl FnOnce(&mut Event)) -> ItemEdit {
    let mut value = Event::default();
    change(&mut value);
    ItemEdit::Instance {
        original: crate::world::at(at).as_utc(),
        patch: Box::new(EventPatch::of([field], value)),
    }
}

#[test]
fn a_series_is_read_with_its_exceptions() {
    let event = event(weekly());
    assert_eq!(event.zone, Some(ZoneId::from("Europe/Berlin")));
    let rule = event.recurrence.as_ref().unwrap();
    assert_eq!((rule.frequency, rule.end), (Frequency::Weekly, RecurrenceEnd::Count(5)));
    assert_eq!(
        originals(&event),
        [(at("2026-12-08T09:00:00"), true), (at("2026-12-15T09:00:00"), false)]
    );
    let InstanceChange::Changed(patch) = &event.exceptions[1].change else { panic!() };
    assert_eq!(
        patch.fields.iter().copied().collect::<Vec<_>>(),
        [EventField::Title, EventField::Time]
    );
    assert_eq!(patch.value.start, at("2026-12-15T11:00:00"));
    assert_eq!(event.last_end, Some(at("2026-12-29T09:00:00").as_utc()));
}

#[test]
fn exceptions_are_read_in_every_form() {
    for (lines, expected) in [
        (
            &[
                "DTSTART;TZID=Europe/Berlin:20261201T090000",
                "RRULE:FREQ=DAILY",
                "EXDATE:20261202T080000Z,20261203T080000Z",
            ][..],
            &["2026-12-02T09:00:00", "2026-12-03T09:00:00"][..],
        ),
        (
            &[
                "DTSTART;TZID=Europe/Berlin:20261201T090000",
                "RRULE:FREQ=DAILY",
                "EXDATE;VALUE=DATE:20261202",
            ],
            &["2026-12-02T09:00:00"],
        ),
        (
            &["DTSTART;VALUE=DATE:20261201", "RRULE:FREQ=DAILY", "EXDATE:20261202T000000"],
            &["2026-12-02"],
        ),
    ] {
        let found: Vec<LocalTime> =
            event(object(lines)).exceptions.iter().map(|one| one.original).collect();
        let expected: Vec<LocalTime> = expected.iter().map(|text| at(text)).collect();
        assert_eq!(found, expected, "{lines:?}");
    }
}

#[test]
fn one_instance_is_changed_by_itself() {
    let text = weekly();
    let edit = instance("2026-12-22T08:00:00", EventField::Title, |e| e.title = "Party".into());
    let written = apply(&text, &edit);
    let expected = [
        "+BEGIN:VEVENT",
        "+UID:s@x",
        "+SUMMARY:Party",
        "+DTSTART;TZID=Berlin:20261222T090000",
        "+DTEND;TZID=Berlin:20261222T100000",
        "+X-A:b",
        "+RECURRENCE-ID;TZID=Berlin:20261222T090000",
        "+END:VEVENT",
    ];
    assert_eq!(told_difference(&text, &written), expected);
    assert_eq!(apply(&written, &edit), written, "twice is as once");
}

#[test]
fn a_file_is_attached_to_one_instance_and_taken_off_it() {
    let text = weekly().replace("X-A:b", "X-A:b\r\nATTACH:https://files.example/plan.pdf");
    let plan = event(&text).attachments[0].part.clone();
    let file = NewAttachment {
        name: "a.txt".into(),
        media_type: "text/plain".into(),
        content_id: None,
        data: bytes::Bytes::from_static(b"content"),
    };
    let of = |object: &str| -> Vec<String> {
        let event = event(object);
        assert_eq!(event.attachments.len(), 1, "the series keeps its own");
        let original = at("2026-12-22T09:00:00");
        let one = event.exceptions.iter().find(|one| one.original == original).unwrap();
        let InstanceChange::Changed(patch) = &one.change else { panic!("{one:?}") };
        assert!(patch.fields.contains(&EventField::Attachments));
        patch.value.attachments.iter().map(|one| one.name.clone()).collect()
    };
    let change = |text: &str, change: &dyn Fn(&mut Event)| {
        let edit = instance("2026-12-22T08:00:00", EventField::Attachments, change);
        let applied = calendar::apply(Some(text.as_bytes()), &edit, &writing("key")).unwrap();
        (applied.attached.clone(), crate::world::text(applied))
    };
    let (attached, written) = change(&text, &|event| event.attach = vec![file.clone()]);
    assert_eq!(of(&written), ["plan.pdf.html", "a.txt"]);
    let content = calendar::attachment(written.as_bytes(), &attached[0]).unwrap();
    assert_eq!(content.data, b"content");
    let (_, written) = change(&written, &|event| event.detach = vec![plan.clone()]);
    assert_eq!(of(&written), ["a.txt"]);
    let (_, written) = change(&written, &|event| event.detach = attached.clone());
    assert!(of(&written).is_empty());
}

#[test]
fn a_changed_instance_keeps_what_the_phone_does_not_know() {
    let text = weekly();
    let edit = instance("2026-12-15T08:00:00", EventField::Title, |e| e.title = "Party".into());
    assert_eq!(told_difference(&text, &apply(&text, &edit)), ["-SUMMARY:Later", "+SUMMARY:Party"]);
}

#[test]
fn one_instance_is_taken_out() {
    let text = weekly();
    let drop = |when: &str| ItemEdit::DropInstance { original: at(when).as_utc() };
    let written = apply(&text, &drop("2026-12-22T08:00:00"));
    assert_eq!(told_difference(&text, &written), ["+EXDATE;TZID=Berlin:20261222T090000"]);
    assert_eq!(apply(&written, &drop("2026-12-22T08:00:00")), written, "twice is as once");
    let written = apply(&text, &drop("2026-12-15T08:00:00"));
    assert_eq!(event(&written).exceptions.len(), 2);
    assert!(!written.contains("X-O:p"), "its own component goes: {written}");
}

#[test]
fn an_instance_that_is_none_is_refused() {
    let edit = instance("2026-12-02T08:00:00", EventField::Title, |_| {});
    let error = calendar::apply(Some(weekly().as_bytes()), &edit, &writing("key")).unwrap_err();
    assert_eq!(error, Error::NoSuchInstance);
}

#[test]
fn the_whole_list_of_exceptions_is_compared_with_what_was_shown() {
    let text = weekly();
    let before = event(&text);
    // The same list changes nothing.
    let mut same = before.clone();
    same.title = "New".into();
    let edit = ItemEdit::Patch(ItemPatch::Event(Box::new(EventPatch::of(
        [EventField::Title, EventField::Exceptions],
        same,
    ))));
    assert_eq!(told_difference(&text, &apply(&text, &edit)), ["-SUMMARY:Weekly", "+SUMMARY:New"]);
    // One back, one changed in another way, one more.
    let mut after = before.clone();
    after.exceptions = vec![
        Exception {
            original: at("2026-12-15T09:00:00"),
            change: InstanceChange::Changed(Box::new(EventPatch::of(
                [EventField::Title, EventField::Time],
                Event {
                    title: "Later still".into(),
                    start: at("2026-12-15T13:00:00"),
                    end: at("2026-12-15T14:00:00"),
                    zone: before.zone.clone(),
                    ..Event::default()
                },
            ))),
        },
        Exception { original: at("2026-12-22T09:00:00"), change: InstanceChange::Deleted },
    ];
    let written = apply(&text, &edit_to(&before, after.clone()));
    assert_eq!(
        told_difference(&text, &written),
        [
            "-EXDATE;TZID=Berlin:20261208T090000",
            "+EXDATE;TZID=Berlin:20261222T090000",
            "-SUMMARY:Later",
            "+SUMMARY:Later still",
            "-DTSTART;TZID=Berlin:20261215T110000",
            "-DTEND;TZID=Berlin:20261215T120000",
            "+DTSTART;TZID=Berlin:20261215T130000",
            "+DTEND;TZID=Berlin:20261215T140000",
        ]
    );
    // All gone.
    after.exceptions.clear();
    let written = apply(&text, &edit_to(&before, after));
    assert!(event(&written).exceptions.is_empty(), "{written}");
}

#[test]
fn exceptions_go_with_a_series_that_moves() {
    let text = weekly();
    let before = event(&text);
    let after = Event {
        start: at("2026-12-01T10:30:00"),
        end: at("2026-12-01T11:30:00"),
        ..before.clone()
    };
    let written = apply(&text, &edit_to(&before, after));
    assert_eq!(
        originals(&event(&written)),
        [(at("2026-12-08T10:30:00"), true), (at("2026-12-15T10:30:00"), false)]
    );
    assert!(written.contains("DTSTART;TZID=Berlin:20261215T110000"), "moved by hand: {written}");
    // To another weekday.
    let after = Event {
        start: at("2026-12-02T09:00:00"),
        end: at("2026-12-02T10:00:00"),
        ..before.clone()
    };
    let written = apply(&text, &edit_to(&before, after));
    assert_eq!(
        originals(&event(&written)),
        [(at("2026-12-09T09:00:00"), true), (at("2026-12-16T09:00:00"), false)]
    );
}

#[test]
fn exceptions_of_instances_that_there_are_no_more_go() {
    let text = weekly();
    let before = event(&text);
    let mut after = before.clone();
    after.recurrence.as_mut().unwrap().interval = 2;
    let written = apply(&text, &edit_to(&before, after));
    assert_eq!(originals(&event(&written)), [(at("2026-12-15T09:00:00"), false)]);
    let single = Event { recurrence: None, exceptions: Vec::new(), ..before.clone() };
    let written = apply(&text, &edit_to(&before, single));
    assert_eq!(written.matches("BEGIN:VEVENT").count(), 1);
    assert!(!written.contains("EXDATE"), "{written}");
}

#[test]
fn of_two_overrides_of_one_instance_the_shown_one_is_changed_and_none_is_left() {
    let later = |title: &str| {
        let text = weekly();
        let at = text.rfind("BEGIN:VEVENT").unwrap();
        text[at..text.rfind("END:VCALENDAR").unwrap()].replace("Later", title)
    };
    let text = weekly().replace("END:VCALENDAR", &format!("{}END:VCALENDAR", later("Last")));
    let before = event(&text);
    let shown = |object: &str| {
        let event = event(object);
        let changed = event.exceptions.into_iter().find_map(|one| match one.change {
            InstanceChange::Changed(patch) => Some(patch.value.title),
            InstanceChange::Deleted => None,
        });
        changed.unwrap_or_default()
    };
    assert_eq!(shown(&text), "Last");
    let mut after = before.clone();
    for one in &mut after.exceptions {
        if let InstanceChange::Changed(patch) = &mut one.change {
            patch.value.title = "New".into();
        }
    }
    assert_eq!(shown(&apply(&text, &edit_to(&before, after))), "New");
    let after = Event { exceptions: Vec::new(), ..before.clone() };
    assert!(event(apply(&text, &edit_to(&before, after))).exceptions.is_empty());
}

#[test]
fn times_without_a_zone_are_over_by_the_users_clock() {
    let whole_day = object(&["DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261202"]);
    let floating =
        object(&["DTSTART:20261201T230000", "RRULE:FREQ=DAILY;COUNT=1", "DURATION:PT1H"]);
    let zoned = object(&["DTSTART:20261201T230000Z", "DURATION:PT1H"]);
    let last_end = |text: &str, clock: &ZoneId| match calendar::read(
        text.as_bytes(),
        &owner(),
        clock,
        &view(BodyKind::Plain),
    )
    .unwrap()
    {
        Item::Event(event) => event.last_end,
        other => panic!("{other:?}"),
    };
    let midnight = at("2026-12-02T00:00:00");
    for (clock, hours) in [("Etc/UTC", 0), ("Asia/Kolkata", -5), ("America/New_York", 5)] {
        let half = if hours == -5 { -1800 } else { 0 };
        let there = midnight.plus_seconds(hours * 3600 + half).as_utc();
        let clock = ZoneId::from(clock);
        assert_eq!(last_end(&whole_day, &clock), Some(there));
        assert_eq!(last_end(&floating, &clock), Some(there));
        assert_eq!(last_end(&zoned, &clock), Some(midnight.as_utc()));
        let summary = calendar::summary(floating.as_bytes()).unwrap();
        assert_eq!(summary.last_end.map(|end| end.on(&clock)), Some(there));
    }
}

#[test]
fn what_a_phone_cannot_be_told_is_shown_in_part_and_not_destroyed() {
    for (rule, is_series) in [
        ("RRULE:FREQ=YEARLY;BYYEARDAY=1,100", true),
        ("RRULE:FREQ=YEARLY;BYWEEKNO=20", true),
        ("RRULE:FREQ=HOURLY;INTERVAL=5", true),
        ("RRULE:FREQ=MINUTELY;INTERVAL=7;COUNT=100000", true),
        ("RRULE:FREQ=DAILY;BYHOUR=8,12", false),
        ("RRULE:RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=5L;BYMONTHDAY=8", false),
        ("RDATE:20261205T090000Z,20261207T120000Z", true),
        ("RDATE:20261205T090000Z,20361207T090000Z", false),
        ("RRULE:FREQ=SOMETIMES", false),
    ] {
        let text = object(&["DTSTART:20261201T090000Z", rule, "SUMMARY:a"]);
        let before = event(&text);
        assert_eq!(before.recurrence.is_some(), is_series, "{rule}");
        let after = Event { title: "b".into(), ..before.clone() };
        let written = apply(&text, &edit_to(&before, after));
        assert_eq!(told_difference(&text, &written), ["-SUMMARY:a", "+SUMMARY:b"], "{rule}");
    }
    let both = object(&["DTSTART:20261201T090000Z", "RRULE:FREQ=DAILY", "RDATE:20270101T120000Z"]);
    assert!(event(&both).recurrence.is_some());
}

#[test]
fn of_several_times_a_day_one_is_shown_and_the_others_are_kept() {
    let text = object(&[
        "DTSTART:20261201T090000Z",
        "DTEND:20261201T093000Z",
        "RRULE:FREQ=DAILY;BYHOUR=9,15",
        "EXDATE:20261202T150000Z,20261203T090000Z",
        "SUMMARY:a",
    ]);
    let afternoon = "BEGIN:VEVENT\r\nUID:u@x\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:b\r\n\
                     RECURRENCE-ID:20261204T150000Z\r\nDTSTART:20261204T160000Z\r\n\
                     DTEND:20261204T163000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let text = text.replace("END:VCALENDAR\r\n", afternoon);
    let before = event(&text);
    assert_eq!(before.recurrence, Some(Recurrence::every(Frequency::Daily)));
    assert_eq!(originals(&before), [(at("2026-12-03T09:00:00"), true)]);
    // A morning is taken out; the rule and the afternoons stay.
    let edit = ItemEdit::DropInstance { original: at("2026-12-07T09:00:00").as_utc() };
    let written = apply(&text, &edit);
    assert_eq!(told_difference(&text, &written), ["+EXDATE:20261207T090000Z"]);
    // An attendee's answer may be of an afternoon.
    let afternoon = instance("2026-12-09T15:00:00", EventField::Title, |e| e.title = "c".into());
    assert!(apply(&text, &afternoon).contains("RECURRENCE-ID:20261209T150000Z"));
    // Where its begin moves, the hours of the rule stay, and so do the exceptions of these.
    let later = |at: LocalTime| at.plus_seconds(3600);
    let after = Event { start: later(before.start), end: later(before.end), ..before.clone() };
    let written = apply(&text, &edit_to(&before, after));
    assert!(written.contains("RRULE:FREQ=DAILY;BYHOUR=9,15\r\n"), "{written}");
    assert!(written.contains("RECURRENCE-ID:20261204T150000Z"), "{written}");
}

#[test]
fn a_list_of_dates_is_shown_as_a_rule_with_exceptions() {
    let text = object(&[
        "DTSTART:20261201T090000Z",
        "DURATION:PT1H",
        "RDATE;VALUE=PERIOD:20261215T090000Z/20261215T100000Z,20261201T090000Z/PT1H",
        "RDATE:20270105T090000Z",
        "SUMMARY:a",
    ]);
    let before = event(&text);
    let rule = before.recurrence.as_ref().unwrap();
    assert_eq!((rule.frequency, rule.interval), (Frequency::Daily, 7));
    assert_eq!(rule.end, RecurrenceEnd::Count(6));
    assert_eq!(
        originals(&before),
        ["2026-12-08", "2026-12-22", "2026-12-29"]
            .map(|day| (at(&format!("{day}T09:00:00")), true))
    );
    assert_eq!(before.last_end, Some(at("2027-01-05T10:00:00").as_utc()));
    let titled = apply(&text, &edit_to(&before, Event { title: "b".into(), ..before.clone() }));
    assert_eq!(told_difference(&text, &titled), ["-SUMMARY:a", "+SUMMARY:b"]);
    let later = Event {
        start: at("2026-12-01T10:00:00"),
        end: at("2026-12-01T11:00:00"),
        ..before.clone()
    };
    let moved = event(apply(&text, &edit_to(&before, later)));
    assert_eq!(moved.recurrence, before.recurrence);
    assert_eq!(moved.exceptions[0].original, at("2026-12-08T10:00:00"));
    let drop = ItemEdit::DropInstance { original: at("2026-12-15T09:00:00").as_utc() };
    let dropped = apply(&text, &drop);
    assert_eq!(told_difference(&text, &dropped), ["+EXDATE:20261215T090000Z"]);
    assert_eq!(event(&dropped).exceptions.len(), 4);
}

#[test]
fn instances_without_their_series_stand_for_themselves() {
    let text = object(&[
        "DTSTART:20261215T110000Z",
        "RECURRENCE-ID:20261215T090000Z",
        "SUMMARY:Only this",
        "ORGANIZER:mailto:bob@x.example",
        "ATTENDEE:mailto:ann@x.example",
    ]);
    let before = event(&text);
    assert_eq!((before.title.as_str(), before.recurrence.is_some()), ("Only this", false));
    let after = Event { reminder: Some(5), ..before.clone() };
    let written = apply(&text, &edit_to(&before, after));
    assert_eq!(event(&written).reminder, Some(5));
}
