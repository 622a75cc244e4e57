//! Measures the link between two processes on loopback: latency, calls a second, bulk, memory.
//!
//! `cargo run --release -p dme-link --example link_bench`. The parent is the server; connectors
//! run in child processes, so that each side's memory is seen alone. With `many` it measures what
//! many connectors cost ([`many`]), with `idle 10500 60` the memory of so many idle links alone, and
//! again so many seconds later.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement for people, which may stop at any surprise"
)]

mod many;
mod peer;

use bytes::Bytes;
use dme_link::{
    Approval, Authority, Connector, ConnectorConfig, ConnectorStatus, CredentialsNeeded, Links,
    LinksConfig, ListenConfig, Mailboxes, MemoryBook, MemoryEnrolments, Registrar, Services,
    enroll, serve,
};
use dme_mailbox::memory::{MemoryMailSystem, MessageReader};
use dme_mailbox::{Account, CallContext, Credentials, Mailbox, PartContent};
use dme_model::{
    Body, BodyKind, BodyPreference, BodyView, CollectionId, ConnectorId, Flags, ItemId, Mail,
    MimeSupport, PartId, RequestId, Role, Timestamp, UserId,
};
use futures_util::StreamExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const HOUR: Duration = Duration::from_secs(3600);
const MESSAGES: usize = 2_000;
const MESSAGE_SIZE: usize = 50_000;
/// Connectors that enrol at a time.
const ENROLLING: usize = 16;
const WATCHES: usize = 10_000;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn user() -> UserId {
    UserId::from("ann@example.org")
}

/// Takes messages as they are: reading them is not what is measured here.
struct Unread;

impl MessageReader for Unread {
    fn read(
        &self,
        message: &Bytes,
        flags: &Flags,
        received: Timestamp,
        _: &BodyView,
    ) -> Result<Mail, String> {
        let body = Body {
            kind: BodyKind::Mime,
            data: message.clone(),
            truncated: false,
            full_size: message.len() as u64,
        };
        let (flags, body) = (flags.clone(), Some(body));
        Ok(Mail { subject: "bench".into(), received, flags, body, ..Mail::default() })
    }

    fn part(&self, _: &Bytes, _: &PartId) -> Option<PartContent> {
        None
    }
}

fn mail_system(messages: usize) -> MemoryMailSystem {
    let system = MemoryMailSystem::with_reader(Unread);
    system.add_user(&user(), "ann@example.org");
    let inbox = system.collection(&user(), Role::Inbox).unwrap();
    let mut message = b"Subject: bench\r\n\r\n".to_vec();
    message.resize(MESSAGE_SIZE, b'x');
    let message = Bytes::from(message);
    for number in 0..messages {
        let received = Timestamp::from_seconds(1_700_000_000 + number as i64);
        system.insert(&user(), &inbox, message.clone(), Flags::default(), received).unwrap();
    }
    system
}

/// The child: every identity in the directory runs as a connector.
async fn connectors(dir: &Path) {
    let all: Vec<_> = std::fs::read_dir(dir).unwrap().collect();
    // Many are there for their number.
    let messages = if all.len() == 1 { MESSAGES } else { 1 };
    let system: Arc<MemoryMailSystem> = Arc::new(mail_system(messages));
    let running = std::sync::Mutex::new(JoinSet::new());
    let beginning = futures_util::stream::iter(all).map(|entry| {
        let services = Services {
            mailboxes: Some(Mailboxes::of_mail(system.clone(), CredentialsNeeded::None)),
            ..Services::default()
        };
        let config = ConnectorConfig::new(entry.unwrap().path());
        let connector = Connector::new(config, services).unwrap();
        let mut status = connector.status();
        running.lock().unwrap().spawn(connector.run(std::future::pending()));
        // One after the other, as they are where each has a machine of its own.
        async move {
            let linked = |now: &ConnectorStatus| matches!(now, ConnectorStatus::Linked { .. });
            status.wait_for(linked).await.unwrap();
        }
    });
    beginning.buffer_unordered(ENROLLING).collect::<()>().await;
    let mut running = running.into_inner().unwrap();
    while running.join_next().await.is_some() {}
}

struct Bench {
    links: Links,
    address: String,
    dir: tempfile::TempDir,
    serving: Serving,
}

/// The link port, open.
struct Serving {
    task: tokio::task::JoinHandle<dme_link::Result<()>>,
    down: tokio::sync::oneshot::Sender<()>,
}

