//! Who asks, and what they may: pure decisions (rules A2 and A6).

use dme_model::UserId;
use dme_store::Behind;
use std::collections::BTreeSet;

/// A kind of thing that can be done, as roles are told apart by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Duty {
    /// Looking at users, devices, connectors, routes, statistics.
    See,
    /// What a help desk does: devices let in, blocked, wiped; sessions ended.
    Operate,
    /// What changes the whole: connectors, policies, rules, tokens.
    Configure,
    /// Reading the records: the log and the audit chain.
    Audit,
    /// One's own devices and settings.
    Own,
}

/// How far a thing reaches, which says how a delegate's boundaries are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// One user's: the path names them as `{user}`.
    User,
    /// One connector's: the path names it as `{connector}`.
    Connector,
    /// One device's order to wipe: the path names it as `{order}`.
    Order,
    /// Many's; the handler gives only what the principal sees.
    Filtered,
    /// Everybody's: for those without boundaries.
    Everyone,
    /// The asker's own.
    Oneself,
}

/// What a person is for the console.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Role {
    /// Does everything.
    Administrator,
    /// Sees and operates within boundaries.
    Delegate(Boundaries),
    /// Sees everything and changes nothing.
    Auditor,
    /// Has devices.
    User,
}

/// What a delegate is concerned with: people in any of the groups, people who are at home at any of
/// the connectors, and these connectors. Whom a connector stands in for is not at home there.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Boundaries {
    /// Ids or short names of directory groups.
    pub groups: BTreeSet<String>,
    /// Names of connectors.
    pub connectors: BTreeSet<String>,
}

/// How somebody came to be whom they say they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// By the token in the server's directory.
    TokenFile,
    /// By a token that was issued.
    ApiToken {
        /// The user who made it, and answers for what it does; none where it belongs to nobody.
        maker: Option<UserId>,
    },
    /// By a session in a browser.
    Session,
    /// By such a session of the account for emergencies.
    Emergency,
}

/// Somebody who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Principal {
    /// As records have them.
    pub name: String,
    /// The user they are, where they are one of a directory.
    pub user: Option<UserId>,
    /// How that is known.
    pub origin: Origin,
    /// What they are. Nobody has none.
    pub roles: Vec<Role>,
    /// What a token is limited to; none where nothing limits it.
    pub limited_to: Option<BTreeSet<Duty>>,
}

impl Duty {
    /// Each of them.
    pub const ALL: [Self; 5] = [Self::See, Self::Operate, Self::Configure, Self::Audit, Self::Own];

    /// As it is written in tokens and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::See => "see",
            Self::Operate => "operate",
            Self::Configure => "configure",
            Self::Audit => "audit",
            Self::Own => "own",
        }
    }

    /// The one that is written so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|duty| duty.as_str() == name)
    }
}

impl Role {
    /// Whether the role has the duty, within its boundaries.
    pub const fn has(&self, duty: Duty) -> bool {
        match self {
            Self::Administrator => !matches!(duty, Duty::Own),
            Self::Delegate(_) => matches!(duty, Duty::See | Duty::Operate),
            Self::Auditor => matches!(duty, Duty::See | Duty::Audit),
            Self::User => matches!(duty, Duty::Own),
        }
    }

    /// As pages and records call it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Delegate(_) => "delegate",
            Self::Auditor => "auditor",
            Self::User => "user",
        }
    }
}

/// Whether something is within what somebody may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Allowed {
    /// For everybody and everything.
    Everywhere,
    /// Within these.
    Within(Boundaries),
    /// Not at all.
    No,
}

impl Principal {
    /// How far the principal may go with this duty. Of several roles the widest counts.
    pub fn may(&self, duty: Duty) -> Allowed {
        if self.limited_to.as_ref().is_some_and(|duties| !duties.contains(&duty)) {
            return Allowed::No;
        }
        let mut within: Option<Boundaries> = None;
        for role in self.roles.iter().filter(|role| role.has(duty)) {
            match role {
                Role::Delegate(boundaries) => {
                    let all = within.get_or_insert_default();
                    all.groups.extend(boundaries.groups.iter().cloned());
                    all.connectors.extend(boundaries.connectors.iter().cloned());
                }
                _ => return Allowed::Everywhere,
            }
        }
        within.map_or(Allowed::No, Allowed::Within)
    }

