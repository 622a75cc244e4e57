//! What the gate answers, and what it announces.

use crate::{LoginError, Person, Reason, Right};
use dme_model::UserId;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The answer of the gate.
#[derive(Clone, Debug)]
pub enum Admission {
    /// Come in.
    Admitted {
        /// Who it is.
        who: Arc<Admitted>,
        /// Who says so.
        source: Source,
    },
    /// No, and asking again changes nothing.
    Refused(Refusal),
    /// Too many wrong passwords for this user and device, or too many questions open.
    Throttled {
        /// When to ask again.
        retry_after: Duration,
    },
    /// The directory cannot be asked, and memory does not suffice.
    Unavailable {
        /// When to ask again.
        retry_after: Duration,
    },
}

/// Who was let in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Admitted {
    /// The person as the directory has them; `person.user` is the canonical user.
    pub person: Person,
    /// Every right the person has. [`Right::User`] is always among those of whom a phone is let in
    /// for.
    pub rights: BTreeSet<Right>,
}

/// Who says that somebody may in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The directory, just now.
    Directory,
    /// The directory, lately.
    Memory,
    /// The directory, before it went down.
    Grace,
}

/// Why somebody was not let in.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The login means nobody.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// User or password is wrong. To the outside it never matters which.
    #[error("wrong password")]
    WrongPassword,
    /// User or password is wrong. To the outside it never matters which.
    #[error("unknown user")]
    UnknownUser,
    /// The person is there and may not use phones.
    #[error("not allowed: {0}")]
    NotAllowed(#[from] Reason),
}

/// Announces that somebody let in earlier may no longer be in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revoked {
    /// Who.
    pub user: UserId,
    /// Why.
    pub why: Revocation,
}

/// Why an admission was taken back.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Revocation {
    /// The directory no longer has them.
    #[error("no longer in the directory")]
    Gone,
    /// They may no longer use phones.
    #[error("no longer allowed: {0}")]
    NotAllowed(#[from] Reason),
    /// The directory could not be asked for longer than the grace.
    #[error("the directory has been unavailable for too long")]
    GraceOver,
    /// An administrator wants them asked again.
    #[error("an administrator ended the session")]
    Forgotten,
}
