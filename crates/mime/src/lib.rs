//! Messages as bytes (RFC 5322, MIME) to neutral [`Mail`]s, and back. No I/O, no clock.
//!
//! Reading never fails because a message is broken: it is shown as well as can be. Only an empty
//! or absurdly large one is refused. The structure is found in one pass, and nothing is decoded
//! that was not asked for, so that a message with a large attachment costs no more than its text.
//!
//! Bounds on hostile input are the `MAX_` constants; all work is linear in the message's size.

mod attachment;
mod charset;
pub mod compose;
mod conversation;
mod encoded_word;
mod error;
mod header;
mod html;
mod invitation;
mod item_text;
mod kind;
mod layout;
mod own_text;
mod read;
pub mod sample;
mod structure;
mod subject;
mod text;
mod transfer;
mod wire;

pub use error::Error;
pub use item_text::{Written, plain_of};

use bytes::Bytes;
use dme_model::{BodyView, ConversationId, Flags, Invitation, Mail, PartId, Timestamp};
use header::{Fields, Of};
use std::ops::Range;
use structure::Message;

/// The largest message read, in bytes.
pub const MAX_MESSAGE: usize = 256 << 20;

/// Encodings of MIME that older formats of calendars and contacts share (vCard 2.1).
pub mod decode {
    pub use crate::charset::decode as charset;
    pub use crate::transfer::{base64, quoted_printable};
}

/// What the mail system knows of a message beside its bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Envelope {
    /// Its marks.
    pub flags: Flags,
    /// When it arrived.
    pub received: Timestamp,
    /// Its size in bytes.
    pub size: u64,
}

/// The decoded content of one part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Its media type, lower case, without parameters.
    pub media_type: String,
    /// Its file name, where it has one.
    pub name: Option<String>,
    /// The size of the whole in bytes, also where a range was asked for.
    pub full_size: u64,
    /// The content, or the range of it.
    pub data: Bytes,
}

/// Who reads the calendar data of a message (RFC 6047): given its text, and the `method` of the part
/// it stands in, the meeting; none where it is about none. There is one reader of calendars
/// (`dme_pim::invitation`), so that a mail tells of a meeting what the event itself does.
pub type Meetings = fn(&str, Option<&str>) -> Option<Invitation>;

/// Reads a message as far as the view asks.
///
/// # Errors
/// [`Error::Empty`] and [`Error::TooLarge`] only.
pub fn read(
    raw: Bytes,
    envelope: Envelope,
    view: &BodyView,
    meetings: Meetings,
) -> Result<Mail, Error> {
    read::read(raw, envelope, view, meetings)
}

/// The decoded content of a part, or a range of it, cut at its end.
///
/// # Errors
/// [`Error::NoSuchPart`], and those of [`read`].
pub fn part(raw: &Bytes, id: &PartId, range: Option<Range<u64>>) -> Result<Part, Error> {
    let message = Message::parse(raw.clone())?;
    let index = message.find(id).ok_or_else(|| Error::NoSuchPart(id.clone()))?;
    let node = message.nodes.get(index).ok_or_else(|| Error::NoSuchPart(id.clone()))?;
    let whole = node.content_bytes(raw);
    let full_size = whole.len() as u64;
    let data = match range {
        None => whole,
        Some(range) => {
            let place = |at: u64| usize::try_from(at.min(full_size)).unwrap_or(whole.len());
            let start = place(range.start);
            whole.slice(start..place(range.end).max(start))
        }
    };
    Ok(Part { media_type: node.media_type.clone(), name: node.name(&message), full_size, data })
}

/// The conversation of a message, from its header alone; what follows the header is not read.
/// None where it has no id and no subject.
pub fn conversation_of(raw: &[u8]) -> Option<ConversationId> {
    let (fields, _) = Fields::parse(raw, 0, Of::Message);
    conversation::id(&fields, raw)
}

/// What a message says of a meeting (RFC 6047): its calendar data, and the address it is from. None
/// where it has no calendar data, or nobody is named.
///
/// # Errors
/// Those of [`read`].
pub fn calendar_message(raw: &Bytes) -> Result<Option<(String, String)>, Error> {
    let message = Message::parse(raw.clone())?;
    let (fields, _) = Fields::parse(raw, 0, Of::Message);
    let from = fields.addresses(raw, "From").into_iter().next();
    Ok(invitation::calendar(&message).zip(from.map(|from| from.email)))
}

/// What a message of the user says of a meeting that a calendar's own server may tell as well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SchedulingMessage {
    /// Its calendar data.
    pub calendar: String,
    /// The address it is from.
    pub from: String,
    /// The addresses it goes to: those of `To`, `Cc` and `Bcc`, each once.
    pub to: Vec<String>,
    /// Its sender is named as the organiser, or answers. A server tells nothing else; but it may know
    /// the sender by more addresses than this one.
    pub own: bool,
}

/// What a message of the user says that a calendar's own server may tell as well (RFC 6638 §3.2).
/// None where no server does: of other methods than `REQUEST`, `CANCEL` and `REPLY`, and of an answer
/// with a text of its own, as servers pass on the answer alone.
///
/// # Errors
/// Those of [`read`]; where it says something, [`Error::BadHeader`] for an address that is none, and
/// [`Error::NoRecipient`].
pub fn scheduling_message(raw: &Bytes) -> Result<Option<SchedulingMessage>, Error> {
    let message = Message::parse(raw.clone())?;
    let (fields, _) = Fields::parse(raw, 0, Of::Message);
    let Some(from) = fields.addresses(raw, "From").into_iter().next() else { return Ok(None) };
    let from = from.email;
    let Some((calendar, own)) = invitation::scheduling(&message, &from) else { return Ok(None) };
    let to = compose::recipients(&fields, raw)?;
    Ok(Some(SchedulingMessage { calendar, from, to, own }))
}

/// The `Message-ID` of a message without the brackets, from its header alone.
pub fn message_id(raw: &[u8]) -> Option<String> {
    let (fields, _) = Fields::parse(raw, 0, Of::Message);
    conversation::message_id(&fields, raw)
}

/// The text of a piece of HTML, lines ended by CRLF; addresses of links stand behind their texts.
pub fn html_to_text(html: &str) -> String {
    html::to_text(html, html::Links::Shown, usize::MAX)
}

/// Plain text as an HTML document.
pub fn text_to_html(text: &str) -> String {
    html::from_text(text)
}

/// All words a search looks at: the decoded headers that name people, the subject, the text of
/// the body and the names of attachments; at most [`MAX_SEARCH_TEXT`] bytes.
pub fn search_text(raw: &Bytes) -> String {
    read::search_text(raw).unwrap_or_default()
}

/// How much text [`search_text`] gives at the most, in bytes.
pub const MAX_SEARCH_TEXT: usize = 1 << 20;
