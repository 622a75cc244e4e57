//! The content of items, many at a time.

use crate::client::Request;
use crate::collections::Place;
use crate::error::WireError;
use crate::href::Path;
use crate::listing::Member;
use crate::mailbox::DavMailbox;
use crate::object::{self, Unreadable};
use crate::principal::Principal;
use crate::report;
use crate::xml::Ns;
use bytes::Bytes;
use dme_mailbox::{ByteRange, Error, ErrorKind, FetchOutcome, Fetched, PartContent, Result};
use dme_model::{BodyView, Class, CollectionId, ItemId, PartId};
use dme_pim::calendar::{self, AttachmentContent};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;
use std::collections::HashMap;
use std::sync::Arc;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

/// Items asked for at once.
pub(crate) const BATCH: usize = 50;

/// Bytes of those, as far as the server told how large they are; but always one.
const BATCH_BYTES: u64 = 8 << 20;

/// So many batches are under way: while one is converted the server works on the next.
const AHEAD: usize = 2;

/// A resource as the server has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Resource {
    /// Its mark; none where the server told none.
    pub(crate) mark: Option<String>,
    /// Stays as it is while no more than answers of attendees change (RFC 6638 §3.2.10); none where
    /// the server told none.
    pub(crate) schedule_tag: Option<String>,
    pub(crate) object: Bytes,
}

/// What became of one of a batch.
pub(crate) enum Got {
    There(Resource),
    Gone,
    TooLarge,
    /// The server fails on it alone; with what it said.
    Failing(String),
}

/// A fetch under way.
struct Reading {
    mailbox: DavMailbox,
    place: Place,
    owner: Vec<String>,
    view: BodyView,
}

