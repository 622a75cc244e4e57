//! Single changes of the rules of admission and behaviour: each reads the whole, changes its part
//! and sets the whole, with the revision that its maker had before them.

use super::edits::condition;
use super::policies::word;
use crate::principal::Principal;
use crate::{Console, Refusal, api};
use dme_model::Span;
use dme_policy::{Act, AdmissionRule, AdmissionRules, Behaviour, BehaviourRule, Outcome};

/// A single change of the rules of admission.
#[derive(Clone, Debug)]
pub(crate) enum AdmissionEdit {
    /// A rule is made, or put in the place of another.
    Put(Box<api::NewRule>),
    /// It is asked earlier by one place.
    Raise(api::GroupNamed),
    /// It is taken away.
    Remove(api::GroupNamed),
    /// What holds beside the rules.
    Beside(api::Otherwise),
}

impl AdmissionEdit {
    /// The revision that was read.
    pub(crate) fn revision(&self) -> u64 {
        match self {
            Self::Put(rule) => rule.revision,
            Self::Raise(named) | Self::Remove(named) => named.revision,
            Self::Beside(beside) => beside.revision,
        }
    }
}

impl Console {
    /// The rules of admission as they would be with this change.
    pub(crate) fn readmitted(&self, edit: &AdmissionEdit) -> Result<AdmissionRules, Refusal> {
        let mut rules = self.front.admissions.rules().content.clone();
        match edit {
            AdmissionEdit::Put(new) => {
                let then = outcome(&new.then, new.reason.as_deref())?;
                let rule = AdmissionRule { name: new.name.clone(), devices: new.devices(), then };
                match new.instead_of.as_deref().filter(|name| !name.is_empty()) {
                    Some(name) => {
                        let place = place_of(&rules, name)?;
                        rules.rules[place] = rule;
                    }
                    None => rules.rules.insert(0, rule),
                }
            }
            AdmissionEdit::Raise(named) => {
                let place = place_of(&rules, &named.name)?;
                rules.rules.swap(place, place.saturating_sub(1));
            }
            AdmissionEdit::Remove(named) => {
                let place = place_of(&rules, &named.name)?;
                rules.rules.remove(place);
            }
            AdmissionEdit::Beside(beside) => {
                let otherwise = beside.otherwise.as_deref().filter(|word| !word.is_empty());
                let reason = beside.reason.as_deref();
                rules.otherwise = otherwise.map(|word| outcome(word, reason)).transpose()?;
                rules.per_user = beside.per_user;
            }
        }
        Ok(rules)
    }

    pub(crate) async fn edit_admission(
        &self,
        principal: &Principal,
        edit: AdmissionEdit,
    ) -> Result<api::Revised, Refusal> {
        let (revision, rules) = (edit.revision(), self.readmitted(&edit)?);
        self.set_admission_rules(principal, api::Admission { revision, rules }).await
    }

    pub(crate) async fn make_behaviour(
        &self,
        principal: &Principal,
        new: api::NewBehaviour,
    ) -> Result<api::Revised, Refusal> {
        let minutes = |minutes: u32| Span::seconds(u64::from(minutes) * 60);
        let counts = Behaviour::ALL.into_iter().find(|one| word(one) == new.counts);
        let then = match new.then.as_str() {
            "slow" => Act::Slow(minutes(new.slow_minutes.unwrap_or(10))),
            "block" => Act::Block,
            "tell" => Act::Tell,
            other => return Err(Refusal::wrong("no-outcome", other)),
        };
        let mut rules = self.front.behaviours.rules().content.clone();
        rules.rules.push(BehaviourRule {
            counts: counts.ok_or_else(|| Refusal::wrong("no-behaviour", &new.counts))?,
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
        let before = rules.rules.len();
        rules.rules.retain(|rule| rule.name != named.name);
        if rules.rules.len() == before {
            return Err(Refusal::lacks("no-rule", &named.name));
        }
        let change = api::BehaviourBook { revision: named.revision, rules };
        self.set_behaviour(principal, change).await
    }
}

impl api::NewRule {
    /// Which devices it is meant for.
    fn devices(&self) -> dme_policy::Condition {
        condition([
            &self.group,
            &self.user,
            &self.agent,
            &self.os,
            &self.model,
            &self.device_type,
            &self.protocol,
        ])
    }
}

/// What becomes of devices, by its word.
fn outcome(word: &str, reason: Option<&str>) -> Result<Outcome, Refusal> {
    let reason = reason.unwrap_or_default().to_owned();
    match word {
        "allow" => Ok(Outcome::Allow),
        "quarantine" => Ok(Outcome::Quarantine { reason }),
        "block" => Ok(Outcome::Block { reason }),
        other => Err(Refusal::wrong("no-outcome", other)),
    }
}

/// Where the rule of this name stands.
fn place_of(rules: &AdmissionRules, name: &str) -> Result<usize, Refusal> {
    let place = rules.rules.iter().position(|rule| rule.name == name);
    place.ok_or_else(|| Refusal::lacks("no-rule", name))
}
