//! Every object of the corpus told to a phone of each version, and what it writes back carried out on
//! the original: whatever the phone did not change, or was not told, is there as it was.

use crate::world::*;
use crate::{contacts, corpus};
use dme_eas::calendar::Context;
use dme_eas::server_id::ServerId;
use dme_eas::{Ghosting, ProtocolVersion, Writing, item};
use dme_model::*;
use dme_pim::{calendar, contact};
use dme_wbxml::pages::{air_sync, calendar as events, contacts as cards, notes, tasks};
use dme_wbxml::{Element, Limits, Tag, decode, encode};
use dme_zone::Zone;

/// What a phone writes as a title.
const TITLE: &str = "Named anew, on a phone";

fn home() -> Zone {
    Zone::of(&ZoneId::from("Europe/Berlin")).unwrap()
}

/// How phones ask for texts: in plain, in HTML, in either, and no more than a few bytes.
pub fn views() -> Vec<BodyView> {
    let short = BodyView {
        preferences: vec![BodyPreference {
            kind: BodyKind::Plain,
            truncation: Some(4),
            all_or_none: false,
            preview: None,
        }],
        ..BodyView::default()
    };
    vec![view(BodyKind::Plain), view(BodyKind::Html), BodyView::default().or_native(None), short]
}

/// What a phone is told, over the wire.
pub fn told(item: &Item, version: ProtocolVersion) -> Vec<Element> {
    let id = ServerId::new(7, ItemId::new("e"));
    let context = Context { home: &home(), now: NOW };
    let elements = item::to_elements(item, &id, version, &context);
    let document = encode(&Element::parent(air_sync::APPLICATION_DATA, elements));
    decode(&document.into(), &Limits::default()).unwrap().children().to_vec()
}

/// What a phone that says all it knows changes by it.
pub fn written(data: &[Element], item: &Item, version: ProtocolVersion) -> ItemPatch {
    let ghosting = Ghosting::default();
    let writing = Writing::Change { ghosting: &ghosting, present: Some(item) };
    let context = Context { home: &home(), now: NOW };
    let patch = item::patch_from_elements(item.class(), data, version, writing, &context);
    patch.unwrap().unwrap()
}

/// Which lines differ, without the stamps and what is kept of whom an edit was told.
fn said_difference(before: &str, after: &str) -> Vec<String> {
    let lines = told_difference(before, after);
    lines.into_iter().filter(|line| !line.starts_with("+X-DME-ACT")).collect()
}

/// The same with another text in an element.
fn with(data: &[Element], tag: Tag, text: &str) -> Vec<Element> {
    let mut data = data.to_vec();
    data.retain(|element| element.tag != tag);
    data.push(Element::text(tag, text));
    data
}

fn read(text: &str, view: &BodyView) -> Item {
    calendar::read(text.as_bytes(), &owner(), &ZoneId::from("Europe/Berlin"), view).unwrap()
}

#[test]
fn a_calendar_object_survives_a_phone_that_repeats_all_of_it() {
    for (name, text) in corpus::corpus() {
        for view in views() {
            let item = read(&text, &view);
            for version in ProtocolVersion::ALL {
                let patch = written(&told(&item, version), &item, version);
                assert!(patch.is_empty(), "{name}, {version}: {patch:?}");
                let edit = ItemEdit::Patch(patch);
                assert_eq!(apply(&text, &edit), text, "{name}, {version}");
            }
        }
    }
}

#[test]
fn of_a_calendar_object_a_phone_that_names_it_anew_changes_the_name_alone() {
    for (name, text) in corpus::corpus() {
        for view in views() {
            let item = read(&text, &view);
            let tag = match item {
                Item::Task(_) => tasks::SUBJECT,
                Item::Note(_) => notes::SUBJECT,
                _ => events::SUBJECT,
            };
            for version in ProtocolVersion::ALL {
                let data = with(&told(&item, version), tag, TITLE);
                let edit = ItemEdit::Patch(written(&data, &item, version));
                let after = apply(&text, &edit);
                let lines = said_difference(&text, &after);
                // A name may have parameters, and be on many lines.
                let mut rest = lines.iter().filter(|line| !line[1..].starts_with("SUMMARY"));
                let case = format!("{name}, {version}");
                assert_eq!(rest.next(), None, "{case}: {lines:#?}");
                assert!(lines.iter().any(|line| line.starts_with('+')), "{case}");
                assert_eq!(title(&read(&after, &view)), TITLE, "{case}");
            }
        }
    }
}

