//! In which groups somebody is, of those in which a directory of several says they are (rule A6).
//!
//! Who decides about a group (`apart`) decides about who is in it. A directory that is believed about a
//! group beside others is asked what it says of the person, and it counts only where that one, too,
//! takes the person for one of those for whom the first may speak: else a connector could call its own
//! whomever the other knows to be in the group. While that one does not answer, what it said last holds.

use super::apart::{Having, Refusal, Told};
use super::{Linked, RealmDirectory};
use crate::connectors::Endpoint;
use dme_directory::{Error, GroupId, Person, Result};
use dme_model::UserId;
use dme_routing::{Known, NoSource, Scope};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::Instant;

/// So many different refusals are logged from one start to the next.
const MOST_LOGGED: usize = 1_000;
/// So soon at most the groups are read again for somebody whose word cannot be told from another's.
const AGAIN: Duration = Duration::from_secs(2);

/// What one directory says of somebody.
type Said = (Arc<Scope>, Vec<GroupId>);

/// Which directory has which groups, as they were read last, what each said of another's people, and
/// what was refused and logged.
#[derive(Default)]
pub(super) struct Members {
    read: RwLock<Read>,
    /// Two directories know each of these people: no key alone makes them up.
    said: RwLock<HashMap<UserId, Vec<Said>>>,
    /// When the groups were last read for want of them; one does at a time.
    read_at: tokio::sync::Mutex<Option<Instant>>,
    logged: Mutex<HashSet<Refusal>>,
}

/// The directories whose groups were read, and what they have.
#[derive(Default)]
struct Read {
    of: Vec<Arc<Scope>>,
    having: HashMap<GroupId, Having>,
}

/// What it takes that a person is in a group by a directory's word.
enum Word {
    /// Nothing more.
    Own,
    /// These directories say so too.
    With(Vec<Arc<Scope>>),
    /// It has not the group, and another has.
    Foreign,
}

impl Members {
    /// Remembers who has what.
    pub fn note(&self, told: &[Told], having: HashMap<GroupId, Having>) {
        let of = told.iter().map(|one| one.scope.clone()).collect();
        *self.read.write().unwrap_or_else(PoisonError::into_inner) = Read { of, having };
    }

    /// The directories whose groups were read.
    fn read_of(&self) -> Vec<Arc<Scope>> {
        self.read.read().unwrap_or_else(PoisonError::into_inner).of.clone()
    }

    fn word(&self, scope: &Arc<Scope>, group: &GroupId) -> Word {
        let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
        let Some(Having { by, decided_by }) = read.having.get(group) else { return Word::Own };
        match (read.of.contains(scope), by.contains(scope)) {
            (false, _) if **scope == Scope::Everyone => return Word::Own,
            (true, false) => return Word::Foreign,
            _ => {}
        }
        let others: Vec<_> = decided_by.iter().filter(|theirs| *theirs != scope).cloned().collect();
        if others.is_empty() { Word::Own } else { Word::With(others) }
    }

    fn remember(&self, user: &UserId, scope: &Arc<Scope>, groups: &[GroupId]) {
        let mut said = self.said.write().unwrap_or_else(PoisonError::into_inner);
        let all = said.entry(user.clone()).or_default();
        all.retain(|(theirs, _)| theirs != scope);
        if !groups.is_empty() {
            all.push((scope.clone(), groups.to_vec()));
        }
        if all.is_empty() {
            said.remove(user);
        }
    }

    fn remembered(&self, user: &UserId, scope: &Arc<Scope>) -> Option<Vec<GroupId>> {
        let said = self.said.read().unwrap_or_else(PoisonError::into_inner);
        let (_, groups) = said.get(user)?.iter().find(|(theirs, _)| theirs == scope)?;
        Some(groups.clone())
    }

    /// Says what was refused, each once.
    pub fn log(&self, refused: impl IntoIterator<Item = Refusal>) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        for refusal in refused {
            if logged.len() < MOST_LOGGED && !logged.contains(&refusal) {
                tracing::warn!(why = %refusal, "a directory speaks for another's groups");
                logged.insert(refusal);
            }
        }
    }

    #[cfg(test)]
    pub fn refused(&self) -> Vec<String> {
        let logged = self.logged.lock().unwrap();
        logged.iter().map(ToString::to_string).collect()
    }
}

