//! Large messages: a 50 MB mail is not read to show 4 KB of it.
//!
//! The server says how the message is built (BODYSTRUCTURE). From the headers of its parts, its
//! texts and its small parts a skeleton is made that has the same structure, with the large parts
//! left empty; it is read like any message, and the sizes left out are put back.

use crate::error::WireError;
use crate::fetch::sections;
use crate::mailbox::local;
use crate::session::Session;
use crate::wire::response::Fetch;
use crate::wire::structure::Structure;
use bytes::Bytes;
use dme_mailbox::ErrorKind;
use dme_mime::Envelope;
use dme_model::{BodyKind, BodyView, Mail, MailKind, PartId};
use dme_pim::invitation;
use std::collections::HashMap;

/// Of a text part, at most so much is read.
const TEXT: u64 = 256 << 10;
/// Another part is read whole up to this size: invitations, notices, signatures.
const SMALL: u64 = 16 << 10;
/// Parts beyond this number are left out.
const MAX_PARTS: usize = 200;

/// What was read of a large message.
pub(crate) struct Large {
    pub(crate) envelope: Envelope,
    /// The first bytes as they are.
    pub(crate) beginning: Bytes,
    /// A message of the same structure without its large contents.
    pub(crate) skeleton: Bytes,
    /// The parts that were left out or cut, with about their size when decoded.
    cut: HashMap<PartId, u64>,
}

/// One part of the skeleton to be.
struct Piece {
    path: String,
    fetched: Fetched,
    /// The size when decoded, about.
    size: u64,
}

/// How much of a part is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fetched {
    All,
    Beginning,
    Nothing,
}

/// Reads what is shown of a message.
pub(crate) async fn read(
    session: &mut Session,
    uid: u32,
    envelope: Envelope,
    beginning: Bytes,
) -> Result<Large, WireError> {
    let first = sections(session, uid, "BODYSTRUCTURE BODY.PEEK[HEADER]").await?;
    let header = body(&first, "HEADER");
    let Some(structure) = first.structure else {
        // What the server cannot describe is shown by its beginning.
        let skeleton = beginning.clone();
        return Ok(Large { envelope, beginning, skeleton, cut: HashMap::new() });
    };
    let mut pieces = Vec::new();
    collect(&structure, "", &mut pieces);
    let mut wanted = Vec::new();
    for piece in &pieces {
        let path = &piece.path;
        match piece.fetched {
            Fetched::All => wanted.push(format!("BODY.PEEK[{path}]")),
            Fetched::Beginning => wanted.push(format!("BODY.PEEK[{path}]<0.{TEXT}>")),
            Fetched::Nothing => {}
        }
    }
    if matches!(structure, Structure::Multipart { .. }) {
        wanted.extend(paths(&structure, "").iter().map(|path| format!("BODY.PEEK[{path}.MIME]")));
    }
    let mut contents = Fetch::default();
    // Long commands are refused by some servers (RFC 7162 §4: 8192 bytes are safe).
    for wanted in wanted.chunks(100) {
        contents.bodies.append(&mut sections(session, uid, &wanted.join(" ")).await?.bodies);
    }
    let mut skeleton = header.to_vec();
    if !skeleton.ends_with(b"\r\n\r\n") {
        skeleton.extend_from_slice(b"\r\n");
    }
    compose(&structure, "", &contents, &mut skeleton);
    let cut = pieces
        .iter()
        .filter(|piece| piece.fetched != Fetched::All)
        .map(|piece| (PartId::from(piece.path.as_str()), piece.size))
        .collect();
    Ok(Large { envelope, beginning, skeleton: skeleton.into(), cut })
}

impl Large {
    /// Whether it is signed or encrypted.
    pub(crate) fn is_smime(&self) -> bool {
        let (skeleton, envelope) = (self.skeleton.clone(), self.envelope.clone());
        let mail = dme_mime::read(skeleton, envelope, &BodyView::default(), invitation);
        mail.is_ok_and(|mail| matches!(mail.kind, MailKind::SmimeSigned | MailKind::SmimeEncrypted))
    }

    /// The mail as the view asks.
    pub(crate) fn mail(self, view: &BodyView) -> Result<Mail, dme_mime::Error> {
        let size = self.envelope.size;
        let mut mail = dme_mime::read(self.skeleton, self.envelope.clone(), view, invitation)?;
        mail.size = size;
        for attachment in &mut mail.attachments {
            if let Some(size) = self.cut.get(&attachment.part) {
                attachment.size = *size;
            }
        }
        match &mut mail.body {
            Some(body) if body.kind == BodyKind::Mime => {
                let real = dme_mime::read(self.beginning, self.envelope, view, invitation)?;
                if let Some(real) = real.body {
                    *body = real;
                }
                body.full_size = size;
                body.truncated |= (body.data.len() as u64) < size;
            }
            Some(body) => {
                // A text that was cut is as long as its part, about.
                let attached: Vec<_> = mail.attachments.iter().map(|it| &it.part).collect();
                let text = self.cut.iter().filter(|(part, _)| !attached.contains(part));
                let longest = text.map(|(_, size)| *size).filter(|size| *size > TEXT).max();
                if let Some(longest) = longest.filter(|longest| *longest > body.full_size) {
                    body.full_size = longest;
                    body.truncated = true;
                }
            }
            None => {}
        }
        Ok(mail)
    }
}

