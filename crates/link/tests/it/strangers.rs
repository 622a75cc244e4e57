//! Those who have no business at the link port (rule A6).

use crate::fixtures::*;
use dme_link::{ConnectorStatus, ListenConfig, Refusal, Services};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair};
use std::path::Path;
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

/// The key in an identity's file, and the certificates after it.
fn parts(identity: &Path) -> (String, String) {
    let text = std::fs::read_to_string(identity.join("identity.pem")).unwrap();
    let at = text.find("-----BEGIN CERTIFICATE-----").unwrap();
    (text[..at].to_owned(), text[at..].to_owned())
}

fn keep(identity: &Path, key: &str, chain: &str) {
    std::fs::write(identity.join("identity.pem"), format!("{key}{chain}")).unwrap();
}

/// A certificate for a connector of this id, of whoever signs with the issuer's name and key.
fn forged(id: &str, issuer: &Issuer<'_, KeyPair>) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, id);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    (key.serialize_pem(), params.signed_by(&key, issuer).unwrap().pem())
}

#[tokio::test]
async fn a_connector_s_own_certificate_makes_nobody_else_s() {
    let server = Server::start().await;
    let (site, victim) = (server.enrolled().await, server.enrolled().await);
    let victim_id = victim.id();
    // What is stolen is one connector's key. With it a certificate in another's name is signed, and
    // shown with the whole chain up to the authority.
    let (key, chain) = parts(&site.identity());
    let mut issuer = CertificateParams::default();
    issuer.distinguished_name.push(DnType::CommonName, site.id().as_str());
    let issuer = Issuer::new(issuer, KeyPair::from_pem(&key).unwrap());
    let (forged_key, forged) = forged(victim_id.as_str(), &issuer);
    let authority = server.links.registrar().authority().certificate_pem();
    for chain in [forged.clone(), format!("{forged}{chain}{authority}")] {
        keep(&site.identity(), &forged_key, &chain);
        let mut thief = site.run(Services::default());
        thief.until(|status| matches!(status, ConnectorStatus::Waiting { .. })).await;
        assert!(server.links.connectors().is_empty());
        thief.kill();
    }
}

#[tokio::test]
async fn another_authority_s_certificate_is_no_better_for_the_name_or_the_chain_it_comes_with() {
    let server = Server::start().await;
    let site = server.enrolled().await;
    let mut name = CertificateParams::default();
    name.distinguished_name.push(DnType::CommonName, "DME authority");
    let issuer = Issuer::new(name, KeyPair::generate().unwrap());
    let (key, forged) = forged(site.id().as_str(), &issuer);
    let authority = server.links.registrar().authority().certificate_pem();
    let own = parts(&site.identity()).1;
    for chain in [forged.clone(), format!("{forged}{authority}"), format!("{forged}{own}")] {
        keep(&site.identity(), &key, &chain);
        let mut thief = site.run(Services::default());
        thief.until(|status| matches!(status, ConnectorStatus::Waiting { .. })).await;
        assert!(server.links.connectors().is_empty());
        thief.kill();
    }
}

#[tokio::test]
async fn who_comes_with_a_foreign_chain_is_still_the_owner_of_the_own_certificate() {
    let (server, other) = (Server::start().await, Server::start().await);
    let (site, foreign) = (server.enrolled().await, server.enrolled().await);
    let (key, own) = parts(&site.identity());
    let theirs = parts(&foreign.identity()).1;
    let authority = other.links.registrar().authority().certificate_pem();
    keep(&site.identity(), &key, &format!("{own}{theirs}{authority}"));
    let mut connector = site.run(Services::default());
    connector.until_linked().await;
    let linked = server.links.connectors();
    assert_eq!(linked.len(), 1);
    assert_eq!(linked[0].id, site.id());
    // Another's certificate with the own key does not even begin to shake hands.
    keep(&site.identity(), &key, &format!("{theirs}{own}"));
    let mut thief = site.run(Services::default());
    thief.until(|status| matches!(status, ConnectorStatus::Waiting { .. })).await;
    assert!(!server.links.connectors().iter().any(|link| link.id == foreign.id()));
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
