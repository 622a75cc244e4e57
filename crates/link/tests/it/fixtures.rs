//! A server, connectors, and what they serve.

use crate::line::Line;
use async_trait::async_trait;
use dme_directory::{
    Card, DirectoryEntry, DirectoryService, Everyone, GroupSnapshot, PeopleFound, PeopleSearch,
    Person, Standing, Verdict,
};
use dme_link::{
    Approval, Authority, BackoffConfig, Connector, ConnectorConfig, ConnectorStatus,
    CredentialsNeeded, Enrolled, Hours, Identities, Links, LinksConfig, ListenConfig, Mailboxes,
    MemoryBook, MemoryConfigurations, MemoryEnrolments, Registrar, Services, Thrift, Token,
    Traffic, enroll, serve,
};
use dme_mailbox::memory::MemoryMailSystem;
use dme_mailbox::{Account, CallContext, Credentials, MailSystem, Mailbox};
use dme_model::{ConnectorId, Realm, RequestId, Secret, Timestamp, UserId};
use dme_zone::Zone;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

pub const PATIENCE: Duration = Duration::from_secs(20);
pub const HOUR: Duration = Duration::from_secs(3600);

/// One server with its registries.
pub struct Server {
    pub dir: TempDir,
    pub links: Links,
    pub address: SocketAddr,
    down: Option<oneshot::Sender<()>>,
    task: JoinHandle<dme_link::Result<()>>,
}

#[derive(Clone)]
pub struct ServerOptions {
    pub links: LinksConfig,
    pub listen: ListenConfig,
    pub certificate_life: Duration,
    /// What it wants of its connectors.
    pub configurations: Arc<MemoryConfigurations>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            links: LinksConfig::default(),
            listen: ListenConfig {
                locked_retry: Duration::from_millis(50),
                comeback: Duration::from_millis(50),
                ..ListenConfig::default()
            },
            certificate_life: HOUR,
            configurations: Arc::default(),
        }
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::with(ServerOptions::default()).await
    }

    pub async fn with(options: ServerOptions) -> Self {
        Self::in_dir(tempfile::tempdir().unwrap(), options).await
    }

    /// A server that knows no connectors, with an authority that is there already.
    pub async fn with_authority(dir: TempDir) -> Self {
        Self::in_dir(dir, ServerOptions::default()).await
    }

    /// A server that wants this of its connectors.
    pub async fn wanting(configurations: Arc<MemoryConfigurations>) -> Self {
        Self::with(ServerOptions { configurations, ..ServerOptions::default() }).await
    }

    async fn in_dir(dir: TempDir, options: ServerOptions) -> Self {
        let authority = Arc::new(Authority::open(dir.path()).unwrap());
        let registrar = Registrar::new(
            authority,
            Arc::new(MemoryBook::default()),
            Arc::new(MemoryEnrolments::default()),
        )
        .certificate_life(options.certificate_life)
        .configurations(options.configurations.clone());
        Self::listen(dir, Arc::new(registrar), options, "127.0.0.1:0").await
    }

    /// A further server that knows the same connectors.
    pub async fn beside(&self, address: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let registrar = self.links.registrar().clone();
        Self::listen(dir, registrar, ServerOptions::default(), address).await
    }

    async fn listen(
        dir: TempDir,
        registrar: Arc<Registrar>,
        options: ServerOptions,
        address: &str,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let links = Links::new(registrar, options.links);
        let (down, shutdown) = oneshot::channel();
        let task = tokio::spawn(serve(listener, links.clone(), options.listen, async {
            let _ = shutdown.await;
        }));
        Self { dir, links, address, down: Some(down), task }
    }

    pub async fn token(&self, approval: Approval) -> Token {
        self.token_for(self.address, approval).await
    }

    pub async fn token_for(&self, address: SocketAddr, approval: Approval) -> Token {
        let servers = vec![address.to_string()];
        self.links.registrar().issue_token("branch", servers, approval, HOUR).await.unwrap()
    }

    /// A connector that was enrolled and may serve.
    pub async fn enrolled(&self) -> Site {
        self.enrolled_at(self.address).await
    }

    pub async fn enrolled_at(&self, address: SocketAddr) -> Site {
        let site = Site::new();
        let token = self.token_for(address, Approval::Given).await;
        site.enroll(&token).await.unwrap();
        site
    }

    pub async fn shut_down(mut self) {
        self.down.take().unwrap().send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap().unwrap();
    }

    pub async fn until_linked(&self, id: &ConnectorId) {
        eventually(|| self.links.connectors().iter().any(|link| link.id == *id)).await;
    }
}

