//! An item of any class.

use crate::{
    Class, Contact, ContactPatch, Event, EventPatch, Mail, Note, NotePatch, Task, TaskPatch,
    Timestamp,
};
use serde::{Deserialize, Serialize};

/// One item of a collection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Item {
    /// Of a mail collection.
    Mail(Box<Mail>),
    /// Of a calendar.
    Event(Box<Event>),
    /// Of an address book.
    Contact(Box<Contact>),
    /// Of a task list.
    Task(Box<Task>),
    /// Of a collection of notes.
    Note(Box<Note>),
}

impl Item {
    /// Of which class it is.
    pub fn class(&self) -> Class {
        match self {
            Self::Mail(_) => Class::Mail,
            Self::Event(_) => Class::Calendar,
            Self::Contact(_) => Class::Contacts,
            Self::Task(_) => Class::Tasks,
            Self::Note(_) => Class::Notes,
        }
    }

    /// The mail, where it is one.
    pub fn into_mail(self) -> Option<Box<Mail>> {
        match self {
            Self::Mail(mail) => Some(mail),
            _ => None,
        }
    }

    /// Whether it is of this time or later, as a filter by time sees it: when a mail was received,
    /// when the last instance of an event ends. Contacts, tasks and notes always are.
    pub fn reaches(&self, since: Timestamp) -> bool {
        match self {
            Self::Mail(mail) => mail.received >= since,
            Self::Event(event) => event.last_end.is_none_or(|end| end >= since),
            _ => true,
        }
    }
}

/// What a phone writes of an item that is no mail.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemPatch {
    /// Of an event.
    Event(Box<EventPatch>),
    /// Of a contact.
    Contact(Box<ContactPatch>),
    /// Of a task.
    Task(Box<TaskPatch>),
    /// Of a note.
    Note(Box<NotePatch>),
}

impl ItemPatch {
    /// Of which class it is.
    pub fn class(&self) -> Class {
        match self {
            Self::Event(_) => Class::Calendar,
            Self::Contact(_) => Class::Contacts,
            Self::Task(_) => Class::Tasks,
            Self::Note(_) => Class::Notes,
        }
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Event(patch) => patch.is_empty(),
            Self::Contact(patch) => patch.is_empty(),
            Self::Task(patch) => patch.is_empty(),
            Self::Note(patch) => patch.is_empty(),
        }
    }
}
