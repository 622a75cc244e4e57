//! A device that goes from one front to another, and back.

use crate::databases::{Place, on_each_database};
use dme_mailbox::Submitted;
use dme_model::{CollectionId, Timestamp, UserId};
use dme_store::{DeviceStates, Store, TakenOver};
use dme_sync::{DeviceKey, FolderNo, Journal, Slot, StateStore, SubmissionLife};
use std::time::Duration;

on_each_database![
    a_device_that_was_handed_over_is_answered_as_before,
    what_is_given_up_is_here_no_more_but_the_numbers_and_what_was_sent,
    a_device_comes_back_with_what_happened_elsewhere,
    states_take_the_place_of_those_that_were_left_here,
    where_folders_are_numbered_otherwise_the_phone_begins_anew,
    a_freed_number_is_not_given_again_by_the_taker,
    a_number_that_was_freed_elsewhere_is_freed_for_all_devices,
    what_is_known_to_be_sent_stays_known,
];

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const HOUR: SubmissionLife = SubmissionLife(Duration::from_secs(3600));

fn ann() -> UserId {
    "ann@x".into()
}

fn phone() -> DeviceKey {
    DeviceKey { user: ann(), device: "phone".into() }
}

fn other() -> DeviceKey {
    DeviceKey { user: ann(), device: "other".into() }
}

fn sent(message_id: &str) -> Submitted {
    Submitted {
        message_id: message_id.into(),
        refused: vec!["nobody@y".into()],
        warnings: Vec::new(),
        unfinished: false,
    }
}

async fn number(store: &Store, folders: &[&str]) -> Vec<u32> {
    let folders: Vec<CollectionId> = folders.iter().map(|one| (*one).into()).collect();
    let numbers = store.number_folders(&ann(), &folders).await.unwrap();
    numbers.into_iter().map(|no| no.0).collect()
}

async fn rename(store: &Store, no: u32, to: &str) {
    store.renumber_folders(&ann(), &[(FolderNo(no), to.into())]).await.unwrap();
}

async fn begin(store: &Store, act: &str, now: Timestamp) -> Journal {
    store.begin_submission(&phone(), act, now, HOUR).await.unwrap()
}

async fn send(store: &Store, act: &str, now: Timestamp) {
    assert_eq!(begin(store, act, now).await, Journal::Begun);
    store.finish_submission(&phone(), act, &sent(act)).await.unwrap();
}

async fn folder(store: &Store, no: u32) -> Option<(String, Option<Vec<u8>>)> {
    let found = store.load_collection(&phone(), FolderNo(no)).await.unwrap();
    found.map(|(collection, state)| (collection.to_string(), state))
}

/// A phone that knows two folders, has sent a message, and one of which nobody knows.
async fn in_use(store: &Store) {
    assert_eq!(number(store, &["INBOX", "Sent"]).await, [1, 2]);
    for (slot, state) in [
        (Slot::Hierarchy, &b"{\"folders\":[\"\xc3\xa4\"]}"[..]),
        (Slot::Collection(FolderNo(2)), b"\xff\x00no text"),
        (Slot::LastPing, b""),
    ] {
        store.save(&phone(), slot, state.to_vec()).await.unwrap();
    }
    send(store, "sent", NOW).await;
    assert_eq!(begin(store, "uncertain", NOW).await, Journal::Begun);
}

/// As they arrive at the other end of a link.
fn carried(states: &DeviceStates) -> DeviceStates {
    let arrived = DeviceStates::decode(&states.encode()).unwrap();
    assert_eq!(arrived, *states);
    arrived
}

