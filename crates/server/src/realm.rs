//! A realm's directory: the connectors that are its authentication source, one for each user, found
//! anew at each question, so that they may come, go and be replaced. Who that is, `dme_routing`
//! tells.

mod apart;
mod explain;
mod groups;
mod members;
mod simulate;
mod spoken;

pub use simulate::LoginsMoved;

use crate::config::ConnectorNames;
use crate::connectors::{Connectors, Endpoint};
use crate::membership::Membership;
use async_trait::async_trait;
use dme_directory::{
    DirectoryEntry, DirectoryService, Error, Everyone, GroupSnapshot, PeopleFound, PeopleSearch,
    Person, RealmGroups, Result, Terms, Verdict,
};
use dme_model::{Function, Realm, Secret, Timestamp, UserId};
use dme_routing::{Assignment, Claimant, Known, Link, Lock, NoSource, Scope, covers};
use futures_util::future;
use groups::LastGood;
use members::Members;
use spoken::Spoken;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// The directory of one realm.
pub struct RealmDirectory {
    connectors: Arc<Connectors>,
    realm: Realm,
    named: ConnectorNames,
    /// Those that say who administers, where that is set.
    administrators_from: ConnectorNames,
    /// The server has no other realm.
    only: bool,
    membership: Arc<dyn Membership>,
    /// Which of several directories has which groups, and who is in them.
    members: Members,
    /// The groups that each of several directories gave last.
    last: LastGood,
    /// Which of several directories has spoken for whom.
    spoken: Spoken,
}

/// What the configuration says of a realm's directory.
#[derive(Clone, Debug, Default)]
pub struct RealmSources {
    /// The connectors that are named for it, the first before the next.
    pub connector: ConnectorNames,
    /// Those whose directories say who administers.
    pub administrators_from: ConnectorNames,
    /// The server has no other realm.
    pub only: bool,
}

/// Who is linked, as far as a realm looks at it.
struct Linked {
    /// All who may be asked about the realm, the best first.
    sources: Vec<Endpoint>,
    /// The names of the others.
    others: Vec<String>,
}

/// Who was found for a question.
struct Source {
    endpoint: Endpoint,
    directory: Arc<dyn DirectoryService>,
}

impl RealmDirectory {
    /// The directory of a realm, at the connectors named for it; at whoever says so where none is.
    pub fn new(
        connectors: Arc<Connectors>,
        realm: Realm,
        from: RealmSources,
        membership: Arc<dyn Membership>,
    ) -> Arc<Self> {
        let RealmSources { connector: named, administrators_from, only } = from;
        let (members, last, spoken) = Default::default();
        Arc::new(Self {
            connectors,
            realm,
            named,
            administrators_from,
            only,
            membership,
            members,
            last,
            spoken,
        })
    }

