//! A server that is silent: because it is slow, or because there is no way to it any more.

use crate::world::{ONCE, account, context, plain, submission};
use dme_imap::{ImapConfig, ImapMailSystem, SmtpAuth, SmtpConfig, TimeoutConfig};
use dme_mailbox::{ErrorKind, MailSystem, Mailbox};
use dme_model::{Class, Span};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_millis(200);
/// Far below the minute that a call has.
const SOON: Duration = Duration::from_secs(10);

/// A server of which the test says whether it greets anybody, and how long its answers take once
/// somebody is logged in.
struct Server {
    port: u16,
    greets: Arc<AtomicBool>,
    /// Told when somebody who is logged in asks something.
    asked: Arc<Notify>,
}

impl Server {
    async fn start(takes: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (greets, asked) = (Arc::new(AtomicBool::new(true)), Arc::new(Notify::new()));
        let (may, tells) = (greets.clone(), asked.clone());
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                match may.load(Ordering::SeqCst) {
                    true => drop(tokio::spawn(serve(stream, takes, tells.clone()))),
                    false => kept.push(stream),
                }
            }
        });
        Self { port, greets, asked }
    }

    /// A mail system that sends by this port, and a user's mailbox in it.
    async fn open(&self, smtp: u16) -> (ImapMailSystem, Arc<dyn Mailbox>) {
        let timeouts =
            TimeoutConfig { connect: Span(CONNECT), silence: Span(Duration::from_secs(60)) };
        let smtp = Some(SmtpConfig { server: plain(smtp), auth: SmtpAuth::None });
        let config =
            ImapConfig { server: plain(self.port), timeouts, smtp, ..ImapConfig::default() };
        let system = ImapMailSystem::new(config).unwrap();
        let mailbox = open(&system).await;
        (system, mailbox)
    }
}

async fn open(system: &ImapMailSystem) -> Arc<dyn Mailbox> {
    system.open(&account("ann"), &context()).await.unwrap()
}

/// A port at which nobody is.
async fn nobody() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

async fn serve(stream: TcpStream, takes: Duration, asked: Arc<Notify>) {
    let (reader, mut writer) = stream.into_split();
    let can = "CAPABILITY IMAP4rev1 LITERAL+ NAMESPACE UNSELECT SASL-IR AUTH=PLAIN";
    let _ = writer.write_all(format!("* OK [{can}] ready\r\n").as_bytes()).await;
    let mut lines = BufReader::new(reader).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
        let told = match command.split(' ').next().unwrap_or_default() {
            "LOGIN" | "AUTHENTICATE" => format!("* {can}\r\n"),
            "NAMESPACE" => "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n".to_owned(),
            _ => {
                asked.notify_one();
                tokio::time::sleep(takes).await;
                String::new()
            }
        };
        let _ = writer.write_all(format!("{told}{tag} OK done\r\n").as_bytes()).await;
    }
}

#[tokio::test]
async fn a_slow_server_is_waited_for_as_long_as_it_can_be_reached() {
    let server = Server::start(6 * CONNECT).await;
    let (_, mailbox) = server.open(nobody().await).await;
    let begun = Instant::now();
    mailbox.collections().await.unwrap();
    assert!(begun.elapsed() >= 6 * CONNECT);
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_given_up_long_before_the_deadline() {
    let server = Server::start(Duration::from_secs(3_600)).await;
    let (system, mailbox) = server.open(nobody().await).await;
    let asked = tokio::spawn(async move { mailbox.collections().await });
    server.asked.notified().await;
    server.greets.store(false, Ordering::SeqCst);
    let begun = Instant::now();
    let cut_off = asked.await.unwrap().unwrap_err();
    assert_eq!(cut_off.kind, ErrorKind::Timeout, "{cut_off}");
    assert!(!cut_off.unbegun, "it was asked");
    // And nobody gets a session any more.
    let mailbox = open(&system).await;
    let unmade = mailbox.create_collection(None, "New", Class::Mail).await.unwrap_err();
    assert_eq!(unmade.kind, ErrorKind::Timeout, "{unmade}");
    assert!(unmade.unbegun, "nothing was made");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_message_for_which_nobody_was_reached_was_not_begun() {
    // SMTP refuses the connection, after folders were read; and then IMAP is silent.
    let server = Server::start(Duration::ZERO).await;
    let (_, mailbox) = server.open(nobody().await).await;
    let refused = mailbox.submit(&submission(ONCE)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unavailable, "{refused}");
    assert!(refused.unbegun, "{refused}");
    let server = Server::start(Duration::from_secs(3_600)).await;
    let (_, mailbox) = server.open(nobody().await).await;
    let asked = tokio::spawn(async move { mailbox.submit(&submission(ONCE)).await });
    server.asked.notified().await;
    server.greets.store(false, Ordering::SeqCst);
    let unread = asked.await.unwrap().unwrap_err();
    assert_eq!(unread.kind, ErrorKind::Timeout, "{unread}");
    assert!(unread.unbegun, "{unread}");
}

/// A server that takes a message and is gone before it says so.
async fn takes_and_is_gone() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (reader, mut writer) = stream.into_split();
            let _ = writer.write_all(b"220 ready\r\n").await;
            let mut lines = BufReader::new(reader).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let answer: &[u8] = match line.split([' ', ':']).next().unwrap_or_default() {
                    "EHLO" | "MAIL" | "RCPT" => b"250 well\r\n",
                    "DATA" => b"354 go on\r\n",
                    "." => break,
                    _ => b"",
                };
                let _ = writer.write_all(answer).await;
            }
        }
    });
    port
}

#[tokio::test]
async fn a_message_of_which_nobody_knows_whether_it_was_taken_may_have_been_begun() {
    let server = Server::start(Duration::ZERO).await;
    let (_, mailbox) = server.open(takes_and_is_gone().await).await;
    let unknown = mailbox.submit(&submission(ONCE)).await.unwrap_err();
    assert_eq!(unknown.kind, ErrorKind::Unavailable, "{unknown}");
    assert!(!unknown.unbegun, "{unknown}");
}
