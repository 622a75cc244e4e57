//! The groups of a realm, read from all directories that scopes keep apart (rule A1).
//!
//! Who answers is believed at once in what it says of its own groups. Of one that does not answer the
//! groups hold that it gave last: without them its people would be taken for members of nothing, and
//! another could call its groups its own. So one that never answered since the server began leaves
//! the realm without an answer.

use super::apart::{self, Together, Told};
use super::{RealmDirectory, Source};
use dme_directory::{Error, GroupId, GroupSnapshot, GroupSource, RealmGroups, Result};
use dme_routing::{NoSource, Scope};
use futures_util::future;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long the others wait for one directory. Over a link a call ends sooner by itself.
const SLOW: Duration = Duration::from_secs(60);

/// The groups that each of several directories gave last. Connectors that stand in for each other
/// have one directory, and one scope.
#[derive(Default)]
pub(super) struct LastGood(Mutex<Vec<Told>>);

impl LastGood {
    fn of(&self, scope: &Arc<Scope>) -> Option<Told> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.iter().find(|told| told.scope == *scope).cloned()
    }

    /// These hold; whoever is not among them is no directory of the realm any more.
    fn keep(&self, told: &[Told]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = told.to_vec();
    }
}

impl RealmDirectory {
    /// The groups of all directories, those that were given last where one does not answer. None
    /// decides about another's.
    ///
    /// # Errors
    /// Where none answers, or one that does not has given none since the server began.
    pub(super) async fn read_groups(&self) -> Result<RealmGroups> {
        let linked = self.linked()?;
        let sources = self.all(&linked)?;
        // Nobody waits for one that is alone.
        let limit = if sources.len() > 1 { SLOW } else { Duration::MAX };
        let asked = sources.iter().map(|source| Self::ask_groups(source, limit));
        let answers = future::join_all(asked).await;
        let is_fresh = answers.iter().any(Result::is_ok);
        let mut parts: Vec<(Told, Option<Error>)> = Vec::with_capacity(answers.len());
        for (source, answer) in sources.iter().zip(answers) {
            let last = || self.last.of(&source.endpoint.state.scope).filter(|_| is_fresh);
            parts.push(match answer {
                Ok(told) => (told, None),
                Err(error) => (last().ok_or_else(|| error.clone())?, Some(error)),
            });
        }
        for why in self.missing(&linked) {
            let NoSource::Away { name, .. } = &why else { continue };
            let scope = self.connectors.logins(name);
            let error = self.not_chosen(why);
            if !parts.iter().any(|(told, _)| told.scope == scope) {
                parts.push((self.last.of(&scope).ok_or_else(|| error.clone())?, Some(error)));
            }
        }
        let (told, troubles): (Vec<Told>, Vec<Option<Error>>) = parts.into_iter().unzip();
        let Together { groups, having, refused } = apart::together(&told);
        self.members.note(&told, having);
        self.members.log(refused);
        self.last.keep(&told);
        let for_roles = self.for_roles(&told);
        let as_of = told.iter().map(|one| one.snapshot.as_of).min().unwrap_or_default();
        let sources = told.into_iter().zip(troubles).map(|(told, trouble)| GroupSource {
            name: told.connector,
            age: told.at.elapsed(),
            trouble,
        });
        let sources = sources.collect();
        Ok(RealmGroups { snapshot: GroupSnapshot { groups, as_of }, sources, for_roles })
    }

    /// The groups that may say who administers: those of the directories that are named for it; where
    /// none is, of the one that may speak for everyone. One that is alone needs no naming.
    fn for_roles(&self, told: &[Told]) -> Option<BTreeSet<GroupId>> {
        let named = &self.administrators_from.0;
        if named.is_empty() && told.len() < 2 {
            return None;
        }
        let named: Vec<_> = named.iter().map(|name| self.connectors.logins(name)).collect();
        let says = |one: &&Told| match named.is_empty() {
            true => *one.scope == Scope::Everyone,
            false => named.contains(&one.scope),
        };
        Some(told.iter().filter(says).flat_map(Told::has).cloned().collect())
    }

    async fn ask_groups(source: &Source, limit: Duration) -> Result<Told> {
        let read = tokio::time::timeout(limit, source.directory.groups()).await;
        let snapshot = read.unwrap_or_else(|_| {
            let (name, limit) = (&source.endpoint.name, limit.as_secs());
            Err(Error::Unavailable(format!("the groups of {name} took more than {limit} s")))
        })?;
        Ok(Told {
            connector: source.endpoint.name.clone(),
            scope: source.endpoint.state.scope.clone(),
            snapshot: Arc::new(snapshot),
            at: Instant::now(),
        })
    }
}
