//! Single changes of policies: each reads the whole, changes its part and sets the whole, with the
//! revision that its maker had before them.

use crate::principal::Principal;
use crate::{Console, Refusal, api};
use dme_policy::{Bounds, Defined, Kind, Levels, Rules, Setting, Unlimited, Value};

/// What is done to a group of devices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum GroupAct {
    /// It is made, as the strongest, or put in the place of another.
    Put,
    /// It becomes stronger by one place.
    Raise,
    /// It is taken away.
    Remove,
}

impl Console {
    /// The levels as they would be with this change.
    pub(crate) fn edited(&self, edit: &api::SettingEdit) -> Result<Levels, Refusal> {
        let mut levels = self.front.policies.levels().content;
        let setting = named(&edit.setting)?;
        let value = typed(setting, edit.value.as_deref())?;
        let rules = rules_of(&mut levels, edit.group.as_deref().unwrap_or_default())?;
        let range = (edit.least.is_some() || edit.most.is_some())
            .then_some(Bounds::Range { least: edit.least, most: edit.most });
        // Bounds of words are not typed here, and stay.
        let held = rules.get(&setting).and_then(|held| held.bounds.clone());
        let bounds = range.or(held.filter(|held| matches!(held, Bounds::OneOf(_))));
        let defined = Defined { value, bounds, locked: edit.locked };
        match defined == Defined::default() {
            true => rules.remove(&setting),
            false => rules.insert(setting, defined),
        };
        Ok(levels)
    }

    pub(crate) async fn edit_setting(
        &self,
        principal: &Principal,
        edit: api::SettingEdit,
    ) -> Result<api::Revised, Refusal> {
        let levels = self.edited(&edit)?;
        let change = api::PolicyChange { revision: edit.revision, levels, push: edit.push };
        self.set_policy(principal, change).await
    }

    /// Changes what a device's own level says of one setting.
    pub(crate) async fn edit_own_setting(
        &self,
        principal: &Principal,
        (user, device): (&str, &str),
        edit: api::OwnSetting,
    ) -> Result<api::Revised, Refusal> {
        let key = self.key(user, device).await?;
        let setting = named(&edit.setting)?;
        let value = typed(setting, edit.value.as_deref())?;
        let mut settings = self.front.policies.device_level(&key).content;
        let held = settings.remove(&setting).unwrap_or_default();
        if value.is_some() || edit.locked {
            let defined = Defined { value, locked: edit.locked, ..held };
            settings.insert(setting, defined);
        }
        let api::OwnSetting { revision, push, .. } = edit;
        let level = api::DeviceLevel { revision, settings, push };
        self.set_device_policy(principal, (user, device), level).await
    }

    /// The levels as they would be with one group made, changed, made stronger or taken away.
    pub(crate) fn regrouped(
        &self,
        act: GroupAct,
        group: &api::NewGroup,
    ) -> Result<Levels, Refusal> {
        let mut levels = self.front.policies.levels().content;
        let meant = match act {
            GroupAct::Put => group.instead_of.as_deref().filter(|name| !name.is_empty()),
            GroupAct::Raise | GroupAct::Remove => Some(group.name.as_str()),
        };
        let place = match meant {
            Some(name) => levels.place(name).ok_or_else(|| Refusal::lacks("no-group", name))?,
            None => {
                levels.make_group(group.name.clone(), group.members.condition());
                return Ok(levels);
            }
        };
        match act {
            GroupAct::Put => {
                levels.change_group(place, group.name.clone(), group.members.condition());
            }
            GroupAct::Raise => levels.raise_group(place),
            GroupAct::Remove => drop(levels.groups.remove(place)),
        }
        Ok(levels)
    }

    pub(crate) async fn change_group(
        &self,
        principal: &Principal,
        act: GroupAct,
        group: api::NewGroup,
    ) -> Result<api::Revised, Refusal> {
        let levels = self.regrouped(act, &group)?;
        let change = api::PolicyChange { revision: group.revision, levels, push: false };
        self.set_policy(principal, change).await
    }
}

/// The setting of this name.
fn named(setting: &str) -> Result<Setting, Refusal> {
    setting.parse().map_err(|_| Refusal::wrong("no-setting", setting))
}

/// A value as it was typed; none where nothing was.
fn typed(setting: Setting, text: Option<&str>) -> Result<Option<Value>, Refusal> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let refused = || {
        let allowed = setting.kind().allowed();
        let words = format!("{setting} cannot be {text:?}: it is {allowed}");
        Refusal::bad(words).said("no-value", format!("{setting}: {text} ({})", range(setting)))
    };
    setting.kind().parse(text).map(Some).ok_or_else(refused)
}

/// Which values a setting has, as they are typed.
pub(crate) fn range(setting: Setting) -> String {
    match setting.kind() {
        Kind::Switch { .. } => "true, false".to_owned(),
        Kind::Number { least, most, unlimited: Unlimited::Impossible, .. } => {
            format!("{least} – {most}")
        }
        Kind::Number { least, most, .. } => format!("{least} – {most}, none"),
        Kind::Choice { words, .. } => words.join(", "),
        Kind::Texts => "…, …".to_owned(),
    }
}

/// What the level of this name says; the default one has none.
fn rules_of<'a>(levels: &'a mut Levels, group: &str) -> Result<&'a mut Rules, Refusal> {
    if group.is_empty() {
        return Ok(&mut levels.default);
    }
    let found = levels.groups.iter_mut().find(|one| one.name == group);
    Ok(&mut found.ok_or_else(|| Refusal::lacks("no-group", group))?.settings)
}
