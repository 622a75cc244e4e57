//! Bytes to tree (WBXML 1.3 §5, as MS-ASWBXML 2.1.1 narrows it).
//!
//! One loop with a stack of its own, so that a document cannot exhaust ours. Nothing is allocated
//! for what a length claims, only for bytes that are there, and opaque data is not copied at all.

use crate::{Content, Element, Tag, pages};
use bytes::Bytes;
use std::ffi::CStr;

pub(crate) const SWITCH_PAGE: u8 = 0x00;
pub(crate) const END: u8 = 0x01;
pub(crate) const STR_I: u8 = 0x03;
pub(crate) const OPAQUE: u8 = 0xC3;
pub(crate) const HAS_CONTENT: u8 = 0x40;
pub(crate) const HAS_ATTRIBUTES: u8 = 0x80;

/// UTF-8, as IANA's `MIBenum` counts.
pub(crate) const CHARSET_UTF8: u8 = 0x6A;

/// What a document may ask of us before it is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How deep elements may lie within each other. ActiveSync needs about 12.
    pub depth: usize,
    /// How many elements in all. One takes some 40 bytes of memory beside its content.
    pub elements: usize,
    /// How many bytes one string or opaque value may have.
    pub value: usize,
}

impl Default for Limits {
    /// 32 levels, 100,000 elements, 64 MiB for one value.
    fn default() -> Self {
        Self { depth: 32, elements: 100_000, value: 64 << 20 }
    }
}

/// What is wrong with a document, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{problem} at byte {offset} of the document")]
pub struct DecodeError {
    /// How many bytes before the trouble.
    pub offset: usize,
    /// The trouble.
    pub problem: Problem,
}

/// What can be wrong with a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Problem {
    /// Something was begun and is not there.
    #[error("the document ends too early")]
    Ends,
    /// Only 1.1 to 1.3 exist in use.
    #[error("unsupported WBXML version 0x{0:02X}")]
    Version(u8),
    /// A public identifier given by a string table, which there cannot be.
    #[error("unsupported public identifier")]
    PublicId,
    /// MS-ASWBXML knows UTF-8 only.
    #[error("unsupported character set {0}, only UTF-8 (106) is")]
    Charset(u32),
    /// MS-ASWBXML has none.
    #[error("a string table, which ActiveSync does not use,")]
    StringTable,
    /// An integer of more than 32 bits.
    #[error("an integer of more than 32 bits")]
    Integer,
    /// A page that MS-ASWBXML does not define.
    #[error("unknown code page {0}")]
    Page(u8),
    /// A token that WBXML has and MS-ASWBXML does not use.
    #[error("unsupported token 0x{0:02X}")]
    Token(u8),
    /// A tag with attributes, which ActiveSync does not use.
    #[error("a tag with attributes (0x{0:02X})")]
    Attributes(u8),
    /// An end, or content, without a tag around it.
    #[error("content outside the root element")]
    Outside,
    /// Text and elements, or text and opaque data, in the same element.
    #[error("mixed content")]
    Mixed,
    /// See [`Limits::depth`].
    #[error("elements nested deeper than allowed")]
    Depth,
    /// See [`Limits::elements`].
    #[error("more elements than allowed")]
    Elements,
    /// See [`Limits::value`].
    #[error("a value longer than allowed")]
    Value,
    /// Bytes follow the end of the root element.
    #[error("bytes after the root element")]
    Trailing,
}

/// Reads a document.
///
/// Text that is not UTF-8 is mended with U+FFFD, because a phone would only send it again. Tokens
/// that MS-ASWBXML leaves free are kept: phones do send some. Text in several pieces is joined,
/// and an element whose text is empty is empty.
///
/// # Errors
/// When the document is not well formed, uses what ActiveSync does not, or exceeds a limit.
pub fn decode(document: &Bytes, limits: &Limits) -> Result<Element, DecodeError> {
    let mut reader = Reader { document, at: 0 };
    reader.element(limits).map_err(|problem| DecodeError { offset: reader.at, problem })
}

struct Reader<'a> {
    document: &'a Bytes,
    at: usize,
}

