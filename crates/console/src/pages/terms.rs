//! The terms of use: their versions, who accepted them, and publishing others.

use super::time::moment;
use super::{Frame, Visit, html};
use crate::{Console, Refusal, api};
use askama::Template;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "terms.html")]
struct Terms {
    frame: Frame,
    versions: Vec<(String, api::Terms)>,
    /// Of the version that is looked at: who accepted it, when, and from where.
    accepted: Vec<(String, api::Acceptance)>,
    /// Which that is; 0 where there is none.
    shown: i64,
    /// The text that holds now.
    text: String,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let mut versions = console.list_terms().await?;
    versions.sort_by_key(|terms| std::cmp::Reverse(terms.version));
    let newest = versions.first().map_or(0, |terms| terms.version);
    let shown = visit.asked("version").parse().unwrap_or(newest);
    let accepted = match versions.iter().any(|terms| terms.version == shown) {
        true => console.acceptances(&shown.to_string()).await?,
        false => Vec::new(),
    };
    let accepted = accepted.into_iter().map(|one| (moment(Some(one.accepted)), one));
    html(&Terms {
        text: versions.first().map(|terms| terms.text.clone()).unwrap_or_default(),
        versions: versions.into_iter().map(|one| (moment(Some(one.published)), one)).collect(),
        accepted: accepted.collect(),
        shown,
        frame: visit.frame,
    })
}
