//! Events, contacts, tasks and notes: their content changes, on both sides.

use crate::world::{World, told, with};
use dme_mailbox::ErrorKind;
use dme_mailbox::memory::{Failure, Operation};
use dme_model::{
    Address, Attendee, AttendeeKind, Class, Contact, ContactField, ContactPatch, ContactText,
    Event, EventField, EventPatch, Item, ItemEdit, ItemId, ItemPatch, LocalTime, Participation,
    Role, Task, Text,
};
use dme_sync::{
    ClientCommand, ClientId, CollectionOptions, CollectionRequest, CommandResult, ConflictRule,
    FilterAge, FolderNo, Meant, ServerChange, SyncKey,
};

const DAY: i64 = 86_400;

fn contact(name: &str) -> Contact {
    let mut contact = Contact::default();
    contact.set_text(ContactText::LastName, name);
    contact
}

fn create(client: &str, name: &str) -> ClientCommand {
    let patch = ItemPatch::Contact(Box::new(ContactPatch::whole(contact(name))));
    ClientCommand::Create(ClientId(client.into()), Meant::new(name.as_bytes(), patch))
}

fn rename(item: &ItemId, name: &str) -> ClientCommand {
    let field = ContactField::Of(ContactText::LastName);
    let patch = ItemPatch::Contact(Box::new(ContactPatch::of([field], contact(name))));
    ClientCommand::Edit(item.clone(), Meant::new(name.as_bytes(), ItemEdit::Patch(patch)))
}

fn names(world: &World) -> Vec<String> {
    let contacts = world.system.items(&world.user, &world.place(Role::Contacts)).unwrap();
    let name = |(_, item)| match item {
        Item::Contact(contact) => contact.text_of(ContactText::LastName).to_owned(),
        other => panic!("{other:?}"),
    };
    contacts.into_iter().map(name).collect()
}

/// A phone whose contacts are in step, its key, and Ann, whom it knows.
async fn with_ann(world: &World) -> (FolderNo, SyncKey, ItemId) {
    let folder = world.folder(Role::Contacts).await;
    let key = world.begin(folder).await;
    let answer = world.sync(&with(folder, &key, vec![create("c1", "Ann")])).await.unwrap();
    let [CommandResult::Added(saved)] = &answer.results[..] else { panic!("{answer:?}") };
    assert!(answer.changes.is_empty(), "the phone knows what it made: {answer:?}");
    (folder, answer.key, saved.item.clone())
}

/// Another client renames Ann.
fn rename_elsewhere(world: &World, item: &ItemId, name: &str) {
    let changed = Item::Contact(Box::new(contact(name)));
    world.system.put(&world.user, &world.place(Role::Contacts), Some(item), changed).unwrap();
}

#[tokio::test]
async fn what_the_phone_makes_is_made_once_however_often_it_says_so() {
    let world = World::new().await;
    let folder = world.folder(Role::Contacts).await;
    let key = world.begin(folder).await;
    let request = with(folder, &key, vec![create("c1", "Ann")]);
    let lost = Failure::After(dme_mailbox::Error::new(ErrorKind::Unavailable, "lost"));
    let mut failures = vec![lost];
    world.system.fail_when(move |operation| match operation {
        Operation::CreateItem => failures.pop(),
        _ => None,
    });
    assert!(world.sync(&request).await.is_err(), "the answer of the mail system was lost");
    let first = world.sync(&request).await.unwrap();
    let again = world.sync(&request).await.unwrap();
    assert_eq!(again.results, first.results);
    assert_eq!(names(&world), ["Ann"]);
}

#[tokio::test]
async fn a_change_goes_each_way_and_its_echo_goes_nowhere() {
    let world = World::new().await;
    let (folder, key, ann) = with_ann(&world).await;
    let answer = world.sync(&with(folder, &key, vec![rename(&ann, "Anna")])).await.unwrap();
    assert_eq!((&answer.results[..], &told(&answer)[..]), (&[CommandResult::Done][..], &[][..]));
    assert_eq!(names(&world), ["Anna"]);

    rename_elsewhere(&world, &ann, "Hannah");
    let answer = world.sync(&CollectionRequest::new(folder, answer.key)).await.unwrap();
    let [ServerChange::Update(item, Item::Contact(now))] = &answer.changes[..] else {
        panic!("{answer:?}")
    };
    assert_eq!((item, now.text_of(ContactText::LastName)), (&ann, "Hannah"));
    let quiet = world.sync(&CollectionRequest::new(folder, answer.key.clone())).await.unwrap();
    assert_eq!((quiet.key, quiet.changes), (answer.key, vec![]));
}

