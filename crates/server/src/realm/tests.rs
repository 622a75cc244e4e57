//! Which connector a password goes to: connectors in this process that remember what they are
//! asked.

use super::*;
use crate::clock::now;
use crate::connectors::{ConnectorSettings, Limits};
use dme_directory::{Details, Group, GroupGraph, GroupId, Standing};
use dme_link::{
    Authority, Capabilities, ConfigurationReport, Configurations, ConnectorState,
    CredentialsNeeded, Fingerprint, LinkTimes, Links, LinksConfig, Registrar, Services,
};
use dme_model::ConnectorId;
use dme_routing::Scope;
use dme_store::Store;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

mod groups;
mod members;
mod simulate;
mod stolen;

/// A directory that knows people by user and by mail address, and accepts any password.
#[derive(Default)]
struct People {
    people: Vec<(UserId, UserId)>,
    /// Its groups.
    groups: Mutex<Vec<Group>>,
    /// Those that everybody in it is in.
    everyone_in: Mutex<Vec<GroupId>>,
    passwords: Mutex<Vec<UserId>>,
    /// Whether it tells of its groups.
    grouped: Mutex<Grouped>,
}

/// What comes of it to ask a directory for its groups.
#[derive(Clone, Copy, Default)]
enum Grouped {
    #[default]
    Tells,
    Refuses,
    Hangs,
}

impl People {
    fn person(&self, login: &UserId) -> Option<Person> {
        let found = self.people.iter().find(|(user, mail)| user == login || mail == login)?;
        Some(Person {
            user: found.0.clone(),
            address: found.1.to_string(),
            display_name: None,
            groups: self.everyone_in.lock().unwrap().clone(),
            standing: Standing::Active,
        })
    }

    fn asked_for(&self) -> Vec<String> {
        self.passwords.lock().unwrap().iter().map(ToString::to_string).collect()
    }
}

#[async_trait]
impl DirectoryService for People {
    async fn authenticate(&self, user: &UserId, _: &Secret) -> Result<Verdict> {
        self.passwords.lock().unwrap().push(user.clone());
        let accept = |person| Verdict::Accepted(Box::new(person));
        Ok(self.person(user).map_or(Verdict::Unknown, accept))
    }

    async fn find(&self, user: &UserId) -> Result<Option<Person>> {
        Ok(self.person(user))
    }

    async fn groups(&self) -> Result<GroupSnapshot> {
        let grouped = *self.grouped.lock().unwrap();
        match grouped {
            Grouped::Tells => {}
            Grouped::Refuses => return Err(Error::Refused("rc=50".into())),
            Grouped::Hangs => std::future::pending().await,
        }
        let groups = self.groups.lock().unwrap().clone();
        Ok(GroupSnapshot { groups, ..GroupSnapshot::default() })
    }

    async fn search(&self, search: &PeopleSearch) -> Result<PeopleFound> {
        let Everyone { entries, .. } = self.everyone(&search.asking, search.limit).await?;
        Ok(PeopleFound { total: u32::try_from(self.people.len()).unwrap(), entries })
    }

    async fn everyone(&self, _: &UserId, limit: u32) -> Result<Everyone> {
        let entries = self.people.iter().map(|(user, address)| DirectoryEntry {
            user: Some(user.clone()),
            address: address.to_string(),
            ..DirectoryEntry::default()
        });
        let entries: Vec<_> = entries.take(limit as usize).collect();
        Ok(Everyone { complete: entries.len() == self.people.len(), entries })
    }
}

/// A group that has its id as its name.
fn group(id: &str, parents: &[&str]) -> Group {
    let parents = parents.iter().map(|id| GroupId((*id).to_owned())).collect();
    Group { id: GroupId(id.to_owned()), name: id.to_owned(), parents }
}

/// Who has a group's name in their own is in it; of the group "new" nothing is known yet.
struct NamedGroups;

impl Membership for NamedGroups {
    fn of_user(&self, user: &UserId, group: &str) -> Known {
        match group {
            "new" => Known::Unknown,
            _ if user.as_str().contains(group) => Known::Yes,
            _ => Known::No,
        }
    }

    fn of_person(&self, person: &Person, group: &str) -> Known {
        self.of_user(&person.user, group)
    }
}

/// The addresses of those whom Ann finds.
async fn search(realm: &RealmDirectory, first: u32, limit: u32) -> (Vec<String>, u32) {
    let details = Details::default();
    let search = PeopleSearch { asking: ANN.into(), text: "example".into(), first, limit, details };
    let found = realm.search(&search).await.unwrap();
    (found.entries.into_iter().map(|entry| entry.address).collect(), found.total)
}

