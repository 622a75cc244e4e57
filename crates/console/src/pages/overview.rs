//! Is all well, what needs a decision, and how much goes on.

use super::chart::{Chart, charts};
use super::{Frame, Visit, html};
use crate::{Console, Refusal, api};
use askama::Template;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    seen: api::Overview,
    connectors: Vec<api::Connector>,
    charts: Vec<Chart>,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let language = visit.frame.look.language;
    let connectors = console.list_connectors(&visit.principal, language).await?;
    let seen = console.overview(&visit.principal, &connectors, language).await?;
    let (all, frame) = (visit.sees_all(), visit.frame);
    let charts = if all { charts(&console, &frame).await? } else { Vec::new() };
    html(&Overview { frame, seen, connectors, charts })
}
