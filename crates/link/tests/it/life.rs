//! Links over time: lost, frozen, drained, replaced, shut down (rules L3, L4).

use crate::fixtures::*;
use crate::line::Line;
use dme_link::{
    ConnectorConfig, ConnectorState, ConnectorStatus, CredentialsNeeded, DrainOrder, KeepAlive,
    LinkEvent, LinksConfig, Proxy, Refusal, Services,
};
use dme_mailbox::{Account, Credentials, ErrorKind};
use dme_model::{ConnectorId, Secret, UserId};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn without_a_link_calls_say_so_at_once() {
    let server = Server::start().await;
    let system = server.links.mail_system(&ConnectorId::from("c1"));
    let error = system.owns(&account(Credentials::None), &context()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert_eq!(error.context, "connector c1 is not linked");
}

#[tokio::test]
async fn a_link_tells_who_is_there_since_when_and_how_far_away() {
    let pair = Pair::start().await;
    eventually(|| pair.server.links.connectors()[0].round_trip.is_some()).await;
    let state = pair.server.links.connectors().remove(0);
    assert_eq!((state.id, state.name.as_str()), (pair.connector.id.clone(), "branch"));
    assert_eq!(state.software, env!("CARGO_PKG_VERSION"));
    assert!(state.round_trip.unwrap() < Duration::from_secs(5));
    assert!(!state.draining && !state.exhausted);
    let record = pair.server.links.registrar().book().get(&pair.connector.id).await;
    assert!(record.unwrap().unwrap().last_seen.is_some());
}

/// What was heard over one is not taken for the other's.
#[tokio::test]
async fn links_are_told_apart_by_when_they_began_however_soon_one_follows_another() {
    let server = Server::start().await;
    let id = ConnectorId::from("local");
    let begun: std::collections::BTreeSet<_> = (0..100)
        .map(|_| {
            server.links.attach_local(id.clone(), "here", Services::default());
            let since = server.links.connectors()[0].since;
            server.links.detach_local(&id);
            since
        })
        .collect();
    assert_eq!(begun.len(), 100);
}

#[tokio::test]
async fn a_cut_line_is_told_and_dialled_again() {
    let server = Server::start().await;
    let line = Line::to(server.address).await;
    let site = server.enrolled_at(line.address).await;
    let mut events = server.links.subscribe();
    let mut connector = site.run(Services::default());
    assert_eq!(events.recv().await.unwrap(), LinkEvent::Connected(connector.id.clone()));
    connector.until_linked().await;
    line.cut();
    assert!(
        matches!(events.recv().await.unwrap(), LinkEvent::Lost { id, .. } if id == connector.id)
    );
    assert_eq!(events.recv().await.unwrap(), LinkEvent::Connected(connector.id.clone()));
    connector.until_linked().await;
}

#[tokio::test]
async fn a_peer_that_froze_is_noticed_by_both_ends() {
    let server = Server::start().await;
    let line = Line::to(server.address).await;
    let site = server.enrolled_at(line.address).await;
    let second = Duration::from_secs(1);
    let config = ConnectorConfig {
        keepalive: KeepAlive { interval: second, timeout: second },
        ..site.config()
    };
    let mut connector = Site::run_with(config, Services::default());
    server.until_linked(&connector.id).await;
    connector.until_linked().await;
    let frozen = Instant::now();
    line.freeze();
    eventually(|| server.links.connectors().is_empty()).await;
    connector.until(|status| !matches!(status, ConnectorStatus::Linked { .. })).await;
    let noticed = frozen.elapsed();
    // With the defaults, 15 s and 10 s, the same takes 25 s.
    assert_eq!(KeepAlive::default().interval + KeepAlive::default().timeout, 25 * second);
    assert!(noticed < Duration::from_secs(5), "{noticed:?}");
    line.open();
    connector.until_linked().await;
}

#[tokio::test]
async fn an_idle_link_is_not_lost_and_costs_little() {
    let server = Server::start().await;
    let line = Line::to(server.address).await;
    let site = server.enrolled_at(line.address).await;
    let second = Duration::from_secs(1);
    let config = ConnectorConfig {
        keepalive: KeepAlive { interval: second, timeout: second },
        ..site.config()
    };
    let connector = Site::run_with(config, Services::default());
    server.until_linked(&connector.id).await;
    eventually(|| server.links.connectors()[0].round_trip.is_some()).await;
    let since = server.links.connectors()[0].since;
    let before = line.bytes.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(4_500)).await;
    assert_eq!(server.links.connectors()[0].since, since);
    let beats = 4.5;
    let bytes = (line.bytes.load(Ordering::Relaxed) - before) as f64;
    // Each beat is two pings and their answers: there is one connection. A segment's own headers come
    // to some 60 bytes, and its acknowledgement to as many again.
    assert_eq!(line.connections(), 1);
    let segments = 4.0;
    let per_beat = bytes / beats + segments * 120.0;
    let month = per_beat * 30.0 * 86_400.0 / KeepAlive::METERED.interval.as_secs_f64();
    assert!(month < 8e6, "{bytes} bytes in {beats} beats: {month} bytes a month");
}

