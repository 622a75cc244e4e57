//! Whether people are within a delegate's boundaries.

use crate::Console;
use crate::principal::{Allowed, Boundaries, Duty, Principal};
use dme_directory::DirectoryService;
use dme_model::UserId;
use std::collections::HashMap;

/// Whom one principal sees, found out once for each person.
pub(crate) struct Sight {
    may: Allowed,
    known: HashMap<UserId, bool>,
}

impl Sight {
    /// Whether the principal sees this user.
    pub(crate) async fn reaches(&mut self, console: &Console, user: &UserId) -> bool {
        let boundaries = match &self.may {
            Allowed::Everywhere => return true,
            Allowed::No => return false,
            Allowed::Within(boundaries) => boundaries,
        };
        if let Some(known) = self.known.get(user) {
            return *known;
        }
        let inside = console.is_within(boundaries, user).await;
        self.known.insert(user.clone(), inside);
        inside
    }
}

impl Console {
    /// Whom a principal sees.
    pub(crate) fn sight(&self, principal: &Principal) -> Sight {
        Sight { may: principal.may(Duty::See), known: HashMap::new() }
    }

    /// Whether a user is within these boundaries. What cannot be known is outside.
    pub(crate) async fn is_within(&self, boundaries: &Boundaries, user: &UserId) -> bool {
        if !boundaries.connectors.is_empty() {
            let routes = self.front.store.routes(user).await.unwrap_or_default();
            if routes.iter().any(|route| boundaries.connectors.contains(&route.serving)) {
                return true;
            }
        }
        if boundaries.groups.is_empty() {
            return false;
        }
        let gate = &self.front.gate;
        let person = match gate.admitted(user) {
            Some(who) => Some(who.person.clone()),
            None => match self.front.directory_of(user) {
                Some(directory) => directory.find(user).await.ok().flatten(),
                None => None,
            },
        };
        let Some(person) = person else { return false };
        boundaries.groups.iter().any(|group| gate.is_in_group(&person, group) == Some(true))
    }
}
