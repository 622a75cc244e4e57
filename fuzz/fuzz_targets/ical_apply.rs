//! Any object takes any edit, answer or message: what comes of it can be read, and the same once
//! more changes nothing. The first byte says which edit, the next eight a time; what follows a line
//! `----` is a message from someone else.

#![no_main]

use dme_model::{
    Answer, BodyView, Event, EventField, EventPatch, Exception, Frequency, InstanceChange,
    ItemEdit, ItemPatch, LocalTime, Occasion, Participation, Recurrence, Text, Timestamp, ZoneId,
};
use dme_pim::calendar::{self, Writing};
use libfuzzer_sys::fuzz_target;

fn edit(which: u8, seconds: i64, before: &Event) -> ItemEdit {
    let mut after = before.clone();
    let original = Timestamp::from_seconds(seconds);
    let field = match which % 10 {
        0 => {
            after.title = "New".into();
            EventField::Title
        }
        1 => {
            after.start = LocalTime::from_seconds(seconds);
            after.end = after.start.plus_seconds(3600);
            after.zone = Some(ZoneId::from("America/New_York"));
            after.all_day = false;
            EventField::Time
        }
        2 => {
            after.recurrence = Some(Recurrence::every(Frequency::Weekly));
            EventField::Recurrence
        }
        3 => {
            after.recurrence = None;
            EventField::Recurrence
        }
        4 => {
            let original = LocalTime::from_seconds(seconds);
            after.exceptions = vec![Exception { original, change: InstanceChange::Deleted }];
            EventField::Exceptions
        }
        5 => {
            after.text = Some(Text::plain("New"));
            EventField::Text
        }
        6 => {
            after.attendees.clear();
            EventField::Attendees
        }
        7 => return ItemEdit::DropInstance { original },
        8 => {
            let value = Event { title: "Once".into(), ..Event::default() };
            let patch = Box::new(EventPatch::of([EventField::Title], value));
            return ItemEdit::Instance { original, patch };
        }
        _ => return ItemEdit::Cancel,
    };
    ItemEdit::Patch(ItemPatch::Event(Box::new(EventPatch::of([field], after))))
}

fuzz_target!(|data: &[u8]| {
    let Some((which, data)) = data.split_first() else { return };
    let Some((seconds, data)) = data.split_first_chunk::<8>() else { return };
    // Of years that have four digits.
    let seconds = i64::from_le_bytes(*seconds) % 100_000_000_000;
    let at = data.windows(5).position(|piece| piece == b"----\n").unwrap_or(data.len());
    let (object, message) = data.split_at(at);
    let message = message.get(5..).unwrap_or_default();
    let owner = vec!["ann@x.example".to_owned()];
    let writing = Writing {
        owner: owner.clone(),
        name: Some("Ann".into()),
        now: Timestamp::from_seconds(1_790_000_000),
        key: "act".into(),
        schedules: which & 0x80 != 0,
        zone: ZoneId::from("Europe/Berlin"),
    };
    let view = BodyView::default();
    let read = |object: &[u8]| calendar::read(object, &owner, &ZoneId::utc(), &view).ok();

    for from in ["bob@x.example", "ann@x.example"] {
        for existing in [None, Some(object)] {
            let Ok(taken) = calendar::take_in(existing, message, from, Occasion::Arrival, &writing)
            else {
                continue;
            };
            let Some(new) = taken.object else { continue };
            let again = calendar::take_in(Some(&new), message, from, Occasion::Arrival, &writing);
            let again = again.expect("what was written");
            assert!(again.object.is_none_or(|again| again == new), "taken in twice");
        }
    }
    let Some(dme_model::Item::Event(event)) = read(object) else { return };
    let edit = edit(which & 0x7F, seconds, &event);
    if let Ok(applied) = calendar::apply(Some(object), &edit, &writing) {
        assert!(read(&applied.object).is_some(), "what was written");
        let again = calendar::apply(Some(&applied.object), &edit, &writing).expect("once more");
        assert_eq!(again.object, applied.object);
        assert_eq!(again.notices, applied.notices);
    }
    let answer = Answer {
        participation: Participation::Accepted,
        instance: (which & 1 == 0).then(|| Timestamp::from_seconds(seconds)),
        comment: None,
        proposal: None,
        send: true,
    };
    if let Ok(answered) = calendar::respond(object, &answer, &writing) {
        let again = calendar::respond(&answered.object, &answer, &writing).expect("once more");
        assert_eq!((again.object, again.notices), (answered.object, answered.notices));
    }
});
