//! A mail system whose out-of-office message is kept by another server beside it.

use crate::{
    Account, ByteRange, CallContext, ChangeToken, Changes, Draft, Error, ErrorKind, Fetched,
    Identity, ItemFilter, ItemResult, Listing, MailSystem, Mailbox, PartContent, Result,
    SearchPage, SearchQuery, Subcollections, Submission, Submitted, WatchEvent,
};
use async_trait::async_trait;
use dme_model::{BodyView, Collection, CollectionId, FlagPatch, ItemId, PartId, Vacation};
use futures_core::stream::BoxStream;
use std::sync::Arc;

/// What keeps out-of-office messages and answers by them.
#[async_trait]
pub trait VacationService: Send + Sync {
    /// The user's message, as [`Mailbox::vacation`].
    ///
    /// # Errors
    /// As the server's.
    async fn vacation(&self, account: &Account, context: &CallContext) -> Result<Vacation>;

    /// Sets the user's message, as [`Mailbox::set_vacation`]. `addresses` are all the user's: mail
    /// to any of them is answered.
    ///
    /// # Errors
    /// As the server's.
    async fn set_vacation(
        &self,
        account: &Account,
        addresses: &[String],
        vacation: &Vacation,
        context: &CallContext,
    ) -> Result<()>;
}

/// A mail system with the vacation service that stands beside it.
pub struct WithVacation {
    mail: Arc<dyn MailSystem>,
    service: Arc<dyn VacationService>,
}

struct MailboxWithVacation {
    mail: Arc<dyn Mailbox>,
    service: Arc<dyn VacationService>,
    account: Account,
    context: CallContext,
}

pub(crate) fn unsupported() -> Error {
    Error::new(ErrorKind::Unsupported, "this mail system keeps no out-of-office message")
}

/// Refuses a message that makes no sense.
///
/// # Errors
/// `Invalid`.
pub fn check_vacation(vacation: &Vacation) -> Result<()> {
    vacation.problem().map_or(Ok(()), |problem| Err(Error::new(ErrorKind::Invalid, problem)))
}

impl WithVacation {
    /// The two as one mail system: whatever is not about the out-of-office message goes to `mail`.
    pub fn new(mail: Arc<dyn MailSystem>, service: Arc<dyn VacationService>) -> Self {
        Self { mail, service }
    }
}

#[async_trait]
impl MailSystem for WithVacation {
    async fn owns(&self, account: &Account, context: &CallContext) -> Result<bool> {
        self.mail.owns(account, context).await
    }

    async fn open(&self, account: &Account, context: &CallContext) -> Result<Arc<dyn Mailbox>> {
        Ok(Arc::new(MailboxWithVacation {
            mail: self.mail.open(account, context).await?,
            service: self.service.clone(),
            account: account.clone(),
            context: context.clone(),
        }))
    }
}

#[async_trait]
impl Mailbox for MailboxWithVacation {
    async fn vacation(&self) -> Result<Vacation> {
        self.service.vacation(&self.account, &self.context).await
    }

    async fn set_vacation(&self, vacation: &Vacation) -> Result<()> {
        let addresses = self.mail.identity().await?.addresses;
        self.service.set_vacation(&self.account, &addresses, vacation, &self.context).await
    }

    async fn collections(&self) -> Result<Vec<Collection>> {
        self.mail.collections().await
    }

    async fn create_collection(
        &self,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        self.mail.create_collection(parent, name).await
    }

    async fn update_collection(
        &self,
        collection: &CollectionId,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId> {
        self.mail.update_collection(collection, parent, name).await
    }

    async fn delete_collection(&self, collection: &CollectionId) -> Result<()> {
        self.mail.delete_collection(collection).await
    }

    async fn list(&self, collection: &CollectionId, filter: &ItemFilter) -> Result<Listing> {
        self.mail.list(collection, filter).await
    }

    async fn changes(&self, collection: &CollectionId, since: &ChangeToken) -> Result<Changes> {
        self.mail.changes(collection, since).await
    }

    async fn changed(&self, since: &[(CollectionId, ChangeToken)]) -> Result<Vec<CollectionId>> {
        self.mail.changed(since).await
    }

    async fn fetch(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
        view: &BodyView,
    ) -> Result<BoxStream<'static, Result<Fetched>>> {
        self.mail.fetch(collection, items, view).await
    }

    async fn fetch_part(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        part: Option<&PartId>,
        range: Option<ByteRange>,
    ) -> Result<PartContent> {
        self.mail.fetch_part(collection, item, part, range).await
    }

    async fn set_flags(
        &self,
        collection: &CollectionId,
        patches: &[(ItemId, FlagPatch)],
    ) -> Result<Vec<ItemResult>> {
        self.mail.set_flags(collection, patches).await
    }

    async fn move_items(
        &self,
        from: &CollectionId,
        to: &CollectionId,
        items: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>> {
        self.mail.move_items(from, to, items).await
    }

    async fn delete_items(&self, collection: &CollectionId, items: &[ItemId]) -> Result<()> {
        self.mail.delete_items(collection, items).await
    }

    async fn empty_collection(
        &self,
        collection: &CollectionId,
        subcollections: Subcollections,
    ) -> Result<()> {
        self.mail.empty_collection(collection, subcollections).await
    }

    async fn save_draft(&self, collection: &CollectionId, draft: &Draft) -> Result<ItemId> {
        self.mail.save_draft(collection, draft).await
    }

    async fn deliver(&self, collection: &CollectionId, message: &[u8]) -> Result<ItemId> {
        self.mail.deliver(collection, message).await
    }

    async fn submit(&self, submission: &Submission) -> Result<Submitted> {
        self.mail.submit(submission).await
    }

    async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        self.mail.search(query).await
    }

    async fn watch(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>> {
        self.mail.watch(collections).await
    }

    async fn identity(&self) -> Result<Identity> {
        self.mail.identity().await
    }
}
