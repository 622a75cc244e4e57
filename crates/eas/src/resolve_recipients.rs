//! ResolveRecipients: who is meant, are they free, what are their certificates?
//! (MS-ASCMD 2.2.1.15)

use crate::codes::codes;
use crate::date;
use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::gal::PictureLimits;
use crate::status::statuses;
use crate::validate_cert::binary;
use crate::version::ProtocolVersion;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
/// The largest certificate or picture read, in bytes.
const MAX_BINARY: usize = 1024 * 1024;

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
        let picture = match options.child(r::PICTURE) {
            Some(picture) => {
                Some(PictureLimits::from_element(picture, r::MAX_SIZE, r::MAX_PICTURES)?)
            }
            None => None,
        };
        Ok(Self {
            certificates: retrieval.map(CertificateRetrieval::from_code),
            max_certificates: limit_of(options, r::MAX_CERTIFICATES)?,
            max_ambiguous: limit_of(options, r::MAX_AMBIGUOUS_RECIPIENTS)?,
            availability,
            picture,
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
            let mut within = Vec::new();
            within.put_number(r::STATUS, certificates.status.code());
            within.put_number(r::CERTIFICATE_COUNT, certificates.certificate_count);
            within.put_number(r::RECIPIENT_COUNT, certificates.recipient_count);
            for der in &certificates.certificates {
                within.put(r::CERTIFICATE, STANDARD.encode(der));
            }
            children.put_parent(r::CERTIFICATES, within);
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
        let certificates = match element.child(r::CERTIFICATES) {
            Some(one) => {
                let ders = one.each(r::CERTIFICATE).take(MAX_RECIPIENTS);
                Some(Certificates {
                    status: Status::read(one, r::STATUS)?,
                    certificate_count: one.number_of(r::CERTIFICATE_COUNT)?.unwrap_or_default(),
                    recipient_count: one.number_of(r::RECIPIENT_COUNT)?.unwrap_or_default(),
                    certificates: ders.map(|der| binary(der, MAX_BINARY)).collect::<Result<_>>()?,
                })
            }
            None => None,
        };
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
            certificates,
            picture,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::CommonStatus;

    fn request() -> Request {
        Request {
            to: vec!["ann".into(), "bob@corp.example".into()],
            options: Options {
                certificates: Some(CertificateRetrieval::Full),
                max_certificates: Some(5),
                max_ambiguous: Some(19),
                availability: Some((Timestamp::from_seconds(0), Timestamp::from_seconds(3600))),
                picture: Some(PictureLimits { max_size: Some(1000), max_pictures: None }),
            },
        }
    }

    #[test]
    fn requests_are_read_as_they_are_written() {
        for request in [request(), Request { to: vec!["ann".into()], ..Request::default() }] {
            let element = request.to_element(ProtocolVersion::V14_1);
            assert_eq!(Request::from_element(&element), Ok(request));
        }
    }

    #[test]
    fn older_versions_are_spared_what_they_do_not_know() {
        let options =
            |version| Request::from_element(&request().to_element(version)).unwrap().options;
        assert_eq!(options(ProtocolVersion::V12_1).availability, None);
        assert_eq!(options(ProtocolVersion::V14_0).picture, None);
        assert!(options(ProtocolVersion::V14_0).availability.is_some());
    }

    #[test]
    fn answers_are_read_as_they_are_written() {
        let answer = Response {
            status: Status::Success,
            resolved: vec![
                Resolved {
                    to: "ann".into(),
                    status: Status::Success,
                    count: 1,
                    recipients: vec![Recipient {
                        kind: RecipientType::Directory,
                        display_name: "Ann Ämmer".into(),
                        email: "ann@corp.example".into(),
                        availability: Some((Status::Success, Some("0022".into()))),
                        certificates: Some(Certificates {
                            status: Status::Success,
                            certificate_count: 1,
                            recipient_count: 1,
                            certificates: vec![vec![0x30, 0x82]],
                        }),
                        picture: Some((CommonStatus::NoPicture.into(), None)),
                    }],
                },
                Resolved {
                    to: "nobody".into(),
                    status: Status::NotResolved,
                    count: 0,
                    recipients: Vec::new(),
                },
            ],
        };
        let element = answer.to_element(ProtocolVersion::V16_1);
        assert_eq!(Response::from_element(&element), Ok(answer));
    }

    #[test]
    fn free_and_busy_times_are_asked_for_half_an_hour_to_six_weeks() {
        let asked = |times: &[(Tag, &str)]| {
            let times = times.iter().map(|(tag, text)| Element::text(*tag, *text)).collect();
            let options =
                Element::parent(r::OPTIONS, vec![Element::parent(r::AVAILABILITY, times)]);
            let to = Element::text(r::TO, "ann");
            Request::from_element(&Element::parent(r::RESOLVE_RECIPIENTS, vec![to, options]))
                .map(|request| request.options.availability.unwrap())
        };
        let start = (r::START_TIME, "2026-12-01T08:00:00.000Z");
        let (from, to) = asked(&[start]).unwrap();
        assert_eq!(to, from.plus(Duration::from_secs(7 * 86_400)));
        for (end, allowed) in [
            ("2026-12-01T08:29:00.000Z", false),
            ("2026-12-01T08:30:00.000Z", true),
            ("2027-01-12T08:00:00.000Z", true),
            ("2027-01-12T08:30:00.000Z", false),
            ("2026-11-30T08:00:00.000Z", false),
            ("later", false),
        ] {
            assert_eq!(asked(&[start, (r::END_TIME, end)]).is_ok(), allowed, "{end}");
        }
        assert!(asked(&[(r::END_TIME, "2026-12-01T08:30:00.000Z")]).is_err());
    }

    #[test]
    fn requests_beyond_the_limits_are_refused() {
        let with =
            |to: Vec<Element>| Request::from_element(&Element::parent(r::RESOLVE_RECIPIENTS, to));
        let many = vec![Element::text(r::TO, "a"); MAX_RECIPIENTS + 1];
        assert_eq!(with(many), Err(Error::TooMany { element: r::TO, limit: MAX_RECIPIENTS }));
        assert!(with(vec![Element::text(r::TO, "a".repeat(MAX_NAME + 1))]).is_err());
        assert!(with(vec![]).is_err());
        for (limit, is_allowed) in [("0", true), ("9999", true), ("10000", false), ("-1", false)] {
            for tag in [r::MAX_CERTIFICATES, r::MAX_AMBIGUOUS_RECIPIENTS] {
                let options = Element::parent(r::OPTIONS, vec![Element::text(tag, limit)]);
                let request = with(vec![Element::text(r::TO, "a"), options]);
                assert_eq!(request.is_ok(), is_allowed, "{limit}");
            }
        }
    }
}