impl DavMailbox {
    pub(crate) async fn fetch_items(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
        view: &BodyView,
    ) -> Result<BoxStream<'static, Result<Fetched>>> {
        let place = Place::read(collection)?;
        let owner = self.owner().await.map_err(|error| error.told("fetch"))?;
        let reading = Arc::new(Reading { mailbox: self.clone(), place, owner, view: view.clone() });
        let batches: Vec<Vec<ItemId>> = items.chunks(BATCH).map(<[ItemId]>::to_vec).collect();
        let batches = stream::iter(batches).map(move |batch| {
            let reading = reading.clone();
            let read =
                async move { reading.batch(batch).await.map_err(|error| error.told("fetch")) };
            // A task of its own, which is done with its connection however slowly the batch before
            // it is taken.
            AbortOnDropHandle::new(tokio::spawn(read.in_current_span()))
        });
        let broke_off = |error| Error::new(ErrorKind::Bug, format!("dav: fetch: {error}"));
        let read = batches.buffered(AHEAD).map(move |read| read.map_err(broke_off).flatten());
        let items = read.map_ok(|batch| stream::iter(batch.into_iter().map(Ok))).try_flatten();
        // It ends with what failed.
        let whole = items.scan(false, |failed, item| {
            let goes_on = !std::mem::replace(failed, item.is_err());
            std::future::ready(goes_on.then_some(item))
        });
        Ok(whole.boxed())
    }

    /// Every address of the user's, the one they write from first.
    pub(crate) async fn owner(&self) -> Result<Vec<String>, WireError> {
        Ok(self.owner_as(&*self.principal().await?))
    }

    /// The same by what the server knows of the user.
    pub(crate) fn owner_as(&self, principal: &Principal) -> Vec<String> {
        let own = self.account.address.to_lowercase();
        let others = principal.addresses.iter().filter(|address| **address != own);
        std::iter::once(own.clone()).chain(others.cloned()).collect()
    }

    /// One resource; none where it is gone.
    pub(crate) async fn get(&self, path: &Path) -> Result<Option<Resource>, WireError> {
        let limit = self.shared.config.max_item_size.0;
        let answer = self.send_within(Request::new(Method::GET, path), limit).await?;
        if matches!(answer.status.as_u16(), 404 | 410) {
            return Ok(None);
        }
        let answer = answer.success()?;
        let told = |name| answer.header(name).map(str::to_owned);
        let (mark, schedule_tag) = (told("etag"), told("schedule-tag"));
        Ok(Some(Resource { mark, schedule_tag, object: answer.body }))
    }

    /// These resources, in the order of the paths.
    pub(crate) async fn get_many(
        &self,
        place: &Place,
        paths: &[Path],
    ) -> Result<Vec<Got>, WireError> {
        let mut there = HashMap::new();
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let (ns, data) = match place.class {
            Class::Contacts => (Ns::CardDav, "address-data"),
            _ => (Ns::CalDav, "calendar-data"),
        };
        match self.report(&place.path, report::multiget(place.class, paths)).await {
            Ok(told) => {
                for response in told.responses {
                    let path = Path::read(&response.href, &self.shared.client.origin);
                    let Some(path) = path else { continue };
                    if response.is_gone() {
                        there.insert(path, Got::Gone);
                    } else if let Some(data) = response.prop(ns, data) {
                        let mark = response.text(Ns::Dav, "getetag").map(str::to_owned);
                        let object = Bytes::from(data.text.clone().into_bytes());
                        there.insert(
                            path,
                            Got::There(Resource { mark, schedule_tag: None, object }),
                        );
                    }
                }
            }
            // One item may spoil the answer on all: each is asked for alone.
            Err(error @ (WireError::Nonsense(_) | WireError::Flood(_))) => {
                tracing::debug!(%error, "reading a batch of items one by one");
            }
            Err(error) if matches!(error.status(), Some(400 | 403 | 500 | 501)) => {
                tracing::debug!(%error, "reading a batch of items one by one");
            }
            Err(error) => return Err(error),
        }
        let mut got = Vec::with_capacity(paths.len());
        let mut failure = None;
        for path in paths {
            got.push(match there.remove(path) {
                Some(got) => got,
                None => match self.get_alone(path).await {
                    Err(WireError::Refused(refusal))
                        if refusal.kind() == ErrorKind::Unavailable =>
                    {
                        let reason = refusal.to_string();
                        failure = Some(WireError::Refused(refusal));
                        Got::Failing(reason)
                    }
                    got => got?,
                },
            });
        }
        match failure {
            Some(failure) if !self.still_serves(paths, &got).await => Err(failure),
            _ => Ok(got),
        }
    }

    /// Reads these members, a batch at a time, so that no more than one batch is in memory. What is
    /// there but cannot be read has no content.
    pub(crate) async fn read_each(
        &self,
        place: &Place,
        members: Vec<Member>,
        mut each: impl FnMut(Member, Option<&[u8]>) + Send,
    ) -> Result<(), WireError> {
        for batch in batches(members) {
            let named = batch.into_iter();
            let named = named.filter_map(|it| place.path.member(&it.name).map(|path| (it, path)));
            let (members, paths): (Vec<Member>, Vec<Path>) = named.unzip();
            let got = self.get_many(place, &paths).await?;
            for (member, got) in members.into_iter().zip(got) {
                match got {
                    Got::There(resource) => each(member, Some(&resource.object)),
                    Got::TooLarge | Got::Failing(_) => each(member, None),
                    Got::Gone => {}
                }
            }
        }
        Ok(())
    }

    /// Whether one of a batch that was read can be read still: then what failed is the items, else
    /// it is the server.
    async fn still_serves(&self, paths: &[Path], got: &[Got]) -> bool {
        let read = paths.iter().zip(got).find(|(_, got)| matches!(got, Got::There(_)));
        match read {
            Some((path, _)) => matches!(self.get(path).await, Ok(Some(_))),
            None => false,
        }
    }

    async fn get_alone(&self, path: &Path) -> Result<Got, WireError> {
        match self.get(path).await {
            Ok(Some(resource)) => Ok(Got::There(resource)),
            Ok(None) => Ok(Got::Gone),
            Err(WireError::Flood(_)) => Ok(Got::TooLarge),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn fetch_content(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        part: Option<&PartId>,
        range: Option<ByteRange>,
    ) -> Result<PartContent> {
        let place = Place::read(collection)?;
        let path = self.member(&place, item)?;
        let resource = self.get(&path).await.map_err(|error| error.told("fetch a part"))?;
        let resource = resource.ok_or_else(|| gone(item))?;
        let (data, media_type) = match part {
            None if place.class == Class::Contacts => (resource.object, "text/vcard".to_owned()),
            None => (resource.object, "text/calendar".to_owned()),
            Some(part) => {
                let content = calendar::attachment(&resource.object, part);
                let AttachmentContent { media_type, data } = content.map_err(object::told)?;
                (Bytes::from(data), media_type)
            }
        };
        let full_size = data.len() as u64;
        let data = match range {
            Some(range) => range.cut(&data)?,
            None => data,
        };
        Ok(PartContent { media_type, name: None, full_size, data })
    }

    /// The path of an item.
    pub(crate) fn member(&self, place: &Place, item: &ItemId) -> Result<Path> {
        place.path.member(item.as_str()).ok_or_else(|| gone(item))
    }
}

/// Members in batches of at most [`BATCH`] and [`BATCH_BYTES`].
fn batches(members: Vec<Member>) -> Vec<Vec<Member>> {
    let mut batches: Vec<Vec<Member>> = Vec::new();
    let mut bytes = 0;
    for member in members {
        bytes += member.size;
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH && bytes <= BATCH_BYTES => batch.push(member),
            _ => {
                bytes = member.size;
                batches.push(vec![member]);
            }
        }
    }
    batches
}

