//! The whole account: calendar, contacts, tasks and notes beside the mail, on a calendar server
//! that does not schedule by itself (Radicale).

use crate::site::{PATIENCE, REALM, Site, USERS, Wishes, dovecot, postfix};
use anyhow::{Context, Result, ensure};
use dme_eas::ProtocolVersion;
use dme_eas::compose::{Message, SaveInSent};
use dme_eas::folder_sync::FolderType;
use dme_eas::meeting_response::{Answer, Invitation, SendResponse, Status, UserResponse};
use dme_model::{
    Address, Attendee, AttendeeKind, Contact, ContactField, ContactPatch, ContactText, Event,
    EventField, EventPatch, Item, ItemPatch, LocalTime, Note, NotePatch, Participation, Task,
    TaskPatch, Text, ZoneId,
};
use dme_phone::Phone;
use dme_testkit::radicale::Radicale;
use std::time::{Duration, Instant};

/// A Monday, 2037-03-02, at nine.
pub const NINE: LocalTime = LocalTime::from_seconds(2_119_597_200);

pub struct World {
    pub site: Site,
    pub radicale: Radicale,
}

impl World {
    pub fn start() -> Result<Self> {
        let users = USERS.map(|(name, password)| (format!("{name}@{REALM}"), password));
        let users: Vec<(&str, &str)> = users.iter().map(|(n, p)| (n.as_str(), *p)).collect();
        let radicale = Radicale::start(&users)?;
        let dovecot = dovecot()?;
        let postfix = postfix(&dovecot)?;
        let connector = format!("[dav]\nurl = \"{}\"\npoll = \"1s\"\n", radicale.url());
        let site = Site::on(dovecot, postfix, &connector, &Wishes::default())?;
        Ok(Self { site, radicale })
    }

    /// A phone that knows its folders.
    pub async fn phone(&self, user: &str, device: &str, version: ProtocolVersion) -> Result<Phone> {
        let mut phone = self.site.phone(user)?;
        phone.client.account.version = version;
        phone.client.account.device = device.into();
        phone.folder_sync().await?;
        Ok(phone)
    }
}

/// Makes a folder of this kind, where the user has none of its class yet.
pub async fn folder(phone: &mut Phone, name: &str, kind: FolderType) -> Result<String> {
    let made = phone.create_folder("0", name, kind).await?;
    phone.folder_sync().await?;
    phone.sync(&made).await?;
    Ok(made)
}

pub fn meeting(title: &str, guest: Option<&str>) -> Event {
    let attendee = |email: &str| Attendee {
        address: Address { name: None, email: email.to_owned() },
        kind: AttendeeKind::Required,
        participation: Participation::NeedsAction,
        proposal: None,
    };
    Event {
        title: title.to_owned(),
        start: NINE,
        end: NINE.plus_seconds(3600),
        zone: Some(ZoneId::from("Europe/Berlin")),
        place: Some("Room 7".into()),
        reminder: Some(15),
        own: true,
        response_requested: guest.is_some(),
        attendees: guest.map(attendee).into_iter().collect(),
        text: Some(Text::plain("Bring the drawings.")),
        ..Event::default()
    }
}

pub fn whole(event: Event) -> ItemPatch {
    ItemPatch::Event(Box::new(EventPatch::whole(event)))
}

/// The one item of a folder, on the phone.
pub fn only(phone: &Phone, folder: &str) -> Result<(String, Item)> {
    let records = phone.records(folder)?;
    ensure!(records.len() == 1, "{} items instead of one: {records:?}", records.len());
    let (id, item) = records.iter().next().context("no item")?;
    Ok((id.clone(), item.clone()))
}

