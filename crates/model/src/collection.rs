//! Collections: a folder of one class.

use crate::CollectionId;
use serde::{Deserialize, Serialize};

/// What kind of items a collection holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Mail.
    Mail,
    /// Events.
    Calendar,
    /// People.
    Contacts,
    /// Tasks.
    Tasks,
    /// Notes.
    Notes,
}

impl Class {
    /// Every class, in the order of declaration.
    pub const ALL: [Self; 5] =
        [Self::Mail, Self::Calendar, Self::Contacts, Self::Tasks, Self::Notes];
}

/// The special purpose of a collection, at most one collection each (RFC 8621 §2, RFC 6154).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Where new mail arrives.
    Inbox,
    /// Unsent mail.
    Drafts,
    /// Sent mail.
    Sent,
    /// Deleted items.
    Trash,
    /// Unwanted mail.
    Junk,
    /// Mail put away.
    Archive,
    /// The calendar new events and invitations go to.
    Calendar,
    /// The address book new contacts go to.
    Contacts,
    /// The list new tasks go to.
    Tasks,
    /// The collection new notes go to.
    Notes,
}

/// What the user may do with a collection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Everything.
    #[default]
    ReadWrite,
    /// Look only: a shared or system collection.
    ReadOnly,
}

/// One collection of a mailbox.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Collection {
    /// In the mail system's terms.
    pub id: CollectionId,
    /// The collection it lies in; none for the top level. Always listed in the same answer.
    pub parent: Option<CollectionId>,
    /// The last part of its name, decoded to Unicode, without its parents'.
    pub name: String,
    /// What it holds.
    pub class: Class,
    /// Its special purpose, if it has one.
    pub role: Option<Role>,
    /// What the user may do with it.
    pub access: Access,
}
