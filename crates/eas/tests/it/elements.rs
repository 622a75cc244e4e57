//! `docs/elements.md` against the code: each element of the five code pages of events, contacts,
//! tasks and notes is in it once, and so is whatever else the codec has within them; what it says of
//! who is told an element, and whether what a phone writes in it is taken, is so.

#![expect(clippy::unwrap_used, reason = "what is made here is there, or the test fails")]

use crate::items::{NOW, items};
use dme_eas::calendar::Context;
use dme_eas::server_id::ServerId;
use dme_eas::{Ghosting, ProtocolVersion, Writing, item};
use dme_model::{Class, Item, ItemId, ItemPatch};
use dme_wbxml::pages::{air_sync_base as base, calendar, contacts, contacts2, notes, tasks};
use dme_wbxml::{Content, Element, Tag};
use dme_zone::Zone;
use std::collections::{BTreeMap, BTreeSet};

/// What the document says of an element.
#[derive(PartialEq, Eq, Debug)]
struct Row {
    /// Which versions are told it: `12.1–16.1`, or `no`.
    told: String,
    /// `yes` where what a phone writes in it is taken in some version.
    written: String,
}

#[test]
fn the_table_of_elements_says_what_the_code_does() {
    let said = rows();
    let (told, written) = (told(), written());
    let mut does = BTreeMap::new();
    for tag in pages().into_iter().chain(told.keys().copied()).chain(written.iter().copied()) {
        let row = Row {
            told: told.get(&tag).map_or_else(|| "no".to_owned(), span),
            written: if written.contains(&tag) { "yes" } else { "no" }.to_owned(),
        };
        does.insert(name(tag), row);
    }
    let wrong = |(name, row): (&String, &Row)| {
        let other = said.get(name);
        (other != Some(row)).then(|| format!("{name}: the code {row:?}, the document {other:?}"))
    };
    let wrong: Vec<_> = does.iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let unknown: Vec<_> = said.keys().filter(|name| !does.contains_key(*name)).collect();
    assert!(unknown.is_empty(), "no such elements: {unknown:?}");
}

/// The rows of the document's tables.
fn rows() -> BTreeMap<String, Row> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/elements.md");
    let document = std::fs::read_to_string(path).unwrap();
    let mut rows = BTreeMap::new();
    for line in document.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let ["", name, told, written, _, _, _, ""] = cells.as_slice() else { continue };
        let Some(name) = name.strip_prefix('`').and_then(|name| name.strip_suffix('`')) else {
            continue;
        };
        let row = Row { told: (*told).to_owned(), written: (*written).to_owned() };
        assert!(rows.insert(name.to_owned(), row).is_none(), "{name} is there twice");
    }
    rows
}

/// Every tag of the pages of the four classes.
fn pages() -> Vec<Tag> {
    let first = [
        calendar::TIMEZONE,
        contacts::ANNIVERSARY,
        contacts2::CUSTOMER_ID,
        tasks::BODY,
        notes::SUBJECT,
    ];
    let tags = first.into_iter().flat_map(|tag| (5..0x40).map(move |token| Tag { token, ..tag }));
    tags.filter(|tag| tag.name().is_some()).collect()
}

fn name(tag: Tag) -> String {
    format!("{}:{}", tag.page_name().unwrap(), tag.name().unwrap())
}

fn span(versions: &BTreeSet<ProtocolVersion>) -> String {
    let (first, last) = (versions.first().unwrap(), versions.last().unwrap());
    let between = ProtocolVersion::ALL.into_iter().filter(|one| (first..=last).contains(&one));
    assert!(between.eq(versions.iter().copied()), "a version between is not told");
    if first == last { first.to_string() } else { format!("{first}–{last}") }
}

/// Items of which every element is told, each in the versions that know its class.
fn items_by_version() -> impl Iterator<Item = (ProtocolVersion, Item)> {
    ProtocolVersion::ALL.into_iter().flat_map(|version| {
        let known = items().into_iter().filter(move |item| item::since(item.class()) <= version);
        known.map(move |item| (version, item))
    })
}

