//! Header fields (RFC 5322 §2.2): found in one pass, read only when asked for.
//!
//! Values are read leniently: raw 8-bit text, encoded words cut within a character, missing
//! brackets. What cannot be read is shown as it stands.

use crate::{charset, encoded_word};
use dme_model::Address;
use mail_parser::{HeaderValue, parsers::MessageStream};
use std::{borrow::Cow, ops::Range};

/// How many fields of a message's header are looked at.
pub(crate) const MAX_FIELDS: usize = 1000;
/// How many fields of a part's header are looked at.
pub(crate) const MAX_PART_FIELDS: usize = 64;
/// How many bytes of one field's value are looked at.
pub(crate) const MAX_VALUE: usize = 64 << 10;

/// Where a header ends: parts also end at a boundary line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Message,
    Part,
}

#[derive(Clone, Debug)]
struct Field {
    name: Range<usize>,
    /// From after the colon to after the last line's end.
    value: Range<usize>,
}

/// The fields of one header, as places in the message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    fields: Vec<Field>,
    /// Whether there are more, which are not looked at.
    more: bool,
}

/// One field as it stands in the message.
#[derive(Clone, Copy)]
pub(crate) struct RawField<'a> {
    pub(crate) name: &'a [u8],
    /// Folded, with its line end.
    pub(crate) value: &'a [u8],
    /// All of it, name to line end.
    pub(crate) whole: &'a [u8],
}

/// The fields that hold addresses.
const ADDRESSES: [&str; 6] = ["From", "Sender", "Reply-To", "To", "Cc", "Bcc"];

impl RawField<'_> {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    pub(crate) fn holds_addresses(&self) -> bool {
        ADDRESSES.iter().any(|name| self.is(name))
    }

    /// Whether reading the value leaves the end of it out.
    pub(crate) fn is_cut(&self) -> bool {
        self.value.len() > MAX_VALUE
    }
}

impl Fields {
    /// The header that begins at `start`, and where its body begins.
    pub(crate) fn parse(raw: &[u8], start: usize, of: Of) -> (Self, usize) {
        let limit = if of == Of::Message { MAX_FIELDS } else { MAX_PART_FIELDS };
        let mut fields: Vec<Field> = Vec::with_capacity(if of == Of::Message { 32 } else { 4 });
        let mut pos = start;
        // Whether a folded line belongs to the last field kept.
        let mut open = false;
        let mut more = false;
        while pos < raw.len() {
            let rest = &raw[pos..];
            let end = memchr::memchr(b'\n', rest).map_or(raw.len(), |at| pos + at + 1);
            let line = &raw[pos..end];
            match line {
                b"\n" | b"\r\n" => return (Self { fields, more }, end),
                [b'-', b'-', ..] if of == Of::Part => return (Self { fields, more }, pos),
                [b' ' | b'\t', ..] => {
                    if let (true, Some(last)) = (open, fields.last_mut()) {
                        last.value.end = end;
                    }
                }
                _ => {
                    open = false;
                    match field_name(line) {
                        Some((name, colon)) if fields.len() < limit => {
                            fields.push(Field {
                                name: pos + name.start..pos + name.end,
                                value: pos + colon + 1..end,
                            });
                            open = true;
                        }
                        Some(_) => more = true,
                        // A text without any header.
                        None if pos == start && !line.starts_with(b"From ") => {
                            return (Self { fields, more }, start);
                        }
                        None => {}
                    }
                }
            }
            pos = end;
        }
        (Self { fields, more }, raw.len())
    }

    /// All fields in order.
    pub(crate) fn iter<'a>(&'a self, raw: &'a [u8]) -> impl Iterator<Item = RawField<'a>> + 'a {
        self.fields.iter().map(|field| RawField {
            name: &raw[field.name.clone()],
            value: &raw[field.value.clone()],
            whole: &raw[field.name.start..field.value.end],
        })
    }

    /// Whether every field was found; of a header with too many the rest is not.
    pub(crate) fn are_all(&self) -> bool {
        !self.more
    }

    /// The value of the first field of this name.
    pub(crate) fn find<'a>(&'a self, raw: &'a [u8], name: &str) -> Option<&'a [u8]> {
        self.iter(raw).find(|field| field.is(name)).map(|field| field.value)
    }

    /// A field's text, decoded and unfolded; empty where there is none.
    pub(crate) fn text(&self, raw: &[u8], name: &str) -> String {
        self.find(raw, name).map(text).unwrap_or_default()
    }

    /// The addresses of all fields of this name.
    pub(crate) fn addresses(&self, raw: &[u8], name: &str) -> Vec<Address> {
        let mut all = Vec::new();
        for field in self.iter(raw).filter(|field| field.is(name)) {
            addresses(field.value, &mut all);
        }
        all
    }

    /// The seconds since the epoch in a date field.
    pub(crate) fn date(&self, raw: &[u8], name: &str) -> Option<i64> {
        date(self.find(raw, name)?).map(|date| date.to_timestamp())
    }
}

