//! Events from the server's side to the phone's, and back.

use super::*;
use crate::server_id::ServerId;
use crate::{Ghosting, ProtocolVersion, Writing};
use bytes::Bytes;
use dme_model::{
    Address, Attachment, AttachmentKind, Attendee, AttendeeKind, BodyKind, BusyStatus, Event,
    EventField, EventPatch, EventStatus, Exception, Frequency, InstanceChange, ItemId, LocalTime,
    NewAttachment, NthDay, PartId, Participation, Place, Privacy, Proposal, Recurrence,
    RecurrenceEnd, Text, Timestamp, Weekday, ZoneId,
};
use dme_wbxml::pages::{air_sync_base as base, calendar as page};
use dme_wbxml::{Element, Limits, Tag, decode, encode};
use dme_zone::Zone;

mod changes;
mod cover;
mod irregular;
mod properties;
mod shapes;
mod told;

use ProtocolVersion::{V12_1, V14_0, V14_1, V16_0, V16_1};

fn zone(name: &str) -> Zone {
    Zone::of(&ZoneId::from(name)).unwrap()
}

fn home() -> Zone {
    zone("Europe/Berlin")
}

/// 2026-12-01T08:00:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_796_112_000);

/// The clock reading of `20261201T090000`.
fn at(text: &str) -> LocalTime {
    LocalTime::from_seconds(crate::date::parse(text).unwrap().as_seconds())
}

fn moment(text: &str) -> Timestamp {
    crate::date::parse(text).unwrap()
}

fn address(name: &str, email: &str) -> Address {
    Address { name: Some(name.into()), email: email.into() }
}

fn id() -> ServerId {
    ServerId::new(7, ItemId::new("e1.ics"))
}

/// An hour in Berlin's winter.
fn simple() -> Event {
    Event {
        uid: "u1".into(),
        title: "Tea".into(),
        start: at("20261201T100000"),
        end: at("20261201T110000"),
        zone: Some("Europe/Berlin".into()),
        own: true,
        participation: Participation::Accepted,
        stamp: moment("20261130T120000Z"),
        ..Event::default()
    }
}

/// A meeting with everything.
fn meeting() -> Event {
    Event {
        recurrence: Some(Recurrence {
            by_day: vec![
                NthDay { day: Weekday::Tuesday, nth: None },
                NthDay { day: Weekday::Thursday, nth: None },
            ],
            first_day: Some(Weekday::Monday),
            end: RecurrenceEnd::Count(10),
            ..Recurrence::every(Frequency::Weekly)
        }),
        exceptions: vec![
            Exception { original: at("20261203T100000"), change: InstanceChange::Deleted },
            Exception { original: at("20261208T100000"), change: changed() },
        ],
        place: Some(Place { name: "Room 1".into(), ..Place::default() }),
        busy: BusyStatus::OutOfOffice,
        privacy: Privacy::Private,
        categories: vec!["Blue".into(), "Red".into()],
        reminder: Some(15),
        organizer: Some(address("Ann Bell", "ann@corp.example")),
        own: true,
        attendees: vec![
            Attendee {
                address: address("Bo", "bo@corp.example"),
                kind: AttendeeKind::Required,
                participation: Participation::Accepted,
                proposal: Some(Proposal {
                    start: moment("20261201T120000Z"),
                    end: moment("20261201T130000Z"),
                }),
            },
            Attendee {
                address: Address { name: None, email: "room1@corp.example".into() },
                kind: AttendeeKind::Resource,
                participation: Participation::NeedsAction,
                proposal: None,
            },
        ],
        response_requested: true,
        online_link: Some("https://meet.corp.example/1".into()),
        online_external_link: Some("https://meet.example/1".into()),
        native: Some(BodyKind::Html),
        text: Some(Text::whole(BodyKind::Html, "<p>Tea &amp; cake</p>")),
        attachments: vec![Attachment {
            part: PartId::new("2"),
            name: "plan.pdf".into(),
            media_type: "application/octet-stream".into(),
            size: 1234,
            kind: AttachmentKind::File,
            content_id: None,
            content_location: None,
            inline: false,
        }],
        ..simple()
    }
}

/// Half an hour later, elsewhere.
fn changed() -> InstanceChange {
    let value = Event {
        title: "Coffee".into(),
        start: at("20261208T103000"),
        end: at("20261208T113000"),
        zone: Some("Europe/Berlin".into()),
        place: Some("Room 2".into()),
        ..Event::default()
    };
    let fields = [EventField::Title, EventField::Time, EventField::Place];
    InstanceChange::Changed(Box::new(EventPatch::only(fields, &value)))
}

fn told(event: &Event, version: ProtocolVersion) -> Vec<Element> {
    sent(to_elements(event, &id(), version, &context(&home())))
}

/// Over the wire.
fn sent(elements: Vec<Element>) -> Vec<Element> {
    let document = encode(&Element::parent(dme_wbxml::pages::air_sync::APPLICATION_DATA, elements));
    let read = decode(&document.into(), &Limits::default()).unwrap();
    read.children().to_vec()
}

fn context(home: &Zone) -> Context<'_> {
    Context { home, now: NOW }
}

fn received(elements: &[Element], version: ProtocolVersion) -> crate::Result<Event> {
    from_elements(elements, version, &context(&home()))
}

/// A change by a phone that names nothing as supported.
fn change(data: &[Element], version: ProtocolVersion, present: &Event) -> EventPatch {
    let ghosting = Ghosting::default();
    let writing = Writing::Change { ghosting: &ghosting, present: Some(present) };
    patch_from_elements(data, version, writing, &context(&home())).unwrap()
}

fn add(data: &[Element], version: ProtocolVersion) -> crate::Result<Event> {
    let patch = patch_from_elements(data, version, Writing::Add, &context(&home()))?;
    Ok(patch.value)
}

fn text(tag: Tag, text: &str) -> Element {
    Element::text(tag, text)
}

fn texts(children: &[(Tag, &str)]) -> Vec<Element> {
    children.iter().map(|(tag, text)| Element::text(*tag, *text)).collect()
}

fn names(elements: &[Element]) -> Vec<&'static str> {
    elements.iter().map(|element| element.tag.name().unwrap()).collect()
}
