//! Random lives on Dovecot and Postfix, seen through the IMAP backend and a link that breaks, with
//! the state in SQLite. The engine's own suite plays thousands of lives on a mailbox in memory;
//! these few show that what it leans on holds for real parts.

use super::chance::{Chance, seeds};
use super::imap::Client;
use super::line::Line;
use crate::site::PATIENCE;
use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use dme_imap::{ImapConfig, ImapMailSystem, ServerConfig, SmtpConfig, TlsMode};
use dme_link::{
    Approval, Authority, BackoffConfig, Connector, ConnectorConfig, CredentialsNeeded, Links,
    LinksConfig, ListenConfig, Mailboxes, MemoryBook, MemoryEnrolments, Registrar, Services,
    enroll, serve,
};
use dme_mailbox::{Account, CallContext, Credentials, Error, ErrorKind, MailSystem, Mailbox};
use dme_model::{CollectionId, ConnectorId, Flags, RequestId, Secret, Timestamp, UserId};
use dme_store::Store;
use dme_sync::property::{Fate, Mark, Op, World, run};
use dme_sync::{FilterAge, StateStore};
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use dme_testkit::postfix::{Postfix, PostfixOptions};
use futures_util::StreamExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const LIVES: u64 = 36;
const AT_ONCE: usize = 4;
const PASSWORD: &str = "a password";
const HOUR: Duration = Duration::from_secs(3600);

/// The mail system of all lives; each has a user of its own, and one to send to.
struct MailServers {
    dovecot: Dovecot,
    postfix: Postfix,
}

fn model(seed: u64) -> String {
    format!("model{seed}@example.org")
}

fn recipient(seed: u64) -> String {
    format!("recipient{seed}@example.org")
}

impl MailServers {
    fn start(seeds: &[u64]) -> Result<Self> {
        let users = seeds.iter().flat_map(|seed| [model(*seed), recipient(*seed)]);
        let users = users.map(|user| (user, PASSWORD));
        let dovecot = Dovecot::start(DovecotOptions::with_users(users))?;
        let postfix = Postfix::start(&dovecot, &PostfixOptions::default())?;
        Ok(Self { dovecot, postfix })
    }

    fn client(&self, user: &str) -> Result<Client> {
        Client::login(self.dovecot.imap_port, user, PASSWORD)
    }

    fn system(&self) -> Result<Arc<ImapMailSystem>> {
        let at = |port| ServerConfig {
            host: "127.0.0.1".to_owned(),
            port: Some(port),
            tls: TlsMode::None,
            ..ServerConfig::default()
        };
        let config = ImapConfig {
            server: at(self.dovecot.imap_port),
            smtp: Some(SmtpConfig { server: at(self.postfix.port), ..SmtpConfig::default() }),
            ..ImapConfig::default()
        };
        Ok(Arc::new(ImapMailSystem::new(config)?))
    }
}

/// A server, a connector, and the line between them.
struct Link {
    links: Links,
    line: Line,
    id: ConnectorId,
}

impl Link {
    async fn start(folder: &Path, system: Arc<ImapMailSystem>) -> Result<Self> {
        let registrar = Registrar::new(
            Arc::new(Authority::open(&folder.join("authority"))?),
            Arc::new(MemoryBook::default()),
            Arc::new(MemoryEnrolments::default()),
        );
        let links = Links::new(Arc::new(registrar), LinksConfig::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let server = listener.local_addr()?;
        let pending = std::future::pending();
        tokio::spawn(serve(listener, links.clone(), ListenConfig::default(), pending));
        let line = Line::to(move || server).await?;

        let servers = vec![line.address.to_string()];
        let token = links.registrar().issue_token("branch", servers, Approval::Given, HOUR).await?;
        let identity = folder.join("identity");
        let id = enroll(&token, &identity, &[], None).await?.id;
        let backoff = BackoffConfig {
            first: Duration::from_millis(2),
            longest: Duration::from_millis(20),
            ..BackoffConfig::default()
        };
        let config = ConnectorConfig { backoff, ..ConnectorConfig::new(identity) };
        let mailboxes = Some(Mailboxes::of_all(system, CredentialsNeeded::Password));
        let services = Services { mailboxes, ..Services::default() };
        tokio::spawn(Connector::new(config, services)?.run(std::future::pending()));
        Ok(Self { links, line, id })
    }

    async fn stands(&self) {
        let end = Instant::now() + PATIENCE;
        while self.links.connectors().is_empty() && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// One life's surroundings.
struct Surroundings<'s> {
    servers: &'s MailServers,
    seed: u64,
    link: Link,
    /// The mailbox as the phone's requests reach it.
    linked: Arc<dyn Mailbox>,
    /// The mailbox without the line between.
    direct: Arc<dyn Mailbox>,
    client: Mutex<Client>,
    recipient: String,
    weather: Mutex<Weather>,
    now: Timestamp,
}

/// When the line breaks.
struct Weather {
    chance: Chance,
    /// So often at the most, so that it becomes fine in the end.
    storms: u32,
}

impl<'s> Surroundings<'s> {
    async fn new(servers: &'s MailServers, seed: u64, folder: &Path) -> Result<Self> {
        let link = Link::start(folder, servers.system()?).await?;
        let account = Account {
            user: UserId::from(model(seed)),
            address: model(seed),
            display_name: Some("Model".to_owned()),
            credentials: Credentials::Password(Secret::new(PASSWORD)),
        };
        let context = CallContext::new(RequestId::from(format!("life-{seed}")), HOUR);
        Ok(Self {
            linked: link.links.mail_system(&link.id).open(&account, &context).await?,
            direct: servers.system()?.open(&account, &context).await?,
            link,
            client: Mutex::new(servers.client(&model(seed))?),
            recipient: recipient(seed),
            weather: Mutex::new(Weather { chance: Chance::new(!seed), storms: 12 }),
            now: now()?,
            servers,
            seed,
        })
    }

    fn with_client<T>(&self, act: impl FnOnce(&mut Client) -> Result<T>) -> dme_mailbox::Result<T> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut client).map_err(|e| Error::new(ErrorKind::Bug, format!("the other client: {e:#}")))
    }
}

