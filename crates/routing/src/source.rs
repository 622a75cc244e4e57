//! Who is the authentication source of a realm: exactly one connector for each question (rule A3),
//! of those that say they are and may speak for the user (rule A6). What cannot be told is refused,
//! not guessed: a guess would show a password to whoever is first by name.

use crate::{Connector, Duty, Known, Lock, Scope};
use dme_model::{Function, Realm, UserId};
use std::collections::BTreeSet;

/// A linked connector, as far as the logins of a realm look at it.
#[derive(Clone, Copy, Debug)]
pub struct Claimant<'a> {
    /// Its name, for the configuration and for people.
    pub name: &'a str,
    /// Its state.
    pub connector: &'a Connector,
    /// The realms its directory says it is the source of. None: it is of a release that does not
    /// say.
    pub realms: Option<&'a BTreeSet<Realm>>,
    /// It runs in the server's own process, by the server's own configuration.
    pub in_process: bool,
}

/// What the configuration says of a realm.
#[derive(Clone, Copy, Debug)]
pub struct Assignment<'a> {
    /// Which realm.
    pub realm: &'a Realm,
    /// The connectors named for it, in the order in which they are to be asked; empty where none
    /// is, and it is then whoever says so.
    pub named: &'a [String],
    /// There is no other realm: a connector that does not say which it serves can mean this only.
    pub only: bool,
}

/// Why no connector may be asked. Each says what to mend.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoSource {
    /// Those named are not linked.
    #[error("none of the connectors named for the realm {realm} is linked: {}", .named.join(", "))]
    NamedNotLinked {
        /// Which realm.
        realm: Realm,
        /// Who is named.
        named: Vec<String>,
    },
    /// A named one is linked, but has no directory of this realm.
    #[error(
        "the connector {name} is named for the realm {realm}, but it does not say that its \
         directory is of that realm; set the realm in its [people], or name another"
    )]
    NotOfRealm {
        /// Which realm.
        realm: Realm,
        /// Who is named.
        name: String,
    },
    /// Nobody says so.
    #[error("no linked connector says that its directory is of the realm {0}")]
    Nobody(Realm),
    /// One that may speak for users of the realm whom no other may is not linked.
    #[error("the connector {name}, which may speak for users of the realm {realm}, is not linked")]
    Away {
        /// Which realm.
        realm: Realm,
        /// Who is not linked.
        name: String,
    },
    /// More than one says so.
    #[error(
        "more than one connector says that its directory is of the realm {realm}: {}; name the \
         right one in the realm's `connector`", .names.join(", ")
    )]
    Ambiguous {
        /// Which realm.
        realm: Realm,
        /// Who says so.
        names: Vec<String>,
    },
}

/// Those who may be asked about a realm, the best first: as they are named, else primaries before
/// failovers; and those that are about to go after the others. Whom each may speak for is not
/// looked at yet.
///
/// # Errors
/// When there is nobody.
pub fn sources<'a>(
    claimants: impl IntoIterator<Item = Claimant<'a>>,
    realm: &Assignment<'_>,
) -> Result<Vec<Claimant<'a>>, NoSource> {
    let able = claimants.into_iter().filter(|claimant| {
        claimant.connector.lock == Lock::Unlocked
            && (is_named(realm, claimant) || realm.named.is_empty())
    });
    let (mut found, others): (Vec<_>, Vec<_>) = able.partition(|claimant| {
        claimant.connector.functions.contains(&Function::Authentication)
            && match claimant.realms {
                Some(realms) => realms.contains(realm.realm),
                None => realm.only || is_named(realm, claimant),
            }
    });
    if found.is_empty() {
        let (name, named) = (realm.realm.clone(), realm.named.to_vec());
        return Err(match (others.first(), named.is_empty()) {
            (_, true) => NoSource::Nobody(name),
            (None, false) => NoSource::NamedNotLinked { realm: name, named },
            (Some(other), false) => {
                NoSource::NotOfRealm { realm: name, name: other.name.to_owned() }
            }
        });
    }
    let place = |claimant: &Claimant<'_>| {
        realm.named.iter().position(|name| name == claimant.name).unwrap_or_default()
    };
    found.sort_by_key(|claimant| {
        let leaving = claimant.connector.duty == Duty::Draining;
        (leaving, place(claimant), claimant.connector.tier, claimant.connector.id.clone())
    });
    Ok(found)
}

