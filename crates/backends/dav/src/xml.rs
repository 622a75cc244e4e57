//! Just enough XML for WebDAV: documents of a mail server, read into small trees one piece at a
//! time.
//!
//! A server is trusted with its user's data but not with our memory: depth, number and size are
//! bounded, and a document type is refused, so that there are no entities to expand but the five
//! of XML itself.

use quick_xml::NsReader;
use quick_xml::escape::{escape, resolve_xml_entity};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

/// The namespaces that are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Ns {
    /// `DAV:` (RFC 4918).
    Dav,
    /// `urn:ietf:params:xml:ns:caldav` (RFC 4791).
    CalDav,
    /// `urn:ietf:params:xml:ns:carddav` (RFC 6352).
    CardDav,
    /// `http://calendarserver.org/ns/`, where `getctag` is.
    CalendarServer,
    /// Any other, or none.
    #[default]
    Other,
}

/// Declarations of the prefixes that our own documents use.
pub(crate) const PREFIXES: &str = "xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\" \
     xmlns:A=\"urn:ietf:params:xml:ns:carddav\" xmlns:S=\"http://calendarserver.org/ns/\"";

/// Deeper than any answer of a real server.
const MAX_DEPTH: usize = 24;
/// Elements in one child of the root.
const MAX_ELEMENTS: usize = 4_096;

/// Why a document could not be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum XmlError {
    /// Not XML.
    #[error("the answer is not XML: {0}")]
    Malformed(String),
    /// It declares or uses entities.
    #[error("the answer declares or uses XML entities")]
    Entity,
    /// Deeper, or with more elements, than there can be.
    #[error("the answer is deeper or has more elements than is taken")]
    TooLarge,
}

/// An element with its text and the elements within.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Element {
    pub(crate) ns: Ns,
    pub(crate) name: String,
    /// The value of its `name` attribute, the only attribute that matters (`C:comp`).
    pub(crate) named: Option<String>,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    pub(crate) fn is(&self, ns: Ns, name: &str) -> bool {
        self.ns == ns && self.name == name
    }

    /// The first element of this name within.
    pub(crate) fn child(&self, ns: Ns, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(ns, name))
    }

    /// The trimmed text of the first element of this name within; none where it is empty.
    pub(crate) fn text_of(&self, ns: Ns, name: &str) -> Option<&str> {
        self.child(ns, name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    /// The texts of all `DAV:href` within.
    pub(crate) fn hrefs(&self) -> impl Iterator<Item = &str> {
        let hrefs = self.children.iter().filter(|child| child.is(Ns::Dav, "href"));
        hrefs.map(|href| href.text.trim()).filter(|href| !href.is_empty())
    }

    /// Whether an element of this name is anywhere within.
    pub(crate) fn holds(&self, ns: Ns, name: &str) -> bool {
        self.children.iter().any(|child| child.is(ns, name) || child.holds(ns, name))
    }
}

/// Reads a document: each child of its root goes to `each` as soon as it is complete. Answers the
/// root, without those.
pub(crate) fn read(
    document: &[u8],
    mut each: impl FnMut(Element) -> Result<(), XmlError>,
) -> Result<Element, XmlError> {
    // An item with broken characters must not hide the others of the same answer.
    let text = String::from_utf8_lossy(document);
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0_usize;
    let malformed = |error: quick_xml::Error| XmlError::Malformed(error.to_string());
    loop {
        let (ns, event) = reader.read_resolved_event().map_err(malformed)?;
        let ns = namespace(&ns);
        let closed = match event {
            Event::Start(start) => {
                elements += 1;
                if open.len() >= MAX_DEPTH || elements > MAX_ELEMENTS || root.is_some() {
                    return Err(XmlError::TooLarge);
                }
                open.push(element(ns, &start)?);
                None
            }
            Event::Empty(start) => {
                elements += 1;
                if elements > MAX_ELEMENTS || root.is_some() {
                    return Err(XmlError::TooLarge);
                }
                Some(element(ns, &start)?)
            }
            Event::End(_) => open.pop(),
            Event::Text(text) => append(&mut open, &text),
            Event::CData(text) => append(&mut open, &text),
            Event::GeneralRef(reference) => match resolve_xml_entity(&reference) {
                Some(text) => append(&mut open, text),
                None => {
                    let character = reference.resolve_char_ref().ok().flatten();
                    let character = character.ok_or(XmlError::Entity)?;
                    append(&mut open, character.encode_utf8(&mut [0; 4]))
                }
            },
            Event::DocType(_) => return Err(XmlError::Entity),
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => None,
        };
        let Some(closed) = closed else { continue };
        let depth = open.len();
        match open.last_mut() {
            None => root = Some(closed),
            Some(_) if depth == 1 => {
                elements = 0;
                each(closed)?;
            }
            Some(parent) => parent.children.push(closed),
        }
    }
    root.ok_or_else(|| XmlError::Malformed("it has no complete root element".to_owned()))
}

/// Reads a small document whole.
pub(crate) fn read_whole(document: &[u8]) -> Result<Element, XmlError> {
    let mut children = Vec::new();
    let mut root = read(document, |child| {
        if children.len() >= MAX_ELEMENTS {
            return Err(XmlError::TooLarge);
        }
        children.push(child);
        Ok(())
    })?;
    root.children = children;
    Ok(root)
}

/// A text as it stands between tags or in an attribute.
pub(crate) fn escaped(text: &str) -> String {
    // Characters that XML cannot hold at all would make the whole request unreadable.
    let clean: String = text
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r'))
        .filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}'))
        .collect();
    escape(clean.as_str()).into_owned()
}

