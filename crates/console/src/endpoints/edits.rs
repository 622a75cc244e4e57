//! Single changes of policies and rules: each reads the whole, changes its part and sets the whole,
//! with the revision that its maker had before them.

use super::policies::word;
use crate::principal::Principal;
use crate::{Console, Refusal, api};
use dme_model::Span;
use dme_policy::{
    Act, AdmissionRule, Behaviour, BehaviourRule, Bounds, Condition, Defined, Group, Levels,
    Outcome, Rules, Setting,
};

impl Console {
    /// The levels as they would be with this change.
    pub(crate) fn edited(&self, edit: &api::SettingEdit) -> Result<Levels, Refusal> {
        let mut levels = self.front.policies.levels().content;
        let about = |_| Refusal::bad(format!("there is no setting {}", edit.setting));
        let setting: Setting = edit.setting.parse().map_err(about)?;
        let value = match edit.value.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => Some(setting.kind().parse(text).ok_or_else(|| {
                let allowed = setting.kind().allowed();
                Refusal::bad(format!("{setting} cannot be {text:?}: it is {allowed}"))
            })?),
            None => None,
        };
        let bounds = (edit.least.is_some() || edit.most.is_some())
            .then_some(Bounds::Range { least: edit.least, most: edit.most });
        let defined = Defined { value, bounds, locked: edit.locked };
        let rules = rules_of(&mut levels, edit.group.as_deref().unwrap_or_default())?;
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

    pub(crate) async fn make_group(
        &self,
        principal: &Principal,
        new: api::NewGroup,
    ) -> Result<api::Revised, Refusal> {
        let mut levels = self.front.policies.levels().content;
        let patterns = [&new.group, &new.user, &new.agent, &new.os, &new.model];
        let members = condition(patterns);
        levels.groups.insert(0, Group { name: new.name, members, settings: Rules::default() });
        let change = api::PolicyChange { revision: new.revision, levels, push: false };
        self.set_policy(principal, change).await
    }

    /// Takes a group away, or makes it stronger by one place.
    pub(crate) async fn change_group(
        &self,
        principal: &Principal,
        named: api::GroupNamed,
        raises: bool,
    ) -> Result<api::Revised, Refusal> {
        let mut levels = self.front.policies.levels().content;
        let place = levels.groups.iter().position(|group| group.name == named.name);
        let place = place.ok_or_else(|| Refusal::not_found(format!("group {}", named.name)))?;
        if !raises {
            levels.groups.remove(place);
        } else if place > 0 {
            levels.groups.swap(place, place - 1);
        }
        let change = api::PolicyChange { revision: named.revision, levels, push: false };
        self.set_policy(principal, change).await
    }

    pub(crate) async fn make_rule(
        &self,
        principal: &Principal,
        new: api::NewRule,
    ) -> Result<api::Revised, Refusal> {
        let reason = new.reason.unwrap_or_default();
        let then = match new.then.as_str() {
            "allow" => Outcome::Allow,
            "quarantine" => Outcome::Quarantine { reason },
            "block" => Outcome::Block { reason },
            other => return Err(Refusal::bad(format!("a rule does not {other:?}"))),
        };
        let devices = condition([&new.group, &new.user, &new.agent, &new.os, &new.model]);
        let mut rules = self.front.admissions.rules().content.clone();
        rules.rules.insert(0, AdmissionRule { name: new.name, devices, then });
        self.set_admission_rules(principal, api::Admission { revision: new.revision, rules }).await
    }

    pub(crate) async fn make_behaviour(
        &self,
        principal: &Principal,
        new: api::NewBehaviour,
    ) -> Result<api::Revised, Refusal> {
        let minutes = |minutes: u32| Span::seconds(u64::from(minutes) * 60);
        let counts = Behaviour::ALL.into_iter().find(|one| word(one) == new.counts);
        let unknown = || Refusal::bad(format!("no behaviour is called {:?}", new.counts));
        let then = match new.then.as_str() {
            "slow" => Act::Slow(minutes(new.slow_minutes.unwrap_or(10))),
            "block" => Act::Block,
            "tell" => Act::Tell,
            other => return Err(Refusal::bad(format!("a rule does not {other:?}"))),
        };
        let mut rules = self.front.behaviours.rules().content.clone();
        rules.rules.push(BehaviourRule {
            counts: counts.ok_or_else(unknown)?,
            name: new.name,
            threshold: new.threshold,
            within: minutes(new.within_minutes),
            then,
        });
        let change = api::BehaviourBook { revision: new.revision, rules };
        self.set_behaviour(principal, change).await
    }

    pub(crate) async fn remove_behaviour(
        &self,
        principal: &Principal,
        named: api::GroupNamed,
    ) -> Result<api::Revised, Refusal> {
        let mut rules = self.front.behaviours.rules().content.clone();
        take_out(&mut rules.rules, &named.name, |rule| &rule.name)?;
        let change = api::BehaviourBook { revision: named.revision, rules };
        self.set_behaviour(principal, change).await
    }

    pub(crate) async fn remove_rule(
        &self,
        principal: &Principal,
        named: api::GroupNamed,
    ) -> Result<api::Revised, Refusal> {
        let mut rules = self.front.admissions.rules().content.clone();
        take_out(&mut rules.rules, &named.name, |rule| &rule.name)?;
        let change = api::Admission { revision: named.revision, rules };
        self.set_admission_rules(principal, change).await
    }
}

/// Takes the rule of this name out.
fn take_out<R>(rules: &mut Vec<R>, name: &str, of: impl Fn(&R) -> &str) -> Result<(), Refusal> {
    let before = rules.len();
    rules.retain(|rule| of(rule) != name);
    match rules.len() < before {
        true => Ok(()),
        false => Err(Refusal::not_found(format!("rule {name}"))),
    }
}

/// What the level of this name says; the default one has none.
fn rules_of<'a>(levels: &'a mut Levels, group: &str) -> Result<&'a mut Rules, Refusal> {
    if group.is_empty() {
        return Ok(&mut levels.default);
    }
    let found = levels.groups.iter_mut().find(|one| one.name == group);
    let found = found.ok_or_else(|| Refusal::not_found(format!("group {group}")))?;
    Ok(&mut found.settings)
}

/// Directory groups, users, agents, systems and models, each a list parted by commas.
fn condition([group, user, agent, os, model]: [&Option<String>; 5]) -> Condition {
    let list = |text: &Option<String>| {
        let parts = text.iter().flat_map(|text| text.split(',')).map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    Condition {
        group: list(group),
        user: list(user),
        agent: list(agent),
        os: list(os),
        model: list(model),
        ..Condition::default()
    }
}
