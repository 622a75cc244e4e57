//! One watch a user, renewed when lost, given up when deserted: on the mailbox in memory, in paused
//! time.

use super::*;
use dme_mailbox::Credentials;
use dme_mailbox::memory::MemoryMailSystem;
use dme_model::{Flags, Role, Timestamp};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const LINGER: Duration = Duration::from_secs(120);
const PATIENCE: Duration = Duration::from_secs(10);

struct Opener {
    mail: MemoryMailSystem,
    opened: AtomicUsize,
    /// When.
    moments: Mutex<Vec<Instant>>,
    hangs: AtomicBool,
    /// No connector can serve.
    away: AtomicBool,
    /// The mail system does not answer.
    broken: AtomicBool,
}

#[async_trait::async_trait]
impl WatchOpener for Opener {
    async fn open(&self, account: &Account) -> dme_mailbox::Result<Arc<dyn Mailbox>> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        lock(&self.moments).push(Instant::now());
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.away.load(Ordering::SeqCst) || self.broken.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "nobody"));
        }
        let missing = || Error::new(ErrorKind::NotFound, "no such user");
        self.mail.mailbox(&account.user).ok_or_else(missing)
    }

    async fn way(&self, _: &Account) -> Option<Vec<ConnectorId>> {
        (!self.away.load(Ordering::SeqCst)).then(|| vec![ConnectorId::from("c1")])
    }
}

struct World {
    opener: Arc<Opener>,
    watches: Arc<Watches>,
    account: Account,
    inbox: CollectionId,
    sent: CollectionId,
}

impl World {
    fn new() -> Self {
        let mail = MemoryMailSystem::new();
        let user = UserId::from("ann@example.org");
        mail.add_user(&user, "ann@example.org");
        let inbox = mail.collection(&user, Role::Inbox).unwrap();
        let sent = mail.collection(&user, Role::Sent).unwrap();
        let opener = Arc::new(Opener {
            mail,
            opened: AtomicUsize::default(),
            moments: Mutex::default(),
            hangs: false.into(),
            away: false.into(),
            broken: false.into(),
        });
        let times = WatchTimes {
            linger: LINGER,
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(30),
            stand: Duration::from_secs(60),
        };
        let account = Account {
            user,
            address: "ann@example.org".into(),
            display_name: None,
            credentials: Credentials::None,
        };
        let watches = Watches::new(opener.clone(), times, Arc::default());
        Self { opener, watches, account, inbox, sent }
    }

    async fn sit(&self, collections: &[CollectionId]) -> Seat {
        self.watches.sit(&self.account, collections, PATIENCE).await
    }

    fn mail_comes(&self) {
        let message = b"Subject: new\r\n\r\nHello\r\n";
        self.opener
            .mail
            .insert(
                &self.account.user,
                &self.inbox,
                message.as_slice(),
                Flags::default(),
                Timestamp::from_millis(0),
            )
            .unwrap();
    }

    fn opened(&self) -> usize {
        self.opener.opened.load(Ordering::SeqCst)
    }

    fn watched(&self) -> usize {
        lock(&self.watches.users).values().filter(|watch| watch.strong_count() > 0).count()
    }
}

async fn within(seat: &mut Seat, collections: &[CollectionId]) -> Option<Roused> {
    tokio::time::timeout(Duration::from_secs(3600), seat.roused(collections)).await.ok()
}

#[tokio::test(start_paused = true)]
async fn all_phones_of_a_user_share_one_watch_and_are_told() {
    let world = World::new();
    let inbox = [world.inbox.clone()];
    let (mut phone, mut tablet) = (world.sit(&inbox).await, world.sit(&inbox).await);
    assert!(phone.stands() && tablet.stands());
    assert_eq!(world.opened(), 1);
    world.mail_comes();
    let told = Some(Roused::Collections(inbox.to_vec()));
    assert_eq!(within(&mut phone, &inbox).await, told);
    assert_eq!(within(&mut tablet, &inbox).await, told);
    assert_eq!(within(&mut phone, &inbox).await, None, "nothing more happened");
}

