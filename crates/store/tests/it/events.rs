//! The event log.

use crate::databases::{Place, on_each_database};
use dme_model::Timestamp;
use dme_store::{Event, EventFilter, Level, NewEvent};
use std::time::Duration;

on_each_database![
    events_are_found_by_whatever_is_known_of_them_the_newest_first,
    pages_follow_one_another_without_gap_or_repetition_also_while_others_come,
    a_rare_word_is_looked_for_in_bounded_steps,
    old_events_and_those_beyond_the_limit_are_dropped_some_at_a_time,
];

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn event(second: u64, kind: &str, user: &str, message: &str) -> NewEvent {
    NewEvent {
        time: NOW.plus(Duration::from_secs(second)),
        level: if kind == "wipe_failed" { Level::Error } else { Level::Info },
        kind: kind.into(),
        user: Some(user.into()),
        device: Some(format!("{user}-phone").as_str().into()),
        connector: Some("branch".into()),
        request: Some(format!("r-{second}").as_str().into()),
        message: message.into(),
        details: r#"{"folder":1}"#.into(),
    }
}

fn messages(events: &[Event]) -> Vec<&str> {
    events.iter().map(|one| one.event.message.as_str()).collect()
}

async fn events_are_found_by_whatever_is_known_of_them_the_newest_first(place: Place) {
    let store = place.open().await;
    let all = vec![
        event(0, "device_new", "ann", "one"),
        event(0, "synchronised", "bob", "100% two"),
        event(5, "wipe_failed", "ann", "Three"),
        event(9, "synchronised", "ann", "four"),
    ];
    let kept = store.put_events(all.clone()).await.unwrap();
    assert!(kept.windows(2).all(|pair| pair[0].number < pair[1].number), "in one millisecond too");
    let page = store.events(&EventFilter::default(), 10).await.unwrap();
    assert_eq!(messages(&page.events), ["four", "Three", "100% two", "one"]);
    assert_eq!((page.events[3].event.clone(), page.before), (all[0].clone(), None));
    let some = |text: &str| Some(text.to_owned());
    let at = |second: u64| Some(NOW.plus(Duration::from_secs(second)));
    let none = EventFilter::default;
    for (filter, found) in [
        (EventFilter { user: Some("ann".into()), ..none() }, &["four", "Three", "one"][..]),
        (EventFilter { device: Some("bob-phone".into()), ..none() }, &["100% two"]),
        (EventFilter { connector: some("elsewhere"), ..none() }, &[]),
        (EventFilter { request: Some("r-5".into()), ..none() }, &["Three"]),
        (EventFilter { kind: some("synchronised"), ..none() }, &["four", "100% two"]),
        (EventFilter { level: Some(Level::Error), ..none() }, &["Three"]),
        (EventFilter { level: Some(Level::Warning), user: Some("bob".into()), ..none() }, &[]),
        (EventFilter { text: some("thr"), ..none() }, &["Three"]),
        (EventFilter { text: some("0%"), ..none() }, &["100% two"]),
        (EventFilter { text: some("_"), ..none() }, &[]),
        (EventFilter { from: at(5), ..none() }, &["four", "Three"]),
        (EventFilter { until: at(5), ..none() }, &["100% two", "one"]),
        (EventFilter { user: Some("ann".into()), kind: some("synchronised"), ..none() }, &["four"]),
    ] {
        let page = store.events(&filter, 10).await.unwrap();
        assert_eq!(messages(&page.events), found, "{filter:?}");
    }
}

async fn pages_follow_one_another_without_gap_or_repetition_also_while_others_come(place: Place) {
    let store = place.open().await;
    let some = |from: u64| (from..from + 25).map(|n| event(n, "device_new", "ann", &n.to_string()));
    store.put_events(some(0).collect()).await.unwrap();
    let (mut filter, mut seen) = (EventFilter::default(), Vec::new());
    loop {
        let page = store.events(&filter, 10).await.unwrap();
        seen.extend(messages(&page.events).into_iter().map(str::to_owned));
        store.put_events(some(100).collect()).await.unwrap();
        filter.before = page.before;
        if page.before.is_none() {
            break;
        }
    }
    let wanted: Vec<String> = (0..25).rev().map(|n| n.to_string()).collect();
    assert_eq!(seen, wanted);
}

async fn a_rare_word_is_looked_for_in_bounded_steps(place: Place) {
    let store = place.open().await;
    let many = |n: u64| event(n, "device_new", "ann", if n == 3 { "needle" } else { "hay" });
    store.put_events((0..10_600).map(many).collect()).await.unwrap();
    let text = Some("needle".to_owned());
    let mut filter = EventFilter { text, ..EventFilter::default() };
    let first = store.events(&filter, 10).await.unwrap();
    assert!(first.events.is_empty());
    filter.before = first.before;
    assert!(filter.before.is_some(), "it is to be gone on from there");
    let second = store.events(&filter, 10).await.unwrap();
    assert_eq!((messages(&second.events), second.before), (vec!["needle"], None));
}

async fn old_events_and_those_beyond_the_limit_are_dropped_some_at_a_time(place: Place) {
    let store = place.open().await;
    let many = |n: u64| event(n, "device_new", "ann", &n.to_string());
    store.put_events((0..5_000).map(many).collect()).await.unwrap();
    let before = NOW.plus(Duration::from_secs(100));
    assert!(!store.expire_events(before, 1_000_000).await.unwrap());
    let oldest = EventFilter { until: Some(before), ..EventFilter::default() };
    assert!(store.events(&oldest, 1).await.unwrap().events.is_empty());
    let mut steps = 1;
    while store.expire_events(before, 10).await.unwrap() {
        steps += 1;
    }
    let left = store.events(&EventFilter::default(), 100).await.unwrap();
    assert_eq!((left.events.len(), steps), (10, 3));
    assert_eq!(left.events[0].event.message, "4999");
}
