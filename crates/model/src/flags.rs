//! What is marked on a mail, apart from its content, which never changes.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The follow-up flag (MS-ASEMAIL 2.2.2.27), as far as mail systems have one.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Followup {
    /// Not marked.
    #[default]
    None,
    /// To be followed up: IMAP `\Flagged`.
    Active,
    /// Done: IMAP keyword `$Completed`, without `\Flagged`.
    Complete,
}

/// All marks of one mail.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Flags {
    /// Read: IMAP `\Seen`.
    pub seen: bool,
    /// Replied to: IMAP `\Answered`.
    pub answered: bool,
    /// Sent on: IMAP `$Forwarded`.
    pub forwarded: bool,
    /// Not sent yet: IMAP `\Draft`.
    pub draft: bool,
    /// The follow-up flag.
    pub followup: Followup,
    /// The user's categories: all other keywords, in the mail system's spelling.
    pub categories: BTreeSet<String>,
}

/// A change of marks; what is `None` stays.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FlagPatch {
    /// Read or unread.
    pub seen: Option<bool>,
    /// Replied to.
    pub answered: Option<bool>,
    /// Sent on.
    pub forwarded: Option<bool>,
    /// The follow-up flag.
    pub followup: Option<Followup>,
    /// The whole new set of categories.
    pub categories: Option<BTreeSet<String>>,
}

impl FlagPatch {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it may contradict a change made elsewhere to the same item. A mark that is on or off
    /// cannot: if it is not yet as wanted, nobody else changed it from what the phone saw.
    pub fn may_contradict(&self) -> bool {
        self.followup.is_some() || self.categories.is_some()
    }

    /// The marks after the change.
    pub fn apply(&self, flags: &Flags) -> Flags {
        Flags {
            seen: self.seen.unwrap_or(flags.seen),
            answered: self.answered.unwrap_or(flags.answered),
            forwarded: self.forwarded.unwrap_or(flags.forwarded),
            draft: flags.draft,
            followup: self.followup.unwrap_or(flags.followup),
            categories: self.categories.clone().unwrap_or_else(|| flags.categories.clone()),
        }
    }
}
