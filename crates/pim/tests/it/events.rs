//! Single events: each property, both ways.

use crate::world::*;
use dme_model::ZoneId;
use dme_model::*;
use dme_pim::{Error, calendar};

#[test]
fn an_event_is_read() {
    let text = object(&[
        "DTSTART;TZID=Europe/Berlin:20261201T090000",
        "DTEND;TZID=Europe/Berlin:20261201T103000",
        "SUMMARY:Lunch\\, long",
        "LOCATION:Room 1",
        "GEO:48.1;11.5",
        "CATEGORIES:A,B",
        "CLASS:PRIVATE",
        "TRANSP:OPAQUE",
        "X-MICROSOFT-CDO-BUSYSTATUS:OOF",
        "DESCRIPTION:Hello\\nyou",
        "ATTACH;FMTTYPE=text/plain;FILENAME=a.txt;ENCODING=BASE64;VALUE=BINARY:YWI=",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT15M",
        "END:VALARM",
    ]);
    let event = event(&text);
    assert_eq!(event.uid, "u@x");
    assert_eq!(event.title, "Lunch, long");
    assert_eq!((event.start, event.end), (at("2026-12-01T09:00:00"), at("2026-12-01T10:30:00")));
    assert_eq!(event.zone, Some(ZoneId::from("Europe/Berlin")));
    assert_eq!(event.place.as_ref().unwrap().name, "Room 1");
    assert_eq!(event.place.as_ref().unwrap().latitude, Some(48.1));
    assert_eq!(event.categories, ["A", "B"]);
    assert_eq!(event.privacy, Privacy::Private);
    assert_eq!(event.busy, BusyStatus::OutOfOffice);
    assert_eq!(event.text, Some(Text::plain("Hello\nyou")));
    assert_eq!(event.reminder, Some(15));
    assert_eq!(event.last_end, Some(at("2026-12-01T09:30:00").as_utc()));
    assert!(event.own && !event.all_day);
    assert_eq!(event.attachments[0].name, "a.txt");
    let content = calendar::attachment(text.as_bytes(), &event.attachments[0].part).unwrap();
    assert_eq!((content.media_type.as_str(), &*content.data), ("text/plain", &b"ab"[..]));
}

#[test]
fn times_are_read_in_every_form() {
    for (lines, start, end, zone, all_day) in [
        (
            &["DTSTART:20261201T090000Z", "DURATION:PT1H"][..],
            "2026-12-01T09:00:00",
            "2026-12-01T10:00:00",
            Some("Etc/UTC"),
            false,
        ),
        (&["DTSTART:20261201T090000"], "2026-12-01T09:00:00", "2026-12-01T09:00:00", None, false),
        (&["DTSTART;VALUE=DATE:20261201"], "2026-12-01", "2026-12-02", None, true),
        (
            &["DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261203"],
            "2026-12-01",
            "2026-12-03",
            None,
            true,
        ),
        (
            &["DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261201"],
            "2026-12-01",
            "2026-12-02",
            None,
            true,
        ),
        (&["DTSTART;VALUE=DATE:20261201", "DURATION:P2D"], "2026-12-01", "2026-12-03", None, true),
        // Across the change of the clocks.
        (
            &["DTSTART;TZID=Europe/Berlin:20261024T120000", "DURATION:P1D"],
            "2026-10-24T12:00:00",
            "2026-10-25T12:00:00",
            Some("Europe/Berlin"),
            false,
        ),
        (
            &["DTSTART;TZID=Europe/Berlin:20261024T120000", "DURATION:PT25H"],
            "2026-10-24T12:00:00",
            "2026-10-25T12:00:00",
            Some("Europe/Berlin"),
            false,
        ),
        // Begin and end in different zones.
        (
            &[
                "DTSTART;TZID=Europe/Berlin:20261201T090000",
                "DTEND;TZID=America/New_York:20261201T120000",
            ],
            "2026-12-01T09:00:00",
            "2026-12-01T18:00:00",
            Some("Europe/Berlin"),
            false,
        ),
        // The end before the begin.
        (
            &["DTSTART:20261201T090000Z", "DTEND:20261201T080000Z"],
            "2026-12-01T09:00:00",
            "2026-12-01T09:00:00",
            Some("Etc/UTC"),
            false,
        ),
        // Outlook's whole day.
        (
            &[
                "DTSTART;TZID=Europe/Berlin:20261201T000000",
                "DTEND;TZID=Europe/Berlin:20261202T000000",
                "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
            ],
            "2026-12-01",
            "2026-12-02",
            None,
            true,
        ),
        (
            &["DTSTART;TZID=W. Europe Standard Time:20261201T090000"],
            "2026-12-01T09:00:00",
            "2026-12-01T09:00:00",
            Some("Europe/Berlin"),
            false,
        ),
        (
            &["DTSTART;TZID=Nowhere/Land:20261201T090000"],
            "2026-12-01T09:00:00",
            "2026-12-01T09:00:00",
            None,
            false,
        ),
    ] {
        let event = event(object(lines));
        assert_eq!((event.start, event.end), (at(start), at(end)), "{lines:?}");
        assert_eq!(event.zone.as_ref().map(ZoneId::as_str), zone, "{lines:?}");
        assert_eq!(event.all_day, all_day, "{lines:?}");
    }
}

