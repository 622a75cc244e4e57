//! The rules of choice, one by one, and what must hold whatever the connectors are like.

use super::*;
use crate::{Load, Scope};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

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
        scope: Arc::new(Scope::Everyone),
        lock: Lock::Unlocked,
        link: Link::Linked { since: Timestamp::from_seconds(0) },
        duty: Duty::default(),
        load: Load::default(),
    }
}

fn route(connectors: &[Connector], world: &World) -> Route {
    let user = UserId::from("ann@example.org");
    Route::new(connectors, Question { user: &user, function: Function::Mail, now: NOW }, world)
}

fn served_by(connectors: &[Connector], before: Option<&str>) -> Option<String> {
    let before = before.map(ConnectorId::from);
    let history = History { last: before.as_ref(), ..History::default() };
    match route(connectors, &ALL_OWN).choose(history) {
        Choice::Serve(connector, _) => Some(connector.to_string()),
        _ => None,
    }
}

/// Where some did not reach the mail system lately.
struct Failed(&'static [&'static str]);

impl Knowledge for Failed {
    fn is_in_group(&self, _: &str) -> Known {
        Known::Yes
    }

    fn owns_mailbox(&self, _: &ConnectorId) -> Known {
        Known::Yes
    }

    fn failed_lately(&self, connector: &ConnectorId) -> bool {
        self.0.contains(&connector.as_str())
    }
}

#[test]
fn one_that_did_not_reach_the_mail_system_lately_is_asked_after_all_others_and_before_nobody() {
    let user = UserId::from("ann@example.org");
    let question = Question { user: &user, function: Function::Mail, now: NOW };
    let all = [connector("a", Tier::Primary), connector("b", Tier::Failover)];
    let home = ConnectorId::from("a");
    let history = History { home: Some(&home), last: Some(&home), beside: None };
    let chosen = |failed| {
        let route = Route::new(&all, question, &Failed(failed));
        match route.choose(history) {
            Choice::Serve(connector, why) => Some((connector.to_string(), why)),
            _ => None,
        }
    };
    assert_eq!(chosen(&[]), Some(("a".into(), Why::Home)));
    assert_eq!(chosen(&["a"]), Some(("b".into(), Why::Failover)));
    assert_eq!(chosen(&["a", "b"]), Some(("a".into(), Why::LastResort)));
    let gone = [connector("a", Tier::Primary), Connector { link: Link::Lost, ..all[1].clone() }];
    let route = Route::new(&gone, question, &Failed(&["a"]));
    assert_eq!(route.choose(history), Choice::Serve(&home, Why::LastResort));
}

#[test]
fn each_objection_is_told_and_keeps_the_connector_out() {
    let good = connector("a", Tier::Primary);
    let no_group = World { groups: Known::No, ..ALL_OWN };
    let unknown_group = World { groups: Known::Unknown, ..ALL_OWN };
    let not_owner = World { owners: |_| Known::No, ..ALL_OWN };
    let silent = World { owners: |_| Known::Unknown, ..ALL_OWN };
    let grouped = Connector { scope: Arc::new(Scope::Group("staff".into())), ..good.clone() };
    let full = Load { exhausted: true, ..Load::default() };
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
        (
            Connector { scope: Arc::new(others.clone()), ..good.clone() },
            &ALL_OWN,
            Objection::OutOfScope,
        ),
        (Connector { scope: Arc::new(others), ..good.clone() }, &silent, Objection::OutOfScope),
        (grouped.clone(), &no_group, Objection::OutOfScope),
        (grouped.clone(), &unknown_group, Objection::ScopeUnknown),
        (good.clone(), &not_owner, Objection::NotOwner),
        (good.clone(), &silent, Objection::OwnershipUnknown),
        (Connector { load: full, ..good.clone() }, &ALL_OWN, Objection::Exhausted),
    ] {
        let route = route(std::slice::from_ref(&connector), world);
        assert_eq!(route.candidates()[0].objections, [objection]);
        assert!(route.order(History::default()).is_empty());
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

/// Has a connector begin at a time.
type Begin = fn(&mut Connector, Timestamp);

/// The ways by which a connector begins to serve.
const BEGINS: [(&str, Begin); 2] = [
    ("it linked", |connector, since| connector.link = Link::Linked { since }),
    ("it was given work again", |connector, since| {
        connector.duty = Duty::Serving { since: Some(since) };
    }),
];

fn seconds_ago(seconds: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(seconds))
}

