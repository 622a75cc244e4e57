//! What administrators sign in with beside a password is good once, and theirs alone.

use crate::databases::{Place, on_each_database};
use dme_model::{Timestamp, UserId};
use dme_store::{EmergencyAccount, SecondFactor};

on_each_database![
    a_code_is_good_once_and_for_its_owner_alone,
    there_is_one_account_for_emergencies_at_most,
];

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn hashes(all: &[&str]) -> Vec<String> {
    all.iter().map(|one| (*one).to_owned()).collect()
}

async fn a_code_is_good_once_and_for_its_owner_alone(place: Place) {
    let store = place.open().await;
    let [ada, eve] = ["ada@example.org", "eve@example.org"].map(UserId::from);
    let factor = SecondFactor { secret: vec![0, 1, 2], made: at(5), step: 40, recovery_codes: 2 };
    let put = async |factor: &SecondFactor| {
        store.put_second_factor(&ada, factor.clone(), hashes(&["h1", "h2"])).await.unwrap()
    };
    assert!(put(&factor).await);
    assert!(!put(&SecondFactor { secret: vec![9], ..factor.clone() }).await, "there is one");
    assert_eq!(store.second_factor(&ada).await.unwrap(), Some(factor));
    assert_eq!(store.second_factor(&eve).await.unwrap(), None);

    assert!(!store.use_step(&ada, 40).await.unwrap());
    assert!(store.use_step(&ada, 41).await.unwrap());
    assert!(!store.use_step(&ada, 41).await.unwrap());
    assert!(!store.use_step(&ada, 40).await.unwrap(), "what is older than a used one is used");
    assert!(!store.use_step(&eve, 50).await.unwrap());

    assert!(!store.use_recovery_code(&eve, "h1").await.unwrap());
    assert!(store.use_recovery_code(&ada, "h1").await.unwrap());
    assert!(!store.use_recovery_code(&ada, "h1").await.unwrap());
    store.replace_recovery_codes(&ada, hashes(&["h3"])).await.unwrap();
    assert!(!store.use_recovery_code(&ada, "h2").await.unwrap());
    assert_eq!(store.second_factor(&ada).await.unwrap().unwrap().recovery_codes, 1);

    assert!(store.remove_second_factor(&ada).await.unwrap());
    assert!(!store.remove_second_factor(&ada).await.unwrap());
    assert!(!store.use_recovery_code(&ada, "h3").await.unwrap());
}

async fn there_is_one_account_for_emergencies_at_most(place: Place) {
    let store = place.open().await;
    assert_eq!(store.emergency_account().await.unwrap(), None);
    let account = |name: &str| EmergencyAccount {
        name: name.into(),
        password: "$argon2id$".into(),
        made: at(1),
        ends: at(9),
        used: None,
    };
    store.put_emergency_account(account("one")).await.unwrap();
    store.put_emergency_account(account("two")).await.unwrap();
    assert_eq!(store.emergency_account().await.unwrap(), Some(account("two")));
    store.use_emergency_account(at(5), "192.0.2.1").await.unwrap();
    let used = store.emergency_account().await.unwrap().unwrap().used;
    assert_eq!(used, Some((at(5), "192.0.2.1".to_owned())));
    assert!(store.remove_emergency_account().await.unwrap());
    assert!(!store.remove_emergency_account().await.unwrap());
    assert_eq!(store.emergency_account().await.unwrap(), None);
}
