//! Levels of policy; orders to wipe.

use super::meant::{Meant, members};
use super::setting::{Row, areas};
use super::time::{moment, to_the_second};
use super::{Frame, Visit, html};
use crate::{Console, Refusal, api};
use askama::Template;
use dme_policy::{are_told, value_in};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "policies.html")]
struct Policies {
    frame: Frame,
    revision: u64,
    changed: String,
    author: String,
    group: String,
    /// Whether phones are told nothing of it, as there is no policy for them.
    is_off: bool,
    levels: Vec<LevelLink>,
    areas: Vec<(String, Vec<Said>)>,
    /// A group that is to be made: nothing yet.
    meant: Meant,
    /// The group that is shown, as it is edited.
    edited: Option<Meant>,
}

struct LevelLink {
    name: String,
    text: String,
    href: String,
    here: bool,
    members: String,
}

/// A setting, and what holds where this level says nothing of it.
struct Said {
    row: Row,
    otherwise: String,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let policy = console.policy();
    let group = visit.asked("group").to_owned();
    let frame = visit.frame;
    let found = policy.levels.groups.iter().find(|one| one.name == group);
    let rules = match (group.as_str(), found) {
        ("", _) => &policy.levels.default,
        (_, Some(group)) => &group.settings,
        (_, None) => return Err(Refusal::lacks("no-group", group)),
    };
    let chain = [rules, &policy.levels.default, &policy.configuration];
    let beneath = if group.is_empty() { &chain[2..] } else { &chain[1..] };
    let is_off = !are_told(&chain);
    let areas = areas(&frame, |setting| Said {
        row: Row::new(&frame, setting, rules.get(&setting)),
        otherwise: value_in(setting, beneath).to_string(),
    });
    let mut levels: Vec<LevelLink> = policy
        .levels
        .groups
        .iter()
        .map(|one| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            LevelLink {
                name: one.name.clone(),
                text: one.name.clone(),
                href: format!("/policies?{}", query.append_pair("group", &one.name).finish()),
                here: one.name == group,
                members: members(&frame, &one.members),
            }
        })
        .collect();
    levels.push(LevelLink {
        name: String::new(),
        text: frame.t("level-default"),
        href: "/policies".into(),
        here: group.is_empty(),
        members: frame.t("everyone"),
    });
    html(&Policies {
        revision: policy.revision,
        changed: moment(policy.changed.map(|at| at / 1000)),
        author: policy.author,
        is_off,
        edited: found.map(|group| Meant::of(&group.name, &group.members)),
        group,
        levels,
        areas,
        meant: Meant::default(),
        frame,
    })
}

#[derive(Template)]
#[template(path = "wipes.html")]
struct Wipes {
    frame: Frame,
    rows: Vec<WipeRow>,
}

struct WipeRow {
    order: api::WipeOrder,
    href: String,
    requested: String,
    told: String,
    acknowledged: String,
}

/// The orders to wipe, the newest first.
pub(super) async fn wipes(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let rows = console.wipe_orders(&visit.principal).await?.into_iter().map(|order| WipeRow {
        href: super::path(&["devices", &order.device.user, &order.device.device]),
        requested: to_the_second(Some(order.requested)),
        told: to_the_second(order.told),
        acknowledged: to_the_second(order.acknowledged),
        order,
    });
    html(&Wipes { frame: visit.frame, rows: rows.collect() })
}
