//! How many durable writes a second the store takes, by how many callers write at once:
//! `cargo run --release -p dme-store --example group_commit [directory]`.

#![allow(clippy::print_stdout, reason = "it prints a table")]

use dme_store::Store;
use dme_sync::{DeviceKey, FolderNo, Slot, StateStore};
use std::time::{Duration, Instant};

const RUN: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    let path = std::path::Path::new(&home).join(format!("group-commit-{}.db", std::process::id()));
    let store = Store::open(&path)?;
    println!("{:>8} {:>10} {:>12}", "callers", "writes/s", "each waits");
    for callers in [1u32, 4, 16, 64, 256] {
        let begun = Instant::now();
        let tasks: Vec<_> = (0..callers)
            .map(|caller| {
                let store = store.clone();
                tokio::spawn(async move {
                    let device =
                        DeviceKey { user: "ann@example.com".into(), device: "phone".into() };
                    let slot = Slot::Collection(FolderNo(caller));
                    let mut writes = 0u32;
                    while begun.elapsed() < RUN {
                        store.save(&device, slot, vec![7; 500]).await?;
                        writes += 1;
                    }
                    Ok::<u32, dme_sync::StoreError>(writes)
                })
            })
            .collect();
        let mut writes = 0;
        for task in tasks {
            writes += task.await??;
        }
        let elapsed = begun.elapsed().as_secs_f64();
        let rate = f64::from(writes) / elapsed;
        let wait = elapsed * 1000.0 * f64::from(callers) / f64::from(writes.max(1));
        println!("{callers:>8} {rate:>10.0} {wait:>9.2} ms");
    }
    drop(store);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    Ok(())
}
