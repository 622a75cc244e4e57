//! The in-memory mail system keeps every promise, and goes wrong as it is told to.

#![allow(clippy::unwrap_used, reason = "a test may panic, also in what it calls")]

use async_trait::async_trait;
use dme_mailbox::conformance::{self, Ability, Resident, World};
use dme_mailbox::memory::{Failure, MemoryMailSystem, Operation};
use dme_mailbox::{Error, ErrorKind, Mailbox, Submission, SubmissionKey};
use dme_model::{BodyView, CollectionId, Flags, ItemId, Role, Timestamp, UserId};
use futures_util::{StreamExt, TryStreamExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[derive(Default)]
struct Memory {
    system: MemoryMailSystem,
    residents: AtomicU32,
}

#[async_trait]
impl World for Memory {
    async fn resident(&self) -> Resident {
        let address =
            format!("user{}@memory.example", self.residents.fetch_add(1, Ordering::Relaxed));
        let user = UserId::from(address.as_str());
        self.system.add_user(&user, &address);
        let handle = || self.system.mailbox(&user).unwrap();
        Resident { mailbox: handle(), other: handle(), address }
    }

    fn can(&self, ability: Ability) -> bool {
        // It reads no iCalendar.
        ability != Ability::TakeIn
    }

    async fn invalidate_tokens(&self, resident: &Resident, collection: &CollectionId) {
        self.system.invalidate(&UserId::from(resident.address.as_str()), collection).unwrap();
    }
}

#[tokio::test]
async fn memory_keeps_every_promise() {
    conformance::run(&Memory::default()).await;
}

#[tokio::test]
async fn memory_keeps_every_promise_on_items() {
    conformance::run_items(&Memory::default()).await;
}

fn ann() -> (MemoryMailSystem, UserId, Arc<dyn Mailbox>, CollectionId) {
    let system = MemoryMailSystem::new();
    let user = UserId::from("ann@memory.example");
    system.add_user(&user, "ann@memory.example");
    let mailbox = system.mailbox(&user).unwrap();
    let inbox = system.collection(&user, Role::Inbox).unwrap();
    (system, user, mailbox, inbox)
}

fn down() -> Error {
    Error::new(ErrorKind::Unavailable, "down")
}

#[tokio::test]
async fn a_call_can_fail_before_or_after_it_took_effect() {
    let (system, user, mailbox, inbox) = ann();
    system.fail_next(1, &Failure::Before(down()));
    assert_eq!(mailbox.deliver(&inbox, b"Subject: a\r\n\r\n").await, Err(down()));
    assert_eq!(system.contents(&user, &inbox).unwrap().len(), 0);
    system.fail_next(1, &Failure::After(down()));
    assert_eq!(mailbox.deliver(&inbox, b"Subject: a\r\n\r\n").await, Err(down()));
    assert_eq!(system.contents(&user, &inbox).unwrap().len(), 1);
    assert_eq!(system.take_calls(), [Operation::Deliver, Operation::Deliver]);
    assert_eq!(system.take_calls(), []);
}

#[tokio::test]
async fn a_fetch_whose_answer_is_lost_breaks_off_half_way() {
    let (system, user, mailbox, inbox) = ann();
    let put = |_| {
        let now = Timestamp::default();
        system.insert(&user, &inbox, "Subject: a\r\n\r\n", Flags::default(), now).unwrap()
    };
    let items: Vec<ItemId> = (0..4).map(put).collect();
    system.fail_when(|op| (op == Operation::Fetch).then(|| Failure::After(down())));
    let stream = mailbox.fetch(&inbox, &items, &BodyView::default()).await.unwrap();
    let got: Vec<_> = stream.map(|fetched| fetched.map(|it| it.id)).collect().await;
    assert_eq!(got, [Ok(items[0].clone()), Ok(items[1].clone()), Err(down())]);
    system.heal();
    let stream = mailbox.fetch(&inbox, &items, &BodyView::default()).await.unwrap();
    assert_eq!(stream.try_collect::<Vec<_>>().await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_repetition_that_does_not_say_so_is_sent_twice_for_all_to_see() {
    let (system, _, mailbox, _) = ann();
    let mut submission = Submission {
        key: SubmissionKey("k".into()),
        uncertain: false,
        taken: false,
        message: "To: bob@elsewhere.example\r\nSubject: a\r\n\r\ntext\r\n".into(),
        reference: None,
        save_in_sent: true,
        draft: None,
    };
    let first = mailbox.submit(&submission).await.unwrap();
    submission.uncertain = true;
    assert_eq!(mailbox.submit(&submission).await.unwrap(), first);
    assert_eq!(system.sent().len(), 1);
    submission.uncertain = false;
    mailbox.submit(&submission).await.unwrap();
    assert_eq!(system.sent().len(), 2);
    assert_eq!(system.sent()[0].recipients, ["bob@elsewhere.example"]);
}

#[tokio::test]
async fn a_cut_watch_ends_with_an_error() {
    let (system, _, mailbox, inbox) = ann();
    let mut watch = mailbox.watch(&[inbox]).await.unwrap();
    assert!(watch.next().await.unwrap().is_ok());
    system.cut_watches();
    assert!(watch.next().await.unwrap().is_err());
    assert!(watch.next().await.is_none());
}

#[tokio::test]
async fn a_marked_message_cannot_be_converted() {
    let (system, user, mailbox, inbox) = ann();
    let broken = "Subject: a\r\nX-Broken: yes\r\n\r\n";
    let now = Timestamp::default();
    let item = system.insert(&user, &inbox, broken, Flags::default(), now).unwrap();
    let stream = mailbox.fetch(&inbox, &[item], &BodyView::default()).await.unwrap();
    let fetched: Vec<_> = stream.try_collect().await.unwrap();
    assert!(matches!(fetched[0].outcome, dme_mailbox::FetchOutcome::Unconvertible(_)));
}
