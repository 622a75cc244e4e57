//! Routes: what would become of whom, were connectors down; who serves one user is on their page.

use super::{Act, Frame, Visit, html};
use crate::{Console, Refusal, api};
use askama::Template;
use std::sync::Arc;

/// So many are shown.
const SHOWN: usize = 500;

#[derive(Template)]
#[template(path = "routes.html")]
struct Routes {
    frame: Frame,
    /// Each connector, whether it is thought away, and whom it serves.
    connectors: Vec<(api::Connector, bool)>,
    /// What would become of whom; none where nothing was asked.
    moved: Option<Vec<api::Moved>>,
    found: usize,
    lost: usize,
    acts: Vec<Act>,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let connectors = console.list_connectors(&visit.principal, visit.frame.look.language).await?;
    let connectors = connectors.into_iter().filter(|one| one.state != "removed");
    let down = visit.each("down");
    let connectors: Vec<_> =
        connectors.map(|one| (down.contains(&one.name), one)).map(|(d, one)| (one, d)).collect();
    let mut moved = match down.is_empty() {
        true => None,
        false => Some(console.simulate(api::Simulation { down }).await?),
    };
    let found = moved.as_ref().map_or(0, Vec::len);
    let all = moved.as_deref().unwrap_or_default();
    let lost = all.iter().filter(|one| one.to.is_none()).count();
    if let Some(moved) = &mut moved {
        // Whom nobody would serve is what one looks for.
        moved.sort_by_key(|one| one.to.is_some());
        moved.truncate(SHOWN);
    }
    let frame = visit.frame;
    let acts = vec![Act::new(&["flush"], frame.t("flush-all"))];
    html(&Routes { connectors, moved, found, lost, acts, frame })
}
