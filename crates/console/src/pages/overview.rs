//! Is all well, and what needs a decision.

use super::{Frame, Visit, html};
use crate::{Console, Refusal, api};
use askama::Template;
use std::sync::Arc;

/// Certificates that end within so many seconds are worth a word.
const ENDING: i64 = 7 * 86_400;

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    /// What wants somebody: kind for the colour, where it is dealt with, the words.
    wants: Vec<Want>,
    devices: usize,
    allowed: usize,
    users: usize,
    running: usize,
    connectors: Vec<api::Connector>,
}

struct Want {
    grave: bool,
    href: String,
    text: String,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let devices = console.list_devices(&visit.principal).await?;
    let connectors = console.list_connectors(&visit.principal).await?;
    let now = (console.front.clock)().as_seconds();
    let all = visit.sees_all();
    let realms = if all { console.list_realms() } else { Vec::new() };
    let waiting = if all { console.list_outbox().await?.len() } else { 0 };
    let frame = visit.frame;
    let mut wants = Vec::new();
    let mut want = |grave, href: &str, text: String| {
        wants.push(Want { grave, href: href.to_owned(), text });
    };
    let quarantined = devices.iter().filter(|one| one.admission == "quarantined").count();
    if quarantined > 0 {
        want(false, "/devices?admission=quarantined", frame.n("devices-wait", quarantined));
    }
    let wiping = devices.iter().filter(|one| one.wipe.starts_with("requested")).count();
    if wiping > 0 {
        want(false, "/devices?wipe=requested", frame.n("wipes-wait", wiping));
    }
    for one in &connectors {
        let href = format!("/connectors/{}", one.name);
        match one.standing.as_str() {
            "locked" => want(false, &href, frame.of("connector-locked", &one.name)),
            "unreachable" | "exhausted" => {
                want(true, &href, format!("{}: {} {}", one.name, one.standing, one.reason));
            }
            _ => {}
        }
        let ends = one.link.as_ref().and_then(|link| link.certificate_ends);
        if ends.is_some_and(|ends| ends < now + ENDING) {
            want(true, &href, frame.of("certificate-ends", &one.name));
        }
    }
    if connectors.iter().all(|one| one.link.is_none()) && all {
        want(true, "/connectors", frame.t("no-connector"));
    }
    for realm in &realms {
        if let Some(trouble) = &realm.trouble {
            want(true, "/connectors", format!("{}: {trouble}", realm.realm));
        }
    }
    if waiting > 0 {
        want(false, "/connectors", frame.n("messages-wait", waiting));
    }
    let users: std::collections::BTreeSet<&str> =
        devices.iter().map(|one| one.user.as_str()).collect();
    html(&Overview {
        wants,
        devices: devices.len(),
        allowed: devices.iter().filter(|one| one.admission == "allowed").count(),
        users: users.len(),
        running: connectors.iter().filter(|one| one.standing == "running").count(),
        connectors,
        frame,
    })
}
