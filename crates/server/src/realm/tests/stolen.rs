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
