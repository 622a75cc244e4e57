//! The record: JSON with raw bytes beside it.
//!
//! ```text
//! record = head-length:u32  blob-length:u32  head  blob        (big-endian; RFC 8259 JSON head)
//! ```
//!
//! Bodies and messages travel as the blob, never in base64. A record may be packed
//! ([`super::packing`]). A reader trusts no length: it buffers
//! only what has arrived, and refuses what is over its limits before that.

use super::packing;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest head: a listing of some 300,000 items with long names.
pub(crate) const MAX_HEAD: u32 = 32 << 20;
/// The largest blob: larger than any mail system's message limit seen in use (150 MiB).
pub(crate) const MAX_BLOB: u32 = 256 << 20;
/// The largest head before the other side is known to be whom we trust.
pub(crate) const MAX_HELLO: u32 = 64 << 10;

const PREFIX: usize = 8;

/// How large a record may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the head.
    pub head: u32,
    /// Bytes of the blob.
    pub blob: u32,
    /// Bytes of both in a packed record; none where nothing may be packed.
    pub packed: Option<u32>,
}

impl Limits {
    pub(crate) const CALL: Self =
        Self { head: MAX_HEAD, blob: MAX_BLOB, packed: Some(packing::MOST) };
    pub(crate) const HELLO: Self = Self { head: MAX_HELLO, blob: 0, packed: None };
}

/// One record as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The JSON.
    pub head: Bytes,
    /// The bytes beside it.
    pub blob: Bytes,
}

/// Why bytes are not a record.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RecordError {
    /// It says that it is larger than allowed.
    #[error("a record of {head} and {blob} bytes is over the limit")]
    TooLarge {
        /// Bytes of the head.
        head: u32,
        /// Bytes of the blob.
        blob: u32,
    },
    /// The head is too large to be written.
    #[error("a message of {0} bytes is too large for the link")]
    Unwritable(usize),
    /// The head is not the JSON that is due here.
    #[error("a record that makes no sense: {0}")]
    Json(String),
    /// It is packed, but not as it says.
    #[error("a packed record that does not unpack to what it says")]
    Packed,
    /// The bytes end within a record.
    #[error("the stream ended within a record")]
    CutShort,
}

impl Record {
    /// Reads the head.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, RecordError> {
        // The words of serde_json may quote what was read, which may be a secret.
        serde_json::from_slice(&self.head).map_err(|error| {
            let (kind, column) = (error.classify(), error.column());
            RecordError::Json(format!("{kind:?} error at byte {column}"))
        })
    }
}

/// Writes a record up to its blob, which follows as it is.
pub(crate) fn write<T: Serialize>(head: &T, blob_length: usize) -> Result<Bytes, RecordError> {
    let mut out = BytesMut::with_capacity(256).writer();
    out.get_mut().put_bytes(0, PREFIX);
    serde_json::to_writer(&mut out, head).map_err(|error| RecordError::Json(error.to_string()))?;
    let mut out = out.into_inner();
    let head_length = length(out.len() - PREFIX, MAX_HEAD)?;
    let blob_length = length(blob_length, MAX_BLOB)?;
    if let Some(mut prefix) = out.get_mut(..PREFIX) {
        prefix.put_u32(head_length);
        prefix.put_u32(blob_length);
    }
    Ok(out.freeze())
}

fn length(length: usize, limit: u32) -> Result<u32, RecordError> {
    match u32::try_from(length) {
        Ok(fits) if fits <= limit => Ok(fits),
        _ => Err(RecordError::Unwritable(length)),
    }
}

/// Puts records together from the pieces in which they arrive.
#[derive(Debug)]
pub struct Assembler {
    limits: Limits,
    /// What has arrived and is not yet a whole record.
    buffer: BytesMut,
    /// A piece that came while the buffer was empty: records are cut from it without a copy.
    piece: Bytes,
}

