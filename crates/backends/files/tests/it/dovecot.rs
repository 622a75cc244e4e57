//! The same tree served by a real Dovecot: each sees what the other does.

use crate::world::{Files, open};
use dme_files::NewMail;
use dme_mailbox::{FetchOutcome, ItemFilter, Mailbox, WatchEvent};
use dme_model::{
    BodyView, Class, CollectionId, FlagPatch, Flags, Followup, Item, ItemId, Timestamp, UserId,
};
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use futures_util::{StreamExt, TryStreamExt};
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

const ANN: &str = "ann@x.example";

struct Shared {
    files: Files,
    dovecot: Dovecot,
    mailbox: Arc<dyn Mailbox>,
}

impl Shared {
    async fn new() -> Self {
        let files = Files::new();
        files.systems[0].create_user(&UserId::from(ANN), &[]).await.unwrap();
        let mut options = DovecotOptions::with_users([(ANN, "secret")]);
        options.mail_location = Some(format!("maildir:{}/%u/Maildir", files.root.path().display()));
        let dovecot = Dovecot::start(options).unwrap();
        let mailbox = open(&files.systems[0], ANN).await;
        let shared = Self { files, dovecot, mailbox };
        shared.open_to_all();
        shared
    }

    /// Dovecot runs as another user than the test; a real installation has one for both.
    fn open_to_all(&self) {
        fn open(path: &Path) {
            // What Dovecot renames or deletes meanwhile needs no opening.
            let Ok(metadata) = fs::symlink_metadata(path) else { return };
            if metadata.is_dir() {
                let _ = fs::set_permissions(path, Permissions::from_mode(0o777));
                for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                    open(&entry.path());
                }
            } else if metadata.is_file() {
                let _ = fs::set_permissions(path, Permissions::from_mode(0o666));
            }
        }
        open(self.files.root.path());
    }

    fn imap(&self) -> Imap {
        let stream = TcpStream::connect(("127.0.0.1", self.dovecot.imap_port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut imap = Imap { reader: BufReader::new(stream) };
        imap.line();
        imap.call(&format!("LOGIN {ANN} secret"));
        imap
    }

    async fn flags(&self, collection: &CollectionId, item: &ItemId) -> Flags {
        let items = std::slice::from_ref(item);
        let view = BodyView::default();
        let fetched: Vec<_> = self
            .mailbox
            .fetch(collection, items, &view)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        match &fetched[0].outcome {
            FetchOutcome::Item(Item::Mail(mail)) => mail.flags.clone(),
            other => panic!("{other:?}"),
        }
    }
}

/// As much of an IMAP client as is needed to look.
struct Imap {
    reader: BufReader<TcpStream>,
}

impl Imap {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line
    }

    /// Everything up to the tagged answer, which must be OK.
    fn call(&mut self, command: &str) -> String {
        write!(self.reader.get_mut(), "a {command}\r\n").unwrap();
        let mut answer = String::new();
        loop {
            let line = self.line();
            if line.starts_with("a ") {
                assert!(line.starts_with("a OK"), "{command}: {line}");
                return answer;
            }
            assert!(!line.is_empty(), "{command}: the server hung up");
            answer.push_str(&line);
        }
    }
}

fn inbox() -> CollectionId {
    CollectionId::from("INBOX")
}

#[tokio::test]
async fn dovecot_sees_folders_messages_and_marks() {
    let shared = Shared::new().await;
    let mailbox = &shared.mailbox;
    let projects = mailbox.create_collection(None, "Übergrößen & mehr", Class::Mail).await.unwrap();
    mailbox.create_collection(Some(&projects), "项目", Class::Mail).await.unwrap();
    let text = "From: a@b.example\r\nSubject: hello\r\n\r\nGrüße\r\n";
    let flags = Flags { seen: true, followup: Followup::Active, ..Flags::default() };
    let received = Timestamp::from_seconds(1_600_000_000);
    let system = &shared.files.systems[0];
    let user = UserId::from(ANN);
    let old = NewMail { message: text.into(), flags, received };
    assert_eq!(system.insert_all(&user, &inbox(), vec![old]).await.unwrap(), [ItemId::from("1")]);
    let item = mailbox.deliver(&inbox(), text.as_bytes()).await.unwrap();
    let categories = BTreeSet::from(["Work".to_owned()]);
    let patch = FlagPatch {
        answered: Some(true),
        forwarded: Some(true),
        followup: Some(Followup::Complete),
        categories: Some(categories),
        ..FlagPatch::default()
    };
    mailbox.set_flags(&inbox(), &[(item, patch)]).await.unwrap();
    shared.open_to_all();

    let mut imap = shared.imap();
    let listed = imap.call("LIST \"\" *");
    for name in ["&ANw-bergr&APYA3w-en &- mehr", "&ANw-bergr&APYA3w-en &- mehr/&mHl27g-", "Sent"] {
        assert!(listed.contains(name), "{name} is missing from {listed}");
    }
    imap.call("SELECT INBOX");
    let fetched = imap.call("FETCH 1:* (FLAGS RFC822.SIZE INTERNALDATE)");
    let lines: Vec<&str> = fetched.lines().collect();
    assert_eq!(lines.len(), 2, "{fetched}");
    assert!(lines[0].contains("\\Flagged \\Seen") && lines[0].contains("13-Sep-2020"), "{fetched}");
    for flag in ["\\Answered", "$Forwarded", "$Completed", "Work"] {
        assert!(lines[1].contains(flag), "{flag} is missing from {fetched}");
    }
    assert!(lines[1].contains(&format!("RFC822.SIZE {}", text.len())), "{fetched}");
}

