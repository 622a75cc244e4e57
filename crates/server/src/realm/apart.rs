//! The groups of several directories of one realm, read as one graph in which none of them decides
//! about another's people (rule A6).
//!
//! A connector's directory is believed in what it says of its own people and of its own groups. Two
//! that list one group may be two ways to one directory, or one of them pretends: so of such a group
//! holds what all say who list it. A group is never in one that is another directory's alone; who has
//! a right by a group there has it by that directory's word.

use dme_directory::{Group, GroupId, GroupSnapshot, Person};
use dme_routing::Scope;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::time::Instant;

/// So many different refusals are logged from one start to the next.
const MOST_LOGGED: usize = 1_000;

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

/// What a connector said and is not believed in.
#[derive(Clone, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(
        "the connector {connector} says that the group {group} is in {parent}; the connector \
         {other} has this group too and does not say so, and it does not count"
    )]
    Disputed { connector: String, other: String, group: String, parent: String },
    #[error(
        "the connector {connector} says that its group {group} is in {parent}, which is the \
         connector {other}'s; a group of one directory is never in one of another, and it does \
         not count. Where both read one directory, have both list it (`people.ldap.groups.bases`)"
    )]
    Foreign { connector: String, other: String, group: String, parent: String },
    #[error(
        "the connectors {connector} and {other} give the group {group} different names; by its \
         short name it cannot be meant"
    )]
    Names { connector: String, other: String, group: String },
    #[error(
        "the connector {connector} says that its people are in the group {group}, which only \
         another connector of the realm has; it does not count. Where both read one directory, have \
         both list it (`people.ldap.groups.bases`)"
    )]
    Member { connector: String, group: String },
}

/// One group, as one directory has it.
struct Facts<'a> {
    name: &'a str,
    parents: BTreeSet<&'a GroupId>,
}

