use super::*;
use crate::{Envelope, read};
use dme_model::{BodyView, Invitation, MailKind};

/// Any calendar data with a method is of a meeting.
fn meeting(text: &str, _: Option<&str>) -> Option<Invitation> {
    text.contains("METHOD:").then(Invitation::default)
}

fn owner() -> Address {
    Address { name: Some("Ann Åberg".into()), email: "ann@example.com".into() }
}

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

#[test]
fn one_seed_gives_the_same_mailbox_and_another_seed_or_owner_another() {
    let mailbox = |seed, owner: &Address| mailbox(owner, seed, NOW, 30, Sizes::Realistic);
    let other = Address { email: "bob@example.com".into(), ..owner() };
    assert_eq!(mailbox(1, &owner()), mailbox(1, &owner()));
    assert_ne!(mailbox(1, &owner()), mailbox(2, &owner()));
    assert_ne!(mailbox(1, &owner()), mailbox(1, &other));
}

#[test]
fn the_newest_show_every_kind_of_mail() {
    let mails = mailbox(&owner(), 7, NOW, 12, Sizes::Realistic);
    assert!(mails.is_sorted_by_key(|mail| mail.received));
    let read = |mail: &SampleMail| {
        read(mail.raw.clone(), Envelope::default(), &BodyView::default(), meeting).unwrap()
    };
    let read: Vec<_> = mails.iter().map(read).collect();
    let has = |test: &dyn Fn(&dme_model::Mail) -> bool| read.iter().any(test);
    assert!(has(&|mail| matches!(mail.kind, MailKind::Meeting(_))));
    assert!(has(&|mail| mail.kind == MailKind::NonDelivery));
    assert!(has(&|mail| mail.kind == MailKind::SmimeSigned));
    assert!(has(&|mail| mail.attachments.iter().any(|one| one.inline)));
    assert!(has(&|mail| mail.attachments.iter().any(|one| one.name == "Überblick 2026.pdf")));
    assert!(has(&|mail| mail.attachments.iter().any(|one| one.name.starts_with("第三季度"))));
    assert!(has(&|mail| mail.thread_topic != mail.subject));
    assert!(has(&|mail| mail.from[0].name.as_deref() == Some("王小明")));
    assert!(read.iter().all(|mail| mail.to[0] == owner() || mail.to[0].name.is_none()));
    assert!(read.iter().all(|mail| mail.message_id.is_some() && mail.sent.is_some()));
}

#[test]
fn sizes_keep_within_their_bounds() {
    for mail in mailbox(&owner(), 3, NOW, 200, Sizes::Within(10_000..=50_000)) {
        assert!((10_000..=50_000).contains(&mail.raw.len()), "{}", mail.raw.len());
    }
}
