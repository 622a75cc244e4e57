//! Files of an event: `ATTACH` (RFC 5545 §3.8.1.1), inline or at an address (RFC 8607 too).
//!
//! A file that is kept at an address is told as what the object has of it: a page with that link, for
//! the phone's browser to follow. It is fetched by nobody here, since an event may come from anyone
//! and name any address. Of phones' programs hardly one opens a shortcut (`.url`), each a page.

use super::line::Line;
use super::object::Component;
use super::{text, uri};
use crate::Error;
use base64::Engine;
use dme_model::{Attachment, AttachmentKind, NewAttachment, PartId};
use sha2::{Digest, Sha256};

/// How many attachments of a component are listed.
const MAX_ATTACHMENTS: usize = 100;

/// A file of which nothing is known.
const SOME_FILE: &str = "application/octet-stream";

/// An attachment as a phone fetches it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttachmentContent {
    /// What it is.
    pub media_type: String,
    /// The file itself; of one that is kept elsewhere a page that links there.
    pub data: Vec<u8>,
}

/// How a line keeps its file.
enum Kept<'a> {
    /// In itself, in base64.
    Inline,
    /// In itself, as a `data:` URI.
    DataUri,
    /// At an address of the web.
    Linked(&'a str),
    /// Where no phone gets by itself: in a mail, on somebody's disk, at part of an address.
    Away,
}

impl<'a> Kept<'a> {
    fn of(line: &'a Line) -> Self {
        let value = line.value();
        if line.parameter_is("ENCODING", "BASE64") || line.parameter_is("VALUE", "BINARY") {
            Self::Inline
        } else if uri::has_scheme(value, "data") {
            Self::DataUri
        } else if uri::host_and_path(value).is_some() {
            Self::Linked(value)
        } else {
            Self::Away
        }
    }
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

/// What of an event's files a phone can have.
pub(crate) fn list(event: &Component) -> Vec<Attachment> {
    let lines = event.all("ATTACH").filter(|line| !line.value().is_empty());
    lines.filter_map(read).take(MAX_ATTACHMENTS).collect()
}

fn read(line: &Line) -> Option<Attachment> {
    let kept = Kept::of(line);
    let content_location = match kept {
        Kept::Linked(address) => Some(address.to_owned()),
        _ => None,
    };
    let (name, media_type, size) = match kept {
        Kept::Away => return None,
        Kept::Linked(address) => {
            let page = Page::of(line, address);
            (page.name(), Page::MEDIA_TYPE.to_owned(), page.html().len() as u64)
        }
        Kept::Inline | Kept::DataUri => {
            let size = line.parameter("SIZE").and_then(|size| size.parse().ok());
            let name = name(line).unwrap_or_else(|| "attachment".to_owned());
            (name, media_type(line), size.unwrap_or((line.value().len() / 4 * 3) as u64))
        }
    };
    Some(Attachment {
        part: part(line),
        name,
        media_type,
        size,
        kind: AttachmentKind::File,
        content_id: None,
        content_location,
        inline: false,
    })
}

/// The file's name as programs write it, some of them with folders before it.
fn name(line: &Line) -> Option<String> {
    const NAMES: [&str; 5] = [
        "FILENAME",
        "X-FILENAME",
        "X-APPLE-FILENAME",
        "X-EVOLUTION-CALDAV-ATTACHMENT-NAME",
        "X-LABEL",
    ];
    NAMES.iter().find_map(|name| file_name(line.parameter(name)?))
}

fn file_name(path: &str) -> Option<String> {
    let name = text::one_line(path.rsplit('/').next()?);
    (!name.is_empty()).then_some(name)
}

/// What a file is by its line. It stands in heads of answers: what is no media type is none.
fn media_type(line: &Line) -> String {
    let named = line.parameter("FMTTYPE").map(str::to_owned);
    let told = named.or_else(|| uri::data_type(line.value())).unwrap_or_default();
    let told = told.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_name = |name: &str| {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        !name.is_empty() && name.bytes().all(is_known)
    };
    match told.split_once('/') {
        Some((kind, sort)) if is_name(kind) && is_name(sort) => told,
        _ => SOME_FILE.to_owned(),
    }
}

/// What a phone has in the place of a file that is kept elsewhere.
struct Page<'a> {
    /// The file.
    title: String,
    address: &'a str,
}

impl<'a> Page<'a> {
    const MEDIA_TYPE: &'static str = "text/html";

    fn of(line: &Line, address: &'a str) -> Self {
        let of_address = || {
            let (host, path) = uri::host_and_path(address)?;
            let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            let decoded = uri::percent_decode(last).and_then(|name| String::from_utf8(name).ok());
            file_name(&decoded.unwrap_or_else(|| last.to_owned())).or_else(|| file_name(host))
        };
        let title = name(line).or_else(of_address).unwrap_or_else(|| "attachment".to_owned());
        Self { title, address }
    }

    fn name(&self) -> String {
        let lower = self.title.to_ascii_lowercase();
        let is_page = [".html", ".htm"].iter().any(|end| lower.ends_with(end));
        if is_page { self.title.clone() } else { format!("{}.html", self.title) }
    }

    /// The address is shown as well: a name may promise something else.
    fn html(&self) -> String {
        let (title, address) = (escape(&self.title), escape(self.address));
        format!(
            "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             </head>\n<body>\n<p>{title}</p>\n<p><a href=\"{address}\">{address}</a></p>\n\
             </body>\n</html>\n"
        )
    }
}

/// A text as it stands in a page.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// The content of an attachment of any of the components.
///
/// # Errors
/// [`Error::NoSuchPart`], also for one that is not listed; [`Error::Unconvertible`] where its encoding
/// is broken.
pub(crate) fn content<'a>(
    components: impl Iterator<Item = &'a Component>,
    id: &PartId,
) -> Result<AttachmentContent, Error> {
    let mut lines = components.flat_map(|component| component.all("ATTACH"));
    let missing = || Error::NoSuchPart(id.clone());
    let line = lines.find(|line| part(line) == *id).ok_or_else(missing)?;
    let data = match Kept::of(line) {
        Kept::Inline => uri::base64(line.value()),
        Kept::DataUri => uri::data(line.value()).map(|(_, data)| data),
        Kept::Linked(address) => {
            let (media_type, page) = (Page::MEDIA_TYPE.to_owned(), Page::of(line, address));
            return Ok(AttachmentContent { media_type, data: page.html().into_bytes() });
        }
        Kept::Away => return Err(missing()),
    };
    let data = data.ok_or(Error::Unconvertible("an attachment's encoding is broken"))?;
    Ok(AttachmentContent { media_type: media_type(line), data })
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