    fn assignment(&self) -> Assignment<'_> {
        Assignment { realm: &self.realm, named: &self.named.0, only: self.only }
    }

    /// The name of the connector that is asked about a user now, or why there is none.
    ///
    /// # Errors
    /// As every question to the directory.
    pub async fn source(&self, user: &UserId) -> Result<Option<String>> {
        Ok(self.source_for(user).await?.map(|source| source.endpoint.name))
    }

    /// The names of the connectors that are asked about the realm now.
    pub fn sources(&self) -> Vec<String> {
        let found = self.linked().and_then(|linked| self.all(&linked));
        found.map(|all| all.into_iter().map(|one| one.endpoint.name).collect()).unwrap_or_default()
    }

    /// Why nobody can be asked, as an error; where all who are meant are off hours, with the time
    /// when the first of them links again. One that was lost may come any moment.
    fn not_chosen(&self, why: NoSource) -> Error {
        let back_at = match &why {
            NoSource::NotOfRealm { .. } | NoSource::Ambiguous { .. } => {
                return Error::NotChosen(why.to_string());
            }
            NoSource::NamedNotLinked { named, .. } => self.back_at(|name| named.contains(name)),
            NoSource::Away { name: away, .. } => self.back_at(|name| name == away),
            // It may be each that has a directory.
            NoSource::Nobody(_) => self.back_at(|_| true),
        };
        match back_at {
            Some(until) => Error::OffHours { why: why.to_string(), until },
            None => Error::Unavailable(why.to_string()),
        }
    }

    /// When the first of these connectors is back that checked logins and has no link now; none
    /// where one of them is not away by arrangement.
    fn back_at(&self, meant: impl Fn(&String) -> bool) -> Option<Timestamp> {
        let all = self.connectors.snapshot();
        let absent =
            all.iter().filter(|one| !one.is_linked() && checks_logins(one) && meant(&one.name));
        let until = absent.map(|one| match one.state.link {
            Link::OffHours { until } => Some(until),
            Link::Lost | Link::Linked { .. } => None,
        });
        until.collect::<Option<Vec<_>>>()?.into_iter().min()
    }

    /// Who is linked now.
    fn linked(&self) -> Result<Linked> {
        self.linked_without(&BTreeSet::new())
    }

    /// Who would be, without these connectors.
    fn linked_without(&self, down: &BTreeSet<String>) -> Result<Linked> {
        let mut endpoints = self.connectors.linked_for_logins();
        endpoints.retain(|endpoint| !down.contains(&endpoint.name));
        let found = dme_routing::sources(endpoints.iter().map(claimant), &self.assignment());
        let found: Vec<_> = found
            .map_err(|why| self.not_chosen(why))?
            .iter()
            .map(|one| one.connector.id.clone())
            .collect();
        let place = |endpoint: &Endpoint| found.iter().position(|id| *id == endpoint.state.id);
        let (mut sources, mut others) = (Vec::new(), Vec::new());
        for endpoint in endpoints {
            match place(&endpoint) {
                Some(place) => sources.push((place, endpoint)),
                None => others.push(endpoint.name),
            }
        }
        sources.sort_by_key(|(place, _)| *place);
        let sources = sources.into_iter().map(|(_, endpoint)| endpoint).collect();
        Ok(Linked { sources, others })
    }

    /// Those who may speak for users of the realm for whom none of the linked sources may, and are
    /// not linked themselves, or are and say that they are not of this realm: what only they know
    /// is not known now.
    fn missing(&self, linked: &Linked) -> Vec<NoSource> {
        let sources: Vec<_> = linked.sources.iter().map(claimant).collect();
        let missing = |name: &&String| {
            !sources.iter().any(|source| source.name == **name)
                && dme_routing::adds(&self.connectors.logins(name), &sources, &self.realm)
        };
        let why = |name: &String| {
            let (realm, name) = (self.realm.clone(), name.clone());
            match linked.others.contains(&name) {
                true => NoSource::NotOfRealm { realm, name },
                false => NoSource::Away { realm, name },
            }
        };
        if self.named.0.is_empty() {
            // One that is linked and of another realm, or has no directory, is not meant.
            let away = |name: &&String| !linked.others.contains(name);
            let scoped = self.connectors.apart_by_logins();
            return scoped.iter().filter(away).filter(missing).map(why).collect();
        }
        self.named.0.iter().filter(missing).map(why).collect()
    }

    /// The one of these to ask (rule A3): a password is never offered to a second.
    fn one(&self, sources: &[Endpoint]) -> Result<Option<Source>> {
        let claimants: Vec<_> = sources.iter().map(claimant).collect();
        let one = dme_routing::one(&claimants, &self.assignment());
        let one = one.map_err(|why| self.not_chosen(why))?;
        let id = one.map(|one| one.connector.id.clone());
        let found = sources.iter().find(|source| Some(&source.state.id) == id.as_ref());
        Ok(found.map(|endpoint| self.at(endpoint)))
    }

    /// The one that may speak for this user (rule A6). A login may be another name of a user in a
    /// connector's scope, such as a mail address: that is asked, without a password. There is none
    /// only where everyone who may know the user was looked at (rule A7).
    async fn source_for(&self, login: &UserId) -> Result<Option<Source>> {
        let linked = self.linked()?;
        let missing = self.missing(&linked);
        let by_name = |source: &Endpoint| {
            // Who is in a group, the source itself says of the person.
            covers(&source.state, login, |_| Known::Unknown) == Known::Yes
        };
        let (covering, others): (Vec<_>, Vec<_>) = linked.sources.into_iter().partition(by_name);
        if !covering.is_empty() {
            return self.one(&covering);
        }
        let (mut meant, mut unclear) = (Vec::new(), None);
        for source in others {
            let found = self.connectors.directory(&source.state.id).find(login).await?;
            // Groups are only ever taken from somebody: who is not covered with all is not without some.
            let is_meant = |person: &Person| self.covers(&source, person) != Known::No;
            let Some(person) = found.filter(is_meant) else { continue };
            let person = match self.own(&source, person).await {
                Ok(person) => person,
                // Another may know the login and wait for nobody.
                Err(error) => {
                    unclear = Some(error);
                    continue;
                }
            };
            match self.covers(&source, &person) {
                Known::Yes => meant.push((source, person.user)),
                Known::Unknown => {
                    unclear = Some(Error::Unavailable(format!(
                        "whether {login} is in the group that the connector {} serves is not known",
                        source.name
                    )));
                }
                Known::No => {}
            }
        }
        let meant = self.undisputed(login, meant, &missing)?;
        match (missing.into_iter().next(), unclear) {
            (Some(why), _) if meant.is_empty() => Err(self.not_chosen(why)),
            (None, Some(error)) if meant.is_empty() => Err(error),
            _ => self.one(&meant),
        }
    }

    /// Of those who say that this login is one of their people's, those who may. Who has a directory's
    /// group as its scope says itself who is in there: that does not count for somebody who is known
    /// to be another's, while that one says so too or is away.
    fn undisputed(
        &self,
        login: &UserId,
        meant: Vec<(Endpoint, UserId)>,
        missing: &[NoSource],
    ) -> Result<Vec<Endpoint>> {
        if let ([(only, user)], []) = (&meant[..], missing) {
            self.spoken.note([login, user], &only.state.scope);
        }
        let away = |scope: &Scope| {
            missing.iter().find(|why| {
                matches!(why, NoSource::Away { name, .. } if *self.connectors.logins(name) == *scope)
            })
        };
        let (mut left, mut held) = (Vec::new(), None);
        for (source, user) in &meant {
            let others = self.spoken.by_others([login, user], &source.state.scope);
            let says = |scope: &Arc<Scope>| meant.iter().any(|(it, _)| it.state.scope == *scope);
            match others.iter().find_map(|scope| away(scope)) {
                Some(why) => held = Some(why),
                None if others.iter().any(says) => {}
                None => left.push(source.clone()),
            }
        }
        match held {
            Some(why) if left.is_empty() => Err(self.not_chosen(why.clone())),
            _ => Ok(left),
        }
    }

    /// Whether a connector may speak for a person.
    fn covers(&self, source: &Endpoint, person: &Person) -> Known {
        let in_group = |group: &str| self.membership.of_person(person, group);
        covers(&source.state, &person.user, in_group)
    }

    /// A connector can speak only for users its scope covers (rule A6).
    fn vouch_for(&self, source: &Source, person: &Person) -> Result<()> {
        if self.covers(&source.endpoint, person) == Known::Yes {
            return Ok(());
        }
        let (name, user) = (&source.endpoint.name, &person.user);
        Err(Error::Protocol(format!(
            "the connector {name} answered for {user}, who is outside its scope"
        )))
    }

    /// Those of the linked that are asked about the realm as a whole, the best first.
    fn all(&self, linked: &Linked) -> Result<Vec<Source>> {
        let claimants: Vec<_> = linked.sources.iter().map(claimant).collect();
        let all = dme_routing::all(&claimants, &self.assignment());
        let all = all.map_err(|why| self.not_chosen(why))?;
        let endpoint = |one: &Claimant<'_>| {
            linked.sources.iter().find(|source| source.state.id == one.connector.id)
        };
        Ok(all.iter().filter_map(endpoint).map(|endpoint| self.at(endpoint)).collect())
    }

    fn at(&self, endpoint: &Endpoint) -> Source {
        Source {
            endpoint: endpoint.clone(),
            directory: self.connectors.directory(&endpoint.state.id),
        }
    }
}

