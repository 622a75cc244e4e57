//! Mails that we write ourselves: the quarantine notice, the demo's new mail.

use super::{assemble::Content, write};
use crate::html;
use bytes::Bytes;
use dme_model::{Address, Timestamp};

/// What a notice says. The text is plain, paragraphs parted by an empty line; it is sent as plain
/// text and as HTML.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// From whom.
    pub from: Address,
    /// To whom.
    pub to: Address,
    /// What about.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// When.
    pub now: Timestamp,
    /// Makes its `Message-ID`: the same seed, the same id.
    pub seed: String,
}

/// The message. Line breaks and control characters in names and subject become spaces.
pub fn notice(notice: &Notice) -> Bytes {
    let mut out = Vec::with_capacity(notice.text.len() * 3 + 1024);
    write::address_field("From", std::slice::from_ref(&notice.from), &mut out);
    write::address_field("To", std::slice::from_ref(&notice.to), &mut out);
    write::text_field("Subject", &notice.subject, &mut out);
    write::date_field(notice.now.as_seconds(), &mut out);
    let id = write::new_message_id(&notice.seed, &notice.from.email);
    write::ids_field("Message-ID", std::slice::from_ref(&id), &mut out);
    // So that no absence notice answers it (RFC 3834 §5).
    write::raw_field("Auto-Submitted", "auto-generated", &mut out);
    let content = Content {
        plain: Some(notice.text.clone()),
        html: Some(html::from_text(&notice.text)),
        ..Content::default()
    };
    content.write(&id, &mut out);
    out.into()
}
