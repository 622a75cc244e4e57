//! An edge beside its server: what each is told of the other's, and whose word counts.

use crate::world::*;
use async_trait::async_trait;
use bytes::Bytes;
use dme_audit::{Outcome, Who};
use dme_edge::{Edge, EdgeConfig, EdgeRunning};
use dme_link::{
    Approval, Connector, ConnectorConfig, ConnectorStatus, EdgeService, Exchange, Exchanged,
    Ledger, Replica, enroll,
};
use dme_model::{ConnectorId, DeviceId, Timestamp, UserId};
use dme_phone::{Error, Phone};
use dme_server::edges::facts::{Claim, EdgeRules, KeptDevice, Subject};
use dme_server::elsewhere::{Elsewhere, Whereabouts};
use dme_server::lease::Lease;
use dme_server::policies::{Compliance, Push};
use dme_server::records::audit::Deed;
use dme_server::role::{EdgeFront, Lent};
use dme_store::{
    Admission, Decider, Decision, EventFilter, Held, Hold, Order, Policy, Sighting, Store, Wipe,
    WipeKind,
};
use dme_sync::DeviceKey;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(20);

/// A server with a connector `branch` that may be an edge for Ann.
async fn world() -> World {
    let branch = json!({ "scope": { "users": [ANN] }, "edge": "7d" });
    World::start(json!({
        "links": { "listen": "127.0.0.1:0" },
        "connectors": { "branch": branch },
    }))
    .await
}

async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("{what}"));
}

/// The connector `branch`, with whatever edge.
struct Branch {
    id: ConnectorId,
    folder: TempDir,
    link: Option<JoinHandle<dme_link::Result<()>>>,
    status: watch::Receiver<ConnectorStatus>,
    servers: Vec<String>,
}

impl Branch {
    async fn enrolled(world: &World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let servers = vec![world.server.links.unwrap().to_string()];
        let token = world.links.registrar().issue_token(
            "branch",
            servers.clone(),
            Approval::Given,
            Duration::from_secs(60),
        );
        let token = token.await.unwrap();
        let enrolled = enroll(&token, folder.path(), &servers, None).await.unwrap();
        world.front.connectors.reload().await;
        let (_, status) = watch::channel(ConnectorStatus::Dialling);
        Self { id: enrolled.id, folder, link: None, status, servers }
    }

    async fn link(&mut self, world: &World, edge: Arc<dyn EdgeService>) {
        let config = ConnectorConfig::new(self.folder.path());
        let connector = Connector::new(config, services(&world.mail)).unwrap().with_edge(edge);
        self.status = connector.status();
        self.link = Some(tokio::spawn(connector.run(std::future::pending())));
        eventually("it is linked", async || world.links.is_linked(&self.id)).await;
    }

    async fn cut(&mut self, world: &World) {
        if let Some(link) = self.link.take() {
            link.abort();
        }
        eventually("it is lost", async || !world.links.is_linked(&self.id)).await;
    }
}

/// An edge as it is.
struct Near {
    branch: Branch,
    edge: Arc<Edge>,
    status: watch::Sender<ConnectorStatus>,
    _running: EdgeRunning,
}

impl Near {
    async fn start(world: &World) -> Self {
        let mut branch = Branch::enrolled(world).await;
        let config: EdgeConfig = serde_json::from_value(json!({ "phones": {
            "listen": "127.0.0.1:0", "host": "localhost", "plain_http": true,
            "proxies": ["127.0.0.0/8"],
        }}))
        .unwrap();
        let edge = Edge::open(config, branch.folder.path()).await.unwrap();
        let (_, served) = watch::channel(services(&world.mail));
        let (status, told) = watch::channel(ConnectorStatus::Dialling);
        let running = edge.clone().start(served, told);
        branch.link(world, edge.clone()).await;
        let near = Self { branch, edge, status, _running: running };
        near.is_linked(true);
        eventually("it serves", async || near.edge.phones().is_some()).await;
        near
    }

