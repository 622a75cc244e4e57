//! Phones that misbehave.

use crate::world::{ADMIN, ANN, World, admin, key};
use dme_model::{Secret, Span};
use dme_phone::{Error, Loss};
use dme_policy::{Act, Behaviour, BehaviourRule, BehaviourRules};
use dme_store::{Admission, Held};
use serde_json::json;
use std::time::Duration;

async fn world(counts: Behaviour, threshold: u32, then: Act) -> World {
    let world = World::start(json!({})).await;
    let within = Span::seconds(86_400);
    let rule = BehaviourRule { name: "rule".into(), counts, threshold, within, then };
    let rules = BehaviourRules { rules: vec![rule] };
    let now = (world.front.clock)();
    world.front.behaviours.set_rules(&rules, &admin(0), now).await.unwrap();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_loops_is_slowed_down_alone_until_it_is_released() {
    let world = world(Behaviour::RepeatedKey, 3, Act::Slow(Span::seconds(600))).await;
    let mut phone = world.synced(ANN, "a1").await;
    let mut other = world.synced(ANN, "a2").await;
    let inbox = phone.inbox().unwrap();
    world.deliver(ANN, "hello");
    for _ in 0..4 {
        phone.client.lose_next(Loss::Answer);
        assert!(matches!(phone.sync(&inbox).await, Err(Error::AnswerDropped)));
    }
    phone.longest_pause = Duration::ZERO;
    match phone.sync(&inbox).await {
        Err(Error::Http { status: 503, retry_after, .. }) => {
            assert!(retry_after.is_some_and(|after| after <= Duration::from_secs(60)));
        }
        other => panic!("{other:?}"),
    }
    let hold = world.record(ANN, "a1").await.hold.unwrap();
    assert!(matches!(hold.held, Held::Slowed { .. }));
    assert_eq!(hold.reason, "it came with the same sync key more than 3 times in 1d");
    other.folder_sync().await.unwrap();

    let now = (world.front.clock)();
    world.front.behaviours.release(&key(ANN, "a1"), "admin", now).await.unwrap();
    assert_eq!(phone.sync(&inbox).await.unwrap().added, 1);
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_is_blocked_for_it_stays_out_until_it_is_released_but_is_told_to_wipe() {
    let world = world(Behaviour::Requests, 4, Act::Block).await;
    let mut phone = world.synced(ANN, "a1").await;
    while phone.folder_sync().await.is_ok() {}
    let record = world.record(ANN, "a1").await;
    assert_eq!(record.admission, Admission::Blocked);
    assert!(matches!(record.hold.unwrap().held, Held::Blocked { before: Admission::Allowed }));
    let now = (world.front.clock)();
    let released = world.front.behaviours.release(&key(ANN, "a1"), "admin", now).await.unwrap();
    assert_eq!((released.admission, released.hold), (Admission::Allowed, None));
    phone.folder_sync().await.unwrap();
    while phone.folder_sync().await.is_ok() {}
    let kind = dme_store::WipeKind::Device;
    world.front.wipes.order(&key(ANN, "a1"), kind, ADMIN, now).await.unwrap();
    let wiped = phone.folder_sync().await;
    assert!(matches!(wiped, Err(Error::Wiped(_))), "{wiped:?}");
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_are_told_of_and_a_device_that_never_was_is_none() {
    let world = world(Behaviour::WrongPassword, 2, Act::Tell).await;
    let mut phone = world.synced(ANN, "a1").await;
    for device in ["a1", "never"] {
        let mut stranger = world.phone(ANN, device);
        for number in 0..4 {
            stranger.client.account.password = Secret::new(format!("wrong{number}"));
            assert!(stranger.folder_sync().await.is_err());
        }
    }
    let record = world.record(ANN, "a1").await;
    assert!(matches!(record.hold.unwrap().held, Held::Told));
    phone.folder_sync().await.unwrap();
    let all = world.front.store.devices(None).await.unwrap();
    assert_eq!(all.len(), 1);
    world.server.stop().await;
}
