//! Which devices may in: rules in an order, of which the first that fits decides.

use crate::condition::{Condition, ConditionProblem, Facts, Judged};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The most rules there may be.
const MOST_RULES: usize = 200;
/// The longest name of a rule, and reason, in characters.
const LONGEST_NAME: usize = 64;
const LONGEST_REASON: usize = 500;
/// The most devices a user may be allowed.
const MOST_DEVICES: u32 = 1_000_000;

/// What becomes of a device, the mildest first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", tag = "outcome", deny_unknown_fields)]
pub enum Outcome {
    /// It may in.
    Allow,
    /// It waits for an administrator.
    Quarantine {
        /// Why, for its owner and the administrators; empty for nothing more to say.
        #[serde(default)]
        reason: String,
    },
    /// It may not in.
    Block {
        /// Why.
        #[serde(default)]
        reason: String,
    },
}

/// One rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdmissionRule {
    /// Its name, unlike that of any other.
    pub name: String,
    /// Which devices it is meant for.
    #[serde(default)]
    pub devices: Condition,
    /// What becomes of them.
    pub then: Outcome,
}

/// All of them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdmissionRules {
    /// The first that fits decides.
    pub rules: Vec<AdmissionRule>,
    /// What becomes of a device that none fits; where absent, what `devices.unknown` of the
    /// server's configuration says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Outcome>,
    /// Devices a user may have; where absent, what `devices.per_user` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_user: Option<u32>,
}

/// A rule that could not be judged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Undecided {
    /// Which.
    pub rule: String,
    /// What is lacking.
    pub lacks: String,
}

/// What was decided of a device, and by what.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// What becomes of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The rule that decided; none where no rule fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The rules before it that could not be judged; they are, when the device has told what they
    /// ask for. As long as one of them would be sterner than what is decided without it, the
    /// device waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undecided: Vec<Undecided>,
}

/// Why rules of admission cannot be set so, and how to mend it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AdmissionProblem {
    /// There are more than may be.
    #[error("there are {rules} rules: at most {most}")]
    TooMany {
        /// How many there are.
        rules: usize,
        /// How many there may be.
        most: usize,
    },
    /// A user may not have so many devices.
    #[error("per_user: 1 to {most} are allowed")]
    PerUser {
        /// How many a user may be allowed.
        most: u32,
    },
    /// A name cannot be used.
    #[error("{name:?} cannot be a rule's name: 1 to {longest} characters, and no other has it")]
    Name {
        /// Which.
        name: String,
        /// How long one may be.
        longest: usize,
    },
    /// A rule's condition makes no sense.
    #[error("the rule {rule}: {what}")]
    Devices {
        /// Which rule.
        rule: String,
        /// What is wrong.
        what: ConditionProblem,
    },
    /// A reason is too long.
    #[error("a reason has more than {longest} characters")]
    Reason {
        /// How long one may be.
        longest: usize,
    },
}

impl Outcome {
    /// Why, where it is said.
    pub fn reason(&self) -> &str {
        match self {
            Self::Allow => "",
            Self::Quarantine { reason } | Self::Block { reason } => reason,
        }
    }

    /// How stern it is.
    fn rank(&self) -> u8 {
        match self {
            Self::Allow => 0,
            Self::Quarantine { .. } => 1,
            Self::Block { .. } => 2,
        }
    }
}

impl AdmissionRules {
    /// All that is wrong with them, each with how to mend it.
    pub fn problems(&self) -> Vec<AdmissionProblem> {
        let mut problems = Vec::new();
        if self.rules.len() > MOST_RULES {
            let rules = self.rules.len();
            problems.push(AdmissionProblem::TooMany { rules, most: MOST_RULES });
        }
        if self.per_user.is_some_and(|devices| !(1..=MOST_DEVICES).contains(&devices)) {
            problems.push(AdmissionProblem::PerUser { most: MOST_DEVICES });
        }
        let mut names = BTreeSet::new();
        for rule in &self.rules {
            let name = rule.name.trim();
            let fits = (1..=LONGEST_NAME).contains(&name.chars().count());
            if !fits || !names.insert(name.to_lowercase()) {
                let longest = LONGEST_NAME;
                problems.push(AdmissionProblem::Name { name: name.to_owned(), longest });
            }
            if let Some(what) = rule.devices.problem() {
                problems.push(AdmissionProblem::Devices { rule: name.to_owned(), what });
            }
        }
        let outcomes = self.rules.iter().map(|rule| &rule.then).chain(&self.otherwise);
        if outcomes.into_iter().any(|one| one.reason().chars().count() > LONGEST_REASON) {
            problems.push(AdmissionProblem::Reason { longest: LONGEST_REASON });
        }
        problems
    }

