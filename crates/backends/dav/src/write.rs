//! Writing items: made under a name that follows from the act, changed only against the state that
//! was read.

use crate::client::Request;
use crate::collections::Place;
use crate::error::WireError;
use crate::fetch::{Resource, gone};
use crate::href::Path;
use crate::mailbox::DavMailbox;
use crate::object::{self, Rewritten};
use crate::quirks::strong;
use crate::xml::Ns;
use bytes::Bytes;
use dme_mailbox::{
    ContentMark, Edit, Error, ErrorKind, ItemResult, NewItem, Result, SubmissionKey, Written, hash,
};
use dme_model::{Class, CollectionId, ItemEdit, ItemId, ItemPatch, Notice, PartId};
use dme_pim::calendar::Writing;
use http::Method;
use std::time::Duration;

/// How often an item is read and written before whoever else writes it is let go first.
const ATTEMPTS: usize = 2;
/// How often more where that is the server, which notes attendees' answers: a meeting of hundreds
/// has them all within minutes.
const ANSWERS: usize = 50;

/// What became of a write.
pub(crate) enum Put {
    /// It is written; its mark, where the server took it word for word.
    Done(Option<ContentMark>),
    /// What was to hold of the resource before did not.
    Lost,
}

/// Whether a server that schedules may tell the organiser what a write says of the user's answer
/// (RFC 6638 §8.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reply {
    /// As it does by itself.
    ByServer,
    /// Nothing is told.
    Silent,
}

/// What must hold of a resource for a write to be done.
pub(crate) enum Before<'a> {
    /// There is none.
    Absent,
    /// It has this mark.
    Marked(&'a str),
    /// Nothing: the server tells no marks.
    Anything,
}

impl<'a> Before<'a> {
    /// It is as it was read.
    pub(crate) fn of(read: &'a Resource) -> Self {
        read.mark.as_deref().map_or(Self::Anything, Self::Marked)
    }
}

/// Reading and writing an item while others write it.
///
/// The schedule tag says who they are: it stays where the server did no more than to note attendees'
/// answers (RFC 6638 §3.2.10). It is no condition for our own writes (`If-Schedule-Tag-Match`, §8.3):
/// what the server noted meanwhile is then for it to keep, and Cyrus does not.
#[derive(Debug, Default)]
pub(crate) struct Race {
    attempts: usize,
    answers: usize,
    tag: Option<String>,
}

impl Race {
    /// Goes on with what was read now.
    ///
    /// # Errors
    /// `Busy` where that was often enough; `what` says what was tried.
    pub(crate) fn go_on(&mut self, read: Option<&Resource>, what: &str) -> Result<()> {
        let tag = read.and_then(|read| read.schedule_tag.clone());
        match tag.is_some() && tag == self.tag {
            true => self.answers += 1,
            false => self.attempts += 1,
        }
        self.tag = tag;
        if self.attempts <= ATTEMPTS && self.answers <= ANSWERS {
            return Ok(());
        }
        let context = format!("dav: {what}: someone else writes it again and again");
        Err(Error::new(ErrorKind::Busy { after: Duration::from_secs(1) }, context))
    }
}

impl DavMailbox {
    pub(crate) async fn make_item(
        &self,
        collection: &CollectionId,
        new: &NewItem,
    ) -> Result<Written> {
        let place = Place::read(collection)?;
        fits(place.class, &new.patch)?;
        // A server may hold items of several classes in one place, and a UID but once for all.
        let act = SubmissionKey(format!("{collection}/{}", new.key.0));
        let writing = self.writing(&act).await?;
        let edit = ItemEdit::Patch(new.patch.clone());
        let mut made = object::edited(None, &edit, &writing)?;
        let name = format!("{}.{}", hash::name_of(&act.0), extension(place.class));
        let item = ItemId::new(name);
        let path = self.member(&place, &item)?;
        let object = Bytes::from(std::mem::take(&mut made.object));
        let put = self.put(&path, place.class, object, Before::Absent).await;
        let mark = match put.map_err(|error| error.told("make an item"))? {
            Put::Done(mark) => mark,
            // An earlier attempt of the same act made it.
            Put::Lost => None,
        };
        let change = |there: &[u8]| object::edited(Some(there), &edit, &writing);
        let notices = self.notices_beside(&path, made.by_server, made.notices, change).await?;
        Ok(written(item, mark, notices, made.attached))
    }

    pub(crate) async fn edit_item(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        edit: &Edit,
    ) -> Result<Written> {
        let place = Place::read(collection)?;
        if let ItemEdit::Patch(patch) = &edit.edit {
            fits(place.class, patch)?;
        }
        let writing = self.writing(&edit.key).await?;
        let change = |there: &[u8]| object::edited(Some(there), &edit.edit, &writing);
        self.rewrite(collection, item, Reply::ByServer, change).await
    }

