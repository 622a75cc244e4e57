//! One user's handle: the trait, on the user's collections.

use super::object::{self, User, failed, writing};
use super::{Collection, Vdir};
use crate::Shared;
use crate::clock::now;
use crate::home::Home;
use crate::portions::changed;
use async_trait::async_trait;
use dme_mailbox::{
    Account, BusyPeriod, BusyQuery, BusyTime, ByteRange, CalendarMessage, CallContext, ChangeToken,
    Changes, Edit, Error, ErrorKind, Fetched, Identity, ItemFilter, ItemResult, Listing,
    MailSystem, Mailbox, NewItem, PartContent, Result, Subcollections, SubmissionKey, TakenIn,
    WatchEvent, Written,
};
use dme_model::{
    Answer, BodyView, Class, Collection as Described, CollectionId, ItemId, Occasion, PartId, Role,
    ZoneId,
};
use dme_pim::calendar;
use futures_core::stream::BoxStream;
use std::sync::Arc;

/// How many items of a fetch are read at a time.
const PORTION: usize = 64;

/// The collections of all users, as a mail system without mail.
pub(crate) struct VdirSystem {
    shared: Arc<Shared>,
}

struct VdirMailbox {
    shared: Arc<Shared>,
    vdir: Vdir,
    user: User,
}

impl VdirSystem {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[async_trait]
impl MailSystem for VdirSystem {
    async fn owns(&self, account: &Account, _: &CallContext) -> Result<bool> {
        let user = account.user.clone();
        let there = move |shared: &Shared| {
            Ok(shared.home(user.as_str()).is_ok_and(|home| home.vdir().exists()))
        };
        self.shared.blocking(there).await
    }

    async fn open(&self, account: &Account, context: &CallContext) -> Result<Arc<dyn Mailbox>> {
        let home: Home = self.shared.home(account.user.as_str())?;
        let user = User { account: account.clone(), clock: context.clock.clone() };
        Ok(Arc::new(VdirMailbox { shared: self.shared.clone(), vdir: home.vdir(), user }))
    }
}

impl VdirMailbox {
    /// Does file work on this user's collections.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared, &Vdir, &User) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (vdir, user) = (self.vdir.clone(), self.user.clone());
        self.shared.blocking(move |shared| work(shared, &vdir, &user)).await
    }

    /// The same in one collection.
    async fn within<T: Send + 'static>(
        &self,
        id: &CollectionId,
        work: impl FnOnce(&Collection, &User) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let id = id.clone();
        self.work(move |shared, vdir, user| work(&*vdir.open(shared, &id)?, user)).await
    }

    /// The same in one that may be written.
    async fn writing<T: Send + 'static>(
        &self,
        id: &CollectionId,
        work: impl FnOnce(&Collection, &User) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let id = id.clone();
        self.work(move |shared, vdir, user| {
            vdir.writable(&id)?;
            work(&*vdir.open(shared, &id)?, user)
        })
        .await
    }
}

fn flat() -> Error {
    Error::new(ErrorKind::Forbidden, "calendars and address books do not lie in each other")
}

#[async_trait]
impl Mailbox for VdirMailbox {
    async fn collections(&self) -> Result<Vec<Described>> {
        self.work(|_, vdir, _| vdir.collections()).await
    }

    async fn create_collection(
        &self,
        parent: Option<&CollectionId>,
        name: &str,
        class: Class,
    ) -> Result<CollectionId> {
        if class == Class::Mail {
            return Err(Error::new(ErrorKind::Unsupported, "there is no mail here"));
        }
        if parent.is_some() {
            return Err(flat());
        }
        let name = name.to_owned();
        self.work(move |_, vdir, _| vdir.create_collection(&name, class)).await
    }

    async fn update_collection(
        &self,
        collection: &CollectionId,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        if parent.is_some() {
            return Err(flat());
        }
        let (id, name) = (collection.clone(), name.to_owned());
        self.work(move |_, vdir, _| vdir.rename_collection(&id, &name)).await?;
        Ok(collection.clone())
    }

