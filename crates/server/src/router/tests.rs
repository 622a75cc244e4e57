//! Which connector: connectors in this process with mailboxes in memory, in paused time.

use super::*;
use crate::config::ConnectorSettings;
use async_trait::async_trait;
use dme_link::{Authority, Links, LinksConfig, Registrar, Services};
use dme_mailbox::MailSystem;
use dme_mailbox::memory::MemoryMailSystem;
use dme_model::Role;
use dme_routing::{Load, Tier};
use dme_store::SqliteStore;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A mail system that counts the questions, and may hang.
struct Site {
    mail: MemoryMailSystem,
    asked: AtomicUsize,
    hangs: AtomicBool,
}

#[async_trait]
impl MailSystem for Site {
    async fn owns(&self, account: &Account, context: &CallContext) -> Result<bool> {
        assert_eq!(account.credentials, Credentials::None, "the question bears no secret");
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.mail.owns(account, context).await
    }

    async fn open(&self, account: &Account, context: &CallContext) -> Result<Arc<dyn Mailbox>> {
        self.mail.open(account, context).await
    }
}

struct World {
    links: Links,
    router: Router,
    connectors: Arc<Connectors>,
    _directory: tempfile::TempDir,
}

const CALL: Duration = Duration::from_secs(60);

impl World {
    fn new(settings: BTreeMap<String, ConnectorSettings>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let authority = Arc::new(Authority::open(&directory.path().join("authority")).unwrap());
        let store = Arc::new(SqliteStore::open(directory.path().join("dme.db")).unwrap());
        let registrar = Arc::new(Registrar::new(authority, store.clone(), store));
        let links = Links::new(registrar, LinksConfig::default());
        let load = Load { outstanding: 0, parallel: 25, queue: 200 };
        let connectors = Connectors::new(links.clone(), settings, load);
        let router = Router::new(connectors.clone(), CALL);
        Self { links, router, connectors, _directory: directory }
    }

    /// Links a connector whose mail system has these users.
    async fn link(&self, name: &str, users: &[&str]) -> Arc<Site> {
        let mail = MemoryMailSystem::new();
        for user in users {
            mail.add_user(&UserId::from(*user), user);
        }
        let site = Site { mail, asked: AtomicUsize::default(), hangs: false.into() };
        let site = Arc::new(site);
        let mail = Some((site.clone() as Arc<dyn MailSystem>, CredentialsNeeded::Password));
        let services = Services { mail, ..Services::default() };
        let before = self.connectors.version();
        self.links.attach_local(ConnectorId::from(name), name, services);
        while self.connectors.version() == before {
            tokio::task::yield_now().await;
        }
        site
    }

    async fn open(&self, user: &str) -> Result<Arc<dyn Mailbox>> {
        let request = RequestId::from("test");
        self.router.open(&account(user), &request, Timestamp::from_millis(0)).await
    }

    /// By which connector the user is served.
    async fn served_by(&self, user: &str) -> Result<String> {
        self.open(user).await?;
        let known = self.router.lock();
        let (id, _) = known[&UserId::from(user)].serving.clone().unwrap();
        Ok(id.as_str().to_owned())
    }
}

fn account(user: &str) -> Account {
    Account {
        user: user.into(),
        address: user.into(),
        display_name: None,
        credentials: Credentials::Password(dme_model::Secret::new("secret")),
    }
}

#[tokio::test(start_paused = true)]
async fn each_user_is_served_by_who_has_the_mailbox() {
    let world = World::new(BTreeMap::new());
    let north = world.link("north", &["ann@example.org"]).await;
    world.link("south", &["bob@example.org"]).await;
    assert_eq!(world.served_by("ann@example.org").await.unwrap(), "north");
    assert_eq!(world.served_by("bob@example.org").await.unwrap(), "south");
    let inbox = north.mail.collection(&"ann@example.org".into(), Role::Inbox).unwrap();
    let seen = world.open("ann@example.org").await.unwrap().collections().await.unwrap();
    assert!(seen.iter().any(|collection| collection.id == inbox));
}

#[tokio::test(start_paused = true)]
async fn who_has_no_connector_is_told_why() {
    let world = World::new(BTreeMap::new());
    let nobody = world.open("ann@example.org").await.err().unwrap();
    assert_eq!(nobody.kind, ErrorKind::Unavailable);
    world.link("south", &["bob@example.org"]).await;
    let stranger = world.open("ann@example.org").await.err().unwrap();
    assert_eq!(stranger.kind, ErrorKind::Unavailable);
    let words = stranger.to_string();
    assert!(
        words.contains("south") && words.contains("does not have the user's mailbox"),
        "{words}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_user_stays_with_one_connector_and_is_not_asked_about_again() {
    let world = World::new(BTreeMap::new());
    let ann = ["ann@example.org"];
    let sites = [world.link("a", &ann).await, world.link("b", &ann).await];
    let first = world.served_by("ann@example.org").await.unwrap();
    for _ in 0..20 {
        assert_eq!(world.served_by("ann@example.org").await.unwrap(), first);
    }
    let asked: Vec<usize> = sites.iter().map(|site| site.asked.load(Ordering::SeqCst)).collect();
    assert_eq!(asked, [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_moved_is_found_when_the_answer_has_grown_old() {
    let world = World::new(BTreeMap::new());
    let north = world.link("north", &["ann@example.org"]).await;
    let south = world.link("south", &[]).await;
    assert_eq!(world.served_by("ann@example.org").await.unwrap(), "north");
    south.mail.add_user(&"ann@example.org".into(), "ann@example.org");
    north.hangs.store(true, Ordering::SeqCst);
    tokio::time::advance(OWNER_FOR + Duration::from_secs(1)).await;
    assert_eq!(world.served_by("ann@example.org").await.unwrap(), "south");
}

#[tokio::test(start_paused = true)]
async fn a_connector_that_does_not_answer_keeps_nobody_elses_users_waiting_long() {
    let world = World::new(BTreeMap::new());
    world.link("north", &["ann@example.org"]).await;
    world.link("south", &[]).await.hangs.store(true, Ordering::SeqCst);
    let began = Instant::now();
    assert_eq!(world.served_by("ann@example.org").await.unwrap(), "north");
    assert!(began.elapsed() <= OWNER_LIMIT, "{:?}", began.elapsed());
    let began = Instant::now();
    world.open("ann@example.org").await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO, "and only once");
}

#[tokio::test(start_paused = true)]
async fn a_failover_serves_until_a_primary_comes_and_scopes_are_kept() {
    let settings = |tier, users: Option<&str>| ConnectorSettings {
        tier,
        users: users.map(|user| [UserId::from(user)].into()),
    };
    let world = World::new(BTreeMap::from([
        ("spare".to_owned(), settings(Tier::Failover, None)),
        ("main".to_owned(), settings(Tier::Primary, Some("ann@example.org"))),
    ]));
    let both = ["ann@example.org", "bob@example.org"];
    world.link("spare", &both).await;
    assert_eq!(world.served_by("ann@example.org").await.unwrap(), "spare");
    world.link("main", &both).await;
    assert_eq!(world.served_by("ann@example.org").await.unwrap(), "main");
    assert_eq!(world.served_by("bob@example.org").await.unwrap(), "spare");
}
