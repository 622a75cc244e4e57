//! One connector: how it stands, what is set of it, what it found out, what can be done.

use super::bytes::bytes;
use super::connectors::Row;
use super::events::{Events, lately};
use super::time::moment;
use super::{Act, Frame, Visit, html, path};
use crate::endpoints::overview::NEAR;
use crate::{Console, Refusal, api, form};
use askama::Template;
use dme_link::CheckVerdict;
use dme_model::Function;
use dme_server::connectors::{ConnectorSettings, Scope};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "connector.html")]
struct Connector {
    frame: Frame,
    row: Row,
    /// Its path.
    base: String,
    /// Whether it is in the book of connectors: the one in this process is not.
    enrolled: bool,
    settings: api::Settings,
    held: Held,
    logins_words: String,
    effective: Vec<(String, String)>,
    made: String,
    ends: String,
    /// The devices of those whom it serves.
    devices: String,
    acts: Vec<Act>,
    /// Bytes by kind: from it and to it.
    flows: Vec<(String, String, String)>,
    /// What is used of this month's budget, its share of a hundred, and whether that is much.
    budget: Option<(String, u64, bool)>,
    /// The systems behind it.
    systems: Vec<System>,
    found: Option<Found>,
    /// What waits for its next contact.
    pending: Vec<Pending>,
    events: Events,
}

/// One of the systems behind it, and how it fares.
struct System {
    backend: String,
    function: String,
    calls: u64,
    /// What went wrong, and how often.
    failed: Vec<(String, u64)>,
    mean: String,
    /// Since when most calls fail; nothing where they do not.
    failing: Option<String>,
}

impl System {
    fn of(frame: &Frame, backend: &api::Backend) -> Self {
        let api::Backend { function, backend, calls, failed, mean_us, failing_since, .. } = backend;
        Self {
            backend: backend.clone(),
            function: frame.word("function", function),
            calls: *calls,
            failed: failed.iter().map(|(name, count)| (name.clone(), *count)).collect(),
            mean: format!("{}.{} ms", mean_us / 1_000, mean_us % 1_000 / 100),
            failing: failing_since.map(|since| moment(Some(since))),
        }
    }
}

/// Something that waits for it.
struct Pending {
    what: String,
    by: String,
    at: String,
    /// Where it is called off.
    off: String,
}