impl Serving {
    async fn begin(links: &Links, address: &str) -> (Self, String) {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (down, shutdown) = tokio::sync::oneshot::channel();
        let serving = serve(listener, links.clone(), ListenConfig::default(), async {
            let _ = shutdown.await;
        });
        (Self { task: tokio::spawn(serving), down }, address)
    }
}

impl Bench {
    async fn start() -> Self {
        // In memory, where there is such a place: every identity is synced to its disk.
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let dir = dir.unwrap();
        let registrar = Registrar::new(
            Arc::new(Authority::open(&dir.path().join("authority")).unwrap()),
            Arc::new(MemoryBook::default()),
            Arc::new(MemoryEnrolments::default()),
        );
        // The gate is not what is measured here.
        let config = LinksConfig { parallel: 64, ..LinksConfig::default() };
        let links = Links::new(Arc::new(registrar), config);
        let (serving, address) = Serving::begin(&links, "127.0.0.1:0").await;
        Self { links, address, dir, serving }
    }

    /// Enrols so many connectors and runs them in a process of their own.
    async fn connectors(&self, group: &str, count: usize) -> (Process, Vec<ConnectorId>) {
        let dir = self.dir.path().join(group);
        std::fs::create_dir(&dir).unwrap();
        let enrolling = futures_util::stream::iter(0..count).map(|number| {
            let dir = dir.clone();
            async move {
                let (registrar, name) = (self.links.registrar(), format!("{group}-{number}"));
                let servers = vec![self.address.clone()];
                let token = registrar.issue_token(&name, servers, Approval::Given, HOUR).await;
                enroll(&token.unwrap(), &dir.join(&name), &[], None).await.unwrap().id
            }
        });
        let ids = enrolling.buffer_unordered(ENROLLING).collect::<Vec<_>>().await;
        let linked_before = self.links.count();
        let program = std::env::current_exe().unwrap();
        let child = Command::new(program).arg("connectors").arg(&dir).spawn().unwrap();
        self.until_linked(linked_before + count).await;
        (Process(child), ids)
    }

    /// A connector in this process, for comparison.
    async fn within(&self) -> Duration {
        let id = ConnectorId::from("within");
        let mailboxes = Mailboxes::of_mail(Arc::new(mail_system(1)), CredentialsNeeded::None);
        let services = Services { mailboxes: Some(mailboxes), ..Services::default() };
        self.links.attach_local(id.clone(), "within", services);
        let mailbox = self.mailbox(&id).await;
        let middle = measure("one call at a time, in one process", &mailbox, 5_000, 1).await;
        self.links.detach_local(&id);
        middle
    }

