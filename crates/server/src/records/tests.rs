//! The records, on a store of their own.

use super::audit::{Audit, Deed, changed};
use super::events::{Events, Unwritten};
use super::statistics::{LINK, Request, Statistics};
use super::webhooks::Webhooks;
use super::{EventKind, Happened};
use crate::front::Clock;
use dme_audit::{Change, Means, Outcome, Who};
use dme_model::Timestamp;
use dme_store::{ActFilter, By, CountFilter, Event, EventFilter, Store};
use futures_util::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

struct World {
    home: tempfile::TempDir,
    store: Store,
    time: Arc<AtomicI64>,
    clock: Clock,
    events: Events,
    unwritten: Option<Unwritten>,
    stop: CancellationToken,
}

impl World {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(home.path().join("dme.db")).unwrap();
        let time = Arc::new(AtomicI64::new(1_800_000_000_000));
        let tells = time.clone();
        let clock: Clock = Arc::new(move || Timestamp::from_millis(tells.load(Ordering::Relaxed)));
        let (events, unwritten) = Events::new(store.clone(), clock.clone());
        let stop = CancellationToken::new();
        Self { home, store, time, clock, events, unwritten: Some(unwritten), stop }
    }

    fn later(&self, span: Duration) {
        self.time.fetch_add(i64::try_from(span.as_millis()).unwrap(), Ordering::Relaxed);
    }

    fn audit(&self) -> Arc<Audit> {
        Audit::new(self.store.clone(), self.clock.clone(), self.events.clone())
    }

    /// Writes what was noted, and ends.
    async fn write(&mut self) {
        let webhooks = Webhooks::new(&BTreeMap::new(), self.store.clone(), self.clock.clone());
        self.stop.cancel();
        let unwritten = self.unwritten.take().unwrap();
        self.events.clone().write(unwritten, webhooks.unwrap(), self.stop.clone()).await;
    }

    async fn kept(&self) -> Vec<Event> {
        let page = self.events.page(&EventFilter::default(), 100).await.unwrap();
        page.events
    }
}

fn block() -> Deed {
    let who = Who {
        name: "eve@example.org".into(),
        role: "administrator".into(),
        address: None,
        by: Means::Console,
    };
    let targets = vec!["ann@example.org".into(), "phone1".into()];
    Deed { who, act: "devices.block".into(), targets, changes: vec![] }
}

#[tokio::test]
async fn an_act_is_written_down_before_it_is_done_and_then_what_came_of_it() {
    let mut world = World::new();
    let audit = world.audit();
    let store = world.store.clone();
    let work = async {
        assert_eq!(store.acts(&ActFilter::default(), 10).await.unwrap()[0].ended, None);
        changed("admission", Some("allowed".into()), Some("blocked".into()));
        changed("wipe", Some("none".into()), Some("none".into()));
        Err::<(), _>("the store failed")
    };
    let outcome = |done: &Result<(), &str>| Outcome::Failed(done.unwrap_err().to_owned());
    let done = audit.record(block(), work, outcome).await.unwrap();
    assert!(done.is_err());
    let acts = audit.acts(&ActFilter::default(), 10).await.unwrap();
    let failed = Outcome::Failed("the store failed".into());
    assert_eq!(acts[0].ended.as_ref().map(|(_, outcome)| outcome), Some(&failed));
    let change = Change {
        what: "admission".into(),
        before: Some("allowed".into()),
        after: Some("blocked".into()),
    };
    assert_eq!(acts[0].act.changes, [change], "what stayed as it was is no change");
    assert!(audit.verify().await.unwrap().is_sound());
    world.write().await;
    let kept = world.kept().await;
    assert_eq!(kept[0].event.kind, "administration");
    assert!(kept[0].event.message.contains("devices.block ann@example.org phone1"));
}

#[tokio::test]
async fn an_act_that_cannot_be_written_down_is_not_done() {
    let world = World::new();
    let path = world.home.path().join("dme.db");
    rusqlite::Connection::open(path).unwrap().execute("DROP TABLE audit", []).unwrap();
    let done = AtomicBool::new(false);
    let work = async { done.store(true, Ordering::Relaxed) };
    assert!(world.audit().record(block(), work, |()| Outcome::Done).await.is_err());
    assert!(!done.load(Ordering::Relaxed));
}

#[tokio::test]
async fn of_an_act_whose_caller_went_away_it_is_written_that_nobody_knows_what_came_of_it() {
    let world = World::new();
    let audit = world.audit();
    let never = audit.record(block(), std::future::pending::<()>(), |()| Outcome::Done);
    assert!(tokio::time::timeout(Duration::from_millis(200), never).await.is_err());
    let ended =
        async || audit.acts(&ActFilter::default(), 10).await.unwrap().into_iter().next()?.ended;
    let mut tries = 0;
    while ended().await.is_none() && tries < 200 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        tries += 1;
    }
    assert!(matches!(ended().await, Some((_, Outcome::Failed(why))) if why.contains("not known")));
}