fn now() -> Result<Timestamp> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Timestamp::from_seconds(i64::try_from(since.as_secs())?))
}

#[async_trait]
impl World for Surroundings<'_> {
    fn mailbox(&self) -> Arc<dyn Mailbox> {
        self.direct.clone()
    }

    fn phones_mailbox(&self) -> Arc<dyn Mailbox> {
        self.linked.clone()
    }

    async fn before_request(&self) {
        self.link.stands().await;
        let mut weather = self.weather.lock().unwrap_or_else(PoisonError::into_inner);
        if weather.storms > 0 && weather.chance.one_in(3) {
            weather.storms -= 1;
            // A call takes some hundred bytes, a mail some hundred more.
            self.link.line.cut_after(weather.chance.below(3000));
        }
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    async fn put(
        &self,
        collection: &CollectionId,
        message: Bytes,
        flags: Flags,
        received: Timestamp,
    ) -> dme_mailbox::Result<()> {
        let flags = if flags.seen { "\\Seen" } else { "" };
        self.with_client(|client| {
            let received = jiff::Timestamp::from_second(received.as_seconds())?;
            let received = received.strftime("%d-%b-%Y %H:%M:%S +0000").to_string();
            client.append(collection.as_str(), flags, Some(&received), &message)
        })
    }

    /// The folder is deleted and made again with the same mails in it, as some programs repair
    /// folders: its UIDVALIDITY is another.
    async fn invalidate(&self, collection: &CollectionId) -> bool {
        let name = collection.as_str();
        if name == "INBOX" {
            return false;
        }
        let repaired = self.with_client(|client| {
            client.run("CREATE repair")?;
            client.mails(name)?;
            let _ = client.relocate("1:*", "repair");
            client.run("CLOSE")?;
            client.run(&format!("DELETE \"{name}\""))?;
            client.run(&format!("CREATE \"{name}\""))?;
            client.mails("repair")?;
            let _ = client.relocate("1:*", name);
            client.run("CLOSE")?;
            client.run("DELETE repair")
        });
        repaired.is_ok()
    }

    async fn sent(&self) -> Vec<Bytes> {
        let arrived = async {
            let end = Instant::now() + PATIENCE;
            while !queue_is_empty(self.servers.postfix.dir())? {
                ensure!(Instant::now() < end, "postfix does not deliver");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            self.servers.client(&self.recipient)?.mails("INBOX")
        };
        let arrived = arrived.await.unwrap_or_else(|e| panic!("seed {}: {e:#}", self.seed));
        arrived.iter().map(|mail| Bytes::from(format!("Subject: {}\r\n", mail.subject))).collect()
    }

    fn recipient(&self) -> &str {
        &self.recipient
    }
}

/// Whether Postfix has delivered all it took.
pub fn queue_is_empty(postfix: &Path) -> Result<bool> {
    fn holds_file(folder: &Path) -> std::io::Result<bool> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !holds_file(&entry.path())? => {}
                // It went while we looked.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                _ => return Ok(true),
            }
        }
        Ok(false)
    }
    let queues = ["maildrop", "incoming", "active", "deferred"];
    for queue in queues {
        if holds_file(&postfix.join("queue").join(queue))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn fate(chance: &mut Chance) -> Fate {
    match chance.below(7) {
        0..4 => Fate::Answered,
        4..6 => Fate::Lost,
        // Over sockets a request takes more steps than on a mailbox in memory.
        _ => Fate::Cut(chance.small(40)),
    }
}

fn mark(chance: &mut Chance) -> Mark {
    match chance.below(6) {
        0 => Mark::Read,
        1 => Mark::Unread,
        2 => Mark::Flag,
        3 => Mark::Complete,
        4 => Mark::Unflag,
        _ => Mark::Category(chance.byte()),
    }
}

/// Most happens in one folder, so that things meet.
fn folder(chance: &mut Chance) -> u8 {
    if chance.one_in(4) { chance.small(8) } else { 0 }
}

/// Something that happens in a life.
pub fn op(chance: &mut Chance) -> Op {
    let c = chance;
    match c.below(60) {
        0..7 => Op::Deliver { folder: folder(c), days_ago: c.byte(), read: c.one_in(2) },
        7..10 => Op::OtherMarks { folder: folder(c), item: c.small(6), mark: mark(c) },
        10..12 => Op::OtherDelete { folder: folder(c), item: c.small(6) },
        12..14 => Op::OtherMove { from: folder(c), item: c.small(6), to: c.small(8) },
        14 => Op::OtherFolder { parent: c.byte() },
        15 => Op::OtherDeleteFolder { folder: c.byte() },
        16..20 => Op::Marks { folder: folder(c), item: c.small(6), mark: mark(c) },
        20..22 => Op::Delete { folder: folder(c), item: c.small(6) },
        22 => Op::Draft,
        23..25 => Op::SendBySync,
        25..38 => {
            let (folder, window) = (folder(c), c.byte());
            Op::Sync { folder, window, hold: c.one_in(10), fate: fate(c) }
        }
        38..41 => Op::FolderSync { fate: fate(c) },
        41..43 => Op::Move { from: folder(c), item: c.small(6), to: c.small(8), fate: fate(c) },
        43..46 => Op::Send { named: c.one_in(2), fate: fate(c) },
        46..48 => Op::SendAgain { fate: fate(c) },
        48 => Op::Folder { parent: c.byte(), fate: fate(c) },
        49 => Op::RenameFolder { folder: c.byte(), parent: c.byte(), fate: fate(c) },
        50 => Op::DeleteFolder { folder: c.byte(), fate: fate(c) },
        51..53 => {
            let ages = [FilterAge::All, FilterAge::OneDay, FilterAge::OneWeek, FilterAge::OneMonth];
            let age = ages[usize::from(c.small(4))];
            Op::Filter { folder: folder(c), age }
        }
        53 => Op::Day,
        54..57 => Op::Restart,
        57..59 => Op::Fail { ahead: c.byte(), after: c.one_in(2) },
        _ => Op::Invalidate { folder: c.byte() },
    }
}

async fn live(servers: &MailServers, seed: u64) -> Result<u32> {
    let folder = tempfile::tempdir()?;
    let surroundings = Surroundings::new(servers, seed, folder.path()).await?;
    let database = folder.path().join("state.db");
    let open = || -> Arc<dyn StateStore> {
        Arc::new(Store::open(&database).unwrap_or_else(|e| panic!("seed {seed}: {e}")))
    };
    let mut chance = Chance::new(seed);
    // The phone knows its folders before life begins to be hard on it.
    let begin = std::iter::once(Op::FolderSync { fate: Fate::Answered });
    let events = 20 + chance.below(50);
    let ops: Vec<Op> = begin.chain((0..events).map(|_| op(&mut chance))).collect();
    let lived = run(&surroundings, &open, &ops).await;
    lived.map_err(anyhow::Error::msg).with_context(|| {
        let ops: Vec<String> = ops.iter().map(|op| format!("{op:?}")).collect();
        format!("seed {seed}, of {} events:\n{}\n", ops.len(), ops.join("\n"))
    })?;
    Ok(surroundings.link.line.cuts())
}

#[tokio::test(flavor = "multi_thread")]
async fn phone_and_real_mail_system_agree_in_the_end() -> Result<()> {
    let seeds = seeds(LIVES);
    let servers = MailServers::start(&seeds)?;
    let lives = seeds.iter().map(|seed| {
        let servers = &servers;
        async move { live(servers, *seed).await }
    });
    let ends: Vec<Result<u32>> =
        futures_util::stream::iter(lives).buffer_unordered(AT_ONCE).collect().await;
    let failed: Vec<String> =
        ends.iter().filter_map(|end| end.as_ref().err()).map(|e| format!("{e:#}")).collect();
    ensure!(
        failed.is_empty(),
        "{} of {} lives failed:\n{}",
        failed.len(),
        ends.len(),
        failed.join("\n\n")
    );
    let cuts: u32 = ends.iter().flatten().sum();
    ensure!(cuts > 0 || seeds.len() == 1, "the line never broke");
    Ok(())
}
