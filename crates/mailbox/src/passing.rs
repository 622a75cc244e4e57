//! A mailbox that is reached anew for each call.

use crate::{
    BusyQuery, BusyTime, ByteRange, CalendarMessage, ChangeToken, Changes, Draft, Edit, Fetched,
    Identity, ItemFilter, ItemResult, Listing, Mailbox, NewItem, PartContent, Result, SearchPage,
    SearchQuery, Subcollections, Submission, SubmissionKey, Submitted, TakenIn, WatchEvent,
    Written,
};
use async_trait::async_trait;
use dme_model::{
    Answer, BodyView, Class, Collection, CollectionId, FlagPatch, ItemId, Occasion, PartId,
    Vacation,
};
use futures_core::stream::BoxStream;
use std::sync::Arc;

/// How a mailbox is reached.
#[async_trait]
pub trait Way: Send + Sync {
    /// The mailbox, for one call; or what becomes of the call.
    async fn there(&self) -> Result<Arc<dyn Mailbox>>;

    /// What becomes of the answer, when the call has been carried out.
    async fn back(&self) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl<W: Way> Way for Arc<W> {
    async fn there(&self) -> Result<Arc<dyn Mailbox>> {
        (**self).there().await
    }

    async fn back(&self) -> Result<()> {
        (**self).back().await
    }
}

/// The mailbox at the end of a way.
pub struct Passing<W>(pub W);

macro_rules! pass {
    ($($call:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl<W: Way> Mailbox for Passing<W> {
            $(async fn $call(&self, $($argument: $type),*) -> Result<$answer> {
                let answer = self.0.there().await?.$call($($argument),*).await;
                self.0.back().await?;
                answer
            })*
        }
    };
}

// Every call of the trait: one that is left out would have its default and not reach the mailbox.
pass! {
    collections() -> Vec<Collection>;
    create_collection(parent: Option<&CollectionId>, name: &str, class: Class) -> CollectionId;
    update_collection(collection: &CollectionId, parent: Option<&CollectionId>, name: &str)
        -> CollectionId;
    delete_collection(collection: &CollectionId) -> ();
    list(collection: &CollectionId, filter: &ItemFilter) -> Listing;
    changes(collection: &CollectionId, since: &ChangeToken) -> Changes;
    changed(since: &[(CollectionId, ChangeToken)]) -> Vec<CollectionId>;
    fetch(collection: &CollectionId, items: &[ItemId], view: &BodyView)
        -> BoxStream<'static, Result<Fetched>>;
    fetch_part(
        collection: &CollectionId, item: &ItemId, part: Option<&PartId>, range: Option<ByteRange>
    ) -> PartContent;
    set_flags(collection: &CollectionId, patches: &[(ItemId, FlagPatch)]) -> Vec<ItemResult>;
    move_items(from: &CollectionId, to: &CollectionId, items: &[ItemId])
        -> Vec<ItemResult<Option<ItemId>>>;
    delete_items(collection: &CollectionId, items: &[ItemId]) -> ();
    empty_collection(collection: &CollectionId, subcollections: Subcollections) -> ();
    save_draft(collection: &CollectionId, draft: &Draft) -> ItemId;
    deliver(collection: &CollectionId, message: &[u8]) -> ItemId;
    submit(submission: &Submission) -> Submitted;
    search(query: &SearchQuery) -> SearchPage;
    watch(collections: &[CollectionId]) -> BoxStream<'static, Result<WatchEvent>>;
    identity() -> Identity;
    create_item(collection: &CollectionId, item: &NewItem) -> Written;
    change_item(collection: &CollectionId, item: &ItemId, edit: &Edit) -> Written;
    respond(collection: &CollectionId, item: &ItemId, key: &SubmissionKey, answer: &Answer)
        -> Written;
    take_in(message: &CalendarMessage, occasion: Occasion) -> Option<TakenIn>;
    tells(message: &CalendarMessage, to: &[String]) -> bool;
    calendar_message(collection: &CollectionId, item: &ItemId) -> Option<CalendarMessage>;
    busy(query: &BusyQuery) -> Vec<BusyTime>;
    vacation() -> Vacation;
    set_vacation(vacation: &Vacation) -> ();
}
