//! What is wrong with rules of administrators, in the reader's language. In English the rules' own
//! crate says it, for files and commands too.

use super::Language;
use crate::api::TypedCondition;
use crate::endpoints::policies::edits::range;
use dme_policy::{AdmissionProblem, Bounds, ConditionProblem, Problem, RuleProblem};
use dme_server::books::Wrong;
use fluent_bundle::FluentValue;

impl Language {
    /// All that is wrong with rules, a line for each.
    pub(crate) fn wrong(self, all: &[Wrong]) -> String {
        let lines = all.iter().map(|one| match (self, one) {
            (Self::English, one) => one.to_string(),
            (_, Wrong::Levels(problem)) => self.of_levels(problem),
            (_, Wrong::Admission(problem)) => self.of_admission(problem),
            (_, Wrong::Behaviour(problem)) => self.of_behaviour(problem),
            (_, Wrong::Condition(problem)) => self.of_condition(problem),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn problem(self, name: &str, args: &[(&'static str, String)]) -> String {
        let args: Vec<_> =
            args.iter().map(|(name, text)| (*name, FluentValue::from(text.as_str()))).collect();
        self.text(&format!("problem-{name}"), &args)
    }

    fn of_levels(self, problem: &Problem) -> String {
        let counted = |name: &str, count: &usize, most: &usize| {
            self.problem(name, &[("count", count.to_string()), ("most", most.to_string())])
        };
        let (name, level, setting, mut args) = match problem {
            Problem::GroupName { name, longest } => {
                let args = [("name", name.clone()), ("longest", longest.to_string())];
                return self.problem("group-name", &args);
            }
            Problem::Members { group, what } => {
                let args = [("name", group.clone()), ("what", self.of_condition(what))];
                return self.problem("members", &args);
            }
            Problem::Everyone(group) => {
                return self.problem("everyone", &[("name", group.clone())]);
            }
            Problem::TooManyGroups { groups, most } => return counted("groups", groups, most),
            Problem::Nothing { level, setting } => ("nothing", level, setting, Vec::new()),
            Problem::WrongValue { level, setting, value, .. } => {
                ("wrong-value", level, setting, vec![("value", value.to_string())])
            }
            Problem::WrongBounds { level, setting, .. } => {
                ("wrong-bounds", level, setting, Vec::new())
            }
            Problem::Locked { level, setting, by } => {
                ("locked", level, setting, vec![("by", self.level(by))])
            }
            Problem::Outside { level, setting, value, bounds, by } => {
                let bounds = ("bounds", between(bounds));
                let args = vec![("value", value.to_string()), bounds, ("by", self.level(by))];
                ("outside", level, setting, args)
            }
        };
        args.push(("setting", setting.to_string()));
        args.push(("level", self.level(level)));
        args.push(("allowed", range(*setting)));
        self.problem(name, &args)
    }

    fn of_admission(self, problem: &AdmissionProblem) -> String {
        match problem {
            AdmissionProblem::TooMany { rules, most } => self.too_many_rules(*rules, *most),
            AdmissionProblem::PerUser { most } => {
                self.problem("per-user", &[("most", most.to_string())])
            }
            AdmissionProblem::Name { name, longest } => self.rule_name(name, *longest),
            AdmissionProblem::Devices { rule, what } => {
                let args = [("name", rule.clone()), ("what", self.of_condition(what))];
                self.problem("rule", &args)
            }
            AdmissionProblem::Reason { longest } => {
                self.problem("reason", &[("longest", longest.to_string())])
            }
        }
    }

    fn of_behaviour(self, problem: &RuleProblem) -> String {
        match problem {
            RuleProblem::TooMany { rules, most } => self.too_many_rules(*rules, *most),
            RuleProblem::Name { name, longest } => self.rule_name(name, *longest),
            RuleProblem::Range { rule, number, least, most } => {
                let number = ("number", self.problem(&format!("number-{number}"), &[]));
                let least = ("least", (*least).to_owned());
                let most = ("most", (*most).to_owned());
                let what = self.problem("range", &[number, least, most]);
                self.problem("rule", &[("name", rule.clone()), ("what", what)])
            }
        }
    }

    fn of_condition(self, problem: &ConditionProblem) -> String {
        let (name, kind, number) = match problem {
            ConditionProblem::TooMany { kind, most } => ("patterns", kind, most),
            ConditionProblem::Pattern { kind, longest } => ("pattern", kind, longest),
        };
        let kind = self.text(TypedCondition::text(kind), &[]);
        self.problem(name, &[("kind", kind), ("most", number.to_string())])
    }

    fn too_many_rules(self, rules: usize, most: usize) -> String {
        self.problem("rules", &[("count", rules.to_string()), ("most", most.to_string())])
    }

    fn rule_name(self, name: &str, longest: usize) -> String {
        let args = [("name", name.to_owned()), ("longest", longest.to_string())];
        self.problem("rule-name", &args)
    }
}

/// Bounds without a word of any language.
fn between(bounds: &Bounds) -> String {
    match bounds {
        Bounds::Range { least: Some(least), most: Some(most) } => format!("{least} – {most}"),
        Bounds::Range { least: Some(least), most: None } => format!("≥ {least}"),
        Bounds::Range { least: None, most: Some(most) } => format!("≤ {most}"),
        Bounds::Range { least: None, most: None } => "…".to_owned(),
        Bounds::OneOf(words) => words.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_policy::{Level, Setting};

    /// One of each there is.
    fn all() -> Vec<Wrong> {
        let setting: Setting = "MinDevicePasswordLength".parse().unwrap();
        let value = setting.kind().parse("8").unwrap();
        let group = Level::Group("paris".into());
        let level = Level::Device;
        let bounds = Bounds::Range { least: Some(9), most: None };
        let allowed = setting.kind().allowed();
        let condition = ConditionProblem::Pattern { kind: "device_type", longest: 255 };
        let many = ConditionProblem::TooMany { kind: "os", most: 100 };
        let levels = [
            Problem::WrongValue {
                level: level.clone(),
                setting,
                value: value.clone(),
                allowed: allowed.clone(),
            },
            Problem::WrongBounds { level: level.clone(), setting, allowed },
            Problem::Outside { level: level.clone(), setting, value, bounds, by: group.clone() },
            Problem::Locked { level: level.clone(), setting, by: group },
            Problem::Nothing { level, setting },
            Problem::GroupName { name: "paris".into(), longest: 64 },
            Problem::Members { group: "paris".into(), what: condition.clone() },
            Problem::Everyone("paris".into()),
            Problem::TooManyGroups { groups: 201, most: 200 },
        ];
        let admission = [
            AdmissionProblem::TooMany { rules: 201, most: 200 },
            AdmissionProblem::PerUser { most: 9 },
            AdmissionProblem::Name { name: "ancient".into(), longest: 64 },
            AdmissionProblem::Devices { rule: "ancient".into(), what: many },
            AdmissionProblem::Reason { longest: 500 },
        ];
        let number =
            |number| RuleProblem::Range { rule: "loop".into(), number, least: "1s", most: "7d" };
        let behaviour = [
            RuleProblem::TooMany { rules: 201, most: 200 },
            RuleProblem::Name { name: "loop".into(), longest: 64 },
            number("threshold"),
            number("within"),
            number("slow"),
        ];
        let mut all: Vec<Wrong> = levels.into_iter().map(Into::into).collect();
        all.extend(admission.into_iter().map(Wrong::from));
        all.extend(behaviour.into_iter().map(Wrong::from));
        all.push(condition.into());
        all
    }

    #[test]
    fn all_that_can_be_wrong_is_said_in_every_language() {
        for one in all() {
            let english = Language::English.wrong(std::slice::from_ref(&one));
            assert_eq!(english, one.to_string());
            let german = Language::German.wrong(std::slice::from_ref(&one));
            assert!(!german.contains("problem-") && !german.contains("{ $"), "{german}");
            // What was named is named, and no word is left in English.
            for word in [" the ", " is ", " and ", " at most ", "allowed", "own level", "group "] {
                assert!(!german.contains(word), "{word}: {german}");
            }
            for name in ["paris", "ancient", "loop", "MinDevicePasswordLength", "64", "200"] {
                assert_eq!(german.contains(name), english.contains(name), "{name}: {german}");
            }
        }
    }

    #[test]
    fn each_thing_that_is_wrong_has_a_line_of_its_own() {
        let all = [
            AdmissionProblem::PerUser { most: 9 }.into(),
            AdmissionProblem::Reason { longest: 500 }.into(),
        ];
        assert_eq!(
            Language::German.wrong(&all),
            "Geräte je Benutzer: 1 bis 9 sind erlaubt.\nEine Begründung hat mehr als 500 Zeichen."
        );
    }
}
