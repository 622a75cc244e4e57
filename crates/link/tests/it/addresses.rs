//! Several addresses of one server: which are tried, and what the server says of them.

use crate::fixtures::{Server, ServerOptions, Site};
use dme_link::{ConnectorConfig, ConnectorStatus, Identities, ListenConfig, Services};
use tokio::net::TcpListener;

/// An address at which nobody listens, and which nobody else is given soon.
async fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

async fn saying(addresses: &[&str]) -> Server {
    let mut options = ServerOptions::default();
    let addresses = addresses.iter().map(|address| (*address).to_owned()).collect();
    options.listen = ListenConfig { addresses, ..options.listen };
    Server::with(options).await
}

#[tokio::test]
async fn where_the_first_address_is_dead_the_link_is_made_at_the_second() {
    let server = Server::start().await;
    let site = server.enrolled().await;
    let servers = vec![dead().await, server.address.to_string()];
    let config = ConnectorConfig { servers: servers.clone(), ..site.config() };
    let mut connector = Site::run_with(config, Services::default());
    let linked = ConnectorStatus::Linked { server: servers[1].clone() };
    connector.until(|status| *status == linked).await;
    server.until_linked(&connector.id).await;
    // And again when that link ends.
    server.links.close(&connector.id);
    connector.until(|status| *status != linked).await;
    connector.until(|status| *status == linked).await;
}

#[tokio::test]
async fn a_connector_goes_where_its_server_said_it_is_when_it_is_no_longer_where_it_was() {
    let next = dead().await;
    let server = saying(&[&next]).await;
    let site = server.enrolled().await;
    let mut connector = site.run(Services::default());
    connector.until_linked().await;
    let known = || Identities::open(&site.identity()).unwrap().servers().to_vec();
    assert_eq!(known(), [next.clone(), server.address.to_string()], "also after a new start");
    let keeper = server.beside("127.0.0.1:0").await;
    server.shut_down().await;
    let moved = keeper.beside(&next).await;
    moved.until_linked(&connector.id).await;
    connector.until(|status| *status == ConnectorStatus::Linked { server: next.clone() }).await;
    assert_eq!(known().len(), 2, "one that says nothing takes nothing back");
}

#[tokio::test]
async fn wrong_addresses_strand_nobody_and_those_of_the_configuration_go_before() {
    let wrong = dead().await;
    let server = saying(&[&wrong]).await;
    let site = server.enrolled().await;
    let mut connector = site.run(Services::default());
    connector.until_linked().await;
    connector.stop().await;
    let mut connector = site.run(Services::default());
    connector.until_linked().await;
    connector.stop().await;
    let servers = vec![wrong];
    let mut pinned =
        Site::run_with(ConnectorConfig { servers, ..site.config() }, Services::default());
    pinned.until(|status| matches!(status, ConnectorStatus::Waiting { .. })).await;
    assert!(server.links.connectors().is_empty());
}