    /// Reads an item, changes it and writes it back; again on what someone else made of it in
    /// between.
    pub(crate) async fn rewrite(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        reply: Reply,
        change: impl Fn(&[u8]) -> Result<Rewritten> + Send,
    ) -> Result<Written> {
        let place = Place::read(collection)?;
        let path = self.member(&place, item)?;
        let what = "change an item";
        let mut race = Race::default();
        loop {
            let there = self.marked(&path).await.map_err(|error| error.told(what))?;
            let there = there.ok_or_else(|| gone(item))?;
            race.go_on(Some(&there), what)?;
            let made = change(&there.object)?;
            if made.object == there.object {
                let mark = there.mark.map(ContentMark);
                return Ok(written(item.clone(), mark, made.notices, made.attached));
            }
            let (object, before) = (made.object.into(), Before::of(&there));
            let put = self.put_replying(&path, place.class, object, before, reply).await;
            if let Put::Done(mark) = put.map_err(|error| error.told(what))? {
                let (by_server, notices) = (made.by_server, made.notices);
                let notices = self.notices_beside(&path, by_server, notices, change).await?;
                return Ok(written(item.clone(), mark, notices, made.attached));
            }
        }
    }

    /// The mails that a written event needs. Where the server tells others it says in the event whom
    /// it did not reach (RFC 6638 §3.2.9), and the same act on that makes theirs.
    async fn notices_beside(
        &self,
        path: &Path,
        by_server: bool,
        made: Vec<Notice>,
        change: impl Fn(&[u8]) -> Result<Rewritten> + Send,
    ) -> Result<Vec<Notice>> {
        if !by_server {
            return Ok(made);
        }
        let there = self.get(path).await.map_err(|error| error.told("see who was told"))?;
        let Some(there) = there else { return Ok(made) };
        let again = change(&there.object)?;
        // Otherwise somebody has changed it since.
        let same = again.object == there.object;
        Ok(if same { again.notices } else { made })
    }

    /// A resource with its mark, asked for on its own where the server does not send it along.
    async fn marked(&self, path: &Path) -> Result<Option<Resource>, WireError> {
        let Some(mut resource) = self.get(path).await? else { return Ok(None) };
        if resource.mark.is_none() {
            let told = self.propfind(path, "0", "<getetag/>").await?;
            let told = told.responses.first().and_then(|told| told.text(Ns::Dav, "getetag"));
            resource.mark = told.map(str::to_owned);
        }
        Ok(Some(resource))
    }

    pub(crate) async fn put(
        &self,
        path: &Path,
        class: Class,
        object: Bytes,
        before: Before<'_>,
    ) -> Result<Put, WireError> {
        self.put_replying(path, class, object, before, Reply::ByServer).await
    }

    pub(crate) async fn put_replying(
        &self,
        path: &Path,
        class: Class,
        object: Bytes,
        before: Before<'_>,
        reply: Reply,
    ) -> Result<Put, WireError> {
        let limit = self.shared.config.max_item_size;
        if object.len() as u64 > limit.0 {
            let context = format!("dav: it is larger than {limit} (dav.max_item_size)");
            return Err(Error::new(ErrorKind::MessageTooLarge, context).into());
        }
        let kind = match class {
            Class::Contacts => "text/vcard; charset=utf-8",
            _ => "text/calendar; charset=utf-8",
        };
        let request = Request { body: object, ..Request::new(Method::PUT, path) };
        let request = request.with("content-type", kind);
        let request = match before {
            Before::Absent => request.with("if-none-match", "*"),
            Before::Marked(mark) => request.with("if-match", strong(mark)),
            Before::Anything => request,
        };
        let request = reply.said_in(request);
        let answer = self.send(request).await?;
        if answer.status.as_u16() == 412 {
            return Ok(Put::Lost);
        }
        let answer = answer.success()?;
        let mark = answer.header("etag").filter(|mark| !mark.starts_with("W/"));
        Ok(Put::Done(mark.map(|mark| ContentMark(mark.to_owned()))))
    }

    pub(crate) async fn remove_items(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
    ) -> Result<()> {
        let place = Place::read(collection)?;
        for item in items {
            let Some(path) = place.path.member(item.as_str()) else { continue };
            let removed = self.remove(&path, place.class).await;
            removed.map_err(|error| error.told("delete an item"))?;
        }
        Ok(())
    }

    async fn remove(&self, path: &Path, class: Class) -> Result<(), WireError> {
        let reply = match class == Class::Calendar && self.is_declined(path).await? {
            // That was told, or was not to be.
            true => Reply::Silent,
            false => Reply::ByServer,
        };
        self.delete(path, reply).await
    }

    /// Deletes a resource, which may be gone already.
    async fn delete(&self, path: &Path, reply: Reply) -> Result<(), WireError> {
        let answer = self.send(reply.said_in(Request::new(Method::DELETE, path))).await?;
        match answer.status.as_u16() {
            404 | 410 => Ok(()),
            _ => answer.success().map(drop),
        }
    }

