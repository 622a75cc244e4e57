//! Whom a principal sees of many. It is found out of all at once, several at a time, and kept for a
//! short while: pages that stay open ask again with each thing that happens. Whether somebody may do
//! something is asked anew each time ([`crate::within`]).

use crate::principal::{Allowed, Boundaries, Duty, Principal};
use crate::within::{Asking, Unasked};
use crate::{Console, Refusal};
use dme_directory::Person;
use dme_model::{Timestamp, UserId};
use futures_util::{StreamExt, stream};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long it holds that somebody is within boundaries or is not.
const KEPT: Duration = Duration::from_secs(60);
/// How long it is not asked again where it could not be known.
const UNKNOWN_FOR: Duration = Duration::from_secs(10);
/// How long what the directory says of somebody is kept, whom the gate does not know.
const PERSON_FOR: Duration = Duration::from_secs(600);
/// People who are asked about at once.
const AT_ONCE: usize = 32;
/// How long a page waits for that. Who was not asked about by then is not on it; the next goes on.
const PATIENCE: Duration = Duration::from_secs(5);
/// Boundaries of which something is kept: delegations, and groups that lists were narrowed to.
const SETS: usize = 64;
/// People of whom something is kept, for each boundaries and in all.
const PEOPLE: usize = 100_000;

/// Whom a principal sees, of some.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    /// All of them.
    Everybody,
    /// These.
    Only(HashSet<UserId>),
}

impl Seen {
    /// Whether this user is among them.
    pub(crate) fn has(&self, user: &UserId) -> bool {
        match self {
            Self::Everybody => true,
            Self::Only(users) => users.contains(user),
        }
    }
}

/// What was found out lately.
#[derive(Default)]
pub(crate) struct Lately {
    sets: Mutex<HashMap<Boundaries, Arc<Set>>>,
    people: Mutex<HashMap<UserId, (Option<Person>, Timestamp)>>,
}

/// Who is within some boundaries, and until when that holds.
#[derive(Default)]
struct Set {
    known: Mutex<HashMap<UserId, (bool, Timestamp)>>,
    /// Whoever has it finds out; the others wait for what is found.
    asking: tokio::sync::Mutex<()>,
}

impl Set {
    fn known(&self) -> MutexGuard<'_, HashMap<UserId, (bool, Timestamp)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of these of whom it is not known now.
    fn unknown(&self, users: &[UserId], now: Timestamp) -> Vec<UserId> {
        let known = self.known();
        let holds = |user: &UserId| known.get(user).is_some_and(|(_, until)| now < *until);
        users.iter().filter(|user| !holds(user)).cloned().collect()
    }

    fn note(&self, user: UserId, is_within: Option<bool>, now: Timestamp) {
        let mut known = self.known();
        if known.len() >= PEOPLE {
            known.retain(|_, (_, until)| now < *until);
        }
        if known.len() < PEOPLE || known.contains_key(&user) {
            // What cannot be known is outside.
            let lasts = if is_within.is_some() { KEPT } else { UNKNOWN_FOR };
            known.insert(user, (is_within == Some(true), now.plus(lasts)));
        }
    }
}

impl Lately {
    fn set(&self, boundaries: &Boundaries) -> Arc<Set> {
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = sets.get(boundaries) {
            return set.clone();
        }
        if sets.len() >= SETS {
            sets.clear();
        }
        sets.entry(boundaries.clone()).or_default().clone()
    }

    fn people(&self) -> MutexGuard<'_, HashMap<UserId, (Option<Person>, Timestamp)>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what was found of a user.
    pub(crate) fn forget(&self, user: &UserId) {
        self.people().remove(user);
        for set in self.sets.lock().unwrap_or_else(PoisonError::into_inner).values() {
            set.known().remove(user);
        }
    }
}

impl Console {
    /// Whom of these the principal sees.
    pub(crate) async fn seen(
        &self,
        principal: &Principal,
        users: impl IntoIterator<Item = UserId>,
    ) -> Result<Seen, Refusal> {
        match principal.may(Duty::See) {
            Allowed::Everywhere => Ok(Seen::Everybody),
            Allowed::No => Ok(Seen::Only(HashSet::new())),
            Allowed::Within(boundaries) => {
                let users = users.into_iter().collect();
                Ok(Seen::Only(self.those_within(&boundaries, users).await?))
            }
        }
    }

