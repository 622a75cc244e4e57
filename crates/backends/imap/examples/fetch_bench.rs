//! How many messages a second are read and converted: a Dovecot with 1,000 messages of 10 to
//! 50 kB, whole mailboxes fetched again and again by one device and by several at once.
//!
//! `cargo run --release -p dme-imap --example fetch_bench`

#![allow(clippy::print_stdout, reason = "it prints a table")]

use dme_imap::{ImapConfig, ImapMailSystem, ServerConfig, TlsMode};
use dme_mailbox::{
    Account, CallContext, ChangeToken, Credentials, FetchOutcome, ItemFilter, MailSystem, Mailbox,
};
use dme_mime::sample;
use dme_model::{
    Address, BodyKind, BodyPreference, BodyView, CollectionId, ItemId, MimeSupport, RequestId,
    Secret, Timestamp, UserId,
};
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use futures_util::StreamExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

const MESSAGES: usize = 1000;
const ROUNDS: usize = 5;

fn view(kind: BodyKind) -> BodyView {
    let truncation = (kind != BodyKind::Mime).then_some(4096);
    let preference = BodyPreference { kind, truncation, all_or_none: false, preview: None };
    let mime = if kind == BodyKind::Mime { MimeSupport::Always } else { MimeSupport::Never };
    BodyView { preferences: vec![preference], mime, part_preference: None }
}

async fn fetch_all(
    mailbox: &dyn Mailbox,
    items: &[ItemId],
    view: &BodyView,
) -> anyhow::Result<usize> {
    let inbox = CollectionId::from("INBOX");
    let mut count = 0;
    let mut stream = mailbox.fetch(&inbox, items, view).await?;
    while let Some(fetched) = stream.next().await {
        count += usize::from(matches!(fetched?.outcome, FetchOutcome::Item(_)));
    }
    Ok(count)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let dovecot = Dovecot::start(DovecotOptions::with_users([("ann@example.org", "secret")]))?;
    let owner = Address { name: Some("Ann".to_owned()), email: "ann@example.org".to_owned() };
    let now = Timestamp::from_seconds(1_795_000_000);
    let mails = sample::mailbox(&owner, 7, now, MESSAGES, sample::Sizes::Within(10_000..=50_000));
    dovecot.deliver_all("ann@example.org", mails.iter().map(|mail| mail.raw.as_ref()))?;
    let config = ImapConfig {
        server: ServerConfig {
            host: "127.0.0.1".to_owned(),
            port: Some(dovecot.imap_port),
            tls: TlsMode::None,
            ..ServerConfig::default()
        },
        ..ImapConfig::default()
    };
    let system = ImapMailSystem::new(config)?;
    let account = Account {
        user: UserId::from("ann@example.org"),
        address: "ann@example.org".to_owned(),
        display_name: None,
        credentials: Credentials::Password(Secret::new("secret")),
    };
    let context = CallContext::new(RequestId::from("bench"), Duration::from_secs(600));
    let mailbox: Arc<dyn Mailbox> = system.open(&account, &context).await?;
    let inbox = CollectionId::from("INBOX");
    let listing = mailbox.list(&inbox, &ItemFilter::default()).await?;
    let items: Vec<ItemId> = listing.items.iter().rev().collect();
    println!("{} messages", items.len());

    for (name, kind) in [
        ("html 4 KB", BodyKind::Html),
        ("plain 4 KB", BodyKind::Plain),
        ("mime whole", BodyKind::Mime),
    ] {
        for devices in [1, 4] {
            fetch_all(&*mailbox, &items, &view(kind)).await?;
            let (begin, cpu) = (Instant::now(), cpu_seconds());
            let tasks: Vec<_> = (0..devices)
                .map(|_| {
                    let (mailbox, items) = (mailbox.clone(), items.clone());
                    tokio::spawn(async move {
                        let mut count = 0;
                        for _ in 0..ROUNDS {
                            count += fetch_all(&*mailbox, &items, &view(kind)).await?;
                        }
                        anyhow::Ok(count)
                    })
                })
                .collect();
            let mut count = 0;
            for task in tasks {
                count += task.await??;
            }
            let rate = count as f64 / begin.elapsed().as_secs_f64();
            let per_cpu = count as f64 / (cpu_seconds() - cpu);
            println!(
                "{name:12} {devices} at once: {rate:8.0} messages/s, {per_cpu:8.0} per second of \
                 this process' CPU"
            );
        }
    }
    nothing_new(&mailbox, &inbox, &listing.token).await
}

/// The CPU time of this process so far; on a busy machine it says more than the clock.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
    // utime and stime, in hundredths of a second.
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

async fn nothing_new(
    mailbox: &Arc<dyn Mailbox>,
    inbox: &CollectionId,
    token: &ChangeToken,
) -> anyhow::Result<()> {
    let begin = Instant::now();
    const CALLS: usize = 3000;
    for _ in 0..CALLS {
        mailbox.changes(inbox, token).await?;
    }
    let rate = CALLS as f64 / begin.elapsed().as_secs_f64();
    println!("nothing new, one after the other: {rate:8.0} calls/s");
    Ok(())
}