#[test]
fn a_primary_that_came_back_gets_load_gradually() {
    for (how, begin) in BEGINS {
        let mut connectors = [connector("a", Tier::Primary), connector("b", Tier::Primary)];
        connectors[0].load.outstanding = 9;
        let taken = [1, 15, 30, 60, 3600].map(|ago| {
            begin(&mut connectors[1], seconds_ago(ago));
            // How much it is given before the other one is preferred.
            let mut taken = 0;
            while {
                connectors[1].load.outstanding = taken;
                served_by(&connectors, None).as_deref() == Some("b")
            } {
                taken += 1;
            }
            taken
        });
        assert_eq!(taken, [0, 2, 4, 9, 9], "since {how}");
    }
}

/// How many of these users are served by their home, where another served them last or none did.
fn at_home(connectors: &[Connector], users: &[UserId], last: Option<&str>) -> usize {
    let (home, last) = (ConnectorId::from("a"), last.map(ConnectorId::from));
    let history = History { home: Some(&home), last: last.as_ref(), beside: None };
    let at_home = users.iter().filter(|user| {
        let question = Question { user, function: Function::Mail, now: NOW };
        let route = Route::new(connectors, question, &ALL_OWN);
        matches!(route.choose(history), Choice::Serve(id, Why::Home) if *id == home)
    });
    at_home.count()
}

fn many_users() -> Vec<UserId> {
    (0..600).map(|n| format!("u{n}@example.org").into()).collect()
}

#[test]
fn whom_another_serves_comes_back_to_a_primary_one_after_the_other() {
    let users = many_users();
    for (how, begin) in BEGINS {
        let mut connectors = [connector("a", Tier::Primary), connector("f", Tier::Failover)];
        let at = [0, 15, 30, 45, 60].map(|ago| {
            begin(&mut connectors[0], seconds_ago(ago));
            at_home(&connectors, &users, Some("f"))
        });
        assert!(at.is_sorted() && at[0] < 30 && at[4] == users.len(), "since {how}: {at:?}");
        assert!((100..200).contains(&at[1]) && (250..350).contains(&at[2]), "since {how}: {at:?}");
        begin(&mut connectors[0], NOW);
        let all = at_home(&connectors, &users, None);
        assert_eq!(all, users.len(), "nobody waits whom no other serves");
        connectors[1].link = Link::Lost;
        let all = at_home(&connectors, &users, Some("f"));
        assert_eq!(all, users.len(), "nor whom none can serve any more");
    }
}

#[test]
fn of_two_beginnings_the_later_counts() {
    let (users, mut connectors) =
        (many_users(), [connector("a", Tier::Primary), connector("f", Tier::Failover)]);
    for (linked, said, all) in
        [(10, 3600, false), (3600, 10, false), (10, 20, false), (3600, 70, true)]
    {
        connectors[0].link = Link::Linked { since: seconds_ago(linked) };
        connectors[0].duty = Duty::Serving { since: Some(seconds_ago(said)) };
        let back = at_home(&connectors, &users, Some("f"));
        assert_eq!(back == users.len(), all, "linked {linked} s ago, said {said} s ago: {back}");
    }
}

#[test]
fn nobody_waits_for_a_clock_that_was_set_back_to_catch_up() {
    let users = many_users();
    for (how, begin) in BEGINS {
        let mut connectors = [connector("a", Tier::Primary), connector("f", Tier::Failover)];
        begin(&mut connectors[0], NOW.plus(Duration::from_secs(86_400)));
        assert_eq!(at_home(&connectors, &users, Some("f")), users.len(), "since {how}");
    }
}

#[test]
fn a_user_stays_at_home_through_what_passes() {
    let mut connectors = [connector("a", Tier::Primary), connector("b", Tier::Primary)];
    let home = ConnectorId::from("a");
    connectors[0].duty = Duty::Draining;
    assert!(route(&connectors, &ALL_OWN).is_home(&home));
    connectors[0].functions.clear();
    assert!(!route(&connectors, &ALL_OWN).is_home(&home), "switched off");
    connectors[0] = connector("a", Tier::Failover);
    assert!(!route(&connectors, &ALL_OWN).is_home(&home), "a failover now");
}

