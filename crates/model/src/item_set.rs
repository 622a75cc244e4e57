//! A compact set of item ids.

use crate::ItemId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A set of item ids that stays small where ids are numbers, as IMAP UIDs are: those are kept as
/// runs, so that a folder of 100,000 messages costs a few dozen bytes. Any other id is kept as it
/// is. Ids that read the same as a number but are written otherwise (`007`, `+7`) are not numbers.
///
/// Serialised as text in IMAP's own form, `1:5,9` (RFC 9051 `sequence-set`), beside a list of the
/// other ids.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub struct ItemSet {
    /// First to last of each run; runs neither touch nor overlap.
    runs: BTreeMap<u32, u32>,
    named: BTreeSet<ItemId>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    runs: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    named: Vec<ItemId>,
}

fn number(id: &ItemId) -> Option<u32> {
    let text = id.as_str();
    let canonical = text.len() <= 10
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

fn item(number: u32) -> ItemId {
    ItemId::new(number.to_string())
}

impl ItemSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the id is in the set.
    pub fn contains(&self, id: &ItemId) -> bool {
        match number(id) {
            Some(n) => self.contains_number(n),
            None => self.named.contains(id),
        }
    }

    /// Whether the id that is this number is in the set.
    pub fn contains_number(&self, n: u32) -> bool {
        self.runs.range(..=n).next_back().is_some_and(|(_, &last)| last >= n)
    }

    /// Puts the id in; says whether it was new.
    pub fn insert(&mut self, id: &ItemId) -> bool {
        match number(id) {
            Some(n) => {
                let new = !self.contains(id);
                self.insert_run(n, n);
                new
            }
            None => self.named.insert(id.clone()),
        }
    }

    /// Puts in all numbers from `first` to `last`, both included.
    pub fn insert_run(&mut self, first: u32, last: u32) {
        if first > last {
            return;
        }
        let (mut first, mut last) = (first, last);
        // Runs that begin at or before the end of the new one and touch it are swallowed.
        while let Some((&start, &end)) = self.runs.range(..=last.saturating_add(1)).next_back() {
            if end.saturating_add(1) < first {
                break;
            }
            first = first.min(start);
            last = last.max(end);
            self.runs.remove(&start);
        }
        self.runs.insert(first, last);
    }

    /// Takes the id out; says whether it was there.
    pub fn remove(&mut self, id: &ItemId) -> bool {
        let Some(n) = number(id) else { return self.named.remove(id) };
        let Some((&first, &last)) = self.runs.range(..=n).next_back() else { return false };
        if last < n {
            return false;
        }
        self.runs.remove(&first);
        if first < n {
            self.runs.insert(first, n - 1);
        }
        if n < last {
            self.runs.insert(n + 1, last);
        }
        true
    }

    /// How many ids are in the set.
    pub fn len(&self) -> usize {
        self.named.len() + self.runs.iter().map(|(&a, &b)| (b - a) as usize + 1).sum::<usize>()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.named.is_empty()
    }

    /// All ids: numbers ascending, then the others in order of their text. Reversed, numbers that
    /// were given last (the newest mail) come before older ones.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = ItemId> + '_ {
        self.runs.iter().flat_map(|(&a, &b)| (a..=b).map(item)).chain(self.named.iter().cloned())
    }

    /// The runs of numbers, ascending: first and last, both included.
    pub fn runs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.runs.iter().map(|(&a, &b)| (a, b))
    }

    /// The ids of this set that are not in `other`. Costs the number of runs, not of ids.
    pub fn difference(&self, other: &Self) -> Self {
        let mut runs = BTreeMap::new();
        for (&first, &last) in &self.runs {
            let mut from = first;
            let before = other.runs.range(..first).next_back();
            let within = other.runs.range(first..=last);
            let mut whole = false;
            for (&a, &b) in before.into_iter().chain(within) {
                if b < from {
                    continue;
                }
                if a > from {
                    runs.insert(from, a - 1);
                }
                if b >= last {
                    whole = true;
                    break;
                }
                from = from.max(b + 1);
            }
            if !whole {
                runs.insert(from, last);
            }
        }
        Self { runs, named: self.named.difference(&other.named).cloned().collect() }
    }

    /// The ids that are in both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        self.difference(&self.difference(other))
    }

    /// Puts all ids of `other` in.
    pub fn extend_from(&mut self, other: &Self) {
        for (first, last) in other.runs() {
            self.insert_run(first, last);
        }
        self.named.extend(other.named.iter().cloned());
    }

    /// The numbers as an IMAP sequence set, `1:5,9`; empty where there are none.
    pub fn to_sequence(&self) -> String {
        use std::fmt::Write;
        let mut text = String::new();
        for (first, last) in self.runs() {
            if !text.is_empty() {
                text.push(',');
            }
            // Writing to a String cannot fail.
            let _ = if first == last {
                write!(text, "{first}")
            } else {
                write!(text, "{first}:{last}")
            };
        }
        text
    }

    /// Reads an IMAP sequence set without `*`. None where it is not one.
    pub fn from_sequence(text: &str) -> Option<Self> {
        let mut set = Self::new();
        for run in text.split(',').filter(|run| !run.is_empty()) {
            let (a, b) = run.split_once(':').unwrap_or((run, run));
            let (a, b): (u32, u32) = (a.parse().ok()?, b.parse().ok()?);
            set.insert_run(a.min(b), a.max(b));
        }
        Some(set)
    }
}

