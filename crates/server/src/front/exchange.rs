//! One request of a phone that was let in: who, which device, in which version, on which mailbox.

use super::Front;
use super::failure::{Failure, LATER};
use crate::parking::Ticket;
use dme_eas::ProtocolVersion;
use dme_eas::query::RequestLine;
use dme_mailbox::{Account, Mailbox};
use dme_model::{CollectionId, RequestId, Timestamp};
use dme_store::Device;
use dme_sync::{DeviceKey, Engine, FolderNo, Session};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a command's file works with.
pub(super) struct Exchange<'a> {
    pub front: &'a Front,
    pub request: RequestId,
    pub account: Account,
    pub device: DeviceKey,
    /// What the store knew of the device when the request came.
    pub record: Device,
    pub version: ProtocolVersion,
    pub line: RequestLine,
    /// `MS-ASAcceptMultiPart: T` (MS-ASHTTP 2.2.1.1.2.1).
    pub multipart: bool,
    pub now: Timestamp,
    /// Taken before the login was checked.
    pub ticket: Ticket,
    pub mailbox: Source,
    /// Whether the request waited: its time then says nothing about the server.
    pub waited: AtomicBool,
}

/// Where the device's mail comes from.
pub(super) enum Source {
    /// From the user's mail system.
    Routed(Arc<dyn Mailbox>),
    /// From us: the one mail a quarantined phone gets.
    Notice(Arc<dyn Mailbox>),
}

impl Exchange<'_> {
    pub fn front(&self) -> &Front {
        self.front
    }

    pub fn engine(&self) -> &Engine {
        &self.front.engine
    }

    pub fn mailbox(&self) -> &Arc<dyn Mailbox> {
        match &self.mailbox {
            Source::Routed(mailbox) | Source::Notice(mailbox) => mailbox,
        }
    }

    /// The engine's session on the mailbox opened when the request came.
    pub fn session(&self) -> Session<'_> {
        self.session_on(&**self.mailbox())
    }

    /// The same on another handle. The time is that of the call: a request may have waited.
    pub fn session_on<'s>(&'s self, mailbox: &'s dyn Mailbox) -> Session<'s> {
        Session { device: &self.device, mailbox, now: (self.front.clock)() }
    }

    /// A handle with a deadline of its own, by the route there is now; for requests that waited.
    pub async fn fresh_mailbox(&self) -> Result<Arc<dyn Mailbox>, Failure> {
        match &self.mailbox {
            Source::Notice(mailbox) => Ok(mailbox.clone()),
            Source::Routed(_) => {
                let now = (self.front.clock)();
                let opened = self.front.router.open(&self.account, &self.request, now).await;
                opened.map_err(|error| self.failed(error.into()))
            }
        }
    }

    /// Does what does not wait within the time a request has (`times.request`).
    pub async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        match tokio::time::timeout(self.front.times.request.0, work).await {
            Ok(done) => done,
            Err(_) => {
                tracing::warn!(request = %self.request, user = %self.device.user,
                    device = %self.device.device, "a request took longer than times.request");
                Err(Failure::Later(LATER))
            }
        }
    }

    /// Whether the phone sees only the one mail that explains.
    pub fn is_quarantined(&self) -> bool {
        matches!(self.mailbox, Source::Notice(_))
    }

    /// Whether the answer may be of several parts: by the header, or the base64 query.
    pub fn accepts_multipart(&self) -> bool {
        self.line.parameters.accept_multi_part || self.multipart
    }

    /// Notes that the request waits.
    pub fn parked(&self) {
        self.waited.store(true, Ordering::Relaxed);
    }

    /// What an engine error means to the phone; logged and counted here, once.
    pub fn failed(&self, error: dme_sync::Error) -> Failure {
        if let dme_sync::Error::Mailbox(error) = &error {
            self.front.metrics.mailbox_error(error.name());
            tracing::warn!(request = %self.request, user = %self.device.user,
                device = %self.device.device, error = error.name(), context = %error,
                "the mail system failed a request");
            if error.kind == dme_mailbox::ErrorKind::Auth {
                self.front.gate.doubt(&self.device.user);
            }
        } else {
            tracing::info!(request = %self.request, user = %self.device.user,
                device = %self.device.device, %error, "the engine refused a request");
        }
        error.into()
    }

    /// The numbers of the folders the phone was told of.
    pub async fn known_folder_numbers(&self) -> Result<BTreeSet<FolderNo>, Failure> {
        let folders = self.engine().known_folders(self.session()).await;
        Ok(folders.map_err(|error| self.failed(error))?.iter().map(|entry| entry.no).collect())
    }

    /// The collections of these folders.
    pub async fn collections_of(
        &self,
        folders: &[FolderNo],
    ) -> Result<Vec<(FolderNo, CollectionId)>, Failure> {
        let collections = self.engine().collections_of(self.session(), folders).await;
        collections.map_err(|error| self.failed(error))
    }
}
