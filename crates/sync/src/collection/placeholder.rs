//! What a phone is shown in place of a mail that cannot be read (rule S5).

use bytes::Bytes;
use dme_model::{Body, BodyKind, BodyView, Mail, Timestamp};

const SUBJECT: &str = "This message cannot be shown";
const TEXT: &str = "This message is in your mailbox, but it cannot be read well enough to be shown \
     on this device. Please open it with another mail program.";

/// A mail that says so, in a form the view accepts.
pub(super) fn placeholder(now: Timestamp, view: &BodyView) -> Mail {
    let accepts = |kind| view.preferences.iter().any(|preference| preference.kind == kind);
    let kind = match () {
        () if view.preferences.is_empty() => None,
        () if accepts(BodyKind::Plain) || !accepts(BodyKind::Html) => Some(BodyKind::Plain),
        () => Some(BodyKind::Html),
    };
    let body = kind.map(|kind| {
        let data = match kind {
            BodyKind::Html => Bytes::from(format!("<html><body><p>{TEXT}</p></body></html>")),
            BodyKind::Plain | BodyKind::Mime => Bytes::from_static(TEXT.as_bytes()),
        };
        let full_size = data.len() as u64;
        Body { kind, data, truncated: false, full_size }
    });
    Mail {
        subject: SUBJECT.into(),
        thread_topic: SUBJECT.into(),
        received: now,
        native: Some(BodyKind::Plain),
        body,
        ..Mail::default()
    }
}
