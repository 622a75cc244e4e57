//! The registry of devices and of users switched off.

use crate::databases::{Place, on_each_database};
use dme_model::{Timestamp, UserId};
use dme_store::{
    Admission, Decider, Decision, Device, DeviceFilter, Error, Held, Hold, MOST_USERS, Newcomers,
    Order, Policy, PolicyKey, RouteRecord, Seen, Sighting, Store, Waiting, Wipe, WipeKind, Wiping,
};
use dme_sync::{DeviceKey, Slot, StateStore};
use std::sync::Arc;
use std::time::Duration;

on_each_database![
    devices_that_come_at_once_are_no_more_than_a_user_may_have,
    a_new_device_is_entered_as_the_setting_says_and_stays_so,
    last_seen_is_written_once_a_minute_and_a_new_version_at_once,
    a_device_was_seen_elsewhere_unless_it_came_here_later,
    what_is_set_is_there,
    what_is_not_there_cannot_be_set,
    devices_are_listed_by_user,
    devices_are_found_by_each_condition_and_by_all_together,
    found_devices_are_counted_by_kind_and_state_and_given_by_the_page,
    a_device_is_changed_as_it_stands_and_a_refused_change_leaves_it,
    a_removed_device_is_forgotten_with_its_states,
    a_user_is_switched_off_and_on,
];

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn later(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

fn key(user: &str, device: &str) -> DeviceKey {
    DeviceKey { user: user.into(), device: device.into() }
}

fn iphone() -> Sighting {
    Sighting {
        device_type: "iPhone".into(),
        user_agent: "Apple-iPhone15C2/2101.1".into(),
        protocol: "16.1".into(),
    }
}

async fn see(
    store: &Store,
    phone: &DeviceKey,
    sighting: &Sighting,
    admission: Admission,
    now: Timestamp,
) -> Device {
    let newcomers = Newcomers { admission, decision: None, per_user: 20 };
    match store.see_device(phone, sighting, newcomers, now).await.unwrap() {
        Seen::Known(device) | Seen::New(device) => device,
        Seen::TooMany => panic!("{phone:?} is one too many"),
    }
}

async fn a_device_was_seen_elsewhere_unless_it_came_here_later(place: Place) {
    let store = place.open().await;
    let (phone, stranger) = (key("ann@x", "phone"), key("ann@x", "nobody's"));
    see(&store, &phone, &iphone(), Admission::Allowed, NOW).await;
    for (seen, last) in [(later(100), later(100)), (later(50), later(100))] {
        store.note_seen(&phone, seen).await.unwrap();
        assert_eq!(store.device(&phone).await.unwrap().unwrap().last_seen, last);
    }
    store.note_seen(&stranger, NOW).await.unwrap();
    assert_eq!(store.device(&stranger).await.unwrap(), None);
}

async fn devices_that_come_at_once_are_no_more_than_a_user_may_have(place: Place) {
    let store = place.open().await;
    let newcomers = Newcomers { admission: Admission::Allowed, decision: None, per_user: 3 };
    let come = |user: &'static str, number: usize| {
        let (store, newcomers) = (store.clone(), newcomers.clone());
        tokio::spawn(async move {
            let phone = key(user, &number.to_string());
            store.see_device(&phone, &iphone(), newcomers, NOW).await.unwrap()
        })
    };
    let all: Vec<_> = (0..20).map(|number| come("ann@x", number)).collect();
    let mut refused = 0;
    for seen in all {
        refused += usize::from(seen.await.unwrap() == Seen::TooMany);
    }
    let devices = store.devices(Some(&"ann@x".into())).await.unwrap();
    assert_eq!((devices.len(), refused), (3, 17));
    let again =
        store.see_device(&devices[0].key, &iphone(), newcomers.clone(), later(90)).await.unwrap();
    assert!(matches!(again, Seen::Known(_)), "one that is there may come again");
    assert!(
        matches!(come("bob@x", 0).await.unwrap(), Seen::New(_)),
        "and other users' are not counted"
    );
}

async fn a_new_device_is_entered_as_the_setting_says_and_stays_so(place: Place) {
    let store = place.open().await;
    let phone = key("ann@x", "1");
    let new = see(&store, &phone, &iphone(), Admission::Quarantined, NOW).await;
    assert_eq!(new.admission, Admission::Quarantined);
    assert_eq!((new.first_seen, new.last_seen), (NOW, NOW));
    assert_eq!((new.policy, new.wipe), (Policy::default(), Wipe::None));
    let again = see(&store, &phone, &iphone(), Admission::Allowed, later(1)).await;
    assert_eq!(again, new);
}

