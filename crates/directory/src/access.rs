//! Who may do what, by group (rules A1, A2 and A7).
//!
//! The names of the groups are the administrator's choice, for each realm: a group in one
//! organisation's directory gives nobody rights that another organisation's group was meant to
//! give. What cannot be known is refused.

use crate::{GroupGraph, GroupId, Named, Person, Standing};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The groups that give rights in one realm.
///
/// A group is written as its id (for LDAP its DN) or, where only one has it, its short name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessGroups {
    /// Whose mail phones may fetch. Nobody's, until it is set.
    pub users: Users,
    /// Who administers everything.
    pub administrators: Vec<String>,
    /// Who sees everything, with the records of who did what, and changes nothing.
    pub auditors: Vec<String>,
    /// Who administers a part of it, and which.
    pub delegated_administrators: Vec<Delegation>,
}

/// The members of one group administer a part: people in some groups, what some connectors serve.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// The group that administers.
    pub group: String,
    /// The groups whose members it is concerned with.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The connectors it is concerned with, by name, and those whose mail they serve.
    #[serde(default)]
    pub connectors: Vec<String>,
}

/// Who is a user: `"everyone"`, or `{ groups = ["mobile users"] }`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Users {
    /// Everyone the directory knows.
    Everyone,
    /// The members of any of these groups, at any depth.
    Groups(Vec<String>),
}

impl Default for Users {
    fn default() -> Self {
        Self::Groups(Vec::new())
    }
}

impl AccessGroups {
    /// What is wrong with the names of groups here: those that are no group's, or several groups'.
    pub fn wrong_names(&self, graph: &GroupGraph) -> Vec<Reason> {
        let mut wrong = self.users.wrong_names(graph);
        let delegated = self.delegated_administrators.iter().map(|one| &one.group);
        let others = self.administrators.iter().chain(&self.auditors).chain(delegated);
        wrong.extend(others.filter_map(|name| role_named(name, graph).err()));
        wrong.dedup();
        wrong
    }

    /// Whether nobody can be a user, for all the groups that are named.
    pub fn admits_nobody(&self, graph: &GroupGraph) -> bool {
        match &self.users {
            Users::Everyone => false,
            Users::Groups(names) => {
                !names.is_empty() && self.users.wrong_names(graph).len() == names.len()
            }
        }
    }
}

impl Users {
    /// What is wrong with the names of groups here, in their order: those that are no group's, or
    /// several groups'.
    pub fn wrong_names(&self, graph: &GroupGraph) -> Vec<Reason> {
        let Self::Groups(names) = self else { return Vec::new() };
        names.iter().filter_map(|name| group_named(name, graph).err()).collect()
    }
}

/// What a person may be. None follows from another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Right {
    /// Fetches mail with a phone.
    User,
    /// Administers everything.
    Administrator,
    /// Sees everything and changes nothing.
    Auditor,
    /// Administers a part.
    DelegatedAdministrator,
}

/// Whether a person has a right, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Access {
    /// They have it, by this chain of groups from one that lists them; an empty chain where
    /// everyone has it.
    Allowed(Vec<GroupId>),
    /// They have not.
    Refused(Reason),
}

/// Why a right was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Reason {
    /// The account may not be used at all.
    #[error("{}", .0.as_str())]
    Standing(Standing),
    /// The groups could never be read.
    #[error("the directory's groups are not known yet")]
    GroupsUnknown,
    /// No group is set that gives the right.
    #[error("no group is configured that would allow it")]
    NoGroupConfigured,
    /// None of the person's groups reaches one that gives the right.
    #[error("not in a group that allows it, at any depth")]
    NotInGroup,
    /// The configured name is no group's, and no other configured group allows it.
    #[error("the configured group {0:?} is not in the directory; correct the name or create it")]
    NoSuchGroup(String),
    /// The configured name is that of several groups, and no other configured group allows it.
    #[error("several groups are named {0:?}; write the full id of the one that is meant")]
    AmbiguousGroup(String),
    /// The configured name is that of a group in a directory that does not say who administers, and
    /// no other configured group allows it.
    #[error(
        "the configured group {0:?} is in a directory that does not say who administers; name its \
         connector in the realm's `administrators_from`, or another group"
    )]
    NotForRoles(String),
}

