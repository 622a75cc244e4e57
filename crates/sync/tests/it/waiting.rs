//! What Ping and waiting Sync ask, and what is remembered for requests that leave things out.

use crate::world::{Call, World, with};
use dme_mailbox::Subcollections;
use dme_model::{BodyView, Class, Item, Role};
use dme_sync::{
    Changes, CollectionRequest, Deletion, Error, FolderNo, FolderSearch, LastPing, LastSync,
    RememberedCollection, SyncKey,
};
use std::time::Duration;

#[tokio::test]
async fn folders_in_step_are_asked_for_in_one_call_and_only_changed_ones_named() {
    let world = World::new().await;
    let (inbox, _) = world.in_step().await;
    let sent = world.folder(Role::Sent).await;
    world.begin(sent).await;
    let changed = world.engine.changed_folders(world.session(), &[inbox, sent]).await;
    assert_eq!(changed, Ok(vec![]));
    assert_eq!(world.system.take_calls(), [Call::Changed]);
    world.arrive("one");
    let changed = world.engine.changed_folders(world.session(), &[inbox, sent]).await;
    assert_eq!(changed, Ok(vec![inbox]));
}

#[tokio::test]
async fn what_did_not_fit_counts_as_changed_and_costs_no_call() {
    let world = World::new().await;
    world.arrive("one");
    world.arrive("two");
    let inbox = world.folder(Role::Inbox).await;
    let key = world.sync(&CollectionRequest::new(inbox, SyncKey::initial())).await.unwrap().key;
    let changed = world.engine.changed_folders(world.session(), &[inbox]).await;
    assert_eq!(changed, Ok(vec![inbox]), "begun and never listed");
    let mut request = with(inbox, &key, vec![]);
    request.window.items = 1;
    world.sync(&request).await.unwrap();
    world.system.take_calls();
    let changed = world.engine.changed_folders(world.session(), &[inbox]).await;
    assert_eq!(changed, Ok(vec![inbox]));
    assert_eq!(world.system.take_calls(), []);
}

#[tokio::test]
async fn unknown_folders_and_those_never_begun_count_as_changed() {
    let world = World::new().await;
    let sent = world.folder(Role::Sent).await;
    let folders = [sent, FolderNo(99)];
    let changed = world.engine.changed_folders(world.session(), &folders).await;
    assert_eq!(changed, Ok(folders.to_vec()));
    let known = world.engine.collections_of(world.session(), &folders).await.unwrap();
    assert_eq!(known, [(sent, world.place(Role::Sent))]);
}

#[tokio::test]
async fn the_last_requests_are_remembered_and_written_once() {
    let world = World::new().await;
    let session = world.session();
    assert_eq!(world.engine.last_sync(session).await, Ok(None));
    assert_eq!(world.engine.last_ping(session).await, Ok(None));
    let collection = RememberedCollection {
        folder: FolderNo(1),
        changes: Changes::Send,
        window: Some(50),
        deletion: Deletion::ToTrash,
    };
    let sync = LastSync {
        collections: vec![collection],
        wait: Some(Duration::from_secs(600)),
        window: None,
    };
    let ping = LastPing {
        heartbeat: Some(Duration::from_secs(900)),
        folders: vec![(FolderNo(1), Class::Mail)],
    };
    for _ in 0..2 {
        world.engine.remember_sync(session, &sync).await.unwrap();
        world.engine.remember_ping(session, &ping).await.unwrap();
    }
    assert_eq!(world.store.take_writes(), 2);
    assert_eq!(world.engine.last_sync(session).await, Ok(Some(sync)));
    assert_eq!(world.engine.last_ping(session).await, Ok(Some(ping)));
}

#[tokio::test]
async fn requests_without_state_find_their_folder() {
    let world = World::new().await;
    let (inbox, archive) = (world.folder(Role::Inbox).await, world.folder(Role::Archive).await);
    let item = world.arrive("findme");
    let session = world.session();
    let engine = &world.engine;
    let view = BodyView::default();
    let fetched =
        engine.fetch_items(session, inbox, std::slice::from_ref(&item), &view).await.unwrap();
    assert_eq!(fetched.len(), 1);
    let whole = engine.fetch_part(session, inbox, &item, None, None).await.unwrap();
    assert_eq!(whole.media_type, "message/rfc822");
    let search =
        FolderSearch { words: vec!["findme".into()], limit: 10, ..FolderSearch::default() };
    let (hits, total) = engine.search(session, &search).await.unwrap();
    assert_eq!((hits[0].folder, &hits[0].item, total), (inbox, &item, 1));

    let fetched = world.mailbox.fetch(&world.place(Role::Inbox), &[item], &view).await.unwrap();
    let fetched: Vec<_> = futures_util::StreamExt::collect(fetched).await;
    let Ok(dme_mailbox::Fetched {
        outcome: dme_mailbox::FetchOutcome::Item(Item::Mail(mail)), ..
    }) = &fetched[0]
    else {
        panic!("{fetched:?}")
    };
    let conversation = mail.conversation.unwrap();
    assert_eq!(engine.move_conversation(session, conversation, archive).await, Ok(Some(1)));
    assert_eq!(world.items(Role::Archive).len(), 1);

    world.arrive("another");
    engine.empty_folder(session, inbox, Subcollections::Keep).await.unwrap();
    assert_eq!(world.items(Role::Inbox), []);
    let nowhere = engine.empty_folder(session, FolderNo(99), Subcollections::Keep).await;
    assert_eq!(nowhere, Err(Error::FolderNotFound(FolderNo(99))));
}