/// Where a connector is to run.
pub struct Site {
    pub dir: TempDir,
}

impl Site {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn identity(&self) -> PathBuf {
        self.dir.path().join("identity")
    }

    pub async fn enroll(&self, token: &Token) -> dme_link::Result<Enrolled> {
        enroll(token, &self.identity(), &[], None).await
    }

    /// The id that the server gave.
    pub fn id(&self) -> ConnectorId {
        Identities::open(&self.identity()).unwrap().id().clone()
    }

    pub fn config(&self) -> ConnectorConfig {
        ConnectorConfig {
            backoff: BackoffConfig {
                first: Duration::from_millis(5),
                longest: Duration::from_millis(100),
                steady: Duration::from_secs(60),
            },
            drain_limit: Duration::from_secs(5),
            ..ConnectorConfig::new(self.identity())
        }
    }

    pub fn run(&self, services: Services) -> Running {
        Self::run_with(self.config(), services)
    }

    pub fn run_with(config: ConnectorConfig, services: Services) -> Running {
        Self::run_connector(Connector::new(config, services).unwrap())
    }

    pub fn run_connector(connector: Connector) -> Running {
        let (id, status) = (connector.identities().id().clone(), connector.status());
        let traffic = Box::new(connector.traffic());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(connector.run(async {
            let _ = stopped.await;
        }));
        Running { id, traffic, status, stop: Some(stop), task }
    }
}

/// A connector that runs.
pub struct Running {
    pub id: ConnectorId,
    pub traffic: Box<dyn Fn() -> Traffic + Send + Sync>,
    status: watch::Receiver<ConnectorStatus>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<dme_link::Result<()>>,
}

impl Running {
    pub async fn until(&mut self, wanted: impl Fn(&ConnectorStatus) -> bool) -> ConnectorStatus {
        let found = tokio::time::timeout(PATIENCE, self.status.wait_for(wanted)).await;
        found.expect("the connector did not get there in time").unwrap().clone()
    }

    pub async fn until_linked(&mut self) {
        self.until(|status| matches!(status, ConnectorStatus::Linked { .. })).await;
    }

    pub async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap().unwrap();
    }

    /// As if it was killed.
    pub fn kill(self) {
        self.task.abort();
    }
}

/// A linked pair, and the mail system behind it.
pub struct Pair {
    pub server: Server,
    pub site: Site,
    pub connector: Running,
    pub mail: Arc<Probe>,
    /// Bytes of the enrolment, where the link is over a line that counts.
    pub enrolment: u64,
}

impl Pair {
    pub async fn start() -> Self {
        Self::with(ServerOptions::default(), CredentialsNeeded::None).await
    }

    pub async fn with(options: ServerOptions, needed: CredentialsNeeded) -> Self {
        Self::linked(options, Thrift::default(), needed).await
    }

    /// A pair whose connector spares its line.
    pub async fn sparing(thrift: Thrift, needed: CredentialsNeeded) -> Self {
        Self::linked(ServerOptions::default(), thrift, needed).await
    }

    async fn linked(options: ServerOptions, thrift: Thrift, needed: CredentialsNeeded) -> Self {
        let server = Server::with(options).await;
        let site = server.enrolled().await;
        let mail = Arc::new(Probe::default());
        let config = ConnectorConfig { thrift, ..site.config() };
        let connector = Site::run_with(config, mail.services(needed));
        server.until_linked(&connector.id).await;
        Self { server, site, connector, mail, enrolment: 0 }
    }

    /// A pair whose link runs over a line that can be broken.
    pub async fn over_a_line() -> (Self, Line) {
        let server = Server::start().await;
        let line = Line::to(server.address).await;
        let site = server.enrolled_at(line.address).await;
        let enrolment = line.bytes.load(Ordering::Relaxed);
        let mail = Arc::new(Probe::default());
        let connector = site.run(mail.services(CredentialsNeeded::None));
        server.until_linked(&connector.id).await;
        (Self { server, site, connector, mail, enrolment }, line)
    }

    pub fn system(&self) -> Arc<dyn MailSystem> {
        self.server.links.mail_system(&self.connector.id)
    }

    pub async fn mailbox(&self) -> Arc<dyn Mailbox> {
        self.system().open(&account(Credentials::None), &context()).await.unwrap()
    }
}

