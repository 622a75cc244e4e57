//! The DirSync control (MS-ADTS 3.1.1.3.4.1.3): a search with it gives what has changed since the
//! cookie of the search before, deleted objects included.
//!
//! ```text
//! request:  SEQUENCE { Flags INTEGER, MaxBytes INTEGER, Cookie OCTET STRING }
//! response: SEQUENCE { MoreResults INTEGER, unused INTEGER, CookieServer OCTET STRING }
//! ```

use ldap3::controls::RawControl;

/// Names both.
pub(super) const CONTROL: &str = "1.2.840.113556.1.4.841";

/// LDAP_DIRSYNC_INCREMENTAL_VALUES, as a signed number: of a list of members only what was added
/// or removed is given.
const INCREMENTAL_VALUES: [u8; 4] = 0x8000_0000_u32.to_be_bytes();
/// About how much is wanted at once, in bytes.
const MAX_BYTES: [u8; 4] = 0x0010_0000_u32.to_be_bytes();

/// What the server adds to its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Answer {
    /// Whether there is more, to be asked for with the cookie at once.
    pub more: bool,
    /// What to ask with the next time.
    pub cookie: Vec<u8>,
}

/// Asks for what has changed since the cookie; an empty one stands for the beginning.
pub(super) fn request(cookie: &[u8]) -> RawControl {
    let fields =
        [element(0x02, &INCREMENTAL_VALUES), element(0x02, &MAX_BYTES), element(0x04, cookie)];
    let value = element(0x30, &fields.concat());
    RawControl { ctype: CONTROL.to_owned(), crit: true, val: Some(value) }
}

/// Reads the answer's control; none where it is not one.
pub(super) fn answer(value: &[u8]) -> Option<Answer> {
    let (fields, _) = read(0x30, value)?;
    let (more, fields) = read(0x02, fields)?;
    let (_, fields) = read(0x02, fields)?;
    let (cookie, _) = read(0x04, fields)?;
    Some(Answer { more: more.iter().any(|byte| *byte != 0), cookie: cookie.to_vec() })
}

/// One BER element (X.690 §8.1) with a definite length.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits: Vec<u8> = length.into_iter().skip_while(|digit| *digit == 0).collect();
    let mut element = vec![tag];
    match digits.as_slice() {
        [] => element.push(0),
        [short] if *short < 0x80 => element.push(*short),
        long => {
            // At most 8 digits.
            element.push(0x80 | u8::try_from(long.len()).unwrap_or(0x7f));
            element.extend_from_slice(long);
        }
    }
    element.extend_from_slice(content);
    element
}

/// The content of the first element, which must have this tag, and what follows it.
fn read(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [found, first, rest @ ..] = bytes else { return None };
    if *found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        _ => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().try_fold(0_usize, |length, digit| {
                length.checked_mul(256)?.checked_add(usize::from(*digit))
            })?;
            (length, rest)
        }
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_request_is_as_the_protocol_has_it() {
        let RawControl { ctype, crit, val } = request(b"ab");
        assert_eq!((ctype.as_str(), crit), ("1.2.840.113556.1.4.841", true));
        let expected = [
            &[0x30, 16][..],
            &[0x02, 4, 0x80, 0, 0, 0],
            &[0x02, 4, 0, 0x10, 0, 0],
            &[0x04, 2, b'a', b'b'],
        ];
        assert_eq!(val, Some(expected.concat()));
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for value in [
            &[][..],
            &[0x30],
            &[0x30, 0x00],
            &[0x31, 0x08, 0x02, 1, 0, 0x02, 1, 0, 0x04, 0],
            &[0x30, 0x08, 0x02, 1, 0, 0x02, 1, 0, 0x04, 9],
            &[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0xff, 0x02],
        ] {
            assert_eq!(answer(value), None, "{value:02x?}");
        }
    }

    proptest! {
        #[test]
        fn an_answer_is_read_whatever_the_length_of_its_cookie(
            more in any::<bool>(), cookie in proptest::collection::vec(any::<u8>(), 0..70_000),
        ) {
            let fields = [
                element(0x02, &[u8::from(more)]),
                element(0x02, &[0]),
                element(0x04, &cookie),
            ];
            let value = element(0x30, &fields.concat());
            prop_assert_eq!(answer(&value), Some(Answer { more, cookie }));
        }

        #[test]
        fn no_bytes_make_it_panic(value in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = answer(&value);
        }
    }
}
