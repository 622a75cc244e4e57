//! Devices as another store has them.

use crate::databases::{Place, on_each_database};
use dme_model::Timestamp;
use dme_store::{
    Admission, Applied, Decider, Decision, Device, Held, Hold, Order, Policy, PolicyKey,
    PolicyReply, Waiting, Wipe, WipeKind,
};
use dme_sync::DeviceKey;

on_each_database![
    a_device_is_copied_whole_in_the_place_of_what_was_known,
    what_a_device_does_while_it_is_copied_is_not_lost,
];

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// As the release that first copied devices writes one that was never decided of.
const PLAIN: &str = concat!(
    r#"{"key":{"user":"ann@x","device":"1"},"device_type":"iPhone","user_agent":"Apple/1","#,
    r#""protocol":"16.1","first_seen":1800000000000,"last_seen":1800000000000,"#,
    r#""admission":"quarantined","policy":{"pending":null,"acknowledged":null},"#,
    r#""wipe":{"state":"none"},"information":"{}"}"#
);

/// And one of which all is known.
const FULL: &str = concat!(
    r#"{"key":{"user":"ann@x","device":"1"},"device_type":"Android","user_agent":"Mail/7","#,
    r#""protocol":"14.1","first_seen":1800000000000,"last_seen":1800000000000,"#,
    r#""admission":"allowed","policy":{"pending":{"key":2,"revision":7},"#,
    r#""acknowledged":{"key":1,"revision":6},"#,
    r#""reply":{"revision":6,"applied":"fully","at":1800000000000}},"#,
    r#""wipe":{"state":"sent","kind":"account","at":1800000000000},"#,
    r#""information":"{\"model\":\"Pixel\"}","notice_sent":1800000000000,"#,
    r#""decision":{"by":{"rules":"byod"},"reason":"fits","at":1800000000000},"#,
    r#""hold":{"held":{"blocked":{"before":"allowed"}},"rule":"loop","reason":"same key","#,
    r#""since":1800000000000},"waiting":[{"number":4,"#,
    r#""order":{"resync_item":{"folder":3,"item":"9"}},"by":"admin","at":1800000000000}]}"#
);

fn plain() -> Device {
    Device {
        key: DeviceKey { user: "ann@x".into(), device: "1".into() },
        device_type: "iPhone".into(),
        user_agent: "Apple/1".into(),
        protocol: "16.1".into(),
        first_seen: NOW,
        last_seen: NOW,
        admission: Admission::Quarantined,
        policy: Policy::default(),
        wipe: Wipe::None,
        information: "{}".into(),
        notice_sent: None,
        decision: None,
        hold: None,
        waiting: Vec::new(),
    }
}

fn full() -> Device {
    let reply = PolicyReply { revision: 6, applied: Applied::Fully, at: NOW };
    let order = Order::ResyncItem { folder: 3, item: "9".into() };
    Device {
        device_type: "Android".into(),
        user_agent: "Mail/7".into(),
        protocol: "14.1".into(),
        admission: Admission::Allowed,
        policy: Policy {
            pending: Some(PolicyKey { key: 2, revision: 7 }),
            acknowledged: Some(PolicyKey { key: 1, revision: 6 }),
            reply: Some(reply),
        },
        wipe: Wipe::Sent { kind: WipeKind::Account, at: NOW },
        information: r#"{"model":"Pixel"}"#.into(),
        notice_sent: Some(NOW),
        decision: Some(Decision {
            by: Decider::Rules(Some("byod".into())),
            reason: "fits".into(),
            at: NOW,
        }),
        hold: Some(Hold {
            held: Held::Blocked { before: Admission::Allowed },
            rule: "loop".into(),
            reason: "same key".into(),
            since: NOW,
        }),
        waiting: vec![Waiting { number: 4, order, by: "admin".into(), at: NOW }],
        ..plain()
    }
}

#[test]
fn a_device_is_written_for_other_stores_as_ever() {
    for (device, written) in [(plain(), PLAIN), (full(), FULL)] {
        assert_eq!(serde_json::to_string(&device).unwrap(), written);
        assert_eq!(serde_json::from_str::<Device>(written).unwrap(), device);
    }
    let newer = FULL.replace(r#""key":{"user""#, r#""new":1,"key":{"user""#);
    assert_eq!(serde_json::from_str::<Device>(&newer).unwrap(), full());
}

async fn a_device_is_copied_whole_in_the_place_of_what_was_known(place: Place) {
    let store = place.open().await;
    let other = Device { key: DeviceKey { user: "ann@x".into(), device: "2".into() }, ..plain() };
    store.copy_device(&other, |_, other| other).await.unwrap();
    let later = Device { first_seen: Timestamp::from_seconds(9), last_seen: NOW, ..plain() };
    for device in [full(), later, full()] {
        store.copy_device(&device, |_, other| other).await.unwrap();
        assert_eq!(store.device(&device.key).await.unwrap(), Some(device.clone()));
        assert_eq!(store.devices(None).await.unwrap(), [device, other.clone()]);
    }
}

async fn what_a_device_does_while_it_is_copied_is_not_lost(place: Place) {
    let store = place.open().await;
    let key = plain().key;
    assert!(store.copy_device(&plain(), |_, other| other).await.unwrap(), "it is new");
    let keeps = |known: &Device, other| Device { policy: known.policy, ..other };
    let acknowledges = async {
        for acknowledged in 1..=40 {
            let key_given = Some(PolicyKey { key: acknowledged, revision: 7 });
            let policy = Policy { acknowledged: key_given, ..Policy::default() };
            store.set_policy(&key, &policy).await.unwrap();
            let held = store.known_device(&key).await.unwrap().policy;
            assert_eq!(held, policy, "as it was acknowledged last");
        }
    };
    let copies = async {
        for number in 0..40 {
            let other = Device { user_agent: format!("Apple/{number}"), ..plain() };
            assert!(store.copy_device(&other, keeps).await.unwrap());
            assert!(!store.copy_device(&other, keeps).await.unwrap(), "it is so already");
        }
    };
    tokio::join!(acknowledges, copies);
}
