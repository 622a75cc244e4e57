//! Any bytes are read as a calendar object, in both forms of text; what was read and is written
//! back as it is changes not a byte.

#![no_main]

use dme_model::{
    BodyKind, BodyPreference, BodyView, EventPatch, Item, ItemEdit, ItemPatch, NotePatch,
    TaskPatch, Timestamp, ZoneId,
};
use dme_pim::calendar::{self, Writing};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let owner = vec!["ann@x.example".to_owned()];
    let now = Timestamp::from_seconds(1_790_000_000);
    for kind in [BodyKind::Plain, BodyKind::Html] {
        let preference =
            BodyPreference { kind, truncation: None, all_or_none: false, preview: None };
        let view = BodyView { preferences: vec![preference], ..BodyView::default() };
        let Ok(item) = calendar::read(data, &owner, &ZoneId::utc(), &view) else { return };
        calendar::summary(data).expect("what was read");
        let patch = match item {
            Item::Event(event) => {
                for file in &event.attachments {
                    let _ = calendar::attachment(data, &file.part);
                }
                ItemPatch::Event(Box::new(EventPatch::whole(*event)))
            }
            Item::Task(task) => ItemPatch::Task(Box::new(TaskPatch::whole(*task))),
            Item::Note(note) => ItemPatch::Note(Box::new(NotePatch::whole(*note))),
            _ => panic!("a calendar holds no such item"),
        };
        let writing = Writing {
            owner: owner.clone(),
            name: None,
            now,
            key: "act".into(),
            schedules: true,
            zone: ZoneId::utc(),
        };
        let written = calendar::apply(Some(data), &ItemEdit::Patch(patch), &writing);
        assert_eq!(written.expect("what was read").object, data);
    }
    let zone = ZoneId::from("Europe/Berlin");
    let year = now.plus(std::time::Duration::from_secs(31_536_000));
    for busy in calendar::busy_within(data, &owner, &zone, now, year).unwrap_or_default() {
        assert!(busy.start < busy.end && busy.start < year && busy.end > now);
    }
});
