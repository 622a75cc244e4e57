//! Whether people are within a delegate's boundaries.

use crate::Console;
use crate::endpoints::account_of;
use crate::principal::{Allowed, Boundaries, Duty, Principal};
use dme_directory::{DirectoryService, Person};
use dme_model::{RequestId, UserId};
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
        if boundaries.connectors.is_empty() {
            let person = self.person(user).await;
            return person.is_some_and(|person| self.is_in_any(boundaries, &person));
        }
        let homes = self.front.store.homes([user.clone()]).await.unwrap_or_default().remove(user);
        if homes.as_ref().is_some_and(|homes| !homes.is_disjoint(&boundaries.connectors)) {
            return true;
        }
        let person = self.person(user).await;
        if person.as_ref().is_some_and(|person| self.is_in_any(boundaries, person)) {
            return true;
        }
        // Whoever has a route is at home where it says, and nowhere else.
        homes.is_none() && self.would_be_at(user, person.as_ref(), boundaries).await
    }

    /// As the directory has a user; none where it does not, or cannot be asked.
    async fn person(&self, user: &UserId) -> Option<Person> {
        match self.front.gate.admitted(user) {
            Some(who) => Some(who.person.clone()),
            None => self.front.directory_of(user)?.find(user).await.ok().flatten(),
        }
    }

    fn is_in_any(&self, boundaries: &Boundaries, person: &Person) -> bool {
        let is_in = |group: &String| self.front.gate.is_in_group(person, group) == Some(true);
        boundaries.groups.iter().any(is_in)
    }

    /// Whether somebody whom nobody has served yet would be at home at one of these connectors: a new
    /// device that waits is decided of by those who will have its user.
    async fn would_be_at(
        &self,
        user: &UserId,
        person: Option<&Person>,
        boundaries: &Boundaries,
    ) -> bool {
        let (router, now) = (&self.front.router, (self.front.clock)());
        if let Some(person) = person {
            // Scopes may be groups, and the gate has not let the user in.
            router.told(person);
        }
        let account = account_of(user, person);
        let homes = router.would_be_at(&account, &RequestId::from("within"), now).await;
        homes.is_ok_and(|homes| !homes.is_disjoint(&boundaries.connectors))
    }
}
