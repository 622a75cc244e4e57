//! How each row holds the one before it.

use crate::encoding::{VERSION, encode};
use crate::{Entry, Head};
use aws_lc_rs::digest::{SHA256, digest as sha256};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A SHA-256 hash; 64 hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hash([u8; 32]);

/// It is not 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a hash has 64 hexadecimal digits")]
pub struct NoHash;

/// An entry in its place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Row {
    /// What is recorded.
    #[serde(flatten)]
    pub entry: Entry,
    /// The hash of the row before it; [`Hash::NONE`] before the first.
    pub previous: Hash,
    /// Its own.
    pub hash: Hash,
}

/// The digest of an entry alone. With it instead of the entry a chain can be followed by somebody
/// who is not to read it.
pub fn digest(entry: &Entry) -> Hash {
    Hash::of(&[&encode(entry)])
}

/// The hash of a row whose entry has this digest, after that one.
pub fn link(previous: &Hash, digest: &Hash) -> Hash {
    Hash::of(&[&[VERSION], &previous.0, &digest.0])
}

impl Row {
    /// The row for an entry after that one.
    pub fn after(previous: Hash, entry: Entry) -> Self {
        let hash = link(&previous, &digest(&entry));
        Self { entry, previous, hash }
    }

    /// Whether the hash is that of what is in the row.
    pub fn is_whole(&self) -> bool {
        self.hash == link(&self.previous, &digest(&self.entry))
    }

    /// What is signed of a record that ends here.
    pub fn head(&self) -> Head {
        Head { number: self.entry.number, hash: self.hash, time: self.entry.time }
    }
}

impl Hash {
    /// What stands before the first row.
    pub const NONE: Self = Self([0; 32]);

    /// From its bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn of(pieces: &[&[u8]]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(sha256(&SHA256, &pieces.concat()).as_ref());
        Self(bytes)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Self, NoHash> {
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NoHash);
        }
        let mut bytes = [0; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(i * 2..i * 2 + 2).ok_or(NoHash)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| NoHash)?;
        }
        Ok(Self(bytes))
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for Hash {
    type Error = NoHash;

    fn try_from(text: String) -> Result<Self, NoHash> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Act, Change, Means, Outcome, Step, Who};
    use dme_model::Timestamp;

    fn entry() -> Entry {
        Entry {
            number: 7,
            time: Timestamp::from_millis(1_800_000_000_123),
            who: Who {
                name: "eve@example.org".into(),
                role: "administrator".into(),
                address: Some("192.0.2.7".into()),
                by: Means::Console,
            },
            step: Step::Begun(Act {
                name: "device.block".into(),
                targets: vec!["ann@example.org".into(), "phone1".into()],
                changes: vec![Change {
                    what: "admission".into(),
                    before: Some("allowed".into()),
                    after: Some("blocked".into()),
                }],
            }),
        }
    }

    /// Records that were written stay verifiable: this value is for ever.
    #[test]
    fn the_hash_of_an_entry_never_changes() {
        assert_eq!(
            digest(&entry()).to_string(),
            "ef05d6e9dc4ff76fbc572c3800a3fef37cb0c153d3073ff4269ea3c28d9f686d"
        );
    }

    #[test]
    fn whatever_is_changed_in_an_entry_changes_its_hash() {
        let act = |change: fn(&mut Act)| {
            let mut entry = entry();
            if let Step::Begun(act) = &mut entry.step {
                change(act);
            }
            entry
        };
        let with = |change: fn(&mut Entry)| {
            let mut entry = entry();
            change(&mut entry);
            entry
        };
        let ended =
            |outcome, changes| with(|_| {}).step_is(Step::Ended { begun: 7, outcome, changes });
        let all = [
            entry(),
            with(|entry| entry.number = 8),
            with(|entry| entry.time = Timestamp::from_millis(1)),
            with(|entry| entry.who.name = "eve@example.or".into()),
            with(|entry| entry.who.role = "gadministrator".into()),
            with(|entry| entry.who.address = None),
            with(|entry| entry.who.address = Some(String::new())),
            with(|entry| entry.who.by = Means::Rest),
            act(|act| act.name = "device.allow".into()),
            act(|act| act.targets = vec!["ann@example.orgphone1".into()]),
            act(|act| act.targets = vec!["ann@example.org".into(), "phone1".into(), "".into()]),
            act(|act| act.changes.clear()),
            act(|act| act.changes[0].what = "policy".into()),
            act(|act| act.changes[0].before = None),
            act(|act| act.changes[0].after = Some("allowed".into())),
            ended(Outcome::Done, vec![]),
            ended(Outcome::Refused("no".into()), vec![]),
            ended(Outcome::Failed("no".into()), vec![]),
        ];
        let hashes: std::collections::BTreeSet<Hash> = all.iter().map(digest).collect();
        assert_eq!(hashes.len(), all.len());
    }

    impl Entry {
        fn step_is(self, step: Step) -> Self {
            Self { step, ..self }
        }
    }

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let hash = digest(&entry());
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!("00".parse::<Hash>(), Err(NoHash));
        assert_eq!("é".repeat(32).parse::<Hash>(), Err(NoHash));
    }

    #[test]
    fn a_row_is_read_from_what_is_exported() {
        let row = Row::after(Hash::NONE, entry());
        let text = serde_json::to_string(&row).unwrap();
        assert_eq!(serde_json::from_str::<Row>(&text).unwrap(), row);
    }
}
