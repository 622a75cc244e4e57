//! Change tokens: where a collection stood.
//!
//! - `s1:members:token` where the server knows what changed (RFC 6578). The number of members is
//!   the least there can have been, to suspect a full list by ([`crate::quirks`]).
//! - `e1:buckets:ctag` where it does not: hashes of the members' marks in at most [`MAX_BUCKETS`]
//!   buckets. The members of a bucket whose hash differs are told as changed, and what is there is
//!   told whole.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use dme_mailbox::ChangeToken;
use dme_mailbox::hash::stable;

/// More are not told apart; keeps a token below 10 KiB.
const MAX_BUCKETS: usize = 1_024;
const MIN_BUCKETS: usize = 16;
/// Bytes of a bucket's hash in a token.
const BYTES: usize = 6;
/// A longer token of a server's would not fit into ours.
pub(crate) const MAX_SERVER_TOKEN: usize = 32 << 10;

/// A token, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Token {
    Sync { members: usize, token: String },
    Marks { buckets: Buckets, ctag: String },
}

/// Hashes of a collection's members.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Buckets(Vec<u64>);

impl Token {
    pub(crate) fn read(token: &ChangeToken) -> Option<Self> {
        let (kind, rest) = token.0.split_once(':')?;
        let (first, second) = rest.split_once(':')?;
        match kind {
            "s1" => Some(Self::Sync { members: first.parse().ok()?, token: second.to_owned() }),
            "e1" => Some(Self::Marks { buckets: Buckets::read(first)?, ctag: second.to_owned() }),
            _ => None,
        }
    }

    pub(crate) fn write(&self) -> ChangeToken {
        ChangeToken(match self {
            Self::Sync { members, token } => format!("s1:{members}:{token}"),
            Self::Marks { buckets, ctag } => format!("e1:{}:{ctag}", buckets.write()),
        })
    }
}

impl Buckets {
    /// Of members by name and mark, in any order.
    pub(crate) fn of<'a>(members: impl ExactSizeIterator<Item = (&'a str, &'a str)>) -> Self {
        let count = members.len().next_power_of_two().clamp(MIN_BUCKETS, MAX_BUCKETS);
        Self::with(count, members)
    }

    fn with<'a>(count: usize, members: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut sums = vec![0_u64; count];
        for (name, mark) in members {
            if let Some(sum) = sums.get_mut(place(name, count)) {
                // A sum, so that the order does not matter.
                *sum = sum.wrapping_add(stable(1, &[name.as_bytes(), mark.as_bytes()]));
            }
        }
        let cut = 64 - 8 * BYTES as u32;
        Self(sums.into_iter().map(|sum| sum << cut >> cut).collect())
    }

    /// The names that may have changed since: those in buckets whose hash differs. None where
    /// nothing has, not even by what is gone.
    pub(crate) fn changed<'a>(&self, now: &[(&'a str, &'a str)]) -> Option<Vec<&'a str>> {
        let there = Self::with(self.0.len(), now.iter().copied());
        (there != *self).then(|| {
            let differs = |name: &str| {
                let place = place(name, self.0.len());
                self.0.get(place) != there.0.get(place)
            };
            now.iter().map(|(name, _)| *name).filter(|name| differs(name)).collect()
        })
    }

    fn read(text: &str) -> Option<Self> {
        let bytes = BASE64.decode(text).ok()?;
        let (sums, rest) = bytes.as_chunks::<BYTES>();
        let sizes = MIN_BUCKETS..=MAX_BUCKETS;
        if !rest.is_empty() || !sizes.contains(&sums.len()) {
            return None;
        }
        let number =
            |sum: &[u8; BYTES]| sum.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        Some(Self(sums.iter().map(number).collect()))
    }

    fn write(&self) -> String {
        let bytes = self.0.iter().flat_map(|sum| sum.to_be_bytes().into_iter().skip(8 - BYTES));
        BASE64.encode(bytes.collect::<Vec<u8>>())
    }
}

fn place(name: &str, count: usize) -> usize {
    // The remainder is less than `count`.
    (stable(2, &[name.as_bytes()]) % count.max(1) as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn what_is_written_is_read() {
        let buckets = Buckets::of([("a", "1"), ("b", "2")].into_iter());
        for token in [
            Token::Sync { members: 7, token: "http://radicale.org/ns/sync/a:b".into() },
            Token::Marks { buckets, ctag: "17:4".into() },
        ] {
            assert_eq!(Token::read(&token.write()), Some(token));
        }
        for bad in ["", "s1", "s1:x:y", "e1:AAAA:x", "q1:1:2", "s2:1:y"] {
            assert_eq!(Token::read(&ChangeToken(bad.into())), None, "{bad}");
        }
    }

    #[test]
    fn a_token_of_many_members_is_small() {
        let names: Vec<String> = (0..50_000).map(|n| format!("{n}.ics")).collect();
        let buckets = Buckets::of(names.iter().map(|name| (name.as_str(), "1")));
        assert!(Token::Marks { buckets, ctag: String::new() }.write().0.len() < 10 << 10);
    }

    fn pairs(members: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
        members.iter().map(|(name, mark)| (name.as_str(), mark.as_str())).collect()
    }

    proptest! {
        #[test]
        fn every_change_is_seen(
            before in proptest::collection::btree_map("[a-d]{1,3}", "[0-9]", 0..40),
            after in proptest::collection::btree_map("[a-d]{1,3}", "[0-9]", 0..40),
        ) {
            let changed = Buckets::of(pairs(&before).into_iter()).changed(&pairs(&after));
            prop_assert_eq!(changed.is_none(), before == after);
            for (name, mark) in &after {
                if before.get(name) != Some(mark) {
                    prop_assert!(changed.iter().flatten().any(|it| it == name));
                }
            }
        }
    }
}
