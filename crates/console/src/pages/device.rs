//! One device: what it is, how it stands, what it holds and was told, what can be done to it.

use super::devices::Row;
use super::events::{Events, last};
use super::time::{moment, to_the_millisecond, to_the_second};
use super::{Act, Frame, Visit, html};
use crate::{Console, Refusal, api};
use askama::Template;
use dme_policy::Level;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// So many items of one answer are shown.
const ITEMS: usize = 20;

#[derive(Template)]
#[template(path = "device.html")]
struct Device {
    frame: Frame,
    row: Row,
    /// The endpoint's path without `/api`.
    base: String,
    first: String,
    /// When administrators were told that it waits.
    told: String,
    information: Vec<(String, String)>,
    trace: Vec<Traced>,
    policy: Vec<Holds>,
    /// The revision of its own level of policy.
    revision: u64,
    groups: String,
    pending: Vec<Pending>,
    /// What wipes would erase: of the account, and of the device.
    erases: (String, String),
    folders: Vec<api::Folder>,
    steps: Vec<Step>,
    routes: Vec<api::Route>,
    acts: Vec<Act>,
    /// Calling a wipe off; ordering one has a page of its own.
    wipes: Vec<Act>,
    /// Orders to wipe that need nobody else within this hour, and how many may be given in one.
    left: (u32, u32),
    events: Events,
}

/// What holds of a setting that somebody says something of.
struct Holds {
    setting: String,
    value: String,
    from: String,
    /// Its own level says something of it.
    is_own: bool,
    locked: bool,
}

/// Something that waits for it.
struct Pending {
    what: String,
    by: String,
    at: String,
    off: Option<Act>,
}

/// Something that went wrong.
struct Traced {
    at: String,
    folder: String,
    number: u64,
    kind: String,
    item: Option<String>,
    said: String,
}

/// What it was told in one answer.
struct Step {
    known: String,
    sent: String,
    acknowledged: String,
    folder: String,
    number: u64,
    request: String,
    items: Vec<(String, String)>,
    further: usize,
    more: bool,
}

/// The names of its folders, by their numbers.
struct Names(BTreeMap<u64, String>);

impl Names {
    fn of(folders: &[api::Folder]) -> Self {
        Self(folders.iter().map(|one| (u64::from(one.folder), one.name.clone())).collect())
    }

    fn name(&self, number: u64) -> String {
        self.0.get(&number).cloned().unwrap_or_else(|| number.to_string())
    }
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let (user, id) = (visit.arg("user").to_owned(), visit.arg("device").to_owned());
    let device = console.device_of(&user, &id, visit.frame.look.language).await?;
    let folders = console.folders(&user, &id).await?;
    let names = Names::of(&folders);
    let told = device.information.as_object().into_iter().flatten();
    // Its client is said already, by what it sends with each request.
    let told = told.filter(|(name, value)| {
        *name != "user_agent" || value.as_str() != Some(device.user_agent.as_str())
    });
    let information = told.map(|(name, value)| (visit.frame.word("told", name), plain(value)));
    let information = information.collect();
    let held = console.device_policy(&user, &id).await?;
    let settled = held.effective.settings.iter();
    let policy = settled
        .filter(|(setting, it)| it.from != Level::BuiltIn || held.own.contains_key(setting))
        .map(|(setting, it)| Holds {
            setting: setting.to_string(),
            value: it.value.to_string(),
            from: visit.frame.level(&it.from),
            is_own: held.own.contains_key(setting),
            locked: it.locked.is_some(),
        });
    let policy = policy.collect();
    let query = api::EventQuery {
        user: Some(device.user.clone()),
        device: Some(id.clone()),
        ..api::EventQuery::default()
    };
    let events = last(&console, query).await?;
    let frame = visit.frame;
    let pending = console.pending_orders(&user, &id).await?.into_iter();
    let pending = pending.map(|order| waits(&frame, (&user, &id), &order, &names)).collect();
    let trace = console.trace(&user, &id).await?.into_iter().map(|one| traced(one, &names));
    let steps = console.steps(&user, &id).await?.into_iter().map(|one| step(one, &names));
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
    if device.hold.is_some() {
        acts.push(act("release", "release-device"));
    }
    acts.extend([act("resync", "resync"), act("remove", "remove").grave().then("/devices")]);
    let is_wiped = device.wipe != "none";
    let wipes = is_wiped.then(|| act("unwipe", "unwipe")).into_iter().collect();
    let (language, erasures) = (frame.look.language, console.foretell(&user, &id).await?);
    let mut routes = console.explain_route(&user, None).await?;
    routes.iter_mut().for_each(|route| route.why = language.said(&route.why));
    html(&Device {
        base: super::path(&["devices", &device.user, &device.device]),
        policy,
        revision: held.revision,
        groups: held.effective.groups.join(", "),
        pending,
        erases: (language.erasure(&erasures.account), language.erasure(&erasures.device)),
        left: console.front.wipes.left((console.front.clock)()).await?,
        routes,
        trace: trace.collect(),
        steps: steps.collect(),
        folders,
        acts,
        wipes,
        events,
        frame,
        first: moment(Some(device.first_seen)),
        told: moment(device.told),
        row: Row::new(device),
        information,
    })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// An order that waits, in words.
fn waits(
    frame: &Frame,
    (user, id): (&str, &str),
    order: &api::PendingOrder,
    names: &Names,
) -> Pending {
    let off = order.number.map(|number| {
        let path = ["devices", user, id, "orders", &number.to_string()];
        Act::new(&path, frame.t("call-off"))
    });
    let of = |value: &Value| names.name(value.as_u64().unwrap_or_default());
    let what = &order.what;
    let what = match (what.get("wipe"), what.get("order")) {
        (Some(wipe), _) => {
            let kind = wipe.get("kind").and_then(Value::as_str).unwrap_or_default();
            let told = wipe.get("told") == Some(&Value::Bool(true));
            let state = if told { frame.t("wipe-told") } else { frame.t("wipe-untold") };
            format!("{} ({state})", frame.word("wipe", kind))
        }
        (None, Some(Value::String(word))) => frame.word("order", word),
        (None, Some(order)) => match (order.get("resync_folder"), order.get("resync_item")) {
            (Some(folder), _) => format!("{}: {}", frame.t("order-resync-folder"), of(folder)),
            (None, Some(item)) => format!(
                "{}: {}, {}",
                frame.t("order-resync-item"),
                item.get("folder").map(of).unwrap_or_default(),
                item.get("item").map(plain).unwrap_or_default()
            ),
            (None, None) => order.to_string(),
        },
        (None, None) => what.to_string(),
    };
    Pending { what, by: order.by.clone().unwrap_or_default(), at: to_the_second(order.at), off }
}

fn traced(one: api::Traced, names: &Names) -> Traced {
    let told = |name: &str| one.event.get(name).map(plain);
    Traced {
        at: to_the_millisecond(Some(one.at)),
        folder: names.name(one.folder),
        number: one.folder,
        kind: told("event").unwrap_or_default(),
        item: told("item"),
        said: told("reason").or_else(|| told("wanted")).unwrap_or_default(),
    }
}

fn step(told: api::Told, names: &Names) -> Step {
    let further = told.further + told.items.len().saturating_sub(ITEMS);
    Step {
        known: to_the_millisecond(Some(told.known)),
        sent: to_the_millisecond(Some(told.sent)),
        acknowledged: to_the_millisecond(told.acknowledged),
        folder: names.name(told.folder),
        number: told.folder,
        request: told.request,
        items: told.items.into_iter().take(ITEMS).collect(),
        further,
        more: told.more,
    }
}
