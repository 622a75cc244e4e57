//! The memory that request bodies take, of all phones together.

use dme_model::UserId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bodies up to this size are not counted: they are what a connection may cost anyhow.
pub(crate) const SMALL: u64 = 64 << 10;

/// The large bodies there are, within a limit; no user has more than a share of it.
#[derive(Debug)]
pub struct Bodies {
    limit: u64,
    share: u64,
    held: Mutex<HeldBytes>,
}

#[derive(Debug, Default)]
struct HeldBytes {
    all: u64,
    by_user: HashMap<UserId, u64>,
}

/// The room of one body, until it is dropped.
#[derive(Debug)]
pub(crate) struct BodyRoom {
    bodies: Arc<Bodies>,
    user: UserId,
    bytes: u64,
}

impl Bodies {
    /// At most `limit` bytes at once; of one user a quarter, but always one of the largest body.
    pub fn new(limit: u64, largest: u64) -> Self {
        Self { limit, share: (limit / 4).max(largest), held: Mutex::default() }
    }

    /// Room for a body of this user, which grows as it is read.
    pub(crate) fn hold(self: &Arc<Self>, user: &UserId) -> BodyRoom {
        BodyRoom { bodies: self.clone(), user: user.clone(), bytes: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, HeldBytes> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BodyRoom {
    /// Makes room for a body of so many bytes; says whether there is.
    pub fn grow_to(&mut self, bytes: u64) -> bool {
        if bytes <= SMALL || bytes <= self.bytes {
            return true;
        }
        let more = bytes - self.bytes;
        let mut held = self.bodies.lock();
        let own = held.by_user.get(&self.user).copied().unwrap_or_default();
        if held.all.saturating_add(more) > self.bodies.limit
            || own.saturating_add(more) > self.bodies.share
        {
            return false;
        }
        held.all += more;
        held.by_user.insert(self.user.clone(), own + more);
        self.bytes = bytes;
        true
    }
}

impl Drop for BodyRoom {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut held = self.bodies.lock();
        held.all = held.all.saturating_sub(self.bytes);
        if let Some(own) = held.by_user.get_mut(&self.user) {
            *own = own.saturating_sub(self.bytes);
            if *own == 0 {
                held.by_user.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn large_bodies_share_a_limit_and_give_their_room_back() {
        let bodies = Arc::new(Bodies::new(8 * MIB, 2 * MIB));
        let user = |name: &str| bodies.hold(&UserId::from(name));
        let mut all: Vec<BodyRoom> = ["a", "b", "c", "d"].map(user).into();
        for held in &mut all {
            assert!(held.grow_to(MIB) && held.grow_to(2 * MIB), "it grows as it is read");
        }
        assert!(!user("e").grow_to(MIB), "all is taken");
        assert!(user("e").grow_to(SMALL), "small ones are not counted");
        all.pop();
        assert!(user("e").grow_to(2 * MIB), "what was given back is there again");
    }

    #[test]
    fn one_user_leaves_room_for_the_others() {
        let bodies = Arc::new(Bodies::new(8 * MIB, MIB));
        let user = |name: &str| bodies.hold(&UserId::from(name));
        let mut own = [user("a"), user("a"), user("a")];
        let got = own.each_mut().map(|held| held.grow_to(MIB));
        assert_eq!(got, [true, true, false]);
        assert!(user("b").grow_to(MIB));
        drop(own);
        assert!(bodies.lock().by_user.is_empty());
    }
}
