//! Connectors and enrolment tokens: the store does what the link's in-memory registries do.

use crate::databases::{Place, on_each_database};
use dme_link::{
    Approval, ConnectorBook, ConnectorState, Enrolment, Enrolments, Fingerprint, MemoryBook,
    MemoryEnrolments, Rejection, TokenHash,
};
use dme_model::Timestamp;
use std::sync::Arc;

on_each_database![
    a_connector_is_found_by_its_key_and_keeps_its_id,
    a_removed_connector_stays_removed,
    two_keys_hold_until_the_newer_was_used,
    a_key_belongs_to_one_connector,
    a_token_serves_one_key_once_and_again_for_the_same,
    tokens_that_expired_long_ago_are_forgotten,
];

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const LATER: Timestamp = Timestamp::from_seconds(1_800_000_060);

fn key(name: &str) -> Fingerprint {
    Fingerprint::of_public_key(name.as_bytes())
}

/// The two registries of each kind, to be held against each other.
struct Registries {
    books: [Arc<dyn ConnectorBook>; 2],
    enrolments: [Arc<dyn Enrolments>; 2],
}

async fn registries(place: &Place) -> Registries {
    let store = place.open().await;
    Registries {
        books: [Arc::new(store.clone()), Arc::new(MemoryBook::default())],
        enrolments: [Arc::new(store), Arc::new(MemoryEnrolments::default())],
    }
}

async fn a_connector_is_found_by_its_key_and_keeps_its_id(place: Place) {
    let registries = registries(&place).await;
    for book in registries.books {
        let made = book.enrol("branch", &key("a"), ConnectorState::Locked, NOW).await.unwrap();
        assert_eq!((made.id.as_str(), made.state), ("c1", ConnectorState::Locked));
        let again = book.enrol("other", &key("a"), ConnectorState::Unlocked, LATER).await.unwrap();
        assert_eq!(again, made);
        let second = book.enrol("annex", &key("b"), ConnectorState::Unlocked, NOW).await.unwrap();
        assert_eq!(second.id.as_str(), "c2");
        assert_eq!(book.find(&key("a")).await.unwrap(), Some(made.clone()));
        assert_eq!(book.find(&key("z")).await.unwrap(), None);
        assert_eq!(book.get(&made.id).await.unwrap(), Some(made.clone()));
        assert_eq!(book.list().await.unwrap(), [second, made]);
    }
}

async fn a_removed_connector_stays_removed(place: Place) {
    let registries = registries(&place).await;
    for book in registries.books {
        let id = book.enrol("x", &key("a"), ConnectorState::Locked, NOW).await.unwrap().id;
        book.set_state(&id, ConnectorState::Unlocked).await.unwrap();
        book.set_state(&id, ConnectorState::Removed).await.unwrap();
        assert!(book.set_state(&id, ConnectorState::Unlocked).await.is_err());
        let state = book.find(&key("a")).await.unwrap().unwrap().state;
        assert_eq!(state, ConnectorState::Removed);
        assert!(book.set_state(&"c9".into(), ConnectorState::Locked).await.is_err());
    }
}

async fn two_keys_hold_until_the_newer_was_used(place: Place) {
    let registries = registries(&place).await;
    for book in registries.books {
        let id = book.enrol("x", &key("a"), ConnectorState::Unlocked, NOW).await.unwrap().id;
        let keys = || async { book.get(&id).await.unwrap().unwrap().keys };
        book.add_key(&id, &key("b")).await.unwrap();
        assert_eq!(keys().await, [key("a"), key("b")]);
        book.key_used(&id, &key("a"), NOW).await.unwrap();
        assert_eq!(keys().await, [key("a"), key("b")], "the answer with the newer may be lost");
        book.add_key(&id, &key("c")).await.unwrap();
        book.add_key(&id, &key("c")).await.unwrap();
        assert_eq!(keys().await, [key("a"), key("c")]);
        book.key_used(&id, &key("c"), LATER).await.unwrap();
        assert_eq!(keys().await, [key("c")]);
        assert!(book.key_used(&id, &key("a"), LATER).await.is_err());
        assert_eq!(book.get(&id).await.unwrap().unwrap().last_seen, Some(LATER));
        book.add_key(&id, &key("d")).await.unwrap();
        book.key_used(&id, &key("d"), LATER).await.unwrap();
        assert_eq!(keys().await, [key("d")], "again and again");
    }
}

async fn a_key_belongs_to_one_connector(place: Place) {
    let registries = registries(&place).await;
    for book in registries.books {
        let id = book.enrol("x", &key("a"), ConnectorState::Unlocked, NOW).await.unwrap().id;
        book.enrol("y", &key("b"), ConnectorState::Unlocked, NOW).await.unwrap();
        assert!(book.add_key(&id, &key("b")).await.is_err());
    }
}

async fn a_token_serves_one_key_once_and_again_for_the_same(place: Place) {
    let registries = registries(&place).await;
    for tokens in registries.enrolments {
        let token = |n: u8, name: &str| Enrolment {
            hash: TokenHash([n; 32]),
            name: name.into(),
            approval: Approval::Given,
            expires: LATER,
            used_by: None,
            again: None,
        };
        tokens.create(token(1, "branch")).await.unwrap();
        tokens.create(token(2, "annex")).await.unwrap();
        let redeem = |n: u8, name: &'static str, at| {
            let tokens = tokens.clone();
            async move { tokens.redeem(&TokenHash([n; 32]), &key(name), at).await.unwrap() }
        };
        let used = Enrolment { used_by: Some(key("a")), ..token(1, "branch") };
        assert_eq!(redeem(1, "a", NOW).await, Ok(used.clone()));
        assert_eq!(redeem(1, "a", NOW).await, Ok(used.clone()));
        assert_eq!(redeem(1, "b", NOW).await, Err(Rejection::Used));
        assert_eq!(redeem(2, "b", LATER).await, Err(Rejection::Expired));
        assert_eq!(redeem(3, "b", NOW).await, Err(Rejection::Unknown));
        assert_eq!(tokens.list().await.unwrap(), [token(2, "annex"), used.clone()]);
        let code = Enrolment { again: Some("c1".into()), ..token(4, "code") };
        tokens.create(code.clone()).await.unwrap();
        assert_eq!(tokens.list().await.unwrap().last(), Some(&code));
        tokens.revoke("code").await.unwrap();
        tokens.revoke("annex").await.unwrap();
        tokens.revoke("branch").await.unwrap();
        assert_eq!(tokens.list().await.unwrap(), [used], "a redeemed one stays");
    }
}

async fn tokens_that_expired_long_ago_are_forgotten(place: Place) {
    let store = place.open().await;
    for (number, name, expires) in [(1, "old", NOW), (2, "new", LATER)] {
        let enrolment = Enrolment {
            hash: TokenHash([number; 32]),
            name: name.into(),
            approval: Approval::Needed,
            expires,
            used_by: None,
            again: None,
        };
        store.create(enrolment).await.unwrap();
    }
    store.expire_enrolments(LATER).await.unwrap();
    let left = Enrolments::list(&store).await.unwrap();
    assert_eq!(left.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["new"]);
}
