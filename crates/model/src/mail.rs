//! A mail in neutral form: JMAP's `Email` (RFC 8621 §4), cut to what phones are told.

use crate::{Body, BodyKind, ConversationId, Flags, Invitation, PartId, Timestamp};
use serde::{Deserialize, Serialize};

/// A person or role in a header.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Address {
    /// The display name, decoded.
    pub name: Option<String>,
    /// The address, `local@domain`.
    pub email: String,
}

/// The sender's mark of urgency.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Importance {
    /// Can wait.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Urgent.
    High,
}

/// What sort of message it is (`MessageClass`, MS-ASEMAIL 2.2.2.49).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// An ordinary mail.
    #[default]
    Note,
    /// An invitation, cancellation or answer.
    Meeting(Box<Invitation>),
    /// S/MIME signed, text readable.
    SmimeSigned,
    /// S/MIME encrypted or opaque.
    SmimeEncrypted,
    /// A report that it was not delivered (RFC 3464).
    NonDelivery,
    /// A report that it was delivered.
    Delivery,
    /// A report that it was read (RFC 8098).
    Read,
}

/// How an attachment is kept in the message (`Method`, MS-ASAIRS 2.2.2.32).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttachmentKind {
    /// A file.
    File,
    /// Another message.
    Message,
}

/// One attachment, without its content.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Attachment {
    /// How to fetch it.
    pub part: PartId,
    /// Its file name; made up where the message gives none.
    pub name: String,
    /// Its media type, lower case.
    pub media_type: String,
    /// Its size in bytes when decoded (an estimate is allowed).
    pub size: u64,
    /// File or message.
    pub kind: AttachmentKind,
    /// Its `Content-ID` without the brackets.
    pub content_id: Option<String>,
    /// Its `Content-Location`.
    pub content_location: Option<String>,
    /// Shown within the body rather than in a list.
    pub inline: bool,
}

/// One mail.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Mail {
    /// Authors.
    pub from: Vec<Address>,
    /// Who sent it for the authors.
    pub sender: Option<Address>,
    /// Where answers go.
    pub reply_to: Vec<Address>,
    /// Receivers.
    pub to: Vec<Address>,
    /// Receivers of a copy.
    pub cc: Vec<Address>,
    /// Receivers not shown to others; drafts and sent mail only.
    pub bcc: Vec<Address>,
    /// The subject, decoded, unfolded.
    pub subject: String,
    /// The subject without reply and forward prefixes.
    pub thread_topic: String,
    /// When it arrived in the mailbox.
    pub received: Timestamp,
    /// The `Date` header.
    pub sent: Option<Timestamp>,
    /// The `Message-ID` without the brackets.
    pub message_id: Option<String>,
    /// Which conversation it belongs to.
    pub conversation: Option<ConversationId>,
    /// `ConversationIndex` (MS-ASEMAIL 2.2.2.20): when the thread began and one block an answer.
    pub conversation_index: Vec<u8>,
    /// Urgency.
    pub importance: Importance,
    /// What sort of message.
    pub kind: MailKind,
    /// Marks.
    pub flags: Flags,
    /// Size of the whole message in bytes.
    pub size: u64,
    /// The form the author wrote it in.
    pub native: Option<BodyKind>,
    /// The body as asked for.
    pub body: Option<Body>,
    /// The author's own text as asked for by `BodyView::part_preference`.
    pub body_part: Option<Body>,
    /// The first characters as plain text, where a preview was asked for.
    pub preview: Option<String>,
    /// The same of the author's own text.
    pub part_preview: Option<String>,
    /// Attachments, inline ones included.
    pub attachments: Vec<Attachment>,
}
