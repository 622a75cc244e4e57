//! Which connector: connectors in this process with mailboxes in memory, in paused time.

mod belonging;
mod choice;
mod classes;
mod elsewhere;
mod herd;
mod off_hours;
mod outbox;
mod simulate;
mod unanswered;

use super::*;
use crate::connectors::{ConnectorSettings, Limits};
use async_trait::async_trait;
use dme_directory::Person;
use dme_link::{
    Authority, ConnectorState, CredentialsNeeded, Fingerprint, Links, LinksConfig, Mailboxes,
    Registrar, Services,
};
use dme_mailbox::memory::MemoryMailSystem;
use dme_mailbox::{MailSystem, Submission, SubmissionKey};
use dme_model::{BodyView, Class, CollectionId, Flags, Role};
use dme_routing::{Known, Tier};
use futures_util::StreamExt;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A mail system that counts the questions, and may hang.
struct Site {
    mail: MemoryMailSystem,
    asked: AtomicUsize,
    hangs: AtomicBool,
    moved: AtomicBool,
}

#[async_trait]
impl MailSystem for Site {
    async fn owns(&self, account: &Account, context: &CallContext) -> Result<bool> {
        assert_eq!(account.credentials, Credentials::None, "the question bears no secret");
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ok(!self.moved.load(Ordering::SeqCst) && self.mail.owns(account, context).await?)
    }

    async fn open(&self, account: &Account, context: &CallContext) -> Result<Arc<dyn Mailbox>> {
        self.mail.open(account, context).await
    }
}

struct World {
    links: Links,
    router: Arc<Router>,
    connectors: Arc<Connectors>,
    store: Store,
    needs: CredentialsNeeded,
    directory: tempfile::TempDir,
}

const CALL: Duration = Duration::from_secs(60);
/// All who are linked now have been for long.
const NOW: Timestamp = Timestamp::from_seconds(1 << 32);

/// Ann is in the group "north", nobody is in another.
struct Groups;

impl Membership for Groups {
    fn of_user(&self, user: &UserId, group: &str) -> Known {
        match user.as_str().starts_with("ann") && group == "north" {
            true => Known::Yes,
            false => Known::No,
        }
    }

    fn of_person(&self, person: &Person, group: &str) -> Known {
        self.of_user(&person.user, group)
    }
}

impl World {
    fn new(settings: BTreeMap<String, ConnectorSettings>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let authority = Arc::new(Authority::open(&directory.path().join("authority")).unwrap());
        let kept = Store::open(directory.path().join("dme.db")).unwrap();
        let store = Arc::new(kept.clone());
        let registrar = Registrar::new(authority, store.clone(), store.clone());
        let links = Links::new(Arc::new(registrar.configurations(store)), LinksConfig::default());
        let limits = Limits::default();
        let connectors = Connectors::new(links.clone(), kept.clone(), settings, limits);
        let router = Router::new(connectors.clone(), kept.clone(), Arc::new(Groups), CALL);
        let router = Arc::new(router);
        let needs = CredentialsNeeded::Password;
        Self { links, router, connectors, store: kept, needs, directory }
    }

    /// The same server after a restart: nobody is linked, and what was written down is there.
    fn restarted(&mut self) {
        self.restarted_with(BTreeMap::new(), Arc::new(Groups));
    }

    /// The same with other settings of connectors, and another knowledge of groups.
    fn restarted_with(
        &mut self,
        settings: BTreeMap<String, ConnectorSettings>,
        membership: Arc<dyn Membership>,
    ) {
        let registrar = self.links.registrar().clone();
        self.links = Links::new(registrar, LinksConfig::default());
        let (links, store) = (self.links.clone(), self.store.clone());
        let limits = Limits::default();
        self.connectors = Connectors::new(links, store.clone(), settings, limits);
        let router = Router::new(self.connectors.clone(), store, membership, CALL);
        self.router = Arc::new(router);
    }

    /// Links a connector whose mail system has these users.
    async fn link(&self, name: &str, users: &[&str]) -> Arc<Site> {
        self.link_for(name, users, &[Class::Mail]).await
    }

    /// Links one that is offered for these classes.
    async fn link_for(&self, name: &str, users: &[&str], classes: &[Class]) -> Arc<Site> {
        let mail = MemoryMailSystem::new();
        for user in users {
            mail.add_user(&UserId::from(*user), user);
        }
        let site =
            Site { mail, asked: AtomicUsize::default(), hangs: false.into(), moved: false.into() };
        let site = Arc::new(site);
        self.attach(name, site.clone(), classes).await;
        site
    }

    /// Links a connector of mail that was lost, with the mail system it had.
    async fn link_again(&self, name: &str, site: &Arc<Site>) {
        self.attach(name, site.clone(), &[Class::Mail]).await;
    }

    async fn attach(&self, name: &str, system: Arc<dyn MailSystem>, classes: &[Class]) {
        let mailboxes = Some(Mailboxes {
            system,
            needs: self.needs,
            classes: classes.iter().copied().collect(),
        });
        let services = Services { mailboxes, ..Services::default() };
        let id = self.id(name).await;
        let before = self.connectors.version();
        self.links.attach_local(id, name, services);
        while self.connectors.version() == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The connector's id in the book, where it is entered the first time.
    async fn id(&self, name: &str) -> ConnectorId {
        let book = self.links.registrar().book();
        let known = book
            .list()
            .await
            .unwrap()
            .into_iter()
            .find(|one| one.name == name && one.state != ConnectorState::Removed);
        match known {
            Some(known) => known.id,
            None => {
                let key = Fingerprint::of_public_key(name.as_bytes());
                let state = ConnectorState::Unlocked;
                book.enrol(name, &key, state, NOW).await.unwrap().id
            }
        }
    }

    /// The connector goes away.
    async fn lose(&self, name: &str) {
        let id = self.id(name).await;
        let before = self.connectors.version();
        self.links.detach_local(&id);
        while self.connectors.version() == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn open(&self, user: &str) -> Result<Arc<dyn Mailbox>> {
        let request = RequestId::from("test");
        self.router.open(&account(user), &request, NOW).await
    }

    /// By which connector the user's mail is served.
    async fn served_by(&self, user: &str) -> Result<String> {
        self.open(user).await?;
        Ok(self.router.serving(&UserId::from(user)))
    }

    /// The collections of a class that the user is shown, from who serves the class. (What memory
    /// has of classes that it is not offered for is no matter here.)
    async fn of_class(&self, user: &str, class: Class) -> Result<Vec<CollectionId>> {
        let all = self.open(user).await?.collections().await?;
        let served = all.into_iter().filter(|one| one.class == class).map(|one| one.id);
        Ok(served.filter(|id| id.as_str().starts_with('\u{1}')).collect())
    }

    /// Which connector serves a function of the user's.
    async fn by(&self, user: &str, function: Function) -> Option<String> {
        let routes = self.store.routes(&user.into()).await.unwrap();
        routes.into_iter().find(|one| one.function == function).map(|one| one.serving)
    }
}

fn account(user: &str) -> Account {
    Account {
        user: user.into(),
        address: user.into(),
        display_name: None,
        credentials: Credentials::Password(dme_model::Secret::new("secret")),
    }
}

const ANN: &str = "ann@example.org";

fn message(key: &str, to: &str) -> Submission {
    Submission {
        key: SubmissionKey(key.into()),
        uncertain: false,
        taken: false,
        message: format!("From: {ANN}\r\nTo: {to}\r\nSubject: {key}\r\n\r\nHello\r\n").into(),
        reference: None,
        save_in_sent: true,
        draft: None,
    }
}