impl Standing {
    /// In words, for administrators and for the person.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "the account is active",
            Self::Disabled => "the account is disabled",
            Self::Expired => "the account has expired",
            Self::LockedOut => "the account is locked after too many wrong passwords",
            Self::PasswordExpired => "the password has expired and must be changed first",
            Self::MustChangePassword => "the password must be changed first",
            Self::OutsideLogonHours => "the account may not be used at this hour",
            Self::OtherWorkstation => "the account may be used on certain computers only",
        }
    }

    /// Whether another password would let the person in: they must set a new one elsewhere, and
    /// then tell their phone.
    pub const fn is_of_password(self) -> bool {
        matches!(self, Self::PasswordExpired | Self::MustChangePassword)
    }
}

impl Access {
    /// Whether it is given.
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

impl AccessGroups {
    /// Whether the person has the right, with the chain of groups or the reason.
    pub fn check(&self, right: Right, person: &Person, graph: &GroupGraph) -> Access {
        if person.standing != Standing::Active {
            return Access::Refused(Reason::Standing(person.standing));
        }
        let groups: Vec<&String> = match (right, &self.users) {
            (Right::User, Users::Everyone) => return Access::Allowed(Vec::new()),
            (Right::User, Users::Groups(groups)) => {
                let groups: Vec<&String> = groups.iter().collect();
                return reached(&groups, group_named, person, graph);
            }
            (Right::Administrator, _) => self.administrators.iter().collect(),
            (Right::Auditor, _) => self.auditors.iter().collect(),
            (Right::DelegatedAdministrator, _) => {
                self.delegated_administrators.iter().map(|part| &part.group).collect()
            }
        };
        reached(&groups, role_named, person, graph)
    }

    /// The parts that the person administers.
    pub fn delegations(&self, person: &Person, graph: &GroupGraph) -> Vec<&Delegation> {
        if person.standing != Standing::Active {
            return Vec::new();
        }
        let theirs =
            |part: &&Delegation| reached(&[&part.group], role_named, person, graph).is_allowed();
        self.delegated_administrators.iter().filter(theirs).collect()
    }

    /// Every right the person has.
    pub fn rights(&self, person: &Person, graph: &GroupGraph) -> BTreeSet<Right> {
        [Right::User, Right::Administrator, Right::Auditor, Right::DelegatedAdministrator]
            .into_iter()
            .filter(|right| self.check(*right, person, graph).is_allowed())
            .collect()
    }
}

/// Whether a person is in any of these groups at any depth, with the chain or the reason.
fn reached(
    groups: &[&String],
    named: for<'a> fn(&str, &'a GroupGraph) -> Result<&'a GroupId, Reason>,
    person: &Person,
    graph: &GroupGraph,
) -> Access {
    let mut reason = if groups.is_empty() { Reason::NoGroupConfigured } else { Reason::NotInGroup };
    for name in groups {
        match named(name, graph) {
            Ok(target) => {
                if let Some(chain) = graph.explain(&person.groups, target) {
                    return Access::Allowed(chain);
                }
            }
            Err(wrong) => reason = wrong,
        }
    }
    Access::Refused(reason)
}

/// The group that a configured name means.
fn group_named<'a>(name: &str, graph: &'a GroupGraph) -> Result<&'a GroupId, Reason> {
    match graph.named(name) {
        Named::Group(group) => Ok(group),
        Named::Nothing => Err(Reason::NoSuchGroup(name.to_owned())),
        Named::Several(_) => Err(Reason::AmbiguousGroup(name.to_owned())),
    }
}

