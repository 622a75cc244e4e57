//! A client that others wrote and people use: Thunderbird without a screen, with the add-ons TbSync
//! and EAS-4-TbSync, which keep contacts, calendars and tasks by EAS.

use crate::account::{NINE, World, event, folder, meeting, whole};
use crate::protocol_pyactivesync::{python_with, well};
use crate::site::{REALM, USERS};
use anyhow::{Context, Result, ensure};
use dme_eas::ProtocolVersion;
use dme_eas::folder_sync::FolderType;
use dme_model::{
    Contact, ContactPatch, ContactText, Event, EventField, EventPatch, Frequency, Importance,
    InstanceChange, Item, ItemPatch, LocalTime, Recurrence, RecurrenceEnd, Task, TaskPatch,
    Timestamp, ZoneId,
};
use dme_phone::Phone;
use dme_testkit::debian::{Release, unpacked};
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// Mozilla's own library to drive it (MPL-2.0), at the release it was tried with.
const DRIVER: &str = "marionette_driver==3.7.1";
/// The add-ons that fit to the Thunderbird of today; those of Debian's stable releases do not.
const ADDONS: [&str; 2] = ["webext-tbsync", "webext-eas4tbsync"];
/// In seconds.
const WEEK: i64 = 7 * 86_400;
/// 2027-02-28.
const LAST_OF_FEBRUARY: LocalTime = LocalTime::from_days(20_877);
/// 2027-03-05.
const FIFTH_OF_MARCH: LocalTime = LocalTime::from_days(20_882);
/// 2027-03-02 at ten, which Thunderbird's event begins at.
const TUESDAY_AT_TEN: LocalTime = LocalTime::from_seconds(1_803_981_600);

#[tokio::test(flavor = "multi_thread")]
async fn thunderbird_shows_the_account_and_writes_to_it() -> Result<()> {
    let world = World::start()?;
    for (user, version) in [(USERS[0], ProtocolVersion::V16_1), (USERS[1], ProtocolVersion::V14_1)]
    {
        in_version(&world, user, version).await.with_context(|| format!("in {version}"))?;
    }
    Ok(())
}

