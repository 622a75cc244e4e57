//! The log: what happened, by user, device, connector, request.

use super::time::moment;
use super::{Frame, Visit, html};
use crate::endpoints::kinds;
use crate::{Console, Refusal, api};
use askama::Template;
use std::fmt::Write;
use std::sync::Arc;

/// Events that are exported at once at the most.
const EXPORTED: usize = 100_000;
/// As many of them are asked for at a time.
const PAGE: u32 = 1000;

#[derive(Template)]
#[template(path = "log.html")]
struct Log {
    frame: Frame,
    filter: api::EventQuery,
    kinds: Vec<String>,
    rows: Vec<Row>,
    older: Option<String>,
    export: String,
    dropped: usize,
}

struct Row {
    event: api::Event,
    at: String,
    user: Option<String>,
    device: Option<String>,
    connector: Option<String>,
}

/// The fields that narrow the log.
const FIELDS: [&str; 7] = ["user", "device", "connector", "request", "kind", "level", "text"];

fn filter(visit: &Visit) -> api::EventQuery {
    let asked = |name: &str| Some(visit.asked(name).to_owned()).filter(|text| !text.is_empty());
    api::EventQuery {
        user: asked("user"),
        device: asked("device"),
        connector: asked("connector"),
        request: asked("request"),
        kind: asked("kind"),
        level: asked("level"),
        text: asked("text"),
        before: visit.asked("before").parse().ok(),
        ..api::EventQuery::default()
    }
}

/// The log narrowed as it is, at another place.
fn href(path: &str, visit: &Visit, before: Option<u64>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in FIELDS {
        if !visit.asked(name).is_empty() {
            query.append_pair(name, visit.asked(name));
        }
    }
    if let Some(before) = before {
        query.append_pair("before", &before.to_string());
    }
    format!("{path}?{}", query.finish())
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let filter = filter(&visit);
    let page = console.events(filter.clone()).await?;
    let rows = page.events.into_iter().map(|event| Row {
        at: moment(Some(event.time / 1000)),
        user: event.user.as_deref().map(|user| super::path(&["users", user])),
        device: event
            .user
            .as_deref()
            .zip(event.device.as_deref())
            .map(|(user, device)| super::path(&["devices", user, device])),
        connector: event.connector.as_deref().map(|name| super::path(&["connectors", name])),
        event,
    });
    html(&Log {
        rows: rows.collect(),
        kinds: kinds().into_iter().map(|kind| kind.kind).collect(),
        older: page.before.map(|before| href("/log", &visit, Some(before))),
        export: href("/log.jsonl", &visit, None),
        dropped: usize::try_from(page.dropped).unwrap_or(usize::MAX),
        filter,
        frame: visit.frame,
    })
}

/// The same as lines of JSON, the newest first.
pub(super) async fn export(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let mut filter = filter(&visit);
    filter.limit = Some(PAGE);
    let mut lines = String::new();
    let mut written = 0;
    loop {
        let page = console.events(filter.clone()).await?;
        for event in &page.events {
            let line = serde_json::to_string(event).map_err(Refusal::failed)?;
            writeln!(lines, "{line}").map_err(Refusal::failed)?;
        }
        written += page.events.len();
        match page.before {
            Some(before) if written < EXPORTED => filter.before = Some(before),
            _ => return Ok(lines),
        }
    }
}
