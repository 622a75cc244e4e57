//! Who may use the server: logins, people, groups, passwords.
//!
//! [`DirectoryService`] is what a connector with the functions `authentication` and `directory`
//! offers; the in-file directory and LDAP implement it, and the link carries it.

mod person;
mod service;

pub use person::{Group, GroupId, GroupSnapshot, Person, Standing};
pub use service::{DirectoryService, Error, Result, Verdict};
