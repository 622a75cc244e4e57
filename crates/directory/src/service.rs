//! What a directory answers.

use crate::{Everyone, GroupId, GroupSnapshot, PeopleFound, PeopleSearch, Person};
use async_trait::async_trait;
use dme_model::{Secret, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// The result of a directory call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a directory could not answer. That a user is unknown or a password wrong is an answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Error {
    /// It cannot be reached, or not in time.
    #[error("the directory is unavailable: {0}")]
    Unavailable(String),
    /// It cannot be reached, by arrangement: the way to it is there at certain hours only.
    #[error("the directory is off hours until {until}: {why}")]
    OffHours {
        /// What is not there.
        why: String,
        /// When it will be.
        until: Timestamp,
    },
    /// It has too much to do; it is there all the same.
    #[error("the directory is busy: {0}")]
    Busy(String),
    /// It refused our own account, or the search it needs; only an administrator can mend it.
    #[error("the directory refused the connector: {0}")]
    Refused(String),
    /// It cannot be told which directory to ask; only an administrator can mend it.
    #[error("it cannot be told which directory to ask: {0}")]
    NotChosen(String),
    /// It answered what makes no sense.
    #[error("the directory answered wrongly: {0}")]
    Protocol(String),
}

impl Error {
    /// Whether it says nothing of the question: asked again later, it may be answered.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::OffHours { .. } | Self::Busy(_))
    }

    /// The stable name for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "directory.unavailable",
            Self::OffHours { .. } => "directory.off_hours",
            Self::Busy(_) => "directory.busy",
            Self::Refused(_) => "directory.refused",
            Self::NotChosen(_) => "directory.not_chosen",
            Self::Protocol(_) => "directory.protocol",
        }
    }
}

/// What a directory says of a login and a password.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The password is right. The person's standing may still forbid.
    Accepted(Box<Person>),
    /// The user is there, the password is not theirs.
    WrongPassword,
    /// No such user in this realm.
    Unknown,
    /// The directory will not let the account in, whatever the password.
    Barred(crate::Standing),
}

/// The groups of a realm, and whose they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RealmGroups {
    /// All of them.
    pub snapshot: GroupSnapshot,
    /// The directories that gave them; none where it is one that has no name.
    pub sources: Vec<GroupSource>,
    /// Those that may make somebody an administrator or an auditor; none where all may.
    pub for_roles: Option<BTreeSet<GroupId>>,
}

/// A directory whose groups a realm has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupSource {
    /// The name of the connector that gave them.
    pub name: String,
    /// How long ago.
    pub age: Duration,
    /// Why it gave none now, where these are older ones.
    pub trouble: Option<Error>,
}

/// One realm's directory. Who may do what is not remembered here; callers do. What an address search
/// found may be, for some seconds.
#[async_trait]
pub trait DirectoryService: Send + Sync {
    /// Checks a password. The user is canonical, `name@realm`.
    async fn authenticate(&self, user: &UserId, password: &Secret) -> Result<Verdict>;

    /// Looks a person up without a password.
    async fn find(&self, user: &UserId) -> Result<Option<Person>>;

    /// Every group with its direct parents.
    async fn groups(&self) -> Result<GroupSnapshot>;

    /// The same, and whose they are, where this is a realm's and has them from others.
    async fn realm_groups(&self) -> Result<RealmGroups> {
        let snapshot = self.groups().await?;
        Ok(RealmGroups { snapshot, sources: Vec::new(), for_roles: None })
    }

    /// Those of the address list who fit and whom the user who asks may see, the best first.
    async fn search(&self, search: &PeopleSearch) -> Result<PeopleFound>;

    /// All of the address list whom a user may see, at most `limit`, in no order.
    async fn everyone(&self, asking: &UserId, limit: u32) -> Result<Everyone>;

    /// Whether it is several now, each for users of its own: what is unavailable about one user may
    /// be there for the next.
    fn is_several(&self) -> bool {
        false
    }
}
