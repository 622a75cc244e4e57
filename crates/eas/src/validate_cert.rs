//! ValidateCert: are these S/MIME certificates good? (MS-ASCMD 2.2.1.22)

use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::status::statuses;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dme_wbxml::pages::validate_cert as v;
use dme_wbxml::{Content, Element, Tag};

/// More certificates than any mail has.
const MAX_CERTIFICATES: usize = 100;
/// The largest certificate, in bytes.
const MAX_SIZE: usize = 64 * 1024;

statuses! {
    /// How good a certificate is, and how the command went (MS-ASCMD 2.2.3.177.18).
    pub enum Status {
        /// It is good.
        Success = 1,
        /// The request broke the protocol.
        ProtocolError = 2,
        /// The signature could not be checked.
        SignatureNotValid = 3,
        /// It comes from a source that is not trusted.
        UntrustedSource = 4,
        /// The chain was not made rightly.
        InvalidChain = 5,
        /// It is not for signing mail.
        NotForSigning = 6,
        /// It, or one of its chain, is out of its time.
        Expired = 7,
        /// The times of the chain's certificates do not agree.
        InvalidChainTimes = 8,
        /// An id in the chain is used wrongly.
        InvalidIdUse = 9,
        /// Something is missing in it.
        MissingInformation = 10,
        /// One of the chain is used for what it is not for.
        InvalidRole = 11,
        /// It is for another address.
        WrongAddress = 12,
        /// It is revoked.
        Revoked = 13,
        /// Whoever knows whether it is revoked could not be asked.
        RevocationServerUnreachable = 14,
        /// One of its chain is revoked.
        ChainRevoked = 15,
        /// Whether it is revoked is not known.
        RevocationUnknown = 16,
        /// The server failed.
        ServerError = 17,
    }
}

/// A phone's request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    /// Certificates of authorities on the way to the root, DER.
    pub chain: Vec<Vec<u8>>,
    /// The certificates to check, DER.
    pub certificates: Vec<Vec<u8>>,
    /// Whether revocation is to be looked up.
    pub check_revocation: bool,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// Where it is not a ValidateCert element with certificates of at most 64 KB each, 100 at most.
    pub fn from_element(element: &Element) -> Result<Self> {
        let element = element.expect_tag(v::VALIDATE_CERT)?;
        let chain = match element.child(v::CERTIFICATE_CHAIN) {
            Some(chain) => certificates_from(chain)?,
            None => Vec::new(),
        };
        let certificates = certificates_from(element.required(v::CERTIFICATES)?)?;
        if certificates.is_empty() {
            return Err(Error::Missing { parent: v::CERTIFICATES, element: v::CERTIFICATE });
        }
        let check_revocation = element.boolean_of(v::CHECK_CRL)?.unwrap_or(false);
        Ok(Self { chain, certificates, check_revocation })
    }

    /// The element.
    pub fn to_element(&self) -> Element {
        let mut children = Vec::new();
        children.put_parent(v::CERTIFICATE_CHAIN, certificates_to(&self.chain));
        children.put_parent(v::CERTIFICATES, certificates_to(&self.certificates));
        if self.check_revocation {
            children.put_boolean(v::CHECK_CRL, true);
        }
        Element::parent(v::VALIDATE_CERT, children)
    }
}

fn certificates_from(list: &Element) -> Result<Vec<Vec<u8>>> {
    if list.each(v::CERTIFICATE).count() > MAX_CERTIFICATES {
        return Err(Error::TooMany { element: v::CERTIFICATE, limit: MAX_CERTIFICATES });
    }
    list.each(v::CERTIFICATE).map(|element| binary(element, MAX_SIZE)).collect()
}

fn certificates_to(certificates: &[Vec<u8>]) -> Vec<Element> {
    let texts = certificates.iter().map(|der| STANDARD.encode(der));
    texts.map(|text| Element::text(v::CERTIFICATE, text)).collect()
}

/// Bytes in base64, or as they are where the client sent them opaque.
pub(crate) fn binary(element: &Element, max: usize) -> Result<Vec<u8>> {
    let wrong = Error::Value { element: element.tag, expected: "base64 of the size allowed" };
    let bytes = match &element.content {
        Content::Opaque(bytes) if !bytes.is_ascii() => bytes.to_vec(),
        _ => {
            let mut text = element.text_value()?.to_owned();
            text.retain(|c| !c.is_ascii_whitespace());
            STANDARD.decode(text).map_err(|_| wrong.clone())?
        }
    };
    if bytes.len() > max { Err(wrong) } else { Ok(bytes) }
}

/// The server's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// The status of the command.
    pub status: Status,
    /// The status of each certificate, in the order of the request.
    pub certificates: Vec<Status>,
}

impl Response {
    /// Reads an answer.
    ///
    /// # Errors
    /// Where it is not a ValidateCert element with a status.
    pub fn from_element(element: &Element) -> Result<Self> {
        let element = element.expect_tag(v::VALIDATE_CERT)?;
        let each = element.each(v::CERTIFICATE).take(MAX_CERTIFICATES);
        let certificates = each.map(|one| Status::read(one, v::STATUS)).collect::<Result<_>>()?;
        Ok(Self { status: Status::read(element, v::STATUS)?, certificates })
    }

    /// The element.
    pub fn to_element(&self) -> Element {
        let status = |status: &Status| Element::text(v::STATUS, status.code().to_string());
        let one = |tag: Tag, of: &Status| Element::parent(tag, vec![status(of)]);
        let certificates = self.certificates.iter().map(|of| one(v::CERTIFICATE, of));
        let children = std::iter::once(status(&self.status)).chain(certificates).collect();
        Element::parent(v::VALIDATE_CERT, children)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_answers_are_read_as_they_are_written() {
        let request = Request {
            chain: vec![vec![1, 2, 3]],
            certificates: vec![vec![0x30, 0x82], vec![0xFF; 1000]],
            check_revocation: true,
        };
        assert_eq!(Request::from_element(&request.to_element()), Ok(request));
        let answer = Response {
            status: Status::Success,
            certificates: vec![Status::UntrustedSource, Status::Success],
        };
        assert_eq!(Response::from_element(&answer.to_element()), Ok(answer));
    }

    #[test]
    fn certificates_may_be_wrapped_or_opaque_but_not_rubbish_or_huge() {
        let with = |certificate: Element| {
            let list = Element::parent(v::CERTIFICATES, vec![certificate]);
            let request = Element::parent(v::VALIDATE_CERT, vec![list]);
            Request::from_element(&request).map(|request| request.certificates)
        };
        let wrapped = Element::text(v::CERTIFICATE, "MII\r\nB AAE=");
        assert_eq!(with(wrapped), Ok(vec![vec![0x30, 0x82, 0x01, 0x00, 0x01]]));
        let opaque = Element::opaque(v::CERTIFICATE, vec![0x30, 0x82]);
        assert_eq!(with(opaque), Ok(vec![vec![0x30, 0x82]]));
        assert!(with(Element::text(v::CERTIFICATE, "?")).is_err());
        assert!(with(Element::text(v::CERTIFICATE, "AAAA".repeat(30_000))).is_err());
        let none = Element::parent(v::VALIDATE_CERT, vec![Element::empty(v::CERTIFICATES)]);
        assert!(Request::from_element(&none).is_err());
    }
}
