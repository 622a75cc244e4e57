//! A mailbox that fails when told to, and at each call gives whoever waits the chance to be cut
//! off.

use crate::Coming;
use async_trait::async_trait;
use dme_mailbox::{
    ByteRange, CalendarMessage, ChangeToken, Changes, Draft, Edit, Error, ErrorKind, Fetched,
    Identity, ItemFilter, ItemResult, Listing, Mailbox, NewItem, PartContent, Result, SearchPage,
    SearchQuery, Subcollections, Submission, SubmissionKey, Submitted, TakenIn, WatchEvent,
    Written,
};
use dme_model::{
    Answer, BodyView, Class, Collection, CollectionId, FlagPatch, ItemId, Occasion, PartId,
};
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

/// What another client does between two calls.
pub(crate) struct Meanwhile {
    /// After so many more calls.
    pub ahead: u8,
    pub collection: CollectionId,
    pub item: ItemId,
    /// Sets these marks, or deletes for good.
    pub patch: Option<FlagPatch>,
}

/// A mailbox whose calls fail when told to.
pub(crate) struct Faulty {
    inner: Arc<dyn Mailbox>,
    coming: Mutex<Option<Coming>>,
    meanwhile: Mutex<Option<Meanwhile>>,
}

impl Faulty {
    pub fn new(inner: Arc<dyn Mailbox>) -> Self {
        Self { inner, coming: Mutex::new(None), meanwhile: Mutex::new(None) }
    }

    pub fn fail(&self, ahead: u8, after: bool) {
        *self.coming.lock().unwrap_or_else(PoisonError::into_inner) = Some(Coming { ahead, after });
    }

