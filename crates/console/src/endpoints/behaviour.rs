//! The rules of behaviour.

use super::parts::{author, word};
use super::revised;
use crate::endpoint::{Endpoint, get, post};
use crate::principal::Principal;
use crate::{Console, Refusal, api};
use dme_model::Span;
use dme_policy::{Act, Behaviour, BehaviourRule, BehaviourRules};

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    vec![
        get("/api/behaviour", "The rules of behaviour")
            .by(|console, _| async move { Ok(console.behaviour()) }),
        post("/api/behaviour", "Set the rules of behaviour").takes::<api::BehaviourBook>().by(
            |console, mut call| async move {
                let change = call.body()?;
                console.set_behaviour(&call.principal, change).await
            },
        ),
        post(
            "/api/behaviour/rules",
            "Make a rule of behaviour, as the last, or put it in the place of one",
        )
        .takes::<api::NewBehaviour>()
        .by(|console, mut call| async move {
            let new = call.body()?;
            console.put_behaviour(&call.principal, new).await
        }),
        post("/api/behaviour/rules/raise", "Have a rule of behaviour count earlier by one place")
            .takes::<api::Named>()
            .by(|console, mut call| async move {
                let named = call.body()?;
                console.raise_behaviour(&call.principal, named).await
            }),
        post("/api/behaviour/rules/remove", "Take a rule of behaviour away")
            .takes::<api::Named>()
            .by(|console, mut call| async move {
                let named = call.body()?;
                console.remove_behaviour(&call.principal, named).await
            }),
        post("/api/behaviour/suggested", "Take the rules of behaviour to begin with")
            .takes::<api::Read>()
            .by(|console, mut call| async move {
                let api::Read { revision } = call.body()?;
                let rules = dme_policy::BehaviourRules::suggested();
                console.set_behaviour(&call.principal, api::BehaviourBook { revision, rules }).await
            }),
        get("/api/behaviour/suggested", "Rules of behaviour to begin with")
            .by(|_, _| async move { Ok(dme_policy::BehaviourRules::suggested()) }),
    ]
}

impl Console {
    pub(crate) fn behaviour(&self) -> api::BehaviourBook {
        let held = self.front.behaviours.rules();
        api::BehaviourBook { revision: held.revision, rules: held.content.clone() }
    }

    pub(crate) async fn set_behaviour(
        &self,
        principal: &Principal,
        change: api::BehaviourBook,
    ) -> Result<api::Revised, Refusal> {
        let (author, now) = (author(principal, change.revision), (self.front.clock)());
        let before = self.front.behaviours.rules().content.clone();
        let revision = self.front.behaviours.set_rules(&change.rules, &author, now).await?;
        revised::behaviour(&before, &change.rules);
        Ok(api::Revised { revision, devices: Vec::new() })
    }

    pub(crate) async fn put_behaviour(
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
        let rule = BehaviourRule {
            counts: counts.ok_or_else(|| Refusal::wrong("no-behaviour", &new.counts))?,
            name: new.name,
            threshold: new.threshold,
            within: minutes(new.within_minutes),
            then,
        };
        match new.instead_of.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => {
                let place = place_of(&rules, name)?;
                rules.rules[place] = rule;
            }
            None => rules.rules.push(rule),
        }
        let change = api::BehaviourBook { revision: new.revision, rules };
        self.set_behaviour(principal, change).await
    }

    pub(crate) async fn raise_behaviour(
        &self,
        principal: &Principal,
        named: api::Named,
    ) -> Result<api::Revised, Refusal> {
        let mut rules = self.front.behaviours.rules().content.clone();
        let place = place_of(&rules, &named.name)?;
        rules.rules.swap(place, place.saturating_sub(1));
        let change = api::BehaviourBook { revision: named.revision, rules };
        self.set_behaviour(principal, change).await
    }

    pub(crate) async fn remove_behaviour(
        &self,
        principal: &Principal,
        named: api::Named,
    ) -> Result<api::Revised, Refusal> {
        let mut rules = self.front.behaviours.rules().content.clone();
        let place = place_of(&rules, &named.name)?;
        rules.rules.remove(place);
        let change = api::BehaviourBook { revision: named.revision, rules };
        self.set_behaviour(principal, change).await
    }
}

/// Where the rule of this name stands.
fn place_of(rules: &BehaviourRules, name: &str) -> Result<usize, Refusal> {
    let place = rules.rules.iter().position(|rule| rule.name == name);
    place.ok_or_else(|| Refusal::lacks("no-rule", name))
}
