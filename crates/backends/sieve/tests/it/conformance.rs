//! What the suite promises of out-of-office messages, with and without `include`.

use crate::world::{account, context, service, users};
use async_trait::async_trait;
use dme_mailbox::conformance::{Ability, Resident, World, cases};
use dme_mailbox::memory::MemoryMailSystem;
use dme_mailbox::{Joined, MailSystem, Mailbox};
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const RESIDENTS: usize = 20;

/// Mail is in memory, the message on the server.
struct SieveWorld {
    dovecot: Dovecot,
    mail: Arc<MemoryMailSystem>,
    used: AtomicUsize,
}

impl SieveWorld {
    async fn open(&self, number: usize) -> Arc<dyn Mailbox> {
        let service = Arc::new(service(&self.dovecot));
        let system = Joined::new(self.mail.clone(), Vec::new()).with_vacations(Some(service));
        system.open(&account(number), &context()).await.unwrap()
    }
}

#[async_trait]
impl World for SieveWorld {
    async fn resident(&self) -> Resident {
        let number = self.used.fetch_add(1, Ordering::Relaxed);
        assert!(number < RESIDENTS, "the suite needs more residents");
        let account = account(number);
        self.mail.add_user(&account.user, &account.address);
        let mailbox = self.open(number).await;
        Resident { mailbox, other: self.open(number).await, address: account.address }
    }

    fn can(&self, ability: Ability) -> bool {
        ability != Ability::KnownSenders
    }
}

async fn conforms(extra: &str) {
    let options = DovecotOptions { extra: extra.to_owned(), ..users(RESIDENTS) };
    let (mail, used) = (Arc::new(MemoryMailSystem::new()), AtomicUsize::new(0));
    let world = SieveWorld { dovecot: Dovecot::start(options).unwrap(), mail, used };
    let mut tried = 0;
    for case in cases() {
        // The rest is the memory's, which has its own test.
        if case.name.contains("out of office")
            || case.name.contains("away")
            || case.name.contains("absence")
        {
            case.run(&world).await.unwrap_or_else(|failure| panic!("{}: {failure}", case.name));
            tried += 1;
        }
    }
    assert_eq!(tried, 3);
}

#[tokio::test]
async fn it_conforms() {
    conforms("").await;
}

#[tokio::test]
async fn it_conforms_with_a_sieve_of_little() {
    conforms("plugin {\n sieve_extensions = vacation date relational\n}\n").await;
}
