//! Who serves a user, for how long, and how that is told.

use super::*;
use dme_model::Role;
use dme_routing::Duty;

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

/// How many of these users a connector serves so many seconds after [`NOW`].
async fn served_after(world: &World, users: &[String], name: &str, seconds: u64) -> usize {
    let (request, now) = (RequestId::from("t"), NOW.plus(Duration::from_secs(seconds)));
    let mut served = 0;
    for user in users {
        world.router.open(&account(user), &request, now).await.unwrap();
        served += usize::from(world.router.serving(&user.as_str().into()) == name);
    }
    served
}

#[tokio::test(start_paused = true)]
async fn one_that_drained_gets_its_users_back_one_after_the_other() {
    let spare = ConnectorSettings { tier: Some(Tier::Failover), ..ConnectorSettings::default() };
    let mut world = World::new(BTreeMap::from([("spare".to_owned(), spare)]));
    let users: Vec<String> = (0..60).map(|number| format!("u{number}@example.org")).collect();
    let theirs: Vec<&str> = users.iter().map(String::as_str).collect();
    world.link("home", &theirs).await;
    world.link("spare", &theirs).await;
    assert_eq!(served_after(&world, &users, "home", 0).await, users.len());
    let drain = |drain| ConnectorSettings { drain: Some(drain), ..ConnectorSettings::default() };
    world.connectors.set_settings("home", &drain(true), NOW).await.unwrap();
    assert_eq!(served_after(&world, &users, "home", 0).await, 0);

    world.connectors.set_settings("home", &drain(false), NOW).await.unwrap();
    let at_once = served_after(&world, &users, "home", 0).await;
    let halfway = served_after(&world, &users, "home", 30).await;
    assert!(at_once < 6 && (15..45).contains(&halfway), "{at_once}, then {halfway}");
    assert_eq!(served_after(&world, &users, "home", 60).await, users.len());

    // Nobody else can serve them: nobody waits.
    world.connectors.set_settings("home", &drain(true), NOW).await.unwrap();
    assert_eq!(served_after(&world, &users, "home", 0).await, 0);
    world.connectors.set_settings("home", &drain(false), NOW).await.unwrap();
    world.lose("spare").await;
    assert_eq!(served_after(&world, &users, "home", 0).await, users.len());

    // What was set before a restart was set when it was.
    world.restarted();
    world.connectors.begin().await.unwrap();
    world.link("home", &theirs).await;
    let home = world.connectors.snapshot().iter().find(|one| one.name == "home").cloned();
    assert_eq!(home.unwrap().state.duty, Duty::Serving { since: Some(NOW) });
}

#[tokio::test(start_paused = true)]
async fn one_whose_function_was_switched_off_gets_its_users_back_one_after_the_other() {
    let spare = ConnectorSettings { tier: Some(Tier::Failover), ..ConnectorSettings::default() };
    let world = World::new(BTreeMap::from([("spare".to_owned(), spare)]));
    let users: Vec<String> = (0..60).map(|number| format!("u{number}@example.org")).collect();
    let theirs: Vec<&str> = users.iter().map(String::as_str).collect();
    world.link("main", &theirs).await;
    world.link("spare", &theirs).await;
    let off = |functions: &[Function]| ConnectorSettings {
        off: Some(functions.iter().copied().collect()),
        ..ConnectorSettings::default()
    };
    world.connectors.set_settings("main", &off(&[Function::Mail]), NOW).await.unwrap();
    assert_eq!(served_after(&world, &users, "spare", 0).await, users.len());
    world.connectors.set_settings("main", &off(&[]), NOW).await.unwrap();
    let at_once = served_after(&world, &users, "main", 0).await;
    assert!(at_once < 6, "{at_once}");
    assert_eq!(served_after(&world, &users, "main", 60).await, users.len());
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