/// An item that is not there.
pub(crate) fn gone(item: &ItemId) -> Error {
    Error::new(ErrorKind::NotFound, format!("dav: there is no item {item}"))
}

impl Reading {
    async fn batch(&self, batch: Vec<ItemId>) -> Result<Vec<Fetched>, WireError> {
        // A name that no member can have names nothing.
        let paths: Vec<Option<Path>> =
            batch.iter().map(|item| self.place.path.member(item.as_str())).collect();
        let asked: Vec<Path> = paths.iter().flatten().cloned().collect();
        let mut got = self.mailbox.get_many(&self.place, &asked).await?.into_iter();
        let outcome = |path: Option<Path>| match path.and_then(|_| got.next()) {
            None | Some(Got::Gone) => FetchOutcome::Gone,
            Some(Got::TooLarge) => self.too_large(),
            Some(Got::There(resource)) => self.outcome(&resource),
            Some(Got::Failing(reason)) => FetchOutcome::Unconvertible(reason),
        };
        let outcomes: Vec<FetchOutcome> = paths.into_iter().map(outcome).collect();
        let read = batch.into_iter().zip(outcomes);
        Ok(read.map(|(id, outcome)| Fetched { id, outcome }).collect())
    }

    fn outcome(&self, resource: &Resource) -> FetchOutcome {
        if resource.object.len() as u64 > self.mailbox.shared.config.max_item_size.0 {
            return self.too_large();
        }
        let (class, clock) = (self.place.class, &self.mailbox.clock);
        match object::read(class, &resource.object, &self.owner, clock, &self.view) {
            Ok(item) => FetchOutcome::Item(item),
            Err(Unreadable::OtherClass) => FetchOutcome::Gone,
            Err(Unreadable::Broken(reason)) => FetchOutcome::Unconvertible(reason),
        }
    }

    fn too_large(&self) -> FetchOutcome {
        let limit = self.mailbox.shared.config.max_item_size;
        FetchOutcome::Unconvertible(format!("it is larger than {limit} (dav.max_item_size)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_bounded_by_number_and_by_bytes() {
        let sizes = |sizes: &[u64]| -> Vec<usize> {
            let member = |size: &u64| Member { size: *size, ..Member::default() };
            batches(sizes.iter().map(member).collect()).iter().map(Vec::len).collect()
        };
        assert_eq!(sizes(&[]), []);
        assert_eq!(sizes(&[0; 120]), [50, 50, 20]);
        let third = BATCH_BYTES / 3;
        assert_eq!(sizes(&[third; 7]), [3, 3, 1]);
        assert_eq!(sizes(&[1, BATCH_BYTES * 2, 1, 1]), [1, 1, 2]);
    }
}
