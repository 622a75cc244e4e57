//! Levels of policy, who a change affects, rules of admission, orders to wipe.

use super::time::moment;
use super::{Frame, Visit, html};
use crate::{Console, Refusal, api};
use askama::Template;
use dme_policy::{Bounds, Condition, Defined, Outcome, Setting};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "policies.html")]
struct Policies {
    frame: Frame,
    revision: u64,
    changed: String,
    author: String,
    group: String,
    levels: Vec<LevelLink>,
    areas: Vec<(&'static str, Vec<Row>)>,
}

struct LevelLink {
    name: String,
    text: String,
    href: String,
    here: bool,
    members: String,
}

/// One setting on the level that is looked at.
struct Row {
    name: &'static str,
    meaning: &'static str,
    allowed: String,
    /// What this level says, as it is typed.
    value: String,
    least: String,
    most: String,
    locked: bool,
    is_number: bool,
    choices: Vec<&'static str>,
    /// What holds where this level says nothing.
    otherwise: String,
    obeyed: String,
    note: &'static str,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let policy = console.policy();
    let group = visit.asked("group").to_owned();
    let frame = visit.frame;
    let found = policy.levels.groups.iter().find(|one| one.name == group);
    let rules = match (group.as_str(), found) {
        ("", _) => &policy.levels.default,
        (_, Some(group)) => &group.settings,
        (_, None) => return Err(Refusal::not_found(format!("group {group}"))),
    };
    let mut areas: Vec<(&'static str, Vec<Row>)> = Vec::new();
    for setting in Setting::ALL {
        let beneath = match group.as_str() {
            "" => policy.configuration.get(setting),
            _ => policy.levels.default.get(setting).or_else(|| policy.configuration.get(setting)),
        };
        let row = row(*setting, rules.get(setting), beneath);
        let title = setting.about().area.title();
        match areas.last_mut().filter(|(last, _)| *last == title) {
            Some((_, rows)) => rows.push(row),
            None => areas.push((title, vec![row])),
        }
    }
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
                members: members(&one.members),
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
        group,
        levels,
        areas,
        frame,
    })
}

fn row(setting: Setting, said: Option<&Defined>, beneath: Option<&Defined>) -> Row {
    let about = setting.about();
    let value = |said: Option<&Defined>| said.and_then(|said| said.value.clone());
    let bounds = said.and_then(|said| said.bounds.clone());
    let (least, most) = match bounds {
        Some(Bounds::Range { least, most }) => (least, most),
        _ => (None, None),
    };
    let number = |number: Option<u32>| number.map_or_else(String::new, |it| it.to_string());
    let choices = match about.kind {
        dme_policy::Kind::Switch { .. } => vec!["true", "false"],
        dme_policy::Kind::Choice { words, .. } => words.to_vec(),
        _ => Vec::new(),
    };
    let obeyed = dme_policy::Client::ALL
        .iter()
        .map(|client| format!("{}: {}", client.name(), about.obeyed.by(*client).as_str()));
    Row {
        name: about.name,
        meaning: about.meaning,
        allowed: about.kind.allowed(),
        value: value(said).map(|value| value.to_string()).unwrap_or_default(),
        least: number(least),
        most: number(most),
        locked: said.is_some_and(|said| said.locked),
        is_number: matches!(about.kind, dme_policy::Kind::Number { .. }),
        choices,
        otherwise: value(beneath).unwrap_or_else(|| about.kind.unset()).to_string(),
        obeyed: obeyed.collect::<Vec<_>>().join(", "),
        note: about.note,
    }
}

/// Which devices a condition means, in words.
fn members(condition: &Condition) -> String {
    let lists = [
        ("group", &condition.group),
        ("user", &condition.user),
        ("agent", &condition.agent),
        ("os", &condition.os),
        ("model", &condition.model),
        ("type", &condition.device_type),
        ("protocol", &condition.protocol),
    ];
    let said = lists.iter().filter(|(_, list)| !list.is_empty());
    said.map(|(name, list)| format!("{name}: {}", list.join(", "))).collect::<Vec<_>>().join("; ")
}

#[derive(Template)]
#[template(path = "policy_try.html")]
struct Try {
    frame: Frame,
    edit: api::SettingEdit,
    back: String,
    changed: Vec<(String, String, String)>,
    overridden: Vec<(String, String, String)>,
    untouched: usize,
}

/// Whom a change would affect, before it is made.
pub(super) async fn trial(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let asked = |name: &str| Some(visit.asked(name).to_owned()).filter(|text| !text.is_empty());
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
    let changed = preview.changed.into_iter().map(|one| {
        let settings =
            one.settings.iter().map(|it| format!("{}: {} → {}", it.setting, it.before, it.after));
        let href = super::path(&["devices", &one.device.user, &one.device.device]);
        let who = format!("{} {}", one.device.user, one.device.device);
        (href, who, settings.collect::<Vec<_>>().join(", "))
    });
    let overridden = preview.overridden.into_iter().map(|one| {
        let href = super::path(&["devices", &one.device.user, &one.device.device]);
        (href, format!("{} {}", one.device.user, one.device.device), one.by.to_string())
    });
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(group) = &edit.group {
        query.append_pair("group", group);
    }
    html(&Try {
        back: format!("/policies?{}", query.finish()),
        edit,
        changed: changed.collect(),
        overridden: overridden.collect(),
        untouched: usize::try_from(preview.untouched).unwrap_or(usize::MAX),
        frame: visit.frame,
    })
}

#[derive(Template)]
#[template(path = "admission.html")]
struct Admission {
    frame: Frame,
    revision: u64,
    rules: Vec<Rule>,
    otherwise: String,
}

struct Rule {
    name: String,
    members: String,
    then: String,
    reason: String,
}

/// The rules of admission.
pub(super) async fn admission(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let book = console.admission();
    let told = |outcome: &Outcome| match outcome {
        Outcome::Allow => ("allow".to_owned(), String::new()),
        Outcome::Quarantine { reason } => ("quarantine".to_owned(), reason.clone()),
        Outcome::Block { reason } => ("block".to_owned(), reason.clone()),
    };
    let rules = book.rules.rules.iter().map(|rule| {
        let (then, reason) = told(&rule.then);
        Rule { name: rule.name.clone(), members: members(&rule.devices), then, reason }
    });
    let frame = visit.frame;
    html(&Admission {
        revision: book.revision,
        rules: rules.collect(),
        otherwise: book
            .rules
            .otherwise
            .as_ref()
            .map_or_else(|| frame.t("as-configured"), |outcome| told(outcome).0),
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
    let seconds = |at: Option<i64>| moment(at.map(|at| at / 1000));
    let rows = console.wipe_orders(&visit.principal).await?.into_iter().map(|order| WipeRow {
        href: super::path(&["devices", &order.device.user, &order.device.device]),
        requested: seconds(Some(order.requested)),
        told: seconds(order.told),
        acknowledged: seconds(order.acknowledged),
        order,
    });
    html(&Wipes { frame: visit.frame, rows: rows.collect() })
}
