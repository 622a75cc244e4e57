//! The connectors, and adding one.

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
    tokens: Vec<(api::Token, String, Option<Act>)>,
}

/// A connector, with times in words.
pub(super) struct Row {
    pub connector: api::Connector,
    pub since: String,
    pub seen: String,
}

impl Row {
    pub fn new(connector: api::Connector) -> Self {
        Self { since: moment(connector.since), seen: moment(connector.last_seen), connector }
    }
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let rows = console.list_connectors(&visit.principal, visit.frame.look.language).await?;
    let rows = rows.into_iter().map(Row::new).collect();
    let tokens = if visit.sees_all() { console.list_tokens().await? } else { Vec::new() };
    let frame = visit.frame;
    let tokens = tokens.into_iter().map(|one| {
        let revoke = Act::new(&["tokens", &one.name, "revoke"], frame.t("take-back"));
        let open = one.state == "unused";
        (one.clone(), moment(Some(one.expires)), open.then_some(revoke))
    });
    html(&Connectors { tokens: tokens.collect(), frame, rows })
}
