//! Parks a phone until something changes, its time is over, or it must go (rules S7 and A5).
//!
//! The place at the watch is taken before the first look, so that nothing that happens in between
//! is missed. What the watch tells is a hint: whether the phone would be told anything is looked up
//! each time, so that a change that is not for this phone does not wake it.

use super::exchange::Exchange;
use super::failure::{Failure, LATER};
use crate::watch::Roused;
use dme_model::CollectionId;
use dme_sync::FolderNo;
use std::time::Duration;
use tokio::time::Instant;

/// How long a phone waits for its watch to stand before it is parked all the same.
const WATCH_PATIENCE: Duration = Duration::from_secs(10);

/// How a wait ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// These folders have something for the phone.
    Changed(Vec<FolderNo>),
    /// The list of folders has changed.
    Hierarchy,
    /// Nothing happened in the time, or the phone must ask anew: the server goes down, a newer
    /// request of the phone takes this one's place, its owner's access was withdrawn.
    Expired,
}

pub(super) async fn wait_for_change(
    exchange: &Exchange<'_>,
    folders: &[FolderNo],
    limit: Duration,
) -> Result<Outcome, Failure> {
    let end = Instant::now() + limit;
    let front = exchange.front();
    let mut stay = front.parking.park(&exchange.device, exchange.ticket);
    if exchange.is_quarantined() {
        // There is nothing to watch; an administrator's decision ends the stay.
        let _parked = front.metrics.park();
        exchange.parked();
        tokio::select! {
            () = tokio::time::sleep_until(end) => {}
            () = stay.ended() => {}
            () = front.stop.cancelled() => {}
        }
        return Ok(Outcome::Expired);
    }
    let collections = Box::pin(exchange.collections_of(folders)).await?;
    let ids: Vec<CollectionId> = collections.iter().map(|(_, id)| id.clone()).collect();
    let sit = front.watches.sit(&exchange.account, &ids, WATCH_PATIENCE.min(limit));
    let mut seat = Box::pin(sit).await;
    let mut look: Vec<FolderNo> = folders.to_vec();
    let mut look_at_hierarchy = true;
    let mut waits = false;
    loop {
        // When to look again where the last look came to nothing.
        let mut again = None;
        match Box::pin(look_now(exchange, &look, look_at_hierarchy)).await {
            Ok(Some(outcome)) => return Ok(outcome),
            Ok(None) => {}
            // The mail system is down: the phone stays parked and is roused when it is back.
            Err(Failure::Later(_)) if !seat.stands() => {}
            // Somebody has too much to do, and says for how long: who waits already goes on waiting.
            Err(Failure::Later(after)) if waits && after < LATER => {
                again = Some(Instant::now() + after);
            }
            Err(failure) => return Err(failure),
        }
        waits = true;
        let _parked = front.metrics.park();
        exchange.parked();
        let roused = tokio::select! {
            roused = seat.roused(&ids) => roused,
            () = tokio::time::sleep_until(end) => return Ok(Outcome::Expired),
            () = stay.ended() => return Ok(Outcome::Expired),
            () = front.stop.cancelled() => return Ok(Outcome::Expired),
            () = tokio::time::sleep_until(again.unwrap_or(end)), if again.is_some() => {
                Roused::Anything
            }
        };
        (look, look_at_hierarchy) = match roused {
            // Nor is what was not seen forgotten for what is told meanwhile.
            _ if again.is_some() => (folders.to_vec(), true),
            Roused::Collections(changed) => {
                let numbers =
                    collections.iter().filter(|(_, id)| changed.contains(id)).map(|(no, _)| *no);
                (numbers.collect(), false)
            }
            Roused::Hierarchy => (Vec::new(), true),
            Roused::Anything => (folders.to_vec(), true),
        };
    }
}

/// Whether the phone would be told anything, asked with a deadline of its own.
async fn look_now(
    exchange: &Exchange<'_>,
    folders: &[FolderNo],
    hierarchy: bool,
) -> Result<Option<Outcome>, Failure> {
    let mailbox = exchange.fresh_mailbox().await?;
    let session = exchange.session_on(&*mailbox);
    let engine = exchange.engine();
    if !folders.is_empty() {
        let changed = engine
            .changed_folders(session, folders)
            .await
            .map_err(|error| exchange.failed(error))?;
        if !changed.is_empty() {
            let now = (exchange.front().clock)();
            exchange.front().steps.roused(&exchange.device, &changed, now);
            return Ok(Some(Outcome::Changed(changed)));
        }
    }
    if hierarchy {
        match engine.hierarchy_changed(session).await.map_err(|error| exchange.failed(error)) {
            Ok(true) => return Ok(Some(Outcome::Hierarchy)),
            Ok(false) => {}
            // Of the folders asked about everything is known: what lies beside them can wait.
            Err(Failure::Later(_)) if !folders.is_empty() => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(None)
}
