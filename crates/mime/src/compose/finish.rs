//! Makes a phone's message fit to be sent (RFC 5322 §3.6, RFC 6409 §8).

use crate::Error;
use bytes::Bytes;
use dme_model::{Address, Timestamp};

/// What a message lacks is taken from here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finish {
    /// The author, where the message names none.
    pub from: Address,
    /// The time, where it has no `Date`.
    pub now: Timestamp,
    /// Makes the `Message-ID` where it has none: the same seed and author give the same id, so
    /// that a repeated request is known (rule S2). The submission's key is a good one.
    pub seed: String,
}

/// A message ready to go out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finished {
    /// What is transmitted: without `Bcc`.
    pub message: Bytes,
    /// What is filed in Sent: with `Bcc`. Shares memory with `message` where there is none.
    pub sent_copy: Bytes,
    /// Its `Message-ID` without the brackets.
    pub message_id: String,
    /// The first author's address.
    pub from: String,
    /// To, Cc and Bcc, each once, in that order. Never empty.
    pub recipients: Vec<String>,
}

/// Adds what is missing, takes out `Bcc`, ends every line with CRLF. What stands between the
/// header and the end is otherwise left as it is, so that signatures hold.
///
/// # Errors
/// [`Error::NoRecipient`], [`Error::BadHeader`], [`Error::Empty`], [`Error::TooLarge`].
pub fn finish(raw: &Bytes, finish: &Finish) -> Result<Finished, Error> {
    let _ = (raw, finish);
    Err(Error::NoRecipient)
}
