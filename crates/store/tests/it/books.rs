//! What administrators decide by rules, and their orders to wipe.

use crate::databases::{Place, on_each_database};
use dme_model::Timestamp;
use dme_store::{
    Book, Edit, Error, Store, WipeEntry, WipeKind, WipeOrder, WipeRecord, WipesBefore, Wiping,
};
use dme_sync::DeviceKey;
use std::time::Duration;

on_each_database![
    who_writes_what_somebody_else_has_changed_is_refused,
    a_devices_level_is_kept_likewise,
    what_another_store_decided_is_copied_whatever_was_read,
    an_order_to_wipe_is_entered_in_sight_of_those_of_the_last_hour,
    an_order_that_is_open_is_found_and_not_entered_again,
    what_users_order_for_their_own_is_counted_apart,
    those_that_wait_for_a_second_administrator_are_found_however_old_they_are,
];

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn edit(read: u64, content: &str) -> Edit {
    Edit { read, content: content.into(), author: "admin".into(), at: NOW }
}

fn phone() -> DeviceKey {
    DeviceKey { user: "ann@x".into(), device: "1".into() }
}

async fn who_writes_what_somebody_else_has_changed_is_refused(place: Place) {
    let store = place.open().await;
    assert_eq!(store.book("policy").await.unwrap(), None);
    assert_eq!(store.put_book("policy", edit(0, "a")).await.unwrap(), 1);
    assert_eq!(store.put_book("policy", edit(1, "b")).await.unwrap(), 2);
    for read in [0, 1, 3] {
        let late = store.put_book("policy", edit(read, "c")).await;
        assert!(matches!(late, Err(Error::Stale { found: 2, .. })), "{read}: {late:?}");
    }
    let book = store.book("policy").await.unwrap().unwrap();
    assert_eq!((book.revision, book.content.as_str(), book.author.as_str()), (2, "b", "admin"));
    assert_eq!(store.put_book("admission", edit(0, "x")).await.unwrap(), 1, "another book");
}

async fn a_devices_level_is_kept_likewise(place: Place) {
    let store = place.open().await;
    assert_eq!(store.put_device_level(&phone(), edit(0, "a")).await.unwrap(), 1);
    let late = store.put_device_level(&phone(), edit(0, "b")).await;
    assert!(late.unwrap_err().to_string().contains("read it again"));
    let levels = store.device_levels().await.unwrap();
    assert_eq!((levels.len(), &levels[0].0, levels[0].1.revision), (1, &phone(), 1));
}

async fn what_another_store_decided_is_copied_whatever_was_read(place: Place) {
    let store = place.open().await;
    let written = r#"{"revision":7,"content":"{}","changed":1800000000000,"author":"admin"}"#;
    let book: Book = serde_json::from_str(written).unwrap();
    assert_eq!(serde_json::to_string(&book).unwrap(), written);
    let newest = Book { revision: 2, content: "x".into(), ..book.clone() };
    for book in [&book, &newest] {
        store.copy_book("policy", Some(book)).await.unwrap();
        store.copy_device_level(&phone(), Some(book)).await.unwrap();
        assert_eq!(store.book("policy").await.unwrap().as_ref(), Some(book));
        assert_eq!(store.device_levels().await.unwrap(), [(phone(), book.clone())]);
    }
    assert_eq!(store.put_book("policy", edit(2, "a")).await.unwrap(), 3);
    store.copy_book("admission", Some(&book)).await.unwrap();
    store.copy_book("policy", None).await.unwrap();
    store.copy_device_level(&phone(), None).await.unwrap();
    assert_eq!(store.book("policy").await.unwrap(), None);
    assert_eq!(store.book("admission").await.unwrap(), Some(book), "another one stays");
    assert_eq!(store.device_levels().await.unwrap(), []);
}

fn record(needs_second: bool) -> WipeRecord {
    WipeRecord {
        kind: WipeKind::Device,
        by: "admin".into(),
        behind: None,
        own: false,
        client: ["iPhone".into(), "Apple-iPhone".into(), "16.1".into()],
        foretold: "everything".into(),
        needs_second,
        confirmed: None,
        cancelled: None,
        told: None,
        failed: None,
        acknowledged: None,
    }
}

async fn an_order_to_wipe_is_entered_in_sight_of_those_of_the_last_hour(place: Place) {
    let store = place.open().await;
    let hour_ago = |at: Timestamp| at.minus(Duration::from_secs(3600));
    let enter = |at: Timestamp| {
        let store = store.clone();
        async move {
            let decide =
                |before: &WipesBefore| WipeEntry::New(Box::new(record(before.lately.len() >= 2)));
            store.enter_wipe_order(&phone(), at, hour_ago(at), decide, nothing).await.unwrap().0
        }
    };
    let late = NOW.plus(Duration::from_secs(3601));
    let all = [enter(NOW).await, enter(NOW).await, enter(NOW).await, enter(late).await];
    assert_eq!(all.each_ref().map(|order| order.record.needs_second), [false, false, true, false]);
    assert_eq!(all.each_ref().map(|order| order.number), [1, 2, 3, 4]);
    let confirm = |record: &mut WipeRecord| {
        record.confirmed = Some(("other".into(), NOW));
        Ok(())
    };
    let confirmed = change_record(&store, 3, confirm).await.unwrap();
    assert!(!confirmed.record.waits_for_second() && confirmed.record.is_open());
    assert_eq!(store.wipe_order(3).await.unwrap(), confirmed);
    let listed = store.wipe_orders(Some(&phone())).await.unwrap();
    assert_eq!(listed.iter().map(|order| order.number).collect::<Vec<_>>(), [4, 3, 2, 1]);
    assert_eq!(store.count_wipe_orders(hour_ago(NOW)).await.unwrap(), 4);
    assert_eq!(store.count_wipe_orders(hour_ago(late)).await.unwrap(), 1);
    assert!(matches!(store.wipe_order(9).await, Err(Error::NotFound(_))));
}