    async fn delete_collection(&self, collection: &CollectionId) -> Result<()> {
        let id = collection.clone();
        self.work(move |shared, vdir, _| vdir.delete_collection(shared, &id)).await
    }

    async fn list(&self, collection: &CollectionId, filter: &ItemFilter) -> Result<Listing> {
        let filter = filter.clone();
        self.within(collection, move |collection, user| collection.list(&filter, &user.clock)).await
    }

    async fn changes(&self, collection: &CollectionId, since: &ChangeToken) -> Result<Changes> {
        let since = since.clone();
        self.within(collection, move |collection, _| collection.changes(&since)).await
    }

    async fn changed(&self, since: &[(CollectionId, ChangeToken)]) -> Result<Vec<CollectionId>> {
        let since = since.to_vec();
        self.work(move |shared, vdir, _| changed(since, |id| vdir.open(shared, id)?.token())).await
    }

    async fn fetch(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
        view: &BodyView,
    ) -> Result<BoxStream<'static, Result<Fetched>>> {
        let (id, user, view) = (collection.clone(), self.user.clone(), view.clone());
        let collection = self.work(move |shared, vdir, _| vdir.open(shared, &id)).await?;
        let read = move |portion: &[ItemId]| collection.fetch(portion, &user, &view);
        Ok(self.shared.in_portions(items, PORTION, read))
    }

    async fn fetch_part(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        part: Option<&PartId>,
        range: Option<ByteRange>,
    ) -> Result<PartContent> {
        let (item, part) = (item.clone(), part.cloned());
        self.within(collection, move |collection, _| {
            let object = collection.object(&item)?;
            let mut content = object::part(collection.class(), object, part.as_ref())?;
            if let Some(range) = range {
                content.data = range.cut(&content.data)?;
            }
            Ok(content)
        })
        .await
    }

    async fn move_items(
        &self,
        from: &CollectionId,
        to: &CollectionId,
        items: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>> {
        if from == to {
            return Err(Error::new(ErrorKind::Invalid, "the items are there already"));
        }
        let (from, to, items) = (from.clone(), to.clone(), items.to_vec());
        self.work(move |shared, vdir, _| {
            vdir.writable(&from)?;
            vdir.writable(&to)?;
            let target = vdir.open(shared, &to)?;
            vdir.open(shared, &from)?.move_to(&target, &items)
        })
        .await
    }

    async fn delete_items(&self, collection: &CollectionId, items: &[ItemId]) -> Result<()> {
        let items = items.to_vec();
        self.writing(collection, move |collection, _| collection.delete(&items)).await
    }

    async fn empty_collection(&self, collection: &CollectionId, _: Subcollections) -> Result<()> {
        self.writing(collection, |collection, _| collection.empty()).await
    }

    async fn watch(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        let collections = collections.to_vec();
        self.work(move |shared, vdir, _| shared.watcher.watch_vdir(vdir, &collections)).await
    }

    async fn identity(&self) -> Result<Identity> {
        let addresses = vec![self.user.account.address.clone()];
        let display_name = self.user.account.display_name.clone();
        Ok(Identity { addresses, display_name, max_message_size: None })
    }

    async fn create_item(&self, collection: &CollectionId, item: &NewItem) -> Result<Written> {
        let item = item.clone();
        self.writing(collection, move |collection, user| collection.create(&item, user)).await
    }

    async fn change_item(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        edit: &Edit,
    ) -> Result<Written> {
        let (item, edit) = (item.clone(), edit.clone());
        self.writing(collection, move |collection, user| collection.change(&item, &edit, user))
            .await
    }

    async fn respond(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        key: &SubmissionKey,
        answer: &Answer,
    ) -> Result<Written> {
        let (item, key, answer) = (item.clone(), key.clone(), answer.clone());
        self.writing(collection, move |collection, user| {
            collection.rewrite(&item, |object| {
                let writing = writing(&key.0, user, now());
                let done = calendar::respond(object, &answer, &writing);
                done.map(object::Made::from).map_err(failed)
            })
        })
        .await
    }

    async fn take_in(
        &self,
        message: &CalendarMessage,
        occasion: Occasion,
    ) -> Result<Option<TakenIn>> {
        let message = message.clone();
        self.work(move |shared, vdir, user| take_in(shared, vdir, user, &message, occasion)).await
    }

    async fn busy(&self, query: &BusyQuery) -> Result<Vec<BusyTime>> {
        let query = query.clone();
        self.work(move |shared, vdir, user| {
            let of = |address: &String| {
                let own = address.eq_ignore_ascii_case(&user.account.address);
                let vdir = if own { Some(vdir.clone()) } else { vdir_of(shared, address) };
                let taken = |vdir| busy(shared, &vdir, address, &user.clock, &query);
                let periods = vdir.map(taken).transpose()?;
                Ok(BusyTime { address: address.clone(), periods })
            };
            query.addresses.iter().map(of).collect()
        })
        .await
    }
}