    /// Whether nothing is hidden from the principal.
    pub fn sees_all(&self) -> bool {
        self.may(Duty::See) == Allowed::Everywhere
    }

    /// Who stands behind what the principal does.
    pub fn behind(&self) -> Behind {
        match (&self.origin, &self.user) {
            (Origin::ApiToken { maker: Some(maker) }, _) => Behind::TokenOf(maker.clone()),
            (Origin::ApiToken { maker: None }, _) => Behind::Nobody,
            (Origin::Session, Some(user)) => Behind::Person(user.clone()),
            // Whoever came by a link.
            (Origin::Session, None) | (Origin::TokenFile | Origin::Emergency, _) => Behind::Server,
        }
    }

    /// The name for what must be answered for: of a token with whoever made it.
    pub fn signature(&self) -> String {
        match &self.origin {
            Origin::ApiToken { maker: Some(maker) } => format!("{} of {maker}", self.name),
            _ => self.name.clone(),
        }
    }

    /// The roles' names, for records.
    pub fn role_names(&self) -> String {
        let names: Vec<&str> = self.roles.iter().map(Role::as_str).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(roles: Vec<Role>) -> Principal {
        let name = "ann".into();
        Principal { name, user: None, origin: Origin::Session, roles, limited_to: None }
    }

    fn delegate(group: &str) -> Role {
        let groups = [group.to_owned()].into();
        Role::Delegate(Boundaries { groups, connectors: BTreeSet::new() })
    }

    #[test]
    fn each_role_has_its_duties_and_no_others() {
        use Duty::{Audit, Configure, Operate, Own, See};
        let cases: [(Role, &[Duty]); 4] = [
            (Role::Administrator, &[See, Operate, Configure, Audit]),
            (delegate("paris"), &[See, Operate]),
            (Role::Auditor, &[See, Audit]),
            (Role::User, &[Own]),
        ];
        for (role, duties) in cases {
            for duty in Duty::ALL {
                let may = principal(vec![role.clone()]).may(duty);
                assert_eq!(may != Allowed::No, duties.contains(&duty), "{role:?} {duty:?}");
            }
        }
    }

    #[test]
    fn an_administrator_is_no_user_by_that() {
        assert_eq!(principal(vec![Role::Administrator]).may(Duty::Own), Allowed::No);
        let both = principal(vec![Role::Administrator, Role::User]);
        assert_eq!(both.may(Duty::Own), Allowed::Everywhere);
    }

    #[test]
    fn two_delegations_are_one_with_the_boundaries_of_both() {
        let may = principal(vec![delegate("paris"), delegate("lyon")]).may(Duty::Operate);
        let Allowed::Within(boundaries) = may else { panic!("{may:?}") };
        assert_eq!(boundaries.groups, ["lyon".to_owned(), "paris".to_owned()].into());
    }

    #[test]
    fn who_sees_all_as_auditor_operates_within_boundaries_as_delegate() {
        let both = principal(vec![Role::Auditor, delegate("paris")]);
        assert_eq!(both.may(Duty::See), Allowed::Everywhere);
        assert!(matches!(both.may(Duty::Operate), Allowed::Within(_)));
        assert_eq!(both.may(Duty::Configure), Allowed::No);
    }

    #[test]
    fn a_token_does_no_more_than_it_is_limited_to() {
        let mut token = principal(vec![Role::Administrator]);
        token.limited_to = Some([Duty::See].into());
        assert_eq!(token.may(Duty::See), Allowed::Everywhere);
        assert_eq!(token.may(Duty::Operate), Allowed::No);
    }
}
