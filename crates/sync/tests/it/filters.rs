//! Filters by age: what falls out is taken from the phone and stays in the mail system.

use crate::world::{Call, World, read, told, with};
use dme_model::Role;
use dme_sync::{ClientCommand, CollectionOptions, CollectionRequest, FilterAge, FolderNo, SyncKey};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn filtered(folder: FolderNo, key: SyncKey, filter: FilterAge) -> CollectionRequest {
    let options = Some(CollectionOptions { filter, ..CollectionOptions::default() });
    CollectionRequest { options, ..CollectionRequest::new(folder, key) }
}

#[tokio::test]
async fn only_what_is_young_enough_is_told() {
    let world = World::new().await;
    for age in [0, 1, 2, 3, 4, 7, 8, 14, 15, 31, 32] {
        world.arrive_at(&format!("{age}d"), world.now.minus(DAY * age));
    }
    let inbox = world.folder(Role::Inbox).await;
    for (filter, expected) in [
        (FilterAge::OneDay, 2),
        (FilterAge::ThreeDays, 4),
        (FilterAge::OneWeek, 6),
        (FilterAge::TwoWeeks, 8),
        (FilterAge::OneMonth, 10),
        (FilterAge::All, 11),
    ] {
        let first = world.sync(&filtered(inbox, SyncKey::initial(), filter)).await.unwrap();
        let answer = world.sync(&CollectionRequest::new(inbox, first.key)).await.unwrap();
        assert_eq!(answer.changes.len(), expected, "{filter:?}");
    }
}

#[tokio::test]
async fn a_narrower_filter_takes_away_softly_and_a_wider_one_brings_back() {
    let world = World::new().await;
    world.arrive_at("old", world.now.minus(DAY * 10));
    world.arrive("new");
    let (inbox, key) = world.in_step().await;
    let answer = world.sync(&filtered(inbox, key, FilterAge::OneWeek)).await.unwrap();
    assert_eq!(told(&answer), ["soft delete 1"]);
    assert_eq!(world.items(Role::Inbox).len(), 2);
    let answer = world.sync(&filtered(inbox, answer.key, FilterAge::All)).await.unwrap();
    assert_eq!(told(&answer), ["add 1 old"]);
}

#[tokio::test]
async fn with_the_days_mail_falls_out_and_only_a_new_day_costs_a_list() {
    let mut world = World::new().await;
    world.arrive("one");
    let inbox = world.folder(Role::Inbox).await;
    let first = filtered(inbox, SyncKey::initial(), FilterAge::OneDay);
    let key = world.sync(&first).await.unwrap().key;
    let key = world.sync(&CollectionRequest::new(inbox, key)).await.unwrap().key;
    world.system.take_calls();
    world.now = world.now.plus(DAY);
    let answer = world.sync(&CollectionRequest::new(inbox, key)).await.unwrap();
    assert_eq!(told(&answer), Vec::<String>::new());
    assert_eq!(world.system.take_calls(), [Call::Changes, Call::List]);
    world.sync(&CollectionRequest::new(inbox, answer.key.clone())).await.unwrap();
    assert_eq!(world.system.take_calls(), [Call::Changes]);
    world.now = world.now.plus(DAY);
    let answer = world.sync(&CollectionRequest::new(inbox, answer.key)).await.unwrap();
    assert_eq!(told(&answer), ["soft delete 1"]);
}

#[tokio::test]
async fn old_mail_moved_in_is_not_told_and_marks_on_it_are_not_news() {
    let world = World::new().await;
    let inbox = world.folder(Role::Inbox).await;
    let first = filtered(inbox, SyncKey::initial(), FilterAge::OneWeek);
    let key = world.sync(&first).await.unwrap().key;
    let key = world.sync(&CollectionRequest::new(inbox, key)).await.unwrap().key;
    let old = world.arrive_at("old", world.now.minus(DAY * 10));
    let answer = world.sync(&CollectionRequest::new(inbox, key)).await.unwrap();
    assert_eq!(told(&answer), Vec::<String>::new());
    world.mark(&old, &read());
    let answer = world.sync(&CollectionRequest::new(inbox, answer.key)).await.unwrap();
    assert_eq!(told(&answer), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_deleted_while_the_filter_narrows_is_deleted_not_softly() {
    let world = World::new().await;
    let old = world.arrive_at("old", world.now.minus(DAY * 10));
    let (inbox, key) = world.in_step().await;
    world.system.delete(&world.user, &world.place(Role::Inbox), &old).unwrap();
    let answer = world.sync(&filtered(inbox, key, FilterAge::OneWeek)).await.unwrap();
    assert_eq!(told(&answer), ["delete 1"]);
}

#[tokio::test]
async fn the_phone_can_still_change_what_is_about_to_fall_out() {
    let world = World::new().await;
    let old = world.arrive_at("old", world.now.minus(DAY * 10));
    let (inbox, key) = world.in_step().await;
    let mut request = filtered(inbox, key, FilterAge::OneWeek);
    request.commands =
        with(inbox, &request.key, vec![ClientCommand::Change(old.clone(), read())]).commands;
    world.sync(&request).await.unwrap();
    assert!(world.marks(&old).seen);
}

#[tokio::test]
async fn a_mark_on_what_fell_out_is_not_forgotten_when_it_comes_back_in_time() {
    let world = World::new().await;
    let old = [10, 11].map(|age| world.arrive_at("old", world.now.minus(DAY * age)));
    let (inbox, key) = world.in_step().await;
    world.mark(&old[1], &read());
    let mut request = filtered(inbox, key, FilterAge::OneWeek);
    request.window.items = 1;
    let answer = world.sync(&request).await.unwrap();
    assert_eq!(told(&answer), ["soft delete 1"]);
    let answer = world.sync(&filtered(inbox, answer.key, FilterAge::All)).await.unwrap();
    assert_eq!(told(&answer), ["change 2 read", "add 1 old"]);
}