impl RealmDirectory {
    /// A person with those groups only in which a connector's word puts them.
    ///
    /// # Errors
    /// Where one whose word it takes as well does not answer, and never did about this person.
    pub(super) async fn own(&self, source: &Endpoint, mut person: Person) -> Result<Person> {
        // Who may speak for everyone waits for nobody.
        let is_for_all = *source.state.scope == Scope::Everyone;
        if !is_for_all && !person.groups.is_empty() && self.members.read_of().is_empty() {
            self.read_now().await?;
            if self.members.read_of().is_empty() {
                let why = format!("the groups of the realm {} are not known yet", self.realm);
                return Err(Error::Unavailable(why));
            }
        }
        let words = || -> Vec<Word> {
            let word = |group| self.members.word(&source.state.scope, group);
            person.groups.iter().map(word).collect()
        };
        let is_meant = self.covers(source, &person) == Known::Yes;
        let linked = self.linked()?;
        let mut words_of = words();
        if self.are_others_now(&linked, &words_of) {
            self.read_now().await?;
            words_of = words();
        }
        let mut said: Vec<Said> = Vec::new();
        for scope in others(&words_of) {
            if !said.iter().any(|(known, _)| known == scope) {
                said.push((scope.clone(), self.said_by(scope, &linked, source, &person).await?));
            }
        }
        let says = |scope: &Arc<Scope>, group: &GroupId| {
            said.iter().any(|(theirs, groups)| theirs == scope && groups.contains(group))
        };
        let mut refused = Vec::new();
        let groups = std::mem::take(&mut person.groups);
        for (group, word) in groups.into_iter().zip(words_of) {
            let holds = match word {
                Word::Own => true,
                Word::With(others) => others.iter().all(|scope| says(scope, &group)),
                Word::Foreign => false,
            };
            if holds {
                person.groups.push(group);
            } else {
                let connector = source.name.clone();
                refused.push(Refusal::Member { connector, group: group.0 });
            }
        }
        // Of others' people, of whom it was asked as well, it may say anything.
        if is_meant {
            self.members.log(refused);
        }
        Ok(person)
    }

    /// What one directory says of another's person: the groups, where it takes them for that one's.
    async fn said_by(
        &self,
        scope: &Arc<Scope>,
        linked: &Linked,
        source: &Endpoint,
        person: &Person,
    ) -> Result<Vec<GroupId>> {
        let user = &person.user;
        let answer = match linked.sources.iter().find(|one| one.state.scope == *scope) {
            Some(other) => self.connectors.directory(&other.state.id).find(user).await,
            None => Err(Error::Unavailable(format!(
                "in which groups {user} is takes the word of a connector that is not linked"
            ))),
        };
        match answer {
            Ok(found) => {
                let is_the_same = |theirs: &Person| {
                    theirs.user == *user && self.covers(source, theirs) == Known::Yes
                };
                let groups = found.filter(is_the_same).map(|theirs| theirs.groups);
                let groups = groups.unwrap_or_default();
                self.members.remember(user, scope, &groups);
                Ok(groups)
            }
            Err(error) => self.members.remembered(user, scope).ok_or(error),
        }
    }

    /// Whether it takes the word of one that is not linked, and the directories of the realm are others
    /// than those whose groups were read: somebody has set other scopes since.
    fn are_others_now(&self, linked: &Linked, words: &[Word]) -> bool {
        let is_linked =
            |scope: &Arc<Scope>| linked.sources.iter().any(|one| one.state.scope == *scope);
        if others(words).all(is_linked) {
            return false;
        }
        let Ok(all) = self.all(linked) else { return false };
        let mut now: Vec<_> = all.into_iter().map(|one| one.endpoint.state.scope).collect();
        for why in self.missing(linked) {
            if let NoSource::Away { name, .. } = why {
                now.push(self.connectors.logins(&name));
            }
        }
        let read_of = self.members.read_of();
        read_of.iter().any(|scope| !now.contains(scope))
            || now.iter().any(|scope| !read_of.contains(scope))
    }

    /// Reads the groups, unless that was tried a moment ago.
    async fn read_now(&self) -> Result<()> {
        let mut read_at = self.members.read_at.lock().await;
        if read_at.is_none_or(|at| at.elapsed() >= AGAIN) {
            *read_at = Some(Instant::now());
            self.read_groups().await?;
        }
        Ok(())
    }
}

/// The directories whose word it takes as well.
fn others(words: &[Word]) -> impl Iterator<Item = &Arc<Scope>> {
    words.iter().flat_map(|word| match word {
        Word::With(others) => &others[..],
        Word::Own | Word::Foreign => &[],
    })
}
