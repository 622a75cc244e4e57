//! Who is in which directory group, for scopes. The gate knows: it keeps the group graph and whom it
//! let in.

use dme_directory::{Gate, Person};
use dme_model::UserId;
use dme_routing::Known;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

/// Whether people are in directory groups, as far as that is known. Groups go by their ids, or by
/// their short names, and count at any depth.
pub trait Membership: Send + Sync {
    /// Whether somebody who was let in lately is in a group.
    fn of_user(&self, user: &UserId, group: &str) -> Known;

    /// Whether a person, as the directory has just told of them, is in a group.
    fn of_person(&self, person: &Person, group: &str) -> Known;

    /// The directory has told of somebody who was not let in: an administrator asks about them.
    fn told(&self, _: &Person) {}
}

/// As the gate knows it. The gate itself asks directories that ask this, so it comes later.
#[derive(Default)]
pub struct GateMembership {
    gate: OnceLock<Weak<Gate>>,
    told: Mutex<VecDeque<Person>>,
}

/// So many are remembered whom the directory has told of and the gate has not let in.
const TOLD: usize = 100;

impl GateMembership {
    /// From now on this gate is asked.
    pub fn ask(&self, gate: &Arc<Gate>) {
        // There is one gate; a second is not meant.
        let _ = self.gate.set(Arc::downgrade(gate));
    }

    fn gate(&self) -> Option<Arc<Gate>> {
        self.gate.get()?.upgrade()
    }
}

impl Membership for GateMembership {
    fn of_user(&self, user: &UserId, group: &str) -> Known {
        if let Some(who) = self.gate().and_then(|gate| gate.admitted(user)) {
            return self.of_person(&who.person, group);
        }
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let told = told.iter().rev().find(|person| person.user == *user).cloned();
        told.map_or(Known::Unknown, |person| self.of_person(&person, group))
    }

    fn told(&self, person: &Person) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|known| known.user != person.user);
        if told.len() >= TOLD {
            told.pop_front();
        }
        told.push_back(person.clone());
    }

    fn of_person(&self, person: &Person, group: &str) -> Known {
        match self.gate().and_then(|gate| gate.is_in_group(person, group)) {
            Some(true) => Known::Yes,
            Some(false) => Known::No,
            None => Known::Unknown,
        }
    }
}
