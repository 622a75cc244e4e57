//! What users make for themselves holds for one device, once, and for its time.

use crate::databases::{Place, on_each_database};
use dme_model::{DeviceId, Timestamp, UserId};
use dme_store::{Acceptance, Invitation, NewCertificate};
use dme_sync::DeviceKey;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

on_each_database![
    a_password_is_of_the_first_device_that_shows_it,
    a_certificate_is_of_the_first_device_that_shows_it_and_stays_for_the_record,
    an_invitation_is_looked_at_often_and_used_once_in_its_time,
    each_version_of_the_terms_is_accepted_by_itself,
];

async fn a_password_is_of_the_first_device_that_shows_it(place: Place) {
    let store = place.open().await;
    let ann = UserId::from("ann@example.org");
    let put = async |hash: &str| {
        store.put_device_password(&ann, hash, "my phone", 2, at(1)).await.unwrap()
    };
    assert_eq!((put("h1").await, put("h2").await, put("h3").await), (Some(1), Some(2), None));
    let shown = async |hash: &str, device: Option<&str>| {
        let device = device.map(DeviceId::from);
        store.device_password_owner(hash, device.as_ref(), at(7)).await.unwrap()
    };
    let anns = Some(ann.clone());
    assert_eq!(shown("none", Some("phone")).await, None);
    assert_eq!(shown("h1", None).await, anns, "what names no device binds nothing");
    assert_eq!(shown("h1", Some("phone")).await, anns);
    assert_eq!(shown("h1", Some("tablet")).await, None);
    assert_eq!(shown("h1", Some("phone")).await, anns);
    let [first, second] = &store.device_passwords(&ann).await.unwrap()[..] else { panic!() };
    assert_eq!((first.device.clone(), &second.device), (Some(("phone".into(), at(7))), &None));
    store.revoke_device_password(&ann, second.number).await.unwrap();
    assert!(store.revoke_device_password(&ann, second.number).await.is_err());
    let key = DeviceKey { user: ann.clone(), device: "phone".into() };
    store.label_device(&key, "old").await.unwrap();
    store.label_device(&key, "new").await.unwrap();
    assert_eq!(store.device_labels(&ann).await.unwrap()[&key.device], "new");
    store.disown_device(&key, at(8)).await.unwrap();
    assert_eq!(shown("h1", Some("phone")).await, None);
    assert!(store.device_labels(&ann).await.unwrap().is_empty());
}

async fn a_certificate_is_of_the_first_device_that_shows_it_and_stays_for_the_record(place: Place) {
    let store = place.open().await;
    let ann = UserId::from("ann@example.org");
    let put = async |fingerprint: &str, made: i64| {
        let new = NewCertificate {
            fingerprint: fingerprint.into(),
            serial: "0a".into(),
            label: "my phone".into(),
            made: at(made),
            ends: at(made + 100),
        };
        store.put_device_certificate(&ann, new, 2).await.unwrap()
    };
    assert_eq!(
        (put("f1", 1).await, put("f2", 2).await, put("f3", 3).await),
        (Some(1), Some(2), None)
    );
    let shown = async |fingerprint: &str| store.device_certificate(fingerprint).await.unwrap();
    assert_eq!(shown("f3").await, None);
    let first = shown("f1").await.unwrap();
    let (phone, tablet) = (DeviceId::from("phone"), DeviceId::from("tablet"));
    for (device, is_its) in [(&phone, true), (&tablet, false), (&phone, true)] {
        // Also where both asked before either was bound.
        assert_eq!(store.bind_device_certificate(&first, device, at(7)).await.unwrap(), is_its);
    }
    assert_eq!(shown("f1").await.unwrap().device, Some((phone.clone(), at(7))));
    assert!(store.notice_device_certificate(&ann, 1, at(8)).await.unwrap());
    assert!(!store.notice_device_certificate(&ann, 1, at(9)).await.unwrap(), "once");
    store.revoke_device_certificate(&ann, 2, at(10)).await.unwrap();
    assert!(store.revoke_device_certificate(&ann, 2, at(10)).await.is_err());
    let key = DeviceKey { user: ann.clone(), device: phone };
    store.disown_device(&key, at(11)).await.unwrap();
    assert_eq!(shown("f1").await.unwrap().revoked, Some(at(11)));
    assert_eq!(shown("f2").await.unwrap().revoked, Some(at(10)));
    assert!(store.device_certificates(&ann).await.unwrap().is_empty());
    // What was taken back, or has ended, counts no more; its number is not given again.
    assert_eq!((put("f4", 50).await, put("f5", 51).await), (Some(3), Some(4)));
    assert_eq!(put("f6", 300).await, Some(5));
    store.expire_device_certificates(at(200)).await.unwrap();
    assert_eq!((shown("f1").await, shown("f4").await), (None, None));
    assert!(shown("f6").await.is_some());
}

async fn an_invitation_is_looked_at_often_and_used_once_in_its_time(place: Place) {
    let store = place.open().await;
    let invitation = Invitation {
        user: "ann@example.org".into(),
        label: "my phone".into(),
        with_password: true,
        with_certificate: false,
        expires: at(100),
    };
    store.put_invitation("a", &invitation, at(1)).await.unwrap();
    store.put_invitation("b", &invitation, at(1)).await.unwrap();
    let look = async |hash: &str, now: i64, once: bool| {
        store.invitation(hash, at(now), once).await.unwrap()
    };
    assert_eq!(look("a", 2, false).await, Some(invitation.clone()));
    assert_eq!(look("a", 2, true).await, Some(invitation.clone()));
    assert_eq!(look("a", 2, true).await, None);
    assert_eq!(look("b", 100, true).await, None, "too late");
}

async fn each_version_of_the_terms_is_accepted_by_itself(place: Place) {
    let store = place.open().await;
    let ann = UserId::from("ann@example.org");
    assert_eq!(store.terms().await.unwrap(), None);
    store.publish_terms("be good", "admin", at(1)).await.unwrap();
    let newest = store.publish_terms("be better", "admin", at(2)).await.unwrap();
    assert_eq!(newest.version, 2);
    assert_eq!(store.terms().await.unwrap().unwrap(), newest);
    let acceptance = |version, accepted| Acceptance {
        user: ann.clone(),
        version,
        accepted: at(accepted),
        client: "192.0.2.1".into(),
    };
    for (version, when) in [(1, 3), (2, 4), (2, 5)] {
        store.accept_terms(&acceptance(version, when)).await.unwrap();
    }
    let both = [acceptance(1, 3), acceptance(2, 4)];
    assert_eq!(store.accepted_by(&ann).await.unwrap(), both, "the first time counts");
    assert_eq!(store.accepted(2).await.unwrap(), both[1..]);
}
