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

/// Whose a collection is.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// The user's own.
    #[default]
    User,
    /// Somebody else's, shared with the user: what the user is asked to and when they are busy
    /// stands in it as little as what the user answers.
    Other {
        /// What people call its owner, where the mail system says who that is.
        name: Option<String>,
    },
}

impl Owner {
    /// Whether it is the user's own.
    pub fn is_user(&self) -> bool {
        *self == Self::User
    }
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
    /// Whose it is. Connectors of release 0.1 do not say.
    #[serde(default, skip_serializing_if = "Owner::is_user")]
    pub owner: Owner,
}

impl Collection {
    /// Its name as the user is shown it: of two calendars named "Work", one is "Work (Bob)".
    pub fn shown_name(&self) -> String {
        format!("{}{}", self.name, self.mark())
    }

    /// The name that is meant by one like [those shown](Self::shown_name).
    pub fn meant_name<'a>(&self, shown: &'a str) -> &'a str {
        shown.strip_suffix(&self.mark()).unwrap_or(shown)
    }

    /// What follows the name where it is shown.
    fn mark(&self) -> String {
        match &self.owner {
            Owner::Other { name: Some(name) } => format!(" ({name})"),
            Owner::Other { name: None } | Owner::User => String::new(),
        }
    }
}
