//! `SmartReply` and `SmartForward` (MS-ASCMD 2.2.1.18, 2.2.1.19): the phone sends only the new
//! text, and the original is added here.

use super::{
    assemble::{Content, Piece},
    finish::crlf,
    write,
};
use crate::{
    Error, attachment, conversation,
    header::{self, RawField},
    html, kind,
    layout::Layout,
    structure::Message,
    text::{self, as_str},
};
use bytes::Bytes;
use dme_model::{Address, MailKind};

/// How the new message refers to the original.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// Answers it: the original's text is quoted below, its inline images go along.
    Reply,
    /// Sends it on: its attachments go along too.
    Forward,
}

/// How many references are carried on; the first is kept, the oldest after it go.
const MAX_REFERENCES: usize = 40;

/// The phone's message with the original added below. `In-Reply-To` and `References` are added
/// where they are missing; nothing else of the phone's header changes. Signed and encrypted
/// messages of the phone get the headers only, and so does one that the phone wrote whole
/// (`replace_mime`).
///
/// The text is HTML where either is; an encrypted original is forwarded as a message attached.
///
/// # Errors
/// [`Error::Empty`] and [`Error::TooLarge`], of either message; [`Error::HeaderTooLarge`] of the
/// new one.
pub fn reply(
    original: &Bytes,
    new: &Bytes,
    verb: Verb,
    replace_mime: bool,
) -> Result<Bytes, Error> {
    let original = Message::parse(original.clone())?;
    let new = Message::parse(new.clone())?;
    // What is not looked at would be lost on the way.
    if !new.root().fields.are_all() {
        return Err(Error::HeaderTooLarge);
    }
    let mut out = Vec::with_capacity(new.raw.len() + original.raw.len() + 2048);
    write_threading(&original, &new, &mut out);
    if replace_mime || kind::kind(&new) != MailKind::Note {
        out.extend_from_slice(&new.raw);
        return Ok(out.into());
    }
    for field in new.root().fields.iter(&new.raw) {
        if !describes_content(field) {
            out.extend_from_slice(&crlf(field.whole));
        }
    }
    let seed = write::digits(&[&new.raw, &original.raw]);
    content(&original, &new, verb).write(&seed, &mut out);
    Ok(out.into())
}

/// Whether the field goes with the content and is written anew with it.
pub(super) fn describes_content(field: RawField<'_>) -> bool {
    let prefix = field.name.get(..8).is_some_and(|name| name.eq_ignore_ascii_case(b"content-"));
    prefix || field.is("MIME-Version")
}

fn write_threading(original: &Message, new: &Message, out: &mut Vec<u8>) {
    let (fields, raw) = (&original.root().fields, &original.raw);
    let own = &new.root().fields;
    let Some(id) = conversation::message_id(fields, raw) else { return };
    if own.find(&new.raw, "References").is_none() {
        let before = ["References", "In-Reply-To"]
            .iter()
            .find_map(|name| fields.find(raw, name))
            .map(|value| header::ids(value).collect::<Vec<_>>());
        let mut ids = before.unwrap_or_default();
        ids.retain(|one| *one != id);
        ids.push(id.clone());
        if ids.len() > MAX_REFERENCES {
            ids.drain(1..=ids.len() - MAX_REFERENCES);
        }
        write::ids_field("References", &ids, out);
    }
    if own.find(&new.raw, "In-Reply-To").is_none() {
        write::ids_field("In-Reply-To", &[id], out);
    }
}

