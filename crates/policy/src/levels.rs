//! The levels on which settings are defined: the default, groups in an order, the single device.

use crate::condition::{Condition, ConditionProblem};
use crate::setting::Setting;
use crate::value::{Bounds, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The most groups there may be.
const MOST_GROUPS: usize = 200;
/// The longest name of a group, in characters.
const LONGEST_NAME: usize = 64;

/// What a level says of settings. What it leaves out the weaker levels say.
pub type Rules = BTreeMap<Setting, Defined>;

/// What a level says of one setting.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Defined {
    /// The value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Within what the levels below may choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Bounds>,
    /// Whether the levels below may choose nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub locked: bool,
}

/// A group of devices.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name, unlike that of any other.
    pub name: String,
    /// Which devices are in it.
    pub members: Condition,
    /// What it says.
    #[serde(default)]
    pub settings: Rules,
}

/// All levels but the devices' own.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Levels {
    /// For everyone. Stands above the server's configuration.
    pub default: Rules,
    /// The groups, the strongest first: there are no two of the same strength.
    pub groups: Vec<Group>,
}

/// Where a value comes from. Each is stronger, and stands below, the one before it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "level", content = "name")]
pub enum Level {
    /// The protocol's own value: nobody says anything.
    BuiltIn,
    /// The server's configuration file.
    Configuration,
    /// The default level.
    Default,
    /// A group.
    Group(String),
    /// The device itself.
    Device,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::Configuration => f.write_str("the server's configuration"),
            Self::Default => f.write_str("the default level"),
            Self::Group(name) => write!(f, "the group {name}"),
            Self::Device => f.write_str("the device's own level"),
        }
    }
}

/// Why levels cannot be set so, and how to mend it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Problem {
    /// The setting has no such value.
    #[error("{setting} cannot be {value} ({level}): {allowed}")]
    WrongValue {
        /// On which level.
        level: Level,
        /// Which setting.
        setting: Setting,
        /// What was wanted.
        value: Value,
        /// What is allowed.
        allowed: String,
    },
    /// The setting has no such bounds.
    #[error(
        "the bounds of {setting} make no sense ({level}): numbers take a least or a most within \
         what is allowed ({allowed}), words a list of some of them; lock any other setting instead"
    )]
    WrongBounds {
        /// On which level.
        level: Level,
        /// Which setting.
        setting: Setting,
        /// What is allowed.
        allowed: String,
    },
    /// The value is outside of what a level above allows.
    #[error(
        "{setting} is {value} in {level}, outside of the bounds set by {by}: {bounds}; choose a \
         value within, or widen the bounds there"
    )]
    Outside {
        /// On which level.
        level: Level,
        /// Which setting.
        setting: Setting,
        /// What was wanted.
        value: Value,
        /// What is allowed.
        bounds: Bounds,
        /// Who set the bounds.
        by: Level,
    },
    /// A level above locks the setting.
    #[error("{setting} is set in {level}, but locked by {by}; remove it here, or unlock it there")]
    Locked {
        /// On which level.
        level: Level,
        /// Which setting.
        setting: Setting,
        /// Who locks it.
        by: Level,
    },
    /// A level names a setting and says nothing of it.
    #[error("{setting} in {level} has neither value nor bounds nor lock; remove it")]
    Nothing {
        /// On which level.
        level: Level,
        /// Which setting.
        setting: Setting,
    },
    /// A group's name cannot be used.
    #[error(
        "{name:?} cannot be the name of a group: 1 to {longest} characters, and no other has it"
    )]
    GroupName {
        /// Which.
        name: String,
        /// How long one may be.
        longest: usize,
    },
    /// A group's condition makes no sense.
    #[error("the members of the group {group}: {what}")]
    Members {
        /// Which group.
        group: String,
        /// What is wrong.
        what: ConditionProblem,
    },
    /// A group is for all devices.
    #[error("the members of the group {0}: all devices are in it: use the default level for that")]
    Everyone(String),
    /// There are more groups than may be.
    #[error("there are {groups} groups: at most {most}")]
    TooManyGroups {
        /// How many there are.
        groups: usize,
        /// How many there may be.
        most: usize,
    },
}

