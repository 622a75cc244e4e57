//! Files that cannot be read as mail stop nobody else (rule S5).

use crate::world::{Files, open};
use dme_mailbox::{ErrorKind, FetchOutcome, ItemFilter, SearchQuery};
use dme_model::{BodyView, CollectionId, ItemId, UserId, Vacation};
use futures_util::TryStreamExt;
use std::fs::{self, File};

const ANN: &str = "ann@x.example";

#[tokio::test]
async fn an_unreadable_file_stops_no_other() {
    let files = Files::new();
    files.systems[0].create_user(&UserId::from(ANN), &[]).await.unwrap();
    let ann = open(&files.systems[0], ANN).await;
    let inbox = CollectionId::from("INBOX");
    let new = files.maildir(ANN).join("new");
    for name in ["1.whole", "2.vast", "3.empty", "4.directory", "5.whole"] {
        fs::write(new.join(name), "Subject: hello\n\nneedle\n").unwrap();
    }
    File::options().write(true).open(new.join("2.vast")).unwrap().set_len(1 << 40).unwrap();
    File::create(new.join("3.empty")).unwrap();
    let listed = ann.list(&inbox, &ItemFilter::default()).await.unwrap();
    let items: Vec<ItemId> = listed.items.iter().collect();
    assert_eq!(items.len(), 5);
    fs::remove_file(new.join("4.directory")).unwrap();
    fs::create_dir(new.join("4.directory")).unwrap();

    let stream = ann.fetch(&inbox, &items, &BodyView::default()).await.unwrap();
    let fetched: Vec<_> = stream.try_collect().await.unwrap();
    let whole = |place: usize| matches!(fetched[place].outcome, FetchOutcome::Item(_));
    let broken = |place: usize| matches!(fetched[place].outcome, FetchOutcome::Unconvertible(_));
    let known: Vec<bool> = (0..5).map(whole).collect();
    assert_eq!(known.iter().filter(|whole| **whole).count(), 2, "{fetched:?}");
    assert_eq!((0..5).filter(|place| broken(*place)).count(), 3, "{fetched:?}");
    for (item, whole) in items.iter().zip(known) {
        let part = ann.fetch_part(&inbox, item, None, None).await.map(|_| ());
        match part {
            Ok(()) => {}
            Err(error) => assert!(!whole && error.kind == ErrorKind::Unconvertible, "{error:?}"),
        }
    }
    let query = SearchQuery { words: vec!["needle".into()], limit: 10, ..SearchQuery::default() };
    assert_eq!(ann.search(&query).await.unwrap().total, 2);
}

#[tokio::test]
async fn what_cannot_be_deleted_is_not_said_to_be() {
    let files = Files::new();
    files.systems[0].create_user(&UserId::from(ANN), &[]).await.unwrap();
    let ann = open(&files.systems[0], ANN).await;
    let inbox = CollectionId::from("INBOX");
    let item = ann.deliver(&inbox, b"Subject: x\r\n\r\n").await.unwrap();
    let new = files.maildir(ANN).join("new");
    let file = fs::read_dir(&new).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(&file).unwrap();
    // A directory in the message's place, which is no message but cannot be unlinked.
    fs::create_dir(&file).unwrap();
    let deleted = ann.delete_items(&inbox, &[item]).await;
    assert!(deleted.is_err(), "{deleted:?}");
}

#[tokio::test]
async fn a_damaged_out_of_office_message_is_told_and_replaced() {
    let files = Files::new();
    files.systems[0].create_user(&UserId::from(ANN), &[]).await.unwrap();
    let ann = open(&files.systems[0], ANN).await;
    let file = files.root.path().join(ANN).join("dme-vacation.json");
    fs::write(&file, "{\"state\": \"perhaps\"}").unwrap();
    let error = ann.vacation().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unconvertible);
    assert!(error.to_string().contains("dme-vacation.json"), "{error}");
    ann.set_vacation(&Vacation::default()).await.unwrap();
    assert_eq!(ann.vacation().await, Ok(Vacation::default()));
}
