//! A database without threads, for simulations.

use dme_model::Timestamp;
use dme_store::Store;
use futures_util::FutureExt;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

#[test]
fn without_threads_all_is_done_where_it_is_asked_for_and_is_there_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dme.db");
    let store = Store::open_in_place(&path).unwrap();
    for version in 1..4 {
        let put = store.put_connector_settings("branch", "{}".into(), NOW).now_or_never();
        assert_eq!(put.expect("it was not done at once").unwrap(), version);
    }
    let settings = |store: &Store| store.connector_settings().now_or_never();
    let read = settings(&store).expect("it was not read at once").unwrap();
    assert_eq!((read[0].name.as_str(), read[0].version, read[0].changed), ("branch", 3, NOW));
    drop(store);
    let again = Store::open_in_place(&path).unwrap();
    assert_eq!(settings(&again).unwrap().unwrap(), read);
}
