//! What a connector whose key was stolen can say of groups, and what comes of it.

use super::*;
use crate::membership::GateMembership;
use dme_directory::{AccessGroups, Gate, GateConfig, RealmSetup, Right};

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
        let administrators = vec!["admins".to_owned()];
        let setup = RealmSetup {
            realm: "example.org".into(),
            aliases: Vec::new(),
            suffixes: Vec::new(),
            directory: directory.clone(),
            access: AccessGroups { administrators, ..AccessGroups::default() },
        };
        let clock = Arc::new(|| dme_model::Timestamp::from_seconds(1_000_000));
        let gate = Gate::new(GateConfig::default(), vec![setup], clock).unwrap();
        membership.ask(&gate);
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
        assert_eq!(directory.lists.refused().len(), 3, "{:?}", directory.lists.refused());
        assert!(matches!(log_in(&directory, BOB).await, Ok(Verdict::Accepted(_))));
        assert_eq!((sales.asked_for(), bought.asked_for()), (vec![BOB.to_owned()], vec![]));
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
