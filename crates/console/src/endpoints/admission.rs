//! The rules of admission. A single change reads the whole, changes its part and sets the whole, with
//! the revision that its maker had before them.

use super::parts::{author, name, word};
use super::revised;
use crate::endpoint::{Endpoint, get, post};
use crate::principal::Principal;
use crate::{Console, Refusal, api};
use dme_policy::{AdmissionRule, AdmissionRules, Outcome};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    vec![
        edit_admission::<api::NewRule>(
            "/api/admission/rules",
            "Make a rule of admission, before all others, or put it in the place of one",
            |rule| AdmissionEdit::Put(Box::new(rule)),
        ),
        edit_admission::<api::Named>(
            "/api/admission/rules/raise",
            "Have a rule of admission asked earlier by one place",
            AdmissionEdit::Raise,
        ),
        edit_admission::<api::Named>(
            "/api/admission/rules/remove",
            "Take a rule of admission away",
            AdmissionEdit::Remove,
        ),
        edit_admission::<api::Otherwise>(
            "/api/admission/otherwise",
            "Say what becomes of a device that no rule fits, and how many a user may have",
            AdmissionEdit::Beside,
        ),
        get("/api/admission", "The rules of admission")
            .by(|console, _| async move { Ok(console.admission()) }),
        post("/api/admission", "Set the rules of admission").takes::<api::Admission>().by(
            |console, mut call| async move {
                let change = call.body()?;
                console.set_admission_rules(&call.principal, change).await
            },
        ),
        post("/api/admission/preview", "Of which devices rules would make something else")
            .takes::<dme_policy::AdmissionRules>()
            .by(|console, mut call| async move { console.preview_admission(call.body()?).await }),
        post("/api/admission/apply", "Apply the rules to devices that no person decided of")
            .by(|console, _| async move { console.apply_admission().await }),
    ]
}

fn edit_admission<T>(
    path: &'static str,
    summary: &'static str,
    edit: fn(T) -> AdmissionEdit,
) -> Endpoint
where
    T: DeserializeOwned + JsonSchema + Send + 'static,
{
    post(path, summary).takes::<T>().by(move |console, mut call| async move {
        let edit = edit(call.body()?);
        console.edit_admission(&call.principal, edit).await
    })
}

/// A single change of the rules of admission.
#[derive(Clone, Debug)]
pub(crate) enum AdmissionEdit {
    /// A rule is made, or put in the place of another.
    Put(Box<api::NewRule>),
    /// It is asked earlier by one place.
    Raise(api::Named),
    /// It is taken away.
    Remove(api::Named),
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
    pub(crate) fn admission(&self) -> api::Admission {
        let held = self.front.admissions.rules();
        api::Admission { revision: held.revision, rules: held.content.clone() }
    }

    pub(crate) async fn set_admission_rules(
        &self,
        principal: &Principal,
        change: api::Admission,
    ) -> Result<api::Revised, Refusal> {
        let (author, now) = (author(principal, change.revision), (self.front.clock)());
        let before = self.front.admissions.rules().content.clone();
        let revision = self.front.admissions.set_rules(&change.rules, &author, now).await?;
        revised::admission(&before, &change.rules);
        Ok(api::Revised { revision, devices: Vec::new() })
    }

    pub(crate) async fn preview_admission(
        &self,
        rules: AdmissionRules,
    ) -> Result<Vec<api::Judged>, Refusal> {
        let judged = self.front.admissions.preview(&rules).await?.into_iter();
        let judged = judged.map(|one| api::Judged {
            device: api::DeviceName { user: one.user, device: one.device },
            now: word(&one.now),
            decision: one.decision,
        });
        Ok(judged.collect())
    }

    pub(crate) async fn apply_admission(&self) -> Result<Vec<api::DeviceName>, Refusal> {
        let changed = self.front.admissions.reconsider_all((self.front.clock)()).await?;
        Ok(changed.iter().map(name).collect())
    }

    /// The rules of admission as they would be with this change.
    pub(crate) fn readmitted(&self, edit: &AdmissionEdit) -> Result<AdmissionRules, Refusal> {
        let mut rules = self.front.admissions.rules().content.clone();
        match edit {
            AdmissionEdit::Put(new) => {
                let then = outcome(&new.then, new.reason.as_deref())?;
                let rule = AdmissionRule {
                    name: new.name.clone(),
                    devices: new.devices.condition(),
                    then,
                };
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