/// The name's place in a field's first line, and the colon's.
fn field_name(line: &[u8]) -> Option<(Range<usize>, usize)> {
    let colon = memchr::memchr(b':', line)?;
    let name = line[..colon].trim_ascii_end();
    // Printable ASCII without spaces (RFC 5322 §2.2).
    let valid = !name.is_empty() && name.iter().all(|b| (33..=126).contains(b));
    valid.then_some((0..name.len(), colon))
}

/// A value fit for mail-parser: UTF-8, limited in length, encoded words joined, ended by one
/// newline.
fn prepared(value: &[u8]) -> Cow<'_, [u8]> {
    let cut = &value[..value.len().min(MAX_VALUE)];
    let utf8: Cow<'_, [u8]> = match std::str::from_utf8(cut) {
        Ok(_) => Cow::Borrowed(cut),
        Err(_) => Cow::Owned(charset::guess(cut).into_bytes()),
    };
    let mut whole = match utf8 {
        Cow::Borrowed(bytes) => encoded_word::join(bytes),
        Cow::Owned(bytes) => Cow::Owned(encoded_word::join(&bytes).into_owned()),
    };
    if whole.last() != Some(&b'\n') {
        whole.to_mut().push(b'\n');
    }
    whole
}

/// An unstructured value, decoded and unfolded (RFC 5322 §2.2.1, RFC 2047).
pub(crate) fn text(value: &[u8]) -> String {
    let value = prepared(value);
    match MessageStream::new(&value).parse_unstructured() {
        HeaderValue::Text(text) => clean(&text),
        _ => String::new(),
    }
}

/// The addresses of a list; groups are opened (RFC 5322 §3.4).
pub(crate) fn addresses(value: &[u8], into: &mut Vec<Address>) {
    let value = prepared(value);
    let HeaderValue::Address(list) = MessageStream::new(&value).parse_address() else { return };
    for one in list.iter() {
        let name = one.name().map(clean).filter(|name| !name.is_empty());
        let email = one.address().map(clean).unwrap_or_default();
        let address = match (name, email) {
            // A name alone that could be an address is one: `To: ann`.
            (Some(name), email) if email.is_empty() && !name.contains(' ') => {
                Address { name: None, email: name }
            }
            (name, email) => Address { name, email },
        };
        if address.name.is_some() || !address.email.is_empty() {
            into.push(address);
        }
    }
}

/// The date, where it is one (RFC 5322 §3.3).
pub(crate) fn date(value: &[u8]) -> Option<mail_parser::DateTime> {
    let value = prepared(value);
    match MessageStream::new(&value).parse_date() {
        HeaderValue::DateTime(date) if date.is_valid() => Some(date),
        _ => None,
    }
}

/// A value with parameters (RFC 2045 §5.1, RFC 2231).
pub(crate) fn parameters(value: &[u8]) -> Option<(String, Vec<(String, String)>)> {
    let value = prepared(value);
    let parsed = MessageStream::new(&value).parse_content_type();
    let HeaderValue::ContentType(content_type) = parsed else { return None };
    let mut kind = content_type.ctype().trim().to_ascii_lowercase();
    if let Some(subtype) = content_type.subtype() {
        kind.push('/');
        kind.push_str(&subtype.trim().to_ascii_lowercase());
    }
    let parameters = content_type.attributes().unwrap_or_default();
    let parameters = parameters
        .iter()
        .map(|one| (one.name.to_ascii_lowercase(), encoded_in_parameter(&one.value)))
        .collect();
    Some((kind, parameters))
}

/// Encoded words do not belong into parameters (RFC 2047 §5), yet many clients write them there.
fn encoded_in_parameter(value: &str) -> String {
    if value.contains("=?") { text(value.as_bytes()) } else { clean(value) }
}

/// The message ids in a value without their brackets: what stands in `<>`, or where nothing does
/// the words (RFC 5322 §3.6.4).
pub(crate) fn ids(value: &[u8]) -> impl Iterator<Item = String> + '_ {
    let value = &value[..value.len().min(MAX_VALUE)];
    let bracketed = value.contains(&b'<');
    value
        .split(move |b| if bracketed { *b == b'<' } else { b.is_ascii_whitespace() })
        .skip(usize::from(bracketed))
        .map(move |piece| {
            let end = memchr::memchr(b'>', piece).unwrap_or(piece.len());
            let id = piece[..end].iter().filter(|b| !b.is_ascii_whitespace()).copied();
            clean(&String::from_utf8_lossy(&id.collect::<Vec<u8>>()))
        })
        .filter(|id| !id.is_empty())
}

/// Without control characters, which neither XML nor a display has a use for, and outer spaces.
fn clean(text: &str) -> String {
    if text.chars().any(char::is_control) {
        let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        return spaced.trim().to_owned();
    }
    text.trim().to_owned()
}
