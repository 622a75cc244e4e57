//! A complete mail system in memory: the reference for what the two traits promise, and the one
//! that tests build on.
//!
//! It keeps whole messages, ascending item numbers that are never reused, and the full history of
//! changes, as an IMAP server with QRESYNC does. Beside the traits it has what a test needs: acting
//! on a mailbox behind the caller's back, looking at what was sent, and going wrong on purpose
//! (see [`Failure`]).

mod faults;
mod handle;
mod message;
mod state;
mod write;

pub use faults::{Failure, Operation};
pub use message::{MessageReader, PlainReader};
pub use state::SentMessage;

use crate::{Account, CallContext, Error, ErrorKind, MailSystem, Mailbox, Result};
use async_trait::async_trait;
use bytes::Bytes;
use dme_model::{CollectionId, FlagPatch, Flags, Item, ItemId, Owner, Role, Timestamp, UserId};
use faults::Faults;
use handle::MemoryMailbox;
use state::{Content, State};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A mail system in memory. Clones are the same mail system.
#[derive(Clone)]
pub struct MemoryMailSystem {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    faults: Mutex<Faults>,
    reader: Box<dyn MessageReader>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryMailSystem {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryMailSystem {
    /// A mail system without users, for plain-text messages.
    pub fn new() -> Self {
        Self::with_reader(PlainReader)
    }

    /// A mail system without users that has its messages read by `reader`.
    pub fn with_reader(reader: impl MessageReader + 'static) -> Self {
        let shared = Shared {
            state: Mutex::new(State::default()),
            faults: Mutex::new(Faults::default()),
            reader: Box::new(reader),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Makes a user with Inbox, Drafts, Sent, Trash, Junk and Archive and one collection of each
    /// other class, who receives what is sent to `address`. A user who is there already stays as they are.
    pub fn add_user(&self, user: &UserId, address: &str) {
        self.shared.state().add_user(user, address);
    }

    /// A handle without an account, for tests. None where the user is unknown.
    pub fn mailbox(&self, user: &UserId) -> Option<Arc<dyn Mailbox>> {
        let known = self.shared.state().users.contains_key(user);
        known.then(|| self.handle(user))
    }

    fn handle(&self, user: &UserId) -> Arc<dyn Mailbox> {
        Arc::new(MemoryMailbox::new(self.shared.clone(), user.clone()))
    }
}

/// Another client at work: none of this is delayed, counted or made to fail.
impl MemoryMailSystem {
    /// The user's collection with this role.
    ///
    /// # Errors
    /// `NotFound` where there is no such user or collection.
    pub fn collection(&self, user: &UserId, role: Role) -> Result<CollectionId> {
        self.shared.state().user(user)?.with_role(role)
    }

    /// Puts a message into a collection, with these marks, as if received then.
    ///
    /// # Errors
    /// `NotFound` where there is no such user or collection.
    pub fn insert(
        &self,
        user: &UserId,
        collection: &CollectionId,
        message: impl Into<Bytes>,
        flags: Flags,
        received: Timestamp,
    ) -> Result<ItemId> {
        let content = Content::Message(message.into());
        self.shared.state().user(user)?.append(collection, content, flags, received, None)
    }

    /// Changes one item's marks.
    ///
    /// # Errors
    /// `NotFound` where there is no such user, collection or item.
    pub fn set_flags(
        &self,
        user: &UserId,
        collection: &CollectionId,
        item: &ItemId,
        patch: &FlagPatch,
    ) -> Result<()> {
        self.shared.state().user(user)?.set_flags(collection, item, patch)
    }

    /// Moves one item; answers its id in the new collection.
    ///
    /// # Errors
    /// `NotFound` where there is no such user, collection or item.
    pub fn move_item(
        &self,
        user: &UserId,
        from: &CollectionId,
        to: &CollectionId,
        item: &ItemId,
    ) -> Result<ItemId> {
        self.shared.state().user(user)?.move_item(from, to, item)
    }

    /// Deletes one item for good; says whether it was there.
    ///
    /// # Errors
    /// `NotFound` where there is no such user or collection.
    pub fn delete(&self, user: &UserId, collection: &CollectionId, item: &ItemId) -> Result<bool> {
        self.shared.state().user(user)?.delete(collection, item)
    }

    /// Makes a collection one that somebody of this name shares with the user.
    ///
    /// # Errors
    /// `NotFound` where there is no such user or collection.
    pub fn share(&self, user: &UserId, collection: &CollectionId, by: &str) -> Result<()> {
        let mut state = self.shared.state();
        let owner = Owner::Other { name: Some(by.to_owned()) };
        state.user(user)?.folder(collection)?.collection.owner = owner;
        Ok(())
    }

    /// What lies in a collection: every item's id, marks and whole message, oldest first.
    ///
    /// # Errors
    /// `NotFound` where there is no such user or collection.
    pub fn contents(
        &self,
        user: &UserId,
        collection: &CollectionId,
    ) -> Result<Vec<(ItemId, Flags, Bytes)>> {
        let mut state = self.shared.state();
        let folder = state.user(user)?.folder(collection)?;
        let entry = |(uid, item): (&u32, &state::Item)| {
            (state::item_id(*uid), item.flags.clone(), item.content.message())
        };
        Ok(folder.items.iter().map(entry).collect())
    }

    /// Puts an item that is no mail into a collection, or in place of one.
    ///
    /// # Errors
    /// `NotFound` where there is no such user, collection or item.
    pub fn put(
        &self,
        user: &UserId,
        collection: &CollectionId,
        replaces: Option<&ItemId>,
        item: Item,
    ) -> Result<ItemId> {
        let mut state = self.shared.state();
        let now = state.now();
        let user = state.user(user)?;
        match replaces {
            None => user.append(collection, Content::Other(item), Flags::default(), now, None),
            Some(id) => user
                .rewrite(collection, id, |there| {
                    *there = item;
                    Ok(())
                })
                .map(|_| id.clone()),
        }
    }

    /// The items of a collection that are no mail, oldest first.
    ///
    /// # Errors
    /// `NotFound` where there is no such user or collection.
    pub fn items(&self, user: &UserId, collection: &CollectionId) -> Result<Vec<(ItemId, Item)>> {
        let mut state = self.shared.state();
        let folder = state.user(user)?.folder(collection)?;
        let others = folder.items.iter().filter_map(|(uid, item)| match &item.content {
            Content::Other(item) => Some((state::item_id(*uid), item.clone())),
            Content::Message(_) => None,
        });
        Ok(others.collect())
    }

    /// Makes every change token of the collection invalid and numbers its items anew, as when an
    /// IMAP server loses its index (another UIDVALIDITY).
    ///
    /// # Errors
    /// `NotFound` where there is no such user or collection.
    pub fn invalidate(&self, user: &UserId, collection: &CollectionId) -> Result<()> {
        self.shared.state().user(user)?.invalidate(collection)
    }
}

/// What a test can set and see.
impl MemoryMailSystem {
    /// Everything that was sent, in the order it was accepted, for whomever.
    pub fn sent(&self) -> Vec<SentMessage> {
        self.shared.state().sent.clone()
    }

    /// Refuses this recipient for good from now on.
    pub fn refuse_recipient(&self, address: &str) {
        self.shared.state().refused.insert(address.to_lowercase());
    }

    /// From now on mail is received at this moment, not at the system's time.
    pub fn set_clock(&self, now: Timestamp) {
        self.shared.state().clock = Some(now);
    }

    /// From now on calendars tell others of meetings by themselves (RFC 6638).
    pub fn schedule(&self) {
        self.shared.state().schedules = true;
    }

    /// Delays every call by this much.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.faults().latency = latency;
    }

    /// Makes the next `count` calls, of whatever sort, fail.
    pub fn fail_next(&self, count: usize, failure: &Failure) {
        self.shared.faults().fail_next(count, failure);
    }

    /// Asks `decide` at every call whether it is to fail. It takes the place of an earlier one.
    pub fn fail_when(&self, decide: impl FnMut(Operation) -> Option<Failure> + Send + 'static) {
        self.shared.faults().decide = Some(Box::new(decide));
    }

    /// Ends all failing and delaying.
    pub fn heal(&self) {
        self.shared.faults().heal();
    }

    /// Ends every standing watch with an error, as when the connection to the mail system is lost.
    pub fn cut_watches(&self) {
        self.shared.state().cut_watches();
    }

    /// The calls made since this was last asked, failed ones included.
    pub fn take_calls(&self) -> Vec<Operation> {
        std::mem::take(&mut self.shared.faults().calls)
    }
}

#[async_trait]
impl MailSystem for MemoryMailSystem {
    async fn owns(&self, account: &Account, _: &CallContext) -> Result<bool> {
        Ok(self.shared.state().users.contains_key(&account.user))
    }

    async fn open(&self, account: &Account, _: &CallContext) -> Result<Arc<dyn Mailbox>> {
        self.mailbox(&account.user).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("no mailbox for {}", account.user))
        })
    }
}
