//! Messages of a folder one after another: in batches where they are small, each for itself where
//! they are not, and never more in memory than there is room for.

use super::{WHOLE, merge, whole_message};
use crate::changes::{FIGURES, uids};
use crate::error::WireError;
use crate::large;
use crate::mailbox::{Shared, uid};
use crate::marks;
use crate::pool::{Freshness, Lease};
use crate::session::Session;
use crate::wire::command::Command;
use crate::wire::response::{Fetch, Untagged};
use bytes::Bytes;
use dme_mailbox::{Account, ByteRange, Result};
use dme_mime::Envelope;
use dme_model::{BodyKind, BodyView, ItemId, MimeSupport};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

/// Messages asked for at once, of each at most [`WHOLE`] bytes; a larger one is read for itself.
const BATCH: usize = 32;
/// Messages read ahead of their conversion.
const AHEAD: usize = 16;
/// Bytes of messages read ahead of their conversion; a larger message is so for itself.
const AHEAD_BYTES: u32 = 8 << 20;

/// A message as it was read.
pub(super) enum Raw {
    /// All of it.
    Whole(Envelope, Bytes),
    /// What is shown of it.
    Part(Box<large::Large>),
    Gone,
    /// It cannot be read; why.
    Unreadable(String),
}

/// Reads the messages of one fetch and hands them over.
pub(super) struct Reader {
    shared: Arc<Shared>,
    account: Account,
    deadline: Instant,
    name: String,
    view: BodyView,
    /// How much of a message is wanted as it is, where it is wanted as MIME.
    wanted: u64,
    out: mpsc::Sender<Result<Handed>>,
    /// The bytes that may still be read ahead.
    room: Arc<Semaphore>,
}

/// A message on its way to conversion. It takes its room until it is converted.
pub(super) type Handed = (ItemId, Raw, Option<OwnedSemaphorePermit>);

/// Why reading ended.
enum End {
    /// The line or the server failed.
    Failed(WireError),
    /// Nobody waits for the rest.
    Unwanted,
}

impl From<WireError> for End {
    fn from(error: WireError) -> Self {
        Self::Failed(error)
    }
}

/// How much of a message is wanted as it is, where it is wanted as MIME.
fn wanted(view: &BodyView, max: u64) -> u64 {
    let mime = view.preferences.iter().find(|it| it.kind == BodyKind::Mime);
    match (mime, view.mime) {
        (Some(mime), MimeSupport::Always | MimeSupport::Smime) => match mime.truncation {
            // Some more than asked for, because of what conversion may take away.
            Some(wanted) => wanted.saturating_mul(2).min(max),
            None => max,
        },
        _ => 0,
    }
}

impl Reader {
    /// A reader of this folder, and where what it reads comes out.
    pub(super) fn new(
        shared: Arc<Shared>,
        account: Account,
        deadline: Instant,
        name: String,
        view: &BodyView,
    ) -> (Self, mpsc::Receiver<Result<Handed>>) {
        let (out, incoming) = mpsc::channel(AHEAD);
        let wanted = wanted(view, shared.pool.config.max_message_size.0);
        let room = Arc::new(Semaphore::new(AHEAD_BYTES as usize));
        let view = view.clone();
        (Self { shared, account, deadline, name, view, wanted, out, room }, incoming)
    }

    /// Reads these items on a session on which the folder is selected.
    pub(super) async fn run(self, mut lease: Lease, items: Vec<ItemId>) {
        let mut freshness = Freshness::Any;
        let mut left = items.as_slice();
        let mut asked = false;
        while !left.is_empty() {
            let mut handed = 0;
            let read = tokio::select! {
                read = self.batch(&mut lease, left, asked, &mut handed) => read,
                // Nobody waits for it any longer; the session is closed if it is busy.
                () = self.out.closed() => return,
            };
            left = left.get(handed..).unwrap_or_default();
            if handed > 0 {
                freshness = Freshness::Any;
            }
            match read {
                Ok(asked_next) => asked = asked_next,
                Err(End::Unwanted) => return,
                Err(End::Failed(error))
                    if error.is_lost_session() && freshness == Freshness::Any =>
                {
                    freshness = Freshness::New;
                    asked = false;
                    match self.renew().await {
                        Ok(renewed) => lease = renewed,
                        Err(error) => {
                            let _ = self.out.send(Err(error)).await;
                            return;
                        }
                    }
                }
                Err(End::Failed(error)) => {
                    let _ = self.out.send(Err(error.told("fetch"))).await;
                    return;
                }
            }
        }
    }

    /// Reads the first of these items and hands them on in their order, each as soon as it is
    /// there; `handed` counts them. Says whether those after them have been asked for.
    async fn batch(
        &self,
        session: &mut Session,
        items: &[ItemId],
        asked: bool,
        handed: &mut usize,
    ) -> Result<bool, End> {
        let (batch, next) = items.split_at(items.len().min(BATCH));
        if !asked {
            self.ask(session, batch).await?;
        }
        let mut found = self.answers(session, batch).await?;
        let mut asked = false;
        if !next.is_empty() && !found.values().any(|fetch| is_longer(fetch)) {
            self.ask(session, next.get(..BATCH).unwrap_or(next)).await?;
            asked = true;
        }
        // An item asked for twice is there twice.
        let mut uses: HashMap<u32, usize> = HashMap::new();
        for uid in batch.iter().filter_map(uid) {
            *uses.entry(uid).or_default() += 1;
        }
        for item in batch {
            let fetch = uid(item).and_then(|uid| {
                let uses = uses.get_mut(&uid)?;
                *uses -= 1;
                if *uses == 0 { found.remove(&uid) } else { found.get(&uid).cloned() }
            });
            let (raw, room) = match fetch {
                None => (Raw::Gone, None),
                Some(fetch) if is_longer(&fetch) => self.longer(session, &fetch).await?,
                Some(fetch) => {
                    let raw = whole(&fetch);
                    let room = self.room(raw.len()).await;
                    (raw, room)
                }
            };
            if self.out.send(Ok((item.clone(), raw, room))).await.is_err() {
                return Err(End::Unwanted);
            }
            *handed += 1;
        }
        Ok(asked)
    }