#[test]
fn other_functions_are_best_where_the_mail_is() {
    let mut connectors = [connector("a", Tier::Primary), connector("b", Tier::Primary)];
    connectors[1].load.outstanding = 9;
    let beside = ConnectorId::from("b");
    let history = History { beside: Some(&beside), ..History::default() };
    let route = route(&connectors, &ALL_OWN);
    assert_eq!(route.choose(history), Choice::Serve(&beside, Why::LeastLoaded));
}

#[test]
fn a_connector_off_hours_says_when_to_come_again() {
    let mut connectors = [connector("a", Tier::Primary)];
    connectors[0].link = Link::OffHours { until: NOW.plus(Duration::from_secs(900)) };
    let retry_after = Duration::from_secs(900);
    assert_eq!(
        route(&connectors, &ALL_OWN).choose(History::default()),
        Choice::Busy { retry_after }
    );
}

#[test]
fn where_one_that_could_serve_was_lost_nobody_waits_for_the_hours_of_another() {
    let mut connectors = [connector("a", Tier::Primary), connector("f", Tier::Failover)];
    connectors[0].link = Link::Lost;
    connectors[1].link = Link::OffHours { until: NOW.plus(Duration::from_secs(9000)) };
    assert_eq!(
        route(&connectors, &ALL_OWN).choose(History::default()),
        Choice::Busy { retry_after: LOST }
    );
    connectors[0].functions.clear();
    let retry_after = Duration::from_secs(9000);
    assert_eq!(
        route(&connectors, &ALL_OWN).choose(History::default()),
        Choice::Busy { retry_after }
    );
}

#[test]
fn whose_mailbox_may_be_at_a_connector_off_hours_is_told_its_hours() {
    let silent = World { owners: |_| Known::Unknown, ..ALL_OWN };
    let away = Connector {
        link: Link::OffHours { until: NOW.plus(Duration::from_secs(900)) },
        ..connector("away", Tier::Primary)
    };
    let later = Connector {
        link: Link::OffHours { until: NOW.plus(Duration::from_secs(7200)) },
        ..connector("later", Tier::Failover)
    };
    let lost = Connector { link: Link::Lost, ..connector("lost", Tier::Primary) };
    let asked = connector("asked", Tier::Primary);
    let locked = Connector { lock: Lock::Locked, ..lost.clone() };
    let off = Connector { functions: BTreeSet::new(), ..lost.clone() };
    let within = |seconds| Some(Duration::from_secs(seconds));
    for (connectors, home, told) in [
        (vec![&away], None, within(900)),
        (vec![&away, &later], None, within(900)),
        // What is no place of the user's does not matter, nor does one that waits for approval.
        (vec![&away, &off, &locked], None, within(900)),
        // It may be the user's, and may be back any moment, or answer.
        (vec![&away, &lost], None, None),
        (vec![&away, &asked], None, None),
        // At home somewhere: that one alone is meant.
        (vec![&away, &lost, &later], Some("later"), within(7200)),
        (vec![&away, &lost], Some("away"), within(900)),
        (vec![&away, &lost], Some("lost"), None),
        (vec![&away], Some("removed"), within(900)),
        (vec![&lost], None, None),
        (vec![], None, None),
    ] {
        let connectors: Vec<Connector> = connectors.into_iter().cloned().collect();
        let route = route(&connectors, &silent);
        assert_eq!(route.choose(History::default()), Choice::Nobody, "nothing is known");
        let home = home.map(ConnectorId::from);
        let names: Vec<_> = connectors.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(route.perhaps_in(home.as_ref()), told, "{names:?}, at home at {home:?}");
    }
}

#[test]
fn all_busy_is_told_apart_from_nobody() {
    let mut connectors = [connector("a", Tier::Primary)];
    connectors[0].load.exhausted = true;
    assert_eq!(
        route(&connectors, &ALL_OWN).choose(History::default()),
        Choice::Busy { retry_after: RETRY }
    );
    connectors[0].lock = Lock::Locked;
    assert_eq!(route(&connectors, &ALL_OWN).choose(History::default()), Choice::Nobody);
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
    let route = route(&connectors, &ALL_OWN);
    let explained = route.explain(History::default());
    let (a, f) = (ConnectorId::from("a"), ConnectorId::from("f"));
    assert_eq!(explained.choice, Choice::Serve(&a, Why::OnlyPrimary));
    assert_eq!(explained.next, Some(&f));
    let against: Vec<(&str, &[Objection])> =
        explained.candidates.iter().map(|c| (c.connector.as_str(), &*c.objections)).collect();
    let gone = [Objection::Unlinked, Objection::Draining];
    assert_eq!(against, [("a", &[][..]), ("b", &gone[..]), ("f", &[][..])]);
}