struct World {
    links: Links,
    connectors: Arc<Connectors>,
    store: Store,
    _directory: tempfile::TempDir,
}

impl World {
    /// With these users as the scope of the connector "scoped".
    fn new(scope: &[&str]) -> Self {
        Self::scoped(&[("scoped", scope)])
    }

    /// With these users as the scopes of these connectors.
    fn scoped(scopes: &[(&str, &[&str])]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let authority = Arc::new(Authority::open(&directory.path().join("authority")).unwrap());
        let kept = Store::open(directory.path().join("dme.db")).unwrap();
        let store = Arc::new(kept.clone());
        let registrar = Registrar::new(authority, store.clone(), store.clone());
        let links = Links::new(Arc::new(registrar.configurations(store)), LinksConfig::default());
        let settings = scopes.iter().map(|(name, users)| {
            let users = Scope::Users(users.iter().map(|user| UserId::from(*user)).collect());
            let users = match *name {
                "grouped" => Scope::Group("ann".into()),
                "early" => Scope::Group("new".into()),
                "sales" | "bought" => Scope::Group((*name).to_owned()),
                "head" => Scope::Everyone,
                _ => users,
            };
            // Of the others of this name, each may check anybody's login.
            let logins = name.ends_with("-together").then_some(Scope::Everyone);
            let settings =
                ConnectorSettings { scope: Some(users), logins, ..ConnectorSettings::default() };
            ((*name).to_owned(), settings)
        });
        let settings: BTreeMap<_, _> = settings.collect();
        let connectors = Connectors::new(links.clone(), kept.clone(), settings, Limits::default());
        Self { links, connectors, store: kept, _directory: directory }
    }

    /// Enters a connector that has a directory and no link; one that links each hour was linked just
    /// now.
    async fn enrol(&self, name: &str, each_hour: bool) {
        let key = Fingerprint::of_public_key(name.as_bytes());
        let book = self.links.registrar().book();
        let id = book.enrol(name, &key, ConnectorState::Unlocked, now()).await.unwrap().id;
        book.key_used(&id, &key, now()).await.unwrap();
        let offer = Capabilities::new([(Function::Authentication, CredentialsNeeded::Password)]);
        self.store.put_offer(&id, &offer).await.unwrap();
        let report = ConfigurationReport {
            key: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned().try_into().unwrap(),
            in_force: None,
            refused: None,
            link_times: each_hour
                .then_some(LinkTimes::Every { every_ms: 3_600_000, lasting_ms: 0 }),
        };
        self.store.reported(&id, &report, now()).await.unwrap();
        self.links.recall().await.unwrap();
        self.connectors.reload().await;
    }

    /// Links a connector that says its directory is of the realm, and has these people and a group
    /// of its own name.
    fn link(&self, name: &str, realm: &str, people: &[(&str, &str)]) -> Arc<People> {
        let people = people.iter().map(|(user, mail)| ((*user).into(), (*mail).into()));
        let people = people.collect();
        let groups = Mutex::new(vec![group(name, &[])]);
        let everyone_in = match name {
            "sales" | "bought" => vec![GroupId(name.to_owned())],
            _ => Vec::new(),
        };
        let everyone_in = Mutex::new(everyone_in);
        let people = Arc::new(People { people, groups, everyone_in, ..People::default() });
        let services = Services {
            directory: Some(people.clone()),
            realms: [Realm::from(realm)].into(),
            ..Services::default()
        };
        self.links.attach_local(ConnectorId::from(name), name, services);
        people
    }

    fn realm(&self, realm: &str, named: &[&str]) -> Arc<RealmDirectory> {
        self.realm_where(realm, named, Arc::new(NamedGroups))
    }

    fn realm_where(
        &self,
        realm: &str,
        named: &[&str],
        membership: Arc<dyn Membership>,
    ) -> Arc<RealmDirectory> {
        self.realm_from(
            realm,
            RealmSources { connector: names(named), ..RealmSources::default() },
            membership,
        )
    }

    fn realm_from(
        &self,
        realm: &str,
        from: RealmSources,
        membership: Arc<dyn Membership>,
    ) -> Arc<RealmDirectory> {
        RealmDirectory::new(self.connectors.clone(), realm.into(), from, membership)
    }
}

fn names(names: &[&str]) -> ConnectorNames {
    ConnectorNames(names.iter().map(|name| (*name).to_owned()).collect())
}

