//! What a part says of itself as a file: name, disposition, ids (RFC 2183, RFC 2392).

use crate::{
    header::{self, Fields, Of},
    layout::Layout,
    structure::{Message, Node},
};
use dme_model::{Attachment, AttachmentKind};

/// The longest file name, in bytes; longer ones keep their ending.
const MAX_NAME: usize = 200;

impl Node {
    fn disposition(&self, message: &Message) -> Option<(String, Vec<(String, String)>)> {
        header::parameters(self.fields.find(&message.raw, "Content-Disposition")?)
    }

    /// Whether it wants to be shown as a file.
    pub(crate) fn is_attached(&self, message: &Message) -> bool {
        self.disposition(message).is_some_and(|(kind, _)| kind == "attachment")
    }

    /// The file name it gives itself.
    pub(crate) fn name(&self, message: &Message) -> Option<String> {
        let given = self
            .disposition(message)
            .and_then(|(_, parameters)| {
                parameters.into_iter().find(|(name, _)| name == "filename").map(|(_, name)| name)
            })
            .or_else(|| self.parameter("name").map(str::to_owned))?;
        let name = file_name(&given);
        (!name.is_empty()).then_some(name)
    }

    pub(crate) fn content_id(&self, message: &Message) -> Option<String> {
        header::ids(self.fields.find(&message.raw, "Content-ID")?).next()
    }
}

/// A name that is one path component on any system and not too long.
fn file_name(given: &str) -> String {
    let bad = |c: char| matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    let name: String = given
        .trim()
        .chars()
        .map(|c| if bad(c) || c.is_control() { '_' } else { c })
        .collect::<String>()
        .trim_start_matches('.')
        .to_owned();
    if name.len() <= MAX_NAME {
        return name;
    }
    let ending = name.rfind('.').filter(|dot| name.len() - dot <= 16).unwrap_or(name.len());
    let (stem, ending) = name.split_at(ending);
    let mut end = MAX_NAME - ending.len();
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", &stem[..end])
}

/// The attachments in order. `seen` are parts already told otherwise, such as the calendar data
/// of an invitation.
pub(crate) fn list(message: &Message, layout: &Layout, seen: &[usize]) -> Vec<Attachment> {
    let shows_html = layout.has_html(message);
    let all = layout.attachments.iter().chain(&layout.alternatives);
    let mut parts: Vec<usize> = all.filter(|index| !seen.contains(index)).copied().collect();
    parts.sort_unstable();
    parts
        .into_iter()
        .enumerate()
        .map(|(place, index)| describe(message, index, place + 1, shows_html))
        .collect()
}

fn describe(message: &Message, index: usize, place: usize, shows_html: bool) -> Attachment {
    let node = &message.nodes[index];
    let raw = &message.raw;
    let kind = if node.is("message/rfc822") || node.is("message/global") {
        AttachmentKind::Message
    } else {
        AttachmentKind::File
    };
    let content_id = node.content_id(message);
    Attachment {
        part: message.id(index),
        name: node.name(message).unwrap_or_else(|| made_up_name(message, node, kind, place)),
        media_type: node.media_type.clone(),
        size: node.encoding.decoded_size(node.encoded(raw)),
        kind,
        inline: content_id.is_some() && shows_html && is_shown_in_text(message, node),
        content_id,
        content_location: Some(node.fields.text(raw, "Content-Location"))
            .filter(|location| !location.is_empty()),
    }
}

/// Whether the text shows it: it is related to the text, and is a picture or does not ask to be a
/// file. Some clients relate whatever is attached.
pub(crate) fn is_shown_in_text(message: &Message, node: &Node) -> bool {
    let mut ancestor = node.parent;
    let mut related = false;
    while let Some(index) = ancestor {
        related |= message.nodes[index].is("multipart/related");
        ancestor = message.nodes[index].parent;
    }
    match node.disposition(message) {
        Some((kind, _)) if kind == "inline" => true,
        Some((kind, _)) if kind == "attachment" => related && node.media_type.starts_with("image/"),
        _ => related,
    }
}

fn made_up_name(message: &Message, node: &Node, kind: AttachmentKind, place: usize) -> String {
    if kind == AttachmentKind::Message {
        let attached = node.encoded(&message.raw);
        let (fields, _) = Fields::parse(attached, 0, Of::Message);
        let subject = file_name(&fields.text(attached, "Subject"));
        return format!("{}.eml", if subject.is_empty() { "message" } else { &subject });
    }
    if crate::layout::is_calendar(node) {
        return "invite.ics".into();
    }
    let (family, subtype) = node.media_type.split_once('/').unwrap_or_default();
    let ending = match node.media_type.as_str() {
        "text/plain" | "message/delivery-status" => "txt",
        "message/disposition-notification" => "txt",
        "image/jpeg" => "jpg",
        "image/svg+xml" => "svg",
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => return "smime.p7m".into(),
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => {
            return "smime.p7s".into();
        }
        "application/ms-tnef" => return "winmail.dat".into(),
        "application/pgp-signature" => return "signature.asc".into(),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        "application/msword" => "doc",
        "application/vnd.ms-excel" => "xls",
        _ if subtype.len() <= 5 && subtype.bytes().all(|b| b.is_ascii_alphanumeric()) => subtype,
        _ => "bin",
    };
    let family = if family == "image" { "image" } else { "attachment" };
    format!("{family}-{place}.{ending}")
}

#[cfg(test)]
mod tests;
