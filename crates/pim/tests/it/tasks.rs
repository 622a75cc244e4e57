//! Tasks and notes.

use crate::world::*;
use dme_model::*;
use dme_pim::calendar;

fn todo(lines: &[&str]) -> String {
    object(lines).replace("VEVENT", "VTODO")
}

fn edit(fields: &[TaskField], value: Task) -> ItemEdit {
    ItemEdit::Patch(ItemPatch::Task(Box::new(TaskPatch::of(fields.iter().copied(), value))))
}

#[test]
fn a_task_is_read() {
    let task = task(todo(&[
        "SUMMARY:Buy",
        "DTSTART;VALUE=DATE:20261201",
        "DUE;VALUE=DATE:20261203",
        "PRIORITY:1",
        "STATUS:COMPLETED",
        "COMPLETED:20261202T080000Z",
        "CATEGORIES:Home",
        "CLASS:PRIVATE",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER;VALUE=DATE-TIME:20261201T080000Z",
        "END:VALARM",
    ]));
    assert_eq!((task.start, task.due), (Some(at("2026-12-01")), Some(at("2026-12-03"))));
    assert!(task.whole_days && task.complete);
    assert_eq!(task.completed, Some(at("2026-12-02T08:00:00").as_utc()));
    assert_eq!(task.importance, Importance::High);
    assert_eq!(task.reminder, Some(at("2026-12-01T08:00:00").as_utc()));
    assert_eq!(task.privacy, Privacy::Private);
}

#[test]
fn each_field_of_a_task_changes_its_own_lines_alone() {
    let text = todo(&[
        "SUMMARY:a",
        "DUE;TZID=Europe/Berlin:20261203T100000",
        "PERCENT-COMPLETE:30",
        "X-A:b",
    ]);
    let before = task(&text);
    type Change = fn(&mut Task);
    let table: Vec<(TaskField, Change, &[&str])> = vec![
        (TaskField::Title, |t| t.title = "b".into(), &["-SUMMARY:a", "+SUMMARY:b"]),
        (
            TaskField::Due,
            |t| t.due = Some(at("2026-12-04T10:00:00")),
            &["-DUE;TZID=Europe/Berlin:20261203T100000", "+DUE;TZID=Europe/Berlin:20261204T100000"],
        ),
        (TaskField::Due, |t| t.due = None, &["-DUE;TZID=Europe/Berlin:20261203T100000"]),
        (
            TaskField::Complete,
            |t| {
                t.complete = true;
                t.completed = Some(NOW);
            },
            &[
                "-PERCENT-COMPLETE:30",
                "+PERCENT-COMPLETE:100",
                "+STATUS:COMPLETED",
                "+COMPLETED:20261126T153000Z",
            ],
        ),
        (TaskField::Importance, |t| t.importance = Importance::High, &["+PRIORITY:1"]),
        (
            TaskField::Recurrence,
            |t| t.recurrence = Some(Recurrence::every(Frequency::Weekly)),
            &["+RRULE:FREQ=WEEKLY"],
        ),
        (TaskField::Recurrence, |t| t.regeneration.regenerate = true, &["+X-DME-REGENERATE:TRUE"]),
        (TaskField::Ordinal, |t| t.ordinal = Some(NOW), &["+X-DME-ORDINAL:20261126T153000Z"]),
        (
            TaskField::Reminder,
            |t| t.reminder = Some(NOW),
            &[
                "+BEGIN:VALARM",
                "+ACTION:DISPLAY",
                "+DESCRIPTION:a",
                "+TRIGGER;VALUE=DATE-TIME:20261126T153000Z",
                "+END:VALARM",
            ],
        ),
        (
            TaskField::Text,
            |t| {
                t.text = Some(Text::plain("x"));
                t.native = Some(BodyKind::Plain);
            },
            &["+DESCRIPTION:x"],
        ),
    ];
    for (field, change, expected) in table {
        let mut after = before.clone();
        change(&mut after);
        let edit = edit(&[field], after.clone());
        let written = apply(&text, &edit);
        assert_eq!(told_difference(&text, &written), expected, "{field:?}");
        assert!(task(&written).same(&after, field), "{field:?}");
        assert_eq!(apply(&written, &edit), written, "{field:?} twice");
    }
}

#[test]
fn a_task_is_done_and_undone() {
    let text = todo(&[
        "SUMMARY:a",
        "STATUS:COMPLETED",
        "COMPLETED:20261202T080000Z",
        "PERCENT-COMPLETE:100",
    ]);
    let undone = apply(&text, &edit(&[TaskField::Complete], Task::default()));
    assert!(!task(&undone).complete && !undone.contains("COMPLETED"), "{undone}");
    assert!(!calendar::summary(undone.as_bytes()).unwrap().completed);
    assert!(calendar::summary(text.as_bytes()).unwrap().completed);
}

#[test]
fn a_note_is_made_read_and_changed() {
    let value = Note {
        title: "Idea".into(),
        categories: vec!["A".into()],
        text: Some(Text::plain("one\ntwo")),
        native: Some(BodyKind::Plain),
        ..Note::default()
    };
    let edit = ItemEdit::Patch(ItemPatch::Note(Box::new(NotePatch::whole(value.clone()))));
    let made = text(calendar::apply(None, &edit, &writing("key")).unwrap());
    let read = note(&made);
    assert_eq!((read.modified, &read.title, &read.text), (NOW, &value.title, &value.text));
    assert_eq!(apply(&made, &edit), made);
    let changed = Note { title: "Thought".into(), ..value };
    let edit =
        ItemEdit::Patch(ItemPatch::Note(Box::new(NotePatch::of([NoteField::Title], changed))));
    assert_eq!(told_difference(&made, &apply(&made, &edit)), ["-SUMMARY:Idea", "+SUMMARY:Thought"]);
}
