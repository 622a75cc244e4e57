//! Which devices a rule or a group is meant for: in words, and as it is typed into a form.

use super::{Frame, Visit};
use crate::endpoints::policies::edits::listed;
use dme_policy::Condition;

/// A rule or a group as a form has it.
#[derive(Default)]
pub(super) struct Meant {
    pub name: String,
    pub group: String,
    pub user: String,
    pub agent: String,
    pub os: String,
    pub model: String,
    pub device_type: String,
    pub protocol: String,
}

impl Meant {
    /// As it is.
    pub fn of(name: &str, condition: &Condition) -> Self {
        Self {
            name: name.to_owned(),
            group: listed(&condition.group),
            user: listed(&condition.user),
            agent: listed(&condition.agent),
            os: listed(&condition.os),
            model: listed(&condition.model),
            device_type: listed(&condition.device_type),
            protocol: listed(&condition.protocol),
        }
    }
}

/// The names of its fields in forms.
pub(super) const MEANT: [&str; 8] =
    ["name", "group", "user", "agent", "os", "model", "device_type", "protocol"];

/// Of what a form asked for, what stands under these names and no others, for a form that sends it on.
pub(super) fn sent_on(visit: &Visit, names: &[&'static str]) -> Vec<(&'static str, String)> {
    names.iter().filter_map(|name| Some((*name, said(visit.asked(name))?))).collect()
}

/// What is typed, where anything is.
pub(super) fn said(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// Which devices a condition means, in words.
pub(super) fn members(frame: &Frame, condition: &Condition) -> String {
    let lists = [
        ("directory-group", &condition.group),
        ("user", &condition.user),
        ("agent", &condition.agent),
        ("os", &condition.os),
        ("model", &condition.model),
        ("kind", &condition.device_type),
        ("protocol", &condition.protocol),
    ];
    let said = lists.iter().filter(|(_, list)| !list.is_empty());
    let said = said.map(|(name, list)| format!("{}: {}", frame.t(name), list.join(", ")));
    said.collect::<Vec<_>>().join("; ")
}
