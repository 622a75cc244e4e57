//! All users of a connector at once, when it dies: how the other one takes them.

use super::*;
use crate::watch::{RoutedWatches, WatchTimes, Watches};
use dme_model::Role;
use futures_util::future::join_all;
use tokio::sync::Semaphore;

const USERS: usize = 1_000;
/// How many questions the second connector answers at once, as many as it answers calls.
const AT_ONCE: usize = 25;
/// How many may wait; whoever comes then is told to come again.
const WAITING: usize = 200;
const THINKS: Duration = Duration::from_millis(5);

/// A mail system that answers a few at once and tells the others to come again.
struct Narrow {
    mail: MemoryMailSystem,
    free: Semaphore,
    waiting: AtomicUsize,
    turned_away: AtomicUsize,
    /// When mailboxes were opened to be watched.
    watched: Mutex<Vec<Instant>>,
}

impl Narrow {
    fn before(mail: MemoryMailSystem) -> Arc<Self> {
        Arc::new(Self {
            mail,
            free: Semaphore::new(AT_ONCE),
            waiting: AtomicUsize::default(),
            turned_away: AtomicUsize::default(),
            watched: Mutex::default(),
        })
    }
}

#[async_trait]
impl MailSystem for Narrow {
    async fn owns(&self, account: &Account, context: &CallContext) -> Result<bool> {
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= AT_ONCE + WAITING {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            self.turned_away.fetch_add(1, Ordering::SeqCst);
            let kind = ErrorKind::Busy { after: Duration::from_secs(2) };
            return Err(Error::new(kind, "too much to do"));
        }
        let place = self.free.acquire().await;
        tokio::time::sleep(THINKS).await;
        drop(place);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        self.mail.owns(account, context).await
    }

    async fn open(&self, account: &Account, context: &CallContext) -> Result<Arc<dyn Mailbox>> {
        if context.request.as_str().starts_with("watch-") {
            self.watched.lock().unwrap().push(Instant::now());
        }
        self.mail.open(account, context).await
    }
}

/// In real time: the database is asked for each user, and paused time would run away meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_users_of_a_connector_that_dies_are_served_by_the_other_in_the_same_request() {
    let world = World::new(BTreeMap::new());
    let users: Vec<String> = (0..USERS).map(|number| format!("u{number}@example.org")).collect();
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let branch = world.link("branch", &names).await;
    let times = WatchTimes {
        linger: CALL,
        first_pause: Duration::from_millis(200),
        longest_pause: Duration::from_secs(30),
        stand: CALL,
    };
    let opener = Arc::new(RoutedWatches::new(world.router.clone(), Arc::new(|| NOW)));
    let watches = Watches::new(opener, times, Arc::default());
    let mut seats = Vec::new();
    for user in &names {
        assert_eq!(world.served_by(user).await.unwrap(), "branch");
        let inbox = branch.mail.collection(&UserId::from(*user), Role::Inbox).unwrap();
        seats.push(watches.sit(&account(user), &[inbox], CALL).await);
    }
    assert!(seats.iter().all(|seat| seat.stands()));
    let south = Narrow::before(branch.mail.clone());
    world.attach("south", south.clone(), &[Class::Mail]).await;

    world.lose("branch").await;
    branch.mail.cut_watches();
    let died = Instant::now();
    let requests = names.iter().map(|user| async {
        world.open(user).await?.collections().await?;
        Ok::<_, Error>(world.router.serving(&UserId::from(*user)))
    });
    for (user, served_by) in names.iter().zip(join_all(requests).await) {
        assert_eq!(served_by.unwrap(), "south", "{user}");
    }
    assert!(died.elapsed() < CALL / 2, "{:?}", died.elapsed());
    assert!(south.turned_away.load(Ordering::SeqCst) > 0, "it had too much to do for a while");

    while !seats.iter().all(|seat| seat.stands()) {
        assert!(died.elapsed() < CALL, "watches do not stand");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let watched = south.watched.lock().unwrap().clone();
    assert_eq!(watched.len(), USERS, "each once");
    let slot = |at: &Instant| at.duration_since(died).as_millis() / 100;
    let mut slots = BTreeMap::<u128, usize>::new();
    for at in &watched {
        *slots.entry(slot(at)).or_default() += 1;
    }
    assert!(slots.values().all(|count| *count <= USERS * 2 / 5), "not spread: {slots:?}");
}

