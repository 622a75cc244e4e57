//! Any calendar object is told to a phone of any version, who reads it. Repeated it changes not a byte
//! of the object; where the phone names it anew that is all that differs; an instance that it takes out
//! is gone, and no other.

#![no_main]

use dme_eas::calendar::{Context, from_elements};
use dme_eas::server_id::ServerId;
use dme_eas::{Ghosting, ProtocolVersion, Writing, item};
use dme_model::{
    BodyKind, BodyPreference, BodyView, Event, EventField, Exception, Fields as _, InstanceChange,
    Item, ItemEdit, ItemId, ItemPatch, Timestamp, ZoneId,
};
use dme_pim::calendar::{self, Writing as Act};
use dme_pim::recurrence::instances;
use dme_wbxml::Element;
use dme_wbxml::pages::{calendar as events, notes, tasks};
use dme_zone::Zone;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;

const TITLE: &str = "Named anew, on a phone";
const NOW: Timestamp = Timestamp::from_seconds(1_796_112_000);

fuzz_target!(|data: &[u8]| {
    let Some(item) = read(data) else { return };
    let home = Zone::of(&ZoneId::from("Europe/Berlin")).expect("a zone that there is");
    let context = Context { home: &home, now: NOW };
    for version in ProtocolVersion::ALL {
        let told = tell(&item, version, &context);
        let repeated = written(&told, &item, version, &context);
        assert!(repeated.is_empty(), "{version}: {repeated:?}");
        assert_eq!(apply(data, repeated), data, "{version}");

        let tag = match item {
            Item::Task(_) => tasks::SUBJECT,
            Item::Note(_) => notes::SUBJECT,
            _ => events::SUBJECT,
        };
        let mut named = told.clone();
        named.retain(|element| element.tag != tag);
        named.push(Element::text(tag, TITLE));
        let named = apply(data, written(&named, &item, version, &context));
        is_named_alone(&item, &read(&named).expect("what we wrote"));

        if let Item::Event(event) = &item
            && version < ProtocolVersion::V16_0
        {
            take_one_out(data, event, &told, version, &context);
        }
    }
});

fn read(data: &[u8]) -> Option<Item> {
    let kind = BodyKind::Plain;
    let preference = BodyPreference { kind, truncation: None, all_or_none: false, preview: None };
    let view = BodyView { preferences: vec![preference], ..BodyView::default() };
    calendar::read(data, &owner(), &ZoneId::from("Europe/Berlin"), &view).ok()
}

fn owner() -> Vec<String> {
    vec!["ann@x.example".to_owned()]
}

fn tell(item: &Item, version: ProtocolVersion, context: &Context<'_>) -> Vec<Element> {
    item::to_elements(item, &ServerId::new(7, ItemId::new("e")), version, context)
}

fn written(
    data: &[Element],
    item: &Item,
    version: ProtocolVersion,
    context: &Context<'_>,
) -> ItemPatch {
    let ghosting = Ghosting::default();
    let writing = Writing::Change { ghosting: &ghosting, present: Some(item) };
    let patch = item::patch_from_elements(item.class(), data, version, writing, context);
    patch.expect("own writing is read").expect("it is of its class")
}

fn apply(data: &[u8], patch: ItemPatch) -> Vec<u8> {
    let act = Act {
        owner: owner(),
        name: None,
        now: NOW,
        key: "act".into(),
        schedules: true,
        zone: ZoneId::from("Europe/Berlin"),
    };
    let edit = ItemEdit::Patch(patch);
    calendar::apply(Some(data), &edit, &act).expect("what was read").object
}

fn is_named_alone(before: &Item, after: &Item) {
    match (before, after) {
        (Item::Event(before), Item::Event(after)) => {
            assert_eq!(after.title, TITLE);
            let mut differing = before.differing(after);
            // Exceptions are what differs from the series.
            for field in [EventField::Title, EventField::Stamp, EventField::Exceptions] {
                differing.remove(&field);
            }
            if before.own && before.organizer.is_none() {
                // Whoever asks others is named, and is none of those then.
                differing.remove(&EventField::Organizer);
                differing.remove(&EventField::Attendees);
            }
            assert_eq!(differing, BTreeSet::new());
            assert_eq!(originals(before), originals(after));
        }
        (Item::Task(before), Item::Task(after)) => {
            assert_eq!(after.title, TITLE);
            assert!(before.differing(after).len() <= 1);
        }
        (Item::Note(before), Item::Note(after)) => {
            assert_eq!(after.title, TITLE);
            assert!(before.differing(after).len() <= 2, "its stamp follows");
        }
        other => panic!("{other:?}"),
    }
}

fn originals(event: &Event) -> Vec<dme_model::LocalTime> {
    event.exceptions.iter().map(|one| one.original).collect()
}

/// The first instance after the start that has no exception goes.
fn take_one_out(
    data: &[u8],
    event: &Event,
    told: &[Element],
    version: ProtocolVersion,
    context: &Context<'_>,
) {
    let shown = from_elements(told, version, context).expect("own writing is read");
    let Some(rule) = &shown.recurrence else { return };
    let item = Item::Event(Box::new(event.clone()));
    // A zone that no phone can be told is another when it is told as the phone has it.
    let same = tell(&Item::Event(Box::new(shown.clone())), version, context);
    if !written(&same, &item, version, context).is_empty() {
        return;
    }
    let known: BTreeSet<_> = originals(&shown).into_iter().chain(originals(event)).collect();
    let mut later = instances(shown.start, rule).skip(1).take(300);
    let Some(original) = later.find(|at| !known.contains(at)) else { return };
    let mut after = shown.clone();
    after.exceptions.push(Exception { original, change: InstanceChange::Deleted });
    after.exceptions.sort_by_key(|one| one.original);
    let said = tell(&Item::Event(Box::new(after)), version, context);
    let written = apply(data, written(&said, &item, version, context));
    let Some(Item::Event(now)) = read(&written) else { panic!("what we wrote") };
    assert_eq!((&now.title, &now.recurrence), (&event.title, &event.recurrence));
    assert!(now.exceptions.len() <= event.exceptions.len() + 1);
}
