//! Sync: what changed in some collections, both ways (MS-ASCMD 2.2.1.21).
//!
//! A Sync without a body repeats the last one; one that is `Partial` gives only what differs from
//! the last. Either needs what the server remembers, so neither is completed here.

mod command;
mod options;
mod request;
mod response;

pub use command::{ClientCommand, ItemResponse, ServerCommand};
pub use options::{Conflict, FilterType, Options};
pub use request::{Collection, Limit, Request, Wait};
pub use response::{CollectionResponse, Response};

use crate::status::statuses;
use dme_model::Class;

/// The class of an item or of a collection's items (MS-ASCMD 2.2.3.27.5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ItemClass {
    /// Mail.
    Email,
    /// Events.
    Calendar,
    /// People.
    Contacts,
    /// Tasks.
    Tasks,
    /// Notes (14.0 on).
    Notes,
    /// Text messages kept beside mail (14.0 on).
    Sms,
}

impl ItemClass {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "Email",
            Self::Calendar => "Calendar",
            Self::Contacts => "Contacts",
            Self::Tasks => "Tasks",
            Self::Notes => "Notes",
            Self::Sms => "SMS",
        }
    }

    /// The class with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Email, Self::Calendar, Self::Contacts, Self::Tasks, Self::Notes, Self::Sms]
            .into_iter()
            .find(|class| class.name().eq_ignore_ascii_case(name))
    }

    /// In neutral terms; text messages have none.
    pub fn to_model(self) -> Option<Class> {
        match self {
            Self::Email => Some(Class::Mail),
            Self::Calendar => Some(Class::Calendar),
            Self::Contacts => Some(Class::Contacts),
            Self::Tasks => Some(Class::Tasks),
            Self::Notes => Some(Class::Notes),
            Self::Sms => None,
        }
    }
}

impl From<Class> for ItemClass {
    fn from(class: Class) -> Self {
        match class {
            Class::Mail => Self::Email,
            Class::Calendar => Self::Calendar,
            Class::Contacts => Self::Contacts,
            Class::Tasks => Self::Tasks,
            Class::Notes => Self::Notes,
        }
    }
}

statuses! {
    /// How a Sync, a collection of it or an item went (MS-ASCMD 2.2.3.177.17).
    pub enum Status {
        /// All went well.
        Success = 1,
        /// The sync key is not one of the last given: begin the collection anew with `0`.
        InvalidSyncKey = 3,
        /// The request is not well formed.
        ProtocolError = 4,
        /// The server failed.
        ServerError = 5,
        /// The item sent cannot be converted.
        ConversionError = 6,
        /// The item was changed on the server too, and the server's change wins.
        Conflict = 7,
        /// The item or collection is not there.
        ObjectNotFound = 8,
        /// The mailbox is full.
        OutOfSpace = 9,
        /// The list of folders has changed: FolderSync first.
        FolderHierarchyChanged = 12,
        /// The server does not remember what this request leaves out: send it whole.
        IncompleteRequest = 13,
        /// The wait asked for is out of range; `Limit` has the nearest that is not.
        InvalidWait = 14,
        /// More collections than are taken; `Limit` says how many are.
        TooManyCollections = 15,
        /// Something failed for the moment: try again.
        Retry = 16,
    }
}

#[cfg(test)]
mod tests;
