//! Sending within the tree, also when a crash comes between; and names that would lead out of it.

use crate::world::{Files, context, open};
use dme_files::{FilesConfig, FilesMailSystem};
use dme_mailbox::{
    Account, Credentials, ErrorKind, ItemFilter, MailSystem, Mailbox, Submission, SubmissionKey,
};
use dme_model::{BodyView, ByteSize, CollectionId, ItemId, UserId};
use std::fs;

async fn count(mailbox: &dyn Mailbox, collection: &str) -> usize {
    let id = CollectionId::from(collection);
    mailbox.list(&id, &ItemFilter::default()).await.unwrap().items.len()
}

fn submission(key: &str, to: &str) -> Submission {
    Submission {
        key: SubmissionKey(key.into()),
        uncertain: false,
        taken: false,
        message: format!("To: {to}\r\nSubject: hello\r\n\r\ntext\r\n").into(),
        reference: None,
        save_in_sent: true,
        draft: None,
    }
}

async fn world(users: &[&str]) -> Files {
    let files = Files::new();
    for user in users {
        files.systems[0].create_user(&UserId::from(*user), &[]).await.unwrap();
    }
    files
}

#[tokio::test]
async fn a_crash_at_any_step_of_sending_loses_and_doubles_nothing() {
    let (ann, bob, carol) = ("ann@x.example", "bob@x.example", "carol@x.example");
    let files = world(&[ann, bob, carol]).await;
    let mailbox = open(&files.systems[0], ann).await;
    let act = submission("k1", &format!("{bob}, {carol}, nobody@x.example"));
    let first = mailbox.submit(&act).await.unwrap();
    assert_eq!(first.refused, ["nobody@x.example"]);

    // As if the power had gone before the later steps were written down.
    let journal = files.maildir(ann).join("dme-submissions");
    let steps = fs::read_to_string(&journal).unwrap();
    let steps: Vec<&str> = steps.split_inclusive('\n').collect();
    assert_eq!(steps.len(), 6);
    for kept in 0..=steps.len() {
        fs::write(&journal, steps[..kept].concat()).unwrap();
        // Someone reads the mail meanwhile, so that it is no longer where it was delivered.
        let inbox = CollectionId::from("INBOX");
        let item = ItemId::from("1");
        let seen = dme_model::FlagPatch { seen: Some(true), ..Default::default() };
        let bobs = open(&files.systems[1], bob).await;
        bobs.set_flags(&inbox, &[(item, seen)]).await.unwrap();

        let again = open(&files.systems[1], ann).await.submit(&act).await.unwrap();
        assert_eq!(again, first, "after {kept} steps");
        assert_eq!(count(&*bobs, "INBOX").await, 1, "after {kept} steps");
        assert_eq!(count(&*open(&files.systems[0], carol).await, "INBOX").await, 1);
        assert_eq!(count(&*mailbox, "Sent").await, 1, "after {kept} steps");
    }
}

#[tokio::test]
async fn two_systems_sending_the_same_at_once_send_it_once() {
    let (ann, bob) = ("ann@x.example", "bob@x.example");
    let files = world(&[ann, bob]).await;
    let (here, there) = (open(&files.systems[0], ann).await, open(&files.systems[1], ann).await);
    for round in 1..=10 {
        let act = submission(&format!("k{round}"), bob);
        let (one, other) = futures_util::join!(here.submit(&act), there.submit(&act));
        assert_eq!(one.unwrap(), other.unwrap());
        assert_eq!(count(&*open(&files.systems[0], bob).await, "INBOX").await, round);
        assert_eq!(count(&*here, "Sent").await, round);
    }
}

#[tokio::test]
async fn an_alias_is_another_address_of_its_user() {
    let files = world(&["ann@x.example", "bob@x.example"]).await;
    let system = &files.systems[0];
    let (bob, alias) = (UserId::from("bob@x.example"), "Robert@X.example".to_owned());
    system.create_user(&bob, std::slice::from_ref(&alias)).await.unwrap();
    system.create_user(&bob, std::slice::from_ref(&alias)).await.unwrap();
    let taken = system.create_user(&UserId::from("ann@x.example"), &[alias]).await.unwrap_err();
    assert_eq!(taken.kind, ErrorKind::AlreadyExists);
    let ann = open(system, "ann@x.example").await;
    ann.submit(&submission("k1", "ROBERT@x.example")).await.unwrap();
    assert_eq!(count(&*open(system, "bob@x.example").await, "INBOX").await, 1);
}

#[tokio::test]
async fn mail_to_elsewhere_and_mail_too_large_are_refused() {
    let files = world(&["ann@x.example"]).await;
    let mut config = FilesConfig::new(files.root.path());
    config.max_message_size = ByteSize(300);
    let system = FilesMailSystem::new(config);
    let ann = open(&system, "ann@x.example").await;
    for to in ["carol@elsewhere.example", "../../etc@x", "..", "\"a/b\"@x.example"] {
        let refused = ann.submit(&submission("k1", to)).await.unwrap_err();
        assert!(
            matches!(refused.kind, ErrorKind::RecipientRefused | ErrorKind::Invalid),
            "{to}: {refused:?}"
        );
    }
    let mut large = submission("k2", "ann@x.example");
    large.message = [&large.message[..], &[b'x'; 300]].concat().into();
    assert_eq!(ann.submit(&large).await.unwrap_err().kind, ErrorKind::MessageTooLarge);
    assert_eq!(count(&*ann, "Sent").await + count(&*ann, "INBOX").await, 0);
}

#[tokio::test]
async fn no_name_leads_out_of_the_tree() {
    let files = world(&["ann@x.example"]).await;
    let outside = files.root.path().join("outside");
    fs::create_dir_all(outside.join("cur")).unwrap();
    for user in ["", ".", "..", "../x", "a/b", "/etc", "a\0b", ".hidden"] {
        let account = Account {
            user: UserId::from(user),
            address: user.into(),
            display_name: None,
            credentials: Credentials::None,
        };
        let system = &files.systems[0];
        assert_eq!(system.owns(&account, &context()).await, Ok(false), "{user:?}");
        assert!(system.open(&account, &context()).await.is_err(), "{user:?}");
        assert!(system.create_user(&UserId::from(user), &[]).await.is_err(), "{user:?}");
    }
    let ann = open(&files.systems[0], "ann@x.example").await;
    for id in ["", ".", "..", "/../../../outside", "Sent/../../../outside", "\0", "./cur", "inbox"]
    {
        let id = CollectionId::from(id);
        let kind = |error: dme_mailbox::Error| error.kind;
        let listed = ann.list(&id, &ItemFilter::default()).await.map_err(kind);
        assert_eq!(listed, Err(ErrorKind::NotFound), "{id:?}");
        let fetched = ann.fetch(&id, &[], &BodyView::default()).await.map(|_| ()).map_err(kind);
        assert_eq!(fetched, Err(ErrorKind::NotFound), "{id:?}");
        assert_eq!(ann.deliver(&id, b"x").await.map_err(kind), Err(ErrorKind::NotFound), "{id:?}");
        assert_eq!(ann.delete_collection(&id).await.map_err(kind), Err(ErrorKind::NotFound));
    }
    assert!(outside.join("cur").exists());
}
