//! Who may use the server: logins, people, groups, passwords.
//!
//! [`DirectoryService`] is what a connector with the functions `authentication` and `directory`
//! offers; [`FileDirectory`] and [`LdapDirectory`] implement it, and the link carries it. On the
//! server [`Gate`] stands before it: it answers "may this login in?" for each request, mostly from
//! memory, and ends the sessions of those who may no longer.

mod access;
mod asking;
mod file;
mod gate;
mod graph;
mod ldap;
mod login;
mod people;
mod person;
mod service;

pub use access::{Access, AccessGroups, Delegation, Reason, Right, Users};
pub use asking::{asking, on_behalf_of};
pub use file::{
    FileConfig, FileDirectory, FileError, NewUser, add_user, hash_password, list_users,
    remove_user, set_password, verify_password,
};
pub use gate::{
    Admission, Admitted, Clock, Gate, GateConfig, GroupsFrom, RealmSetup, RealmState, Refusal,
    Revocation, Revoked, Source,
};
pub use graph::{GroupGraph, Named};
pub use ldap::{
    AddressListOptions, AttributeOptions, ConfigError, Extent, Finding, Follow, GroupOptions,
    GroupReading, Kind, LdapConfig, LdapDirectory, Matching, Memberships, Nesting, Severity,
    Transport, UserOptions,
};
pub use login::{BasicCredentials, Login, LoginError, MAX_NAME, MAX_PASSWORD, MAX_REALM, Realms};
pub use people::{
    Attached, Binary, Card, Details, DirectoryEntry, Everyone, PeopleFound, PeopleSearch,
    PersonKind, Photo, PhotoLimits, Rank, Relevance, Terms, Texts, find_among,
};
pub use person::{Group, GroupId, GroupSnapshot, Person, Standing};
pub use service::{DirectoryService, Error, GroupSource, RealmGroups, Result, Verdict};
