//! A directory whose calls are counted.

use super::Counter;
use async_trait::async_trait;
use dme_directory::{
    DirectoryService, Error, Everyone, GroupSnapshot, PeopleFound, PeopleSearch, Person, Result,
    Verdict,
};
use dme_model::{Function, Secret, UserId};
use std::sync::Arc;

/// A directory whose calls are counted.
pub(crate) struct CountedDirectory {
    directory: Arc<dyn DirectoryService>,
    counter: Counter,
}

impl CountedDirectory {
    pub(crate) fn new(directory: Arc<dyn DirectoryService>, counter: Counter) -> Self {
        Self { directory, counter }
    }

    async fn counted<T>(
        &self,
        function: Function,
        call: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.counter.counted(Some(function), Error::name, call).await
    }
}

#[async_trait]
impl DirectoryService for CountedDirectory {
    async fn authenticate(&self, user: &UserId, password: &Secret) -> Result<Verdict> {
        let call = self.directory.authenticate(user, password);
        self.counted(Function::Authentication, call).await
    }

    async fn find(&self, user: &UserId) -> Result<Option<Person>> {
        self.counted(Function::Directory, self.directory.find(user)).await
    }

    async fn groups(&self) -> Result<GroupSnapshot> {
        self.counted(Function::Directory, self.directory.groups()).await
    }

    async fn search(&self, search: &PeopleSearch) -> Result<PeopleFound> {
        self.counted(Function::Search, self.directory.search(search)).await
    }

    async fn everyone(&self, asking: &UserId, limit: u32) -> Result<Everyone> {
        self.counted(Function::Search, self.directory.everyone(asking, limit)).await
    }

    fn is_several(&self) -> bool {
        self.directory.is_several()
    }
}
