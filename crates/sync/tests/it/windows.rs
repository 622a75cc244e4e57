//! A long list in windows: the mail system is not asked between them what changed, and all the
//! same nothing is lost and nothing told twice.

use crate::world::{Call, World, told, with};
use dme_model::{
    Class, Contact, ContactField, ContactPatch, ContactText, Item, ItemEdit, ItemId, ItemPatch,
    Role,
};
use dme_sync::{
    ClientCommand, CollectionAnswer, CollectionRequest, CommandResult, Engine, FolderNo, Limits,
    Meant, SyncKey, Window,
};
use std::collections::BTreeSet;
use std::time::Duration;

const WINDOW: usize = 10;

/// A phone that begins a folder in which there is so much.
struct Beginning {
    world: World,
    role: Role,
    folder: FolderNo,
    key: SyncKey,
    items: Vec<ItemId>,
}

impl Beginning {
    async fn of_contacts(count: usize) -> Self {
        let world = World::new().await;
        let items = (0..count).map(|_| put(&world, None)).collect();
        Self::at(world, Role::Contacts, items).await
    }

    async fn at(world: World, role: Role, items: Vec<ItemId>) -> Self {
        let folder = world.folder(role).await;
        let first = CollectionRequest::new(folder, SyncKey::initial());
        let key = world.sync(&first).await.unwrap().key;
        world.system.take_calls();
        Self { world, role, folder, key, items }
    }

    fn request(&self) -> CollectionRequest {
        let window = Window { items: WINDOW as u32, ..Window::default() };
        CollectionRequest { window, ..CollectionRequest::new(self.folder, self.key.clone()) }
    }

    /// The next window, and what the mail system was asked for it.
    async fn next(&mut self) -> (CollectionAnswer, Vec<Call>) {
        let answer = self.world.sync(&self.request()).await.unwrap();
        self.key = answer.key.clone();
        (answer, self.world.system.take_calls())
    }

    /// All that is told until there is no more.
    async fn rest(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let (answer, _) = self.next().await;
            all.extend(told(&answer));
            if !answer.more_available {
                return all;
            }
        }
    }

    fn delete(&self, item: &ItemId) {
        let place = self.world.place(self.role);
        self.world.system.delete(&self.world.user, &place, item).unwrap();
    }

    async fn is_quiet(&mut self) -> bool {
        let (answer, asked) = self.next().await;
        answer.changes.is_empty() && !answer.more_available && asked == [Call::Changes]
    }
}

/// Another client writes a contact, new or anew.
fn put(world: &World, item: Option<&ItemId>) -> ItemId {
    let contact = contact(if item.is_none() { "New" } else { "Changed" });
    let contact = Item::Contact(Box::new(contact));
    world.system.put(&world.user, &world.place(Role::Contacts), item, contact).unwrap()
}

fn contact(name: &str) -> Contact {
    let mut contact = Contact::default();
    contact.set_text(ContactText::LastName, name);
    contact
}

fn add(item: &ItemId) -> String {
    format!("add {item} {:?}", Class::Contacts)
}

#[tokio::test]
async fn one_list_one_question_and_the_items() {
    let mut phone = Beginning::of_contacts(5 * WINDOW).await;
    let mut asked = Vec::new();
    for left in (0..5).rev() {
        let (answer, calls) = phone.next().await;
        assert_eq!((answer.changes.len(), answer.more_available), (WINDOW, left > 0));
        asked.extend(calls);
    }
    use Call::{Changes, Fetch, List};
    assert_eq!(asked, [List, Fetch, Fetch, Fetch, Fetch, Changes, Fetch]);
    assert!(phone.is_quiet().await);
}

#[tokio::test]
async fn what_changes_between_is_told_once_in_the_end() {
    let mut phone = Beginning::of_contacts(4 * WINDOW).await;
    let (first, _) = phone.next().await;
    let there: Vec<ItemId> = first.changes.iter().map(|it| it.item().clone()).collect();
    let to_come: Vec<&ItemId> = phone.items.iter().filter(|it| !there.contains(it)).collect();
    let (gone, kept) = (to_come[0], &to_come[1..]);
    phone.delete(gone);
    phone.delete(&there[0]);
    put(&phone.world, Some(&there[1]));
    let new = put(&phone.world, None);

    let mut expected: BTreeSet<String> = kept.iter().map(|item| add(item)).collect();
    expected.extend([format!("delete {}", there[0]), format!("update {}", there[1]), add(&new)]);
    let all = phone.rest().await;
    assert_eq!(all.len(), expected.len(), "nothing twice: {all:?}");
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), expected);
    assert!(phone.is_quiet().await);
}