/// Which versions are told an element.
fn told() -> BTreeMap<Tag, BTreeSet<ProtocolVersion>> {
    let mut told: BTreeMap<Tag, BTreeSet<ProtocolVersion>> = BTreeMap::new();
    for (version, item) in items_by_version() {
        for tag in tags(&elements(&item, version)) {
            told.entry(tag).or_default().insert(version);
        }
    }
    told
}

/// The elements without which a phone's new or changed item would be another.
fn written() -> BTreeSet<Tag> {
    let mut written = BTreeSet::new();
    for (version, item) in items_by_version() {
        let class = item.class();
        for data in said(&item, version) {
            let whole = outcome(class, &data, version);
            for tag in tags(&data) {
                if outcome(class, &without(&data, tag), version) != whole {
                    written.insert(tag);
                }
            }
        }
    }
    written
}

type Outcome = dme_eas::Result<Option<ItemPatch>>;

/// What comes of it as a new item, and as a change of one of which nothing is known and all else is
/// ghosted.
fn outcome(class: Class, data: &[Element], version: ProtocolVersion) -> [Outcome; 2] {
    let context = Context { home: &Zone::utc(), now: NOW };
    let ghosting = Ghosting::of(Some(&[]));
    let change = Writing::Change { ghosting: &ghosting, present: None };
    [Writing::Add, change]
        .map(|writing| item::patch_from_elements(class, data, version, writing, &context))
}

/// What phones say of an item, in several ways.
fn said(item: &Item, version: ProtocolVersion) -> Vec<Vec<Element>> {
    let all = elements(item, version);
    let less = |leave: &[Tag]| leave.iter().fold(all.clone(), |data, tag| without(&data, *tag));
    let text = |tag, text: &str| Element::text(tag, text);
    match item.class() {
        Class::Calendar => {
            let mut new = less(&[calendar::UID, base::ATTACHMENTS]);
            new.push(text(calendar::CLIENT_UID, "c1"));
            let file = [
                (base::CLIENT_ID, "1"),
                (base::CONTENT, "AAAA"),
                (base::DISPLAY_NAME, "a.txt"),
                (base::CONTENT_TYPE, "text/plain"),
                (base::CONTENT_ID, "a@b"),
            ];
            let file = file.map(|(tag, value)| text(tag, value)).to_vec();
            let deleted = vec![text(base::FILE_REFERENCE, "7:e:2")];
            new.push(Element::parent(
                base::ATTACHMENTS,
                vec![Element::parent(base::ADD, file), Element::parent(base::DELETE, deleted)],
            ));
            vec![all, new]
        }
        Class::Tasks => {
            let local = less(&[tasks::UTC_START_DATE, tasks::UTC_DUE_DATE]);
            let utc = less(&[tasks::START_DATE, tasks::DUE_DATE]);
            let dates =
                [tasks::START_DATE, tasks::DUE_DATE, tasks::UTC_START_DATE, tasks::UTC_DUE_DATE];
            let mut silent = less(&[tasks::REMINDER_SET]);
            silent.push(text(tasks::REMINDER_SET, "0"));
            vec![local, utc, less(&dates), silent, all]
        }
        _ => vec![all],
    }
}

fn elements(item: &Item, version: ProtocolVersion) -> Vec<Element> {
    let id = ServerId::new(7, ItemId::new("e"));
    item::to_elements(item, &id, version, &Context { home: &Zone::utc(), now: NOW })
}

fn tags(elements: &[Element]) -> BTreeSet<Tag> {
    elements
        .iter()
        .flat_map(|element| {
            let mut tags = tags(element.children());
            tags.insert(element.tag);
            tags
        })
        .collect()
}

/// The same without any element of this tag.
fn without(elements: &[Element], tag: Tag) -> Vec<Element> {
    let rest = elements.iter().filter(|element| element.tag != tag);
    rest.map(|element| match &element.content {
        Content::Children(children) => Element::parent(element.tag, without(children, tag)),
        _ => element.clone(),
    })
    .collect()
}
