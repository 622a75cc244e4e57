//! The commands of Exchange ActiveSync as types, and as elements (MS-ASCMD and its kin). No I/O.
//!
//! One module a command, each with a `Request` and a `Response` that are read by `from_element` and
//! written by `to_element`, in both directions: the server and the simulated phone use the same
//! code. Reading is generous (any order, unknown elements are passed over), writing keeps the order
//! of the documents, because some phones depend on it.

pub mod address;
mod attachment;
pub mod autodiscover;
pub mod body;
pub mod calendar;
mod categories;
mod codes;
pub mod compose;
pub mod contacts;
mod date;
pub mod email;
mod error;
mod fields;
pub mod find;
pub mod folder_create;
pub mod folder_delete;
pub mod folder_sync;
pub mod folder_update;
pub mod free_busy;
pub mod gal;
pub mod get_item_estimate;
mod ghosting;
pub mod item;
pub mod item_operations;
mod line;
pub mod meeting_response;
pub mod move_items;
pub mod multipart;
pub mod notes;
pub mod options;
pub mod ping;
pub mod provision;
pub mod query;
pub mod range;
pub mod recurrence;
pub mod resolve_recipients;
pub mod search;
pub mod send_mail;
mod sensitivity;
pub mod server_id;
pub mod settings;
pub mod smart_forward;
pub mod smart_reply;
mod status;
pub mod sync;
pub mod tasks;
pub mod validate_cert;
mod version;

pub use error::{Error, Result};
pub use ghosting::{Ghosting, Writing};
pub use status::CommonStatus;
pub use version::ProtocolVersion;

/// The subject of the one mail that a quarantined device gets, by which a probe knows that it is one.
pub const QUARANTINE_SUBJECT: &str = "Your device is waiting to be approved";
