//! Who is in a group that several directories have, and whose word it takes.

use super::*;
use crate::membership::GateMembership;
use dme_directory::{AccessGroups, Gate, GateConfig, RealmSetup, Reason, Right, Users};

const CARL: &str = "carl@example.org";
const BOSS: &str = "boss@example.org";

/// People whose groups are a table, as in a directory that several connectors read.
struct Table(Mutex<Vec<(&'static str, Vec<&'static str>)>>, &'static [&'static str]);

#[async_trait]
impl DirectoryService for Table {
    async fn authenticate(&self, user: &UserId, _: &Secret) -> Result<Verdict> {
        let found = self.find(user).await?;
        Ok(found.map_or(Verdict::Unknown, |person| Verdict::Accepted(Box::new(person))))
    }

    async fn find(&self, user: &UserId) -> Result<Option<Person>> {
        let people = self.0.lock().unwrap();
        let found = people.iter().find(|(name, _)| *name == user.as_str());
        Ok(found.map(|(name, groups)| Person {
            user: (*name).into(),
            address: (*name).into(),
            display_name: None,
            groups: groups.iter().map(|id| GroupId((*id).into())).collect(),
            standing: Standing::Active,
        }))
    }

    async fn groups(&self) -> Result<GroupSnapshot> {
        let groups = self.1.iter().map(|name| group(name, &[])).collect();
        Ok(GroupSnapshot { groups, ..GroupSnapshot::default() })
    }

    async fn search(&self, _: &PeopleSearch) -> Result<PeopleFound> {
        Ok(PeopleFound::default())
    }

    async fn everyone(&self, _: &UserId, _: u32) -> Result<Everyone> {
        Ok(Everyone { entries: Vec::new(), complete: true })
    }
}

type Rows = &'static [(&'static str, &'static [&'static str])];

fn link(world: &World, name: &str, groups: &'static [&'static str], people: Rows) {
    let people = people.iter().map(|(name, groups)| (*name, groups.to_vec())).collect();
    let services = Services {
        directory: Some(Arc::new(Table(Mutex::new(people), groups))),
        realms: [Realm::from("example.org")].into(),
        ..Services::default()
    };
    world.links.attach_local(ConnectorId::from(name), name, services);
}

/// A realm with a gate, for whose groups scopes are looked up.
async fn gated(world: &World, from: RealmSources) -> (Arc<RealmDirectory>, Arc<Gate>) {
    let membership = Arc::new(GateMembership::default());
    let directory = world.realm_from("example.org", from, membership.clone());
    let setup = RealmSetup {
        realm: "example.org".into(),
        aliases: Vec::new(),
        suffixes: Vec::new(),
        directory: directory.clone(),
        access: AccessGroups {
            users: Users::Groups(vec!["mobile".into()]),
            administrators: vec!["admins".into()],
            ..AccessGroups::default()
        },
    };
    let clock = Arc::new(|| dme_model::Timestamp::from_seconds(1_000_000));
    let gate = Gate::new(GateConfig::default(), vec![setup], clock).unwrap();
    membership.ask(&gate);
    gate.refresh().await;
    (directory, gate)
}

fn sources(connector: &[&str], administrators: &[&str]) -> RealmSources {
    let (connector, administrators_from) = (names(connector), names(administrators));
    RealmSources { connector, administrators_from, only: true }
}

/// The groups in which somebody is by the realm's word.
async fn groups_of(realm: &RealmDirectory, user: &str) -> Result<Vec<String>> {
    let found = realm.find(&user.into()).await?.expect("somebody whom the realm knows");
    Ok(found.groups.into_iter().map(|id| id.0).collect())
}

#[tokio::test]
async fn two_ways_to_one_directory_say_the_same_of_each_other_s_people_also_while_one_is_away() {
    const GROUPS: &[&str] = &["sales", "bought", "mobile", "admins"];
    const PEOPLE: Rows = &[
        (ANN, &["sales", "mobile", "admins"]),
        (BOB, &["bought", "mobile"]),
        (CARL, &["bought", "mobile"]),
    ];
    for named in [&["sales", "bought"][..], &["bought", "sales"], &[]] {
        let world = World::scoped(&[("sales", &[]), ("bought", &[])]);
        link(&world, "sales", GROUPS, PEOPLE);
        link(&world, "bought", GROUPS, PEOPLE);
        let (realm, gate) = gated(&world, sources(named, &["sales"])).await;
        assert_eq!(groups_of(&realm, ANN).await.unwrap(), ["sales", "mobile", "admins"]);
        assert_eq!(groups_of(&realm, BOB).await.unwrap(), ["bought", "mobile"]);
        let ann = realm.find(&ANN.into()).await.unwrap().unwrap();
        assert!(gate.explain(Right::User, &ann).is_allowed());
        assert!(gate.explain(Right::Administrator, &ann).is_allowed());
        assert!(realm.members.refused().is_empty(), "{:?}", realm.members.refused());

        world.links.detach_local(&"sales".into());
        assert_eq!(groups_of(&realm, BOB).await.unwrap(), ["bought", "mobile"], "as it said last");
        let new = realm.find(&CARL.into()).await;
        assert!(matches!(new, Err(Error::Unavailable(_))), "it never said so of Carl: {new:?}");
    }
}

