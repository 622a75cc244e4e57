//! Why the engine could not answer.

use crate::{FolderNo, StoreError};

/// The result of an engine call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the engine could not answer a request, or one collection of it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// The key is not one of the two that are kept, or the mail system no longer knows where it
    /// was: the phone begins this collection (or the hierarchy) again with key 0 (rule S6).
    #[error("the sync key is not valid any more; the phone begins again with key 0")]
    InvalidKey,
    /// No such folder, or it is gone from the mail system: the phone asks for the folders again.
    #[error("folder {0} is not there (any more)")]
    FolderNotFound(FolderNo),
    /// More commands in one request than the limit.
    #[error("{given} commands in one request; at most {limit} are allowed")]
    TooManyCommands {
        /// So many came.
        given: usize,
        /// So many may.
        limit: usize,
    },
    /// The mail system's error.
    #[error("the mail system: {0}")]
    Mailbox(#[from] dme_mailbox::Error),
    /// The store's error.
    #[error(transparent)]
    Store(#[from] StoreError),
}
