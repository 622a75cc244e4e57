//! A connector that is an edge: its store and the server's tell each other what they keep.

use crate::fixtures::*;
use crate::line::Line;
use async_trait::async_trait;
use bytes::Bytes;
use dme_directory::Error;
use dme_link::{
    Connector, EdgeService, Exchange, Exchanged, Flow, Held, Kind, Ledger, LinkEvent, NotAnswered,
    Replica, Services,
};
use dme_model::{ConnectorId, DeviceId, UserId};
use serde_json::json;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, broadcast, watch};

/// An edge's store.
struct Store {
    ledger: Mutex<Ledger>,
    /// Of the server's ledger.
    replica: Mutex<Replica>,
    states: Mutex<HashMap<(UserId, DeviceId), Bytes>>,
    news: watch::Sender<u64>,
    hangs: AtomicBool,
    release: Notify,
    running: AtomicUsize,
    ended: AtomicUsize,
}

impl Store {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            ledger: Mutex::new(Ledger::new(7)),
            replica: Mutex::default(),
            states: Mutex::default(),
            news: watch::Sender::new(0),
            hangs: AtomicBool::new(false),
            release: Notify::new(),
            running: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
        })
    }

    fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl EdgeService for Store {
    async fn exchange(&self, asked: Exchange) -> Result<Exchanged, Error> {
        assert_eq!(self.running.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
        if self.hangs.load(Ordering::SeqCst) {
            self.release.notified().await;
        }
        let mut replica = self.replica.lock().unwrap();
        if let Some(delta) = asked.delta {
            let _ = replica.apply(delta);
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.ended.fetch_add(1, Ordering::SeqCst);
        let delta = self.ledger.lock().unwrap().since(asked.heard);
        Ok(Exchanged { holds: replica.held(), delta })
    }

    async fn give(&self, user: &UserId, device: &DeviceId) -> Result<Option<Bytes>, Error> {
        if device.as_str() == "broken" {
            return Err(Error::Unavailable("the disk is full".into()));
        }
        Ok(self.states.lock().unwrap().get(&(user.clone(), device.clone())).cloned())
    }

    async fn take(
        &self,
        user: &UserId,
        device: &DeviceId,
        states: Option<Bytes>,
    ) -> Result<(), Error> {
        let (mut all, key) = (self.states.lock().unwrap(), (user.clone(), device.clone()));
        match states {
            Some(states) => all.insert(key, states),
            None => all.remove(&key),
        };
        Ok(())
    }

    fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }
}

/// A server linked with an edge over a line, and what it keeps and holds.
struct Linked {
    server: Server,
    line: Line,
    _connector: Running,
    id: ConnectorId,
    store: Arc<Store>,
    events: broadcast::Receiver<LinkEvent>,
    ledger: Ledger,
    /// What the edge is known to hold of it.
    holds: Option<Held>,
    /// Of the edge's ledger.
    replica: Replica,
    _site: Site,
}

impl Linked {
    async fn start() -> Self {
        let server = Server::start().await;
        let line = Line::to(server.address).await;
        let site = server.enrolled_at(line.address).await;
        let store = Store::new();
        let events = server.links.subscribe();
        let connector = Connector::new(site.config(), Services::default()).unwrap();
        let connector = Site::run_connector(connector.with_edge(store.clone()));
        let id = connector.id.clone();
        server.until_linked(&id).await;
        let (ledger, replica) = (Ledger::new(9), Replica::default());
        let (_connector, _site, holds) = (connector, site, None);
        Self { server, line, _connector, id, store, events, ledger, holds, replica, _site }
    }

    fn asked(&self) -> Exchange {
        let delta = Some(self.ledger.since(self.holds)).filter(|delta| !delta.is_empty());
        Exchange { heard: self.replica.held(), delta }
    }

    async fn exchange(&mut self) -> Result<(), NotAnswered> {
        let asked = self.asked();
        let exchanged = self.server.links.exchange(&self.id, asked, PATIENCE).await?;
        self.holds = exchanged.holds;
        self.replica.apply(exchanged.delta).unwrap();
        Ok(())
    }

    fn set(&mut self, ours: i64, theirs: i64) {
        self.ledger.set("ours", json!(ours));
        self.store.ledger.lock().unwrap().set("theirs", json!(theirs));
    }

    /// Whether both hold what the other keeps.
    fn agree(&self) -> bool {
        self.store.replica.lock().unwrap().facts() == self.ledger.facts()
            && self.replica.facts() == self.store.ledger.lock().unwrap().facts()
    }

    fn bulk(&self) -> Flow {
        self.server.links.connector(&self.id).unwrap().traffic.bulk
    }

    /// The next event about the link that is not a loss.
    async fn event(&mut self) -> LinkEvent {
        loop {
            let event = tokio::time::timeout(PATIENCE, self.events.recv()).await;
            match event.expect("nothing happened in time").unwrap() {
                LinkEvent::Lost { .. } => {}
                event => return event,
            }
        }
    }
}

#[tokio::test]
async fn the_facts_of_both_ends_go_both_ways() {
    let mut linked = Linked::start().await;
    assert!(linked.server.links.connector(&linked.id).unwrap().is_edge);
    linked.set(1, 2);
    linked.exchange().await.unwrap();
    assert!(linked.agree());
    linked.ledger.remove("ours");
    linked.store.ledger.lock().unwrap().set("theirs", json!(3));
    linked.exchange().await.unwrap();
    assert!(linked.agree());
    let traffic = linked.server.links.connector(&linked.id).unwrap().traffic;
    let edge = traffic.records(Kind::Edge);
    assert!(edge.sent > 0 && edge.received > 0, "{edge:?}");
    assert_eq!(traffic.records(Kind::Calls), Flow::default());
}

#[tokio::test]
async fn a_small_exchange_needs_no_connection_for_content_and_a_large_one_has_it() {
    let mut linked = Linked::start().await;
    // As one that has heard of the edge before.
    linked.replica.apply(linked.store.ledger.lock().unwrap().since(None)).unwrap();
    linked.set(1, 2);
    linked.exchange().await.unwrap();
    let small = Bytes::from(vec![0; 1_000]);
    let (user, device) = (user(), DeviceId::from("d1"));
    linked.server.links.take(&linked.id, &user, &device, Some(small), PATIENCE).await.unwrap();
    assert_eq!(linked.bulk(), Flow::default());
    linked.ledger.set("large", json!("x".repeat(40_000)));
    linked.exchange().await.unwrap();
    assert!(linked.bulk().sent > 40_000);
    assert!(linked.agree());
    let large = Bytes::from(vec![0; 100_000]);
    linked.server.links.take(&linked.id, &user, &device, Some(large), PATIENCE).await.unwrap();
    assert!(linked.bulk().sent > 140_000);
}

#[tokio::test]
async fn a_link_lost_in_the_midst_of_an_exchange_costs_nothing() {
    let mut linked = Linked::start().await;
    linked.set(1, 2);
    linked.exchange().await.unwrap();
    linked.set(3, 4);
    linked.store.hangs.store(true, Ordering::SeqCst);
    let (links, id, asked) = (linked.server.links.clone(), linked.id.clone(), linked.asked());
    let lost = tokio::spawn(async move { links.exchange(&id, asked, PATIENCE).await });
    eventually(|| linked.store.running() == 1).await;
    let since = linked.server.links.connector(&linked.id).unwrap().since;
    linked.line.cut();
    assert!(matches!(lost.await.unwrap(), Err(NotAnswered::Unavailable(_))));
    let links = linked.server.links.clone();
    eventually(|| links.connector(&linked.id).is_some_and(|link| link.since != since)).await;
    // The next waits for its turn: what the lost link left is carried to its end.
    linked.ledger.set("more", json!(5));
    let (id, asked) = (linked.id.clone(), linked.asked());
    let waits = Duration::from_millis(100);
    let late = links.exchange(&id, asked, waits).await;
    assert!(matches!(late, Err(NotAnswered::Late(_))), "{late:?}");
    assert_eq!(linked.store.running(), 1);
    linked.store.hangs.store(false, Ordering::SeqCst);
    linked.store.release.notify_one();
    // The one that was late may have had its turn still.
    eventually(|| linked.store.ended.load(Ordering::SeqCst) >= 2).await;
    linked.exchange().await.unwrap();
    assert!(linked.agree());
}

#[tokio::test]
async fn news_of_an_edge_wakes_its_server_and_is_told_anew_on_each_link() {
    let mut linked = Linked::start().await;
    let id = linked.id.clone();
    assert_eq!(linked.event().await, LinkEvent::Connected(id.clone()));
    let generation = linked.server.links.generation();
    for number in 1..=2 {
        linked.store.news.send_replace(number);
        assert_eq!(linked.event().await, LinkEvent::News(id.clone()), "news {number}");
    }
    assert_eq!(linked.server.links.generation(), generation, "no link came or went");
    linked.line.cut();
    assert_eq!(linked.event().await, LinkEvent::Connected(id.clone()));
    assert_eq!(linked.event().await, LinkEvent::News(id.clone()));
    linked.store.news.send_replace(3);
    assert_eq!(linked.event().await, LinkEvent::News(id));
}

#[tokio::test]
async fn an_edge_without_news_tells_none() {
    let mut linked = Linked::start().await;
    linked.exchange().await.unwrap();
    assert!(matches!(linked.events.recv().await, Ok(LinkEvent::Connected(_))));
    assert!(linked.events.try_recv().is_err());
}

#[tokio::test]
async fn a_device_s_states_are_given_and_taken_and_none_is_not_nothing() {
    let linked = Linked::start().await;
    let (links, id, user) = (&linked.server.links, &linked.id, user());
    let device = DeviceId::from("d1");
    assert_eq!(links.give(id, &user, &device, PATIENCE).await, Ok(None));
    for states in [Some(Bytes::from(vec![7; 300_000])), Some(Bytes::new()), None] {
        links.take(id, &user, &device, states.clone(), PATIENCE).await.unwrap();
        assert_eq!(links.give(id, &user, &device, PATIENCE).await, Ok(states));
    }
    let other = DeviceId::from("d2");
    links.take(id, &user, &device, Some(Bytes::from_static(b"s")), PATIENCE).await.unwrap();
    assert_eq!(links.give(id, &user, &other, PATIENCE).await, Ok(None));
    let broken = links.give(id, &user, &DeviceId::from("broken"), PATIENCE).await;
    assert_eq!(broken, Err(NotAnswered::Unavailable("the disk is full".into())));
}

#[tokio::test]
async fn a_connector_that_is_no_edge_is_not_asked() {
    let pair = Pair::start().await;
    let (links, id) = (&pair.server.links, &pair.connector.id);
    assert!(!links.connector(id).unwrap().is_edge);
    let asked = links.exchange(id, Exchange::default(), PATIENCE).await;
    assert_eq!(asked, Err(NotAnswered::Unsupported));
    let device = DeviceId::from("d1");
    let given = links.give(id, &user(), &device, PATIENCE).await;
    assert_eq!(given, Err(NotAnswered::Unsupported));
    let taken = links.take(id, &user(), &device, None, PATIENCE).await;
    assert_eq!(taken, Err(NotAnswered::Unsupported));
    assert_eq!((pair.connector.traffic)().records(Kind::Edge), Flow::default());
    let nobody = links.exchange(&ConnectorId::from("c9"), Exchange::default(), PATIENCE).await;
    assert!(matches!(nobody, Err(NotAnswered::Unavailable(_))));
}
