//! MoveItems: one result an item, and the same again when it is repeated.

use crate::world::{World, told};
use dme_mailbox::ErrorKind;
use dme_mailbox::memory::Failure;
use dme_model::{Class, Role};
use dme_sync::{CollectionRequest, FolderNo, MoveError, MoveRequest};

#[tokio::test]
async fn a_moved_item_has_a_new_id_and_shows_in_both_folders() {
    let world = World::new().await;
    let item = world.arrive("one");
    let (inbox, inbox_key) = world.in_step().await;
    let archive = world.folder(Role::Archive).await;
    let archive_key = world.begin(archive).await;
    let request = MoveRequest { item, from: inbox, to: archive };
    let results = world.engine.move_items(world.session(), &[request]).await.unwrap();
    let [moved] = world.items(Role::Archive).try_into().unwrap();
    assert_eq!(results, [Ok(Some(moved))]);
    let answer = world.sync(&CollectionRequest::new(inbox, inbox_key)).await.unwrap();
    assert_eq!(told(&answer), ["delete 1"]);
    let answer = world.sync(&CollectionRequest::new(archive, archive_key)).await.unwrap();
    assert_eq!(told(&answer), ["add 1 one"]);
}

#[tokio::test]
async fn a_repeated_move_is_answered_as_the_first_time() {
    let world = World::new().await;
    let (one, two) = (world.arrive("one"), world.arrive("two"));
    let (inbox, archive) = (world.folder(Role::Inbox).await, world.folder(Role::Archive).await);
    let moves = [one, two].map(|item| MoveRequest { item, from: inbox, to: archive });
    let first = world.engine.move_items(world.session(), &moves).await.unwrap();
    assert!(first.iter().all(Result::is_ok));
    let again = world.engine.move_items(world.session(), &moves).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(world.items(Role::Archive).len(), 2);
}

#[tokio::test]
async fn each_item_has_its_own_result() {
    let world = World::new().await;
    let item = world.arrive("one");
    let (inbox, archive) = (world.folder(Role::Inbox).await, world.folder(Role::Archive).await);
    let nowhere = FolderNo(99);
    let one = |from, to| MoveRequest { item: item.clone(), from, to };
    let missing = MoveRequest { item: "77".into(), from: inbox, to: archive };
    let moves = [
        one(inbox, inbox),
        one(nowhere, archive),
        one(inbox, nowhere),
        missing,
        one(inbox, archive),
    ];
    let results = world.engine.move_items(world.session(), &moves).await.unwrap();
    assert_eq!(results[0], Err(MoveError::SameFolder));
    assert_eq!(results[1], Err(MoveError::SourceNotFound));
    assert_eq!(results[2], Err(MoveError::DestinationNotFound));
    assert_eq!(results[3], Err(MoveError::SourceNotFound));
    assert!(results[4].is_ok());
}

#[tokio::test]
async fn which_folder_is_gone_is_told_apart() {
    let world = World::new().await;
    let place = world.mailbox.create_collection(None, "Gone", Class::Mail).await.unwrap();
    let key = world.engine.folder_sync(world.session(), &"0".into()).await.unwrap();
    assert_eq!(key.changes.len(), 11);
    let gone = FolderNo(11);
    world.mailbox.delete_collection(&place).await.unwrap();
    let (item, inbox) = (world.arrive("one"), world.folder(Role::Inbox).await);
    let moves = [
        MoveRequest { item: item.clone(), from: inbox, to: gone },
        MoveRequest { item, from: gone, to: inbox },
    ];
    let results = world.engine.move_items(world.session(), &moves).await.unwrap();
    assert_eq!(results, [Err(MoveError::DestinationNotFound), Err(MoveError::SourceNotFound)]);
}

#[tokio::test]
async fn a_mail_system_that_is_down_is_the_items_error() {
    let world = World::new().await;
    let item = world.arrive("one");
    let (inbox, archive) = (world.folder(Role::Inbox).await, world.folder(Role::Archive).await);
    let down = dme_mailbox::Error::new(ErrorKind::Unavailable, "down");
    world.system.fail_next(1, &Failure::Before(down.clone()));
    let moves = [MoveRequest { item, from: inbox, to: archive }];
    let results = world.engine.move_items(world.session(), &moves).await.unwrap();
    assert_eq!(results, [Err(MoveError::Mailbox(down))]);
}