#[tokio::test]
async fn told_to_go_elsewhere_a_connector_moves_and_what_runs_ends_first() {
    let pair = Pair::start().await;
    let other = pair.server.beside("127.0.0.1:0").await;
    pair.mail.hang();
    let (system, account) = (pair.system(), account(Credentials::None));
    let running = tokio::spawn(async move { system.owns(&account, &context()).await });
    eventually(|| pair.mail.running() == 1).await;

    let order = DrainOrder { after: Duration::ZERO, servers: vec![other.address.to_string()] };
    pair.server.links.drain(&pair.connector.id, &order);
    other.until_linked(&pair.connector.id).await;
    assert_eq!(pair.mail.running(), 1);
    pair.mail.release.notify_one();
    assert_eq!(running.await.unwrap(), Ok(true));
    eventually(|| pair.server.links.connectors().is_empty()).await;
    assert_eq!(other.links.connectors().len(), 1);
}

#[tokio::test]
async fn a_link_that_is_to_be_replaced_serves_until_the_other_stands() {
    let mut pair = Pair::start().await;
    pair.connector.stop().await;
    let config = ConnectorConfig { dial_limit: Duration::from_secs(2), ..pair.site.config() };
    let services = pair.mail.services(CredentialsNeeded::None);
    pair.connector = Site::run_with(config, services);
    pair.server.until_linked(&pair.connector.id).await;
    pair.connector.until_linked().await;
    let links = &pair.server.links;
    let link = || links.connectors().remove(0);
    let old = link();

    // There somebody listens, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let servers = vec![silent.local_addr().unwrap().to_string()];
    links.drain(&pair.connector.id, &DrainOrder { after: Duration::ZERO, servers });
    let _dialled = tokio::time::timeout(PATIENCE, silent.accept()).await.unwrap().unwrap();
    let mut served = 0;
    while link().since == old.since {
        let takes_work = links.takes_work(&pair.connector.id);
        // What was asked before the other stood is asked of either.
        let owns = pair.system().owns(&account(Credentials::None), &context()).await;
        assert_eq!(owns, Ok(true), "after {served} calls");
        assert!(takes_work && !link().draining, "after {served} calls");
        served += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(served > 10, "{served} calls while the address did not answer");
}

#[tokio::test]
async fn what_waits_for_its_turn_is_answered_over_the_link_that_took_the_place() {
    let links = LinksConfig { parallel: 1, ..LinksConfig::default() };
    let options = ServerOptions { links, ..ServerOptions::default() };
    let pair = Pair::with(options, CredentialsNeeded::None).await;
    let links = &pair.server.links;
    let mailbox_of = |user: &str| {
        let user = UserId::from(user);
        pair.mail.memory.add_user(&user, user.as_str());
        let (system, account) = (pair.system(), Account { user, ..account(Credentials::None) });
        async move { system.open(&account, &context()).await.unwrap() }
    };
    let (anns, bobs) = (mailbox_of("ann@example.org").await, mailbox_of("bob@example.org").await);
    pair.mail.hang();
    let runs = tokio::spawn(async move { anns.collections().await.map(drop) });
    eventually(|| pair.mail.running() == 1).await;
    let waits = tokio::spawn(async move { bobs.collections().await.map(drop) });
    eventually(|| links.connectors()[0].queued == 1).await;

    let since = links.connectors()[0].since;
    links.drain(&pair.connector.id, &DrainOrder::default());
    eventually(|| links.connectors()[0].since != since).await;
    // The connector says farewell on the old one now.
    tokio::time::sleep(Duration::from_millis(200)).await;
    pair.mail.go_on();
    pair.mail.release.notify_one();
    assert_eq!(runs.await.unwrap(), Ok(()));
    assert_eq!(waits.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_server_that_goes_down_is_waited_for_and_found_again() {
    let server = Server::start().await;
    let site = server.enrolled().await;
    let mut connector = site.run(Services::default());
    server.until_linked(&connector.id).await;
    let next = {
        let address = server.address.to_string();
        let keeper = server.beside("127.0.0.1:0").await;
        server.shut_down().await;
        // Not only when it dials again: until then it is not linked either.
        connector.until(|status| matches!(status, ConnectorStatus::Waiting { .. })).await;
        keeper.beside(&address).await
    };
    next.until_linked(&connector.id).await;
    connector.until_linked().await;
}

#[tokio::test]
async fn a_connector_that_goes_down_ends_what_runs_first() {
    let pair = Pair::start().await;
    let Pair { server, connector, mail, site: _site, .. } = pair;
    mail.hang();
    let id = connector.id.clone();
    let (system, account) = (server.links.mail_system(&id), account(Credentials::None));
    let running = tokio::spawn(async move { system.owns(&account, &context()).await });
    eventually(|| mail.running() == 1).await;
    let stopping = tokio::spawn(connector.stop());
    eventually(|| server.links.connectors().first().is_none_or(|link| link.draining)).await;
    mail.release.notify_one();
    assert_eq!(running.await.unwrap(), Ok(true));
    stopping.await.unwrap();
    eventually(|| server.links.connectors().is_empty()).await;
}

#[tokio::test]
async fn a_connector_that_was_locked_or_removed_loses_its_link_and_gets_no_other() {
    for (state, reason) in
        [(ConnectorState::Locked, Refusal::Locked), (ConnectorState::Removed, Refusal::Removed)]
    {
        let mut pair = Pair::start().await;
        pair.server.links.set_state(&pair.connector.id, state).await.unwrap();
        eventually(|| pair.server.links.connectors().is_empty()).await;
        pair.connector
            .until(|status| {
                matches!(status, ConnectorStatus::Refused(refused) if refused.reason == reason)
            })
            .await;
        assert!(pair.server.links.connectors().is_empty());
    }
}

#[tokio::test]
async fn a_new_link_takes_the_place_of_the_old_one() {
    let pair = Pair::start().await;
    let twin = pair.site.run(pair.mail.services(CredentialsNeeded::None));
    let mut events = pair.server.links.subscribe();
    assert_eq!(events.recv().await.unwrap(), LinkEvent::Connected(twin.id.clone()));
    assert_eq!(pair.server.links.connectors().len(), 1);
    // The end of the old one is no loss: the new one stands.
    pair.connector.kill();
    assert!(pair.mail.memory.take_calls().is_empty());
    let system = pair.server.links.mail_system(&twin.id);
    assert!(system.owns(&account(Credentials::None), &context()).await.unwrap());
    assert!(events.try_recv().is_err());
}

/// A forward proxy that wants a password; tells how many came through.
async fn proxy(
    to: std::net::SocketAddr,
) -> (std::net::SocketAddr, Arc<std::sync::atomic::AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let through = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = through.clone();
    tokio::spawn(async move {
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let count = count.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(near.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                assert!(head.starts_with("CONNECT server.invalid:4433 HTTP/1.1\r\n"), "{head}");
                if !head.contains("Proxy-Authorization: Basic YW5uOnNlc2FtZQ==\r\n") {
                    near.write_all(b"HTTP/1.1 407 Who?\r\n\r\n").await.unwrap();
                    return;
                }
                count.fetch_add(1, Ordering::Relaxed);
                near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let mut far = TcpStream::connect(to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    (address, through)
}

#[tokio::test]
async fn a_connector_reaches_its_server_through_a_proxy() {
    let server = Server::start().await;
    let site = server.enrolled().await;
    let (address, through) = proxy(server.address).await;
    let config = |password: &str| ConnectorConfig {
        servers: vec!["server.invalid:4433".into()],
        proxy: Some(Proxy {
            address: address.to_string(),
            login: Some(("ann".into(), Secret::new(password))),
        }),
        ..site.config()
    };
    let mut refused = Site::run_with(config("wrong"), Services::default());
    refused
        .until(|status| {
            matches!(status, ConnectorStatus::Waiting { reason }
                if reason.contains("it wants a name and a password"))
        })
        .await;
    refused.kill();
    let connector = Site::run_with(config("sesame"), Services::default());
    server.until_linked(&connector.id).await;
    assert_eq!(through.load(Ordering::Relaxed), 1);
}