async fn last_seen_is_written_once_a_minute_and_a_new_version_at_once(place: Place) {
    let store = place.open().await;
    let phone = key("ann@x", "1");
    let come = |sighting: Sighting, at| {
        let (store, phone) = (store.clone(), phone.clone());
        async move { see(&store, &phone, &sighting, Admission::Allowed, at).await }
    };
    come(iphone(), NOW).await;
    assert_eq!(come(iphone(), later(59)).await.last_seen, NOW);
    assert_eq!(come(iphone(), later(60)).await.last_seen, later(60));
    let updated = Sighting { protocol: "14.1".into(), ..iphone() };
    let device = come(updated, later(61)).await;
    assert_eq!((device.protocol.as_str(), device.last_seen), ("14.1", later(61)));
    assert_eq!(device.first_seen, NOW);
}

async fn set_wipe(store: &Store, key: &DeviceKey, wipe: Wipe) -> dme_store::Result<()> {
    let set = move |wiping: &mut Wiping| {
        wiping.wipe = Some(wipe);
        Ok(())
    };
    store.change_wiping(key, set).await
}

async fn what_is_set_is_there(place: Place) {
    let store = place.open().await;
    let phone = key("ann@x", "1");
    see(&store, &phone, &iphone(), Admission::Allowed, NOW).await;
    let policy = Policy {
        pending: Some(PolicyKey { key: 2, revision: 7 }),
        acknowledged: Some(PolicyKey { key: 1, revision: 6 }),
        reply: None,
    };
    let wipe = Wipe::Requested { kind: WipeKind::Account, at: later(5) };
    store.set_policy(&phone, &policy).await.unwrap();
    set_wipe(&store, &phone, wipe).await.unwrap();
    store.set_information(&phone, r#"{"Model":"iPhone15,3"}"#).await.unwrap();
    let told = |device: &mut Device| {
        device.admission = Admission::Blocked;
        device.notice_sent = Some(later(6));
        Ok(())
    };
    store.change_device(&phone, told).await.unwrap();
    let device = store.device(&phone).await.unwrap().unwrap();
    assert_eq!(device.admission, Admission::Blocked);
    assert_eq!(device.policy, policy);
    assert_eq!(device.wipe, wipe);
    assert_eq!(device.information, r#"{"Model":"iPhone15,3"}"#);
    assert_eq!(device.notice_sent, Some(later(6)));
}

async fn what_is_not_there_cannot_be_set(place: Place) {
    let store = place.open().await;
    let nobody = key("ann@x", "none");
    assert_eq!(store.device(&nobody).await.unwrap(), None);
    let changed = store.change_device(&nobody, |_| Ok(())).await;
    assert!(matches!(changed, Err(Error::NotFound(_))));
    let set = set_wipe(&store, &nobody, Wipe::None).await;
    assert!(matches!(set, Err(Error::NotFound(_))));
    assert!(matches!(store.remove_device(&nobody).await, Err(Error::NotFound(_))));
}

async fn devices_are_listed_by_user(place: Place) {
    let store = place.open().await;
    for (user, device) in [("bob@x", "3"), ("ann@x", "2"), ("ann@x", "1")] {
        let phone = key(user, device);
        see(&store, &phone, &iphone(), Admission::Allowed, NOW).await;
    }
    let keys = |devices: Vec<dme_store::Device>| {
        devices.into_iter().map(|device| device.key).collect::<Vec<_>>()
    };
    let all = keys(store.devices(None).await.unwrap());
    assert_eq!(all, [key("ann@x", "1"), key("ann@x", "2"), key("bob@x", "3")]);
    let anns = keys(store.devices(Some(&"ann@x".into())).await.unwrap());
    assert_eq!(anns, [key("ann@x", "1"), key("ann@x", "2")]);
}

async fn a_removed_device_is_forgotten_with_its_states(place: Place) {
    let store = place.open().await;
    let phone = key("ann@x", "1");
    see(&store, &phone, &iphone(), Admission::Blocked, NOW).await;
    store.save(&phone, Slot::Hierarchy, b"state".to_vec()).await.unwrap();
    store.remove_device(&phone).await.unwrap();
    assert_eq!(store.device(&phone).await.unwrap(), None);
    assert_eq!(store.load(&phone, Slot::Hierarchy).await.unwrap(), None);
}

async fn a_user_is_switched_off_and_on(place: Place) {
    let store = place.open().await;
    let ann = "ann@x".into();
    assert!(!store.is_disabled(&ann).await.unwrap());
    store.disable_user(&ann, NOW).await.unwrap();
    store.disable_user(&ann, later(5)).await.unwrap();
    assert!(store.is_disabled(&ann).await.unwrap());
    assert_eq!(store.disabled_users().await.unwrap(), [(ann.clone(), NOW)]);
    store.enable_user(&ann).await.unwrap();
    assert!(!store.is_disabled(&ann).await.unwrap());
}

async fn a_device_is_changed_as_it_stands_and_a_refused_change_leaves_it(place: Place) {
    let store = place.open().await;
    let phone = key("ann@x", "1");
    see(&store, &phone, &iphone(), Admission::Allowed, NOW).await;
    let hold = Hold {
        held: Held::Slowed { until: later(60) },
        rule: "loop".into(),
        reason: "it came with the same sync key".into(),
        since: NOW,
    };
    let waiting = Waiting { number: 1, order: Order::ResyncFolder(3), by: "admin".into(), at: NOW };
    let decision = Decision { by: Decider::Person("admin".into()), reason: String::new(), at: NOW };
    let set = (hold.clone(), waiting.clone(), decision.clone());
    let (changed, answer) = store
        .change_device(&phone, move |device| {
            device.hold = Some(set.0.clone());
            device.waiting.push(set.1.clone());
            device.decision = Some(set.2.clone());
            device.admission = Admission::Quarantined;
            Ok(device.waiting.len())
        })
        .await
        .unwrap();
    assert_eq!(answer, 1);
    let device = store.device(&phone).await.unwrap().unwrap();
    assert_eq!(device, changed);
    assert_eq!((device.hold, device.waiting), (Some(hold), vec![waiting]));
    assert_eq!((device.decision, device.admission), (Some(decision), Admission::Quarantined));
    let refused = store.change_device(&phone, |device| {
        device.waiting.clear();
        Err::<(), _>(Error::Refused("no".into()))
    });
    assert!(matches!(refused.await, Err(Error::Refused(_))));
    assert_eq!(store.device(&phone).await.unwrap().unwrap().waiting.len(), 1);
}

/// Three phones of two users, of which one is told of.
async fn three_phones(store: &Store) {
    let pixel = Sighting {
        device_type: "Android".into(),
        user_agent: "Android-Mail/7".into(),
        protocol: "14.1".into(),
    };
    let (iphone, android) = (iphone(), pixel);
    for (user, id, sighting, admission, at) in [
        ("ann@x", "A1", &iphone, Admission::Allowed, later(0)),
        ("ann@x", "A2", &android, Admission::Quarantined, later(100)),
        ("bob_1@x", "B%", &android, Admission::Blocked, later(200)),
    ] {
        see(store, &key(user, id), sighting, admission, at).await;
    }
    let told = concat!(
        r#"{"model":"Pixel 9","imei":null,"friendly_name":"Bob's!","os":"Android 16","#,
        r#""phone_number":"1","outbound_sms":true,"mobile_operator":null}"#
    );
    store.set_information(&key("bob_1@x", "B%"), told).await.unwrap();
    let wipe = Wipe::Requested { kind: WipeKind::Account, at: NOW };
    set_wipe(store, &key("ann@x", "A1"), wipe).await.unwrap();
    let hold = Hold { held: Held::Told, rule: "loop".into(), reason: "x".into(), since: NOW };
    let held = move |device: &mut Device| {
        device.hold = Some(hold.clone());
        Ok(())
    };
    store.change_device(&key("ann@x", "A2"), held).await.unwrap();
    let route = RouteRecord {
        function: dme_model::Function::Mail,
        home: None,
        serving: "paris".into(),
        since: NOW,
        why: String::new(),
    };
    store.put_routes(&"ann@x".into(), vec![route]).await.unwrap();
}

async fn devices_are_found_by_each_condition_and_by_all_together(place: Place) {
    let store = place.open().await;
    three_phones(&store).await;
    let text = |text: &str| DeviceFilter { text: Some(text.into()), ..DeviceFilter::default() };
    let all = DeviceFilter::default;
    // Of these users, and of so many others.
    let of = |users: &[&str], others: usize| {
        let others = (0..others).map(|number| UserId::from(format!("other{number}@x")));
        let users = users.iter().map(|user| UserId::from(*user)).chain(others);
        DeviceFilter { users: Some(Arc::new(users.collect())), ..all() }
    };
    for (filter, expected) in [
        // Those that came last are first.
        (all(), &["B%", "A2", "A1"][..]),
        (DeviceFilter { user: Some("ann@x".into()), ..all() }, &["A2", "A1"]),
        (of(&["ann@x"], 0), &["A2", "A1"]),
        (of(&["ann@x", "bob_1@x"], 1), &["B%", "A2", "A1"]),
        (of(&[], 0), &[]),
        (of(&["bob_1@x"], MOST_USERS - 1), &["B%"]),
        (DeviceFilter { kind: Some("iPhone".into()), ..of(&["ann@x"], 700) }, &["A1"]),
        (DeviceFilter { admission: Some(Admission::Blocked), ..all() }, &["B%"]),
        (DeviceFilter { wipe: Some("requested".into()), ..all() }, &["A1"]),
        (DeviceFilter { wipe: Some("none".into()), ..all() }, &["B%", "A2"]),
        (DeviceFilter { wipe: Some("NONE".into()), ..all() }, &[]),
        (DeviceFilter { kind: Some("Android".into()), ..all() }, &["B%", "A2"]),
        (DeviceFilter { protocol: Some("14.1".into()), ..all() }, &["B%", "A2"]),
        (DeviceFilter { protocol: Some("14".into()), ..all() }, &[]),
        (DeviceFilter { os: Some("ANDROID".into()), ..all() }, &["B%"]),
        (DeviceFilter { os: Some("16".into()), ..all() }, &[]),
        (DeviceFilter { connector: Some("paris".into()), ..all() }, &["A2", "A1"]),
        (DeviceFilter { seen_from: Some(later(100)), ..all() }, &["B%", "A2"]),
        (DeviceFilter { seen_until: Some(later(100)), ..all() }, &["A1"]),
        (DeviceFilter { held: true, ..all() }, &["A2"]),
        (text("pixel"), &["B%"]),
        (text("Bob's"), &["B%"]),
        (text("ANN@"), &["A2", "A1"]),
        // The names of what is told are not sought in, nor what is between and in place of texts.
        (text("phone"), &["A1"]),
        (text("null"), &[]),
        (text("ul"), &[]),
        (text("rue,"), &[]),
        (text(":n"), &[]),
        (text(":"), &[]),
        (text(","), &[]),
        (text("}"), &[]),
        (text("{}"), &[]),
        (text(":t"), &[]),
        // Signs stand for themselves.
        (text("%"), &["B%"]),
        (text("b_1"), &["B%"]),
        (text("_"), &["B%"]),
        (text("!"), &["B%"]),
        (text("!o"), &[]),
        (text("\\"), &[]),
        (
            DeviceFilter {
                held: true,
                connector: Some("paris".into()),
                admission: Some(Admission::Quarantined),
                ..text("android")
            },
            &["A2"],
        ),
    ] {
        let found = store.find_devices(&filter, 0, 10).await.unwrap();
        let found: Vec<&str> = found.iter().map(|one| one.key.device.as_str()).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

async fn found_devices_are_counted_by_kind_and_state_and_given_by_the_page(place: Place) {
    let store = place.open().await;
    three_phones(&store).await;
    let all = DeviceFilter::default();
    let count = |kind: &str, admission| (kind.to_owned(), admission, 1);
    let expected = [
        count("Android", Admission::Blocked),
        count("Android", Admission::Quarantined),
        count("iPhone", Admission::Allowed),
    ];
    assert_eq!(store.count_devices(&all).await.unwrap(), expected);
    let blocked = DeviceFilter { admission: Some(Admission::Blocked), ..all.clone() };
    assert_eq!(store.count_devices(&blocked).await.unwrap(), expected[..1]);
    assert_eq!(store.count_device_owners().await.unwrap(), 2);
    for (after, limit, expected) in [(0, 2, &["B%", "A2"][..]), (2, 2, &["A1"]), (3, 2, &[])] {
        let page = store.find_devices(&all, after, limit).await.unwrap();
        let page: Vec<&str> = page.iter().map(|one| one.key.device.as_str()).collect();
        assert_eq!(page, expected);
    }
    let (ann, bob) = (("ann@x".to_owned(), 2), ("bob_1@x".to_owned(), 1));
    assert_eq!(store.device_owners().await.unwrap(), [ann.clone(), bob.clone()]);
    assert_eq!(store.find_device_owners("B_", 0, 10).await.unwrap(), (vec![bob], 1));
    assert_eq!(store.find_device_owners("@x", 0, 1).await.unwrap(), (vec![ann], 2));
}