#[tokio::test]
async fn where_both_changed_an_item_one_wins_as_the_phone_wants_it() {
    for (rule, result, name) in [
        (ConflictRule::ServerWins, CommandResult::Conflict, "Hannah"),
        (ConflictRule::ClientWins, CommandResult::Done, "Anna"),
    ] {
        let world = World::new().await;
        let (folder, key, ann) = with_ann(&world).await;
        rename_elsewhere(&world, &ann, "Hannah");
        let options = CollectionOptions { conflict: rule, ..CollectionOptions::default() };
        let request = CollectionRequest {
            options: Some(options),
            ..with(folder, &key, vec![rename(&ann, "Anna")])
        };
        let answer = world.sync(&request).await.unwrap();
        assert_eq!(answer.results, [result]);
        assert_eq!(told(&answer), [format!("update {ann}")], "the phone sees how it came out");
        assert_eq!(names(&world), [name]);
    }
}

#[tokio::test]
async fn a_deleted_contact_is_gone_and_not_in_the_trash() {
    let world = World::new().await;
    let (folder, key, ann) = with_ann(&world).await;
    let answer = world.sync(&with(folder, &key, vec![ClientCommand::Delete(ann)])).await.unwrap();
    assert_eq!(answer.results, [CommandResult::Done]);
    assert_eq!(names(&world), [""; 0]);
    assert!(world.system.items(&world.user, &world.place(Role::Trash)).unwrap().is_empty());
}

#[tokio::test]
async fn an_event_passes_the_filter_as_long_as_it_goes_on() {
    let world = World::new().await;
    let calendar = world.place(Role::Calendar);
    let event = |title: &str, days_ago: i64, endless: bool| {
        let start = LocalTime::from_seconds(world.now.as_seconds() - days_ago * DAY);
        let end = start.plus_seconds(3600);
        let last_end = (!endless).then(|| end.as_utc());
        Item::Event(Box::new(Event {
            title: title.into(),
            start,
            end,
            last_end,
            ..Event::default()
        }))
    };
    let put = |item| world.system.put(&world.user, &calendar, None, item).unwrap();
    let _old = put(event("old", 20, false));
    let soon = put(event("soon", -2, false));
    let series = put(event("series", 400, true));
    let folder = world.folder(Role::Calendar).await;
    let first = CollectionRequest::new(folder, SyncKey::initial());
    let key = world.sync(&first).await.unwrap().key;
    let filter = FilterAge::TwoWeeks;
    let options = CollectionOptions { filter, ..CollectionOptions::default() };
    let request =
        CollectionRequest { options: Some(options), ..CollectionRequest::new(folder, key) };
    let answer = world.sync(&request).await.unwrap();
    assert_eq!(told(&answer), [format!("add {series} Calendar"), format!("add {soon} Calendar")]);

    // Moved into the past it goes; what is new and past never comes.
    world.system.put(&world.user, &calendar, Some(&soon), event("soon", 30, false)).unwrap();
    put(event("past", 50, false));
    let answer = world.sync(&CollectionRequest::new(folder, answer.key)).await.unwrap();
    assert_eq!(told(&answer), [format!("soft delete {soon}")]);
    let quiet = world.sync(&CollectionRequest::new(folder, answer.key)).await.unwrap();
    assert_eq!(told(&quiet), [""; 0]);
}

#[tokio::test]
async fn a_task_that_is_done_goes_where_only_open_ones_are_wanted() {
    let world = World::new().await;
    let tasks = world.place(Role::Tasks);
    let task = |complete| Item::Task(Box::new(Task { complete, ..Task::default() }));
    let open = world.system.put(&world.user, &tasks, None, task(false)).unwrap();
    world.system.put(&world.user, &tasks, None, task(true)).unwrap();
    let folder = world.folder(Role::Tasks).await;
    let first = CollectionRequest::new(folder, SyncKey::initial());
    let key = world.sync(&first).await.unwrap().key;
    let filter = FilterAge::Incomplete;
    let options = CollectionOptions { filter, ..CollectionOptions::default() };
    let request =
        CollectionRequest { options: Some(options), ..CollectionRequest::new(folder, key) };
    let answer = world.sync(&request).await.unwrap();
    assert_eq!(told(&answer), [format!("add {open} Tasks")]);
    world.system.put(&world.user, &tasks, Some(&open), task(true)).unwrap();
    let answer = world.sync(&CollectionRequest::new(folder, answer.key)).await.unwrap();
    assert_eq!(told(&answer), [format!("soft delete {open}")]);
}

