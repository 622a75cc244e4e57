//! The groups of several directories of one realm, read as one graph in which none of them decides
//! about another's people (rule A6).
//!
//! A directory has a group when it lists it, or says that one that it lists is in it. Who has a group
//! alone is believed about it. Of one that several have, the directory that may speak for everyone is
//! believed: its key could say anything of anybody. Where that has it not, the one is believed whose
//! connector's scope the group is; and of all others what all say who have it: they may be ways to one
//! directory, or one of them pretends. A group is in another where those say so who are believed about
//! either. What is so of groups here is so of people in `members`.

use dme_directory::{Group, GroupId, GroupSnapshot};
use dme_routing::Scope;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use tokio::time::Instant;

/// What one connector's directory said of its groups.
#[derive(Clone)]
pub(super) struct Told {
    /// The connector's name.
    pub connector: String,
    /// Whose logins it may check. Connectors that stand in for each other have the same.
    pub scope: Arc<Scope>,
    /// Its groups.
    pub snapshot: Arc<GroupSnapshot>,
    /// When it said so.
    pub at: Instant,
}

impl Told {
    /// The groups that this directory has.
    pub fn has(&self) -> HashSet<&GroupId> {
        let groups = &self.snapshot.groups;
        groups.iter().flat_map(|group| group.parents.iter().chain([&group.id])).collect()
    }
}

/// Who has a group, and whose word decides about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Having {
    /// Whose directory has it.
    pub by: Vec<Arc<Scope>>,
    /// Those of them who are believed, each only where all say so.
    pub decided_by: Vec<Arc<Scope>>,
}

/// What holds of all that was told.
pub(super) struct Together {
    /// The groups.
    pub groups: Vec<Group>,
    /// Who has which, of these and of those that are only said to have others in them.
    pub having: HashMap<GroupId, Having>,
    /// What does not hold.
    pub refused: Vec<Refusal>,
}

/// What a connector said and is not believed in.
#[derive(Clone, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(
        "the connector {connector} says that the group {group} is in {parent}; the connector \
         {other} has this group too and does not say so, and it does not count"
    )]
    Disputed { connector: String, other: String, group: String, parent: String },
    #[error(
        "the connector {connector} says that the group {group} is in {parent}, which the connector \
         {other} has and does not say so of; it does not count. Where both read one directory, have \
         both list it (`people.ldap.groups.bases`)"
    )]
    Foreign { connector: String, other: String, group: String, parent: String },
    #[error(
        "the connectors {connector} and {other} give the group {group} different names; by its \
         short name it cannot be meant"
    )]
    Names { connector: String, other: String, group: String },
    #[error(
        "the connector {connector} has a group whose id, {group}, is the short name of another that \
         the connector {other} has; it does not count"
    )]
    Alias { connector: String, other: String, group: String },
    #[error(
        "the connector {connector} says that its people are in the group {group}, which another \
         connector of the realm has and does not say so of; it does not count. Where both read one \
         directory, have both list its groups (`people.ldap.groups.bases`)"
    )]
    Member { connector: String, group: String },
}

/// One group, as one directory lists it.
struct Facts<'a> {
    name: &'a str,
    parents: BTreeSet<&'a GroupId>,
}

/// The groups that hold, of all that was told, and what does not.
pub(super) fn together(told: &[Told]) -> Together {
    let heard = Heard::new(told);
    let mut refused = Vec::new();
    let mut groups = Vec::with_capacity(heard.order.len());
    for id in &heard.order {
        if let Some(alias) = heard.alias(id) {
            refused.push(alias);
            continue;
        }
        let name = heard.name(id, &mut refused);
        let parents = heard.parents(id, &mut refused);
        groups.push(Group { id: (*id).clone(), name, parents });
    }
    let scopes = |places: &[usize]| {
        places.iter().filter_map(|place| told.get(*place)).map(|one| one.scope.clone()).collect()
    };
    let having = heard.having.iter().map(|(id, by)| {
        let having = Having { by: scopes(by), decided_by: scopes(&heard.deciding(id)) };
        ((*id).clone(), having)
    });
    Together { having: having.collect(), groups, refused }
}

/// All that was told. Directories go by their place in it.
struct Heard<'a> {
    told: &'a [Told],
    /// The groups that are listed, in the order in which they were met.
    order: Vec<&'a GroupId>,
    /// Who lists a group, and as what.
    lists: HashMap<&'a GroupId, Vec<(usize, Facts<'a>)>>,
    /// Who has it.
    having: HashMap<&'a GroupId, Vec<usize>>,
    /// Who lists a group of this short name, in lower case.
    named: HashMap<String, BTreeSet<usize>>,
}

