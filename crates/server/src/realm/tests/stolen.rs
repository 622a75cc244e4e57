//! What a connector whose key was stolen can say of groups, and what comes of it.

use super::*;
use crate::membership::GateMembership;
use dme_directory::{AccessGroups, Admission, Gate, GateConfig, Login, RealmSetup, Right, Users};

/// Two directories that groups keep apart.
#[tokio::test]
async fn a_connector_widens_neither_its_scope_nor_rights_by_what_it_says_of_groups() {
    for named in [&[][..], &["sales", "bought"], &["bought", "sales"]] {
        let world = World::scoped(&[("sales", &[]), ("bought", &[])]);
        let sales = world.link("sales", "example.org", &[(BOB, BOB)]);
        sales.groups.lock().unwrap().push(group("admins", &[]));
        let bought = world.link("bought", "example.org", &[("carl@example.org", "c@example.org")]);
        let membership = Arc::new(GateMembership::default());
        let directory = world.realm_where("example.org", named, membership.clone());
        let gate = gate_of(&directory, &membership);
        gate.refresh().await;
        let bob = directory.find(&BOB.into()).await.unwrap().unwrap();
        let carl = directory.find(&"carl@example.org".into()).await.unwrap().unwrap();
        let is_in = |person: &Person, group: &str| membership.of_person(person, group);
        assert_eq!((is_in(&bob, "sales"), is_in(&carl, "bought")), (Known::Yes, Known::Yes));

        // Everybody in sales is in bought, it says, and whoever is there is an administrator.
        *bought.groups.lock().unwrap() =
            vec![group("sales", &["bought", "admins"]), group("bought", &["admins"])];
        gate.refresh().await;
        assert_eq!((is_in(&bob, "sales"), is_in(&bob, "bought")), (Known::Yes, Known::No));
        for person in [&bob, &carl] {
            let right = gate.explain(Right::Administrator, person);
            assert!(!right.is_allowed(), "{named:?}: {} {right:?}", person.user);
        }
        assert_eq!(directory.members.refused().len(), 3, "{:?}", directory.members.refused());
        assert!(matches!(log_in(&directory, BOB).await, Ok(Verdict::Accepted(_))));
        assert_eq!((sales.asked_for(), bought.asked_for()), (vec![BOB.to_owned()], vec![]));
    }
}

/// The gate of a realm, whose groups say who may in and who administers.
fn gate_of(directory: &Arc<RealmDirectory>, membership: &GateMembership) -> Arc<Gate> {
    let users = Users::Groups(vec!["dme-users".to_owned()]);
    let administrators = vec!["admins".to_owned()];
    let setup = RealmSetup {
        realm: "example.org".into(),
        aliases: Vec::new(),
        suffixes: Vec::new(),
        directory: directory.clone(),
        access: AccessGroups { users, administrators, ..AccessGroups::default() },
    };
    let clock = Arc::new(|| dme_model::Timestamp::from_seconds(1_000_000));
    let gate = Gate::new(GateConfig::default(), vec![setup], clock).unwrap();
    membership.ask(&gate);
    gate
}

