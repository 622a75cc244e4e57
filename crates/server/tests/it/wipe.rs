//! Orders to wipe, and their receipts.

use crate::world::{ANN, World, key};
use dme_phone::Error;
use dme_policy::Erased;
use dme_server::wipes::verify;
use dme_store::WipeKind;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_limit_another_administrator_confirms_and_a_receipt_tells_all() {
    let world = World::start(json!({ "devices": { "wipes_per_hour": 1 } })).await;
    let now = (world.front.clock)();
    let wipes = &world.front.wipes;
    let mut notices = world.front.notices.subscribe();
    let mut first = world.synced(ANN, "a1").await;
    let mut second = world.synced(ANN, "a2").await;
    let foretold = wipes.foretell(&world.record(ANN, "a1").await, WipeKind::Account);
    assert_eq!(foretold.erased, Erased::Account);
    let one = wipes.order(&key(ANN, "a1"), WipeKind::Account, "admin", now).await.unwrap();
    let two = wipes.order(&key(ANN, "a2"), WipeKind::Device, "admin", now).await.unwrap();
    assert_eq!((one.record.needs_second, two.record.needs_second), (false, true));
    assert!(matches!(
        notices.recv().await.unwrap(),
        dme_server::notices::Notice::WipeWaits { number: 2, .. }
    ));
    assert!(matches!(first.folder_sync().await, Err(Error::Wiped(_))));
    second.folder_sync().await.unwrap();

    let same = wipes.confirm(two.number, "Admin", now).await;
    assert!(same.unwrap_err().to_string().contains("another administrator"));
    wipes.confirm(two.number, "second", now).await.unwrap();
    assert!(matches!(second.folder_sync().await, Err(Error::Wiped(_))));
    assert!(wipes.confirm(two.number, "third", now).await.is_err());
    assert!(wipes.cancel(two.number, "admin", now).await.is_err(), "it is over");

    let receipt = wipes.receipt(two.number, now).await.unwrap();
    let text = serde_json::to_string(&receipt).unwrap();
    let read = verify(&text, &world.server.authority).unwrap();
    assert_eq!((read.device.as_str(), read.ordered_by.as_str()), ("a2", "admin"));
    assert_eq!(read.confirmed_by.as_deref(), Some("second"));
    assert!(read.told_at.is_some() && read.acknowledged_at.is_some());
    assert!(verify(&text.replace("a2", "a3"), &world.server.authority).is_err());
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_called_off_wipes_nothing_and_a_new_one_takes_an_olds_place() {
    let world = World::start(json!({ "devices": { "wipes_per_hour": 3 } })).await;
    let now = (world.front.clock)();
    let wipes = &world.front.wipes;
    let mut phone = world.synced(ANN, "a1").await;
    let order = wipes.order(&key(ANN, "a1"), WipeKind::Device, "admin", now).await.unwrap();
    wipes.cancel(order.number, "admin", now).await.unwrap();
    phone.folder_sync().await.unwrap();
    wipes.order(&key(ANN, "a1"), WipeKind::Device, "admin", now).await.unwrap();
    wipes.order(&key(ANN, "a1"), WipeKind::Account, "admin", now).await.unwrap();
    // One that waits for somebody else takes nobody's place.
    wipes.order(&key(ANN, "a1"), WipeKind::Device, "admin", now).await.unwrap();
    let wiped = phone.folder_sync().await;
    assert!(matches!(wiped, Err(Error::Wiped(dme_eas::provision::Wipe::Account))), "{wiped:?}");
    let orders = wipes.orders(Some(&key(ANN, "a1"))).await.unwrap();
    let over: Vec<_> = orders.iter().map(|order| order.record.cancelled.is_some()).collect();
    assert_eq!(over, [false, false, true, true]);
    assert!(orders[0].record.waits_for_second() && orders[1].record.acknowledged.is_some());
    world.server.stop().await;
}
