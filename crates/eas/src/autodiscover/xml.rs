//! Just enough XML for Autodiscover: small documents of elements with text, read into a tree.
//!
//! The document comes from anyone on the internet before any password was checked, so it is read
//! strictly: bounded in size, depth and count, and without a document type, so that there are no
//! entities to expand but the five of XML itself.

use super::AutodiscoverError;
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;

/// The largest document read, in bytes. Real requests have some 400, real answers some 1,500.
pub const MAX_DOCUMENT: usize = 64 * 1024;
const MAX_DEPTH: usize = 16;
const MAX_ELEMENTS: usize = 512;

/// An element by its local name, with its text and the elements within.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) children: Vec<Node>,
}

impl Node {
    /// The first element within of this name, whatever its namespace and letter case: phones have
    /// been seen to send `EmailAddress` for `EMailAddress`.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name.eq_ignore_ascii_case(name))
    }

    /// The trimmed text of the first element of this name; none where it is missing or empty.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }
}

/// Reads a document and returns its root element.
pub(super) fn parse(document: &[u8]) -> Result<Node, AutodiscoverError> {
    if document.len() > MAX_DOCUMENT {
        return Err(AutodiscoverError::TooLarge);
    }
    let text = std::str::from_utf8(document)
        .map_err(|_| AutodiscoverError::Malformed("is not UTF-8".to_owned()))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open = vec![Node::default()];
    let mut elements = 0usize;
    loop {
        let event = reader.read_event().map_err(|e| AutodiscoverError::Malformed(e.to_string()))?;
        match event {
            Event::Start(start) | Event::Empty(start) if elements >= MAX_ELEMENTS => {
                let _ = start;
                return Err(AutodiscoverError::TooLarge);
            }
            Event::Start(start) => {
                if open.len() > MAX_DEPTH {
                    return Err(AutodiscoverError::TooLarge);
                }
                elements = elements.saturating_add(1);
                open.push(named(start.local_name().as_ref()));
            }
            Event::Empty(start) => {
                elements = elements.saturating_add(1);
                attach(&mut open, named(start.local_name().as_ref()));
            }
            Event::End(_) => {
                if let Some(node) = open.pop() {
                    attach(&mut open, node);
                }
            }
            Event::Text(text) => append(&mut open, &text),
            Event::CData(text) => append(&mut open, &text),
            Event::GeneralRef(reference) => match resolve_xml_entity(&reference) {
                Some(text) => append(&mut open, text),
                None => {
                    let character = reference.resolve_char_ref().ok().flatten();
                    let character = character.ok_or(AutodiscoverError::Entity)?;
                    append(&mut open, character.encode_utf8(&mut [0; 4]));
                }
            },
            Event::DocType(_) => return Err(AutodiscoverError::Entity),
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some(document), true) if document.children.len() == 1 => {
            document.children.into_iter().next().ok_or(AutodiscoverError::Missing("a root element"))
        }
        _ => Err(AutodiscoverError::Malformed("must have one root element, closed".to_owned())),
    }
}

fn named(name: &str) -> Node {
    Node { name: name.to_owned(), ..Node::default() }
}

fn attach(open: &mut [Node], node: Node) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(node);
    }
}

fn append(open: &mut [Node], text: &str) {
    if let Some(node) = open.last_mut() {
        node.text.push_str(text);
    }
}

/// Writes `<name>text</name>`, the text escaped and freed of what XML 1.0 cannot carry.
pub(super) fn write_text(out: &mut String, name: &str, text: &str) {
    let text: String = text.chars().filter(|c| !c.is_control() || "\t\n\r".contains(*c)).collect();
    out.push('<');
    out.push_str(name);
    out.push('>');
    out.push_str(&quick_xml::escape::escape(text.as_str()));
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}
