//! Whose groups are in use, and how old they are.

use super::*;

fn source(name: &str, age: u64, trouble: Option<Error>) -> GroupSource {
    GroupSource { name: name.into(), age: Duration::from_secs(age), trouble }
}

#[tokio::test]
async fn the_groups_in_use_say_who_gave_them_and_when_whoever_is_asked_by_now() {
    let world = world();
    let state = || world.gate.states().remove(0);
    assert_eq!((state().groups_from, state().groups_as_of), (vec![], None));
    *world.fakes[0].from.lock().unwrap() = vec![source("branch", 0, None)];
    let began = Timestamp::from_seconds(world.now.load(Ordering::SeqCst));
    world.gate.refresh().await;
    let branch = GroupsFrom { connector: "branch".into(), as_of: began, trouble: None };

    // Another would be asked, and does not answer.
    *world.fakes[0].from.lock().unwrap() = vec![source("south", 0, None)];
    world.fakes[0].down.store(true, Ordering::SeqCst);
    world.later(3_600);
    world.gate.refresh().await;
    assert_eq!((state().groups_from, state().groups_as_of), (vec![branch], Some(began)));
    assert_eq!(state().trouble, Some(Error::Unavailable("down".into())));

    world.fakes[0].down.store(false, Ordering::SeqCst);
    world.gate.refresh().await;
    assert_eq!((&*state().groups_from[0].connector, state().trouble), ("south", None));
}

#[tokio::test]
async fn of_several_the_oldest_is_the_realms_age_and_what_ails_one_is_told() {
    let world = world();
    let away = || Some(Error::Unavailable("not linked".into()));
    *world.fakes[0].from.lock().unwrap() = vec![source("a", 0, None), source("b", 3_600, away())];
    world.gate.refresh().await;
    let state = world.gate.states().remove(0);
    let now = world.now.load(Ordering::SeqCst);
    let told = state.groups_from.iter().map(|one| (&*one.connector, one.as_of.as_seconds()));
    assert_eq!(told.collect::<Vec<_>>(), [("a", now), ("b", now - 3_600)]);
    assert_eq!(state.groups_as_of.map(Timestamp::as_seconds), Some(now - 3_600));
    assert_eq!((state.groups_from[1].trouble.clone(), state.trouble), (away(), away()));
}

/// Though one directory's groups are old, the others' were read just now: who is refused has not
/// all of them read again.
#[tokio::test]
async fn refusals_have_the_groups_read_no_more_often_while_one_directory_is_away() {
    let fake = Arc::new(Fake::default());
    *fake.from.lock().unwrap() = vec![source("b", 3_600, None)];
    let setup = RealmSetup {
        realm: "one.test".into(),
        aliases: Vec::new(),
        suffixes: Vec::new(),
        directory: fake.clone(),
        access: AccessGroups::default(),
    };
    let clock = Arc::new(|| Timestamp::from_seconds(1_000_000));
    let gate = Gate::new(GateConfig::default(), vec![setup], clock).unwrap();
    for user in ["ann", "bob", "cid"] {
        let password: String = user.chars().rev().collect();
        let login = Login::parse(user).unwrap();
        let admission = gate.admit(&login, &Secret::new(password), None).await;
        assert!(matches!(admission, Admission::Refused(_)), "{admission:?}");
    }
    assert_eq!(fake.grouped.load(Ordering::SeqCst), 1);
}
