//! Items a phone asks for (`Fetch`): they count in the answer like new ones.

use crate::world::{Call, World};
use dme_model::ItemId;
use dme_sync::{ClientCommand, CollectionRequest, CommandResult, Window};

fn fetch(item: &ItemId) -> ClientCommand {
    ClientCommand::Fetch(item.clone())
}

/// The results in words.
fn words(results: &[CommandResult]) -> Vec<&'static str> {
    let word = |result: &CommandResult| match result {
        CommandResult::Fetched(_) => "fetched",
        CommandResult::Full => "full",
        _ => "other",
    };
    results.iter().map(word).collect()
}

#[tokio::test]
async fn what_does_not_fit_into_the_answer_is_to_be_asked_for_again() {
    let world = World::new().await;
    let items = ["one", "two"].map(|subject| world.arrive(subject));
    let (inbox, key) = world.in_step().await;
    world.arrive("three");
    let mut request = CollectionRequest::new(inbox, key);
    request.commands = items.iter().map(fetch).collect();
    request.window = Window { bytes: 1, ..Window::default() };
    let answer = world.sync(&request).await.unwrap();
    assert_eq!(words(&answer.results), ["fetched", "full"]);
    assert!(answer.changes.is_empty() && answer.more_available, "the new one has no room either");

    let mut again = CollectionRequest::new(inbox, answer.key);
    again.commands = vec![fetch(&items[1])];
    let answer = world.sync(&again).await.unwrap();
    assert_eq!((words(&answer.results), answer.changes.len()), (vec!["fetched"], 1));
}

#[tokio::test]
async fn without_any_room_nothing_is_read() {
    let world = World::new().await;
    let item = world.arrive("one");
    let (inbox, key) = world.in_step().await;
    let mut request = CollectionRequest::new(inbox, key);
    request.commands = vec![fetch(&item)];
    request.window = Window { bytes: 0, ..Window::default() };
    let answer = world.sync(&request).await.unwrap();
    assert_eq!(words(&answer.results), ["full"]);
    assert!(!world.system.take_calls().contains(&Call::Fetch));
}

#[tokio::test]
async fn an_item_asked_for_twice_is_read_once_and_counts_twice() {
    let world = World::new().await;
    let item = world.arrive("one");
    let (inbox, key) = world.in_step().await;
    let mut request = CollectionRequest::new(inbox, key);
    request.commands = vec![fetch(&item), fetch(&item), fetch(&item)];
    request.window = Window { bytes: 1500, ..Window::default() };
    let answer = world.sync(&request).await.unwrap();
    assert_eq!(words(&answer.results), ["fetched", "fetched", "full"]);
    let calls = world.system.take_calls();
    assert_eq!(calls.iter().filter(|call| **call == Call::Fetch).count(), 1, "{calls:?}");
}
