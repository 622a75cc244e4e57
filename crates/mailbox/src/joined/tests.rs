//! What of several mail systems is seen as one, also while one of them is away.

use super::part::{END, MARK, outward};
use super::*;
use crate::memory::MemoryMailSystem;
use crate::{ChangeToken, ItemFilter, NewItem, SubmissionKey, WatchEvent};
use dme_model::{Class, CollectionId, Contact, ContactPatch, ItemPatch, RequestId, Role, UserId};
use futures_util::StreamExt;
use std::collections::BTreeSet;

fn account() -> Account {
    Account {
        user: UserId::from("ann@example.com"),
        address: "ann@example.com".into(),
        display_name: None,
        credentials: crate::Credentials::None,
    }
}

fn context() -> CallContext {
    CallContext::new(RequestId::from("r"), Duration::from_secs(9))
}

async fn joined() -> (MemoryMailSystem, MemoryMailSystem, Arc<dyn Mailbox>) {
    let (mail, other) = (MemoryMailSystem::new(), MemoryMailSystem::new());
    let user = UserId::from("ann@example.com");
    for system in [&mail, &other] {
        system.add_user(&user, "ann@example.com");
    }
    let both = Joined::new(Arc::new(mail.clone()), vec![("dav", Arc::new(other.clone()))]);
    let mailbox = both.open(&account(), &context()).await.unwrap();
    (mail, other, mailbox)
}

fn ann() -> NewItem {
    let patch = ContactPatch::whole(Contact::default());
    NewItem { key: SubmissionKey("k".into()), patch: ItemPatch::Contact(Box::new(patch)) }
}

#[tokio::test]
async fn a_collection_of_a_part_is_used_like_any_other() {
    let (_, other, mailbox) = joined().await;
    let user = UserId::from("ann@example.com");
    let inner = other.collection(&user, Role::Contacts).unwrap();
    let book = outward(Some("dav"), inner.clone());
    let all = mailbox.collections().await.unwrap();
    assert!(all.iter().any(|collection| collection.id == book));

    let token = mailbox.list(&book, &ItemFilter::default()).await.unwrap().token;
    let mut watch = mailbox.watch(std::slice::from_ref(&book)).await.unwrap();
    assert_eq!(watch.next().await, Some(Ok(WatchEvent::Ready)));
    let made = mailbox.create_item(&book, &ann()).await.unwrap();
    assert_eq!(watch.next().await, Some(Ok(WatchEvent::Changed(book.clone()))));
    assert_eq!(mailbox.changed(&[(book.clone(), token)]).await.unwrap(), [book]);
    assert_eq!(other.items(&user, &inner).unwrap().len(), 1);
    assert_eq!(other.items(&user, &inner).unwrap()[0].0, made.item);
}

