//! Rule S2: a phone that lost the answer gets it again, and nothing is done twice.

use crate::world::{Call, World, message, read, told, with};
use dme_mailbox::ErrorKind;
use dme_mailbox::memory::Failure;
use dme_model::{FlagPatch, ItemId, Role};
use dme_sync::{ClientCommand, ClientId, CollectionRequest, CommandResult, Error, Outgoing};

#[tokio::test]
async fn the_same_answer_comes_again_with_the_same_key() {
    let world = World::new().await;
    let (inbox, key) = world.in_step().await;
    world.arrive("one");
    world.arrive("two");
    let request = CollectionRequest::new(inbox, key);
    let first = world.sync(&request).await.unwrap();
    world.store.take_writes();
    for _ in 0..3 {
        assert_eq!(world.sync(&request).await.unwrap(), first);
    }
    assert_eq!(world.store.take_writes(), 0);
}

#[tokio::test]
async fn what_happened_meanwhile_is_in_the_repeated_answer() {
    let world = World::new().await;
    let (inbox, key) = world.in_step().await;
    let one = world.arrive("one");
    let request = CollectionRequest::new(inbox, key);
    let first = world.sync(&request).await.unwrap();
    world.system.delete(&world.user, &world.place(Role::Inbox), &one).unwrap();
    world.arrive("two");
    let again = world.sync(&request).await.unwrap();
    assert_eq!(told(&again), ["add 2 two"]);
    assert_ne!(again.key, first.key, "what the phone then holds is something else");
    let after = world.sync(&CollectionRequest::new(inbox, again.key.clone())).await.unwrap();
    assert_eq!((after.key, after.changes), (again.key, vec![]));
}

#[tokio::test]
async fn a_key_before_the_last_two_is_refused() {
    let world = World::new().await;
    let (inbox, first) = world.in_step().await;
    let mut keys = vec![first];
    for n in 0..2 {
        world.arrive(&format!("m{n}"));
        let last = keys.last().unwrap().clone();
        keys.push(world.sync(&CollectionRequest::new(inbox, last)).await.unwrap().key);
    }
    let oldest = CollectionRequest::new(inbox, keys.remove(0));
    assert_eq!(world.sync(&oldest).await, Err(Error::InvalidKey));
    for key in keys {
        assert!(world.sync(&CollectionRequest::new(inbox, key)).await.is_ok());
    }
}

#[tokio::test]
async fn repeated_commands_have_their_results_and_are_not_carried_out_again() {
    let world = World::new().await;
    let (one, two) = (world.arrive("one"), world.arrive("two"));
    let (inbox, key) = world.in_step().await;
    let commands =
        vec![ClientCommand::Change(one.clone(), read()), ClientCommand::Delete(two.clone())];
    let request = with(inbox, &key, commands);
    let first = world.sync(&request).await.unwrap();
    // Meanwhile another client takes the mark back: the repetition must not set it again.
    world.mark(&one, &FlagPatch { seen: Some(false), ..FlagPatch::default() });
    world.system.take_calls();
    let again = world.sync(&request).await.unwrap();
    assert_eq!(again.results, first.results);
    assert_eq!(told(&again), ["change 1 unread"]);
    assert_eq!(world.system.take_calls(), [Call::Changes]);
    assert!(!world.marks(&one).seen);
}

#[tokio::test]
async fn a_command_added_to_the_repetition_is_carried_out() {
    let world = World::new().await;
    let (one, two) = (world.arrive("one"), world.arrive("two"));
    let (inbox, key) = world.in_step().await;
    let mut commands = vec![ClientCommand::Change(one, read())];
    world.sync(&with(inbox, &key, commands.clone())).await.unwrap();
    commands.push(ClientCommand::Change(two.clone(), read()));
    let again = world.sync(&with(inbox, &key, commands)).await.unwrap();
    assert_eq!(again.results, [CommandResult::Done, CommandResult::Done]);
    assert!(world.marks(&two).seen);
}

#[tokio::test]
async fn a_repeated_draft_is_one_draft() {
    let world = World::new().await;
    let drafts = world.folder(Role::Drafts).await;
    let key = world.begin(drafts).await;
    let add = ClientCommand::AddDraft(ClientId("c1".into()), message("draft"));
    let request = with(drafts, &key, vec![add]);
    let first = world.sync(&request).await.unwrap();
    let again = world.sync(&request).await.unwrap();
    assert_eq!(again.results, first.results);
    assert_eq!(world.items(Role::Drafts).len(), 1);
    let next = world.sync(&CollectionRequest::new(drafts, again.key)).await.unwrap();
    assert_eq!(told(&next), Vec::<String>::new());
}

#[tokio::test]
async fn a_draft_whose_answer_was_lost_comes_as_new_to_a_phone_that_gave_it_up() {
    let world = World::new().await;
    let drafts = world.folder(Role::Drafts).await;
    let key = world.begin(drafts).await;
    let add = ClientCommand::AddDraft(ClientId("c1".into()), message("draft"));
    world.sync(&with(drafts, &key, vec![add])).await.unwrap();
    let without = world.sync(&CollectionRequest::new(drafts, key)).await.unwrap();
    assert_eq!(told(&without), ["add 1 draft"]);
}

