//! One realm at the gate: its directory, its groups, and whether it can be asked.

use super::{DOWN, Gate};
use crate::{
    Access, AccessGroups, DirectoryService, Error, GroupGraph, GroupSource, Person, RealmGroups,
    Reason, Right, Standing,
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
    /// When the groups in use were read, the oldest of them; none where they never were.
    pub groups_as_of: Option<Timestamp>,
    /// The connectors that gave them, though others may be asked by now.
    pub groups_from: Vec<GroupsFrom>,
    /// How many groups there are.
    pub groups: usize,
    /// What went wrong when the directories were last asked for their groups, if it did.
    pub trouble: Option<Error>,
    /// The groups that are to give rights and are none, or are several.
    pub wrong_groups: Vec<Reason>,
    /// They are all that are to let users in, so that nobody is let in.
    pub admits_nobody: bool,
}

/// Whose groups are in use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupsFrom {
    /// The connector.
    pub connector: String,
    /// When it gave them.
    pub as_of: Timestamp,
    /// Why it gave no newer ones, if it did not.
    pub trouble: Option<Error>,
}

/// The groups in use.
#[derive(Clone)]
struct InUse {
    graph: Arc<GroupGraph>,
    from: Arc<[GroupsFrom]>,
    /// When they were read last. Of several directories one may have given older ones.
    read_at: Timestamp,
}

/// One realm at work.
pub(super) struct Part {
    pub(super) realm: Realm,
    pub(super) directory: Arc<dyn DirectoryService>,
    pub(super) access: AccessGroups,
    in_use: RwLock<Option<InUse>>,
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
            in_use: RwLock::new(None),
            trouble: Mutex::new(None),
            reading: tokio::sync::Mutex::new(()),
            down_until: AtomicI64::new(i64::MIN),
            back_at: AtomicI64::new(i64::MIN),
        }
    }

    fn in_use(&self) -> Option<InUse> {
        self.in_use.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn graph(&self) -> Option<Arc<GroupGraph>> {
        Some(self.in_use()?.graph)
    }

    /// When the groups were read last.
    pub(super) fn read_at(&self) -> Option<Timestamp> {
        Some(self.in_use()?.read_at)
    }

    pub(super) fn state(&self) -> RealmState {
        let in_use = self.in_use();
        let groups_from = in_use.as_ref().map(|groups| groups.from.to_vec()).unwrap_or_default();
        let graph = in_use.map(|groups| groups.graph);
        RealmState {
            realm: self.realm.clone(),
            groups_as_of: graph.as_ref().map(|graph| graph.as_of()),
            groups_from,
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

    /// Reads the groups and swaps the new graph in, unless somebody else did since `known`, when
    /// those were read that the caller has.
    pub(super) async fn read_groups(
        &self,
        gate: &Gate,
        known: Option<Timestamp>,
    ) -> Result<Arc<GroupGraph>, Error> {
        let _reading = self.reading.lock().await;
        let before = self.in_use();
        if let Some(InUse { graph, read_at, .. }) = &before
            && known.is_none_or(|known| *read_at > known)
        {
            return Ok(graph.clone());
        }
        let read = tokio::time::timeout(READING, self.directory.realm_groups()).await;
        let read = read.unwrap_or_else(|_| {
            Err(Error::Unavailable(format!("the groups took more than {} s", READING.as_secs())))
        });
        let trouble = match &read {
            Ok(read) => read.sources.iter().find_map(|one| one.trouble.clone()),
            Err(error) => Some(error.clone()),
        };
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        let RealmGroups { mut snapshot, sources, for_roles } = read?;
        // The age is told by this clock, not the connectors'.
        let read_at = (gate.clock)();
        let from = sources.into_iter().map(|GroupSource { name, age, trouble }| GroupsFrom {
            connector: name,
            as_of: read_at.minus(age),
            trouble,
        });
        let from: Arc<[GroupsFrom]> = from.collect();
        snapshot.as_of = from.iter().map(|one| one.as_of).min().unwrap_or(read_at);
        let graph = Arc::new(GroupGraph::new(&[snapshot]).with_roles_of(for_roles));
        self.tell(before.as_ref(), &graph, &from);
        let in_use = InUse { graph: graph.clone(), from, read_at };
        *self.in_use.write().unwrap_or_else(PoisonError::into_inner) = Some(in_use);
        Ok(graph)
    }

    /// Says what is wrong with the groups that was not before: once, and not at each refresh.
    fn tell(&self, before: Option<&InUse>, graph: &GroupGraph, from: &[GroupsFrom]) {
        let known = before.map(|before| self.access.wrong_names(&before.graph)).unwrap_or_default();
        for wrong in self.access.wrong_names(graph).iter().filter(|wrong| !known.contains(wrong)) {
            tracing::warn!(realm = %self.realm, %wrong, "a group that is to give rights is none");
        }
        let failed = |one: &&GroupsFrom| one.trouble.is_some();
        let known = before.map(|before| &*before.from).unwrap_or_default();
        for GroupsFrom { connector, trouble, .. } in from.iter().filter(failed) {
            let was = known.iter().filter(failed).any(|one| one.connector == *connector);
            if let Some(error) = trouble.as_ref().filter(|_| !was) {
                tracing::warn!(realm = %self.realm, connector, %error,
                    "the groups of one directory could not be read; those that it gave last hold");
            }
        }
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
            && let Some(read_at) = self.read_at()
            && read_at < (gate.clock)().minus(STALE_GRAPH)
        {
            graph = self.read_groups(gate, Some(read_at)).await?;
        }
        Ok(match self.access.check(Right::User, person, &graph) {
            Access::Allowed(_) => Ok(self.access.rights(person, &graph)),
            Access::Refused(reason) => Err(reason),
        })
    }
}
