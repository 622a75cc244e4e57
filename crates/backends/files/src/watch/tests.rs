use super::*;
use std::fs;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;

type Watch = BoxStream<'static, Result<WatchEvent>>;

struct World {
    _root: TempDir,
    home: Home,
    watcher: Watcher,
}

fn world() -> World {
    let root = tempfile::tempdir().unwrap();
    let home = Home::new(root.path(), "ann@x.example").unwrap();
    home.create().unwrap();
    World { _root: root, home, watcher: Watcher::default() }
}

fn inbox() -> CollectionId {
    CollectionId::from("INBOX")
}

async fn next(watch: &mut Watch) -> Option<Result<WatchEvent>> {
    timeout(Duration::from_secs(20), watch.next()).await.unwrap()
}

#[tokio::test]
async fn many_events_are_told_as_one_and_nothing_is_told_of_other_folders() {
    let world = world();
    let mut watch = world.watcher.watch(&world.home, &[inbox()]).unwrap();
    assert_eq!(next(&mut watch).await, Some(Ok(WatchEvent::Ready)));
    let sent = world.home.watched(&CollectionId::from("Sent")).unwrap();
    let new = world.home.watched(&inbox()).unwrap();
    fs::write(sent[0].join("elsewhere"), "").unwrap();
    fs::write(world.home.maildir().join(".a-file-is-no-folder"), "").unwrap();
    for number in 0..1000 {
        fs::write(new[0].join(number.to_string()), "").unwrap();
    }
    // The events of one thread come in order: once the folder is told, all before it were.
    world.home.create_folder(None, "Last").unwrap();
    let mut told = Vec::new();
    while told.last() != Some(&WatchEvent::Hierarchy) {
        told.push(next(&mut watch).await.unwrap().unwrap());
    }
    assert!(told.iter().all(|it| *it != WatchEvent::Ready) && told.len() < 900, "{told:?}");
    assert!(told.contains(&WatchEvent::Changed(inbox())));
}

#[tokio::test]
async fn a_folder_that_goes_is_told() {
    let world = world();
    let id = world.home.create_folder(None, "Going").unwrap();
    let mut watch = world.watcher.watch(&world.home, std::slice::from_ref(&id)).unwrap();
    assert_eq!(next(&mut watch).await, Some(Ok(WatchEvent::Ready)));
    world.home.delete_folder(&id).unwrap();
    let mut told = Vec::new();
    while told.len() < 2 {
        let event = next(&mut watch).await.unwrap().unwrap();
        if !told.contains(&event) {
            told.push(event);
        }
    }
    assert!(told.contains(&WatchEvent::Changed(id.clone())), "{told:?}");
    assert!(told.contains(&WatchEvent::Hierarchy), "{told:?}");
    // One that is gone before the watch stands is told at once.
    let mut late = world.watcher.watch(&world.home, std::slice::from_ref(&id)).unwrap();
    assert_eq!(next(&mut late).await, Some(Ok(WatchEvent::Ready)));
    assert_eq!(next(&mut late).await, Some(Ok(WatchEvent::Changed(id))));
}

#[tokio::test]
async fn a_watch_leaves_nothing_behind() {
    let world = world();
    let watches: Vec<Watch> =
        (0..50).map(|_| world.watcher.watch(&world.home, &[inbox()]).unwrap()).collect();
    let (_, board) = world.watcher.running().unwrap();
    assert_eq!(board.directories(), 3);
    drop(watches);
    assert_eq!(board.directories(), 0);
}

#[tokio::test]
async fn a_watch_ends_with_the_mail_system() {
    let world = world();
    let mut watch = world.watcher.watch(&world.home, &[inbox()]).unwrap();
    assert_eq!(next(&mut watch).await, Some(Ok(WatchEvent::Ready)));
    drop(world.watcher);
    assert!(next(&mut watch).await.unwrap().is_err());
    assert_eq!(next(&mut watch).await, None);
}

#[tokio::test]
async fn a_watch_that_comes_as_watching_ends_ends_too() {
    let world = world();
    let mut standing = world.watcher.standing().unwrap();
    standing.board.stop();
    standing.add(&world.home.maildir(), ENTRIES, Names::All, Subject::Hierarchy).unwrap();
    let mut watch = standing.events();
    assert_eq!(next(&mut watch).await, Some(Ok(WatchEvent::Ready)));
    assert!(next(&mut watch).await.unwrap().is_err());
}