pub fn event(item: &Item) -> Result<&Event> {
    match item {
        Item::Event(event) => Ok(event),
        other => anyhow::bail!("no event: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_phone_writes_another_shows_in_every_class_and_version() -> Result<()> {
    let world = World::start()?;
    for (number, version) in ProtocolVersion::ALL.into_iter().enumerate() {
        let said = format!("{version}");
        one_version(&world, number, version).await.context(said)?;
    }
    let logs = world.site.logs()?;
    for secret in ["Bring the drawings", "Quarterly review", "Lovelace"] {
        ensure!(!logs.contains(secret), "a log holds {secret:?}");
    }
    Ok(())
}

async fn one_version(world: &World, number: usize, version: ProtocolVersion) -> Result<()> {
    let mut writer = world.phone("ann", &format!("writer{number}"), version).await?;
    let mut reader = world.phone("ann", &format!("reader{number}"), version).await?;

    let calendar =
        folder(&mut writer, &format!("Plans {number}"), FolderType::UserCalendar).await?;
    let contacts =
        folder(&mut writer, &format!("People {number}"), FolderType::UserContacts).await?;
    let tasks = folder(&mut writer, &format!("Chores {number}"), FolderType::UserTasks).await?;
    reader.folder_sync().await?;

    // An event: made, shown, changed, shown again, deleted.
    let made = writer.create(&calendar, &whole(meeting("Quarterly review", None))).await?;
    reader.sync(&calendar).await?;
    let (id, item) = only(&reader, &calendar)?;
    let shown = event(&item)?;
    ensure!(id == made, "{id} is shown for {made}");
    ensure!(shown.title == "Quarterly review" && shown.start == NINE, "{shown:?}");
    ensure!(shown.zone == Some(ZoneId::from("Europe/Berlin")), "{:?}", shown.zone);
    ensure!(shown.reminder == Some(15), "{:?}", shown.reminder);
    ensure!(shown.place.as_ref().is_some_and(|place| place.name == "Room 7"), "{shown:?}");
    let later =
        Event { start: NINE.plus_seconds(7200), end: NINE.plus_seconds(10_800), ..shown.clone() };
    reader.change(&calendar, &id, &change(&reader, later, &[EventField::Time])).await?;
    writer.sync(&calendar).await?;
    let (_, item) = only(&writer, &calendar)?;
    let shown = event(&item)?;
    ensure!(shown.start == NINE.plus_seconds(7200), "{shown:?}");
    ensure!(shown.title == "Quarterly review" && shown.reminder == Some(15), "{shown:?}");
    writer.delete(&calendar, &made).await?;
    reader.sync(&calendar).await?;
    ensure!(reader.records(&calendar)?.is_empty(), "a deleted event is shown");

    // A contact.
    let mut ada = Contact::default();
    for (field, value) in [
        (ContactText::FirstName, "Ada"),
        (ContactText::LastName, "Lovelace"),
        (ContactText::Email1, "ada@example.org"),
        (ContactText::MobilePhone, "+44 20 7946 0000"),
        (ContactText::BusinessCity, "London"),
    ] {
        ada.set_text(field, value);
    }
    ada.birthday = Some(dme_model::Date { year: Some(1815), month: 12, day: 10 });
    ada.categories = vec!["Friends".into()];
    let patch = ItemPatch::Contact(Box::new(ContactPatch::whole(ada.clone())));
    let made = writer.create(&contacts, &patch).await?;
    reader.sync(&contacts).await?;
    let (_, item) = only(&reader, &contacts)?;
    let Item::Contact(shown) = &item else { anyhow::bail!("no contact: {item:?}") };
    for field in [
        ContactField::Of(ContactText::FirstName),
        ContactField::Of(ContactText::LastName),
        ContactField::Of(ContactText::Email1),
        ContactField::Of(ContactText::MobilePhone),
        ContactField::Of(ContactText::BusinessCity),
        ContactField::Birthday,
        ContactField::Categories,
    ] {
        ensure!(dme_model::Fields::same(&**shown, &ada, field), "{field:?}: {shown:?}");
    }
    writer.delete(&contacts, &made).await?;

    // A task, done on the other phone.
    let task = Task {
        title: "Send the offer".into(),
        due: Some(LocalTime::from_days(NINE.as_days())),
        whole_days: true,
        ..Task::default()
    };
    let patch = ItemPatch::Task(Box::new(TaskPatch::whole(task)));
    let made = writer.create(&tasks, &patch).await?;
    reader.sync(&tasks).await?;
    let (id, item) = only(&reader, &tasks)?;
    let Item::Task(shown) = &item else { anyhow::bail!("no task: {item:?}") };
    ensure!(id == made && shown.title == "Send the offer" && !shown.complete, "{shown:?}");
    let done = Task { complete: true, completed: Some(NINE.as_utc()), ..(**shown).clone() };
    let patch = TaskPatch { fields: all_fields::<Task>(), value: done };
    reader.change(&tasks, &id, &ItemPatch::Task(Box::new(patch))).await?;
    writer.sync(&tasks).await?;
    let (_, item) = only(&writer, &tasks)?;
    ensure!(matches!(&item, Item::Task(task) if task.complete), "{item:?}");

    if version >= ProtocolVersion::V14_0 {
        let notes = folder(&mut writer, &format!("Ideas {number}"), FolderType::UserNotes).await?;
        reader.folder_sync().await?;
        let text = Some(Text::plain("A bridge of glass."));
        let note = Note { title: "Idea".into(), text, ..Note::default() };
        let patch = ItemPatch::Note(Box::new(NotePatch::whole(note)));
        writer.create(&notes, &patch).await?;
        reader.sync(&notes).await?;
        let (_, item) = only(&reader, &notes)?;
        let Item::Note(shown) = &item else { anyhow::bail!("no note: {item:?}") };
        ensure!(shown.title == "Idea", "{shown:?}");
        let words = shown.text.as_ref().map(|text| text.text.as_str()).unwrap_or_default();
        ensure!(words.contains("A bridge of glass."), "{words:?}");
    }
    Ok(())
}

fn all_fields<T: dme_model::Fields>() -> std::collections::BTreeSet<T::Field> {
    T::fields().into_iter().collect()
}

/// A change of an event: until 14.1 a phone says all of it.
pub fn change(phone: &Phone, event: Event, fields: &[EventField]) -> ItemPatch {
    let patch = match phone.client.account.version < ProtocolVersion::V16_0 {
        true => EventPatch::whole(event),
        false => EventPatch::of(fields.iter().copied(), event),
    };
    ItemPatch::Event(Box::new(patch))
}

/// Syncs a folder until something holds there.
pub async fn until(
    phone: &mut Phone,
    folder: &str,
    what: &str,
    holds: impl Fn(&Phone) -> bool,
) -> Result<()> {
    let begin = Instant::now();
    loop {
        phone.sync(folder).await?;
        if holds(phone) {
            return Ok(());
        }
        ensure!(begin.elapsed() < PATIENCE, "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_is_asked_for_answered_and_called_off_once_each() -> Result<()> {
    let world = World::start()?;
    let version = ProtocolVersion::V16_1;
    let mut ann = world.phone("ann", "ann1", version).await?;
    let mut bob = world.phone("bob", "bob1", version).await?;
    let anns = folder(&mut ann, "Plans", FolderType::UserCalendar).await?;
    let bobs = folder(&mut bob, "Plans", FolderType::UserCalendar).await?;
    let (anns_inbox, bobs_inbox) = (ann.inbox()?, bob.inbox()?);
    ann.sync(&anns_inbox).await?;
    bob.sync(&bobs_inbox).await?;

    // Ann asks Bob: a mail, and an event that waits for his answer.
    let made = ann.create(&anns, &whole(meeting("The bridge", Some("bob@example.org")))).await?;
    let arrived = |phone: &Phone, folder: &str, count: usize| {
        phone.items(folder).is_ok_and(|items| items.len() == count)
    };
    until(&mut bob, &bobs_inbox, "the invitation", |bob| arrived(bob, &bobs_inbox, 1)).await?;
    let (mail, invitation) = bob.items(&bobs_inbox)?.iter().next().context("no mail")?;
    let (mail, asked) = (mail.clone(), invitation.meeting.clone().context("no meeting in it")?);
    ensure!(asked.location == "Room 7", "{asked:?}");
    until(&mut bob, &bobs, "the event", |bob| bob.records(&bobs).is_ok_and(|r| r.len() == 1))
        .await?;
    let (_, item) = only(&bob, &bobs)?;
    let shown = event(&item)?;
    ensure!(!shown.own && shown.start == NINE, "{shown:?}");
    ensure!(shown.participation == Participation::NeedsAction, "{shown:?}");

    // Bob comes; his phone says so twice, as phones do whose answer got lost.
    let answer = Answer {
        response: UserResponse::Accepted,
        invitation: Invitation::Item { collection_id: bobs_inbox.clone(), request_id: mail },
        instance: None,
        send: Some(SendResponse { body: Some("With pleasure.".into()), ..SendResponse::default() }),
    };
    let first = bob.respond(answer.clone()).await?;
    ensure!(first.status == Status::Success && first.calendar_id.is_some(), "{first:?}");
    let again = bob.respond(answer).await?;
    ensure!(again == first, "{again:?} instead of {first:?}");
    bob.sync(&bobs).await?;
    let (_, item) = only(&bob, &bobs)?;
    ensure!(event(&item)?.participation == Participation::Accepted, "{item:?}");
    bob.sync(&bobs_inbox).await?;
    ensure!(bob.items(&bobs_inbox)?.is_empty(), "an answered invitation stays in the inbox");

    // Ann learns of it, once.
    until(&mut ann, &anns_inbox, "the answer", |ann| arrived(ann, &anns_inbox, 1)).await?;
    until(&mut ann, &anns, "Bob's answer in Ann's event", |ann| {
        only(ann, &anns).is_ok_and(|(_, item)| {
            event(&item).is_ok_and(|event| {
                event.attendees.iter().any(|a| a.participation == Participation::Accepted)
            })
        })
    })
    .await?;

    // It is called off: Bob is told, and his event says so.
    ann.delete(&anns, &made).await?;
    until(&mut bob, &bobs_inbox, "the cancellation", |bob| arrived(bob, &bobs_inbox, 1)).await?;
    until(&mut bob, &bobs, "the end of the event", |bob| {
        bob.records(&bobs).is_ok_and(|records| {
            records.values().all(|item| {
                event(item).is_ok_and(|e| e.status == dme_model::EventStatus::Cancelled)
            })
        })
    })
    .await?;
    ann.sync(&anns_inbox).await?;
    ensure!(ann.items(&anns_inbox)?.len() == 1, "Bob's answer went out more than once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_mails_its_answer_itself_is_heard_once() -> Result<()> {
    let world = World::start()?;
    let mut ann = world.phone("ann", "ann1", ProtocolVersion::V16_1).await?;
    let mut bob = world.phone("bob", "bob1", ProtocolVersion::V14_1).await?;
    let anns = folder(&mut ann, "Plans", FolderType::UserCalendar).await?;
    let bobs = folder(&mut bob, "Plans", FolderType::UserCalendar).await?;
    let (anns_inbox, bobs_inbox) = (ann.inbox()?, bob.inbox()?);
    ann.sync(&anns_inbox).await?;
    bob.sync(&bobs_inbox).await?;
    ann.create(&anns, &whole(meeting("The tunnel", Some("bob@example.org")))).await?;
    let arrived = |phone: &Phone, folder: &str| phone.items(folder).is_ok_and(|all| all.len() == 1);
    until(&mut bob, &bobs_inbox, "the invitation", |bob| arrived(bob, &bobs_inbox)).await?;
    let mail = bob.items(&bobs_inbox)?.keys().next().context("no mail")?.clone();
    until(&mut bob, &bobs, "the event", |bob| only(bob, &bobs).is_ok()).await?;
    let (_, item) = only(&bob, &bobs)?;
    let uid = event(&item)?.uid.clone();
    ensure!(!uid.is_empty(), "{item:?}");

    let answer = Answer {
        response: UserResponse::Accepted,
        invitation: Invitation::Item { collection_id: bobs_inbox.clone(), request_id: mail },
        instance: None,
        send: None,
    };
    let answered = bob.respond(answer).await?;
    ensure!(answered.status == Status::Success, "{answered:?}");
    let reply = format!(
        "From: bob@example.org\r\nTo: ann@example.org\r\nSubject: Accepted: The tunnel\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/calendar; method=REPLY; charset=utf-8\r\n\r\n\
         BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//phone//EN\r\nMETHOD:REPLY\r\n\
         BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20370101T000000Z\r\n\
         DTSTART;VALUE=DATE-TIME:20370302T080000Z\r\nORGANIZER:mailto:ann@example.org\r\n\
         ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let message = Message {
        client_id: Some("reply".into()),
        account_id: None,
        save_in_sent: SaveInSent::Yes,
        mime: reply.into(),
    };
    bob.client.send_mail(&message).await?;
    until(&mut ann, &anns_inbox, "the answer", |ann| arrived(ann, &anns_inbox)).await?;
    until(&mut ann, &anns, "Bob's answer in Ann's event", |ann| {
        only(ann, &anns).is_ok_and(|(_, item)| {
            event(&item).is_ok_and(|event| {
                event.attendees.iter().any(|a| a.participation == Participation::Accepted)
            })
        })
    })
    .await?;
    ann.sync(&anns_inbox).await?;
    ensure!(ann.items(&anns_inbox)?.len() == 1, "Bob's answer went out more than once");
    Ok(())
}
