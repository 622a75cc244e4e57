//! One request of a phone that was let in: who, which device, in which version, on which mailbox.

use super::Front;
use super::bodies::BodyRoom;
use super::failure::{Failure, LATER};
use crate::metrics::Counted;
use crate::pace::Turn;
use crate::parking::Ticket;
use dme_eas::query::RequestLine;
use dme_eas::{CommonStatus, ProtocolVersion};
use dme_mailbox::{Account, ErrorKind, Mailbox};
use dme_model::{CollectionId, RequestId, Timestamp};
use dme_store::Device;
use dme_sync::{DeviceKey, Engine, FolderNo, Session};
use futures_core::future::BoxFuture;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tracing::Instrument;

/// What a command's file works with.
pub(super) struct Exchange<'a> {
    pub front: &'a Arc<Front>,
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
    /// What the request holds while anything of it goes on.
    pub held: Arc<Held>,
    /// Whether the request waited: its time then says nothing about the server.
    pub waited: AtomicBool,
    /// Bytes of its body.
    pub received: u64,
    /// Items that went or came.
    pub items: AtomicU64,
}

/// A request's turn, its place among the running ones, and the room its body takes.
pub(super) struct Held {
    _turn: Turn,
    _counted: Arc<Counted>,
    room: Mutex<Option<BodyRoom>>,
}

impl Held {
    pub fn new(turn: Turn, counted: Arc<Counted>, room: BodyRoom) -> Self {
        Self { _turn: turn, _counted: counted, room: Mutex::new(Some(room)) }
    }
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

    /// Carries out what changes something, to its end: in a task of its own, because a phone may
    /// hang up at any moment, and a mail that was sent must be written down as sent. The phone's
    /// repetition waits for the engine's lock and is then answered with what came of it. What only
    /// reads is not worth that: it ends with the phone's connection.
    pub async fn to_its_end<T, F>(&self, act: F) -> Result<T, Failure>
    where
        F: for<'s> FnOnce(&'s Engine, Session<'s>) -> BoxFuture<'s, T> + Send + 'static,
        T: Send + 'static,
    {
        self.to_its_end_on(self.mailbox().clone(), act).await
    }

    /// The same on another handle.
    pub async fn to_its_end_on<T, F>(&self, mailbox: Arc<dyn Mailbox>, act: F) -> Result<T, Failure>
    where
        F: for<'s> FnOnce(&'s Engine, Session<'s>) -> BoxFuture<'s, T> + Send + 'static,
        T: Send + 'static,
    {
        let (front, device, held) = (self.front.clone(), self.device.clone(), self.held.clone());
        let task = async move {
            let _held = held;
            let now = (front.clock)();
            act(&front.engine, Session { device: &device, mailbox: &*mailbox, now }).await
        };
        tokio::spawn(task.in_current_span()).await.map_err(|error| {
            tracing::error!(request = %self.request, %error, "a request came to no end");
            CommonStatus::ServerError.into()
        })
    }

    /// A handle with a deadline of its own, by the route there is now; for requests that waited.
    pub async fn fresh_mailbox(&self) -> Result<Arc<dyn Mailbox>, Failure> {
        match &self.mailbox {
            Source::Notice(mailbox) => Ok(mailbox.clone()),
            Source::Routed(_) => {
                let now = (self.front.clock)();
                let opened = self.front.router.open(&self.account, &self.request, now).await;
                if let (Some(outbox), Ok(_)) = (&self.front.outbox, &opened) {
                    outbox.deliver_soon(&self.front.router, &self.account);
                }
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
                // There is nothing else that a request waits for so long.
                let connector = self.front.router.serving(&self.device.user);
                let late = dme_mailbox::Error::new(ErrorKind::Timeout, "times.request");
                self.front.metrics.mailbox_error(&connector, late.name());
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

    /// Notes that the request waits. Its body is gone by then, and somebody else's may have its room.
    pub fn parked(&self) {
        self.held.room.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.waited.store(true, Ordering::Relaxed);
    }

    /// What an engine error means to the phone; logged and counted here, once.
    pub fn failed(&self, error: dme_sync::Error) -> Failure {
        if let dme_sync::Error::Mailbox(error) = &error {
            self.mailbox_failed(error);
        } else {
            tracing::info!(request = %self.request, user = %self.device.user,
                device = %self.device.device, %error, "the engine refused a request");
        }
        error.into()
    }

    /// Logs and counts an error of the mail system's.
    pub fn mailbox_failed(&self, error: &dme_mailbox::Error) {
        let connector = self.front.router.serving(&self.device.user);
        self.front.metrics.mailbox_error(&connector, error.name());
        tracing::warn!(request = %self.request, user = %self.device.user,
            device = %self.device.device, error = error.name(), context = %error,
            "the mail system failed a request");
        if error.kind == ErrorKind::Auth {
            self.front.gate.doubt(&self.device.user);
        }
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
