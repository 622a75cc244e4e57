//! Has the connectors sign the newest row of the record of acts: when they link, and hourly.

use super::events::Events;
use super::happened::{EventKind, Happened, name_or_id};
use crate::front::Clock;
use dme_audit::{Hash, Head, Row, digest};
use dme_link::{Authority, Countersigned, LinkEvent, Links, NotAnswered};
use dme_model::ConnectorId;
use dme_store::Store;
use futures_util::StreamExt;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// How long a connector may take to sign.
const LIMIT: Duration = Duration::from_secs(60);
/// Entries whose digests are sent at a time: 32 KiB.
const STEP: u32 = 1_024;
/// Connectors that are asked at once.
const AT_ONCE: usize = 32;
/// How long connectors that come are waited for, to be asked together.
const GATHER: Duration = Duration::from_secs(1);

/// Those who sign, and what they sign.
pub(crate) struct Witnesses {
    pub store: Store,
    pub links: Links,
    pub authority: Arc<Authority>,
    pub events: Events,
    pub clock: Clock,
    /// How often they are asked.
    pub every: Duration,
}

impl Witnesses {
    /// Asks them, as long as it is polled.
    pub async fn run(self) {
        let mut events = self.links.subscribe();
        let mut ticks = tokio::time::interval(self.every);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.ask_all().await,
                event = events.recv() => match event {
                    Ok(LinkEvent::Connected(id)) => {
                        // Many may come at once, as after a restart.
                        tokio::time::sleep(GATHER).await;
                        let mut came = BTreeSet::from([id]);
                        while let Ok(event) = events.try_recv() {
                            if let LinkEvent::Connected(id) = event {
                                came.insert(id);
                            }
                        }
                        self.ask_each(came).await;
                    }
                    Ok(LinkEvent::Lost { .. } | LinkEvent::News(_)) => {}
                    Err(RecvError::Lagged(_)) => self.ask_all().await,
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }

    async fn ask_all(&self) {
        let linked = self.links.connectors().into_iter().filter(|link| link.peer.is_some());
        self.ask_each(linked.map(|link| link.id).collect()).await;
        if let Err(error) = self.sign().await {
            tracing::warn!(%error, "the server's authority did not sign the record of acts");
        }
    }

    async fn ask_each(&self, ids: BTreeSet<ConnectorId>) {
        let asked = ids.into_iter().map(|id| async move { self.ask(&id).await });
        futures_util::stream::iter(asked).buffer_unordered(AT_ONCE).collect::<()>().await;
    }

    /// The server's own authority signs too: weaker, for who has taken the server over can sign
    /// anew, and all there is where the only connector is in the server's process.
    async fn sign(&self) -> Result<(), String> {
        let failed = |error: dme_store::Error| error.to_string();
        let Some(head) = self.store.audit_head().await.map_err(failed)? else { return Ok(()) };
        if self.store.last_signed(None).await.map_err(failed)? >= head.number {
            return Ok(());
        }
        let signed = self.authority.countersign(head, (self.clock)());
        let signed = signed.map_err(|error| error.to_string())?;
        self.store.put_signature(None, &signed).await.map_err(failed)
    }

    async fn ask(&self, id: &ConnectorId) {
        // One in this process signs nothing that the server does not sign itself.
        let Some(link) = self.links.connector(id).filter(|link| link.peer.is_some()) else {
            return;
        };
        let name = name_or_id(&link.name, id);
        match self.have_signed(id, &name).await {
            Ok(()) => {}
            Err(NotSigned::Link(NotAnswered::Unsupported)) => {
                tracing::debug!(connector = name, "its release countersigns nothing");
            }
            Err(error) => {
                tracing::warn!(connector = name, %error, "the record of acts is not countersigned");
            }
        }
    }

    /// Has one connector sign what it did not sign yet, in as many steps as it takes.
    async fn have_signed(&self, id: &ConnectorId, name: &str) -> Result<(), NotSigned> {
        let Some(newest) = self.store.audit_head().await? else { return Ok(()) };
        let mut from = self.store.last_signed(Some(id)).await?;
        if from >= newest.number {
            return Ok(());
        }
        // One that never signed for us is asked without digests: it says where to begin, or signs.
        let mut first = from == 0;
        let mut asked_from = None;
        loop {
            let (head, digests) =
                if first { (newest, vec![]) } else { self.next(from, newest).await? };
            first = false;
            match self.links.countersign(id, head, from, &digests, LIMIT).await? {
                Countersigned::Signed(signature) => {
                    self.store.put_signature(Some(id), &signature).await?;
                    if head.number >= newest.number {
                        return Ok(());
                    }
                    from = head.number;
                }
                Countersigned::From(number) if asked_from != Some(number) => {
                    asked_from = Some(number);
                    from = number;
                }
                Countersigned::From(_) => return Err(NotSigned::Insists),
                Countersigned::Refused(contradiction) => {
                    tracing::error!(connector = name, %contradiction,
                        "a connector says that the record of administrators' acts is not the one \
                         it signed: see `dme audit verify`");
                    let words = format!("connector {name} does not sign: {contradiction}");
                    self.events
                        .note(Happened::new(EventKind::AuditContradicted, words).connector(name));
                    return Ok(());
                }
            }
        }
    }

    /// The next rows after this one: the last of them, and the digests of all.
    async fn next(&self, from: u64, newest: Head) -> Result<(Head, Vec<Hash>), NotSigned> {
        let rows = self.store.audit_rows(from, STEP).await?;
        let rows: Vec<Row> =
            rows.into_iter().collect::<Result<_, _>>().map_err(NotSigned::Broken)?;
        let rows: Vec<Row> =
            rows.into_iter().filter(|row| row.entry.number <= newest.number).collect();
        let digests = rows.iter().map(|row| digest(&row.entry)).collect();
        // Where there are none, it remembers more than there is, and says so of the newest.
        Ok((rows.last().map_or(newest, Row::head), digests))
    }
}

#[derive(Debug, thiserror::Error)]
enum NotSigned {
    #[error(transparent)]
    Store(#[from] dme_store::Error),
    #[error(transparent)]
    Link(#[from] NotAnswered),
    #[error("row {0} is none: see `dme audit verify`")]
    Broken(u64),
    #[error("it asks for the same entries again")]
    Insists,
}
