//! Routes: what would become of whom, were connectors down; who serves one user is on their page.

use super::{Act, Frame, Visit, html};
use crate::language::Language;
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
    /// What would become of whom, and why nobody would serve them or it is not known; none where
    /// nothing was asked.
    moved: Option<Vec<(api::Moved, String)>>,
    logins: Vec<api::LoginsMoved>,
    found: usize,
    lost: usize,
    unknown: usize,
    acts: Vec<Act>,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let language = visit.frame.look.language;
    let connectors = console.list_connectors(&visit.principal, language).await?;
    let connectors = connectors.into_iter().filter(|one| one.state != "removed");
    let down = visit.each("down");
    let connectors: Vec<_> =
        connectors.map(|one| (down.contains(&one.name), one)).map(|(d, one)| (one, d)).collect();
    let (mut moved, logins) = match down.is_empty() {
        true => (None, Vec::new()),
        false => {
            let simulated = console.simulate(api::Simulation { down }, language).await?;
            (Some(simulated.moved), simulated.logins)
        }
    };
    let all = moved.as_deref().unwrap_or_default();
    let count = |known| all.iter().filter(|one| one.to.is_none() && one.known == known).count();
    let (found, lost, unknown) = (all.len(), count(true), count(false));
    if let Some(moved) = &mut moved {
        // Whom nobody would serve is what one looks for.
        moved.sort_by_key(|one| (one.to.is_some(), !one.known));
        moved.truncate(SHOWN);
    }
    let moved = moved.map(|all| all.into_iter().map(|one| reasoned(one, language)).collect());
    let frame = visit.frame;
    let acts = vec![Act::new(&["flush"], frame.t("flush-all"))];
    html(&Routes { connectors, moved, logins, found, lost, unknown, acts, frame })
}

/// What would become of somebody, with why it is nobody or not known.
fn reasoned(moved: api::Moved, language: Language) -> (api::Moved, String) {
    let against = moved.against.iter().map(|one| {
        let objections: Vec<_> = one.objections.iter().map(|each| language.said(each)).collect();
        format!("{}: {}", one.connector, objections.join("; "))
    });
    let reasons: Vec<String> = moved.why.iter().cloned().chain(against).collect();
    (moved, reasons.join(" · "))
}
