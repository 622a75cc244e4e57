//! Devices that misbehave: what counts as that, and what is done about it (rule S8).
//!
//! Of each device a few numbers are kept, whatever it does: two counts for each rule, and for rules
//! about keys and items those of the few that were seen last.

use dme_model::{Span, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The most rules there may be.
const MOST_RULES: usize = 20;
const LONGEST_NAME: usize = 64;
/// So many keys or items of a device are counted at once for a rule; one that was not seen for
/// longest makes room.
pub const SEEN_AT_ONCE: usize = 8;

/// What a device does.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// It makes requests.
    Requests,
    /// It comes with the same key of the same folder again and again, though there is something to
    /// be told.
    RepeatedKey,
    /// The same item fails again and again.
    FailingItem,
    /// It shows a wrong password.
    WrongPassword,
    /// Its requests end in errors.
    Errors,
}

impl Behaviour {
    /// Each of them.
    pub const ALL: [Self; 5] =
        [Self::Requests, Self::RepeatedKey, Self::FailingItem, Self::WrongPassword, Self::Errors];
}

/// What is done about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// It is told to come later (HTTP 503) for so long, but for one request a minute.
    Slow(#[schemars(with = "String")] Span),
    /// It stays out until an administrator lets it in.
    Block,
    /// It is shown and told of only.
    Tell,
}

/// One rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BehaviourRule {
    /// Its name, unlike that of any other.
    pub name: String,
    /// What it counts.
    pub counts: Behaviour,
    /// How often it may happen.
    pub threshold: u32,
    /// In which time, such as `10m`.
    #[schemars(with = "String")]
    pub within: Span,
    /// What is done when it happens more often.
    pub then: Act,
}

/// All of them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BehaviourRules {
    /// Of several that are broken at once the sternest counts, and of those as stern the first.
    pub rules: Vec<BehaviourRule>,
}

/// Why rules cannot be set so.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RuleProblem {
    /// There are more than may be.
    #[error("there are {rules} rules: at most {most}")]
    TooMany {
        /// How many there are.
        rules: usize,
        /// How many there may be.
        most: usize,
    },
    /// A name cannot be used.
    #[error("{name:?} cannot be a rule's name: 1 to {longest} characters, and no other has it")]
    Name {
        /// Which.
        name: String,
        /// How long one may be.
        longest: usize,
    },
    /// A number is out of range.
    #[error("the rule {rule}: {number}: {least} to {most} are allowed")]
    Range {
        /// Which rule.
        rule: String,
        /// Which of its numbers, as files have it.
        number: &'static str,
        /// The least that is allowed.
        least: &'static str,
        /// The most.
        most: &'static str,
    },
}

/// A rule that was broken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Strike {
    /// Which rule.
    pub rule: String,
    /// What it counts.
    pub counts: Behaviour,
    /// What is to be done.
    pub act: Act,
    /// In words.
    pub reason: String,
}

impl BehaviourRules {
    /// All that is wrong with them.
    pub fn problems(&self) -> Vec<RuleProblem> {
        let mut problems = Vec::new();
        if self.rules.len() > MOST_RULES {
            let rules = self.rules.len();
            problems.push(RuleProblem::TooMany { rules, most: MOST_RULES });
        }
        let mut names = BTreeSet::new();
        for rule in &self.rules {
            let name = rule.name.trim();
            let fits = (1..=LONGEST_NAME).contains(&name.chars().count());
            if !fits || !names.insert(name.to_lowercase()) {
                let longest = LONGEST_NAME;
                problems.push(RuleProblem::Name { name: rule.name.clone(), longest });
            }
            let mut range = |number, least, most| {
                problems.push(RuleProblem::Range { rule: name.into(), number, least, most });
            };
            if !(1..=1_000_000).contains(&rule.threshold) {
                range("threshold", "1", "1000000");
            }
            if !(1..=7 * 86_400).contains(&rule.within.0.as_secs()) {
                range("within", "1s", "7d");
            }
            if matches!(rule.then, Act::Slow(span) if !(1..=86_400).contains(&span.0.as_secs())) {
                range("slow", "1s", "24h");
            }
        }
        problems
    }

