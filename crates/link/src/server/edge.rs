//! Replicating with an edge, over its link.

use super::call::{Caller, Target};
use super::directory::request_id;
use super::gate::Work;
use super::link::Link;
use super::links::Links;
use super::not_answered::NotAnswered;
use crate::wire::call::Call;
use crate::wire::edge::{Exchange, Exchanged, Give, Take};
use crate::wire::hello::Lane;
use bytes::Bytes;
use dme_model::{ConnectorId, DeviceId, UserId};
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is larger goes beside the calls, not among them (rule L5). On a thin line the connection for
/// content costs less than this, and its making less time.
const BULK: usize = 32 << 10;

impl Links {
    /// Tells an edge what has changed here, and hears what has changed there. What is lost of it is made
    /// up for by the next.
    ///
    /// # Errors
    /// When it is not linked, no edge, does not answer in time, or fails.
    pub async fn exchange(
        &self,
        id: &ConnectorId,
        exchange: Exchange,
        limit: Duration,
    ) -> Result<Exchanged, NotAnswered> {
        // Of whom nothing is heard yet will tell all it has.
        let is_large = exchange.heard.is_none() || size(&exchange) >= BULK;
        let lane = if is_large { Lane::Bulk } else { Lane::Calls };
        Ok(self.call_edge(id, lane, exchange, Bytes::new(), limit).await?.0)
    }

    /// Has an edge give a device's states, for another place to serve it; none where it has none. It may be
    /// asked again.
    ///
    /// # Errors
    /// When it is not linked, no edge, does not answer in time, or fails.
    pub async fn give(
        &self,
        id: &ConnectorId,
        user: &UserId,
        device: &DeviceId,
        limit: Duration,
    ) -> Result<Option<Bytes>, NotAnswered> {
        let call = Give { user: Cow::Borrowed(user), device: Cow::Borrowed(device) };
        // How much there is nobody knows here.
        let (given, states) = self.call_edge(id, Lane::Bulk, call, Bytes::new(), limit).await?;
        Ok(given.found.then_some(states))
    }

    /// Has an edge take a device's states, to serve it there; none where there are none. It may be done
    /// again.
    ///
    /// # Errors
    /// When it is not linked, no edge, does not answer in time, or fails.
    pub async fn take(
        &self,
        id: &ConnectorId,
        user: &UserId,
        device: &DeviceId,
        states: Option<Bytes>,
        limit: Duration,
    ) -> Result<(), NotAnswered> {
        let (user, device) = (Cow::Borrowed(user), Cow::Borrowed(device));
        let call = Take { user, device, found: states.is_some() };
        let states = states.unwrap_or_default();
        let lane = if states.len() < BULK { Lane::Calls } else { Lane::Bulk };
        self.call_edge(id, lane, call, states, limit).await?;
        Ok(())
    }

    async fn call_edge<A>(
        &self,
        id: &ConnectorId,
        lane: Lane,
        args: A,
        blob: Bytes,
        limit: Duration,
    ) -> Result<(A::Answer, Bytes), NotAnswered>
    where
        A: Call,
        A::Answer: DeserializeOwned,
    {
        let target = Target { links: self, id };
        let request = dme_directory::asking().unwrap_or_else(request_id);
        let deadline = Instant::now() + limit;
        let caller = Caller { request: &request, deadline, clock: None, account: None };
        let link: Arc<Link> = target.link()?;
        if !link.hello.edge {
            return Err(NotAnswered::Unsupported);
        }
        Ok(target.call(&link, lane, Work::Directory, caller, args, blob).await?)
    }
}

/// Bytes of what is written of it.
fn size(exchange: &Exchange) -> usize {
    let mut counting = Counting(0);
    // What cannot be written is refused when it is to be sent.
    let _ = serde_json::to_writer(&mut counting, exchange);
    counting.0
}

/// Counts what is written, and keeps nothing of it.
struct Counting(usize);

impl io::Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
