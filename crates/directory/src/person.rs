//! People and groups as a directory has them.

use dme_model::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// A group in the directory's own terms, lower case (for LDAP its normalised DN).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(pub String);

/// Whether a person's account may be used, whatever groups it is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It may.
    #[default]
    Active,
    /// An administrator switched it off.
    Disabled,
    /// Its time is over.
    Expired,
    /// Too many wrong passwords.
    LockedOut,
    /// The password is too old.
    PasswordExpired,
    /// The password must be changed before the account may be used.
    MustChangePassword,
    /// It may not be used at this hour.
    OutsideLogonHours,
    /// It may be used on certain machines only.
    OtherWorkstation,
}

/// A person in the directory.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Person {
    /// Canonical: `name@realm`, lower case.
    pub user: UserId,
    /// The primary mail address.
    pub address: String,
    /// The name for people.
    pub display_name: Option<String>,
    /// The groups that list this person themselves; what those are in is the group graph's matter.
    pub groups: Vec<GroupId>,
    /// Whether the account may be used.
    pub standing: Standing,
}

/// Every group of a directory and the groups it is directly in.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct GroupSnapshot {
    /// Each group, its short name (`cn`), and its direct parents. Cycles are allowed.
    pub groups: Vec<Group>,
    /// When it was read.
    pub as_of: Timestamp,
}

/// One group of a snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Group {
    /// Which.
    pub id: GroupId,
    /// Its short name.
    pub name: String,
    /// The groups that have it as a member.
    pub parents: Vec<GroupId>,
}
