//! A mailbox that is reached anew for each call.

use crate::{
    BusyQuery, BusyTime, ByteRange, CalendarMessage, ChangeToken, Changes, Draft, Edit, Error,
    Fetched, Identity, ItemFilter, ItemResult, Listing, Mailbox, NewItem, PartContent, Result,
    SearchPage, SearchQuery, Subcollections, Submission, SubmissionKey, Submitted, TakenIn,
    WatchEvent, Written,
};
use async_trait::async_trait;
use dme_model::{
    Answer, BodyView, Class, Collection, CollectionId, FlagPatch, ItemId, Occasion, PartId,
    Vacation,
};
use futures_core::stream::BoxStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What became of one call on a mailbox.
#[derive(Clone, Copy, Debug)]
pub struct Called<'a> {
    /// The collection it was about, where it was about one.
    pub collection: Option<&'a CollectionId>,
    /// How long its answer took; of one that is a stream, its beginning.
    pub took: Duration,
    /// Why it failed, if it did.
    pub failed: Option<&'a Error>,
}

/// How a mailbox is reached.
#[async_trait]
pub trait Way: Send + Sync {
    /// The mailbox, for one call; or what becomes of the call.
    async fn there(&self) -> Result<Arc<dyn Mailbox>>;

    /// What becomes of the answer, when the call has been carried out.
    async fn back(&self) -> Result<()> {
        Ok(())
    }

    /// Is told of each call that reached the mailbox. Must not take long.
    fn called(&self, _: Called<'_>) {}

    /// Is told the collections, whenever they were asked for.
    fn listed(&self, _: &[Collection]) {}
}

#[async_trait]
impl<W: Way> Way for Arc<W> {
    async fn there(&self) -> Result<Arc<dyn Mailbox>> {
        (**self).there().await
    }

    async fn back(&self) -> Result<()> {
        (**self).back().await
    }

    fn called(&self, called: Called<'_>) {
        (**self).called(called);
    }

    fn listed(&self, all: &[Collection]) {
        (**self).listed(all);
    }
}

/// The mailbox at the end of a way.
pub struct Passing<W>(pub W);

impl<W: Way> Passing<W> {
    /// Tells the way what became of a call.
    fn tell<T>(&self, collection: Option<&CollectionId>, begun: Instant, answer: &Result<T>) {
        let failed = answer.as_ref().err();
        self.0.called(Called { collection, took: begun.elapsed(), failed });
    }
}

macro_rules! pass {
    ($($(@$about:ident)? $call:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl<W: Way> Mailbox for Passing<W> {
            async fn collections(&self) -> Result<Vec<Collection>> {
                let mailbox = self.0.there().await?;
                let begun = Instant::now();
                let answer = mailbox.collections().await;
                self.tell(None, begun, &answer);
                if let Ok(all) = &answer {
                    self.0.listed(all);
                }
                self.0.back().await?;
                answer
            }

            $(async fn $call(&self, $($argument: $type),*) -> Result<$answer> {
                let mailbox = self.0.there().await?;
                let begun = Instant::now();
                let answer = mailbox.$call($($argument),*).await;
                self.tell(None$(.or(Some($about)))?, begun, &answer);
                self.0.back().await?;
                answer
            })*
        }
    };
}

// Every call of the trait: one that is left out would have its default and not reach the mailbox.
pass! {
    create_collection(parent: Option<&CollectionId>, name: &str, class: Class) -> CollectionId;
    @collection update_collection(
        collection: &CollectionId, parent: Option<&CollectionId>, name: &str
    ) -> CollectionId;
    @collection delete_collection(collection: &CollectionId) -> ();
    @collection list(collection: &CollectionId, filter: &ItemFilter) -> Listing;
    @collection changes(collection: &CollectionId, since: &ChangeToken) -> Changes;
    changed(since: &[(CollectionId, ChangeToken)]) -> Vec<CollectionId>;
    @collection fetch(collection: &CollectionId, items: &[ItemId], view: &BodyView)
        -> BoxStream<'static, Result<Fetched>>;
    @collection fetch_part(
        collection: &CollectionId, item: &ItemId, part: Option<&PartId>, range: Option<ByteRange>
    ) -> PartContent;
    @collection set_flags(collection: &CollectionId, patches: &[(ItemId, FlagPatch)])
        -> Vec<ItemResult>;
    @from move_items(from: &CollectionId, to: &CollectionId, items: &[ItemId])
        -> Vec<ItemResult<Option<ItemId>>>;
    @collection delete_items(collection: &CollectionId, items: &[ItemId]) -> ();
    @collection empty_collection(collection: &CollectionId, subcollections: Subcollections) -> ();
    @collection save_draft(collection: &CollectionId, draft: &Draft) -> ItemId;
    @collection deliver(collection: &CollectionId, message: &[u8]) -> ItemId;
    submit(submission: &Submission) -> Submitted;
    search(query: &SearchQuery) -> SearchPage;
    watch(collections: &[CollectionId]) -> BoxStream<'static, Result<WatchEvent>>;
    identity() -> Identity;
    @collection create_item(collection: &CollectionId, item: &NewItem) -> Written;
    @collection change_item(collection: &CollectionId, item: &ItemId, edit: &Edit) -> Written;
    @collection respond(
        collection: &CollectionId, item: &ItemId, key: &SubmissionKey, answer: &Answer
    ) -> Written;
    take_in(message: &CalendarMessage, occasion: Occasion) -> Option<TakenIn>;
    tells(message: &CalendarMessage, to: &[String]) -> bool;
    @collection calendar_message(collection: &CollectionId, item: &ItemId)
        -> Option<CalendarMessage>;
    busy(query: &BusyQuery) -> Vec<BusyTime>;
    vacation() -> Vacation;
    set_vacation(vacation: &Vacation) -> ();
}
