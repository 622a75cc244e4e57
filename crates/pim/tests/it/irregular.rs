//! Series of which one rule is not all: what is shown of them, and what an edit leaves.

use crate::world::*;
use dme_model::*;
use dme_pim::calendar;
use dme_pim::recurrence::Series;

/// Daily at nine from the 1st; from the 10th on at ten, for two hours, with another title.
fn from_the_tenth() -> String {
    object(&[
        "DTSTART:20261201T090000Z",
        "DTEND:20261201T100000Z",
        "RRULE:FREQ=DAILY;COUNT=20",
        "SUMMARY:Before",
        "X-OWN:series",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "UID:u@x",
        "DTSTAMP:20260101T000000Z",
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20261210T090000Z",
        "DTSTART:20261210T100000Z",
        "DTEND:20261210T120000Z",
        "SUMMARY:After",
        "X-OWN:later",
    ])
}

/// The instances: day and hours, and the title.
pub fn shown(event: &Event) -> Vec<String> {
    let all: Vec<LocalTime> = Series::of(event).unwrap().instances().take(60).collect();
    let mut told = vec![];
    for start in all {
        let exception = event.exceptions.iter().find(|one| one.original == start);
        let length = event.end.as_seconds() - event.start.as_seconds();
        let mut one = Event { start, end: start.plus_seconds(length), ..event.clone() };
        match exception.map(|exception| &exception.change) {
            Some(InstanceChange::Deleted) => continue,
            Some(InstanceChange::Changed(patch)) => patch.apply(&mut one),
            None => {
                if let Some(patch) = event.irregular.change_at(start) {
                    patch.apply(&mut one);
                }
            }
        }
        let (_, _, day) = civil::date(one.start.as_days());
        let hour = |at: LocalTime| at.as_seconds().rem_euclid(86_400) / 3600;
        told.push(format!("{day} {}-{} {}", hour(one.start), hour(one.end), one.title));
    }
    told
}

/// Those of the series above, with some otherwise.
fn expected(otherwise: &[(usize, Option<&str>)]) -> Vec<String> {
    let one = |day: usize| match otherwise.iter().find(|(other, _)| *other == day) {
        Some((_, other)) => other.map(str::to_owned),
        None if day < 10 => Some(format!("{day} 9-10 Before")),
        None => Some(format!("{day} 10-12 After")),
    };
    (1..=20).filter_map(one).collect()
}

fn drop(day: &str) -> ItemEdit {
    ItemEdit::DropInstance { original: at(&format!("2026-12-{day}T09:00:00")).as_utc() }
}

fn rename(day: &str, title: &str) -> ItemEdit {
    let value = Event { title: title.into(), ..Event::default() };
    let patch = Box::new(EventPatch::of([EventField::Title], value));
    ItemEdit::Instance { original: at(&format!("2026-12-{day}T09:00:00")).as_utc(), patch }
}

#[test]
fn what_holds_from_an_instance_on_is_shown_of_each_later_one() {
    let event = event(from_the_tenth());
    assert_eq!(shown(&event), expected(&[]));
    assert_eq!(event.last_end, Some(at("2026-12-20T12:00:00").as_utc()));
}

#[test]
fn one_of_the_later_instances_is_changed_or_dropped_alone() {
    let text = from_the_tenth();
    let written = apply(&text, &drop("15"));
    assert_eq!(told_difference(&text, &written), ["+EXDATE:20261215T090000Z"]);
    assert_eq!(shown(&event(&written)), expected(&[(15, None)]));

    let written = apply(&text, &rename("15", "Once"));
    assert_eq!(shown(&event(&written)), expected(&[(15, Some("15 10-12 Once"))]));
    let lines = told_difference(&text, &written);
    assert!(lines.iter().all(|line| line.starts_with('+')), "{lines:?}");
    // What it is made of is what was said of it.
    assert!(lines.contains(&"+X-OWN:later".to_owned()), "{lines:?}");
    assert!(lines.contains(&"+RECURRENCE-ID:20261215T090000Z".to_owned()), "{lines:?}");
}

#[test]
fn the_first_of_the_later_instances_is_changed_or_dropped_alone() {
    let text = from_the_tenth();
    for (edit, first) in [(drop("10"), None), (rename("10", "Once"), Some("10 10-12 Once"))] {
        let written = apply(&text, &edit);
        assert_eq!(shown(&event(&written)), expected(&[(10, first)]));
        assert!(
            written.contains("RECURRENCE-ID;RANGE=THISANDFUTURE:20261211T090000Z"),
            "{written}"
        );
        assert!(written.matches("X-OWN:later").count() >= 1, "{written}");
        assert_eq!(apply(&written, &edit), written, "twice");
        // The next of them likewise.
        let again = apply(&written, &drop("11"));
        assert_eq!(shown(&event(&again)), expected(&[(10, first), (11, None)]));
    }
}

