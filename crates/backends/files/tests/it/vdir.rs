//! Calendars and address books beside other programs on the same files.

use crate::world::{Files, open, sample};
use dme_files::{FilesConfig, FilesMailSystem};
use dme_mailbox::{
    BusyPeriod, BusyQuery, Edit, ErrorKind, FetchOutcome, Fetched, ItemFilter, Mailbox,
    SubmissionKey, WatchEvent,
};
use dme_model::{
    BodyView, BusyStatus, Class, CollectionId, Contact, ContactField, ContactPatch, ContactText,
    Event, EventField, EventPatch, ItemEdit, ItemId, ItemPatch, Role, Timestamp, UserId,
};
use futures_util::{StreamExt as _, TryStreamExt as _};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

const ANN: &str = "ann@x.example";

struct World {
    files: Files,
    ann: Arc<dyn Mailbox>,
    vdir: PathBuf,
}

async fn world() -> World {
    let files = Files::new();
    files.systems[0].create_user(&UserId::from(ANN), &[]).await.unwrap();
    let ann = open(&files.systems[0], ANN).await;
    let vdir = files.vdir(ANN);
    World { files, ann, vdir }
}

async fn named(mailbox: &dyn Mailbox, name: &str) -> dme_model::Collection {
    let all = mailbox.collections().await.unwrap();
    all.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("{name} in {all:?}")).clone()
}

async fn with_role(mailbox: &dyn Mailbox, role: Role) -> CollectionId {
    let all = mailbox.collections().await.unwrap();
    all.into_iter().find(|it| it.role == Some(role)).unwrap().id
}

async fn items(mailbox: &dyn Mailbox, id: &CollectionId) -> Vec<ItemId> {
    mailbox.list(id, &ItemFilter::default()).await.unwrap().items.iter().collect()
}

async fn fetch(mailbox: &dyn Mailbox, id: &CollectionId, items: &[ItemId]) -> Vec<Fetched> {
    let view = BodyView::default().or_native(None);
    mailbox.fetch(id, items, &view).await.unwrap().try_collect().await.unwrap()
}

fn put(directory: &Path, name: &str, object: &str) {
    fs::write(directory.join(name), object).unwrap();
}

fn retitle(title: &str) -> Edit {
    let value = Event { title: title.into(), ..Event::default() };
    let patch = EventPatch::of([EventField::Title], value);
    let edit = ItemEdit::Patch(ItemPatch::Event(Box::new(patch)));
    Edit { key: SubmissionKey(title.into()), edit }
}

