//! A connector as it is told of.

use crate::api;
use crate::language::Language;
use dme_link::{ConnectorState, Kind, LinkState, Measured};
use dme_model::{Function, Timestamp};
use dme_server::connectors::{Failing, Reason, Standing};

/// Why a connector stands as it does, in words.
pub(super) fn reason(reason: &Reason, language: Language) -> String {
    let text = |name: &str| language.text(name, &[]);
    match (language, reason) {
        // As the server itself says it, in logs too.
        (Language::English, reason) => reason.to_string(),
        (_, Reason::Nothing) => String::new(),
        (_, Reason::Embedded) => text("reason-embedded"),
        (_, Reason::Removed) => text("reason-removed"),
        (_, Reason::Waits) => text("reason-waits"),
        (_, Reason::Until(back)) => language.of("reason-until", &back.to_string()),
        (_, Reason::Unlinked) => text("reason-unlinked"),
        (_, Reason::Lost(why)) => language.of("reason-lost", why),
        (_, Reason::Drained) => text("reason-drained"),
        (_, Reason::Leaving) => text("reason-leaving"),
        (_, Reason::Full { runs, waits }) => {
            language.of("reason-full", &format!("{runs} + {waits}"))
        }
    }
}

/// All of it but what is said in words.
pub(super) fn connector(standing: &Standing) -> api::Connector {
    let record = standing.record.as_ref();
    let state = match record.map(|record| record.state) {
        None => "embedded",
        Some(ConnectorState::Locked) => "locked",
        Some(ConnectorState::Unlocked) => "unlocked",
        Some(ConnectorState::Removed) => "removed",
    };
    let keys = record.map(|record| record.keys.as_slice()).unwrap_or_default();
    api::Connector {
        name: standing.name.clone(),
        id: standing.id.to_string(),
        state: state.into(),
        standing: standing.state.as_str().into(),
        reason: String::new(),
        since: standing.since.map(Timestamp::as_seconds),
        users: standing.users,
        wrong_scope: None,
        fingerprints: keys.iter().map(dme_link::Fingerprint::grouped).collect(),
        last_seen: record.and_then(|record| record.last_seen).map(Timestamp::as_seconds),
        link: standing.link.as_ref().map(link),
        away_until: standing.away_until.map(Timestamp::as_seconds),
        waiting: Vec::new(),
        backends: standing.measured.iter().map(|one| backend(one, &standing.failing)).collect(),
    }
}

fn backend(measured: &Measured, failing: &[Failing]) -> api::Backend {
    let failing = failing
        .iter()
        .find(|one| one.function == measured.function && one.backend == measured.backend);
    api::Backend {
        failing_since: failing.map(|one| one.since.as_seconds()),
        failing_by: failing.map(|one| one.error.clone()),
        function: measured.function.clone(),
        backend: measured.backend.clone(),
        calls: measured.calls,
        failed: measured.failed.clone(),
        mean_us: u64::try_from(measured.mean().as_micros()).unwrap_or(u64::MAX),
    }
}

fn traffic(traffic: &dme_link::Traffic) -> api::Traffic {
    let flow = |flow: dme_link::Flow| api::Flow { received: flow.received, sent: flow.sent };
    let wire = [("calls", traffic.calls), ("bulk", traffic.bulk)];
    let records = Kind::ALL.map(|kind| (kind.as_str(), traffic.records(kind)));
    api::Traffic {
        wire: wire.map(|(lane, bytes)| (lane.to_owned(), flow(bytes))).into(),
        records: records.map(|(kind, bytes)| (kind.to_owned(), flow(bytes))).into(),
    }
}

fn link(state: &LinkState) -> api::Link {
    api::Link {
        since: state.since.as_seconds(),
        peer: state.peer.clone(),
        software: state.software.clone(),
        functions: state
            .capabilities
            .functions()
            .map(Function::as_str)
            .map(str::to_owned)
            .collect(),
        realms: state.realms.iter().flatten().map(ToString::to_string).collect(),
        round_trip_us: state
            .round_trip
            .map(|trip| u64::try_from(trip.as_micros()).unwrap_or(u64::MAX)),
        segments: state.segments.map(|segments| segments.sent),
        segments_again: state.segments.map(|segments| segments.again),
        traffic: traffic(&state.traffic),
        used: state.used.map(|used| api::Used { bytes: used.bytes, budget: used.budget }),
        outstanding: state.outstanding,
        queued: state.queued,
        watches: state.watches,
        draining: state.draining,
        certificate_made: state.certificate.map(|it| it.made),
        certificate_ends: state.certificate.map(|it| it.ends),
    }
}
