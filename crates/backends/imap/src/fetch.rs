//! Reading messages: batches on a session of their own, converted while the next is on its way.

use crate::changes::{sequences, uids};
use crate::error::WireError;
use crate::large;
use crate::mailbox::{ImapMailbox, Shared, local, on_session, uid};
use crate::marks;
use crate::pool::{Freshness, Lease};
use crate::session::Session;
use crate::wire::command::Command;
use crate::wire::response::{Fetch, Untagged};
use bytes::Bytes;
use dme_mailbox::{
    Account, ByteRange, Error, ErrorKind, FetchOutcome, Fetched, PartContent, Result,
};
use dme_mime::Envelope;
use dme_model::{BodyKind, BodyView, CollectionId, ItemId, Mail, MimeSupport, PartId};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Messages asked for at once.
const BATCH: usize = 32;
/// Messages read ahead of their conversion.
const AHEAD: usize = 16;
/// A message up to this size is read whole; of a larger one, only what is shown.
pub(crate) const WHOLE: u64 = 512 << 10;
/// Conversions of more than this leave the async threads.
const HEAVY: usize = 128 << 10;

/// A message as it was read.
pub(crate) enum Raw {
    /// All of it.
    Whole(Envelope, Bytes),
    /// What is shown of it.
    Part(Box<large::Large>),
    Gone,
    /// It cannot be read; why.
    Unreadable(String),
}

/// Reads the messages of one fetch and hands them over.
struct Reader {
    shared: Arc<Shared>,
    account: Account,
    deadline: Instant,
    name: String,
    view: BodyView,
    /// How much of each message is asked for at first.
    prefix: u64,
    out: mpsc::Sender<Result<(ItemId, Raw)>>,
}

impl ImapMailbox {
    pub(crate) async fn fetch_items(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
        view: &BodyView,
    ) -> Result<BoxStream<'static, Result<Fetched>>> {
        let name = collection.as_str().to_owned();
        let mut lease = self.select_for_read(&name, "fetch").await?;
        lease.set_deadline(self.deadline);
        let (out, incoming) = mpsc::channel(AHEAD);
        let max = self.shared.pool.config.max_message_size.0;
        let reader = Reader {
            shared: self.shared.clone(),
            account: self.account.clone(),
            deadline: self.deadline,
            name,
            view: view.clone(),
            prefix: prefix(view, max),
            out,
        };
        tokio::spawn(reader.run(lease, items.to_vec()));
        let view = view.clone();
        let stream = stream::unfold(incoming, |mut incoming| async move {
            incoming.recv().await.map(|read| (read, incoming))
        });
        Ok(stream
            .then(move |read| {
                let view = view.clone();
                async move {
                    let (id, raw) = read?;
                    Ok(Fetched { id, outcome: convert(raw, view).await? })
                }
            })
            .boxed())
    }

    /// A session on which the folder is selected, proven to be alive.
    async fn select_for_read(&self, name: &str, what: &str) -> Result<Lease> {
        let mut lease = self.lease(Some(name), Freshness::Any, what).await?;
        match lease.select(name).await {
            Ok(_) => Ok(lease),
            Err(error) if error.is_lost_session() => {
                drop(lease);
                let mut lease = self.lease(Some(name), Freshness::New, what).await?;
                lease.select(name).await.map_err(|error| error.told(what))?;
                Ok(lease)
            }
            Err(error) => Err(error.told(what)),
        }
    }

    pub(crate) async fn fetch_content(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        part: Option<&PartId>,
        range: Option<ByteRange>,
    ) -> Result<PartContent> {
        let name = collection.as_str();
        let what = "fetch a part";
        on_session!(self, Some(name), what, |session| {
            session.select(name).await?;
            let uid = uid(item).ok_or_else(|| local(ErrorKind::NotFound, "no such message"))?;
            match part {
                None => whole_message(session, uid, range).await,
                Some(part) => one_part(session, uid, part, range).await,
            }
        })
    }

    /// A message as it is, for quoting and sending on.
    pub(crate) async fn fetch_raw(
        &self,
        collection: &CollectionId,
        item: &ItemId,
    ) -> Result<Bytes> {
        Ok(self.fetch_content(collection, item, None, None).await?.data)
    }
}

/// How much of each message the view needs at first.
fn prefix(view: &BodyView, max: u64) -> u64 {
    let mime = view.preferences.iter().find(|it| it.kind == BodyKind::Mime);
    match (mime, view.mime) {
        (Some(mime), MimeSupport::Always | MimeSupport::Smime) => match mime.truncation {
            // Some more than asked for, because of what conversion may take away.
            Some(wanted) => WHOLE.max(wanted.saturating_mul(2)).min(max),
            None if view.mime == MimeSupport::Always => max,
            None => WHOLE.min(max),
        },
        _ => WHOLE.min(max),
    }
}

