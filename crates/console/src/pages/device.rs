//! One device: what it is, how it stands, what can be done to it.

use super::devices::Row;
use super::time::moment;
use super::{Act, Frame, Visit, html};
use crate::{Console, Refusal, api};
use askama::Template;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "device.html")]
struct Device {
    frame: Frame,
    row: Row,
    first: String,
    information: Vec<(String, String)>,
    trace: Vec<(String, api::Traced)>,
    policy: Vec<(String, String, String)>,
    groups: String,
    compliance: String,
    pending: Vec<(api::PendingOrder, Option<Act>)>,
    erasures: api::Erasures,
    steps: Vec<Step>,
    acts: Vec<Act>,
    wipes: Vec<Act>,
}

/// What it was told in one answer.
struct Step {
    sent: String,
    acknowledged: String,
    folder: u64,
    request: String,
    items: Vec<String>,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let (user, id) = (visit.arg("user").to_owned(), visit.arg("device").to_owned());
    let devices = console.devices_of(&user).await?;
    let device = devices.into_iter().find(|one| one.device == id);
    let device = device.ok_or_else(|| Refusal::not_found(format!("device {id} of {user}")))?;
    let trace = console.trace(&user, &id).await?;
    let told = device.information.as_object().into_iter().flatten();
    let information = told
        .map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.replace('_', " "), value)
        })
        .collect();
    let held = console.device_policy(&user, &id).await?;
    let settled = held.effective.settings.iter();
    let policy = settled
        .filter(|(_, settled)| settled.from != dme_policy::Level::BuiltIn)
        .map(|(setting, it)| (setting.to_string(), it.value.to_string(), it.from.to_string()));
    let frame = visit.frame;
    let pending = console.pending_orders(&user, &id).await?.into_iter().map(|order| {
        let number = order.number.map(|number| number.to_string());
        let off = number.map(|number| {
            let path = ["devices", &user, &id, "orders", &number];
            Act::new(&path, frame.t("call-off"))
        });
        (order, off)
    });
    let pending = pending.collect();
    let steps = console.steps(&user, &id).await?.into_iter().map(|told| Step {
        sent: moment(Some(told.sent / 1000)),
        acknowledged: moment(told.acknowledged.map(|at| at / 1000)),
        folder: told.folder,
        request: told.request,
        items: told.items.iter().map(|(item, deed)| format!("{deed} {item}")).collect(),
    });
    let steps = steps.collect();
    let act = |name: &str, text: &str| {
        Act::new(&["devices", &device.user, &device.device, name], frame.t(text))
    };
    let mut acts = Vec::new();
    for (name, state) in [("allow", "allowed"), ("quarantine", "quarantined"), ("block", "blocked")]
    {
        if device.admission != state {
            acts.push(act(name, name));
        }
    }
    acts.extend([act("resync", "resync"), act("remove", "remove").grave()]);
    let mut wipes = vec![
        act("wipe-account", "wipe-account").grave().asks(),
        act("wipe", "wipe-device").grave().asks(),
    ];
    if device.wipe != "none" {
        wipes.push(act("unwipe", "unwipe"));
    }
    html(&Device {
        policy: policy.collect(),
        groups: held.effective.groups.join(", "),
        compliance: held.compliance,
        pending,
        erasures: console.foretell(&user, &id).await?,
        steps,
        acts,
        wipes,
        frame,
        first: moment(Some(device.first_seen)),
        row: Row::new(device),
        information,
        trace: trace.into_iter().map(|it| (moment(Some(it.at / 1000)), it)).collect(),
    })
}
