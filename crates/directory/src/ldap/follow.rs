//! The groups of an Active Directory domain, kept up to date by its changes alone.
//!
//! A group's entry changes when its members do, but what a group is in (`memberOf`) is worked out by
//! the server and changes without a trace on the group itself. So a change of a group means: the
//! group is read again, and with it the groups that are in it now. Groups are told apart by
//! `objectGUID`, which they keep when they are renamed or moved. A unit that is renamed changes the
//! names of all below it without a trace on them; then everything is read again.
//!
//! No I/O here: [`Followed::judge`] says what must be read for some changes, and [`Followed::apply`]
//! takes what was read.

use crate::{Group, GroupId};
use std::collections::{BTreeSet, HashMap, HashSet};

/// More changes at once than this, and reading all groups is simpler.
pub(super) const MANY: usize = 500;

/// An `objectGUID`.
pub(super) type Guid = Vec<u8>;

/// A group as it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Read {
    pub guid: Guid,
    pub group: Group,
}

/// Something that has changed: a group, a unit that groups may lie in, or what is neither.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Change {
    pub guid: Guid,
    /// Its name now, as the server writes it.
    pub dn: String,
    /// The same, normalised.
    pub id: GroupId,
    pub what: What,
}

/// What a change tells of its object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    /// It is gone.
    Deleted,
    /// It is a unit or container.
    Container,
    /// It is there; nothing is said of what it is.
    Present,
}

/// All groups that are followed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Followed {
    groups: HashMap<Guid, Group>,
    /// Units and containers, with their normalised names.
    containers: HashMap<Guid, String>,
}

/// What some changes ask for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Demand {
    /// Everything must be read again.
    Everything,
    /// The groups with these `objectGUID`s, of which some may be no groups, and those that are in a
    /// group of one of these names.
    Groups { guids: Vec<Guid>, parents: Vec<String> },
}

impl Followed {
    /// What was read of groups and containers.
    pub(super) fn new(
        groups: impl IntoIterator<Item = Read>,
        containers: impl IntoIterator<Item = (Guid, String)>,
    ) -> Self {
        let groups = groups.into_iter().map(|Read { guid, group }| (guid, group)).collect();
        Self { groups, containers: containers.into_iter().collect() }
    }

    /// What must be read because of these changes.
    pub(super) fn judge(&self, changes: &[Change]) -> Demand {
        let is_moved = |change: &Change| {
            change.what != What::Deleted
                && self.containers.get(&change.guid).is_some_and(|name| *name != change.id.0)
        };
        let others = || changes.iter().filter(|c| !self.containers.contains_key(&c.guid));
        let present = || others().filter(|change| change.what == What::Present);
        if present().count() > MANY || changes.iter().any(is_moved) {
            return Demand::Everything;
        }
        let mut guids: Vec<Guid> = present().map(|change| change.guid.clone()).collect();
        let is_known = |change: &Change| self.groups.contains_key(&change.guid);
        if others().any(|change| change.what != What::Container && !is_known(change)) {
            guids.extend(self.in_unknown());
        }
        Demand::Groups { guids, parents: present().map(|change| change.dn.clone()).collect() }
    }

    /// Those that are in groups that are not followed, because they lie outside the bases or do not
    /// match the filter: of such a group it is not known what it was called before.
    fn in_unknown(&self) -> impl Iterator<Item = Guid> {
        let known: HashSet<&GroupId> = self.groups.values().map(|group| &group.id).collect();
        let is_in_unknown =
            move |group: &Group| group.parents.iter().any(|parent| !known.contains(parent));
        let found = self.groups.iter().filter(move |(_, group)| is_in_unknown(group));
        found.map(|(guid, _)| guid.clone())
    }

    /// Takes the changes and what was read because of them: those of the changed that are groups,
    /// and the groups that are in any of the changed, each with all it is in.
    pub(super) fn apply(&mut self, changes: &[Change], read: Vec<Read>) {
        let mut names: HashSet<GroupId> = HashSet::new();
        for change in changes {
            match change.what {
                What::Container => {
                    self.containers.insert(change.guid.clone(), change.id.0.clone());
                    continue;
                }
                _ if self.containers.contains_key(&change.guid) => {
                    if change.what == What::Deleted {
                        self.containers.remove(&change.guid);
                    }
                    continue;
                }
                What::Deleted => {}
                What::Present => drop(names.insert(change.id.clone())),
            }
            names.extend(self.groups.remove(&change.guid).map(|group| group.id));
        }
        // Who is in one of them now was read; nobody else is.
        for group in self.groups.values_mut() {
            group.parents.retain(|parent| !names.contains(parent));
        }
        self.groups.extend(read.into_iter().map(|Read { guid, group }| (guid, group)));
    }

    /// All groups, in the order of their ids.
    pub(super) fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = self.groups.values().cloned().collect();
        groups.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        groups
    }
}

/// The parents of a group, each once, in order.
pub(super) fn parents(ids: impl IntoIterator<Item = GroupId>) -> Vec<GroupId> {
    ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests;
