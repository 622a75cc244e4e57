//! One user's data in one mail system, as everything above a backend sees it.
//!
//! A [`MailSystem`] opens a [`Mailbox`] for a user. A handle is opened for each request of a
//! phone; opening is cheap, because sessions to the mail system are pooled beneath it. The same
//! two traits are implemented by the backends and, over the link, by the server's view of a
//! connector: whoever uses them cannot tell which.
//!
//! Cancellation is by dropping the future or stream. Deadlines are in [`CallContext`]. What the
//! words here leave open, [`memory`] answers: it is the reference.

mod call;
mod change;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod fetch;
pub mod hash;
mod joined;
pub mod memory;
mod passing;
mod search;
mod submit;
mod vacation;
mod write;

pub use call::{Account, CallContext, Credentials};
pub use change::{
    ChangeToken, Changes, ContentMark, ItemFilter, ItemState, Listing, StateNow, WatchEvent,
};
pub use error::{Error, ErrorKind, Fault, Result};
pub use fetch::{ByteRange, FetchOutcome, Fetched, PartContent};
pub use joined::{Joined, JoinedMailbox, LastCollections, Named, Part};
pub use passing::{Called, Passing, Way};
pub use search::{Hit, SearchPage, SearchQuery};
pub use submit::{Draft, Reference, Submission, SubmissionKey, Submitted, Verb};
pub use vacation::{VacationService, check_vacation};
pub use write::{
    BusyPeriod, BusyQuery, BusyTime, CalendarMessage, Edit, NewItem, TakenIn, Written,
};

use async_trait::async_trait;
use dme_model::{
    Answer, BodyView, Class, Collection, CollectionId, FlagPatch, ItemId, Occasion, PartId,
    Vacation,
};
use futures_core::stream::BoxStream;
use std::sync::Arc;

/// A mail system, or a connector that reaches one.
#[async_trait]
pub trait MailSystem: Send + Sync {
    /// Whether this user's mailbox is here. Never given a password.
    ///
    /// # Errors
    /// When the mail system cannot be asked; never because the user is unknown.
    async fn owns(&self, account: &Account, context: &CallContext) -> Result<bool>;

    /// A handle on the user's mailbox. Need not contact the mail system; a wrong password may
    /// show only at the first call.
    ///
    /// # Errors
    /// As the mail system's.
    async fn open(&self, account: &Account, context: &CallContext) -> Result<Arc<dyn Mailbox>>;
}

/// What becomes of each item of a call on several, in the order asked: the new id after a move or
/// append, nothing otherwise, or why not.
pub type ItemResult<T = ()> = (ItemId, Result<T>);

/// One user's mailbox in one mail system.
///
/// Nothing is acknowledged before the mail system took it (rule S3). Calls on several items may
/// succeed for some and fail for others; an error of the whole call means that none may be
/// assumed done.
///
/// What only mail has, and what only the other classes have, is `Unsupported` unless a backend
/// says otherwise: it writes what it can do and no more. A mailbox that passes calls on to
/// another must pass on these too.
#[async_trait]
pub trait Mailbox: Send + Sync {
    /// All collections, parents before children.
    async fn collections(&self) -> Result<Vec<Collection>>;

    /// Makes a collection of this class below `parent`, or at the top. `AlreadyExists` where the
    /// name is taken, `Unsupported` where the class or the place cannot be.
    async fn create_collection(
        &self,
        parent: Option<&CollectionId>,
        name: &str,
        class: Class,
    ) -> Result<CollectionId>;

    /// Renames and moves a collection. Answers its id from now on, which may be another.
    async fn update_collection(
        &self,
        collection: &CollectionId,
        parent: Option<&CollectionId>,
        name: &str,
    ) -> Result<CollectionId>;

    /// Deletes a collection with its items and the collections in it.
    async fn delete_collection(&self, collection: &CollectionId) -> Result<()>;

    /// Every item that passes the filter, and the token from which to ask for changes.
    async fn list(&self, collection: &CollectionId, filter: &ItemFilter) -> Result<Listing>;

    /// What changed since the token was given, in one round trip where the mail system can.
    /// `InvalidToken` where it no longer knows; the caller then lists anew (rule S6).
    async fn changes(&self, collection: &CollectionId, since: &ChangeToken) -> Result<Changes>;

    /// Which of these collections changed since their tokens, by the cheapest means there is.
    /// A collection that is gone or whose token is invalid counts as changed. May answer yes
    /// where nothing a phone would see has changed; never no where something has.
    async fn changed(&self, since: &[(CollectionId, ChangeToken)]) -> Result<Vec<CollectionId>>;

    /// The items as the view asks, in the order asked, each exactly once. Never marks them read.
    /// The stream is produced as it is read, so that a window is never in memory whole.
    async fn fetch(
        &self,
        collection: &CollectionId,
        items: &[ItemId],
        view: &BodyView,
    ) -> Result<BoxStream<'static, Result<Fetched>>>;

    /// The decoded content of one part, or a range of it; with no part the whole message.
    async fn fetch_part(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        part: Option<&PartId>,
        range: Option<ByteRange>,
    ) -> Result<PartContent>;

    /// Changes marks of mail.
    async fn set_flags(
        &self,
        collection: &CollectionId,
        patches: &[(ItemId, FlagPatch)],
    ) -> Result<Vec<ItemResult>> {
        let _ = (collection, patches);
        Err(no_mail())
    }

