//! Whatever happens in a directory, what is followed by changes is what would be read whole.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A directory as the protocol shows it. Units and groups are told apart by small numbers; groups
/// in units with an odd number are outside the configured bases.
#[derive(Clone, Default, Debug)]
struct Model {
    units: BTreeMap<u8, String>,
    groups: BTreeMap<u8, Node>,
    changed: Vec<u8>,
    deleted: Vec<u8>,
    names: usize,
    next: u8,
}

#[derive(Clone, Debug)]
struct Node {
    name: String,
    unit: u8,
    members: BTreeSet<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Create { unit: usize },
    Join { group: usize, member: usize },
    Leave { group: usize, member: usize },
    Rename { group: usize },
    Move { group: usize, unit: usize },
    Delete { group: usize },
    Replace { group: usize },
    RenameUnit { unit: usize },
    CreateUnit,
}

impl Model {
    fn new() -> Self {
        let mut model = Self { next: 10, ..Self::default() };
        for unit in 0..3 {
            model.units.insert(unit, format!("ou=unit{unit}"));
        }
        model
    }

    fn fresh(&mut self) -> String {
        self.names += 1;
        format!("cn=g{}", self.names)
    }

    fn id(&self, group: &Node) -> GroupId {
        GroupId(format!("{},{}", group.name, self.units[&group.unit]))
    }

    fn nth_group(&self, n: usize) -> Option<u8> {
        self.groups.keys().nth(n.checked_rem(self.groups.len())?).copied()
    }

    fn nth_unit(&self, n: usize) -> u8 {
        *self.units.keys().nth(n % self.units.len()).unwrap()
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Create { unit } => {
                let node = Node {
                    name: self.fresh(),
                    unit: self.nth_unit(unit),
                    members: BTreeSet::new(),
                };
                self.groups.insert(self.next, node);
                self.changed.push(self.next);
                self.next += 1;
            }
            Act::Join { group, member } | Act::Leave { group, member } => {
                let (Some(group), Some(member)) = (self.nth_group(group), self.nth_group(member))
                else {
                    return;
                };
                let members = &mut self.groups.get_mut(&group).unwrap().members;
                match act {
                    Act::Join { .. } => members.insert(member),
                    _ => members.remove(&member),
                };
                self.changed.push(group);
            }
            Act::Rename { group } => {
                let (Some(group), name) = (self.nth_group(group), self.fresh()) else { return };
                self.groups.get_mut(&group).unwrap().name = name;
                self.changed.push(group);
            }
            Act::Move { group, unit } => {
                let (Some(group), unit) = (self.nth_group(group), self.nth_unit(unit)) else {
                    return;
                };
                self.groups.get_mut(&group).unwrap().unit = unit;
                self.changed.push(group);
            }
            Act::Delete { group } => drop(self.delete(group)),
            // Another one under the same name.
            Act::Replace { group } => {
                if let Some(gone) = self.delete(group) {
                    self.groups.insert(self.next, Node { members: BTreeSet::new(), ..gone });
                    self.changed.push(self.next);
                    self.next += 1;
                }
            }
            Act::RenameUnit { unit } => {
                let (unit, name) = (self.nth_unit(unit), self.fresh());
                self.units.insert(unit, name.replace("cn=", "ou="));
                self.changed.push(unit);
            }
            Act::CreateUnit => {
                let (unit, name) = (self.units.len() as u8, self.fresh());
                if unit < 10 {
                    self.units.insert(unit, name.replace("cn=", "ou="));
                    self.changed.push(unit);
                }
            }
        }
    }

    fn delete(&mut self, group: usize) -> Option<Node> {
        let group = self.nth_group(group)?;
        for node in self.groups.values_mut() {
            node.members.remove(&group);
        }
        self.deleted.push(group);
        self.groups.remove(&group)
    }

    fn read(&self, wanted: impl Fn(u8, &[GroupId]) -> bool) -> Vec<Read> {
        let mut read = Vec::new();
        for (guid, node) in self.groups.iter().filter(|(_, node)| node.unit % 2 == 0) {
            let holders = self.groups.values().filter(|other| other.members.contains(guid));
            let parents = parents(holders.map(|other| self.id(other)));
            if wanted(*guid, &parents) {
                let id = self.id(node);
                let group = Group { name: node.name.clone(), id, parents };
                read.push(Read { guid: vec![*guid], group });
            }
        }
        read
    }

    fn whole(&self) -> Followed {
        let containers = self.units.iter().map(|(guid, name)| (vec![*guid], name.clone()));
        Followed::new(self.read(|_, _| true), containers)
    }

    /// Every object is told of once, as it is now.
    fn take_changes(&mut self) -> Vec<Change> {
        let guids: BTreeSet<u8> = self.changed.drain(..).chain(self.deleted.clone()).collect();
        let deleted = std::mem::take(&mut self.deleted);
        let change = |guid: u8| {
            let (dn, what) = match (self.groups.get(&guid), self.units.get(&guid)) {
                (Some(node), _) => (self.id(node).0, What::Present),
                (_, Some(name)) => (name.clone(), What::Container),
                _ if deleted.contains(&guid) => ("deleted".to_owned(), What::Deleted),
                _ => return None,
            };
            Some(Change { guid: vec![guid], id: GroupId(dn.clone()), dn, what })
        };
        guids.into_iter().filter_map(change).collect()
    }
}

