//! Is all well, what needs a decision, and how much goes on.

use super::bytes::bytes;
use super::chart::{Chart, charts};
use super::time::moment;
use super::{Frame, Visit, html, path};
use crate::endpoints::overview::NEAR;
use crate::{Console, Refusal, api};
use askama::Template;
use std::cmp::Reverse;
use std::sync::Arc;

/// So many connectors are named of those whose budgets are used most, and whose certificates end first.
const NAMED: usize = 5;

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    seen: api::Overview,
    connectors: Vec<api::Connector>,
    limits: Vec<Limit>,
    charts: Vec<Chart>,
}

/// Something there is only so much of, or that ends.
struct Limit {
    what: String,
    /// The connector it is of: its name and page.
    of: Option<(String, String)>,
    said: String,
    /// How many hundredths are used, where it is used up.
    used: Option<u64>,
    /// It is near its end.
    near: bool,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let language = visit.frame.look.language;
    let connectors = console.list_connectors(&visit.principal, language).await?;
    let seen = console.overview(&visit.principal, &connectors, language).await?;
    let (all, frame) = (visit.sees_all(), visit.frame);
    let charts = if all { charts(&console, &frame).await? } else { Vec::new() };
    let limits = limits(&frame, &seen, &connectors);
    html(&Overview { frame, seen, connectors, limits, charts })
}

fn limits(frame: &Frame, seen: &api::Overview, connectors: &[api::Connector]) -> Vec<Limit> {
    let mut limits = Vec::new();
    if let Some(api::Disk { free, total }) = seen.disk {
        let used = total.saturating_sub(free).saturating_mul(100) / total.max(1);
        limits.push(Limit {
            what: frame.t("disk"),
            of: None,
            said: format!("{} / {}", bytes(free), bytes(total)),
            used: Some(used),
            near: seen.wants.iter().any(|want| want.what == "disk_little"),
        });
    }
    if let Some(ends) = seen.certificate_ends {
        let (what, said) = (frame.t("phones-certificate"), moment(Some(ends)));
        limits.push(Limit { what, of: None, said, used: None, near: false });
    }
    let linked = connectors.iter().filter_map(|one| Some((one, one.link.as_ref()?)));
    let of = |one: &api::Connector| Some((one.name.clone(), path(&["connectors", &one.name])));
    let budgets = linked.clone().filter_map(|(one, link)| Some((one, link.used?)));
    let mut budgets: Vec<(u64, Limit)> = budgets
        .map(|(one, used)| {
            let share = used.bytes.saturating_mul(100) / used.budget.max(1);
            let said = format!("{} / {}", bytes(used.bytes), bytes(used.budget));
            let (what, near) = (frame.t("budget"), share >= NEAR);
            (share, Limit { what, of: of(one), said, used: Some(share), near })
        })
        .collect();
    budgets.sort_by_key(|(share, _)| Reverse(*share));
    let mut ends: Vec<(i64, Limit)> = linked
        .filter_map(|(one, link)| Some((one, link.certificate_ends?)))
        .map(|(one, ends)| {
            let (what, said) = (frame.t("certificate-until"), moment(Some(ends)));
            (ends, Limit { what, of: of(one), said, used: None, near: false })
        })
        .collect();
    ends.sort_by_key(|(ends, _)| *ends);
    limits.extend(budgets.into_iter().take(NAMED).map(|(_, limit)| limit));
    limits.extend(ends.into_iter().take(NAMED).map(|(_, limit)| limit));
    limits
}
