//! Mail systems that speak CalDAV (RFC 4791) and CardDAV (RFC 6352): calendars, tasks, notes and
//! contacts.
//!
//! [`DavMailSystem`] implements the mailbox traits for these classes; calls about mail are answered
//! as unsupported, so it stands beside a mail system ([`dme_mailbox::Joined`]). It keeps no state
//! that a replacement would need: change tokens hold the server's own sync-token or a hash of the
//! marks, item ids are the names of resources, collection ids their paths. What the server does
//! against its protocols is in one place, the module `quirks`.

mod book;
mod busy;
mod changes;
mod check;
mod client;
mod collections;
mod config;
mod domain;
mod error;
mod fetch;
mod href;
mod kind;
mod lately;
mod listing;
mod mailbox;
mod meetings;
mod multistatus;
mod object;
mod owner;
mod principal;
mod quirks;
mod report;
mod server;
mod standing;
mod token;
mod watch;
mod write;
mod xml;

pub use book::{BookConfig, CardBook, CardChanges, CardRead};
pub use config::{Auth, DavConfig, PoolConfig};
pub use dme_pim::contact::Described as CardContent;
pub use error::ConfigError;
pub use mailbox::DavMailSystem;
#[doc(hidden)]
pub use multistatus::read_multistatus;