/// The same, where it gives a role.
fn role_named<'a>(name: &str, graph: &'a GroupGraph) -> Result<&'a GroupId, Reason> {
    match (graph.named_for_role(name), graph.named(name)) {
        (Named::Group(group), _) => Ok(group),
        (Named::Several(_), _) => Err(Reason::AmbiguousGroup(name.to_owned())),
        (Named::Nothing, Named::Nothing) => Err(Reason::NoSuchGroup(name.to_owned())),
        (Named::Nothing, _) => Err(Reason::NotForRoles(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Group, GroupSnapshot};

    fn graph() -> GroupGraph {
        let group = |id: &str, parents: &[&str]| Group {
            id: GroupId(id.into()),
            name: id.split(',').next().unwrap().trim_start_matches("cn=").to_owned(),
            parents: parents.iter().map(|id| GroupId((*id).into())).collect(),
        };
        GroupGraph::new(&[GroupSnapshot {
            groups: vec![
                group("cn=sales,ou=a", &["cn=staff,ou=a"]),
                group("cn=staff,ou=a", &["cn=mobile,ou=a"]),
                group("cn=mobile,ou=a", &[]),
                group("cn=admins,ou=a", &[]),
                group("cn=helpdesk,ou=a", &[]),
                group("cn=twice,ou=a", &[]),
                group("cn=twice,ou=b", &[]),
            ],
            ..GroupSnapshot::default()
        }])
    }

    fn person(groups: &[&str], standing: Standing) -> Person {
        Person {
            user: "ann@example.org".into(),
            address: "ann@example.org".into(),
            display_name: None,
            groups: groups.iter().map(|id| GroupId((*id).into())).collect(),
            standing,
        }
    }

    fn access(users: &[&str]) -> AccessGroups {
        AccessGroups {
            users: Users::Groups(users.iter().map(|name| (*name).into()).collect()),
            administrators: vec!["admins".into()],
            auditors: vec!["staff".into()],
            delegated_administrators: vec![Delegation {
                group: "helpdesk".into(),
                groups: vec!["sales".into()],
                connectors: vec![],
            }],
        }
    }

    #[test]
    fn a_member_at_any_depth_is_a_user_and_the_chain_says_why() {
        let ann = person(&["cn=sales,ou=a"], Standing::Active);
        let Access::Allowed(chain) = access(&["Mobile"]).check(Right::User, &ann, &graph()) else {
            panic!("refused")
        };
        let chain: Vec<_> = chain.iter().map(|id| id.0.as_str()).collect();
        assert_eq!(chain, ["cn=sales,ou=a", "cn=staff,ou=a", "cn=mobile,ou=a"]);
    }

    #[test]
    fn no_right_implies_another() {
        let admin = person(&["cn=admins,ou=a"], Standing::Active);
        let helper = person(&["cn=helpdesk,ou=a"], Standing::Active);
        let rights = |person| access(&["mobile"]).rights(person, &graph());
        assert_eq!(rights(&admin), BTreeSet::from([Right::Administrator]));
        assert_eq!(rights(&helper), BTreeSet::from([Right::DelegatedAdministrator]));
    }

    #[test]
    fn a_misspelt_group_is_told_whatever_right_it_gives() {
        let mut access = access(&["mobile"]);
        assert_eq!(access.wrong_names(&graph()), []);
        access.administrators.push("admnis".into());
        access.auditors.push("auditros".into());
        access.delegated_administrators[0].group = "hepldesk".into();
        let wrong = ["admnis", "auditros", "hepldesk"];
        let wrong = wrong.map(|name| Reason::NoSuchGroup(name.into()));
        assert_eq!(access.wrong_names(&graph()), wrong);
    }

    #[test]
    fn a_role_is_given_by_the_groups_that_may_give_one_whatever_others_are_called() {
        let admins = GroupId("cn=admins,ou=a".into());
        let pretends = |id: &str, name: &str| Group {
            id: GroupId(id.into()),
            name: name.into(),
            parents: Vec::new(),
        };
        let graph = |may: &[&GroupId]| {
            let groups = vec![
                pretends(&admins.0, "admins"),
                pretends("cn=admins,ou=b", "admins"),
                pretends("admins", "x"),
                pretends("staff", "staff"),
            ];
            let snapshot = GroupSnapshot { groups, ..GroupSnapshot::default() };
            let may = may.iter().map(|id| (*id).clone()).collect();
            GroupGraph::new(&[snapshot]).with_roles_of(Some(may))
        };
        let access = access(&["staff"]);
        let rights = |groups: &[&str], graph: &GroupGraph| {
            access.rights(&person(groups, Standing::Active), graph)
        };
        let one = graph(&[&admins]);
        assert_eq!(rights(&[&admins.0], &one), BTreeSet::from([Right::Administrator]));
        assert_eq!(rights(&["cn=admins,ou=b", "admins"], &one), BTreeSet::new());
        assert_eq!(rights(&["staff"], &one), BTreeSet::from([Right::User]), "no auditor");
        assert!(access.wrong_names(&one).contains(&Reason::NotForRoles("staff".into())));
        let none = graph(&[]);
        assert_eq!(rights(&[&admins.0], &none), BTreeSet::new());
        assert!(access.wrong_names(&none).contains(&Reason::NotForRoles("admins".into())));
    }

    #[test]
    fn a_delegate_has_the_parts_of_the_groups_they_are_in() {
        let access = access(&[]);
        let parts = |groups: &[&str], standing| {
            let person = person(groups, standing);
            access.delegations(&person, &graph()).into_iter().cloned().collect::<Vec<_>>()
        };
        let helper = parts(&["cn=helpdesk,ou=a"], Standing::Active);
        assert_eq!(helper.len(), 1);
        assert_eq!(helper[0].groups, ["sales"]);
        assert_eq!(parts(&["cn=admins,ou=a"], Standing::Active), []);
        assert_eq!(parts(&["cn=helpdesk,ou=a"], Standing::Disabled), []);
    }

    #[test]
    fn what_cannot_be_known_is_refused() {
        use Reason::{AmbiguousGroup, NoGroupConfigured, NoSuchGroup, NotInGroup};
        use Standing::{Active, Disabled, LockedOut};
        for (users, groups, standing, reason) in [
            (&[][..], &["cn=mobile,ou=a"][..], Active, NoGroupConfigured),
            (&["mobile"], &[], Active, NotInGroup),
            (&["mobile"], &["cn=admins,ou=a"], Active, NotInGroup),
            (&["gone"], &["cn=mobile,ou=a"], Active, NoSuchGroup("gone".into())),
            (&["twice"], &["cn=twice,ou=a"], Active, AmbiguousGroup("twice".into())),
            (&["mobile"], &["cn=mobile,ou=a"], Disabled, Reason::Standing(Disabled)),
            (&["mobile"], &["cn=mobile,ou=a"], LockedOut, Reason::Standing(LockedOut)),
        ] {
            let answer = access(users).check(Right::User, &person(groups, standing), &graph());
            assert_eq!(answer, Access::Refused(reason));
        }
    }

    #[test]
    fn an_id_says_which_of_two_groups_with_one_name_is_meant() {
        let ann = person(&["cn=twice,ou=b"], Standing::Active);
        assert!(access(&["cn=twice,ou=b"]).check(Right::User, &ann, &graph()).is_allowed());
        assert!(!access(&["cn=twice,ou=a"]).check(Right::User, &ann, &graph()).is_allowed());
    }

    #[test]
    fn everyone_must_be_said() {
        let parse = |text: &str| toml::from_str::<AccessGroups>(text);
        assert_eq!(parse("").unwrap().users, Users::Groups(Vec::new()));
        assert_eq!(parse("users = 'everyone'").unwrap().users, Users::Everyone);
        assert_eq!(
            parse("users = { groups = ['mobile'] }").unwrap().users,
            Users::Groups(vec!["mobile".into()])
        );
        assert!(parse("user = 'everyone'").is_err());
    }
}
