//! Certificates that renew themselves (rule L2).

use crate::fixtures::*;
use dme_link::{Identities, Services};
use std::time::Duration;

#[tokio::test]
async fn a_certificate_renews_itself_with_a_new_key_over_the_link() {
    let life = Duration::from_secs(4);
    let server =
        Server::with(ServerOptions { certificate_life: life, ..ServerOptions::default() }).await;
    let site = server.enrolled().await;
    let first = Identities::open(&site.identity()).unwrap().fingerprint().unwrap();
    let connector = site.run(Services::default());
    server.until_linked(&connector.id).await;
    let key = || Identities::open(&site.identity()).unwrap().fingerprint().unwrap();
    eventually(|| key() != first).await;
    server.until_linked(&connector.id).await;
    // The server forgot the first key when the second was used.
    let record = server.links.registrar().book().get(&connector.id).await.unwrap().unwrap();
    assert!(!record.keys.contains(&first));
    assert!(!site.identity().join("next.pem").exists());
}

#[tokio::test]
async fn a_connector_that_was_off_until_its_certificate_expired_comes_back_and_renews() {
    let life = Duration::from_secs(1);
    let server =
        Server::with(ServerOptions { certificate_life: life, ..ServerOptions::default() }).await;
    let site = server.enrolled().await;
    let first = Identities::open(&site.identity()).unwrap().fingerprint().unwrap();
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let connector = site.run(Services::default());
    server.until_linked(&connector.id).await;
    let key = || Identities::open(&site.identity()).unwrap().fingerprint().unwrap();
    eventually(|| key() != first).await;
}

#[tokio::test]
async fn a_connector_takes_a_new_key_when_it_is_told_to() {
    let pair = Pair::start().await;
    let key = || Identities::open(&pair.site.identity()).unwrap().fingerprint().unwrap();
    let first = key();
    pair.server.links.rotate(&pair.connector.id);
    eventually(|| key() != first).await;
    pair.server.until_linked(&pair.connector.id).await;
    let record = pair.server.links.registrar().book().get(&pair.connector.id).await.unwrap();
    assert!(!record.unwrap().keys.contains(&first));
}
