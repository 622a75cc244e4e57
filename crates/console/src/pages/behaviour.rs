//! The rules of behaviour: when a device misbehaves, and what is done about it.

use super::{Frame, Visit, html};
use crate::endpoints::word;
use crate::{Console, Refusal};
use askama::Template;
use dme_policy::{Act, Behaviour};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "behaviour.html")]
struct Rules {
    frame: Frame,
    revision: u64,
    rules: Vec<Rule>,
    /// What can be counted: a word, and what it means.
    behaviours: Vec<(String, String)>,
}

struct Rule {
    name: String,
    counts: String,
    threshold: u32,
    within: String,
    then: String,
}

pub(super) async fn render(console: Arc<Console>, visit: Visit) -> Result<String, Refusal> {
    let book = console.behaviour();
    let frame = visit.frame;
    let meaning = |behaviour: Behaviour| frame.word("behaviour", word(&behaviour));
    let rules = book.rules.rules.iter().map(|rule| Rule {
        name: rule.name.clone(),
        counts: meaning(rule.counts),
        threshold: rule.threshold,
        within: rule.within.to_string(),
        then: match rule.then {
            Act::Slow(span) => format!("{} ({span})", frame.t("behaviour-slow")),
            Act::Block => frame.t("behaviour-block"),
            Act::Tell => frame.t("behaviour-tell"),
        },
    });
    html(&Rules {
        revision: book.revision,
        rules: rules.collect(),
        behaviours: Behaviour::ALL.map(|one| (word(&one), meaning(one))).into(),
        frame,
    })
}