/// The one to ask, of those that [`sources`] found and that may speak for the user.
///
/// # Errors
/// When none of them is named and it cannot be told which is meant. One in the server's own
/// process is meant before others; of the others a primary before a failover.
pub fn one<'a>(
    sources: &[Claimant<'a>],
    realm: &Assignment<'_>,
) -> Result<Option<Claimant<'a>>, NoSource> {
    if !realm.named.is_empty() {
        return Ok(sources.first().copied());
    }
    if let Some(own) = sources.iter().find(|claimant| claimant.in_process) {
        return Ok(Some(*own));
    }
    let best = sources.iter().map(|claimant| claimant.connector.tier).min();
    let alike = sources.iter().filter(|claimant| Some(claimant.connector.tier) == best);
    // Also one that is about to go: otherwise the password would go elsewhere while it does.
    let names: Vec<String> = alike.map(|claimant| claimant.name.to_owned()).collect();
    if names.len() > 1 {
        return Err(NoSource::Ambiguous { realm: realm.realm.clone(), names });
    }
    Ok(sources.first().copied())
}

/// Those to ask about the realm as a whole, of those that [`sources`] found: each one that [`one`]
/// would ask about somebody, the more wanted before the others.
///
/// # Errors
/// When the scopes of two that are wanted alike do not keep them apart.
pub fn all<'a>(
    sources: &[Claimant<'a>],
    realm: &Assignment<'_>,
) -> Result<Vec<Claimant<'a>>, NoSource> {
    let mut ranked = sources.to_vec();
    let rank = |claimant: &Claimant<'_>| (!claimant.in_process, claimant.connector.tier);
    // Of those that are named, and of those in this process, the first is meant.
    let ordered = |claimant: &Claimant<'_>| !realm.named.is_empty() || claimant.in_process;
    if realm.named.is_empty() {
        ranked.sort_by_key(rank);
    }
    let mut found: Vec<Claimant<'a>> = Vec::new();
    let mut covered = Coverage::default();
    for alike in ranked.chunk_by(|a, b| !ordered(a) && !ordered(b) && rank(a) == rank(b)) {
        let theirs: Vec<_> = alike
            .iter()
            .map(|claimant| (claimant, covered.lacks(&claimant.connector.scope, realm.realm)))
            .filter(|(_, more)| !more.is_empty())
            .collect();
        let overlaps = |index: usize| {
            let mut all = theirs.iter().enumerate();
            theirs.get(index).is_some_and(|(_, mine)| {
                all.any(|(other, (_, theirs))| other != index && mine.overlaps(theirs))
            })
        };
        let unclear = theirs.iter().enumerate().filter(|(index, _)| overlaps(*index));
        let names: Vec<String> = unclear.map(|(_, (one, _))| one.name.to_owned()).collect();
        if !names.is_empty() {
            return Err(NoSource::Ambiguous { realm: realm.realm.clone(), names });
        }
        for (claimant, more) in theirs {
            found.push(*claimant);
            covered.add(more);
        }
    }
    // Nobody of the realm is in any scope: no login gets as far as to need more than an answer.
    if found.is_empty() {
        found.extend(one(sources, realm)?);
    }
    Ok(found)
}

/// Whether one with this scope may speak for somebody of the realm for whom none of the others may.
pub fn adds(scope: &Scope, others: &[Claimant<'_>], realm: &Realm) -> bool {
    let mut covered = Coverage::default();
    for other in others {
        covered.add(covered.lacks(&other.connector.scope, realm));
    }
    !covered.lacks(scope, realm).is_empty()
}

/// Whom connectors may speak for in a realm.
#[derive(Default)]
struct Coverage<'a> {
    everyone: bool,
    users: BTreeSet<&'a UserId>,
    /// Who is in them is not looked at: groups that differ are taken to keep their members apart.
    groups: BTreeSet<&'a str>,
}

impl<'a> Coverage<'a> {
    fn is_empty(&self) -> bool {
        !self.everyone && self.users.is_empty() && self.groups.is_empty()
    }

    /// Those of a scope that are not in this yet.
    fn lacks<'b>(&self, scope: &'b Scope, realm: &Realm) -> Coverage<'b> {
        let mut more = Coverage::default();
        match scope {
            _ if self.everyone => {}
            Scope::Everyone => more.everyone = true,
            Scope::Users(users) => {
                let new = |user: &&UserId| {
                    user.realm().as_ref() == Some(realm) && !self.users.contains(*user)
                };
                more.users = users.iter().filter(new).collect();
            }
            Scope::Group(group) if self.groups.contains(group.as_str()) => {}
            Scope::Group(group) => more.groups = [group.as_str()].into(),
        }
        more
    }

    /// Neither is empty.
    fn overlaps(&self, other: &Coverage<'_>) -> bool {
        self.everyone
            || other.everyone
            || !self.users.is_disjoint(&other.users)
            || !self.groups.is_disjoint(&other.groups)
    }

    fn add(&mut self, more: Coverage<'a>) {
        self.everyone |= more.everyone;
        self.users.extend(more.users);
        self.groups.extend(more.groups);
    }
}

