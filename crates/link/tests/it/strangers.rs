//! Those who have no business at the link port (rule A6).

use crate::fixtures::*;
use dme_link::{ConnectorStatus, ListenConfig, Refusal, Services};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_connector_of_another_authority_is_not_let_in() {
    let (ours, theirs) = (Server::start().await, Server::start().await);
    let site = theirs.enrolled().await;
    // It even believes our authority; ours does not believe its certificate.
    let authority = ours.links.registrar().authority().certificate_pem();
    std::fs::write(site.identity().join("authority.pem"), authority).unwrap();
    let mut config = site.config();
    config.servers = vec![ours.address.to_string()];
    let mut connector = Site::run_with(config, Services::default());
    connector.until(|status| matches!(status, ConnectorStatus::Waiting { .. })).await;
    assert!(ours.links.connectors().is_empty());
}

#[tokio::test]
async fn a_server_of_another_authority_is_not_believed() {
    let (ours, theirs) = (Server::start().await, Server::start().await);
    let site = ours.enrolled().await;
    let mut config = site.config();
    config.servers = vec![theirs.address.to_string()];
    let mut connector = Site::run_with(config, Services::default());
    let status = connector.until(|status| matches!(status, ConnectorStatus::Waiting { .. })).await;
    let ConnectorStatus::Waiting { reason } = status else { unreachable!() };
    assert!(reason.contains("invalid peer certificate"), "{reason}");
}

#[tokio::test]
async fn a_certificate_whose_key_is_in_no_book_is_refused() {
    let server = Server::start().await;
    let site = server.enrolled().await;
    // The same authority, another book.
    let copy = tempfile::tempdir().unwrap();
    for file in ["authority.key", "authority.pem"] {
        std::fs::copy(server.dir.path().join(file), copy.path().join(file)).unwrap();
    }
    let forgetful = Server::with_authority(copy).await;
    let mut config = site.config();
    config.servers = vec![forgetful.address.to_string()];
    let mut connector = Site::run_with(config, Services::default());
    connector
        .until(|status| {
            matches!(status, ConnectorStatus::Refused(refused)
                if refused.reason == Refusal::Unknown)
        })
        .await;
}

#[tokio::test]
async fn a_flood_of_unfinished_handshakes_keeps_no_connector_out() {
    let listen = ListenConfig {
        handshakes: 8,
        handshake_limit: Duration::from_secs(600),
        ..ServerOptions::default().listen
    };
    let server = Server::with(ServerOptions { listen, ..ServerOptions::default() }).await;
    let site = server.enrolled().await;
    let mut flood = Vec::new();
    for _ in 0..50 {
        flood.push(TcpStream::connect(server.address).await.unwrap());
    }
    let mut connector = site.run(Services::default());
    connector.until_linked().await;
    // The oldest were shown the door; the line is closed to them.
    let mut end = [0; 1];
    assert_eq!(flood[0].read(&mut end).await.unwrap(), 0);
}

#[tokio::test]
async fn whoever_takes_too_long_to_say_who_they_are_is_shown_the_door() {
    let listen = ListenConfig {
        handshake_limit: Duration::from_millis(100),
        ..ServerOptions::default().listen
    };
    let server = Server::with(ServerOptions { listen, ..ServerOptions::default() }).await;
    let mut stranger = TcpStream::connect(server.address).await.unwrap();
    stranger.write_all(&[0x16, 3, 1]).await.unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, stranger.read_to_end(&mut rest)).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_not_tls_is_not_answered_and_hurts_nobody() {
    let server = Server::start().await;
    let mut stranger = TcpStream::connect(server.address).await.unwrap();
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, stranger.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert!(!answer.starts_with(b"HTTP"));
    let site = server.enrolled().await;
    site.run(Services::default()).until_linked().await;
}
