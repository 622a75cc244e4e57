//! What a connector signs, and what it refuses to.
//!
//! It remembers the last head it signed. A later one is signed only where the digests of all
//! entries between the two lead from the one to the other: a server that shows another past, or
//! less of it, is refused, whatever it has in its database.

use crate::{Hash, Head, link};
use serde::{Deserialize, Serialize};

/// What was signed last: it is on the disk before the signature leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Memory {
    /// The number.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
}

/// Why a head is not signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Contradiction {
    /// Entries are missing that were signed.
    #[error("the record ends at {shown}, and entry {signed} was signed: its end is cut off")]
    Shorter {
        /// What was signed last.
        signed: u64,
        /// What is to be signed.
        shown: u64,
    },
    /// The record up to what was signed is another.
    #[error("entry {signed}, or one before it, is not the one that was signed")]
    Other {
        /// What was signed last.
        signed: u64,
    },
}

/// Decides about a head. `digests` are those of the entries after `from`, up to the head's. None
/// where the digests do not begin where memory ends, which the asker is then to be told.
///
/// # Errors
/// When the head contradicts what was signed.
pub fn judge(
    memory: Option<Memory>,
    head: &Head,
    from: u64,
    digests: &[Hash],
) -> Result<Option<Memory>, Contradiction> {
    let signed = Some(Memory { number: head.number, hash: head.hash });
    let Some(last) = memory else { return Ok(signed) };
    if head.number < last.number {
        return Err(Contradiction::Shorter { signed: last.number, shown: head.number });
    }
    let wanted = head.number - last.number;
    if wanted > 0 && (from != last.number || digests.len() as u64 != wanted) {
        return Ok(None);
    }
    let between = digests.iter().take(usize::try_from(wanted).unwrap_or(usize::MAX));
    let led_to = between.fold(last.hash, |hash, digest| link(&hash, digest));
    match led_to == head.hash {
        true => Ok(signed),
        false => Err(Contradiction::Other { signed: last.number }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::tests::rows;
    use crate::{Row, digest};

    fn memory(row: &Row) -> Option<Memory> {
        Some(Memory { number: row.entry.number, hash: row.hash })
    }

    fn digests(rows: &[Row]) -> Vec<Hash> {
        rows.iter().map(|row| digest(&row.entry)).collect()
    }

    #[test]
    fn the_first_head_is_signed_and_a_later_one_that_follows_from_it() {
        let rows = rows(5);
        assert_eq!(judge(None, &rows[1].head(), 0, &[]), Ok(memory(&rows[1])));
        let next = judge(memory(&rows[1]), &rows[4].head(), 2, &digests(&rows[2..]));
        assert_eq!(next, Ok(memory(&rows[4])));
        assert_eq!(judge(next.unwrap(), &rows[4].head(), 5, &[]), Ok(memory(&rows[4])), "again");
    }

    #[test]
    fn digests_that_begin_elsewhere_are_asked_for_again() {
        let rows = rows(5);
        for (from, given) in [(1, &rows[1..]), (2, &rows[2..4]), (2, &rows[5..])] {
            assert_eq!(judge(memory(&rows[1]), &rows[4].head(), from, &digests(given)), Ok(None));
        }
    }

    #[test]
    fn another_past_and_a_shorter_one_are_refused() {
        let (rows, mut forged) = (rows(5), rows(5));
        forged[0].entry.who.name = "somebody else".into();
        let mut previous = Hash::NONE;
        for row in &mut forged {
            *row = Row::after(previous, row.entry.clone());
            previous = row.hash;
        }
        let last = memory(&rows[2]);
        let other = Err(Contradiction::Other { signed: 3 });
        assert_eq!(judge(last, &forged[2].head(), 3, &[]), other);
        assert_eq!(judge(last, &forged[4].head(), 3, &digests(&forged[3..])), other);
        assert_eq!(
            judge(last, &rows[1].head(), 1, &[]),
            Err(Contradiction::Shorter { signed: 3, shown: 2 })
        );
    }
}
