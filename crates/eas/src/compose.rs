//! What SendMail, SmartReply and SmartForward share: the message, what it refers to, and the answer
//! (MS-ASCMD 2.2.1.17, 2.2.1.19, 2.2.1.20).
//!
//! From 14.0 on the request is WBXML with the message in it as opaque bytes. In 12.1 the body *is*
//! the message, and the rest stands in the query.

#[cfg(test)]
mod tests;

use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::status::{CommonStatus, statuses};
use bytes::Bytes;
use dme_wbxml::pages::compose_mail as c;
use dme_wbxml::{Content, Element, Tag};

/// The longest `ClientId`, in characters (MS-ASCMD 2.2.3.28.1).
const MAX_CLIENT_ID: usize = 40;
/// The longest server id and account id, in characters (MS-ASCMD 2.2.3.166).
const MAX_ID: usize = 64;
/// The longest `LongId`, in characters (MS-ASCMD 2.2.3.98).
const MAX_LONG_ID: usize = 256;

statuses! {
    /// Why a message was not sent (MS-ASCMD 2.2.3.177.14 and .16): one of the statuses all commands
    /// share. Success has no status but an empty answer.
    pub enum Status {
        /// Sent; never written, but read from servers that do.
        Success = 1,
    }
}

/// Whether the server keeps a copy in the sent mail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SaveInSent {
    /// It does.
    Yes,
    /// It does not.
    No,
}

impl From<bool> for SaveInSent {
    fn from(save: bool) -> Self {
        if save { Self::Yes } else { Self::No }
    }
}

/// The mail that is answered or forwarded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// By the ids Sync gave it.
    Item {
        /// The folder; some clients leave it out.
        folder_id: Option<String>,
        /// The mail.
        item_id: String,
        /// Which instance of a recurring event: its start.
        instance_id: Option<String>,
    },
    /// By the id a search gave it.
    LongId {
        /// The id.
        long_id: String,
        /// Which instance of a recurring event: its start.
        instance_id: Option<String>,
    },
}

impl Source {
    /// From the parameters of a 12.1 request; none where neither id is given.
    pub fn from_parameters(
        folder_id: Option<&str>,
        item_id: Option<&str>,
        long_id: Option<&str>,
        occurrence: Option<&str>,
    ) -> Option<Self> {
        let instance_id = occurrence.map(str::to_owned);
        match (item_id, long_id) {
            (Some(item_id), _) => Some(Self::Item {
                folder_id: folder_id.map(str::to_owned),
                item_id: item_id.to_owned(),
                instance_id,
            }),
            (None, Some(long_id)) => {
                Some(Self::LongId { long_id: long_id.to_owned(), instance_id })
            }
            (None, None) => None,
        }
    }

    pub(crate) fn from_element(source: &Element) -> Result<Self> {
        let instance_id = bounded(source, c::INSTANCE_ID, MAX_ID)?;
        let item_id = bounded(source, c::ITEM_ID, MAX_ID)?;
        match (item_id, bounded(source, c::LONG_ID, MAX_LONG_ID)?) {
            (Some(_), Some(_)) => Err(Error::Conflict(c::ITEM_ID, c::LONG_ID)),
            (Some(item_id), None) => {
                let folder_id = bounded(source, c::FOLDER_ID, MAX_ID)?;
                Ok(Self::Item { folder_id, item_id, instance_id })
            }
            (None, Some(long_id)) => Ok(Self::LongId { long_id, instance_id }),
            (None, None) => Err(Error::Missing { parent: source.tag, element: c::ITEM_ID }),
        }
    }

    pub(crate) fn to_element(&self) -> Element {
        let mut children = Vec::new();
        let instance_id = match self {
            Self::Item { folder_id, item_id, instance_id } => {
                children.put_some(c::FOLDER_ID, folder_id.as_deref());
                children.put(c::ITEM_ID, item_id.as_str());
                instance_id
            }
            Self::LongId { long_id, instance_id } => {
                children.put(c::LONG_ID, long_id.as_str());
                instance_id
            }
        };
        children.put_some(c::INSTANCE_ID, instance_id.as_deref());
        Element::parent(c::SOURCE, children)
    }
}

