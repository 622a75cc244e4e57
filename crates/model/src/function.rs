//! What a connector can do for a user.

use crate::Class;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A function: what a connector can do for a user.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Function {
    /// Checks passwords.
    Authentication,
    /// Answers who a user is and which groups there are.
    Directory,
    /// Reads, files and sends mail.
    Mail,
    /// Events.
    Calendar,
    /// Address books.
    Contacts,
    /// Tasks.
    Tasks,
    /// Notes.
    Notes,
    /// Finds people in the organisation's address list.
    Search,
}

impl Function {
    /// Every function, in the order of declaration.
    pub const ALL: [Self; 8] = [
        Self::Authentication,
        Self::Directory,
        Self::Mail,
        Self::Calendar,
        Self::Contacts,
        Self::Tasks,
        Self::Notes,
        Self::Search,
    ];

    /// The function of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.as_str() == name)
    }

    /// The name used in configuration, logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Directory => "directory",
            Self::Mail => "mail",
            Self::Calendar => "calendar",
            Self::Contacts => "contacts",
            Self::Tasks => "tasks",
            Self::Notes => "notes",
            Self::Search => "search",
        }
    }
}

impl Class {
    /// The function that serves items of this class.
    pub const fn function(self) -> Function {
        match self {
            Self::Mail => Function::Mail,
            Self::Calendar => Function::Calendar,
            Self::Contacts => Function::Contacts,
            Self::Tasks => Function::Tasks,
            Self::Notes => Function::Notes,
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
