//! Routes, offers and settings are there after the server's restart.

use crate::databases::{Place, on_each_database};
use dme_link::{Capabilities, CredentialsNeeded};
use dme_model::{ConnectorId, Function, Timestamp, UserId};
use dme_store::RouteRecord;

on_each_database![
    a_users_routes_are_replaced_as_a_whole_and_those_of_others_stay,
    by_whom_some_users_are_served_is_told_at_once,
    where_users_are_at_home_is_told_whoever_serves_them_now,
    what_a_connector_offered_last_is_kept,
    each_change_of_a_connectors_settings_has_a_version_of_its_own,
];

fn record(function: Function, home: &str, serving: &str) -> RouteRecord {
    RouteRecord {
        function,
        home: Some(home.into()),
        serving: serving.into(),
        since: Timestamp::from_millis(7),
        why: "no primary can".into(),
    }
}

async fn a_users_routes_are_replaced_as_a_whole_and_those_of_others_stay(place: Place) {
    let (ann, bob) = (UserId::from("ann@example.org"), UserId::from("bob@example.org"));
    let (mail, calendar) =
        (record(Function::Mail, "c1", "c2"), record(Function::Calendar, "c3", "c3"));
    {
        let store = place.open().await;
        store.put_routes(&ann, vec![mail.clone(), calendar.clone()]).await.unwrap();
        store.put_routes(&bob, vec![mail.clone()]).await.unwrap();
        store.put_routes(&ann, vec![calendar.clone()]).await.unwrap();
    }
    let store = place.open().await;
    assert_eq!(store.routes(&ann).await.unwrap(), std::slice::from_ref(&calendar));
    assert_eq!(store.all_routes().await.unwrap(), [(ann, calendar), (bob, mail)]);
}

async fn by_whom_some_users_are_served_is_told_at_once(place: Place) {
    let store = place.open().await;
    let [ann, bob, eve] = ["ann@x", "bob@x", "eve@x"].map(UserId::from);
    let tasks = record(Function::Tasks, "c2", "c2");
    let anns =
        vec![record(Function::Mail, "c1", "c2"), record(Function::Calendar, "c3", "c3"), tasks];
    store.put_routes(&ann, anns).await.unwrap();
    store.put_routes(&bob, vec![record(Function::Mail, "c1", "c1")]).await.unwrap();
    let served = store.serving([ann.clone(), eve, ann.clone()]).await.unwrap();
    let both = ["c2", "c3"].map(str::to_owned);
    assert_eq!(served, [(ann, both.into())].into());
    assert!(store.serving([]).await.unwrap().is_empty());
}

async fn where_users_are_at_home_is_told_whoever_serves_them_now(place: Place) {
    let store = place.open().await;
    let [ann, bob] = ["ann@x", "bob@x"].map(UserId::from);
    store.put_routes(&ann, vec![record(Function::Mail, "c1", "c2")]).await.unwrap();
    let never_at_home = RouteRecord { home: None, ..record(Function::Mail, "", "c2") };
    store.put_routes(&bob, vec![never_at_home]).await.unwrap();
    // More than one statement asks for.
    let others = (0..2_500).map(|number| UserId::from(format!("user{number}@x")));
    let homes = store.homes(others.chain([ann.clone(), bob.clone()])).await.unwrap();
    let [c1, c2] = ["c1", "c2"].map(|name| [name.to_owned()].into());
    assert_eq!(homes, [(ann, c1), (bob, c2)].into());
}

async fn what_a_connector_offered_last_is_kept(place: Place) {
    let store = place.open().await;
    let id = ConnectorId::from("c1");
    let offer = |function| Capabilities::new([(function, CredentialsNeeded::Password)]);
    store.put_offer(&id, &offer(Function::Mail)).await.unwrap();
    store.put_offer(&id, &offer(Function::Notes)).await.unwrap();
    assert_eq!(store.offers().await.unwrap(), [(id, offer(Function::Notes))]);
}

async fn each_change_of_a_connectors_settings_has_a_version_of_its_own(place: Place) {
    let store = place.open().await;
    let now = Timestamp::from_millis(5);
    for (version, settings) in [(1, "{}"), (2, r#"{"drain":true}"#)] {
        let given = store.put_connector_settings("north", settings.into(), now).await.unwrap();
        assert_eq!(given, version);
    }
    let kept = store.connector_settings().await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].version, &*kept[0].settings), (2, r#"{"drain":true}"#));
}
