//! Which devices a rule or a group is meant for: in words, and as it is typed into a form.

use super::{Frame, Visit};
use crate::endpoints::edits::listed;
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

    /// As a form asks for it.
    pub fn asked(visit: &Visit) -> Self {
        let text = |name: &str| visit.asked(name).to_owned();
        Self {
            name: text("name"),
            group: text("group"),
            user: text("user"),
            agent: text("agent"),
            os: text("os"),
            model: text("model"),
            device_type: text("device_type"),
            protocol: text("protocol"),
        }
    }

    /// For a form that sends it on.
    pub fn fields(self) -> Vec<(&'static str, String)> {
        let all = [
            ("name", self.name),
            ("group", self.group),
            ("user", self.user),
            ("agent", self.agent),
            ("os", self.os),
            ("model", self.model),
            ("device_type", self.device_type),
            ("protocol", self.protocol),
        ];
        all.into_iter().filter(|(_, text)| !text.is_empty()).collect()
    }
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
