//! Who is in which group, for others who decide by groups.

use super::{Admitted, Gate};
use crate::{Named, Person, Reason};
use dme_model::UserId;
use std::sync::Arc;

impl Gate {
    /// Whether a person is in a group, by its id or its short name, at any depth; none where the
    /// groups were never read, or the name is no group's or that of several.
    pub fn is_in_group(&self, person: &Person, group: &str) -> Option<bool> {
        let graph = self.part_of(&person.user)?.graph()?;
        match graph.named(group) {
            Named::Group(target) => Some(graph.reaches(&person.groups, target)),
            Named::Nothing | Named::Several(_) => None,
        }
    }

    /// What is wrong with the name of a group that somebody's scope is; nothing where a realm has
    /// the group, or the groups of some realm are not known, which may have it.
    pub fn wrong_group(&self, name: &str) -> Option<Reason> {
        let mut wrong = None;
        for part in self.parts.values() {
            match part.graph()?.named(name) {
                Named::Group(_) => return None,
                Named::Nothing => {
                    wrong.get_or_insert(Reason::NoSuchGroup(name.to_owned()));
                }
                Named::Several(_) => wrong = Some(Reason::AmbiguousGroup(name.to_owned())),
            }
        }
        wrong
    }

    /// Somebody who was let in lately, as the directory had them then.
    pub fn admitted(&self, user: &UserId) -> Option<Arc<Admitted>> {
        self.memory.admitted_user(user)
    }
}
