//! What is counted of connectors, and of the calls made on them.

use super::ConnectorLabels;
use super::backends::Backends;
use crate::connectors::{Standing, State};
use dme_link::{CallSeen, Segments};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::AtomicU64;

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct StateLabels {
    connector: String,
    state: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct CallLabels {
    connector: String,
    calls: &'static str,
    outcome: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct GroupLabels {
    connector: String,
    calls: &'static str,
}

type Seconds = Gauge<f64, AtomicU64>;

/// What is counted of connectors.
pub(super) struct ConnectorMetrics {
    state: Family<StateLabels, Gauge>,
    users: Family<ConnectorLabels, Gauge>,
    running: Family<ConnectorLabels, Gauge>,
    waiting: Family<ConnectorLabels, Gauge>,
    watches: Family<ConnectorLabels, Gauge>,
    round_trip: Family<ConnectorLabels, Seconds>,
    segments: Family<ConnectorLabels, Gauge>,
    again: Family<ConnectorLabels, Gauge>,
    certificate: Family<ConnectorLabels, Seconds>,
    calls: Family<CallLabels, Counter>,
    latency: Family<GroupLabels, Histogram>,
    backends: Backends,
}

fn call_histogram() -> Histogram {
    Histogram::new([0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0])
}

impl ConnectorMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let all = Self {
            state: Family::default(),
            users: Family::default(),
            running: Family::default(),
            waiting: Family::default(),
            watches: Family::default(),
            round_trip: Family::default(),
            segments: Family::default(),
            again: Family::default(),
            certificate: Family::default(),
            calls: Family::default(),
            latency: Family::new_with_constructor(call_histogram as fn() -> Histogram),
            backends: Backends::default(),
        };
        registry.register_collector(Box::new(all.backends.clone()));
        let state = "1 for the state the connector is in, 0 for the others";
        registry.register("connector_state", state, all.state.clone());
        let users = "Users whom the connector serves in some function";
        registry.register("connector_users", users, all.users.clone());
        let running = "Calls that run on the connector";
        registry.register("connector_running_calls", running, all.running.clone());
        let waiting = "Calls that wait for a place on the connector";
        registry.register("connector_waiting_calls", waiting, all.waiting.clone());
        let watches = "Watches that stand on the connector";
        registry.register("connector_watches", watches, all.watches.clone());
        let trip = "Round trip over the link as last measured";
        let name = "link_round_trip";
        registry.register_with_unit(name, trip, Unit::Seconds, all.round_trip.clone());
        let sent = "TCP segments with data sent to the connector over the link that stands";
        registry.register("link_segments", sent, all.segments.clone());
        let again = "Those of them that were sent again, because they were lost or late";
        registry.register("link_segments_again", again, all.again.clone());
        let ends = "When the certificate of the link ends, since the epoch";
        let name = "connector_certificate_ends";
        registry.register_with_unit(name, ends, Unit::Seconds, all.certificate.clone());
        registry.register("calls", "Calls on connectors over links, by outcome", all.calls.clone());
        let took = "Time to an answer over the link, waiting for a place among it";
        let name = "call_duration";
        registry.register_with_unit(name, took, Unit::Seconds, Family::clone(&all.latency));
        all
    }

    /// A call on a connector is over.
    pub(super) fn called(&self, seen: CallSeen<'_>) {
        let (connector, calls) = (seen.connector.to_owned(), group(seen.call));
        let labels = GroupLabels { connector: connector.clone(), calls };
        self.latency.get_or_create(&labels).observe(seen.took.as_secs_f64());
        let labels = CallLabels { connector, calls, outcome: seen.outcome };
        self.calls.get_or_create(&labels).inc();
    }

    /// How all connectors stand now, in the place of what was told before. Of several with one name
    /// the counts are of all.
    pub(super) fn stand(&self, all: &[Standing]) {
        self.backends.stand(all);
        self.state.clear();
        let counts = [&self.users, &self.running, &self.waiting, &self.watches];
        for gauges in counts.into_iter().chain([&self.segments, &self.again]) {
            gauges.clear();
        }
        self.round_trip.clear();
        self.certificate.clear();
        for one in all.iter().filter(|one| one.state != State::Revoked) {
            let labels = ConnectorLabels { connector: one.name.clone() };
            for state in State::ALL.into_iter().filter(|state| *state != State::Revoked) {
                let labels = StateLabels { connector: one.name.clone(), state: state.as_str() };
                self.state.get_or_create(&labels).inc_by(i64::from(state == one.state));
            }
            let count = |gauges: &Family<ConnectorLabels, Gauge>, number: usize| {
                gauges.get_or_create(&labels).inc_by(i64::try_from(number).unwrap_or(i64::MAX));
            };
            count(&self.users, one.users);
            let Some(link) = &one.link else { continue };
            count(&self.running, link.outstanding);
            count(&self.waiting, link.queued);
            count(&self.watches, link.watches);
            if let Some(Segments { sent, again }) = link.segments {
                let whole = |number| usize::try_from(number).unwrap_or(usize::MAX);
                count(&self.segments, whole(sent));
                count(&self.again, whole(again));
            }
            if let Some(trip) = link.round_trip {
                self.round_trip.get_or_create(&labels).set(trip.as_secs_f64());
            }
            if let Some(certificate) = link.certificate {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "seconds fit for 285 million years"
                )]
                self.certificate.get_or_create(&labels).set(certificate.ends as f64);
            }
        }
    }
}

/// What a call is about: few words, so that histograms stay few.
fn group(call: &str) -> &'static str {
    match call {
        "directory/authenticate" => "authentication",
        "mail/owns" | "mailbox/owns" => "ownership",
        "mailbox/fetch" | "mailbox/fetch_part" => "fetch",
        "mailbox/watch" => "watch",
        "mailbox/submit" | "mailbox/deliver" => "send",
        "mailbox/search" => "search",
        "mailbox/collections"
        | "mailbox/changes"
        | "mailbox/changed"
        | "mailbox/list"
        | "mailbox/identity"
        | "mailbox/busy"
        | "mailbox/vacation" => "read",
        _ => match call.split_once('/') {
            Some(("mailbox", _)) => "write",
            Some(("directory", _)) => "directory",
            _ => "other",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_in_a_group() {
        for (call, expected) in [
            ("directory/authenticate", "authentication"),
            ("directory/search", "directory"),
            ("mailbox/fetch_part", "fetch"),
            ("mailbox/create_item", "write"),
            ("mailbox/a_call_of_a_newer_release", "write"),
            ("connector/diagnose", "other"),
        ] {
            assert_eq!(group(call), expected, "{call}");
        }
    }
}