/// The groups that hold, of all that was told, and what does not.
pub(super) fn together(told: &[Told]) -> (Vec<Group>, Vec<Refusal>) {
    let mut order: Vec<&GroupId> = Vec::new();
    let mut lists: HashMap<&GroupId, Vec<(&str, Facts<'_>)>> = HashMap::new();
    for one in told {
        for group in &one.snapshot.groups {
            let all = lists.entry(&group.id).or_insert_with(|| {
                order.push(&group.id);
                Vec::new()
            });
            match all.last_mut().filter(|(connector, _)| *connector == one.connector) {
                Some((_, facts)) => facts.parents.extend(&group.parents),
                None => {
                    let parents = group.parents.iter().collect();
                    all.push((&one.connector, Facts { name: &group.name, parents }));
                }
            }
        }
    }
    let mut refused = Vec::new();
    let mut groups = Vec::with_capacity(order.len());
    for id in order {
        let Some([(first, facts), others @ ..]) = lists.get(id).map(Vec::as_slice) else {
            continue;
        };
        let differs = others.iter().find(|(_, other)| !same_name(other.name, facts.name));
        if let Some((other, _)) = differs {
            let (connector, other) = ((*first).to_owned(), (*other).to_owned());
            refused.push(Refusal::Names { connector, other, group: id.0.clone() });
        }
        let name = if differs.is_some() { id.0.clone() } else { facts.name.to_owned() };
        groups.push(Group { id: id.clone(), name, parents: parents(id, &lists, &mut refused) });
    }
    (groups, refused)
}

fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// The parents of a group on which all agree who list it, and which one of them lists too, or nobody.
fn parents(
    id: &GroupId,
    lists: &HashMap<&GroupId, Vec<(&str, Facts<'_>)>>,
    refused: &mut Vec<Refusal>,
) -> Vec<GroupId> {
    let by = lists.get(id).map_or(&[][..], Vec::as_slice);
    let said: BTreeSet<&GroupId> =
        by.iter().flat_map(|(_, facts)| &facts.parents).copied().collect();
    let holds = |parent: &&GroupId| {
        let says = |(_, facts): &&(&str, Facts<'_>)| facts.parents.contains(*parent);
        let connector = by.iter().find(says).map(|(name, _)| (*name).to_owned());
        let connector = connector.unwrap_or_default();
        let (group, named) = (id.0.clone(), parent.0.clone());
        if let Some((other, _)) = by.iter().find(|one| !says(one)) {
            let other = (*other).to_owned();
            refused.push(Refusal::Disputed { connector, other, group, parent: named });
            return false;
        }
        let owners = lists.get(*parent).map_or(&[][..], Vec::as_slice);
        let is_own = |(owner, _): &(&str, Facts<'_>)| by.iter().any(|(name, _)| name == owner);
        match owners.first() {
            Some((other, _)) if !owners.iter().any(is_own) => {
                let other = (*other).to_owned();
                refused.push(Refusal::Foreign { connector, other, group, parent: named });
                false
            }
            _ => true,
        }
    };
    said.into_iter().filter(holds).cloned().collect()
}

/// Which directory lists which groups, as they were read last, and what was refused and logged.
#[derive(Default)]
pub(super) struct Lists {
    by_scope: RwLock<Vec<(Arc<Scope>, HashSet<GroupId>)>>,
    logged: Mutex<HashSet<Refusal>>,
}

impl Lists {
    /// Remembers who lists what. Of one directory alone there is nothing to tell apart.
    pub fn note(&self, told: &[Told]) {
        let ids = |one: &Told| one.snapshot.groups.iter().map(|group| group.id.clone()).collect();
        let by_scope = match told {
            [] | [_] => Vec::new(),
            several => several.iter().map(|one| (one.scope.clone(), ids(one))).collect(),
        };
        *self.by_scope.write().unwrap_or_else(PoisonError::into_inner) = by_scope;
    }

    /// A person without the groups that the directory that tells of them does not list, and another
    /// does: what that one says of such a group is about its own people.
    pub fn own(&self, connector: &str, scope: &Arc<Scope>, mut person: Person) -> Person {
        let lists = self.by_scope.read().unwrap_or_else(PoisonError::into_inner);
        // One whose groups were not read itself is of a directory that another has told of.
        if !lists.iter().any(|(theirs, _)| theirs == scope) {
            return person;
        }
        let is_own = |id: &GroupId| {
            let mut of = lists.iter().filter(|(_, ids)| ids.contains(id)).peekable();
            of.peek().is_none() || of.any(|(theirs, _)| theirs == scope)
        };
        let (own, foreign) = person.groups.into_iter().partition(is_own);
        person.groups = own;
        drop(lists);
        let foreign: Vec<GroupId> = foreign;
        let connector = || connector.to_owned();
        self.log(
            foreign
                .into_iter()
                .map(|group| Refusal::Member { connector: connector(), group: group.0 }),
        );
        person
    }

    /// Says what was refused, each once.
    pub fn log(&self, refused: impl IntoIterator<Item = Refusal>) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        for refusal in refused {
            if logged.len() < MOST_LOGGED && !logged.contains(&refusal) {
                tracing::warn!(why = %refusal, "a directory speaks for another's groups");
                logged.insert(refusal);
            }
        }
    }

    #[cfg(test)]
    pub fn refused(&self) -> Vec<String> {
        let logged = self.logged.lock().unwrap();
        logged.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_directory::Standing;

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
        let (groups, refused) = together(told);
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

    #[test]
    fn somebodys_groups_are_those_of_the_directory_that_tells_of_them() {
        let sales = told("sales", &[("s", "sales", &[])]);
        let bought = told("bought", &[("b", "bought", &[])]);
        let groups = ["s", "b", "nobodys"].map(|id| GroupId(id.into()));
        let person = Person {
            user: "ann@example.org".into(),
            address: "ann@example.org".into(),
            display_name: None,
            groups: groups.to_vec(),
            standing: Standing::Active,
        };
        let (lists, scope) = (Lists::default(), sales.scope.clone());
        assert_eq!(lists.own("sales", &scope, person.clone()).groups, groups, "nothing is known");
        lists.note(&[sales, bought]);
        for _ in 0..2 {
            let own = lists.own("sales", &scope, person.clone()).groups;
            assert_eq!(own, [groups[0].clone(), groups[2].clone()]);
        }
        assert_eq!(lists.refused().len(), 1, "said once");
        let stand_in = Arc::new(Scope::Group("sales".into()));
        assert_eq!(lists.own("sales-2", &stand_in, person.clone()).groups.len(), 2);
        let other = Arc::new(Scope::Everyone);
        assert_eq!(lists.own("embedded", &other, person).groups, groups, "of a directory read so");
    }
}