    /// Whether it is an event that the user declined, on a server that schedules: elsewhere nobody
    /// needs to know. One that cannot be read is not.
    async fn is_declined(&self, path: &Path) -> Result<bool, WireError> {
        let principal = self.principal().await?;
        if !principal.schedules {
            return Ok(false);
        }
        let owner = self.owner_as(&principal);
        let there = self.get(path).await.ok().flatten();
        Ok(there.is_some_and(|there| object::is_declined(&there.object, &owner)))
    }

    /// Deletes what is of the collection's class; what else lies in the same place stays.
    pub(crate) async fn remove_all(&self, collection: &CollectionId) -> Result<()> {
        let place = Place::read(collection)?;
        let removed = async {
            for member in self.members_of_class(&place, None).await? {
                if let Some(path) = place.path.member(&member.name) {
                    self.remove(&path, place.class).await?;
                }
            }
            Ok(())
        };
        removed.await.map_err(|error: WireError| error.told("empty a collection"))
    }

    pub(crate) async fn transfer(
        &self,
        from: &CollectionId,
        to: &CollectionId,
        items: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>> {
        let (from, to) = (Place::read(from)?, Place::read(to)?);
        if from.class != to.class {
            let context = format!("dav: nothing of {:?} goes to {:?}", from.class, to.class);
            return Err(Error::new(ErrorKind::Invalid, context));
        }
        self.remote(&to.path).await.map_err(|error| error.told("move an item"))?;
        let mut moved = Vec::with_capacity(items.len());
        for item in items {
            let result = match (from.path.member(item.as_str()), to.path.member(item.as_str())) {
                (Some(source), Some(target)) if source != target => {
                    let result = self.transfer_one(&source, &target, &to, item).await;
                    result.map(Some).map_err(|error| error.told("move an item"))
                }
                (Some(_), Some(_)) => Ok(Some(item.clone())),
                _ => Err(gone(item)),
            };
            moved.push((item.clone(), result));
        }
        Ok(moved)
    }

    async fn transfer_one(
        &self,
        source: &Path,
        target: &Path,
        to: &Place,
        item: &ItemId,
    ) -> Result<ItemId, WireError> {
        let destination = format!("{}{target}", self.shared.client.origin);
        let method = Method::from_bytes(b"MOVE").unwrap_or(Method::OPTIONS);
        let request =
            Request::new(method, source).with("destination", &destination).with("overwrite", "F");
        let answer = self.send(request).await?;
        match answer.status.as_u16() {
            // The name is taken, or the server moves nothing.
            405 | 412 | 501 | 502 => self.carry_over(source, target, to, item).await,
            _ => answer.success().map(|_| item.clone()),
        }
    }

    /// Moves by writing there and deleting here. Where that breaks in between, the item is in both
    /// places and in none is it lost.
    async fn carry_over(
        &self,
        source: &Path,
        target: &Path,
        to: &Place,
        item: &ItemId,
    ) -> Result<ItemId, WireError> {
        let there = self.get(source).await?.ok_or_else(|| gone(item))?;
        let mut id = item.clone();
        let put = self.put(target, to.class, there.object.clone(), Before::Absent).await?;
        if let Put::Lost = put {
            let name = hash::name_of(&format!("{source}"));
            id = ItemId::new(format!("{name}.{}", extension(to.class)));
            let other = to.path.member(id.as_str()).ok_or_else(|| gone(item))?;
            // Where that is taken too, an earlier attempt took it.
            self.put(&other, to.class, there.object, Before::Absent).await?;
        }
        // The server must not take it for a refusal of the meeting (RFC 6638 §8.1).
        self.delete(source, Reply::Silent).await?;
        Ok(id)
    }

    /// Who writes.
    pub(crate) async fn writing(&self, key: &SubmissionKey) -> Result<Writing> {
        let principal = self.principal().await.map_err(|error| error.told("find the user"))?;
        Ok(Writing {
            owner: self.owner_as(&principal),
            name: self.account.display_name.clone().or_else(|| principal.display_name.clone()),
            now: object::now(),
            key: key.0.clone(),
            schedules: principal.schedules,
            zone: self.clock.clone(),
        })
    }
}

impl Reply {
    fn said_in(self, request: Request) -> Request {
        match self {
            Self::ByServer => request,
            Self::Silent => request.with("schedule-reply", "F"),
        }
    }
}

/// # Errors
/// `Invalid` where the patch is for items of another class.
fn fits(class: Class, patch: &ItemPatch) -> Result<()> {
    match class == patch.class() {
        true => Ok(()),
        false => {
            let context = format!("dav: a collection of {class:?} holds nothing else");
            Err(Error::new(ErrorKind::Invalid, context))
        }
    }
}

fn written(
    item: ItemId,
    mark: Option<ContentMark>,
    notices: Vec<Notice>,
    attached: Vec<PartId>,
) -> Written {
    Written { item, mark, notices, attached: attached.into_iter().map(Some).collect() }
}

fn extension(class: Class) -> &'static str {
    match class {
        Class::Contacts => "vcf",
        _ => "ics",
    }
}
