//! A realm's directory: whichever connector authenticates it, found anew at each question, so that
//! it may come, go and be replaced.

use crate::connectors::Connectors;
use async_trait::async_trait;
use dme_directory::{DirectoryService, Error, GroupSnapshot, Person, Result, Verdict};
use dme_model::{Secret, UserId};
use std::sync::Arc;

/// The directory of one realm.
pub struct RealmDirectory {
    connectors: Arc<Connectors>,
    /// The connector's name; any that authenticates where none is configured.
    connector: Option<String>,
}

impl RealmDirectory {
    /// The directory that this connector offers.
    pub fn new(connectors: Arc<Connectors>, connector: Option<String>) -> Arc<Self> {
        Arc::new(Self { connectors, connector })
    }

    /// Exactly one (rule A3): a password is never offered to a second one.
    fn current(&self) -> Result<Arc<dyn DirectoryService>> {
        self.connectors.directory(self.connector.as_deref()).ok_or_else(|| {
            let which = self.connector.as_deref().unwrap_or("that authenticates");
            Error::Unavailable(format!("the connector {which} is not linked"))
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