#[tokio::test]
async fn what_dovecot_does_is_told() {
    let shared = Shared::new().await;
    let mailbox = &shared.mailbox;
    let patience = Duration::from_secs(20);
    let trash = CollectionId::from("Trash");
    let mut watch = mailbox.watch(&[inbox(), trash.clone()]).await.unwrap();
    assert_eq!(watch.next().await, Some(Ok(WatchEvent::Ready)));
    let begin = mailbox.list(&inbox(), &ItemFilter::default()).await.unwrap().token;

    shared.dovecot.deliver(ANN, b"From: a@b.example\r\nSubject: hello\r\n\r\ntext\r\n").unwrap();
    let told = timeout(patience, watch.next()).await.unwrap();
    assert_eq!(told, Some(Ok(WatchEvent::Changed(inbox()))));
    let changes = mailbox.changes(&inbox(), &begin).await.unwrap();
    assert_eq!(changes.upserted.len(), 1);
    let item = changes.upserted[0].id.clone();
    assert_eq!(changes.upserted[0].flags(), Some(&Flags::default()));

    let mut imap = shared.imap();
    imap.call("SELECT INBOX");
    imap.call(
        "STORE 1 +FLAGS (\\Seen \\Flagged $Forwarded Private \"$MDNSent\")"
            .replace('"', "")
            .as_str(),
    );
    let next = mailbox.changes(&inbox(), &changes.token).await.unwrap();
    let wanted = Flags {
        seen: true,
        forwarded: true,
        followup: Followup::Active,
        categories: BTreeSet::from(["Private".to_owned()]),
        ..Flags::default()
    };
    assert_eq!(next.upserted[0].flags(), Some(&wanted));
    assert_eq!(shared.flags(&inbox(), &item).await, wanted);

    imap.call("CREATE Projects/Bridge");
    let made = async {
        while let Some(event) = watch.next().await {
            if event.unwrap() == WatchEvent::Hierarchy {
                return;
            }
        }
    };
    timeout(patience, made).await.unwrap();
    let all = mailbox.collections().await.unwrap();
    assert!(all.iter().any(|it| it.name.ends_with("Bridge")), "{all:?}");

    imap.call("MOVE 1 Trash");
    let gone = mailbox.changes(&inbox(), &next.token).await.unwrap();
    assert!(gone.removed.contains(&item));
    let moved = mailbox.list(&trash, &ItemFilter::default()).await.unwrap();
    let moved: Vec<ItemId> = moved.items.iter().collect();
    assert_eq!(shared.flags(&trash, &moved[0]).await, wanted);

    imap.call("RENAME Projects/Bridge Projects/Tunnel");
    imap.call("DELETE Projects/Tunnel");
    let all = mailbox.collections().await.unwrap();
    assert!(all.iter().all(|it| !it.name.contains("Bridge") && !it.name.contains("Tunnel")));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_change_the_same_messages_at_once_and_none_is_lost() {
    let shared = Shared::new().await;
    let mailbox = shared.mailbox.clone();
    for number in 0..50 {
        let text = format!("From: a@b.example\r\nSubject: n{number}\r\n\r\ntext\r\n");
        mailbox.deliver(&inbox(), text.as_bytes()).await.unwrap();
    }
    shared.open_to_all();
    let items: Vec<ItemId> =
        mailbox.list(&inbox(), &ItemFilter::default()).await.unwrap().items.iter().collect();
    let mut imap = shared.imap();
    let theirs = std::thread::spawn(move || {
        imap.call("SELECT INBOX");
        for round in 0..20 {
            let sign = if round % 2 == 0 { '+' } else { '-' };
            imap.call(&format!("STORE 1:50 {sign}FLAGS.SILENT (\\Flagged)"));
        }
        imap.call("STORE 1:50 +FLAGS.SILENT (\\Flagged)");
    });
    for round in 0..20 {
        let patch = FlagPatch { answered: Some(round % 2 == 1), ..FlagPatch::default() };
        let patches: Vec<_> = items.iter().map(|item| (item.clone(), patch.clone())).collect();
        for (item, result) in mailbox.set_flags(&inbox(), &patches).await.unwrap() {
            assert_eq!(result, Ok(()), "{item} in round {round}");
        }
        let view = BodyView::default();
        let fetched = mailbox.fetch(&inbox(), &items, &view).await.unwrap();
        let fetched: Vec<_> = fetched.try_collect().await.unwrap();
        let gone = fetched.iter().filter(|it| it.outcome == FetchOutcome::Gone).count();
        assert_eq!(gone, 0, "round {round}");
        let now = mailbox.list(&inbox(), &ItemFilter::default()).await.unwrap();
        assert_eq!(now.items.iter().collect::<Vec<_>>(), items, "round {round}");
    }
    theirs.join().unwrap();
    let token = mailbox.list(&inbox(), &ItemFilter::default()).await.unwrap().token;
    let patch = FlagPatch { seen: Some(true), ..FlagPatch::default() };
    let patches: Vec<_> = items.iter().map(|item| (item.clone(), patch.clone())).collect();
    for (item, result) in mailbox.set_flags(&inbox(), &patches).await.unwrap() {
        assert_eq!(result, Ok(()), "{item}");
    }
    let changes = mailbox.changes(&inbox(), &token).await.unwrap();
    assert_eq!(changes.upserted.len(), 50);
    for state in changes.upserted {
        let flags = state.flags().unwrap();
        assert!(flags.seen && flags.followup == Followup::Active, "{state:?}");
    }
}