impl<'a> Heard<'a> {
    fn new(told: &'a [Told]) -> Self {
        let (order, lists, having, named) = Default::default();
        let mut heard = Self { told, order, lists, having, named };
        for (place, one) in told.iter().enumerate() {
            one.snapshot.groups.iter().for_each(|group| heard.take_in(place, group));
            for id in one.has() {
                heard.having.entry(id).or_default().push(place);
            }
        }
        heard
    }

    fn take_in(&mut self, place: usize, group: &'a Group) {
        let order = &mut self.order;
        let by = self.lists.entry(&group.id).or_insert_with(|| {
            order.push(&group.id);
            Vec::new()
        });
        match by.last_mut().filter(|(other, _)| *other == place) {
            Some((_, facts)) => facts.parents.extend(&group.parents),
            None => {
                let parents = group.parents.iter().collect();
                by.push((place, Facts { name: &group.name, parents }));
            }
        }
        self.named.entry(group.name.to_lowercase()).or_default().insert(place);
    }

    fn connector(&self, place: usize) -> String {
        self.told.get(place).map(|one| one.connector.clone()).unwrap_or_default()
    }

    fn listing(&self, id: &GroupId) -> &[(usize, Facts<'a>)] {
        self.lists.get(id).map_or(&[], Vec::as_slice)
    }

    fn having(&self, id: &GroupId) -> &[usize] {
        self.having.get(id).map_or(&[], Vec::as_slice)
    }

    fn is_for_all(&self, place: usize) -> bool {
        self.told.get(place).is_some_and(|one| *one.scope == Scope::Everyone)
    }

    /// Whether a group is the one that is set as the scope of this directory's connector: by its id, or
    /// by a short name that all give it.
    fn is_scope(&self, place: usize, id: &GroupId) -> bool {
        let Some(Scope::Group(group)) = self.told.get(place).map(|one| &*one.scope) else {
            return false;
        };
        let listing = self.listing(id);
        let is_called = |facts: &Facts<'_>| same_name(facts.name, group.trim());
        id.0 == group.trim().to_lowercase()
            || (listing.len() == self.having(id).len()
                && listing.iter().all(|(_, facts)| is_called(facts)))
    }

    /// Whose word decides about a group, of those who have it.
    fn deciding(&self, id: &GroupId) -> Vec<usize> {
        let having = self.having(id).iter().copied();
        if let Some(one) = having.clone().find(|place| self.is_for_all(*place)) {
            return vec![one];
        }
        let serving: Vec<_> = having.clone().filter(|place| self.is_scope(*place, id)).collect();
        if serving.is_empty() { having.collect() } else { serving }
    }

    /// A name in the configuration is a group's id before it is a short name. So nobody has one whose
    /// id is what another calls a group of its own.
    fn alias(&self, id: &GroupId) -> Option<Refusal> {
        let having = self.having(id);
        if having.iter().any(|place| self.is_for_all(*place)) {
            return None;
        }
        let other = self.named.get(&id.0)?.iter().find(|place| !having.contains(*place))?;
        let connector = having.first().map(|place| self.connector(*place)).unwrap_or_default();
        Some(Refusal::Alias { connector, other: self.connector(*other), group: id.0.clone() })
    }

    /// The short name of a group, on which all agree who decide about it; else its id.
    fn name(&self, id: &GroupId, refused: &mut Vec<Refusal>) -> String {
        let deciding = self.deciding(id);
        let mut names = self.listing(id).iter().filter(|(place, _)| deciding.contains(place));
        let Some((first, Facts { name, .. })) = names.next() else { return id.0.clone() };
        if let Some((other, _)) = names.find(|(_, other)| !same_name(other.name, name)) {
            let (connector, other) = (self.connector(*first), self.connector(*other));
            refused.push(Refusal::Names { connector, other, group: id.0.clone() });
            return id.0.clone();
        }
        // One that only says that others are in it calls it nothing.
        let lists = |place: &usize| self.listing(id).iter().any(|(other, _)| other == place);
        if deciding.iter().all(lists) { (*name).to_owned() } else { id.0.clone() }
    }

    fn says(&self, place: usize, group: &GroupId, parent: &GroupId) -> bool {
        let mut listing = self.listing(group).iter();
        listing.any(|(one, facts)| *one == place && facts.parents.contains(parent))
    }

    /// The groups that a group is in by the word of all who decide about either.
    fn parents(&self, id: &GroupId, refused: &mut Vec<Refusal>) -> Vec<GroupId> {
        let by = self.listing(id);
        let said: BTreeSet<&GroupId> =
            by.iter().flat_map(|(_, facts)| &facts.parents).copied().collect();
        let holds = |parent: &&GroupId| match self.refusal(id, parent) {
            Some(refusal) => {
                refused.push(refusal);
                false
            }
            None => true,
        };
        said.into_iter().filter(holds).cloned().collect()
    }

    fn refusal(&self, id: &GroupId, parent: &GroupId) -> Option<Refusal> {
        if let Some(alias) = self.alias(parent) {
            return Some(alias);
        }
        let silent = |place: &&usize| !self.says(**place, id, parent);
        let said_by = || {
            let who = self.having(id).iter().find(|place| self.says(**place, id, parent));
            who.map(|place| self.connector(*place)).unwrap_or_default()
        };
        let (group, named) = (id.0.clone(), parent.0.clone());
        if let Some(other) = self.deciding(id).iter().find(silent) {
            let (connector, other) = (said_by(), self.connector(*other));
            return Some(Refusal::Disputed { connector, other, group, parent: named });
        }
        let other = *self.deciding(parent).iter().find(silent)?;
        let (connector, other) = (said_by(), self.connector(other));
        Some(Refusal::Foreign { connector, other, group, parent: named })
    }
}

fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a connector tells of these groups: id, short name, parents.
    fn told(connector: &str, groups: &[(&str, &str, &[&str])]) -> Told {
        let id = |id: &&str| GroupId((*id).to_owned());
        let groups = groups.iter().map(|(group, name, parents)| Group {
            id: id(group),
            name: (*name).to_owned(),
            parents: parents.iter().map(id).collect(),
        });
        let snapshot = GroupSnapshot { groups: groups.collect(), ..GroupSnapshot::default() };
        let (scope, snapshot) = (Scope::Group(connector.to_owned()).into(), snapshot.into());
        Told { connector: connector.to_owned(), scope, snapshot, at: Instant::now() }
    }

