//! Which devices a rule or a group is meant for.

use dme_model::{DeviceId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A group's or rule's longest pattern, in characters, and most patterns of one kind.
const LONGEST_PATTERN: usize = 255;
const MOST_PATTERNS: usize = 100;

/// What a device must be. Of each kind that is there one pattern must fit; with none at all every
/// device fits. In a pattern `*` stands for anything; capital and small letters are alike.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Condition {
    /// `User-Agent`, such as `Apple-iPhone*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agent: Vec<String>,
    /// The operating system as the device tells it, such as `iOS 18*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub os: Vec<String>,
    /// The model as the device tells it, such as `iPhone15*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub model: Vec<String>,
    /// `DeviceType`, such as `iPhone`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_type: Vec<String>,
    /// The protocol version, such as `14.*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub protocol: Vec<String>,
    /// Directory groups of the device's user, by id or short name, at any depth. No patterns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<String>,
    /// The device's user, such as `ann@example.org`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user: Vec<String>,
}

/// Whether somebody is in a directory group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Membership {
    /// In it.
    Yes,
    /// Not in it.
    No,
    /// The groups cannot be read now, or there is no such group.
    Unknown,
}

/// Why a condition makes no sense. Each names the kind of pattern as files and forms do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConditionProblem {
    /// There are more patterns of this kind than may be.
    #[error("{kind} has more than {most} patterns")]
    TooMany {
        /// Of which kind.
        kind: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// A pattern of this kind cannot be one.
    #[error("a pattern of {kind} is empty or above {longest} characters")]
    Pattern {
        /// Of which kind.
        kind: &'static str,
        /// How long one may be.
        longest: usize,
    },
}

/// What is known of a device.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// Whose.
    pub user: &'a UserId,
    /// Which.
    pub device: &'a DeviceId,
    /// `User-Agent`.
    pub agent: &'a str,
    /// `DeviceType`.
    pub device_type: &'a str,
    /// The protocol version it spoke last.
    pub protocol: &'a str,
    /// The operating system; none before the device told anything, empty where it left that out.
    pub os: Option<&'a str>,
    /// The model, likewise.
    pub model: Option<&'a str>,
    /// Whether its user is in a directory group.
    pub member: &'a (dyn Fn(&str) -> Membership + Sync),
}

/// Whether a device fits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Judged {
    /// It does.
    Fits,
    /// It does not.
    Not,
    /// It depends on this, which is not known yet.
    Lacks(&'static str),
}

impl Condition {
    /// Whether it asks for nothing, so that every device fits.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Each kind of pattern by its name in files, and those there are of it.
    pub fn kinds(&self) -> [(&'static str, &[String]); 7] {
        [
            ("group", &self.group),
            ("user", &self.user),
            ("agent", &self.agent),
            ("os", &self.os),
            ("model", &self.model),
            ("device_type", &self.device_type),
            ("protocol", &self.protocol),
        ]
    }

    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<ConditionProblem> {
        self.kinds().into_iter().find_map(|(kind, patterns)| {
            let fits = |pattern: &String| {
                !pattern.trim().is_empty() && pattern.chars().count() <= LONGEST_PATTERN
            };
            match patterns {
                all if all.len() > MOST_PATTERNS => {
                    Some(ConditionProblem::TooMany { kind, most: MOST_PATTERNS })
                }
                all if !all.iter().all(fits) => {
                    Some(ConditionProblem::Pattern { kind, longest: LONGEST_PATTERN })
                }
                _ => None,
            }
        })
    }

    /// Whether a device fits. What does not fit anyway needs nothing more to be known.
    pub fn judge(&self, facts: &Facts<'_>) -> Judged {
        let by_text = |patterns: &[String], told: Option<&str>, what: &'static str| {
            if patterns.is_empty() {
                return Judged::Fits;
            }
            match told {
                None => Judged::Lacks(what),
                Some(told) if patterns.iter().any(|pattern| fits(pattern, told)) => Judged::Fits,
                Some(_) => Judged::Not,
            }
        };
        let judged = [
            by_text(&self.agent, Some(facts.agent), "its user agent"),
            by_text(&self.device_type, Some(facts.device_type), "its type"),
            by_text(&self.protocol, Some(facts.protocol), "its protocol version"),
            by_text(&self.user, Some(facts.user.as_str()), "its user"),
            self.judge_groups(facts),
            by_text(&self.os, facts.os, "its operating system"),
            by_text(&self.model, facts.model, "its model"),
        ];
        if judged.contains(&Judged::Not) {
            return Judged::Not;
        }
        let lacking = judged.into_iter().find(|one| matches!(one, Judged::Lacks(_)));
        lacking.unwrap_or(Judged::Fits)
    }

