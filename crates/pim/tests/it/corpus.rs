//! Objects in the shapes in which programs write them: all are read, and an edit of one field
//! changes the lines of that field and no other.

use crate::world::*;
use dme_model::ZoneId;
use dme_model::*;
use dme_pim::calendar;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

pub fn corpus() -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut all: Vec<(String, String)> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ics"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    all.sort();
    assert!(all.len() >= 40, "the corpus is there: {}", all.len());
    all
}

fn read(text: &str) -> Item {
    calendar::read(text.as_bytes(), &owner(), &ZoneId::utc(), &view(BodyKind::Plain)).unwrap()
}

pub fn events() -> impl Iterator<Item = (String, String, Event)> {
    corpus().into_iter().filter_map(|(name, text)| match read(&text) {
        Item::Event(event) => Some((name, text, *event)),
        _ => None,
    })
}

#[test]
fn every_shape_is_read_in_both_forms() {
    for (name, text) in corpus() {
        for kind in [BodyKind::Plain, BodyKind::Html] {
            let item = calendar::read(text.as_bytes(), &owner(), &ZoneId::utc(), &view(kind));
            assert!(item.is_ok(), "{name}: {item:?}");
        }
        calendar::summary(text.as_bytes()).unwrap();
    }
}

#[test]
fn a_summary_tells_the_end_that_is_read() {
    for (name, text, event) in events() {
        let summary = calendar::summary(text.as_bytes()).unwrap();
        let last_end = summary.last_end.map(|end| end.on(&ZoneId::utc()));
        assert_eq!((summary.uid, last_end), (event.uid, event.last_end), "{name}");
    }
}

#[test]
fn naming_everything_as_it_is_changes_not_a_byte() {
    for (name, text) in corpus() {
        let patch = match read(&text) {
            Item::Event(event) => ItemPatch::Event(Box::new(EventPatch::whole(*event))),
            Item::Task(task) => ItemPatch::Task(Box::new(TaskPatch::whole(*task))),
            Item::Note(note) => ItemPatch::Note(Box::new(NotePatch::whole(*note))),
            other => panic!("{other:?}"),
        };
        assert_eq!(apply(&text, &ItemEdit::Patch(patch)), text, "{name}");
    }
}

type Change = fn(&mut Event);

/// An edit of each field, and the properties it may touch.
const EDITS: &[(EventField, Change, &[&str])] = &[
    (EventField::Title, |e| e.title = "Ändern, das".into(), &["SUMMARY"]),
    (
        EventField::Time,
        |e| e.end = e.end.plus_seconds(if e.all_day { 86_400 } else { 900 }),
        &["DTEND", "DURATION", "ATTENDEE", "X-MICROSOFT-CDO-ALLDAYEVENT", "DTSTART"],
    ),
    (
        EventField::Recurrence,
        |e| e.recurrence = Some(Recurrence { interval: 3, ..Recurrence::every(Frequency::Daily) }),
        // Exceptions of instances that there are no more go with them.
        &["RRULE", "EXRULE", "EXDATE", "ATTENDEE", "*override"],
    ),
    (
        EventField::Place,
        |e| e.place = Some("Elsewhere".into()),
        &["LOCATION", "GEO", "X-APPLE-STRUCTURED-LOCATION"],
    ),
    (
        EventField::Busy,
        |e| e.busy = BusyStatus::WorkingElsewhere,
        &["TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS"],
    ),
    (EventField::Privacy, |e| e.privacy = Privacy::Personal, &["CLASS"]),
    (EventField::Categories, |e| e.categories = vec!["One".into(), "Two".into()], &["CATEGORIES"]),
    (EventField::Reminder, |e| e.reminder = Some(77), &["TRIGGER", "ACKNOWLEDGED", "*alarm"]),
    (EventField::Reminder, |e| e.reminder = None, &["*alarm"]),
    (
        EventField::Status,
        |e| e.status = EventStatus::Tentative,
        &["STATUS", "X-MICROSOFT-CDO-BUSYSTATUS"],
    ),
    (EventField::NoProposals, |e| e.no_proposals = true, &["X-MICROSOFT-DISALLOW-COUNTER"]),
    (
        EventField::OnlineLink,
        |e| e.online_link = Some("https://in.example".into()),
        &["X-MICROSOFT-ONLINEMEETINGCONFLINK"],
    ),
    (
        EventField::OnlineExternalLink,
        |e| e.online_external_link = Some("https://out.example".into()),
        &[
            "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
            "X-MICROSOFT-SKYPETEAMSMEETINGURL",
            "X-GOOGLE-CONFERENCE",
            "CONFERENCE",
        ],
    ),
    (
        EventField::Text,
        |e| e.text = Some(Text::plain("Something else")),
        &["DESCRIPTION", "X-ALT-DESC", "STYLED-DESCRIPTION"],
    ),
    (
        EventField::Text,
        |e| e.text = Some(Text::whole(BodyKind::Html, "<p>Something <b>else</b></p>")),
        &["DESCRIPTION", "X-ALT-DESC", "STYLED-DESCRIPTION"],
    ),
    (
        EventField::Attendees,
        |e| {
            e.attendees.push(Attendee {
                address: Address { name: Some("Dan".into()), email: "dan@z.example".into() },
                kind: AttendeeKind::Optional,
                participation: Participation::NeedsAction,
                proposal: None,
            });
        },
        &["ATTENDEE", "ORGANIZER"],
    ),
];