    /// Room for so many bytes; for a message larger than all there is, all of it.
    async fn room(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes).unwrap_or(AHEAD_BYTES).min(AHEAD_BYTES);
        self.room.clone().acquire_many_owned(bytes).await.ok()
    }

    async fn renew(&self) -> Result<Lease> {
        let pool = &self.shared.pool;
        let renewed = async {
            let mut lease = pool.lease(&self.account, None, Freshness::New, self.deadline).await?;
            lease.select(&self.name).await?;
            Ok(lease)
        };
        renewed.await.map_err(|error: WireError| error.told("fetch"))
    }

    async fn ask(&self, session: &mut Session, batch: &[ItemId]) -> Result<(), WireError> {
        let set = uids(batch.iter().filter_map(uid)).to_sequence();
        if set.is_empty() {
            return Ok(());
        }
        let command =
            format!("UID FETCH {set} (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.{WHOLE}>)");
        let beginning = usize::try_from(WHOLE).unwrap_or(usize::MAX);
        let allowed = batch.len().saturating_mul(beginning + FIGURES).saturating_add(1 << 20);
        session.send(&[Command::new(command).allowing(allowed)]).await
    }

    /// What the server says of the messages of a batch that was asked for; nothing of others.
    async fn answers(
        &self,
        session: &mut Session,
        batch: &[ItemId],
    ) -> Result<HashMap<u32, Box<Fetch>>, WireError> {
        let asked = uids(batch.iter().filter_map(uid));
        let mut found: HashMap<u32, Box<Fetch>> = HashMap::with_capacity(batch.len());
        if !asked.is_empty() {
            session
                .finish(|told| {
                    if let Untagged::Fetch(fetch) = told
                        && let Some(uid) = fetch.uid
                        && asked.contains_number(uid)
                    {
                        merge(&mut found, uid, fetch);
                    }
                })
                .await??;
        }
        Ok(found)
    }

    /// A message of which only the beginning is there: as much of it as is wanted. The room is
    /// taken before it is read.
    async fn longer(
        &self,
        session: &mut Session,
        fetch: &Fetch,
    ) -> Result<(Raw, Option<OwnedSemaphorePermit>), WireError> {
        let Raw::Whole(envelope, beginning) = whole(fetch) else { return Ok((Raw::Gone, None)) };
        let Some(uid) = fetch.uid else { return Ok((Raw::Gone, None)) };
        // Of the beginning that was read, nothing more is wanted where it is long enough.
        let more = self.wanted > WHOLE;
        if more && self.view.mime == MimeSupport::Always {
            return self.as_it_is(session, uid, envelope).await;
        }
        let room = self.room(2 * WHOLE).await;
        let large = large::read(session, uid, envelope, beginning).await?;
        // Only now is it known whether a signed mail is wanted as it is.
        if more && self.view.mime == MimeSupport::Smime && large.is_smime() {
            drop(room);
            return self.as_it_is(session, uid, large.envelope).await;
        }
        Ok((Raw::Part(Box::new(large)), room))
    }

    /// As much of a message as is wanted as it is.
    async fn as_it_is(
        &self,
        session: &mut Session,
        uid: u32,
        envelope: Envelope,
    ) -> Result<(Raw, Option<OwnedSemaphorePermit>), WireError> {
        let max = self.shared.pool.config.max_message_size.0;
        let size = envelope.size;
        if size > max && self.wanted >= max {
            let why = format!("it has {size} bytes, more than max_message_size");
            return Ok((Raw::Unreadable(why), None));
        }
        let room = self.room(size.min(self.wanted)).await;
        if size <= self.wanted {
            let all = whole_message(session, uid, None).await?;
            return Ok((Raw::Whole(envelope, all.data), room));
        }
        let range = ByteRange { start: 0, length: self.wanted };
        let beginning = whole_message(session, uid, Some(range)).await?.data;
        let large = large::read(session, uid, envelope, beginning).await?;
        Ok((Raw::Part(Box::new(large)), room))
    }
}

impl Raw {
    fn len(&self) -> u64 {
        match self {
            Self::Whole(_, bytes) => bytes.len() as u64,
            Self::Part(large) => (large.skeleton.len() + large.beginning.len()) as u64,
            Self::Gone | Self::Unreadable(_) => 0,
        }
    }
}

/// Whether there is more of the message than was read.
fn is_longer(fetch: &Fetch) -> bool {
    let read = fetch.bodies.first().map_or(0, |(_, body)| body.len() as u64);
    read >= WHOLE && fetch.size.unwrap_or(read) > read
}

fn whole(fetch: &Fetch) -> Raw {
    // A change of flags told unasked has no body: the message itself was not sent.
    let Some((_, body)) = fetch.bodies.first() else { return Raw::Gone };
    let envelope = Envelope {
        flags: marks::read(fetch.flags.as_deref().unwrap_or_default()),
        received: fetch.date.unwrap_or_default(),
        size: fetch.size.unwrap_or(body.len() as u64).max(body.len() as u64),
    };
    Raw::Whole(envelope, body.clone())
}