#[test]
fn each_field_changes_its_own_lines_alone() {
    let text = object(&[
        "DTSTART;TZID=Europe/Berlin:20261201T090000",
        "DTEND;TZID=Europe/Berlin:20261201T100000",
        "SUMMARY;LANGUAGE=de:Alt",
        "LOCATION;X-A=b:Ort",
        "CATEGORIES:A,B",
        "DESCRIPTION:alt",
        "X-UNKNOWN;P=q:äöü",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT15M",
        "X-ALARM:keep",
        "END:VALARM",
    ]);
    let before = event(&text);
    type Change = fn(&mut Event);
    let table: Vec<(EventField, Change, &[&str])> = vec![
        (
            EventField::Title,
            |e| e.title = "Neu".into(),
            &["-SUMMARY;LANGUAGE=de:Alt", "+SUMMARY;LANGUAGE=de:Neu"],
        ),
        (EventField::Title, |e| e.title.clear(), &["-SUMMARY;LANGUAGE=de:Alt"]),
        (
            EventField::Time,
            |e| e.end = at("2026-12-01T11:00:00"),
            &[
                "-DTEND;TZID=Europe/Berlin:20261201T100000",
                "+DTEND;TZID=Europe/Berlin:20261201T110000",
            ],
        ),
        (
            EventField::Place,
            |e| e.place = Some("Hof".into()),
            &["-LOCATION;X-A=b:Ort", "+LOCATION;X-A=b:Hof"],
        ),
        (EventField::Place, |e| e.place = None, &["-LOCATION;X-A=b:Ort"]),
        (EventField::Busy, |e| e.busy = BusyStatus::Free, &["+TRANSP:TRANSPARENT"]),
        (
            EventField::Busy,
            |e| e.busy = BusyStatus::OutOfOffice,
            &["+X-MICROSOFT-CDO-BUSYSTATUS:OOF"],
        ),
        (EventField::Privacy, |e| e.privacy = Privacy::Confidential, &["+CLASS:CONFIDENTIAL"]),
        (
            EventField::Categories,
            |e| e.categories = vec!["C,D".into()],
            &["-CATEGORIES:A,B", "+CATEGORIES:C\\,D"],
        ),
        (EventField::Reminder, |e| e.reminder = Some(1440), &["-TRIGGER:-PT15M", "+TRIGGER:-P1D"]),
        (
            EventField::Reminder,
            |e| e.reminder = None,
            &[
                "-BEGIN:VALARM",
                "-ACTION:DISPLAY",
                "-TRIGGER:-PT15M",
                "-X-ALARM:keep",
                "-END:VALARM",
            ],
        ),
        (
            EventField::Status,
            |e| e.status = EventStatus::Tentative,
            &["+STATUS:TENTATIVE", "+X-MICROSOFT-CDO-BUSYSTATUS:BUSY"],
        ),
        (
            EventField::NoProposals,
            |e| e.no_proposals = true,
            &["+X-MICROSOFT-DISALLOW-COUNTER:TRUE"],
        ),
        (
            EventField::Text,
            |e| e.text = Some(Text::plain("neu\r\nda")),
            &["-DESCRIPTION:alt", "+DESCRIPTION:neu\\nda"],
        ),
        (EventField::Text, |e| e.text = None, &["-DESCRIPTION:alt"]),
        (
            EventField::Recurrence,
            |e| e.recurrence = Some(Recurrence::every(Frequency::Daily)),
            &["+RRULE:FREQ=DAILY"],
        ),
        (
            EventField::OnlineLink,
            |e| e.online_link = Some("https://x".into()),
            &["+X-MICROSOFT-ONLINEMEETINGCONFLINK:https://x"],
        ),
    ];
    for (field, change, expected) in table {
        let mut after = before.clone();
        change(&mut after);
        let edit =
            ItemEdit::Patch(ItemPatch::Event(Box::new(EventPatch::of([field], after.clone()))));
        let written = apply(&text, &edit);
        assert_eq!(told_difference(&text, &written), expected, "{field:?}");
        let read = event(&written);
        if field == EventField::Text {
            let plain =
                |text: &Option<Text>| text.clone().map(|text| text.text.replace("\r\n", "\n"));
            assert_eq!(plain(&read.text), plain(&after.text));
        } else {
            assert!(read.same(&after, field), "{field:?}: {read:?}");
        }
        assert_eq!(apply(&written, &edit), written, "{field:?} twice");
    }
}

