//! Any card is told to a phone of any version, who reads it. Repeated it changes not a byte of the card;
//! where the phone writes another job that is all that differs.

#![no_main]

use dme_eas::calendar::Context;
use dme_eas::server_id::ServerId;
use dme_eas::{Ghosting, ProtocolVersion, Writing, item};
use dme_model::{
    BodyView, Class, ContactField, ContactPatch, ContactText, Fields as _, Item, ItemId, ItemPatch,
    Timestamp, ZoneId,
};
use dme_pim::contact::{apply, read};
use dme_wbxml::Element;
use dme_wbxml::pages::contacts as page;
use dme_zone::Zone;
use libfuzzer_sys::fuzz_target;

const JOB: &str = "Another job, by phone";

fuzz_target!(|data: &[u8]| {
    let view = BodyView::default().or_native(None);
    let Ok(contact) = read(data, &view) else { return };
    let now = Timestamp::from_seconds(1_796_112_000);
    let home = Zone::of(&ZoneId::from("Europe/Berlin")).expect("a zone that there is");
    let context = Context { home: &home, now };
    let item = Item::Contact(Box::new(contact.clone()));
    for version in ProtocolVersion::ALL {
        let id = ServerId::new(7, ItemId::new("e"));
        let told = item::to_elements(&item, &id, version, &context);
        let repeated = written(&told, &item, version, &context);
        assert!(repeated.is_empty(), "{version}: {repeated:?}");
        let same = apply(Some(data), &repeated, "key", now).expect("it was read");
        assert_eq!(same.object, data, "{version}");

        let mut said = told;
        said.retain(|element| element.tag != page::JOB_TITLE);
        said.push(Element::text(page::JOB_TITLE, JOB));
        let patch = written(&said, &item, version, &context);
        let done = apply(Some(data), &patch, "key", now).expect("it was read");
        let found = read(&done.object, &view).expect("what we wrote");
        let job = ContactField::Of(ContactText::JobTitle);
        // What every card must have is made where it is not there.
        let follows = [job, ContactField::Uid, ContactField::Of(ContactText::FileAs)];
        let differing = found.differing(&contact);
        let other: Vec<_> = differing.iter().filter(|field| !follows.contains(field)).collect();
        assert!(other.is_empty(), "{version}: {other:?}");
        assert_eq!(found.text_of(ContactText::JobTitle), JOB);
    }
});

fn written(
    data: &[Element],
    item: &Item,
    version: ProtocolVersion,
    context: &Context<'_>,
) -> ContactPatch {
    let ghosting = Ghosting::default();
    let writing = Writing::Change { ghosting: &ghosting, present: Some(item) };
    let patch = item::patch_from_elements(Class::Contacts, data, version, writing, context);
    match patch.expect("own writing is read") {
        Some(ItemPatch::Contact(patch)) => *patch,
        other => panic!("{other:?}"),
    }
}