async fn a_device_that_was_handed_over_is_answered_as_before(place: Place) {
    let (giver, taker) = (place.open().await, place.another());
    let taker = taker.open().await;
    in_use(&giver).await;
    let states = carried(&giver.give_up_states(&phone()).await.unwrap());
    assert_eq!(taker.take_over_states(&phone(), &states).await.unwrap(), TakenOver::Whole);

    let hierarchy = taker.load(&phone(), Slot::Hierarchy).await.unwrap();
    assert_eq!(hierarchy, Some("{\"folders\":[\"ä\"]}".into()));
    assert_eq!(taker.load(&phone(), Slot::LastPing).await.unwrap(), Some(Vec::new()));
    assert_eq!(taker.load(&phone(), Slot::LastSync).await.unwrap(), None);
    assert_eq!(folder(&taker, 1).await, Some(("INBOX".into(), None)));
    assert_eq!(folder(&taker, 2).await, Some(("Sent".into(), Some(b"\xff\x00no text".to_vec()))));
    let later = NOW.plus(Duration::from_secs(60));
    assert_eq!(begin(&taker, "sent", later).await, Journal::Sent(sent("sent")));
    assert_eq!(begin(&taker, "uncertain", later).await, Journal::Uncertain { since: NOW });
    assert_eq!(number(&taker, &["Trash", "Sent"]).await, [3, 2]);
    assert_eq!(taker.load(&other(), Slot::Hierarchy).await.unwrap(), None, "no other device");
}

async fn what_is_given_up_is_here_no_more_but_the_numbers_and_what_was_sent(place: Place) {
    let store = place.open().await;
    in_use(&store).await;
    store.save(&other(), Slot::Hierarchy, b"other".to_vec()).await.unwrap();
    let read = store.states_of(&phone()).await.unwrap();
    assert_eq!(store.give_up_states(&phone()).await.unwrap(), read, "reading changed nothing");
    assert_eq!(store.load(&phone(), Slot::Hierarchy).await.unwrap(), None);
    assert_eq!(folder(&store, 2).await, Some(("Sent".into(), None)));
    assert_eq!(begin(&store, "sent", NOW).await, Journal::Sent(sent("sent")));
    assert_eq!(store.load(&other(), Slot::Hierarchy).await.unwrap(), Some(b"other".to_vec()));
}

async fn a_device_comes_back_with_what_happened_elsewhere(place: Place) {
    let (home, away) = (place.open().await, place.another());
    let away = away.open().await;
    in_use(&home).await;
    let states = home.give_up_states(&phone()).await.unwrap();
    away.take_over_states(&phone(), &carried(&states)).await.unwrap();
    let inbox = Slot::Collection(FolderNo(1));
    away.save(&phone(), inbox, b"read there".to_vec()).await.unwrap();
    away.clear(&phone(), Slot::LastPing).await.unwrap();
    away.cancel_submission(&phone(), "uncertain").await.unwrap();
    send(&away, "there", NOW).await;
    assert_eq!(number(&away, &["Trash"]).await, [3]);

    let states = away.give_up_states(&phone()).await.unwrap();
    let back = home.take_over_states(&phone(), &carried(&states)).await.unwrap();
    assert_eq!(back, TakenOver::Whole);
    assert_eq!(folder(&home, 1).await, Some(("INBOX".into(), Some(b"read there".to_vec()))));
    assert_eq!(home.load(&phone(), Slot::LastPing).await.unwrap(), None);
    assert_eq!(begin(&home, "there", NOW).await, Journal::Sent(sent("there")));
    assert_eq!(begin(&home, "sent", NOW).await, Journal::Sent(sent("sent")));
    assert_eq!(begin(&home, "uncertain", NOW).await, Journal::Begun, "it was called off there");
    assert_eq!(folder(&home, 3).await, Some(("Trash".into(), None)));
    assert_eq!(away.load(&phone(), inbox).await.unwrap(), None);
}

async fn states_take_the_place_of_those_that_were_left_here(place: Place) {
    let (giver, taker) = (place.open().await, place.another());
    let taker = taker.open().await;
    in_use(&giver).await;
    in_use(&taker).await;
    taker.save(&phone(), Slot::Moves, b"old".to_vec()).await.unwrap();
    taker.save(&phone(), Slot::Hierarchy, b"old".to_vec()).await.unwrap();
    begin(&taker, "old", NOW).await;
    let states = giver.give_up_states(&phone()).await.unwrap();
    assert_eq!(taker.take_over_states(&phone(), &states).await.unwrap(), TakenOver::Whole);
    assert_eq!(taker.states_of(&phone()).await.unwrap(), states);
}