impl Levels {
    /// All that is wrong with these levels on this configuration. Of the groups each is held
    /// against the default level; against each other their values are brought within bounds where
    /// a device is in both, as that may never be.
    pub fn problems(&self, configuration: &Rules) -> Vec<Problem> {
        let mut problems = check(&Level::Default, &self.default, &[]);
        if self.groups.len() > MOST_GROUPS {
            let groups = self.groups.len();
            problems.push(Problem::TooManyGroups { groups, most: MOST_GROUPS });
        }
        let mut names = BTreeSet::new();
        let above = [(Level::Configuration, configuration), (Level::Default, &self.default)];
        for group in &self.groups {
            let fits = (1..=LONGEST_NAME).contains(&group.name.trim().chars().count());
            if !fits || !names.insert(group.name.trim().to_lowercase()) {
                let longest = LONGEST_NAME;
                problems.push(Problem::GroupName { name: group.name.clone(), longest });
            }
            if let Some(what) = group.members.problem() {
                problems.push(Problem::Members { group: group.name.clone(), what });
            } else if group.members.is_empty() {
                problems.push(Problem::Everyone(group.name.clone()));
            }
            problems.extend(check(&Level::Group(group.name.clone()), &group.settings, &above));
        }
        problems
    }

    /// All that is wrong with a device's own level, below these and the groups it is in.
    pub fn device_problems(
        &self,
        configuration: &Rules,
        facts: &crate::Facts<'_>,
        device: &Rules,
    ) -> Vec<Problem> {
        let (chain, _) = self.chain(configuration, facts);
        check(&Level::Device, device, &chain)
    }

    /// Where the group of this name stands, in any case of letters.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| group.name.eq_ignore_ascii_case(name))
    }

    /// The group of this name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(self.place(name.trim())?)
    }

    /// Makes a group that says nothing, as the strongest.
    pub fn make_group(&mut self, name: String, members: Condition) {
        self.groups.insert(0, Group { name, members, settings: Rules::new() });
    }

    /// Gives the group at this place another name and other members. What it says stays.
    ///
    /// # Panics
    /// Where there is none.
    pub fn change_group(&mut self, place: usize, name: String, members: Condition) {
        let group = &mut self.groups[place];
        (group.name, group.members) = (name, members);
    }

    /// Makes the group at this place stronger by one; the strongest stays.
    ///
    /// # Panics
    /// Where there is none.
    pub fn raise_group(&mut self, place: usize) {
        self.groups.swap(place, place.saturating_sub(1));
    }
}

/// What the first of these levels that has a value for a setting says; the protocol's own value where
/// none has.
pub fn value_in(setting: Setting, levels: &[&Rules]) -> Value {
    let mut said = levels.iter().filter_map(|rules| rules.get(&setting)?.value.clone());
    said.next().unwrap_or_else(|| setting.kind().unset())
}

/// Whether phones are told of a policy by these levels, the first that says something first.
pub fn are_told(levels: &[&Rules]) -> bool {
    value_in(Setting::Enforcement, levels).to_string() != "off"
}