async fn log_in(realm: &RealmDirectory, user: &str) -> Result<Verdict> {
    realm.authenticate(&user.into(), &Secret::new("secret")).await
}

#[tokio::test]
async fn a_password_goes_to_the_connector_of_its_realm_and_to_no_other() {
    let world = World::new(&[]);
    let west = world.link("a", "west.example", &[("ann@west.example", "ann@west.example")]);
    let east = world.link("b", "east.example", &[("bob@east.example", "bob@east.example")]);
    let accepted = log_in(&world.realm("east.example", &[]), "bob@east.example").await.unwrap();
    assert!(matches!(accepted, Verdict::Accepted(_)), "{accepted:?}");
    assert_eq!((west.asked_for(), east.asked_for().len()), (vec![], 1));
    let person = world.realm("west.example", &[]).find(&"ann@west.example".into()).await.unwrap();
    assert!(person.is_some());
}

#[tokio::test]
async fn a_connector_that_claims_a_realm_given_to_another_gets_no_password() {
    let world = World::new(&[]);
    let thief = world.link("a-thief", "example.org", &[("ann@example.org", "ann@example.org")]);
    let realm = world.realm("example.org", &["head-office"]);
    let absent = log_in(&realm, "ann@example.org").await.unwrap_err();
    assert!(matches!(&absent, Error::Unavailable(why) if why.contains("head-office")), "{absent}");
    let right = world.link("head-office", "example.org", &[]);
    assert_eq!(log_in(&realm, "ann@example.org").await.unwrap(), Verdict::Unknown);
    assert_eq!((thief.asked_for(), right.asked_for().len()), (vec![], 1));
    assert_eq!(realm.source(&"ann@example.org".into()).await.unwrap().unwrap(), "head-office");
}

#[tokio::test]
async fn a_named_connector_of_another_realm_is_refused_with_its_name() {
    let world = World::new(&[]);
    let other = world.link("head-office", "other.example", &[]);
    let realm = world.realm("example.org", &["head-office"]);
    let wrong = log_in(&realm, "ann@example.org").await.unwrap_err();
    assert!(matches!(&wrong, Error::NotChosen(why) if why.contains("head-office")), "{wrong}");
    assert_eq!(other.asked_for(), [""; 0]);
}

#[tokio::test]
async fn a_connector_hears_and_speaks_of_the_users_in_its_scope_only() {
    let world = World::new(&["ann@example.org"]);
    let people = [("ann@example.org", "a.smith@example.org"), ("bob@example.org", "b@example.org")];
    let scoped = world.link("scoped", "example.org", &people);
    let realm = world.realm("example.org", &[]);
    assert_eq!(log_in(&realm, "bob@example.org").await.unwrap(), Verdict::Unknown);
    assert_eq!(scoped.asked_for(), [""; 0], "Bob's password is not shown to it");
    assert_eq!(realm.find(&"b@example.org".into()).await.unwrap(), None);
    let by_mail = log_in(&realm, "a.smith@example.org").await.unwrap();
    assert!(matches!(by_mail, Verdict::Accepted(_)), "Ann by her mail address: {by_mail:?}");
    assert_eq!(search(&realm, 0, 10).await, (vec!["a.smith@example.org".into()], 1));
}

const ANN: &str = "ann@example.org";
const BOB: &str = "bob@example.org";

fn is_away<T: std::fmt::Debug>(result: Result<T>, name: &str) -> bool {
    matches!(&result.unwrap_err(), Error::Unavailable(why) if why.contains(name))
}

#[tokio::test]
async fn who_may_be_known_to_a_connector_that_is_away_is_not_unknown() {
    let world = World::scoped(&[("a", &[ANN]), ("b", &[BOB]), ("c", &["eve@other.example"])]);
    let a = world.link("a", "example.org", &[(ANN, ANN)]);
    for named in [&[][..], &["a", "b"]] {
        let realm = world.realm("example.org", named);
        assert!(is_away(log_in(&realm, BOB).await, "b"), "{named:?}");
        assert!(is_away(realm.find(&BOB.into()).await, "b"), "{named:?}");
        // It may be Bob's other name.
        assert!(is_away(log_in(&realm, "b.smith@example.org").await, "b"), "{named:?}");
        assert!(matches!(log_in(&realm, ANN).await, Ok(Verdict::Accepted(_))), "{named:?}");
    }
    assert_eq!(a.asked_for(), [ANN; 2], "nobody else's password is shown to it");
    let b = world.link("b", "example.org", &[(BOB, BOB)]);
    for named in [&[][..], &["a", "b"]] {
        let realm = world.realm("example.org", named);
        assert!(matches!(log_in(&realm, BOB).await, Ok(Verdict::Accepted(_))), "{named:?}");
        let nobody = log_in(&realm, "eve@example.org").await;
        assert_eq!(nobody, Ok(Verdict::Unknown), "all who may know were asked: {named:?}");
    }
    assert_eq!(b.asked_for(), [BOB; 2]);
}

