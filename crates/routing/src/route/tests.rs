//! The rules of choice, one by one, and what must hold whatever the connectors are like.

use super::*;
use crate::Load;
use proptest::prelude::*;
use std::collections::BTreeSet;

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

struct World {
    groups: Known,
    owners: fn(&ConnectorId) -> Known,
}

impl Knowledge for World {
    fn is_in_group(&self, _: &str) -> Known {
        self.groups
    }

    fn owns_mailbox(&self, connector: &ConnectorId) -> Known {
        (self.owners)(connector)
    }
}

const ALL_OWN: World = World { groups: Known::Yes, owners: |_| Known::Yes };

fn connector(id: &str, tier: Tier) -> Connector {
    Connector {
        id: id.into(),
        tier,
        functions: BTreeSet::from([Function::Mail]),
        scope: Scope::Everyone,
        lock: Lock::Unlocked,
        link: Link::Linked { since: Timestamp::from_seconds(0) },
        duty: Duty::Serving,
        load: Load::default(),
    }
}

fn route(connectors: &[Connector], world: &World) -> Route {
    let user = UserId::from("ann@example.org");
    Route::new(connectors, Question { user: &user, function: Function::Mail, now: NOW }, world)
}

fn served_by(connectors: &[Connector], before: Option<&str>) -> Option<String> {
    let before = before.map(ConnectorId::from);
    match route(connectors, &ALL_OWN).choose(before.as_ref()) {
        Choice::Serve(connector, _) => Some(connector.to_string()),
        _ => None,
    }
}

#[test]
fn each_objection_is_told_and_keeps_the_connector_out() {
    let good = connector("a", Tier::Primary);
    let no_group = World { groups: Known::No, ..ALL_OWN };
    let unknown_group = World { groups: Known::Unknown, ..ALL_OWN };
    let not_owner = World { owners: |_| Known::No, ..ALL_OWN };
    let silent = World { owners: |_| Known::Unknown, ..ALL_OWN };
    let grouped = Connector { scope: Scope::Group("staff".into()), ..good.clone() };
    let full = Load { outstanding: 125, ..Load::default() };
    let others = Scope::Users(BTreeSet::from(["bob@example.org".into()]));
    for (connector, world, objection) in [
        (Connector { lock: Lock::Locked, ..good.clone() }, &ALL_OWN, Objection::Locked),
        (Connector { link: Link::Lost, ..good.clone() }, &ALL_OWN, Objection::Unlinked),
        (Connector { duty: Duty::Draining, ..good.clone() }, &ALL_OWN, Objection::Draining),
        (
            Connector { functions: BTreeSet::new(), ..good.clone() },
            &ALL_OWN,
            Objection::FunctionOff,
        ),
        (Connector { scope: others, ..good.clone() }, &ALL_OWN, Objection::OutOfScope),
        (grouped.clone(), &no_group, Objection::OutOfScope),
        (grouped.clone(), &unknown_group, Objection::ScopeUnknown),
        (good.clone(), &not_owner, Objection::NotOwner),
        (good.clone(), &silent, Objection::OwnershipUnknown),
        (Connector { load: full, ..good.clone() }, &ALL_OWN, Objection::Exhausted),
    ] {
        let route = route(std::slice::from_ref(&connector), world);
        assert_eq!(route.candidates()[0].objections, [objection]);
        assert!(route.order(None).is_empty());
    }
    assert_eq!(served_by(&[grouped], None).as_deref(), Some("a"));
}

#[test]
fn the_least_loaded_primary_serves() {
    let mut connectors = [connector("a", Tier::Primary), connector("b", Tier::Primary)];
    connectors[0].load.outstanding = 4;
    connectors[1].load.outstanding = 3;
    assert_eq!(served_by(&connectors, None).as_deref(), Some("b"));
}

#[test]
fn load_counts_against_what_a_connector_can_take() {
    let mut connectors = [connector("a", Tier::Primary), connector("b", Tier::Primary)];
    connectors[0].load = Load { outstanding: 10, parallel: 100, ..Load::default() };
    connectors[1].load = Load { outstanding: 5, parallel: 10, ..Load::default() };
    assert_eq!(served_by(&connectors, None).as_deref(), Some("a"));
}

#[test]
fn a_user_stays_with_a_connector_that_can_serve() {
    let mut connectors = [connector("a", Tier::Primary), connector("b", Tier::Primary)];
    connectors[0].load.outstanding = 20;
    assert_eq!(served_by(&connectors, Some("a")).as_deref(), Some("a"));
    connectors[0].link = Link::Lost;
    assert_eq!(served_by(&connectors, Some("a")).as_deref(), Some("b"));
}

#[test]
fn a_failover_serves_only_while_no_primary_can() {
    let mut connectors = [connector("a", Tier::Primary), connector("f", Tier::Failover)];
    assert_eq!(served_by(&connectors, Some("f")).as_deref(), Some("a"));
    connectors[0].link = Link::Lost;
    assert_eq!(served_by(&connectors, Some("a")).as_deref(), Some("f"));
}

