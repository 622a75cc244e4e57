//! What connectors found out about themselves last, until the server ends.

use dme_link::Diagnosis;
use dme_model::{ConnectorId, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many are kept; one that was made longest ago makes room.
const KEPT: usize = 100;

type Kept = BTreeMap<ConnectorId, (Timestamp, Diagnosis)>;

/// The last diagnosis of each connector that was asked for one.
#[derive(Default)]
pub struct Diagnoses(Mutex<Kept>);

impl Diagnoses {
    /// Keeps one in the place of the one before.
    pub fn keep(&self, id: &ConnectorId, diagnosis: Diagnosis, now: Timestamp) {
        let mut all = self.lock();
        all.insert(id.clone(), (now, diagnosis));
        if all.len() > KEPT {
            let oldest = all.iter().min_by_key(|(_, (at, _))| *at).map(|(id, _)| id.clone());
            oldest.and_then(|id| all.remove(&id));
        }
    }

    /// That of a connector, and when it was made.
    pub fn last(&self, id: &ConnectorId) -> Option<(Timestamp, Diagnosis)> {
        self.lock().get(id).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
