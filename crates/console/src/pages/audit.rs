//! The record of administrators' acts, and whether anything was done to it.

use super::time::{Times, to_the_second};
use super::{Frame, Visit, html};
use crate::{Console, Refusal, api};
use askama::Template;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "audit.html")]
struct Audit {
    frame: Frame,
    who: String,
    act: String,
    target: String,
    times: Times,
    report: Option<api::AuditReport>,
    rows: Vec<(String, api::Act)>,
    older: Option<String>,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let asked = |name: &str| Some(visit.asked(name).to_owned()).filter(|text| !text.is_empty());
    let times = Times::of(&visit)?;
    let query = api::ActQuery {
        who: asked("who"),
        act: asked("act"),
        target: asked("target"),
        from: times.from.seconds,
        until: times.until.seconds,
        before: visit.asked("before").parse().ok(),
        ..api::ActQuery::default()
    };
    let acts = console.acts(query).await?;
    // It reads the whole record: only when somebody wants it, and not with each change of a page that
    // stays open.
    let report = match visit.asked("verify").is_empty() || visit.by_itself {
        true => None,
        false => Some(console.verify_audit().await?),
    };
    let older = acts.last().filter(|_| acts.len() >= 100).map(|act| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for name in ["who", "act", "target", "from", "until"] {
            query.append_pair(name, visit.asked(name));
        }
        query.append_pair("before", &act.number.to_string());
        format!("/audit?{}", query.finish())
    });
    html(&Audit {
        who: visit.asked("who").to_owned(),
        act: visit.asked("act").to_owned(),
        target: visit.asked("target").to_owned(),
        times,
        report,
        rows: acts.into_iter().map(|act| (to_the_second(Some(act.time)), act)).collect(),
        older,
        frame: visit.frame,
    })
}