    /// Rules to begin with, for an administrator who has none.
    pub fn suggested() -> Self {
        let rule = |name: &str, counts, threshold, minutes: u64, then| BehaviourRule {
            name: name.to_owned(),
            counts,
            threshold,
            within: Span::seconds(minutes * 60),
            then,
        };
        Self {
            rules: vec![
                rule("loop", Behaviour::RepeatedKey, 60, 10, Act::Slow(Span::seconds(600))),
                rule("item", Behaviour::FailingItem, 20, 60, Act::Tell),
                rule("errors", Behaviour::Errors, 200, 10, Act::Slow(Span::seconds(300))),
                rule("password", Behaviour::WrongPassword, 30, 60, Act::Tell),
            ],
        }
    }
}

/// How often something happened lately. Between two windows the earlier one counts by the share of
/// it that is not over yet.
#[derive(Clone, Copy, Default)]
struct Count {
    window: i64,
    before: u32,
    now: u32,
}

impl Count {
    fn note(&mut self, length: i64, now: Timestamp) -> u32 {
        let millis = now.as_millis();
        let window = millis.div_euclid(length);
        if window != self.window {
            self.before = if window == self.window.saturating_add(1) { self.now } else { 0 };
            (self.window, self.now) = (window, 0);
        }
        self.now = self.now.saturating_add(1);
        let left = length - millis.rem_euclid(length);
        let before = i64::from(self.before) * left / length;
        self.now.saturating_add(u32::try_from(before).unwrap_or(u32::MAX))
    }
}

/// What is counted of one device.
#[derive(Clone, Default)]
pub struct Counters {
    /// For which revision of the rules; with others all begins anew.
    revision: u64,
    /// For each rule, and each subject of it.
    counts: Vec<Vec<(u64, Count)>>,
}

impl Counters {
    /// Counts something the device did; answers the sternest rule that it breaks with that. What it
    /// concerns, such as a key or an item, is told apart by `subject`.
    pub fn note(
        &mut self,
        (rules, revision): (&BehaviourRules, u64),
        behaviour: Behaviour,
        subject: u64,
        now: Timestamp,
    ) -> Option<Strike> {
        if self.revision != revision || self.counts.len() != rules.rules.len() {
            *self = Self { revision, counts: vec![Vec::new(); rules.rules.len()] };
        }
        let mut struck: Option<&BehaviourRule> = None;
        for (rule, counts) in rules.rules.iter().zip(&mut self.counts) {
            if rule.counts != behaviour {
                continue;
            }
            let at = counts.iter().position(|(seen, _)| *seen == subject);
            let mut entry = match at {
                Some(at) => counts.remove(at),
                None => {
                    if counts.len() >= SEEN_AT_ONCE {
                        counts.remove(0);
                    }
                    (subject, Count::default())
                }
            };
            let length = i64::try_from(rule.within.0.as_millis()).unwrap_or(i64::MAX).max(1);
            if entry.1.note(length, now) > rule.threshold {
                // It begins anew, so that a device that goes on is struck again, but not each time.
                entry.1 = Count::default();
                if struck.is_none_or(|other| rule.then.rank() > other.then.rank()) {
                    struck = Some(rule);
                }
            }
            counts.push(entry);
        }
        struck.map(|rule| Strike {
            rule: rule.name.clone(),
            counts: behaviour,
            act: rule.then,
            reason: format!("{behaviour} more than {} times in {}", rule.threshold, rule.within),
        })
    }
}

