//! Facts that one end keeps and of which the other holds a copy.
//!
//! Who keeps them has a [`Ledger`], the other a [`Replica`]. The replica says what it holds
//! ([`Held`]), the ledger answers what has changed since ([`Delta`]), and the replica takes that in.
//! All of it may be lost or come twice: the next delta that arrives makes up for it. What the facts
//! mean is the business of those who exchange them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Facts by their names.
pub type Facts = BTreeMap<String, Value>;

/// Removed facts a ledger remembers; whoever has not heard of an older one gets the whole.
const TOMBSTONES: usize = 4096;

/// What somebody holds of a ledger.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Held {
    /// Of which ledger: one that began anew has another.
    pub run: u64,
    /// Up to which change of it.
    pub version: u64,
}

/// The facts as their keeper has them.
#[derive(Clone, Debug)]
pub struct Ledger {
    held: Held,
    facts: Facts,
    /// The names of what there is and of what was removed, by their latest change.
    changes: BTreeMap<u64, String>,
    /// The other way round.
    changed: BTreeMap<String, u64>,
    /// Those of what was removed.
    removed: BTreeMap<u64, String>,
    /// Nobody who holds less can be told what changed: a removal since then is forgotten.
    known_from: u64,
    tombstones: usize,
}

impl Ledger {
    /// Without facts. `run` is drawn at random for each ledger, so that one that began anew is never
    /// taken for the one before.
    pub fn new(run: u64) -> Self {
        Self {
            held: Held { run, version: 0 },
            facts: Facts::new(),
            changes: BTreeMap::new(),
            changed: BTreeMap::new(),
            removed: BTreeMap::new(),
            known_from: 0,
            tombstones: TOMBSTONES,
        }
    }

    /// Enters a fact.
    pub fn set(&mut self, key: impl Into<String>, value: Value) {
        let key = key.into();
        if self.facts.get(&key) == Some(&value) {
            return;
        }
        self.note(&key);
        self.facts.insert(key, value);
    }

    /// Strikes a fact out.
    pub fn remove(&mut self, key: &str) {
        if self.facts.remove(key).is_none() {
            return;
        }
        let version = self.note(key);
        self.removed.insert(version, key.to_owned());
        while self.removed.len() > self.tombstones {
            let Some((version, key)) = self.removed.pop_first() else { return };
            self.changes.remove(&version);
            self.changed.remove(&key);
            self.known_from = version;
        }
    }

    /// Makes these all the facts there are.
    pub fn replace(&mut self, facts: Facts) {
        let gone = self.facts.keys().filter(|key| !facts.contains_key(*key));
        for key in gone.cloned().collect::<Vec<_>>() {
            self.remove(&key);
        }
        for (key, value) in facts {
            self.set(key, value);
        }
    }

    /// What who has all of it holds.
    pub fn held(&self) -> Held {
        self.held
    }

    /// All facts.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What has changed for somebody who holds this; the whole where that is of another ledger, or too
    /// old.
    pub fn since(&self, held: Option<Held>) -> Delta {
        let (mut put, mut drop) = (Facts::new(), Vec::new());
        let Some(base) = held.filter(|held| self.tells_since(*held)) else {
            put.clone_from(&self.facts);
            return Delta { base: None, held: self.held, put, drop };
        };
        for key in self.changes.range(base.version.saturating_add(1)..).map(|(_, key)| key) {
            match self.facts.get(key) {
                Some(value) => {
                    put.insert(key.clone(), value.clone());
                }
                None => drop.push(key.clone()),
            }
        }
        Delta { base: Some(base), held: self.held, put, drop }
    }

    fn tells_since(&self, held: Held) -> bool {
        held.run == self.held.run && (self.known_from..=self.held.version).contains(&held.version)
    }

    /// A fact changes: answers the version of that.
    fn note(&mut self, key: &str) -> u64 {
        self.held.version += 1;
        let version = self.held.version;
        if let Some(before) = self.changed.insert(key.to_owned(), version) {
            self.changes.remove(&before);
            self.removed.remove(&before);
        }
        self.changes.insert(version, key.to_owned());
        version
    }
}

/// What has changed in a ledger, or all that is in it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Delta {
    /// For whom: who holds this, or a later version of the same ledger. None where it is the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Held>,
    /// What is held by who has taken it in.
    pub held: Held,
    /// Facts that are new or different.
    #[serde(default, skip_serializing_if = "Facts::is_empty")]
    pub put: Facts,
    /// The names of facts that are no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
}

impl Delta {
    /// Whether it says nothing to the one it is for.
    pub fn is_empty(&self) -> bool {
        self.base == Some(self.held)
    }
}

/// The copy of a ledger's facts at the other end.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Replica {
    #[serde(default)]
    held: Option<Held>,
    #[serde(default)]
    facts: Facts,
}

/// The names of the facts that a delta really changed in a replica.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changed {
    /// Those that are new or different.
    pub put: Vec<String>,
    /// Those that are no more.
    pub dropped: Vec<String>,
}

impl Changed {
    /// Whether nothing did.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.dropped.is_empty()
    }
}

/// A delta says what changed since something that is not held here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "what changed since {base:?} was told to a copy that holds {holds:?}; it is told right with the next \
     exchange"
)]
pub struct NotFromHere {
    /// Since when it tells.
    pub base: Held,
    /// What is held.
    pub holds: Option<Held>,
}

impl Replica {
    /// What is held; nothing before the first delta.
    pub fn held(&self) -> Option<Held> {
        self.held
    }

    /// All facts.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Takes a delta in. One that brings nothing newer of the same ledger, as it came before, changes
    /// nothing.
    ///
    /// # Errors
    /// When it tells what changed since something that is not held; nothing is changed then.
    pub fn apply(&mut self, delta: Delta) -> Result<Changed, NotFromHere> {
        let same = self.held.filter(|held| held.run == delta.held.run);
        if let Some(base) = delta.base {
            // Who holds more than the base has a part of this already, which says the same again.
            if !same.is_some_and(|held| held.run == base.run && held.version >= base.version) {
                return Err(NotFromHere { base, holds: self.held });
            }
        }
        if same.is_some_and(|held| held.version >= delta.held.version) {
            return Ok(Changed::default());
        }
        let gone = match delta.base {
            Some(_) => delta.drop,
            None => {
                self.facts.keys().filter(|key| !delta.put.contains_key(*key)).cloned().collect()
            }
        };
        let mut changed = Changed::default();
        for key in gone {
            if self.facts.remove(&key).is_some() {
                changed.dropped.push(key);
            }
        }
        for (key, value) in delta.put {
            if self.facts.get(&key) != Some(&value) {
                self.facts.insert(key.clone(), value);
                changed.put.push(key);
            }
        }
        self.held = Some(delta.held);
        Ok(changed)
    }
}

#[cfg(test)]
mod tests;
