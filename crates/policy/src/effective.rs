//! What holds for a device: the strongest level that says something, unless a weaker one forbids.
//!
//! The levels are gone through from the weakest to the device itself. A value takes the place of
//! the one before; one that lies outside of the bounds of a level above is brought to the nearest
//! within them (two groups of a device may contradict each other though each is right by itself),
//! and one of a setting that is locked above does not count.

use crate::condition::{Facts, Judged};
use crate::levels::{Level, Levels, Rules};
use crate::setting::Setting;
use crate::value::{Bounds, Value};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// The levels that apply to a device, the weakest first.
pub(crate) type Chain<'a> = Vec<(Level, &'a Rules)>;

/// What holds for a device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Effective {
    /// Each setting.
    pub settings: BTreeMap<Setting, Settled>,
    /// The groups it is in, the strongest first.
    pub groups: Vec<String>,
    /// Groups of which it is not known whether it is in them, and what is lacking; they are left
    /// out.
    pub open: Vec<(String, &'static str)>,
}

/// What holds of one setting, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Settled {
    /// The value.
    pub value: Value,
    /// Which level it comes from.
    pub from: Level,
    /// Which level locks it for those below, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<Level>,
    /// Which level's bounds the value was brought within, where its own level wants another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounded: Option<Level>,
    /// The levels that want something else and do not get it, the weakest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overridden: Vec<Overridden>,
}

/// A level that does not get its will.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Overridden {
    /// Which.
    pub level: Level,
    /// What it wants.
    pub value: Value,
    /// Why it does not get it.
    pub why: Why,
}

/// Why a level does not get its will.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A stronger level says otherwise.
    Stronger(Level),
    /// A level above locks the setting.
    Locked(Level),
}

impl Effective {
    /// The value of a setting.
    pub fn value(&self, setting: Setting) -> Value {
        self.settings
            .get(&setting)
            .map_or_else(|| setting.kind().unset(), |settled| settled.value.clone())
    }
}

impl Levels {
    /// What holds for a device with these facts and this level of its own.
    pub fn effective(&self, configuration: &Rules, facts: &Facts<'_>, device: &Rules) -> Effective {
        let (mut chain, open) = self.chain(configuration, facts);
        chain.push((Level::Device, device));
        let settle_one = |setting: &Setting| (*setting, settle(*setting, &chain));
        let settings = Setting::ALL.iter().map(settle_one).collect();
        let group = |(level, _): &(Level, &Rules)| match level {
            Level::Group(name) => Some(name.clone()),
            _ => None,
        };
        let groups = chain.iter().rev().filter_map(group).collect();
        Effective { settings, groups, open }
    }

    /// The groups a device is in, the strongest first, and those left open.
    pub fn groups_of(&self, facts: &Facts<'_>) -> (Vec<&str>, Vec<(String, &'static str)>) {
        let (mut groups, mut open) = (Vec::new(), Vec::new());
        for group in &self.groups {
            match group.members.judge(facts) {
                Judged::Fits => groups.push(group.name.as_str()),
                Judged::Not => {}
                Judged::Lacks(what) => open.push((group.name.clone(), what)),
            }
        }
        (groups, open)
    }

    /// The levels above a device's own, the weakest first, and the groups left open.
    pub(crate) fn chain<'a>(
        &'a self,
        configuration: &'a Rules,
        facts: &Facts<'_>,
    ) -> (Chain<'a>, Vec<(String, &'static str)>) {
        let mut chain =
            vec![(Level::Configuration, configuration), (Level::Default, &self.default)];
        let mut open = Vec::new();
        for group in self.groups.iter().rev() {
            match group.members.judge(facts) {
                Judged::Fits => chain.push((Level::Group(group.name.clone()), &group.settings)),
                Judged::Not => {}
                Judged::Lacks(what) => open.push((group.name.clone(), what)),
            }
        }
        (chain, open)
    }
}

