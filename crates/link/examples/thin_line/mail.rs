//! What the two ends do: mail that arrives and is sent, content, and nothing at all.

use crate::line::there;
use crate::{SERVER, quality, wait_for};
use bytes::Bytes;
use dme_link::{
    Approval, Authority, BackoffConfig, Connector, ConnectorConfig, CredentialsNeeded, KeepAlive,
    Links, LinksConfig, ListenConfig, Mailboxes, MemoryBook, MemoryEnrolments, Packing, Registrar,
    Services, Thrift, enroll, serve,
};
use dme_mailbox::memory::MemoryMailSystem;
use dme_mailbox::{
    Account, ByteRange, CallContext, Credentials, ItemFilter, Mailbox, Result, Submission,
    SubmissionKey,
};
use dme_model::{CollectionId, Flags, ItemId, RequestId, Role, Timestamp, UserId};
use futures_util::StreamExt;
use futures_util::stream::iter;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::time::sleep;

const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);
/// Bytes of the content that is fetched, and of each piece of it.
const BULK: u64 = 600_000;
const PIECE: u64 = 60_000;
/// How much more of it where the line is gone rarely, and for long.
const LONG: u64 = 8;

fn bulk_size(more: &str) -> u64 {
    if more.contains("rare") { LONG * BULK } else { BULK }
}

fn user() -> UserId {
    UserId::from("ann@example.org")
}

/// How many mails arrive, and as many are sent.
fn mails(more: &str) -> usize {
    if more == "short" { 6 } else { 40 }
}

/// The connector, with a mail system in which a mail arrives every two seconds.
pub async fn connector(dir: &Path, scenario: &str, more: &str) {
    wait_for(&dir.join("token"));
    let token = std::fs::read_to_string(dir.join("token")).unwrap().parse().unwrap();
    let identity = dir.join("identity");
    while let Err(error) = enroll(&token, &identity, &[], None).await {
        println!("not enrolled yet: {error}");
    }
    let system = Arc::new(MemoryMailSystem::new());
    system.add_user(&user(), "ann@example.org");
    system.add_user(&UserId::from("bob@example.org"), "bob@example.org");
    let inbox = system.collection(&user(), Role::Inbox).unwrap();
    let keepalive = match scenario {
        "mail" => KeepAlive { interval: 5 * SECOND, timeout: 10 * SECOND },
        _ => KeepAlive::METERED,
    };
    let config = ConnectorConfig {
        keepalive,
        thrift: Thrift {
            packing: Packing::Zstd,
            congestion: Some(if more.contains("cubic") { "cubic" } else { "bbr" }.to_owned()),
            gather: SECOND,
            ..Thrift::default()
        },
        backoff: BackoffConfig { longest: 5 * SECOND, ..BackoffConfig::default() },
        dial_limit: 30 * SECOND,
        ..ConnectorConfig::new(identity)
    };
    let put = |number: usize, message: Bytes| {
        let received = Timestamp::from_seconds(1_700_000_000 + number as i64);
        system.insert(&user(), &inbox, message, Flags::default(), received).unwrap();
    };
    let services = Services {
        mailboxes: Some(Mailboxes::of_mail(system.clone(), CredentialsNeeded::None)),
        ..Services::default()
    };
    let connector = Connector::new(config, services).unwrap();
    let mut status = connector.status();
    tokio::spawn(async move {
        while status.changed().await.is_ok() {
            println!("  connector: {:?}", *status.borrow_and_update());
        }
    });
    let running = tokio::spawn(connector.run(std::future::pending()));
    match scenario {
        "bulk" => put(0, noise(bulk_size(more))),
        "mail" => {
            for number in 1..=mails(more) {
                sleep(2 * SECOND).await;
                put(number, format!("Subject: mail {number}\r\n\r\nHello.\r\n").into());
            }
        }
        _ => {}
    }
    running.await.unwrap().unwrap();
}

/// Content that cannot be packed.
fn noise(size: u64) -> Bytes {
    let mut noise = b"Subject: noise\r\n\r\n".to_vec();
    let mut state = 1_u64;
    noise.resize_with(size as usize, || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    });
    noise.into()
}

