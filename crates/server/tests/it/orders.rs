//! What waits for a device's next contact.

use crate::world::{ADMIN, ANN, World, key};
use dme_model::{ItemId, Role};
use dme_phone::{Error, Loss, Phone};
use dme_server::orders::What;
use dme_store::{Admission, Order, WipeKind};
use serde_json::json;

async fn with_mails() -> (World, Phone, String) {
    let world = World::start(json!({})).await;
    for subject in ["one", "two", "three"] {
        world.deliver(ANN, subject);
    }
    let phone = world.synced(ANN, "a1").await;
    let inbox = phone.inbox().unwrap();
    assert_eq!(phone.items(&inbox).unwrap().len(), 3);
    (world, phone, inbox)
}

fn first_item(world: &World) -> ItemId {
    let user = ANN.into();
    let inbox = world.mail.collection(&user, Role::Inbox).unwrap();
    world.mail.contents(&user, &inbox).unwrap()[0].0.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_item_is_sent_again_and_only_that() {
    let (world, mut phone, inbox) = with_mails().await;
    let item = first_item(&world).to_string();
    let order = Order::ResyncItem { folder: inbox.parse().unwrap(), item };
    world.front.order(&key(ANN, "a1"), order.clone(), "admin").await.unwrap();
    let again = world.front.order(&key(ANN, "a1"), order, "admin").await.unwrap();
    assert_eq!(world.record(ANN, "a1").await.waiting, [again], "the same twice is one");
    let round = phone.sync(&inbox).await.unwrap();
    assert_eq!((round.deleted, round.added, phone.items(&inbox).unwrap().len()), (1, 1, 3));
    assert_eq!(phone.events.resynced, 0);
    assert!(world.record(ANN, "a1").await.waiting.is_empty());
    let round = phone.sync(&inbox).await.unwrap();
    assert_eq!((round.deleted, round.added), (0, 0));
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_is_sent_again_also_where_the_phone_loses_the_answer() {
    let (world, mut phone, inbox) = with_mails().await;
    let item = first_item(&world).to_string();
    // The phone has lost an answer before, and repeats that request when the order is given.
    world.deliver(ANN, "four");
    phone.client.lose_next(Loss::Answer);
    assert!(matches!(phone.sync(&inbox).await, Err(Error::AnswerDropped)));
    let order = Order::ResyncItem { folder: inbox.parse().unwrap(), item };
    world.front.order(&key(ANN, "a1"), order, "admin").await.unwrap();
    let first = phone.sync(&inbox).await.unwrap();
    let second = phone.sync(&inbox).await.unwrap();
    assert_eq!((first.deleted + second.deleted, first.added + second.added), (1, 2));
    assert_eq!(phone.items(&inbox).unwrap().len(), 4);
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_folder_begins_anew_and_the_others_go_on() {
    let (world, mut phone, inbox) = with_mails().await;
    let order = Order::ResyncFolder(inbox.parse().unwrap());
    world.front.order(&key(ANN, "a1"), order, "admin").await.unwrap();
    let round = phone.sync(&inbox).await.unwrap();
    assert_eq!((phone.events.resynced, round.added), (1, 3));
    phone.folder_sync().await.unwrap();
    assert_eq!(phone.events.resynced, 1);
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_folders_begin_anew() {
    let (world, mut phone, _) = with_mails().await;
    world.front.order(&key(ANN, "a1"), Order::ResyncAll, "admin").await.unwrap();
    phone.folder_sync().await.unwrap();
    let inbox = phone.inbox().unwrap();
    assert_eq!(phone.sync(&inbox).await.unwrap().added, 3);
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_outlast_the_server_can_be_called_off_and_are_done_in_their_order() {
    let (world, mut phone, _) = with_mails().await;
    let a1 = key(ANN, "a1");
    for order in [Order::ResyncAll, Order::Policy, Order::Block] {
        world.front.order(&a1, order, "admin").await.unwrap();
    }
    let now = (world.front.clock)();
    world.front.wipes.order(&a1, WipeKind::Device, ADMIN, now).await.unwrap();
    let world = world.restart(json!({})).await;
    let record = world.record(ANN, "a1").await;
    let pending = world.front.pending(&record);
    let what: Vec<What> = pending.iter().map(|one| one.what.clone()).collect();
    let order = |order| What::Order(order);
    assert_eq!(
        what,
        [
            What::Wipe { kind: WipeKind::Device, told: false },
            order(Order::Block),
            order(Order::Policy),
            order(Order::ResyncAll),
        ]
    );
    world.front.call_off(&a1, pending[3].number.unwrap()).await.unwrap();
    let gone = world.front.call_off(&a1, pending[3].number.unwrap()).await;
    assert!(gone.unwrap_err().to_string().contains("may have been carried out"));
    phone.client = world.phone(ANN, "a1").client;
    assert!(matches!(phone.folder_sync().await, Err(Error::Wiped(_))));
    assert_eq!(world.record(ANN, "a1").await.waiting.len(), 2, "the wipe comes first");
    assert!(phone.folder_sync().await.is_err());
    let record = world.record(ANN, "a1").await;
    assert_eq!((record.admission, record.waiting.len()), (Admission::Blocked, 1));
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_taken_anew_by_order() {
    let world = World::start(json!({ "policy": { "mode": "required" } })).await;
    let mut phone = world.synced(ANN, "a1").await;
    assert_eq!(phone.events.provisioned, 1);
    world.front.order(&key(ANN, "a1"), Order::Policy, "admin").await.unwrap();
    phone.folder_sync().await.unwrap();
    assert_eq!(phone.events.provisioned, 2);
    world.server.stop().await;
}
