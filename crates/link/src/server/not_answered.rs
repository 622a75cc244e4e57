//! Why a connector did not answer its server.

use super::call::Failed;
use crate::wire::directory;
use dme_directory::Error;

/// Why a connector has no answer to what its server wants of it beside the calls for users.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotAnswered {
    /// There is no link, or it was lost, or the connector cannot do it.
    #[error("{0}")]
    Unavailable(String),
    /// It is not set up for it, or its release cannot.
    #[error(
        "unsupported: the connector is not set up for this, or its release does not know it; upgrade it then"
    )]
    Unsupported,
    /// It did not end in time, or is too busy.
    #[error("the connector did not answer in time: {0}")]
    Late(String),
    /// Its answer is none.
    #[error("the connector's answer cannot be read: {0}")]
    Unreadable(String),
}

impl From<Failed> for NotAnswered {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Unavailable(why) => Self::Unavailable(why),
            Failed::Unsupported => Self::Unsupported,
            Failed::Busy(_) => Self::Late("it has too much to do".into()),
            Failed::Timeout => Self::Late("the link is slow, or what was asked is".into()),
            Failed::Protocol(what) => Self::Unreadable(what),
            Failed::Said(value) => match directory::error(value) {
                Error::Unavailable(why) => Self::Unavailable(why),
                Error::Protocol(what) => Self::Unreadable(what),
                error => Self::Late(error.to_string()),
            },
        }
    }
}
