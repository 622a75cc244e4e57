//! The record of acts, and what is found when somebody goes at the database itself.

use crate::databases::{Place, on_each_database};
use dme_audit::{
    Act, Change, Countersignature, Fault, Means, Outcome, Report, Row, Signer, Step, Verifier, Who,
};
use dme_link::Authority;
use dme_model::Timestamp;
use dme_store::{ActFilter, Store};

on_each_database![
    what_is_recorded_is_read_as_it_was_and_sound,
    a_changed_row_is_named_whatever_of_it_was_changed,
    a_row_that_is_missing_is_named_and_so_are_two_that_were_exchanged,
    a_cut_end_is_found_by_the_countersignature_alone,
    a_chain_made_anew_after_a_change_is_found_by_the_countersignature_alone,
    acts_are_found_with_what_came_of_them,
    of_each_signer_the_last_signatures_are_kept,
];

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

struct World {
    place: Place,
    store: Store,
}

fn eve() -> Who {
    Who {
        name: "eve@example.org".into(),
        role: "administrator".into(),
        address: Some("192.0.2.7".into()),
        by: Means::Console,
    }
}

fn begun(name: &str, target: &str) -> Step {
    let change = Change {
        what: "admission".into(),
        before: Some("allowed".into()),
        after: Some("blocked".into()),
    };
    Step::Begun(Act { name: name.into(), targets: vec![target.into()], changes: vec![change] })
}

fn ended(row: &Row) -> Step {
    Step::Ended { begun: row.entry.number, outcome: Outcome::Done, changes: vec![] }
}

impl World {
    /// Six rows: three acts with their ends.
    async fn new(place: Place) -> Self {
        let store = place.open().await;
        for user in ["ann", "bob", "cem"] {
            let first = store.append_audit(NOW, &eve(), begun("device.block", user)).await.unwrap();
            store.append_audit(NOW, &eve(), ended(&first)).await.unwrap();
        }
        Self { place, store }
    }

    /// Does something to the database, as somebody who can write it.
    fn tamper(&self, sql: &str) {
        self.place.tamper(sql);
    }

    async fn rows(&self) -> Vec<Row> {
        let rows = self.store.audit_rows(0, 100).await.unwrap();
        rows.into_iter().map(Result::unwrap).collect()
    }

    async fn sign(&self) -> Countersignature {
        let home = tempfile::tempdir().unwrap();
        let authority = Authority::open(home.path()).unwrap();
        let head = self.store.audit_head().await.unwrap().unwrap();
        let mut signed = authority.countersign(head, NOW).unwrap();
        signed.signer = Signer::Connector;
        signed.name = "branch".into();
        self.store.put_signature(Some(&"c1".into()), &signed).await.unwrap();
        signed
    }

    async fn verify(&self) -> Report {
        let mut verifier = Verifier::new(self.store.signatures().await.unwrap());
        for row in self.store.audit_rows(0, 100).await.unwrap() {
            match row {
                Ok(row) => verifier.read(&row),
                Err(number) => verifier.read_broken(number),
            }
        }
        verifier.end()
    }

    async fn faults(&self) -> Vec<Fault> {
        self.verify().await.faults
    }
}

async fn what_is_recorded_is_read_as_it_was_and_sound(place: Place) {
    let world = World::new(place).await;
    let rows = world.rows().await;
    assert_eq!(rows[0].entry.step, begun("device.block", "ann"));
    assert_eq!(rows[1].entry.step, ended(&rows[0]));
    assert_eq!((rows[0].entry.time, &rows[0].entry.who), (NOW, &eve()));
    let signed = world.sign().await;
    assert_eq!(world.store.signatures().await.unwrap(), [signed]);
    let report = world.verify().await;
    assert!(report.is_sound(), "{:?}", report.faults);
    assert_eq!(report.connectors, Some((6, "branch".into())));
    assert_eq!(world.store.last_signed(Some(&"c1".into())).await.unwrap(), 6);
    assert_eq!(world.store.last_signed(None).await.unwrap(), 0);
}

async fn a_changed_row_is_named_whatever_of_it_was_changed(place: Place) {
    for change in [
        "who = 'mallory'",
        "role = 'auditor'",
        "address = NULL",
        "means = 'rest'",
        "means = 'nothing'",
        "begun = 1",
        "targets = 'none'",
        "act = NULL",
        "time = time + 1",
        "act = 'device.allow'",
        "targets = '[\"dan\"]'",
        "changes = '[]'",
        "previous = 'aa' || SUBSTR(previous, 3)",
        "hash = 'aa' || SUBSTR(hash, 3)",
    ] {
        let world = World::new(place.another()).await;
        world.tamper(&format!("UPDATE audit SET {change} WHERE number = 3"));
        assert_eq!(world.faults().await, [Fault::Changed { number: 3 }], "{change}");
    }
    for change in ["outcome = 'failed'", "outcome = '?'", "reason = 'x'", "begun = 1", "act = 'a'"]
    {
        let world = World::new(place.another()).await;
        world.tamper(&format!("UPDATE audit SET {change} WHERE number = 4"));
        assert_eq!(world.faults().await, [Fault::Changed { number: 4 }], "{change}");
    }
}

