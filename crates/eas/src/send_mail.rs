//! SendMail: a new message (MS-ASCMD 2.2.1.17).

use crate::compose::{Message, Response};
use crate::error::Result;
use crate::fields::Fields;
use dme_wbxml::Element;
use dme_wbxml::pages::compose_mail as c;

/// A phone's request; in 12.1 made by [`Message::from_mime`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The message.
    pub message: Message,
}

impl Request {
    /// Reads the WBXML form (14.0 on).
    ///
    /// # Errors
    /// Where it is not a SendMail element with a `ClientId` and a `Mime`.
    pub fn from_element(element: &Element) -> Result<Self> {
        let element = element.expect_tag(c::SEND_MAIL)?;
        element.required(c::MIME)?;
        Ok(Self { message: Message::from_element(element)? })
    }

    /// The WBXML form.
    pub fn to_element(&self) -> Element {
        let mut children = Vec::new();
        self.message.push_head(&mut children);
        self.message.push_mime(&mut children);
        Element::parent(c::SEND_MAIL, children)
    }
}

/// The answer's body; none when the message was sent.
pub fn response_to_element(response: Response) -> Option<Element> {
    response.to_element(c::SEND_MAIL)
}

/// Reads the answer's body.
///
/// # Errors
/// Where it is not a SendMail element with a status.
pub fn response_from_element(element: Option<&Element>) -> Result<Response> {
    Response::from_element(element, c::SEND_MAIL)
}
