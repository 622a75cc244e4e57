//! What a new revision of policies and rules changed, for the record of acts: each setting and rule
//! that is another one, as it was and as it is.

use super::parts::word;
use dme_policy::{Act, AdmissionRules, BehaviourRules, Defined, Levels, Rules};
use dme_server::records::audit::changed;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that can be another one, in words.
type Said = BTreeMap<String, String>;

/// Tells the record how the levels of policy changed.
pub(super) fn levels(before: &Levels, after: &Levels) {
    tell(&of_levels(before), &of_levels(after));
}

/// Tells the record how what one level says of settings changed.
pub(super) fn settings(before: &Rules, after: &Rules) {
    tell(&of_settings("", before), &of_settings("", after));
}

/// Tells the record how the rules of admission changed.
pub(super) fn admission(before: &AdmissionRules, after: &AdmissionRules) {
    tell(&of_admission(before), &of_admission(after));
}

/// Tells the record how the rules of behaviour changed.
pub(super) fn behaviour(before: &BehaviourRules, after: &BehaviourRules) {
    tell(&of_behaviour(before), &of_behaviour(after));
}

fn tell(before: &Said, after: &Said) {
    for (what, before, after) in differences(before, after) {
        changed(what, before.cloned(), after.cloned());
    }
}

fn differences<'a>(
    before: &'a Said,
    after: &'a Said,
) -> Vec<(&'a str, Option<&'a String>, Option<&'a String>)> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let both = names.into_iter().map(|name| (name.as_str(), before.get(name), after.get(name)));
    both.filter(|(_, before, after)| before != after).collect()
}

fn of_levels(levels: &Levels) -> Said {
    let mut said = of_settings("default: ", &levels.default);
    for (place, group) in levels.groups.iter().enumerate() {
        let name = &group.name;
        said.insert(format!("group {name}"), format!("place {}", place + 1));
        said.insert(format!("group {name}, members"), json(&group.members));
        said.extend(of_settings(&format!("group {name}: "), &group.settings));
    }
    said
}

fn of_settings(level: &str, rules: &Rules) -> Said {
    rules.iter().map(|(setting, defined)| (format!("{level}{setting}"), words(defined))).collect()
}

fn words(defined: &Defined) -> String {
    let value = defined.value.as_ref().map(ToString::to_string);
    let bounds = defined.bounds.as_ref().map(ToString::to_string);
    let locked = defined.locked.then(|| "locked".to_owned());
    let all: Vec<String> = [value, bounds, locked].into_iter().flatten().collect();
    all.join(", ")
}

fn of_admission(rules: &AdmissionRules) -> Said {
    let all = rules.rules.iter().enumerate();
    let mut said: Said = all
        .map(|(place, rule)| {
            let then = format!("place {}, {} {}", place + 1, json(&rule.devices), json(&rule.then));
            (format!("rule {}", rule.name), then)
        })
        .collect();
    said.extend(rules.otherwise.as_ref().map(|then| ("otherwise".to_owned(), json(then))));
    said.extend(rules.per_user.map(|most| ("per_user".to_owned(), most.to_string())));
    said
}

fn of_behaviour(rules: &BehaviourRules) -> Said {
    let all = rules.rules.iter().enumerate().map(|(place, rule)| {
        let (threshold, counts, within) = (rule.threshold, word(&rule.counts), rule.within);
        let then = match rule.then {
            Act::Slow(span) => format!("slow {span}"),
            Act::Block => "block".to_owned(),
            Act::Tell => "tell".to_owned(),
        };
        let place = place + 1;
        let said = format!("place {place}, {threshold} {counts} in {within}: {then}");
        (format!("rule {}", rule.name), said)
    });
    all.collect()
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_policy::{Condition, Group, Setting};

    #[test]
    fn each_setting_that_is_another_one_is_told_as_it_was_and_as_it_is() {
        let setting: Setting = "MinDevicePasswordLength".parse().unwrap();
        let value = |text: &str| Defined {
            value: setting.kind().parse(text),
            locked: text == "8",
            ..Defined::default()
        };
        let group = |name: &str, text: &str| Group {
            name: name.into(),
            members: Condition::default(),
            settings: [(setting, value(text))].into(),
        };
        let before = Levels {
            default: [(setting, value("4"))].into(),
            groups: vec![group("lyon", "6"), group("paris", "6")],
        };
        let after = Levels { default: Rules::new(), groups: vec![group("paris", "8")] };
        let (before, after) = (of_levels(&before), of_levels(&after));
        let told: Vec<String> = differences(&before, &after)
            .into_iter()
            .map(|(what, was, is)| format!("{what}: {was:?} {is:?}"))
            .collect();
        assert_eq!(
            told,
            [
                "default: MinDevicePasswordLength: Some(\"4\") None",
                "group lyon: Some(\"place 1\") None",
                "group lyon, members: Some(\"{}\") None",
                "group lyon: MinDevicePasswordLength: Some(\"6\") None",
                "group paris: Some(\"place 2\") Some(\"place 1\")",
                "group paris: MinDevicePasswordLength: Some(\"6\") Some(\"8, locked\")",
            ]
        );
    }
}
