//! Killed at any moment: what was acknowledged is there, once.

use crate::world::open;
use dme_files::{FilesConfig, FilesMailSystem};
use dme_mailbox::{FetchOutcome, ItemFilter, Mailbox, Submission, SubmissionKey};
use dme_model::{BodyView, CollectionId, FlagPatch, Item, ItemId, Mail, UserId};
use futures_util::TryStreamExt;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const ANN: &str = "ann@x.example";
const BOB: &str = "bob@x.example";
const CHILD: &str = "DME_FILES_CRASH_ROOT";

fn submission(number: usize, uncertain: bool) -> Submission {
    Submission {
        key: SubmissionKey(format!("k{number}")),
        uncertain,
        taken: false,
        message: format!("To: {BOB}\r\nSubject: sent {number}\r\n\r\ntext\r\n").into(),
        reference: None,
        save_in_sent: true,
        draft: None,
    }
}

/// Works until it is killed, and says what was acknowledged.
async fn work(root: &Path, first: usize) {
    let ann = open(&FilesMailSystem::new(FilesConfig::new(root)), ANN).await;
    let inbox = CollectionId::from("INBOX");
    let say = |text: String| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}").unwrap();
        out.flush().unwrap();
    };
    for number in first.. {
        let text = format!("From: a@b.example\r\nSubject: delivered {number}\r\n\r\ntext\r\n");
        let item = ann.deliver(&inbox, text.as_bytes()).await.unwrap();
        say(format!("acknowledged delivery {number} {item}"));
        let seen = FlagPatch { seen: Some(true), ..FlagPatch::default() };
        ann.set_flags(&inbox, &[(item.clone(), seen)]).await.unwrap();
        say(format!("acknowledged mark {number} {item}"));
        ann.submit(&submission(number, false)).await.unwrap();
        say(format!("acknowledged sending {number} -"));
    }
}

async fn mails(mailbox: &dyn Mailbox, collection: &str) -> BTreeMap<ItemId, Mail> {
    let id = CollectionId::from(collection);
    let items = mailbox.list(&id, &ItemFilter::default()).await.unwrap().items;
    let items: Vec<ItemId> = items.iter().collect();
    let stream = mailbox.fetch(&id, &items, &BodyView::default()).await.unwrap();
    let fetched: Vec<_> = stream.try_collect().await.unwrap();
    let mail = |outcome| match outcome {
        FetchOutcome::Item(Item::Mail(mail)) => *mail,
        other => panic!("{other:?}"),
    };
    fetched.into_iter().map(|it| (it.id, mail(it.outcome))).collect()
}

fn times(mails: &BTreeMap<ItemId, Mail>, subject: &str) -> usize {
    mails.values().filter(|mail| mail.subject == subject).count()
}

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_there_once() {
    if let Some(root) = std::env::var_os(CHILD) {
        let first = std::env::var("DME_FILES_CRASH_FIRST").unwrap().parse().unwrap();
        return work(Path::new(&root), first).await;
    }
    let root = tempfile::tempdir().unwrap();
    let system = FilesMailSystem::new(FilesConfig::new(root.path()));
    for user in [ANN, BOB] {
        system.create_user(&UserId::from(user), &[]).await.unwrap();
    }
    let mut acknowledged: Vec<(String, usize, String)> = Vec::new();
    let mut first = 0;
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::what_was_acknowledged_before_a_kill_is_there_once"])
            .arg("--nocapture")
            .env(CHILD, root.path())
            .env("DME_FILES_CRASH_FIRST", first.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Another number of lines each time, so that it dies at another step.
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok).filter_map(|line| {
            let (_, said) = line.split_once("acknowledged ")?;
            let fields: Vec<&str> = said.split(' ').collect();
            Some((fields[0].to_owned(), fields[1].parse().unwrap(), fields[2].to_owned()))
        });
        let said: Vec<_> = lines.by_ref().take(5 + round * 4).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(said.len(), 5 + round * 4, "the child ended by itself");
        acknowledged.extend(said);
        // What it had said before that was not read yet: on a busy machine it is far ahead.
        acknowledged.extend(lines);

        // A fresh one, as after a restart, and the one that ran all the time, as another connector.
        let fresh = FilesMailSystem::new(FilesConfig::new(root.path()));
        let ann = open(&fresh, ANN).await;
        first = acknowledged.iter().map(|it| it.1).max().unwrap() + 1;
        // The child may have done a step that it could not say any more.
        for number in 0..first + 2 {
            let sent = acknowledged.iter().any(|it| it.0 == "sending" && it.1 == number);
            if !sent {
                ann.submit(&submission(number, true)).await.unwrap();
                acknowledged.push(("sending".into(), number, "-".into()));
            }
        }
        first += 2;
        for system in [&fresh, &system] {
            let inbox = mails(&*open(system, ANN).await, "INBOX").await;
            let sent = mails(&*open(system, ANN).await, "Sent").await;
            let received = mails(&*open(system, BOB).await, "INBOX").await;
            for (what, number, item) in &acknowledged {
                let id = ItemId::from(item.as_str());
                match what.as_str() {
                    "delivery" => {
                        let subject = format!("delivered {number}");
                        assert_eq!(inbox[&id].subject, subject);
                        assert_eq!(times(&inbox, &subject), 1);
                    }
                    "mark" => assert!(inbox[&id].flags.seen, "{number} is not marked"),
                    _ => {
                        let subject = format!("sent {number}");
                        assert_eq!(times(&received, &subject), 1, "received: {subject}");
                        assert_eq!(times(&sent, &subject), 1, "in Sent: {subject}");
                    }
                }
            }
        }
    }
}