async fn in_version(world: &World, user: (&str, &str), version: ProtocolVersion) -> Result<()> {
    let mut phone = world.phone(user.0, "phone", ProtocolVersion::V16_1).await?;
    let calendar = folder(&mut phone, "Plans", FolderType::UserCalendar).await?;
    let contacts = folder(&mut phone, "People", FolderType::UserContacts).await?;
    let tasks = folder(&mut phone, "Chores", FolderType::UserTasks).await?;
    let review = phone.create(&calendar, &whole(meeting("Quarterly review", None))).await?;
    let guest = if user == USERS[0] { USERS[1].0 } else { USERS[0].0 };
    let guest = format!("{guest}@{REALM}");
    phone.create(&calendar, &whole(meeting("The bridge", Some(&guest)))).await?;
    // Each Monday of March, the second of which is off, and the third two hours later.
    let rule = Recurrence { end: RecurrenceEnd::Count(4), ..Recurrence::every(Frequency::Weekly) };
    let standup = Event { recurrence: Some(rule), ..meeting("Stand-up", None) };
    let standup = phone.create(&calendar, &whole(standup)).await?;
    phone.drop_instance(&calendar, &standup, monday(1)).await?;
    let later = Event {
        start: NINE.plus_seconds(2 * WEEK + 7200),
        end: NINE.plus_seconds(2 * WEEK + 10_800),
        ..meeting("Stand-up", None)
    };
    let later = ItemPatch::Event(Box::new(EventPatch::of([EventField::Time], later)));
    phone.change_instance(&calendar, &standup, monday(2), &later).await?;
    let ada = phone.create(&contacts, &person("Ada", "Lovelace", "+44 20 7946 0000")).await?;
    phone.create(&contacts, &person("Charles", "Babbage", "+44 20 7946 0001")).await?;
    let offer = phone.create(&tasks, &task("Send the offer")).await?;
    phone.create(&tasks, &task("Water the plants")).await?;

    let held = thunderbird(world, user, version)?;
    let expected = json!({
        "contacts": [{
            "first": "Ada", "last": "Lovelace", "email": "ada@example.org",
            "telephones": ["+44 20 7946 0000"],
        }, {
            "first": "Charles", "last": "Babbage", "email": "charles@example.org",
            "telephones": ["+44 20 7946 0001"],
        }],
        "events": [{
            "calendar": "Plans (DME)", "title": "Quarterly review",
            "text": "Bring the drawings.", "place": "Room 7", "reminders": ["-PT15M"],
            "start": "20370302T090000 Europe/Berlin", "end": "20370302T100000 Europe/Berlin",
            "instances": [], "guests": [],
        }, {
            "calendar": "Plans (DME)", "title": "Stand-up",
            "text": "Bring the drawings.", "place": "Room 7", "reminders": ["-PT15M"],
            "start": "20370302T090000 Europe/Berlin", "end": "20370302T100000 Europe/Berlin",
            "instances": [
                "20370302T090000 Europe/Berlin", "20370316T110000 Europe/Berlin",
                "20370323T090000 Europe/Berlin",
            ],
            "guests": [],
        }, {
            "calendar": "Plans (DME)", "title": "The bridge",
            "text": "Bring the drawings.", "place": "Room 7", "reminders": ["-PT15M"],
            "start": "20370302T090000 Europe/Berlin", "end": "20370302T100000 Europe/Berlin",
            "instances": [], "guests": [format!("mailto:{guest}")],
        }],
        "tasks": [{
            "calendar": "Chores (DME)", "title": "Send the offer", "text": null,
            "due": "20270228T000000Z UTC", "done": false,
        }, {
            "calendar": "Chores (DME)", "title": "Water the plants", "text": null,
            "due": "20270228T000000Z UTC", "done": false,
        }],
    });
    ensure!(held == expected, "Thunderbird shows {held:#}");

    // What was there is as it was, but one task is done, the meeting elsewhere, and Charles and the
    // other task are gone.
    for collection in [&calendar, &contacts, &tasks] {
        phone.sync(collection).await?;
    }
    let Item::Task(made) = other(&phone, &tasks, &offer)? else { anyhow::bail!("no task made") };
    ensure!(made.title == "Order paper" && !made.complete, "{made:?}");
    ensure!(made.due == Some(FIFTH_OF_MARCH), "{made:?}");
    ensure!(made.importance == Importance::High, "{made:?}");
    let words = made.text.as_ref().map(|text| text.text.as_str()).unwrap_or_default();
    ensure!(words.contains("Two boxes."), "{words:?}");
    let Some(Item::Task(task)) = phone.records(&tasks)?.get(&offer) else {
        anyhow::bail!("no task: {:?}", phone.records(&tasks)?)
    };
    ensure!(task.complete && task.completed.is_some(), "{task:?}");
    ensure!(task.title == "Send the offer" && task.due == Some(LAST_OF_FEBRUARY), "{task:?}");

    let moved = event(phone.records(&calendar)?.get(&review).context("no review")?)?;
    ensure!(moved.place.as_ref().is_some_and(|place| place.name == "Room 8"), "{moved:?}");
    ensure!(moved.title == "Quarterly review" && moved.reminder == Some(15), "{moved:?}");
    ensure!(moved.start == NINE && moved.end == NINE.plus_seconds(3600), "{moved:?}");
    ensure!(moved.zone == Some(ZoneId::from("Europe/Berlin")), "{moved:?}");
    // The add-on writes texts as HTML.
    let words = moved.text.as_ref().map(|text| text.text.as_str()).unwrap_or_default();
    ensure!(words.contains("Bring the drawings."), "{words:?}");

    // Of the series one instance more is off, and one more at another time.
    let standup = event(phone.records(&calendar)?.get(&standup).context("no stand-up")?)?;
    let exceptions: Vec<_> = standup
        .exceptions
        .iter()
        .map(|one| match &one.change {
            InstanceChange::Deleted => (one.original, None),
            InstanceChange::Changed(patch) => (one.original, Some(patch.value.start)),
        })
        .collect();
    let week = |number| NINE.plus_seconds(number * WEEK);
    let expected = [
        (week(0), Some(NINE.plus_seconds(3600))),
        (week(1), None),
        (week(2), Some(NINE.plus_seconds(2 * WEEK + 7200))),
        (week(3), None),
    ];
    ensure!(exceptions == expected, "{exceptions:?}");
    ensure!(standup.recurrence.is_some() && standup.start == NINE, "{standup:?}");

    // A series and a contact were made.
    let made = titled(&phone, &calendar, "Compiler review")?;
    ensure!(made.title == "Compiler review" && made.start == TUESDAY_AT_TEN, "{made:?}");
    ensure!(made.end == TUESDAY_AT_TEN.plus_seconds(5400), "{made:?}");
    ensure!(made.zone == Some(ZoneId::from("Europe/Berlin")), "{made:?}");
    ensure!(made.place.as_ref().is_some_and(|place| place.name == "Room 9"), "{made:?}");
    let series = made.recurrence.as_ref().context("no series")?;
    ensure!(series.frequency == Frequency::Weekly, "{series:?}");
    ensure!(series.end == RecurrenceEnd::Count(3), "{series:?}");
    let Item::Contact(made) = other(&phone, &contacts, &ada)? else { anyhow::bail!("no contact") };
    for (field, value) in [
        (ContactText::FirstName, "Grace"),
        (ContactText::LastName, "Hopper"),
        (ContactText::Email1, "grace@example.org"),
        (ContactText::MobilePhone, "+1 555 0123"),
    ] {
        ensure!(made.text_of(field) == value, "{field:?}: {made:?}");
    }
    Ok(())
}

