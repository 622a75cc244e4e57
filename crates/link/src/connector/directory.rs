//! The calls of a directory, answered by the connector's own.

use super::serve::{Asked, Unanswerable, write};
use super::session::Shared;
use crate::wire::body::Outgoing;
use crate::wire::call::{Call, Head};
use crate::wire::directory::{Authenticate, Find, Groups, Search};
use async_trait::async_trait;
use bytes::Bytes;
use dme_directory::{DirectoryService, Error, GroupSnapshot, Person, Result, Verdict};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::{Instrument, info_span};

pub(super) async fn dispatch(
    shared: &Shared,
    name: &str,
    asked: Asked,
) -> Result<Outgoing, Unanswerable> {
    let directory = shared.services.directory.as_deref().ok_or(Unanswerable::Unknown)?;
    match name {
        Authenticate::NAME => answer::<Authenticate<'_>>(directory, asked).await,
        Find::NAME => answer::<Find<'_>>(directory, asked).await,
        Groups::NAME => answer::<Groups>(directory, asked).await,
        Search::NAME => answer::<Search<'_>>(directory, asked).await,
        _ => Err(Unanswerable::Unknown),
    }
}

/// A call on a directory.
#[async_trait]
trait Ask: Call + DeserializeOwned + Send {
    async fn ask(self, directory: &dyn DirectoryService) -> Result<Self::Answer>;
}

async fn answer<A>(directory: &dyn DirectoryService, asked: Asked) -> Result<Outgoing, Unanswerable>
where
    A: Ask,
    A::Answer: Serialize,
{
    let head: Head<'_, A> = asked.head()?;
    let context = head.context();
    let span = info_span!("call", request = %context.request);
    let asking = head.args.ask(directory).instrument(span);
    let answered = tokio::time::timeout_at(context.deadline.into(), asking).await;
    let late = |_| Err(Error::Unavailable("the directory did not answer in time".into()));
    write(answered.unwrap_or_else(late), Bytes::new())
}

#[async_trait]
impl Ask for Authenticate<'static> {
    async fn ask(self, directory: &dyn DirectoryService) -> Result<Verdict> {
        directory.authenticate(&self.user, &self.password).await
    }
}

#[async_trait]
impl Ask for Find<'static> {
    async fn ask(self, directory: &dyn DirectoryService) -> Result<Option<Person>> {
        directory.find(&self.user).await
    }
}

#[async_trait]
impl Ask for Groups {
    async fn ask(self, directory: &dyn DirectoryService) -> Result<GroupSnapshot> {
        directory.groups().await
    }
}

#[async_trait]
impl Ask for Search<'static> {
    async fn ask(self, directory: &dyn DirectoryService) -> Result<Vec<Person>> {
        directory.search(&self.text, self.limit).await
    }
}
