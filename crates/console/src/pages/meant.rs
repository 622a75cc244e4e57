//! Which devices a rule or a group is meant for: in words, and as it is typed into a form.

use super::{Frame, Visit};
use crate::api::TypedCondition;
use dme_policy::Condition;

/// A rule or a group as a form has it.
#[derive(Default)]
pub(super) struct Meant {
    pub name: String,
    pub devices: TypedCondition,
}

impl Meant {
    /// As it is.
    pub fn of(name: &str, condition: &Condition) -> Self {
        Self { name: name.to_owned(), devices: TypedCondition::of(condition) }
    }
}

/// The names of its fields in forms.
pub(super) fn fields() -> Vec<&'static str> {
    std::iter::once("name").chain(TypedCondition::FIELDS.map(|(name, _)| name)).collect()
}

/// Of what a form asked for, what stands under these names and no others, for a form that sends it on.
pub(super) fn sent_on(visit: &Visit, names: &[&'static str]) -> Vec<(&'static str, String)> {
    names.iter().filter_map(|name| Some((*name, said(visit.asked(name))?))).collect()
}

/// What is typed, where anything is.
pub(super) fn said(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// Which devices a condition means, in words.
pub(super) fn members(frame: &Frame, condition: &Condition) -> String {
    let said = condition.kinds().into_iter().filter(|(_, patterns)| !patterns.is_empty());
    let said = said.map(|(kind, patterns)| {
        format!("{}: {}", frame.t(TypedCondition::text(kind)), patterns.join(", "))
    });
    said.collect::<Vec<_>>().join("; ")
}
