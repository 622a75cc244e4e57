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
#[serde(default)]
pub struct ItemFilter {
    /// Mail received at or after the begin of this moment's day (UTC), events whose last instance
    /// ends then or later ([`dme_model::Item::reaches`]).
    pub since: Option<Timestamp>,
    /// Of tasks, only those that are not done.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
}

impl ItemFilter {
    /// Whether an item passes, judged by what it says. Times count by whole days (UTC).
    pub fn admits(&self, item: &dme_model::Item) -> bool {
        let day = |since: Timestamp| Timestamp::from_seconds(since.as_days() * 86_400);
        let open = match item {
            dme_model::Item::Task(task) => !task.complete,
            _ => true,
        };
        (open || !self.incomplete) && self.since.is_none_or(|since| item.reaches(day(since)))
    }
}

/// A full list of a collection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Listing {
    /// What passes the filter.
    pub items: ItemSet,
    /// Ask for changes from here.
    pub token: ChangeToken,
}

/// Tells one content of an item from another: where two are equal, so are the contents (an
/// `ETag`). Other text than that only its backend reads.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentMark(pub String);

/// An item that is new or changed, without its content.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ItemState {
    /// Which.
    pub id: ItemId,
    /// What is known of it.
    pub now: StateNow,
}

/// What is known of an item that is new or changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StateNow {
    /// A mail: its content never changes, its marks do.
    Mail {
        /// When it arrived in the mailbox.
        received: Timestamp,
        /// Its marks now.
        flags: Flags,
    },
    /// Of another class: what it says may have changed, and with it whether it passes a filter.
    Other(Option<ContentMark>),
}

impl ItemState {
    /// The state of a mail.
    pub fn mail(id: ItemId, received: Timestamp, flags: Flags) -> Self {
        Self { id, now: StateNow::Mail { received, flags } }
    }

    /// A mail's marks; none for other items.
    pub fn flags(&self) -> Option<&Flags> {
        match &self.now {
            StateNow::Mail { flags, .. } => Some(flags),
            StateNow::Other(_) => None,
        }
    }
}

/// The difference between two moments of a collection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Changes {
    /// Items that are new or changed: of a mail the marks (a changed draft is a new item), of
    /// others the content. May name items that did not change. Mail in ascending order of arrival.
    pub upserted: Vec<ItemState>,
    /// Items that are gone. May name items that the caller never knew.
    pub removed: ItemSet,
    /// Where the mail system can only tell what is there: every item there is. Whatever else the
    /// caller knew is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<ItemSet>,
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
