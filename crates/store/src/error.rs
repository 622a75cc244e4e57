//! Why the store could not answer.

use crate::UnfitStates;
use dme_link::BookError;
use dme_sync::StoreError;

/// The result of a store call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused or is damaged, full or not to be read.
    #[error("the database: {0}")]
    Database(String),
    /// The database is away.
    #[error("cannot reach {place}: {reason}")]
    Unreachable {
        /// Where it should be.
        place: String,
        /// What happened, and what to look at.
        reason: String,
    },
    /// It cannot be used as it is, or is described wrongly.
    #[error("the database cannot be used: {0}")]
    Unfit(String),
    /// A newer release wrote the database: this one must not touch it.
    #[error("the database has migration {found}, this release knows {known}; use a newer release")]
    TooNew {
        /// The newest migration in the database.
        found: i64,
        /// The newest this release has.
        known: i64,
    },
    /// What was read is not what this release writes.
    #[error("the database holds what cannot be read, in {place}: {reason}")]
    Unreadable {
        /// Table and column.
        place: &'static str,
        /// Why.
        reason: String,
    },
    /// No such device, user or connector.
    #[error("there is no {0}")]
    NotFound(String),
    /// Somebody else has changed it since it was read.
    #[error("{what} was changed meanwhile: it is at revision {found}; read it again")]
    Stale {
        /// What.
        what: String,
        /// The revision there is.
        found: u64,
    },
    /// What was asked goes against what is there.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// What another store gave of a device cannot be taken.
    #[error(transparent)]
    States(#[from] UnfitStates),
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
}

/// What of that which is there goes against what was asked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// The order to wipe of this number waits for no other administrator.
    #[error("order {0} waits for nobody")]
    WaitsForNobody(u64),
    /// Whoever is named ordered the wipe.
    #[error("{0} ordered this wipe: another administrator must confirm it")]
    OrderedByThem(String),
    /// Nobody can tell that whoever is named is not the one who ordered the wipe.
    #[error(
        "nobody can tell that {0} is another than who ordered this wipe: an administrator who is \
         signed in by their own name must confirm it"
    )]
    PerhapsTheSame(String),
    /// The order to wipe of this number was carried out or called off.
    #[error("order {0} is over")]
    Over(u64),
    /// No item has an id of that length.
    #[error("that is no item: its id is too long")]
    NoItem,
    /// As many orders wait for the device as may.
    #[error("{0} orders wait for the device; call one off first")]
    TooManyOrders(usize),
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

impl From<String> for Refused {
    fn from(words: String) -> Self {
        Self::Other(words)
    }
}

impl From<&str> for Refused {
    fn from(words: &str) -> Self {
        Self::Other(words.to_owned())
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.to_string())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Database(error.0)
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

impl From<Error> for BookError {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}