    /// What becomes of a device; `configured` is for one that no rule fits where the rules say
    /// nothing of that.
    pub fn decide(&self, facts: &Facts<'_>, configured: &Outcome) -> Decision {
        let mut undecided: Vec<(&AdmissionRule, &'static str)> = Vec::new();
        let mut decided = None;
        for rule in &self.rules {
            match rule.devices.judge(facts) {
                Judged::Fits => {
                    decided = Some((Some(rule.name.clone()), rule.then.clone()));
                    break;
                }
                Judged::Not => {}
                Judged::Lacks(what) => undecided.push((rule, what)),
            }
        }
        let otherwise = || (None, self.otherwise.clone().unwrap_or_else(|| configured.clone()));
        let (rule, outcome) = decided.unwrap_or_else(otherwise);
        let sterner = undecided.iter().find(|(rule, _)| rule.then.rank() > outcome.rank());
        let outcome = match sterner {
            // It cannot be judged yet, so it stays where no harm is done (rule A7).
            Some((rule, lacks)) if outcome == Outcome::Allow => Outcome::Quarantine {
                reason: format!("{lacks} must be known before the rule {} is judged", rule.name),
            },
            _ => outcome,
        };
        let undecided = undecided
            .into_iter()
            .map(|(rule, lacks)| Undecided { rule: rule.name.clone(), lacks: lacks.to_owned() });
        Decision { outcome, rule, undecided: undecided.collect() }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Allow => "allow",
            Self::Quarantine { .. } => "quarantine",
            Self::Block { .. } => "block",
        };
        match self.reason() {
            "" => f.write_str(word),
            reason => write!(f, "{word}: {reason}"),
        }
    }
}

/// In a sentence.
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            Some(rule) => write!(f, "{}, by the rule {rule}", self.outcome)?,
            None => write!(f, "{}, as no rule fits", self.outcome)?,
        }
        for Undecided { rule, lacks } in &self.undecided {
            write!(f, "; the rule {rule} waits for {lacks}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::tests::facts;

    fn rule(name: &str, devices: Condition, then: Outcome) -> AdmissionRule {
        AdmissionRule { name: name.into(), devices, then }
    }

    fn model(pattern: &str) -> Condition {
        Condition { model: vec![pattern.into()], ..Condition::default() }
    }

    fn block(reason: &str) -> Outcome {
        Outcome::Block { reason: reason.into() }
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let (user, device) = ("ann@example.org".into(), "d1".into());
        let facts = facts(&user, &device);
        let anybody = Condition::default();
        let rules = AdmissionRules {
            rules: vec![
                rule("old", model("iPhone3*"), block("too old")),
                rule("phones", model("iPhone*"), Outcome::Allow),
                rule("rest", anybody, block("not ours")),
            ],
            ..AdmissionRules::default()
        };
        let decision = rules.decide(&facts, &Outcome::Allow);
        assert_eq!(decision.to_string(), "allow, by the rule phones");
        let other = Facts { model: Some("Pixel 9"), ..facts };
        let decision = rules.decide(&other, &Outcome::Allow);
        assert_eq!(decision.to_string(), "block: not ours, by the rule rest");
        let none = AdmissionRules::default().decide(&facts, &block("closed"));
        assert_eq!(none.to_string(), "block: closed, as no rule fits");
        let otherwise =
            AdmissionRules { otherwise: Some(Outcome::Allow), ..AdmissionRules::default() };
        assert_eq!(otherwise.decide(&facts, &block("closed")).outcome, Outcome::Allow);
    }

    #[test]
    fn a_device_waits_while_a_sterner_rule_cannot_be_judged() {
        let (user, device) = ("ann@example.org".into(), "d1".into());
        let silent = Facts { model: None, os: None, ..facts(&user, &device) };
        let blocks = |then| AdmissionRules {
            rules: vec![rule("old", model("iPhone3*"), then)],
            ..AdmissionRules::default()
        };
        let decision = blocks(block("too old")).decide(&silent, &Outcome::Allow);
        assert!(matches!(&decision.outcome, Outcome::Quarantine { reason }
            if reason.contains("its model") && reason.contains("old")));
        assert_eq!(decision.undecided.len(), 1);
        let told = blocks(block("too old")).decide(&facts(&user, &device), &Outcome::Allow);
        assert_eq!((told.outcome, told.undecided.len()), (Outcome::Allow, 0));
        // A rule that could only be milder keeps nobody waiting.
        let decision = blocks(Outcome::Allow).decide(&silent, &block("closed"));
        assert_eq!(decision.outcome, block("closed"));
    }

    #[test]
    fn rules_that_make_no_sense_are_refused() {
        let rules = AdmissionRules {
            rules: vec![
                rule("a", model("x"), Outcome::Allow),
                rule("A", model(" "), block(&"x".repeat(501))),
            ],
            otherwise: None,
            per_user: Some(0),
        };
        let problems: Vec<String> = rules.problems().iter().map(ToString::to_string).collect();
        let problems = problems.join("\n");
        for told in ["per_user", "\"A\" cannot be", "a pattern of model", "more than 500"] {
            assert!(problems.contains(told), "{told}: {problems}");
        }
    }
}
