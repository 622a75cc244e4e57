//! A whole message as a WBXML string can carry it: valid UTF-8 without NUL (WBXML §5.8.4.2).
//! Nearly every message is so already and passes untouched; in others the parts and fields that
//! are not get another encoding, so that their text survives.

use crate::{
    charset,
    structure::{Message, Node},
    transfer::Encoding,
};
use bytes::Bytes;
use mail_builder::encoders::{base64::Base64Encoder, quoted_printable::QuotedPrintableEncoder};

/// How deep attached messages are looked into.
const MAX_ATTACHED: usize = 3;

/// The message, sharing memory where nothing has to change.
pub(crate) fn whole(message: &Message) -> Bytes {
    if is_text(&message.raw) { message.raw.clone() } else { rewrite(message, 0).into() }
}

fn is_text(bytes: &[u8]) -> bool {
    memchr::memchr(0, bytes).is_none() && std::str::from_utf8(bytes).is_ok()
}

fn rewrite(message: &Message, depth: usize) -> Vec<u8> {
    let raw = &message.raw;
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 4);
    let mut pos = 0;
    for node in &message.nodes {
        push_text(&raw[pos.min(node.whole.start)..node.whole.start], &mut out);
        let header = &raw[node.whole.start..node.body.start];
        pos = node.body.start;
        if !node.children.is_empty() || is_text(node.encoded(raw)) {
            push_text(header, &mut out);
            if node.children.is_empty() {
                out.extend_from_slice(node.encoded(raw));
                pos = node.body.end;
            }
            continue;
        }
        pos = node.body.end;
        push_encoded(message, node, depth, &mut out);
    }
    push_text(&raw[pos..], &mut out);
    out
}

/// Bytes in which nothing is encoded: header fields, what stands between parts.
fn push_text(bytes: &[u8], out: &mut Vec<u8>) {
    if is_text(bytes) {
        out.extend_from_slice(bytes);
    } else {
        out.extend(charset::guess(bytes).bytes().filter(|b| *b != 0));
    }
}

fn push_encoded(message: &Message, node: &Node, depth: usize, out: &mut Vec<u8>) {
    let raw = &message.raw;
    let mut end: &[u8] = b"\r\n";
    for field in node.fields.iter(raw) {
        if field.whole.ends_with(b"\n") && !field.whole.ends_with(b"\r\n") {
            end = b"\n";
        }
        if !field.is("Content-Transfer-Encoding") {
            push_text(field.whole, out);
        }
    }
    let encode = |name: &str, out: &mut Vec<u8>| {
        out.extend_from_slice(b"Content-Transfer-Encoding: ");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(end);
        out.extend_from_slice(end);
    };
    let content = node.content(raw);
    if node.is("message/rfc822") && node.encoding == Encoding::Identity {
        // An attached message may not be encoded (RFC 2046 §5.2.1), only what it holds.
        encode("8bit", out);
        match Message::parse(node.content_bytes(raw)) {
            Ok(attached) if depth < MAX_ATTACHED => out.extend(rewrite(&attached, depth + 1)),
            _ => push_text(&content, out),
        }
    } else if node.media_type.starts_with("text/") && memchr::memchr(0, &content).is_none() {
        encode("quoted-printable", out);
        QuotedPrintableEncoder::new().preserve_line_breaks().encode_into(&content, out);
    } else {
        encode("base64", out);
        Base64Encoder::new().wrap_lines().encode_into(&content, out);
    }
}

#[cfg(test)]
mod tests;