#[tokio::test]
async fn a_repeated_sending_is_one_sending() {
    let world = World::new().await;
    let drafts = world.folder(Role::Drafts).await;
    let key = world.begin(drafts).await;
    let send = ClientCommand::Send(Outgoing::New(ClientId("c1".into())), message("mail"));
    let request = with(drafts, &key, vec![send]);
    for _ in 0..2 {
        assert_eq!(world.sync(&request).await.unwrap().results, [CommandResult::Sent]);
    }
    assert_eq!(world.system.sent().len(), 1);
}

#[tokio::test]
async fn a_sent_draft_is_gone_from_the_drafts() {
    let world = World::new().await;
    let drafts = world.folder(Role::Drafts).await;
    let key = world.begin(drafts).await;
    let add = ClientCommand::AddDraft(ClientId("c1".into()), message("draft"));
    let answer = world.sync(&with(drafts, &key, vec![add])).await.unwrap();
    let [item] = world.items(Role::Drafts).try_into().unwrap();
    let send = ClientCommand::Send(Outgoing::Draft(item.clone()), message("final"));
    let answer = world.sync(&with(drafts, &answer.key, vec![send])).await.unwrap();
    assert_eq!(answer.results, [CommandResult::Sent]);
    assert_eq!(told(&answer), [format!("delete {item}")]);
    assert_eq!((world.items(Role::Drafts).len(), world.items(Role::Sent).len()), (0, 1));
}

#[tokio::test]
async fn beginning_again_makes_the_old_keys_worthless() {
    let world = World::new().await;
    world.arrive("one");
    let (inbox, old) = world.in_step().await;
    let new = world.begin(inbox).await;
    assert_ne!(old, new);
    let refused = world.sync(&CollectionRequest::new(inbox, old)).await;
    assert_eq!(refused, Err(Error::InvalidKey));
    assert_eq!(world.engine.current_key(world.session(), inbox).await, Ok(Some(new)));
    let sent = world.folder(Role::Sent).await;
    assert_eq!(world.engine.current_key(world.session(), sent).await, Ok(None));
}

#[tokio::test]
async fn a_draft_made_into_a_message_at_another_time_is_the_same_draft() {
    let world = World::new().await;
    let drafts = world.folder(Role::Drafts).await;
    let key = world.begin(drafts).await;
    let add = |when| vec![ClientCommand::AddDraft(ClientId::of(&[b"c1", b"text"]), message(when))];
    let first = world.sync(&with(drafts, &key, add("noon"))).await.unwrap();
    let again = world.sync(&with(drafts, &key, add("later"))).await.unwrap();
    assert_eq!(again.results, first.results);
    assert_eq!(world.items(Role::Drafts).len(), 1);
}

#[tokio::test]
async fn a_draft_that_is_gone_because_it_was_sent_or_written_anew_is_answered_so() {
    let world = World::new().await;
    let drafts = world.folder(Role::Drafts).await;
    let key = world.begin(drafts).await;
    let add = |name: &str| ClientCommand::AddDraft(ClientId(name.into()), message(name));
    let answer = world.sync(&with(drafts, &key, vec![add("a"), add("b")])).await.unwrap();
    let [one, two] = world.items(Role::Drafts).try_into().unwrap();
    let text = message("final");
    let commands = vec![
        ClientCommand::Send(Outgoing::Draft(one.clone()), text.clone()),
        ClientCommand::ChangeDraft(two.clone(), ClientId("v2".into()), text),
    ];
    let done = world.sync(&with(drafts, &answer.key, commands)).await.unwrap();
    assert_eq!(done.results, [CommandResult::Sent, CommandResult::Done]);
    let lost = |item: &ItemId, send| ClientCommand::LostDraft { item: item.clone(), send };
    let again = vec![lost(&one, true), lost(&two, false)];
    let again = world.sync(&with(drafts, &answer.key, again)).await.unwrap();
    assert_eq!(again.results, done.results);
    assert_eq!(world.system.sent().len(), 1);
    let stranger = vec![lost(&two, true), lost(&one, false)];
    let refused = world.sync(&with(drafts, &again.key, stranger)).await.unwrap();
    assert_eq!(refused.results, [CommandResult::NotFound, CommandResult::NotFound]);
}

#[tokio::test]
async fn a_draft_that_was_sent_before_the_process_died_is_answered_as_sent() {
    let world = World::new().await;
    let drafts = world.folder(Role::Drafts).await;
    let key = world.begin(drafts).await;
    let add = ClientCommand::AddDraft(ClientId("a".into()), message("a"));
    let answer = world.sync(&with(drafts, &key, vec![add])).await.unwrap();
    let [item] = world.items(Role::Drafts).try_into().unwrap();
    // Sent, the draft deleted, and the answer lost: nothing of it was written down.
    let lost = dme_mailbox::Error::new(ErrorKind::Unavailable, "the connector died");
    world
        .system
        .fail_when(move |call| (call == Call::Submit).then(|| Failure::After(lost.clone())));
    let send = ClientCommand::Send(Outgoing::Draft(item.clone()), message("final"));
    assert!(world.sync(&with(drafts, &answer.key, vec![send])).await.is_err());
    world.system.heal();
    let again = vec![ClientCommand::LostDraft { item, send: true }];
    let again = world.sync(&with(drafts, &answer.key, again)).await.unwrap();
    assert_eq!(again.results, [CommandResult::Sent]);
    assert_eq!(world.system.sent().len(), 1);
}
