//! The rest of the tour: calendar, contacts, tasks and notes, and a meeting from the invitation to
//! the answer; checked against what the mail system holds.

use super::tour::{PATIENCE, phone_of, step};
use super::world::{World, now};
use anyhow::{Context, Result, ensure};
use dme_eas::folder_sync::FolderType;
use dme_eas::meeting_response::{Answer, Invitation, SendResponse, Status, UserResponse};
use dme_mailbox::ItemFilter;
use dme_model::{
    Address as Person, Attendee, AttendeeKind, ContactText, Event, EventPatch, Item, ItemPatch,
    LocalTime, Participation, Role, Text, ZoneId,
};
use dme_phone::Phone;
use std::time::Instant;

/// What a phone shows beside mail: the folder, its role, what its items are called.
const CLASSES: [(FolderType, Role, &str, &str); 4] = [
    (FolderType::Calendar, Role::Calendar, "calendar", "events"),
    (FolderType::Contacts, Role::Contacts, "contacts", "people"),
    (FolderType::Tasks, Role::Tasks, "tasks", "tasks"),
    (FolderType::Notes, Role::Notes, "notes", "notes"),
];

/// Everything beside mail comes to the phone.
pub async fn items(world: &World, phone: &mut Phone) -> Result<()> {
    let mailbox = world.mailbox("ann").await?;
    let all = mailbox.collections().await?;
    for (kind, role, name, what) in CLASSES {
        let there = all.iter().find(|one| one.role == Some(role));
        let there = there.with_context(|| format!("no collection for {name}"))?;
        let there = mailbox.list(&there.id, &ItemFilter::default()).await?.items.len();
        let folder = phone.folder_of(kind)?;
        step(name, async {
            phone.sync(&folder).await?;
            let records = phone.records(&folder)?;
            ensure!(records.len() == there, "{} of {there} {what} came", records.len());
            let shown: Vec<String> = records.values().take(3).map(title).collect();
            Ok(format!("{there} {what}: {}, …", shown.join(", ")))
        })
        .await?;
    }
    Ok(())
}

fn title(item: &Item) -> String {
    match item {
        Item::Mail(mail) => mail.subject.clone(),
        Item::Event(event) => event.title.clone(),
        Item::Contact(contact) => {
            let names = [ContactText::FirstName, ContactText::LastName, ContactText::CompanyName];
            let names: Vec<&str> = names.map(|name| contact.text_of(name)).into();
            names.join(" ").trim().to_owned()
        }
        Item::Task(task) => task.title.clone(),
        Item::Note(note) => note.title.clone(),
    }
}

/// Bob asks Ann to a meeting by his phone; she accepts by hers; he sees it.
pub async fn meeting(world: &World, ann: &mut Phone) -> Result<()> {
    let mut bob = phone_of(world, "bob")?;
    bob.provision().await?;
    bob.folder_sync().await?;
    let (bobs, bobs_inbox) = (bob.folder_of(FolderType::Calendar)?, bob.inbox()?);
    bob.sync(&bobs).await?;
    bob.sync(&bobs_inbox).await?;
    let inbox = ann.inbox()?;
    let calendar = ann.folder_of(FolderType::Calendar)?;

    // Those of earlier runs are in the calendars too.
    let title = &format!("The bridge: drawings of {}", now());
    let asked = bob.create(&bobs, &invitation(title)).await?;
    step("invited", async {
        until(ann, &inbox, |ann| invitation_in(ann, &inbox, title).is_some()).await?;
        until(ann, &calendar, |ann| event_in(ann, &calendar, title).is_some()).await?;
        let event = event_in(ann, &calendar, title).context("no event")?;
        ensure!(event.participation == Participation::NeedsAction, "{event:?}");
        Ok(format!("\"{title}\" came as a mail, and into the calendar"))
    })
    .await?;
    step("accepted", async {
        let mail = invitation_in(ann, &inbox, title).context("no invitation")?;
        let answer = Answer {
            response: UserResponse::Accepted,
            invitation: Invitation::Item { collection_id: inbox.clone(), request_id: mail },
            instance: None,
            send: Some(SendResponse {
                body: Some("With pleasure.".into()),
                ..SendResponse::default()
            }),
        };
        let outcome = ann.respond(answer).await?;
        ensure!(outcome.status == Status::Success, "{outcome:?}");
        let accepted = |bob: &Phone| {
            let records = bob.records(&bobs).ok();
            let event = records.and_then(|records| records.get(&asked));
            matches!(event, Some(Item::Event(event)) if event
                .attendees
                .iter()
                .any(|attendee| attendee.participation == Participation::Accepted))
        };
        bob.sync(&bobs_inbox).await?;
        until(&mut bob, &bobs, accepted).await?;
        Ok("the answer arrived, and stands in the organiser's event".to_owned())
    })
    .await
}

/// A meeting of Bob's tomorrow at ten, with Ann.
fn invitation(title: &str) -> ItemPatch {
    let start = LocalTime::from_days(now().as_days() + 1).plus_seconds(10 * 3600);
    let ann = Person { name: Some("Ann Müller".into()), email: World::address("ann") };
    ItemPatch::Event(Box::new(EventPatch::whole(Event {
        title: title.into(),
        start,
        end: start.plus_seconds(3600),
        zone: Some(ZoneId::from("Europe/Berlin")),
        place: Some("Room 7".into()),
        own: true,
        response_requested: true,
        attendees: vec![Attendee {
            address: ann,
            kind: AttendeeKind::Required,
            participation: Participation::NeedsAction,
            proposal: None,
        }],
        text: Some(Text::plain("Please bring the drawings.")),
        ..Event::default()
    })))
}

fn invitation_in(phone: &Phone, inbox: &str, title: &str) -> Option<String> {
    let items = phone.items(inbox).ok()?;
    let found =
        items.iter().find(|(_, mail)| mail.subject.contains(title) && mail.meeting.is_some());
    found.map(|(id, _)| id.clone())
}

fn event_in(phone: &Phone, calendar: &str, title: &str) -> Option<Event> {
    phone.records(calendar).ok()?.values().find_map(|item| match item {
        Item::Event(event) if event.title == title => Some((**event).clone()),
        _ => None,
    })
}

/// Syncs a folder until something holds there.
async fn until(phone: &mut Phone, folder: &str, holds: impl Fn(&Phone) -> bool) -> Result<()> {
    let began = Instant::now();
    loop {
        phone.sync(folder).await?;
        if holds(phone) {
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "it did not come about in time");
        phone.ping(&[folder], PATIENCE).await?;
    }
}