/// The server, which plays the scenario and ends with it.
pub async fn server(dir: &Path, scenario: &str, more: &str) {
    let registrar = Registrar::new(
        Arc::new(Authority::open(&dir.join("authority")).unwrap()),
        Arc::new(MemoryBook::default()),
        Arc::new(MemoryEnrolments::default()),
    );
    let links = Links::new(Arc::new(registrar), LinksConfig::default());
    let listener = TcpListener::bind((SERVER, 4433)).await.unwrap();
    let listen = ListenConfig { handshake_limit: 60 * SECOND, ..ListenConfig::default() };
    tokio::spawn(serve(listener, links.clone(), listen, std::future::pending()));
    let servers = vec![format!("{SERVER}:4433")];
    let token = links.registrar().issue_token("branch", servers, Approval::Given, HOUR).await;
    std::fs::write(dir.join("token.new"), token.unwrap().to_text()).unwrap();
    std::fs::rename(dir.join("token.new"), dir.join("token")).unwrap();
    let begun = Instant::now();
    while links.connectors().is_empty() {
        sleep(SECOND / 10).await;
    }
    println!("  enrolled and linked in {:.1?}", begun.elapsed());
    let far = Far { links, dir: dir.to_owned(), done: AtomicBool::new(false) };
    match scenario {
        "mail" => far.mail(mails(more)).await,
        "bulk" => far.bulk(more).await,
        _ => far.idle(more.parse().unwrap()).await,
    }
}

/// The mailbox at the other end of the line.
struct Far {
    links: Links,
    dir: std::path::PathBuf,
    /// The content is there.
    done: AtomicBool,
}

impl Far {
    async fn mailbox(&self) -> Arc<dyn Mailbox> {
        let id = self.links.registrar().book().list().await.unwrap().remove(0).id;
        let account = Account {
            user: user(),
            address: "ann@example.org".into(),
            display_name: None,
            credentials: Credentials::None,
        };
        let context = CallContext::new(RequestId::from("thin"), 60 * SECOND);
        self.links.mail_system(&id).open(&account, &context).await.unwrap()
    }

    /// Asks until there is an answer.
    async fn insist<T>(&self, ask: impl AsyncFn(Arc<dyn Mailbox>, usize) -> Result<T>) -> T {
        for attempt in 0.. {
            match ask(self.mailbox().await, attempt).await {
                Ok(answer) => return answer,
                Err(error) => {
                    println!("  asked again: {error}");
                    sleep(SECOND).await;
                }
            }
        }
        unreachable!()
    }

    async fn folder(&self, role: Role) -> CollectionId {
        let all = self.insist(async |mailbox, _| mailbox.collections().await).await;
        all.into_iter().find(|one| one.role == Some(role)).unwrap().id
    }

    async fn items(&self, folder: &CollectionId) -> Vec<ItemId> {
        let all = self
            .insist(async |mailbox, _| mailbox.list(folder, &ItemFilter::default()).await)
            .await;
        all.items.iter().collect()
    }

    /// Mail arrives and is sent: all of it, and none twice.
    async fn mail(&self, count: usize) {
        let begun = Instant::now();
        let arrive = async {
            let inbox = self.folder(Role::Inbox).await;
            let mut read = BTreeSet::new();
            while read.len() < count {
                let watched = self.mailbox().await;
                let watch = watched.watch(std::slice::from_ref(&inbox)).await;
                let Ok(mut watch) = watch else {
                    sleep(SECOND).await;
                    continue;
                };
                while read.len() < count && matches!(watch.next().await, Some(Ok(_))) {
                    for item in self.items(&inbox).await {
                        if read.contains(&item) {
                            continue;
                        }
                        let part = self
                            .insist(async |mailbox, _| {
                                mailbox.fetch_part(&inbox, &item, None, None).await
                            })
                            .await;
                        assert!(part.data.starts_with(b"Subject: mail "));
                        read.insert(item);
                    }
                }
            }
            println!("  {count} mails had arrived after {:.1?}", begun.elapsed());
        };
        let send = async {
            for number in 0..count {
                let message = format!(
                    "From: ann@example.org\r\nTo: bob@example.org\r\nSubject: {number}\r\n\r\nHi.\r\n"
                );
                self.insist(async |mailbox, attempt| {
                    let submission = Submission {
                        key: SubmissionKey(format!("thin-{number}")),
                        uncertain: attempt > 0,
                        taken: false,
                        message: message.clone().into(),
                        reference: None,
                        save_in_sent: true,
                        draft: None,
                    };
                    mailbox.submit(&submission).await
                })
                .await;
                sleep(SECOND).await;
            }
            println!("  {count} mails were sent after {:.1?}", begun.elapsed());
        };
        tokio::join!(arrive, send);
        let sent = self.items(&self.folder(Role::Sent).await).await.len();
        assert_eq!(sent, count, "each was sent once");
        self.tell();
    }

