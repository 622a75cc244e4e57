//! Which devices a rule or a group is meant for, as it is typed into forms and sent by them.

use crate::api::TypedCondition;
use dme_policy::Condition;

impl TypedCondition {
    /// Each of its fields, and the name of the text that says what it is.
    pub(crate) const FIELDS: [(&'static str, &'static str); 7] = [
        ("group", "directory-group"),
        ("user", "user"),
        ("agent", "agent"),
        ("os", "os"),
        ("model", "model"),
        ("device_type", "kind"),
        ("protocol", "protocol"),
    ];

    /// The name of the text that says what a field is.
    pub(crate) fn text(field: &str) -> &'static str {
        let found = Self::FIELDS.iter().find(|(known, _)| *known == field);
        found.map_or("", |(_, text)| text)
    }

    /// From what stands in its fields.
    pub(crate) fn asked(field: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            group: field("group"),
            user: field("user"),
            agent: field("agent"),
            os: field("os"),
            model: field("model"),
            device_type: field("device_type"),
            protocol: field("protocol"),
        }
    }

    /// As a condition is typed.
    pub(crate) fn of(condition: &Condition) -> Self {
        let Condition { agent, os, model, device_type, protocol, group, user } = condition;
        let typed = |patterns: &[String]| Some(listed(patterns)).filter(|text| !text.is_empty());
        Self {
            group: typed(group),
            user: typed(user),
            agent: typed(agent),
            os: typed(os),
            model: typed(model),
            device_type: typed(device_type),
            protocol: typed(protocol),
        }
    }

    /// What is meant by it.
    pub fn condition(&self) -> Condition {
        let read = |typed: &Option<String>| list(typed.as_deref().unwrap_or_default());
        Condition {
            agent: read(&self.agent),
            os: read(&self.os),
            model: read(&self.model),
            device_type: read(&self.device_type),
            protocol: read(&self.protocol),
            group: read(&self.group),
            user: read(&self.user),
        }
    }
}

/// Patterns parted by commas; by semicolons where there are any, as a model may be `iPhone15,2`.
fn list(text: &str) -> Vec<String> {
    let between = if text.contains(';') { ';' } else { ',' };
    let parts = text.split(between).map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// Patterns as they are typed.
fn listed(patterns: &[String]) -> String {
    match patterns.iter().any(|pattern| pattern.contains(',')) {
        // One alone is a list, too.
        true => patterns.iter().map(|pattern| format!("{pattern};")).collect::<Vec<_>>().join(" "),
        false => patterns.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api;
    use serde_json::json;

    #[test]
    fn what_is_listed_is_read_as_it_was() {
        for (text, patterns) in [
            ("iOS 18*, iOS 26*", &["iOS 18*", "iOS 26*"][..]),
            ("iPhone15,2;", &["iPhone15,2"]),
            ("iPhone15,2; iPhone15,3;", &["iPhone15,2", "iPhone15,3"]),
            ("", &[]),
        ] {
            assert_eq!(list(text), patterns, "{text}");
            assert_eq!(listed(&list(text)), text);
        }
        assert_eq!(list(" a ,, b"), ["a", "b"]);
    }

    #[test]
    fn each_kind_of_pattern_comes_back_as_it_was_typed() {
        for (field, _) in TypedCondition::FIELDS {
            let typed = TypedCondition::asked(|name| (name == field).then(|| "a, b".to_owned()));
            let condition = typed.condition();
            assert!(!condition.is_empty(), "{field}");
            assert_eq!(TypedCondition::of(&condition), typed, "{field}");
            let said = condition.kinds().into_iter().filter(|(_, patterns)| !patterns.is_empty());
            assert!(said.map(|(kind, _)| kind).eq([field]), "{field}");
        }
    }

    #[test]
    fn groups_and_rules_have_its_fields_among_their_own_and_no_others() {
        let group = json!({"name": "phones", "device_type": "iPhone", "revision": 3});
        let group: api::NewGroup = serde_json::from_value(group).unwrap();
        assert_eq!(group.members.condition().device_type, ["iPhone"]);
        let rule = json!({"name": "phones", "os": "iOS*", "then": "allow", "revision": 3});
        let rule: api::NewRule = serde_json::from_value(rule).unwrap();
        assert_eq!(rule.devices.condition().os, ["iOS*"]);
        let slip = json!({"name": "phones", "modell": "iPhone*", "revision": 3});
        assert!(serde_json::from_value::<api::NewGroup>(slip.clone()).is_err());
        assert!(serde_json::from_value::<api::NewRule>(slip).is_err());
    }
}
