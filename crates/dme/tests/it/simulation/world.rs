//! A server with four connectors: three before one mail system, two of them primaries, and one
//! before another, whose user must never be mixed up with the first ones.

use super::time::{BEGIN, Time};
use super::weather::Weather;
use anyhow::{Result, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use dme_directory::Person;
use dme_link::{Authority, ConnectorState, Fingerprint, Links, LinksConfig, Registrar};
use dme_mailbox::memory::MemoryMailSystem;
use dme_mailbox::{Account, Credentials, FetchOutcome, ItemFilter, Mailbox, Passing, Way};
use dme_model::{BodyView, CollectionId, Flags, Item, RequestId, Role, Timestamp, UserId};
use dme_routing::{Known, Tier};
use dme_server::connectors::{ConnectorSettings, Connectors, Limits};
use dme_server::membership::Membership;
use dme_server::metrics::Metrics;
use dme_server::router::Router;
use dme_server::watch::{Seat, WatchOpener, WatchTimes, Watches};
use dme_store::Store;
use dme_sync::property;
use futures_util::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// For all calls of one request.
const CALL: Duration = Duration::from_secs(60);
/// When who was told that nobody can serve them comes again.
const COMES_AGAIN: Duration = Duration::from_secs(2);
/// So many moments.
const PATIENCE: u32 = 10_000;
/// Within this time everybody is back at a connector that serves again: a minute until it is their turn,
/// and one until nobody is passed over any more whose mail system had failed.
const BACK: Duration = Duration::from_secs(120);
/// By name, and whether they are before the first mail system.
const CONNECTORS: [(&str, bool); 4] =
    [("north", true), ("south", true), ("spare", true), ("bought", false)];

/// What all lives have in common: the database, and the authority in it.
pub struct Server {
    registrar: Arc<Registrar>,
    store: Store,
    _directory: tempfile::TempDir,
}

/// One life's surroundings.
pub struct World {
    time: Time,
    router: Arc<Router>,
    connectors: Arc<Connectors>,
    pub weather: Arc<Weather>,
    first: MemoryMailSystem,
    second: MemoryMailSystem,
    ann: UserId,
    bob: UserId,
    carl: UserId,
    dora: UserId,
    drained: Mutex<BTreeSet<String>>,
    waited: AtomicU32,
    way: Arc<ByRequest>,
    /// The place of a phone that waits all the time.
    parked: tokio::sync::Mutex<Seat>,
}

/// Watches are opened as the server opens them.
struct Opener(Arc<Router>, Time);

#[async_trait]
impl WatchOpener for Opener {
    async fn open(&self, account: &Account) -> dme_mailbox::Result<Arc<dyn Mailbox>> {
        let (request, now) = (RequestId::from("watch"), self.1.now());
        self.0.open_for(account, &request, now, 10_000 * CALL).await
    }
}

/// Nobody is in a group.
struct NoGroups;

impl Membership for NoGroups {
    fn of_user(&self, _: &UserId, _: &str) -> Known {
        Known::No
    }

    fn of_person(&self, _: &Person, _: &str) -> Known {
        Known::No
    }
}

/// The mailbox as the server opens it for each request.
struct ByRequest {
    time: Time,
    router: Arc<Router>,
    account: Account,
    open: Mutex<Option<Arc<dyn Mailbox>>>,
}

#[async_trait]
impl Way for ByRequest {
    async fn there(&self) -> dme_mailbox::Result<Arc<dyn Mailbox>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(open) = open {
            return Ok(open);
        }
        let request = RequestId::from("phone");
        let opened = self.router.open(&self.account, &request, self.time.now()).await?;
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened.clone());
        Ok(opened)
    }
}

impl Server {
    pub fn new() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let authority = Arc::new(Authority::open(&directory.path().join("authority"))?);
        let store = Store::open_in_place(directory.path().join("dme.db"))?;
        let shared = Arc::new(store.clone());
        let registrar = Arc::new(Registrar::new(authority, shared.clone(), shared));
        Ok(Self { registrar, store, _directory: directory })
    }
}