impl Source {
    /// Whether an entry of its address list is shown. What is no user, such as a list or a room,
    /// is in nobody's scope; and which groups somebody is in, an entry does not say.
    fn shows(&self, entry: &DirectoryEntry) -> bool {
        let shown = |user| covers(&self.endpoint.state, user, |_| Known::Yes) == Known::Yes;
        entry.user.as_ref().is_none_or(shown)
    }
}

/// The entries of several directories: of each those it is asked about, everybody once.
fn merged<'a>(
    sources: &'a [Source],
    of_each: impl Iterator<Item = (&'a Source, Vec<DirectoryEntry>)>,
) -> Vec<DirectoryEntry> {
    let mut addresses = HashSet::new();
    let mut merged = Vec::new();
    for (source, entries) in of_each {
        let better = || sources.iter().take_while(|other| !std::ptr::eq(*other, source));
        merged.extend(entries.into_iter().filter(|entry| {
            let another_is_asked =
                entry.user.is_some() && better().any(|better| better.shows(entry));
            source.shows(entry)
                && !another_is_asked
                && addresses.insert(entry.address.to_lowercase())
        }));
    }
    merged
}

/// Whether a connector may check logins, of whatever realm, once it is linked.
fn checks_logins(endpoint: &Endpoint) -> bool {
    endpoint.state.lock == Lock::Unlocked
        && endpoint.state.functions.contains(&Function::Authentication)
}

