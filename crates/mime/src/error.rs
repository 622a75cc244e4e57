//! What can go wrong with a message.

use dme_model::PartId;

/// Why a message could not be read, cut up or finished. None of them names any of the content.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// Nothing there.
    #[error("the message is empty")]
    Empty,
    /// Beyond [`crate::MAX_MESSAGE`].
    #[error("the message has {0} bytes, more than {max} are not read", max = crate::MAX_MESSAGE)]
    TooLarge(u64),
    /// No part has this id.
    #[error("the message has no part {0}")]
    NoSuchPart(PartId),
    /// There are more fields than are looked at, or one that would have to be read to be sent is
    /// longer than is read: what is beyond would be lost, recipients among it.
    #[error("the header is too large to be sent whole")]
    HeaderTooLarge,
    /// To, Cc and Bcc are empty.
    #[error("the message has no recipient")]
    NoRecipient,
    /// A header of the message cannot go out: a line that is no header field, or a name or
    /// address with a line break or control character in it.
    #[error("the header field {0} cannot be sent as it is")]
    BadHeader(&'static str),
}
