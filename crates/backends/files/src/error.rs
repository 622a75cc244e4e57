//! File-system errors in the mailbox's words.

use dme_mailbox::{Error, ErrorKind};
use std::io;

/// What a failed piece of file work means to the caller; `what` says what was tried.
pub(crate) fn failed(what: &str, error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => ErrorKind::AlreadyExists,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Forbidden,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::QuotaExceeded,
        io::ErrorKind::InvalidFilename | io::ErrorKind::InvalidInput => ErrorKind::Invalid,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, format!("{what}: {error}"))
}

/// The same as an adapter for `map_err`.
pub(crate) fn while_trying(what: &str) -> impl Fn(io::Error) -> Error + '_ {
    move |error| failed(what, &error)
}

/// That an item is not, or no longer, in its collection.
pub(crate) fn no_item(item: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::NotFound, format!("no item {item}"))
}