impl FromIterator<ItemId> for ItemSet {
    fn from_iter<I: IntoIterator<Item = ItemId>>(ids: I) -> Self {
        let mut set = Self::new();
        set.extend(ids);
        set
    }
}

impl Extend<ItemId> for ItemSet {
    fn extend<I: IntoIterator<Item = ItemId>>(&mut self, ids: I) {
        for id in ids {
            self.insert(&id);
        }
    }
}

impl From<ItemSet> for Written {
    fn from(set: ItemSet) -> Self {
        Self { runs: set.to_sequence(), named: set.named.into_iter().collect() }
    }
}

impl TryFrom<Written> for ItemSet {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let mut set = Self::from_sequence(&written.runs).ok_or("not a sequence set")?;
        set.extend(written.named);
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(ids: &BTreeSet<u32>) -> ItemSet {
        ids.iter().map(|n| item(*n)).collect()
    }

    fn ids(set: &ItemSet) -> BTreeSet<u32> {
        set.iter().map(|id| id.as_str().parse().unwrap()).collect()
    }

    #[test]
    fn a_number_written_otherwise_is_a_name() {
        let mut set = ItemSet::new();
        set.insert(&"7".into());
        assert!(!set.contains(&"07".into()));
        assert!(set.insert(&"07".into()));
        assert!(set.insert(&"99999999999".into()));
        assert_eq!(set.len(), 3);
        let text = serde_json::to_string(&set).unwrap();
        assert_eq!(text, r#"{"runs":"7","named":["07","99999999999"]}"#);
        assert_eq!(serde_json::from_str::<ItemSet>(&text).unwrap(), set);
    }

    #[test]
    fn the_ends_of_the_range_do_not_overflow() {
        let mut set = ItemSet::new();
        set.insert_run(0, 0);
        set.insert_run(u32::MAX - 1, u32::MAX);
        assert_eq!(set.len(), 3);
        assert!(set.remove(&item(u32::MAX)));
        assert!(set.difference(&set.clone()).is_empty());
    }

    proptest! {
        #[test]
        fn it_behaves_like_a_plain_set(
            a in proptest::collection::btree_set(0u32..60, 0..40),
            b in proptest::collection::btree_set(0u32..60, 0..40),
            gone in proptest::collection::vec(0u32..60, 0..10),
        ) {
            let (sa, sb) = (set(&a), set(&b));
            prop_assert_eq!(ids(&sa.difference(&sb)), a.difference(&b).copied().collect());
            prop_assert_eq!(ids(&sa.intersection(&sb)), a.intersection(&b).copied().collect());
            let mut union = sa.clone();
            union.extend_from(&sb);
            prop_assert_eq!(ids(&union), a.union(&b).copied().collect());
            prop_assert_eq!(union.clone(), a.union(&b).map(|n| item(*n)).collect::<ItemSet>());
            let (mut sa, mut a) = (sa, a);
            for n in gone {
                prop_assert_eq!(sa.remove(&item(n)), a.remove(&n));
            }
            prop_assert_eq!(ids(&sa), a.clone());
            prop_assert_eq!(sa.len(), a.len());
            prop_assert_eq!(ItemSet::from_sequence(&sa.to_sequence()), Some(sa));
        }
    }
}