/// Checks a level by itself and against those above it, the weakest first.
fn check(level: &Level, rules: &Rules, above: &[(Level, &Rules)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (&setting, defined) in rules {
        let kind = setting.kind();
        if *defined == Defined::default() {
            problems.push(Problem::Nothing { level: level.clone(), setting });
        }
        let value = defined.value.as_ref();
        if let Some(value) = value.filter(|value| !kind.admits(value)) {
            problems.push(Problem::WrongValue {
                level: level.clone(),
                setting,
                value: value.clone(),
                allowed: kind.allowed(),
            });
            continue;
        }
        if defined.bounds.as_ref().is_some_and(|bounds| !kind.admits_bounds(bounds)) {
            let allowed = kind.allowed();
            problems.push(Problem::WrongBounds { level: level.clone(), setting, allowed });
            continue;
        }
        let at = |(by, rules): &(Level, &Rules)| Some((by.clone(), rules.get(&setting)?.clone()));
        let above: Vec<(Level, Defined)> = above.iter().filter_map(at).collect();
        if let Some((by, _)) = above.iter().find(|(_, above)| above.locked) {
            let by = by.clone();
            problems.push(Problem::Locked { level: level.clone(), setting, by });
            continue;
        }
        let own = (level.clone(), defined.clone());
        let outside = above.iter().chain([&own]).find_map(|(by, above)| {
            let bounds = above.bounds.clone()?;
            let value = value.filter(|value| !bounds.admit(kind, value))?.clone();
            Some(Problem::Outside { level: level.clone(), setting, value, bounds, by: by.clone() })
        });
        problems.extend(outside);
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::tests::facts;

    fn rules(of: &[(Setting, &str)]) -> Rules {
        of.iter().map(|(setting, json)| (*setting, serde_json::from_str(json).unwrap())).collect()
    }

    fn group(name: &str, settings: Rules) -> Group {
        let members = Condition { device_type: vec!["iPhone".into()], ..Condition::default() };
        Group { name: name.into(), members, settings }
    }

    fn told(problems: &[Problem]) -> Vec<String> {
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_a_level_above_forbids_is_refused_and_it_is_said_who_does() {
        let levels = Levels {
            default: rules(&[
                (Setting::MinDevicePasswordLength, r#"{"value":6,"bounds":{"range":{"least":6}}}"#),
                (Setting::AllowCamera, r#"{"value":true,"locked":true}"#),
            ]),
            groups: vec![group(
                "phones",
                rules(&[
                    (Setting::MinDevicePasswordLength, r#"{"value":4}"#),
                    (Setting::AllowCamera, r#"{"value":false}"#),
                ]),
            )],
        };
        let told = told(&levels.problems(&Rules::new()));
        assert!(told[0].contains("MinDevicePasswordLength is 4 in the group phones"), "{told:?}");
        assert!(told[0].contains("set by the default level: at least 6"), "{told:?}");
        assert!(told[1].contains("AllowCamera") && told[1].contains("locked by the default level"));
        let (user, device) = ("ann@example.org".into(), "d1".into());
        let own = rules(&[(Setting::MinDevicePasswordLength, r#"{"value":"none"}"#)]);
        let problems = levels.device_problems(&Rules::new(), &facts(&user, &device), &own);
        assert!(matches!(&problems[..], [Problem::Outside { by: Level::Default, .. }]));
    }

    #[test]
    fn a_level_that_makes_no_sense_by_itself_is_refused() {
        for (setting, json, expected) in [
            (Setting::AllowCamera, r#"{"value":3}"#, "AllowCamera cannot be 3"),
            (
                Setting::MinDevicePasswordLength,
                r#"{"value":17}"#,
                "1 to 16 characters, or \"none\"",
            ),
            (
                Setting::MinDevicePasswordLength,
                r#"{"value":4,"bounds":{"range":{"least":6}}}"#,
                "outside of the bounds set by the default level",
            ),
            (
                Setting::MinDevicePasswordLength,
                r#"{"bounds":{"range":{"least":9,"most":6}}}"#,
                "make no sense",
            ),
            (
                Setting::AllowCamera,
                r#"{"bounds":{"one_of":["true"]}}"#,
                "lock any other setting instead",
            ),
            (
                Setting::AllowBluetooth,
                r#"{"value":"loud"}"#,
                "one of: allowed, hands-free, forbidden",
            ),
            (Setting::AllowBluetooth, "{}", "remove it"),
        ] {
            let levels = Levels { default: rules(&[(setting, json)]), groups: Vec::new() };
            let told = told(&levels.problems(&Rules::new()));
            assert!(told.len() == 1 && told[0].contains(expected), "{json}: {told:?}");
        }
    }

    #[test]
    fn groups_have_names_of_their_own_and_members() {
        let mut levels = Levels { groups: Vec::new(), ..Levels::default() };
        levels.groups = vec![group("a", Rules::new()), group("A", Rules::new())];
        assert_eq!(
            levels.problems(&Rules::new()),
            [Problem::GroupName { name: "A".into(), longest: LONGEST_NAME }]
        );
        levels.groups = vec![Group { members: Condition::default(), ..group("a", Rules::new()) }];
        assert_eq!(levels.problems(&Rules::new()), [Problem::Everyone("a".into())]);
        levels.groups = (0..201).map(|n| group(&n.to_string(), Rules::new())).collect();
        assert_eq!(
            levels.problems(&Rules::new()),
            [Problem::TooManyGroups { groups: 201, most: 200 }]
        );
    }
}
