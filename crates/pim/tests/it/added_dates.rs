//! Dates that are added to a series at another time of day (`RDATE`): a phone, whose series has one, is
//! shown an instance of that day that was moved. In the object they keep their own names.

use crate::irregular::shown;
use crate::meetings::sent;
use crate::world::*;
use dme_model::*;
use dme_pim::calendar;

/// On two Tuesdays at nine, and on Thursday the 3rd at three.
fn with_a_thursday() -> String {
    object(&[
        "DTSTART:20261201T090000Z",
        "DTEND:20261201T100000Z",
        "RRULE:FREQ=WEEKLY;COUNT=2",
        "RDATE:20261203T150000Z",
        "SUMMARY:a",
        "X-OWN:series",
    ])
}

/// With what is said of the Thursday.
fn said_of_it(lines: &[&str]) -> String {
    let head = ["BEGIN:VEVENT", "UID:u@x", "DTSTAMP:20260101T000000Z"];
    let lines = [&head[..], &["RECURRENCE-ID:20261203T150000Z"], lines, &["END:VEVENT"]].concat();
    let lines = lines.join("\r\n");
    with_a_thursday().replace("END:VCALENDAR", &format!("{lines}\r\nEND:VCALENDAR"))
}

const THURSDAY: &str = "2026-12-03T09:00:00";

fn drop_it() -> ItemEdit {
    ItemEdit::DropInstance { original: at(THURSDAY).as_utc() }
}

fn rename(title: &str) -> ItemEdit {
    let value = Event { title: title.into(), ..Event::default() };
    let patch = Box::new(EventPatch::of([EventField::Title], value));
    ItemEdit::Instance { original: at(THURSDAY).as_utc(), patch }
}

#[test]
fn it_is_an_instance_of_its_day_that_was_moved() {
    let event = event(with_a_thursday());
    assert_eq!(shown(&event), ["1 9-10 a", "3 15-16 a", "8 9-10 a"]);
    let [Exception { original, change: InstanceChange::Changed(patch) }] = &event.exceptions[..]
    else {
        panic!("{:?}", event.exceptions)
    };
    assert_eq!((*original, event.irregular.added[..].to_vec()), (at(THURSDAY), vec![*original]));
    assert_eq!(patch.fields.iter().copied().collect::<Vec<_>>(), [EventField::Time]);
}

#[test]
fn there_is_none_of_a_day_that_has_an_instance_or_says_something_of_one() {
    for (lines, told) in [
        (&["RRULE:FREQ=DAILY;COUNT=4", "RDATE:20261203T150000Z"][..], "1 9 2 9 3 9 4 9"),
        (&["RRULE:FREQ=WEEKLY;COUNT=1", "RDATE:20261203T090000Z,20261203T150000Z"], "1 9 3 9"),
        (&["RRULE:FREQ=WEEKLY;COUNT=1", "RDATE:20261203T150000Z,20261203T170000Z"], "1 9 3 15"),
        (&["RRULE:FREQ=WEEKLY;COUNT=1", "RDATE:20261201T150000Z,20261129T150000Z"], "1 9"),
        (
            &["RRULE:FREQ=WEEKLY;COUNT=1", "RDATE:20261203T150000Z", "EXDATE:20261203T090000Z"],
            "1 9",
        ),
        (
            &[
                "RRULE:FREQ=WEEKLY;COUNT=1",
                "RDATE:20261203T150000Z",
                "EXRULE:FREQ=DAILY;BYMONTHDAY=3",
            ],
            "1 9",
        ),
        (
            &["RRULE:FREQ=WEEKLY;COUNT=1", "RDATE:20261203T150000Z", "EXDATE:20261203T150000Z"],
            "1 9",
        ),
        // A list without a rule.
        (&["RDATE:20261203T090000Z,20261205T150000Z,20261206T090000Z"], "1 9 3 9 5 15 6 9"),
    ] {
        let text = object(
            &[&["DTSTART:20261201T090000Z", "DTEND:20261201T100000Z", "SUMMARY:a"], lines].concat(),
        );
        let event = event(&text);
        let told_of: Vec<String> =
            shown(&event).iter().map(|one| one.split('-').next().unwrap().to_owned()).collect();
        assert_eq!(told_of.join(" "), told, "{lines:?}");
        // Whatever is shown, all of it stays.
        let titled = Event { title: "b".into(), ..event.clone() };
        let written = apply(&text, &edit_to(&event, titled));
        assert_eq!(told_difference(&text, &written), ["-SUMMARY:a", "+SUMMARY:b"], "{lines:?}");
    }
}

