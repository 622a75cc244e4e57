//! The groups of several directories, while one of them does not answer.

use super::*;

/// Two directories that scopes keep apart. Each has a group of its own name, which is in one of its
/// groups for phones.
fn two() -> (World, Arc<RealmDirectory>, [Arc<People>; 2]) {
    let world = World::scoped(&[("a", &[ANN]), ("b", &[BOB])]);
    let directories = [("a", ANN), ("b", BOB)].map(|(name, user)| {
        let people = world.link(name, "example.org", &[(user, user)]);
        *people.groups.lock().unwrap() = vec![group(name, &[&phones_of(name)])];
        people
    });
    let realm = world.realm("example.org", &["a", "b"]);
    (world, realm, directories)
}

/// A directory's group for phones.
fn phones_of(directory: &str) -> String {
    format!("mobile-{directory}")
}

/// Which groups are in those for phones, and of which directories there is what trouble.
async fn read(realm: &RealmDirectory) -> (Vec<String>, Vec<String>) {
    let RealmGroups { snapshot, sources, .. } = realm.realm_groups().await.unwrap();
    let graph = GroupGraph::new(&[snapshot]);
    let is_in =
        |name: &&str| graph.reaches(&[GroupId((*name).to_owned())], &GroupId(phones_of(name)));
    let sources = sources.into_iter().map(|one| match one.trouble {
        None => format!("{} now", one.name),
        Some(why) => format!("{} {} s ago: {}", one.name, one.age.as_secs(), why.name()),
    });
    (["a", "b"].into_iter().filter(is_in).map(str::to_owned).collect(), sources.collect())
}

#[tokio::test(start_paused = true)]
async fn one_that_is_away_keeps_its_last_groups_and_nobody_else_from_changing_theirs() {
    let (world, realm, [a, _]) = two();
    let both = (vec!["a".into(), "b".into()], vec!["a now".into(), "b now".into()]);
    assert_eq!(read(&realm).await, both);
    world.links.detach_local(&"b".into());
    tokio::time::advance(Duration::from_secs(3_600)).await;
    // Who is in a's group has no access any more.
    *a.groups.lock().unwrap() = vec![group("a", &[])];
    let old = "b 3600 s ago: directory.unavailable";
    assert_eq!(read(&realm).await, (vec!["b".into()], vec!["a now".into(), old.into()]));
    assert!(realm.groups().await.is_ok());

    // It is back, and believed at once.
    world.link("b", "example.org", &[(BOB, BOB)]);
    assert_eq!(read(&realm).await, (vec![], vec!["a now".into(), "b now".into()]));
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_or_is_slow_holds_up_nobody_else() {
    let (_world, realm, [a, b]) = two();
    read(&realm).await;
    for (how, name) in
        [(Grouped::Refuses, "directory.refused"), (Grouped::Hangs, "directory.unavailable")]
    {
        *b.grouped.lock().unwrap() = how;
        *a.groups.lock().unwrap() = vec![group("a", &[])];
        let began = tokio::time::Instant::now();
        let (mobile, sources) = read(&realm).await;
        assert_eq!((mobile, &*sources[0]), (vec!["b".to_owned()], "a now"), "{name}");
        assert!(sources[1].ends_with(name), "{sources:?}");
        assert!(began.elapsed() < Duration::from_secs(61), "{:?}", began.elapsed());
        *b.grouped.lock().unwrap() = Grouped::Tells;
        *a.groups.lock().unwrap() = vec![group("a", &[&phones_of("a")])];
        assert_eq!(read(&realm).await.0.len(), 2, "{name}");
    }
    // Nothing new is no answer.
    for one in [&a, &b] {
        *one.grouped.lock().unwrap() = Grouped::Refuses;
    }
    assert_eq!(realm.groups().await, Err(Error::Refused("rc=50".into())));
}

#[tokio::test]
async fn one_that_never_told_of_its_groups_leaves_the_realm_without_an_answer() {
    let (_world, realm, [_, b]) = two();
    *b.grouped.lock().unwrap() = Grouped::Refuses;
    // Else the other could call the groups of this one its own.
    assert_eq!(realm.groups().await, Err(Error::Refused("rc=50".into())));
}

#[tokio::test]
async fn while_one_is_away_no_other_decides_about_its_groups() {
    let (world, realm, [a, _]) = two();
    read(&realm).await;
    world.links.detach_local(&"b".into());
    *a.groups.lock().unwrap() = vec![group("a", &["b"])];
    let RealmGroups { snapshot, .. } = realm.realm_groups().await.unwrap();
    let graph = GroupGraph::new(&[snapshot]);
    assert!(!graph.reaches(&[GroupId("a".into())], &GroupId("b".into())), "it is b's word");
}

#[tokio::test]
async fn who_stands_in_for_one_that_is_away_tells_of_its_groups() {
    let world = World::scoped(&[("north-together", &[ANN]), ("south-together", &[BOB])]);
    let realm = world.realm("example.org", &["north-together", "south-together"]);
    for name in ["north-together", "south-together"] {
        world.link(name, "example.org", &[(ANN, ANN)]);
        let sources = realm.realm_groups().await.unwrap().sources;
        let told: Vec<_> = sources.iter().map(|one| (&*one.name, one.trouble.is_some())).collect();
        assert_eq!(told, [(name, false)]);
        world.links.detach_local(&name.into());
    }
}