    async fn until_linked(&self, count: usize) {
        while self.links.count() < count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn mailbox(&self, id: &ConnectorId) -> Arc<dyn Mailbox> {
        let account = Account {
            user: user(),
            address: "ann@example.org".into(),
            display_name: None,
            credentials: Credentials::None,
        };
        let context = CallContext::new(RequestId::from("bench"), HOUR);
        self.links.mail_system(id).open(&account, &context).await.unwrap()
    }
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Resident memory of a process, in KiB.
fn memory(process: u32) -> i64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Seconds of processor time that a process had.
fn processor(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// Makes calls, prints how long they took, and answers the middle of it.
async fn measure(
    label: &str,
    mailbox: &Arc<dyn Mailbox>,
    total: usize,
    parallel: usize,
) -> Duration {
    measure_all(label, std::slice::from_ref(mailbox), total, parallel).await
}

/// The same, and the processor time of both ends: what it would take at rest, whatever else the
/// machine does.
async fn measure_ends(
    label: &str,
    mailboxes: &[Arc<dyn Mailbox>],
    total: usize,
    parallel: usize,
    connectors: &Process,
) {
    let ends = [std::process::id(), connectors.0.id()];
    let before = ends.map(processor);
    measure_all(label, mailboxes, total, parallel).await;
    let each = |end: usize| (processor(ends[end]) - before[end]) * 1e6 / total as f64;
    let (server, connector) = (each(0), each(1));
    println!(
        "  processor time a call: {server:.1} us at the server, {connector:.1} us at connectors"
    );
}

/// The same over several mailboxes in turn.
async fn measure_all(
    label: &str,
    mailboxes: &[Arc<dyn Mailbox>],
    total: usize,
    parallel: usize,
) -> Duration {
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for mailbox in mailboxes.iter().cycle().take(parallel) {
        let mailbox = mailbox.clone();
        callers.spawn(async move {
            let mut times = Vec::with_capacity(total / parallel);
            for _ in 0..total / parallel {
                let begun = Instant::now();
                mailbox.identity().await.unwrap();
                times.push(begun.elapsed());
            }
            times
        });
    }
    let times = callers.join_all().await.concat();
    say(label, times, begun.elapsed())
}

/// How often a second, and how long the middle, which is answered, and the slowest hundredth took.
fn say(label: &str, mut times: Vec<Duration>, took: Duration) -> Duration {
    let rate = times.len() as f64 / took.as_secs_f64();
    times.sort();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    let (middle, slowest) = (at(0.5).as_micros(), at(0.99).as_micros());
    println!("{label:38} {rate:>8.0}/s  p50 {middle:>5} us  p99 {slowest:>6} us");
    at(0.5)
}

fn whole() -> BodyView {
    let preference = BodyPreference {
        kind: BodyKind::Mime,
        truncation: None,
        all_or_none: false,
        preview: None,
    };
    BodyView { preferences: vec![preference], mime: MimeSupport::Always, part_preference: None }
}

/// Fetches everything so often; answers bytes a second.
async fn bulk(mailbox: &Arc<dyn Mailbox>, times: usize) -> f64 {
    let inbox = CollectionId::from("Inbox");
    let collections = mailbox.collections().await.unwrap();
    let inbox = collections
        .iter()
        .find(|collection| collection.role == Some(Role::Inbox))
        .map_or(inbox, |collection| collection.id.clone());
    let items = mailbox.list(&inbox, &Default::default()).await.unwrap().items;
    let items: Vec<ItemId> = items.iter().collect();
    assert_eq!(items.len(), MESSAGES);
    let begun = Instant::now();
    for _ in 0..times {
        let fetched = mailbox.fetch(&inbox, &items, &whole()).await.unwrap();
        let count = fetched.filter(|item| std::future::ready(item.is_ok())).count().await;
        assert_eq!(count, MESSAGES);
    }
    (times * MESSAGES * MESSAGE_SIZE) as f64 / begun.elapsed().as_secs_f64()
}

#[tokio::main]
async fn main() {
    // Each link is two open files, here and at its connector.
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["connectors", dir] => return connectors(&PathBuf::from(dir)).await,
        ["many"] => return many::run(Bench::start().await).await,
        ["idle", count, seconds] => {
            let later = Duration::from_secs(seconds.parse().unwrap());
            return many::idle(&Bench::start().await, count.parse().unwrap(), later).await;
        }
        ["peer"] => return peer::run().await,
        _ => {}
    }
    let bench = Bench::start().await;
    let (connector, ids) = bench.connectors("busy", 1).await;
    let mailbox = bench.mailbox(&ids[0]).await;

    measure("warming up", &mailbox, 2_000, 8).await;
    let within = bench.within().await;
    let over = measure("one call at a time", &mailbox, 5_000, 1).await;
    println!("  the link adds {} us p50", over.saturating_sub(within).as_micros());
    let one = std::slice::from_ref(&mailbox);
    measure_ends("64 calls at a time", one, 100_000, 64, &connector).await;
    println!("bulk fetch: {:.0} MB/s", bulk(&mailbox, 10).await / 1e6);

    let beside = tokio::spawn({
        let mailbox = mailbox.clone();
        async move { bulk(&mailbox, 20).await }
    });
    measure("one call at a time beside a bulk fetch", &mailbox, 1_000, 1).await;
    println!("  (the fetch still ran at the end of it: {})", !beside.is_finished());
    beside.await.unwrap();

    let child = connector.0.id();
    let (server_before, connector_before) = (memory(std::process::id()), memory(child));
    let begun = Instant::now();
    let mut watches = Vec::new();
    for _ in 0..WATCHES {
        let mailbox = bench.mailbox(&ids[0]).await;
        let mut watch = mailbox.watch(&[CollectionId::from("Inbox")]).await.unwrap();
        watch.next().await.unwrap().unwrap();
        watches.push(watch);
    }
    let took = begun.elapsed();
    let each = |before: i64, process: u32| (memory(process) - before) as f64 / WATCHES as f64;
    println!(
        "{WATCHES} watches in {took:.1?}: {:.1} KiB at the server, {:.1} KiB at the connector, each",
        each(server_before, std::process::id()),
        each(connector_before, child),
    );
    measure("one call at a time beside them", &mailbox, 2_000, 1).await;
    drop((watches, mailbox, connector));
    peer::run().await;
}