    fn is_linked(&self, linked: bool) {
        let server = self.branch.servers.concat();
        let status =
            if linked { ConnectorStatus::Linked { server } } else { ConnectorStatus::Dialling };
        self.status.send_replace(status);
    }

    async fn cut(&mut self, world: &World) {
        self.is_linked(false);
        self.branch.cut(world).await;
    }

    async fn mend(&mut self, world: &World) {
        self.branch.link(world, self.edge.clone()).await;
        self.is_linked(true);
    }

    fn listens(&self) -> SocketAddr {
        self.edge.phones().unwrap()
    }

    async fn synced(&self, device: &str) -> Phone {
        let mut phone = phone_at(self.listens(), ANN, device);
        phone.folder_sync().await.unwrap();
        let inbox = phone.inbox().unwrap();
        phone.sync(&inbox).await.unwrap();
        phone
    }
}

fn moves(phone: &mut Phone, listens: SocketAddr) {
    phone.client.disconnect();
    phone.client.account.address = address(listens);
}

fn is_at_edge(world: &World, key: &DeviceKey) -> bool {
    matches!(world.front.elsewhere.whereabouts(key), Whereabouts::Edge(name, _) if name == "branch")
}

#[tokio::test]
async fn a_device_is_judged_by_the_server_and_goes_on_where_it_was_at_either() {
    let world = world().await;
    let near = Near::start(&world).await;
    let mut phone = near.synced("PHONE").await;
    let (inbox, ann) = (phone.inbox().unwrap(), key(ANN, "PHONE"));
    assert_eq!(world.record(ANN, "PHONE").await.admission, Admission::Allowed);
    assert!(is_at_edge(&world, &ann));
    world.deliver(ANN, "one");
    phone.sync(&inbox).await.unwrap();
    moves(&mut phone, world.server.phones);
    world.deliver(ANN, "two");
    phone.sync(&inbox).await.unwrap();
    assert!(!is_at_edge(&world, &ann));
    moves(&mut phone, near.listens());
    world.deliver(ANN, "three");
    phone.sync(&inbox).await.unwrap();
    assert_eq!((phone.items(&inbox).unwrap().len(), phone.events.resynced), (3, 0));
    // Whoever is not of its scope is not served there, though the directory knows them.
    let mut bob = phone_at(near.listens(), BOB, "BOBS");
    let refused = bob.folder_sync().await;
    assert!(matches!(refused, Err(Error::Unauthorized)), "{refused:?}");
    assert_eq!(world.front.store.device(&key(BOB, "BOBS")).await.unwrap(), None);
}

/// What an administrator does tells the edges.
async fn administer<T>(world: &World, act: impl Future<Output = T>) -> T {
    let who = Who::server();
    let deed = Deed { who, act: "test".into(), targets: Vec::new(), changes: Vec::new() };
    world.front.audit.record(deed, act, |_| Outcome::Done).await.unwrap()
}

#[tokio::test]
async fn policies_and_orders_hold_at_the_edge_and_what_came_of_them_is_known_to_the_server() {
    let world = world().await;
    let near = Near::start(&world).await;
    let front = &world.front;
    let mut phone = near.synced("PHONE").await;
    let ann = key(ANN, "PHONE");
    let levels = json!({ "default": { "Enforcement": { "value": "required" } } });
    let levels = serde_json::from_value(levels).unwrap();
    let (author, now) = (admin(0), (front.clock)());
    let set = front.policies.set_levels(&levels, &author, Push::Now, now);
    administer(&world, set).await.unwrap();
    eventually("the phone takes the policy there", async || {
        phone.folder_sync().await.unwrap();
        phone.events.provisioned > 0
    })
    .await;
    eventually("the server knows that it was taken", async || {
        front.policies.compliance(&world.record(ANN, "PHONE").await) == Compliance::Compliant
    })
    .await;
    administer(&world, front.order(&ann, Order::ResyncAll, "admin")).await.unwrap();
    eventually("the order is carried out there, and known to be", async || {
        phone.folder_sync().await.unwrap();
        world.record(ANN, "PHONE").await.waiting.is_empty()
    })
    .await;
}