    /// Moves items; answers each one's id in its new collection, where the mail system tells.
    async fn move_items(
        &self,
        from: &CollectionId,
        to: &CollectionId,
        items: &[ItemId],
    ) -> Result<Vec<ItemResult<Option<ItemId>>>>;

    /// Deletes items for good. An item that is gone already counts as deleted.
    async fn delete_items(&self, collection: &CollectionId, items: &[ItemId]) -> Result<()>;

    /// Deletes every item of a collection for good, and its sub-collections if asked.
    async fn empty_collection(
        &self,
        collection: &CollectionId,
        subcollections: Subcollections,
    ) -> Result<()>;

    /// Puts a draft into a collection, in place of another where `draft.replaces` says so
    /// (added first, then the old one removed). The same `draft.key` twice gives the same item.
    async fn save_draft(&self, collection: &CollectionId, draft: &Draft) -> Result<ItemId> {
        let _ = (collection, draft);
        Err(no_mail())
    }

    /// Puts a finished message into a collection, as delivery would: unread, received now.
    async fn deliver(&self, collection: &CollectionId, message: &[u8]) -> Result<ItemId> {
        let _ = (collection, message);
        Err(no_mail())
    }

    /// Sends a message, files it in Sent, marks what it answers. `MessageTooLarge`,
    /// `RecipientRefused` and `SenderRefused` are final.
    async fn submit(&self, submission: &Submission) -> Result<Submitted> {
        let _ = submission;
        Err(no_mail())
    }

    /// Finds mail, newest first.
    async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        let _ = query;
        Err(no_mail())
    }

    /// Tells when one of the collections may have changed, and when the list of collections has,
    /// until the stream is dropped. The stream ends with an error when the mail system or the way
    /// to it is lost; whatever happened meanwhile is then found by [`Mailbox::changed`].
    async fn watch(
        &self,
        collections: &[CollectionId],
    ) -> Result<BoxStream<'static, Result<WatchEvent>>>;

    /// Who the user is to the mail system.
    async fn identity(&self) -> Result<Identity>;

    /// Makes an item of another class than mail.
    async fn create_item(&self, collection: &CollectionId, item: &NewItem) -> Result<Written> {
        let _ = (collection, item);
        Err(mail_only())
    }

    /// Changes an item of another class than mail. What the edit does not name stays as it is,
    /// also what a neutral item has no place for. Where someone else changed the item at the same
    /// moment, the edit is carried out on what that one made of it.
    async fn change_item(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        edit: &Edit,
    ) -> Result<Written> {
        let _ = (collection, item, edit);
        Err(mail_only())
    }

    /// Answers the invitation an event came with. `Invalid` where the user is not asked.
    async fn respond(
        &self,
        collection: &CollectionId,
        item: &ItemId,
        key: &SubmissionKey,
        answer: &Answer,
    ) -> Result<Written> {
        let _ = (collection, item, key, answer);
        Err(mail_only())
    }

    /// Takes what a mail says of a meeting into the calendar, and answers the event it is about.
    /// None where it is about none that concerns the user, such as on its arrival a meeting that is
    /// over. The same message twice changes nothing.
    async fn take_in(
        &self,
        message: &CalendarMessage,
        occasion: Occasion,
    ) -> Result<Option<TakenIn>> {
        let _ = (message, occasion);
        Err(mail_only())
    }

    /// Whether the calendar's own server tells these people what a mail of the user says of a meeting
    /// (RFC 6638), so that the mail is not to be sent as well. No where nothing schedules; `NotFound`
    /// where it would tell of the meeting, which is not there yet.
    async fn tells(&self, message: &CalendarMessage, to: &[String]) -> Result<bool> {
        let _ = (message, to);
        Ok(false)
    }

    /// What a mail says of a meeting; none where it says nothing of one.
    async fn calendar_message(
        &self,
        collection: &CollectionId,
        item: &ItemId,
    ) -> Result<Option<CalendarMessage>> {
        let _ = (collection, item);
        Ok(None)
    }

    /// When people are not free, in the order of the addresses.
    async fn busy(&self, query: &BusyQuery) -> Result<Vec<BusyTime>> {
        let unknown = |address: &String| BusyTime { address: address.clone(), periods: None };
        Ok(query.addresses.iter().map(unknown).collect())
    }

    /// The out-of-office message. `Unsupported` where the mail system has none.
    async fn vacation(&self) -> Result<Vacation> {
        Err(vacation::unsupported())
    }

    /// Sets the out-of-office message, whole; the same twice is as once. What the mail system
    /// cannot do of it is left out, and not told by [`Mailbox::vacation`] either. `Invalid` where
    /// it makes no sense, `Forbidden` where a rule of the user's own stands in the way.
    async fn set_vacation(&self, _vacation: &Vacation) -> Result<()> {
        Err(vacation::unsupported())
    }
}

fn no_mail() -> Error {
    Error::new(ErrorKind::Unsupported, "there is no mail here")
}

fn mail_only() -> Error {
    Error::new(ErrorKind::Unsupported, "there is nothing but mail here")
}

/// Who the mailbox's owner is to the mail system.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// The primary address first, then the others the user may send from.
    pub addresses: Vec<String>,
    /// The display name, where known.
    pub display_name: Option<String>,
    /// The largest message accepted for sending, in bytes, where known (RFC 1870).
    pub max_message_size: Option<u64>,
}

/// Whether the collections within one are meant too.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subcollections {
    /// They stay.
    Keep,
    /// They are deleted.
    Delete,
}
