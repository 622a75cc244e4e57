//! What the store does a second, in SQLite and in PostgreSQL on the same machine, both durable:
//! `cargo run --release -p dme-store --example databases [directory]`. PostgreSQL is Debian's, and
//! is started by this program, which so has to be root.

#![allow(clippy::print_stdout, reason = "it prints a table")]

use dme_model::{Secret, Timestamp, UserId};
use dme_store::{Admission, Newcomers, PostgresConfig, Sighting, Store};
use dme_sync::{DeviceKey, FolderNo, Slot, StateStore};
use dme_testkit::postgres::{Durability, Postgres};
use futures_util::future::BoxFuture;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What is done again and again, by the caller of this number.
type Work = fn(Store, u32) -> BoxFuture<'static, Result<()>>;

/// How long each figure is measured.
const RUN: Duration = Duration::from_secs(2);
const USERS: u32 = 10_000;
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// What is measured, and with how many callers at once.
const FIGURES: [(&str, Work, &[u32]); 4] = [
    ("one-row writes", |store, n| Box::pin(write(store, n)), &[1, 4, 16, 64, 256]),
    ("states looked up", |store, n| Box::pin(look_up(store, n)), &[1, 16]),
    ("one user's 2 devices", |store, n| Box::pin(list(store, Some(user(n)))), &[1, 16]),
    ("all 20,000 devices", |store, _| Box::pin(list(store, None)), &[1]),
];

#[tokio::main]
async fn main() -> Result<()> {
    let home = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    let folder = tempfile::Builder::new().prefix("databases-").tempdir_in(home)?;
    let postgres = Postgres::start(Durability::Full)?;
    let config = PostgresConfig {
        url: Secret::new(postgres.socket_url(&postgres.make_database()?)),
        password: None,
        ca_file: None,
        connections: 16,
    };
    let stores = [
        ("SQLite", Store::open(folder.path().join("dme.db"))?),
        ("PostgreSQL", Store::connect(&config).await?),
    ];
    println!("{:>10} {:>22} {:>8} {:>10} {:>12}", "", "", "callers", "a second", "each waits");
    for (name, store) in stores {
        enter_devices(&store).await?;
        for (what, work, callers) in FIGURES {
            for callers in callers {
                let (rate, wait) = measure(&store, work, *callers).await?;
                println!("{name:>10} {what:>22} {callers:>8} {rate:>10.0} {wait:>9.2} ms");
            }
        }
    }
    Ok(())
}

/// How often a second it is done, and how long each takes, in milliseconds.
async fn measure(store: &Store, work: Work, callers: u32) -> Result<(f64, f64)> {
    let begun = Instant::now();
    let tasks = (0..callers).map(|caller| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut times = 0u32;
            while begun.elapsed() < RUN {
                work(store.clone(), caller).await?;
                times += 1;
            }
            Result::Ok(times)
        })
    });
    let mut times = 0;
    for task in tasks.collect::<Vec<_>>() {
        times += task.await??;
    }
    let (elapsed, times) = (begun.elapsed().as_secs_f64(), f64::from(times.max(1)));
    Ok((times / elapsed, elapsed * 1000.0 * f64::from(callers) / times))
}

fn user(number: u32) -> UserId {
    UserId::from(format!("user{number}@example.com"))
}

async fn write(store: Store, caller: u32) -> Result<()> {
    let device = DeviceKey { user: "ann@example.com".into(), device: "phone".into() };
    Ok(store.save(&device, Slot::Collection(FolderNo(caller)), vec![7; 500]).await?)
}

async fn look_up(store: Store, caller: u32) -> Result<()> {
    let device = DeviceKey { user: "ann@example.com".into(), device: "phone".into() };
    store.load(&device, Slot::Collection(FolderNo(caller))).await?;
    Ok(())
}

async fn list(store: Store, user: Option<UserId>) -> Result<()> {
    store.devices(user.as_ref()).await?;
    Ok(())
}

/// Two devices for each user.
async fn enter_devices(store: &Store) -> Result<()> {
    let newcomers = Newcomers { admission: Admission::Allowed, decision: None, per_user: 2 };
    let tasks = (0..64).map(|part| {
        let (store, newcomers) = (store.clone(), newcomers.clone());
        tokio::spawn(async move {
            for number in (part..USERS * 2).step_by(64) {
                let device = format!("device{number}").as_str().into();
                let key = DeviceKey { user: user(number / 2), device };
                store.see_device(&key, &Sighting::default(), newcomers.clone(), NOW).await?;
            }
            Result::Ok(())
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    Ok(())
}
