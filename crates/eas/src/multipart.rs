//! The multipart answer of ItemOperations (MS-ASCMD 2.2.1.10.1.1, `MultiPartResponse`): the WBXML
//! first, then the contents it refers to by `Part` number, so that a phone can read a large
//! attachment piecemeal and without base64.
//!
//! Layout, all numbers 32 bits little-endian: the count of parts, for each its offset from the
//! beginning and its length, then the parts.

use bytes::{Bytes, BytesMut};

/// The media type of such an answer (MS-ASHTTP 2.2.2.1.2).
pub const CONTENT_TYPE: &str = "application/vnd.ms-sync.multipart";

/// More parts than any request can ask for.
const MAX_PARTS: usize = 1024;

/// What is wrong with a multipart answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MultipartError {
    /// The bytes end before what the header promises.
    #[error("multipart answer ends early: its header promises more than there is")]
    Short,
    /// No part at all, or absurdly many.
    #[error("multipart answer has {0} parts, must have 1 to {MAX_PARTS}")]
    Count(u32),
    /// More than 4 GiB in all.
    #[error("multipart answer is larger than its 32-bit offsets can say")]
    TooLarge,
}

/// Joins the parts; the first must be the WBXML.
///
/// # Errors
/// Where there are no parts or too many, or all together are larger than 4 GiB.
pub fn join(parts: &[Bytes]) -> Result<Bytes, MultipartError> {
    let count = u32::try_from(parts.len()).map_err(|_| MultipartError::TooLarge)?;
    if parts.is_empty() || parts.len() > MAX_PARTS {
        return Err(MultipartError::Count(count));
    }
    let header = 4 + 8 * parts.len();
    let total = parts.iter().map(Bytes::len).fold(header, usize::saturating_add);
    if u32::try_from(total).is_err() {
        return Err(MultipartError::TooLarge);
    }
    let mut out = BytesMut::with_capacity(total);
    out.extend_from_slice(&count.to_le_bytes());
    let mut offset = header;
    for part in parts {
        for number in [offset, part.len()] {
            let number = u32::try_from(number).map_err(|_| MultipartError::TooLarge)?;
            out.extend_from_slice(&number.to_le_bytes());
        }
        offset = offset.saturating_add(part.len());
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    Ok(out.freeze())
}

/// Splits an answer into its parts without copying. Parts may lie in any order and may overlap.
///
/// # Errors
/// Where the header promises more than there is.
pub fn split(answer: &Bytes) -> Result<Vec<Bytes>, MultipartError> {
    let number = |at: usize| -> Result<u32, MultipartError> {
        let bytes = answer.get(at..).and_then(|rest| rest.first_chunk::<4>());
        bytes.map(|bytes| u32::from_le_bytes(*bytes)).ok_or(MultipartError::Short)
    };
    let count = number(0)?;
    let parts = usize::try_from(count).unwrap_or(usize::MAX);
    if parts == 0 || parts > MAX_PARTS {
        return Err(MultipartError::Count(count));
    }
    (0..parts)
        .map(|index| {
            let at = 4 + 8 * index;
            let start = usize::try_from(number(at)?).map_err(|_| MultipartError::TooLarge)?;
            let length = usize::try_from(number(at + 4)?).map_err(|_| MultipartError::TooLarge)?;
            let end = start.checked_add(length).ok_or(MultipartError::Short)?;
            if end > answer.len() {
                return Err(MultipartError::Short);
            }
            Ok(answer.slice(start..end))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_is_split_again() {
        let parts =
            [Bytes::from_static(b"\x03\x01\x6a\x00"), Bytes::new(), Bytes::from_static(b"x")];
        let answer = join(&parts).unwrap();
        assert_eq!(answer[..12], [3, 0, 0, 0, 28, 0, 0, 0, 4, 0, 0, 0]);
        assert_eq!(split(&answer).unwrap(), parts);
    }

    #[test]
    fn the_layout_is_that_of_the_specifications_example() {
        // MS-ASCMD 4.10.5.2: two parts, 500 bytes of WBXML at 20 and 19 bytes of body at 520.
        let mut answer = vec![2, 0, 0, 0, 0x14, 0, 0, 0, 0xF4, 1, 0, 0, 8, 2, 0, 0, 0x13, 0, 0, 0];
        answer.resize(520, b'w');
        answer.extend_from_slice(b"This is the body.\r\n");
        let parts = split(&answer.clone().into()).unwrap();
        assert_eq!((parts[0].len(), &parts[1][..]), (500, &b"This is the body.\r\n"[..]));
        assert_eq!(join(&parts).unwrap(), answer);
    }

    proptest::proptest! {
        #[test]
        fn any_parts_survive_and_no_answer_panics(
            parts in proptest::collection::vec(proptest::collection::vec(0u8.., 0..50), 1..8),
            answer in proptest::collection::vec(0u8.., 0..60),
        ) {
            let parts: Vec<Bytes> = parts.into_iter().map(Bytes::from).collect();
            proptest::prop_assert_eq!(split(&join(&parts).unwrap()).unwrap(), parts);
            let _ = split(&answer.into());
        }
    }

    #[test]
    fn lies_in_the_header_are_found() {
        let cases: [(&[u8], MultipartError); 6] = [
            (b"", MultipartError::Short),
            (b"\0\0\0\0", MultipartError::Count(0)),
            (b"\xff\xff\xff\xff", MultipartError::Count(u32::MAX)),
            (b"\x01\0\0\0\x0c\0\0\0", MultipartError::Short),
            (b"\x01\0\0\0\x0c\0\0\0\x01\0\0\0", MultipartError::Short),
            (b"\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", MultipartError::Short),
        ];
        for (answer, expected) in cases {
            assert_eq!(split(&Bytes::from_static(answer)), Err(expected), "{answer:?}");
        }
        assert_eq!(join(&[]), Err(MultipartError::Count(0)));
    }
}
