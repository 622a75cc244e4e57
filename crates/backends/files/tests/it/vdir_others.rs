//! Two connectors and other programs at work on one collection, in any order: both connectors tell
//! each change, and come to know what is there.

use crate::world::{Files, open};
use dme_files::{FilesConfig, FilesMailSystem};
use dme_mailbox::{
    ChangeToken, Edit, ErrorKind, FetchOutcome, ItemFilter, Mailbox, NewItem, SubmissionKey,
};
use dme_model::{
    BodyView, CollectionId, Item, ItemEdit, ItemId, ItemPatch, Note, NoteField, NotePatch, Role,
    UserId,
};
use futures_util::TryStreamExt as _;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

const ANN: &str = "ann@x.example";

/// Something that is done; files and connectors are few, so that acts meet.
#[derive(Clone, Debug)]
enum Act {
    /// Another program writes a file elsewhere and renames it into its place.
    RenameIn(usize, usize),
    EditInPlace(usize, usize),
    Remove(usize),
    /// Another program puts another directory in the place of the collection's.
    ReplaceDirectory(usize),
    /// A phone, by one of the connectors.
    Create(usize, usize),
    Change(usize, usize, usize),
    Delete(usize, usize),
    Move(usize, usize),
    /// A connector ends and is started anew.
    Restart(usize),
    /// A phone asks a connector what is new.
    Sync(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let (file, text, connector) = (0..4_usize, 0..100_usize, 0..2_usize);
    let written = (file.clone(), text.clone());
    prop_oneof![
        3 => written.clone().prop_map(|(file, text)| Act::RenameIn(file, text)),
        3 => written.prop_map(|(file, text)| Act::EditInPlace(file, text)),
        2 => file.clone().prop_map(Act::Remove),
        1 => text.clone().prop_map(Act::ReplaceDirectory),
        2 => (connector.clone(), text.clone()).prop_map(|(at, text)| Act::Create(at, text)),
        3 => (connector.clone(), file.clone(), text)
            .prop_map(|(at, nth, text)| Act::Change(at, nth, text)),
        1 => (connector.clone(), file.clone()).prop_map(|(at, nth)| Act::Delete(at, nth)),
        1 => (connector.clone(), file).prop_map(|(at, nth)| Act::Move(at, nth)),
        1 => connector.clone().prop_map(Act::Restart),
        6 => connector.prop_map(Act::Sync),
    ]
}

/// A phone, with what it was told of the collection.
struct Phone {
    mailbox: Arc<dyn Mailbox>,
    token: Option<ChangeToken>,
    marks: BTreeMap<ItemId, String>,
}

struct World {
    files: Files,
    notes: CollectionId,
    others: CollectionId,
    directory: PathBuf,
    phones: [Phone; 2],
    acts: usize,
}

fn patch(title: &str) -> ItemPatch {
    let value = Note { title: title.into(), ..Note::default() };
    ItemPatch::Note(Box::new(NotePatch::of([NoteField::Title], value)))
}

fn object(text: usize) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VJOURNAL\r\nUID:u{text}\r\n\
         DTSTAMP:20261101T090000Z\r\nSUMMARY:{text:04}\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n"
    )
}

impl Phone {
    /// Takes in what is new; begins anew where the token is no longer good.
    async fn sync(&mut self, notes: &CollectionId) {
        let changes = match &self.token {
            Some(token) => match self.mailbox.changes(notes, token).await {
                Err(error) if error.kind == ErrorKind::InvalidToken => None,
                changes => Some(changes.unwrap()),
            },
            None => None,
        };
        let Some(changes) = changes else {
            let listing = self.mailbox.list(notes, &ItemFilter::default()).await.unwrap();
            let known = |id: ItemId| (id, String::new());
            self.marks = listing.items.iter().map(known).collect();
            self.token = Some(listing.token);
            return;
        };
        for item in changes.upserted {
            self.marks.insert(item.id, format!("{:?}", item.now));
        }
        self.marks.retain(|id, _| !changes.removed.contains(id));
        self.token = Some(changes.token);
    }

