//! What the server counts, in Prometheus' text format.

mod backends;
mod connectors;
mod links;

use crate::connectors::Standing;
use connectors::ConnectorMetrics;
use dme_link::{CallSeen, LinkState};
use links::LinkMetrics;
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeMap;
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

/// All counters of one server. Names begin with `dme_`.
pub struct Metrics {
    registry: Mutex<Registry>,
    requests: Family<RequestLabels, Counter>,
    latency: Family<CommandLabels, Histogram>,
    parked: Gauge,
    watched: Gauge,
    running: Gauge,
    bodies: Family<DirectionLabels, Counter>,
    links: LinkMetrics,
    mailbox_errors: Family<MailboxErrorLabels, Counter>,
    login_refusals: Family<ErrorLabels, Counter>,
    events_dropped: Counter,
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
        let bodies = Family::default();
        registry.register_with_unit(
            "body",
            "Bytes of request and answer bodies",
            Unit::Bytes,
            bodies.clone(),
        );
        let links = LinkMetrics::new(&mut registry);
        let mailbox_errors = Family::default();
        registry.register("mailbox_errors", "Mailbox calls that failed", mailbox_errors.clone());
        let login_refusals = Family::default();
        registry.register("login_refusals", "Logins refused, by reason", login_refusals.clone());
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
            bodies,
            links,
            mailbox_errors,
            login_refusals,
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
        self.bodies.get_or_create(&DirectionLabels { direction: "in" }).inc_by(bytes as u64);
    }

    /// A body went to a phone.
    pub fn sent(&self, bytes: usize) {
        self.bodies.get_or_create(&DirectionLabels { direction: "out" }).inc_by(bytes as u64);
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
        self.links.stand(links);
    }

    /// What the links that stand have carried; what is known of others stays as it is.
    pub fn carried(&self, links: &[LinkState]) {
        self.links.carried(links);
    }

    /// A mailbox call failed, at this connector; its name is empty where none serves the user.
    pub fn mailbox_error(&self, connector: &str, error: &'static str) {
        let labels = MailboxErrorLabels { connector: connector.to_owned(), error };
        self.mailbox_errors.get_or_create(&labels).inc();
    }

    /// A login was refused.
    pub fn login_refused(&self, reason: &'static str) {
        self.login_refusals.get_or_create(&ErrorLabels { error: reason }).inc();
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

/// What is counted elsewhere is shown as it stands there.
fn set(counter: &Counter, value: u64) {
    counter.inner().store(value, Ordering::Relaxed);
}

#[cfg(test)]
mod tests;
