//! Answers on several resources (`multistatus`, RFC 4918 §13) and what stands in refusals.

use crate::xml::{self, Element, Ns, XmlError};

/// Resources in one answer.
const MAX_RESPONSES: usize = 200_000;

/// An answer on several resources.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Multistatus {
    pub(crate) responses: Vec<Response>,
    /// Ask for changes from here (RFC 6578 §6.4).
    pub(crate) sync_token: Option<String>,
}

/// What is said of one resource.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Response {
    /// As the server wrote it.
    pub(crate) href: String,
    /// Of the resource as a whole, where it has one.
    pub(crate) status: Option<u16>,
    /// The properties that it has and that could be read.
    pub(crate) props: Vec<Element>,
}

impl Multistatus {
    /// Reads the document.
    pub(crate) fn read(document: &[u8]) -> Result<Self, XmlError> {
        let mut read = Self::default();
        let root = xml::read(document, |child| {
            if child.is(Ns::Dav, "response") {
                if read.responses.len() >= MAX_RESPONSES {
                    return Err(XmlError::TooLarge);
                }
                read.responses.extend(Response::of(child));
            } else if child.is(Ns::Dav, "sync-token") {
                let token = child.text.trim();
                read.sync_token = (!token.is_empty()).then(|| token.to_owned());
            }
            Ok(())
        })?;
        match root.is(Ns::Dav, "multistatus") {
            true => Ok(read),
            false => Err(XmlError::Malformed(format!("it is a {} document", root.name))),
        }
    }

    /// Whether it does not name all there is to name (RFC 6578 §3.6).
    pub(crate) fn is_cut_short(&self) -> bool {
        self.responses.iter().any(|response| response.status == Some(507))
    }
}

impl Response {
    /// None where it names no resource.
    fn of(element: Element) -> Option<Self> {
        let mut response = Self::default();
        for child in element.children {
            if child.is(Ns::Dav, "href") && response.href.is_empty() {
                response.href = child.text.trim().to_owned();
            } else if child.is(Ns::Dav, "status") {
                response.status = status(&child.text);
            } else if child.is(Ns::Dav, "propstat") {
                let of_props = child.text_of(Ns::Dav, "status").and_then(status);
                if of_props.is_none_or(|status| (200..300).contains(&status)) {
                    let props = child.children.into_iter().filter(|it| it.is(Ns::Dav, "prop"));
                    response.props.extend(props.flat_map(|prop| prop.children));
                }
            }
        }
        (!response.href.is_empty()).then_some(response)
    }

    /// A property, where the resource has it.
    pub(crate) fn prop(&self, ns: Ns, name: &str) -> Option<&Element> {
        self.props.iter().find(|prop| prop.is(ns, name))
    }

    /// The trimmed text of a property; none where it is empty.
    pub(crate) fn text(&self, ns: Ns, name: &str) -> Option<&str> {
        self.prop(ns, name).map(|prop| prop.text.trim()).filter(|text| !text.is_empty())
    }

    /// Whether the resource is said to be gone.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.status, Some(404 | 410))
    }
}

/// The number of an HTTP status line, `HTTP/1.1 404 Not Found`.
fn status(line: &str) -> Option<u16> {
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// The preconditions named in a refusal's body (`DAV:error`, RFC 4918 §16), by local name.
pub(crate) fn preconditions(body: &[u8]) -> Vec<String> {
    let Ok(root) = xml::read_whole(body) else { return Vec::new() };
    match root.is(Ns::Dav, "error") {
        true => root.children.into_iter().map(|child| child.name).collect(),
        false => Vec::new(),
    }
}

/// For the fuzzer: reads an answer as if a server had sent it; says how many resources it names.
#[doc(hidden)]
pub fn read_multistatus(document: &[u8]) -> Option<usize> {
    let _ = preconditions(document);
    Multistatus::read(document).ok().map(|read| read.responses.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_resource_has_the_properties_that_could_be_read() {
        let read = Multistatus::read(
            b"<d:multistatus xmlns:d='DAV:'>\
              <d:response><d:href>/a/1.ics</d:href>\
                <d:propstat><d:status>HTTP/1.1 200 OK</d:status><d:prop><d:getetag>\"1\"</d:getetag></d:prop></d:propstat>\
                <d:propstat><d:prop><d:displayname/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>\
              </d:response>\
              <d:response><d:href> /a/2.ics </d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>\
              <d:response><d:status>HTTP/1.1 200 OK</d:status></d:response>\
              <d:sync-token>data:,7</d:sync-token></d:multistatus>",
        )
        .unwrap();
        let [one, two] = &read.responses[..] else { panic!("{read:?}") };
        assert_eq!(one.text(Ns::Dav, "getetag"), Some("\"1\""));
        assert_eq!(one.prop(Ns::Dav, "displayname"), None);
        assert!(!one.is_gone());
        assert_eq!((two.href.as_str(), two.is_gone()), ("/a/2.ics", true));
        assert_eq!(read.sync_token.as_deref(), Some("data:,7"));
    }

    #[test]
    fn another_document_is_no_answer() {
        assert!(Multistatus::read(b"<html><body/></html>").is_err());
        assert!(Multistatus::read(b"<multistatus/>").is_err());
    }

    #[test]
    fn a_refusal_names_its_reason() {
        let body = b"<error xmlns='DAV:'><valid-sync-token/></error>";
        assert_eq!(preconditions(body), ["valid-sync-token"]);
        assert!(preconditions(b"<html/>").is_empty());
        assert!(preconditions(b"Forbidden").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_cut_or_spoiled_is_read_or_refused(cut in 0_usize..400, at in 0_usize..400, byte: u8) {
            let mut document = b"<d:multistatus xmlns:d='DAV:'><d:response><d:href>/a/1.ics</d:href>\
                <d:propstat><d:prop><d:getetag>&quot;1&#x26;</d:getetag><![CDATA[x]]></d:prop>\
                <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>\
                <d:sync-token>data:,7</d:sync-token></d:multistatus>"
                .to_vec();
            document.truncate(document.len().saturating_sub(cut));
            if let Some(there) = document.get_mut(at) {
                *there = byte;
            }
            read_multistatus(&document);
        }
    }
}
