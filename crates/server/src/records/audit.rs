//! The record of administrators' acts, as the server keeps it (rule O4).
//!
//! An act is written down before it is begun; where that fails, it is not done. What came of it is
//! written afterwards. An act of which nothing came, because its caller went away or the server
//! died, stands there without an end.

use super::events::Events;
use super::happened::{EventKind, Happened};
use crate::front::Clock;
use dme_audit::{Act, Change, Countersignature, Outcome, Report, Row, Step, Verifier, Who};
use dme_store::{ActFilter, ActRecord, Level, Result, Store};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Rows that are read at a time.
const ROWS: u32 = 1_000;
/// The largest page.
pub const LARGEST_PAGE: u32 = 1_000;

tokio::task_local! {
    /// What the act that is being done has changed so far.
    static CHANGES: Mutex<Vec<Change>>;
}

/// Tells the record of the act that is being done what it changed; nothing where none is. Secrets
/// must not be in it.
pub fn changed(what: &str, before: Option<String>, after: Option<String>) {
    if before == after {
        return;
    }
    let change = Change { what: what.to_owned(), before, after };
    let _ = CHANGES.try_with(|changes| {
        changes.lock().unwrap_or_else(PoisonError::into_inner).push(change);
    });
}

/// The record of acts.
pub struct Audit {
    store: Store,
    clock: Clock,
    events: Events,
    /// Counts the acts that came to an end.
    done: watch::Sender<u64>,
}

/// What an act is, before it is done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deed {
    /// Who acts.
    pub who: Who,
    /// What is done: `device.block`.
    pub act: String,
    /// Whom or what it concerns, the most general first.
    pub targets: Vec<String>,
    /// What it is to change, secrets left out.
    pub changes: Vec<Change>,
}

/// An act that was begun. Dropped without its end, it is noted that nobody knows what came of it.
#[must_use = "what came of the act is still to be recorded"]
pub struct Begun {
    audit: Arc<Audit>,
    who: Who,
    act: String,
    targets: Vec<String>,
    number: u64,
    ended: bool,
}

impl Audit {
    /// The record in this store.
    pub(crate) fn new(store: Store, clock: Clock, events: Events) -> Arc<Self> {
        Arc::new(Self { store, clock, events, done: watch::Sender::new(0) })
    }

    /// Records that an act is about to be done. Only when this has succeeded it may be.
    ///
    /// # Errors
    /// The database's: then the act must not be done.
    pub async fn begin(self: &Arc<Self>, deed: Deed) -> Result<Begun> {
        let Deed { who, act, targets, changes } = deed;
        let step = Step::Begun(Act { name: act.clone(), targets: targets.clone(), changes });
        let row = self.store.append_audit((self.clock)(), &who, step).await?;
        let number = row.entry.number;
        Ok(Begun { audit: self.clone(), who, act, targets, number, ended: false })
    }

    /// Records an act with what comes of it: it is written down, done, and its outcome written
    /// down, with what the work told of by [`changed`]. `outcome` says in the record's terms what
    /// the work's own answer means.
    ///
    /// # Errors
    /// The database's: then nothing was done.
    pub async fn record<T>(
        self: &Arc<Self>,
        deed: Deed,
        work: impl Future<Output = T>,
        outcome: impl FnOnce(&T) -> Outcome,
    ) -> Result<T> {
        let begun = self.begin(deed).await?;
        let work = async {
            let done = work.await;
            let changes = CHANGES.try_with(|changes| {
                std::mem::take(&mut *changes.lock().unwrap_or_else(PoisonError::into_inner))
            });
            (done, changes.unwrap_or_default())
        };
        let (done, changes) = CHANGES.scope(Mutex::default(), work).await;
        begun.end(outcome(&done), changes).await;
        Ok(done)
    }

    /// Changes whenever an act came to an end.
    pub(crate) fn acts_done(&self) -> watch::Receiver<u64> {
        self.done.subscribe()
    }

    /// A page of acts, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn acts(&self, filter: &ActFilter, limit: u32) -> Result<Vec<ActRecord>> {
        self.store.acts(filter, limit.clamp(1, LARGEST_PAGE)).await
    }

    /// Rows after this number as they are chained, for an export; none where there are no more. Of
    /// one that is none, because somebody wrote into it, the number.
    ///
    /// # Errors
    /// The database's.
    pub async fn rows(&self, after: u64) -> Result<Vec<std::result::Result<Row, u64>>> {
        self.store.audit_rows(after, ROWS).await
    }

    /// The countersignatures that are kept.
    ///
    /// # Errors
    /// The database's.
    pub async fn signatures(&self) -> Result<Vec<Countersignature>> {
        self.store.signatures().await
    }

    /// Looks for what was done to the record.
    ///
    /// # Errors
    /// The database's.
    pub async fn verify(&self) -> Result<Report> {
        verify(&self.store).await
    }

    async fn end(&self, begun: &Begun, outcome: Outcome, changes: Vec<Change>) {
        let step = Step::Ended { begun: begun.number, outcome: outcome.clone(), changes };
        if let Err(error) = self.store.append_audit((self.clock)(), &begun.who, step).await {
            tracing::error!(act = begun.act, number = begun.number, %error,
                "what came of an administrator's act could not be recorded");
        }
        self.done.send_modify(|done| *done += 1);
        let (who, act) = (&begun.who.name, &begun.act);
        let targets = begun.targets.join(" ");
        let (level, words) = match &outcome {
            Outcome::Done => (Level::Info, format!("{who}: {act} {targets}")),
            Outcome::Refused(why) => (Level::Info, format!("{who}: {act} {targets}: {why}")),
            Outcome::Failed(why) => (Level::Warning, format!("{who}: {act} {targets}: {why}")),
        };
        let happened = Happened::new(EventKind::Administration, words).level(level);
        self.events.note(happened.detail("act", act).detail("number", begun.number));
    }
}

impl Begun {
    /// The number of the row with which it was begun.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Records what came of it. A failure to do so is logged: the act is done.
    pub async fn end(mut self, outcome: Outcome, changes: Vec<Change>) {
        self.ended = true;
        let audit = self.audit.clone();
        audit.end(&self, outcome, changes).await;
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let lost = Self {
            audit: self.audit.clone(),
            who: self.who.clone(),
            act: self.act.clone(),
            targets: self.targets.clone(),
            number: self.number,
            ended: true,
        };
        let why = "its caller went away; how far it came is not known".to_owned();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { lost.end(Outcome::Failed(why), Vec::new()).await });
        }
    }
}

/// Looks for what was done to the record in a store.
///
/// # Errors
/// The database's.
pub async fn verify(store: &Store) -> Result<Report> {
    let mut verifier = Verifier::new(store.signatures().await?);
    let mut after = 0;
    loop {
        let rows = store.audit_rows(after, ROWS).await?;
        if rows.is_empty() {
            return Ok(verifier.end());
        }
        for row in rows {
            match row {
                Ok(row) => {
                    after = row.entry.number;
                    verifier.read(&row);
                }
                Err(number) => {
                    after = number;
                    verifier.read_broken(number);
                }
            }
        }
    }
}