#[tokio::test(start_paused = true)]
async fn who_had_no_time_to_be_asked_is_asked_again_and_has_not_said_no() {
    let world = World::new(BTreeMap::new());
    let mail = MemoryMailSystem::new();
    mail.add_user(&ANN.into(), ANN);
    let south = Narrow::before(mail);
    south.waiting.store(AT_ONCE + WAITING, Ordering::SeqCst);
    world.attach("south", south.clone(), &[Class::Mail]).await;
    let began = Instant::now();
    let busy = world.open(ANN).await.err().unwrap();
    assert!(matches!(busy.kind, ErrorKind::Busy { .. }), "not that nobody has it: {busy}");
    let waited = began.elapsed();
    assert!(waited > CALL / 3 && waited <= CALL / 2, "the rest is for the call: {waited:?}");
    assert!(south.turned_away.load(Ordering::SeqCst) > 10);
    south.waiting.store(0, Ordering::SeqCst);
    let began = Instant::now();
    assert_eq!(world.served_by(ANN).await.unwrap(), "south");
    assert!(began.elapsed() <= 2 * THINKS, "it is not left alone: {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn whom_another_can_serve_waits_for_no_place_in_a_queue() {
    let spare = ConnectorSettings { tier: Some(Tier::Failover), ..ConnectorSettings::default() };
    let world = World::new(BTreeMap::from([("spare".to_owned(), spare)]));
    world.link("spare", &[ANN]).await;
    let mail = MemoryMailSystem::new();
    mail.add_user(&ANN.into(), ANN);
    let south = Narrow::before(mail);
    south.waiting.store(AT_ONCE + WAITING, Ordering::SeqCst);
    world.attach("south", south.clone(), &[Class::Mail]).await;
    let began = Instant::now();
    for _ in 0..5 {
        assert_eq!(world.served_by(ANN).await.unwrap(), "spare");
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(south.turned_away.load(Ordering::SeqCst), 1, "it is left alone for a while");
    south.waiting.store(0, Ordering::SeqCst);
    tokio::time::advance(ownership::STRANGER_FOR).await;
    assert_eq!(world.served_by(ANN).await.unwrap(), "south");
}

#[tokio::test(start_paused = true)]
async fn who_did_not_answer_is_asked_again_soon_where_nobody_else_can_serve() {
    let spare = ConnectorSettings { tier: Some(Tier::Failover), ..ConnectorSettings::default() };
    let world = World::new(BTreeMap::from([("spare".to_owned(), spare)]));
    let site = world.link("a", &[ANN]).await;
    world.link("spare", &[ANN]).await;
    site.hangs.store(true, Ordering::SeqCst);
    assert_eq!(world.served_by(ANN).await.unwrap(), "spare");
    tokio::time::advance(ownership::SILENT_FOR).await;
    assert_eq!(world.served_by(ANN).await.unwrap(), "spare");
    assert_eq!(site.asked.load(Ordering::SeqCst), 1, "with the spare it is left alone");
    site.hangs.store(false, Ordering::SeqCst);
    world.lose("spare").await;
    assert_eq!(world.served_by(ANN).await.unwrap(), "a");
}

#[tokio::test(start_paused = true)]
async fn who_did_not_answer_is_asked_anew_on_a_new_link() {
    let world = World::new(BTreeMap::new());
    let site = world.link("a", &[ANN]).await;
    site.hangs.store(true, Ordering::SeqCst);
    assert_eq!(world.open(ANN).await.err().unwrap().kind, ErrorKind::Unavailable);
    site.hangs.store(false, Ordering::SeqCst);
    assert!(world.open(ANN).await.is_err(), "on the same link it is left alone");
    assert_eq!(site.asked.load(Ordering::SeqCst), 1);
    world.lose("a").await;
    // Links are told apart by the milliseconds since when they stand.
    std::thread::sleep(Duration::from_millis(5));
    world.link_again("a", &site).await;
    assert_eq!(world.served_by(ANN).await.unwrap(), "a");
}