#[tokio::test]
async fn a_login_whose_connector_is_off_hours_is_told_when_it_is_back() {
    let world = World::new(&[]);
    let realms = [world.realm("example.org", &["night", "day"]), world.realm("example.org", &[])];
    for realm in &realms {
        let nobody = log_in(realm, ANN).await;
        assert!(matches!(nobody, Err(Error::Unavailable(_))), "nobody knows when: {nobody:?}");
    }
    world.enrol("night", true).await;
    let (least, most) = (Duration::from_secs(3_500), Duration::from_secs(3_600));
    for realm in &realms {
        let told = log_in(realm, ANN).await.unwrap_err();
        let Error::OffHours { until, .. } = told else { panic!("{told}") };
        assert!(until > now().plus(least) && until <= now().plus(most), "{until}");
    }
    world.enrol("day", false).await;
    for realm in &realms {
        let lost = log_in(realm, ANN).await;
        assert!(matches!(lost, Err(Error::Unavailable(_))), "any moment: {lost:?}");
    }
}

/// Who serves, who would be next, and what speaks against whom.
async fn explained(realm: &RealmDirectory, user: &str, function: Function) -> String {
    let explained = realm.explain(&user.into(), function).await;
    assert_eq!(explained.function, function);
    explained.to_string()
}

#[tokio::test]
async fn the_explanation_says_who_is_asked_who_would_be_next_and_why_not_the_others() {
    let world = World::scoped(&[("a", &[ANN])]);
    world.link("a", "example.org", &[(ANN, ANN)]);
    world.link("rest", "example.org", &[(ANN, ANN), (BOB, BOB)]);
    world.link("other", "other.example", &[]);
    let realm = world.realm("example.org", &["a", "rest"]);
    let because = "the first named for the realm example.org that may speak for the user";
    assert_eq!(
        explained(&realm, ANN, Function::Authentication).await,
        format!(
            "served by a: {because}; next would be rest\n\
             a (primary): can serve\n\
             rest (primary): can serve\n\
             other (primary): others are named for the realm example.org"
        )
    );
    assert_eq!(
        explained(&realm, BOB, Function::Search).await,
        format!(
            "served by rest: {because}; address searches ask a, rest\n\
             rest (primary): can serve\n\
             a (primary): the user is outside its scope\n\
             other (primary): others are named for the realm example.org"
        )
    );
    let realm = world.realm("other.example", &["gone"]);
    let nobody = explained(&realm, BOB, Function::Directory).await;
    assert!(
        nobody.starts_with("served by nobody: the directory is unavailable: none of the"),
        "{nobody}"
    );
    let realm = world.realm("other.example", &[]);
    let own = explained(&realm, "eve@other.example", Function::Directory).await;
    assert!(own.starts_with("served by other: it runs in the server's process"), "{own}");
    assert!(
        own.contains("rest (primary): its directory is not of the realm other.example"),
        "{own}"
    );
}

#[tokio::test]
async fn a_named_connector_without_a_scope_may_know_whom_the_others_do_not() {
    let world = World::scoped(&[("a", &[ANN])]);
    world.link("a", "example.org", &[(ANN, ANN)]);
    let realm = world.realm("example.org", &["a", "head-office"]);
    assert!(is_away(log_in(&realm, BOB).await, "head-office"));
    world.link("head-office", "other.example", &[]);
    let wrong = log_in(&realm, BOB).await.unwrap_err();
    assert!(matches!(&wrong, Error::NotChosen(why) if why.contains("head-office")), "{wrong}");
}

#[tokio::test]
async fn of_two_for_the_same_users_one_is_enough() {
    let world = World::scoped(&[("a", &[ANN]), ("b", &[ANN])]);
    world.link("a", "example.org", &[(ANN, ANN)]);
    let realm = world.realm("example.org", &["b", "a"]);
    assert_eq!(log_in(&realm, BOB).await, Ok(Verdict::Unknown));
    assert!(!realm.is_several());
    realm.groups().await.unwrap();
    let realm = world.realm("example.org", &["a"]);
    realm.groups().await.unwrap();
}