#[tokio::test(start_paused = true)]
async fn a_change_elsewhere_rouses_only_those_who_asked_for_it() {
    let world = World::new();
    let (inbox, sent) = ([world.inbox.clone()], [world.sent.clone()]);
    let mut phone = world.sit(&sent).await;
    let mut tablet = world.sit(&inbox).await;
    assert_eq!(within(&mut phone, &sent).await, Some(Roused::Anything), "the watch was renewed");
    world.mail_comes();
    assert_eq!(within(&mut tablet, &inbox).await, Some(Roused::Collections(inbox.to_vec())));
    assert_eq!(within(&mut phone, &sent).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_lost_watch_is_renewed_and_everything_looked_at_again() {
    let world = World::new();
    let inbox = [world.inbox.clone()];
    let mut phone = world.sit(&inbox).await;
    world.opener.mail.cut_watches();
    assert_eq!(within(&mut phone, &inbox).await, Some(Roused::Anything));
    assert!(phone.stands());
    assert_eq!(world.opened(), 2);
}

#[tokio::test(start_paused = true)]
async fn watches_that_are_lost_together_are_renewed_one_after_the_other() {
    let world = World::new();
    let mut seats = Vec::new();
    for number in 0..1_000 {
        let user = UserId::from(format!("u{number}@example.org"));
        world.opener.mail.add_user(&user, user.as_str());
        let inbox = world.opener.mail.collection(&user, Role::Inbox).unwrap();
        let address = user.to_string();
        let account = Account { user, address, ..world.account.clone() };
        seats.push(world.watches.sit(&account, &[inbox], PATIENCE).await);
    }
    let lost = Instant::now();
    lock(&world.opener.moments).clear();
    world.opener.mail.cut_watches();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(seats.iter().all(Seat::stands));
    let mut slots = BTreeMap::<u128, usize>::new();
    for moment in lock(&world.opener.moments).iter() {
        *slots.entry(moment.duration_since(lost).as_millis() / 50).or_default() += 1;
    }
    assert_eq!(slots.values().sum::<usize>(), 1_000, "each once");
    assert!(slots.values().all(|count| *count <= 150), "not spread: {slots:?}");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_nobody_could_open_is_renewed_as_soon_as_somebody_can() {
    let world = World::new();
    let phone = world.sit(std::slice::from_ref(&world.inbox)).await;
    let long = Duration::from_secs(600);
    world.opener.away.store(true, Ordering::SeqCst);
    world.opener.mail.cut_watches();
    tokio::time::sleep(long).await;
    world.watches.reroute().await;
    world.opener.away.store(false, Ordering::SeqCst);
    world.watches.reroute().await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert!(phone.stands(), "it does not wait for the end of its pause");

    // Whose mail system is the trouble gains nothing by being asked more often.
    world.opener.broken.store(true, Ordering::SeqCst);
    world.opener.mail.cut_watches();
    tokio::time::sleep(long).await;
    let before = world.opened();
    for _ in 0..10 {
        world.watches.reroute().await;
    }
    assert!(world.opened() <= before + 1, "{} times", world.opened() - before);
}

#[tokio::test(start_paused = true)]
async fn an_opening_that_hangs_is_given_up_and_begun_anew() {
    let world = World::new();
    let inbox = [world.inbox.clone()];
    world.opener.hangs.store(true, Ordering::SeqCst);
    let mut phone = world.sit(&inbox).await;
    assert!(!phone.stands(), "the phone is parked all the same");
    world.opener.hangs.store(false, Ordering::SeqCst);
    assert_eq!(within(&mut phone, &inbox).await, Some(Roused::Anything));
    assert!(phone.stands());
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_falls_at_once_is_renewed_ever_more_slowly() {
    let world = World::new();
    let _phone = world.sit(std::slice::from_ref(&world.inbox)).await;
    let end = Instant::now() + Duration::from_secs(600);
    while Instant::now() < end {
        world.opener.mail.cut_watches();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(world.opened() < 40, "{} openings in ten minutes", world.opened());
}

#[tokio::test(start_paused = true)]
async fn a_deserted_watch_lingers_and_then_goes() {
    let world = World::new();
    let inbox = [world.inbox.clone()];
    drop(world.sit(&inbox).await);
    tokio::time::sleep(LINGER / 2).await;
    drop(world.sit(&inbox).await);
    assert_eq!(world.opened(), 1, "who comes back in time finds it standing");
    tokio::time::sleep(LINGER * 3).await;
    assert_eq!(world.watched(), 0);
    assert!(world.sit(&inbox).await.stands(), "and it can begin again");
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_gives_up_while_the_watch_begins_leaves_nothing_behind() {
    let world = World::new();
    world.opener.hangs.store(true, Ordering::SeqCst);
    let inbox = [world.inbox.clone()];
    let sitting = world.sit(&inbox);
    assert!(tokio::time::timeout(Duration::from_secs(1), sitting).await.is_err());
    tokio::time::sleep(LINGER * 3).await;
    assert_eq!(world.watched(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_collection_nobody_asks_for_any_more_goes_at_the_next_renewal() {
    let world = World::new();
    let (inbox, sent) = ([world.inbox.clone()], [world.sent.clone()]);
    let mut phone = world.sit(&inbox).await;
    drop(world.sit(&sent).await);
    let watch = phone.watch.clone();
    assert_eq!(lock(&watch.wanted).collections.len(), 2);
    within(&mut phone, &inbox).await;
    world.opener.mail.cut_watches();
    assert_eq!(within(&mut phone, &inbox).await, Some(Roused::Anything));
    assert_eq!(lock(&watch.wanted).collections.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_ended_watch_opens_nothing_any_more() {
    let world = World::new();
    let inbox = [world.inbox.clone()];
    let mut phone = world.sit(&inbox).await;
    world.watches.end(&world.account.user);
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.opener.mail.cut_watches();
    world.mail_comes();
    assert_eq!(within(&mut phone, &inbox).await, None);
    assert_eq!(world.opened(), 1);
}
