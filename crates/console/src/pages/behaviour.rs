//! The rules of behaviour: when a device misbehaves, and what is done about it.

use super::{Frame, Visit, html};
use crate::endpoints::word;
use crate::{Console, Refusal};
use askama::Template;
use dme_model::Span;
use dme_policy::{Act, Behaviour, BehaviourRule};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "behaviour.html")]
struct Rules {
    frame: Frame,
    revision: u64,
    rules: Vec<Rule>,
    /// What can be counted: a word, and what it means.
    behaviours: Vec<(String, String)>,
    /// The rule that is edited, by its name; none for a new one.
    edited: Option<String>,
    meant: Meant,
}

struct Rule {
    name: String,
    counts: String,
    threshold: u32,
    within: String,
    then: String,
    /// Where it is edited.
    edit: String,
    is_first: bool,
}

/// A rule as its form has it.
struct Meant {
    name: String,
    counts: String,
    threshold: u32,
    /// Nothing where it is a time of no whole minutes, which the form cannot say: whoever changes the
    /// rule is to say another.
    within: Option<u64>,
    then: &'static str,
    slow: Option<u64>,
}

impl Meant {
    fn new() -> Self {
        let (name, counts) = (String::new(), word(&Behaviour::ALL[0]));
        Self { name, counts, threshold: 100, within: Some(10), then: "slow", slow: Some(10) }
    }

    fn of(rule: &BehaviourRule) -> Self {
        let (then, slow) = match rule.then {
            Act::Slow(span) => ("slow", minutes(span)),
            Act::Block => ("block", None),
            Act::Tell => ("tell", None),
        };
        Self {
            name: rule.name.clone(),
            counts: word(&rule.counts),
            threshold: rule.threshold,
            within: minutes(rule.within),
            then,
            slow,
        }
    }
}

/// So many whole minutes.
fn minutes(Span(time): Span) -> Option<u64> {
    let seconds = time.as_secs();
    (seconds.is_multiple_of(60) && time.subsec_nanos() == 0).then_some(seconds / 60)
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let book = console.behaviour();
    let all = &book.rules.rules;
    let edited = match visit.wanted("edit") {
        Some(name) => Some(
            all.iter()
                .find(|rule| rule.name == name)
                .ok_or_else(|| Refusal::lacks("no-rule", name))?,
        ),
        None => None,
    };
    let frame = visit.frame;
    let meaning = |behaviour: Behaviour| frame.word("behaviour", word(&behaviour));
    let rules = all.iter().enumerate().map(|(place, rule)| Rule {
        name: rule.name.clone(),
        counts: meaning(rule.counts),
        threshold: rule.threshold,
        within: rule.within.to_string(),
        then: match rule.then {
            Act::Slow(span) => format!("{} ({span})", frame.t("behaviour-slow")),
            Act::Block => frame.t("behaviour-block"),
            Act::Tell => frame.t("behaviour-tell"),
        },
        edit: format!("/behaviour?{}#new", crate::form::query(&[("edit", &rule.name)])),
        is_first: place == 0,
    });
    html(&Rules {
        revision: book.revision,
        rules: rules.collect(),
        behaviours: Behaviour::ALL.map(|one| (word(&one), meaning(one))).into(),
        edited: edited.map(|rule| rule.name.clone()),
        meant: edited.map_or_else(Meant::new, Meant::of),
        frame,
    })
}
