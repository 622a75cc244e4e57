//! Rules of admission, as newcomers meet them.

use crate::world::{ANN, BOB, World, admin, key, tell};
use dme_policy::{AdmissionRule, AdmissionRules, Condition, Outcome};
use dme_store::{Admission, Decider};
use serde_json::json;

fn rule(name: &str, devices: Condition, then: Outcome) -> AdmissionRule {
    AdmissionRule { name: name.into(), devices, then }
}

fn blocked_models() -> AdmissionRules {
    let devices = Condition { model: vec!["Bad*".into()], ..Condition::default() };
    let then = Outcome::Block { reason: "too old".into() };
    AdmissionRules { rules: vec![rule("old", devices, then)], ..AdmissionRules::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_by_model_is_judged_when_the_device_has_told_its_model() {
    let world = World::start(json!({})).await;
    let now = (world.front.clock)();
    let admissions = &world.front.admissions;
    admissions.set_rules(&blocked_models(), &admin(0), now).await.unwrap();
    world.deliver(ANN, "hello");

    let mut good = world.synced(ANN, "good").await;
    let subjects = |phone: &dme_phone::Phone| -> Vec<String> {
        let inbox = phone.inbox().unwrap();
        phone.items(&inbox).unwrap().values().map(|mail| mail.subject.clone()).collect()
    };
    assert_eq!(subjects(&good), ["Your device is waiting to be approved"]);
    let record = world.record(ANN, "good").await;
    assert_eq!(record.admission, Admission::Quarantined);
    assert!(record.decision.unwrap().reason.contains("its model must be known"));
    tell(&mut good, "Good 1").await.unwrap();
    assert_eq!(world.record(ANN, "good").await.admission, Admission::Allowed);
    good.folder_sync().await.unwrap();
    let inbox = good.inbox().unwrap();
    good.sync(&inbox).await.unwrap();
    assert_eq!(subjects(&good), ["hello"]);

    let mut bad = world.synced(ANN, "bad").await;
    assert_eq!(tell(&mut bad, "Bad 3").await, Err(129));
    assert!(bad.folder_sync().await.is_err());
    let record = world.record(ANN, "bad").await;
    assert_eq!(record.decision.clone().unwrap().by, Decider::Rules(Some("old".into())));
    let why = admissions.explain(&record).to_string();
    assert_eq!(why, "block: too old, by the rule old");

    // What a person decides no rule changes.
    admissions.set(&key(ANN, "bad"), Admission::Allowed, "admin", now).await.unwrap();
    tell(&mut bad, "Bad 4").await.unwrap();
    assert_eq!(world.record(ANN, "bad").await.admission, Admission::Allowed);
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_go_by_directory_group_and_limit_a_users_devices() {
    let world = World::start(json!({ "devices": { "unknown": "refuse" } })).await;
    let now = (world.front.clock)();
    let sellers = Condition { group: vec!["sales".into()], ..Condition::default() };
    let rules = AdmissionRules {
        rules: vec![rule("sellers", sellers, Outcome::Allow)],
        otherwise: None,
        per_user: Some(1),
    };
    world.front.admissions.set_rules(&rules, &admin(0), now).await.unwrap();
    world.synced(ANN, "a1").await;
    assert!(world.phone(ANN, "a2").folder_sync().await.is_err(), "one is enough");
    assert!(world.phone(BOB, "b1").folder_sync().await.is_err(), "the configuration refuses");
    let late = world.front.admissions.set_rules(&rules, &admin(0), now).await;
    assert!(late.unwrap_err().to_string().contains("read it again"));
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_rules_can_be_tried_on_and_applied_to_devices_that_are_there() {
    let world = World::start(json!({})).await;
    let now = (world.front.clock)();
    let admissions = &world.front.admissions;
    let mut phone = world.synced(ANN, "a1").await;
    tell(&mut phone, "Bad 1").await.unwrap();
    let judged = admissions.preview(&blocked_models()).await.unwrap();
    assert_eq!((judged.len(), judged[0].device.as_str()), (1, "a1"));
    admissions.set_rules(&blocked_models(), &admin(0), now).await.unwrap();
    phone.folder_sync().await.unwrap();
    assert_eq!(admissions.reconsider_all(now).await.unwrap(), [key(ANN, "a1")]);
    assert!(phone.folder_sync().await.is_err());
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrators_are_told_of_a_quarantined_device_once() {
    let devices = json!({ "unknown": "quarantine", "administrators": [BOB] });
    let world = World::start(json!({ "devices": devices })).await;
    let mut notices = world.front.notices.subscribe();
    let mut phone = world.synced(ANN, "a1").await;
    let told = tokio::time::timeout(std::time::Duration::from_secs(20), notices.recv()).await;
    assert!(matches!(told.unwrap().unwrap(),
        dme_server::notices::Notice::Quarantined { device, .. } if device == key(ANN, "a1")));
    phone.folder_sync().await.unwrap();
    let mut sent = world.mail.sent();
    while sent.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        sent = world.mail.sent();
    }
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].recipients, [BOB]);
    let text = String::from_utf8_lossy(&sent[0].message).into_owned();
    assert!(text.contains("dme device allow ann@example.org a1"), "{text}");
    assert!(world.record(ANN, "a1").await.notice_sent.is_some());
    assert!(notices.try_recv().is_err(), "and no more");
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_device_tells_of_itself_is_kept_in_every_version() {
    use dme_eas::ProtocolVersion;
    use dme_server::inventory::Inventory;
    let world = World::start(json!({ "policy": { "mode": "required" } })).await;
    for version in ProtocolVersion::ALL {
        let id = format!("v{}", version.as_byte());
        let mut phone = world.phone(ANN, &id);
        phone.client.account.version = version;
        phone.device.imei = Some("490154203237518".into());
        phone.device.os_language = Some("en".into());
        phone.device.phone_number = Some("+1 555".into());
        phone.device.mobile_operator = Some("Net".into());
        phone.device.outbound_sms = Some(false);
        phone.folder_sync().await.unwrap();
        let record = world.record(ANN, &id).await;
        // From 14.1 on it comes with Provision, before that with Settings only.
        let by_provision = version >= ProtocolVersion::V14_1;
        assert_eq!(Inventory::of(&record).is_some(), by_provision, "{version}");
        if !by_provision {
            assert!(Inventory::lacking(&record).contains("by Settings"), "{version}");
        }
        tell(&mut phone, "Model 1").await.unwrap();
        let told = Inventory::of(&world.record(ANN, &id).await).unwrap();
        assert_eq!(told.model.as_deref(), Some("Model 1"), "{version}");
        assert_eq!(told.imei.as_deref(), Some("490154203237518"));
        assert_eq!(told.phone_number.as_deref(), Some("+1 555"));
        // What 12.1 has no elements for is not there.
        let newer = version >= ProtocolVersion::V14_0;
        assert_eq!(told.mobile_operator.is_some(), newer, "{version}");
        assert_eq!(told.outbound_sms, newer.then_some(false), "{version}");
    }
    world.server.stop().await;
}