/// A mail system that remembers what it was asked, and that can be made to hang.
#[derive(Default)]
pub struct Probe {
    pub memory: MemoryMailSystem,
    pub seen: Mutex<Vec<(Account, CallContext)>>,
    pub hangs: std::sync::atomic::AtomicBool,
    pub running: AtomicUsize,
    pub release: tokio::sync::Notify,
}

impl Probe {
    pub fn services(self: &Arc<Self>, needed: CredentialsNeeded) -> Services {
        self.memory.add_user(&user(), "ann@example.org");
        Services {
            mailboxes: Some(Mailboxes::of_mail(self.clone(), needed)),
            directory: Some(Arc::new(People)),
            realms: [Realm::from("example.org")].into(),
            ..Services::default()
        }
    }

    pub fn hang(&self) {
        self.hangs.store(true, Ordering::Relaxed);
    }

    pub fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// What is asked from here on does not hang; what hangs goes on hanging.
    pub fn go_on(&self) {
        self.hangs.store(false, Ordering::Relaxed);
    }

    async fn asked(&self, account: &Account, context: &CallContext) {
        self.seen.lock().unwrap().push((account.clone(), context.clone()));
        self.running.fetch_add(1, Ordering::Relaxed);
        let _guard = Guard(&self.running);
        if self.hangs.load(Ordering::Relaxed) {
            self.release.notified().await;
        }
    }
}

struct Guard<'a>(&'a AtomicUsize);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl MailSystem for Probe {
    async fn owns(&self, account: &Account, context: &CallContext) -> dme_mailbox::Result<bool> {
        self.asked(account, context).await;
        self.memory.owns(account, context).await
    }

    async fn open(
        &self,
        account: &Account,
        context: &CallContext,
    ) -> dme_mailbox::Result<Arc<dyn Mailbox>> {
        self.asked(account, context).await;
        self.memory.open(account, context).await
    }
}

/// A directory of one person.
pub struct People;

pub fn person() -> Person {
    Person {
        user: user(),
        address: "ann@example.org".into(),
        display_name: Some("Ann Ödegård".into()),
        groups: Vec::new(),
        standing: Standing::Active,
    }
}

pub fn entry() -> DirectoryEntry {
    DirectoryEntry {
        user: Some(user()),
        address: "ann@example.org".into(),
        card: Card { title: Some("Engineer".into()), ..Card::default() },
        ..DirectoryEntry::default()
    }
}

#[async_trait]
impl DirectoryService for People {
    async fn authenticate(
        &self,
        name: &UserId,
        password: &Secret,
    ) -> dme_directory::Result<Verdict> {
        Ok(match (*name == user(), password.expose()) {
            (true, "pässword") => Verdict::Accepted(Box::new(person())),
            (true, _) => Verdict::WrongPassword,
            (false, _) => Verdict::Unknown,
        })
    }

    async fn find(&self, name: &UserId) -> dme_directory::Result<Option<Person>> {
        Ok(Some(person()).filter(|person| person.user == *name))
    }

    async fn groups(&self) -> dme_directory::Result<GroupSnapshot> {
        Err(dme_directory::Error::Refused("no search rights".into()))
    }

    async fn search(&self, search: &PeopleSearch) -> dme_directory::Result<PeopleFound> {
        let found = search.asking == user() && entry().address.starts_with(&search.text);
        let entries = std::iter::repeat_n(entry(), search.limit as usize);
        Ok(PeopleFound { entries: entries.filter(|_| found).collect(), total: 17 })
    }

    async fn everyone(&self, asking: &UserId, limit: u32) -> dme_directory::Result<Everyone> {
        let found = *asking == user() && limit > 0;
        Ok(Everyone { entries: vec![entry()], complete: found })
    }
}

pub fn user() -> UserId {
    UserId::from("ann@example.org")
}

pub fn account(credentials: Credentials) -> Account {
    Account {
        user: user(),
        address: "ann@example.org".into(),
        display_name: Some("Ann".into()),
        credentials,
    }
}

pub fn context() -> CallContext {
    CallContext::new(RequestId::from("r-1"), Duration::from_secs(15))
}

/// Hours of a day that are not now, whatever the time is.
pub fn other_hours() -> Hours {
    let hour = (Timestamp::from(SystemTime::now()).as_seconds() / 3_600 + 6) % 24;
    let text = format!("{hour:02}:00-{:02}:00", (hour + 1) % 24);
    Hours::read(&[text], Zone::utc()).unwrap()
}

/// Waits for a condition, not for a time.
pub async fn eventually(condition: impl Fn() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    waited.await.expect("it did not come about in time");
}
