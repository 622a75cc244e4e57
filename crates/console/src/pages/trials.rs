//! Whom a change of the levels of policy would affect, before it is made.

use super::meant::{fields, said, sent_on};
use super::{Frame, Visit, html, path};
use crate::endpoints::policies::edits::GroupAct;
use crate::{Console, Refusal, api, form};
use askama::Template;
use std::sync::Arc;

/// So many devices are named; the others are counted.
const NAMED: usize = 200;

/// Some of the devices that something concerns, each with its page and what it is; and how many
/// there are.
pub(super) struct Concerned {
    pub named: Vec<(String, String, String)>,
    pub all: usize,
}

impl Concerned {
    pub fn new(devices: impl ExactSizeIterator<Item = (api::DeviceName, String)>) -> Self {
        let all = devices.len();
        let named = devices.take(NAMED).map(|(device, what)| {
            let href = path(&["devices", &device.user, &device.device]);
            (href, format!("{} {}", device.user, device.device), what)
        });
        Self { named: named.collect(), all }
    }

    /// How many are not named.
    pub fn further(&self) -> usize {
        self.all - self.named.len()
    }
}

/// Whom a change of the levels would affect.
struct Affected {
    changed: Concerned,
    overridden: Concerned,
    untouched: usize,
}

impl Affected {
    fn of(frame: &Frame, preview: api::PolicyPreview) -> Self {
        let changed = preview.changed.into_iter().map(|one| {
            let settings = one.settings.iter();
            let settings =
                settings.map(|it| format!("{}: {} → {}", it.setting, it.before, it.after));
            (one.device, settings.collect::<Vec<_>>().join(", "))
        });
        let overridden = preview.overridden.into_iter();
        let overridden = overridden
            .map(|one| (one.device, format!("{}: {}", one.setting, frame.level(&one.by))));
        Self {
            changed: Concerned::new(changed),
            overridden: Concerned::new(overridden),
            untouched: usize::try_from(preview.untouched).unwrap_or(usize::MAX),
        }
    }
}

#[derive(Template)]
#[template(path = "policy_try.html")]
struct OfSetting {
    frame: Frame,
    edit: api::SettingEdit,
    back: String,
    affected: Affected,
}

/// Whom another value of a setting would affect.
pub(super) async fn setting(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let asked = |name: &str| said(visit.asked(name));
    let edit = api::SettingEdit {
        group: asked("group"),
        setting: visit.asked("setting").to_owned(),
        value: asked("value"),
        locked: asked("locked").is_some(),
        least: asked("least").and_then(|text| text.parse().ok()),
        most: asked("most").and_then(|text| text.parse().ok()),
        revision: visit.asked("revision").parse().unwrap_or_default(),
        push: false,
    };
    let levels = console.edited(&edit)?;
    let preview = console.preview_policy(api::PolicyTrial { levels }).await?;
    let back = match &edit.group {
        Some(group) => format!("/policies?{}", form::query(&[("group", group)])),
        None => "/policies".to_owned(),
    };
    html(&OfSetting {
        affected: Affected::of(&visit.frame, preview),
        back,
        edit,
        frame: visit.frame,
    })
}

#[derive(Template)]
#[template(path = "group_try.html")]
struct OfGroup {
    frame: Frame,
    name: String,
    /// What is to be done to it.
    act: String,
    /// The endpoint's path without `/api`.
    endpoint: &'static str,
    fields: Vec<(&'static str, String)>,
    revision: String,
    members: Concerned,
    /// How many may be in it, which is not known yet.
    open: usize,
    affected: Affected,
    grave: bool,
}

/// Whom it would affect were a group made, changed, made stronger or taken away.
pub(super) async fn group(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let instead_of = visit.wanted("instead_of");
    let (act, text, endpoint) = match visit.asked("act") {
        "put" if instead_of.is_some() => (GroupAct::Put, "edit-group", "/policy/groups"),
        "put" => (GroupAct::Put, "new-group", "/policy/groups"),
        "raise" => (GroupAct::Raise, "raise", "/policy/groups/raise"),
        "remove" => (GroupAct::Remove, "take-away", "/policy/groups/remove"),
        other => return Err(Refusal::wrong("no-act", other)),
    };
    let asked = |name: &str| said(visit.asked(name));
    let group = api::NewGroup {
        name: visit.asked("name").to_owned(),
        members: api::TypedCondition::asked(asked),
        instead_of,
        revision: 0,
    };
    let levels = console.regrouped(act, &group)?;
    let members = match act {
        GroupAct::Put => group.members.condition(),
        GroupAct::Raise | GroupAct::Remove => {
            let held = console.policy().levels;
            held.group(&group.name).map(|held| held.members.clone()).unwrap_or_default()
        }
    };
    let (preview, meant) = console.preview_group(&levels, &members).await?;
    let (frame, revision) = (&visit.frame, visit.asked("revision").to_owned());
    let members = meant.devices.into_iter().map(|device| (device, String::new()));
    html(&OfGroup {
        act: frame.t(text),
        affected: Affected::of(frame, preview),
        members: Concerned::new(members),
        open: meant.open.len(),
        fields: match act {
            GroupAct::Put => sent_on(&visit, &[&fields()[..], &["instead_of"]].concat()),
            GroupAct::Raise | GroupAct::Remove => sent_on(&visit, &["name"]),
        },
        name: group.name,
        grave: act == GroupAct::Remove,
        endpoint,
        revision,
        frame: visit.frame,
    })
}
