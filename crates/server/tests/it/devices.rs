//! Finding devices, and what is told of those that wait and of what a device holds.

use crate::world::{ANN, BOB, World, key};
use dme_server::devices::{DeviceQuery, Tally};
use dme_server::policies::Compliance;
use dme_store::{Admission, Device, DeviceFilter, EventFilter};
use serde_json::json;

fn ids(devices: &[Device]) -> Vec<&str> {
    let mut ids: Vec<&str> = devices.iter().map(|one| one.key.device.as_str()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_found_also_by_what_the_server_alone_knows_of_them() {
    let world = World::start(json!({ "policy": { "mode": "required" } })).await;
    for (user, device) in [(ANN, "a1"), (ANN, "a2"), (BOB, "b1")] {
        world.synced(user, device).await;
    }
    let now = (world.front.clock)();
    world.front.admissions.set(&key(ANN, "a2"), Admission::Blocked, "admin", now).await.unwrap();
    let all = || DeviceQuery { limit: 10, ..DeviceQuery::default() };
    let only = |admission| DeviceFilter { admission: Some(admission), ..DeviceFilter::default() };
    let among = Some([ANN.into()].into());
    let everybody = Tally { allowed: 2, quarantined: 0, blocked: 1 };
    let anns = Tally { allowed: 1, quarantined: 0, blocked: 1 };
    for (query, expected, tally) in [
        (all(), &["a1", "a2", "b1"][..], everybody),
        (
            DeviceQuery { compliance: Some(Compliance::Compliant), ..all() },
            &["a1", "a2", "b1"],
            everybody,
        ),
        (DeviceQuery { compliance: Some(Compliance::Refused), ..all() }, &[], Tally::default()),
        (DeviceQuery { among: among.clone(), ..all() }, &["a1", "a2"], anns),
        (
            DeviceQuery { among: among.clone(), filter: only(Admission::Blocked), ..all() },
            &["a2"],
            anns,
        ),
    ] {
        let found = world.front.find_devices(&query).await.unwrap();
        assert_eq!((ids(&found.devices), found.tally), (expected.to_vec(), tally), "{query:?}");
    }
    // A text is looked for by both, and what is not asked for is counted all the same.
    let text = DeviceFilter { text: Some("ann".into()), ..only(Admission::Blocked) };
    let found = world.front.find_devices(&DeviceQuery { filter: text, ..all() }).await.unwrap();
    assert_eq!((ids(&found.devices), found.tally), (vec!["a2"], anns));
    assert_eq!(found.kinds.values().sum::<u64>(), 1);
    // Some at a time, all are given once.
    let mut given = Vec::new();
    for after in 0..3 {
        let query = DeviceQuery { among: among.clone(), after, limit: 1, ..DeviceQuery::default() };
        given.extend(world.front.find_devices(&query).await.unwrap().devices);
    }
    assert_eq!(ids(&given), ["a1", "a2"]);
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_waits_is_an_event_once_and_so_told_to_webhooks() {
    let world = World::start(json!({ "devices": { "unknown": "quarantine" } })).await;
    let mut phone = world.synced(ANN, "a1").await;
    phone.folder_sync().await.unwrap();
    let filter = EventFilter { kind: Some("device_quarantined".into()), ..EventFilter::default() };
    let told = async || world.front.events.page(&filter, 10).await.unwrap().events;
    while told().await.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // Let in and shut out again it is no news.
    let now = (world.front.clock)();
    for admission in [Admission::Allowed, Admission::Quarantined] {
        world.front.admissions.set(&key(ANN, "a1"), admission, "admin", now).await.unwrap();
        phone.forget();
        phone.folder_sync().await.unwrap();
    }
    let told = told().await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].event.device, Some("a1".into()));
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_device_holds_is_told_folder_by_folder() {
    let world = World::start(json!({})).await;
    for subject in ["one", "two"] {
        world.deliver(ANN, subject);
    }
    let phone = world.synced(ANN, "a1").await;
    world.deliver(ANN, "three");
    let holdings = world.front.engine.holdings(&key(ANN, "a1")).await.unwrap();
    let inbox: u32 = phone.inbox().unwrap().parse().unwrap();
    let (inbox, others): (Vec<_>, Vec<_>) =
        holdings.iter().partition(|holding| holding.folder.no.0 == inbox);
    assert_eq!(inbox[0].held.map(|held| (held.items, held.placeholders)), Some((2, 0)));
    assert!(!others.is_empty() && others.iter().all(|holding| holding.held.is_none()));
    assert!(world.front.engine.holdings(&key(ANN, "a2")).await.unwrap().is_empty());
    world.server.stop().await;
}
