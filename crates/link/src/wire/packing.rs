//! Records made small with zstd (RFC 8878), for lines that are paid by volume.
//!
//! ```text
//! packed record = (head-length | 2^31):u32  blob-length:u32  packed-length:u32  packed
//! ```
//!
//! Unpacked, the last is the head and the blob as they would stand in a plain record. Both ends
//! agree on it in their first words; a reader from before it takes such a record for one that is
//! too large. Each record is packed alone, and none in which credentials stand: what is beside a
//! secret in one packing tells of it by its length. A record says how large it will be, which is
//! held against the limits before anything is unpacked, and no more than that is ever unpacked.

use super::record::RecordError;
use bytes::{BufMut, Bytes, BytesMut};
use std::collections::VecDeque;
use std::io::{Read, Write};

/// What two ends call it in their first words.
const ZSTD: &str = "zstd";

/// Whether records are packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Packing {
    /// They go as they are.
    #[default]
    Plain,
    /// With zstd, where that makes them smaller.
    Zstd,
}

/// The mark in a record's first length.
pub(super) const MARK: u32 = 1 << 31;
/// The bytes before a packed record's content.
pub(super) const PREFIX: usize = 12;
/// The largest head and blob together that are packed. What is larger goes as it is.
pub(crate) const MOST: u32 = 16 << 20;
/// Below this there is nothing to be won.
const LEAST: usize = 160;
/// zstd's own default: text to a third, faster than any line that is paid by volume.
const LEVEL: i32 = 3;

impl Packing {
    /// Its name, where there is something to agree on.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Zstd => Some(ZSTD),
        }
    }

    /// The one that is known here of those with these names.
    pub(crate) fn known<'a>(names: impl IntoIterator<Item = &'a String>) -> Self {
        let zstd = names.into_iter().any(|name| name == ZSTD);
        if zstd { Self::Zstd } else { Self::Plain }
    }

    /// One record in the pieces it is to be sent in.
    pub(crate) fn pack(self, plain: VecDeque<Bytes>) -> VecDeque<Bytes> {
        match self {
            Self::Plain => plain,
            Self::Zstd => match packed(&plain) {
                Some(packed) => [packed].into(),
                None => plain,
            },
        }
    }
}

/// The record packed, where that makes it smaller.
fn packed(plain: &VecDeque<Bytes>) -> Option<Bytes> {
    let whole: usize = plain.iter().map(Bytes::len).sum();
    let (lengths, first) = plain.front()?.split_first_chunk::<8>()?;
    let content = whole.checked_sub(lengths.len())?;
    if content < LEAST || content > MOST as usize {
        return None;
    }
    let mut out = BytesMut::with_capacity(PREFIX + content / 2).writer();
    let [a, b, c, d, blob @ ..] = *lengths;
    out.get_mut().put_u32(u32::from_be_bytes([a, b, c, d]) | MARK);
    out.get_mut().put_slice(&blob);
    out.get_mut().put_u32(0);
    let mut encoder = zstd::stream::write::Encoder::new(out, LEVEL).ok()?;
    encoder.set_pledged_src_size(u64::try_from(content).ok()).ok()?;
    // The record says it already.
    encoder.include_contentsize(false).ok()?;
    encoder.write_all(first).ok()?;
    for piece in plain.iter().skip(1) {
        encoder.write_all(piece).ok()?;
    }
    let mut out = encoder.finish().ok()?.into_inner();
    let length = out.len().checked_sub(PREFIX)?;
    if out.len() >= whole {
        return None;
    }
    out.get_mut(8..PREFIX)?.put_u32(u32::try_from(length).ok()?);
    Some(out.freeze())
}

