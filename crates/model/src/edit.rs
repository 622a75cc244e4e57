//! What is done to an item that is no mail, and what others must be told of it.

use crate::{EventPatch, ItemPatch, Participation, Proposal, Text, Timestamp};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A change of one item.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemEdit {
    /// Of the item, for a series of all of it.
    Patch(ItemPatch),
    /// Of one instance of a series (16.0 on). The fields are set against what the instance is now.
    Instance {
        /// When the instance begins by the rule; of whole days, midnight UTC of the day.
        original: Timestamp,
        /// What of it changes.
        patch: Box<EventPatch>,
    },
    /// One instance of a series is taken out (16.0 on).
    DropInstance {
        /// As above.
        original: Timestamp,
    },
    /// It is about to be deleted: a meeting of the user's own does not take place, and those who
    /// were asked are told so. Nothing where it is none.
    Cancel,
}

/// What the mailbox's user answers to an invitation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// Comes or not.
    pub participation: Participation,
    /// For one instance of the series only; as in [`ItemEdit::Instance`].
    pub instance: Option<Timestamp>,
    /// What to say to the organiser.
    pub comment: Option<Text>,
    /// What time would be better.
    pub proposal: Option<Proposal>,
    /// Whether the organiser is told at all.
    pub send: bool,
}

/// Why a mail's word on a meeting is taken into the calendar.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// The mail arrived.
    #[default]
    Arrival,
    /// The user answers it, late as it may be.
    Answer,
}

/// A mail that tells others of what was done to a meeting (RFC 6047), ready to be sent. Only made
/// where the calendar's own server does not do so itself (RFC 6638).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Notice {
    /// Tells it from the others of the same act: the same for every repetition of the act.
    pub name: String,
    /// The whole message, recipients in its header.
    #[serde(with = "crate::base64_bytes")]
    pub message: Bytes,
}
