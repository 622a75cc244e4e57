//! Change tokens: where a mailbox stood, in as few bytes as its server's memory allows.
//!
//! - `q1:validity:next:modseq` with QRESYNC: the server knows what changed and what went.
//! - `c1:validity:next:modseq:messages` with CONDSTORE alone: what went is found by comparing the
//!   UIDs there are; ids that never were are named too, which callers allow.
//! - `s1:validity:next:messages:unseen:chunks` with neither: hashes of at most [`MAX_CHUNKS`]
//!   stretches of messages with their flags. A stretch whose hash differs is told whole.
//! - `x1` for a name that holds no messages (`\Noselect`).

use crate::session::Memory;
use crate::wire::response::StatusOf;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use dme_mailbox::{ChangeToken, hash};

/// More stretches than this are not told apart; keeps a token below 16 KiB.
pub(crate) const MAX_CHUNKS: usize = 1024;
/// Bytes of a stretch in a token: its first UID and 48 bits of hash.
const CHUNK_BYTES: usize = 10;

/// A token, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Token {
    Qresync { validity: u32, next: u32, modseq: u64 },
    Condstore { validity: u32, next: u32, modseq: u64, messages: u32 },
    Snapshot { validity: u32, next: u32, messages: u32, unseen: u32, chunks: Vec<Chunk> },
    NoSelect,
}

/// A stretch of messages: from a UID to before the next stretch's first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Chunk {
    pub(crate) first: u32,
    pub(crate) hash: u64,
}

/// A message and its flags, for hashing.
pub(crate) type Marked = (u32, Vec<String>);

impl Token {
    /// What a mailbox's figures are worth as a token; none where the server remembers nothing.
    pub(crate) fn of(memory: Memory, status: &StatusOf) -> Option<Self> {
        let modseq = status.highest_modseq.filter(|modseq| *modseq > 0)?;
        let (validity, next) = (status.uid_validity?, status.uid_next?);
        match memory {
            Memory::Qresync => Some(Self::Qresync { validity, next, modseq }),
            Memory::Condstore => {
                Some(Self::Condstore { validity, next, modseq, messages: status.messages? })
            }
            Memory::None => None,
        }
    }

    /// A token of all messages and flags, ascending by UID.
    pub(crate) fn snapshot(status: &StatusOf, messages: &[Marked]) -> Self {
        let last = messages.last().map_or(0, |(uid, _)| *uid);
        let size = messages.len().div_ceil(MAX_CHUNKS).max(1);
        Self::Snapshot {
            validity: status.uid_validity.unwrap_or_default(),
            next: status.uid_next.unwrap_or_default().max(last.saturating_add(1)),
            messages: status.messages.unwrap_or_default(),
            unseen: status.unseen.unwrap_or_default(),
            chunks: messages.chunks(size).filter_map(chunk).collect(),
        }
    }

    pub(crate) fn validity(&self) -> Option<u32> {
        match self {
            Self::Qresync { validity, .. }
            | Self::Condstore { validity, .. }
            | Self::Snapshot { validity, .. } => Some(*validity),
            Self::NoSelect => None,
        }
    }

    /// Whether no message had ever been there: no UID was given out yet (RFC 9051 §2.3.1.1).
    pub(crate) fn is_of_unused_folder(&self) -> bool {
        match self {
            Self::Qresync { next, .. }
            | Self::Condstore { next, .. }
            | Self::Snapshot { next, .. } => *next == 1,
            Self::NoSelect => false,
        }
    }

    pub(crate) fn read(token: &ChangeToken) -> Option<Self> {
        let mut parts = token.0.split(':');
        let kind = parts.next()?;
        if kind == "x1" {
            return parts.next().is_none().then_some(Self::NoSelect);
        }
        let (validity, next) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let third = parts.next()?;
        let token = match kind {
            "q1" => Self::Qresync { validity, next, modseq: third.parse().ok()? },
            "c1" => Self::Condstore {
                validity,
                next,
                modseq: third.parse().ok()?,
                messages: parts.next()?.parse().ok()?,
            },
            "s1" => Self::Snapshot {
                validity,
                next,
                messages: third.parse().ok()?,
                unseen: parts.next()?.parse().ok()?,
                chunks: read_chunks(parts.next()?)?,
            },
            _ => return None,
        };
        parts.next().is_none().then_some(token)
    }

    pub(crate) fn write(&self) -> ChangeToken {
        ChangeToken(match self {
            Self::Qresync { validity, next, modseq } => format!("q1:{validity}:{next}:{modseq}"),
            Self::Condstore { validity, next, modseq, messages } => {
                format!("c1:{validity}:{next}:{modseq}:{messages}")
            }
            Self::Snapshot { validity, next, messages, unseen, chunks } => {
                let bytes: Vec<u8> = chunks
                    .iter()
                    .flat_map(|chunk| {
                        let [.., a, b, c, d, e, f] = chunk.hash.to_be_bytes();
                        chunk.first.to_be_bytes().into_iter().chain([a, b, c, d, e, f])
                    })
                    .collect();
                let chunks = BASE64.encode(bytes);
                format!("s1:{validity}:{next}:{messages}:{unseen}:{chunks}")
            }
            Self::NoSelect => "x1".to_owned(),
        })
    }
}

fn read_chunks(text: &str) -> Option<Vec<Chunk>> {
    let bytes = BASE64.decode(text).ok()?;
    let (chunks, rest) = bytes.as_chunks::<CHUNK_BYTES>();
    if !rest.is_empty() || chunks.len() > MAX_CHUNKS {
        return None;
    }
    let read = chunks.iter().map(|[a, b, c, d, hash @ ..]| {
        let hash = hash.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
        Chunk { first: u32::from_be_bytes([*a, *b, *c, *d]), hash }
    });
    Some(read.collect())
}

/// The stretch that these messages make.
fn chunk(messages: &[Marked]) -> Option<Chunk> {
    let mut sum = 0;
    for (uid, flags) in messages {
        let mut flags: Vec<_> = flags
            .iter()
            .map(|flag| flag.to_ascii_lowercase())
            .filter(|flag| flag != "\\recent")
            .collect();
        flags.sort_unstable();
        sum = hash::stable(sum, &[&uid.to_be_bytes(), flags.join(" ").as_bytes()]);
    }
    Some(Chunk { first: messages.first()?.0, hash: sum & 0xffff_ffff_ffff })
}

/// What differs between a snapshot and the messages there are now: UIDs that are new or may have
/// changed, and stretches of UIDs in which messages may be gone.
pub(crate) fn compare(chunks: &[Chunk], next: u32, now: &[Marked]) -> (Vec<u32>, Vec<(u32, u32)>) {
    let mut upserted = Vec::new();
    let mut suspect = Vec::new();
    let place = |uid: u32| now.partition_point(|(known, _)| *known < uid);
    let firsts = chunks.iter().map(|chunk| chunk.first).skip(1).chain([next]);
    for (known, end) in chunks.iter().zip(firsts) {
        let there = now.get(place(known.first)..place(end)).unwrap_or_default();
        if chunk(there) != Some(*known) {
            upserted.extend(there.iter().map(|(uid, _)| *uid));
            suspect.push((known.first, end.saturating_sub(1)));
        }
    }
    upserted.extend(now.get(place(next)..).unwrap_or_default().iter().map(|(uid, _)| *uid));
    (upserted, suspect)
}

#[cfg(test)]
mod tests;