fn body(fetch: &Fetch, section: &str) -> Bytes {
    let found = fetch.bodies.iter().find(|(name, _)| name.eq_ignore_ascii_case(section));
    found.map(|(_, content)| content.clone()).unwrap_or_default()
}

/// The paths of the parts in a multipart: `1`, `2`, `2.1`.
fn paths(structure: &Structure, at: &str) -> Vec<String> {
    let Structure::Multipart { parts, .. } = structure else { return Vec::new() };
    let mut all = Vec::new();
    for (part, path) in parts.iter().zip(inner_paths(at)) {
        if all.len() >= MAX_PARTS {
            break;
        }
        let inner = paths(part, &path);
        all.push(path);
        all.extend(inner);
    }
    all
}

fn inner_paths(at: &str) -> impl Iterator<Item = String> + use<> {
    let at = if at.is_empty() { String::new() } else { format!("{at}.") };
    (1..).map(move |number| format!("{at}{number}"))
}

/// Decides what is read of each part.
fn collect(structure: &Structure, at: &str, pieces: &mut Vec<Piece>) {
    match structure {
        Structure::Multipart { parts, .. } => {
            for (part, path) in parts.iter().zip(inner_paths(at)) {
                collect(part, &path, pieces);
            }
        }
        Structure::Single { media_type, encoding, size, attached } => {
            let path = if at.is_empty() { "1".to_owned() } else { at.to_owned() };
            let text = media_type.starts_with("text/") && !attached;
            let fetched = match (*size <= SMALL, text) {
                (true, _) => Fetched::All,
                (false, true) if *size <= TEXT => Fetched::All,
                (false, true) => Fetched::Beginning,
                (false, false) => Fetched::Nothing,
            };
            // 57 bytes make a base64 line of 78 with its end.
            let size =
                if encoding == "base64" { size / 78 * 57 + size % 78 * 3 / 4 } else { *size };
            if pieces.len() < MAX_PARTS {
                pieces.push(Piece { path, fetched, size });
            }
        }
    }
}

/// Writes a part's content; its header is written already.
fn compose(structure: &Structure, at: &str, contents: &Fetch, out: &mut Vec<u8>) {
    match structure {
        Structure::Single { .. } => {
            let path = if at.is_empty() { "1" } else { at };
            out.extend_from_slice(&body(contents, path));
        }
        Structure::Multipart { parts, boundary: Some(boundary) } => {
            for (part, path) in parts.iter().zip(inner_paths(at)) {
                out.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
                let header = body(contents, &format!("{path}.MIME"));
                out.extend_from_slice(&header);
                if !header.ends_with(b"\r\n\r\n") && header.as_ref() != b"\r\n" {
                    out.extend_from_slice(b"\r\n");
                }
                compose(part, &path, contents, out);
            }
            out.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        }
        Structure::Multipart { boundary: None, .. } => {}
    }
}

/// One part of a message as a message of its own, of which it is part 1.
pub(crate) async fn part_alone(
    session: &mut Session,
    uid: u32,
    part: &PartId,
) -> Result<Bytes, WireError> {
    let path = part.as_str();
    let is_path = !path.is_empty()
        && path.len() < 200
        && path.split('.').all(|n| n.parse::<u16>().is_ok_and(|n| n > 0));
    if !is_path {
        return Err(local(ErrorKind::NotFound, "no such part"));
    }
    let items = format!("BODY.PEEK[{path}.MIME] BODY.PEEK[{path}]");
    let fetch = sections(session, uid, &items).await?;
    let (header, content) = (body(&fetch, &format!("{path}.MIME")), body(&fetch, path));
    if header.is_empty() && content.is_empty() {
        return Err(local(ErrorKind::NotFound, "no such part"));
    }
    let mut alone = Vec::with_capacity(header.len() + content.len() + 2);
    alone.extend_from_slice(&header);
    if !header.ends_with(b"\r\n\r\n") && header.as_ref() != b"\r\n" {
        alone.extend_from_slice(b"\r\n");
    }
    alone.extend_from_slice(&content);
    Ok(alone.into())
}
