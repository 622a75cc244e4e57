//! Files of an event: `ATTACH` (RFC 5545 §3.8.1.1), inline in base64 or by URI (RFC 8607 too).

use super::line::Line;
use super::object::Component;
use super::{text, uri};
use crate::Error;
use base64::Engine;
use dme_model::{Attachment, AttachmentKind, NewAttachment, PartId};
use sha2::{Digest, Sha256};

/// How many attachments of a component are listed.
const MAX_ATTACHMENTS: usize = 100;

/// What an attachment holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AttachmentContent {
    /// The file itself.
    Data(Vec<u8>),
    /// Where it is kept. Whoever reads it there does so with the user's own rights, or not at all.
    Uri(String),
}

/// Names an attachment by what it is rather than by its place: taking one off leaves the names of
/// the others as they were.
fn part(line: &Line) -> PartId {
    part_named(line.value())
}

/// Which part a file will be.
pub(crate) fn part_of(file: &NewAttachment) -> PartId {
    part_named(&base64::engine::general_purpose::STANDARD.encode(&file.data))
}

fn part_named(value: &str) -> PartId {
    let digest = Sha256::digest(value.as_bytes());
    PartId::from(digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect::<String>())
}

pub(crate) fn list(event: &Component) -> Vec<Attachment> {
    event
        .all("ATTACH")
        .filter(|line| !line.value().is_empty())
        .take(MAX_ATTACHMENTS)
        .map(read)
        .collect()
}

fn read(line: &Line) -> Attachment {
    let media_type = line.parameter("FMTTYPE").map(str::to_ascii_lowercase);
    let inline = is_inline(line);
    let size = match line.parameter("SIZE").and_then(|size| size.parse().ok()) {
        Some(size) => size,
        None if inline => (line.value().len() / 4 * 3) as u64,
        None => 0,
    };
    let named =
        ["FILENAME", "X-FILENAME", "X-APPLE-FILENAME", "X-EVOLUTION-CALDAV-ATTACHMENT-NAME"]
            .iter()
            .find_map(|name| line.parameter(name))
            .map(text::one_line)
            .filter(|name| !name.is_empty());
    let name = named.unwrap_or_else(|| {
        let last = line.value().split(['?', '#']).next().and_then(|path| path.rsplit('/').next());
        let last = last.filter(|name| !inline && !name.is_empty()).unwrap_or("attachment");
        let decoded = uri::percent_decode(last).and_then(|name| String::from_utf8(name).ok());
        text::one_line(&decoded.unwrap_or_else(|| last.to_owned()))
    });
    Attachment {
        part: part(line),
        name,
        media_type: media_type.unwrap_or_else(|| "application/octet-stream".into()),
        size,
        kind: AttachmentKind::File,
        content_id: None,
        content_location: (!inline).then(|| line.value().to_owned()),
        inline: false,
    }
}

fn is_inline(line: &Line) -> bool {
    line.parameter_is("ENCODING", "BASE64") || line.parameter_is("VALUE", "BINARY")
}

/// The content of an attachment of any of the components.
///
/// # Errors
/// [`Error::NoSuchPart`]; [`Error::Unconvertible`] where its encoding is broken.
pub(crate) fn content<'a>(
    components: impl Iterator<Item = &'a Component>,
    id: &PartId,
) -> Result<AttachmentContent, Error> {
    let mut lines = components.flat_map(|component| component.all("ATTACH"));
    let line = lines.find(|line| part(line) == *id).ok_or_else(|| Error::NoSuchPart(id.clone()))?;
    if is_inline(line) {
        let content = uri::base64(line.value());
        return content
            .map(AttachmentContent::Data)
            .ok_or(Error::Unconvertible("an attachment's encoding is broken"));
    }
    Ok(match uri::data(line.value()) {
        Some((_, content)) => AttachmentContent::Data(content),
        None => AttachmentContent::Uri(line.value().to_owned()),
    })
}

/// Takes some off and adds others; what is there already is not added again.
pub(crate) fn change(event: &mut Component, detach: &[PartId], attach: &[NewAttachment]) {
    event.retain_lines(|line| !line.is("ATTACH") || !detach.contains(&part(line)));
    for file in attach {
        let content = base64::engine::general_purpose::STANDARD.encode(&file.data);
        let line = Line::new("ATTACH", content)
            .with("ENCODING", "BASE64")
            .with("VALUE", "BINARY")
            .with("FMTTYPE", file.media_type.as_str())
            .with("FILENAME", file.name.as_str());
        let there = event.all("ATTACH").any(|one| one.value() == line.value());
        if !there {
            event.push(line);
        }
    }
}