impl World {
    pub async fn new(server: &Server, seed: u64) -> Result<Self> {
        let time = Time::begin();
        let clock = time.clone();
        let clock = Arc::new(move || clock.now());
        let links = Links::on_clock(server.registrar.clone(), LinksConfig::default(), clock);
        let spare =
            ConnectorSettings { tier: Some(Tier::Failover), ..ConnectorSettings::default() };
        let settings = BTreeMap::from([("spare".to_owned(), spare)]);
        let store = server.store.clone();
        let connectors = Connectors::new(links.clone(), store.clone(), settings, Limits::default());
        for (name, _) in CONNECTORS {
            connectors.set_settings(name, &ConnectorSettings::default(), time.now()).await?;
        }
        let router = Router::new(connectors.clone(), store, Arc::new(NoGroups), CALL);
        let router = Arc::new(router);
        let (first, second) = (MemoryMailSystem::new(), MemoryMailSystem::new());
        let user = |name: &str| UserId::from(format!("{name}{seed}@example.org"));
        let (ann, bob, carl) = (user("ann"), user("bob"), user("carl"));
        let dora = user("dora");
        let weather = Weather::new(links, time.clone(), dora.clone(), seed);
        for (system, user) in [(&first, &ann), (&first, &bob), (&first, &dora), (&second, &carl)] {
            system.add_user(user, user.as_str());
            system.set_clock(BEGIN);
        }
        let next = weather.hold();
        let book = server.registrar.book();
        for (name, is_first) in CONNECTORS {
            let known = book.list().await?.into_iter().find(|one| one.name == name);
            let id = match known {
                Some(known) => known.id,
                None => {
                    let key = Fingerprint::of_public_key(name.as_bytes());
                    book.enrol(name, &key, ConnectorState::Unlocked, BEGIN).await?.id
                }
            };
            weather.add(id, name, if is_first { &first } else { &second });
        }
        for (system, user) in [(&first, &bob), (&second, &carl)] {
            let inbox = system.collection(user, Role::Inbox)?;
            let mail = format!("Subject: for {user}\r\n\r\nText\r\n");
            system.insert(user, &inbox, mail, Flags::default(), BEGIN)?;
        }
        weather.go_on(next);
        let (account, waiting) = (account(&ann), account(&dora));
        let open = Mutex::default();
        let way = ByRequest { time: time.clone(), router: router.clone(), account, open };
        let (way, drained) = (Arc::new(way), Mutex::default());
        let times = WatchTimes {
            linger: CALL,
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(30),
            stand: CALL,
        };
        let opener = Arc::new(Opener(router.clone(), time.clone()));
        let watches = Watches::new(opener, times, Arc::new(Metrics::default()));
        let inbox = first.collection(&dora, Role::Inbox)?;
        let parked = watches.sit(&waiting, &[inbox], CALL).await;
        let parked = tokio::sync::Mutex::new(parked);
        let world = Self {
            time,
            router,
            connectors,
            weather,
            first,
            second,
            ann,
            bob,
            carl,
            dora,
            drained,
            waited: AtomicU32::new(0),
            way,
            parked,
        };
        Ok(world)
    }

    /// When all is well again, who has been waiting all the time is told of new mail.
    pub async fn the_parked_are_woken(&self) -> Result<()> {
        self.weather.hold();
        self.weather.clear_up();
        self.resume_all().await;
        let inbox = [self.first.collection(&self.dora, Role::Inbox)?];
        let mut parked = self.parked.lock().await;
        for _ in 0..PATIENCE {
            if parked.stands() {
                break;
            }
            a_moment().await;
        }
        // What was told before is old.
        while tokio::time::timeout(CALL, parked.roused(&inbox)).await.is_ok() {}
        let mail = "Subject: new\r\n\r\n";
        self.first.insert(&self.dora, &inbox[0], mail, Flags::default(), BEGIN)?;
        for _ in 0..PATIENCE {
            if tokio::time::timeout(CALL, parked.roused(&inbox)).await.is_ok() {
                return Ok(());
            }
            a_moment().await;
        }
        anyhow::bail!("who waited was not woken; the watch stands: {}", parked.stands())
    }

    /// When all has been well for a while, everybody is served by a primary again.
    pub async fn all_are_back(&self) -> Result<()> {
        tokio::time::sleep(BACK).await;
        for user in [&self.ann, &self.bob, &self.dora] {
            let request = RequestId::from("back");
            self.router.open(&account(user), &request, self.time.now()).await?;
            let by = self.router.serving(user);
            ensure!(["north", "south"].contains(&by.as_str()), "{user} is served by {by:?}");
        }
        Ok(())
    }

    /// How often somebody was served by a substitute while a primary could have.
    pub fn waited(&self) -> u32 {
        self.waited.load(Ordering::Relaxed)
    }