/// Unpacks exactly so many bytes.
pub(super) fn unpack(packed: &[u8], size: usize) -> Result<Bytes, RecordError> {
    let broken = |_| RecordError::Packed;
    let mut decoder = zstd::stream::read::Decoder::new(packed).map_err(broken)?.single_frame();
    // A window larger than what may be in the record is a lie.
    decoder.window_log_max(WINDOW).map_err(broken)?;
    // What it says is not believed for more than is likely to be there.
    let mut out = Vec::with_capacity(size.min(packed.len().saturating_mul(8)));
    let limit = u64::try_from(size).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(limit).read_to_end(&mut out).map_err(broken)?;
    if out.len() == size { Ok(out.into()) } else { Err(RecordError::Packed) }
}

/// The logarithm of the largest window that is needed for [`MOST`] bytes.
const WINDOW: u32 = MOST.ilog2();

#[cfg(test)]
mod tests {
    use super::super::body::pieces;
    use super::super::record::{Assembler, Limits};
    use super::*;
    use proptest::prelude::*;

    fn read(wire: &[u8], limits: Limits) -> Result<Option<(String, Bytes)>, RecordError> {
        let mut assembler = Assembler::new(limits);
        for piece in wire.chunks(7) {
            assembler.push(Bytes::copy_from_slice(piece));
            if let Some(record) = assembler.next()? {
                assert!(assembler.is_empty());
                return Ok(Some((record.parse()?, record.blob)));
            }
        }
        Ok(None)
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_out_as_it_went_in(
            head in "[a-c]{0,500}",
            blobs in prop::collection::vec(prop::collection::vec(0_u8..4, 0..400), 0..4),
        ) {
            let blob = blobs.concat();
            let plain = pieces(&head, blobs.into_iter().map(Bytes::from)).unwrap();
            let plain_size: usize = plain.iter().map(Bytes::len).sum();
            let packed = Packing::Zstd.pack(plain).into_iter().flatten().collect::<Vec<u8>>();
            prop_assert!(packed.len() <= plain_size);
            prop_assert!(plain_size < 500 || packed.len() < plain_size / 2);
            let (read_head, read_blob) = read(&packed, Limits::CALL).unwrap().unwrap();
            prop_assert_eq!((read_head, read_blob.to_vec()), (head, blob));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(
            lengths in (0_u32..1000, 0_u32..1000, 0_u32..100),
            content in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let _ = read(&frame(lengths.0, lengths.1, lengths.2, &content), Limits::CALL);
        }
    }

    fn frame(head: u32, blob: u32, length: u32, content: &[u8]) -> Vec<u8> {
        let lengths = [head | MARK, blob, length];
        [&lengths.map(u32::to_be_bytes).concat(), content].concat()
    }

    #[test]
    fn what_would_not_become_smaller_goes_as_it_is() {
        let mut noise = vec![0; 10_000];
        aws_lc_rs::rand::fill(&mut noise).unwrap();
        let large = Bytes::from(vec![0; MOST as usize]);
        for blob in [Bytes::from_static(b"short"), noise.into(), large] {
            let plain = pieces(&"head", [blob]).unwrap();
            assert_eq!(Packing::Zstd.pack(plain.clone()), plain);
        }
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = zstd::bulk::compress(&vec![0; 8 << 20], LEVEL).unwrap();
        let length = u32::try_from(bomb.len()).unwrap();
        assert!(length < 1_000);
        // It holds more than it says, or less.
        for said in [5_000, 8 << 20, (8 << 20) + 1] {
            let wire = frame(2, said, length, &bomb);
            assert_eq!(read(&wire, Limits::CALL), Err(RecordError::Packed), "{said}");
        }
        // It says more than is allowed: refused before any of it has come.
        let wire = frame(2, MOST, length, &[]);
        assert!(matches!(read(&wire, Limits::CALL), Err(RecordError::TooLarge { .. })));
        // Before the other end is known nothing is unpacked.
        let wire = frame(2, 1, 3, &[]);
        assert!(matches!(read(&wire, Limits::HELLO), Err(RecordError::TooLarge { .. })));
    }
}
