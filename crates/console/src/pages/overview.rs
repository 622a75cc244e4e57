//! Is all well, what needs a decision, and how much goes on.

use super::chart::{Chart, Span, charts};
use super::connector::NEAR;
use super::{Frame, Visit, html, path};
use crate::{Console, Refusal, api};
use askama::Template;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Certificates that end within so many seconds are worth a word.
const ENDING: i64 = 7 * 86_400;
/// Events that are worth a word: their kind, for how many seconds, where one looks. Certificates
/// are looked at four times a day.
const TOLD: [(&str, i64, &str); 2] = [
    ("certificate_ends", 7 * 3_600, "/log?kind=certificate_ends"),
    ("audit_contradicted", 7 * 86_400, "/audit?verify=1"),
];
/// So many events of one kind are counted.
const COUNTED: u32 = 1_000;

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    /// What wants somebody: kind for the colour, where it is dealt with, the words.
    wants: Vec<Want>,
    devices: u64,
    allowed: u64,
    users: u64,
    running: usize,
    connectors: Vec<api::Connector>,
    charts: Vec<Chart>,
}

struct Want {
    grave: bool,
    href: String,
    text: String,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let figures = console.device_figures(&visit.principal).await?;
    let connectors = console.list_connectors(&visit.principal, visit.frame.look.language).await?;
    let all = visit.sees_all();
    let frame = visit.frame;
    let mut wants = Vec::new();
    let mut want = |grave, href: &str, text: String| {
        wants.push(Want { grave, href: href.to_owned(), text });
    };
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    if figures.tally.quarantined > 0 {
        let text = frame.n("devices-wait", count(figures.tally.quarantined));
        want(false, "/devices?admission=quarantined", text);
    }
    if figures.misbehave > 0 {
        want(true, "/devices?held=1", frame.n("devices-misbehave", count(figures.misbehave)));
    }
    if figures.wiping > 0 {
        want(false, "/devices?wipe=requested", frame.n("wipes-wait", count(figures.wiping)));
    }
    let second = console.wipes_waiting(&visit.principal).await?;
    if second > 0 {
        want(true, "/wipes", frame.n("wipes-second", count(second)));
    }
    for one in &connectors {
        of_connector(&console, &frame, one, &mut want);
    }
    if all {
        if connectors.iter().all(|one| one.link.is_none()) {
            want(true, "/connectors", frame.t("no-connector"));
        }
        of_all(&console, &frame, &mut want).await?;
    }
    if frame.audits {
        of_events(&console, &frame, &mut want).await?;
    }
    let charts = if all { charts(&console, &frame, Span::DAY).await? } else { Vec::new() };
    html(&Overview {
        wants,
        devices: figures.tally.all(),
        allowed: figures.tally.allowed,
        users: figures.users,
        running: connectors.iter().filter(|one| one.standing == "running").count(),
        connectors,
        charts,
        frame,
    })
}

/// What is wanted of a connector.
fn of_connector(
    console: &Console,
    frame: &Frame,
    one: &api::Connector,
    want: &mut impl FnMut(bool, &str, String),
) {
    let now = (console.front.clock)().as_seconds();
    let href = path(&["connectors", &one.name]);
    match one.standing.as_str() {
        "locked" => want(false, &href, frame.of("connector-locked", &one.name)),
        "unreachable" | "exhausted" => {
            let standing = frame.word("standing", &one.standing);
            want(true, &href, format!("{}: {standing} {}", one.name, one.reason));
        }
        _ => {}
    }
    if let Some(wrong) = &one.wrong_scope {
        want(true, &href, format!("{}: {wrong}", one.name));
    }
    let Some(link) = &one.link else { return };
    if link.certificate_ends.is_some_and(|ends| ends < now + ENDING) {
        want(true, &href, frame.of("certificate-ends", &one.name));
    }
    let near = |used: api::Used| used.bytes.saturating_mul(100) >= used.budget.saturating_mul(NEAR);
    if link.used.is_some_and(near) {
        want(false, &href, frame.of("budget-near", &one.name));
    }
}

/// What is wanted by those who see everything.
async fn of_all(
    console: &Console,
    frame: &Frame,
    want: &mut impl FnMut(bool, &str, String),
) -> Result<(), Refusal> {
    for realm in console.list_realms() {
        if let Some(trouble) = &realm.trouble {
            want(true, "/directory", format!("{}: {trouble}", realm.realm));
        }
    }
    let waiting = console.list_outbox().await?.len();
    if waiting > 0 {
        want(false, "/outbox", frame.n("messages-wait", waiting));
    }
    if console.behaviour().rules.rules.is_empty() {
        want(false, "/behaviour", frame.t("no-behaviour-rules"));
    }
    for webhook in console.list_webhooks().await?.iter().filter(|webhook| webhook.disabled) {
        want(true, "/webhooks", frame.of("webhook-given-up", &webhook.name));
    }
    Ok(())
}

/// What happened lately that somebody should look at.
async fn of_events(
    console: &Console,
    frame: &Frame,
    want: &mut impl FnMut(bool, &str, String),
) -> Result<(), Refusal> {
    let now = (console.front.clock)().as_seconds();
    let query = |kind: &str, seconds: i64| api::EventQuery {
        kind: Some(kind.to_owned()),
        from: Some(now - seconds),
        limit: Some(COUNTED),
        ..api::EventQuery::default()
    };
    let failed = console.events(query("sync_failed", 3_600)).await?.events.len();
    if failed > 0 {
        want(true, "/log?kind=sync_failed", frame.n("syncs-failed", failed));
    }
    for (kind, seconds, href) in TOLD {
        let events = console.events(query(kind, seconds)).await?.events;
        let words: BTreeSet<String> = events.into_iter().map(|event| event.message).collect();
        words.into_iter().for_each(|words| want(true, href, words));
    }
    Ok(())
}
