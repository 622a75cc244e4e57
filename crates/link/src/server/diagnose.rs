//! Asking a connector how it is, over its link.

use super::call::{Caller, Target};
use super::gate::Work;
use super::links::Links;
use super::not_answered::NotAnswered;
use crate::wire::hello::Lane;
use crate::wire::upkeep::{Diagnose, Diagnosis};
use bytes::Bytes;
use dme_model::{ConnectorId, RequestId};
use std::time::{Duration, Instant};

impl Links {
    /// Has a connector try out all that it depends on, within this time.
    ///
    /// # Errors
    /// When it is not linked, of an older release, or does not answer in time.
    pub async fn diagnose(
        &self,
        id: &ConnectorId,
        limit: Duration,
    ) -> Result<Diagnosis, NotAnswered> {
        let target = Target { links: self, id };
        let request = RequestId::from("diagnose");
        let deadline = Instant::now() + limit;
        let caller = Caller { request: &request, deadline, clock: None, account: None };
        let called = async {
            let link = target.link()?;
            target.call(&link, Lane::Bulk, Work::Directory, caller, Diagnose {}, Bytes::new()).await
        };
        Ok(called.await.map(|(diagnosis, _)| diagnosis)?)
    }
}
