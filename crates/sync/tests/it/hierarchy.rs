//! The folders: told, made, renamed, deleted; each number stays with its folder.

use crate::world::World;
use dme_mailbox::ErrorKind;
use dme_mailbox::memory::Failure;
use dme_model::{Class, Role};
use dme_sync::{
    CollectionRequest, Error, FolderEntry, FolderError, FolderNo, HierarchyChange, SyncKey,
};

async fn in_step(world: &World) -> SyncKey {
    world.engine.folder_sync(world.session(), &SyncKey::initial()).await.unwrap().key
}

fn names(changes: &[HierarchyChange]) -> Vec<String> {
    let word = |change: &HierarchyChange| match change {
        HierarchyChange::Add(FolderEntry { name, .. }) => format!("add {name}"),
        HierarchyChange::Update(FolderEntry { name, .. }) => format!("update {name}"),
        HierarchyChange::Delete(no) => format!("delete {no}"),
    };
    changes.iter().map(word).collect()
}

#[tokio::test]
async fn the_first_answer_has_all_and_the_next_nothing_and_writes_nothing() {
    let world = World::new().await;
    let first = world.engine.folder_sync(world.session(), &SyncKey::initial()).await.unwrap();
    let roles: Vec<Option<Role>> = first
        .changes
        .iter()
        .map(|change| match change {
            HierarchyChange::Add(entry) => entry.role,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(roles.len(), 10);
    assert!(roles.contains(&Some(Role::Inbox)));
    world.store.take_writes();
    let next = world.engine.folder_sync(world.session(), &first.key).await.unwrap();
    assert_eq!((next.key, next.changes), (first.key, vec![]));
    assert_eq!(world.store.take_writes(), 0);
}

#[tokio::test]
async fn what_another_client_does_is_told_and_told_again_if_the_answer_was_lost() {
    let world = World::new().await;
    let key = in_step(&world).await;
    let made = world.mailbox.create_collection(None, "Bücher", Class::Mail).await.unwrap();
    world.mailbox.create_collection(Some(&made), "中文", Class::Mail).await.unwrap();
    assert!(world.engine.hierarchy_changed(world.session()).await.unwrap());
    let first = world.engine.folder_sync(world.session(), &key).await.unwrap();
    assert_eq!(names(&first.changes), ["add Bücher", "add 中文"]);
    let again = world.engine.folder_sync(world.session(), &key).await.unwrap();
    assert_eq!(again, first);
    assert!(!world.engine.hierarchy_changed(world.session()).await.unwrap());
    world.mailbox.delete_collection(&made).await.unwrap();
    let gone = world.engine.folder_sync(world.session(), &first.key).await.unwrap();
    assert_eq!(names(&gone.changes), ["delete 12", "delete 11"]);
}

#[tokio::test]
async fn an_unknown_key_is_refused() {
    let world = World::new().await;
    in_step(&world).await;
    for key in ["1", "", "6b49d200-77"] {
        let refused = world.engine.folder_sync(world.session(), &key.into()).await;
        assert_eq!(refused, Err(Error::InvalidKey));
    }
}

#[tokio::test]
async fn a_mail_system_that_is_down_takes_no_folder_away() {
    let world = World::new().await;
    let key = in_step(&world).await;
    let down = dme_mailbox::Error::new(ErrorKind::Unavailable, "down");
    world.system.fail_next(1, &Failure::Before(down.clone()));
    let answer = world.engine.folder_sync(world.session(), &key).await;
    assert_eq!(answer, Err(Error::Mailbox(down)));
    let answer = world.engine.folder_sync(world.session(), &key).await.unwrap();
    assert_eq!((answer.key, answer.changes), (key, vec![]));
}

#[tokio::test]
async fn a_folder_of_the_phone_is_made_once_and_needs_no_telling() {
    let world = World::new().await;
    let key = in_step(&world).await;
    let made =
        world.engine.folder_create(world.session(), &key, None, "Mine", Class::Mail).await.unwrap();
    let again =
        world.engine.folder_create(world.session(), &key, None, "Mine", Class::Mail).await.unwrap();
    assert_eq!(again, made, "the answer was lost");
    let next = world.engine.folder_sync(world.session(), &made.key).await.unwrap();
    assert_eq!((next.key, next.changes), (made.key.clone(), vec![]));
    let taken =
        world.engine.folder_create(world.session(), &made.key, None, "Mine", Class::Mail).await;
    assert_eq!(taken, Err(FolderError::AlreadyExists));
}

#[tokio::test]
async fn what_others_did_meanwhile_is_told_by_the_next_folder_sync() {
    let world = World::new().await;
    let key = in_step(&world).await;
    world.mailbox.create_collection(None, "Other", Class::Mail).await.unwrap();
    let made =
        world.engine.folder_create(world.session(), &key, None, "Mine", Class::Mail).await.unwrap();
    let next = world.engine.folder_sync(world.session(), &made.key).await.unwrap();
    assert_eq!(names(&next.changes), ["add Other"]);
}

#[tokio::test]
async fn a_renamed_folder_keeps_its_number_and_its_state() {
    let world = World::new().await;
    let key = in_step(&world).await;
    let made =
        world.engine.folder_create(world.session(), &key, None, "Old", Class::Mail).await.unwrap();
    let state = world.begin(made.no).await;
    let update = world.engine.folder_update(world.session(), &made.key, made.no, None, "New");
    let key = update.await.unwrap();
    let known = world.engine.known_folders(world.session()).await.unwrap();
    assert!(known.iter().any(|folder| folder.no == made.no && folder.name == "New"));
    let same = world.sync(&CollectionRequest::new(made.no, state.clone())).await.unwrap();
    assert_eq!(same.key, state);
    let next = world.engine.folder_sync(world.session(), &key).await.unwrap();
    assert_eq!(next.changes, []);
}

#[tokio::test]
async fn what_must_not_be_is_refused_in_its_own_words() {
    let world = World::new().await;
    let key = in_step(&world).await;
    let inbox = world.folder(Role::Inbox).await;
    let outer =
        world.engine.folder_create(world.session(), &key, None, "A", Class::Mail).await.unwrap();
    let inner = world
        .engine
        .folder_create(world.session(), &outer.key, Some(outer.no), "B", Class::Mail)
        .await
        .unwrap();
    let key = inner.key;
    let nowhere = FolderNo(99);
    let create =
        |parent, name| world.engine.folder_create(world.session(), &key, parent, name, Class::Mail);
    assert_eq!(create(Some(nowhere), "C").await, Err(FolderError::ParentNotFound));
    assert!(matches!(create(None, " ").await, Err(FolderError::BadName(_))));
    assert!(matches!(create(None, "a\nb").await, Err(FolderError::BadName(_))));
    assert!(matches!(create(None, &"x".repeat(300)).await, Err(FolderError::BadName(_))));
    let update =
        |no, parent, name| world.engine.folder_update(world.session(), &key, no, parent, name);
    assert_eq!(update(inbox, None, "C").await, Err(FolderError::Special));
    assert_eq!(update(nowhere, None, "C").await, Err(FolderError::NotFound));
    let within_itself = update(outer.no, Some(inner.no), "A").await;
    assert_eq!(within_itself, Err(FolderError::ParentNotFound));
    assert_eq!(update(outer.no, Some(nowhere), "A").await, Err(FolderError::ParentNotFound));
    assert_eq!(update(inner.no, None, "A").await, Err(FolderError::AlreadyExists));
    let delete = |no| world.engine.folder_delete(world.session(), &key, no);
    assert_eq!(delete(inbox).await, Err(FolderError::Special));
    assert_eq!(delete(nowhere).await, Err(FolderError::NotFound));
    let old = world.engine.folder_delete(world.session(), &"1-1".into(), inner.no).await;
    assert_eq!(old, Err(FolderError::Engine(Error::InvalidKey)));
}

#[tokio::test]
async fn a_deleted_folder_is_gone_with_its_state_and_those_within_it_are_told() {
    let world = World::new().await;
    let key = in_step(&world).await;
    let outer =
        world.engine.folder_create(world.session(), &key, None, "A", Class::Mail).await.unwrap();
    let inner = world
        .engine
        .folder_create(world.session(), &outer.key, Some(outer.no), "B", Class::Mail)
        .await
        .unwrap();
    world.begin(outer.no).await;
    let key = world.engine.folder_delete(world.session(), &inner.key, outer.no).await.unwrap();
    let again = world.engine.folder_delete(world.session(), &inner.key, outer.no).await.unwrap();
    assert_eq!(again, key);
    let next = world.engine.folder_sync(world.session(), &key).await.unwrap();
    assert_eq!(next.changes, [HierarchyChange::Delete(inner.no)]);
    assert_eq!(world.engine.current_key(world.session(), outer.no).await, Ok(None));
}

#[tokio::test]
async fn the_numbers_are_the_same_for_all_devices_of_a_user() {
    let world = World::new().await;
    let mut other = world.device.clone();
    other.device = "tablet".into();
    world.mailbox.create_collection(None, "New", Class::Mail).await.unwrap();
    let session = dme_sync::Session { device: &other, ..world.session() };
    let second = world.engine.folder_sync(session, &SyncKey::initial()).await.unwrap();
    let first = world.engine.folder_sync(world.session(), &SyncKey::initial()).await.unwrap();
    assert_eq!(first.changes, second.changes);
}

#[tokio::test]
async fn what_somebody_shares_bears_their_name_and_keeps_it_out_of_the_mail_system() {
    let world = World::new().await;
    let key = in_step(&world).await;
    let work = world.mailbox.create_collection(None, "Work", Class::Calendar).await.unwrap();
    world.system.share(&world.user, &work, "Bob").unwrap();
    let told = world.engine.folder_sync(world.session(), &key).await.unwrap();
    assert_eq!(names(&told.changes), ["add Work (Bob)"]);
    let [HierarchyChange::Add(FolderEntry { no, .. })] = &told.changes[..] else { panic!() };

    // A phone that renames it begins with the name it was told.
    let renamed = "Workshop (Bob)";
    let (session, key) = (world.session(), &told.key);
    let key = world.engine.folder_update(session, key, *no, None, renamed).await.unwrap();
    let all = world.mailbox.collections().await.unwrap();
    assert_eq!(all.iter().find(|it| it.id == work).unwrap().name, "Workshop");
    let told = world.engine.folder_sync(world.session(), &key).await.unwrap();
    assert_eq!(names(&told.changes), Vec::<String>::new());
}
