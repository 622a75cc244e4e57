//! Whether people are within a delegate's boundaries.

use crate::Console;
use crate::endpoints::account_of;
use crate::principal::{Allowed, Boundaries, Duty, Principal};
use dme_directory::{DirectoryService, Person};
use dme_model::{RequestId, UserId};
use std::collections::BTreeSet;

/// Whether the directory is asked about somebody whom the gate does not know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asking {
    /// Each time: somebody is about to do something.
    Anew,
    /// What it said lately does: somebody looks.
    AsKept,
}

/// The directory could not be asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unasked;

impl Console {
    /// Whether the principal sees this user.
    pub(crate) async fn sees(&self, principal: &Principal, user: &UserId) -> bool {
        match principal.may(Duty::See) {
            Allowed::Everywhere => true,
            Allowed::No => false,
            Allowed::Within(boundaries) => self.is_within(&boundaries, user).await,
        }
    }

    /// Whether a user is within these boundaries. What cannot be known is outside.
    pub(crate) async fn is_within(&self, boundaries: &Boundaries, user: &UserId) -> bool {
        let homes = match boundaries.connectors.is_empty() {
            true => None,
            false => self.front.store.homes([user.clone()]).await.unwrap_or_default().remove(user),
        };
        self.judged(boundaries, user, homes.as_ref(), Asking::Anew).await == Some(true)
    }

    /// The same of somebody whose homes are known, where there are any; none where it cannot be known.
    pub(crate) async fn judged(
        &self,
        boundaries: &Boundaries,
        user: &UserId,
        homes: Option<&BTreeSet<String>>,
        asking: Asking,
    ) -> Option<bool> {
        if homes.is_some_and(|homes| !homes.is_disjoint(&boundaries.connectors)) {
            return Some(true);
        }
        // Whoever has a route is at home where it says, and nowhere else.
        let is_new = homes.is_none() && !boundaries.connectors.is_empty();
        if boundaries.groups.is_empty() && !is_new {
            return Some(false);
        }
        let person = match asking {
            Asking::Anew => self.person(user).await,
            Asking::AsKept => self.person_as_kept(user).await,
        };
        let person = person.as_ref().map(Option::as_ref);
        let is_in_group = match person {
            Ok(Some(person)) => self.is_in_any(boundaries, person),
            Ok(None) => Some(false),
            Err(Unasked) => None,
        };
        if is_in_group == Some(true) {
            return Some(true);
        }
        let is_at_home = match is_new {
            true => self.would_be_at(user, person.ok().flatten(), boundaries).await,
            false => Some(false),
        };
        match (is_at_home, is_in_group) {
            (Some(true), _) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        }
    }

    /// As the directory has a user; none where it does not.
    ///
    /// # Errors
    /// Where it cannot be asked.
    pub(crate) async fn person(&self, user: &UserId) -> Result<Option<Person>, Unasked> {
        match self.front.gate.admitted(user) {
            Some(who) => Ok(Some(who.person.clone())),
            None => match self.front.directory_of(user) {
                Some(directory) => directory.find(user).await.map_err(|_| Unasked),
                None => Ok(None),
            },
        }
    }

    fn is_in_any(&self, boundaries: &Boundaries, person: &Person) -> Option<bool> {
        let mut found = Some(false);
        for group in &boundaries.groups {
            match self.front.gate.is_in_group(person, group) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => found = None,
            }
        }
        found
    }

    /// Whether somebody whom nobody has served yet would be at home at one of these connectors: a new
    /// device that waits is decided of by those who will have its user.
    async fn would_be_at(
        &self,
        user: &UserId,
        person: Option<&Person>,
        boundaries: &Boundaries,
    ) -> Option<bool> {
        let (router, now) = (&self.front.router, (self.front.clock)());
        if let Some(person) = person {
            // Scopes may be groups, and the gate has not let the user in.
            router.told(person);
        }
        let account = account_of(user, person);
        let homes = router.would_be_at(&account, &RequestId::from("within"), now).await.ok()?;
        // Where nobody has the mailbox, one that is not linked may.
        (!homes.is_empty()).then(|| !homes.is_disjoint(&boundaries.connectors))
    }
}
