//! A mailbox of one function that finds another connector when the one it is at is lost (rule R7):
//! what only reads, or may be repeated, is carried out there within the same request.

mod elsewhere;

use super::Router;
use crate::outbox::Outbox;
use async_trait::async_trait;
use dme_mailbox::{
    Account, BusyQuery, BusyTime, ByteRange, CalendarMessage, CallContext, ChangeToken, Changes,
    Draft, Edit, Error, ErrorKind, Fetched, Identity, ItemFilter, ItemResult, Listing, Mailbox,
    NewItem, PartContent, Result, SearchPage, SearchQuery, Subcollections, Submission,
    SubmissionKey, Submitted, TakenIn, WatchEvent, Written,
};
use dme_model::{
    Answer, BodyView, Class, Collection, CollectionId, ConnectorId, FlagPatch, Function, ItemId,
    Occasion, PartId, Vacation,
};
use futures_util::stream::BoxStream;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// A handle on one function of a user's mailbox.
#[derive(Clone)]
pub(super) struct RoutedMailbox(Arc<Inner>);

struct Inner {
    router: Arc<Router>,
    account: Account,
    context: CallContext,
    /// When the caller gives up, by the clock of timers.
    until: Instant,
    functions: BTreeSet<Function>,
    /// Where it is, or why it is nowhere.
    at: Mutex<Result<Place>>,
    /// What is sent while it is nowhere waits there.
    outbox: Option<Arc<Outbox>>,
}

/// A connector, and the mailbox there once it was opened.
#[derive(Clone)]
struct Place {
    id: ConnectorId,
    mailbox: Option<Arc<dyn Mailbox>>,
}

impl RoutedMailbox {
    pub fn new(
        router: Arc<Router>,
        account: Account,
        context: CallContext,
        functions: BTreeSet<Function>,
        at: Result<ConnectorId>,
    ) -> Self {
        let at = Mutex::new(at.map(|id| Place { id, mailbox: None }));
        let until = Instant::now() + context.left();
        Self(Arc::new(Inner { router, account, context, until, functions, at, outbox: None }))
    }

    /// Mail that is nowhere now; what is sent waits.
    pub fn keeping(
        router: Arc<Router>,
        account: Account,
        context: CallContext,
        why: Error,
        outbox: Arc<Outbox>,
    ) -> Self {
        let (functions, at) = ([Function::Mail].into(), Mutex::new(Err(why)));
        let (until, outbox) = (Instant::now() + context.left(), Some(outbox));
        Self(Arc::new(Inner { router, account, context, until, functions, at, outbox }))
    }

    /// Opens it where it is; or, where that one is lost, at another.
    pub async fn open(&self) -> Result<()> {
        self.here().await.map(drop)
    }

    fn at(&self) -> MutexGuard<'_, Result<Place>> {
        self.0.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where what is sent waits, and why.
    fn keeps(&self) -> Option<(&Outbox, Error)> {
        let outbox = self.0.outbox.as_deref()?;
        self.at().as_ref().err().map(|why| (outbox, why.clone()))
    }
}

#[async_trait]
impl Mailbox for RoutedMailbox {
    async fn collections(&self) -> Result<Vec<Collection>> {
        let planned = self.at().clone()?.id;
        let (by, found) = self.again_at(|at| async move { at.collections().await }).await?;
        // One that offers something else has other collections beside those asked for, and which
        // of them are to be shown was not judged.
        if by != planned && !self.0.router.connectors.offer_alike(&planned, &by) {
            let words = "the connector was lost while the collections were read";
            return Err(Error::new(ErrorKind::Unavailable, words));
        }
        Ok(found)
    }

    async fn create_collection(
        &self,
        parent: Option<&CollectionId>,
        name: &str,
        class: Class,
    ) -> Result<CollectionId> {
        self.once(|at| async move { at.create_collection(parent, name, class).await }).await
    }

    async fn update_collection(
        &self,
        collection: &CollectionId,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        self.once(|at| async move { at.update_collection(collection, parent, name).await }).await
    }

    async fn delete_collection(&self, collection: &CollectionId) -> Result<()> {
        self.once(|at| async move { at.delete_collection(collection).await }).await
    }

    async fn list(&self, collection: &CollectionId, filter: &ItemFilter) -> Result<Listing> {
        self.again(|at| async move { at.list(collection, filter).await }).await
    }

    async fn changes(&self, collection: &CollectionId, since: &ChangeToken) -> Result<Changes> {
        self.again(|at| async move { at.changes(collection, since).await }).await
    }

