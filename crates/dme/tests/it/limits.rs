//! Bad input and a bad mail system: every limit holds, whoever breaks it is told so with a status
//! and a log line that names the request, and nobody else notices. No log holds a secret.

use crate::journey::{ready, wait_parked};
use crate::site::{PATIENCE, REALM, Site, USERS, Wishes, hold_no_secret};
use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use bytes::Bytes;
use dme_eas::ping;
use dme_phone::Phone;
use dme_testkit::ports::wait_until;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

const LIMITS: &str = "[limits]\nhandshakes = 8\nheaders = 30\nbody_before_login = \"1KiB\"\n\
    body = \"64KiB\"\nwbxml_depth = 8\nwbxml_elements = 50\nwbxml_text = \"8KiB\"\nfolders = 2\n\
    window = 5\nattachment = \"1KiB\"\nparallel_requests = 3\nrequests_per_minute = 200\n\
    [times]\nhandshake = \"5s\"\nhead = \"20s\"\nbody = \"2s\"\nrequest = \"10s\"\ncall = \"5s\"\n\
    shortest_wait = \"1s\"\nwatch_linger = \"1s\"\nshutdown = \"10s\"\n";

/// FolderSync with key 0, as MS-ASWBXML writes it.
const FOLDER_SYNC: &[u8] = &[3, 1, 0x6A, 0, 0, 7, 0x56, 0x52, 3, b'0', 0, 1, 1];

/// A TLS connection on which a test may send anything.
pub struct Wire(StreamOwned<ClientConnection, TcpStream>);

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// Whether it is a FolderSync's answer of a status alone.
    pub fn is_status(&self, status: &str) -> bool {
        let begin = [3, 1, 0x6A, 0, 0, 7, 0x56, 0x4C, 3].as_slice();
        self.status == 200 && self.body == [begin, status.as_bytes(), &[0, 1, 1]].concat()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Wire {
    pub fn open(site: &Site) -> Result<Self> {
        let authority = std::fs::read(site.path("server/authority/authority.pem"))?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&authority)?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tcp = TcpStream::connect(("127.0.0.1", site.phones_port))?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        let tls = ClientConnection::new(Arc::new(config), "localhost".try_into()?)?;
        Ok(Self(StreamOwned::new(tls, tcp)))
    }

    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write_all(bytes)?;
        Ok(self.0.flush()?)
    }

    pub fn answer(&mut self) -> Result<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            ensure!(self.0.read(&mut byte)? == 1, "cut off within {head:?}");
            head.push(byte[0]);
        }
        let head = String::from_utf8(head)?;
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        let mut answer = Answer { status, head, body: Vec::new() };
        let length = answer.header("content-length").unwrap_or("0").parse()?;
        answer.body = vec![0; length];
        self.0.read_exact(&mut answer.body)?;
        Ok(answer)
    }

    pub fn ask(&mut self, head: &str, body: &[u8]) -> Result<Answer> {
        self.send(&[head.as_bytes(), body].concat())?;
        self.answer()
    }
}