    async fn resume_all(&self) {
        let drained = self.drained.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for name in drained {
            self.drain(&name, false).await;
        }
    }

    async fn drain(&self, name: &str, drains: bool) {
        let settings = ConnectorSettings { drain: Some(drains), ..ConnectorSettings::default() };
        self.connectors.set_settings(name, &settings, self.time.now()).await.unwrap();
        let mut drained = self.drained.lock().unwrap_or_else(PoisonError::into_inner);
        if drains {
            drained.insert(name.to_owned())
        } else {
            drained.remove(name)
        };
    }

    /// Whoever has a connector that can serve is served, with what is theirs: at once, or when they
    /// come again, where it had been silent a moment ago.
    async fn others_are_served(&self) {
        let next = self.weather.hold();
        for (user, connectors) in
            [(&self.bob, &["north", "south", "spare"][..]), (&self.carl, &["bought"])]
        {
            let well = self.weather.well();
            let drained = self.drained.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let can =
                |name: &&&str| well.iter().any(|one| one == *name) && !drained.contains(**name);
            let able: Vec<_> = connectors.iter().filter(can).collect();
            let mut subjects = self.subjects(user).await;
            if subjects.is_err() && !able.is_empty() {
                tokio::time::sleep(COMES_AGAIN).await;
                subjects = self.subjects(user).await;
            }
            match subjects {
                Ok(subjects) => {
                    assert_eq!(subjects, [format!("for {user}")], "{}", self.weather.told());
                    let by_substitute = self.router.serving(user) == "spare";
                    let waits = by_substitute && able.iter().any(|able| **able != "spare");
                    self.waited.fetch_add(u32::from(waits), Ordering::Relaxed);
                }
                Err(error) => {
                    assert!(error.is_transient(), "{user}: {error}");
                    assert!(able.is_empty(), "{able:?} could serve {user}: {error:?}");
                }
            }
        }
        self.weather.go_on(next);
    }

    async fn subjects(&self, user: &UserId) -> dme_mailbox::Result<Vec<String>> {
        let request = RequestId::from("other");
        let mailbox = self.router.open(&account(user), &request, self.time.now()).await?;
        let system = if *user == self.carl { &self.second } else { &self.first };
        let inbox = system.collection(user, Role::Inbox)?;
        let listed = mailbox.list(&inbox, &ItemFilter::default()).await?;
        let items: Vec<_> = listed.items.iter().collect();
        let mut fetched = mailbox.fetch(&inbox, &items, &BodyView::default()).await?;
        let mut subjects = Vec::new();
        while let Some(next) = fetched.next().await {
            if let FetchOutcome::Item(Item::Mail(mail)) = next?.outcome {
                subjects.push(mail.subject.clone());
            }
        }
        Ok(subjects)
    }
}

/// Time passes.
async fn a_moment() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

fn account(user: &UserId) -> Account {
    Account {
        user: user.clone(),
        address: user.to_string(),
        display_name: None,
        credentials: Credentials::Password(dme_model::Secret::new("secret")),
    }
}

#[async_trait]
impl property::World for World {
    fn mailbox(&self) -> Arc<dyn Mailbox> {
        self.first.mailbox(&self.ann).unwrap()
    }

    fn phones_mailbox(&self) -> Arc<dyn Mailbox> {
        Arc::new(Passing(self.way.clone()))
    }

    async fn before_request(&self) {
        tokio::time::sleep(self.weather.pause()).await;
        *self.way.open.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some((name, drains)) = self.weather.order() {
            self.drain(&name, drains).await;
        }
        if self.weather.is_over() {
            self.weather.clear_up();
            self.resume_all().await;
        }
        self.others_are_served().await;
    }

    fn now(&self) -> Timestamp {
        BEGIN
    }

    fn set_clock(&self, now: Timestamp) {
        self.time.is_day(now);
        self.first.set_clock(now);
    }

    async fn put(
        &self,
        collection: &CollectionId,
        message: Bytes,
        flags: Flags,
        received: Timestamp,
    ) -> dme_mailbox::Result<()> {
        self.first.insert(&self.ann, collection, message, flags, received).map(drop)
    }

    async fn invalidate(&self, collection: &CollectionId) -> bool {
        self.first.invalidate(&self.ann, collection).is_ok()
    }

    async fn sent(&self) -> Vec<Bytes> {
        self.first.sent().into_iter().map(|sent| sent.message).collect()
    }

    fn recipient(&self) -> &str {
        "someone@elsewhere.example"
    }
}
