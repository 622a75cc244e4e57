//! Any bytes are read as a card; what is shown of it, told back, changes nothing; an edit of every
//! field is read again as it was written.

#![no_main]

use dme_model::{
    BodyView, Contact, ContactField, ContactPatch, ContactText, Date, Fields as _, Picture, Text,
    Timestamp,
};
use dme_pim::contact::{apply, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let view = BodyView::default().or_native(None);
    let now = Timestamp::from_seconds(1_790_000_000);
    let Ok(shown) = read(data, &view) else { return };
    let same = apply(Some(data), &ContactPatch::whole(shown), "key", now).expect("it was read");
    assert_eq!(same.object, data, "what was shown, told back");

    let mut wanted = Contact {
        birthday: Some(Date { year: None, month: 2, day: 29 }),
        anniversary: Some(Date { year: Some(2001), month: 1, day: 31 }),
        categories: vec!["a,b".into(), "c;d".into()],
        children: vec!["e".into()],
        picture: Some(Picture(vec![0xFF, 0xD8].into())),
        text: Some(Text::plain("f\ng")),
        ..Contact::default()
    };
    for text in ContactText::ALL {
        wanted.set_text(*text, &format!("{text:?}, ü;\\"));
    }
    for value in [wanted, Contact::default()] {
        let done = apply(Some(data), &ContactPatch::whole(value.clone()), "key", now);
        let found = read(&done.expect("it was read").object, &view).expect("what we wrote");
        let follows = [ContactField::Uid, ContactField::Of(ContactText::FileAs), ContactField::Text];
        for field in found.differing(&value) {
            // Categories beyond those that are shown come up when the others go.
            let more = field == ContactField::Categories && found.categories.len() > 2;
            assert!(follows.contains(&field) || more, "{field:?}");
        }
    }
});
