//! From bytes to a neutral mail: by a reader given from outside, or by a small one for plain text.
//!
//! This crate stands beside `mime`, not above it, so whoever wants real MIME in the in-memory mail
//! system hands its reader in.

use crate::PartContent;
use bytes::Bytes;
use dme_model::{
    Address, Body, BodyKind, BodyView, ConversationId, Flags, Mail, MimeSupport, PartId, Timestamp,
};

/// Reads messages for the in-memory mail system.
pub trait MessageReader: Send + Sync {
    /// The message as the view asks.
    ///
    /// # Errors
    /// Why it cannot be converted, without any of its content (rule S5).
    fn read(
        &self,
        message: &Bytes,
        flags: &Flags,
        received: Timestamp,
        view: &BodyView,
    ) -> Result<Mail, String>;

    /// The decoded content of a part; none where the message has no such part.
    fn part(&self, message: &Bytes, part: &PartId) -> Option<PartContent>;
}

/// Knows messages of one part of plain UTF-8 text, without encoded words or transfer encodings.
/// The only part is `1`. A message with the header `X-Broken` cannot be converted.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainReader;

impl MessageReader for PlainReader {
    fn read(
        &self,
        message: &Bytes,
        flags: &Flags,
        received: Timestamp,
        view: &BodyView,
    ) -> Result<Mail, String> {
        if header(message, "X-Broken").is_some() {
            return Err("marked as broken".into());
        }
        let text = text(message);
        let subject = header(message, "Subject").unwrap_or_default();
        let preview = view.preferences.iter().find_map(|preference| preference.preview);
        Ok(Mail {
            from: addresses(message, "From"),
            to: addresses(message, "To"),
            cc: addresses(message, "Cc"),
            bcc: addresses(message, "Bcc"),
            thread_topic: subject.trim_start_matches("Re: ").to_owned(),
            subject,
            received,
            message_id: message_id(message),
            conversation: conversation(message),
            flags: flags.clone(),
            size: message.len() as u64,
            native: Some(BodyKind::Plain),
            body: body(message, &text, view),
            preview: preview.map(|count| text.chars().take(count.into()).collect()),
            ..Mail::default()
        })
    }

    fn part(&self, message: &Bytes, part: &PartId) -> Option<PartContent> {
        (part.as_str() == "1").then(|| {
            let data = Bytes::from(text(message));
            PartContent {
                media_type: "text/plain".into(),
                name: None,
                full_size: data.len() as u64,
                data,
            }
        })
    }
}

fn body(message: &Bytes, text: &str, view: &BodyView) -> Option<Body> {
    let wanted = |kind| view.preferences.iter().find(|preference| preference.kind == kind);
    let mime = wanted(BodyKind::Mime).filter(|_| view.mime == MimeSupport::Always);
    let preference = mime.or_else(|| wanted(BodyKind::Plain)).or_else(|| wanted(BodyKind::Html))?;
    let whole = match preference.kind {
        BodyKind::Mime => message.clone(),
        BodyKind::Plain => Bytes::copy_from_slice(text.as_bytes()),
        BodyKind::Html => {
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
            Bytes::from(format!("<pre>{escaped}</pre>"))
        }
    };
    let limit = preference.truncation.and_then(|limit| usize::try_from(limit).ok());
    let truncated = limit.is_some_and(|limit| whole.len() > limit);
    let data = match limit {
        Some(_) if truncated && preference.all_or_none => Bytes::new(),
        Some(limit) if truncated => whole.slice(..character_border(&whole, limit)),
        _ => whole.clone(),
    };
    Some(Body { kind: preference.kind, data, truncated, full_size: whole.len() as u64 })
}

/// The last border of a UTF-8 character at or before `at`.
fn character_border(bytes: &[u8], at: usize) -> usize {
    let continues = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    (0..=at).rev().find(|at| !continues(*at)).unwrap_or(0)
}

/// The head with its last line end, and the text after the empty line.
fn split(message: &[u8]) -> (String, String) {
    let whole = String::from_utf8_lossy(message).replace("\r\n", "\n");
    match whole.split_once("\n\n") {
        Some((head, text)) => (format!("{head}\n"), text.replace('\n', "\r\n")),
        None => (whole, String::new()),
    }
}

pub(super) fn text(message: &[u8]) -> String {
    split(message).1
}

/// The first header of that name, unfolded.
pub(super) fn header(message: &[u8], name: &str) -> Option<String> {
    let unfolded = split(message).0.replace("\n ", " ").replace("\n\t", " ");
    unfolded.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// The id without its brackets.
pub(super) fn message_id(message: &[u8]) -> Option<String> {
    header(message, "Message-ID").map(|id| id.trim_matches(['<', '>']).to_owned())
}

pub(super) fn addresses(message: &[u8], name: &str) -> Vec<Address> {
    let listed = header(message, name).unwrap_or_default();
    let one = |text: &str| match text.trim().rsplit_once('<') {
        Some((name, email)) => {
            let name = name.trim().trim_matches('"');
            Address {
                name: (!name.is_empty()).then(|| name.to_owned()),
                email: email.trim_end_matches('>').to_owned(),
            }
        }
        None => Address { name: None, email: text.trim().to_owned() },
    };
    listed.split(',').filter(|text| !text.trim().is_empty()).map(one).collect()
}

/// The thread's first id, hashed (128-bit FNV-1a; the `mime` crate has the hash that counts).
pub(super) fn conversation(message: &[u8]) -> Option<ConversationId> {
    let root = ["References", "In-Reply-To", "Message-ID"]
        .iter()
        .find_map(|name| header(message, name)?.split_whitespace().next().map(str::to_owned))?;
    let offset = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    let hash = root.bytes().fold(offset, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    Some(ConversationId(hash.to_be_bytes()))
}

/// What goes out for a submission: the phone's message with `From` and `Message-ID` if it had none,
/// and the original's text below it where the mail system is to add it.
pub(super) fn compose(
    message: &[u8],
    sender: &str,
    made_up_id: &str,
    original: Option<&[u8]>,
) -> Bytes {
    let (mut head, mut text) = split(message);
    if header(message, "From").is_none() {
        head.push_str(&format!("From: {sender}\n"));
    }
    if message_id(message).is_none() {
        head.push_str(&format!("Message-ID: <{made_up_id}>\n"));
    }
    if let Some(original) = original {
        text.push_str("\r\n-----Original Message-----\r\n");
        text.push_str(&self::text(original));
    }
    Bytes::from(format!("{}\r\n{text}", head.replace('\n', "\r\n")))
}

/// The message without its hidden recipients, as others get it.
pub(super) fn without_bcc(message: &[u8]) -> Bytes {
    let (head, text) = split(message);
    let folded = head.replace("\n ", " ").replace("\n\t", " ");
    let shown = folded.lines().filter(|line| !line.to_lowercase().starts_with("bcc:"));
    let head: String = shown.flat_map(|line| [line, "\r\n"]).collect();
    Bytes::from(format!("{head}\r\n{text}"))
}
