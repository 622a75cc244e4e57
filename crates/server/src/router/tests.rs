//! Which connector: connectors in this process with mailboxes in memory, in paused time.

use super::*;
use crate::connectors::ConnectorSettings;
use async_trait::async_trait;
use dme_directory::Person;
use dme_link::{
    Authority, ConnectorState, CredentialsNeeded, Fingerprint, Links, LinksConfig, Mailboxes,
    Registrar, Services,
};
use dme_mailbox::memory::MemoryMailSystem;
use dme_mailbox::{ItemFilter, MailSystem, Submission, SubmissionKey, Submitted};
use dme_model::Role;
use dme_routing::{Known, Load, Scope, Tier};
use dme_store::OutboxLimits;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A mail system that counts the questions, and may hang.
struct Site {
    mail: MemoryMailSystem,
    asked: AtomicUsize,
    hangs: AtomicBool,
}

#[async_trait]
impl MailSystem for Site {
    async fn owns(&self, account: &Account, context: &CallContext) -> Result<bool> {
        assert_eq!(account.credentials, Credentials::None, "the question bears no secret");
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.mail.owns(account, context).await
    }

    async fn open(&self, account: &Account, context: &CallContext) -> Result<Arc<dyn Mailbox>> {
        self.mail.open(account, context).await
    }
}

