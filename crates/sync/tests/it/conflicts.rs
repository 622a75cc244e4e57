//! Rule S4: where both sides changed one item.

use crate::world::{World, read, told, with};
use dme_model::{FlagPatch, Followup, Role};
use dme_sync::{
    ClientCommand, CollectionOptions, CommandResult, ConflictRule, StateStore, TraceEvent,
};

fn followup(followup: Followup) -> FlagPatch {
    FlagPatch { followup: Some(followup), ..FlagPatch::default() }
}

#[tokio::test]
async fn the_mail_systems_version_stays_and_the_phones_is_on_record() {
    let world = World::new().await;
    let item = world.arrive("one");
    let (inbox, key) = world.in_step().await;
    world.mark(&item, &followup(Followup::Active));
    let change = ClientCommand::Change(item.clone(), followup(Followup::Complete));
    let answer = world.sync(&with(inbox, &key, vec![change])).await.unwrap();
    assert_eq!(answer.results, [CommandResult::Conflict]);
    assert_eq!(told(&answer), ["change 1 unread"]);
    assert_eq!(world.marks(&item).followup, Followup::Active);
    let trace = world.store.trace(&world.device).await.unwrap();
    let wanted = "follow-up complete".into();
    assert_eq!(trace[0].event, TraceEvent::PhoneOverruled { item, wanted });
}

#[tokio::test]
async fn the_phones_version_stays_if_it_asked_for_that() {
    let world = World::new().await;
    let item = world.arrive("one");
    let (inbox, key) = world.in_step().await;
    world.mark(&item, &followup(Followup::Active));
    let change = ClientCommand::Change(item.clone(), followup(Followup::Complete));
    let mut request = with(inbox, &key, vec![change]);
    let conflict = ConflictRule::ClientWins;
    request.options = Some(CollectionOptions { conflict, ..CollectionOptions::default() });
    let answer = world.sync(&request).await.unwrap();
    assert_eq!(answer.results, [CommandResult::Done]);
    assert_eq!(world.marks(&item).followup, Followup::Complete);
    let trace = world.store.trace(&world.device).await.unwrap();
    assert!(matches!(trace[0].event, TraceEvent::MailSystemOverruled { .. }));
}

#[tokio::test]
async fn both_wanting_the_same_is_no_conflict() {
    let world = World::new().await;
    let item = world.arrive("one");
    let (inbox, key) = world.in_step().await;
    world.mark(&item, &read());
    let change = ClientCommand::Change(item, read());
    let answer = world.sync(&with(inbox, &key, vec![change])).await.unwrap();
    assert_eq!(answer.results, [CommandResult::Done]);
    assert_eq!(world.store.trace(&world.device).await.unwrap(), []);
}

#[tokio::test]
async fn a_mail_that_was_answered_can_still_be_marked_read() {
    let world = World::new().await;
    let item = world.arrive("one");
    let (inbox, key) = world.in_step().await;
    world.mark(&item, &FlagPatch { answered: Some(true), ..FlagPatch::default() });
    let change = ClientCommand::Change(item.clone(), read());
    let answer = world.sync(&with(inbox, &key, vec![change])).await.unwrap();
    assert_eq!(answer.results, [CommandResult::Done]);
    let marks = world.marks(&item);
    assert!(marks.seen && marks.answered, "{marks:?}");
    assert_eq!(world.store.trace(&world.device).await.unwrap(), []);
}

#[tokio::test]
async fn a_change_the_phone_was_not_told_of_yet_is_a_conflict_too() {
    let world = World::new().await;
    let (one, two) = (world.arrive("one"), world.arrive("two"));
    let (inbox, key) = world.in_step().await;
    world.mark(&one, &read());
    world.mark(&two, &followup(Followup::Active));
    let mut request = with(inbox, &key, vec![]);
    request.window.items = 1;
    let answer = world.sync(&request).await.unwrap();
    assert_eq!((told(&answer), answer.more_available), (vec!["change 1 read".into()], true));
    let change = ClientCommand::Change(two.clone(), followup(Followup::Complete));
    let answer = world.sync(&with(inbox, &answer.key, vec![change])).await.unwrap();
    assert_eq!(answer.results, [CommandResult::Conflict]);
    assert_eq!(world.marks(&two).followup, Followup::Active);
}

#[tokio::test]
async fn what_is_gone_cannot_be_changed_and_may_be_deleted() {
    let world = World::new().await;
    let (one, two) = (world.arrive("one"), world.arrive("two"));
    let (inbox, key) = world.in_step().await;
    for item in [&one, &two] {
        world.system.delete(&world.user, &world.place(Role::Inbox), item).unwrap();
    }
    let commands = vec![
        ClientCommand::Change(one, read()),
        ClientCommand::Delete(two),
        ClientCommand::Delete("99".into()),
    ];
    let answer = world.sync(&with(inbox, &key, commands)).await.unwrap();
    let results = [CommandResult::NotFound, CommandResult::Done, CommandResult::NotFound];
    assert_eq!(answer.results, results);
    assert_eq!(told(&answer), ["delete 1"]);
}

#[tokio::test]
async fn a_mark_set_elsewhere_does_not_stop_a_deletion() {
    let world = World::new().await;
    let item = world.arrive("one");
    let (inbox, key) = world.in_step().await;
    world.mark(&item, &read());
    let delete = ClientCommand::Delete(item.clone());
    let answer = world.sync(&with(inbox, &key, vec![delete])).await.unwrap();
    assert_eq!(answer.results, [CommandResult::Done]);
    assert_eq!(world.items(Role::Trash).len(), 1);
    let trace = world.store.trace(&world.device).await.unwrap();
    assert!(matches!(trace[0].event, TraceEvent::MailSystemOverruled { .. }));
}