/// Nothing comes of an order.
#[expect(clippy::unnecessary_wraps, reason = "what comes of one may be refused")]
fn nothing(_: &mut Wiping, _: u64, _: bool) -> dme_store::Result<()> {
    Ok(())
}

/// Changes one as it stands.
async fn change_record(
    store: &Store,
    number: u64,
    change: impl Fn(&mut WipeRecord) -> dme_store::Result<()> + Send + 'static,
) -> dme_store::Result<WipeOrder> {
    let device = store.wipe_order(number).await?.device;
    let change = move |wiping: &mut Wiping| {
        let order = wiping.order(number)?;
        change(&mut order.record)?;
        Ok(order.clone())
    };
    store.change_wiping(&device, change).await
}

/// Enters one for a device, whatever there is.
async fn enter(store: &Store, device: &DeviceKey, record: WipeRecord) -> WipeOrder {
    let decide = move |_: &WipesBefore| WipeEntry::New(Box::new(record.clone()));
    store.enter_wipe_order(device, NOW, NOW, decide, nothing).await.unwrap().0
}

async fn an_order_that_is_open_is_found_and_not_entered_again(place: Place) {
    let store = place.open().await;
    let other = DeviceKey { device: "2".into(), ..phone() };
    enter(&store, &other, record(false)).await;
    enter(&store, &phone(), record(false)).await;
    let device = phone();
    let ask = || {
        let decide = |before: &WipesBefore| match before.open.first() {
            Some(open) => WipeEntry::Same(open.number),
            None => WipeEntry::New(Box::new(record(false))),
        };
        store.enter_wipe_order(&device, NOW, NOW, decide, nothing)
    };
    let (order, is_new) = ask().await.unwrap();
    assert_eq!((order.number, is_new, &order.device), (2, false, &phone()));
    assert_eq!(store.wipe_orders(None).await.unwrap().len(), 2, "nothing was entered");
    // What is over is open no more.
    let done = |record: &mut WipeRecord| {
        record.acknowledged = Some(NOW);
        Ok(())
    };
    change_record(&store, 2, done).await.unwrap();
    let (order, is_new) = ask().await.unwrap();
    assert_eq!((order.number, is_new), (3, true));
    // What is refused changes nothing.
    let refused = |wiping: &mut Wiping| {
        wiping.order(3)?.record.told = Some(NOW);
        Err::<(), _>(Error::Closed)
    };
    assert!(store.change_wiping(&phone(), refused).await.is_err());
    assert_eq!(store.wipe_order(3).await.unwrap().record.told, None);
    let wrong = |_: &WipesBefore| WipeEntry::Same(9);
    let wrong = store.enter_wipe_order(&phone(), NOW, NOW, wrong, nothing).await;
    assert!(matches!(wrong, Err(Error::NotFound(_))));
}

async fn what_users_order_for_their_own_is_counted_apart(place: Place) {
    let store = place.open().await;
    let own = WipeRecord { own: true, by: "ann@x".into(), ..record(false) };
    for record in [own.clone(), own, record(false)] {
        enter(&store, &phone(), record).await;
    }
    assert_eq!(store.count_wipe_orders(NOW.minus(Duration::from_secs(1))).await.unwrap(), 1);
    let all = store.wipe_orders(None).await.unwrap();
    assert_eq!(all.iter().map(|order| order.record.own).collect::<Vec<_>>(), [false, true, true]);
}

async fn those_that_wait_for_a_second_administrator_are_found_however_old_they_are(place: Place) {
    let store = place.open().await;
    for needs_second in [true, true, true, false] {
        enter(&store, &phone(), record(needs_second)).await;
    }
    for _ in 0..1000 {
        enter(&store, &phone(), record(false)).await;
    }
    assert_eq!(store.count_wipe_orders_waiting().await.unwrap(), 3);
    let confirm = |record: &mut WipeRecord| {
        record.confirmed = Some(("other".into(), NOW));
        Ok(())
    };
    let cancel = |record: &mut WipeRecord| {
        record.cancelled = Some(("other".into(), NOW));
        Ok(())
    };
    change_record(&store, 2, confirm).await.unwrap();
    change_record(&store, 3, cancel).await.unwrap();
    assert_eq!(store.count_wipe_orders_waiting().await.unwrap(), 1);
    let waiting = store.wipe_orders_waiting().await.unwrap();
    assert_eq!(waiting.iter().map(|order| order.number).collect::<Vec<_>>(), [1]);
    // All can be read, a thousand at a time.
    let newest = store.wipe_orders_before(u64::MAX).await.unwrap();
    let older = store.wipe_orders_before(newest.last().unwrap().number).await.unwrap();
    assert_eq!((newest.len(), older.len()), (1000, 4));
}