#[tokio::test]
async fn a_directory_of_another_program_is_a_collection_of_what_it_holds() {
    let world = world().await;
    for (class, name) in [
        (Class::Calendar, "holidays"),
        (Class::Contacts, "friends"),
        (Class::Tasks, "todo"),
        (Class::Notes, "journal"),
    ] {
        let directory = world.vdir.join(name);
        fs::create_dir(&directory).unwrap();
        let (file, object) = sample(class);
        put(&directory, file, &object);
        assert_eq!(named(&*world.ann, name).await.class, class);
        put(&directory, "displayname", "Größe 中\n");
        let collection = named(&*world.ann, "Größe 中").await;
        assert_eq!((collection.class, collection.role), (class, None));
        assert_eq!(items(&*world.ann, &collection.id).await.len(), 1);
        fs::remove_dir_all(&directory).unwrap();
    }
    let outside = tempfile::tempdir().unwrap();
    put(outside.path(), "u1.ics", &sample(Class::Calendar).1);
    std::os::unix::fs::symlink(outside.path(), world.vdir.join("linked")).unwrap();
    let all = world.ann.collections().await.unwrap();
    assert!(all.iter().all(|it| it.name != "linked"), "a link could lead anywhere");
    let inner = CollectionId::from("\u{1}vdir/../../elsewhere");
    let error = world.ann.list(&inner, &ItemFilter::default()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}

/// Events that are shown for all that, in files made of a plain one.
fn absurd(event: &str) -> [(&'static str, String); 4] {
    let with = |more: &str| event.replace("END:VEVENT", &format!("{more}END:VEVENT"));
    let attendees: String =
        (0..5000).map(|number| format!("ATTENDEE:mailto:a{number}@x.example\r\n")).collect();
    let zone = "BEGIN:VTIMEZONE\r\nTZID:Odd\r\nBEGIN:STANDARD\r\nDTSTART:never\r\n\
                RRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT";
    [
        ("seconds.ics", with("RRULE:FREQ=SECONDLY;BYSECOND=0,1,2;BYSETPOS=-366\r\n")),
        ("crowd.ics", with(&attendees)),
        ("long.ics", with(&format!("DESCRIPTION:{}\r\n", "Very long. ".repeat(1 << 20)))),
        ("zone.ics", event.replace("BEGIN:VEVENT", zone).replace("DTSTART:", "DTSTART;TZID=Odd:")),
    ]
}

#[tokio::test]
async fn what_is_no_item_is_left_out_and_what_is_broken_stops_no_other() {
    let world = world().await;
    let calendar = world.vdir.join("calendar");
    let event = sample(Class::Calendar).1;
    put(&calendar, "good.ics", &event);
    put(&calendar, ".hidden.ics", &event);
    put(&calendar, "half.ics.tmp", &event);
    put(&calendar, "task.ics", &sample(Class::Tasks).1);
    put(&calendar, "person.vcf", &sample(Class::Contacts).1);
    put(&calendar, "notes.txt", "hello");
    put(&calendar, "broken.ics", "BEGIN:VCALENDAR\r\nhalf of it");
    put(&calendar, "empty.ics", "");
    File::create(calendar.join("vast.ics")).unwrap().set_len(1 << 40).unwrap();
    fs::create_dir(calendar.join("directory.ics")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", calendar.join("link.ics")).unwrap();
    let absurd = absurd(&event);
    absurd.iter().for_each(|(name, object)| put(&calendar, name, object));
    let id = with_role(&*world.ann, Role::Calendar).await;
    let listed = items(&*world.ann, &id).await;
    let fetched = fetch(&*world.ann, &id, &listed).await;
    let good = fetched.iter().filter(|it| matches!(it.outcome, FetchOutcome::Item(_))).count();
    let broken = fetched.iter().filter(|it| matches!(it.outcome, FetchOutcome::Unconvertible(_)));
    assert_eq!((good, broken.count()), (1 + absurd.len(), 3));

    let contacts = world.vdir.join("contacts");
    put(&contacts, "ann.vcf", &sample(Class::Contacts).1);
    put(&contacts, "all.vcf", "BEGIN:VCARD\nVERSION:4.0\nKIND:group\nFN:All\nEND:VCARD\n");
    let id = with_role(&*world.ann, Role::Contacts).await;
    assert_eq!(items(&*world.ann, &id).await.len(), 1, "a group is no person");
}

#[tokio::test]
async fn a_file_that_is_mended_is_told() {
    let world = world().await;
    let calendar = world.vdir.join("calendar");
    let id = with_role(&*world.ann, Role::Calendar).await;
    put(&calendar, "a.ics", "broken");
    let before = world.ann.list(&id, &ItemFilter::default()).await.unwrap();
    put(&calendar, "a.ics", &sample(Class::Calendar).1);
    let changes = world.ann.changes(&id, &before.token).await.unwrap();
    assert_eq!(changes.upserted.len(), 1);
    let fetched = fetch(&*world.ann, &id, &[changes.upserted[0].id.clone()]).await;
    assert!(matches!(fetched[0].outcome, FetchOutcome::Item(_)));
}

#[tokio::test]
async fn a_change_within_the_file_is_seen_though_its_size_stays() {
    let world = world().await;
    let path = world.vdir.join("calendar/a.ics");
    let id = with_role(&*world.ann, Role::Calendar).await;
    let event = sample(Class::Calendar).1;
    fs::write(&path, &event).unwrap();
    let mut token = world.ann.list(&id, &ItemFilter::default()).await.unwrap().token;
    for title in ["Holla", "Salut", "Hullo"] {
        fs::write(&path, event.replace("Hello", title)).unwrap();
        let changes = world.ann.changes(&id, &token).await.unwrap();
        assert_eq!(changes.upserted.len(), 1, "{title}");
        token = changes.token;
    }
    // The same bytes written again are no change.
    fs::write(&path, event.replace("Hello", "Hullo")).unwrap();
    assert_eq!(world.ann.changes(&id, &token).await.unwrap().token, token);
}

#[tokio::test]
async fn an_edit_leaves_the_rest_of_the_file_byte_for_byte() {
    let world = world().await;
    let path = world.vdir.join("calendar/a.ics");
    let event = sample(Class::Calendar).1;
    fs::write(&path, &event).unwrap();
    let id = with_role(&*world.ann, Role::Calendar).await;
    let item = items(&*world.ann, &id).await.remove(0);
    world.ann.change_item(&id, &item, &retitle("Bye")).await.unwrap();
    let after = fs::read_to_string(&path).unwrap();
    let lost: Vec<_> = event.lines().filter(|line| !after.lines().any(|it| it == *line)).collect();
    let lost: Vec<_> = lost.into_iter().filter(|line| !line.starts_with("DTSTAMP")).collect();
    assert_eq!(lost, ["SUMMARY:Hello"], "{after}");
    assert!(after.contains("SUMMARY:Bye\r\n"));

    let path = world.vdir.join("contacts/a.vcf");
    let card = sample(Class::Contacts).1;
    fs::write(&path, &card).unwrap();
    let id = with_role(&*world.ann, Role::Contacts).await;
    let item = items(&*world.ann, &id).await.remove(0);
    let mut value = Contact::default();
    value.set_text(ContactText::FirstName, "Anna");
    let patch = ContactPatch::of([ContactField::Of(ContactText::FirstName)], value);
    let edit = ItemEdit::Patch(ItemPatch::Contact(Box::new(patch)));
    let edit = Edit { key: SubmissionKey("k".into()), edit };
    world.ann.change_item(&id, &item, &edit).await.unwrap();
    let after = fs::read_to_string(&path).unwrap();
    let rest: Vec<_> = after.lines().filter(|line| !line.starts_with("REV:")).collect();
    let wanted = card.replace("Hello;Ann", "Hello;Anna").replace("Ann Hello", "Anna Hello");
    assert_eq!(rest, wanted.lines().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_change_by_another_program_is_told_to_a_watch() {
    let world = world().await;
    let calendar = world.vdir.join("calendar");
    put(&calendar, "a.ics", &sample(Class::Calendar).1);
    let id = with_role(&*world.ann, Role::Calendar).await;
    let mut watch = world.ann.watch(std::slice::from_ref(&id)).await.unwrap();
    let mut next = async || {
        let event = timeout(Duration::from_secs(20), watch.next()).await.unwrap();
        event.unwrap().unwrap()
    };
    assert_eq!(next().await, WatchEvent::Ready);
    // Hidden files and the journal are nobody's concern.
    put(&calendar, ".a.ics.swp", "");
    items(&*world.ann, &id).await;
    put(&calendar, "a.ics", &sample(Class::Calendar).1.replace("Hello", "Bye"));
    assert_eq!(next().await, WatchEvent::Changed(id.clone()));
    put(&calendar, "displayname", "Mine");
    let mut told = next().await;
    while told == WatchEvent::Changed(id.clone()) {
        told = next().await;
    }
    assert_eq!(told, WatchEvent::Hierarchy);
}

#[tokio::test]
async fn it_is_told_when_people_of_the_tree_are_free() {
    let world = world().await;
    let bob = "bob@x.example";
    world.files.systems[0]
        .create_user(&UserId::from(bob), &["robert@x.example".into()])
        .await
        .unwrap();
    put(&world.files.vdir(bob).join("calendar"), "a.ics", &sample(Class::Calendar).1);
    let day = Timestamp::from_seconds(1_793_577_600);
    let end = day.plus(Duration::from_secs(86_400));
    let ask = async |mailbox: &dyn Mailbox| {
        let addresses = [ANN, "Robert@x.example", "nobody@x.example", "../etc"];
        let addresses = addresses.map(str::to_owned).to_vec();
        let busy = mailbox.busy(&BusyQuery { addresses, start: day, end }).await.unwrap();
        busy.into_iter().map(|it| it.periods).collect::<Vec<_>>()
    };
    let (start, status) = (Timestamp::from_seconds(1_793_610_000), BusyStatus::Busy);
    let meeting = BusyPeriod { start, end: start.plus(Duration::from_secs(3600)), status };
    assert_eq!(ask(&*world.ann).await, [Some(vec![]), Some(vec![meeting]), None, None]);

    let config = FilesConfig { share_busy: false, ..FilesConfig::new(world.files.root.path()) };
    let ann = open(&FilesMailSystem::new(config), ANN).await;
    assert_eq!(ask(&*ann).await, [Some(vec![]), None, None, None]);
}

#[tokio::test]
async fn a_journal_that_is_lost_or_torn_costs_one_new_list() {
    let world = world().await;
    put(&world.vdir.join("calendar"), "a.ics", &sample(Class::Calendar).1);
    let id = with_role(&*world.ann, Role::Calendar).await;
    let journal = world.vdir.join(".dme/calendar.items");
    for damage in ["", "nonsense\n", "dme-items 1 zz 0 0 1\n"] {
        let token = world.ann.list(&id, &ItemFilter::default()).await.unwrap().token;
        fs::write(&journal, damage).unwrap();
        let other = open(&world.files.systems[1], ANN).await;
        for mailbox in [&world.ann, &other] {
            let error = mailbox.changes(&id, &token).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidToken, "{damage:?}");
        }
        assert_eq!(items(&*world.ann, &id).await.len(), 1);
    }
}
