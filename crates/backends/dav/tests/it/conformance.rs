//! The conformance suite on each server.

use crate::world::{OnCyrus, OnRadicale, OnXandikos};
use dme_mailbox::conformance::{World, item_cases};

/// Runs every case but those whose name is in `but`.
async fn run(world: &dyn World, but: &[&str]) {
    let mut broken = Vec::new();
    for case in item_cases().into_iter().filter(|case| !but.contains(&case.name.as_str())) {
        if let Err(failure) = case.run(world).await {
            broken.push(format!("{}: {failure}", case.name));
        }
    }
    assert!(broken.is_empty(), "{} promises broken:\n{}", broken.len(), broken.join("\n"));
}

/// What some servers' libraries do not keep: they take a comma within a category for one between
/// two, and write them apart.
const CATEGORIES: &str = "an item is read as it was made";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms_on_radicale() {
    run(&OnRadicale::start(), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms_on_cyrus() {
    run(&OnCyrus::start(), &[CATEGORIES]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms_on_xandikos() {
    run(&OnXandikos::default(), &[CATEGORIES]).await;
}