/// What holds, as the form has it.
struct Held {
    tier: String,
    scope: (&'static str, String),
    logins: (&'static str, String),
    parallel: u32,
    queued: u32,
    edge: String,
    functions: Vec<(&'static str, bool)>,
}

/// What it found out when it last tried.
struct Found {
    made: String,
    software: String,
    system: String,
    checks: Vec<(String, &'static str, String)>,
    log: Vec<String>,
    settings: String,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let name = visit.arg("connector");
    let found = console.list_connectors(&visit.principal, visit.frame.look.language).await?;
    let found = found.into_iter().find(|one| one.name == name || one.id == name);
    let connector = found.ok_or_else(|| Refusal::lacks("no-connector-named", name))?;
    let settings = console.connector_settings(&connector.name).await?;
    let enrolled = connector.state != "embedded" && connector.state != "removed";
    let diagnosis = match enrolled {
        true => console.diagnosis(&connector.name).await?,
        false => api::LastDiagnosis { made: None, diagnosis: None },
    };
    let pending = match enrolled {
        true => console.connector_orders(&connector.name).await?,
        false => Vec::new(),
    };
    let effective = serde_json::to_value(&settings.effective).unwrap_or_default();
    let effective = effective.as_object().into_iter().flatten();
    let effective =
        effective.map(|(name, value)| (visit.frame.word("set", name), plain(value))).collect();
    let query =
        api::EventQuery { connector: Some(connector.name.clone()), ..api::EventQuery::default() };
    let events = lately(&console, &visit, query).await?;
    let link = connector.link.as_ref();
    let frame = visit.frame;
    let base = path(&["connectors", &connector.name]);
    let flows = link.map(|link| flows(&frame, &link.traffic)).unwrap_or_default();
    let budget = link.and_then(|link| link.used).map(|used| {
        let share = used.bytes.saturating_mul(100) / used.budget.max(1);
        (format!("{} / {}", bytes(used.bytes), bytes(used.budget)), share, share >= NEAR)
    });
    let waits = |one: api::ConnectorOrder| {
        let name = ["connectors", &connector.name];
        let off = match one.order.as_str() {
            "configuration" => [&name[..], &["configuration"]].concat(),
            order => [&name[..], &["orders", order]].concat(),
        };
        Pending {
            what: frame.word("order", &one.order),
            by: one.by.unwrap_or_default(),
            at: moment(Some(one.at)),
            off: path(&off),
        }
    };
    let pending = pending.into_iter().map(waits).collect();
    html(&Connector {
        pending,
        acts: acts(&frame, &connector, &settings),
        held: Held::of(&settings.effective, &settings.configured, &settings.set),
        logins_words: words(&frame, settings.effective.logins.as_ref()),
        devices: format!("/devices?{}", form::query(&[("connector", &connector.name)])),
        made: moment(link.and_then(|link| link.certificate_made)),
        ends: moment(link.and_then(|link| link.certificate_ends)),
        found: Found::of(diagnosis),
        settings,
        effective,
        enrolled,
        systems: connector.backends.iter().map(|one| System::of(&frame, one)).collect(),
        flows,
        budget,
        base,
        events,
        row: Row::new(connector),
        frame,
    })
}

/// The last diagnosis, for a file.
pub(super) async fn diagnosis(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let last = console.diagnosis(visit.arg("connector")).await?;
    serde_json::to_string_pretty(&last).map_err(Refusal::failed)
}

fn acts(frame: &Frame, connector: &api::Connector, settings: &api::Settings) -> Vec<Act> {
    let plain =
        |name: &str, text: &str| Act::new(&["connectors", &connector.name, name], frame.t(text));
    let drains = settings.effective.drain == Some(true);
    let mut acts = vec![if drains { plain("resume", "resume") } else { plain("drain", "drain") }];
    match connector.state.as_str() {
        "embedded" => {}
        "removed" => return Vec::new(),
        "locked" => acts.extend([plain("unlock", "approve").asks()]),
        _ => acts.extend([plain("lock", "lock").grave().asks()]),
    }
    if connector.state != "embedded" {
        acts.push(plain("remove", "revoke").grave().asks());
    }
    acts
}

fn flows(frame: &Frame, traffic: &api::Traffic) -> Vec<(String, String, String)> {
    let row = |name: String, flow: &api::Flow| (name, bytes(flow.received), bytes(flow.sent));
    let records = traffic.records.iter().map(|(kind, flow)| row(frame.word("flow", kind), flow));
    let wire = traffic.wire.iter();
    let wire = wire.map(|(lane, flow)| {
        row(format!("{} ({})", frame.t("on-the-wire"), frame.word("flow", lane)), flow)
    });
    records.chain(wire).collect()
}

impl Held {
    fn of(
        all: &ConnectorSettings,
        configured: &ConnectorSettings,
        set: &ConnectorSettings,
    ) -> Self {
        let off = all.off.clone().unwrap_or_default();
        let own_logins = configured.logins.as_ref().or(set.logins.as_ref());
        Self {
            tier: all.tier.unwrap_or_default().to_string(),
            scope: named(all.scope.as_ref()),
            logins: match own_logins {
                None => ("scope", String::new()),
                Some(_) => named(all.logins.as_ref()),
            },
            parallel: all.parallel_calls.unwrap_or_default(),
            queued: all.queued_calls.unwrap_or_default(),
            edge: all.edge.unwrap_or_default().to_string(),
            functions: Function::ALL.iter().map(|one| (one.as_str(), off.contains(one))).collect(),
        }
    }
}

fn named(scope: Option<&Scope>) -> (&'static str, String) {
    match scope {
        None | Some(Scope::Everyone) => ("everyone", String::new()),
        Some(Scope::Group(group)) => ("group", group.clone()),
        Some(Scope::Users(users)) => {
            let users: Vec<&str> = users.iter().map(dme_model::UserId::as_str).collect();
            ("users", users.join(", "))
        }
    }
}

fn words(frame: &Frame, scope: Option<&Scope>) -> String {
    let (word, names) = named(scope);
    let word = frame.word("scope", word);
    if names.is_empty() { word } else { format!("{word}: {names}") }
}

impl Found {
    fn of(last: api::LastDiagnosis) -> Option<Self> {
        let api::Diagnosed(found) = last.diagnosis?;
        let verdict = |verdict| match verdict {
            CheckVerdict::Good => "good",
            CheckVerdict::Warning => "warning",
            CheckVerdict::Bad => "bad",
            CheckVerdict::Unknown => "unknown",
        };
        let checks = found.checks.into_iter();
        Some(Self {
            made: moment(last.made),
            software: found.software,
            system: found.system,
            checks: checks.map(|one| (one.step, verdict(one.verdict), one.said)).collect(),
            log: found.log,
            settings: found.settings,
        })
    }
}

/// A value without the marks of JSON.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(all) if all.is_empty() => "–".to_owned(),
        serde_json::Value::Array(all) => all.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