/// The collections of another user of the same tree, where their free/busy times may be told.
fn vdir_of(shared: &Shared, address: &str) -> Option<Vdir> {
    let home = shared.config.share_busy.then(|| shared.home(&address.to_lowercase()))?.ok()?;
    home.exists().then(|| home.vdir())
}

/// When the owner of these calendars is not free, ascending.
fn busy(
    shared: &Shared,
    vdir: &Vdir,
    address: &str,
    clock: &ZoneId,
    query: &BusyQuery,
) -> Result<Vec<BusyPeriod>> {
    let mut periods = Vec::new();
    for id in vdir.of_class(Class::Calendar)? {
        let taken = vdir.open(shared, &id)?.busy(address, clock, query.start, query.end)?;
        periods.extend(taken.into_iter().map(|calendar::Busy { start, end, status }| BusyPeriod {
            start,
            end,
            status,
        }));
    }
    periods.sort_by_key(|period| (period.start, period.end));
    Ok(periods)
}

/// Takes a message into the calendar that holds the event it is about, or into the usual one.
fn take_in(
    shared: &Shared,
    vdir: &Vdir,
    user: &User,
    message: &CalendarMessage,
    occasion: Occasion,
) -> Result<Option<TakenIn>> {
    let text = message.calendar.as_bytes();
    // What is about no event concerns nobody's calendar.
    let Ok(uid) = calendar::message_uid(text) else { return Ok(None) };
    let usual = vdir.with_role(Role::Calendar)?;
    let mut calendars = vdir.of_class(Class::Calendar)?;
    calendars.sort_by_key(|id| *id != usual);
    let writing = writing(&crate::maildir::content_mark(text), user, now());
    for id in calendars {
        let collection = vdir.open(shared, &id)?;
        let Some(item) = collection.with_uid(&uid)? else { continue };
        vdir.writable(&id)?;
        let written = collection.rewrite(&item, |existing| {
            let taken = calendar::take_in(Some(existing), text, &message.from, occasion, &writing);
            let calendar::TakenIn { object, notices, .. } = taken.map_err(failed)?;
            let object = object.unwrap_or_else(|| existing.to_vec());
            Ok(object::Made { notices, ..object::Made::quietly(object) })
        })?;
        let Written { item, notices, .. } = written;
        return Ok(Some(TakenIn { collection: id, item, notices }));
    }
    let taken = calendar::take_in(None, text, &message.from, occasion, &writing).map_err(failed)?;
    let Some(object) = taken.object else { return Ok(None) };
    vdir.writable(&usual)?;
    let collection = vdir.open(shared, &usual)?;
    let item = collection.put_object(&taken.uid, &object)?;
    Ok(Some(TakenIn { collection: usual, item, notices: Vec::new() }))
}
