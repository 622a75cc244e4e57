//! SmartReply: an answer to a mail; the server adds the original (MS-ASCMD 2.2.1.20).

use crate::compose::{Message, Response, Source};
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use dme_wbxml::Element;
use dme_wbxml::pages::compose_mail as c;

/// A phone's request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The new text, with the answer's own headers.
    pub message: Message,
    /// The mail that is answered.
    pub source: Source,
    /// `ReplaceMime`: the message is whole, nothing of the original is to be added (14.0 on).
    pub replace_mime: bool,
}

impl Request {
    /// The 12.1 form: the message is the body, the source stands in the query.
    pub fn from_mime(message: Message, source: Source) -> Self {
        Self { message, source, replace_mime: false }
    }

    /// Reads the WBXML form (14.0 on).
    ///
    /// # Errors
    /// Where it is not a SmartReply element with a `ClientId` and a `Source`.
    pub fn from_element(element: &Element) -> Result<Self> {
        let message = Message::from_element(element.expect_tag(c::SMART_REPLY)?)?;
        if message.mime.is_empty() {
            return Err(Error::Missing { parent: c::SMART_REPLY, element: c::MIME });
        }
        let source = Source::from_element(element.required(c::SOURCE)?)?;
        let replace_mime = element.boolean_of(c::REPLACE_MIME)?.unwrap_or(false);
        Ok(Self { message, source, replace_mime })
    }

    /// The WBXML form.
    pub fn to_element(&self) -> Element {
        let mut children = Vec::new();
        self.message.push_head(&mut children);
        children.push(self.source.to_element());
        children.put_mark(c::REPLACE_MIME, self.replace_mime);
        self.message.push_mime(&mut children);
        Element::parent(c::SMART_REPLY, children)
    }
}

/// The answer's body; none when the message was sent.
pub fn response_to_element(response: Response) -> Option<Element> {
    response.to_element(c::SMART_REPLY)
}

/// Reads the answer's body.
///
/// # Errors
/// Where it is not a SmartReply element with a status.
pub fn response_from_element(element: Option<&Element>) -> Result<Response> {
    Response::from_element(element, c::SMART_REPLY)
}
