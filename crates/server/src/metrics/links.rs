//! What is counted of connectors' links: whether each stands, and what it has carried.

use super::{ConnectorLabels, set};
use dme_link::{Flow, Kind, LinkState, Traffic};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

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

/// What is counted of links.
pub(super) struct LinkMetrics {
    up: Family<ConnectorLabels, Gauge>,
    wire: Family<WireLabels, Counter>,
    records: Family<RecordLabels, Counter>,
    /// The connectors that `up` tells of.
    known: Mutex<BTreeSet<String>>,
}

impl LinkMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let all = Self {
            up: Family::default(),
            wire: Family::default(),
            records: Family::default(),
            known: Mutex::default(),
        };
        registry.register("link_up", "1 where the connector's link stands", all.up.clone());
        let wire = "Bytes of a connector's TCP streams";
        registry.register_with_unit("link_wire", wire, Unit::Bytes, all.wire.clone());
        let records = "Bytes of a connector's calls and their answers, by kind";
        registry.register_with_unit("link_record", records, Unit::Bytes, all.records.clone());
        all
    }

    /// The links of all connectors that may serve, by name, and whether each stands. What was told
    /// of others is forgotten.
    pub(super) fn stand(&self, links: &BTreeMap<String, bool>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let labels = |connector: &str| ConnectorLabels { connector: connector.to_owned() };
        for (connector, up) in links {
            self.up.get_or_create(&labels(connector)).set(i64::from(*up));
            known.insert(connector.clone());
        }
        known.retain(|connector| {
            let stays = links.contains_key(connector);
            if !stays {
                self.up.remove(&labels(connector));
                let nothing = Traffic::default();
                for (labels, _) in on_the_wire(connector, &nothing) {
                    self.wire.remove(&labels);
                }
                for (labels, _) in of_records(connector, &nothing) {
                    self.records.remove(&labels);
                }
            }
            stays
        });
    }

    /// What the links that stand have carried; what is known of others stays as it is.
    pub(super) fn carried(&self, links: &[LinkState]) {
        for link in links.iter().filter(|link| link.peer.is_some()) {
            for (labels, bytes) in on_the_wire(&link.name, &link.traffic) {
                set(&self.wire.get_or_create(&labels), bytes);
            }
            for (labels, bytes) in of_records(&link.name, &link.traffic) {
                set(&self.records.get_or_create(&labels), bytes);
            }
        }
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