/// Both have "mobile", each for people of its own.
#[tokio::test]
async fn a_group_of_two_directories_has_whom_the_one_for_everyone_says_and_without_it_nobody() {
    let both = |names: [&str; 2]| {
        let world = World::scoped(&names.map(|name| (name, &[CARL][..])));
        link(&world, names[0], &["sales", "mobile"], &[(BOB, &["sales", "mobile"])]);
        link(&world, names[1], &["bought", "mobile"], &[(CARL, &["bought", "mobile"])]);
        world
    };
    let world = both(["sales", "bought"]);
    let (realm, _gate) = gated(&world, sources(&["sales", "bought"], &[])).await;
    assert_eq!(groups_of(&realm, BOB).await.unwrap(), ["sales"]);
    assert_eq!(groups_of(&realm, CARL).await.unwrap(), ["bought"]);
    let told = realm.members.refused().join("\n");
    assert!(told.contains("connector sales says") && told.contains("connector bought"), "{told}");

    let world = both(["head", "carls"]);
    let (realm, _gate) = gated(&world, sources(&["carls", "head"], &[])).await;
    assert_eq!(groups_of(&realm, BOB).await.unwrap(), ["sales", "mobile"]);
    assert_eq!(groups_of(&realm, CARL).await.unwrap(), ["bought"]);
}

/// The boss is in no connector's scope. One whose key was stolen cannot have her rights by calling her
/// its own.
#[tokio::test]
async fn whom_the_other_does_not_take_for_this_one_s_has_no_rights_by_its_word() {
    let world = World::scoped(&[("sales", &[]), ("bought", &[])]);
    link(&world, "sales", &["sales", "mobile", "admins"], &[(BOSS, &["mobile", "admins"])]);
    const THIEF: Rows = &[(BOSS, &["bought", "mobile", "admins"])];
    link(&world, "bought", &["bought", "mobile", "admins"], THIEF);
    let (realm, gate) = gated(&world, sources(&["sales", "bought"], &["sales"])).await;
    assert_eq!(groups_of(&realm, BOSS).await.unwrap(), ["bought"]);
    let boss = realm.find(&BOSS.into()).await.unwrap().unwrap();
    assert!(!gate.explain(Right::Administrator, &boss).is_allowed());
}

/// Bob's directory is for everyone until an administrator divides the users.
#[tokio::test(start_paused = true)]
async fn whose_word_it_takes_follows_the_scopes_at_once() {
    const GROUPS: &[&str] = &["sales", "bought", "mobile"];
    const PEOPLE: Rows = &[(ANN, &["sales", "mobile"]), (BOB, &["bought", "mobile"])];
    let world = World::scoped(&[("bought", &[])]);
    link(&world, "first", GROUPS, PEOPLE);
    link(&world, "bought", GROUPS, PEOPLE);
    let (realm, _gate) = gated(&world, sources(&["bought", "first"], &[])).await;
    assert_eq!(groups_of(&realm, BOB).await.unwrap(), ["bought", "mobile"]);
    let scope = Some(Scope::Group("sales".into()));
    let settings = ConnectorSettings { scope, ..ConnectorSettings::default() };
    world.connectors.set_settings("first", &settings, now()).await.unwrap();
    assert_eq!(groups_of(&realm, BOB).await.unwrap(), ["bought", "mobile"]);
    assert_eq!(groups_of(&realm, ANN).await.unwrap(), ["sales", "mobile"]);
}

/// Which of two directories says who administers, where neither is for everyone, has to be said.
#[tokio::test]
async fn who_administers_is_said_by_the_directories_that_are_named_for_it() {
    let world = World::scoped(&[("sales", &[]), ("bought", &[])]);
    link(&world, "sales", &["sales", "mobile", "admins"], &[(ANN, &["sales", "mobile", "admins"])]);
    link(&world, "bought", &["bought"], &[(CARL, &["bought"])]);
    for (from, may) in [(&[][..], false), (&["bought"], false), (&["sales"], true)] {
        let (realm, gate) = gated(&world, sources(&["sales", "bought"], from)).await;
        let ann = realm.find(&ANN.into()).await.unwrap().unwrap();
        assert!(gate.explain(Right::User, &ann).is_allowed(), "who may in is another matter");
        assert_eq!(gate.explain(Right::Administrator, &ann).is_allowed(), may, "{from:?}");
        let wrong = gate.states().remove(0).wrong_groups;
        assert_eq!(wrong.contains(&Reason::NotForRoles("admins".into())), !may, "{wrong:?}");
    }
    // Of one that is alone there is nothing to say.
    let world = World::scoped(&[("sales", &[])]);
    link(&world, "sales", &["sales", "mobile", "admins"], &[(ANN, &["sales", "admins"])]);
    let (realm, gate) = gated(&world, sources(&[], &[])).await;
    let ann = realm.find(&ANN.into()).await.unwrap().unwrap();
    assert!(gate.explain(Right::Administrator, &ann).is_allowed());
}