fn claimant(endpoint: &Endpoint) -> Claimant<'_> {
    Claimant {
        name: &endpoint.name,
        connector: &endpoint.state,
        realms: endpoint.realms.as_ref(),
        in_process: endpoint.in_process,
    }
}

#[async_trait]
impl DirectoryService for RealmDirectory {
    async fn authenticate(&self, user: &UserId, password: &Secret) -> Result<Verdict> {
        let Some(source) = self.source_for(user).await? else { return Ok(Verdict::Unknown) };
        Ok(match source.directory.authenticate(user, password).await? {
            Verdict::Accepted(person) => {
                let person = self.own(&source.endpoint, *person).await?;
                self.vouch_for(&source, &person)?;
                Verdict::Accepted(Box::new(person))
            }
            verdict => verdict,
        })
    }

    async fn find(&self, user: &UserId) -> Result<Option<Person>> {
        let Some(source) = self.source_for(user).await? else { return Ok(None) };
        let Some(found) = source.directory.find(user).await? else { return Ok(None) };
        let person = self.own(&source.endpoint, found).await?;
        Ok(Some(person).filter(|person| self.covers(&source.endpoint, person) == Known::Yes))
    }

    async fn groups(&self) -> Result<GroupSnapshot> {
        Ok(self.realm_groups().await?.snapshot)
    }

    async fn realm_groups(&self) -> Result<RealmGroups> {
        self.read_groups().await
    }

    /// In all directories that scopes keep apart, and of each those people it is asked about. One
    /// that does not answer hides its own people only.
    async fn search(&self, search: &PeopleSearch) -> Result<PeopleFound> {
        let sources = self.all(&self.linked()?)?;
        if let [only] = &sources[..] {
            let mut found = only.directory.search(search).await?;
            let before = found.entries.len();
            found.entries.retain(|entry| only.shows(entry));
            let hidden = u32::try_from(before - found.entries.len()).unwrap_or(u32::MAX);
            found.total = found.total.saturating_sub(hidden);
            return Ok(found);
        }
        let Some(terms) = Terms::parse(&search.text) else { return Ok(PeopleFound::default()) };
        // Whatever page is wanted is made of their first ones.
        let limit = search.first.saturating_add(search.limit);
        let first = PeopleSearch { first: 0, limit, ..search.clone() };
        let asked = sources.iter().map(|source| source.directory.search(&first));
        let answers = future::join_all(asked).await;
        let (mut answered, mut failure) = (Vec::new(), None);
        for (source, answer) in sources.iter().zip(answers) {
            match answer {
                Ok(found) => answered.push((source, found)),
                Err(error) => {
                    let connector = &source.endpoint.name;
                    tracing::warn!(connector, %error, "the directory could not be searched");
                    failure.get_or_insert(error);
                }
            }
        }
        if let Some(error) = failure.filter(|_| answered.is_empty()) {
            return Err(error);
        }
        let mut total =
            answered.iter().fold(0_u32, |sum, (_, found)| sum.saturating_add(found.total));
        let given: usize = answered.iter().map(|(_, found)| found.entries.len()).sum();
        let of_each = answered.into_iter().map(|(source, found)| (source, found.entries));
        let mut entries = merged(&sources, of_each);
        let hidden = u32::try_from(given - entries.len()).unwrap_or(u32::MAX);
        total = total.saturating_sub(hidden);
        entries.sort_by_cached_key(|entry| terms.rank(entry));
        let whole = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let page = entries.into_iter().skip(whole(search.first)).take(whole(search.limit));
        Ok(PeopleFound { entries: page.collect(), total })
    }

    /// Those of all directories that scopes keep apart. While one of them is away there is no
    /// answer, lest its people be taken for gone.
    async fn everyone(&self, asking: &UserId, limit: u32) -> Result<Everyone> {
        let linked = self.linked()?;
        let sources = self.all(&linked)?;
        let away = |why: &NoSource| matches!(why, NoSource::Away { .. });
        if let Some(why) = self.missing(&linked).into_iter().find(away) {
            return Err(self.not_chosen(why));
        }
        let read = sources.iter().map(|source| source.directory.everyone(asking, limit));
        let read = future::try_join_all(read).await?;
        let mut complete = read.iter().all(|one| one.complete);
        let mut entries =
            merged(&sources, sources.iter().zip(read.into_iter().map(|one| one.entries)));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        complete &= entries.len() <= limit;
        entries.truncate(limit);
        Ok(Everyone { entries, complete })
    }

    fn is_several(&self) -> bool {
        let apart = |linked| {
            let apart = self.all(&linked)?.len();
            Ok(apart + self.missing(&linked).len() > 1)
        };
        self.linked().and_then(apart).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests;
