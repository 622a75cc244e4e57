//! Messages on their way out, and drafts.

use bytes::Bytes;
use dme_model::{CollectionId, ItemId};
use serde::{Deserialize, Serialize};

/// Names one act of sending or saving, so that a repeated request is known as such (rule S2).
/// Made of device, command and ClientId; the same for every repetition, never used for another.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubmissionKey(pub String);

/// How a message refers to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Answers it; the original is marked answered and its text is quoted below.
    Reply,
    /// Sends it on; the original is marked forwarded and its attachments go along.
    Forward,
}

/// The original of a reply or forward.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reference {
    /// Where the original lies.
    pub collection: CollectionId,
    /// Which it is.
    pub item: ItemId,
    /// Answer or forward.
    pub verb: Verb,
    /// The phone sent the whole message itself (`ReplaceMime`): mark the original, add nothing.
    pub replace_mime: bool,
}

/// A message to send.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Submission {
    /// Known when repeated.
    pub key: SubmissionKey,
    /// An earlier attempt with this key may have gone out: look in Sent for its Message-ID
    /// before sending.
    pub uncertain: bool,
    /// What the message says is out, by an earlier attempt that answered [`Submitted::unfinished`] or
    /// by the calendar's own server ([`crate::Mailbox::tells`]): it is not sent, and only what follows
    /// is done.
    #[serde(default)]
    pub taken: bool,
    /// The message as the phone gave it; headers it lacks are added. Recipients are read from it.
    /// Carried beside the JSON on the link.
    #[serde(skip)]
    pub message: Bytes,
    /// What it answers or sends on.
    pub reference: Option<Reference>,
    /// Whether a copy goes to Sent.
    pub save_in_sent: bool,
    /// A draft this is the final form of, deleted once sent.
    pub draft: Option<(CollectionId, ItemId)>,
}

/// A message that was sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Submitted {
    /// The `Message-ID` it went out with.
    pub message_id: String,
    /// Recipients refused while others were accepted.
    pub refused: Vec<String>,
    /// What did not succeed after the message was accepted, such as the copy in Sent.
    pub warnings: Vec<String>,
    /// Of that, something may succeed when it is tried again: the same submission shall come once
    /// more, as `taken`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unfinished: bool,
}

/// A draft to save.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Draft {
    /// Known when repeated.
    pub key: SubmissionKey,
    /// The whole message. Carried beside the JSON on the link.
    #[serde(skip)]
    pub message: Bytes,
    /// The draft it takes the place of.
    pub replaces: Option<ItemId>,
}
