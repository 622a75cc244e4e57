//! The log: what happened, by user, device, connector, request.

use super::time::{Times, to_the_second};
use super::{Frame, Visit, html};
use crate::endpoints::{event_filter, kinds};
use crate::reply::Written;
use crate::{Console, Refusal, api};
use askama::Template;
use bytes::Bytes;
use dme_server::site::CutOff;
use futures_util::{StreamExt, stream};
use std::sync::Arc;

/// So many events of an export are read at a time.
const PAGE: u32 = 1000;

#[derive(Template)]
#[template(path = "log.html")]
struct Log {
    frame: Frame,
    filter: api::EventQuery,
    /// The times between which events are wanted, as they were typed.
    times: Times,
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

/// The fields that narrow the log. The form has each of them, and so keeps what came by a link.
const FIELDS: [&str; 9] =
    ["user", "device", "connector", "request", "kind", "level", "text", "from", "until"];

fn filter(visit: &Visit, times: &Times) -> api::EventQuery {
    let asked = |name: &str| Some(visit.asked(name).to_owned()).filter(|text| !text.is_empty());
    api::EventQuery {
        user: asked("user"),
        device: asked("device"),
        connector: asked("connector"),
        request: asked("request"),
        kind: asked("kind"),
        level: asked("level"),
        text: asked("text"),
        from: times.from.seconds,
        until: times.until.seconds,
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
    let times = Times::of(&visit)?;
    let filter = filter(&visit, &times);
    let page = console.events(filter.clone()).await?;
    let rows = page.events.into_iter().map(|event| Row {
        at: to_the_second(Some(event.time)),
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
        times,
        frame: visit.frame,
    })
}

/// All of them as lines of JSON, the newest first, however many they are: each page of them is sent
/// before the next is read.
pub(super) async fn export(console: Arc<Console>, visit: Visit) -> Result<Written, Refusal> {
    let all =
        api::EventQuery { limit: Some(PAGE), before: None, ..filter(&visit, &Times::of(&visit)?) };
    // What is asked for wrongly is refused before anything is sent.
    event_filter(all.clone())?;
    let parts = stream::try_unfold(Some(all), move |wanted: Option<api::EventQuery>| {
        let console = console.clone();
        async move {
            let Some(wanted) = wanted else { return Ok(None) };
            let page = console.events(wanted.clone()).await;
            let page = page.map_err(|refusal| CutOff(refusal.words))?;
            let mut lines = String::new();
            for event in &page.events {
                let line = serde_json::to_string(event);
                lines.push_str(&line.map_err(|error| CutOff(error.to_string()))?);
                lines.push('\n');
            }
            let next = page.before.map(|before| api::EventQuery { before: Some(before), ..wanted });
            Ok::<_, CutOff>(Some((Bytes::from(lines), next)))
        }
    });
    Ok(Written::Parts(parts.boxed()))
}