    async fn titles(&self, notes: &CollectionId) -> Vec<String> {
        let ids: Vec<ItemId> = self.marks.keys().cloned().collect();
        let stream = self.mailbox.fetch(notes, &ids, &BodyView::default()).await.unwrap();
        let fetched: Vec<_> = stream.try_collect().await.unwrap();
        let title = |outcome| match outcome {
            FetchOutcome::Item(Item::Note(note)) => note.title,
            other => panic!("{other:?}"),
        };
        let mut titles: Vec<_> = fetched.into_iter().map(|it| title(it.outcome)).collect();
        titles.sort();
        titles
    }
}

impl World {
    async fn new() -> Self {
        let files = Files::new();
        files.systems[0].create_user(&UserId::from(ANN), &[]).await.unwrap();
        let phone = async |system: &FilesMailSystem| {
            let mailbox = open(system, ANN).await;
            Phone { mailbox, token: None, marks: BTreeMap::new() }
        };
        let phones = [phone(&files.systems[0]).await, phone(&files.systems[1]).await];
        let all = phones[0].mailbox.collections().await.unwrap();
        let notes = all.into_iter().find(|it| it.role == Some(Role::Notes)).unwrap().id;
        let made = phones[0].mailbox.create_collection(None, "Others", dme_model::Class::Notes);
        let others = made.await.unwrap();
        let directory = files.vdir(ANN).join("notes");
        Self { files, notes, others, directory, phones, acts: 0 }
    }

    /// What lies in the files.
    fn titles(&self) -> Vec<String> {
        let mut titles = Vec::new();
        for entry in fs::read_dir(&self.directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|it| it == "ics") {
                let text = fs::read_to_string(path).unwrap();
                let title = text.lines().find_map(|line| line.strip_prefix("SUMMARY:"));
                titles.push(title.unwrap().to_owned());
            }
        }
        titles.sort();
        titles
    }

    /// The item that the phone of this connector knows as the n-th.
    fn item(&self, connector: usize, nth: usize) -> Option<ItemId> {
        self.phones[connector].marks.keys().nth(nth).cloned()
    }

    async fn carry_out(&mut self, act: &Act) {
        self.acts += 1;
        let key = SubmissionKey(format!("k{}", self.acts));
        let path = |file: &usize| self.directory.join(format!("{file}.ics"));
        let gone = |error: dme_mailbox::Error| assert_eq!(error.kind, ErrorKind::NotFound);
        match act {
            Act::RenameIn(file, text) => {
                let unfinished = self.files.root.path().join("unfinished");
                fs::write(&unfinished, object(*text)).unwrap();
                fs::rename(&unfinished, path(file)).unwrap();
            }
            Act::EditInPlace(file, text) => fs::write(path(file), object(*text)).unwrap(),
            Act::Remove(file) => drop(fs::remove_file(path(file))),
            Act::ReplaceDirectory(text) => {
                let another = self.files.root.path().join("another");
                fs::create_dir(&another).unwrap();
                fs::write(another.join(".dme-class"), "notes").unwrap();
                fs::write(another.join("1.ics"), object(*text)).unwrap();
                fs::remove_dir_all(&self.directory).unwrap();
                fs::rename(&another, &self.directory).unwrap();
            }
            Act::Create(at, text) => {
                let new = NewItem { key, patch: patch(&format!("{text:04}")) };
                self.phones[*at].mailbox.create_item(&self.notes, &new).await.unwrap();
            }
            Act::Change(at, nth, text) => {
                let Some(item) = self.item(*at, *nth) else { return };
                let edit = Edit { key, edit: ItemEdit::Patch(patch(&format!("{text:04}"))) };
                let changed = self.phones[*at].mailbox.change_item(&self.notes, &item, &edit).await;
                changed.map_or_else(gone, drop);
            }
            Act::Delete(at, nth) => {
                let Some(item) = self.item(*at, *nth) else { return };
                self.phones[*at].mailbox.delete_items(&self.notes, &[item]).await.unwrap();
            }
            Act::Move(at, nth) => {
                let Some(item) = self.item(*at, *nth) else { return };
                let mailbox = &self.phones[*at].mailbox;
                let moved = mailbox.move_items(&self.notes, &self.others, &[item]).await.unwrap();
                moved.into_iter().for_each(|(_, moved)| moved.map_or_else(gone, drop));
            }
            Act::Restart(at) => {
                self.files.systems[*at] =
                    FilesMailSystem::new(FilesConfig::new(self.files.root.path()));
                self.phones[*at].mailbox = open(&self.files.systems[*at], ANN).await;
            }
            Act::Sync(at) => {
                self.phones[*at].sync(&self.notes).await;
                assert_eq!(self.phones[*at].titles(&self.notes).await, self.titles(), "{at}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn each_comes_to_know_what_the_others_did(acts in prop::collection::vec(act(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for act in &acts {
                world.carry_out(act).await;
            }
            for at in [0, 1, 0] {
                world.carry_out(&Act::Sync(at)).await;
            }
        });
    }
}

