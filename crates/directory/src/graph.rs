//! The group graph: every group and the groups it is in, and what reaches what (rule A1).
//!
//! It is built whole from snapshots and then never changes; whoever serves it swaps a newer one in.
//! It knows nothing of people: a person brings the groups that list them, the graph tells what
//! those are in, at any depth. Cycles are harmless, because a group is visited once.

use crate::{GroupId, GroupSnapshot};
use dme_model::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// Every group of a realm and the groups each is directly in.
#[derive(Debug, Default)]
pub struct GroupGraph {
    index: HashMap<GroupId, usize>,
    /// The groups by short name, lower case.
    names: HashMap<String, Vec<usize>>,
    nodes: Vec<Node>,
    /// Those that may give roles; none where all may.
    for_roles: Option<BTreeSet<GroupId>>,
    as_of: Timestamp,
}

#[derive(Debug)]
struct Node {
    id: GroupId,
    parents: Vec<usize>,
}

/// What a name in the configuration stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Named<'a> {
    /// Exactly this group.
    Group(&'a GroupId),
    /// No group has it.
    Nothing,
    /// Several groups have it as their short name, so that none can be meant: the id must be
    /// written instead.
    Several(Vec<&'a GroupId>),
}

impl GroupGraph {
    /// Builds the graph of all snapshots together. A group that is in several of them has all the
    /// parents any of them gives it; a parent that no snapshot lists is kept under its id. The
    /// age is that of the oldest snapshot.
    pub fn new(snapshots: &[GroupSnapshot]) -> Self {
        let mut graph = Self::default();
        for group in snapshots.iter().flat_map(|snapshot| &snapshot.groups) {
            let node = graph.intern(&group.id);
            let parents: Vec<usize> = group.parents.iter().map(|id| graph.intern(id)).collect();
            if let Some(node) = graph.nodes.get_mut(node) {
                node.parents.extend(parents);
            }
            graph.names.entry(group.name.to_lowercase()).or_default().push(node);
        }
        for node in &mut graph.nodes {
            node.parents.sort_unstable();
            node.parents.dedup();
        }
        for nodes in graph.names.values_mut() {
            nodes.sort_unstable();
            nodes.dedup();
        }
        graph.as_of = snapshots.iter().map(|snapshot| snapshot.as_of).min().unwrap_or_default();
        graph
    }

    /// With these groups alone for those who name administrators and auditors; with all where none
    /// are given.
    #[must_use]
    pub fn with_roles_of(mut self, groups: Option<BTreeSet<GroupId>>) -> Self {
        self.for_roles = groups;
        self
    }

    fn intern(&mut self, id: &GroupId) -> usize {
        if let Some(&node) = self.index.get(id) {
            return node;
        }
        let node = self.nodes.len();
        self.nodes.push(Node { id: id.clone(), parents: Vec::new() });
        self.index.insert(id.clone(), node);
        node
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// When the oldest part of it was read.
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// The group an administrator means: by its id, else by its short name, both without regard
    /// to case.
    pub fn named(&self, text: &str) -> Named<'_> {
        self.named_among(text, |_| true)
    }

    /// The same, of those that may give roles: what any other is called is nothing to them.
    pub fn named_for_role(&self, text: &str) -> Named<'_> {
        let may = |id: &GroupId| self.for_roles.as_ref().is_none_or(|may| may.contains(id));
        self.named_among(text, may)
    }

    fn named_among(&self, text: &str, may: impl Fn(&GroupId) -> bool) -> Named<'_> {
        let wanted = text.trim().to_lowercase();
        let by_id = self.index.get_key_value(&GroupId(wanted.clone()));
        if let Some((id, _)) = by_id.filter(|(id, _)| may(id)) {
            return Named::Group(id);
        }
        let by_name = self.names.get(&wanted).map_or(&[][..], Vec::as_slice);
        let ids = by_name.iter().filter_map(|node| self.nodes.get(*node)).map(|node| &node.id);
        match ids.filter(|id| may(id)).collect::<Vec<_>>()[..] {
            [] => Named::Nothing,
            [only] => Named::Group(only),
            ref several => Named::Several(several.to_vec()),
        }
    }

    /// Whether any of the groups is the target or is in it, at any depth.
    pub fn reaches(&self, groups: &[GroupId], target: &GroupId) -> bool {
        self.explain(groups, target).is_some()
    }

    /// The shortest chain from one of the groups to the target, both included: the answer to
    /// "why is this person allowed?".
    pub fn explain(&self, groups: &[GroupId], target: &GroupId) -> Option<Vec<GroupId>> {
        // A group that lists the person is one whether or not a snapshot has it.
        if groups.contains(target) {
            return Some(vec![target.clone()]);
        }
        let target = *self.index.get(target)?;
        // Where each visited node was reached from; a start is reached from itself.
        let mut from: HashMap<usize, usize> = HashMap::new();
        let mut queue: Vec<usize> = Vec::new();
        for start in groups.iter().filter_map(|id| self.index.get(id)) {
            if from.insert(*start, *start).is_none() {
                queue.push(*start);
            }
        }
        let mut next = 0;
        while let Some(&node) = queue.get(next) {
            next += 1;
            if node == target {
                return Some(self.chain(&from, target));
            }
            for &parent in self.nodes.get(node).map_or(&[][..], |node| &node.parents) {
                from.entry(parent).or_insert_with(|| {
                    queue.push(parent);
                    node
                });
            }
        }
        None
    }

    fn chain(&self, from: &HashMap<usize, usize>, target: usize) -> Vec<GroupId> {
        let mut chain = Vec::new();
        let mut node = target;
        loop {
            chain.extend(self.nodes.get(node).map(|node| node.id.clone()));
            match from.get(&node) {
                Some(&before) if before != node => node = before,
                _ => break,
            }
        }
        chain.reverse();
        chain
    }
}

#[cfg(test)]
mod tests;