#[tokio::test]
async fn where_all_the_rest_is_gone_what_came_instead_is_told_at_once() {
    let mut phone = Beginning::of_contacts(3 * WINDOW).await;
    let (first, _) = phone.next().await;
    let there: BTreeSet<&ItemId> = first.changes.iter().map(|it| it.item()).collect();
    for item in phone.items.iter().filter(|it| !there.contains(it)) {
        phone.delete(item);
    }
    let new = put(&phone.world, None);
    let (answer, _) = phone.next().await;
    assert_eq!((&told(&answer)[..], answer.more_available), (&[add(&new)][..], false));
    assert!(phone.is_quiet().await);
}

#[tokio::test]
async fn where_the_rest_is_gone_but_for_some_there_may_be_more() {
    let mut phone = Beginning::of_contacts(3 * WINDOW).await;
    let (first, _) = phone.next().await;
    let there: BTreeSet<&ItemId> = first.changes.iter().map(|it| it.item()).collect();
    let to_come: Vec<&ItemId> = phone.items.iter().filter(|it| !there.contains(it)).collect();
    for item in &to_come[1..] {
        phone.delete(item);
    }
    let (last, new) = (add(to_come[0]), put(&phone.world, None));
    let (answer, _) = phone.next().await;
    assert_eq!((&told(&answer)[..], answer.more_available), (&[last][..], true));
    let session = phone.world.session();
    let waiting = phone.world.engine.changed_folders(session, &[phone.folder]).await.unwrap();
    assert_eq!(waiting, [phone.folder], "nor does a Ping wait");
    assert_eq!(phone.rest().await, [add(&new)]);
}

#[tokio::test]
async fn a_phone_that_comes_back_later_has_what_changed_meanwhile() {
    for (later, asks) in [(60, false), (5 * 60, true), (24 * 60 * 60, true)] {
        let mut phone = Beginning::of_contacts(4 * WINDOW).await;
        let (first, _) = phone.next().await;
        phone.delete(first.changes[0].item());
        phone.world.now = phone.world.now.plus(Duration::from_secs(later));
        // The server was restarted too: all that it knows is in its store.
        phone.world.engine = Engine::new(phone.world.store.clone(), Limits::default());
        let (answer, calls) = phone.next().await;
        assert_eq!(calls.contains(&Call::Changes), asks, "{later} s later: {calls:?}");
        let delete = format!("delete {}", first.changes[0].item());
        assert_eq!(told(&answer).contains(&delete), asks, "{later} s later");
        // That question, too, serves for the windows after it.
        let (_, calls) = phone.next().await;
        assert_eq!(calls, [Call::Fetch]);
    }
}

#[tokio::test]
async fn a_lost_window_comes_again_with_the_same_key() {
    let mut phone = Beginning::of_contacts(4 * WINDOW).await;
    phone.next().await;
    let request = phone.request();
    let second = phone.world.sync(&request).await.unwrap();
    phone.world.store.take_writes();
    for later in [0, 60, 10 * 60] {
        phone.world.now = phone.world.now.plus(Duration::from_secs(later));
        assert_eq!(phone.world.sync(&request).await.unwrap(), second, "{later} s later");
    }
    assert_eq!(phone.world.store.take_writes(), 0);
}

#[tokio::test]
async fn what_the_phone_does_between_is_judged_by_what_is_there_now() {
    let mut phone = Beginning::of_contacts(4 * WINDOW).await;
    let (first, _) = phone.next().await;
    let item = first.changes[0].item().clone();
    put(&phone.world, Some(&item));
    let field = ContactField::Of(ContactText::LastName);
    let patch = ItemPatch::Contact(Box::new(ContactPatch::of([field], contact("Ann"))));
    let edit = ClientCommand::Edit(item.clone(), Meant::new(b"Ann", ItemEdit::Patch(patch)));
    let request = CollectionRequest {
        window: phone.request().window,
        ..with(phone.folder, &phone.key, vec![edit])
    };
    let answer = phone.world.sync(&request).await.unwrap();
    assert_eq!(answer.results, [CommandResult::Conflict]);
    assert!(told(&answer).contains(&format!("update {item}")), "{answer:?}");
}

#[tokio::test]
async fn new_mail_does_not_wait_for_the_old() {
    let world = World::new().await;
    let items = (0..3 * WINDOW).map(|n| world.arrive(&format!("m{n}"))).collect();
    let mut phone = Beginning::at(world, Role::Inbox, items).await;
    phone.next().await;
    let new = phone.world.arrive("new");
    let (answer, _) = phone.next().await;
    assert_eq!(told(&answer)[0], format!("add {new} new"));
}