/// An edit is told by its mark, and only once.
#[tokio::test]
async fn a_change_is_told_once_by_each_connector() {
    let mut world = World::new().await;
    for act in [Act::RenameIn(1, 1), Act::RenameIn(2, 2), Act::Sync(0), Act::Sync(1)] {
        world.carry_out(&act).await;
    }
    for (act, changed) in [
        (Act::EditInPlace(1, 3), 1),
        (Act::RenameIn(2, 4), 1),
        (Act::RenameIn(3, 5), 1),
        (Act::Change(0, 0, 6), 1),
        (Act::Create(1, 7), 1),
        (Act::EditInPlace(1, 6), 0),
    ] {
        // What the phone's own connector wrote is of the same content when written again.
        if matches!(act, Act::EditInPlace(1, 6)) {
            let path = world.directory.join("1.ics");
            let same = fs::read(&path).unwrap();
            fs::write(path, same).unwrap();
        } else {
            world.carry_out(&act).await;
        }
        for at in [0, 1] {
            let token = world.phones[at].token.clone().unwrap();
            let told = world.phones[at].mailbox.changes(&world.notes, &token).await.unwrap();
            assert_eq!(told.upserted.len(), changed, "{act:?} at {at}");
            let again = world.phones[at].mailbox.changes(&world.notes, &told.token).await.unwrap();
            assert!(again.upserted.is_empty() && again.token == told.token, "{act:?} at {at}");
            world.phones[at].token = Some(told.token);
        }
    }
}

#[tokio::test]
async fn many_items_are_moved_and_each_is_answered() {
    let mut world = World::new().await;
    for number in 0..20 {
        world.carry_out(&Act::RenameIn(number, number)).await;
    }
    world.carry_out(&Act::Sync(0)).await;
    let mut items: Vec<ItemId> = world.phones[0].marks.keys().cloned().collect();
    let others = world.files.vdir(ANN).join("Others");
    // One is of a name that is taken there, one was moved before the connector was killed, one
    // is gone.
    fs::write(others.join("0.ics"), object(99)).unwrap();
    fs::hard_link(world.directory.join("1.ics"), others.join("1.ics")).unwrap();
    fs::remove_file(world.directory.join("2.ics")).unwrap();
    items.push(ItemId::from("nonsense"));
    let mailbox = world.phones[0].mailbox.clone();
    let moved = mailbox.move_items(&world.notes, &world.others, &items).await.unwrap();
    let answered: Vec<&ItemId> = moved.iter().map(|(id, _)| id).collect();
    assert_eq!(answered, items.iter().collect::<Vec<_>>());
    let failed = moved.iter().filter_map(|(_, moved)| moved.as_ref().err());
    let kinds: Vec<ErrorKind> = failed.map(|error| error.kind.clone()).collect();
    assert_eq!(kinds, [ErrorKind::NotFound, ErrorKind::NotFound]);
    assert!(world.titles().is_empty());
    world.directory = others;
    let there = world.titles();
    assert_eq!(there.len(), 20, "19 that moved, each once, and the one that was there: {there:?}");
    let new: Vec<ItemId> = moved.into_iter().filter_map(|(_, moved)| moved.ok()?).collect();
    world.phones[0].marks = new.into_iter().map(|id| (id, String::new())).collect();
    let mut titles = world.phones[0].titles(&world.others).await;
    titles.push("0099".into());
    assert_eq!(titles, there);
}
