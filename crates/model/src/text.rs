//! The notes of an event, contact, task or note.

use crate::BodyKind;
use serde::{Deserialize, Serialize};

/// A text of an item that is no mail, or as much of it as was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Text {
    /// Plain or HTML, never MIME.
    pub kind: BodyKind,
    /// The content.
    pub text: String,
    /// Whether content is missing at the end.
    pub truncated: bool,
    /// The size of the whole in bytes, in this form.
    pub full_size: u64,
}

impl Text {
    /// A whole text in this form.
    pub fn whole(kind: BodyKind, text: impl Into<String>) -> Self {
        let text = text.into();
        let full_size = text.len() as u64;
        Self { kind, text, truncated: false, full_size }
    }

    /// A whole plain text.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::whole(BodyKind::Plain, text)
    }
}
