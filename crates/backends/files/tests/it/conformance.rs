//! Local files keep every promise.

use crate::world::Files;

#[tokio::test(flavor = "multi_thread")]
async fn files_keep_every_promise() {
    dme_mailbox::conformance::run(&Files::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_keep_every_promise_on_items() {
    dme_mailbox::conformance::run_items(&Files::new()).await;
}
