//! Killed at any moment: items that were acknowledged are there, once, and whole.

use crate::world::open;
use dme_files::{FilesConfig, FilesMailSystem};
use dme_mailbox::{Edit, FetchOutcome, ItemFilter, Mailbox, NewItem, SubmissionKey};
use dme_model::{
    BodyView, CollectionId, Item, ItemEdit, ItemId, ItemPatch, Note, NoteField, NotePatch, Role,
    UserId,
};
use futures_util::TryStreamExt as _;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

const ANN: &str = "ann@x.example";
const CHILD: &str = "DME_FILES_VDIR_CRASH_ROOT";

fn patch(title: &str) -> ItemPatch {
    let value = Note { title: title.into(), ..Note::default() };
    ItemPatch::Note(Box::new(NotePatch::of([NoteField::Title], value)))
}

fn new(number: usize) -> NewItem {
    let key = SubmissionKey(format!("k{number}"));
    NewItem { key, patch: patch(&format!("new {number}")) }
}

async fn ann(root: &Path) -> (Arc<dyn Mailbox>, CollectionId) {
    let ann = open(&FilesMailSystem::new(FilesConfig::new(root)), ANN).await;
    let all = ann.collections().await.unwrap();
    let notes = all.into_iter().find(|it| it.role == Some(Role::Notes)).unwrap().id;
    (ann, notes)
}

/// Works until it is killed, and says what was acknowledged.
async fn work(root: &Path, first: usize) {
    let (ann, notes) = ann(root).await;
    let say = |text: String| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}").unwrap();
        out.flush().unwrap();
    };
    for number in first.. {
        let item = ann.create_item(&notes, &new(number)).await.unwrap().item;
        say(format!("acknowledged new {number} {item}"));
        let edit = ItemEdit::Patch(patch(&format!("changed {number}")));
        let edit = Edit { key: SubmissionKey(format!("e{number}")), edit };
        ann.change_item(&notes, &item, &edit).await.unwrap();
        say(format!("acknowledged changed {number} {item}"));
    }
}

async fn titles(root: &Path) -> BTreeMap<ItemId, String> {
    let (ann, notes) = ann(root).await;
    let items = ann.list(&notes, &ItemFilter::default()).await.unwrap().items;
    let items: Vec<ItemId> = items.iter().collect();
    let stream = ann.fetch(&notes, &items, &BodyView::default()).await.unwrap();
    let fetched: Vec<_> = stream.try_collect().await.unwrap();
    let title = |outcome| match outcome {
        FetchOutcome::Item(Item::Note(note)) => note.title,
        other => panic!("{other:?}"),
    };
    fetched.into_iter().map(|it| (it.id, title(it.outcome))).collect()
}

#[tokio::test]
async fn items_acknowledged_before_a_kill_are_there_once() {
    if let Some(root) = std::env::var_os(CHILD) {
        let first = std::env::var("DME_FILES_CRASH_FIRST").unwrap().parse().unwrap();
        return work(Path::new(&root), first).await;
    }
    let root = tempfile::tempdir().unwrap();
    let system = FilesMailSystem::new(FilesConfig::new(root.path()));
    system.create_user(&UserId::from(ANN), &[]).await.unwrap();
    let mut acknowledged: BTreeMap<ItemId, (usize, String)> = BTreeMap::new();
    let mut first = 0;
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "vdir_crash::items_acknowledged_before_a_kill_are_there_once"])
            .arg("--nocapture")
            .env(CHILD, root.path())
            .env("DME_FILES_CRASH_FIRST", first.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Another number of lines each time, so that it dies at another step.
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines = lines.map_while(Result::ok).filter_map(|line| {
            let (_, said) = line.split_once("acknowledged ")?;
            let fields: Vec<&str> = said.split(' ').collect();
            let (word, number, item) = (fields[0], fields[1].parse().unwrap(), fields[2]);
            Some((ItemId::from(item), (number, format!("{word} {number}"))))
        });
        let said: Vec<(ItemId, (usize, String))> = lines.take(5 + round * 3).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(said.len(), 5 + round * 3, "the child ended by itself");
        first = said.iter().map(|(_, (number, _))| *number).max().unwrap() + 1;
        acknowledged.extend(said);

        // The request whose answer was lost comes again.
        let (ann, notes) = ann(root.path()).await;
        for number in first - 1..first + 1 {
            let item = ann.create_item(&notes, &new(number)).await.unwrap().item;
            acknowledged.entry(item).or_insert_with(|| (number, format!("new {number}")));
        }
        first += 1;
        let there = titles(root.path()).await;
        for (item, (number, title)) in &acknowledged {
            let found = &there[item];
            // It may have gone a step further than was read of it.
            assert!(found == title || *found == format!("changed {number}"), "{found} for {title}");
            let ends = format!(" {number}");
            let same = there.values().filter(|title| title.ends_with(&ends)).count();
            assert_eq!(same, 1, "{title} is there {same} times");
        }
    }
}
