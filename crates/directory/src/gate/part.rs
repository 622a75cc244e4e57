//! One realm at the gate: its directory, its groups, and whether it can be asked.

use super::{DOWN, Gate};
use crate::{
    Access, AccessGroups, DirectoryService, Error, GroupGraph, Person, Reason, Right, Standing,
};
use dme_model::{Realm, Timestamp};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// A refusal for want of a group is looked at again with a new graph when the graph is older.
const STALE_GRAPH: Duration = Duration::from_secs(10);
/// How long the groups of a realm may take to read.
const READING: Duration = Duration::from_secs(120);

/// How old what the gate knows of a realm is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RealmState {
    /// The realm.
    pub realm: Realm,
    /// When the groups in use were read; none where they never were.
    pub groups_as_of: Option<Timestamp>,
    /// How many groups there are.
    pub groups: usize,
    /// What went wrong when the directory was last asked for its groups, if it did.
    pub trouble: Option<Error>,
    /// The groups that are to give rights and are none, or are several.
    pub wrong_groups: Vec<Reason>,
    /// They are all that are to let users in, so that nobody is let in.
    pub admits_nobody: bool,
}

/// One realm at work.
pub(super) struct Part {
    pub(super) realm: Realm,
    pub(super) directory: Arc<dyn DirectoryService>,
    pub(super) access: AccessGroups,
    graph: RwLock<Option<Arc<GroupGraph>>>,
    trouble: Mutex<Option<Error>>,
    /// Only one reads the groups at a time; the others wait for it.
    reading: tokio::sync::Mutex<()>,
    /// Until when the directory is left alone, in milliseconds since the epoch.
    down_until: AtomicI64,
    /// When it will be there again, where it is away by arrangement, likewise.
    back_at: AtomicI64,
}

impl Part {
    pub(super) fn new(
        realm: Realm,
        directory: Arc<dyn DirectoryService>,
        access: AccessGroups,
    ) -> Self {
        Self {
            realm,
            directory,
            access,
            graph: RwLock::new(None),
            trouble: Mutex::new(None),
            reading: tokio::sync::Mutex::new(()),
            down_until: AtomicI64::new(i64::MIN),
            back_at: AtomicI64::new(i64::MIN),
        }
    }

    pub(super) fn graph(&self) -> Option<Arc<GroupGraph>> {
        self.graph.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn state(&self) -> RealmState {
        let graph = self.graph();
        RealmState {
            realm: self.realm.clone(),
            groups_as_of: graph.as_ref().map(|graph| graph.as_of()),
            groups: graph.as_ref().map_or(0, |graph| graph.len()),
            trouble: self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            admits_nobody: graph.as_ref().is_some_and(|graph| self.access.admits_nobody(graph)),
            wrong_groups: graph.map(|graph| self.access.wrong_names(&graph)).unwrap_or_default(),
        }
    }

    /// Whether it is left alone. Of several directories one may be down, and the others are asked.
    pub(super) fn is_down(&self, now: Timestamp) -> bool {
        self.failed_lately(now) && !self.directory.is_several()
    }

    fn failed_lately(&self, now: Timestamp) -> bool {
        let until = self.down_until.load(Ordering::Relaxed);
        // A clock that was set back must not keep the directory down for longer than it is.
        now.as_millis() < until && until <= now.plus(DOWN).as_millis()
    }

    pub(super) fn note_failure(&self, error: &Error, now: Timestamp) {
        let is_away = matches!(error, Error::Unavailable(_) | Error::OffHours { .. });
        let back_at = match error {
            Error::OffHours { until, .. } => until.as_millis(),
            _ => i64::MIN,
        };
        self.back_at.store(back_at, Ordering::Relaxed);
        // Of a directory that is away it is not said again for everybody who is in it.
        if !is_away || !self.failed_lately(now) {
            tracing::warn!(realm = %self.realm, %error, "the directory could not be asked");
        }
        if is_away {
            self.down_until.store(now.plus(DOWN).as_millis(), Ordering::Relaxed);
        }
    }

    /// When to ask again while it is not there: soon, where nobody knows when it will be.
    pub(super) fn back_in(&self, now: Timestamp) -> Duration {
        let wait = self.back_at.load(Ordering::Relaxed).saturating_sub(now.as_millis());
        Duration::from_millis(u64::try_from(wait).unwrap_or(0)).max(DOWN)
    }

    /// It answers: whatever failed before, it is asked again.
    pub(super) fn note_answer(&self) {
        self.down_until.store(i64::MIN, Ordering::Relaxed);
        self.back_at.store(i64::MIN, Ordering::Relaxed);
    }

    /// A directory speaks for the people of its own realm only (rule A6).
    pub(super) fn vouch_for(&self, person: &Person) -> Result<(), Error> {
        match person.user.realm() {
            Some(realm) if realm == self.realm => Ok(()),
            _ => Err(Error::Protocol(format!(
                "the directory of {} answered for {}, who is not of that realm",
                self.realm, person.user
            ))),
        }
    }

    /// The groups, read where they are not known.
    pub(super) async fn groups(&self, gate: &Gate) -> Result<Arc<GroupGraph>, Error> {
        match self.graph() {
            Some(graph) => Ok(graph),
            None => self.read_groups(gate, None).await,
        }
    }

    /// Reads the groups and swaps the new graph in, unless somebody else did since `known`, the
    /// reading the caller has.
    pub(super) async fn read_groups(
        &self,
        gate: &Gate,
        known: Option<Timestamp>,
    ) -> Result<Arc<GroupGraph>, Error> {
        let _reading = self.reading.lock().await;
        if let Some(graph) = self.graph()
            && known.is_none_or(|known| graph.as_of() > known)
        {
            return Ok(graph);
        }
        let read = tokio::time::timeout(READING, self.directory.groups()).await;
        let read = read.unwrap_or_else(|_| {
            Err(Error::Unavailable(format!("the groups took more than {} s", READING.as_secs())))
        });
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = read.as_ref().err().cloned();
        let mut snapshot = read?;
        // The age is told by this clock, not the connector's.
        snapshot.as_of = (gate.clock)();
        let graph = Arc::new(GroupGraph::new(&[snapshot]));
        let before = self.graph().map(|graph| self.access.wrong_names(&graph)).unwrap_or_default();
        for wrong in self.access.wrong_names(&graph).iter().filter(|wrong| !before.contains(wrong))
        {
            // Once, and not at each refresh.
            tracing::warn!(realm = %self.realm, %wrong, "a group that is to give rights is none");
        }
        *self.graph.write().unwrap_or_else(PoisonError::into_inner) = Some(graph.clone());
        Ok(graph)
    }

    /// The rights of a person who may use phones, or why they may not; reads the groups where they
    /// are not known, or too old to say no by.
    pub(super) async fn access(
        &self,
        gate: &Gate,
        person: &Person,
    ) -> Result<Result<BTreeSet<Right>, Reason>, Error> {
        self.vouch_for(person)?;
        if person.standing != Standing::Active {
            return Ok(Err(Reason::Standing(person.standing)));
        }
        let mut graph = self.groups(gate).await?;
        if !self.access.check(Right::User, person, &graph).is_allowed()
            && graph.age((gate.clock)()) > STALE_GRAPH
        {
            let as_of = graph.as_of();
            graph = self.read_groups(gate, Some(as_of)).await?;
        }
        Ok(match self.access.check(Right::User, person, &graph) {
            Access::Allowed(_) => Ok(self.access.rights(person, &graph)),
            Access::Refused(reason) => Err(reason),
        })
    }
}