    /// How much of the line content uses, and how long a small call takes beside it.
    async fn bulk(&self, more: &str) {
        let inbox = self.folder(Role::Inbox).await;
        let mut items = self.items(&inbox).await;
        while items.is_empty() {
            items = self.items(&inbox).await;
        }
        let (item, begun) = (items.remove(0), Instant::now());
        let size = bulk_size(more);
        let pieces = iter((0..size).step_by(PIECE as usize)).map(|start| {
            let (inbox, item) = (&inbox, &item);
            async move {
                let range = ByteRange { start, length: PIECE };
                self.insist(async |mailbox, _| {
                    mailbox.fetch_part(inbox, item, None, Some(range)).await
                })
                .await
                .data
            }
        });
        let small = async {
            let mut took = Vec::new();
            loop {
                let asked = Instant::now();
                self.insist(async |mailbox, _| mailbox.identity().await).await;
                took.push(asked.elapsed());
                if self.done.load(Ordering::Relaxed) {
                    took.sort();
                    return took;
                }
                sleep(SECOND).await;
            }
        };
        let content = async {
            let pieces = pieces.buffered(3).collect::<Vec<Bytes>>().await;
            self.done.store(true, Ordering::Relaxed);
            (pieces, begun.elapsed())
        };
        let ((pieces, took), calls) = tokio::join!(content, small);
        assert_eq!(pieces.concat(), noise(size), "content arrives as it is");
        let there = there(took, quality(more).gone);
        let part =
            |of: Duration| 100.0 * size as f64 * 8.0 / of.as_secs_f64() / quality(more).rate as f64;
        let (all, while_there) = (part(took), part(there));
        println!(
            "  {size} bytes in {took:.1?}: {all:.0} % of the line, {while_there:.0} % while it was there"
        );
        let (middle, last) = (calls.get(calls.len() / 2), calls.last());
        println!("  a small call beside it: {middle:.1?} in the middle, {last:.1?} at worst");
        self.tell();
    }

    /// What an idle link sends.
    async fn idle(&self, seconds: u64) {
        sleep(10 * SECOND).await;
        let crossed = || {
            let read = |end: &str| std::fs::read_to_string(self.dir.join(end)).unwrap();
            ["server.bytes", "connector.bytes"].map(|end| read(end).parse::<u64>().unwrap_or(0))
        };
        let (before, since) = (crossed(), self.links.connectors().first().map(|link| link.since));
        sleep(SECOND * u32::try_from(seconds).unwrap()).await;
        let bytes: u64 = crossed().iter().sum::<u64>() - before.iter().sum::<u64>();
        let month = bytes as f64 * 30.0 * 86_400.0 / seconds as f64 / 1e6;
        let same = self.links.connectors().first().map(|link| link.since) == since;
        println!("  {bytes} bytes in {seconds} s, with all headers: {month:.1} MB in 30 days");
        println!("  the link is {}", if same { "the same" } else { "another" });
        self.tell();
    }

    /// What the link itself counted.
    fn tell(&self) {
        if let Some(link) = self.links.connectors().first() {
            println!("  counted: {:?}", link.traffic);
        }
    }
}
