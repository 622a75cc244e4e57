//! A realm's directory: the one connector that is its authentication source, found anew at each
//! question, so that it may come, go and be replaced. Who that is, `dme_routing` tells.

use crate::config::ConnectorNames;
use crate::connectors::{Connectors, Endpoint};
use async_trait::async_trait;
use dme_directory::{DirectoryService, Error, GroupSnapshot, Person, Result, Verdict};
use dme_model::{Realm, Secret, UserId};
use dme_routing::{Assignment, Claimant, NoSource, covers};
use std::sync::Arc;

/// The directory of one realm.
pub struct RealmDirectory {
    connectors: Arc<Connectors>,
    realm: Realm,
    named: ConnectorNames,
    /// The server has no other realm.
    only: bool,
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
        named: ConnectorNames,
        only: bool,
    ) -> Arc<Self> {
        Arc::new(Self { connectors, realm, named, only })
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

    /// All who may be asked about the realm, the best first.
    fn sources(&self) -> Result<Vec<Endpoint>> {
        let endpoints = self.connectors.endpoints();
        let found = dme_routing::sources(endpoints.iter().map(claimant), &self.assignment());
        let found: Vec<_> =
            found.map_err(not_chosen)?.iter().map(|one| one.connector.id.clone()).collect();
        let place = |endpoint: &Endpoint| found.iter().position(|id| *id == endpoint.state.id);
        let mut endpoints: Vec<_> =
            endpoints.into_iter().filter_map(|one| Some((place(&one)?, one))).collect();
        endpoints.sort_by_key(|(place, _)| *place);
        Ok(endpoints.into_iter().map(|(_, endpoint)| endpoint).collect())
    }

    /// The one of these to ask (rule A3): a password is never offered to a second.
    fn one(&self, sources: &[Endpoint]) -> Result<Option<Source>> {
        let claimants: Vec<_> = sources.iter().map(claimant).collect();
        let one = dme_routing::one(&claimants, &self.assignment()).map_err(not_chosen)?;
        let id = one.map(|one| one.connector.id.clone());
        let found = sources.iter().find(|source| Some(&source.state.id) == id.as_ref());
        Ok(found.map(|endpoint| Source {
            endpoint: endpoint.clone(),
            directory: self.connectors.directory(&endpoint.state.id),
        }))
    }

    /// The one that may speak for this user (rule A6). A login may be another name of a user in a
    /// connector's scope, such as a mail address: that is asked, without a password.
    async fn source_for(&self, login: &UserId) -> Result<Option<Source>> {
        let (covering, others): (Vec<_>, Vec<_>) =
            self.sources()?.into_iter().partition(|source| covers(&source.state, login));
        if !covering.is_empty() {
            return self.one(&covering);
        }
        let mut meant = Vec::new();
        for source in others {
            let person = self.connectors.directory(&source.state.id).find(login).await?;
            if person.is_some_and(|person| covers(&source.state, &person.user)) {
                meant.push(source);
            }
        }
        self.one(&meant)
    }

    /// The one that is asked about the realm as a whole.
    fn source_of_all(&self) -> Result<Source> {
        let absent = || not_chosen(NoSource::Nobody(self.realm.clone()));
        self.one(&self.sources()?)?.ok_or_else(absent)
    }
}

impl Source {
    fn covers(&self, person: &Person) -> bool {
        covers(&self.endpoint.state, &person.user)
    }

    /// A connector can speak only for users its scope covers (rule A6).
    fn vouch_for(&self, person: &Person) -> Result<()> {
        if self.covers(person) {
            return Ok(());
        }
        let (name, user) = (&self.endpoint.name, &person.user);
        Err(Error::Protocol(format!(
            "the connector {name} answered for {user}, who is outside its scope"
        )))
    }
}

fn claimant(endpoint: &Endpoint) -> Claimant<'_> {
    Claimant {
        name: &endpoint.name,
        connector: &endpoint.state,
        realms: endpoint.realms.as_ref(),
        in_process: endpoint.in_process,
    }
}

fn not_chosen(why: NoSource) -> Error {
    match why {
        // It may come any moment.
        NoSource::NamedNotLinked { .. } | NoSource::Nobody(_) => {
            Error::Unavailable(why.to_string())
        }
        NoSource::NotOfRealm { .. } | NoSource::Ambiguous { .. } => {
            Error::NotChosen(why.to_string())
        }
    }
}

#[async_trait]
impl DirectoryService for RealmDirectory {
    async fn authenticate(&self, user: &UserId, password: &Secret) -> Result<Verdict> {
        let Some(source) = self.source_for(user).await? else { return Ok(Verdict::Unknown) };
        let verdict = source.directory.authenticate(user, password).await?;
        if let Verdict::Accepted(person) = &verdict {
            source.vouch_for(person)?;
        }
        Ok(verdict)
    }

    async fn find(&self, user: &UserId) -> Result<Option<Person>> {
        let Some(source) = self.source_for(user).await? else { return Ok(None) };
        let found = source.directory.find(user).await?;
        Ok(found.filter(|person| source.covers(person)))
    }

    async fn groups(&self) -> Result<GroupSnapshot> {
        self.source_of_all()?.directory.groups().await
    }

    async fn search(&self, text: &str, limit: u32) -> Result<Vec<Person>> {
        let source = self.source_of_all()?;
        let mut found = source.directory.search(text, limit).await?;
        found.retain(|person| source.covers(person));
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
