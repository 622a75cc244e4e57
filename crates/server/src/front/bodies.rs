//! Request bodies: read within limits of size and time, and the memory that those of all phones take
//! together.

use super::Front;
use super::failure::{Failure, LATER};
use bytes::Bytes;
use dme_model::UserId;
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::Incoming;
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

impl Front {
    /// A body from someone who has not logged in yet.
    pub(super) async fn read_small_body(&self, body: Incoming) -> Result<Bytes, Failure> {
        let limit = self.limits.body_before_login.0;
        self.read_body(body, limit, |_| true).await
    }

    /// A body from a user who has logged in, and the room it takes.
    pub(super) async fn read_users_body(
        &self,
        body: Incoming,
        user: &UserId,
    ) -> Result<(Bytes, BodyRoom), Failure> {
        let mut held = self.bodies.hold(user);
        let read = self.read_body(body, self.limits.body.0, |size| held.grow_to(size)).await?;
        Ok((read, held))
    }

    /// A body within its limits of size and time. Before each piece is kept, `room` is asked
    /// whether the body may grow to that size.
    async fn read_body(
        &self,
        body: Incoming,
        limit: u64,
        mut room: impl FnMut(u64) -> bool,
    ) -> Result<Bytes, Failure> {
        let mut grow = |size: u64| match size {
            size if size > limit => Err(Failure::Http(StatusCode::PAYLOAD_TOO_LARGE)),
            size if !room(size) => Err(Failure::Later(LATER)),
            _ => Ok(()),
        };
        // What is announced is refused before it is read.
        grow(http_body::Body::size_hint(&body).lower())?;
        let read = async {
            let mut body = std::pin::pin!(body);
            let mut pieces = Vec::new();
            let mut size = 0;
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|_| Failure::Http(StatusCode::BAD_REQUEST))?;
                let Ok(piece) = frame.into_data() else { continue };
                size += piece.len() as u64;
                grow(size)?;
                pieces.push(piece);
            }
            Ok(match pieces.len() {
                1 => pieces.pop().unwrap_or_default(),
                _ => pieces.concat().into(),
            })
        };
        match tokio::time::timeout(self.times.body.0, read).await {
            Ok(read) => read,
            Err(_) => Err(Failure::Http(StatusCode::REQUEST_TIMEOUT)),
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