/// A phone that comes to both while the line is down is where it came last.
#[tokio::test]
async fn a_device_that_was_at_both_without_the_line_is_where_it_came_last() {
    let world = world().await;
    let mut near = Near::start(&world).await;
    let mut phone = near.synced("PHONE").await;
    let (inbox, ann) = (phone.inbox().unwrap(), key(ANN, "PHONE"));
    near.cut(&world).await;
    let message = "From: ann@example.org\r\nTo: bob@example.org\r\nSubject: out\r\n\r\nHello\r\n";
    phone.send_mail(message).await.unwrap();
    assert_eq!(world.mail.sent().len(), 1, "without the line");
    moves(&mut phone, world.server.phones);
    phone.folder_sync().await.unwrap();
    world.deliver(ANN, "at the server");
    phone.sync(&inbox).await.unwrap();
    assert!(phone.events.resynced > 0, "what it held is not known there");
    near.mend(&world).await;
    administer(&world, std::future::ready(())).await;
    assert!(!is_at_edge(&world, &ann), "it came to the server last");
    // It may come back before the edge has heard where it was: then it is there with what follows.
    moves(&mut phone, near.listens());
    world.deliver(ANN, "at the edge");
    eventually("it is at the edge", async || {
        phone.folder_sync().await.unwrap();
        phone.sync(&inbox).await.unwrap();
        is_at_edge(&world, &ann)
    })
    .await;
    assert_eq!(phone.items(&inbox).unwrap().len(), 2);
}

#[tokio::test]
async fn an_edge_whose_lease_is_over_serves_nobody_until_it_has_heard_again() {
    struct Nowhere;
    #[async_trait]
    impl Elsewhere for Nowhere {
        async fn bring(&self, _: &DeviceKey, _: &Sighting, _: Timestamp) -> dme_store::Result<()> {
            Ok(())
        }

        async fn forget(&self, _: &DeviceKey) -> dme_store::Result<()> {
            Ok(())
        }

        fn whereabouts(&self, _: &DeviceKey) -> Whereabouts {
            Whereabouts::Server
        }
    }
    let world = world().await;
    let folder = tempfile::tempdir().unwrap();
    let config = serde_json::from_value(json!({
        "directory": folder.path(),
        "phones": { "listen": "127.0.0.1:0", "host": "localhost", "plain_http": true,
            "proxies": ["127.0.0.0/8"] },
        "realms": [{ "name": "example.org", "access": { "users": "everyone" } }],
    }));
    let now = (world.front.clock)();
    let lease = Arc::new(Lease::until(now, now));
    let lent = Lent { lease: Some(lease.clone()), elsewhere: Arc::new(Nowhere) };
    let store = Store::open(folder.path().join("edge.sqlite")).unwrap();
    let (config, services) = (config.unwrap(), services(&world.mail));
    let edge = EdgeFront::start(config, store, services, Default::default(), lent).await.unwrap();
    edge.front.gate.refresh().await;
    let mut phone = phone_at(edge.phones, ANN, "PHONE");
    phone.longest_pause = Duration::ZERO;
    assert!(matches!(phone.folder_sync().await, Err(Error::Http { status: 503, .. })));
    lease.renew(now.plus(Duration::from_secs(60)), now);
    phone.folder_sync().await.unwrap();
}

/// Whoever has the key of an edge may say whatever there is to say.
struct Liar {
    told: Mutex<Ledger>,
    held: Mutex<Replica>,
    taken: Mutex<Vec<(DeviceKey, bool)>>,
    news: watch::Sender<u64>,
}

#[async_trait]
impl EdgeService for Liar {
    async fn exchange(&self, asked: Exchange) -> dme_directory::Result<Exchanged> {
        let mut held = self.held.lock().unwrap();
        if let Some(delta) = asked.delta {
            held.apply(delta).unwrap();
        }
        let delta = self.told.lock().unwrap().since(asked.heard);
        Ok(Exchanged { holds: held.held(), delta })
    }