fn content<'a>(original: &'a Message, new: &'a Message, verb: Verb) -> Content<'a> {
    let (below, above) = (Layout::of(original), Layout::of(new));
    let is_html = below.has_html(original) || above.has_html(new);
    let mut content = Content {
        plain: Some(plain(original, &below, new, &above, verb)),
        html: is_html.then(|| html(original, &below, new, &above)),
        ..Content::default()
    };
    add_parts(new, &above, |_| true, &mut content);
    let encrypted = kind::kind(original) == MailKind::SmimeEncrypted;
    match verb {
        Verb::Forward if encrypted => content.attachments.push(Piece::Message(&original.raw)),
        Verb::Forward => add_parts(original, &below, |_| true, &mut content),
        // Only what the quoted text shows.
        Verb::Reply => {
            let quoted = text::as_html(original, &below);
            let shown = |id: Option<String>| {
                id.is_some_and(|id| as_str(&quoted).contains(&format!("cid:{id}")))
            };
            add_parts(original, &below, shown, &mut content);
        }
    }
    content
}

/// Adds a message's parts beside its text, where `wanted` says so by their `Content-ID`: what its
/// HTML shows to what the new one shows, the rest to the files.
pub(super) fn add_parts<'a>(
    message: &'a Message,
    layout: &Layout,
    wanted: impl Fn(Option<String>) -> bool,
    content: &mut Content<'a>,
) {
    let shows_html = layout.has_html(message) && content.html.is_some();
    let mut parts: Vec<usize> =
        layout.attachments.iter().chain(&layout.alternatives).copied().collect();
    parts.sort_unstable();
    for part in parts {
        let Some(node) = message.nodes.get(part) else { continue };
        // The signature of a text that is no longer what was signed.
        if node.media_type.ends_with("pkcs7-signature") || node.is("application/pgp-signature") {
            continue;
        }
        let id = node.content_id(message);
        let inline = shows_html && id.is_some() && attachment::is_shown_in_text(message, node);
        if wanted(id) {
            let list = if inline { &mut content.inline } else { &mut content.attachments };
            list.push(Piece::Part(message, part));
        }
    }
}

/// The lines that say what is quoted: name and value.
fn about(original: &Message) -> Vec<(&'static str, String)> {
    let (fields, raw) = (&original.root().fields, &original.raw);
    let people = |name: &str| {
        let all: Vec<String> = fields.addresses(raw, name).iter().map(written).collect();
        all.join("; ")
    };
    let lines = [
        ("From", people("From")),
        ("Sent", fields.text(raw, "Date")),
        ("To", people("To")),
        ("Cc", people("Cc")),
        ("Subject", fields.text(raw, "Subject")),
    ];
    lines.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn written(address: &Address) -> String {
    match &address.name {
        Some(name) => format!("{name} <{}>", address.email),
        None => address.email.clone(),
    }
}

fn plain(original: &Message, below: &Layout, new: &Message, above: &Layout, verb: Verb) -> String {
    let own = text::as_plain(new, above);
    let quoted = text::as_plain(original, below);
    let mut out = as_str(&own).trim_end().to_owned();
    out.push_str("\r\n\r\n-----Original Message-----\r\n");
    for (name, value) in about(original) {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str("\r\n");
    for line in as_str(&quoted).lines() {
        if verb == Verb::Reply {
            out.push_str(if line.starts_with('>') { ">" } else { "> " });
        }
        out.push_str(line);
        out.push_str("\r\n");
    }
    out
}

fn html(original: &Message, below: &Layout, new: &Message, above: &Layout) -> String {
    let own = text::as_html(new, above);
    let own = as_str(&own);
    let quoted = text::as_html(original, below);
    let quoted = as_str(&quoted);
    let end = html::body_range(own).end;
    let mut out = String::with_capacity(own.len() + quoted.len() + 1024);
    out.push_str(&own[..end]);
    out.push_str("\r\n<br><hr>\r\n<div>");
    for (name, value) in about(original) {
        out.push_str(&format!("<b>{name}:</b> {}<br>\r\n", html::escape(&value)));
    }
    out.push_str("</div><br>\r\n<div>");
    let body = html::body_range(quoted);
    html::styles(&quoted[..body.start]).for_each(|style| out.push_str(style));
    out.push_str(&quoted[body]);
    out.push_str("</div>\r\n");
    out.push_str(&own[end..]);
    out
}

#[cfg(test)]
mod tests;
