//! How long a large folder takes: `cargo run --release -p dme-files --example large_folder 10000`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a program")]

use dme_files::{FilesConfig, FilesMailSystem};
use dme_mailbox::{Account, CallContext, Credentials, ItemFilter, MailSystem};
use dme_model::{
    BodyKind, BodyPreference, BodyView, CollectionId, FlagPatch, ItemId, RequestId, UserId,
};
use futures_util::TryStreamExt;
use std::time::{Duration, Instant};

#[tokio::main]
async fn main() {
    let count: usize = std::env::args().nth(1).and_then(|it| it.parse().ok()).unwrap_or(10_000);
    let root = tempfile::tempdir().unwrap();
    let user = UserId::from("ann@x.example");
    let system = FilesMailSystem::new(FilesConfig::new(root.path()));
    system.create_user(&user, &[]).await.unwrap();
    let text = format!("Subject: hello\r\n\r\n{}", "some words of text\r\n".repeat(1000));
    let new = root.path().join("ann@x.example/Maildir/new");
    for number in 0..count {
        std::fs::write(new.join(format!("{number}.seed")), &text).unwrap();
    }
    tokio::time::sleep(Duration::from_millis(200)).await;

    let account = Account {
        user,
        address: "ann@x.example".into(),
        display_name: None,
        credentials: Credentials::None,
    };
    let context = CallContext::new(RequestId::from("measure"), Duration::from_secs(60));
    let inbox = CollectionId::from("INBOX");
    let mailbox = system.open(&account, &context).await.unwrap();
    let time = |what: &str, begun: Instant| println!("{what:<40} {:?}", begun.elapsed());

    let begun = Instant::now();
    let listing = mailbox.list(&inbox, &ItemFilter::default()).await.unwrap();
    time("first list ever", begun);
    let restarted = FilesMailSystem::new(FilesConfig::new(root.path()));
    let again = restarted.open(&account, &context).await.unwrap();
    let begun = Instant::now();
    again.list(&inbox, &ItemFilter::default()).await.unwrap();
    time("list after a restart", begun);
    let begun = Instant::now();
    for _ in 0..1000 {
        mailbox.changes(&inbox, &listing.token).await.unwrap();
    }
    time("1,000 times nothing new", begun);
    let items: Vec<ItemId> = listing.items.iter().collect();
    let seen = FlagPatch { seen: Some(true), ..FlagPatch::default() };
    let begun = Instant::now();
    mailbox.set_flags(&inbox, &[(items[count / 2].clone(), seen)]).await.unwrap();
    time("one mark", begun);
    let begun = Instant::now();
    mailbox.changes(&inbox, &listing.token).await.unwrap();
    time("changes after it", begun);
    let html = BodyPreference {
        kind: BodyKind::Html,
        truncation: Some(4096),
        all_or_none: false,
        preview: None,
    };
    let view = BodyView { preferences: vec![html], ..BodyView::default() };
    let begun = Instant::now();
    let stream = mailbox.fetch(&inbox, &items, &view).await.unwrap();
    let fetched: Vec<_> = stream.try_collect().await.unwrap();
    let rate = fetched.len() as f64 / begun.elapsed().as_secs_f64();
    println!("fetch of 19 kB each, cut at 4 KiB          {rate:.0} messages/s");
}
