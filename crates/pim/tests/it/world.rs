//! What the tests read and write with.

use dme_model::ZoneId;
use dme_model::*;
use dme_pim::calendar::{self, Applied, Writing};

pub const OWNER: &str = "ann@x.example";

/// 2026-11-26T15:30:00Z.
pub const NOW: Timestamp = Timestamp::from_seconds(1_795_707_000);

pub fn owner() -> Vec<String> {
    vec![OWNER.into(), "ann.other@x.example".into()]
}

pub fn writing(key: &str) -> Writing {
    Writing {
        owner: owner(),
        name: Some("Ann".into()),
        now: NOW,
        key: key.into(),
        schedules: false,
        zone: ZoneId::from("Europe/Berlin"),
    }
}

/// The view of a phone that takes this form alone, whole.
pub fn view(kind: BodyKind) -> BodyView {
    let preference = BodyPreference { kind, truncation: None, all_or_none: false, preview: None };
    BodyView { preferences: vec![preference], ..BodyView::default() }
}

pub fn event(object: impl AsRef<[u8]>) -> Event {
    match calendar::read(object.as_ref(), &owner(), &ZoneId::utc(), &view(BodyKind::Plain)).unwrap()
    {
        Item::Event(event) => *event,
        other => panic!("no event: {other:?}"),
    }
}

pub fn task(object: impl AsRef<[u8]>) -> Task {
    match calendar::read(object.as_ref(), &owner(), &ZoneId::utc(), &view(BodyKind::Plain)).unwrap()
    {
        Item::Task(task) => *task,
        other => panic!("no task: {other:?}"),
    }
}

pub fn note(object: impl AsRef<[u8]>) -> Note {
    match calendar::read(object.as_ref(), &owner(), &ZoneId::utc(), &view(BodyKind::Plain)).unwrap()
    {
        Item::Note(note) => *note,
        other => panic!("no note: {other:?}"),
    }
}

/// An object with these lines in its one event.
pub fn object(lines: &[&str]) -> String {
    let mut text = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\n");
    text.push_str("BEGIN:VEVENT\r\nUID:u@x\r\nDTSTAMP:20260101T000000Z\r\n");
    for line in lines {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text + "END:VEVENT\r\nEND:VCALENDAR\r\n"
}

pub fn patch(field: EventField, change: impl FnOnce(&mut Event)) -> ItemEdit {
    let mut value = Event::default();
    change(&mut value);
    ItemEdit::Patch(ItemPatch::Event(Box::new(EventPatch::of([field], value))))
}

/// An edit that makes `after` of what the object shows.
pub fn edit_to(before: &Event, after: Event) -> ItemEdit {
    ItemEdit::Patch(ItemPatch::Event(Box::new(EventPatch::between(before, after))))
}

pub fn apply(object: impl AsRef<[u8]>, edit: &ItemEdit) -> String {
    text(calendar::apply(Some(object.as_ref()), edit, &writing("key")).unwrap())
}

pub fn text(applied: Applied) -> String {
    String::from_utf8(applied.object).unwrap()
}

/// `2026-11-26T15:30:00` on any clock.
pub fn at(text: &str) -> LocalTime {
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    let time = if text.len() > 10 {
        number(11..13) * 3600 + number(14..16) * 60 + number(17..19)
    } else {
        0
    };
    LocalTime::from_seconds(days * 86_400 + time)
}

/// Which lines differ: `-` those gone, `+` those come, folds undone.
pub fn difference(before: &str, after: &str) -> Vec<String> {
    let lines = |text: &str| -> Vec<String> {
        text.replace("\r\n", "\n")
            .replace("\n ", "")
            .replace("\n\t", "")
            .lines()
            .map(str::to_owned)
            .collect()
    };
    let (before, after) = (lines(before), lines(after));
    // The longest common subsequence, so that a line that moved shows as well.
    let mut table = vec![vec![0usize; after.len() + 1]; before.len() + 1];
    for i in (0..before.len()).rev() {
        for j in (0..after.len()).rev() {
            table[i][j] = if before[i] == after[j] {
                table[i + 1][j + 1] + 1
            } else {
                table[i + 1][j].max(table[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < before.len() || j < after.len() {
        if i < before.len() && j < after.len() && before[i] == after[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == after.len() || (i < before.len() && table[i + 1][j] >= table[i][j + 1]) {
            out.push(format!("-{}", before[i]));
            i += 1;
        } else {
            out.push(format!("+{}", after[j]));
            j += 1;
        }
    }
    out
}

/// The same without the stamps that every change sets.
pub fn told_difference(before: &str, after: &str) -> Vec<String> {
    let stamp = |line: &String| {
        ["DTSTAMP", "LAST-MODIFIED", "SEQUENCE"].iter().any(|name| line[1..].starts_with(name))
    };
    difference(before, after).into_iter().filter(|line| !stamp(line)).collect()
}
