//! Made-up but realistic mailboxes for the demo, tests and benchmarks; the same seed gives the
//! same bytes.

use bytes::Bytes;
use dme_model::{Address, Flags, Role, Timestamp};
use std::ops::RangeInclusive;

/// One message of a sample mailbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SampleMail {
    /// Where it lies.
    pub folder: SampleFolder,
    /// Its marks.
    pub flags: Flags,
    /// When it arrived.
    pub received: Timestamp,
    /// The message.
    pub raw: Bytes,
}

/// Where a sample message lies.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SampleFolder {
    /// A special folder.
    Role(Role),
    /// A folder of the user's own, by its name.
    Named(&'static str),
}

/// How large the messages are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sizes {
    /// As in life: most of a few kB, some with large attachments.
    Realistic,
    /// Each within these bounds, in bytes; text and HTML are lengthened.
    Within(RangeInclusive<usize>),
}

/// A mailbox of `count` messages, oldest first, the newest shortly before `now`.
pub fn mailbox(
    owner: &Address,
    seed: u64,
    now: Timestamp,
    count: usize,
    sizes: Sizes,
) -> Vec<SampleMail> {
    let _ = (owner, seed, now, count, sizes);
    Vec::new()
}