    async fn changed(&self, since: &[(CollectionId, ChangeToken)]) -> Result<Vec<CollectionId>> {
        self.again(|at| async move { at.changed(since).await }).await
    }

    async fn fetch(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
        view: &BodyView,
    ) -> Result<BoxStream<'static, Result<Fetched>>> {
        let begun = self.again_at(|at| async move { at.fetch(collection, items, view).await });
        let (from, rest) = begun.await?;
        Ok(self.fetched((collection, items, view), from, rest))
    }

    async fn fetch_part(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        part: Option<&PartId>,
        range: Option<ByteRange>,
    ) -> Result<PartContent> {
        let range = &range;
        self.again(|at| async move { at.fetch_part(collection, item, part, *range).await }).await
    }

    async fn set_flags(
        &self,
        collection: &CollectionId,
        patches: &[(ItemId, FlagPatch)],
    ) -> Result<Vec<ItemResult>> {
        self.again(|at| async move { at.set_flags(collection, patches).await }).await
    }

    async fn move_items(
        &self,
        from: &CollectionId,
        to: &CollectionId,
        items: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>> {
        self.once(|at| async move { at.move_items(from, to, items).await }).await
    }

    async fn delete_items(&self, collection: &CollectionId, items: &[ItemId]) -> Result<()> {
        self.again(|at| async move { at.delete_items(collection, items).await }).await
    }

    async fn empty_collection(
        &self,
        collection: &CollectionId,
        subcollections: Subcollections,
    ) -> Result<()> {
        self.once(|at| async move { at.empty_collection(collection, subcollections).await }).await
    }

    async fn save_draft(&self, collection: &CollectionId, draft: &Draft) -> Result<ItemId> {
        let key = &draft.key;
        self.once_named(key, |at| async move { at.save_draft(collection, draft).await }).await
    }

    async fn deliver(&self, collection: &CollectionId, message: &[u8]) -> Result<ItemId> {
        self.once(|at| async move { at.deliver(collection, message).await }).await
    }

    async fn submit(&self, submission: &Submission) -> Result<Submitted> {
        let key = &submission.key;
        match self.keeps() {
            Some((outbox, why)) => outbox.queue(&self.0.account, submission, &why).await,
            None => self.once_named(key, |at| async move { at.submit(submission).await }).await,
        }
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        self.again(|at| async move { at.search(query).await }).await
    }

    async fn watch(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        self.again(|at| async move { at.watch(collections).await }).await
    }

    async fn identity(&self) -> Result<Identity> {
        self.again(|at| async move { at.identity().await }).await
    }

    async fn create_item(&self, collection: &CollectionId, item: &NewItem) -> Result<Written> {
        self.once(|at| async move { at.create_item(collection, item).await }).await
    }

    async fn change_item(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        edit: &Edit,
    ) -> Result<Written> {
        self.once(|at| async move { at.change_item(collection, item, edit).await }).await
    }

    async fn respond(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        key: &SubmissionKey,
        answer: &Answer,
    ) -> Result<Written> {
        let respond =
            |at: Arc<dyn Mailbox>| async move { at.respond(collection, item, key, answer).await };
        self.once_named(key, respond).await
    }

    /// The same message twice changes nothing.
    async fn take_in(
        &self,
        message: &CalendarMessage,
        occasion: Occasion,
    ) -> Result<Option<TakenIn>> {
        self.again(|at| async move { at.take_in(message, occasion).await }).await
    }

    async fn tells(&self, message: &CalendarMessage, to: &[String]) -> Result<bool> {
        if self.keeps().is_some() {
            // Whoever delivers the message asks.
            return Ok(false);
        }
        self.again(|at| async move { at.tells(message, to).await }).await
    }

    async fn calendar_message(
        &self,
        collection: &CollectionId,
        item: &ItemId,
    ) -> Result<Option<CalendarMessage>> {
        self.again(|at| async move { at.calendar_message(collection, item).await }).await
    }

    async fn busy(&self, query: &BusyQuery) -> Result<Vec<BusyTime>> {
        self.again(|at| async move { at.busy(query).await }).await
    }

    async fn vacation(&self) -> Result<Vacation> {
        self.again(|at| async move { at.vacation().await }).await
    }

    async fn set_vacation(&self, vacation: &Vacation) -> Result<()> {
        self.again(|at| async move { at.set_vacation(vacation).await }).await
    }
}
