//! Counts of the calls on the systems behind a connector, by function and backend: what the server
//! shows of them, wherever the connector is.

mod directory;
mod mail;

pub(crate) use directory::CountedDirectory;
pub(crate) use mail::{CountedSystem, CountedVacations};

use dme_link::{Counting, Measured};
use dme_model::Function;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a call is counted as that is about several functions at once.
const ANY: &str = "any";

/// One backend's way to the counts.
#[derive(Clone)]
pub(crate) struct Counter {
    backend: &'static str,
    tally: Arc<Tally>,
}

impl Counter {
    pub(crate) fn new(backend: &'static str, tally: Arc<Tally>) -> Self {
        Self { backend, tally }
    }

    /// Makes a call, and counts it; `name` is what went wrong, where it failed.
    async fn counted<T, E>(
        &self,
        function: Option<Function>,
        name: fn(&E) -> &'static str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let begun = Instant::now();
        let answer = call.await;
        self.count(function, begun.elapsed(), answer.as_ref().err().map(name));
        answer
    }

    fn count(&self, function: Option<Function>, took: Duration, failed: Option<&str>) {
        self.tally.count(function, self.backend, took, failed);
    }
}

/// The counts of one set of services.
#[derive(Default)]
pub(crate) struct Tally(Mutex<BTreeMap<(&'static str, &'static str), Measured>>);

impl Tally {
    fn count(
        &self,
        function: Option<Function>,
        backend: &'static str,
        took: Duration,
        failed: Option<&str>,
    ) {
        let function = function.map_or(ANY, Function::as_str);
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let row =
            rows.entry((function, backend)).or_insert_with(|| Measured::of(function, backend));
        row.count(took, failed);
    }
}

impl Counting for Tally {
    fn counts(&self) -> Vec<Measured> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}
