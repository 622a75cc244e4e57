//! What changed in a collection.

use dme_model::{CollectionId, Flags, ItemId, ItemSet, Timestamp};
use serde::{Deserialize, Serialize};

/// A mail system's answer to "where are we?", given back to ask "what changed since?". Text that
/// only the backend that made it can read; it begins with a version so that a later release can
/// refuse what it no longer understands. At most 64 KiB.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeToken(pub String);

/// Which items are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ItemFilter {
    /// Only items received at or after the begin of this moment's day (UTC).
    pub received_since: Option<Timestamp>,
}

/// A full list of a collection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Listing {
    /// What passes the filter.
    pub items: ItemSet,
    /// Ask for changes from here.
    pub token: ChangeToken,
}

/// The state of one item, without its content.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ItemState {
    /// Which.
    pub id: ItemId,
    /// When it arrived in the collection's mailbox.
    pub received: Timestamp,
    /// Its marks now.
    pub flags: Flags,
}

/// The difference between two moments of a collection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Changes {
    /// Items that are new or whose marks changed. A mail's content never changes: a changed draft
    /// is a new item. May name items that did not change. In ascending order of arrival.
    pub upserted: Vec<ItemState>,
    /// Items that are gone. May name items that the caller never knew.
    pub removed: ItemSet,
    /// Ask from here next time; equal to the old one where nothing changed.
    pub token: ChangeToken,
}

/// What a watch tells.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WatchEvent {
    /// The watch stands: whatever changes from here on is told. Always the first event.
    Ready,
    /// This collection may have changed.
    Changed(CollectionId),
    /// Collections were made, renamed or deleted.
    Hierarchy,
}
