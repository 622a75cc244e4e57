//! Who is in which directory group, for scopes. The gate knows: it keeps the group graph and whom it
//! let in.

use dme_directory::{Gate, Person};
use dme_model::UserId;
use dme_routing::Known;
use std::sync::{Arc, OnceLock, Weak};

/// Whether people are in directory groups, as far as that is known. Groups go by their ids, or by
/// their short names, and count at any depth.
pub trait Membership: Send + Sync {
    /// Whether somebody who was let in lately is in a group.
    fn of_user(&self, user: &UserId, group: &str) -> Known;

    /// Whether a person, as the directory has just told of them, is in a group.
    fn of_person(&self, person: &Person, group: &str) -> Known;
}

/// As the gate knows it. The gate itself asks directories that ask this, so it comes later.
#[derive(Default)]
pub struct GateMembership(OnceLock<Weak<Gate>>);

impl GateMembership {
    /// From now on this gate is asked.
    pub fn ask(&self, gate: &Arc<Gate>) {
        // There is one gate; a second is not meant.
        let _ = self.0.set(Arc::downgrade(gate));
    }

    fn gate(&self) -> Option<Arc<Gate>> {
        self.0.get()?.upgrade()
    }
}

impl Membership for GateMembership {
    fn of_user(&self, user: &UserId, group: &str) -> Known {
        let admitted = self.gate().and_then(|gate| gate.admitted(user));
        admitted.map_or(Known::Unknown, |who| self.of_person(&who.person, group))
    }

    fn of_person(&self, person: &Person, group: &str) -> Known {
        match self.gate().and_then(|gate| gate.is_in_group(person, group)) {
            Some(true) => Known::Yes,
            Some(false) => Known::No,
            None => Known::Unknown,
        }
    }
}
