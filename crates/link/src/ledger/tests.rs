use super::*;
use proptest::prelude::*;
use serde_json::json;

fn ledger(run: u64, facts: &[(&str, i64)]) -> Ledger {
    let mut ledger = Ledger::new(run);
    for (key, value) in facts {
        ledger.set(*key, json!(value));
    }
    ledger
}

/// A copy of it.
fn copy(ledger: &Ledger) -> Replica {
    let mut replica = Replica::default();
    replica.apply(ledger.since(None)).unwrap();
    replica
}

fn keys(changed: &[String]) -> Vec<&str> {
    changed.iter().map(String::as_str).collect()
}

#[test]
fn only_what_really_changes_raises_the_version() {
    let mut ledger = ledger(1, &[("a", 1), ("b", 2)]);
    let before = ledger.held();
    ledger.set("a", json!(1));
    ledger.remove("c");
    ledger.replace(ledger.facts().clone());
    assert_eq!(ledger.held(), before);
    assert!(ledger.since(Some(before)).is_empty());
    ledger.set("a", json!(2));
    assert!(ledger.held().version > before.version);
}

#[test]
fn who_holds_something_is_told_what_changed_since_and_nothing_else() {
    let mut ledger = ledger(1, &[("a", 1), ("b", 2), ("c", 3)]);
    let mut replica = copy(&ledger);
    ledger.replace(Facts::from([
        ("a".into(), json!(1)),
        ("b".into(), json!(5)),
        ("d".into(), json!(4)),
    ]));
    // Put in and struck out again: nobody knew of it.
    ledger.set("e", json!(6));
    ledger.remove("e");
    let delta = ledger.since(replica.held());
    assert_eq!(delta.base, replica.held());
    assert_eq!(delta.put.keys().collect::<Vec<_>>(), ["b", "d"]);
    assert_eq!(delta.drop, ["c", "e"]);
    let changed = replica.apply(delta).unwrap();
    assert_eq!((keys(&changed.put), keys(&changed.dropped)), (vec!["b", "d"], vec!["c"]));
    assert_eq!(replica.facts(), ledger.facts());
}

#[test]
fn a_delta_from_what_is_not_held_is_refused_and_changes_nothing() {
    let mut ledger = ledger(1, &[("a", 1)]);
    let mut replica = copy(&ledger);
    ledger.set("b", json!(2));
    let later = ledger.held();
    ledger.set("c", json!(3));
    let other = Held { run: 2, ..later };
    for (base, held) in [(later, ledger.held()), (other, Held { run: 2, version: 9 })] {
        let before = replica.clone();
        let delta = Delta { base: Some(base), held, put: ledger.facts().clone(), drop: vec![] };
        let refused = replica.apply(delta.clone()).unwrap_err();
        assert_eq!(refused, NotFromHere { base, holds: before.held() });
        assert_eq!(replica, before);
        assert!(Replica::default().apply(delta).is_err());
    }
}

#[test]
fn a_delta_that_comes_again_or_late_does_no_harm() {
    let mut ledger = ledger(1, &[("a", 1), ("b", 1)]);
    let whole = ledger.since(None);
    let mut replica = copy(&ledger);
    ledger.set("a", json!(2));
    ledger.remove("b");
    let (first, held) = (ledger.since(replica.held()), replica.held());
    replica.apply(first.clone()).unwrap();
    // Its answer was lost, and the keeper tells from what it knows to be held.
    ledger.set("b", json!(3));
    let second = ledger.since(held);
    assert_eq!(keys(&replica.apply(second.clone()).unwrap().put), ["b"]);
    for delta in [whole, first, second] {
        assert!(replica.apply(delta).unwrap().is_empty());
    }
    assert_eq!(replica.facts(), ledger.facts());
}

#[test]
fn one_that_began_anew_is_told_whole_and_takes_the_place_of_the_old() {
    let old = ledger(1, &[("a", 1), ("b", 2)]);
    let mut replica = copy(&old);
    let new = ledger(2, &[("b", 2), ("c", 3)]);
    let delta = new.since(replica.held());
    assert_eq!(delta.base, None);
    let changed = replica.apply(delta).unwrap();
    assert_eq!((keys(&changed.put), keys(&changed.dropped)), (vec!["c"], vec!["a"]));
    assert_eq!((replica.facts(), replica.held()), (new.facts(), Some(new.held())));
}

#[test]
fn so_many_removals_are_remembered_and_who_missed_more_gets_the_whole() {
    let mut ledger = ledger(1, &[("kept", 1)]);
    for number in 0..=TOMBSTONES {
        ledger.set(format!("{number:05}"), json!(0));
    }
    let (mut replica, first) = (copy(&ledger), ledger.held());
    for number in 0..TOMBSTONES {
        ledger.remove(&format!("{number:05}"));
    }
    assert_eq!(ledger.since(Some(first)).drop.len(), TOMBSTONES);
    ledger.remove(&format!("{TOMBSTONES:05}"));
    assert_eq!(ledger.changed.len(), TOMBSTONES + 1);
    let delta = ledger.since(replica.held());
    assert_eq!((delta.base, delta.put.len()), (None, 1));
    replica.apply(delta).unwrap();
    assert_eq!(replica.facts(), ledger.facts());
    // Who has heard of the one that is forgotten is still told the rest.
    let heard = Held { version: first.version + 1, ..first };
    assert_eq!(ledger.since(Some(heard)).base, Some(heard));
}

