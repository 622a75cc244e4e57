//! What waits for connectors.

use crate::databases::{Place, on_each_database};
use dme_link::Diagnosis;
use dme_model::{ConnectorId, Timestamp};
use dme_store::{ConnectorOrder, WaitingConnectorOrder};

on_each_database![orders_wait_once_in_their_order_until_they_are_done];

async fn orders_wait_once_in_their_order_until_they_are_done(place: Place) {
    let store = place.open().await;
    let id = ConnectorId::from("c1");
    let ask = |connector: &str, order, by: &str, at| WaitingConnectorOrder {
        connector: ConnectorId::from(connector),
        order,
        by: by.into(),
        at: Timestamp::from_millis(at),
    };
    let (diagnose, rotate) = (ConnectorOrder::Diagnose, ConnectorOrder::Rotate);
    for asked in [
        ask("c1", diagnose, "ann", 1),
        ask("c1", rotate, "ann", 2),
        ask("c1", diagnose, "bob", 3),
        ask("c2", rotate, "bob", 4),
    ] {
        store.put_connector_order(asked).await.unwrap();
    }
    let expected = [ask("c1", rotate, "ann", 2), ask("c1", diagnose, "ann", 1)];
    assert_eq!(store.connector_orders_of(&id).await.unwrap(), expected);
    assert_eq!(store.connector_orders().await.unwrap().len(), 3);

    assert_eq!(store.diagnosis(&id).await.unwrap(), None);
    let found = Diagnosis { taken: 5, ..Diagnosis::default() };
    store.put_diagnosis(&id, &found, Timestamp::from_millis(6)).await.unwrap();
    assert_eq!(store.diagnosis(&id).await.unwrap(), Some((found, Timestamp::from_millis(6))));
    assert_eq!(store.connector_orders_of(&id).await.unwrap(), expected[..1], "it is done");

    assert!(store.end_connector_order(&id, rotate).await.unwrap());
    assert!(!store.end_connector_order(&id, rotate).await.unwrap());
    assert_eq!(store.connector_orders().await.unwrap(), [ask("c2", rotate, "bob", 4)]);
    store.forget_connector_orders(&ConnectorId::from("c2")).await.unwrap();
    assert_eq!(store.connector_orders().await.unwrap(), []);
}