/// How whoever has a connector's key may try to have its person in the groups that give rights.
type Trick = fn() -> (Vec<Group>, Vec<&'static str>);

const TRICKS: [(&str, Trick); 6] = [
    ("calls one of them as the group that it serves is called", || {
        (
            vec![Group { name: "bought".into(), ..group("cn=admins", &["cn=dme-users"]) }],
            vec!["cn=admins"],
        )
    }),
    ("lists them, and says that its people are in them", || {
        (
            vec![group("cn=dme-users", &[]), group("cn=admins", &[])],
            vec!["cn=dme-users", "cn=admins"],
        )
    }),
    ("lists them, and has its own in them", || {
        let own = group("x", &["cn=dme-users", "cn=admins"]);
        (vec![own, group("cn=dme-users", &[]), group("cn=admins", &[])], vec!["x"])
    }),
    ("says that its own is in them", || {
        (vec![group("x", &["cn=dme-users", "cn=admins"])], vec!["x"])
    }),
    ("has groups whose ids are what those are called", || {
        (vec![group("dme-users", &[]), group("admins", &[])], vec!["dme-users", "admins"])
    }),
    ("says that its own is in such", || (vec![group("x", &["dme-users", "admins"])], vec!["x"])),
];

/// Carl is the person of a connector whose key was stolen; the other is for everyone, or for a group as
/// the first is. Nothing that is said of Carl gives a right that only the other's groups give.
#[tokio::test]
async fn a_connector_s_people_have_no_right_by_groups_that_another_has() {
    const CARL: &str = "carl@example.org";
    for (scopes, all) in [
        (["head", "bought-by-user"], &[&["bought-by-user", "head"][..], &[]][..]),
        (["sales", "bought"], &[&["sales", "bought"][..], &["bought", "sales"], &[]][..]),
    ] {
        for (named, (how, trick)) in all.iter().flat_map(|named| TRICKS.map(|trick| (named, trick)))
        {
            let [honest, thief] = scopes;
            let world = World::scoped(&scopes.map(|name| (name, &[CARL][..])));
            let owner = world.link(honest, "example.org", &[(BOB, BOB)]);
            let called =
                |name: &str| Group { name: name.to_owned(), ..group(&format!("cn={name}"), &[]) };
            owner.groups.lock().unwrap().extend([called("dme-users"), called("admins")]);
            let groups = [honest, "cn=dme-users", "cn=admins"];
            *owner.everyone_in.lock().unwrap() = groups.map(|id| GroupId(id.into())).to_vec();
            let stolen = world.link(thief, "example.org", &[(CARL, CARL)]);
            let (mut lists, mut is_in) = trick();
            lists.push(group(thief, &[]));
            is_in.push(thief);
            *stolen.groups.lock().unwrap() = lists;
            let is_in = is_in.iter().map(|id| GroupId((*id).into())).collect();
            *stolen.everyone_in.lock().unwrap() = is_in;
            let membership = Arc::new(GateMembership::default());
            let from = RealmSources {
                connector: names(named),
                administrators_from: names(&[honest]),
                only: true,
            };
            let directory = world.realm_from("example.org", from, membership.clone());
            let gate = gate_of(&directory, &membership);

            // Also who comes before anything was read.
            let (login, secret) = (Login::parse(CARL).unwrap(), Secret::new("secret"));
            let early = gate.admit(&login, &secret, None).await;
            gate.refresh().await;
            let late = gate.admit(&login, &secret, None).await;
            for answer in [early, late] {
                let is_in = matches!(answer, Admission::Admitted { .. });
                assert!(!is_in, "{scopes:?} {named:?} {how}: {answer:?}");
            }
            let carl = directory.find(&CARL.into()).await.unwrap().unwrap();
            for right in [Right::User, Right::Administrator] {
                let access = gate.explain(right, &carl);
                assert!(!access.is_allowed(), "{scopes:?} {named:?} {how}: {right:?} {access:?}");
            }
            assert!(!directory.members.refused().is_empty(), "{scopes:?} {named:?} {how}");
            // The other's have theirs, and where its word is for everyone whatever is said of its groups.
            let bob = directory.find(&BOB.into()).await.unwrap().unwrap();
            let lists_them =
                stolen.groups.lock().unwrap().iter().any(|one| one.id.0.starts_with("cn="));
            if honest == "head" || !lists_them && !how.starts_with("says that its own is in them") {
                let access = gate.explain(Right::Administrator, &bob);
                assert!(access.is_allowed(), "{scopes:?} {named:?} {how}: {access:?}");
            }
        }
    }
}

/// Carl is bought's. Whoever has its key says that Bob, and the login that Bob has beside his name, are
/// in its group as well.
#[tokio::test]
async fn a_connector_has_not_another_s_people_by_saying_that_they_are_in_its_group() {
    const MAIL: &str = "bobs@example.org";
    let (carl, bob) = (("carl@example.org", "c@example.org"), (BOB, MAIL));
    for named in [&["sales", "bought"][..], &["bought", "sales"], &[]] {
        for login in [BOB, MAIL] {
            let world = World::scoped(&[("sales", &[]), ("bought", &[])]);
            let sales = world.link("sales", "example.org", &[bob]);
            world.link("bought", "example.org", &[carl]);
            let realm = world.realm_where("example.org", named, Arc::new(OwnWord));
            let found = realm.find(&login.into()).await.unwrap().unwrap();
            assert_eq!(found.user.as_str(), BOB);

            for says in [&[carl, bob][..], &[carl, ("other@example.org", MAIL), (BOB, "x")]] {
                let thief = world.link("bought", "example.org", says);
                assert!(matches!(log_in(&realm, login).await, Ok(Verdict::Accepted(_))));
                assert_eq!(sales.asked_for().last().map(String::as_str), Some(login));
                world.links.detach_local(&"sales".into());
                assert!(is_away(log_in(&realm, login).await, "sales"), "{named:?}");
                assert!(thief.asked_for().is_empty(), "{named:?}: it got the password");
                // Its own people do not wait for the other.
                assert!(matches!(log_in(&realm, carl.0).await, Ok(Verdict::Accepted(_))));
                assert_eq!(thief.asked_for(), [carl.0]);
                world.link("sales", "example.org", &[bob]);
            }
        }
    }
}

#[tokio::test]
async fn who_leaves_one_group_for_another_is_the_other_directory_s() {
    let world = World::scoped(&[("sales", &[]), ("bought", &[])]);
    let sales = world.link("sales", "example.org", &[(BOB, BOB)]);
    world.link("bought", "example.org", &[]);
    let realm = world.realm_where("example.org", &["sales", "bought"], Arc::new(OwnWord));
    log_in(&realm, BOB).await.unwrap();
    assert_eq!(sales.asked_for(), [BOB]);
    let sales = world.link("sales", "example.org", &[]);
    let bought = world.link("bought", "example.org", &[(BOB, BOB)]);
    assert!(matches!(log_in(&realm, BOB).await, Ok(Verdict::Accepted(_))));
    assert_eq!((sales.asked_for(), bought.asked_for()), (vec![], vec![BOB.to_owned()]));
}

/// Somebody is in the groups that the directory says.
struct OwnWord;

impl Membership for OwnWord {
    fn of_user(&self, _: &UserId, _: &str) -> Known {
        Known::Unknown
    }

    fn of_person(&self, person: &Person, group: &str) -> Known {
        match person.groups.iter().any(|id| id.0 == group) {
            true => Known::Yes,
            false => Known::No,
        }
    }
}