#[test]
fn an_edit_of_one_field_changes_its_own_lines_alone() {
    for (name, text, before) in events() {
        for (number, (field, change, allowed)) in EDITS.iter().enumerate() {
            let mut after = before.clone();
            change(&mut after);
            let edit = EventPatch::of([*field], after.clone());
            let edit = ItemEdit::Patch(ItemPatch::Event(Box::new(edit)));
            let applied = calendar::apply(Some(text.as_bytes()), &edit, &writing("key")).unwrap();
            let written = crate::world::text(applied);
            let case = format!("{name}, edit {number} of {field:?}");
            // Who is asked is asked to a time with a zone.
            let zoned = *field == EventField::Attendees && before.zone != event(&written).zone;
            assert!(!zoned || before.zone.is_none(), "{case}");
            let times = ["DTSTART", "DTEND", "SEQUENCE", "EXDATE", "RDATE", "RECURRENCE-ID"];
            for line in told_difference(&text, &written) {
                let property = line[1..].split([';', ':']).next().unwrap();
                let is_ours = property == "X-DME-ACT";
                let within = |mark: &str, components: &[&str]| {
                    allowed.contains(&mark) && changed_within(&text, &written, components)
                };
                assert!(
                    allowed.contains(&property)
                        || is_ours
                        || zoned && (times.contains(&property) || in_zones(&written, &line[1..]))
                        || within("*alarm", &["VALARM"])
                        || within("*override", &["VEVENT"]),
                    "{case}: {line}"
                );
            }
            let read = event(&written);
            let instance = name == "override-only" && *field == EventField::Recurrence;
            if *field != EventField::Text && !instance {
                assert!(read.same(&after, *field), "{case}: {read:?}");
            }
            assert_eq!(apply(&written, &edit), written, "{case}, twice");
        }
    }
}

/// Whether a line stands in the definition of a zone.
fn in_zones(object: &str, line: &str) -> bool {
    let zones = object.split("BEGIN:VTIMEZONE").skip(1);
    let mut zones = zones.filter_map(|zone| zone.split_once("END:VTIMEZONE"));
    line.ends_with(":VTIMEZONE") || zones.any(|(zone, _)| zone.lines().any(|one| one == line))
}

/// Whether all that differs stands in components of these kinds that came or went.
fn changed_within(before: &str, after: &str, kinds: &[&str]) -> bool {
    let strip = |text: &str| {
        let mut out = Vec::new();
        let mut depth = 0;
        let mut seen = BTreeSet::new();
        for line in text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "").lines() {
            let begin = line.strip_prefix("BEGIN:").is_some_and(|kind| kinds.contains(&kind));
            // The first of a kind is the series itself.
            let first = begin && kinds == ["VEVENT"] && seen.insert(line.to_owned());
            if begin && !first {
                depth += 1;
            }
            if depth == 0 && !line.starts_with("SEQUENCE") {
                out.push(line.to_owned());
            }
            let end = line.strip_prefix("END:").is_some_and(|kind| kinds.contains(&kind));
            if end && depth > 0 {
                depth -= 1;
            }
        }
        let quiet = ["DTSTAMP", "LAST-MODIFIED", "RRULE", "EXRULE", "EXDATE", "ATTENDEE"];
        out.retain(|line| !quiet.iter().any(|name| line.starts_with(name)));
        out
    };
    strip(before) == strip(after)
}

#[test]
fn an_instance_changed_or_taken_out_leaves_the_series_as_it_was() {
    for (name, text, before) in events() {
        let Some(rule) = &before.recurrence else { continue };
        let Some(second) = dme_pim::recurrence::instances(before.start, rule)
            .find(|at| *at > before.start && !before.exceptions.iter().any(|e| e.original == *at))
        else {
            continue;
        };
        let original = match &before.zone {
            Some(zone) => dme_zone::Zone::of(zone).unwrap().to_utc(second),
            None => second.as_utc(),
        };
        let title = Event { title: "Changed".into(), ..Event::default() };
        let patch = Box::new(EventPatch::of([EventField::Title], title));
        for edit in [ItemEdit::Instance { original, patch }, ItemEdit::DropInstance { original }] {
            let written = apply(&text, &edit);
            let lines = told_difference(&text, &written);
            assert!(!lines.is_empty(), "{name}");
            assert!(lines.iter().all(|line| line.starts_with('+')), "{name}: {lines:?}");
            let after = event(&written);
            assert_eq!(after.exceptions.len(), before.exceptions.len() + 1, "{name}");
            assert!(after.exceptions.iter().any(|one| one.original == second), "{name}");
            assert_eq!((&after.title, &after.recurrence), (&before.title, &before.recurrence));
            assert_eq!(apply(&written, &edit), written, "{name}, twice");
        }
    }
}

#[test]
fn every_task_is_done_and_every_note_renamed_without_loss() {
    for (name, text) in corpus() {
        let (edit, allowed): (ItemPatch, &[&str]) = match read(&text) {
            Item::Task(task) => {
                let done = Task { complete: !task.complete, completed: None, ..(*task).clone() };
                let patch = TaskPatch::of([TaskField::Complete], done);
                (ItemPatch::Task(Box::new(patch)), &["STATUS", "PERCENT-COMPLETE", "COMPLETED"])
            }
            Item::Note(note) => {
                let named = Note { title: "Other".into(), ..(*note).clone() };
                let patch = NotePatch::of([NoteField::Title], named);
                (ItemPatch::Note(Box::new(patch)), &["SUMMARY"])
            }
            _ => continue,
        };
        let lines = told_difference(&text, &apply(&text, &ItemEdit::Patch(edit)));
        assert!(!lines.is_empty(), "{name}");
        for line in lines {
            let property = line[1..].split([';', ':']).next().unwrap();
            assert!(allowed.contains(&property), "{name}: {line}");
        }
    }
}
