//! What the server counts, in Prometheus' text format.

mod backends;
mod connectors;

use crate::connectors::Standing;
use connectors::ConnectorMetrics;
use dme_link::{CallSeen, Flow, Kind, LinkState, Traffic};
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RequestLabels {
    command: &'static str,
    status: u16,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct CommandLabels {
    command: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ConnectorLabels {
    connector: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct MailboxErrorLabels {
    connector: String,
    error: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ErrorLabels {
    error: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct DirectionLabels {
    direction: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct WireLabels {
    connector: String,
    lane: &'static str,
    direction: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RecordLabels {
    connector: String,
    kind: &'static str,
    direction: &'static str,
}

/// All counters of one server. Names begin with `dme_`.
pub struct Metrics {
    registry: Mutex<Registry>,
    requests: Family<RequestLabels, Counter>,
    latency: Family<CommandLabels, Histogram>,
    parked: Gauge,
    watched: Gauge,
    running: Gauge,
    sync_bytes: Family<DirectionLabels, Counter>,
    link_up: Family<ConnectorLabels, Gauge>,
    link_wire: Family<WireLabels, Counter>,
    link_records: Family<RecordLabels, Counter>,
    /// The connectors that `link_up` tells of.
    known_links: Mutex<BTreeSet<String>>,
    backend_errors: Family<MailboxErrorLabels, Counter>,
    events_dropped: Counter,
    logins: Family<ErrorLabels, Counter>,
    connectors: ConnectorMetrics,
}

fn latency_histogram() -> Histogram {
    Histogram::new([
        0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    ])
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("dme");
        let requests = Family::default();
        registry.register("requests", "Requests of phones", requests.clone());
        let latency = Family::new_with_constructor(latency_histogram as fn() -> Histogram);
        registry.register_with_unit(
            "request_duration",
            "Time to answer; waiting requests (Ping, Sync with a wait) are not in it",
            Unit::Seconds,
            latency.clone(),
        );
        let gauge = |registry: &mut Registry, name: &str, help: &str| {
            let gauge: Gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let parked = gauge(&mut registry, "parked_phones", "Phones waiting for a change");
        let watched = gauge(&mut registry, "watched_mailboxes", "Mailboxes watched for phones");
        let running = gauge(&mut registry, "running_requests", "Requests being served");
        let sync_bytes = Family::default();
        registry.register_with_unit(
            "body",
            "Bytes of request and answer bodies",
            Unit::Bytes,
            sync_bytes.clone(),
        );
        let link_up = Family::default();
        registry.register("link_up", "1 where the connector's link stands", link_up.clone());
        let link_wire = Family::default();
        registry.register_with_unit(
            "link_wire",
            "Bytes of a connector's TCP streams",
            Unit::Bytes,
            link_wire.clone(),
        );
        let link_records = Family::default();
        registry.register_with_unit(
            "link_record",
            "Bytes of a connector's calls and their answers, by kind",
            Unit::Bytes,
            link_records.clone(),
        );
        let backend_errors = Family::default();
        registry.register("mailbox_errors", "Mailbox calls that failed", backend_errors.clone());
        let logins = Family::default();
        registry.register("login_refusals", "Logins refused, by reason", logins.clone());
        let events_dropped = Counter::default();
        registry.register(
            "events_dropped",
            "Events that could not be kept in the log",
            events_dropped.clone(),
        );
        let connectors = ConnectorMetrics::new(&mut registry);
        Self {
            registry: Mutex::new(registry),
            requests,
            latency: Family::clone(&latency),
            parked,
            watched,
            running,
            sync_bytes,
            link_up,
            link_wire,
            link_records,
            known_links: Mutex::default(),
            backend_errors,
            logins,
            events_dropped,
            connectors,
        }
    }
}

/// Counts one up while it lives.
pub struct Counted(Gauge);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn counted(gauge: &Gauge) -> Counted {
    gauge.inc();
    Counted(gauge.clone())
}

impl Metrics {
    /// A request was answered with this HTTP status.
    pub fn answered(&self, command: &'static str, status: u16, took: Option<Duration>) {
        self.requests.get_or_create(&RequestLabels { command, status }).inc();
        if let Some(took) = took {
            self.latency.get_or_create(&CommandLabels { command }).observe(took.as_secs_f64());
        }
    }

    /// A body came from a phone.
    pub fn received(&self, bytes: usize) {
        self.sync_bytes.get_or_create(&DirectionLabels { direction: "in" }).inc_by(bytes as u64);
    }

    /// A body went to a phone.
    pub fn sent(&self, bytes: usize) {
        self.sync_bytes.get_or_create(&DirectionLabels { direction: "out" }).inc_by(bytes as u64);
    }

    /// A phone is parked as long as the answer lives.
    pub fn park(&self) -> Counted {
        counted(&self.parked)
    }

    /// A mailbox is watched as long as the answer lives.
    pub fn watch(&self) -> Counted {
        counted(&self.watched)
    }

    /// A request is served as long as the answer lives.
    pub fn serve(&self) -> Counted {
        counted(&self.running)
    }

    /// Waits until at least this many phones are parked; none where they are not in time.
    pub async fn parked_at_least(&self, phones: usize, limit: Duration) -> Option<()> {
        let phones = i64::try_from(phones).unwrap_or(i64::MAX);
        let end = tokio::time::Instant::now() + limit;
        while self.parked.get() < phones {
            if tokio::time::Instant::now() >= end {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Some(())
    }

    /// Waits until no request is being served, at most this long.
    pub async fn none_served(&self, limit: Duration) {
        let end = tokio::time::Instant::now() + limit;
        while self.running.get() > 0 && tokio::time::Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The links of all connectors that may serve, by name, and whether each stands. What was told
    /// of others is forgotten.
    pub fn links(&self, links: &BTreeMap<String, bool>) {
        let mut known = self.known_links.lock().unwrap_or_else(PoisonError::into_inner);
        let labels = |connector: &str| ConnectorLabels { connector: connector.to_owned() };
        for (connector, up) in links {
            self.link_up.get_or_create(&labels(connector)).set(i64::from(*up));
            known.insert(connector.clone());
        }
        known.retain(|connector| {
            let stays = links.contains_key(connector);
            if !stays {
                self.link_up.remove(&labels(connector));
                let nothing = Traffic::default();
                for (labels, _) in on_the_wire(connector, &nothing) {
                    self.link_wire.remove(&labels);
                }
                for (labels, _) in of_records(connector, &nothing) {
                    self.link_records.remove(&labels);
                }
            }
            stays
        });
    }

    /// What the links that stand have carried; what is known of others stays as it is.
    pub fn carried(&self, links: &[LinkState]) {
        for link in links.iter().filter(|link| link.peer.is_some()) {
            for (labels, bytes) in on_the_wire(&link.name, &link.traffic) {
                set(&self.link_wire.get_or_create(&labels), bytes);
            }
            for (labels, bytes) in of_records(&link.name, &link.traffic) {
                set(&self.link_records.get_or_create(&labels), bytes);
            }
        }
    }

    /// A mailbox call failed, at this connector; its name is empty where none serves the user.
    pub fn mailbox_error(&self, connector: &str, error: &'static str) {
        let labels = MailboxErrorLabels { connector: connector.to_owned(), error };
        self.backend_errors.get_or_create(&labels).inc();
    }

    /// A login was refused.
    pub fn login_refused(&self, reason: &'static str) {
        self.logins.get_or_create(&ErrorLabels { error: reason }).inc();
    }

    /// So many events could not be kept in the log since the server's start.
    pub fn events_dropped(&self, count: u64) {
        set(&self.events_dropped, count);
    }

    /// A call on a connector is over.
    pub fn called(&self, seen: CallSeen<'_>) {
        self.connectors.called(seen);
    }

    /// How all connectors stand now.
    pub fn stand(&self, all: &[Standing]) {
        // Not while somebody reads: what was told before is taken away first.
        let _reading = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        self.connectors.stand(all);
    }

    /// Everything as text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &registry);
        text
    }
}

/// The bytes of each lane and direction.
fn on_the_wire(connector: &str, traffic: &Traffic) -> Vec<(WireLabels, u64)> {
    let lanes = [("calls", traffic.calls), ("bulk", traffic.bulk)].into_iter();
    let flows = lanes.flat_map(|(lane, flow)| directions(flow).map(|one| (lane, one)));
    let connector = connector.to_owned();
    flows
        .map(|(lane, (direction, bytes))| {
            (WireLabels { connector: connector.clone(), lane, direction }, bytes)
        })
        .collect()
}

/// The bytes of each kind of record and direction.
fn of_records(connector: &str, traffic: &Traffic) -> Vec<(RecordLabels, u64)> {
    let kinds = Kind::ALL.into_iter();
    let flows = kinds.flat_map(|kind| directions(traffic.records(kind)).map(|one| (kind, one)));
    let connector = connector.to_owned();
    flows
        .map(|(kind, (direction, bytes))| {
            let kind = kind.as_str();
            (RecordLabels { connector: connector.clone(), kind, direction }, bytes)
        })
        .collect()
}

/// As the server sees it.
fn directions(flow: Flow) -> [(&'static str, u64); 2] {
    [("in", flow.received), ("out", flow.sent)]
}

/// What is counted elsewhere is shown as it stands there.
fn set(counter: &Counter, value: u64) {
    counter.inner().store(value, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connectors::{Reason, State};
    use dme_link::{Capabilities, Measured, Segments, Validity};
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

    fn standing(name: &str, state: State) -> Standing {
        let link = LinkState {
            id: "c1".into(),
            name: name.into(),
            capabilities: Capabilities::default(),
            realms: None,
            software: "0.1".into(),
            peer: Some("192.0.2.1:4711".into()),
            since: Timestamp::from_seconds(1),
            round_trip: Some(Duration::from_millis(600)),
            outstanding: 7,
            queued: 2,
            watches: 40,
            draining: false,
            exhausted: false,
            traffic: Traffic::default(),
            segments: Some(Segments { sent: 100, again: 5 }),
            used: None,
            certificate: Some(Validity { made: 1, ends: 1_800_000_000 }),
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
        let documented = include_str!("../../../docs/operations.md");
        let metrics = Metrics::default();
        // One with labels shows only when it has a value.
        metrics.answered("Sync", 200, Some(Duration::ZERO));
        metrics.received(1);
        metrics.links(&BTreeMap::from([("branch".to_owned(), true)]));
        metrics.carried(&[state()]);
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

    fn state() -> LinkState {
        LinkState {
            id: "c1".into(),
            name: "branch".into(),
            capabilities: Default::default(),
            realms: None,
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

    #[test]
    fn what_a_link_carried_is_told_also_when_it_is_lost_until_its_connector_is_removed() {
        let metrics = Metrics::default();
        let name = "branch".to_owned();
        metrics.links(&BTreeMap::from([(name.clone(), true)]));
        metrics.carried(&[state()]);
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
}