    /// Whether the failure is still to come.
    #[cfg(test)]
    pub fn is_to_fail(&self) -> bool {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub fn meanwhile(&self, meanwhile: Meanwhile) {
        *self.meanwhile.lock().unwrap_or_else(PoisonError::into_inner) = Some(meanwhile);
    }

    /// The other client marks nothing after all.
    pub fn forget_marks(&self) {
        let mut meanwhile = self.meanwhile.lock().unwrap_or_else(PoisonError::into_inner);
        meanwhile.take_if(|meanwhile| meanwhile.patch.is_some());
    }

    pub fn heal(&self) {
        *self.coming.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.meanwhile.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Lets the other client act, when its time has come.
    async fn let_other_act(&self) {
        let due = {
            let mut meanwhile = self.meanwhile.lock().unwrap_or_else(PoisonError::into_inner);
            match meanwhile.as_mut() {
                Some(Meanwhile { ahead: 0, .. }) => meanwhile.take(),
                Some(later) => {
                    later.ahead -= 1;
                    None
                }
                None => None,
            }
        };
        // What it wanted to act on may be gone by now.
        match due {
            Some(Meanwhile { collection, item, patch: Some(patch), .. }) => {
                let _ = self.inner.set_flags(&collection, &[(item, patch)]).await;
            }
            Some(Meanwhile { collection, item, patch: None, .. }) => {
                let _ = self.inner.delete_items(&collection, &[item]).await;
            }
            None => {}
        }
    }

    /// Steps aside once; then fails, or says how the call will.
    async fn begin(&self) -> Result<Option<Error>> {
        let mut stepped_aside = false;
        poll_fn(|context| {
            if std::mem::replace(&mut stepped_aside, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        self.let_other_act().await;
        let mut coming = self.coming.lock().unwrap_or_else(PoisonError::into_inner);
        let error = || Error::new(ErrorKind::Unavailable, "the connection was lost");
        Coming::one_more(&mut coming, error)
    }
}

macro_rules! call {
    ($self:ident, $call:expr) => {{
        let lost = $self.begin().await?;
        let answer = $call.await;
        match lost {
            Some(error) => Err(error),
            None => answer,
        }
    }};
}

#[async_trait]
impl Mailbox for Faulty {
    async fn collections(&self) -> Result<Vec<Collection>> {
        call!(self, self.inner.collections())
    }

    async fn create_collection(
        &self,
        parent: Option<&CollectionId>,
        name: &str,
        class: Class,
    ) -> Result<CollectionId> {
        call!(self, self.inner.create_collection(parent, name, class))
    }

    async fn update_collection(
        &self,
        collection: &CollectionId,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        call!(self, self.inner.update_collection(collection, parent, name))
    }

    async fn delete_collection(&self, collection: &CollectionId) -> Result<()> {
        call!(self, self.inner.delete_collection(collection))
    }

    async fn list(&self, collection: &CollectionId, filter: &ItemFilter) -> Result<Listing> {
        call!(self, self.inner.list(collection, filter))
    }

    async fn changes(&self, collection: &CollectionId, since: &ChangeToken) -> Result<Changes> {
        call!(self, self.inner.changes(collection, since))
    }

    async fn changed(&self, since: &[(CollectionId, ChangeToken)]) -> Result<Vec<CollectionId>> {
        call!(self, self.inner.changed(since))
    }

    async fn fetch(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
        view: &BodyView,
    ) -> Result<BoxStream<'static, Result<Fetched>>> {
        let lost = self.begin().await?;
        let stream = self.inner.fetch(collection, items, view).await?;
        Ok(match lost {
            // It breaks off half way.
            Some(error) => stream
                .take(items.len() / 2)
                .chain(futures_util::stream::once(async { Err(error) }))
                .boxed(),
            None => stream,
        })
    }

    async fn fetch_part(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        part: Option<&PartId>,
        range: Option<ByteRange>,
    ) -> Result<PartContent> {
        call!(self, self.inner.fetch_part(collection, item, part, range))
    }

    async fn set_flags(
        &self,
        collection: &CollectionId,
        patches: &[(ItemId, FlagPatch)],
    ) -> Result<Vec<ItemResult>> {
        call!(self, self.inner.set_flags(collection, patches))
    }

    async fn move_items(
        &self,
        from: &CollectionId,
        to: &CollectionId,
        items: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>> {
        call!(self, self.inner.move_items(from, to, items))
    }

    async fn delete_items(&self, collection: &CollectionId, items: &[ItemId]) -> Result<()> {
        call!(self, self.inner.delete_items(collection, items))
    }

    async fn empty_collection(
        &self,
        collection: &CollectionId,
        subcollections: Subcollections,
    ) -> Result<()> {
        call!(self, self.inner.empty_collection(collection, subcollections))
    }

    async fn save_draft(&self, collection: &CollectionId, draft: &Draft) -> Result<ItemId> {
        call!(self, self.inner.save_draft(collection, draft))
    }

    async fn deliver(&self, collection: &CollectionId, message: &[u8]) -> Result<ItemId> {
        call!(self, self.inner.deliver(collection, message))
    }

    async fn submit(&self, submission: &Submission) -> Result<Submitted> {
        call!(self, self.inner.submit(submission))
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        call!(self, self.inner.search(query))
    }

    async fn watch(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        call!(self, self.inner.watch(collections))
    }

    async fn identity(&self) -> Result<Identity> {
        call!(self, self.inner.identity())
    }

    async fn create_item(&self, collection: &CollectionId, item: &NewItem) -> Result<Written> {
        call!(self, self.inner.create_item(collection, item))
    }

    async fn change_item(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        edit: &Edit,
    ) -> Result<Written> {
        call!(self, self.inner.change_item(collection, item, edit))
    }

    async fn respond(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        key: &SubmissionKey,
        answer: &Answer,
    ) -> Result<Written> {
        call!(self, self.inner.respond(collection, item, key, answer))
    }

    async fn calendar_message(
        &self,
        collection: &CollectionId,
        item: &ItemId,
    ) -> Result<Option<CalendarMessage>> {
        call!(self, self.inner.calendar_message(collection, item))
    }

    async fn take_in(
        &self,
        message: &CalendarMessage,
        occasion: Occasion,
    ) -> Result<Option<TakenIn>> {
        call!(self, self.inner.take_in(message, occasion))
    }

    async fn tells(&self, message: &CalendarMessage, to: &[String]) -> Result<bool> {
        call!(self, self.inner.tells(message, to))
    }
}
