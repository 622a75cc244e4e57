//! The suite that every backend must pass, with all the extensions Dovecot has and without them.

use crate::world::{config, open, users};
use async_trait::async_trait;
use dme_imap::ImapMailSystem;
use dme_mailbox::Mailbox;
use dme_mailbox::conformance::{Ability, Resident, World, cases};
use dme_testkit::dovecot::{Capabilities, Dovecot};
use dme_testkit::postfix::{Postfix, PostfixOptions};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Each case makes one to three residents.
const RESIDENTS: usize = 200;

struct ImapWorld {
    capabilities: Capabilities,
    _dovecot: Dovecot,
    _postfix: Postfix,
    system: ImapMailSystem,
    /// Shares nothing with the first.
    other: ImapMailSystem,
    used: AtomicUsize,
}

impl ImapWorld {
    fn new(capabilities: Capabilities, separator: char) -> Self {
        let names: Vec<_> = (0..RESIDENTS).map(|number| format!("user{number}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let mut options = users(&names);
        options.capabilities = capabilities;
        options.separator = Some(separator);
        let dovecot = Dovecot::start(options).unwrap();
        let postfix = Postfix::start(&dovecot, &PostfixOptions::default()).unwrap();
        let config = config(&dovecot, Some(&postfix));
        Self {
            capabilities,
            system: ImapMailSystem::new(config.clone()).unwrap(),
            other: ImapMailSystem::new(config).unwrap(),
            _dovecot: dovecot,
            _postfix: postfix,
            used: AtomicUsize::new(0),
        }
    }
}

#[async_trait]
impl World for ImapWorld {
    async fn resident(&self) -> Resident {
        let number = self.used.fetch_add(1, Ordering::Relaxed);
        assert!(number < RESIDENTS, "the suite needs more residents");
        let name = format!("user{number}");
        let other = open(&self.other, &name).await;
        settle(&*other).await;
        Resident {
            address: format!("{name}@example.org"),
            mailbox: open(&self.system, &name).await,
            other,
        }
    }

    fn can(&self, ability: Ability) -> bool {
        match ability {
            // UIDVALIDITY changes when a folder is deleted and made anew: a case of its own.
            Ability::InvalidateTokens => false,
            // COPYUID is of UIDPLUS.
            Ability::TellMovedIds => self.capabilities != Capabilities::Bare,
            // IMAP has no out-of-office message.
            Ability::Vacation => false,
            _ => true,
        }
    }
}

/// Dovecot's Maildir gives a folder its lasting UIDVALIDITY only with its first message, so that
/// every folder has to have held one before its tokens can be expected to hold.
async fn settle(mailbox: &dyn Mailbox) {
    for collection in mailbox.collections().await.unwrap() {
        let message = b"Message-ID: <settle@example.org>\r\n\r\n";
        let item = mailbox.deliver(&collection.id, message).await.unwrap();
        mailbox.delete_items(&collection.id, &[item]).await.unwrap();
    }
}

async fn conforms(capabilities: Capabilities, separator: char) {
    let world = ImapWorld::new(capabilities, separator);
    let mut broken = Vec::new();
    for case in cases() {
        if let Err(failure) = case.run(&world).await {
            broken.push(format!("{}: {failure}", case.name));
        }
    }
    assert!(broken.is_empty(), "{} promises broken:\n{}", broken.len(), broken.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms_with_all_extensions() {
    conforms(Capabilities::All, '/').await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms_with_qresync_but_no_notify() {
    conforms(Capabilities::NoNotify, '.').await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms_with_condstore_alone() {
    conforms(Capabilities::Condstore, '/').await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms_without_condstore() {
    conforms(Capabilities::Basic, '/').await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_conforms_with_nothing_but_imap4rev1() {
    conforms(Capabilities::Bare, '/').await;
}