fn title(item: &Item) -> &str {
    match item {
        Item::Event(event) => &event.title,
        Item::Task(task) => &task.title,
        Item::Note(note) => &note.title,
        other => panic!("{other:?}"),
    }
}

/// Until 14.1 a phone that takes one instance out says all exceptions anew.
#[test]
fn of_a_series_a_phone_that_takes_an_instance_out_changes_nothing_else() {
    let mut tried = 0;
    for (name, text) in corpus::corpus() {
        for version in ProtocolVersion::ALL.into_iter().filter(|one| *one < ProtocolVersion::V16_0)
        {
            let item = read(&text, &view(BodyKind::Plain));
            let data = told(&item, version);
            let context = Context { home: &home(), now: NOW };
            let Item::Event(event) = &item else { continue };
            let shown = dme_eas::calendar::from_elements(&data, version, &context).unwrap();
            let Some(rule) = &shown.recurrence else { continue };
            let mut instances = dme_pim::recurrence::instances(shown.start, rule).skip(1);
            let known = |at: &LocalTime| shown.exceptions.iter().any(|one| one.original == *at);
            let Some(gone) = instances.find(|at| !known(at)) else { continue };
            let mut after = shown.clone();
            after.exceptions.push(Exception { original: gone, change: InstanceChange::Deleted });
            after.exceptions.sort_by_key(|one| one.original);
            let data = told(&Item::Event(Box::new(after)), version);
            let patch = written(&data, &item, version);
            let written = apply(&text, &ItemEdit::Patch(patch));
            let lines = said_difference(&text, &written);
            let case = format!("{name}, {version}");
            let is_date = |line: &String| line.starts_with("+EXDATE");
            assert!(lines.len() == 1 && lines.iter().all(is_date), "{case}: {lines:#?}");
            let Item::Event(now) = read(&written, &view(BodyKind::Plain)) else { panic!("{case}") };
            assert_eq!(now.exceptions.len(), event.exceptions.len() + 1, "{case}");
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
}

#[test]
fn a_card_survives_a_phone_that_repeats_all_of_it_or_names_a_job_anew() {
    for (name, card) in contacts::corpus() {
        for version in ProtocolVersion::ALL {
            for view in views() {
                let item = Item::Contact(Box::new(contact::read(&card, &view).unwrap()));
                let data = told(&item, version);
                let apply = |patch: ItemPatch| {
                    let ItemPatch::Contact(patch) = patch else { panic!("{patch:?}") };
                    contact::apply(Some(&card), &patch, "key", NOW).unwrap().object
                };
                let case = format!("{name}, {version}");
                let repeated = written(&data, &item, version);
                assert!(repeated.is_empty(), "{case}: {repeated:?}");
                assert_eq!(apply(repeated), card, "{case}");

                let data = with(&data, cards::JOB_TITLE, TITLE);
                let after = apply(written(&data, &item, version));
                let (before, after) = (contacts::lines(&card), contacts::lines(&after));
                let differs = |from: &[String], to: &[String], own: &[&str]| {
                    for line in from.iter().filter(|line| !to.contains(line)) {
                        let property = contacts::property(line);
                        assert!(own.contains(&property.as_str()), "{case}: {line}");
                    }
                };
                differs(&before, &after, &["TITLE", "REV"]);
                // What every card must have is made where it is not there.
                differs(&after, &before, &["TITLE", "REV", "UID", "FN"]);
                assert!(after.len() + 1 >= before.len(), "{case}");
            }
        }
    }
}
