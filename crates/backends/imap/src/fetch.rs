//! Reading messages: batches on a session of their own, converted while the next is on its way.

mod reader;

use crate::changes::{sequences, uids};
use crate::error::WireError;
use crate::large;
use crate::mailbox::{ImapMailbox, local, on_session, uid};
use crate::pool::{Freshness, Lease};
use crate::session::Session;
use crate::wire::command::Command;
use crate::wire::response::{Fetch, Untagged};
use bytes::Bytes;
use dme_mailbox::{ByteRange, Error, ErrorKind, FetchOutcome, Fetched, PartContent, Result};
use dme_model::{BodyView, CollectionId, Item, ItemId, Mail, PartId};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use reader::{Raw, Reader};
use std::collections::HashMap;

/// A message up to this size is read whole; of a larger one, only what is shown.
pub(crate) const WHOLE: u64 = 512 << 10;
/// Conversions of more than this leave the async threads.
const HEAVY: usize = 128 << 10;

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
        let (reader, incoming) =
            Reader::new(self.shared.clone(), self.account.clone(), self.deadline, name, view);
        tokio::spawn(reader.run(lease, items.to_vec()));
        let view = view.clone();
        let stream = stream::unfold(incoming, |mut incoming| async move {
            incoming.recv().await.map(|read| (read, incoming))
        });
        Ok(stream
            .then(move |read| {
                let view = view.clone();
                async move {
                    let (id, raw, _room) = read?;
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
            for (section, body) in fetch.bodies.drain(..) {
                // Told twice, it is kept once.
                if !known.bodies.iter().any(|(name, _)| *name == section) {
                    known.bodies.push((section, body));
                }
            }
        }
    }
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
            Raw::Whole(envelope, bytes) => {
                dme_mime::read(bytes, envelope, &view, dme_pim::invitation)
            }
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
        Ok(mail) => FetchOutcome::Item(Item::Mail(Box::new(mail))),
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
        let command = Command::new(format!("UID FETCH {set} (UID {items})"));
        let command = command.allowing(session.whole_answer());
        session
            .run(command, |told| {
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