#[tokio::test]
async fn parts_do_not_mix() {
    let (_, other, mailbox) = joined().await;
    let user = UserId::from("ann@example.com");
    let book = outward(Some("dav"), other.collection(&user, Role::Contacts).unwrap());
    let inbox = other.collection(&user, Role::Inbox).unwrap();
    let made = mailbox.create_item(&book, &ann()).await.unwrap();
    let moved = mailbox.move_items(&book, &inbox, &[made.item]).await;
    assert_eq!(moved.unwrap_err().kind, ErrorKind::Forbidden);
    let placed = mailbox.create_collection(Some(&book), "Friends", Class::Contacts).await;
    assert!(placed.unwrap().as_str().starts_with(MARK));
    let gone = CollectionId::new(format!("{MARK}ews{END}x"));
    let asked = mailbox.list(&gone, &ItemFilter::default()).await;
    assert_eq!(asked.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn mail_goes_on_while_a_part_is_away_and_its_collections_stay() {
    let (_, other, mailbox) = joined().await;
    let all = mailbox.collections().await.unwrap();
    let inbox = all.iter().find(|one| one.role == Some(Role::Inbox)).unwrap().id.clone();
    let book = all.iter().find(|one| one.role == Some(Role::Contacts)).unwrap().id.clone();
    let tokens = [inbox.clone(), book.clone()].map(|id| (id, ChangeToken("old".into())));
    let away = || Error::new(ErrorKind::Unavailable, "away");
    other.fail_when(move |_| Some(crate::memory::Failure::Before(away())));
    assert_eq!(mailbox.collections().await.unwrap(), all);
    let changed = mailbox.changed(&tokens).await.unwrap();
    assert_eq!(changed, std::slice::from_ref(&inbox));
    let mut watch = mailbox.watch(&[inbox, book]).await.unwrap();
    assert_eq!(watch.next().await, Some(Ok(WatchEvent::Ready)));
}

/// A system that answers nobody, not even with an error where it is silent.
struct Away {
    is_silent: bool,
}

#[async_trait]
impl MailSystem for Away {
    async fn owns(&self, _: &Account, _: &CallContext) -> Result<bool> {
        self.open(&account(), &context()).await.map(|_| true)
    }

    async fn open(&self, _: &Account, _: &CallContext) -> Result<Arc<dyn Mailbox>> {
        if self.is_silent {
            std::future::pending::<()>().await;
        }
        Err(Error::new(ErrorKind::Unavailable, "away"))
    }
}

#[tokio::test(start_paused = true)]
async fn mail_goes_on_beside_a_part_that_cannot_be_opened() {
    for is_silent in [false, true] {
        let mail = MemoryMailSystem::new();
        mail.add_user(&account().user, "ann@example.com");
        let inbox = mail.collection(&account().user, Role::Inbox).unwrap();
        let both =
            Joined::new(Arc::new(mail), vec![("dav", Arc::new(Away { is_silent }) as Arc<_>)]);
        let began = tokio::time::Instant::now();
        let mailbox = both.open(&account(), &context()).await.unwrap();
        let listed = mailbox.list(&inbox, &ItemFilter::default()).await.unwrap();
        assert_eq!(mailbox.changed(&[(inbox.clone(), listed.token)]).await.unwrap(), []);
        mailbox.identity().await.unwrap();
        assert_eq!(began.elapsed(), Duration::ZERO, "mail waits for nothing");
        let book = outward(Some("dav"), inbox.clone());
        let mut watch = mailbox.watch(&[inbox, book]).await.unwrap();
        assert_eq!(watch.next().await, Some(Ok(WatchEvent::Ready)));
        let refused = mailbox.collections().await.unwrap_err();
        let kind = if is_silent { ErrorKind::Timeout } else { ErrorKind::Unavailable };
        assert_eq!(refused.kind, kind, "a phone may know collections there");
    }
}

#[tokio::test]
async fn one_of_whom_a_part_knows_nothing_has_mail_alone() {
    let (mail, other) = (MemoryMailSystem::new(), MemoryMailSystem::new());
    let user = UserId::from("ann@example.com");
    for system in [&mail, &other] {
        system.add_user(&user, "ann@example.com");
    }
    other.fail_next(1, &crate::memory::Failure::Before(Error::new(ErrorKind::NotFound, "who?")));
    let both = Joined::new(Arc::new(mail), vec![("dav", Arc::new(other))]);
    let mailbox = both.open(&account(), &context()).await.unwrap();
    let all = mailbox.collections().await.unwrap();
    assert!(all.iter().all(|collection| !collection.id.as_str().starts_with(MARK)));
    assert!(all.iter().any(|collection| collection.role == Some(Role::Inbox)));
}

#[tokio::test]
async fn a_watch_ends_when_that_of_a_part_does() {
    let (_, other, mailbox) = joined().await;
    let user = UserId::from("ann@example.com");
    let book = outward(Some("dav"), other.collection(&user, Role::Contacts).unwrap());
    let mut watch = mailbox.watch(&[book]).await.unwrap();
    assert_eq!(watch.next().await, Some(Ok(WatchEvent::Ready)));
    other.cut_watches();
    assert!(watch.next().await.unwrap().is_err());
}

/// Mail and contacts of one system, calendars and tasks of another.
async fn by_class() -> (MemoryMailSystem, MemoryMailSystem, JoinedMailbox) {
    let (mail, other, _) = joined().await;
    let user = UserId::from("ann@example.com");
    let classes = BTreeSet::from([Class::Calendar, Class::Tasks]);
    let part = Part {
        named: Named::ByClass { serves: classes.clone(), hides: Class::ALL.into() },
        mailbox: other.open(&account(), &context()).await.unwrap(),
    };
    let serves = [Class::Mail, Class::Contacts].into();
    let own = Part {
        named: Named::ByClass { serves, hides: classes },
        mailbox: mail.open(&account(), &context()).await.unwrap(),
    };
    let both = JoinedMailbox::new(user, own, vec![part], Arc::default());
    (mail, other, both)
}

#[tokio::test]
async fn each_class_comes_from_the_system_that_serves_it_and_is_named_after_the_class() {
    let (mail, other, mailbox) = by_class().await;
    let user = UserId::from("ann@example.com");
    let all = mailbox.collections().await.unwrap();
    let of = |class| all.iter().filter(move |one| one.class == class).map(|one| one.id.clone());
    let notes = mail.collection(&user, Role::Notes).unwrap();
    assert!(of(Class::Notes).any(|id| id == notes), "what is nobody's is called as it was");
    for (system, class, role) in [
        (&other, Class::Calendar, Role::Calendar),
        (&other, Class::Tasks, Role::Tasks),
        (&mail, Class::Contacts, Role::Contacts),
    ] {
        let own = system.collection(&user, role).unwrap();
        let outward = outward(Some(class.function().as_str()), own);
        assert!(of(class).all(|id| id.as_str().starts_with(MARK)), "those of mail are not shown");
        assert!(of(class).any(|id| id == outward));
        let listed = mailbox.list(&outward, &ItemFilter::default()).await.unwrap();
        assert_eq!(mailbox.changed(&[(outward, listed.token)]).await.unwrap(), []);
    }
    let made = mailbox.create_collection(None, "Plans", Class::Tasks).await.unwrap();
    assert!(made.as_str().starts_with(&format!("{MARK}tasks{END}")), "{made}");
    let made = mailbox.create_collection(None, "Friends", Class::Contacts).await.unwrap();
    assert!(made.as_str().starts_with(&format!("{MARK}contacts{END}")), "{made}");
    let made = mailbox.create_collection(None, "Travels", Class::Mail).await.unwrap();
    assert!(!made.as_str().starts_with(MARK), "{made}");
}
