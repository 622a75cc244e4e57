//! Mails that we write ourselves: the quarantine notice, the demo's new mail.

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
    let _ = notice;
    Bytes::new()
}
