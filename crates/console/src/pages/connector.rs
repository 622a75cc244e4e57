//! The connectors, and one of them.

use super::time::moment;
use super::{Act, Frame, Visit, html};
use crate::{Console, Refusal, api};
use askama::Template;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "connectors.html")]
struct Connectors {
    frame: Frame,
    rows: Vec<Row>,
    realms: Vec<api::Realm>,
    tokens: Vec<(api::Token, String)>,
    acts: Vec<Act>,
}

#[derive(Template)]
#[template(path = "connector.html")]
struct Connector {
    frame: Frame,
    row: Row,
    settings: api::Settings,
    effective: Vec<(String, String)>,
    made: String,
    ends: String,
    acts: Vec<Act>,
}

struct Row {
    connector: api::Connector,
    since: String,
    seen: String,
}

impl Row {
    fn new(connector: api::Connector) -> Self {
        Self { since: moment(connector.since), seen: moment(connector.last_seen), connector }
    }
}

pub(super) async fn all(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let rows = console.list_connectors(&visit.principal).await?;
    let rows = rows.into_iter().map(Row::new).collect();
    let all = visit.sees_all();
    let realms = if all { console.list_realms() } else { Vec::new() };
    let tokens = if all { console.list_tokens().await? } else { Vec::new() };
    let tokens = tokens.into_iter().map(|one| (one.clone(), moment(Some(one.expires)))).collect();
    let frame = visit.frame;
    let acts = vec![Act::new(&["directory", "refresh"], frame.t("refresh"))];
    html(&Connectors { acts, frame, rows, realms, tokens })
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let name = visit.arg("connector");
    let found = console.list_connectors(&visit.principal).await?;
    let found = found.into_iter().find(|one| one.name == name || one.id == name);
    let connector = found.ok_or_else(|| Refusal::not_found(format!("connector {name}")))?;
    let settings = console.connector_settings(&connector.name).await?;
    let effective = serde_json::to_value(&settings.effective).unwrap_or_default();
    let effective = effective.as_object().into_iter().flatten();
    let effective = effective.map(|(name, value)| (name.replace('_', " "), plain(value))).collect();
    let link = connector.link.as_ref();
    let frame = visit.frame;
    let act = |name: &str, text: &str| {
        Act::new(&["connectors", &connector.name, name], frame.t(text)).asks()
    };
    let acts = match connector.state.as_str() {
        "embedded" => Vec::new(),
        "locked" => vec![act("unlock", "approve"), act("remove", "revoke").grave()],
        _ => vec![act("lock", "lock").grave(), act("remove", "revoke").grave()],
    };
    html(&Connector {
        acts,
        frame,
        made: moment(link.and_then(|link| link.certificate_made)),
        ends: moment(link.and_then(|link| link.certificate_ends)),
        settings,
        effective,
        row: Row::new(connector),
    })
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