#[test]
fn what_the_ledger_never_was_at_is_answered_with_the_whole() {
    let ledger = ledger(1, &[("a", 1)]);
    let ahead = Held { version: ledger.held().version + 1, ..ledger.held() };
    assert_eq!(ledger.since(Some(ahead)).base, None);
}

#[derive(Clone, Debug)]
enum Step {
    Set(u8, u8),
    Remove(u8),
    Replace(Vec<(u8, u8)>),
    /// The ledger begins anew, with these facts.
    Anew(Vec<(u8, u8)>),
    /// The copy is told what changed since it was last heard of, and says what it holds.
    Exchange(Fate),
    /// An earlier delta comes again.
    Again(prop::sample::Index),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Lost,
    AnswerLost,
    Arrives,
}

fn facts(of: &[(u8, u8)]) -> Facts {
    of.iter().map(|(key, value)| (key.to_string(), json!(value))).collect()
}

fn step() -> impl Strategy<Value = Step> {
    let some = || prop::collection::vec((0..6_u8, 0..3_u8), 0..6);
    let fate = prop_oneof![Just(Fate::Lost), Just(Fate::AnswerLost), Just(Fate::Arrives)];
    prop_oneof![
        4 => (0..6_u8, 0..3_u8).prop_map(|(key, value)| Step::Set(key, value)),
        4 => (0..6_u8).prop_map(Step::Remove),
        1 => some().prop_map(Step::Replace),
        1 => some().prop_map(Step::Anew),
        4 => fate.prop_map(Step::Exchange),
        2 => any::<prop::sample::Index>().prop_map(Step::Again),
    ]
}

/// Both ends, and what one knows of the other.
struct Ends {
    ledger: Ledger,
    replica: Replica,
    /// What the keeper knows to be held.
    holds: Option<Held>,
    told: Vec<Delta>,
}

impl Ends {
    fn begin(run: u64, facts: Facts) -> Ledger {
        let mut ledger = Ledger { tombstones: 2, ..Ledger::new(run) };
        ledger.replace(facts);
        ledger
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Set(key, value) => self.ledger.set(key.to_string(), json!(value)),
            Step::Remove(key) => self.ledger.remove(&key.to_string()),
            Step::Replace(all) => self.ledger.replace(facts(&all)),
            Step::Anew(all) => {
                self.ledger = Self::begin(self.ledger.held().run + 1, facts(&all));
                self.holds = None;
                // What the one before said is not on its way any more: its keeper is gone.
                self.told.clear();
            }
            Step::Exchange(fate) => self.exchange(fate),
            Step::Again(which) if !self.told.is_empty() => {
                let delta = which.get(&self.told).clone();
                let _ = self.replica.apply(delta);
            }
            Step::Again(_) => {}
        }
    }

    fn exchange(&mut self, fate: Fate) {
        let delta = self.ledger.since(self.holds);
        // As it crosses.
        let delta: Delta = serde_json::from_value(json!(delta)).unwrap();
        self.told.push(delta.clone());
        if fate == Fate::Lost {
            return;
        }
        let before = self.replica.clone();
        let changed = self.replica.apply(delta).unwrap();
        let differs = |key: &String| before.facts.get(key) != self.replica.facts.get(key);
        assert!(changed.put.iter().chain(&changed.dropped).all(differs));
        assert_eq!(changed.is_empty(), before.facts == self.replica.facts);
        if fate == Fate::Arrives {
            self.holds = self.replica.held();
        }
    }
}

proptest! {
    /// Told by the keeper, as a server tells an edge: it knows what is held from the answers that
    /// arrived.
    #[test]
    fn after_an_exchange_that_arrives_the_copy_is_the_ledger_whatever_was_before(
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let (ledger, replica) = (Ends::begin(1, Facts::new()), Replica::default());
        let mut ends = Ends { ledger, replica, holds: None, told: Vec::new() };
        for step in steps {
            ends.take(step);
        }
        ends.exchange(Fate::Arrives);
        prop_assert_eq!(ends.replica.facts(), ends.ledger.facts());
        prop_assert_eq!(ends.replica.held(), Some(ends.ledger.held()));
    }

    /// Asked by the holder, as a server asks an edge: it says itself what it holds. It may also be put
    /// back to what it was.
    #[test]
    fn after_an_answer_that_arrives_the_copy_is_the_ledger_whatever_was_before(
        steps in prop::collection::vec((step(), any::<bool>()), 0..60),
    ) {
        let (ledger, replica) = (Ends::begin(1, Facts::new()), Replica::default());
        let mut ends = Ends { ledger, replica, holds: None, told: Vec::new() };
        let mut kept = ends.replica.clone();
        for (step, puts_back) in steps {
            ends.holds = ends.replica.held();
            ends.take(step);
            if puts_back {
                std::mem::swap(&mut kept, &mut ends.replica);
            }
        }
        ends.holds = ends.replica.held();
        ends.exchange(Fate::Arrives);
        prop_assert_eq!(ends.replica.facts(), ends.ledger.facts());
    }
}
