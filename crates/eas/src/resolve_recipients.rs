//! ResolveRecipients: who is meant, are they free, what are their certificates?
//! (MS-ASCMD 2.2.1.15)

mod response;

#[cfg(test)]
mod tests;

pub use response::{Certificates, Recipient, Resolved, Response};

use crate::codes::codes;
use crate::date;
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::gal::PictureLimits;
use crate::status::statuses;
use crate::version::ProtocolVersion;
use dme_model::Timestamp;
use dme_wbxml::pages::resolve_recipients as r;
use dme_wbxml::{Element, Tag};
use std::time::Duration;

/// Recipients in one request (MS-ASCMD 2.2.3.187.5).
const MAX_RECIPIENTS: usize = 1000;
/// The longest recipient, in characters.
const MAX_NAME: usize = 256;
/// The shortest and longest times for which free and busy are told, and how long they are where no
/// end is named.
const MIN_SPAN: Duration = Duration::from_secs(30 * 60);
const MAX_SPAN: Duration = Duration::from_secs(42 * 86_400);
const DEFAULT_SPAN: Duration = Duration::from_secs(7 * 86_400);
/// The largest limit of suggestions or certificates (MS-ASCMD 2.2.3.100, 2.2.3.101).
const MAX_LIMIT: u32 = 9999;

statuses! {
    /// How the command went, and each recipient, and each thing asked of it
    /// (MS-ASCMD 2.2.3.177.12).
    pub enum Status {
        /// All well.
        Success = 1,
        /// Several match; they are suggested.
        Ambiguous = 2,
        /// Several match; some of them are suggested.
        AmbiguousPartly = 3,
        /// Nobody matches.
        NotResolved = 4,
        /// The request broke the protocol.
        ProtocolError = 5,
        /// The server failed.
        ServerError = 6,
        /// The recipient has no certificate.
        NoCertificate = 7,
        /// The limit of certificates is reached.
        CertificateLimit = 8,
    }
}

codes! {
    /// `CertificateRetrieval`.
    CertificateRetrieval {
        /// None.
        None = 1,
        /// Whole certificates.
        Full = 2,
        /// Only what identifies them.
        Mini = 3,
    }
}

codes! {
    /// Where a recipient was found (`Type`).
    RecipientType {
        /// In the directory.
        Directory = 1,
        /// In the user's contacts.
        Contact = 2,
    }
}

/// What is asked of each recipient.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Which certificates.
    pub certificates: Option<CertificateRetrieval>,
    /// At most so many certificates for each.
    pub max_certificates: Option<u32>,
    /// At most so many suggestions for each.
    pub max_ambiguous: Option<u32>,
    /// Free/busy times between two moments (14.0 on).
    pub availability: Option<(Timestamp, Timestamp)>,
    /// Pictures (14.1 on): at most so many bytes each, and so many in all.
    pub picture: Option<PictureLimits>,
}

/// A phone's request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    /// Names or addresses, 1000 at most, 256 characters each.
    pub to: Vec<String>,
    /// What is asked.
    pub options: Options,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// Where it is not a ResolveRecipients element within its limits.
    pub fn from_element(element: &Element) -> Result<Self> {
        let element = element.expect_tag(r::RESOLVE_RECIPIENTS)?;
        let mut to = Vec::new();
        for one in element.each(r::TO) {
            let text = one.text_value()?.trim();
            if text.is_empty() || text.chars().nth(MAX_NAME).is_some() {
                return Err(Error::Value { element: r::TO, expected: "1 to 256 characters" });
            }
            if to.len() >= MAX_RECIPIENTS {
                return Err(Error::TooMany { element: r::TO, limit: MAX_RECIPIENTS });
            }
            to.push(text.to_owned());
        }
        if to.is_empty() {
            return Err(Error::Missing { parent: element.tag, element: r::TO });
        }
        let options = match element.child(r::OPTIONS) {
            Some(options) => Options::from_element(options)?,
            None => Options::default(),
        };
        Ok(Self { to, options })
    }

    /// The element for a version.
    pub fn to_element(&self, version: ProtocolVersion) -> Element {
        let mut children: Vec<Element> = Vec::new();
        for to in &self.to {
            children.put(r::TO, to.as_str());
        }
        children.put_parent(r::OPTIONS, self.options.to_elements(version));
        Element::parent(r::RESOLVE_RECIPIENTS, children)
    }
}

impl Options {
    fn from_element(options: &Element) -> Result<Self> {
        let retrieval = options.number_of(r::CERTIFICATE_RETRIEVAL)?;
        let availability = options.child(r::AVAILABILITY).map(read_span).transpose()?;
        let picture = options.child(r::PICTURE);
        let limits = |picture| PictureLimits::from_element(picture, r::MAX_SIZE, r::MAX_PICTURES);
        Ok(Self {
            certificates: retrieval.map(CertificateRetrieval::from_code),
            max_certificates: limit_of(options, r::MAX_CERTIFICATES)?,
            max_ambiguous: limit_of(options, r::MAX_AMBIGUOUS_RECIPIENTS)?,
            availability,
            picture: picture.map(limits).transpose()?,
        })
    }

    fn to_elements(&self, version: ProtocolVersion) -> Vec<Element> {
        let mut children = Vec::new();
        children.put_some_number(r::CERTIFICATE_RETRIEVAL, self.certificates.map(|c| c.code()));
        children.put_some_number(r::MAX_CERTIFICATES, self.max_certificates);
        children.put_some_number(r::MAX_AMBIGUOUS_RECIPIENTS, self.max_ambiguous);
        if let Some((start, end)) = self.availability
            && version >= ProtocolVersion::V14_0
        {
            let mut within = Vec::new();
            within.put(r::START_TIME, date::format(start));
            within.put(r::END_TIME, date::format(end));
            children.put_parent(r::AVAILABILITY, within);
        }
        if let Some(limits) = self.picture
            && version >= ProtocolVersion::V14_1
        {
            children.push(limits.to_element(r::PICTURE, r::MAX_SIZE, r::MAX_PICTURES));
        }
        children
    }
}

/// The time for which `Availability` asks; without an end, seven days (MS-ASCMD 2.2.3.61.1).
fn read_span(availability: &Element) -> Result<(Timestamp, Timestamp)> {
    let start = availability.required(r::START_TIME)?.moment_value()?;
    let end = match availability.child(r::END_TIME) {
        Some(end) => end.moment_value()?,
        None => start.plus(DEFAULT_SPAN),
    };
    if !(start.plus(MIN_SPAN)..=start.plus(MAX_SPAN)).contains(&end) {
        return Err(Error::Value { element: r::END_TIME, expected: "30 minutes to 42 days later" });
    }
    Ok((start, end))
}

/// A limit of 0 to 9999.
fn limit_of(options: &Element, tag: Tag) -> Result<Option<u32>> {
    let limit = options.number_of::<u32>(tag)?;
    match limit {
        Some(limit) if limit > MAX_LIMIT => {
            Err(Error::Value { element: tag, expected: "a number up to 9999" })
        }
        limit => Ok(limit),
    }
}
