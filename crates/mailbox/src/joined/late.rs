//! A part's mailbox that is opened at its first call: mail does not wait for it, and where it cannot
//! be opened, only what is asked of it fails.

use crate::{
    Account, BusyQuery, BusyTime, ByteRange, CalendarMessage, CallContext, ChangeToken, Changes,
    Draft, Edit, Fetched, Identity, ItemFilter, ItemResult, Listing, MailSystem, Mailbox, NewItem,
    PartContent, Result, SearchPage, SearchQuery, Subcollections, Submission, SubmissionKey,
    Submitted, TakenIn, WatchEvent, Written,
};
use async_trait::async_trait;
use dme_model::{
    Answer, BodyView, Class, Collection, CollectionId, FlagPatch, ItemId, Occasion, PartId,
    Vacation,
};
use futures_core::stream::BoxStream;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// One user's mailbox in one mail system, opened once. What failed is tried again by the next call.
pub(super) struct Late {
    system: Arc<dyn MailSystem>,
    account: Account,
    context: CallContext,
    opened: OnceCell<Arc<dyn Mailbox>>,
}

impl Late {
    /// The mailbox that the system has for the account.
    pub(super) fn new(system: Arc<dyn MailSystem>, account: Account, context: CallContext) -> Self {
        Self { system, account, context, opened: OnceCell::new() }
    }

    async fn opened(&self) -> Result<&Arc<dyn Mailbox>> {
        self.opened.get_or_try_init(|| self.system.open(&self.account, &self.context)).await
    }
}

#[async_trait]
impl Mailbox for Late {
    async fn collections(&self) -> Result<Vec<Collection>> {
        self.opened().await?.collections().await
    }

    async fn create_collection(
        &self,
        parent: Option<&CollectionId>,
        name: &str,
        class: Class,
    ) -> Result<CollectionId> {
        self.opened().await?.create_collection(parent, name, class).await
    }

    async fn update_collection(
        &self,
        collection: &CollectionId,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        self.opened().await?.update_collection(collection, parent, name).await
    }

    async fn delete_collection(&self, collection: &CollectionId) -> Result<()> {
        self.opened().await?.delete_collection(collection).await
    }

    async fn list(&self, collection: &CollectionId, filter: &ItemFilter) -> Result<Listing> {
        self.opened().await?.list(collection, filter).await
    }

    async fn changes(&self, collection: &CollectionId, since: &ChangeToken) -> Result<Changes> {
        self.opened().await?.changes(collection, since).await
    }

    async fn changed(&self, since: &[(CollectionId, ChangeToken)]) -> Result<Vec<CollectionId>> {
        self.opened().await?.changed(since).await
    }

    async fn fetch(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
        view: &BodyView,
    ) -> Result<BoxStream<'static, Result<Fetched>>> {
        self.opened().await?.fetch(collection, items, view).await
    }

    async fn fetch_part(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        part: Option<&PartId>,
        range: Option<ByteRange>,
    ) -> Result<PartContent> {
        self.opened().await?.fetch_part(collection, item, part, range).await
    }

    async fn set_flags(
        &self,
        collection: &CollectionId,
        patches: &[(ItemId, FlagPatch)],
    ) -> Result<Vec<ItemResult>> {
        self.opened().await?.set_flags(collection, patches).await
    }

    async fn move_items(
        &self,
        from: &CollectionId,
        to: &CollectionId,
        items: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>> {
        self.opened().await?.move_items(from, to, items).await
    }

    async fn delete_items(&self, collection: &CollectionId, items: &[ItemId]) -> Result<()> {
        self.opened().await?.delete_items(collection, items).await
    }

    async fn empty_collection(
        &self,
        collection: &CollectionId,
        subcollections: Subcollections,
    ) -> Result<()> {
        self.opened().await?.empty_collection(collection, subcollections).await
    }

    async fn save_draft(&self, collection: &CollectionId, draft: &Draft) -> Result<ItemId> {
        self.opened().await?.save_draft(collection, draft).await
    }

    async fn deliver(&self, collection: &CollectionId, message: &[u8]) -> Result<ItemId> {
        self.opened().await?.deliver(collection, message).await
    }

    async fn submit(&self, submission: &Submission) -> Result<Submitted> {
        self.opened().await?.submit(submission).await
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        self.opened().await?.search(query).await
    }

    async fn watch(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        self.opened().await?.watch(collections).await
    }

    async fn identity(&self) -> Result<Identity> {
        self.opened().await?.identity().await
    }

    async fn create_item(&self, collection: &CollectionId, item: &NewItem) -> Result<Written> {
        self.opened().await?.create_item(collection, item).await
    }

    async fn change_item(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        edit: &Edit,
    ) -> Result<Written> {
        self.opened().await?.change_item(collection, item, edit).await
    }

    async fn respond(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        key: &SubmissionKey,
        answer: &Answer,
    ) -> Result<Written> {
        self.opened().await?.respond(collection, item, key, answer).await
    }

    async fn take_in(
        &self,
        message: &CalendarMessage,
        occasion: Occasion,
    ) -> Result<Option<TakenIn>> {
        self.opened().await?.take_in(message, occasion).await
    }

    async fn tells(&self, message: &CalendarMessage, to: &[String]) -> Result<bool> {
        self.opened().await?.tells(message, to).await
    }

    async fn calendar_message(
        &self,
        collection: &CollectionId,
        item: &ItemId,
    ) -> Result<Option<CalendarMessage>> {
        self.opened().await?.calendar_message(collection, item).await
    }

    async fn busy(&self, query: &BusyQuery) -> Result<Vec<BusyTime>> {
        self.opened().await?.busy(query).await
    }

    async fn vacation(&self) -> Result<Vacation> {
        self.opened().await?.vacation().await
    }

    async fn set_vacation(&self, vacation: &Vacation) -> Result<()> {
        self.opened().await?.set_vacation(vacation).await
    }
}
