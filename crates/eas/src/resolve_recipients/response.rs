//! What a ResolveRecipients answers (MS-ASCMD 2.2.1.15).

use super::{MAX_RECIPIENTS, RecipientType, Status};
use crate::error::Result;
use crate::fields::{Children, Fields};
use crate::validate_cert::binary;
use crate::version::ProtocolVersion;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dme_wbxml::pages::resolve_recipients as r;
use dme_wbxml::{Element, Tag};

/// The largest certificate or picture read, in bytes.
const MAX_BINARY: usize = 1024 * 1024;

/// The certificates of a recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificates {
    /// Whether there are any.
    pub status: Status,
    /// How many there are, also where none is given because of the limit.
    pub certificate_count: u32,
    /// How many recipients the entry stands for (a list has several).
    pub recipient_count: u32,
    /// DER.
    pub certificates: Vec<Vec<u8>>,
}

/// One who matches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipient {
    /// Where found.
    pub kind: RecipientType,
    /// The name.
    pub display_name: String,
    /// The address.
    pub email: String,
    /// Status of the free/busy times, and the times: one digit for each half hour.
    pub availability: Option<(Status, Option<String>)>,
    /// Certificates, where asked for.
    pub certificates: Option<Certificates>,
    /// Status of the picture, and the picture, where asked for.
    pub picture: Option<(Status, Option<Vec<u8>>)>,
}

/// What one `To` came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resolved {
    /// The name or address of the request.
    pub to: String,
    /// What it came to.
    pub status: Status,
    /// How many match in all, of whom some may not be among those given.
    pub count: u32,
    /// Those who match, or as many as are suggested.
    pub recipients: Vec<Recipient>,
}

/// The server's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// The status of the command.
    pub status: Status,
    /// One for each `To`.
    pub resolved: Vec<Resolved>,
}

impl Response {
    /// The element for a version.
    pub fn to_element(&self, version: ProtocolVersion) -> Element {
        let mut children = Vec::new();
        children.put_number(r::STATUS, self.status.code());
        for one in &self.resolved {
            let mut within = Vec::new();
            within.put(r::TO, one.to.as_str());
            within.put_number(r::STATUS, one.status.code());
            within.put_number(r::RECIPIENT_COUNT, one.count);
            within.extend(one.recipients.iter().map(|r| r.to_element(version)));
            children.push(Element::parent(r::RESPONSE, within));
        }
        Element::parent(r::RESOLVE_RECIPIENTS, children)
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Where it is not a ResolveRecipients element, or a value is not of its type.
    pub fn from_element(element: &Element) -> Result<Self> {
        let element = element.expect_tag(r::RESOLVE_RECIPIENTS)?;
        let resolved = element.each(r::RESPONSE).take(MAX_RECIPIENTS).map(|one| {
            Ok(Resolved {
                to: one.required_text(r::TO)?.to_owned(),
                status: Status::read(one, r::STATUS)?,
                count: one.number_of(r::RECIPIENT_COUNT)?.unwrap_or_default(),
                recipients: one
                    .each(r::RECIPIENT)
                    .take(MAX_RECIPIENTS)
                    .map(Recipient::from_element)
                    .collect::<Result<_>>()?,
            })
        });
        let resolved = resolved.collect::<Result<_>>()?;
        Ok(Self { status: Status::read(element, r::STATUS)?, resolved })
    }
}

impl Recipient {
    fn to_element(&self, version: ProtocolVersion) -> Element {
        let mut children = Vec::new();
        children.put_number(r::TYPE, self.kind.code());
        children.put(r::DISPLAY_NAME, self.display_name.as_str());
        children.put(r::EMAIL_ADDRESS, self.email.as_str());
        if let Some((status, times)) = &self.availability
            && version >= ProtocolVersion::V14_0
        {
            let mut within = Vec::new();
            within.put_number(r::STATUS, status.code());
            within.put_some(r::MERGED_FREE_BUSY, times.as_deref());
            children.put_parent(r::AVAILABILITY, within);
        }
        if let Some(certificates) = &self.certificates {
            children.put_parent(r::CERTIFICATES, certificates.to_elements());
        }
        if let Some((status, picture)) = &self.picture
            && version >= ProtocolVersion::V14_1
        {
            let mut within = Vec::new();
            within.put_number(r::STATUS, status.code());
            within.put_some(r::DATA, picture.as_ref().map(|bytes| STANDARD.encode(bytes)));
            children.put_parent(r::PICTURE, within);
        }
        Element::parent(r::RECIPIENT, children)
    }

    fn from_element(element: &Element) -> Result<Self> {
        let text = |tag: Tag| element.required_text(tag).map(str::to_owned);
        let availability = match element.child(r::AVAILABILITY) {
            Some(one) => {
                let times = one.text_of(r::MERGED_FREE_BUSY)?.map(str::to_owned);
                Some((Status::read(one, r::STATUS)?, times))
            }
            None => None,
        };
        let certificates = element.child(r::CERTIFICATES);
        let picture = match element.child(r::PICTURE) {
            Some(one) => {
                let data = one.child(r::DATA).map(|data| binary(data, MAX_BINARY)).transpose()?;
                Some((Status::read(one, r::STATUS)?, data))
            }
            None => None,
        };
        Ok(Self {
            kind: RecipientType::from_code(element.required_number(r::TYPE)?),
            display_name: text(r::DISPLAY_NAME)?,
            email: text(r::EMAIL_ADDRESS)?,
            availability,
            certificates: certificates.map(Certificates::from_element).transpose()?,
            picture,
        })
    }
}

impl Certificates {
    fn to_elements(&self) -> Vec<Element> {
        let mut children = Vec::new();
        children.put_number(r::STATUS, self.status.code());
        children.put_number(r::CERTIFICATE_COUNT, self.certificate_count);
        children.put_number(r::RECIPIENT_COUNT, self.recipient_count);
        for der in &self.certificates {
            children.put(r::CERTIFICATE, STANDARD.encode(der));
        }
        children
    }

    fn from_element(element: &Element) -> Result<Self> {
        let ders = element.each(r::CERTIFICATE).take(MAX_RECIPIENTS);
        Ok(Self {
            status: Status::read(element, r::STATUS)?,
            certificate_count: element.number_of(r::CERTIFICATE_COUNT)?.unwrap_or_default(),
            recipient_count: element.number_of(r::RECIPIENT_COUNT)?.unwrap_or_default(),
            certificates: ders.map(|der| binary(der, MAX_BINARY)).collect::<Result<_>>()?,
        })
    }
}
