//! Configurations of connectors, and what they say of them.

use crate::databases::{Place, on_each_database};
use dme_link::{
    ConfigurationReport, Configurations, LinkTimes, RefusedConfiguration, SealingPair, Secrets,
};
use dme_model::{ConnectorId, Secret, Timestamp};

on_each_database![
    each_configuration_has_the_next_version_and_no_secret_in_its_row,
    what_a_connector_said_last_is_kept,
];

async fn each_configuration_has_the_next_version_and_no_secret_in_its_row(place: Place) {
    let dir = tempfile::tempdir().unwrap();
    let store = place.open().await;
    let (id, now) = (ConnectorId::from("c1"), Timestamp::from_millis(5));
    assert_eq!(store.wanted(&id).await.unwrap(), None);
    let pair = SealingPair::open(dir.path()).unwrap();
    let secrets = Secrets::from([("people.ldap.bind_password".into(), Secret::new("Zq-1"))]);
    let mut versions = Vec::new();
    for text in ["one", "two"] {
        let sealed = pair.key().seal(&secrets, text).unwrap();
        versions.push(store.put_configuration(&id, text.into(), sealed, now).await.unwrap());
    }
    assert_eq!(versions, [1, 2]);
    let wanted = store.wanted(&id).await.unwrap().unwrap();
    assert_eq!((wanted.version, wanted.text.as_str()), (2, "two"));
    assert_eq!(pair.unseal(&wanted.sealed, "two").unwrap(), secrets);
    drop(store);
    let Place::Sqlite(folder) = &place else { return };
    for file in std::fs::read_dir(folder.path()).unwrap().flatten() {
        let bytes = std::fs::read(file.path()).unwrap();
        assert!(!bytes.windows(4).any(|part| part == b"Zq-1"), "{}", file.path().display());
    }
}

async fn what_a_connector_said_last_is_kept(place: Place) {
    let dir = tempfile::tempdir().unwrap();
    let store = place.open().await;
    let (id, key) = (ConnectorId::from("c1"), SealingPair::open(dir.path()).unwrap());
    let refused = RefusedConfiguration { version: 3, reason: "mail: no host".into() };
    let mut report = ConfigurationReport {
        key: key.key().clone(),
        in_force: None,
        refused: Some(refused),
        link_times: Some(LinkTimes::Every { every_ms: 60_000, lasting_ms: 10_000 }),
    };
    for in_force in [None, Some(2)] {
        report.in_force = in_force;
        store.reported(&id, &report, Timestamp::from_millis(7)).await.unwrap();
    }
    let kept = store.configuration_report(&id).await.unwrap();
    assert_eq!(kept, Some((report.clone(), Timestamp::from_millis(7))));
    assert_eq!(store.reports().await.unwrap(), [(id, report)]);
}