impl Reader<'_> {
    fn element(&mut self, limits: &Limits) -> Result<Element, Problem> {
        self.header()?;
        let mut open: Vec<Element> = Vec::new();
        let mut page = 0;
        let mut elements = 0;
        loop {
            let finished = match self.byte()? {
                SWITCH_PAGE => {
                    page = self.byte()?;
                    if !pages::is_known(page) {
                        return Err(Problem::Page(page));
                    }
                    continue;
                }
                END => open.pop().ok_or(Problem::Outside)?,
                STR_I => {
                    let text = self.string(limits)?;
                    push_text(open.last_mut().ok_or(Problem::Outside)?, text)?;
                    continue;
                }
                OPAQUE => {
                    let bytes = self.opaque(limits)?;
                    push_opaque(open.last_mut().ok_or(Problem::Outside)?, bytes)?;
                    continue;
                }
                token if token & 0x3F < 0x05 => return Err(Problem::Token(token)),
                token if token & HAS_ATTRIBUTES != 0 => return Err(Problem::Attributes(token)),
                token => {
                    elements += 1;
                    if elements > limits.elements {
                        return Err(Problem::Elements);
                    }
                    if open.len() >= limits.depth {
                        return Err(Problem::Depth);
                    }
                    let element = Element::empty(Tag { page, token: token & 0x3F });
                    if token & HAS_CONTENT != 0 {
                        open.push(element);
                        continue;
                    }
                    element
                }
            };
            match open.last_mut() {
                Some(parent) => push_child(parent, finished)?,
                None if self.at == self.document.len() => return Ok(finished),
                None => return Err(Problem::Trailing),
            }
        }
    }

    fn header(&mut self) -> Result<(), Problem> {
        let version = self.byte()?;
        if !(0x01..=0x03).contains(&version) {
            return Err(Problem::Version(version));
        }
        if self.integer()? == 0 {
            return Err(Problem::PublicId);
        }
        let charset = self.integer()?;
        if charset != u32::from(CHARSET_UTF8) {
            return Err(Problem::Charset(charset));
        }
        if self.integer()? != 0 {
            return Err(Problem::StringTable);
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, Problem> {
        let byte = *self.document.get(self.at).ok_or(Problem::Ends)?;
        self.at += 1;
        Ok(byte)
    }

    /// A multi-byte integer: seven bits a byte, the highest bit says that another follows.
    fn integer(&mut self) -> Result<u32, Problem> {
        let mut value: u32 = 0;
        loop {
            let byte = self.byte()?;
            if value >> 25 != 0 {
                return Err(Problem::Integer);
            }
            value = value << 7 | u32::from(byte & 0x7F);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
    }

    fn string(&mut self, limits: &Limits) -> Result<String, Problem> {
        let rest = self.document.get(self.at..).unwrap_or_default();
        let text = CStr::from_bytes_until_nul(rest).map_err(|_| Problem::Ends)?.to_bytes();
        if text.len() > limits.value {
            return Err(Problem::Value);
        }
        self.at += text.len() + 1;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn opaque(&mut self, limits: &Limits) -> Result<Bytes, Problem> {
        let length = usize::try_from(self.integer()?).map_err(|_| Problem::Value)?;
        if length > limits.value {
            return Err(Problem::Value);
        }
        let end = self.at.checked_add(length).ok_or(Problem::Value)?;
        if end > self.document.len() {
            return Err(Problem::Ends);
        }
        let bytes = self.document.slice(self.at..end);
        self.at = end;
        Ok(bytes)
    }
}

fn push_text(element: &mut Element, text: String) -> Result<(), Problem> {
    match &mut element.content {
        _ if text.is_empty() => {}
        Content::Empty => element.content = Content::Text(text),
        Content::Text(before) => before.push_str(&text),
        Content::Opaque(_) | Content::Children(_) => return Err(Problem::Mixed),
    }
    Ok(())
}

fn push_opaque(element: &mut Element, bytes: Bytes) -> Result<(), Problem> {
    match &element.content {
        Content::Empty => element.content = Content::Opaque(bytes),
        _ => return Err(Problem::Mixed),
    }
    Ok(())
}

fn push_child(parent: &mut Element, child: Element) -> Result<(), Problem> {
    match &mut parent.content {
        Content::Empty => parent.content = Content::Children(vec![child]),
        Content::Children(children) => children.push(child),
        Content::Text(_) | Content::Opaque(_) => return Err(Problem::Mixed),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
