//! At which connectors devices' states are.

use crate::databases::{Place, on_each_database};
use dme_model::Timestamp;
use dme_store::{Admission, Newcomers, Sighting};
use dme_sync::DeviceKey;

on_each_database![
    a_device_is_at_one_connector_or_here,
    a_removed_device_is_at_no_connector_any_more,
];

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn key(user: &str, device: &str) -> DeviceKey {
    DeviceKey { user: user.into(), device: device.into() }
}

fn at(connector: &str, since: Timestamp) -> dme_store::Place {
    dme_store::Place { connector: connector.into(), since }
}

async fn a_device_is_at_one_connector_or_here(place: Place) {
    let store = place.open().await;
    assert_eq!(store.places().await.unwrap(), []);
    let (anns, bobs) = (key("ann@x", "1"), key("bob@x", "1"));
    store.put_place(&bobs, &at("branch", NOW)).await.unwrap();
    store.put_place(&anns, &at("branch", NOW)).await.unwrap();
    let later = at("plant", Timestamp::from_seconds(1_800_000_060));
    store.put_place(&anns, &later).await.unwrap();
    let both = [(anns.clone(), later), (bobs.clone(), at("branch", NOW))];
    assert_eq!(store.places().await.unwrap(), both);
    store.end_place(&anns).await.unwrap();
    store.end_place(&anns).await.unwrap();
    assert_eq!(store.places().await.unwrap(), both[1..]);
}

async fn a_removed_device_is_at_no_connector_any_more(place: Place) {
    let store = place.open().await;
    for device in ["1", "2"] {
        let newcomers = Newcomers { admission: Admission::Allowed, decision: None, per_user: 20 };
        let phone = key("ann@x", device);
        store.see_device(&phone, &Sighting::default(), newcomers, NOW).await.unwrap();
        store.put_place(&phone, &at("branch", NOW)).await.unwrap();
    }
    store.remove_device(&key("ann@x", "1")).await.unwrap();
    let left = [(key("ann@x", "2"), at("branch", NOW))];
    assert_eq!(store.places().await.unwrap(), left);
}
