//! Levels of policy, down to the phone.

use crate::world::{ANN, BOB, World, admin, key, provision};
use dme_eas::provision::Applied;
use dme_phone::Woken;
use dme_policy::{Condition, Group, Level, Levels, Rules, Setting, Value};
use dme_server::policies::{Compliance, Push};
use serde_json::json;
use std::time::Duration;

const REQUIRED: &str = r#"{"policy": {"mode": "required", "password_length": 4}}"#;

async fn world() -> World {
    World::start(serde_json::from_str(REQUIRED).unwrap()).await
}

fn length(value: u32) -> Rules {
    serde_json::from_value(json!({ "MinDevicePasswordLength": { "value": value } })).unwrap()
}

/// Those of the directory group `sales` have longer codes.
fn sales(value: u32) -> Levels {
    let members = Condition { group: vec!["sales".into()], ..Condition::default() };
    let group = Group { name: "sellers".into(), members, settings: length(value) };
    Levels { groups: vec![group], ..Levels::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_for_a_group_reaches_its_phones_and_no_others() {
    let world = world().await;
    let mut ann = world.synced(ANN, "a1").await;
    let mut bob = world.synced(BOB, "b1").await;
    assert_eq!((ann.events.provisioned, bob.events.provisioned), (1, 1));
    let now = (world.front.clock)();
    let policies = &world.front.policies;
    let preview = policies.preview(&sales(9)).await.unwrap();
    let concerned: Vec<_> = preview.changed.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!((concerned, preview.untouched), (vec![key(ANN, "a1")], 1));
    assert_eq!(preview.changed[0].1[0].after, Value::Number(9));

    let set = policies.set_levels(&sales(9), &admin(0), Push::NextContact, now).await.unwrap();
    assert_eq!(set, (1, vec![key(ANN, "a1")]));
    assert_eq!(policies.compliance(&world.record(ANN, "a1").await), Compliance::Pending);
    ann.folder_sync().await.unwrap();
    bob.folder_sync().await.unwrap();
    assert_eq!((ann.events.provisioned, bob.events.provisioned), (2, 1));
    assert_eq!(policies.compliance(&world.record(ANN, "a1").await), Compliance::Compliant);
    let given = provision(&mut ann, Applied::Fully).await.unwrap();
    assert_eq!(given.min_password_length, Some(9));
    let given = provision(&mut bob, Applied::Fully).await.unwrap();
    assert_eq!(given.min_password_length, Some(4));

    let effective = policies.effective(&key(ANN, "a1")).await.unwrap();
    let settled = &effective.settings[&Setting::MinDevicePasswordLength];
    assert_eq!(settled.from, Level::Group("sellers".into()));
    assert_eq!(settled.overridden[0].level, Level::Configuration);
    let late = policies.set_levels(&sales(8), &admin(0), Push::NextContact, now).await;
    assert!(late.unwrap_err().to_string().contains("read it again"));
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_is_pushed_to_waiting_phones_at_once_and_outlasts_the_server() {
    let world = world().await;
    let mut ann = world.synced(ANN, "a1").await;
    let inbox = ann.inbox().unwrap();
    let watched = [&*inbox];
    let now = (world.front.clock)();
    let policies = &world.front.policies;
    let pushed = async {
        world.server.parked(1, Duration::from_secs(20)).await.unwrap();
        let push = Push::Now;
        let own = length(12);
        policies.set_device_level(&key(ANN, "a1"), &own, &admin(0), push, now).await.unwrap()
    };
    let (woken, revision) = tokio::join!(ann.ping(&watched, Duration::from_secs(3000)), pushed);
    assert_eq!((woken.unwrap(), revision), (Woken::Expired, 1));
    ann.folder_sync().await.unwrap();
    assert_eq!(ann.events.provisioned, 2);

    let world = world.restart(serde_json::from_str(REQUIRED).unwrap()).await;
    let mut again = world.phone(ANN, "a1");
    let given = provision(&mut again, Applied::Fully).await.unwrap();
    assert_eq!(given.min_password_length, Some(12));
    let own = world.front.policies.device_level(&key(ANN, "a1"));
    assert_eq!((own.revision, own.author.as_str()), (1, "admin"));
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_applies_the_policy_partly_or_not_is_known_for_it() {
    let world = world().await;
    let policies = &world.front.policies;
    let mut ann = world.phone(ANN, "a1");
    provision(&mut ann, Applied::Partly).await.unwrap();
    ann.folder_sync().await.unwrap();
    assert_eq!(policies.compliance(&world.record(ANN, "a1").await), Compliance::Partial);
    assert_eq!(provision(&mut ann, Applied::Not).await, Err(139));
    assert_eq!(policies.compliance(&world.record(ANN, "a1").await), Compliance::Refused);
    let off = serde_json::from_value(json!({ "Enforcement": { "value": "off" } })).unwrap();
    let levels = Levels { default: off, ..Levels::default() };
    let now = (world.front.clock)();
    policies.set_levels(&levels, &admin(0), Push::NextContact, now).await.unwrap();
    assert_eq!(policies.compliance(&world.record(ANN, "a1").await), Compliance::NotAsked);
    ann.folder_sync().await.unwrap();
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_that_a_level_above_forbids_is_refused_with_the_way_to_mend_it() {
    let world = world().await;
    world.synced(ANN, "a1").await;
    let policies = &world.front.policies;
    let now = (world.front.clock)();
    let bounds =
        json!({ "MinDevicePasswordLength": { "value": 6, "bounds": { "range": { "least": 6 } } } });
    let default = serde_json::from_value(bounds).unwrap();
    let levels = Levels { default, ..Levels::default() };
    policies.set_levels(&levels, &admin(0), Push::NextContact, now).await.unwrap();
    let push = Push::NextContact;
    let own = policies.set_device_level(&key(ANN, "a1"), &length(5), &admin(0), push, now).await;
    let told = own.unwrap_err().to_string();
    assert!(told.contains("set by the default level: at least 6"), "{told}");
    let nobody = policies.set_device_level(&key(ANN, "x"), &length(7), &admin(0), push, now).await;
    assert!(nobody.unwrap_err().to_string().contains("device x"));
    world.server.stop().await;
}