struct World {
    links: Links,
    router: Arc<Router>,
    connectors: Arc<Connectors>,
    store: SqliteStore,
    needs: CredentialsNeeded,
    _directory: tempfile::TempDir,
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
        let kept = SqliteStore::open(directory.path().join("dme.db")).unwrap();
        let store = Arc::new(kept.clone());
        let registrar = Arc::new(Registrar::new(authority, store.clone(), store));
        let links = Links::new(registrar, LinksConfig::default());
        let load = Load { outstanding: 0, parallel: 25, queue: 200 };
        let connectors = Connectors::new(links.clone(), kept.clone(), settings, load);
        let router = Router::new(connectors.clone(), kept.clone(), Arc::new(Groups), CALL);
        let router = Arc::new(router);
        let needs = CredentialsNeeded::Password;
        Self { links, router, connectors, store: kept, needs, _directory: directory }
    }

    /// The same server after a restart: nobody is linked, and what was written down is there.
    fn restarted(&mut self) {
        let registrar = self.links.registrar().clone();
        self.links = Links::new(registrar, LinksConfig::default());
        let (links, store) = (self.links.clone(), self.store.clone());
        let load = Load::default();
        self.connectors = Connectors::new(links, store.clone(), BTreeMap::new(), load);
        let router = Router::new(self.connectors.clone(), store, Arc::new(Groups), CALL);
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
        let site = Site { mail, asked: AtomicUsize::default(), hangs: false.into() };
        let site = Arc::new(site);
        let mailboxes = Some(Mailboxes {
            system: site.clone(),
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
        site
    }

    /// The connector's id in the book, where it is entered the first time.
    async fn id(&self, name: &str) -> ConnectorId {
        let book = self.links.registrar().book();
        let known = book.list().await.unwrap().into_iter().find(|one| one.name == name);
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

    /// How many collections of a class the user has, and whether they come from beside the mail.
    async fn of_class(&self, user: &str, class: Class) -> Result<(usize, bool)> {
        let all = self.open(user).await?.collections().await?;
        let of_class: Vec<_> = all.iter().filter(|one| one.class == class).collect();
        let beside = of_class.iter().any(|one| one.id.as_str().starts_with('\u{1}'));
        Ok((of_class.len(), beside))
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

#[tokio::test(start_paused = true)]
async fn each_user_is_served_by_who_has_the_mailbox() {
    let world = World::new(BTreeMap::new());
    let north = world.link("north", &["ann@example.org"]).await;
    world.link("south", &["bob@example.org"]).await;
    assert_eq!(world.served_by("ann@example.org").await.unwrap(), "north");
    assert_eq!(world.served_by("bob@example.org").await.unwrap(), "south");
    let inbox = north.mail.collection(&"ann@example.org".into(), Role::Inbox).unwrap();
    let seen = world.open("ann@example.org").await.unwrap().collections().await.unwrap();
    assert!(seen.iter().any(|collection| collection.id == inbox));
}

#[tokio::test(start_paused = true)]
async fn who_has_no_connector_is_told_why() {
    let world = World::new(BTreeMap::new());
    let nobody = world.open("ann@example.org").await.err().unwrap();
    assert_eq!(nobody.kind, ErrorKind::Unavailable);
    world.link("south", &["bob@example.org"]).await;
    let stranger = world.open("ann@example.org").await.err().unwrap();
    assert_eq!(stranger.kind, ErrorKind::Unavailable);
    let words = stranger.to_string();
    assert!(
        words.contains("south") && words.contains("does not have the user's mailbox"),
        "{words}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_user_stays_with_one_connector_and_is_not_asked_about_again() {
    let world = World::new(BTreeMap::new());
    let ann = ["ann@example.org"];
    let sites = [world.link("a", &ann).await, world.link("b", &ann).await];
    let first = world.served_by("ann@example.org").await.unwrap();
    for _ in 0..20 {
        assert_eq!(world.served_by("ann@example.org").await.unwrap(), first);
    }
    let asked: Vec<usize> = sites.iter().map(|site| site.asked.load(Ordering::SeqCst)).collect();
    assert_eq!(asked, [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_moved_is_found_when_the_answer_has_grown_old() {
    let world = World::new(BTreeMap::new());
    let north = world.link("north", &["ann@example.org"]).await;
    let south = world.link("south", &[]).await;
    assert_eq!(world.served_by("ann@example.org").await.unwrap(), "north");
    south.mail.add_user(&"ann@example.org".into(), "ann@example.org");
    north.hangs.store(true, Ordering::SeqCst);
    tokio::time::advance(ownership::OWNER_FOR + Duration::from_secs(1)).await;
    assert_eq!(world.served_by("ann@example.org").await.unwrap(), "south");
}

#[tokio::test(start_paused = true)]
async fn a_connector_that_does_not_answer_keeps_nobody_elses_users_waiting_long() {
    let world = World::new(BTreeMap::new());
    world.link("north", &["ann@example.org"]).await;
    world.link("south", &[]).await.hangs.store(true, Ordering::SeqCst);
    let began = tokio::time::Instant::now();
    assert_eq!(world.served_by("ann@example.org").await.unwrap(), "north");
    assert!(began.elapsed() <= ownership::OWNER_LIMIT, "{:?}", began.elapsed());
    let began = tokio::time::Instant::now();
    world.open("ann@example.org").await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO, "and only once");
}

#[tokio::test(start_paused = true)]
async fn a_failover_serves_until_a_primary_comes_and_scopes_are_kept() {
    let settings = |tier, scope| ConnectorSettings {
        tier: Some(tier),
        scope: Some(scope),
        ..ConnectorSettings::default()
    };
    let world = World::new(BTreeMap::from([
        ("spare".to_owned(), settings(Tier::Failover, Scope::Everyone)),
        ("main".to_owned(), settings(Tier::Primary, Scope::Group("north".into()))),
    ]));
    let both = ["ann@example.org", "bob@example.org"];
    world.link("spare", &both).await;
    assert_eq!(world.served_by("ann@example.org").await.unwrap(), "spare");
    world.link("main", &both).await;
    assert_eq!(world.served_by("ann@example.org").await.unwrap(), "main");
    assert_eq!(world.served_by("bob@example.org").await.unwrap(), "spare");
}

const ANN: &str = "ann@example.org";

#[tokio::test(start_paused = true)]
async fn mail_comes_from_one_connector_and_calendars_from_another() {
    let world = World::new(BTreeMap::new());
    world.link("mail", &[ANN]).await;
    let dav = world.link_for("dav", &[ANN], &[Class::Calendar, Class::Tasks]).await;
    let calendar = dav.mail.collection(&ANN.into(), Role::Calendar).unwrap();
    let all = world.open(ANN).await.unwrap().collections().await.unwrap();
    assert!(all.iter().any(|one| one.id.as_str() == format!("\u{1}calendar/{calendar}")));
    assert!(all.iter().any(|one| one.class == Class::Mail));
    let routes = world.store.routes(&ANN.into()).await.unwrap();
    let served = routes.iter().map(|one| (one.function, world.connectors.name(&one.serving)));
    let served: Vec<_> = served.collect();
    let expected =
        [(Function::Calendar, "dav"), (Function::Mail, "mail"), (Function::Tasks, "dav")];
    assert_eq!(served, expected.map(|(function, name)| (function, name.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn calendars_stay_where_the_mail_is_though_another_has_them_too() {
    let world = World::new(BTreeMap::new());
    world.link_for("a", &[ANN], &[Class::Calendar]).await;
    world.link_for("b", &[ANN], &Class::ALL).await;
    assert!(!world.of_class(ANN, Class::Calendar).await.unwrap().1, "of the mail's own");
}

#[tokio::test(start_paused = true)]
async fn a_function_that_is_switched_off_is_not_shown() {
    let world = World::new(BTreeMap::new());
    world.link_for("all", &[ANN], &Class::ALL).await;
    assert!(world.of_class(ANN, Class::Calendar).await.unwrap().0 > 0);
    let off = ConnectorSettings {
        off: Some([Function::Calendar].into()),
        ..ConnectorSettings::default()
    };
    world.connectors.set_settings("all", &off, NOW).await.unwrap();
    assert_eq!(world.of_class(ANN, Class::Calendar).await.unwrap().0, 0);
    assert!(world.of_class(ANN, Class::Contacts).await.unwrap().0 > 0);
}

#[tokio::test(start_paused = true)]
async fn calendars_of_a_connector_that_is_away_are_not_taken_for_deleted() {
    let mut world = World::new(BTreeMap::new());
    world.link("mail", &[ANN]).await;
    world.link_for("dav", &[ANN], &[Class::Calendar]).await;
    let before = world.of_class(ANN, Class::Calendar).await.unwrap();
    world.lose("dav").await;
    assert_eq!(world.of_class(ANN, Class::Calendar).await.unwrap(), before, "those it had last");
    world.restarted();
    world.link("mail", &[ANN]).await;
    let unknown = world.of_class(ANN, Class::Calendar).await.unwrap_err();
    assert_eq!(unknown.kind, ErrorKind::Unavailable, "{unknown}");
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_in_the_midst_of_a_request_goes_on_elsewhere() {
    let world = World::new(BTreeMap::new());
    world.link("a", &[ANN]).await;
    world.link("b", &[ANN]).await;
    let first = world.served_by(ANN).await.unwrap();
    let mailbox = world.open(ANN).await.unwrap();
    world.lose(&first).await;
    assert!(!mailbox.collections().await.unwrap().is_empty());
    let second = world.served_by(ANN).await.unwrap();
    assert_ne!(first, second);
    world.link(&first, &[ANN]).await;
    assert_eq!(world.served_by(ANN).await.unwrap(), first, "home again");
}

#[tokio::test(start_paused = true)]
async fn one_that_drains_is_given_nothing_new_and_gets_its_users_back() {
    let world = World::new(BTreeMap::new());
    world.link("a", &[ANN]).await;
    world.link("b", &[ANN]).await;
    let home = world.served_by(ANN).await.unwrap();
    let drain = |drain| ConnectorSettings { drain: Some(drain), ..ConnectorSettings::default() };
    world.connectors.set_settings(&home, &drain(true), NOW).await.unwrap();
    assert_ne!(world.served_by(ANN).await.unwrap(), home);
    world.connectors.set_settings(&home, &drain(false), NOW).await.unwrap();
    assert_eq!(world.served_by(ANN).await.unwrap(), home);
}

#[tokio::test(start_paused = true)]
async fn a_simulation_says_who_would_serve_whom() {
    let world = World::new(BTreeMap::new());
    let bob = "bob@example.org";
    world.link("a", &[ANN, bob]).await;
    world.open(ANN).await.unwrap();
    world.open(bob).await.unwrap();
    world.link("b", &[ANN]).await;
    let (request, down) = (RequestId::from("t"), ["a".to_owned()].into());
    let moved = world.router.simulate(&down, &request, NOW, |user| account(user.as_str())).await;
    let moved: Vec<_> =
        moved.unwrap().into_iter().map(|one| (one.user.to_string(), one.from, one.to)).collect();
    let a = || "a".to_owned();
    assert_eq!(moved, [(ANN.to_owned(), a(), Some("b".to_owned())), (bob.to_owned(), a(), None)]);
    assert_eq!(world.served_by(ANN).await.unwrap(), "a", "it was only thought");
}

#[tokio::test(start_paused = true)]
async fn the_explanation_says_who_serves_who_is_next_and_why_not_the_others() {
    let settings = ConnectorSettings { tier: Some(Tier::Failover), ..ConnectorSettings::default() };
    let world = World::new(BTreeMap::from([("spare".to_owned(), settings)]));
    world.link("main", &[ANN]).await;
    world.link("spare", &[ANN]).await;
    world.link("other", &[]).await;
    world.open(ANN).await.unwrap();
    let request = RequestId::from("t");
    let explained = world.router.explain(&account(ANN), &request, NOW, Function::Mail).await;
    assert_eq!(
        explained.unwrap().to_string(),
        "served by main: the only primary that can; next would be spare\n\
         main (primary): can serve\n\
         other (primary): it does not have the user's mailbox\n\
         spare (failover): can serve"
    );
}

async fn outbox(world: &World) -> Arc<Outbox> {
    let limits = OutboxLimits { messages: 2, bytes: 1 << 20 };
    Outbox::open(world.store.clone(), limits, Arc::new(|| NOW)).await.unwrap()
}

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

impl World {
    async fn send(&self, outbox: &Arc<Outbox>, message: &Submission) -> Result<Submitted> {
        let (account, request) = (account(ANN), RequestId::from("t"));
        let mailbox = self.router.open_to_send(&account, &request, NOW, outbox).await?;
        mailbox.submit(message).await
    }

    async fn waiting(&self) -> usize {
        self.store.all_queued().await.unwrap().len()
    }

    /// Waits until so many messages wait.
    async fn until_waiting(&self, count: usize) {
        for _ in 0..10_000 {
            if self.waiting().await == count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("{} messages wait, not {count}", self.waiting().await);
    }
}

#[tokio::test]
async fn messages_are_kept_while_their_connector_is_away_and_sent_once_in_their_order() {
    let mut world = World::new(BTreeMap::new());
    let strange = world.send(&outbox(&world).await, &message("0", "eve@x.example")).await;
    assert_eq!(strange.unwrap_err().kind, ErrorKind::Unavailable, "at home nowhere: not kept");
    world.link("a", &[ANN]).await;
    world.open(ANN).await.unwrap();
    world.lose("a").await;
    let kept = outbox(&world).await;
    for key in ["1", "2"] {
        world.send(&kept, &message(key, "eve@x.example")).await.unwrap();
    }
    let third = world.send(&kept, &message("3", "eve@x.example")).await;
    assert_eq!(third.unwrap_err().kind, ErrorKind::Unavailable, "as much waits as may");

    world.restarted();
    let kept = outbox(&world).await;
    let site = world.link("a", &[ANN]).await;
    kept.deliver_soon(&world.router, &account(ANN));
    kept.deliver_soon(&world.router, &account(ANN));
    world.until_waiting(0).await;
    let subjects: Vec<bool> = site
        .mail
        .sent()
        .iter()
        .zip(["1", "2"])
        .map(|(sent, key)| {
            String::from_utf8_lossy(&sent.message).contains(&format!("Subject: {key}"))
        })
        .collect();
    assert_eq!(subjects, [true, true]);
}

#[tokio::test]
async fn where_nothing_is_needed_of_the_user_a_connector_that_comes_is_enough() {
    let mut world = World::new(BTreeMap::new());
    world.needs = CredentialsNeeded::None;
    world.link("a", &[ANN]).await;
    world.open(ANN).await.unwrap();
    world.lose("a").await;
    let kept = outbox(&world).await;
    world.send(&kept, &message("1", "eve@x.example")).await.unwrap();
    tokio::spawn(kept.run(world.router.clone(), world.connectors.clone()));
    let site = world.link("a", &[ANN]).await;
    world.until_waiting(0).await;
    assert_eq!(site.mail.sent().len(), 1);
}

#[tokio::test]
async fn what_is_refused_for_good_comes_back_to_its_sender() {
    let world = World::new(BTreeMap::new());
    world.link("a", &[ANN]).await;
    world.open(ANN).await.unwrap();
    world.lose("a").await;
    let kept = outbox(&world).await;
    world.send(&kept, &message("1", "eve@x.example")).await.unwrap();
    let site = world.link("a", &[ANN]).await;
    site.mail.refuse_recipient("eve@x.example");
    kept.deliver_soon(&world.router, &account(ANN));
    world.until_waiting(0).await;
    assert_eq!(site.mail.sent().len(), 0);
    let inbox = site.mail.collection(&ANN.into(), Role::Inbox).unwrap();
    let mailbox = world.open(ANN).await.unwrap();
    let listed = mailbox.list(&inbox, &ItemFilter::default()).await.unwrap();
    assert_eq!(listed.items.len(), 1, "the reason and the message");
}