fn namespace(resolved: &ResolveResult<'_>) -> Ns {
    let ResolveResult::Bound(namespace) = resolved else { return Ns::Other };
    match namespace.as_ref() {
        "DAV:" => Ns::Dav,
        "urn:ietf:params:xml:ns:caldav" => Ns::CalDav,
        "urn:ietf:params:xml:ns:carddav" => Ns::CardDav,
        "http://calendarserver.org/ns/" => Ns::CalendarServer,
        _ => Ns::Other,
    }
}

fn element(ns: Ns, start: &BytesStart<'_>) -> Result<Element, XmlError> {
    let mut named = None;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| XmlError::Malformed(error.to_string()))?;
        if attribute.key.as_ref() == "name" {
            named = Some(attribute.value.into_owned());
        }
    }
    let name = start.local_name().as_ref().to_owned();
    Ok(Element { ns, name, named, ..Element::default() })
}

fn append(open: &mut [Element], text: &str) -> Option<Element> {
    // The root's own text is white space between its children.
    if let [_, .., innermost] = open {
        innermost.text.push_str(text);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn children(document: &str) -> Result<Vec<Element>, XmlError> {
        let mut children = Vec::new();
        read(document.as_bytes(), |child| {
            children.push(child);
            Ok(())
        })?;
        Ok(children)
    }

    #[test]
    fn names_are_known_by_their_namespace_whatever_the_prefix() {
        for document in [
            "<multistatus xmlns='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'><C:x>1</C:x></multistatus>",
            "<a:multistatus xmlns:a='DAV:'><x xmlns='urn:ietf:params:xml:ns:caldav'>1</x></a:multistatus>",
        ] {
            let [x] = &children(document).unwrap()[..] else { panic!("{document}") };
            assert!(x.is(Ns::CalDav, "x"));
            assert_eq!(x.text, "1");
        }
    }

    #[test]
    fn text_comes_whole_from_characters_references_and_cdata() {
        let read = children("<a><b>1 &lt;&#x26;&#13; <![CDATA[<2>]]></b></a>").unwrap();
        assert_eq!(read[0].text, "1 <&\r <2>");
    }

    #[test]
    fn entities_and_document_types_are_refused() {
        for document in [
            "<!DOCTYPE a [<!ENTITY e 'x'>]><a><b>&e;</b></a>",
            "<!DOCTYPE html><a/>",
            "<a><b>&nbsp;</b></a>",
        ] {
            assert_eq!(children(document), Err(XmlError::Entity), "{document}");
        }
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
        assert_eq!(children(&deep), Err(XmlError::TooLarge));
        let wide = format!("<a><b>{}</b></a>", "<c/>".repeat(5_000));
        assert_eq!(children(&wide), Err(XmlError::TooLarge));
        let long = format!("<a>{}</a>", "<c/>".repeat(5_000));
        assert_eq!(children(&long).unwrap().len(), 5_000);
    }

    #[test]
    fn what_is_cut_short_is_malformed() {
        for document in ["", "<a><b>", "<a></b>", "no", "<a><b></a>"] {
            assert!(matches!(children(document), Err(XmlError::Malformed(_))), "{document}");
        }
    }

    #[test]
    fn what_we_write_is_what_they_read() {
        let said = "<\"Ann's\" & Bob>\u{0}\u{b} ü";
        let read = children(&format!("<a><b>{}</b></a>", escaped(said))).unwrap();
        assert_eq!(read[0].text, "<\"Ann's\" & Bob> ü");
    }
}
