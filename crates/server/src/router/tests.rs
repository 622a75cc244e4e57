//! Which connector: connectors in this process with mailboxes in memory, in paused time.

mod herd;
mod off_hours;

use super::*;
use crate::connectors::{ConnectorSettings, Limits};
use crate::seal::{OUTBOX, Seal};
use async_trait::async_trait;
use dme_directory::Person;
use dme_link::{
    Authority, ConnectorState, CredentialsNeeded, Fingerprint, Links, LinksConfig, Mailboxes,
    Registrar, Services,
};
use dme_mailbox::memory::{Failure, MemoryMailSystem, Operation};
use dme_mailbox::{CalendarMessage, ItemFilter, MailSystem, Submission, SubmissionKey, Submitted};
use dme_model::{Class, CollectionId, Role};
use dme_routing::{Known, Scope, Tier};
use dme_store::OutboxLimits;
use dme_sync::{MeetingWord, hand_over};
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
        let registrar = self.links.registrar().clone();
        self.links = Links::new(registrar, LinksConfig::default());
        let (links, store) = (self.links.clone(), self.store.clone());
        let limits = Limits::default();
        self.connectors = Connectors::new(links, store.clone(), BTreeMap::new(), limits);
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
    north.moved.store(true, Ordering::SeqCst);
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
    let served: Vec<_> = routes.into_iter().map(|one| (one.function, one.serving)).collect();
    let expected =
        [(Function::Calendar, "dav"), (Function::Mail, "mail"), (Function::Tasks, "dav")];
    assert_eq!(served, expected.map(|(function, name)| (function, name.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn calendars_stay_where_the_mail_is_though_another_has_them_too() {
    let world = World::new(BTreeMap::new());
    world.link_for("a", &[ANN], &[Class::Calendar]).await;
    world.link_for("b", &[ANN], &Class::ALL).await;
    world.open(ANN).await.unwrap();
    assert_eq!(world.by(ANN, Function::Calendar).await, world.by(ANN, Function::Mail).await);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_is_switched_off_is_not_shown() {
    let world = World::new(BTreeMap::new());
    world.link_for("all", &[ANN], &Class::ALL).await;
    assert!(!world.of_class(ANN, Class::Calendar).await.unwrap().is_empty());
    let off = ConnectorSettings {
        off: Some([Function::Calendar].into()),
        ..ConnectorSettings::default()
    };
    world.connectors.set_settings("all", &off, NOW).await.unwrap();
    assert!(world.of_class(ANN, Class::Calendar).await.unwrap().is_empty());
    assert!(!world.of_class(ANN, Class::Contacts).await.unwrap().is_empty());
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
async fn after_a_restart_those_that_served_a_user_are_asked_before_all_others() {
    let mut world = World::new(BTreeMap::new());
    world.link("home", &[ANN]).await;
    world.open(ANN).await.unwrap();
    world.restarted();
    let home = world.link("home", &[ANN]).await;
    let strangers = [world.link("x", &[]).await, world.link("y", &[]).await];
    let asked = |site: &Site| site.asked.load(Ordering::SeqCst);
    assert_eq!(world.served_by(ANN).await.unwrap(), "home");
    assert_eq!((asked(&home), strangers.each_ref().map(|one| asked(one))), (1, [0, 0]));

    world.restarted();
    let home = world.link("home", &[]).await;
    let heir = world.link("heir", &[ANN]).await;
    assert_eq!(world.served_by(ANN).await.unwrap(), "heir", "her mailbox has moved");
    assert_eq!((asked(&home), asked(&heir)), (1, 1));
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

fn submission(key: &str) -> Submission {
    Submission {
        key: SubmissionKey(key.to_owned()),
        uncertain: false,
        taken: false,
        message: format!("From: {ANN}\r\nTo: {ANN}\r\nSubject: once\r\n\r\nText\r\n").into(),
        reference: None,
        save_in_sent: true,
        draft: None,
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_has_no_room_for_or_lost_is_read_at_the_next_that_can() {
    let world = World::new(BTreeMap::new());
    let mut sites = Vec::new();
    for name in ["a", "b", "c"] {
        sites.push(world.link(name, &[ANN]).await);
    }
    let busy = ErrorKind::Busy { after: Duration::from_secs(5) };
    let busy = Failure::Before(Error::new(busy, "too much to do"));
    let away = Failure::Before(Error::new(ErrorKind::Unavailable, "away"));
    let home = world.served_by(ANN).await.unwrap();
    let (at_home, others): (Vec<usize>, Vec<usize>) =
        (0..3).partition(|at| ["a", "b", "c"].get(*at) == Some(&home.as_str()));
    sites[at_home[0]].mail.fail_next(1, &busy);
    sites[others[0]].mail.fail_next(1, &away);
    assert!(!world.open(ANN).await.unwrap().collections().await.unwrap().is_empty());
    for site in &sites {
        site.mail.fail_next(1, &busy);
    }
    let all_busy = world.open(ANN).await.unwrap().collections().await.unwrap_err();
    assert!(matches!(all_busy.kind, ErrorKind::Busy { .. }), "{all_busy}");
}

#[tokio::test(start_paused = true)]
async fn what_may_still_be_under_way_is_asked_for_where_it_was_begun() {
    let world = World::new(BTreeMap::new());
    let sites = [world.link("a", &[ANN]).await, world.link("b", &[ANN]).await];
    let first = world.served_by(ANN).await.unwrap();
    let (at, other) = if first == "a" { (0, 1) } else { (1, 0) };
    let late = Failure::After(Error::new(ErrorKind::Timeout, "the answer is late"));
    let never = late.clone();
    sites[at].mail.fail_when(move |asked| (asked == Operation::Submit).then(|| late.clone()));
    let unknown = world.open(ANN).await.unwrap().submit(&submission("one")).await.unwrap_err();
    assert_eq!(unknown.kind, ErrorKind::Timeout);
    let drain = ConnectorSettings { drain: Some(true), ..ConnectorSettings::default() };
    world.connectors.set_settings(&first, &drain, NOW).await.unwrap();
    sites[at].mail.heal();
    world.open(ANN).await.unwrap().submit(&submission("one")).await.unwrap();
    assert_eq!(sites[other].mail.sent().len(), 0, "the other was asked too");
    world.open(ANN).await.unwrap().submit(&submission("two")).await.unwrap();
    assert_eq!(sites[other].mail.sent().len(), 1, "what is new goes to the other");
    sites[other].mail.fail_next(1, &never);
    // Opening the mailbox is no call on it.
    world.open(ANN).await.unwrap().submit(&submission("three")).await.unwrap_err();
    let serve = ConnectorSettings::default();
    world.connectors.set_settings(&first, &serve, NOW).await.unwrap();
    world.lose(if first == "a" { "b" } else { "a" }).await;
    let before = sites[at].mail.sent().len();
    world.open(ANN).await.unwrap().submit(&submission("three")).await.unwrap();
    assert_eq!(sites[at].mail.sent().len(), before + 1, "one that is lost is not waited for");
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
    let seal = Seal::open(world.directory.path(), OUTBOX).unwrap();
    Outbox::open(world.store.clone(), seal, limits, Arc::new(|| NOW)).await.unwrap()
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
    let sent = site.mail.sent();
    assert_eq!(sent.len(), 2, "each once");
    for (sent, key) in sent.iter().zip(["1", "2"]) {
        let message = String::from_utf8_lossy(&sent.message);
        assert!(message.contains(&format!("Subject: {key}")), "{message}");
    }
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

#[tokio::test]
async fn a_message_that_may_be_out_already_is_looked_for_before_it_is_sent() {
    let world = World::new(BTreeMap::new());
    let site = world.link("a", &[ANN]).await;
    world.open(ANN).await.unwrap();
    let begun = message("1", "eve@x.example");
    world.open(ANN).await.unwrap().submit(&begun).await.unwrap();
    world.lose("a").await;
    let kept = outbox(&world).await;
    let again = Submission { uncertain: true, ..begun };
    world.send(&kept, &again).await.unwrap();
    world.send(&kept, &again).await.unwrap();
    assert_eq!(world.waiting().await, 1, "one act waits once");
    world.link_again("a", &site).await;
    kept.deliver_soon(&world.router, &account(ANN));
    world.until_waiting(0).await;
    assert_eq!(site.mail.sent().len(), 1);
}

#[tokio::test]
async fn what_is_sent_while_others_wait_goes_out_after_them() {
    let world = World::new(BTreeMap::new());
    let site = world.link("a", &[ANN]).await;
    world.open(ANN).await.unwrap();
    world.lose("a").await;
    let kept = outbox(&world).await;
    world.send(&kept, &message("1", "eve@x.example")).await.unwrap();
    world.link_again("a", &site).await;
    world.send(&kept, &message("2", "eve@x.example")).await.unwrap();
    assert!(site.mail.sent().is_empty(), "it waits behind the first");
    kept.deliver_soon(&world.router, &account(ANN));
    world.until_waiting(0).await;
    assert_eq!(site.mail.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn calendars_keep_their_ids_when_the_mail_goes_to_another_connector() {
    let spare = ConnectorSettings { tier: Some(Tier::Failover), ..ConnectorSettings::default() };
    let world = World::new(BTreeMap::from([("spare".to_owned(), spare)]));
    world.link("main", &[ANN]).await;
    world.link_for("spare", &[ANN], &[Class::Mail, Class::Calendar]).await;
    let before = world.of_class(ANN, Class::Calendar).await.unwrap();
    assert!(!before.is_empty());
    world.lose("main").await;
    assert_eq!(world.served_by(ANN).await.unwrap(), "spare");
    assert_eq!(world.of_class(ANN, Class::Calendar).await.unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn calendars_that_only_the_lost_connector_has_are_away_and_not_gone() {
    let spare = ConnectorSettings { tier: Some(Tier::Failover), ..ConnectorSettings::default() };
    let world = World::new(BTreeMap::from([("spare".to_owned(), spare)]));
    world.link_for("main", &[ANN], &[Class::Mail, Class::Calendar]).await;
    world.link("spare", &[ANN]).await;
    world.open(ANN).await.unwrap();
    world.lose("main").await;
    assert_eq!(world.served_by(ANN).await.unwrap(), "spare");
    let mailbox = world.open(ANN).await.unwrap();
    assert_eq!(mailbox.collections().await.unwrap_err().kind, ErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn who_was_first_served_by_a_failover_comes_to_a_primary_within_its_minute() {
    let spare = ConnectorSettings { tier: Some(Tier::Failover), ..ConnectorSettings::default() };
    let world = World::new(BTreeMap::from([("spare".to_owned(), spare)]));
    world.link("spare", &[ANN]).await;
    assert_eq!(world.served_by(ANN).await.unwrap(), "spare");
    world.link("main", &[ANN]).await;
    let linked = world.links.connectors().into_iter().find(|one| one.name == "main").unwrap().since;
    for second in 0..=60 {
        let now = linked.plus(Duration::from_secs(second));
        let request = RequestId::from("t");
        world.router.open(&account(ANN), &request, now).await.unwrap();
    }
    assert_eq!(world.router.serving(&ANN.into()), "main");
}

#[tokio::test(start_paused = true)]
async fn a_removed_connectors_calendars_wait_for_one_of_its_name_or_a_flush() {
    let world = World::new(BTreeMap::new());
    world.link("mail", &[ANN]).await;
    world.link_for("dav", &[ANN], &[Class::Calendar]).await;
    let before = world.of_class(ANN, Class::Calendar).await.unwrap();
    let id = world.id("dav").await;
    world.lose("dav").await;
    let book = world.links.registrar().book();
    book.set_state(&id, ConnectorState::Removed).await.unwrap();
    world.connectors.reload().await;
    assert_eq!(world.of_class(ANN, Class::Calendar).await.unwrap(), before);
    let (key, state) = (Fingerprint::of_public_key(b"new"), ConnectorState::Unlocked);
    book.enrol("dav", &key, state, NOW).await.unwrap();
    world.link_for("dav", &[ANN], &[Class::Calendar]).await;
    assert_eq!(world.of_class(ANN, Class::Calendar).await.unwrap().len(), before.len());
    world.lose("dav").await;
    world.connectors.reload().await;
    book.set_state(&world.id("dav").await, ConnectorState::Removed).await.unwrap();
    world.connectors.reload().await;
    world.router.flush(Some(&ANN.into())).await.unwrap();
    assert!(world.of_class(ANN, Class::Calendar).await.unwrap().is_empty());
}

#[tokio::test]
async fn whether_a_calendar_tells_what_a_kept_message_says_is_asked_when_it_goes_out() {
    for (schedules, sent) in [(true, 0), (false, 1)] {
        let world = World::new(BTreeMap::new());
        world.link_for("a", &[ANN], &Class::ALL).await;
        world.open(ANN).await.unwrap();
        world.lose("a").await;
        let kept = outbox(&world).await;
        let calendar = format!(
            "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u\r\n\
             ORGANIZER:mailto:{ANN}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let mut invitation = message("1", "eve@x.example");
        invitation.message = format!(
            "From: {ANN}\r\nTo: eve@x.example\r\n\
             Content-Type: text/calendar; method=REQUEST\r\n\r\n{calendar}"
        )
        .into();
        let word = MeetingWord {
            message: CalendarMessage { calendar, from: ANN.into() },
            to: vec!["eve@x.example".into()],
            own: true,
        };
        let request = RequestId::from("t");
        let mailbox = world.router.open_to_send(&account(ANN), &request, NOW, &kept).await.unwrap();
        hand_over(&*mailbox, &mut invitation, Some(&word)).await.unwrap();
        assert_eq!(world.waiting().await, 1);
        let site = world.link_for("a", &[ANN], &Class::ALL).await;
        if schedules {
            site.mail.schedule();
        }
        kept.deliver_soon(&world.router, &account(ANN));
        world.until_waiting(0).await;
        assert_eq!(site.mail.sent().len(), sent, "schedules: {schedules}");
    }
}