#[tokio::test]
async fn events_are_kept_told_live_and_those_that_repeat_once_in_a_while() {
    let mut world = World::new();
    let mut live = world.events.live();
    let refused = || {
        Happened::new(EventKind::LoginRefused, "login refused: wrong password")
            .user(&"ann@example.org".into())
    };
    for _ in 0..5 {
        world.events.note(refused());
    }
    world.events.note(refused().user(&"bob@example.org".into()));
    world.later(Duration::from_secs(301));
    world.events.note(refused());
    for _ in 0..2 {
        world.events.note(Happened::new(EventKind::MailSent, "a message is sent"));
    }
    world.write().await;
    let kept = world.kept().await;
    let told: Vec<(&str, &str)> =
        kept.iter().map(|one| (one.event.kind.as_str(), one.event.details.as_str())).collect();
    assert_eq!(
        told,
        [
            ("mail_sent", "{}"),
            ("mail_sent", "{}"),
            ("login_refused", r#"{"before":4}"#),
            ("login_refused", "{}"),
            ("login_refused", "{}"),
        ]
    );
    let first = live.recv().await.unwrap();
    assert_eq!(*first, kept[4]);
    let wanted = EventFilter { text: Some("PASSWORD".into()), ..EventFilter::default() };
    assert!(wanted.admits(&first.event));
    let other = EventFilter { user: Some("bob@example.org".into()), ..wanted };
    assert!(!other.admits(&first.event));
}

#[tokio::test]
async fn events_that_come_too_fast_are_dropped_and_counted_and_nobody_waits() {
    let mut world = World::new();
    for _ in 0..12_000 {
        world.events.note(Happened::new(EventKind::MailSent, "a message is sent"));
    }
    assert_eq!(world.events.dropped(), 2_000);
    world.write().await;
    assert_eq!(world.kept().await.len(), 100);
    // All of them come in an export, page by page.
    let exported = world.events.export(EventFilter::default());
    let pages: Vec<usize> = exported.map(|page| page.unwrap().len()).collect().await;
    assert_eq!(pages.iter().sum::<usize>(), 10_000);
    assert!(pages.iter().all(|page| *page <= 1_000), "{pages:?}");
}

#[tokio::test]
async fn requests_are_counted_and_written_together() {
    let world = World::new();
    let statistics = Statistics::new(world.store.clone(), world.clock.clone());
    let request = |command, failed, took| Request {
        user: "ann@example.org".into(),
        device: "phone1".into(),
        connector: "branch".into(),
        command,
        failed,
        received: 10,
        sent: 20,
        items: 1,
        took,
    };
    statistics.count(request("Sync", false, Some(Duration::from_millis(3))));
    statistics.count(request("Sync", true, Some(Duration::from_millis(60))));
    statistics.count(request("Ping", false, None));
    let counts = async |by: &[By]| {
        let by: BTreeSet<By> = by.iter().copied().collect();
        statistics.counts(&CountFilter::default(), &by).await.unwrap()
    };
    assert!(counts(&[]).await.is_empty());
    statistics.flush().await;
    let by_command = counts(&[By::Command]).await;
    let told: Vec<_> = by_command
        .iter()
        .map(|line| (line.of.command.as_str(), line.counts.requests, line.counts.errors))
        .collect();
    assert_eq!(told, [("Ping", 1, 0), ("Sync", 2, 1)]);
    assert_eq!(by_command[0].counts.within_ms(0.5), None, "it waited");
    assert_eq!(by_command[1].counts.within_ms(0.95), Some(100));
    let link = dme_store::Counted {
        start: dme_store::Counted::hour_of((world.clock)()),
        connector: "branch".into(),
        command: LINK.into(),
        ..Default::default()
    };
    let carried = dme_store::Counts { sent: 500, ..Default::default() };
    world.store.add_counts(vec![(link, carried)]).await.unwrap();
    // What crosses links is no phone's, however it is told apart.
    assert_eq!(counts(&[By::Command]).await, by_command);
    for by in [By::User, By::Connector, By::Hour] {
        let lines = counts(&[by]).await;
        assert_eq!(lines.len(), 1, "{by:?}: {lines:?}");
        assert_eq!((lines[0].counts.requests, lines[0].counts.sent), (3, 60), "{by:?}");
    }
    let links = CountFilter { command: Some(LINK.into()), ..CountFilter::default() };
    let links = statistics.counts(&links, &BTreeSet::from([By::Connector])).await.unwrap();
    let told: Vec<_> = links.iter().map(|one| (&*one.of.connector, one.counts.sent)).collect();
    assert_eq!(told, [("branch", 500)]);
}
