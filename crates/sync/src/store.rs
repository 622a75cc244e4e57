//! What the engine needs of a database.
//!
//! States are bytes here: what is in them is the engine's matter alone. A write is durable before
//! it returns (rule S3).

use crate::{DeviceKey, FolderNo};
use async_trait::async_trait;
use dme_mailbox::Submitted;
use dme_model::{CollectionId, ItemId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Why the store could not answer; the text is for the log.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the store: {0}")]
pub struct StoreError(pub String);

/// The places a device has for its states.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Slot {
    /// The folders it knows.
    Hierarchy,
    /// What it holds of one folder.
    Collection(FolderNo),
    /// Its recent moves.
    Moves,
    /// Its last full Sync request.
    LastSync,
    /// Its last Ping request.
    LastPing,
    /// Its recent answers to invitations.
    Answers,
}

impl Slot {
    /// The slot as two numbers, for the database: never change what is given here.
    pub fn as_numbers(self) -> (i64, i64) {
        match self {
            Self::Hierarchy => (1, 0),
            Self::Collection(no) => (2, i64::from(no.0)),
            Self::Moves => (3, 0),
            Self::LastSync => (4, 0),
            Self::LastPing => (5, 0),
            Self::Answers => (6, 0),
        }
    }
}

/// How long an act of sending is remembered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SubmissionLife(pub Duration);

/// What the journal knows of an act of sending.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Journal {
    /// It was not there and is begun now.
    Begun,
    /// It was begun at this moment, and how it ended is not known.
    Uncertain {
        /// When it was begun first.
        since: Timestamp,
    },
    /// It was begun at this moment, the message is out, and not all is done that follows
    /// ([`Submitted::unfinished`]).
    Unfinished {
        /// When it was begun first.
        since: Timestamp,
        /// What was noted.
        sent: Submitted,
    },
    /// It was carried out.
    Sent(Submitted),
}

/// What happened between a device and the mail system that someone may ask about later (rules S4
/// and S5). Holds no content.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TraceEntry {
    /// When.
    pub at: Timestamp,
    /// In which folder.
    pub folder: FolderNo,
    /// What.
    pub event: TraceEvent,
}

/// What a [`TraceEntry`] tells.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum TraceEvent {
    /// Phone and mail system both changed the item; the phone's change was not carried out.
    PhoneOverruled {
        /// Which item.
        item: ItemId,
        /// What the phone wanted, in words.
        wanted: String,
    },
    /// Phone and mail system both changed the item; the phone's change was carried out all the
    /// same, because it asked for that or because it deleted the item.
    MailSystemOverruled {
        /// Which item.
        item: ItemId,
        /// What the phone wanted, in words.
        wanted: String,
    },
    /// The item cannot be read; the phone was given a placeholder.
    Unconvertible {
        /// Which item.
        item: ItemId,
        /// Why, without content.
        reason: String,
    },
    /// The phone had to begin the folder again.
    Resync {
        /// Why.
        reason: String,
    },
}

/// So many entries of its trace are kept for a device; older ones go.
pub const TRACE_LIMIT: usize = 200;

/// Where the engine keeps what it must not forget.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// All numbers ever given to the user's collections.
    async fn folders(&self, user: &UserId) -> Result<Vec<(FolderNo, CollectionId)>, StoreError>;

    /// Which collection a number stands for.
    async fn folder(&self, user: &UserId, no: FolderNo)
    -> Result<Option<CollectionId>, StoreError>;

    /// Gives a number to each collection that has none; answers the numbers of all that were
    /// named, in the order named.
    async fn number_folders(
        &self,
        user: &UserId,
        collections: &[CollectionId],
    ) -> Result<Vec<FolderNo>, StoreError>;

    /// From now on these numbers stand for these collections, together. A number that stood for
    /// one of them before stands for nothing.
    async fn renumber_folders(
        &self,
        user: &UserId,
        folders: &[(FolderNo, CollectionId)],
    ) -> Result<(), StoreError>;

    /// The state in a slot.
    async fn load(&self, device: &DeviceKey, slot: Slot) -> Result<Option<Vec<u8>>, StoreError>;

    /// The collection a number stands for and the device's state of it, in one read: this is what
    /// every Sync of every phone begins with.
    async fn load_collection(
        &self,
        device: &DeviceKey,
        no: FolderNo,
    ) -> Result<Option<(CollectionId, Option<Vec<u8>>)>, StoreError>;

    /// Puts a state into a slot.
    async fn save(&self, device: &DeviceKey, slot: Slot, state: Vec<u8>) -> Result<(), StoreError>;

    /// Empties a slot.
    async fn clear(&self, device: &DeviceKey, slot: Slot) -> Result<(), StoreError>;

    /// Empties all slots of a device: it begins anew with its next request. Journal and trace
    /// stay, so that a message it repeats afterwards is still not sent twice.
    async fn resync_device(&self, device: &DeviceKey) -> Result<(), StoreError>;

    /// Begins an act of sending, or tells what is known of it. An entry begun longer ago than
    /// `life` counts as not there.
    async fn begin_submission(
        &self,
        device: &DeviceKey,
        key: &str,
        now: Timestamp,
        life: SubmissionLife,
    ) -> Result<Journal, StoreError>;

    /// Notes that the message is out, and with which result; with an unfinished one this is done
    /// again.
    async fn finish_submission(
        &self,
        device: &DeviceKey,
        key: &str,
        sent: &Submitted,
    ) -> Result<(), StoreError>;

    /// Notes that the act was certainly not carried out.
    async fn cancel_submission(&self, device: &DeviceKey, key: &str) -> Result<(), StoreError>;

    /// Adds to the device's trace, of which the last [`TRACE_LIMIT`] entries are kept.
    async fn record(&self, device: &DeviceKey, entries: &[TraceEntry]) -> Result<(), StoreError>;

    /// The device's trace, newest first.
    async fn trace(&self, device: &DeviceKey) -> Result<Vec<TraceEntry>, StoreError>;

    /// Drops journal entries begun before this moment; says how many.
    async fn expire(&self, before: Timestamp) -> Result<u64, StoreError>;
}