impl Act {
    fn rank(self) -> u8 {
        match self {
            Self::Tell => 0,
            Self::Slow(_) => 1,
            Self::Block => 2,
        }
    }
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requests => "it made requests",
            Self::RepeatedKey => "it came with the same sync key",
            Self::FailingItem => "the same item failed",
            Self::WrongPassword => "it showed a wrong password",
            Self::Errors => "its requests ended in errors",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules(threshold: u32, seconds: u64, then: Act) -> BehaviourRules {
        let rule = BehaviourRule {
            name: "r".into(),
            counts: Behaviour::RepeatedKey,
            threshold,
            within: Span::seconds(seconds),
            then,
        };
        BehaviourRules { rules: vec![rule] }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    #[test]
    fn what_happens_too_often_in_the_time_is_a_strike_and_then_it_begins_anew() {
        let rules = rules(3, 60, Act::Block);
        let mut counters = Counters::default();
        let mut note = |subject, now| {
            counters.note((&rules, 1), Behaviour::RepeatedKey, subject, at(now)).is_some()
        };
        assert_eq!([0, 1, 2].map(|now| note(7, now)), [false; 3]);
        assert!(!note(8, 3), "another key is another matter");
        assert!(note(7, 4));
        assert_eq!([5, 6, 7].map(|now| note(7, now)), [false; 3]);
        assert!(note(7, 8));
        assert_eq!([100, 200, 300, 400, 500].map(|now| note(7, now)), [false; 5], "slowly");
    }

    #[test]
    fn the_sternest_of_the_broken_rules_counts_and_other_behaviour_none() {
        let mut both = rules(1, 60, Act::Tell);
        both.rules.extend(rules(1, 60, Act::Slow(Span::seconds(60))).rules);
        let mut counters = Counters::default();
        let mut note = |behaviour| counters.note((&both, 1), behaviour, 0, at(0));
        assert_eq!(note(Behaviour::Errors), None);
        assert_eq!(note(Behaviour::RepeatedKey), None);
        let strike = note(Behaviour::RepeatedKey).unwrap();
        assert_eq!(strike.act, Act::Slow(Span::seconds(60)));
        assert_eq!(strike.reason, "it came with the same sync key more than 1 times in 1m");
    }

    #[test]
    fn of_rules_as_stern_the_first_counts() {
        let slow = |seconds| rules(1, 60, Act::Slow(Span::seconds(seconds))).rules;
        let struck = |order: [u64; 2]| {
            let both = BehaviourRules { rules: order.map(slow).concat() };
            let mut counters = Counters::default();
            let mut note = || counters.note((&both, 1), Behaviour::RepeatedKey, 0, at(0));
            note();
            note().unwrap().act
        };
        assert_eq!(struck([30, 90]), Act::Slow(Span::seconds(30)));
        assert_eq!(struck([90, 30]), Act::Slow(Span::seconds(90)));
    }

    #[test]
    fn rules_that_make_no_sense_are_refused_and_the_suggested_ones_are_not() {
        assert_eq!(BehaviourRules::suggested().problems(), []);
        assert_eq!(rules(0, 0, Act::Slow(Span::seconds(0))).problems().len(), 3);
        let twice = BehaviourRules {
            rules: [rules(1, 1, Act::Tell).rules, rules(1, 1, Act::Tell).rules].concat(),
        };
        let name = RuleProblem::Name { name: "r".into(), longest: LONGEST_NAME };
        assert_eq!(twice.problems(), [name]);
    }

    proptest! {
        #[test]
        fn a_devices_counts_take_no_more_room_whatever_it_does(
            done in proptest::collection::vec((0..1000u64, 0..100_000i64), 0..500),
        ) {
            let rules = rules(1000, 60, Act::Tell);
            let mut counters = Counters::default();
            for (subject, now) in done {
                counters.note((&rules, 1), Behaviour::RepeatedKey, subject, at(now));
                prop_assert!(counters.counts.iter().map(Vec::len).sum::<usize>() <= SEEN_AT_ONCE);
            }
        }

        #[test]
        fn whoever_stays_at_half_the_rate_is_never_struck(start in 0..1000i64, steps in 1..200i64) {
            let rules = rules(10, 60, Act::Block);
            let mut counters = Counters::default();
            for step in 0..steps {
                let now = at(start + step * 12);
                prop_assert_eq!(counters.note((&rules, 1), Behaviour::RepeatedKey, 1, now), None);
            }
        }
    }
}
