//! Any document is read or refused as a contact, a task and a note, and as changes of them. What is
//! read can be told to a phone of any version, and repeated it changes nothing.

#![no_main]

use bytes::Bytes;
use dme_eas::calendar::Context;
use dme_eas::server_id::ServerId;
use dme_eas::{Ghosting, ProtocolVersion, Writing, item};
use dme_model::{Class, Item, ItemId, ItemPatch, Timestamp, ZoneId};
use dme_wbxml::{Element, Limits, decode};
use dme_zone::Zone;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let limits = Limits { depth: 24, elements: 2_000, value: 1 << 16 };
    let Ok(element) = decode(&Bytes::copy_from_slice(data), &limits) else { return };
    let home = Zone::of(&ZoneId::from("Europe/Berlin")).expect("a zone that there is");
    let context = Context { home: &home, now: Timestamp::from_seconds(1_796_112_000) };
    for version in ProtocolVersion::ALL {
        for class in [Class::Contacts, Class::Tasks, Class::Notes] {
            items(class, element.children(), version, &context);
        }
    }
});

fn items(class: Class, data: &[Element], version: ProtocolVersion, context: &Context<'_>) {
    let read = |data, writing| item::patch_from_elements(class, data, version, writing, context);
    let item = match read(data, Writing::Add) {
        Ok(Some(ItemPatch::Contact(patch))) => Item::Contact(Box::new(patch.value)),
        Ok(Some(ItemPatch::Task(patch))) => Item::Task(Box::new(patch.value)),
        Ok(Some(ItemPatch::Note(patch))) => Item::Note(Box::new(patch.value)),
        Ok(_) => unreachable!("a patch is of its class"),
        Err(_) => return,
    };
    let id = ServerId::new(7, ItemId::new("e"));
    let told = item::to_elements(&item, &id, version, context);
    let ghosting = Ghosting::default();
    let change = Writing::Change { ghosting: &ghosting, present: Some(&item) };
    let repeated = read(&told, change).expect("own writing is read").expect("it is of its class");
    assert!(repeated.is_empty(), "{version}: {repeated:?}");
    read(data, change).expect("what makes an item changes one");
}