/// The message and how it is to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The phone's own name for this request, by which a repetition is known; none in 12.1.
    pub client_id: Option<String>,
    /// From which of the user's accounts (14.1 on); none for the user's own.
    pub account_id: Option<String>,
    /// Whether a copy is kept.
    pub save_in_sent: SaveInSent,
    /// The message, as the phone made it (RFC 5322).
    pub mime: Bytes,
}

impl Message {
    /// The body of a 12.1 request.
    pub fn from_mime(mime: Bytes, save_in_sent: SaveInSent) -> Self {
        Self { client_id: None, account_id: None, save_in_sent, mime }
    }

    pub(crate) fn from_element(element: &Element) -> Result<Self> {
        let client_id = bounded(element, c::CLIENT_ID, MAX_CLIENT_ID)?;
        let save = element.boolean_of(c::SAVE_IN_SENT_ITEMS)?.unwrap_or(false);
        Ok(Self {
            client_id: Some(
                client_id.ok_or(Error::Missing { parent: element.tag, element: c::CLIENT_ID })?,
            ),
            account_id: bounded(element, c::ACCOUNT_ID, MAX_ID)?,
            save_in_sent: save.into(),
            mime: element.child(c::MIME).map(bytes_of).transpose()?.unwrap_or_default(),
        })
    }

    /// Pushes the elements before `Source`.
    pub(crate) fn push_head(&self, children: &mut Vec<Element>) {
        children.put_some(c::CLIENT_ID, self.client_id.as_deref());
        children.put_some(c::ACCOUNT_ID, self.account_id.as_deref());
        children.put_mark(c::SAVE_IN_SENT_ITEMS, self.save_in_sent == SaveInSent::Yes);
    }

    /// Pushes the message itself, the last element.
    pub(crate) fn push_mime(&self, children: &mut Vec<Element>) {
        children.push(Element::opaque(c::MIME, self.mime.clone()));
    }
}

/// The answer: nothing when it was sent, else why not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Response {
    /// Sent: an answer without a body.
    Sent,
    /// Not sent. In 12.1 the answer is the HTTP status alone.
    Failed(Status),
}

impl Response {
    pub(crate) fn to_element(self, tag: Tag) -> Option<Element> {
        match self {
            Self::Sent => None,
            Self::Failed(status) => {
                let status = Element::text(c::STATUS, status.code().to_string());
                Some(Element::parent(tag, vec![status]))
            }
        }
    }

    pub(crate) fn from_element(element: Option<&Element>, tag: Tag) -> Result<Self> {
        let Some(element) = element else { return Ok(Self::Sent) };
        match Status::read(element.expect_tag(tag)?, c::STATUS)? {
            // What was sent before is sent.
            Status::Success | Status::Common(CommonStatus::MessagePreviouslySent) => Ok(Self::Sent),
            status => Ok(Self::Failed(status)),
        }
    }
}

/// The text of a child, of at most so many characters; some phones write an empty element where
/// they mean none.
pub(crate) fn bounded(element: &Element, tag: Tag, max: usize) -> Result<Option<String>> {
    match element.text_of(tag)? {
        Some("") => Ok(None),
        Some(text) if text.chars().nth(max).is_some() => {
            Err(Error::Value { element: tag, expected: "an id of the length the schema allows" })
        }
        text => Ok(text.map(str::to_owned)),
    }
}

/// Opaque bytes; text counts as its bytes, since some clients send the message so.
fn bytes_of(element: &Element) -> Result<Bytes> {
    match &element.content {
        Content::Opaque(bytes) => Ok(bytes.clone()),
        Content::Text(text) => Ok(Bytes::copy_from_slice(text.as_bytes())),
        Content::Empty => Ok(Bytes::new()),
        Content::Children(_) => Err(Error::Value { element: element.tag, expected: "a message" }),
    }
}
