//! What the gate asks of the directory, and what it does not.

use super::*;
use crate::{
    AccessGroups, DirectoryService, Error, Everyone, GroupId, GroupSnapshot, GroupSource,
    PeopleFound, PeopleSearch, RealmGroups, Standing, Users, Verdict,
};
use async_trait::async_trait;
use dme_model::Span;
use futures_util::FutureExt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use tokio::sync::Notify;

mod groups;

/// A directory in which everyone's password is their name backwards.
#[derive(Default)]
struct Fake {
    asked: AtomicUsize,
    /// The requests it was asked for.
    requests: Mutex<Vec<String>>,
    grouped: AtomicUsize,
    down: AtomicBool,
    /// It is down by arrangement until then, in seconds.
    off_hours: AtomicI64,
    busy: AtomicBool,
    /// It is several, and that of this user is down.
    apart: Option<&'static str>,
    /// Whose its groups are.
    from: Mutex<Vec<GroupSource>>,
    standing: Mutex<Standing>,
    /// Whom it says everybody is.
    impostor: Option<&'static str>,
    /// Answers wait for this, where it is set.
    hold: Option<Notify>,
}

impl Fake {
    fn person(&self, user: &UserId) -> Person {
        Person {
            user: self.impostor.map_or_else(|| user.clone(), UserId::from),
            address: user.to_string(),
            display_name: None,
            groups: vec![GroupId("staff".into())],
            standing: *self.standing.lock().unwrap(),
        }
    }

    fn up_for(&self, user: &UserId) -> Result<(), Error> {
        match self.apart {
            Some(other) if other == user.local_part() => self.up(),
            Some(_) => Ok(()),
            None => self.up(),
        }
    }