#[test]
fn what_is_named_but_the_same_changes_not_a_byte() {
    let text = object(&["DTSTART:20261201T090000Z", "DTEND:20261201T093000Z", "SUMMARY:a", "X:1"]);
    let before = event(&text);
    let whole = ItemEdit::Patch(ItemPatch::Event(Box::new(EventPatch::whole(before))));
    assert_eq!(apply(&text, &whole), text);
}

#[test]
fn another_zone_is_named_and_defined() {
    let text = object(&["DTSTART:20261201T090000Z", "DTEND:20261201T093000Z"]);
    let before = event(&text);
    let after = Event {
        start: at("2026-12-01T10:00:00"),
        end: at("2026-12-01T11:00:00"),
        zone: Some(ZoneId::from("Europe/Berlin")),
        ..before.clone()
    };
    let written = apply(&text, &edit_to(&before, after.clone()));
    assert!(written.contains("DTSTART;TZID=Europe/Berlin:20261201T100000"), "{written}");
    assert!(written.contains("BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n"), "{written}");
    assert!(written.contains("TZOFFSETTO:+0200"), "{written}");
    assert!(event(&written).same(&after, EventField::Time));
    let days = Event {
        start: at("2026-12-01"),
        end: at("2026-12-02"),
        zone: None,
        all_day: true,
        ..after.clone()
    };
    let written = apply(&written, &edit_to(&after, days.clone()));
    assert!(written.contains("DTSTART;VALUE=DATE:20261201\r\n"), "{written}");
    assert!(event(&written).same(&days, EventField::Time));
}

