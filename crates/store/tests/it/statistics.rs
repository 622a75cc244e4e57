//! Counts by hour and day.

use crate::databases::{Place, on_each_database};
use dme_model::Timestamp;
use dme_store::{By, CountFilter, Counted, Counts};
use std::collections::BTreeSet;
use std::time::Duration;

on_each_database![
    counts_of_one_hour_add_up_and_are_told_apart_as_is_wanted,
    hours_become_days_without_a_count_lost_and_old_days_go,
];

/// The beginning of a day.
const DAY: Timestamp = Timestamp::from_seconds(20_000 * 86_400);

fn of(hour: u64, user: &str, command: &str) -> Counted {
    Counted {
        start: DAY.plus(Duration::from_secs(hour * 3600)),
        user: user.into(),
        device: format!("{user}-phone"),
        connector: "branch".into(),
        command: command.into(),
    }
}

fn counts(took_ms: &[u64]) -> Counts {
    let mut counts = Counts { received: 10, sent: 100, items: 2, ..Counts::default() };
    for ms in took_ms {
        counts.requests += 1;
        counts.took(ms * 1000);
    }
    counts
}

fn by(by: &[By]) -> BTreeSet<By> {
    by.iter().copied().collect()
}

async fn counts_of_one_hour_add_up_and_are_told_apart_as_is_wanted(place: Place) {
    let store = place.open().await;
    let all = vec![
        (of(0, "ann", "Sync"), counts(&[3, 70])),
        (of(0, "bob", "Sync"), counts(&[3])),
        (of(1, "ann", "Ping"), counts(&[9_000])),
    ];
    store.add_counts(all).await.unwrap();
    store.add_counts(vec![(of(0, "ann", "Sync"), counts(&[1]))]).await.unwrap();
    let all = store.counts(&CountFilter::default(), &BTreeSet::new(), 100).await.unwrap();
    assert_eq!((all.len(), all[0].devices, all[0].counts.requests), (1, 2, 5));
    assert_eq!((all[0].counts.sent, all[0].counts.longest_us), (400, 9_000_000));
    assert_eq!(all[0].counts.within_ms(0.5), Some(5));
    assert_eq!(all[0].counts.within_ms(0.95), Some(9_000));

    let by_user = store.counts(&CountFilter::default(), &by(&[By::User]), 100).await.unwrap();
    let told: Vec<_> =
        by_user.iter().map(|line| (line.of.user.as_str(), line.counts.requests)).collect();
    assert_eq!(told, [("ann", 4), ("bob", 1)]);

    let filter = CountFilter { command: Some("Sync".into()), ..CountFilter::default() };
    let hours = store.counts(&filter, &by(&[By::Hour, By::Command]), 100).await.unwrap();
    assert_eq!((hours.len(), hours[0].of.start, hours[0].counts.requests), (1, DAY, 4));
    let later = Some(DAY.plus(Duration::from_secs(3600)));
    let filter = CountFilter { from: later, user: Some("bob".into()), ..CountFilter::default() };
    assert!(store.counts(&filter, &BTreeSet::new(), 100).await.unwrap().is_empty());
}

async fn hours_become_days_without_a_count_lost_and_old_days_go(place: Place) {
    let store = place.open().await;
    for hour in 0..60 {
        store.add_counts(vec![(of(hour, "ann", "Sync"), counts(&[3]))]).await.unwrap();
    }
    // The third day is not over at this hour.
    let now = DAY.plus(Duration::from_secs(60 * 3600));
    let mut steps = 0;
    while store.roll_counts_up(now, DAY).await.unwrap() {
        steps += 1;
    }
    assert_eq!(steps, 48);
    let lines = async |by: &[By]| {
        store.counts(&CountFilter::default(), &by.iter().copied().collect(), 100).await.unwrap()
    };
    assert_eq!(lines(&[]).await[0].counts.requests, 60);
    let days: Vec<u64> = lines(&[By::Day]).await.iter().map(|day| day.counts.requests).collect();
    assert_eq!(days, [24, 24, 12]);
    assert_eq!(lines(&[By::Hour]).await.len(), 2 + 12, "days, and the hours of the last");
    // What comes late is added to its day.
    store.add_counts(vec![(of(5, "ann", "Sync"), counts(&[3]))]).await.unwrap();
    store.roll_counts_up(now, DAY).await.unwrap();
    assert_eq!(lines(&[By::Day]).await[0].counts.requests, 25);
    store.roll_counts_up(now, DAY.plus(Duration::from_secs(86_400))).await.unwrap();
    assert_eq!(lines(&[]).await[0].counts.requests, 36);
}