fn settle(setting: Setting, chain: &[(Level, &Rules)]) -> Settled {
    let kind = setting.kind();
    let mut settled = Settled {
        value: kind.unset(),
        from: Level::BuiltIn,
        locked: None,
        bounded: None,
        overridden: Vec::new(),
    };
    let mut bounds: Vec<(&Level, &Bounds)> = Vec::new();
    for (level, rules) in chain {
        let Some(defined) = rules.get(&setting) else { continue };
        if let Some(by) = &settled.locked {
            if let Some(value) = defined.value.clone() {
                let why = Why::Locked(by.clone());
                settled.overridden.push(Overridden { level: level.clone(), value, why });
            }
            continue;
        }
        // What was stored by another release may not be a value any more.
        if let Some(wanted) = defined.value.as_ref().filter(|value| kind.admits(value)) {
            let mut value = wanted.clone();
            let mut bounded = None;
            // The level furthest above has the last word.
            for (by, bounds) in bounds.iter().rev() {
                let nearest = bounds.nearest(kind, &value);
                if nearest != value {
                    (value, bounded) = (nearest, Some((*by).clone()));
                }
            }
            if settled.from != Level::BuiltIn {
                settled.overridden.push(Overridden {
                    level: settled.from.clone(),
                    value: settled.value.clone(),
                    why: Why::Stronger(level.clone()),
                });
            }
            (settled.value, settled.from, settled.bounded) = (value, level.clone(), bounded);
        }
        bounds.extend(defined.bounds.as_ref().map(|bounds| (level, bounds)));
        if defined.locked {
            settled.locked = Some(level.clone());
        }
    }
    settled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Condition;
    use crate::condition::tests::facts;
    use crate::levels::{Defined, Group};
    use proptest::prelude::*;

    const LENGTH: Setting = Setting::MinDevicePasswordLength;

    fn with(value: Option<Value>, bounds: Option<Bounds>, locked: bool) -> Rules {
        Rules::from([(LENGTH, Defined { value, bounds, locked })])
    }

    fn length(value: u32) -> Rules {
        with(Some(Value::Number(value)), None, false)
    }

    fn group(name: &str, settings: Rules) -> Group {
        let members = Condition { device_type: vec!["iPhone".into()], ..Condition::default() };
        Group { name: name.into(), members, settings }
    }

    fn effective(levels: &Levels, configuration: &Rules, device: &Rules) -> Settled {
        let (user, id) = ("ann@example.org".into(), "d1".into());
        let effective = levels.effective(configuration, &facts(&user, &id), device);
        effective.settings[&LENGTH].clone()
    }

    #[test]
    fn the_strongest_level_that_says_something_counts_and_the_others_are_named() {
        let levels = Levels {
            default: length(6),
            groups: vec![group("strong", length(8)), group("weak", length(7))],
        };
        let settled = effective(&levels, &length(4), &Rules::new());
        assert_eq!(
            (settled.value, settled.from),
            (Value::Number(8), Level::Group("strong".into()))
        );
        let overridden: Vec<Level> = settled.overridden.into_iter().map(|one| one.level).collect();
        let weak = Level::Group("weak".into());
        assert_eq!(overridden, [Level::Configuration, Level::Default, weak]);
        let own = effective(&levels, &length(4), &length(5));
        assert_eq!((own.value, own.from), (Value::Number(5), Level::Device));
        let nobody = effective(&Levels::default(), &Rules::new(), &Rules::new());
        assert_eq!((nobody.value, nobody.from), (Value::NoLimit, Level::BuiltIn));
    }

    #[test]
    fn a_locked_setting_stays_whatever_those_below_say() {
        let locked = with(Some(Value::Number(6)), None, true);
        let levels = Levels { default: locked, groups: vec![group("a", length(8))] };
        let settled = effective(&levels, &Rules::new(), &length(9));
        assert_eq!((&settled.value, &settled.from), (&Value::Number(6), &Level::Default));
        assert_eq!(settled.locked, Some(Level::Default));
        assert!(settled.overridden.iter().all(|one| one.why == Why::Locked(Level::Default)));
        assert_eq!(settled.overridden.len(), 2);
    }

    #[test]
    fn where_two_groups_contradict_each_other_the_weaker_ones_bounds_hold() {
        let most = Bounds::Range { least: None, most: Some(8) };
        let levels = Levels {
            default: Rules::new(),
            groups: vec![group("strong", length(12)), group("weak", with(None, Some(most), false))],
        };
        let settled = effective(&levels, &Rules::new(), &Rules::new());
        assert_eq!(settled.value, Value::Number(8));
        assert_eq!(settled.bounded, Some(Level::Group("weak".into())));
    }

    #[test]
    fn a_group_of_which_nothing_is_known_is_left_out_and_named() {
        let by_group = Condition { group: vec!["sales".into()], ..Condition::default() };
        let group = Group { name: "sales".into(), members: by_group, settings: length(9) };
        let levels = Levels { default: length(6), groups: vec![group] };
        let (user, id) = ("ann@example.org".into(), "d1".into());
        let unknown = |_: &str| crate::Membership::Unknown;
        let facts = Facts { member: &unknown, ..facts(&user, &id) };
        let effective = levels.effective(&Rules::new(), &facts, &Rules::new());
        assert_eq!(effective.value(LENGTH), Value::Number(6));
        assert_eq!(effective.open, [("sales".to_owned(), "its user's directory groups")]);
    }

    fn any_rules() -> impl Strategy<Value = Rules> {
        let number = prop_oneof![(1..=16u32).prop_map(Value::Number), Just(Value::NoLimit)];
        let range = (1..=16u32, 1..=16u32).prop_map(|(one, other)| Bounds::Range {
            least: Some(one.min(other)),
            most: Some(one.max(other)),
        });
        let defined = (proptest::option::of(number), proptest::option::of(range), any::<bool>());
        let rules = defined.prop_map(|(value, bounds, locked)| with(value, bounds, locked));
        proptest::option::of(rules).prop_map(Option::unwrap_or_default)
    }

    proptest! {
        #[test]
        fn whatever_the_levels_say_bounds_and_locks_from_above_hold(
            default in any_rules(), weak in any_rules(), strong in any_rules(), device in any_rules(),
        ) {
            let levels = Levels {
                default: default.clone(),
                groups: vec![group("strong", strong.clone()), group("weak", weak.clone())],
            };
            let settled = effective(&levels, &Rules::new(), &device);
            prop_assert!(LENGTH.kind().admits(&settled.value));
            let order = [
                (Level::Default, &default),
                (Level::Group("weak".into()), &weak),
                (Level::Group("strong".into()), &strong),
                (Level::Device, &device),
            ];
            let place = |level: &Level| order.iter().position(|(one, _)| one == level);
            if let (Some(by), Some(from)) =
                (settled.locked.as_ref().and_then(place), place(&settled.from))
            {
                prop_assert!(from <= by, "nothing below the lock counts");
            }
            // The default level stands above all others: its bounds hold for every one of them.
            if let Some(bounds) = default.get(&LENGTH).and_then(|defined| defined.bounds.as_ref())
                && place(&settled.from).is_some_and(|from| from > 0)
            {
                prop_assert!(bounds.admit(LENGTH.kind(), &settled.value));
            }
            // Every level that says something is either where the value is from, or named.
            for (level, rules) in order {
                let wants = rules.get(&LENGTH).is_some_and(|defined| defined.value.is_some());
                let named = settled.overridden.iter().any(|one| one.level == level);
                prop_assert_eq!(wants, named || settled.from == level);
            }
        }

        #[test]
        fn a_level_without_problems_gets_its_will(own in any_rules(), default in any_rules()) {
            let levels = Levels { default: default.clone(), groups: Vec::new() };
            prop_assume!(levels.problems(&Rules::new()).is_empty());
            let (user, id) = ("ann@example.org".into(), "d1".into());
            let problems = levels.device_problems(&Rules::new(), &facts(&user, &id), &own);
            prop_assume!(problems.is_empty());
            let settled = effective(&levels, &Rules::new(), &own);
            if let Some(wanted) = own.get(&LENGTH).and_then(|defined| defined.value.clone()) {
                prop_assert_eq!((settled.value, settled.from), (wanted, Level::Device));
                prop_assert_eq!(settled.bounded, None);
            }
        }
    }
}
