//! What is kept of what happened: administrators' acts, events, counts, and each device's steps.

pub mod audit;
pub mod events;
mod happened;
mod lookout;
pub mod statistics;
pub mod steps;
pub mod webhooks;
mod witnesses;

pub use happened::{EventKind, Happened};
pub(crate) use lookout::{Lookout, look_out};
pub(crate) use witnesses::Witnesses;

#[cfg(test)]
mod tests;

use crate::config::RecordsConfig;
use crate::front::{Clock, Front};
use std::sync::Arc;
use std::time::Duration;

/// How long others may write before more is dropped.
const PAUSE: Duration = Duration::from_millis(50);
/// How often what is too old is dropped.
const EXPIRY: Duration = Duration::from_secs(600);

/// Drops events and counts that are kept no longer, as long as it is polled.
pub(crate) async fn expire(front: Arc<Front>, config: RecordsConfig) {
    loop {
        tokio::time::sleep(EXPIRY).await;
        expire_once(&front, &config, &front.clock).await;
    }
}

async fn expire_once(front: &Front, config: &RecordsConfig, clock: &Clock) {
    let before = clock().minus(config.events_for.0);
    loop {
        match front.store.expire_events(before, config.events).await {
            Ok(true) => tokio::time::sleep(PAUSE).await,
            Ok(false) => break,
            Err(error) => {
                tracing::warn!(%error, "old events could not be dropped");
                break;
            }
        }
    }
    let hours = clock().minus(config.statistics_hours_for.0);
    let days = clock().minus(config.statistics_for.0);
    loop {
        match front.store.roll_counts_up(hours, days).await {
            Ok(true) => tokio::time::sleep(PAUSE).await,
            Ok(false) => break,
            Err(error) => {
                tracing::warn!(%error, "counts of hours could not be made ones of days");
                break;
            }
        }
    }
}
