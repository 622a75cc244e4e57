//! Objects of the corpus with pieces broken, doubled and swapped: read, written, edited, answered
//! and taken in without a panic, and twice as once.

use crate::world::*;
use dme_model::ZoneId;
use dme_model::*;
use dme_pim::calendar;
use proptest::prelude::*;
use std::fs;
use std::path::Path;

fn corpus() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "ics")).collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[derive(Clone, Debug)]
enum Break {
    Drop(prop::sample::Index),
    Double(prop::sample::Index, prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    /// Of a line of another object.
    Insert(prop::sample::Index, prop::sample::Index, prop::sample::Index),
    Byte(prop::sample::Index, u8),
    Digit(prop::sample::Index, u8),
}

fn breaks() -> impl Strategy<Value = Vec<Break>> {
    use prop::sample::Index;
    let one = prop_oneof![
        any::<Index>().prop_map(Break::Drop),
        any::<(Index, Index)>().prop_map(|(a, b)| Break::Double(a, b)),
        any::<(Index, Index)>().prop_map(|(a, b)| Break::Swap(a, b)),
        any::<(Index, Index, Index)>().prop_map(|(a, b, c)| Break::Insert(a, b, c)),
        any::<(Index, u8)>().prop_map(|(a, b)| Break::Byte(a, b)),
        any::<(Index, u8)>().prop_map(|(a, b)| Break::Digit(a, b)),
    ];
    prop::collection::vec(one, 0..6)
}

fn broken(corpus: &[String], text: &str, breaks: &[Break]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> =
        text.split_inclusive('\n').map(|line| line.as_bytes().to_vec()).collect();
    for one in breaks {
        if lines.is_empty() {
            break;
        }
        let count = lines.len();
        match one {
            Break::Drop(at) => {
                lines.remove(at.index(count));
            }
            Break::Double(from, to) => {
                let line = lines[from.index(count)].clone();
                lines.insert(to.index(count), line);
            }
            Break::Swap(a, b) => lines.swap(a.index(count), b.index(count)),
            Break::Insert(file, from, to) => {
                let other: Vec<&str> =
                    corpus[file.index(corpus.len())].split_inclusive('\n').collect();
                lines.insert(to.index(count), other[from.index(other.len())].as_bytes().to_vec());
            }
            Break::Byte(at, byte) => {
                let mut all = lines.concat();
                let place = at.index(all.len());
                all[place] = *byte;
                lines = all.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
            }
            Break::Digit(at, digit) => {
                let mut all = lines.concat();
                let digits: Vec<usize> =
                    (0..all.len()).filter(|at| all[*at].is_ascii_digit()).collect();
                if !digits.is_empty() {
                    all[digits[at.index(digits.len())]] = b'0' + digit % 10;
                }
                lines = all.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
            }
        }
    }
    lines.concat()
}

fn edits(before: &Event, at: Timestamp) -> Vec<ItemEdit> {
    let local = LocalTime::from_seconds(at.as_seconds());
    let title = Event { title: "Once".into(), ..Event::default() };
    let deleted = Exception { original: local, change: InstanceChange::Deleted };
    vec![
        patch(EventField::Title, |event| event.title = "New".into()),
        patch(EventField::Time, |event| {
            event.start = local;
            event.end = local.plus_seconds(3600);
            event.zone = Some(ZoneId::from("America/New_York"));
        }),
        patch(EventField::Time, |event| {
            event.start = LocalTime::from_days(local.as_days());
            event.end = event.start.plus_seconds(86_400);
            event.all_day = true;
        }),
        patch(EventField::Recurrence, |event| {
            event.recurrence = Some(Recurrence::every(Frequency::Weekly));
        }),
        patch(EventField::Recurrence, |_| {}),
        patch(EventField::Exceptions, |event| event.exceptions = vec![deleted]),
        patch(EventField::Attendees, |_| {}),
        patch(EventField::Text, |event| event.text = Some(Text::plain("New"))),
        patch(EventField::Reminder, |event| event.reminder = Some(3)),
        edit_to(
            before,
            Event { place: Some("There".into()), busy: BusyStatus::Free, ..before.clone() },
        ),
        ItemEdit::DropInstance { original: at },
        ItemEdit::Instance {
            original: at,
            patch: Box::new(EventPatch::of([EventField::Title], title)),
        },
        ItemEdit::Cancel,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn broken_objects_are_edited_without_harm(
        file in any::<prop::sample::Index>(),
        breaks in breaks(),
        day in 20_420i64..20_460,
        hour in prop_oneof![Just(8i64), Just(9), Just(10), Just(0), Just(17)],
    ) {
        let corpus = corpus();
        let object = broken(&corpus, &corpus[file.index(corpus.len())], &breaks);
        let shown = |object: &[u8]| calendar::read(object, &owner(), &ZoneId::utc(), &view(BodyKind::Html));
        let Ok(item) = shown(&object) else { return Ok(()) };
        let _ = calendar::summary(&object).unwrap();
        let whole = match &item {
            Item::Event(event) => ItemPatch::Event(Box::new(EventPatch::whole((**event).clone()))),
            Item::Task(task) => ItemPatch::Task(Box::new(TaskPatch::whole((**task).clone()))),
            Item::Note(note) => ItemPatch::Note(Box::new(NotePatch::whole((**note).clone()))),
            _ => unreachable!(),
        };
        let same = calendar::apply(Some(&object), &ItemEdit::Patch(whole), &writing("w")).unwrap();
        prop_assert_eq!(String::from_utf8_lossy(&same.object), String::from_utf8_lossy(&object));
        let Item::Event(event) = item else { return Ok(()) };
        let at = Timestamp::from_seconds(day * 86_400 + hour * 3600);
        for edit in edits(&event, at) {
            let Ok(applied) = calendar::apply(Some(&object), &edit, &writing("act")) else {
                continue;
            };
            prop_assert!(shown(&applied.object).is_ok(), "{:?}", edit);
            let again = calendar::apply(Some(&applied.object), &edit, &writing("act")).unwrap();
            prop_assert_eq!(
                String::from_utf8_lossy(&again.object),
                String::from_utf8_lossy(&applied.object),
                "{:?}", edit
            );
            prop_assert_eq!(again.notices, applied.notices);
            // By another act it is no change either.
            let other = calendar::apply(Some(&applied.object), &edit, &writing("other")).unwrap();
            prop_assert_eq!(other.object.len(), applied.object.len(), "{:?}", edit);
        }
        for instance in [None, Some(at)] {
            let answer = Answer {
                participation: Participation::Accepted,
                instance,
                comment: Some(Text::plain("Yes")),
                proposal: None,
                send: true,
            };
            let Ok(answered) = calendar::respond(&object, &answer, &writing("a")) else { continue };
            let again = calendar::respond(&answered.object, &answer, &writing("a")).unwrap();
            prop_assert_eq!((again.object, again.notices), (answered.object, answered.notices));
        }
        for from in ["bob@x.example", OWNER] {
            for existing in [None, Some(&object[..])] {
                let Ok(taken) = calendar::take_in(existing, &object, from, Occasion::Arrival, &writing("t")) else {
                    continue;
                };
                let Some(new) = taken.object else { continue };
                let again = calendar::take_in(Some(&new), &object, from, Occasion::Arrival, &writing("t")).unwrap();
                prop_assert!(
                    again.object.as_ref().is_none_or(|again| *again == new),
                    "{:?} {:?} of {}", taken.outcome, again.outcome, String::from_utf8_lossy(&object)
                );
            }
        }
    }
}
