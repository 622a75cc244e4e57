//! The rules of admission, and of which devices others would make something else.

use super::meant::{Meant, fields, members, said, sent_on};
use super::trials::Concerned;
use super::{Frame, Visit, html};
use crate::endpoints::admission::AdmissionEdit;
use crate::{Console, Refusal, api};
use askama::Template;
use dme_policy::{AdmissionRule, Outcome};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "admission.html")]
struct Admission {
    frame: Frame,
    revision: u64,
    rules: Vec<Rule>,
    otherwise: Option<Then>,
    per_user: Option<u32>,
    /// The rule that is edited, by its name; none for a new one.
    edited: Option<String>,
    meant: Meant,
    then: Then,
}

struct Rule {
    name: String,
    members: String,
    then: Then,
    /// Where it is edited.
    edit: String,
    is_first: bool,
}

/// What becomes of devices.
struct Then {
    word: &'static str,
    reason: String,
}

impl Then {
    fn of(outcome: &Outcome) -> Self {
        let word = match outcome {
            Outcome::Allow => "allow",
            Outcome::Quarantine { .. } => "quarantine",
            Outcome::Block { .. } => "block",
        };
        Self { word, reason: outcome.reason().to_owned() }
    }
}

/// What a device is of which that is decided.
fn state(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Allow => "allowed",
        Outcome::Quarantine { .. } => "quarantined",
        Outcome::Block { .. } => "blocked",
    }
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let book = console.admission();
    let rules = &book.rules.rules;
    let rule = |(place, rule): (usize, &AdmissionRule)| Rule {
        name: rule.name.clone(),
        members: members(&visit.frame, &rule.devices),
        then: Then::of(&rule.then),
        edit: format!("/admission?{}#new", crate::form::query(&[("edit", &rule.name)])),
        is_first: place == 0,
    };
    let edited = match visit.wanted("edit") {
        Some(name) => Some(
            rules
                .iter()
                .find(|rule| rule.name == name)
                .ok_or_else(|| Refusal::lacks("no-rule", name))?,
        ),
        None => None,
    };
    html(&Admission {
        revision: book.revision,
        rules: rules.iter().enumerate().map(rule).collect(),
        otherwise: book.rules.otherwise.as_ref().map(Then::of),
        per_user: book.rules.per_user,
        edited: edited.map(|rule| rule.name.clone()),
        meant: edited.map(|rule| Meant::of(&rule.name, &rule.devices)).unwrap_or_default(),
        then: Then::of(edited.map_or(&Outcome::Allow, |rule| &rule.then)),
        frame: visit.frame,
    })
}

/// A change that is tried.
struct Tried {
    /// What it is called.
    title: String,
    /// The endpoint's path without `/api`.
    endpoint: &'static str,
    fields: Vec<(&'static str, String)>,
    /// None: the rules stay, and are applied.
    edit: Option<AdmissionEdit>,
}

impl Tried {
    fn asked(visit: &Visit) -> Result<Self, Refusal> {
        let frame = &visit.frame;
        let asked = |name: &str| said(visit.asked(name));
        let revision = visit.asked("revision").parse().unwrap_or_default();
        let name = visit.asked("name").to_owned();
        let named = api::Named { name: name.clone(), revision };
        let (reason, otherwise) = (asked("reason"), asked("otherwise"));
        let named_alone = || sent_on(visit, &["name"]);
        let (title, endpoint, fields, edit) = match visit.asked("act") {
            "put" => {
                let instead_of = asked("instead_of");
                let title = if instead_of.is_some() { "edit-rule" } else { "new-rule" };
                let fields =
                    sent_on(visit, &[&fields()[..], &["then", "reason", "instead_of"]].concat());
                let rule = api::NewRule {
                    name: name.clone(),
                    devices: api::TypedCondition::asked(asked),
                    then: visit.asked("then").to_owned(),
                    reason,
                    instead_of,
                    revision,
                };
                (title, "/admission/rules", fields, Some(AdmissionEdit::Put(Box::new(rule))))
            }
            "raise" => {
                let edit = Some(AdmissionEdit::Raise(named));
                ("raise-rule", "/admission/rules/raise", named_alone(), edit)
            }
            "remove" => {
                let edit = Some(AdmissionEdit::Remove(named));
                ("take-away", "/admission/rules/remove", named_alone(), edit)
            }
            "beside" => {
                let per_user = asked("per_user");
                let fields = sent_on(visit, &["otherwise", "reason", "per_user"]);
                let most = per_user.map(|text| text.parse()).transpose();
                let per_user = most.map_err(|_| Refusal::wrong("no-number", "per_user"))?;
                let beside = api::Otherwise { otherwise, reason, per_user, revision };
                ("otherwise", "/admission/otherwise", fields, Some(AdmissionEdit::Beside(beside)))
            }
            "apply" => ("apply-rules", "/admission/apply", Vec::new(), None),
            other => return Err(Refusal::wrong("no-act", other)),
        };
        let title = match name.is_empty() {
            true => frame.t(title),
            false => format!("{}: {name}", frame.t(title)),
        };
        Ok(Self { title, endpoint, fields, edit })
    }
}

#[derive(Template)]
#[template(path = "rules_try.html")]
struct Trial {
    frame: Frame,
    tried: Tried,
    concerned: Concerned,
}

/// Of which devices the rules would make something else, were they changed so.
pub(super) async fn trial(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let tried = Tried::asked(&visit)?;
    let rules = match &tried.edit {
        Some(edit) => console.readmitted(edit)?,
        None => console.admission().rules,
    };
    let frame = &visit.frame;
    let judged = console.preview_admission(rules).await?.into_iter().map(|one| {
        let (now, decision) = (frame.t(&one.now), &one.decision);
        let by = match &decision.rule {
            Some(rule) => frame.of("by-rule", rule),
            None => frame.t("by-no-rule"),
        };
        (one.device, format!("{now} → {} ({by})", frame.t(state(&decision.outcome))))
    });
    html(&Trial { concerned: Concerned::new(judged), tried, frame: visit.frame })
}