    fn judge_groups(&self, facts: &Facts<'_>) -> Judged {
        if self.group.is_empty() {
            return Judged::Fits;
        }
        let all: Vec<Membership> = self.group.iter().map(|name| (facts.member)(name)).collect();
        if all.contains(&Membership::Yes) {
            Judged::Fits
        } else if all.contains(&Membership::Unknown) {
            Judged::Lacks("its user's directory groups")
        } else {
            Judged::Not
        }
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.trim().to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        if let Some(before) = last.replace(part) {
            match rest.split_once(before) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
    }
    match last {
        Some(end) => rest.ends_with(end),
        None => rest.is_empty(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn nobody(_: &str) -> Membership {
        Membership::No
    }

    pub(crate) fn facts<'a>(user: &'a UserId, device: &'a DeviceId) -> Facts<'a> {
        Facts {
            user,
            device,
            agent: "Apple-iPhone15C2/2101.1",
            device_type: "iPhone",
            protocol: "16.1",
            os: Some("iOS 18.1 22B83"),
            model: Some("iPhone15,2"),
            member: &nobody,
        }
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, expected) in [
            ("apple-iphone*", "Apple-iPhone15C2/2101.1", true),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("14.*", "14.1", true),
            ("14.*", "16.1", false),
            ("*outlook*android*", "Outlook-iOS-Android/1.0", true),
            ("*a*a", "a", false),
            ("ab*ba", "aba", false),
            ("ab*ba", "abba", true),
            ("iPhone", "iPhone2", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_not_known_yet_decides_only_where_nothing_else_does() {
        let (user, device) = ("ann@example.org".into(), "d1".into());
        let silent = Facts { os: None, model: None, ..facts(&user, &device) };
        let by_model = Condition { model: vec!["iPhone15*".into()], ..Condition::default() };
        assert_eq!(by_model.judge(&silent), Judged::Lacks("its model"));
        assert_eq!(by_model.judge(&facts(&user, &device)), Judged::Fits);
        let other_user = Condition { user: vec!["bob@*".into()], ..by_model };
        assert_eq!(other_user.judge(&silent), Judged::Not);
        assert_eq!(Condition::default().judge(&silent), Judged::Fits);
    }

    #[test]
    fn one_of_several_groups_suffices_and_an_unknown_one_leaves_it_open() {
        let (user, device) = ("ann@example.org".into(), "d1".into());
        let member = |name: &str| match name {
            "sales" => Membership::Yes,
            "gone" => Membership::Unknown,
            _ => Membership::No,
        };
        let facts = Facts { member: &member, ..facts(&user, &device) };
        let of = |names: &[&str]| {
            let group = names.iter().map(|name| (*name).to_owned()).collect();
            Condition { group, ..Condition::default() }.judge(&facts)
        };
        assert_eq!(of(&["gone", "sales"]), Judged::Fits);
        assert_eq!(of(&["gone", "legal"]), Judged::Lacks("its user's directory groups"));
        assert_eq!(of(&["legal"]), Judged::Not);
    }
}
