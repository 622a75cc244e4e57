//! Tree to bytes: WBXML 1.3, public identifier 1, UTF-8, no string table (MS-ASWBXML 2.1.1).

use crate::decode::{CHARSET_UTF8, END, HAS_CONTENT, OPAQUE, STR_I, SWITCH_PAGE};
use crate::{Content, Element, Tag};

const HEADER: [u8; 4] = [0x03, 0x01, CHARSET_UTF8, 0x00];

/// Writes a whole document.
pub fn encode(root: &Element) -> Vec<u8> {
    let mut encoder = Encoder::with_capacity(HEADER.len() + size_bound(root));
    encoder.element(root);
    encoder.finish()
}

/// Writes a document piece by piece, so that an answer with many items need not be in memory as a
/// tree: open the parents, write each item, take what is ready, close.
///
/// ```
/// use dme_wbxml::{Element, Encoder, encode, pages::air_sync};
/// let key = Element::text(air_sync::SYNC_KEY, "1");
/// let mut encoder = Encoder::new();
/// encoder.open(air_sync::SYNC);
/// encoder.element(&key);
/// let begin = encoder.take();
/// let document = [begin, encoder.finish()].concat();
/// assert_eq!(document, encode(&Element::parent(air_sync::SYNC, vec![key])));
/// ```
#[derive(Debug)]
pub struct Encoder {
    out: Vec<u8>,
    page: u8,
    open: usize,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder {
    /// Begins a document.
    pub fn new() -> Self {
        Self::with_capacity(256)
    }

    fn with_capacity(bytes: usize) -> Self {
        let mut out = Vec::with_capacity(bytes);
        out.extend_from_slice(&HEADER);
        Self { out, page: 0, open: 0 }
    }

    /// Writes the begin of an element that will have children.
    pub fn open(&mut self, tag: Tag) {
        self.tag(tag, HAS_CONTENT);
        self.open += 1;
    }

    /// Writes the end of the element opened last; does nothing where none is open.
    pub fn close(&mut self) {
        if self.open > 0 {
            self.open -= 1;
            self.out.push(END);
        }
    }

    /// Writes a whole element. NUL characters in its texts, which cannot be written, are left out.
    pub fn element(&mut self, element: &Element) {
        match &element.content {
            Content::Empty => self.tag(element.tag, 0),
            Content::Text(text) if text.is_empty() => self.tag(element.tag, 0),
            Content::Text(text) => {
                self.tag(element.tag, HAS_CONTENT);
                self.out.push(STR_I);
                if text.as_bytes().contains(&0) {
                    self.out.extend(text.bytes().filter(|byte| *byte != 0));
                } else {
                    self.out.extend_from_slice(text.as_bytes());
                }
                self.out.extend_from_slice(&[0, END]);
            }
            Content::Opaque(bytes) => {
                self.tag(element.tag, HAS_CONTENT);
                self.out.push(OPAQUE);
                self.length(bytes.len());
                self.out.extend_from_slice(bytes);
                self.out.push(END);
            }
            Content::Children(children) => {
                self.open(element.tag);
                for child in children {
                    self.element(child);
                }
                self.close();
            }
        }
    }

    /// Takes what is written so far, to be sent before the rest.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Closes what is open and gives the document, or its rest after [`Encoder::take`].
    pub fn finish(mut self) -> Vec<u8> {
        while self.open > 0 {
            self.close();
        }
        self.out
    }

    fn tag(&mut self, tag: Tag, content: u8) {
        if tag.page != self.page {
            self.out.extend_from_slice(&[SWITCH_PAGE, tag.page]);
            self.page = tag.page;
        }
        self.out.push(tag.token & 0x3F | content);
    }

    /// A multi-byte integer. Values longer than the format can say (4 GiB) do not occur: nothing
    /// that large is ever held in memory.
    fn length(&mut self, value: usize) {
        let mut shift = 63;
        while shift > 0 && value >> shift == 0 {
            shift -= 7;
        }
        while shift > 0 {
            self.out.push((value >> shift & 0x7F) as u8 | 0x80);
            shift -= 7;
        }
        self.out.push((value & 0x7F) as u8);
    }
}

/// At least as many bytes as the element takes.
fn size_bound(element: &Element) -> usize {
    // A page switch, the tag, the begin of the value with its length, its end, the tag's end.
    let around = 2 + 1 + 6 + 1 + 1;
    around
        + match &element.content {
            Content::Empty => 0,
            Content::Text(text) => text.len(),
            Content::Opaque(bytes) => bytes.len(),
            Content::Children(children) => children.iter().map(size_bound).sum(),
        }
}
