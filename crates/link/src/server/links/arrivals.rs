//! How connections become links, and how links end.

use super::{LinkEvent, Links, lock};
use crate::server::half::Half;
use crate::server::link::{ControlQueue, DRAIN_LIMIT, Link, until_lost};
use crate::wire::hello::{Hello, Lane};
use crate::{ConnectorRecord, ConnectorState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long it may take to heed what a connector said last.
const LAST_WORDS: Duration = Duration::from_secs(1);

impl Links {
    /// Takes one connection of a link. With that for calls the link stands, until it is lost, where
    /// the other comes on demand; else with the second. The call of the first connection lasts as long
    /// as the link.
    pub(in crate::server) async fn attach(
        &self,
        arrived: Box<(Half, Hello, ConnectorRecord)>,
        peer: String,
        down: &CancellationToken,
    ) {
        // The box ends here, and not with the link.
        let (half, hello, record) = std::convert::identity(*arrived);
        let half = Box::new(half);
        match (half.lane, hello.bulk_on_demand) {
            (Lane::Calls, true) => {
                let (link, queue) = self.assemble(&half, None, hello, record, peer);
                Box::pin(self.keep(half, None, link, queue)).await;
            }
            (Lane::Bulk, true) => {
                let link = self.link(&record.id);
                match link.filter(|link| link.hello.session == hello.session) {
                    Some(link) => Box::pin(link.carry(half)).await,
                    None => warn!(connector = record.name, "content for a link that is gone"),
                }
            }
            (_, false) => Box::pin(self.pair(half, hello, record, peer, down)).await,
        }
    }

    /// Takes one of two connections that come at once.
    async fn pair(
        &self,
        half: Box<Half>,
        hello: Hello,
        record: ConnectorRecord,
        peer: String,
        down: &CancellationToken,
    ) {
        let key = (record.id.clone(), hello.session.clone());
        let (sender, second) = oneshot::channel();
        {
            let mut halves = lock(&self.0.halves);
            if let Some(first) = halves.remove(&key) {
                drop(halves);
                if first.send(half).is_err() {
                    warn!(connector = record.name, "the first connection of its link is gone");
                }
                return;
            }
            halves.insert(key.clone(), sender);
        }
        let second = tokio::time::timeout(self.0.config.pairing_limit, second);
        let Some(Ok(Ok(second))) = down.run_until_cancelled(second).await else {
            lock(&self.0.halves).remove(&key);
            warn!(connector = record.name, "the second connection of its link did not come");
            return;
        };
        let (calls, bulk) = match (half.lane, second.lane) {
            (Lane::Calls, Lane::Bulk) => (half, second),
            (Lane::Bulk, Lane::Calls) => (second, half),
            _ => {
                warn!(connector = record.name, "both connections of its link are for the same");
                return;
            }
        };
        let (link, queue) = self.assemble(&calls, Some(&bulk), hello, record, peer);
        Box::pin(self.keep(calls, Some(bulk), link, queue)).await;
    }

    /// The link of these connections.
    fn assemble(
        &self,
        calls: &Half,
        bulk: Option<&Half>,
        hello: Hello,
        record: ConnectorRecord,
        peer: String,
    ) -> (Arc<Link>, ControlQueue) {
        let limits = self.limits_of(&record.name);
        let meter = self.meter(&record.id);
        let since = self.begins();
        let (link, queue) =
            Link::new(record.id, record.name, hello, peer, since, meter, &limits, calls, bulk);
        (Arc::new(link), queue)
    }

    /// Keeps a link until it is lost.
    async fn keep(
        &self,
        mut calls: Box<Half>,
        mut bulk: Option<Box<Half>>,
        link: Arc<Link>,
        queue: ControlQueue,
    ) {
        let id = link.id.clone();
        // The one before goes on with what runs on it, until its connector ends it.
        let before = lock(&self.0.links).insert(id.clone(), link.clone());
        lock(&self.0.away).remove(&id);
        info!(connector = link.name, %id, peer = link.peer, replaced = before.is_some(), "linked");
        if let Some(before) = before {
            // Unless its connector is not the one that has linked: then nothing else ends it.
            tokio::spawn(async move {
                tokio::time::sleep(DRAIN_LIMIT).await;
                before.closed.cancel();
            });
        }
        self.tell(LinkEvent::Connected(id.clone()));
        // It may have been locked between its hello and its entry here.
        match self.0.registrar.book().get(&id).await {
            Ok(Some(record)) if record.state == ConnectorState::Unlocked => {}
            _ => link.closed.cancel(),
        }
        let mut control = tokio::spawn({
            let (link, links) = (link.clone(), self.clone());
            async move { link.control(&links, queue).await }
        });
        let reason = until_lost(&link, &mut calls, bulk.as_deref_mut()).await;
        link.closed.cancel();
        // What the connector said before the end is heard still.
        drop((calls, bulk));
        let _ = tokio::time::timeout(LAST_WORDS, &mut control).await;
        control.abort();
        let mut links = lock(&self.0.links);
        let was_current = links.get(&id).is_some_and(|current| Arc::ptr_eq(current, &link));
        if was_current {
            links.remove(&id);
            // Before the loss is told, so that whoever hears of it finds it here.
            let away = link.away_until().map(|until| (id.clone(), until));
            lock(&self.0.away).extend(away);
            self.note_times(&link);
        }
        drop(links);
        info!(connector = link.name, %id, reason, was_current, "link ended");
        if was_current {
            self.tell(LinkEvent::Lost { id, reason });
        }
    }

    /// A link is lost: what its connector said on it holds from here on.
    fn note_times(&self, link: &Link) {
        let mut times = lock(&self.0.times);
        let before = times.remove(&link.id).map(|(times, _)| times);
        let times_now = link.times().unwrap_or(before);
        times.extend(times_now.map(|said| (link.id.clone(), (said, Some(link.since)))));
    }
}
