//! What would become of a realm's logins, were connectors down (rule R5).

use super::{RealmDirectory, checks_logins, claimant};
use crate::connectors::Endpoint;
use dme_directory::Error;
use dme_routing::NoSource;
use std::collections::BTreeSet;

/// Who would check the passwords of a realm and tell of its people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoginsMoved {
    /// The connectors that are asked now.
    pub from: Vec<String>,
    /// Those that would be.
    pub to: Vec<String>,
    /// Why some users, or all where nobody would be asked, could not log in.
    pub trouble: Option<Error>,
}

impl RealmDirectory {
    /// What would become of the realm's logins without these connectors, by name; none where it
    /// would not notice.
    pub fn simulate(&self, down: &BTreeSet<String>) -> Option<LoginsMoved> {
        let from = self.sources();
        let left = self.linked_without(down);
        let others = left.as_ref().map(|left| &left.sources[..]).unwrap_or_default();
        let others: Vec<_> = others.iter().map(claimant).collect();
        let adds = |one: &&Endpoint| {
            dme_routing::adds(&self.connectors.logins(&one.name), &others, &self.realm)
        };
        let all = self.connectors.all();
        let lost = all
            .iter()
            .filter(|one| down.contains(&one.name) && self.may_be_source(one))
            .find(adds)
            .map(|one| NoSource::Away { realm: self.realm.clone(), name: one.name.clone() });
        if lost.is_none() && !from.iter().any(|name| down.contains(name)) {
            return None;
        }
        let (to, trouble) = match left.and_then(|left| self.all(&left)) {
            Ok(to) => (to, lost.map(|why| self.not_chosen(why))),
            Err(error) => (Vec::new(), Some(error)),
        };
        let to = to.into_iter().map(|source| source.endpoint.name).collect();
        Some(LoginsMoved { from, to, trouble })
    }

    /// Whether a connector checks logins of the realm, or may do so once it is linked.
    fn may_be_source(&self, endpoint: &Endpoint) -> bool {
        checks_logins(endpoint)
            && (self.named.0.is_empty() || self.named.0.contains(&endpoint.name))
            && endpoint.realms.as_ref().is_none_or(|realms| realms.contains(&self.realm))
    }
}
