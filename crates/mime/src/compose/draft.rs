//! Drafts of EAS 16.0 on: made and changed property by property (MS-ASEMAIL 3.1.4.x).

use crate::Error;
use bytes::Bytes;
use dme_model::{Address, BodyKind, Importance, PartId, Timestamp};

/// A file to attach.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewAttachment {
    /// Its file name.
    pub name: String,
    /// Its media type; none for `application/octet-stream`.
    pub media_type: Option<String>,
    /// Its `Content-ID` without the brackets, where the text shows it.
    pub content_id: Option<String>,
    /// Its content.
    pub data: Bytes,
}

/// What changes of a draft; what is `None` stays as it was.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DraftChange {
    /// The author, for a new draft.
    pub from: Option<Address>,
    /// Receivers.
    pub to: Option<Vec<Address>>,
    /// Receivers of a copy.
    pub cc: Option<Vec<Address>>,
    /// Hidden receivers.
    pub bcc: Option<Vec<Address>>,
    /// Where answers go.
    pub reply_to: Option<Vec<Address>>,
    /// The subject.
    pub subject: Option<String>,
    /// Urgency.
    pub importance: Option<Importance>,
    /// The text, as `Plain` or `Html`. With `Mime` the data is a whole message whose text and
    /// attachments are taken.
    pub body: Option<(BodyKind, Bytes)>,
    /// Files added.
    pub attach: Vec<NewAttachment>,
    /// Attachments of the old draft taken off.
    pub detach: Vec<PartId>,
}

/// The draft with the change made to it, or a new one. `now` becomes its `Date`; `seed` its
/// `Message-ID` where it has none, as for [`super::finish`].
///
/// # Errors
/// [`Error::NoSuchPart`] where `detach` names none; [`Error::TooLarge`].
pub fn draft(
    old: Option<&Bytes>,
    change: &DraftChange,
    now: Timestamp,
    seed: &str,
) -> Result<Bytes, Error> {
    let _ = (old, change, now, seed);
    Err(Error::Empty)
}