#[tokio::test]
async fn directories_that_scopes_keep_apart_are_one_to_groups_and_searches() {
    let world = World::scoped(&[("a", &[ANN]), ("b", &[BOB])]);
    world.link("a", "example.org", &[(ANN, ANN), (BOB, "not-bobs@example.org")]);
    for named in [&[][..], &["a", "b"]] {
        let realm = world.realm("example.org", named);
        assert!(is_away(realm.groups().await, "b"), "{named:?}");
        assert!(realm.is_several(), "the others are asked while b is away: {named:?}");
        assert_eq!(search(&realm, 0, 10).await.0, [ANN], "{named:?}");
        assert!(is_away(realm.everyone(&ANN.into(), 10).await, "b"), "{named:?}");
    }
    world.link("b", "example.org", &[(ANN, "not-anns@example.org"), (BOB, BOB)]);
    for named in [&[][..], &["a", "b"]] {
        let realm = world.realm("example.org", named);
        let graph = GroupGraph::new(&[realm.groups().await.unwrap()]);
        assert_eq!(graph.len(), 2, "{named:?}");
        assert_eq!(search(&realm, 0, 10).await, (vec![ANN.into(), BOB.into()], 2), "{named:?}");
        assert_eq!(search(&realm, 1, 1).await.0, [BOB], "{named:?}");
        let everyone = realm.everyone(&ANN.into(), 10).await.unwrap();
        assert_eq!((everyone.entries.len(), everyone.complete), (2, true), "{named:?}");
    }
}

#[tokio::test]
async fn who_has_a_scope_goes_before_who_is_named_after_it_for_the_rest() {
    let world = World::scoped(&[("a", &[ANN])]);
    world.link("a", "example.org", &[(ANN, "anns@example.org")]);
    let rest = [(ANN, "not-anns@example.org"), (BOB, BOB)];
    world.link("rest", "example.org", &rest);
    let realm = world.realm("example.org", &["a", "rest"]);
    assert_eq!(search(&realm, 0, 10).await.0, ["anns@example.org", BOB]);
}

#[tokio::test]
async fn a_connector_with_a_group_is_asked_for_its_members_and_says_itself_who_they_are() {
    let world = World::scoped(&[("grouped", &[])]);
    let people = world.link("grouped", "example.org", &[(ANN, "boss@example.org"), (BOB, BOB)]);
    let realm = world.realm("example.org", &[]);
    assert!(matches!(log_in(&realm, ANN).await, Ok(Verdict::Accepted(_))));
    assert!(matches!(log_in(&realm, "boss@example.org").await, Ok(Verdict::Accepted(_))));
    assert_eq!(log_in(&realm, BOB).await, Ok(Verdict::Unknown), "known there, but no member");
    assert_eq!(people.asked_for(), [ANN, "boss@example.org"], "nobody else's password went there");
    assert_eq!(realm.groups().await.unwrap().groups.len(), 1);
}

#[tokio::test]
async fn while_the_groups_are_not_known_a_member_is_not_taken_for_a_stranger() {
    let world = World::scoped(&[("early", &[])]);
    let people = world.link("early", "example.org", &[(ANN, ANN)]);
    let realm = world.realm("example.org", &[]);
    let answer = log_in(&realm, ANN).await;
    assert!(matches!(&answer, Err(Error::Unavailable(why)) if why.contains("early")), "{answer:?}");
    assert!(people.asked_for().is_empty());
}

#[tokio::test]
async fn connectors_of_one_directory_stand_in_for_each_others_logins_where_they_may() {
    let (ann, bob) = ([ANN], [BOB]);
    let people = [(ANN, ANN), (BOB, BOB)];
    for (names, may) in [(["north", "south"], false), (["north-together", "south-together"], true)]
    {
        let world = World::scoped(&[(names[0], &ann[..]), (names[1], &bob[..])]);
        let north = world.link(names[0], "example.org", &people);
        let realm = world.realm("example.org", &names);
        // The one that has Bob's mail is away.
        let accepted = log_in(&realm, BOB).await;
        assert_eq!(accepted.is_ok_and(|it| matches!(it, Verdict::Accepted(_))), may, "{names:?}");
        assert_eq!(north.asked_for().len(), usize::from(may));
        assert_eq!(realm.groups().await.is_ok(), may, "{names:?}");
        assert_eq!(realm.is_several(), !may);
        // And while both are there, a password still goes to one.
        let south = world.link(names[1], "example.org", &people);
        log_in(&realm, BOB).await.unwrap();
        assert_eq!(north.asked_for().len() + south.asked_for().len(), 1 + usize::from(may));
    }
}
