//! Whom a change of the levels would affect, before it is made.

use crate::condition::Facts;
use crate::effective::Settled;
use crate::levels::{Level, Levels, Rules};
use crate::setting::Setting;
use crate::value::Value;
use schemars::JsonSchema;
use serde::Serialize;

/// A device that may be concerned.
pub struct Concerned<'a, K> {
    /// Which.
    pub key: K,
    /// What is known of it.
    pub facts: Facts<'a>,
    /// Its own level, which stays as it is.
    pub own: &'a Rules,
}

/// A setting of a device that changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Change {
    /// Which.
    pub setting: Setting,
    /// What holds now.
    pub before: Value,
    /// What would hold.
    pub after: Value,
    /// From which level it would come.
    pub from: Level,
}

/// What a change would do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Preview<K> {
    /// The devices whose policy changes, and what of it.
    pub changed: Vec<(K, Vec<Change>)>,
    /// The devices that a changed level is meant for and that keep a value all the same, with the
    /// level that prevails.
    pub overridden: Vec<(K, Vec<(Setting, Level)>)>,
    /// How many devices the change does not concern.
    pub untouched: usize,
}

/// What a change from these levels to those would do to these devices.
pub fn preview<'a, K: Clone>(
    configuration: &Rules,
    before: &Levels,
    after: &Levels,
    devices: impl IntoIterator<Item = Concerned<'a, K>>,
) -> Preview<K> {
    let mut seen = Preview { changed: Vec::new(), overridden: Vec::new(), untouched: 0 };
    for device in devices {
        let was = before.effective(configuration, &device.facts, device.own);
        let will = after.effective(configuration, &device.facts, device.own);
        let touched = touched(configuration, before, after, &device.facts);
        let mut changes = Vec::new();
        let mut kept = Vec::new();
        for (&setting, now) in &will.settings {
            let Some(earlier) = was.settings.get(&setting) else { continue };
            if earlier.value != now.value {
                changes.push(Change {
                    setting,
                    before: earlier.value.clone(),
                    after: now.value.clone(),
                    from: now.from.clone(),
                });
            } else if let Some(level) = touched.iter().find_map(|(one, level)| {
                (*one == setting).then_some(level).filter(|level| **level != now.from)
            }) {
                kept.push((setting, prevailing(now, level)));
            }
        }
        if changes.is_empty() && kept.is_empty() {
            seen.untouched += 1;
        }
        if !changes.is_empty() {
            seen.changed.push((device.key.clone(), changes));
        }
        if !kept.is_empty() {
            seen.overridden.push((device.key, kept));
        }
    }
    seen
}

/// Who keeps a level from getting its will: who locks the setting, else whom the value is from.
fn prevailing(now: &Settled, level: &Level) -> Level {
    match &now.locked {
        Some(by) if by != level => by.clone(),
        _ => now.from.clone(),
    }
}

/// What of the levels that apply to a device gets another value.
fn touched(
    configuration: &Rules,
    before: &Levels,
    after: &Levels,
    facts: &Facts<'_>,
) -> Vec<(Setting, Level)> {
    let (now, _) = after.chain(configuration, facts);
    let (then, _) = before.chain(configuration, facts);
    let mut touched = Vec::new();
    for (level, rules) in now {
        let earlier = then.iter().find(|(one, _)| *one == level).map(|(_, rules)| *rules);
        for (&setting, defined) in rules {
            let was = earlier.and_then(|rules| rules.get(&setting));
            if defined.value.is_some() && was.map(|was| &was.value) != Some(&defined.value) {
                touched.push((setting, level.clone()));
            }
        }
    }
    touched
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{Condition, tests::facts};
    use crate::levels::{Defined, Group};

    const CAMERA: Setting = Setting::AllowCamera;

    fn camera(on: bool, locked: bool) -> Rules {
        let value = Some(Value::Switch(on));
        Rules::from([(CAMERA, Defined { value, locked, ..Defined::default() })])
    }

    fn levels(default: Rules, phones: Rules) -> Levels {
        let members = Condition { device_type: vec!["iPhone".into()], ..Condition::default() };
        let groups = vec![Group { name: "phones".into(), members, settings: phones }];
        Levels { default, groups }
    }

    #[test]
    fn a_preview_tells_who_changes_and_who_does_not_because_of_a_stronger_level() {
        let none = Rules::new();
        let (user, id) = ("ann@example.org".into(), "d1".into());
        let own = camera(true, false);
        let phone = facts(&user, &id);
        let tablet = Facts { device_type: "Tablet", ..phone };
        let devices = || {
            [("phone", phone, &none), ("tablet", tablet, &none), ("own", phone, &own)]
                .map(|(key, facts, own)| Concerned { key, facts, own })
        };
        let before = levels(Rules::new(), Rules::new());
        let seen = preview(&none, &before, &levels(Rules::new(), camera(false, false)), devices());
        let changed = Change {
            setting: CAMERA,
            before: Value::Switch(true),
            after: Value::Switch(false),
            from: Level::Group("phones".into()),
        };
        assert_eq!(seen.changed, [("phone", vec![changed])]);
        assert_eq!(seen.overridden, [("own", vec![(CAMERA, Level::Device)])]);
        assert_eq!(seen.untouched, 1, "the tablet is not in the group");

        // A default that is locked prevails over the group's word.
        let locked = levels(camera(true, true), Rules::new());
        let with_group = levels(camera(true, true), camera(false, false));
        let seen = preview(&none, &locked, &with_group, devices());
        assert!(seen.changed.is_empty());
        assert_eq!(seen.overridden.len(), 2);
        assert_eq!(seen.overridden[0].1, [(CAMERA, Level::Default)]);
    }

    #[test]
    fn no_change_concerns_nobody() {
        let none = Rules::new();
        let (user, id) = ("ann@example.org".into(), "d1".into());
        let same = levels(camera(false, false), Rules::new());
        let device = Concerned { key: 1, facts: facts(&user, &id), own: &none };
        let seen = preview(&none, &same, &same, [device]);
        assert_eq!((seen.changed.len(), seen.overridden.len(), seen.untouched), (0, 0, 1));
    }
}