fn act() -> impl Strategy<Value = Act> {
    let n = || 0usize..12;
    prop_oneof![
        3 => n().prop_map(|unit| Act::Create { unit }),
        4 => (n(), n()).prop_map(|(group, member)| Act::Join { group, member }),
        2 => (n(), n()).prop_map(|(group, member)| Act::Leave { group, member }),
        1 => n().prop_map(|group| Act::Rename { group }),
        1 => (n(), n()).prop_map(|(group, unit)| Act::Move { group, unit }),
        1 => n().prop_map(|group| Act::Delete { group }),
        1 => n().prop_map(|group| Act::Replace { group }),
        1 => n().prop_map(|unit| Act::RenameUnit { unit }),
        1 => Just(Act::CreateUnit),
    ]
}

proptest! {
    #[test]
    fn what_is_followed_is_what_would_be_read_whole(
        rounds in proptest::collection::vec(proptest::collection::vec(act(), 0..6), 1..12),
    ) {
        let mut model = Model::new();
        let mut followed = model.whole();
        for acts in rounds {
            acts.into_iter().for_each(|act| model.act(act));
            let changes = model.take_changes();
            match followed.judge(&changes) {
                Demand::Everything => followed = model.whole(),
                Demand::Groups { guids, parents } => {
                    let read = model.read(|guid, of| {
                        guids.contains(&vec![guid]) || of.iter().any(|id| parents.contains(&id.0))
                    });
                    followed.apply(&changes, read);
                }
            }
            prop_assert_eq!(&followed, &model.whole());
        }
    }
}

const NOTHING: Demand = Demand::Groups { guids: Vec::new(), parents: Vec::new() };

fn change(guid: u8, dn: &str, what: What) -> Change {
    Change { guid: vec![guid], dn: dn.into(), id: GroupId(dn.into()), what }
}

#[test]
fn only_what_changed_is_asked_for() {
    let mut model = Model::new();
    (0..50).for_each(|_| model.act(Act::Create { unit: 0 }));
    let followed = model.whole();
    let changes = [change(12, "cn=g3,ou=unit0", What::Present), change(13, "gone", What::Deleted)];
    let demand =
        Demand::Groups { guids: vec![vec![12]], parents: vec!["cn=g3,ou=unit0".to_owned()] };
    assert_eq!(followed.judge(&changes), demand);
    assert_eq!(followed.judge(&[]), NOTHING);
}

#[test]
fn a_unit_that_changed_otherwise_than_its_name_is_no_reason_to_read() {
    let followed = Model::new().whole();
    let same = change(1, "ou=unit1", What::Container);
    assert_eq!(followed.judge(&[same]), NOTHING);
    // A change need not say what kind of object it is of.
    let moved = change(1, "ou=other", What::Present);
    assert_eq!(followed.judge(&[moved]), Demand::Everything);
}

#[test]
fn many_changes_are_read_as_everything() {
    let followed = Model::new().whole();
    let many: Vec<Change> = (0..=MANY)
        .map(|n| Change { guid: n.to_be_bytes().to_vec(), ..change(0, "cn=x", What::Present) })
        .collect();
    assert_eq!(followed.judge(&many), Demand::Everything);
}
