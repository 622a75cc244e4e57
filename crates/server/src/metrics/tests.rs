use super::*;
use crate::connectors::{Reason, State};
use dme_link::{Capabilities, Flow, Measured, Segments, Traffic, Validity};
use dme_model::Timestamp;

fn seen() -> CallSeen<'static> {
    let (connector, call) = ("branch", "mailbox/fetch");
    CallSeen { connector, call, outcome: "link.busy", took: Duration::from_millis(30) }
}

fn measured() -> Measured {
    let mut row = Measured::of("calendar", "dav");
    row.count(Duration::from_millis(2), None);
    row.count(Duration::from_secs(60), Some("mailbox.timeout"));
    row
}

fn link() -> LinkState {
    LinkState {
        id: "c1".into(),
        name: "branch".into(),
        capabilities: Capabilities::default(),
        realms: None,
        is_edge: false,
        software: "0.1.0".into(),
        peer: Some("192.0.2.1:4711".into()),
        since: Timestamp::from_seconds(0),
        round_trip: Some(Duration::from_millis(600)),
        traffic: Traffic { calls: Flow { received: 5, sent: 7 }, ..Traffic::default() },
        segments: None,
        used: None,
        outstanding: 0,
        queued: 0,
        watches: 0,
        draining: false,
        exhausted: false,
        certificate: None,
    }
}

fn standing(name: &str, state: State) -> Standing {
    let link = LinkState {
        traffic: Traffic::default(),
        outstanding: 7,
        queued: 2,
        watches: 40,
        segments: Some(Segments { sent: 100, again: 5 }),
        certificate: Some(Validity { made: 1, ends: 1_800_000_000 }),
        ..link()
    };
    Standing {
        id: "c1".into(),
        name: name.into(),
        record: None,
        state,
        reason: Reason::Nothing,
        since: None,
        away_until: None,
        link: Some(link),
        users: 12,
        measured: vec![measured()],
        failing: Vec::new(),
    }
}

#[test]
fn connectors_and_the_calls_on_them_are_told_and_those_that_went_are_not() {
    let metrics = Metrics::default();
    metrics.called(seen());
    metrics.stand(&[standing("branch", State::Exhausted), standing("old", State::Revoked)]);
    let text = metrics.to_text();
    for line in [
        "dme_connector_state{connector=\"branch\",state=\"exhausted\"} 1",
        "dme_connector_state{connector=\"branch\",state=\"running\"} 0",
        "dme_connector_users{connector=\"branch\"} 12",
        "dme_connector_running_calls{connector=\"branch\"} 7",
        "dme_link_round_trip_seconds{connector=\"branch\"} 0.6",
        "dme_backend_call_duration_seconds_count{connector=\"branch\",function=\"calendar\",backend=\"dav\"} 2",
        "dme_backend_call_duration_seconds_bucket{le=\"0.003\",connector=\"branch\",function=\"calendar\",backend=\"dav\"} 1",
        "dme_backend_errors_total{connector=\"branch\",function=\"calendar\",backend=\"dav\",error=\"mailbox.timeout\"} 1",
        "dme_link_segments_again{connector=\"branch\"} 5",
        "dme_connector_certificate_ends_seconds{connector=\"branch\"} 1800000000.0",
        "dme_calls_total{connector=\"branch\",calls=\"fetch\",outcome=\"link.busy\"} 1",
        "dme_call_duration_seconds_count{connector=\"branch\",calls=\"fetch\"} 1",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in {text}");
    }
    assert!(!text.contains("\"old\""), "{text}");
    metrics.stand(&[]);
    assert!(!metrics.to_text().contains("dme_connector_users{"));
}

#[test]
fn every_metric_is_documented_under_the_name_it_has() {
    let documented = include_str!("../../../../docs/operations.md");
    let metrics = Metrics::default();
    // One with labels shows only when it has a value.
    metrics.answered("Sync", 200, Some(Duration::ZERO));
    metrics.received(1);
    metrics.links(&BTreeMap::from([("branch".to_owned(), true)]));
    metrics.carried(&[link()]);
    metrics.mailbox_error("branch", "timeout");
    metrics.login_refused("malformed");
    metrics.called(seen());
    metrics.stand(&[standing("branch", State::Running)]);
    let text = metrics.to_text();
    let described = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut count = 0;
    for line in described {
        let (name, kind) = line.split_once(' ').unwrap();
        let name = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
        assert!(documented.contains(&format!("`{name}`")), "{name} is not in operations.md");
        count += 1;
    }
    assert_eq!(count, 25);
}

#[test]
fn what_a_link_carried_is_told_also_when_it_is_lost_until_its_connector_is_removed() {
    let metrics = Metrics::default();
    let name = "branch".to_owned();
    metrics.links(&BTreeMap::from([(name.clone(), true)]));
    metrics.carried(&[link()]);
    metrics.links(&BTreeMap::from([(name, false)]));
    metrics.carried(&[]);
    let text = metrics.to_text();
    let labels = "connector=\"branch\",lane=\"calls\",direction";
    for line in [
        format!("dme_link_wire_bytes_total{{{labels}=\"in\"}} 5"),
        format!("dme_link_wire_bytes_total{{{labels}=\"out\"}} 7"),
    ] {
        assert!(text.contains(&line), "{line} is not in {text}");
    }
    metrics.links(&BTreeMap::new());
    assert!(!metrics.to_text().contains("branch"));
}

#[test]
fn a_connector_that_is_away_is_told_of_and_one_that_was_removed_is_not() {
    let metrics = Metrics::default();
    let of = |links: &[(&str, bool)]| {
        metrics.links(&links.iter().map(|(name, up)| ((*name).to_owned(), *up)).collect());
        metrics.to_text()
    };
    let text = of(&[("branch", false), ("head-office", true)]);
    assert!(text.contains("dme_link_up{connector=\"branch\"} 0"), "{text}");
    assert!(text.contains("dme_link_up{connector=\"head-office\"} 1"), "{text}");
    assert!(!of(&[("head-office", true)]).contains("branch"));
}