    fn up(&self) -> Result<(), Error> {
        if self.busy.load(Ordering::SeqCst) {
            return Err(Error::Busy("much to do".into()));
        }
        let until = self.off_hours.load(Ordering::SeqCst);
        if until > 0 {
            let (why, until) = ("not linked".into(), Timestamp::from_seconds(until));
            return Err(Error::OffHours { why, until });
        }
        match self.down.load(Ordering::SeqCst) {
            true => Err(Error::Unavailable("down".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl DirectoryService for Fake {
    async fn authenticate(&self, user: &UserId, password: &Secret) -> Result<Verdict, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let request = crate::asking().map(|request| request.to_string());
        self.requests.lock().unwrap().extend(request);
        if let Some(hold) = &self.hold {
            hold.notified().await;
        }
        self.up_for(user)?;
        let right: String = user.local_part().chars().rev().collect();
        Ok(match user.local_part() {
            "nobody" => Verdict::Unknown,
            "barred" => Verdict::Barred(Standing::LockedOut),
            _ if password.expose() == right => Verdict::Accepted(Box::new(self.person(user))),
            _ => Verdict::WrongPassword,
        })
    }

    async fn find(&self, user: &UserId) -> Result<Option<Person>, Error> {
        self.up_for(user)?;
        Ok(Some(self.person(user)))
    }

    async fn groups(&self) -> Result<GroupSnapshot, Error> {
        self.grouped.fetch_add(1, Ordering::SeqCst);
        self.up()?;
        Ok(GroupSnapshot::default())
    }

    async fn realm_groups(&self) -> Result<RealmGroups, Error> {
        let (snapshot, sources) = (self.groups().await?, self.from.lock().unwrap().clone());
        Ok(RealmGroups { snapshot, sources, for_roles: None })
    }

    async fn search(&self, _: &PeopleSearch) -> Result<PeopleFound, Error> {
        Ok(PeopleFound::default())
    }

    async fn everyone(&self, _: &UserId, _: u32) -> Result<Everyone, Error> {
        Ok(Everyone::default())
    }

    fn is_several(&self) -> bool {
        self.apart.is_some()
    }
}

struct World {
    fakes: Vec<Arc<Fake>>,
    gate: Arc<Gate>,
    now: Arc<AtomicI64>,
}

impl World {
    fn new(fake: Fake, config: GateConfig) -> Self {
        let fakes = vec![Arc::new(fake), Arc::new(Fake::default())];
        let setup = |realm: &str, fake: &Arc<Fake>| RealmSetup {
            realm: realm.into(),
            aliases: Vec::new(),
            suffixes: Vec::new(),
            directory: fake.clone(),
            access: AccessGroups { users: Users::Everyone, ..AccessGroups::default() },
        };
        let setups = vec![setup("one.test", &fakes[0]), setup("two.test", &fakes[1])];
        let now = Arc::new(AtomicI64::new(1_000_000));
        let clock = now.clone();
        let clock = Arc::new(move || Timestamp::from_seconds(clock.load(Ordering::SeqCst)));
        Self { fakes, gate: Gate::new(config, setups, clock).unwrap(), now }
    }

    fn later(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    fn asked(&self) -> usize {
        self.fakes[0].asked.load(Ordering::SeqCst)
    }

    async fn admit(&self, login: &str, password: &str, device: &str) -> String {
        let login = Login::parse(login).unwrap();
        match self.gate.admit(&login, &Secret::new(password), Some(&device.into())).await {
            Admission::Admitted { source, .. } => format!("{source:?}"),
            Admission::Refused(refusal) => refusal.to_string(),
            Admission::Throttled { retry_after } => format!("throttled {}", retry_after.as_secs()),
            Admission::Unavailable { .. } => "unavailable".into(),
        }
    }
}

fn world() -> World {
    World::new(Fake::default(), GateConfig::default())
}

#[tokio::test]
async fn a_password_goes_to_the_directory_of_its_realm_alone() {
    let world = world();
    assert_eq!(world.admit("ann@two.test", "nna", "d").await, "Directory");
    assert_eq!(
        world.admit("ann@three.test", "nna", "d").await.split(';').next().unwrap(),
        "the realm \"three.test\" is not configured"
    );
    assert_eq!(world.asked(), 0);
    assert_eq!(world.admit("ann", "nna", "d").await, "Directory");
    assert_eq!(world.asked(), 1);
    assert_eq!(world.fakes[1].asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_checked_password_is_good_for_its_life_and_that_password_only() {
    let world = world();
    assert_eq!(world.admit("ann", "nna", "d").await, "Directory");
    for _ in 0..100 {
        assert_eq!(world.admit("ann", "nna", "d").await, "Memory");
    }
    assert_eq!(world.asked(), 1);
    assert_eq!(world.admit("ann", "nnb", "d").await, "wrong password");
    assert_eq!(world.admit("nna", "nna", "d").await, "wrong password");
    assert_eq!(world.asked(), 3);
    assert_eq!(world.admit("ann", "nna", "d").await, "Memory");
    world.later(600);
    assert_eq!(world.admit("ann", "nna", "d").await, "Directory");
}

#[tokio::test]
async fn refusals_are_remembered_each_for_its_time() {
    let world = world();
    for (login, refusal, life) in [
        ("ann", "wrong password", 30 * 60),
        ("nobody", "unknown user", 60),
        ("barred", "not allowed: the account is locked after too many wrong passwords", 60),
    ] {
        let before = world.asked();
        assert_eq!(world.admit(login, "wrong", "d").await, refusal);
        world.later(life - 1);
        assert_eq!(world.admit(login, "wrong", "d").await, refusal);
        assert_eq!(world.asked(), before + 1);
        world.later(1);
        assert_eq!(world.admit(login, "wrong", "d").await, refusal);
        assert_eq!(world.asked(), before + 2);
    }
}

#[tokio::test]
async fn guessing_is_slow_and_does_not_shut_out_the_phone_that_is_known() {
    let world = world();
    assert_eq!(world.admit("ann", "nna", "phone").await, "Directory");
    let mut slow = 0;
    for n in 0..20 {
        let device = format!("made-up-{n}");
        if world.admit("ann", &format!("guess {n}"), &device).await.starts_with("throttled") {
            slow += 1;
        }
    }
    assert_eq!(slow, 16);
    // Five for the strangers; the phone's own came from the same bucket, before it was known.
    assert_eq!(world.asked(), 5);
    // Else memory would tell whoever guesses fast enough.
    assert!(world.admit("ann", "nna", "made-up-20").await.starts_with("throttled"));
    assert_eq!(world.admit("ann", "nna", "phone").await, "Memory");
    world.later(600);
    assert_eq!(world.admit("ann", "nna", "phone").await, "Directory");
    assert_eq!(world.admit("bob", "bob", "made-up-1").await, "Directory");
}

#[tokio::test]
async fn the_same_question_is_asked_once_at_a_time() {
    let fake = Fake { hold: Some(Notify::new()), ..Fake::default() };
    let world = World::new(fake, GateConfig::default());
    let asking = futures_util::future::join_all((0..20).map(|_| world.admit("ann", "nnn", "d")));
    let release = async {
        while world.asked() == 0 {
            tokio::task::yield_now().await;
        }
        world.fakes[0].hold.as_ref().unwrap().notify_one();
    };
    let (answers, ()) = tokio::join!(asking, release);
    assert_eq!(answers, vec!["wrong password"; 20]);
    assert_eq!(world.asked(), 1);
    assert!(world.gate.open.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_is_remembered_though_the_phone_has_gone() {
    let fake = Fake { hold: Some(Notify::new()), ..Fake::default() };
    let world = World::new(fake, GateConfig::default());
    {
        let gone = world.admit("ann", "nna", "d");
        assert!(futures_util::future::join(gone, async {}).now_or_never().is_none());
    }
    world.fakes[0].hold.as_ref().unwrap().notify_one();
    while !world.gate.open.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.admit("ann", "nna", "d").await, "Memory");
}

#[tokio::test]
async fn a_directory_that_is_down_is_left_alone_for_a_moment() {
    let world = world();
    world.fakes[0].down.store(true, Ordering::SeqCst);
    for _ in 0..20 {
        assert_eq!(world.admit("ann", "nna", "d").await, "unavailable");
    }
    assert_eq!(world.asked(), 1);
    // Asking in vain, again and again, costs none of the attempts.
    for _ in 0..20 {
        world.later(6);
        assert_eq!(world.admit("ann", "nna", "d").await, "unavailable");
    }
    assert_eq!(world.asked(), 21);
    world.fakes[0].down.store(false, Ordering::SeqCst);
    world.later(5);
    for n in 0..4 {
        assert_eq!(world.admit("ann", &n.to_string(), "d").await, "wrong password");
    }
    assert_eq!(world.admit("ann", "nna", "d").await, "Directory");
    // The other realm was never touched by it.
    assert_eq!(world.admit("ann@two.test", "nna", "d").await, "Directory");
}

#[tokio::test]
async fn of_a_directory_off_hours_a_login_is_told_when_it_is_back() {
    let world = world();
    assert_eq!(world.admit("bob", "bob", "d").await, "Directory");
    let back = world.now.load(Ordering::SeqCst) + 7200;
    world.fakes[0].off_hours.store(back, Ordering::SeqCst);
    let wait = async |user: &str| {
        let login = Login::parse(user).unwrap();
        let password: String = user.chars().rev().collect();
        match world.gate.admit(&login, &Secret::new(password), None).await {
            Admission::Unavailable { retry_after } => retry_after.as_secs(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(wait("ann").await, 7200);
    world.later(2);
    assert_eq!(wait("eve").await, 7198, "also while it is not asked");
    // Whoever is remembered is let in as ever.
    world.later(600);
    assert_eq!(world.admit("bob", "bob", "d").await, "Grace");
    world.fakes[0].off_hours.store(0, Ordering::SeqCst);
    world.fakes[0].down.store(true, Ordering::SeqCst);
    world.later(6);
    assert_eq!(wait("ann").await, 5, "nobody knows when");
    world.fakes[0].down.store(false, Ordering::SeqCst);
    world.later(6);
    assert_eq!(world.admit("ann", "nna", "d").await, "Directory", "no attempt was lost");
}

#[tokio::test]
async fn of_several_directories_one_that_is_down_keeps_nobody_of_the_others_out() {
    let fake = Fake { apart: Some("bob"), ..Fake::default() };
    let config = GateConfig { grace: Span(Duration::from_secs(3600)), ..GateConfig::default() };
    let world = World::new(fake, config);
    let mut revocations = world.gate.revocations();
    for user in ["ann", "bob"] {
        let password: String = user.chars().rev().collect();
        assert_eq!(world.admit(user, &password, user).await, "Directory");
    }
    world.fakes[0].down.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        world.later(700);
        // The groups cannot be read, and what is known of them serves.
        world.gate.refresh().await;
        assert_eq!(world.admit("bob", "bob", "bob").await, "Grace");
        assert_eq!(world.admit("ann", "nna", "ann").await, "Directory");
    }
    world.later(700);
    world.gate.refresh().await;
    let gone = Revoked { user: "bob@one.test".into(), why: Revocation::GraceOver };
    assert_eq!(revocations.try_recv(), Ok(gone));
    assert!(revocations.try_recv().is_err(), "Ann was vouched for all the time");
}

#[tokio::test]
async fn guessing_is_as_slow_as_ever_while_memory_lets_people_in() {
    let world = world();
    assert_eq!(world.admit("ann", "nna", "phone").await, "Directory");
    world.fakes[0].down.store(true, Ordering::SeqCst);
    world.later(600);
    for n in 0..5 {
        assert_eq!(world.admit("ann", &n.to_string(), "made-up").await, "unavailable");
    }
    assert!(world.admit("ann", "nna", "made-up").await.starts_with("throttled"));
    assert_eq!(world.admit("ann", "nna", "phone").await, "Grace");
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_hangs_counts_as_down() {
    let fake = Fake { hold: Some(Notify::new()), ..Fake::default() };
    let world = World::new(fake, GateConfig::default());
    assert_eq!(world.admit("ann", "nna", "d").await, "unavailable");
}

#[tokio::test]
async fn no_grace_means_nobody_while_the_directory_is_down() {
    let config = GateConfig { grace: Span(Duration::ZERO), ..GateConfig::default() };
    let world = World::new(Fake::default(), config);
    assert_eq!(world.admit("ann", "nna", "d").await, "Directory");
    world.fakes[0].down.store(true, Ordering::SeqCst);
    assert_eq!(world.admit("ann", "nna", "d").await, "Memory");
    world.later(600);
    assert_eq!(world.admit("ann", "nna", "d").await, "unavailable");
}

#[tokio::test]
async fn disabling_an_account_ends_it_at_the_refresh_and_each_is_announced_once() {
    let world = world();
    let mut revocations = world.gate.revocations();
    world.admit("ann", "nna", "d").await;
    *world.fakes[0].standing.lock().unwrap() = Standing::Disabled;
    world.gate.refresh().await;
    world.gate.refresh().await;
    let why = Revocation::NotAllowed(Reason::Standing(Standing::Disabled));
    assert_eq!(revocations.try_recv(), Ok(Revoked { user: "ann@one.test".into(), why }));
    assert!(revocations.try_recv().is_err());
    assert_eq!(world.admit("ann", "nna", "d").await, "not allowed: the account is disabled");
}

#[tokio::test]
async fn who_did_not_come_for_long_is_no_longer_asked_about() {
    let config = GateConfig { grace: Span(Duration::ZERO), ..GateConfig::default() };
    let world = World::new(Fake::default(), config);
    let mut revocations = world.gate.revocations();
    world.admit("ann", "nna", "d").await;
    world.later(2 * 3600);
    *world.fakes[0].standing.lock().unwrap() = Standing::Disabled;
    world.gate.refresh().await;
    assert!(revocations.try_recv().is_err());
}

#[tokio::test]
async fn a_directory_cannot_speak_for_another_realm() {
    let fake = Fake { impostor: Some("boss@two.test"), ..Fake::default() };
    let world = World::new(fake, GateConfig::default());
    assert_eq!(world.admit("ann", "nna", "d").await, "unavailable");
}

#[tokio::test]
async fn forgetting_a_user_ends_their_sessions_and_asks_anew() {
    let world = world();
    let mut revocations = world.gate.revocations();
    world.admit("ann", "nna", "d").await;
    world.gate.forget(&"ann@one.test".into());
    assert_eq!(revocations.try_recv().unwrap().why, Revocation::Forgotten);
    assert_eq!(world.admit("ann", "nna", "d").await, "Directory");

    world.admit("ann", "wrong", "d").await;
    world.admit("bob", "wrong", "d").await;
    let before = world.asked();
    world.gate.forget(&"ann@one.test".into());
    world.admit("bob", "wrong", "d").await;
    assert_eq!(world.asked(), before);
    world.admit("ann", "wrong", "d").await;
    assert_eq!(world.asked(), before + 1);
}

#[tokio::test]
async fn the_groups_are_read_once_for_many_first_logins() {
    let world = world();
    let logins = ["ann", "bob", "cid", "dan"];
    let asking = logins.iter().map(|name| async {
        let password: String = name.chars().rev().collect();
        world.admit(name, &password, "d").await
    });
    assert_eq!(futures_util::future::join_all(asking).await, vec!["Directory"; 4]);
    assert_eq!(world.fakes[0].grouped.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn the_loop_refreshes_until_it_is_told_to_stop() {
    let world = world();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let run = tokio::spawn(world.gate.clone().run(async move {
        let _ = stopped.await;
    }));
    tokio::time::sleep(Duration::from_secs(150)).await;
    assert_eq!(world.fakes[0].grouped.load(Ordering::SeqCst), 3);
    stop.send(()).unwrap();
    run.await.unwrap();
}

#[test]
fn the_settings_have_defaults_and_refuse_what_they_do_not_know() {
    assert_eq!(toml::from_str::<GateConfig>("").unwrap(), GateConfig::default());
    assert_eq!(toml::from_str::<GateConfig>("grace = '0s'").unwrap().grace, Span(Duration::ZERO));
    assert!(toml::from_str::<GateConfig>("grase = '1h'").is_err());
}

/// Too much to do for a moment is no outage: the next login is asked at once, and the realm's
/// other people are not kept out for seconds.
#[tokio::test]
async fn a_busy_directory_is_asked_again_at_once() {
    let world = world();
    world.fakes[0].busy.store(true, Ordering::SeqCst);
    assert_eq!(world.admit("ann@one.test", "nna", "a").await, "unavailable");
    world.fakes[0].busy.store(false, Ordering::SeqCst);
    assert_eq!(world.admit("bob@one.test", "bob", "b").await, "Directory");
    assert_eq!(world.admit("ann@one.test", "nna", "a").await, "Directory");
}

#[tokio::test]
async fn the_directory_knows_which_request_it_is_asked_for() {
    let world = world();
    let login = world.admit("ann@one.test", "nna", "a");
    assert_eq!(crate::on_behalf_of("phone-42".into(), login).await, "Directory");
    assert_eq!(*world.fakes[0].requests.lock().unwrap(), ["phone-42"]);
}

#[tokio::test]
async fn what_the_server_gave_out_itself_lets_in_whom_the_directory_has_and_nobody_else() {
    let world = world();
    let shown = async |login: &str, device: &str, owner: Option<&str>| {
        let login = Login::parse(login).unwrap();
        let owner = std::future::ready(Ok::<_, Error>(owner.map(UserId::from)));
        let (secret, device) = (Secret::new("s3cret"), device.into());
        match world.gate.admit_shown(&login, &secret, Some(&device), owner).await {
            Admission::Admitted { source, .. } => format!("{source:?}"),
            Admission::Refused(refusal) => refusal.to_string(),
            other => format!("{other:?}"),
        }
    };
    let ann = Some("ann@one.test");
    assert_eq!(shown("ann@one.test", "phone", ann).await, "Directory");
    assert_eq!(shown("ann@one.test", "phone", ann).await, "Memory");
    assert_eq!(world.asked(), 0, "no password was shown");
    // Another's is no key, and is refused from memory though it were right by now.
    assert_eq!(shown("bob@one.test", "phone", ann).await, "wrong password");
    assert_eq!(shown("ann@one.test", "tablet", None).await, "wrong password");
    assert_eq!(shown("ann@one.test", "tablet", ann).await, "wrong password");
    // The directory's password holds beside it, neither taking the other's place.
    assert_eq!(world.admit("ann@one.test", "nna", "laptop").await, "Directory");
    assert_eq!(shown("ann@one.test", "phone", ann).await, "Memory");
    assert_eq!(world.admit("ann@one.test", "nna", "laptop").await, "Memory");
    // Who is disabled is out at the refresh.
    *world.fakes[0].standing.lock().unwrap() = Standing::Disabled;
    world.gate.refresh().await;
    assert_eq!(shown("ann@one.test", "phone", ann).await, "not allowed: the account is disabled");
}
