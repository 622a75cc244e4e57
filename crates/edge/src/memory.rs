//! What an edge remembers of its server over a restart.

use dme_link::Replica;
use dme_model::Timestamp;
use dme_server::edges::facts::{DecreedDevice, EdgeRules, Subject};
use dme_store::{Book, Result, Store};
use dme_sync::DeviceKey;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// Under this name the store has it.
const BOOK: &str = "edge";

/// What the server said, and when it was heard of last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    /// What it said.
    pub decrees: Replica,
    /// When it was heard of; none where it never was.
    pub heard: Option<Timestamp>,
    /// The number of the last event that it has of what happened here.
    pub events: u64,
}

impl Memory {
    /// What was remembered last. What cannot be read is as if it had never been: the server says it
    /// again.
    pub async fn recall(store: &Store) -> Result<Self> {
        let Some(book) = store.book(BOOK).await? else { return Ok(Self::default()) };
        Ok(serde_json::from_str(&book.content).unwrap_or_else(|error| {
            tracing::warn!(%error, "what the server said is unreadable here; it is asked again");
            Self::default()
        }))
    }

    /// Remembers it.
    pub async fn keep(&self, store: &Store) -> Result<()> {
        let unwritable = |error: serde_json::Error| dme_store::Error::Unreadable {
            place: "rule_book.content",
            reason: error.to_string(),
        };
        let content = serde_json::to_string(self).map_err(unwritable)?;
        let changed = self.heard.unwrap_or(Timestamp::from_millis(0));
        let book = Book { revision: 1, content, changed, author: "server".to_owned() };
        store.copy_book(BOOK, Some(&book)).await
    }

    /// When the lease ends.
    pub fn lease_end(&self) -> Timestamp {
        let lease = self.rules().map_or(0, |rules| rules.lease_ms);
        match self.heard {
            Some(heard) if lease > 0 => heard.plus(Duration::from_millis(lease)),
            _ => Timestamp::from_millis(0),
        }
    }

    /// By what it serves.
    pub fn rules(&self) -> Option<EdgeRules> {
        self.fact(&Subject::Rules)
    }

    /// The orders that were given for a device, by their numbers.
    pub fn given(&self, key: &DeviceKey) -> BTreeSet<u64> {
        let decreed = self.fact::<DecreedDevice>(&Subject::Device(key.clone()));
        let waiting = decreed.map(|decreed| decreed.device.waiting).unwrap_or_default();
        waiting.iter().map(|waiting| waiting.number).collect()
    }

    /// A fact; none where it is not there, or of a shape that a newer release gave it.
    pub fn fact<T: DeserializeOwned>(&self, subject: &Subject) -> Option<T> {
        let fact = self.decrees.facts().get(&subject.to_string())?;
        let read = serde_json::from_value(fact.clone());
        let odd = |error: &serde_json::Error| {
            tracing::warn!(fact = %subject, %error, "what the server said is not understood");
        };
        read.inspect_err(odd).ok()
    }
}
