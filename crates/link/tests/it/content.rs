//! The connection for content: there when there is content, and not before (rule L5).

use crate::fixtures::*;
use crate::line::Line;
use bytes::Bytes;
use dme_link::{
    ConnectorConfig, CredentialsNeeded, DrainOrder, KeepAlive, LinksConfig, ListenConfig,
};
use dme_mailbox::{Credentials, ErrorKind, Mailbox, WatchEvent};
use dme_model::{CollectionId, Flags, ItemId, Role, Timestamp};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// A linked pair over a line, with a message to fetch.
struct Linked {
    pair: Pair,
    line: Line,
    mailbox: Arc<dyn Mailbox>,
    inbox: CollectionId,
    item: ItemId,
}

/// When either end makes the connection for content.
#[derive(Clone, Copy)]
struct OnDemand {
    server: bool,
    connector: bool,
}

const BOTH: OnDemand = OnDemand { server: true, connector: true };

impl Linked {
    async fn start(on_demand: OnDemand, content_keepalives: u32) -> Self {
        let options = ServerOptions::default();
        let server = Server::with(ServerOptions {
            links: LinksConfig { content_keepalives, ..options.links },
            listen: ListenConfig { content_on_demand: on_demand.server, ..options.listen.clone() },
            ..options
        })
        .await;
        let line = Line::to(server.address).await;
        let site = server.enrolled_at(line.address).await;
        eventually(|| line.connections() == 0).await;
        let mail = Arc::new(Probe::default());
        let config = ConnectorConfig {
            keepalive: KeepAlive { interval: SECOND, timeout: 10 * SECOND },
            content_on_demand: on_demand.connector,
            ..site.config()
        };
        let connector = Site::run_with(config, mail.services(CredentialsNeeded::None));
        server.until_linked(&connector.id).await;
        let inbox = mail.memory.collection(&user(), Role::Inbox).unwrap();
        let pair = Pair { server, site, connector, mail, enrolment: 0 };
        let item = put(&pair, &inbox);
        let mailbox = pair.mailbox().await;
        Self { pair, line, mailbox, inbox, item }
    }

    async fn fetch(&self) -> dme_mailbox::Result<Bytes> {
        let part = self.mailbox.fetch_part(&self.inbox, &self.item, None, None).await;
        part.map(|part| part.data)
    }

    fn since(&self) -> Timestamp {
        self.pair.server.links.connectors()[0].since
    }
}

fn put(pair: &Pair, inbox: &CollectionId) -> ItemId {
    let (flags, received) = (Flags::default(), Timestamp::from_seconds(0));
    let message = Bytes::from_static(b"Subject: small\r\n\r\n");
    pair.mail.memory.insert(&user(), inbox, message, flags, received).unwrap()
}

#[tokio::test]
async fn a_link_is_one_connection_until_there_is_content_to_fetch() {
    let linked = Linked::start(BOTH, 20).await;
    linked.mailbox.collections().await.unwrap();
    assert_eq!(linked.line.connections(), 1);
    for _ in 0..3 {
        assert!(!linked.fetch().await.unwrap().is_empty());
        assert_eq!(linked.line.connections(), 2);
    }
}

#[tokio::test]
async fn many_who_want_content_at_once_wait_for_one_connection() {
    let linked = Linked::start(BOTH, 20).await;
    let fetched = futures_util::future::join_all((0..8).map(|_| linked.fetch())).await;
    assert!(fetched.iter().all(Result::is_ok), "{fetched:?}");
    assert_eq!(linked.line.connections(), 2);
}

#[tokio::test]
async fn who_hears_of_a_change_finds_the_connection_made() {
    let linked = Linked::start(BOTH, 20).await;
    let mut watch = linked.mailbox.watch(std::slice::from_ref(&linked.inbox)).await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap(), WatchEvent::Ready);
    assert_eq!(linked.line.connections(), 1);
    put(&linked.pair, &linked.inbox);
    assert!(matches!(watch.next().await.unwrap().unwrap(), WatchEvent::Changed(_)));
    eventually(|| linked.line.connections() == 2).await;
}

#[tokio::test]
async fn a_connection_that_nobody_uses_is_let_go_and_made_anew_when_it_is_wanted() {
    let linked = Linked::start(BOTH, 1).await;
    let since = linked.since();
    for _ in 0..2 {
        linked.fetch().await.unwrap();
        assert_eq!(linked.line.connections(), 2);
        eventually(|| linked.line.connections() == 1).await;
    }
    linked.mailbox.collections().await.unwrap();
    assert_eq!(linked.since(), since, "the link stays");
}

#[tokio::test]
async fn what_runs_on_a_connection_is_not_cut_off_by_its_rest() {
    let linked = Linked::start(BOTH, 1).await;
    linked.fetch().await.unwrap();
    linked.pair.mail.hang();
    let (release, mail) = (tokio::time::sleep(3 * SECOND), linked.pair.mail.clone());
    let released = async {
        release.await;
        assert_eq!(linked.line.connections(), 2);
        mail.go_on();
        mail.release.notify_waiters();
    };
    let (fetched, ()) = tokio::join!(linked.fetch(), released);
    fetched.unwrap();
    eventually(|| linked.line.connections() == 1).await;
}

#[tokio::test]
async fn a_connection_for_content_that_something_on_the_way_ends_is_made_anew() {
    let linked = Linked::start(BOTH, 20).await;
    for _ in 0..3 {
        linked.fetch().await.unwrap();
        linked.line.cut_latest();
        eventually(|| linked.line.connections() < 2).await;
        // Where an end took it for the loss of the link, that is made anew as well.
        let end = Instant::now() + PATIENCE;
        while let Err(error) = linked.fetch().await {
            assert!(Instant::now() < end, "{error:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn with_a_release_before_both_connections_are_made_with_the_link_and_stay() {
    for on_demand in [OnDemand { connector: false, ..BOTH }, OnDemand { server: false, ..BOTH }] {
        let linked = Linked::start(on_demand, 1).await;
        assert_eq!(linked.line.connections(), 2);
        linked.fetch().await.unwrap();
        let since = linked.since();
        tokio::time::sleep(2 * SECOND).await;
        assert_eq!(linked.line.connections(), 2);
        assert_eq!(linked.since(), since);
        linked.fetch().await.unwrap();
    }
}

#[tokio::test]
async fn content_is_fetched_while_a_link_gives_its_place_to_another() {
    let linked = Linked::start(BOTH, 20).await;
    for _ in 0..5 {
        let since = linked.pair.server.links.generation();
        linked.pair.server.links.drain(&linked.pair.connector.id, &DrainOrder::default());
        linked.fetch().await.unwrap();
        eventually(|| linked.pair.server.links.generation() > since).await;
    }
}

#[tokio::test]
async fn of_a_connector_that_goes_no_content_is_waited_for() {
    let linked = Linked::start(BOTH, 20).await;
    linked.pair.mail.hang();
    let (system, account) = (linked.pair.system(), account(Credentials::None));
    let running = tokio::spawn(async move { system.owns(&account, &context()).await });
    eventually(|| linked.pair.mail.running() == 1).await;
    let Linked { pair: Pair { server, connector, mail, .. }, mailbox, inbox, item, .. } = linked;
    let stopping = tokio::spawn(connector.stop());
    eventually(|| server.links.connectors().first().is_some_and(|link| link.draining)).await;
    let begun = Instant::now();
    let error = mailbox.fetch_part(&inbox, &item, None, None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(begun.elapsed() < 2 * SECOND);
    mail.release.notify_one();
    assert_eq!(running.await.unwrap(), Ok(true));
    stopping.await.unwrap();
}