async fn where_folders_are_numbered_otherwise_the_phone_begins_anew(place: Place) {
    let giver = place.open().await;
    in_use(&giver).await;
    assert_eq!(number(&giver, &["New"]).await, [3]);
    let states = carried(&giver.give_up_states(&phone()).await.unwrap());
    for (case, folders, renamed) in [
        ("another collection has the number", &["INBOX", "Other"][..], None),
        ("the collection has another number", &["INBOX", "Sent", "Other", "New"], None),
        ("the number was freed here", &["INBOX", "Gone", "Sent"], Some((3, "Gone"))),
    ] {
        let taker = place.another();
        let taker = taker.open().await;
        number(&taker, folders).await;
        if let Some((no, to)) = renamed {
            rename(&taker, no, to).await;
        }
        taker.save(&phone(), Slot::Hierarchy, b"old".to_vec()).await.unwrap();
        taker.save(&other(), Slot::Hierarchy, b"other".to_vec()).await.unwrap();
        let before = taker.folders(&ann()).await.unwrap();
        let taken = taker.take_over_states(&phone(), &states).await.unwrap();
        assert_eq!(taken, TakenOver::Anew, "{case}");
        for slot in [Slot::Hierarchy, Slot::Collection(FolderNo(2)), Slot::LastPing] {
            assert_eq!(taker.load(&phone(), slot).await.unwrap(), None, "{case}");
        }
        assert_eq!(taker.folders(&ann()).await.unwrap(), before, "{case}");
        assert_eq!(begin(&taker, "sent", NOW).await, Journal::Sent(sent("sent")), "{case}");
        let others = taker.load(&other(), Slot::Hierarchy).await.unwrap();
        assert_eq!(others, Some(b"other".to_vec()), "{case}");
    }
}

async fn a_freed_number_is_not_given_again_by_the_taker(place: Place) {
    let (giver, taker) = (place.open().await, place.another());
    let taker = taker.open().await;
    number(&giver, &["a", "b", "c"]).await;
    rename(&giver, 1, "c").await;
    let states = carried(&giver.states_of(&phone()).await.unwrap());
    assert_eq!(taker.take_over_states(&phone(), &states).await.unwrap(), TakenOver::Whole);
    assert_eq!(
        taker.folders(&ann()).await.unwrap(),
        [(FolderNo(1), "c".into()), (FolderNo(2), "b".into()),]
    );
    assert_eq!(number(&taker, &["a"]).await, [4]);
}

async fn a_number_that_was_freed_elsewhere_is_freed_for_all_devices(place: Place) {
    let (giver, taker) = (place.open().await, place.another());
    let taker = taker.open().await;
    number(&taker, &["a", "b"]).await;
    // There `c` is deleted, `b` given its name, and that one renamed.
    number(&giver, &["a", "b", "c"]).await;
    rename(&giver, 3, "b").await;
    rename(&giver, 3, "d").await;
    let states = giver.states_of(&phone()).await.unwrap();
    assert_eq!(taker.take_over_states(&phone(), &states).await.unwrap(), TakenOver::Whole);
    assert_eq!(
        taker.folders(&ann()).await.unwrap(),
        [(FolderNo(1), "a".into()), (FolderNo(3), "d".into()),]
    );
    assert_eq!(number(&taker, &["b"]).await, [4]);
}

async fn what_is_known_to_be_sent_stays_known(place: Place) {
    let (giver, taker) = (place.open().await, place.another());
    let taker = taker.open().await;
    let later = NOW.plus(Duration::from_secs(60));
    send(&taker, "only here", NOW).await;
    begin(&giver, "here last", NOW).await;
    send(&taker, "here last", later).await;
    // The same act: it was begun there, and carried to its end here.
    begin(&giver, "same", NOW).await;
    send(&taker, "same", NOW).await;
    // What was begun again there had been forgotten.
    begin(&giver, "again", later).await;
    send(&taker, "again", NOW).await;
    let states = giver.give_up_states(&phone()).await.unwrap();
    taker.take_over_states(&phone(), &states).await.unwrap();
    for act in ["only here", "here last", "same"] {
        assert_eq!(begin(&taker, act, later).await, Journal::Sent(sent(act)));
    }
    assert_eq!(begin(&taker, "again", later).await, Journal::Uncertain { since: later });
}