    /// Each group, its name and its parents, and how often something was refused.
    fn holds(told: &[Told]) -> (Vec<String>, usize) {
        let Together { groups, refused, .. } = together(told);
        let text = |group: &Group| {
            let parents: Vec<&str> = group.parents.iter().map(|id| id.0.as_str()).collect();
            format!("{} {}: {}", group.id.0, group.name, parents.join(" "))
        };
        let mut groups: Vec<String> = groups.iter().map(text).collect();
        groups.sort();
        (groups, refused.len())
    }

    #[test]
    fn directories_that_share_no_group_are_read_as_they_are() {
        let sales = told("sales", &[("s", "sales", &["m"]), ("m", "mobile", &[])]);
        let bought = told("bought", &[("b", "bought", &["b2", "unlisted"]), ("b2", "all", &[])]);
        let all = ["b bought: b2 unlisted", "b2 all: ", "m mobile: ", "s sales: m"];
        assert_eq!(holds(&[sales, bought]), (all.map(str::to_owned).to_vec(), 0));
    }

    #[test]
    fn two_ways_to_one_directory_are_one() {
        let groups: &[(&str, &str, &[&str])] = &[("s", "Sales", &["m"]), ("m", "mobile", &[])];
        let all = ["m mobile: ", "s Sales: m"];
        let found = holds(&[told("north", groups), told("south", groups)]);
        assert_eq!(found, (all.map(str::to_owned).to_vec(), 0));
    }

    #[test]
    fn of_a_group_that_two_list_holds_what_both_say_whoever_comes_first() {
        let sales = || told("sales", &[("s", "sales", &["m"]), ("m", "mobile", &[])]);
        let thief = || {
            told("bought", &[("s", "sales", &["m", "b"]), ("m", "mobile", &[]), ("b", "b", &[])])
        };
        for both in [[sales(), thief()], [thief(), sales()]] {
            let (groups, refused) = holds(&both);
            assert_eq!((groups[2].as_str(), refused), ("s sales: m", 1));
        }
    }

    #[test]
    fn a_group_is_not_in_one_that_is_another_directorys() {
        let sales = || told("sales", &[("admins", "admins", &[])]);
        let thief = || told("bought", &[("b", "bought", &["admins"])]);
        for both in [[sales(), thief()], [thief(), sales()]] {
            let (groups, refused) = holds(&both);
            assert_eq!((groups[1].as_str(), refused), ("b bought: ", 1));
        }
        // Nor by a group in the middle that the other leaves out.
        let sales = told("sales", &[("s", "sales", &["middle"])]);
        let thief = told("bought", &[("middle", "x", &["b"]), ("b", "bought", &[])]);
        assert_eq!(holds(&[sales, thief]).0[2], "s sales: ");
    }

    #[test]
    fn nobody_names_anothers_group() {
        let sales = || told("sales", &[("s", "sales", &[])]);
        let thief = || told("bought", &[("s", "bought", &[]), ("b", "other", &[])]);
        for both in [[sales(), thief()], [thief(), sales()]] {
            let (groups, refused) = holds(&both);
            assert_eq!((groups[1].as_str(), refused), ("s s: ", 1));
        }
    }
}
