//! Orders to wipe, and their receipts.

use crate::world::{ADMIN, ADMINISTRATOR, ANN, BOB, World, key};
use dme_phone::Error;
use dme_policy::Erased;
use dme_server::wipes::{Administrator, Hand, verify};
use dme_store::{Behind, Wipe, WipeKind};
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
    let one = wipes.order(&key(ANN, "a1"), WipeKind::Account, ADMIN, now).await.unwrap();
    let two = wipes.order(&key(ANN, "a2"), WipeKind::Device, ADMIN, now).await.unwrap();
    assert_eq!((one.record.needs_second, two.record.needs_second), (false, true));
    assert!(matches!(
        notices.recv().await.unwrap(),
        dme_server::notices::Notice::WipeWaits { number: 2, .. }
    ));
    assert!(matches!(first.folder_sync().await, Err(Error::Wiped(_))));
    second.folder_sync().await.unwrap();

    let same = wipes.confirm(two.number, ADMINISTRATOR, now).await;
    assert!(same.unwrap_err().to_string().contains("another administrator"));
    let behind = Behind::Person(BOB.into());
    let bob = Administrator { name: "second", behind: &behind };
    wipes.confirm(two.number, bob, now).await.unwrap();
    assert!(matches!(second.folder_sync().await, Err(Error::Wiped(_))));
    assert!(wipes.confirm(two.number, bob, now).await.is_err());
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
async fn a_user_takes_nothing_of_the_limit_from_others_and_what_is_ordered_is_ordered_once() {
    let world = World::start(json!({ "devices": { "wipes_per_hour": 1 } })).await;
    let now = (world.front.clock)();
    let wipes = &world.front.wipes;
    for device in ["a0", "a1"] {
        world.synced(ANN, device).await;
    }
    let (ann, account) = (key(ANN, "a1"), WipeKind::Account);
    let first = wipes.order(&ann, account, Hand::Owner(ANN), now).await.unwrap();
    for _ in 0..20 {
        let again = wipes.order(&ann, account, Hand::Owner(ANN), now).await.unwrap();
        assert_eq!(again.number, first.number, "it is the same order");
    }
    assert_eq!(wipes.orders(None).await.unwrap().len(), 1);
    assert_eq!(wipes.left(now).await.unwrap(), (1, 1), "the administrators' limit is untouched");
    // Nor does an administrator's click count twice, and it is seen that it is ordered already.
    let same = wipes.order(&ann, account, ADMIN, now).await.unwrap();
    assert_eq!((same.number, same.record.waits_for_second()), (first.number, false));
    let whole = wipes.order(&ann, WipeKind::Device, ADMIN, now).await.unwrap();
    assert!(!whole.record.needs_second, "the first of the administrators' own");
    // A user does not have less erased than an administrator ordered.
    let less = wipes.order(&ann, account, Hand::Owner(ANN), now).await.unwrap();
    assert_eq!((less.number, less.record.kind), (whole.number, WipeKind::Device));
    let beyond = wipes.order(&key(ANN, "a0"), account, ADMIN, now).await.unwrap();
    assert!(beyond.record.waits_for_second(), "the administrators' limit");
    // The user's own order need not wait for that, and leaves it to whoever is to confirm it.
    let own = wipes.order(&key(ANN, "a0"), account, Hand::Owner(ANN), now).await.unwrap();
    assert!(own.number != beyond.number && !own.record.waits_for_second());
    assert!(wipes.orders(None).await.unwrap()[1].record.waits_for_second());
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_own_orders_have_a_limit_of_their_own() {
    let world = World::start(json!({ "devices": { "wipes_per_hour": 0 } })).await;
    let now = (world.front.clock)();
    let wipes = &world.front.wipes;
    let mut waits = Vec::new();
    for number in 0..11 {
        let device = format!("a{number}");
        world.synced(ANN, &device).await;
        let order = wipes.order(&key(ANN, &device), WipeKind::Account, Hand::Owner(ANN), now).await;
        waits.push(order.unwrap().record.waits_for_second());
    }
    assert_eq!(waits, [&[false; 10][..], &[true]].concat());
    world.synced(BOB, "b1").await;
    let bobs =
        wipes.order(&key(BOB, "b1"), WipeKind::Account, Hand::Owner(BOB), now).await.unwrap();
    assert!(!bobs.record.waits_for_second(), "another user's");
    let later = now.plus(std::time::Duration::from_secs(3601));
    world.synced(ANN, "late").await;
    let late =
        wipes.order(&key(ANN, "late"), WipeKind::Account, Hand::Owner(ANN), later).await.unwrap();
    assert!(!late.record.waits_for_second(), "an hour later");
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_was_forgotten_and_came_again_is_told_of_an_order_that_is_open() {
    let world = World::start(json!({})).await;
    let now = (world.front.clock)();
    let wipes = &world.front.wipes;
    world.synced(ANN, "a1").await;
    let first = wipes.order(&key(ANN, "a1"), WipeKind::Account, ADMIN, now).await.unwrap();
    world.front.store.remove_device(&key(ANN, "a1")).await.unwrap();
    let mut phone = world.synced(ANN, "a1").await;
    let again = wipes.order(&key(ANN, "a1"), WipeKind::Account, ADMIN, now).await.unwrap();
    assert_eq!(again.number, first.number);
    assert!(matches!(phone.folder_sync().await, Err(Error::Wiped(_))));
    assert!(wipes.orders(None).await.unwrap()[0].record.acknowledged.is_some());
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_called_off_wipes_nothing_and_a_new_one_takes_an_olds_place() {
    let world = World::start(json!({ "devices": { "wipes_per_hour": 3 } })).await;
    let now = (world.front.clock)();
    let wipes = &world.front.wipes;
    let mut phone = world.synced(ANN, "a1").await;
    let order = wipes.order(&key(ANN, "a1"), WipeKind::Device, ADMIN, now).await.unwrap();
    wipes.cancel(order.number, "admin", now).await.unwrap();
    phone.folder_sync().await.unwrap();
    wipes.order(&key(ANN, "a1"), WipeKind::Device, ADMIN, now).await.unwrap();
    wipes.order(&key(ANN, "a1"), WipeKind::Account, ADMIN, now).await.unwrap();
    // One that waits for somebody else takes nobody's place.
    wipes.order(&key(ANN, "a1"), WipeKind::Device, ADMIN, now).await.unwrap();
    let wiped = phone.folder_sync().await;
    assert!(matches!(wiped, Err(Error::Wiped(dme_eas::provision::Wipe::Account))), "{wiped:?}");
    let orders = wipes.orders(Some(&key(ANN, "a1"))).await.unwrap();
    let over: Vec<_> = orders.iter().map(|order| order.record.cancelled.is_some()).collect();
    assert_eq!(over, [false, false, true, true]);
    assert!(orders[0].record.waits_for_second() && orders[1].record.acknowledged.is_some());
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_and_its_device_change_together_or_not_at_all() {
    let world = World::start(json!({ "devices": { "wipes_per_hour": 0 } })).await;
    let (now, wipes) = ((world.front.clock)(), &world.front.wipes);
    let behind = Behind::Person(BOB.into());
    let bob = Administrator { name: "second", behind: &behind };
    for round in 0..20 {
        let id = format!("a{round}");
        let device = key(ANN, &id);
        world.synced(ANN, &id).await;
        let order = wipes.order(&device, WipeKind::Account, ADMIN, now).await.unwrap();
        // Confirmed by one and called off by another at the same moment, in whichever order.
        let confirm = wipes.confirm(order.number, bob, now);
        let cancel = wipes.cancel(order.number, "admin", now);
        let (confirmed, cancelled) = tokio::join!(confirm, cancel);
        assert!(cancelled.is_ok(), "{cancelled:?}");
        let wipe = world.record(ANN, &id).await.wipe;
        assert_eq!(wipe, Wipe::None, "called off, and yet to be told: {confirmed:?}");
    }
    // What cannot be told to any device is not confirmed.
    let device = key(ANN, "a0");
    let order = wipes.order(&device, WipeKind::Account, ADMIN, now).await.unwrap();
    world.front.store.remove_device(&device).await.unwrap();
    let confirmed = wipes.confirm(order.number, bob, now).await;
    assert!(matches!(confirmed, Err(dme_store::Error::NotFound(_))), "{confirmed:?}");
    assert!(wipes.order_of(order.number).await.unwrap().record.waits_for_second());
    world.server.stop().await;
}