    /// Those of these users who are within the boundaries.
    pub(crate) async fn those_within(
        &self,
        boundaries: &Boundaries,
        users: Vec<UserId>,
    ) -> Result<HashSet<UserId>, Refusal> {
        let (set, now) = (self.lately.set(boundaries), (self.front.clock)());
        if !set.unknown(&users, now).is_empty() {
            let _turn = set.asking.lock().await;
            let unknown = set.unknown(&users, now);
            if !unknown.is_empty() {
                self.find_out(boundaries, &set, unknown).await?;
            }
        }
        let known = set.known();
        let is_within = |user: &UserId| known.get(user).is_some_and(|(is_within, _)| *is_within);
        Ok(users.into_iter().filter(is_within).collect())
    }

    async fn find_out(
        &self,
        boundaries: &Boundaries,
        set: &Set,
        users: Vec<UserId>,
    ) -> Result<(), Refusal> {
        let homes = match boundaries.connectors.is_empty() {
            true => BTreeMap::new(),
            false => self.front.store.homes(users.iter().cloned()).await?,
        };
        let homes = &homes;
        let until = Instant::now() + PATIENCE;
        let asked = users.into_iter().map(|user| async move {
            let homes = homes.get(&user);
            let is_within = self.judged(boundaries, &user, homes, Asking::AsKept).await;
            (user, is_within)
        });
        let mut asked = std::pin::pin!(stream::iter(asked).buffer_unordered(AT_ONCE));
        while let Ok(Some((user, is_within))) = tokio::time::timeout_at(until, asked.next()).await {
            set.note(user, is_within, (self.front.clock)());
        }
        Ok(())
    }

    /// As the directory has a user, or had them a short while ago.
    pub(crate) async fn person_as_kept(&self, user: &UserId) -> Result<Option<Person>, Unasked> {
        if self.front.gate.admitted(user).is_some() {
            return self.person(user).await;
        }
        let now = (self.front.clock)();
        if let Some((person, until)) = self.lately.people().get(user)
            && now < *until
        {
            return Ok(person.clone());
        }
        let person = self.person(user).await?;
        let mut people = self.lately.people();
        if people.len() >= PEOPLE {
            people.retain(|_, (_, until)| now < *until);
        }
        // Who is not there may be made any moment.
        let lasts = if person.is_some() { PERSON_FOR } else { KEPT };
        if people.len() < PEOPLE {
            people.insert(user.clone(), (person.clone(), now.plus(lasts)));
        }
        Ok(person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_790_000_000 + seconds)
    }

    #[test]
    fn what_is_found_holds_for_a_while_and_what_cannot_be_known_for_a_shorter_one() {
        let set = Set::default();
        let [ann, bob, eve] = ["ann@x", "bob@x", "eve@x"].map(UserId::from);
        let all = [ann.clone(), bob.clone(), eve.clone()];
        assert_eq!(set.unknown(&all, at(0)).len(), 3);
        set.note(ann.clone(), Some(true), at(0));
        set.note(bob.clone(), Some(false), at(0));
        set.note(eve.clone(), None, at(0));
        assert!(set.unknown(&all, at(9)).is_empty());
        assert!(!set.known()[&eve].0, "what cannot be known is outside");
        assert_eq!(set.unknown(&all, at(11)), [eve]);
        assert_eq!(set.unknown(&all[..2], at(61)).len(), 2);
    }

    #[test]
    fn boundaries_of_which_something_is_kept_are_bounded_and_a_user_is_forgotten_in_all() {
        let lately = Lately::default();
        let boundaries = |number: usize| Boundaries {
            groups: [format!("group {number}")].into(),
            ..Boundaries::default()
        };
        let ann = UserId::from("ann@x");
        let [one, other] = [0, 1].map(|number| lately.set(&boundaries(number)));
        one.note(ann.clone(), Some(true), at(0));
        assert!(Arc::ptr_eq(&one, &lately.set(&boundaries(0))));
        assert!(other.known().is_empty(), "each for itself");
        lately.forget(&ann);
        assert!(one.known().is_empty());
        for number in 0..1_000 {
            lately.set(&boundaries(number));
        }
        assert!(lately.sets.lock().unwrap().len() <= SETS);
    }
}