#[test]
fn mailbox_ownership_is_not_asked_for_the_directory() {
    let mut directory = connector("a", Tier::Primary);
    directory.functions = BTreeSet::from([Function::Directory]);
    let silent = World { owners: |_| Known::Unknown, ..ALL_OWN };
    let user = UserId::from("ann@example.org");
    let question = Question { user: &user, function: Function::Directory, now: NOW };
    assert_eq!(Route::new([&directory], question, &silent).order(History::default()).len(), 1);
}

prop_compose! {
    fn any_connector()(
        id in 0u8..8, failover: bool, on: bool, scope in 0u8..3, locked: bool, linked: bool,
        draining: bool, outstanding in 0u32..160, exhausted: bool, since in 999_000i64..1_000_100,
        said in proptest::option::of(999_000i64..1_000_100),
    ) -> Connector {
        Connector {
            id: format!("c{id}").into(),
            tier: if failover { Tier::Failover } else { Tier::Primary },
            functions: if on { BTreeSet::from([Function::Mail]) } else { BTreeSet::new() },
            scope: Arc::new(match scope {
                0 => Scope::Everyone,
                1 => Scope::Users(BTreeSet::from(["ann@example.org".into()])),
                _ => Scope::Users(BTreeSet::new()),
            }),
            lock: if locked { Lock::Locked } else { Lock::Unlocked },
            link: match linked {
                true => Link::Linked { since: Timestamp::from_seconds(since) },
                false => Link::Lost,
            },
            duty: match draining {
                true => Duty::Draining,
                false => Duty::Serving { since: said.map(Timestamp::from_seconds) },
            },
            load: Load { outstanding, exhausted, ..Load::default() },
        }
    }
}

/// Rule R2, said a second time.
fn may_serve(c: &Connector) -> bool {
    c.lock == Lock::Unlocked
        && c.link != Link::Lost
        && c.duty != Duty::Draining
        && !c.load.exhausted
        && c.functions.contains(&Function::Mail)
        && match &*c.scope {
            Scope::Everyone => true,
            Scope::Users(users) => users.contains(&"ann@example.org".into()),
            Scope::Group(_) => false,
        }
}

proptest! {
    #[test]
    fn only_who_may_serve_is_chosen_and_failovers_last(
        connectors in proptest::collection::vec(any_connector(), 0..8), before in 0u8..8, home: bool,
    ) {
        let mut seen = BTreeSet::new();
        let connectors: Vec<_> =
            connectors.into_iter().filter(|c| seen.insert(c.id.clone())).collect();
        let find = |id: &ConnectorId| connectors.iter().find(|c| c.id == *id).unwrap();
        let before = ConnectorId::from(format!("c{before}"));
        let route = route(&connectors, &ALL_OWN);

        let history = History { home: home.then_some(&before), last: Some(&before), beside: None };
        let order = route.order(history);
        let able = connectors.iter().filter(|c| may_serve(c)).count();
        prop_assert_eq!(order.len(), able);
        prop_assert!(order.iter().all(|id| may_serve(find(id))));
        // Whoever served last may go before others whose turn it is not yet.
        let rest = order.get(usize::from(order.first() == Some(&&before))..).unwrap();
        let due = |id: &&ConnectorId| route.candidate(id).unwrap().turn_in.is_zero();
        let (due, waiting): (Vec<&ConnectorId>, Vec<_>) = rest.iter().copied().partition(due);
        for group in [due, waiting] {
            prop_assert!(group.windows(2).all(|two| find(two[0]).tier <= find(two[1]).tier));
        }
        prop_assert_eq!(route.candidates().len(), connectors.len());

        match route.choose(history) {
            Choice::Serve(id, why) => {
                prop_assert_eq!(Some(&id), order.first());
                let stays = *id == before;
                prop_assert_eq!(why == Why::Stuck || why == Why::Home, stays);
                prop_assert_eq!(why == Why::Home, stays && home);
                let better = |c: &Connector| {
                    may_serve(c) && c.tier < find(id).tier
                        && route.candidate(&c.id).unwrap().turn_in.is_zero()
                };
                prop_assert!(!connectors.iter().any(better), "a primary can");
            }
            Choice::Busy { .. } | Choice::Nobody => prop_assert_eq!(able, 0),
        }
    }
}