#[test]
fn it_is_dropped_and_changed_under_its_own_name() {
    let text = with_a_thursday();
    let written = apply(&text, &drop_it());
    assert_eq!(told_difference(&text, &written), ["+EXDATE:20261203T150000Z"]);
    assert_eq!(shown(&event(&written)), ["1 9-10 a", "8 9-10 a"]);

    let written = apply(&text, &rename("Once"));
    let lines = told_difference(&text, &written);
    for line in ["+RECURRENCE-ID:20261203T150000Z", "+DTSTART:20261203T150000Z", "+X-OWN:series"] {
        assert!(lines.contains(&line.to_owned()), "{line}: {lines:?}");
    }
    assert!(lines.iter().all(|line| line.starts_with('+')), "{lines:?}");
    assert_eq!(shown(&event(&written)), ["1 9-10 a", "3 15-16 Once", "8 9-10 a"]);
}

#[test]
fn what_the_object_says_of_it_is_shown_and_edited() {
    let moved = ["DTSTART:20261203T160000Z", "DTEND:20261203T180000Z", "SUMMARY:b"];
    let text = said_of_it(&moved);
    assert_eq!(shown(&event(&text)), ["1 9-10 a", "3 16-18 b", "8 9-10 a"]);
    let written = apply(&text, &rename("Once"));
    assert_eq!(told_difference(&text, &written), ["-SUMMARY:b", "+SUMMARY:Once"]);
    let written = apply(&text, &drop_it());
    assert_eq!(shown(&event(&written)), ["1 9-10 a", "8 9-10 a"]);
    assert!(written.contains("EXDATE:20261203T150000Z"), "{written}");
}

#[test]
fn a_list_of_exceptions_that_repeats_it_changes_nothing() {
    let text = with_a_thursday();
    let before = event(&text);
    let mut after = before.clone();
    let gone = Exception { original: at("2026-12-08T09:00:00"), change: InstanceChange::Deleted };
    after.exceptions.push(gone);
    let written = apply(&text, &edit_to(&before, after.clone()));
    assert_eq!(told_difference(&text, &written), ["+EXDATE:20261208T090000Z"]);
    after.exceptions[0].change = InstanceChange::Deleted;
    let written = apply(&text, &edit_to(&before, after));
    assert_eq!(shown(&event(&written)), ["1 9-10 a"]);
}

#[test]
fn it_moves_with_its_series() {
    let hour = |at: LocalTime| at.plus_seconds(3600);
    let moved = ["DTSTART:20261203T160000Z", "DTEND:20261203T180000Z", "SUMMARY:b"];
    let unmoved = ["DTSTART:20261203T150000Z", "DTEND:20261203T160000Z", "SUMMARY:b"];
    for (text, thursday) in [
        (with_a_thursday(), "3 16-17 a"),
        // What was moved by hand stays there.
        (said_of_it(&moved), "3 16-18 b"),
        (said_of_it(&unmoved), "3 16-17 b"),
    ] {
        let before = event(&text);
        let after = Event { start: hour(before.start), end: hour(before.end), ..before.clone() };
        let written = apply(&text, &edit_to(&before, after));
        assert!(written.contains("RDATE:20261203T160000Z"), "{written}");
        assert!(!written.contains("RECURRENCE-ID:20261203T150000Z"), "{written}");
        assert_eq!(shown(&event(&written)), ["1 10-11 a", thursday, "8 10-11 a"], "{written}");
    }
}

#[test]
fn an_answer_to_it_names_it_as_the_organiser_does() {
    let asked = "ORGANIZER:mailto:bob@x.example\r\nATTENDEE:mailto:ann@x.example\r\nX-OWN";
    let text = with_a_thursday().replace("X-OWN", asked);
    let answer = Answer {
        participation: Participation::Accepted,
        instance: Some(at(THURSDAY).as_utc()),
        comment: None,
        proposal: None,
        send: true,
    };
    let answered = calendar::respond(text.as_bytes(), &answer, &writing("key")).unwrap();
    let mail = sent(&answered.notices[0]).calendar;
    let object = String::from_utf8(answered.object).unwrap();
    assert!(object.contains("RECURRENCE-ID:20261203T150000Z"), "{object}");
    assert!(mail.contains("RECURRENCE-ID:20261203T150000Z"), "{mail}");
}