async fn a_row_that_is_missing_is_named_and_so_are_two_that_were_exchanged(place: Place) {
    let world = World::new(place.another()).await;
    world.tamper("DELETE FROM audit WHERE number = 3");
    assert_eq!(world.faults().await, [Fault::Missing { from: 3, to: 3 }]);

    let world = World::new(place.another()).await;
    world.tamper("UPDATE audit SET number = 99 WHERE number = 3");
    world.tamper("UPDATE audit SET number = 3 WHERE number = 4");
    world.tamper("UPDATE audit SET number = 4 WHERE number = 99");
    let exchanged = [Fault::Changed { number: 3 }, Fault::Changed { number: 4 }];
    assert_eq!(world.faults().await, exchanged);
}

async fn a_cut_end_is_found_by_the_countersignature_alone(place: Place) {
    let world = World::new(place).await;
    world.sign().await;
    world.tamper("DELETE FROM audit WHERE number > 4");
    let signer = "connector branch".to_owned();
    assert_eq!(world.faults().await, [Fault::Cut { last: 4, signed: 6, signer }]);
    world.tamper("DELETE FROM audit_signature");
    assert!(world.faults().await.is_empty());
}

async fn a_chain_made_anew_after_a_change_is_found_by_the_countersignature_alone(place: Place) {
    let world = World::new(place).await;
    world.sign().await;
    world.tamper("UPDATE audit SET who = 'mallory' WHERE number = 2");
    let mut previous = dme_audit::Hash::NONE;
    for row in world.rows().await {
        let row = Row::after(previous, row.entry);
        previous = row.hash;
        world.tamper(&format!(
            "UPDATE audit SET previous = '{}', hash = '{}' WHERE number = {}",
            row.previous, row.hash, row.entry.number
        ));
    }
    let signer = "connector branch".to_owned();
    assert_eq!(world.faults().await, [Fault::Forged { number: 6, signer: signer.clone() }]);
    world.tamper(&format!("UPDATE audit_signature SET hash = '{previous}'"));
    assert_eq!(world.faults().await, [Fault::NotGenuine { number: 6, signer }]);
}

async fn acts_are_found_with_what_came_of_them(place: Place) {
    let world = World::new(place).await;
    let store = &world.store;
    let later = NOW.plus(std::time::Duration::from_secs(60));
    store.append_audit(later, &Who::server(), begun("user_100%.lock", "d_nÜ")).await.unwrap();
    let find = async |filter: ActFilter| store.acts(&filter, 10).await.unwrap();
    let all = find(ActFilter::default()).await;
    assert_eq!(all.iter().map(|act| act.number).collect::<Vec<_>>(), [7, 5, 3, 1]);
    assert_eq!(all[0].ended, None, "nobody knows what came of it");
    assert_eq!(all[1].ended, Some((NOW, Outcome::Done)));
    let numbers = async |filter| -> Vec<u64> {
        find(filter).await.into_iter().map(|act| act.number).collect()
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(numbers(ActFilter { who: some("server"), ..Default::default() }).await, [7]);
    assert_eq!(numbers(ActFilter { act: some("device."), ..Default::default() }).await, [5, 3, 1]);
    assert_eq!(numbers(ActFilter { act: some("device"), ..Default::default() }).await, [0; 0]);
    assert_eq!(numbers(ActFilter { target: some("BOB"), ..Default::default() }).await, [3]);
    assert_eq!(numbers(ActFilter { target: some("_"), ..Default::default() }).await, [7]);
    // As both databases fold: ASCII alone.
    assert_eq!(numbers(ActFilter { target: some("NÜ"), ..Default::default() }).await, [7]);
    assert_eq!(numbers(ActFilter { before: Some(5), ..Default::default() }).await, [3, 1]);
    assert_eq!(numbers(ActFilter { from: Some(later), ..Default::default() }).await, [7]);
    assert_eq!(numbers(ActFilter { until: Some(later), ..Default::default() }).await, [5, 3, 1]);
}

async fn of_each_signer_the_last_signatures_are_kept(place: Place) {
    let world = World::new(place).await;
    let signed = world.sign().await;
    for number in 7..30 {
        let mut one = signed.clone();
        one.head.number = number;
        world.store.put_signature(None, &one).await.unwrap();
    }
    let kept = world.store.signatures().await.unwrap();
    let numbers: Vec<u64> = kept.iter().map(|one| one.head.number).collect();
    assert_eq!(numbers, [&[6][..], &(20..30).collect::<Vec<u64>>()].concat());
}