    async fn give(&self, _: &UserId, _: &DeviceId) -> dme_directory::Result<Option<Bytes>> {
        Ok(Some(Bytes::from_static(b"no states")))
    }

    async fn take(
        &self,
        user: &UserId,
        device: &DeviceId,
        states: Option<Bytes>,
    ) -> dme_directory::Result<()> {
        let key = DeviceKey { user: user.clone(), device: device.clone() };
        self.taken.lock().unwrap().push((key, states.is_some()));
        Ok(())
    }

    fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }
}

#[tokio::test]
async fn an_edge_speaks_for_the_users_of_its_scope_and_of_nobody_else() {
    let world = world().await;
    let _bobs = world.synced(BOB, "BOBS").await;
    let (bobs, made_up) = (key(BOB, "BOBS"), key(BOB, "MADEUP"));
    let kind = WipeKind::Device;
    let before = world.record(BOB, "BOBS").await;
    world.front.wipes.order(&bobs, kind, ADMIN, before.first_seen).await.unwrap();
    let before = world.record(BOB, "BOBS").await;
    let (at, sighting) = ((world.front.clock)(), Sighting::default());
    let kept = KeptDevice {
        taken: at,
        sighting: sighting.clone(),
        policy: Policy::default(),
        wipe: Wipe::Acknowledged { kind, at },
        information: "{\"model\":\"a lie\"}".into(),
        hold: None,
        decision: None,
        done: Vec::new(),
    };
    let mut told = Ledger::new(1);
    // Of its own user's device it may say that it misbehaves.
    let since = at.plus(Duration::from_secs(60));
    let held = Held::Blocked { before: Admission::Allowed };
    let hold = Some(Hold { held, rule: "hammers".into(), reason: String::new(), since });
    let by = Decider::Behaviour("hammers".into());
    let decision = Some(Decision { by, reason: String::new(), at: since });
    let misbehaves = KeptDevice { hold, decision, ..kept.clone() };
    for (key, kept) in [(&bobs, &kept), (&made_up, &kept), (&key(ANN, "ANNS"), &misbehaves)] {
        told.set(Subject::Device(key.clone()).to_string(), serde_json::to_value(kept).unwrap());
        let claim = Claim { at, sighting: sighting.clone() };
        told.set(Subject::Claim(key.clone()).to_string(), serde_json::to_value(claim).unwrap());
    }
    let event = json!([{ "number": 1, "kind": "wipe_done", "user": BOB, "message": "a lie" }]);
    told.set(Subject::Events.to_string(), event);
    let liar = Arc::new(Liar {
        told: Mutex::new(told),
        held: Mutex::default(),
        taken: Mutex::default(),
        news: watch::Sender::new(1),
    });
    let mut branch = Branch::enrolled(&world).await;
    branch.link(&world, liar.clone()).await;
    eventually("its claims are answered", async || liar.taken.lock().unwrap().len() >= 3).await;
    let taken = liar.taken.lock().unwrap().clone();
    for (key, states) in taken {
        assert_eq!(states, key.user.as_str() == ANN, "{key:?}");
    }
    assert_eq!(world.record(BOB, "BOBS").await, before);
    assert_eq!(world.front.store.device(&made_up).await.unwrap(), None);
    assert!(is_at_edge(&world, &key(ANN, "ANNS")) && !is_at_edge(&world, &bobs));
    assert_eq!(world.record(ANN, "ANNS").await.admission, Admission::Blocked);
    let filter = EventFilter { text: Some("a lie".into()), ..EventFilter::default() };
    assert_eq!(world.front.store.events(&filter, 10).await.unwrap().events, []);
    // It is told of its own users' devices alone.
    let held = liar.held.lock().unwrap();
    assert!(held.facts().keys().all(|name| !name.contains(BOB)), "{:?}", held.facts().keys());
    let rules = held.facts().get(&Subject::Rules.to_string()).unwrap().clone();
    let rules: EdgeRules = serde_json::from_value(rules).unwrap();
    assert_eq!(rules.realms.len(), 1);
}
