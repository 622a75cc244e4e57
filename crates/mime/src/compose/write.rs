//! Header fields and parts written (RFC 5322, RFC 2045): 7-bit, folded, lines ended by CRLF.

use dme_model::Address;
use mail_builder::{
    encoders::{base64::Base64Encoder, quoted_printable::QuotedPrintableEncoder},
    headers::{
        Header, address::Address as Addresses, content_type::ContentType, date::Date, text::Text,
    },
};
use sha2::{Digest, Sha256};

/// Text without line breaks and control characters, which would begin a new field.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A field as it stands. The value is ours or was read from a message and holds no line break.
pub(crate) fn raw_field(name: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(one_line(value).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// An unstructured field such as the subject.
pub(crate) fn text_field(name: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    Text::new(one_line(value)).write_header(out, name.len() + 2);
}

/// A list of addresses; nothing where it is empty.
pub(crate) fn address_field(name: &str, addresses: &[Address], out: &mut Vec<u8>) {
    if addresses.is_empty() {
        return;
    }
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    let list = addresses
        .iter()
        .map(|one| Addresses::new_address(one.name.as_deref().map(one_line), one_line(&one.email)))
        .collect();
    Addresses::new_list(list).write_header(out, name.len() + 2);
}

pub(crate) fn date_field(seconds: i64, out: &mut Vec<u8>) {
    raw_field("Date", &Date::new(seconds).to_rfc822(), out);
}

/// Ids in brackets, each on its own line from the second on.
pub(crate) fn ids_field(name: &str, ids: &[String], out: &mut Vec<u8>) {
    if ids.is_empty() {
        return;
    }
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b":");
    for (number, id) in ids.iter().enumerate() {
        out.extend_from_slice(if number == 0 { b" <" } else { b"\r\n <" });
        out.extend_from_slice(one_line(id).as_bytes());
        out.push(b'>');
    }
    out.extend_from_slice(b"\r\n");
}

/// A field with parameters, these in RFC 2231's form where they need it.
pub(crate) fn parameter_field(
    name: &str,
    value: &str,
    parameters: &[(&str, &str)],
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    let mut content_type = ContentType::new(one_line(value));
    for (key, value) in parameters {
        content_type = content_type.attribute((*key).to_owned(), one_line(value));
    }
    content_type.write_header(out, name.len() + 2);
}

/// A text part with its header.
pub(crate) fn text_part(subtype: &str, text: &str, out: &mut Vec<u8>) {
    parameter_field("Content-Type", &format!("text/{subtype}"), &[("charset", "utf-8")], out);
    let readable = text.len() - text.bytes().filter(|b| !b.is_ascii()).count();
    // Quoted-printable triples what is not ASCII, base64 costs a third of everything.
    if readable * 5 >= text.len() * 4 {
        out.extend_from_slice(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n");
        let encoder = QuotedPrintableEncoder::new().preserve_line_breaks();
        encoder.encode_into(&crlf(text.as_bytes()), out);
    } else {
        out.extend_from_slice(b"Content-Transfer-Encoding: base64\r\n\r\n");
        Base64Encoder::new().wrap_lines().encode_into(&crlf(text.as_bytes()), out);
    }
    end_line(out);
}

/// The text with every line ended by CRLF.
pub(crate) fn crlf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 32);
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if number > 0 {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
    }
    out
}

/// Ends the last line where it is not ended.
pub(crate) fn end_line(out: &mut Vec<u8>) {
    if !out.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
}

/// Hexadecimal digits that nobody but who has all of the seeds can tell: for boundaries and
/// Message-IDs.
pub(crate) fn digits(seeds: &[&[u8]]) -> String {
    use std::fmt::Write;
    let mut hash = Sha256::new();
    for seed in seeds {
        hash.update((seed.len() as u64).to_be_bytes());
        hash.update(seed);
    }
    hash.finalize().iter().take(16).fold(String::with_capacity(32), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A `Message-ID` without brackets, in the author's domain.
pub(crate) fn new_message_id(seed: &str, author: &str) -> String {
    let domain = author.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
    let safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let domain = if domain.is_empty() || !domain.chars().all(safe) { "localhost" } else { domain };
    format!("{}@{domain}", digits(&[seed.as_bytes(), author.as_bytes()]))
}