#[test]
fn a_primary_that_came_back_gets_load_gradually() {
    let mut connectors = [connector("a", Tier::Primary), connector("b", Tier::Primary)];
    connectors[0].load.outstanding = 9;
    let at = |seconds: i64, connectors: &mut [Connector]| {
        connectors[1].link = Link::Linked { since: NOW.minus(Duration::from_secs(seconds as u64)) };
        // How much it is given before the other one is preferred.
        let mut taken = 0;
        while {
            connectors[1].load.outstanding = taken;
            served_by(connectors, None).as_deref() == Some("b")
        } {
            taken += 1;
        }
        taken
    };
    let taken: Vec<u32> = [1, 15, 30, 60, 3600].map(|s| at(s, &mut connectors)).to_vec();
    assert_eq!(taken, [0, 2, 4, 9, 9]);
}

#[test]
fn all_busy_is_told_apart_from_nobody() {
    let mut connectors = [connector("a", Tier::Primary)];
    connectors[0].load.outstanding = 1000;
    assert_eq!(route(&connectors, &ALL_OWN).choose(None), Choice::Busy { retry_after: RETRY });
    connectors[0].lock = Lock::Locked;
    assert_eq!(route(&connectors, &ALL_OWN).choose(None), Choice::Nobody);
}

#[test]
fn the_explanation_says_who_serves_who_is_next_and_why_not_the_others() {
    let mut connectors = [
        connector("a", Tier::Primary),
        connector("b", Tier::Primary),
        connector("f", Tier::Failover),
    ];
    connectors[1].link = Link::Lost;
    connectors[1].duty = Duty::Draining;
    let text = route(&connectors, &ALL_OWN).explain(None).to_string();
    assert_eq!(
        text,
        "served by a: the only primary that can; next would be f\n\
         a (primary): can serve\n\
         b (primary): not linked; draining\n\
         f (failover): can serve"
    );
}

#[test]
fn mailbox_ownership_is_not_asked_for_the_directory() {
    let mut directory = connector("a", Tier::Primary);
    directory.functions = BTreeSet::from([Function::Directory]);
    let silent = World { owners: |_| Known::Unknown, ..ALL_OWN };
    let user = UserId::from("ann@example.org");
    let question = Question { user: &user, function: Function::Directory, now: NOW };
    assert_eq!(Route::new([&directory], question, &silent).order(None).len(), 1);
}

prop_compose! {
    fn any_connector()(
        id in 0u8..8, failover: bool, on: bool, scope in 0u8..3, locked: bool, linked: bool,
        draining: bool, outstanding in 0u32..160, since in 999_000i64..1_000_100,
    ) -> Connector {
        Connector {
            id: format!("c{id}").into(),
            tier: if failover { Tier::Failover } else { Tier::Primary },
            functions: if on { BTreeSet::from([Function::Mail]) } else { BTreeSet::new() },
            scope: match scope {
                0 => Scope::Everyone,
                1 => Scope::Users(BTreeSet::from(["ann@example.org".into()])),
                _ => Scope::Users(BTreeSet::new()),
            },
            lock: if locked { Lock::Locked } else { Lock::Unlocked },
            link: match linked {
                true => Link::Linked { since: Timestamp::from_seconds(since) },
                false => Link::Lost,
            },
            duty: if draining { Duty::Draining } else { Duty::Serving },
            load: Load { outstanding, ..Load::default() },
        }
    }
}

/// Rule R2, said a second time.
fn may_serve(c: &Connector) -> bool {
    c.lock == Lock::Unlocked
        && c.link != Link::Lost
        && c.duty == Duty::Serving
        && c.load.outstanding < 125
        && c.functions.contains(&Function::Mail)
        && match &c.scope {
            Scope::Everyone => true,
            Scope::Users(users) => users.contains(&"ann@example.org".into()),
            Scope::Group(_) => false,
        }
}

proptest! {
    #[test]
    fn only_who_may_serve_is_chosen_and_failovers_last(
        connectors in proptest::collection::vec(any_connector(), 0..8), before in 0u8..8,
    ) {
        let mut seen = BTreeSet::new();
        let connectors: Vec<_> =
            connectors.into_iter().filter(|c| seen.insert(c.id.clone())).collect();
        let find = |id: &ConnectorId| connectors.iter().find(|c| c.id == *id).unwrap();
        let before = ConnectorId::from(format!("c{before}"));
        let route = route(&connectors, &ALL_OWN);

        let order = route.order(Some(&before));
        let able = connectors.iter().filter(|c| may_serve(c)).count();
        prop_assert_eq!(order.len(), able);
        prop_assert!(order.iter().all(|id| may_serve(find(id))));
        prop_assert!(order.windows(2).all(|two| find(two[0]).tier <= find(two[1]).tier));
        prop_assert_eq!(route.candidates().len(), connectors.len());

        let primary_can =
            connectors.iter().any(|c| c.tier == Tier::Primary && may_serve(c));
        match route.choose(Some(&before)) {
            Choice::Serve(id, why) => {
                let chosen = find(id);
                prop_assert_eq!(Some(&id), order.first());
                prop_assert_eq!(chosen.tier == Tier::Primary, primary_can);
                let stays = connectors
                    .iter()
                    .any(|c| c.id == before && may_serve(c) && c.tier == chosen.tier);
                prop_assert_eq!(*id == before, stays);
                prop_assert_eq!(why == Why::Stuck, stays);
            }
            Choice::Busy { .. } | Choice::Nobody => prop_assert_eq!(able, 0),
        }
    }
}