/// The head of Ann's command from this device, with a body of this length.
pub fn head(command: &str, device: &str, length: impl std::fmt::Display) -> String {
    let (user, password) = USERS[0];
    let login = format!("{user}@{REALM}:{password}");
    let login = base64::engine::general_purpose::STANDARD.encode(login);
    format!(
        "POST /Microsoft-Server-ActiveSync?Cmd={command}&User=ann&DeviceId={device}&DeviceType=T \
         HTTP/1.1\r\nHost: localhost\r\nMS-ASProtocolVersion: 16.1\r\n\
         Authorization: Basic {login}\r\nContent-Type: application/vnd.ms-sync.wbxml\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

fn post(site: &Site, device: &str, body: &[u8]) -> Result<Answer> {
    Wire::open(site)?.ask(&head("FolderSync", device, body.len()), body)
}

/// The memory the server has resident, in KiB.
fn resident(site: &Site) -> Result<u64> {
    let marker = site.path("server.toml");
    let folder = marker.parent().context("no folder")?.to_owned();
    for process in std::fs::read_dir("/proc")?.flatten() {
        let at = process.path();
        let command = std::fs::read(at.join("cmdline")).unwrap_or_default();
        let here = std::fs::read_link(at.join("cwd")).is_ok_and(|cwd| cwd == folder);
        if here && String::from_utf8_lossy(&command).contains("dme\0server\0") {
            let status = std::fs::read_to_string(at.join("status"))?;
            let line = status.lines().find(|line| line.starts_with("VmRSS")).context("no VmRSS")?;
            return Ok(line.split_whitespace().nth(1).context("no size")?.parse()?);
        }
    }
    bail!("the server is not among the processes")
}

pub async fn known(site: &Site, user: &str, device: &str) -> Result<(Phone, String)> {
    let mut phone = site.phone(user)?;
    phone.client.account.device = device.into();
    let inbox = ready(&mut phone).await?;
    Ok((phone, inbox))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_limit_holds_and_costs_nobody_else_anything() -> Result<()> {
    let site = Site::start(&Wishes { server: LIMITS.into() })?;
    for number in 0..8 {
        let mail = format!("Subject: mail {number}\r\n\r\nHello\r\n");
        site.dovecot.deliver("ann@example.org", mail.as_bytes())?;
    }
    let mut bob = known(&site, "bob", "bobsphone").await?.0;
    tokio::task::block_in_place(|| {
        bad_documents(&site).context("bad documents")?;
        bodies(&site).context("bodies")?;
        parallel(&site).context("parallel requests")?;
        hammering(&site).context("hammering")?;
        memory(&site).context("memory")
    })?;
    collections_and_window(&site).await.context("collections and window")?;
    closed_while_parked(&site).await.context("closed while parked")?;
    bob.folder_sync().await.context("bob was not disturbed")?;
    Ok(())
}

fn bad_documents(site: &Site) -> Result<()> {
    let first = post(site, "docs", FOLDER_SYNC)?;
    ensure!(first.status == 200, "a good one: {}", first.head);
    let id = first.header("x-request-id").context("no request id")?.to_owned();
    let connector = std::fs::read_to_string(site.path("connector.log"))?;
    ensure!(connector.contains(&id), "the connector's log does not have the request {id}");
    let asked = connector.lines().any(|line| {
        line.contains(&id) && line.contains("directory/authenticate") && line.contains("accepted")
    });
    ensure!(asked, "the connector's log does not say that the login of {id} was good");
    let line = answered(site, &id)?;
    ensure!(line.contains("ann@example.org") && line.contains("docs"), "whose it was: {line}");

    let begin = [3, 1, 0x6A, 0, 0, 7].as_slice();
    let of = |rest: &[u8]| [begin, rest].concat();
    let bad: [(&str, Vec<u8>); 9] = [
        ("not WBXML", b"<FolderSync/>".to_vec()),
        ("cut off", FOLDER_SYNC[..9].to_vec()),
        ("too deep", of(&[[0x56; 20], [1; 20]].concat())),
        ("too many elements", of(&[[0x56].as_slice(), &[0x12; 60], &[1]].concat())),
        ("too long a text", of(&[&[0x56, 0x52, 3], [b'x'; 9000].as_slice(), &[0, 1, 1]].concat())),
        ("an absurd length", of(&[0x56, 0x52, 0xC3, 0x8F, 0xFF, 0xFF, 0xFF, 0x7F, 1, 1])),
        ("an unknown page", of(&[0, 0x63, 0x56, 1])),
        ("a string table", vec![3, 1, 0x6A, 0x8F, 0xFF, 0xFF, 0xFF, 0x7F]),
        ("an unclosed document", of(&[0x56])),
    ];
    for (what, body) in bad {
        let answer = post(site, "docs", &body)?;
        ensure!(answer.is_status("102"), "{what}: {}", answer.head);
        let id = answer.header("x-request-id").context("no request id")?;
        let log = std::fs::read_to_string(site.path("server.log"))?;
        ensure!(log.contains(id), "{what}: the log does not have the request {id}");
    }
    let line = "POST /Microsoft-Server-ActiveSync?Cmd=Sync&User=ann HTTP/1.1\r\nHost: localhost\r\n\
                Content-Length: 0\r\n\r\n";
    let path = "/Microsoft-Server-ActiveSync";
    let no_commands = [
        ("a bad request line", 400, line.to_owned()),
        ("an unknown path", 404, "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()),
        ("no method of ours", 405, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")),
        ("no password", 401, format!("OPTIONS {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")),
    ];
    for (what, status, request) in no_commands {
        let answer = Wire::open(site)?.ask(&request, b"")?;
        ensure!(answer.status == status, "{what}: {}", answer.head);
        answered(site, answer.header("x-request-id").context("no request id")?)?;
    }
    Ok(())
}

/// The line of the server's log that says how this request was answered.
fn answered(site: &Site, id: &str) -> Result<String> {
    let log = std::fs::read_to_string(site.path("server.log"))?;
    let line = log.lines().find(|line| line.contains(id) && line.contains("answered"));
    Ok(line.with_context(|| format!("the log does not say how {id} was answered"))?.to_owned())
}

fn bodies(site: &Site) -> Result<()> {
    let large = Wire::open(site)?.ask(&head("FolderSync", "docs", 70_000), &[])?;
    ensure!(large.status == 413, "beyond the limit: {}", large.head);
    let absurd = Wire::open(site)?.ask(&head("FolderSync", "docs", u64::MAX / 2), &[])?;
    ensure!(absurd.status == 413, "an absurd length: {}", absurd.head);
    let stranger = "POST /Autodiscover/Autodiscover.xml HTTP/1.1\r\nHost: localhost\r\n\
                    Content-Length: 2000\r\n\r\n";
    let answer = Wire::open(site)?.ask(stranger, &[])?;
    ensure!(answer.status == 413, "a stranger's: {}", answer.head);
    let chunked =
        head("FolderSync", "docs", 0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    let answer = Wire::open(site)?.ask(&chunked, b"nonsense\r\n\r\n")?;
    ensure!(answer.status == 400, "chunks that are none: {}", answer.head);
    let began = Instant::now();
    let slow = Wire::open(site)?.ask(&head("FolderSync", "docs", 100), b"x")?;
    ensure!(slow.status == 408 && began.elapsed() < PATIENCE, "a slow one: {}", slow.head);
    Ok(())
}

fn parallel(site: &Site) -> Result<()> {
    let begun = || {
        let mut wire = Wire::open(site)?;
        wire.send(head("FolderSync", "many", FOLDER_SYNC.len()).as_bytes())?;
        anyhow::Ok(wire)
    };
    let mut open = Vec::new();
    // Their bodies are waited for for two seconds only, which may pass before all three are there.
    wait_until("the fourth at once is refused", PATIENCE, || {
        open = (0..3).map(|_| begun()).collect::<Result<Vec<_>>>()?;
        std::thread::sleep(Duration::from_millis(200));
        Ok(post(site, "many", FOLDER_SYNC)?.status == 503)
    })?;
    ensure!(post(site, "docs", FOLDER_SYNC)?.status == 200, "the user's other device is served");
    drop(open);
    wait_until("the places are given up with their connections", PATIENCE, || {
        Ok(post(site, "many", FOLDER_SYNC)?.status == 200)
    })
}

fn hammering(site: &Site) -> Result<()> {
    let mut wire = Wire::open(site)?;
    let request = head("FolderSync", "hammer", 0);
    let mut refused = None;
    for _ in 0..400 {
        let answer = wire.ask(&request, &[])?;
        if answer.status == 503 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.context("a device that hammers was never slowed down")?;
    ensure!(refused.header("retry-after").is_some(), "{}", refused.head);
    ensure!(post(site, "docs", FOLDER_SYNC)?.status == 200, "the user's other device is served");
    Ok(())
}

fn memory(site: &Site) -> Result<()> {
    let mut wire = Wire::open(site)?;
    let request = "POST /Microsoft-Server-ActiveSync?Cmd=Sync&User=x&DeviceId=y&DeviceType=z \
                   HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n";
    let body = [0xC3; 500];
    let round = |wire: &mut Wire| -> Result<()> {
        for _ in 0..1000 {
            let answer = wire.ask(request, &body)?;
            ensure!(answer.status == 401, "{}", answer.head);
        }
        Ok(())
    };
    round(&mut wire)?;
    let before = resident(site)?;
    for _ in 0..3 {
        round(&mut wire)?;
    }
    let after = resident(site)?;
    ensure!(after < before + (16 << 10), "memory grew from {before} to {after} KiB");
    Ok(())
}

async fn collections_and_window(site: &Site) -> Result<()> {
    let mut phone = site.phone("ann")?;
    phone.client.account.device = "window".into();
    phone.options.window = 100;
    phone.folder_sync().await?;
    let inbox = phone.inbox()?;
    for _ in 0..4 {
        phone.sync_round(&inbox).await?;
        let items = phone.items(&inbox)?.len();
        if items > 0 {
            ensure!(items == 5, "{items} in the first answer");
            break;
        }
    }
    phone.sync(&inbox).await?;
    ensure!(phone.items(&inbox)?.len() == 8, "and all in the end");
    let three =
        phone.folders().keys().take(3).map(|id| ping::Folder { id: id.clone(), class: None });
    let request =
        ping::Request { heartbeat: Some(Duration::from_secs(60)), folders: Some(three.collect()) };
    let refused = phone.client.ping(Some(&request)).await?;
    ensure!(refused == ping::Response::TooManyFolders(2), "three folders in a Ping: {refused:?}");
    Ok(())
}

/// A phone that goes away leaves nothing behind: no parked place, and later no watch.
async fn closed_while_parked(site: &Site) -> Result<()> {
    let (mut phone, inbox) = known(site, "ann", "leaver").await?;
    let parked =
        tokio::spawn(async move { phone.ping(&[&inbox], Duration::from_secs(3000)).await });
    wait_parked(site, 1).await?;
    parked.abort();
    wait_parked(site, 0).await?;
    let unwatched = || Ok(site.get("/metrics")?.contains("\ndme_watched_mailboxes 0\n"));
    tokio::task::block_in_place(|| wait_until("the watch is given up", PATIENCE, unwatched))
}

/// Sends a signal to every process in which Dovecot serves a session of this user now.
fn signal_sessions(site: &Site, signal: &str) -> Result<usize> {
    let marker = format!("{}/dovecot.conf", site.dovecot.dir().display());
    let processes: Vec<(u32, u32, String, String)> = std::fs::read_dir("/proc")?
        .flatten()
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
            let parent = rest.split_whitespace().nth(1)?.parse().ok()?;
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            Some((id, parent, name.to_owned(), String::from_utf8_lossy(&line).into_owned()))
        })
        .collect();
    let master = processes.iter().find(|(.., line)| line.contains(&marker));
    let (master, ..) = master.context("Dovecot does not run")?;
    let sessions =
        processes.iter().filter(|(_, parent, name, _)| parent == master && name == "imap");
    let mut signalled = 0;
    for (id, ..) in sessions {
        let sent =
            std::process::Command::new("kill").args(["-s", signal, &id.to_string()]).status()?;
        signalled += usize::from(sent.success());
    }
    Ok(signalled)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_system_that_hangs_for_one_user_disturbs_no_other_and_logs_hold_no_secret()
-> Result<()> {
    // Whatever calls to connectors may take, the request ends in its time.
    let times = "[times]\ncall = \"60s\"\nrequest = \"5s\"\n";
    let mut site = Site::start(&Wishes { server: times.into() })?;
    site.dovecot.deliver("ann@example.org", b"Subject: Zq-subject\r\n\r\nZq-body\r\n")?;
    let (mut ann, inbox) = known(&site, "ann", "hanging").await?;

    ensure!(signal_sessions(&site, "STOP")? > 0, "Ann has no session");
    ann.longest_pause = Duration::ZERO;
    let began = Instant::now();
    let refused = ann.sync(&inbox).await;
    let took = began.elapsed();
    let (mut bob, bobs) = known(&site, "bob", "bobsphone").await.context("while Ann's hangs")?;
    signal_sessions(&site, "CONT")?;
    ensure!(took < Duration::from_secs(20), "answered only after {took:?}: {refused:?}");
    let end = Instant::now() + PATIENCE;
    while let Err(error) = ann.sync(&inbox).await {
        ensure!(Instant::now() < end, "the mail system is back, but {error}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    // All that could betray something: sending, drafts, searches, wrong passwords, broken bodies.
    let message =
        "From: ann@example.org\r\nTo: bob@example.org\r\nSubject: Zq-subject\r\n\r\nZq-body\r\n";
    ann.client
        .send_mail(&dme_eas::compose::Message {
            client_id: Some("secret".into()),
            account_id: None,
            save_in_sent: dme_eas::compose::SaveInSent::Yes,
            mime: Bytes::from_static(message.as_bytes()),
        })
        .await?;
    bob.sync(&bobs).await?;
    ensure!(site.phone_as("bob", "Zq-wrong")?.folder_sync().await.is_err(), "a wrong password");
    tokio::task::block_in_place(|| {
        let broken = b"\x03\x01\x6A\0Zq-body";
        let answer = post(&site, "broken", broken)?;
        ensure!(answer.is_status("102"), "{}", answer.head);
        let with_query = "GET /nowhere?password=Zq-query HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let nowhere = Wire::open(&site)?.ask(with_query, b"")?;
        ensure!(nowhere.status == 404, "{}", nowhere.head);
        anyhow::Ok(())
    })?;
    let token = site.dme(&["connector", "token", "another"])?;
    let logs = site.logs()?;
    let refused = logs.lines().find(|line| line.contains("login refused"));
    let refused = refused.context("the log does not have the wrong password")?;
    ensure!(refused.contains("bob@example.org"), "whose it was: {refused}");
    // The passwords and all else are looked for at the end of every site.
    hold_no_secret(&logs, &[token.trim().to_owned()])?;

    let counted = "dme_mailbox_errors_total{connector=\"branch\"";
    ensure!(
        site.get("/metrics")?.contains(counted),
        "at which connector: {}",
        site.get("/metrics")?
    );
    site.kill_connector();
    tokio::task::block_in_place(|| {
        wait_until("the server says that it is not ready", PATIENCE, || {
            let said = site.get("/readyz")?;
            Ok(said.starts_with("HTTP/1.1 503") && said.contains("no connector is linked"))
        })?;
        ensure!(site.get("/healthz")?.starts_with("HTTP/1.1 200"), "it lives all the same");
        let absent = "dme_link_up{connector=\"branch\"} 0";
        wait_until("the metrics say so", PATIENCE, || Ok(site.get("/metrics")?.contains(absent)))?;
        site.crash_server()?;
        wait_until("a server that never saw the connector counts it too", PATIENCE, || {
            Ok(site.get("/metrics")?.contains(absent))
        })
    })
}
