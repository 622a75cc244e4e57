//! The engine's tables: the same suite as every state store, and durability.

use crate::databases::{Place, on_each_database};
use dme_store::Store;
use dme_sync::store_suite::CASES;
use dme_sync::{DeviceKey, FolderNo, Slot, StateStore};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

on_each_database![
    it_passes_the_suite,
    what_was_saved_is_there_after_closing_and_opening,
    many_at_once_are_all_answered_and_all_there,
];

fn device() -> DeviceKey {
    DeviceKey { user: "ann@example.com".into(), device: "phone".into() }
}

async fn it_passes_the_suite(place: Place) {
    for case in CASES {
        println!("{}", case.name);
        let place = place.another();
        let store = place.open().await;
        (case.run)(&store).await;
    }
}

async fn what_was_saved_is_there_after_closing_and_opening(place: Place) {
    {
        let store = place.open().await;
        store.save(&device(), Slot::Hierarchy, b"state".to_vec()).await.unwrap();
    }
    let store = place.open().await;
    assert_eq!(store.load(&device(), Slot::Hierarchy).await.unwrap(), Some(b"state".to_vec()));
}

async fn many_at_once_are_all_answered_and_all_there(place: Place) {
    let store = place.open().await;
    let writes = (0..2_000u32).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let slot = Slot::Collection(FolderNo(n));
            store.save(&device(), slot, n.to_be_bytes().to_vec()).await
        })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap().unwrap();
    }
    for n in 0..2_000u32 {
        let state = store.load(&device(), Slot::Collection(FolderNo(n))).await.unwrap();
        assert_eq!(state, Some(n.to_be_bytes().to_vec()));
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    if let Some(path) = std::env::var_os("DME_STORE_CHILD") {
        return write_until_killed(Path::new(&path)).await.unwrap();
    }
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("store.db");
    for round in 1..=3u32 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "states::what_was_acknowledged_survives_a_kill", "--nocapture"])
            .env("DME_STORE_CHILD", &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let acknowledged: Vec<u32> = lines
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok())
            .take(100 * round as usize)
            .collect();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(acknowledged.len(), 100 * round as usize);

        let store = Store::open(&path).unwrap();
        for n in acknowledged {
            let state = store.load(&device(), Slot::Collection(FolderNo(n))).await.unwrap();
            assert_eq!(state, Some(n.to_be_bytes().to_vec()));
        }
    }
}

/// The child: writes, and tells of each write when it was acknowledged.
async fn write_until_killed(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open(path)?;
    for n in 0u32.. {
        let slot = Slot::Collection(FolderNo(n));
        store.save(&device(), slot, n.to_be_bytes().to_vec()).await?;
        writeln!(std::io::stdout(), "acknowledged {n}")?;
    }
    Ok(())
}
