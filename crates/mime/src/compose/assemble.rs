//! A message's content put together: text in both forms, what it shows, what is attached.

use super::{draft::NewAttachment, finish::crlf, write};
use crate::structure::{Message, Node};
use crate::transfer::Encoding;
use bytes::Bytes;
use mail_builder::encoders::base64::Base64Encoder;

/// What a message consists of.
#[derive(Default)]
pub(crate) struct Content<'a> {
    pub(crate) plain: Option<String>,
    pub(crate) html: Option<String>,
    /// What the HTML shows.
    pub(crate) inline: Vec<Piece<'a>>,
    pub(crate) attachments: Vec<Piece<'a>>,
}

/// One thing attached.
pub(crate) enum Piece<'a> {
    /// A part of another message, taken over as it is encoded there.
    Part(&'a Message, usize),
    /// A file of its own.
    New(&'a NewAttachment),
    /// A whole message.
    Message(&'a Bytes),
}

impl Content<'_> {
    /// Writes the fields that describe the content, the empty line and the content. `seed` makes
    /// the boundaries.
    pub(crate) fn write(&self, seed: &str, out: &mut Vec<u8>) {
        write::raw_field("MIME-Version", "1.0", out);
        let seed = write::digits(&[b"boundary", seed.as_bytes()]);
        if self.attachments.is_empty() {
            return self.write_related(&seed, out);
        }
        multipart("mixed", &format!("=_m{seed}"), out, |boundary, out| {
            boundary(out);
            self.write_related(&seed, out);
            for piece in &self.attachments {
                boundary(out);
                piece.write(false, out);
            }
        });
    }

    fn write_related(&self, seed: &str, out: &mut Vec<u8>) {
        if self.inline.is_empty() {
            return self.write_text(seed, out);
        }
        multipart("related", &format!("=_r{seed}"), out, |boundary, out| {
            boundary(out);
            self.write_text(seed, out);
            for piece in &self.inline {
                boundary(out);
                piece.write(true, out);
            }
        });
    }

    fn write_text(&self, seed: &str, out: &mut Vec<u8>) {
        match (&self.plain, &self.html) {
            (Some(plain), Some(html)) => {
                multipart("alternative", &format!("=_a{seed}"), out, |boundary, out| {
                    boundary(out);
                    write::text_part("plain", plain, out);
                    boundary(out);
                    write::text_part("html", html, out);
                });
            }
            (None, Some(html)) => write::text_part("html", html, out),
            (plain, None) => write::text_part("plain", plain.as_deref().unwrap_or_default(), out),
        }
    }
}

/// Writes a multipart; `parts` calls the given function before each part.
pub(crate) fn multipart(
    subtype: &str,
    boundary: &str,
    out: &mut Vec<u8>,
    parts: impl FnOnce(&dyn Fn(&mut Vec<u8>), &mut Vec<u8>),
) {
    let kind = format!("multipart/{subtype}");
    write::parameter_field("Content-Type", &kind, &[("boundary", boundary)], out);
    out.extend_from_slice(b"\r\n");
    let begin = |out: &mut Vec<u8>| {
        write::end_line(out);
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
    };
    parts(&begin, out);
    write::end_line(out);
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
}

impl Piece<'_> {
    fn write(&self, inline: bool, out: &mut Vec<u8>) {
        match self {
            Self::Part(message, index) => {
                if let Some(node) = message.nodes.get(*index) {
                    write_part(message, node, out);
                }
            }
            Self::New(file) => {
                let media_type = file.media_type.as_deref().filter(|kind| is_media_type(kind));
                let media_type = media_type.unwrap_or("application/octet-stream");
                write::parameter_field("Content-Type", media_type, &[("name", &file.name)], out);
                let disposition = if inline { "inline" } else { "attachment" };
                let name = [("filename", file.name.as_str())];
                write::parameter_field("Content-Disposition", disposition, &name, out);
                if let Some(id) = &file.content_id {
                    write::ids_field("Content-ID", std::slice::from_ref(id), out);
                }
                write_base64(&file.data, out);
            }
            Self::Message(raw) => {
                let kind = "message/rfc822";
                write::parameter_field("Content-Type", kind, &[("name", "message.eml")], out);
                let name = [("filename", "message.eml")];
                write::parameter_field("Content-Disposition", "attachment", &name, out);
                out.extend_from_slice(b"\r\n");
                out.extend_from_slice(&crlf(raw));
            }
        }
    }
}

/// `type/subtype` and nothing that could be more.
fn is_media_type(kind: &str) -> bool {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
    kind.len() <= 127
        && kind.split_once('/').is_some_and(|(family, subtype)| {
            let ok = |part: &str| !part.is_empty() && part.chars().all(token);
            // These would be structure, not a file.
            ok(family) && ok(subtype) && family != "multipart" && family != "message"
        })
}

/// The part with its own description, encoded as it was; binary content is encoded anew.
fn write_part(message: &Message, node: &Node, out: &mut Vec<u8>) {
    let raw = &message.raw;
    let encoded = node.encoded(raw);
    let lines_too_long = || encoded.split(|b| *b == b'\n').any(|line| line.len() > 998);
    let binary = node.encoding == Encoding::Identity
        && !node.media_type.starts_with("message/")
        && (memchr::memchr(0, encoded).is_some() || !encoded.is_ascii() || lines_too_long());
    let mut described = false;
    for field in node.fields.iter(raw) {
        let content =
            field.name.get(..8).is_some_and(|name| name.eq_ignore_ascii_case(b"content-"));
        if content && !(binary && field.is("Content-Transfer-Encoding")) {
            described |= field.is("Content-Type");
            out.extend_from_slice(&crlf(field.whole));
        }
    }
    if !described {
        write::parameter_field("Content-Type", &node.media_type, &[], out);
    }
    if binary {
        write_base64(encoded, out);
    } else {
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&crlf(encoded));
    }
}

fn write_base64(content: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"Content-Transfer-Encoding: base64\r\n\r\n");
    Base64Encoder::new().wrap_lines().encode_into(content, out);
    write::end_line(out);
}
