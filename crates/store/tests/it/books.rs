//! What administrators decide by rules, and their orders to wipe.

use crate::databases::{Place, on_each_database};
use dme_model::Timestamp;
use dme_store::{Edit, Error, WipeKind, WipeRecord};
use dme_sync::DeviceKey;
use std::time::Duration;

on_each_database![
    who_writes_what_somebody_else_has_changed_is_refused,
    a_devices_level_is_kept_likewise,
    an_order_to_wipe_is_entered_in_sight_of_those_of_the_last_hour,
];

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn edit(read: u64, content: &str) -> Edit {
    Edit { read, content: content.into(), author: "admin".into(), at: NOW }
}

fn phone() -> DeviceKey {
    DeviceKey { user: "ann@x".into(), device: "1".into() }
}

async fn who_writes_what_somebody_else_has_changed_is_refused(place: Place) {
    let store = place.open().await;
    assert_eq!(store.book("policy").await.unwrap(), None);
    assert_eq!(store.put_book("policy", edit(0, "a")).await.unwrap(), 1);
    assert_eq!(store.put_book("policy", edit(1, "b")).await.unwrap(), 2);
    for read in [0, 1, 3] {
        let late = store.put_book("policy", edit(read, "c")).await;
        assert!(matches!(late, Err(Error::Stale { found: 2, .. })), "{read}: {late:?}");
    }
    let book = store.book("policy").await.unwrap().unwrap();
    assert_eq!((book.revision, book.content.as_str(), book.author.as_str()), (2, "b", "admin"));
    assert_eq!(store.put_book("admission", edit(0, "x")).await.unwrap(), 1, "another book");
}

async fn a_devices_level_is_kept_likewise(place: Place) {
    let store = place.open().await;
    assert_eq!(store.put_device_level(&phone(), edit(0, "a")).await.unwrap(), 1);
    let late = store.put_device_level(&phone(), edit(0, "b")).await;
    assert!(late.unwrap_err().to_string().contains("read it again"));
    let levels = store.device_levels().await.unwrap();
    assert_eq!((levels.len(), &levels[0].0, levels[0].1.revision), (1, &phone(), 1));
}

fn record(needs_second: bool) -> WipeRecord {
    WipeRecord {
        kind: WipeKind::Device,
        by: "admin".into(),
        client: ["iPhone".into(), "Apple-iPhone".into(), "16.1".into()],
        foretold: "everything".into(),
        needs_second,
        confirmed: None,
        cancelled: None,
        told: None,
        failed: None,
        acknowledged: None,
    }
}

async fn an_order_to_wipe_is_entered_in_sight_of_those_of_the_last_hour(place: Place) {
    let store = place.open().await;
    let hour_ago = |at: Timestamp| at.minus(Duration::from_secs(3600));
    let enter = |at: Timestamp| {
        let store = store.clone();
        async move {
            let decide = |lately: &[dme_store::WipeOrder]| record(lately.len() >= 2);
            store.enter_wipe_order(&phone(), at, hour_ago(at), decide).await.unwrap()
        }
    };
    let late = NOW.plus(Duration::from_secs(3601));
    let all = [enter(NOW).await, enter(NOW).await, enter(NOW).await, enter(late).await];
    assert_eq!(all.each_ref().map(|order| order.record.needs_second), [false, false, true, false]);
    assert_eq!(all.each_ref().map(|order| order.number), [1, 2, 3, 4]);
    let confirm = |record: &mut WipeRecord| {
        record.confirmed = Some(("other".into(), NOW));
        Ok(())
    };
    let confirmed = store.change_wipe_order(3, confirm).await.unwrap();
    assert!(!confirmed.record.waits_for_second() && confirmed.record.is_open());
    assert_eq!(store.wipe_order(3).await.unwrap(), confirmed);
    let listed = store.wipe_orders(Some(&phone())).await.unwrap();
    assert_eq!(listed.iter().map(|order| order.number).collect::<Vec<_>>(), [4, 3, 2, 1]);
    assert_eq!(store.count_wipe_orders(hour_ago(NOW)).await.unwrap(), 4);
    assert_eq!(store.count_wipe_orders(hour_ago(late)).await.unwrap(), 1);
    assert!(matches!(store.wipe_order(9).await, Err(Error::NotFound(_))));
}