#[tokio::test]
async fn what_the_phone_leaves_alone_stays() {
    let world = World::new().await;
    let calendar = world.place(Role::Calendar);
    let text = Some(Text::plain("Bring the drawings."));
    let there = Event { title: "Bridge".into(), text: text.clone(), own: true, ..Event::default() };
    let item = Item::Event(Box::new(there));
    let item = world.system.put(&world.user, &calendar, None, item).unwrap();
    let folder = world.folder(Role::Calendar).await;
    let key = world.begin(folder).await;
    let value = Event { title: "The bridge".into(), ..Event::default() };
    let patch = ItemPatch::Event(Box::new(EventPatch::of([EventField::Title], value)));
    let edit = ClientCommand::Edit(item, Meant::new(b"retitle", ItemEdit::Patch(patch)));
    world.sync(&with(folder, &key, vec![edit])).await.unwrap();
    let items = world.system.items(&world.user, &calendar).unwrap();
    let [(_, Item::Event(now))] = &items[..] else { panic!("{items:?}") };
    assert_eq!((now.title.as_str(), &now.text), ("The bridge", &text));
}

#[tokio::test]
async fn what_the_phone_supports_is_kept_until_it_begins_again() {
    let world = World::new().await;
    let folder = world.folder(Role::Contacts).await;
    let mut first = CollectionRequest::new(folder, SyncKey::initial());
    first.supported = Some("names only".into());
    world.sync(&first).await.unwrap();
    let (_, said) = world.engine.held(world.session(), folder).await.unwrap();
    assert_eq!(said.as_deref(), Some("names only"));
    assert_eq!(world.engine.folder_class(world.session(), folder).await.unwrap(), Class::Contacts);
    world.begin(folder).await;
    assert_eq!(world.engine.held(world.session(), folder).await.unwrap().1, None);
}

/// An event in the calendar to which Eve is asked.
fn a_meeting(world: &World) -> ItemId {
    let guest = Attendee {
        address: Address { name: None, email: "eve@elsewhere.example".into() },
        kind: AttendeeKind::Required,
        participation: Participation::NeedsAction,
        proposal: None,
    };
    let there =
        Event { title: "Bridge".into(), own: true, attendees: vec![guest], ..Event::default() };
    let calendar = world.place(Role::Calendar);
    world.system.put(&world.user, &calendar, None, Item::Event(Box::new(there))).unwrap()
}

fn retitle(item: &ItemId, fields: &[EventField]) -> ClientCommand {
    let value = Event { title: "The bridge".into(), ..Event::default() };
    let patch = EventPatch::of(fields.iter().copied(), value);
    let edit = ItemEdit::Patch(ItemPatch::Event(Box::new(patch)));
    ClientCommand::Edit(item.clone(), Meant::new(b"retitle", edit))
}

#[tokio::test]
async fn others_are_told_of_a_changed_meeting_once_also_where_telling_failed_at_first() {
    let world = World::new().await;
    let item = a_meeting(&world);
    let folder = world.folder(Role::Calendar).await;
    let key = world.begin(folder).await;
    // What the phone says stays the same; what it means is nothing once it was carried out.
    let edit = |fields: &[EventField]| with(folder, &key, vec![retitle(&item, fields)]);
    let down = Failure::Before(dme_mailbox::Error::new(ErrorKind::Unavailable, "down"));
    world.system.fail_when(move |operation| (operation == Operation::Submit).then(|| down.clone()));
    assert!(world.sync(&edit(&[EventField::Title])).await.is_err());
    assert!(world.system.sent().is_empty());
    world.system.heal();
    for _ in 0..2 {
        let answer = world.sync(&edit(&[])).await.unwrap();
        assert_eq!(answer.results, [CommandResult::Done]);
        assert_eq!(world.system.sent().len(), 1, "told once");
    }
}

#[tokio::test]
async fn a_phone_that_tells_others_itself_is_the_only_one_to() {
    let world = World::new().await;
    let item = a_meeting(&world);
    let folder = world.folder(Role::Calendar).await;
    let key = world.begin(folder).await;
    let title = with(folder, &key, vec![retitle(&item, &[EventField::Title])]);
    let key = world.sync(&CollectionRequest { notify: false, ..title }).await.unwrap().key;
    let gone = with(folder, &key, vec![ClientCommand::Delete(item)]);
    world.sync(&CollectionRequest { notify: false, ..gone }).await.unwrap();
    assert!(world.system.sent().is_empty(), "the server told them too");
}