#[test]
fn a_list_of_exceptions_leaves_what_holds_from_an_instance_on() {
    let text = from_the_tenth();
    let before = event(&text);
    let mut after = before.clone();
    let gone = Exception { original: at("2026-12-12T09:00:00"), change: InstanceChange::Deleted };
    after.exceptions.push(gone);
    let value = Event { title: "Once".into(), ..Event::default() };
    let renamed = InstanceChange::Changed(Box::new(EventPatch::of(
        [EventField::Title, EventField::Time],
        Event {
            start: at("2026-12-14T10:00:00"),
            end: at("2026-12-14T12:00:00"),
            zone: before.zone.clone(),
            ..value
        },
    )));
    after.exceptions.push(Exception { original: at("2026-12-14T09:00:00"), change: renamed });
    let written = apply(&text, &edit_to(&before, after));
    let otherwise = [(12, None), (14, Some("14 10-12 Once"))];
    assert_eq!(shown(&event(&written)), expected(&otherwise));
}

#[test]
fn a_series_that_moves_takes_with_it_what_holds_from_an_instance_on() {
    let text = from_the_tenth().replace("20261210T100000Z", "20261210T090000Z");
    let before = event(&text);
    let hour = |at: LocalTime| at.plus_seconds(3600);
    let after = Event { start: hour(before.start), end: hour(before.end), ..before.clone() };
    let written = apply(&text, &edit_to(&before, after));
    assert!(written.contains("RECURRENCE-ID;RANGE=THISANDFUTURE:20261210T100000Z"), "{written}");
    let event = event(&written);
    assert_eq!(shown(&event)[8..10], ["9 10-11 Before", "10 10-11 After"]);
    assert_eq!(shown(&event)[19], "20 10-11 After");

    // Where its instance is none any more it begins with the next.
    let text = from_the_tenth();
    let before = crate::world::event(&text);
    let mut after = before.clone();
    let rule = Recurrence { interval: 2, ..Recurrence::every(Frequency::Daily) };
    after.recurrence = Some(Recurrence { end: RecurrenceEnd::Count(7), ..rule });
    let event = crate::world::event(apply(&text, &edit_to(&before, after)));
    let days = ["7 9-10 Before", "9 9-10 Before", "11 10-12 After", "13 10-12 After"];
    assert_eq!(shown(&event)[3..], days);
}

#[test]
fn the_instances_are_those_of_all_rules_and_dates() {
    let weekly = ["DTSTART:20261201T090000Z", "DTEND:20261201T100000Z", "SUMMARY:a"];
    for (lines, days) in [
        (&["RRULE:FREQ=WEEKLY;COUNT=4", "EXRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=2"][..], "8 22"),
        (&["RRULE:FREQ=WEEKLY;COUNT=4", "EXRULE:FREQ=DAILY;BYMONTHDAY=8,9,15"], "1 22"),
        (&["RRULE:FREQ=WEEKLY;COUNT=3", "RRULE:FREQ=DAILY;INTERVAL=4;COUNT=4"], "1 5 8 9 13 15"),
        (&["RRULE:FREQ=WEEKLY;COUNT=3", "RDATE:20261203T090000Z,20261231T090000Z"], "1 3 8 15 31"),
        // What the rule has is not added.
        (&["RRULE:FREQ=WEEKLY;COUNT=2", "RDATE:20261203T150000Z,20261208T090000Z"], "1 3 8"),
        (&["RRULE:FREQ=WEEKLY;COUNT=2", "RDATE;VALUE=PERIOD:20261203T090000Z/PT3H"], "1 3 8"),
        (&["RRULE:FREQ=WEEKLY;COUNT=2", "EXRULE:FREQ=DAILY;BYHOUR=15", "EXRULE:nonsense"], "1 8"),
    ] {
        let text = object(&[&weekly[..], lines].concat());
        let event = event(&text);
        let found: Vec<String> = shown(&event);
        let found: Vec<&str> = found.iter().map(|one| one.split(' ').next().unwrap()).collect();
        assert_eq!(found.join(" "), days, "{lines:?}");
        // Another title leaves all of it.
        let titled = Event { title: "b".into(), ..event.clone() };
        let written = apply(&text, &edit_to(&event, titled));
        assert_eq!(told_difference(&text, &written), ["-SUMMARY:a", "+SUMMARY:b"]);
    }
}