/// Whether a connector may speak for a user; `is_in_group` says whether the user is in a group.
pub fn covers(
    connector: &Connector,
    user: &UserId,
    is_in_group: impl FnOnce(&str) -> Known,
) -> Known {
    connector.scope.covers(user, is_in_group)
}

fn is_named(realm: &Assignment<'_>, claimant: &Claimant<'_>) -> bool {
    realm.named.iter().any(|name| name == claimant.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Link, Load, Tier};
    use dme_model::Timestamp;
    use std::sync::Arc;

    /// A connector that says it is the source of these realms; none where it does not say.
    struct Site {
        name: &'static str,
        connector: Connector,
        realms: Option<BTreeSet<Realm>>,
        in_process: bool,
    }

    fn site(name: &'static str, realms: &[&str]) -> Site {
        Site {
            name,
            connector: Connector {
                id: name.into(),
                tier: Tier::Primary,
                functions: [Function::Authentication].into(),
                scope: Arc::new(Scope::Everyone),
                lock: Lock::Unlocked,
                link: Link::Linked { since: Timestamp::from_millis(0) },
                duty: Duty::default(),
                load: Load::default(),
            },
            realms: Some(realms.iter().map(|realm| Realm::from(*realm)).collect()),
            in_process: false,
        }
    }

    fn ask(sites: &[Site], realm: &str, named: &[&str], only: bool) -> Result<String, NoSource> {
        let realm = Realm::from(realm);
        let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
        let assignment = Assignment { realm: &realm, named: &named, only };
        let claimants = sites.iter().map(|site| Claimant {
            name: site.name,
            connector: &site.connector,
            realms: site.realms.as_ref(),
            in_process: site.in_process,
        });
        let found = sources(claimants, &assignment)?;
        Ok(one(&found, &assignment)?.unwrap().name.to_owned())
    }

    #[test]
    fn each_realm_is_asked_of_the_connector_that_has_its_directory() {
        let sites = [site("a", &["west.example"]), site("b", &["east.example"])];
        assert_eq!(ask(&sites, "east.example", &[], false).unwrap(), "b");
        assert_eq!(ask(&sites, "west.example", &[], false).unwrap(), "a");
        let nobody = ask(&sites, "north.example", &[], false).unwrap_err();
        assert_eq!(nobody, NoSource::Nobody("north.example".into()));
    }

    #[test]
    fn two_that_say_the_same_are_refused_until_one_is_named() {
        let sites = [site("a", &["example.org"]), site("b", &["example.org"])];
        let ambiguous = ask(&sites, "example.org", &[], true).unwrap_err().to_string();
        assert!(ambiguous.contains("a, b") && ambiguous.contains("`connector`"), "{ambiguous}");
        assert_eq!(ask(&sites, "example.org", &["b"], true).unwrap(), "b");
        assert_eq!(ask(&sites, "example.org", &["b", "a"], true).unwrap(), "b");
    }

    #[test]
    fn who_is_not_named_is_not_asked_whatever_it_says() {
        let sites = [site("thief", &["example.org"])];
        let absent = ask(&sites, "example.org", &["head-office"], true).unwrap_err().to_string();
        assert!(absent.contains("head-office"), "{absent}");
    }

    #[test]
    fn who_is_named_is_not_asked_about_a_realm_it_does_not_serve() {
        let sites = [site("head-office", &["other.example"])];
        let wrong = ask(&sites, "example.org", &["head-office"], true).unwrap_err();
        assert!(matches!(wrong, NoSource::NotOfRealm { .. }), "{wrong}");
    }

    #[test]
    fn of_those_named_the_next_is_asked_while_the_first_goes() {
        let mut sites = [site("a", &["example.org"]), site("b", &["example.org"])];
        sites[0].connector.duty = Duty::Draining;
        assert_eq!(ask(&sites, "example.org", &["a", "b"], true).unwrap(), "b");
        assert_eq!(ask(&sites[..1], "example.org", &["a", "b"], true).unwrap(), "a");
        sites[1].connector.lock = Lock::Locked;
        assert_eq!(ask(&sites, "example.org", &["a", "b"], true).unwrap(), "a");
    }

    #[test]
    fn the_servers_own_directory_and_primaries_are_meant_first() {
        let mut sites = [site("a", &["example.org"]), site("embedded", &["example.org"])];
        sites[1].in_process = true;
        assert_eq!(ask(&sites, "example.org", &[], true).unwrap(), "embedded");
        let mut sites = [site("a", &["example.org"]), site("b", &["example.org"])];
        sites[0].connector.tier = Tier::Failover;
        assert_eq!(ask(&sites, "example.org", &[], true).unwrap(), "b");
    }

    fn of(users: &[&str]) -> Scope {
        Scope::Users(users.iter().map(|user| UserId::from(*user)).collect())
    }

    fn ask_all(sites: &[Site], named: &[&str]) -> Result<Vec<&'static str>, NoSource> {
        let realm = Realm::from("example.org");
        let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
        let assignment = Assignment { realm: &realm, named: &named, only: true };
        let claimants = sites.iter().map(|site| Claimant {
            name: site.name,
            connector: &site.connector,
            realms: site.realms.as_ref(),
            in_process: site.in_process,
        });
        let found = all(&sources(claimants, &assignment)?, &assignment)?;
        let place = |one: &Claimant<'_>| sites.iter().find(|site| site.name == one.name);
        Ok(found.iter().filter_map(|one| Some(place(one)?.name)).collect())
    }

    #[test]
    fn the_realm_as_a_whole_is_asked_of_all_that_scopes_keep_apart() {
        let mut sites = [site("a", &["example.org"]), site("b", &["example.org"])];
        sites[0].connector.scope = Arc::new(of(&["ann@example.org", "eve@other.example"]));
        sites[1].connector.scope = Arc::new(of(&["bob@example.org", "eve@other.example"]));
        assert_eq!(ask_all(&sites, &[]).unwrap(), ["a", "b"]);
        sites[1].connector.scope = Arc::new(of(&["ann@example.org", "bob@example.org"]));
        assert!(matches!(ask_all(&sites, &[]), Err(NoSource::Ambiguous { .. })));
        sites[1].connector.scope = Arc::new(Scope::Everyone);
        assert!(matches!(ask_all(&sites, &[]), Err(NoSource::Ambiguous { .. })));
    }

    #[test]
    fn who_would_be_asked_about_nobody_is_not_asked_about_the_realm() {
        let mut sites = [site("a", &["example.org"]), site("b", &["example.org"])];
        assert!(matches!(ask_all(&sites, &[]), Err(NoSource::Ambiguous { .. })));
        assert_eq!(ask_all(&sites, &["b", "a"]).unwrap(), ["b"]);
        sites[1].connector.tier = Tier::Failover;
        assert_eq!(ask_all(&sites, &[]).unwrap(), ["a"]);
        sites[0].connector.scope = Arc::new(of(&["ann@example.org"]));
        assert_eq!(ask_all(&sites, &[]).unwrap(), ["a", "b"]);
        assert_eq!(ask_all(&sites, &["a", "b"]).unwrap(), ["a", "b"]);
        assert_eq!(ask_all(&sites, &["b", "a"]).unwrap(), ["b"]);
        sites[1].in_process = true;
        assert_eq!(ask_all(&sites, &[]).unwrap(), ["b"]);
    }

    #[test]
    fn a_scope_adds_the_users_of_the_realm_that_others_do_not_have() {
        let realm = Realm::from("example.org");
        let mut a = site("a", &["example.org"]);
        let adds = |a: &Site, scope: &Scope| {
            let (name, connector) = (a.name, &a.connector);
            adds(scope, &[Claimant { name, connector, realms: None, in_process: false }], &realm)
        };
        assert!(!adds(&a, &Scope::Everyone) && !adds(&a, &of(&["ann@example.org"])));
        a.connector.scope = Arc::new(of(&["ann@example.org"]));
        assert!(adds(&a, &Scope::Everyone) && adds(&a, &of(&["bob@example.org"])));
        assert!(!adds(&a, &of(&["ann@example.org", "bob@other.example"])));
    }

    #[test]
    fn an_older_release_that_does_not_say_is_asked_where_nothing_else_can_be_meant() {
        let mut sites = [site("old", &[])];
        sites[0].realms = None;
        assert_eq!(ask(&sites, "example.org", &[], true).unwrap(), "old");
        assert!(ask(&sites, "example.org", &[], false).is_err());
        assert_eq!(ask(&sites, "example.org", &["old"], false).unwrap(), "old");
    }
}
