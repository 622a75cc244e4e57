//! Items with everything that phones are told, for the tests and for the seeds of the fuzzers.

use dme_model::{
    Address, Attachment, AttachmentKind, Attendee, AttendeeKind, BodyKind, BusyStatus, Contact,
    ContactText, Date, Event, EventField, EventPatch, EventStatus, Exception, Frequency,
    Importance, InstanceChange, Item, LocalTime, Note, NthDay, PartId, Participation, Picture,
    Place, Privacy, Proposal, Recurrence, RecurrenceEnd, Regeneration, Task, Text, Timestamp,
    Weekday,
};

/// 2026-12-01T08:00:00Z.
pub const NOW: Timestamp = Timestamp::from_seconds(1_796_112_000);

/// Tuesday, 1 December 2026, ten o'clock.
const START: LocalTime = LocalTime::from_seconds(1_796_119_200);

const HOUR: i64 = 3_600;

/// Items of which every element is told to some version.
pub fn items() -> Vec<Item> {
    let weekly = Recurrence {
        by_day: vec![NthDay { day: Weekday::Tuesday, nth: None }],
        interval: 2,
        first_day: Some(Weekday::Monday),
        end: RecurrenceEnd::Count(9),
        ..Recurrence::every(Frequency::Weekly)
    };
    let yearly = Recurrence {
        by_month: vec![3],
        by_month_day: vec![9],
        end: RecurrenceEnd::Until(START.plus_seconds(9 * 365 * 24 * HOUR)),
        ..Recurrence::every(Frequency::Yearly)
    };
    let monthly = Recurrence {
        by_day: vec![NthDay { day: Weekday::Friday, nth: Some(2) }],
        ..Recurrence::every(Frequency::Monthly)
    };
    let midnight = LocalTime::from_days(START.as_days());
    let day = Event {
        all_day: true,
        zone: None,
        start: midnight,
        end: midnight.plus_seconds(24 * HOUR),
        ..Event::default()
    };
    let mut items = vec![
        Item::Contact(Box::new(contact())),
        Item::Note(Box::new(note())),
        Item::Event(Box::new(day)),
    ];
    for rule in [weekly, yearly, monthly] {
        items.push(Item::Task(Box::new(task(rule.clone()))));
        items.push(Item::Event(Box::new(event(rule))));
    }
    items
}

fn text() -> (Option<BodyKind>, Option<Text>) {
    let text = Text { truncated: true, full_size: 99, ..Text::whole(BodyKind::Html, "<p>x</p>") };
    (Some(BodyKind::Html), Some(text))
}

fn event(rule: Recurrence) -> Event {
    let (native, text) = text();
    let place = Place {
        name: "Café".into(),
        annotation: Some("upstairs".into()),
        street: Some("Main St 1".into()),
        city: Some("Berne".into()),
        state: Some("BE".into()),
        country: Some("CH".into()),
        postal_code: Some("3000".into()),
        latitude: Some(46.9),
        longitude: Some(7.4),
        accuracy: Some(5.0),
        altitude: Some(540.0),
        altitude_accuracy: Some(9.0),
        uri: Some("geo:46.9,7.4".into()),
    };
    let file = Attachment {
        part: PartId::new("2"),
        name: "plan.pdf".into(),
        media_type: "application/pdf".into(),
        size: 9,
        kind: AttachmentKind::File,
        content_id: Some("p@x".into()),
        content_location: Some("plan".into()),
        inline: true,
    };
    Event {
        uid: "u".into(),
        title: "Tea".into(),
        start: START,
        end: START.plus_seconds(HOUR),
        zone: Some("Europe/Berlin".into()),
        recurrence: Some(rule),
        exceptions: vec![
            Exception { original: START, change: InstanceChange::Deleted },
            Exception { original: START.plus_seconds(14 * 24 * HOUR), change: changed() },
        ],
        place: Some(place),
        busy: BusyStatus::OutOfOffice,
        privacy: Privacy::Private,
        categories: vec!["Blue".into()],
        reminder: Some(15),
        organizer: Some(Address { name: Some("Ann".into()), email: "ann@corp.example".into() }),
        own: false,
        attendees: vec![Attendee {
            address: Address { name: Some("Bo".into()), email: "bo@corp.example".into() },
            kind: AttendeeKind::Optional,
            participation: Participation::Tentative,
            proposal: Some(Proposal { start: NOW, end: NOW }),
        }],
        status: EventStatus::Cancelled,
        participation: Participation::NeedsAction,
        replied: Some(NOW),
        response_requested: true,
        no_proposals: true,
        online_link: Some("https://meet.corp.example/1".into()),
        online_external_link: Some("https://meet.example/1".into()),
        stamp: NOW,
        native,
        text,
        attachments: vec![file],
        ..Event::default()
    }
}

fn changed() -> InstanceChange {
    let value = Event { title: "Coffee".into(), ..Event::default() };
    InstanceChange::Changed(Box::new(EventPatch::of([EventField::Title], value)))
}

fn contact() -> Contact {
    let (native, text) = text();
    let mut contact = Contact {
        birthday: Some(Date { year: Some(1979), month: 2, day: 28 }),
        anniversary: Some(Date { year: None, month: 5, day: 1 }),
        categories: vec!["Friends".into()],
        children: vec!["Cy".into()],
        picture: Some(Picture(vec![1, 2, 3].into())),
        native,
        text,
        ..Contact::default()
    };
    for which in ContactText::ALL {
        contact.set_text(*which, &format!("{which:?}"));
    }
    contact
}

fn task(rule: Recurrence) -> Task {
    let (native, text) = text();
    Task {
        title: "Write".into(),
        start: Some(START),
        due: Some(START.plus_seconds(HOUR)),
        zone: Some("Europe/Berlin".into()),
        complete: true,
        completed: Some(Timestamp::from_seconds(1_796_000_000)),
        recurrence: Some(rule),
        regeneration: Regeneration { regenerate: true, dead: true },
        importance: Importance::High,
        privacy: Privacy::Private,
        categories: vec!["Work".into()],
        reminder: Some(NOW),
        ordinal: Some(NOW),
        sub_ordinal: Some("5".into()),
        native,
        text,
        ..Task::default()
    }
}

fn note() -> Note {
    let (native, text) = text();
    let categories = vec!["Kitchen".into()];
    Note { title: "Cake".into(), categories, modified: NOW, native, text, ..Note::default() }
}
