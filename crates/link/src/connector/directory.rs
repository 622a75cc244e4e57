//! The calls of a directory, answered by the connector's own.

use super::serve::{Asked, Unanswerable, write};
use super::session::Shared;
use crate::wire::body::Outgoing;
use crate::wire::call::{Call, Head};
use crate::wire::directory::{Authenticate, Find, Groups, ListEveryone, Search};
use async_trait::async_trait;
use bytes::Bytes;
use dme_directory::{
    DirectoryService, Error, Everyone, GroupSnapshot, PeopleFound, Person, Result, Verdict,
    on_behalf_of,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Instant;
use tracing::{Instrument, debug, info_span};

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
        ListEveryone::NAME => answer::<ListEveryone<'_>>(directory, asked).await,
        _ => Err(Unanswerable::Unknown),
    }
}

/// A call on a directory.
#[async_trait]
trait Ask: Call + DeserializeOwned + Send {
    async fn ask(self, directory: &dyn DirectoryService) -> Result<Self::Answer>;

    /// What the log says of an answer: whether a login was good, nothing of what was found.
    fn said(_: &Self::Answer) -> Option<&'static str> {
        None
    }
}

async fn answer<A>(directory: &dyn DirectoryService, asked: Asked) -> Result<Outgoing, Unanswerable>
where
    A: Ask,
    A::Answer: Serialize,
{
    let head: Head<'_, A> = asked.head()?;
    let context = head.context();
    let late = |_| Err(Error::Unavailable("the directory did not answer in time".into()));
    let answer = async {
        let begun = Instant::now();
        let asking = on_behalf_of(context.request.clone(), head.args.ask(directory));
        let answer = tokio::time::timeout_at(context.deadline.into(), asking).await;
        let answer = answer.unwrap_or_else(late);
        let (took_us, failed) = (begun.elapsed().as_micros(), answer.as_ref().err());
        let said = answer.as_ref().ok().and_then(A::said);
        debug!(
            call = A::NAME,
            took_us,
            said,
            failed = failed.map(tracing::field::display),
            "answered"
        );
        answer
    };
    // Whatever is logged meanwhile carries the request id too (rule L7).
    let answer = answer.instrument(info_span!("call", request = %context.request));
    write(answer.await, Bytes::new())
}

#[async_trait]
impl Ask for Authenticate<'static> {
    async fn ask(self, directory: &dyn DirectoryService) -> Result<Verdict> {
        directory.authenticate(&self.user, &self.password).await
    }

    fn said(verdict: &Verdict) -> Option<&'static str> {
        Some(match verdict {
            Verdict::Accepted(_) => "accepted",
            Verdict::WrongPassword => "wrong password",
            Verdict::Unknown => "unknown user",
            Verdict::Barred(_) => "barred",
        })
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
    async fn ask(self, directory: &dyn DirectoryService) -> Result<PeopleFound> {
        directory.search(&self.search).await
    }
}

#[async_trait]
impl Ask for ListEveryone<'static> {
    async fn ask(self, directory: &dyn DirectoryService) -> Result<Everyone> {
        directory.everyone(&self.asking, self.limit).await
    }
}
