//! What can go wrong with a mailbox, whose fault it is, and whether to try again.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The result of a mailbox call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. Each has a stable dotted name for logs and metrics.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The mail system does not accept the credentials.
    Auth,
    /// The collection, item or part is not there.
    NotFound,
    /// The name is taken.
    AlreadyExists,
    /// The user may not do this, or the mail system never allows it.
    Forbidden,
    /// The change token is no longer valid: list the collection anew.
    InvalidToken,
    /// The mail system or the way to it is down; nothing is known to have been done.
    Unavailable,
    /// Too much at once; try again after this time at the earliest.
    Busy {
        /// How long to wait.
        after: Duration,
    },
    /// No answer in time: the deadline passed, or nobody answers where the mail system is.
    Timeout,
    /// The message is larger than the mail system takes.
    MessageTooLarge,
    /// A recipient was refused for good; which is in the context.
    RecipientRefused,
    /// The sender address was refused for good.
    SenderRefused,
    /// The mailbox is full.
    QuotaExceeded,
    /// The request makes no sense (a bad range, an empty name).
    Invalid,
    /// The item is there but cannot be read or converted (rule S5).
    Unconvertible,
    /// The backend cannot do this at all.
    Unsupported,
    /// The mail system answered against its protocol.
    Protocol,
    /// A mistake of ours.
    Bug,
}

/// Who would have to act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The phone asked for something that cannot be.
    Phone,
    /// The mail system, or the network to it.
    MailSystem,
    /// We.
    Ours,
}

/// A mailbox error: what, and in which words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{context}")]
pub struct Error {
    /// What went wrong.
    pub kind: ErrorKind,
    /// A lower-case fragment for people: what was tried, on what, what the mail system said.
    /// Never holds a secret, a subject or a body.
    pub context: String,
    /// It is certain that nothing of the call was begun: nothing reached the mail system on which
    /// it could have acted, and nothing is under way. What must not be done twice may be asked of
    /// another connector then. A connector of an older release does not say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unbegun: bool,
}

impl Error {
    /// An error with its context; how far the call came is not known.
    pub fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), unbegun: false }
    }

    /// The same, where it is certain that nothing of the call was begun.
    #[must_use]
    pub fn before_anything(self) -> Self {
        Self { unbegun: true, ..self }
    }

    /// Whether the same call may succeed when repeated later or elsewhere.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable | ErrorKind::Busy { .. } | ErrorKind::Timeout)
    }

    /// Who would have to act.
    pub fn fault(&self) -> Fault {
        match self.kind {
            ErrorKind::Auth
            | ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::Forbidden
            | ErrorKind::InvalidToken
            | ErrorKind::MessageTooLarge
            | ErrorKind::RecipientRefused
            | ErrorKind::SenderRefused
            | ErrorKind::QuotaExceeded
            | ErrorKind::Invalid => Fault::Phone,
            ErrorKind::Unavailable
            | ErrorKind::Busy { .. }
            | ErrorKind::Timeout
            | ErrorKind::Unconvertible
            | ErrorKind::Protocol => Fault::MailSystem,
            ErrorKind::Unsupported | ErrorKind::Bug => Fault::Ours,
        }
    }

    /// The stable name for logs and metrics, `mailbox.auth` and so on.
    pub fn name(&self) -> &'static str {
        match self.kind {
            ErrorKind::Auth => "mailbox.auth",
            ErrorKind::NotFound => "mailbox.not_found",
            ErrorKind::AlreadyExists => "mailbox.already_exists",
            ErrorKind::Forbidden => "mailbox.forbidden",
            ErrorKind::InvalidToken => "mailbox.invalid_token",
            ErrorKind::Unavailable => "mailbox.unavailable",
            ErrorKind::Busy { .. } => "mailbox.busy",
            ErrorKind::Timeout => "mailbox.timeout",
            ErrorKind::MessageTooLarge => "mailbox.message_too_large",
            ErrorKind::RecipientRefused => "mailbox.recipient_refused",
            ErrorKind::SenderRefused => "mailbox.sender_refused",
            ErrorKind::QuotaExceeded => "mailbox.quota_exceeded",
            ErrorKind::Invalid => "mailbox.invalid",
            ErrorKind::Unconvertible => "mailbox.unconvertible",
            ErrorKind::Unsupported => "mailbox.unsupported",
            ErrorKind::Protocol => "mailbox.protocol",
            ErrorKind::Bug => "mailbox.bug",
        }
    }
}
