//! A realm's directory: whichever connector authenticates it, found anew at each question, so that
//! it may come, go and be replaced.

use crate::connectors::Connectors;
use async_trait::async_trait;
use dme_directory::{DirectoryService, Error, GroupSnapshot, Person, Result, Verdict};
use dme_model::{Realm, Secret, UserId};
use std::sync::Arc;

/// The directory of one realm.
pub struct RealmDirectory {
    connectors: Arc<Connectors>,
    realm: Realm,
    /// The connector's name; any that authenticates where none is configured.
    connector: Option<String>,
}

impl RealmDirectory {
    /// The directory of this realm that this connector offers, or any where none is named.
    pub fn new(connectors: Arc<Connectors>, realm: Realm, connector: Option<String>) -> Arc<Self> {
        Arc::new(Self { connectors, realm, connector })
    }

    /// Exactly one (rule A3): a password is never offered to a second one.
    fn current(&self) -> Result<Arc<dyn DirectoryService>> {
        let connector = self.connector.as_deref();
        self.connectors.directory(&self.realm, connector).ok_or_else(|| {
            let (which, realm) = (connector.unwrap_or("that authenticates"), &self.realm);
            Error::Unavailable(format!("the connector {which} for {realm} is not linked"))
        })
    }
}

#[async_trait]
impl DirectoryService for RealmDirectory {
    async fn authenticate(&self, user: &UserId, password: &Secret) -> Result<Verdict> {
        self.current()?.authenticate(user, password).await
    }

    async fn find(&self, user: &UserId) -> Result<Option<Person>> {
        self.current()?.find(user).await
    }

    async fn groups(&self) -> Result<GroupSnapshot> {
        self.current()?.groups().await
    }

    async fn search(&self, text: &str, limit: u32) -> Result<Vec<Person>> {
        self.current()?.search(text, limit).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_directory::{FileConfig, FileDirectory, NewUser, add_user};
    use dme_link::{Authority, Links, LinksConfig, Registrar, Services};
    use dme_model::ConnectorId;
    use dme_routing::Load;
    use dme_store::SqliteStore;
    use std::collections::BTreeMap;
    use std::path::Path;

    async fn people(folder: &Path, realm: &str) -> Services {
        let config = FileConfig::new(realm, folder.join(format!("{realm}.toml")));
        let ann = NewUser {
            name: "ann".into(),
            address: format!("ann@{realm}"),
            display_name: None,
            groups: Vec::new(),
        };
        add_user(&config, &ann, &Secret::new(realm)).await.unwrap();
        let directory = FileDirectory::open(config).unwrap();
        Services { mail: None, directory: Some(Arc::new(directory)) }
    }

    #[tokio::test]
    async fn a_directory_is_never_asked_about_another_realm_while_its_own_is_away() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Arc::new(Authority::open(&folder.path().join("authority")).unwrap());
        let store = Arc::new(SqliteStore::open(folder.path().join("dme.db")).unwrap());
        let registrar = Arc::new(Registrar::new(authority, store.clone(), store));
        let links = Links::new(registrar, LinksConfig::default());
        let connectors = Connectors::new(links.clone(), BTreeMap::new(), Load::default());
        let directory = |realm: &str| RealmDirectory::new(connectors.clone(), realm.into(), None);
        let (user, password) = (UserId::from("ann@two.test"), Secret::new("two.test"));

        // It would say that it does not know her, and her phone would ask for another password.
        let one = people(folder.path(), "one.test").await;
        links.attach_local(ConnectorId::from("c1"), "one", one);
        let away = directory("two.test").authenticate(&user, &password).await;
        assert!(matches!(away, Err(Error::Unavailable(_))), "{away:?}");
        assert!(matches!(directory("two.test").groups().await, Err(Error::Unavailable(_))));

        let two = people(folder.path(), "two.test").await;
        links.attach_local(ConnectorId::from("c2"), "two", two);
        let there = directory("two.test").authenticate(&user, &password).await;
        assert!(matches!(there, Ok(Verdict::Accepted(_))), "{there:?}");
        let ann = directory("one.test").find(&UserId::from("ann@one.test")).await;
        assert!(matches!(ann, Ok(Some(_))), "{ann:?}");
    }
}