#[test]
fn a_series_that_is_ended_keeps_its_other_rules() {
    let text = object(&[
        "DTSTART:20261201T090000Z",
        "RRULE:FREQ=WEEKLY",
        "RRULE:FREQ=MONTHLY;BYMONTHDAY=10;UNTIL=20280101T000000Z",
        "RRULE:FREQ=DAILY;BYHOUR=15",
        "EXRULE:FREQ=MONTHLY;BYMONTHDAY=8",
        "RDATE:20261203T090000Z",
    ]);
    let before = event(&text);
    let mut after = before.clone();
    let end = RecurrenceEnd::Until(at("2027-01-26T09:00:00"));
    after.recurrence.as_mut().unwrap().end = end;
    assert_eq!(
        told_difference(&text, &apply(&text, &edit_to(&before, after))),
        [
            "-RRULE:FREQ=WEEKLY",
            "-RRULE:FREQ=MONTHLY;BYMONTHDAY=10;UNTIL=20280101T000000Z",
            "+RRULE:FREQ=WEEKLY;UNTIL=20270126T090000Z",
            "+RRULE:FREQ=MONTHLY;UNTIL=20270126T090000Z;BYMONTHDAY=10",
        ]
    );
}

#[test]
fn an_instance_that_a_rule_takes_out_is_none() {
    let text = object(&[
        "DTSTART:20261201T090000Z",
        "RRULE:FREQ=DAILY",
        "RRULE:FREQ=DAILY;INTERVAL=2;BYHOUR=9",
        "EXRULE:FREQ=WEEKLY;BYDAY=SA",
        "SUMMARY:a",
    ]);
    let refused = calendar::apply(Some(text.as_bytes()), &drop("05"), &writing("key"));
    assert_eq!(refused, Err(dme_pim::Error::NoSuchInstance));
    let lines = told_difference(&text, &apply(&text, &drop("06")));
    assert_eq!(lines, ["+EXDATE:20261206T090000Z"]);
}

#[test]
fn time_is_taken_by_the_instances_as_they_are() {
    let busy = |text: &str, from: &str, to: &str| -> Vec<(i64, i64)> {
        let moment = |text: &str| at(text).as_utc();
        let zone = ZoneId::utc();
        let all = calendar::busy_within(text.as_bytes(), &owner(), &zone, moment(from), moment(to));
        let hour = |at: Timestamp| (at.as_seconds() - moment(from).as_seconds()) / 3600;
        all.unwrap().iter().map(|one| (hour(one.start), hour(one.end))).collect()
    };
    let text = from_the_tenth();
    let days = busy(&text, "2026-12-09T00:00:00", "2026-12-12T00:00:00");
    assert_eq!(days, [(9, 10), (34, 36), (58, 60)]);
    assert_eq!(busy(&text, "2026-12-18T11:00:00", "2026-12-19T00:00:00"), [(-1, 1)]);
    let text = object(&[
        "DTSTART:20261201T090000Z",
        "DTEND:20261201T100000Z",
        "RRULE:FREQ=DAILY;COUNT=4",
        "RRULE:FREQ=WEEKLY;COUNT=2",
        "RDATE:20261202T150000Z,20261203T090000Z",
        "EXRULE:FREQ=DAILY;INTERVAL=2",
    ]);
    let days = busy(&text, "2026-12-01T00:00:00", "2026-12-09T00:00:00");
    assert_eq!(days, [(33, 34), (39, 40), (81, 82), (177, 178)]);
}

#[test]
fn an_answer_to_one_instance_is_of_that_alone() {
    let asked = ["ORGANIZER:mailto:bob@x.example", "ATTENDEE:mailto:ann@x.example"].join("\r\n");
    let text = from_the_tenth().replace("X-OWN", &format!("{asked}\r\nX-OWN"));
    let answer = Answer {
        participation: Participation::Declined,
        instance: Some(at("2026-12-10T09:00:00").as_utc()),
        comment: None,
        proposal: None,
        send: false,
    };
    let answered = calendar::respond(text.as_bytes(), &answer, &writing("key")).unwrap();
    let event = event(&answered.object);
    let participation = |day: &str| {
        let original = at(&format!("2026-12-{day}T09:00:00"));
        let own = event.exceptions.iter().find(|one| one.original == original);
        let patch = match own.map(|one| one.change.clone()) {
            Some(InstanceChange::Changed(patch)) => Some(*patch),
            _ => event.irregular.change_at(original),
        };
        let mut one = Event { participation: event.participation, ..Event::default() };
        patch.unwrap_or_default().apply(&mut one);
        one.participation
    };
    assert_eq!(participation("10"), Participation::Declined);
    assert_eq!(participation("12"), Participation::NeedsAction);
}
