//! What a device's own level says of each setting, what holds for it, and by which level.

use super::setting::{Row, areas};
use super::{Frame, Visit, html, path};
use crate::{Console, Refusal};
use askama::Template;
use dme_policy::{Level, Setting, Settled};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "device_policy.html")]
struct DevicePolicy {
    frame: Frame,
    /// Whose and which it is.
    device: String,
    /// The device's page, and the endpoints' path without `/api`.
    base: String,
    revision: u64,
    compliance: String,
    groups: String,
    areas: Vec<(String, Vec<Own>)>,
}

/// A setting on the device's own level.
struct Own {
    row: Row,
    /// Whether the level says anything of it.
    is_set: bool,
    /// What holds.
    holds: String,
    /// By which level.
    from: String,
    /// The level above that locks it, so that nothing can be said here.
    held_by: Option<String>,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let (user, id) = (visit.arg("user"), visit.arg("device"));
    let held = console.device_policy(user, id).await?;
    let frame = &visit.frame;
    let own = |setting: Setting| {
        let said = held.own.get(&setting);
        let settled = held.effective.settings.get(&setting);
        Own {
            row: Row::new(frame, setting, said),
            is_set: said.is_some(),
            holds: held.effective.value(setting).to_string(),
            from: settled.map(|one| frame.level(&one.from)).unwrap_or_default(),
            held_by: settled.and_then(|one| locked_above(frame, one)),
        }
    };
    html(&DevicePolicy {
        areas: areas(frame, own),
        device: format!("{user} {id}"),
        base: path(&["devices", user, id]),
        revision: held.revision,
        compliance: frame.word("compliance", &held.compliance),
        groups: held.effective.groups.join(", "),
        frame: visit.frame,
    })
}

/// Which level above the device's own locks a setting.
fn locked_above(frame: &Frame, settled: &Settled) -> Option<String> {
    let above = settled.locked.as_ref().filter(|level| **level != Level::Device);
    above.map(|level| frame.level(level))
}
