//! SmartForward: a mail sent on; the server adds the original and its attachments
//! (MS-ASCMD 2.2.1.19).

use crate::compose::{Message, Response, Source};
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::version::ProtocolVersion;
use dme_model::Address;
use dme_wbxml::Element;
use dme_wbxml::pages::compose_mail as c;

/// More people than a meeting is forwarded to.
const MAX_FORWARDEES: usize = 500;

/// A phone's request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The new text, with the message's own headers; empty where `forwardees` are given.
    pub message: Message,
    /// The mail that is forwarded.
    pub source: Source,
    /// `ReplaceMime`: the message is whole, nothing of the original is to be added (14.0 on).
    pub replace_mime: bool,
    /// To whom a meeting is forwarded (16.0 on); empty for a mail.
    pub forwardees: Vec<Address>,
}

impl Request {
    /// The 12.1 form: the message is the body, the source stands in the query.
    pub fn from_mime(message: Message, source: Source) -> Self {
        Self { message, source, replace_mime: false, forwardees: Vec::new() }
    }

    /// Reads the WBXML form (14.0 on).
    ///
    /// # Errors
    /// Where it is not a SmartForward element with a `ClientId`, a `Source`, and a message or
    /// forwardees.
    pub fn from_element(element: &Element) -> Result<Self> {
        let message = Message::from_element(element.expect_tag(c::SMART_FORWARD)?)?;
        let listed = element.child(c::FORWARDEES).map(Element::children).unwrap_or_default();
        if listed.len() > MAX_FORWARDEES {
            return Err(Error::TooMany { element: c::FORWARDEE, limit: MAX_FORWARDEES });
        }
        let forwardees: Vec<Address> = listed.iter().map(forwardee_from).collect::<Result<_>>()?;
        if message.mime.is_empty() && forwardees.is_empty() {
            return Err(Error::Missing { parent: c::SMART_FORWARD, element: c::MIME });
        }
        let source = Source::from_element(element.required(c::SOURCE)?)?;
        let replace_mime = element.boolean_of(c::REPLACE_MIME)?.unwrap_or(false);
        Ok(Self { message, source, replace_mime, forwardees })
    }

    /// The WBXML form; forwardees are left out before 16.0.
    pub fn to_element(&self, version: ProtocolVersion) -> Element {
        let mut children = Vec::new();
        self.message.push_head(&mut children);
        children.push(self.source.to_element());
        children.put_mark(c::REPLACE_MIME, self.replace_mime);
        if version >= ProtocolVersion::V16_0 {
            let forwardees = self.forwardees.iter().map(forwardee_to);
            children.put_parent(c::FORWARDEES, forwardees.collect());
        }
        if !self.message.mime.is_empty() {
            self.message.push_mime(&mut children);
        }
        Element::parent(c::SMART_FORWARD, children)
    }
}

fn forwardee_from(element: &Element) -> Result<Address> {
    let element = element.expect_tag(c::FORWARDEE)?;
    Ok(Address {
        name: element.text_of(c::NAME)?.map(str::to_owned),
        email: element.required_text(c::EMAIL)?.to_owned(),
    })
}

fn forwardee_to(address: &Address) -> Element {
    let mut children = Vec::new();
    children.put(c::EMAIL, address.email.as_str());
    children.put_some(c::NAME, address.name.as_deref());
    Element::parent(c::FORWARDEE, children)
}

/// The answer's body; none when the message was sent.
pub fn response_to_element(response: Response) -> Option<Element> {
    response.to_element(c::SMART_FORWARD)
}

/// Reads the answer's body.
///
/// # Errors
/// Where it is not a SmartForward element with a status.
pub fn response_from_element(element: Option<&Element>) -> Result<Response> {
    Response::from_element(element, c::SMART_FORWARD)
}