impl Reader {
    async fn run(self, mut lease: Lease, items: Vec<ItemId>) {
        let mut freshness = Freshness::Any;
        let mut batches = items.chunks(BATCH).peekable();
        let mut asked = false;
        while let Some(batch) = batches.peek().copied() {
            let next = batches.clone().nth(1);
            let read = async {
                if !asked {
                    self.ask(&mut lease, batch).await?;
                }
                self.read(&mut lease, batch, next).await
            };
            let read = tokio::select! {
                read = read => read,
                // Nobody waits for it any longer; the session is closed if it is busy.
                () = self.out.closed() => return,
            };
            match read {
                Ok((read, asked_next)) => {
                    asked = asked_next;
                    batches.next();
                    freshness = Freshness::Any;
                    for read in read {
                        if self.out.send(Ok(read)).await.is_err() {
                            return;
                        }
                    }
                }
                Err(error) if error.is_lost_session() && freshness == Freshness::Any => {
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
                Err(error) => {
                    let _ = self.out.send(Err(error.told("fetch"))).await;
                    return;
                }
            }
        }
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
        let prefix = self.prefix;
        let command =
            format!("UID FETCH {set} (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.{prefix}>)");
        session.send(&[Command::new(command)]).await
    }

    /// Reads a batch that was asked for, in the order of its items, and asks for the next one as
    /// soon as it is known that this one needs nothing more.
    async fn read(
        &self,
        session: &mut Session,
        batch: &[ItemId],
        next: Option<&[ItemId]>,
    ) -> Result<(Vec<(ItemId, Raw)>, bool), WireError> {
        let mut found: HashMap<u32, Box<Fetch>> = HashMap::with_capacity(batch.len());
        if batch.iter().any(|item| uid(item).is_some()) {
            session
                .finish(|told| {
                    if let Untagged::Fetch(fetch) = told
                        && let Some(uid) = fetch.uid
                    {
                        merge(&mut found, uid, fetch);
                    }
                })
                .await??;
        }
        let is_large = |fetch: &Fetch| {
            let read = fetch.bodies.first().map_or(0, |(_, body)| body.len() as u64);
            read >= self.prefix && fetch.size.unwrap_or(read) > read
        };
        let mut asked = false;
        if let Some(next) = next
            && !found.values().any(|fetch| is_large(fetch))
        {
            self.ask(session, next).await?;
            asked = true;
        }
        let mut read = Vec::with_capacity(batch.len());
        for item in batch {
            // Each is used once; an item asked for twice is there twice.
            let Some(fetch) = uid(item).and_then(|uid| found.get(&uid)) else {
                read.push((item.clone(), Raw::Gone));
                continue;
            };
            let raw = match is_large(fetch) {
                false => whole(fetch),
                true => self.large(session, fetch).await?,
            };
            read.push((item.clone(), raw));
        }
        Ok((read, asked))
    }

    async fn large(&self, session: &mut Session, fetch: &Fetch) -> Result<Raw, WireError> {
        let Raw::Whole(envelope, beginning) = whole(fetch) else { return Ok(Raw::Gone) };
        let Some(uid) = fetch.uid else { return Ok(Raw::Gone) };
        if self.prefix >= self.shared.pool.config.max_message_size.0 {
            return Ok(Raw::Unreadable(format!(
                "it has {} bytes, more than max_message_size",
                envelope.size
            )));
        }
        let mut large = large::read(session, uid, envelope, beginning).await?;
        // Only now is it known whether all of a signed mail is wanted.
        if self.view.mime == MimeSupport::Smime
            && large.is_smime()
            && self
                .view
                .preferences
                .iter()
                .any(|it| it.kind == BodyKind::Mime && it.truncation.is_none())
        {
            let max = self.shared.pool.config.max_message_size.0;
            if large.envelope.size > max {
                return Ok(Raw::Unreadable("a signed mail above max_message_size".to_owned()));
            }
            let whole = whole_message(session, uid, None).await?;
            large.beginning = whole.data;
            return Ok(Raw::Whole(large.envelope, large.beginning));
        }
        Ok(Raw::Part(Box::new(large)))
    }
}

/// Puts together what a server tells of one message in several responses.
fn merge(found: &mut HashMap<u32, Box<Fetch>>, uid: u32, mut fetch: Box<Fetch>) {
    match found.entry(uid) {
        std::collections::hash_map::Entry::Vacant(place) => {
            place.insert(fetch);
        }
        std::collections::hash_map::Entry::Occupied(mut place) => {
            let known = place.get_mut();
            known.flags = fetch.flags.or(known.flags.take());
            known.date = fetch.date.or(known.date);
            known.size = fetch.size.or(known.size);
            known.bodies.append(&mut fetch.bodies);
        }
    }
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

async fn convert(raw: Raw, view: BodyView) -> Result<FetchOutcome> {
    let size = match &raw {
        Raw::Whole(_, bytes) => bytes.len(),
        Raw::Part(large) => large.skeleton.len(),
        Raw::Gone => return Ok(FetchOutcome::Gone),
        Raw::Unreadable(reason) => return Ok(FetchOutcome::Unconvertible(reason.clone())),
    };
    let read = move || -> std::result::Result<Mail, dme_mime::Error> {
        match raw {
            Raw::Part(large) => large.mail(&view),
            Raw::Whole(envelope, bytes) => dme_mime::read(bytes, envelope, &view),
            Raw::Gone | Raw::Unreadable(_) => Err(dme_mime::Error::Empty),
        }
    };
    let mail = match size > HEAVY {
        false => read(),
        true => tokio::task::spawn_blocking(read)
            .await
            .map_err(|_| Error::new(ErrorKind::Bug, "a message could not be converted"))?,
    };
    Ok(match mail {
        Ok(mail) => FetchOutcome::Item(Box::new(mail)),
        Err(error) => FetchOutcome::Unconvertible(error.to_string()),
    })
}

/// Fetches sections of one message.
pub(crate) async fn sections(
    session: &mut Session,
    uid: u32,
    items: &str,
) -> Result<Fetch, WireError> {
    let mut found = HashMap::new();
    for set in sequences(&uids([uid].into_iter())) {
        session
            .run(format!("UID FETCH {set} (UID {items})"), |told| {
                if let Untagged::Fetch(fetch) = told
                    && fetch.uid == Some(uid)
                {
                    merge(&mut found, uid, fetch);
                }
            })
            .await?;
    }
    match found.remove(&uid) {
        Some(fetch) if !fetch.bodies.is_empty() || fetch.structure.is_some() => Ok(*fetch),
        _ => Err(local(ErrorKind::NotFound, "no such message")),
    }
}

async fn whole_message(
    session: &mut Session,
    uid: u32,
    range: Option<ByteRange>,
) -> Result<PartContent, WireError> {
    let section = match range {
        None => "BODY.PEEK[]".to_owned(),
        // A range of nothing cannot be asked for.
        Some(range) => {
            let start = range.start.min(u64::from(u32::MAX));
            let length = range.length.clamp(1, u64::from(u32::MAX));
            format!("BODY.PEEK[]<{start}.{length}>")
        }
    };
    let fetch = sections(session, uid, &format!("RFC822.SIZE {section}")).await?;
    let mut data = fetch.bodies.into_iter().next().map(|(_, body)| body).unwrap_or_default();
    let full_size = match range {
        None => data.len() as u64,
        Some(range) => {
            let full_size = fetch.size.unwrap_or_default();
            begins_within(range, full_size)?;
            data.truncate(usize::try_from(range.length).unwrap_or(usize::MAX));
            full_size
        }
    };
    Ok(PartContent { media_type: "message/rfc822".to_owned(), name: None, full_size, data })
}

/// A range must begin within what it is of, or at its end.
fn begins_within(range: ByteRange, full_size: u64) -> Result<(), WireError> {
    match range.start <= full_size {
        true => Ok(()),
        false => Err(local(ErrorKind::Invalid, "the range begins beyond the end")),
    }
}

async fn one_part(
    session: &mut Session,
    uid: u32,
    part: &PartId,
    range: Option<ByteRange>,
) -> Result<PartContent, WireError> {
    let items = format!("RFC822.SIZE BODY.PEEK[]<0.{WHOLE}>");
    let fetch = sections(session, uid, &items).await?;
    let raw = fetch.bodies.first().map(|(_, body)| body.clone()).unwrap_or_default();
    let missing = |error: dme_mime::Error| local(ErrorKind::NotFound, &error.to_string());
    let bytes = range.map(|range| range.start..range.start.saturating_add(range.length));
    let found = if (raw.len() as u64) < WHOLE || fetch.size.is_some_and(|size| size <= WHOLE) {
        dme_mime::part(&raw, part, bytes).map_err(missing)?
    } else {
        let alone = large::part_alone(session, uid, part).await?;
        dme_mime::part(&alone, &PartId::from("1"), bytes).map_err(missing)?
    };
    if let Some(range) = range {
        begins_within(range, found.full_size)?;
    }
    Ok(PartContent {
        media_type: found.media_type,
        name: found.name,
        full_size: found.full_size,
        data: found.data,
    })
}
