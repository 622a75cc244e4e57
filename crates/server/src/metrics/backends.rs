//! What connectors count of the calls on the systems behind them, by function and backend.

use crate::connectors::{Standing, State};
use dme_link::Measured;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, EncodeLabelSet)]
struct Labels {
    connector: String,
    function: String,
    backend: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ErrorLabels {
    connector: String,
    function: String,
    backend: String,
    error: String,
}

/// The counts as connectors told them last.
#[derive(Clone, Default, Debug)]
pub(super) struct Backends(Arc<Mutex<BTreeMap<Labels, Measured>>>);

impl Backends {
    /// All, in the place of what was told before. Of several connectors with one name the counts are
    /// of all.
    pub(super) fn stand(&self, all: &[Standing]) {
        let mut known: BTreeMap<Labels, Measured> = BTreeMap::new();
        for one in all.iter().filter(|one| one.state != State::Revoked) {
            for row in &one.measured {
                let connector = one.name.clone();
                let (function, backend) = (row.function.clone(), row.backend.clone());
                let labels = Labels { connector, function, backend };
                known.entry(labels).and_modify(|sum| sum.add(row)).or_insert_with(|| row.clone());
            }
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

impl Collector for Backends {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let help = "Calls on the systems behind connectors, and how long they took";
        let (name, unit) = ("backend_call_duration", Some(&Unit::Seconds));
        let mut calls = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        for (labels, row) in known.iter() {
            let within = Measured::BOUNDS.into_iter().zip(&row.within);
            let mut within: Vec<_> =
                within.map(|(millis, calls)| (seconds(millis, 1_000), *calls)).collect();
            let beyond = row.calls.saturating_sub(within.iter().map(|(_, calls)| calls).sum());
            within.push((f64::INFINITY, beyond));
            let sum = seconds(row.micros, 1_000_000);
            let mut family = calls.encode_family(labels)?;
            family.encode_histogram::<NoLabelSet>(sum, row.calls, &within, None)?;
        }
        let help = "Those of them that failed, by the name of what went wrong";
        let mut errors =
            encoder.encode_descriptor("backend_errors", help, None, MetricType::Counter)?;
        for (labels, row) in known.iter() {
            for (error, count) in &row.failed {
                let Labels { connector, function, backend } = labels.clone();
                let labels = ErrorLabels { connector, function, backend, error: error.clone() };
                let mut family = errors.encode_family(&labels)?;
                family.encode_counter::<NoLabelSet, _, f64>(count, None)?;
            }
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact for 285 years of calls")]
fn seconds(count: u64, each: u64) -> f64 {
    count as f64 / each as f64
}
