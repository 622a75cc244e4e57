//! Writing items that are no mail.

use crate::{ContentMark, SubmissionKey};
use dme_model::{CollectionId, ItemEdit, ItemId, ItemPatch, Notice, PartId, Timestamp};
use serde::{Deserialize, Serialize};

/// A new item.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewItem {
    /// The same key makes the same item, however often it is asked.
    pub key: SubmissionKey,
    /// What it holds; what is not named has its default.
    pub patch: ItemPatch,
}

/// A change of an item.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Edit {
    /// Known when repeated: then it answers the same notices and changes nothing further.
    pub key: SubmissionKey,
    /// What changes.
    pub edit: ItemEdit,
}

/// An item that was written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Written {
    /// Its id from now on.
    pub item: ItemId,
    /// The mark of what was written, where the mail system took it word for word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<ContentMark>,
    /// What others are to be told by mail. To be sent once each, whatever is repeated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// Of each file that was attached, in order, which part it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<Option<PartId>>,
}

impl Written {
    /// An item of which nobody needs to be told.
    pub fn quietly(item: ItemId, mark: Option<ContentMark>) -> Self {
        Self { item, mark, notices: Vec::new(), attached: Vec::new() }
    }
}

/// The invitation, answer or cancellation in a mail (RFC 6047).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CalendarMessage {
    /// The `text/calendar` part, in UTF-8.
    pub calendar: String,
    /// The address in the mail's `From`.
    pub from: String,
}

/// The event that a mail's word on a meeting was about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TakenIn {
    /// Where it is.
    pub collection: CollectionId,
    /// Which it is.
    pub item: ItemId,
    /// What the sender is to be told by mail, who asked for it (`REFRESH`). The same each time; to be
    /// sent once, whichever phone of the user's the mail came to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
}

/// Whose time, and when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BusyQuery {
    /// Whose: mail addresses.
    pub addresses: Vec<String>,
    /// From here.
    pub start: Timestamp,
    /// To here, exclusive.
    pub end: Timestamp,
}

/// One person's time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BusyTime {
    /// Whose.
    pub address: String,
    /// When they are not free, ascending; none where that is not known.
    pub periods: Option<Vec<BusyPeriod>>,
}

/// A time at which someone is not free.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BusyPeriod {
    /// Begin.
    pub start: Timestamp,
    /// End, exclusive.
    pub end: Timestamp,
    /// How busy; never [`dme_model::BusyStatus::Free`].
    pub status: dme_model::BusyStatus,
}
