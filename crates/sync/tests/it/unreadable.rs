//! Rule S5: an item that cannot be read never stops its folder.

use crate::world::{Call, World, message, read, told};
use dme_mailbox::ErrorKind;
use dme_mailbox::memory::Failure;
use dme_model::{Flags, Role};
use dme_sync::{CollectionRequest, StateStore, SyncKey, TraceEvent};

fn broken() -> bytes::Bytes {
    [b"X-Broken: yes\r\n".as_slice(), &message("broken")].concat().into()
}

#[tokio::test]
async fn a_placeholder_stands_for_it_and_it_is_on_record() {
    let world = World::new().await;
    world.arrive("one");
    let place = world.place(Role::Inbox);
    world.system.insert(&world.user, &place, broken(), Flags::default(), world.now).unwrap();
    world.arrive("three");
    let inbox = world.folder(Role::Inbox).await;
    let key = world.sync(&CollectionRequest::new(inbox, SyncKey::initial())).await.unwrap().key;
    let answer = world.sync(&CollectionRequest::new(inbox, key)).await.unwrap();
    let expected = ["add 3 three", "add 2 This message cannot be shown", "add 1 one"];
    assert_eq!(told(&answer), expected);
    let holdings = world.engine.holdings(&world.device).await.unwrap();
    let of_inbox = holdings.iter().find(|holding| holding.folder.no == inbox).unwrap();
    assert_eq!(of_inbox.held.unwrap().placeholders, 1);
    let trace = world.store.trace(&world.device).await.unwrap();
    let reason = "marked as broken".into();
    assert_eq!(trace[0].event, TraceEvent::Unconvertible { item: "2".into(), reason });
}

#[tokio::test]
async fn it_is_tried_again_when_it_changes() {
    let world = World::new().await;
    let place = world.place(Role::Inbox);
    let broken =
        world.system.insert(&world.user, &place, broken(), Flags::default(), world.now).unwrap();
    let (inbox, key) = world.in_step().await;
    world.mark(&broken, &read());
    let answer = world.sync(&CollectionRequest::new(inbox, key)).await.unwrap();
    assert_eq!((told(&answer), answer.more_available), (vec!["delete 1".into()], true));
    let answer = world.sync(&CollectionRequest::new(inbox, answer.key)).await.unwrap();
    assert_eq!(told(&answer), ["add 1 This message cannot be shown"]);
    assert!(!answer.more_available);
}

#[tokio::test]
async fn a_fetch_that_breaks_at_one_item_is_taken_up_behind_it() {
    let world = World::new().await;
    for n in 1..=3 {
        world.arrive(&format!("m{n}"));
    }
    let inbox = world.folder(Role::Inbox).await;
    let key = world.sync(&CollectionRequest::new(inbox, SyncKey::initial())).await.unwrap().key;
    let nonsense = dme_mailbox::Error::new(ErrorKind::Protocol, "nonsense");
    let mut once = Some(Failure::After(nonsense));
    world.system.fail_when(move |call| (call == Call::Fetch).then(|| once.take()).flatten());
    let answer = world.sync(&CollectionRequest::new(inbox, key)).await.unwrap();
    let expected = ["add 3 m3", "add 2 This message cannot be shown", "add 1 m1"];
    assert_eq!(told(&answer), expected);
}

#[tokio::test]
async fn a_mail_system_that_can_read_nothing_is_not_believed() {
    let world = World::new().await;
    for n in 1..=30 {
        world.arrive(&format!("m{n}"));
    }
    let inbox = world.folder(Role::Inbox).await;
    let key = world.sync(&CollectionRequest::new(inbox, SyncKey::initial())).await.unwrap().key;
    let nonsense = dme_mailbox::Error::new(ErrorKind::Bug, "nonsense");
    world
        .system
        .fail_when(move |call| (call == Call::Fetch).then(|| Failure::Before(nonsense.clone())));
    let answer = world.sync(&CollectionRequest::new(inbox, key)).await;
    assert!(matches!(answer, Ok(answer) if answer.changes.len() == 20 && answer.more_available));
}
