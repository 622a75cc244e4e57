//! What a connector does for its server beside its services: it takes configurations, and tells how
//! it is.

use super::serve::{Asked, Unanswerable, write};
use super::session::Shared;
use crate::wire::body::Outgoing;
use crate::wire::call::{Call, Head};
use crate::wire::upkeep::{Diagnose, Diagnosis};
use crate::{Configuration, ConfigurationReport, Services};
use async_trait::async_trait;
use bytes::Bytes;
use dme_directory::Error;
use std::time::Duration;
use tracing::{Instrument, info_span};

/// How long before its deadline a diagnosis is given up, so that the reason still arrives.
const MARGIN: Duration = Duration::from_secs(1);

/// What a connector does for its server beside its services.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// What to tell the server of the configuration.
    fn report(&self) -> ConfigurationReport;

    /// Takes a configuration, and keeps it. Answers the services there are from now on; none where
    /// it is refused, or in force already: [`Upkeep::report`] then says why.
    async fn configure(&self, configuration: Configuration) -> Option<Services>;

    /// Tries out everything that can be tried without a user, and gathers what helps to find a fault.
    async fn diagnose(&self) -> Diagnosis;
}

pub(super) async fn dispatch(
    shared: &Shared,
    name: &str,
    asked: Asked,
) -> Result<Outgoing, Unanswerable> {
    let upkeep = shared.undying.upkeep.as_deref().ok_or(Unanswerable::Unknown)?;
    if name != Diagnose::NAME {
        return Err(Unanswerable::Unknown);
    }
    let head: Head<'_, Diagnose> = asked.head()?;
    let context = head.context();
    let deadline = context.deadline.checked_sub(MARGIN).unwrap_or(context.deadline);
    let diagnosis = tokio::time::timeout_at(deadline.into(), upkeep.diagnose())
        .instrument(info_span!("call", request = %context.request))
        .await;
    write(diagnosis.map_err(|_| Error::Busy("it took too long".into())), Bytes::new())
}
