//! Rule S2: a phone that lost the answer gets it again, and nothing is done twice.

use crate::world::{Call, World, message, read, told, with};
use dme_model::{FlagPatch, Role};
use dme_sync::{
    ClientCommand, ClientId, CollectionRequest, CommandResult, Error, Outgoing, Saved, Slot,
    StateStore, Written,
};

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
    let add = ClientCommand::AddDraft(ClientId("c1".into()), message("draft").into());
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
    let add = ClientCommand::AddDraft(ClientId("c1".into()), message("draft").into());
    world.sync(&with(drafts, &key, vec![add])).await.unwrap();
    let without = world.sync(&CollectionRequest::new(drafts, key)).await.unwrap();
    assert_eq!(told(&without), ["add 1 draft"]);
}

#[tokio::test]
async fn a_repeated_sending_is_one_sending() {
    let world = World::new().await;
    let drafts = world.folder(Role::Drafts).await;
    let key = world.begin(drafts).await;
    let send = ClientCommand::Send(Outgoing::New(ClientId("c1".into())), message("mail").into());
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
    let add = ClientCommand::AddDraft(ClientId("c1".into()), message("draft").into());
    let answer = world.sync(&with(drafts, &key, vec![add])).await.unwrap();
    let [item] = world.items(Role::Drafts).try_into().unwrap();
    let send = ClientCommand::Send(Outgoing::Draft(item.clone()), message("final").into());
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

/// What a phone says in these words, put together at this moment.
fn said(words: &str, message: Option<bytes::Bytes>) -> Written {
    Written::new(words.as_bytes(), message)
}

#[tokio::test]
async fn a_repeated_draft_is_known_by_the_phones_words_though_its_message_is_dated_anew() {
    let world = World::new().await;
    let drafts = world.folder(Role::Drafts).await;
    let key = world.begin(drafts).await;
    let mut results = Vec::new();
    for dated in ["at one", "at two"] {
        let written = said("one", Some(message(dated))).with_attached(vec![Some("2".into())]);
        let add = ClientCommand::AddDraft(ClientId("c1".into()), written);
        results.push(world.sync(&with(drafts, &key, vec![add])).await.unwrap().results);
    }
    assert_eq!(results[0], results[1]);
    let [item] = world.items(Role::Drafts).try_into().unwrap();
    let saved = Saved { item, attached: vec![Some("2".into())] };
    assert_eq!(results[1], [CommandResult::Added(saved)]);
}

#[tokio::test]
async fn a_repeated_change_of_a_draft_is_answered_as_it_was_though_its_old_form_is_gone() {
    let world = World::new().await;
    let drafts = world.folder(Role::Drafts).await;
    let key = world.begin(drafts).await;
    let add = ClientCommand::AddDraft(ClientId("c1".into()), message("old").into());
    let key = world.sync(&with(drafts, &key, vec![add])).await.unwrap().key;
    let [old] = world.items(Role::Drafts).try_into().unwrap();
    let change = |message| ClientCommand::ChangeDraft(old.clone(), said("change", message));
    let first = with(drafts, &key, vec![change(Some(message("new")))]);
    let first = world.sync(&first).await.unwrap();
    assert!(matches!(first.results[..], [CommandResult::Replaced(_)]));
    let again = world.sync(&with(drafts, &key, vec![change(None)])).await.unwrap();
    assert_eq!(again, first);
    let other = ClientCommand::ChangeDraft(old, said("another change", None));
    let other = world.sync(&with(drafts, &key, vec![other])).await.unwrap();
    assert_eq!(other.results, [CommandResult::NotFound]);
    assert_eq!(world.items(Role::Drafts).len(), 1);
}

#[tokio::test]
async fn a_draft_that_is_gone_was_sent_only_if_it_was() {
    for sent in [true, false] {
        let world = World::new().await;
        let drafts = world.folder(Role::Drafts).await;
        let key = world.begin(drafts).await;
        let add = ClientCommand::AddDraft(ClientId("c1".into()), message("draft").into());
        let key = world.sync(&with(drafts, &key, vec![add])).await.unwrap().key;
        let [item] = world.items(Role::Drafts).try_into().unwrap();
        let send = |message| {
            let outgoing = Outgoing::Draft(item.clone());
            with(drafts, &key, vec![ClientCommand::Send(outgoing, said("send", message))])
        };
        let expected = if sent {
            // The process ends between the mail system's yes and the note of it.
            let state = world.store.load(&world.device, Slot::Collection(drafts)).await.unwrap();
            world.sync(&send(Some(message("draft")))).await.unwrap();
            let state = state.unwrap();
            world.store.save(&world.device, Slot::Collection(drafts), state).await.unwrap();
            CommandResult::Sent
        } else {
            world.system.delete(&world.user, &world.place(Role::Drafts), &item).unwrap();
            CommandResult::NotFound
        };
        assert_eq!(world.sync(&send(None)).await.unwrap().results, [expected]);
        assert_eq!(world.system.sent().len(), usize::from(sent));
    }
}