impl Assembler {
    /// For records within the limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits, buffer: BytesMut::new(), piece: Bytes::new() }
    }

    /// Takes the next bytes. Cheapest when [`Assembler::next`] has nothing more to give.
    pub fn push(&mut self, piece: Bytes) {
        if self.buffer.is_empty() && self.piece.is_empty() {
            self.piece = piece;
            return;
        }
        let before = std::mem::take(&mut self.piece);
        self.buffer.extend_from_slice(&before);
        self.buffer.extend_from_slice(&piece);
    }

    /// How many bytes the record at the beginning lacks to be whole; at least its prefix.
    pub(crate) fn missing(&self) -> Result<usize, RecordError> {
        let arrived = if self.piece.is_empty() { &self.buffer[..] } else { &self.piece[..] };
        let total = Shape::of(arrived, self.limits)?.map_or(PREFIX, |shape| shape.total);
        Ok(total.saturating_sub(arrived.len()))
    }

    /// The next whole record, if it has arrived.
    ///
    /// # Errors
    /// When the record is over the limits; nothing after it can be read then.
    pub fn next(&mut self) -> Result<Option<Record>, RecordError> {
        if !self.piece.is_empty() {
            match Shape::of(&self.piece, self.limits)? {
                Some(shape) if self.piece.len() >= shape.total => {
                    return shape.take(self.piece.split_to(shape.total)).map(Some);
                }
                // Never reserve by what a length says beyond what is likely to come at once.
                known => {
                    self.buffer.reserve(known.map_or(PREFIX, |shape| shape.total.min(RESERVE)));
                }
            }
            let piece = std::mem::take(&mut self.piece);
            self.buffer.extend_from_slice(&piece);
            return Ok(None);
        }
        match Shape::of(&self.buffer, self.limits)? {
            Some(shape) if self.buffer.len() >= shape.total => {
                let record = self.buffer.split_to(shape.total).freeze();
                // What is left goes on without a copy.
                self.piece = std::mem::take(&mut self.buffer).freeze();
                shape.take(record).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Whether every byte was part of a whole record.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.piece.is_empty()
    }
}

/// How much is reserved for a record whose end has not arrived.
const RESERVE: usize = 1 << 20;

/// The lengths that stand before a record.
#[derive(Clone, Copy, Debug)]
struct Shape {
    head: usize,
    blob: usize,
    packed: bool,
    /// Bytes of all of it, as it crosses.
    total: usize,
}

impl Shape {
    /// Of the record at the beginning, once its lengths have arrived.
    fn of(bytes: &[u8], limits: Limits) -> Result<Option<Self>, RecordError> {
        let Some(mut prefix) = bytes.get(..PREFIX) else { return Ok(None) };
        let (marked, blob) = (prefix.get_u32(), prefix.get_u32());
        let (head, packed) = match limits.packed {
            Some(_) => (marked & !packing::MARK, marked & packing::MARK != 0),
            None => (marked, false),
        };
        let too_large = Err(RecordError::TooLarge { head, blob });
        if head > limits.head || blob > limits.blob {
            return too_large;
        }
        let content = head.saturating_add(blob);
        let (head, blob) = (head as usize, blob as usize);
        if !packed {
            return Ok(Some(Self { head, blob, packed, total: PREFIX + head + blob }));
        }
        let Some(mut rest) = bytes.get(PREFIX..packing::PREFIX) else { return Ok(None) };
        let length = rest.get_u32();
        // What is packed is smaller than it was.
        if limits.packed.is_none_or(|limit| content > limit) || length > content {
            return too_large;
        }
        Ok(Some(Self { head, blob, packed, total: packing::PREFIX + length as usize }))
    }

    /// The record, of exactly its bytes.
    fn take(self, mut bytes: Bytes) -> Result<Record, RecordError> {
        if self.packed {
            bytes.advance(packing::PREFIX);
            bytes = packing::unpack(&bytes, self.head + self.blob)?;
        } else {
            bytes.advance(PREFIX);
        }
        let blob = bytes.split_off(self.head);
        Ok(Record { head: bytes, blob })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes_of(head: &str, blob: &[u8]) -> Vec<u8> {
        let mut out = write(&head, blob.len()).unwrap().to_vec();
        out.extend_from_slice(blob);
        out
    }

    proptest! {
        #[test]
        fn records_come_out_as_they_went_in_however_they_are_cut(
            records in prop::collection::vec((".{0,40}", prop::collection::vec(any::<u8>(), 0..80)), 0..8),
            cuts in prop::collection::vec(1_usize..40, 1..50),
        ) {
            let mut wire = Bytes::from(
                records.iter().flat_map(|(head, blob)| bytes_of(head, blob)).collect::<Vec<u8>>(),
            );
            let mut assembler = Assembler::new(Limits::CALL);
            let mut read = Vec::new();
            let mut cuts = cuts.iter().cycle();
            while !wire.is_empty() {
                let cut = wire.len().min(*cuts.next().unwrap());
                assembler.push(wire.split_to(cut));
                while let Some(record) = assembler.next().unwrap() {
                    read.push((record.parse::<String>().unwrap(), record.blob.to_vec()));
                }
            }
            prop_assert!(assembler.is_empty());
            prop_assert_eq!(read, records);
        }

        #[test]
        fn no_bytes_make_the_assembler_panic_or_hoard(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..8),
        ) {
            let mut assembler = Assembler::new(Limits { head: 32, blob: 32, packed: Some(48) });
            'pieces: for piece in pieces {
                assembler.push(piece.into());
                loop {
                    match assembler.next() {
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(_) => break 'pieces,
                    }
                }
                prop_assert!(assembler.buffer.len() + assembler.piece.len() < PREFIX + 64);
            }
        }
    }

    #[test]
    fn a_record_over_the_limit_is_refused_before_it_arrives() {
        let mut assembler = Assembler::new(Limits::HELLO);
        assembler.push(Bytes::from_static(&[0, 2, 0, 0, 0, 0, 0, 0]));
        assert_eq!(assembler.next(), Err(RecordError::TooLarge { head: 0x2_0000, blob: 0 }));
        assert!(matches!(write(&"", 1 << 30), Err(RecordError::Unwritable(_))));
    }
}