/// A task of the last day of February.
fn task(title: &str) -> ItemPatch {
    let task = Task {
        title: title.into(),
        due: Some(LAST_OF_FEBRUARY),
        whole_days: true,
        ..Task::default()
    };
    ItemPatch::Task(Box::new(TaskPatch::whole(task)))
}

fn person(first: &str, last: &str, mobile: &str) -> ItemPatch {
    let email = format!("{}@example.org", first.to_lowercase());
    let mut person = Contact::default();
    for (field, value) in [
        (ContactText::FirstName, first),
        (ContactText::LastName, last),
        (ContactText::Email1, &email),
        (ContactText::MobilePhone, mobile),
    ] {
        person.set_text(field, value);
    }
    ItemPatch::Contact(Box::new(ContactPatch::whole(person)))
}

/// The n-th Monday from [`NINE`] on, at nine in Berlin, where it is winter.
fn monday(number: i64) -> Timestamp {
    NINE.plus_seconds(number * WEEK - 3600).as_utc()
}

/// The event of this title.
fn titled<'a>(phone: &'a Phone, folder: &str, title: &str) -> Result<&'a Event> {
    let mut events = phone.records(folder)?.values().filter_map(|item| event(item).ok());
    events.find(|event| event.title == title).with_context(|| format!("no {title}"))
}

/// The one item of a folder beside this one.
fn other<'a>(phone: &'a Phone, folder: &str, known: &str) -> Result<&'a Item> {
    let records = phone.records(folder)?;
    ensure!(records.len() == 2 && records.contains_key(known), "{records:?}");
    records.iter().find(|(id, _)| *id != known).map(|(_, item)| item).context("no other item")
}

/// Has a user's account synchronised, written to and synchronised again; returns what Thunderbird held
/// after the first time.
fn thunderbird(
    world: &World,
    (user, password): (&str, &str),
    version: ProtocolVersion,
) -> Result<serde_json::Value> {
    let addons = unpacked("thunderbird-addons", &ADDONS, Release::Unstable)?;
    let addons = ["tbsync", "eas4tbsync"]
        .map(|name| addons.join(format!("usr/share/webext/{name}@jobisoft.de.xpi")));
    let python = python_with("marionette", &[DRIVER])?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/protocol_thunderbird.py");
    let profile = tempfile::tempdir()?;
    let output = Command::new(python)
        .arg(script)
        .arg(format!("https://localhost:{}", world.site.phones_port))
        .arg(world.site.path("server/authority/authority.pem"))
        .args([&format!("{user}@{REALM}"), password])
        .arg(version.to_string())
        .arg(profile.path())
        .args(addons)
        .output()?;
    well("Thunderbird's driver", &output)?;
    Ok(serde_json::from_slice(&output.stdout)?)
}
