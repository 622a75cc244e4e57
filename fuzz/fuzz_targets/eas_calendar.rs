//! Any document is read or refused as an event and as a change of one. What is read can be told to a
//! phone of any version, who reads it as the same however often it is told, and repeated it changes
//! nothing.

#![no_main]

use bytes::Bytes;
use dme_eas::calendar::{self, Context};
use dme_eas::server_id::ServerId;
use dme_eas::{Ghosting, ProtocolVersion, Writing};
use dme_model::{Event, ItemId, Timestamp, ZoneId};
use dme_wbxml::{Element, Limits, decode};
use dme_zone::Zone;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let limits = Limits { depth: 24, elements: 2_000, value: 1 << 16 };
    let Ok(element) = decode(&Bytes::copy_from_slice(data), &limits) else { return };
    let home = Zone::of(&ZoneId::from("Europe/Berlin")).expect("a zone that there is");
    let context = Context { home: &home, now: Timestamp::from_seconds(1_796_112_000) };
    for version in ProtocolVersion::ALL {
        events(element.children(), version, &context);
    }
});

fn events(data: &[Element], version: ProtocolVersion, context: &Context<'_>) {
    let Ok(new) = calendar::patch_from_elements(data, version, Writing::Add, context) else {
        return;
    };
    let event = new.value;
    let told = tell(&event, version, context);
    let read = calendar::from_elements(&told, version, context).expect("own writing is read");
    let again = tell(&read, version, context);
    let again = calendar::from_elements(&again, version, context).expect("own writing is read");
    assert_eq!(again, read, "{version}");
    let changes = |data, present| {
        let ghosting = Ghosting::default();
        let writing = Writing::Change { ghosting: &ghosting, present: Some(present) };
        calendar::patch_from_elements(data, version, writing, context)
    };
    let repeated = changes(&told, &event).expect("own writing is read");
    assert!(repeated.is_empty(), "{version}: {repeated:?}");
    let _ = changes(data, &Event::default());
    let _ = calendar::instance_from_elements("20261201T090000Z", data, version, &event, context);
    let patch = dme_model::EventPatch::whole(event);
    let said = calendar::patch_to_elements(&patch, Some(&id()), version, context.home);
    calendar::patch_from_elements(&said, version, Writing::Add, context).expect("the same is read");
}

fn tell(event: &Event, version: ProtocolVersion, context: &Context<'_>) -> Vec<Element> {
    calendar::to_elements(event, &id(), version, context)
}

fn id() -> ServerId {
    ServerId::new(7, ItemId::new("e"))
}
