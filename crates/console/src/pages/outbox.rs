//! Messages that wait for their connector.

use super::time::moment;
use super::{Frame, Visit, html};
use crate::{Console, Refusal, api};
use askama::Template;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "outbox.html")]
struct Outbox {
    frame: Frame,
    rows: Vec<(String, api::Waiting)>,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let rows = console.list_outbox().await?.into_iter().map(|one| (moment(Some(one.since)), one));
    html(&Outbox { rows: rows.collect(), frame: visit.frame })
}