#[test]
fn a_new_event_is_whole_and_the_same_when_it_is_made_again() {
    let new = Event {
        title: "Neu".into(),
        start: at("2026-12-01T10:00:00"),
        end: at("2026-12-01T11:00:00"),
        zone: Some(ZoneId::from("Europe/Berlin")),
        reminder: Some(5),
        text: Some(Text::whole(BodyKind::Html, "<p>Hi &amp; bye</p>")),
        native: Some(BodyKind::Html),
        recurrence: Some(Recurrence {
            end: RecurrenceEnd::Until(at("2026-12-05T10:00:00")),
            ..Recurrence::every(Frequency::Daily)
        }),
        exceptions: vec![Exception {
            original: at("2026-12-02T10:00:00"),
            change: InstanceChange::Deleted,
        }],
        ..Event::default()
    };
    let edit = ItemEdit::Patch(ItemPatch::Event(Box::new(EventPatch::whole(new.clone()))));
    let made = calendar::apply(None, &edit, &writing("key")).unwrap();
    let again = calendar::apply(None, &edit, &writing("key")).unwrap();
    let other = calendar::apply(None, &edit, &writing("other")).unwrap();
    assert_eq!(made, again);
    assert_ne!(made.uid, other.uid);
    let uid = made.uid.clone();
    let text = text(made);
    for line in [
        format!("UID:{uid}"),
        "DTSTAMP:20261126T153000Z".into(),
        "CREATED:20261126T153000Z".into(),
        "LAST-MODIFIED:20261126T153000Z".into(),
        "SEQUENCE:0".into(),
        "DTSTART;TZID=Europe/Berlin:20261201T100000".into(),
        "RRULE:FREQ=DAILY;UNTIL=20261205T090000Z".into(),
        "EXDATE;TZID=Europe/Berlin:20261202T100000".into(),
        "DESCRIPTION:Hi & bye".into(),
        "X-ALT-DESC;FMTTYPE=text/html:<p>Hi &amp\\; bye</p>".into(),
        "TRIGGER:-PT5M".into(),
        "TZID:Europe/Berlin".into(),
    ] {
        assert!(text.contains(&format!("\r\n{line}\r\n")), "{line}: {text}");
    }
    let read = event(&text);
    for field in [
        EventField::Title,
        EventField::Time,
        EventField::Recurrence,
        EventField::Exceptions,
        EventField::Reminder,
    ] {
        assert!(read.same(&new, field), "{field:?}");
    }
    assert_eq!(read.last_end, Some(at("2026-12-05T10:00:00").as_utc()));
}

#[test]
fn files_are_attached_once_and_taken_off() {
    let text = object(&["DTSTART:20261201T090000Z"]);
    let file = NewAttachment {
        name: "a b.txt".into(),
        media_type: "text/plain".into(),
        content_id: None,
        data: bytes::Bytes::from_static(b"content"),
    };
    let attach = patch(EventField::Attachments, |event| event.attach = vec![file]);
    let applied = calendar::apply(Some(text.as_bytes()), &attach, &writing("key")).unwrap();
    let attached = applied.attached.clone();
    let written = crate::world::text(applied);
    assert_eq!(apply(&written, &attach), written, "twice is as once");
    let listed = event(&written).attachments;
    assert_eq!((listed[0].name.as_str(), &listed[0].part), ("a b.txt", &attached[0]));
    let detach = patch(EventField::Attachments, |event| event.detach = attached);
    assert!(event(apply(&written, &detach)).attachments.is_empty());
}

#[test]
fn what_makes_no_event_is_refused_without_its_content() {
    for text in [
        String::new(),
        "secret".into(),
        "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n".into(),
        object(&["SUMMARY:secret"]),
        object(&["DTSTART:secret"]),
    ] {
        let error = calendar::read(text.as_bytes(), &owner(), &ZoneId::utc(), &BodyView::default())
            .unwrap_err();
        assert!(matches!(error, Error::Unconvertible(_)), "{error}");
        assert!(!error.to_string().contains("secret"));
    }
    let large = vec![b' '; calendar::MAX_OBJECT + 1];
    let error = calendar::read(&large, &owner(), &ZoneId::utc(), &BodyView::default()).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }));
}

#[test]
fn a_thousand_attendees_are_shown_in_part_and_all_survive() {
    let mut lines =
        vec!["DTSTART:20261201T090000Z".to_owned(), "ORGANIZER:mailto:bob@x.example".into()];
    lines.extend((0..5000).map(|n| format!("ATTENDEE;PARTSTAT=ACCEPTED:mailto:a{n}@x.example")));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let text = object(&lines);
    let before = event(&text);
    assert_eq!(before.attendees.len(), calendar::MAX_ATTENDEES);
    let mut after = before.clone();
    after.attendees.remove(0);
    let written = apply(&text, &edit_to(&before, after));
    assert_eq!(written.matches("ATTENDEE").count(), 4999);
}
