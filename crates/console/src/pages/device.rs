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
    acts: Vec<Act>,
    wipes: Vec<Act>,
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
    let frame = visit.frame;
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
        acts,
        wipes,
        frame,
        first: moment(Some(device.first_seen)),
        row: Row::new(device),
        information,
        trace: trace.into_iter().map(|it| (moment(Some(it.at / 1000)), it)).collect(),
    })
}
