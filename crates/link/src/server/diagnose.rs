//! Asking a connector how it is, over its link.

use super::call::{Caller, Failed, Target};
use super::gate::Work;
use super::links::Links;
use crate::wire::directory;
use crate::wire::hello::Lane;
use crate::wire::upkeep::{Diagnose, Diagnosis};
use bytes::Bytes;
use dme_directory::Error;
use dme_model::{ConnectorId, RequestId};
use std::time::{Duration, Instant};

/// Why a connector does not tell how it is, or does not sign.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotDiagnosed {
    /// There is no link, or it was lost, or the connector cannot do it.
    #[error("{0}")]
    Unavailable(String),
    /// Its release cannot.
    #[error("unsupported: the connector's release does not know this; upgrade it")]
    Unsupported,
    /// It did not end in time, or is too busy.
    #[error("the connector did not answer in time: {0}")]
    Late(String),
    /// Its answer is none.
    #[error("the connector's answer cannot be read: {0}")]
    Unreadable(String),
}

impl Links {
    /// Has a connector try out all that it depends on, within this time.
    ///
    /// # Errors
    /// When it is not linked, of an older release, or does not answer in time.
    pub async fn diagnose(
        &self,
        id: &ConnectorId,
        limit: Duration,
    ) -> Result<Diagnosis, NotDiagnosed> {
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

impl From<Failed> for NotDiagnosed {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Unavailable(why) => Self::Unavailable(why),
            Failed::Unsupported => Self::Unsupported,
            Failed::Busy(_) => Self::Late("it has too much to do".into()),
            Failed::Timeout => Self::Late("the link is slow, or what was asked is".into()),
            Failed::Protocol(what) => Self::Unreadable(what),
            Failed::Said(value) => match directory::error(value) {
                Error::Unavailable(why) => Self::Unavailable(why),
                Error::Protocol(what) => Self::Unreadable(what),
                error => Self::Late(error.to_string()),
            },
        }
    }
}
