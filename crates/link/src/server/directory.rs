//! A connector's directory, called over its link.

use super::call::{Caller, Failed, Target};
use super::gate::Work;
use super::links::Links;
use crate::wire::call::Call;
use crate::wire::directory::{self, Authenticate, Find, Groups, ListEveryone, Search};
use crate::wire::hello::Lane;
use async_trait::async_trait;
use aws_lc_rs::rand;
use bytes::Bytes;
use dme_directory::{
    DirectoryService, Error, Everyone, GroupSnapshot, PeopleFound, PeopleSearch, Person, Result,
    Verdict,
};
use dme_model::{ConnectorId, RequestId, Secret, UserId};
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::time::Instant;

pub(super) struct RemoteDirectory {
    links: Links,
    id: ConnectorId,
}

impl RemoteDirectory {
    pub(super) fn new(links: Links, id: ConnectorId) -> Self {
        Self { links, id }
    }

    async fn call<A>(&self, args: A) -> Result<A::Answer>
    where
        A: Call,
        A::Answer: DeserializeOwned,
    {
        let target = Target { links: &self.links, id: &self.id };
        // What no phone asked for has an id of our own, which still joins the two ends' logs.
        let request = dme_directory::asking().unwrap_or_else(request_id);
        let caller = Caller {
            request: &request,
            deadline: Instant::now() + self.links.config().directory_limit,
            clock: None,
            account: None,
        };
        let called = async {
            let link = target.link()?;
            target.call(&link, Lane::Calls, Work::Directory, caller, args, Bytes::new()).await
        };
        Ok(called.await.map_err(error)?.0)
    }
}

/// An id for what no phone asked for.
pub(super) fn request_id() -> RequestId {
    let mut bytes = [0; 8];
    // Without randomness the id is a poor one, and nothing else suffers.
    let _ = rand::fill(&mut bytes);
    RequestId::from(format!("link-{:016x}", u64::from_be_bytes(bytes)))
}

fn error(failed: Failed) -> Error {
    match failed {
        Failed::Unavailable(why) => Error::Unavailable(why),
        Failed::Busy(_) => Error::Busy("the connector has too much to do".into()),
        Failed::Timeout => Error::Unavailable("the connector did not answer in time".into()),
        Failed::Unsupported => Error::Protocol("the connector has no directory".into()),
        Failed::Protocol(what) => Error::Protocol(what),
        Failed::Said(value) => directory::error(value),
    }
}

#[async_trait]
impl DirectoryService for RemoteDirectory {
    async fn authenticate(&self, user: &UserId, password: &Secret) -> Result<Verdict> {
        let (user, password) = (Cow::Borrowed(user), Cow::Borrowed(password));
        self.call(Authenticate { user, password }).await
    }

    async fn find(&self, user: &UserId) -> Result<Option<Person>> {
        self.call(Find { user: Cow::Borrowed(user) }).await
    }

    async fn groups(&self) -> Result<GroupSnapshot> {
        self.call(Groups {}).await
    }

    async fn search(&self, search: &PeopleSearch) -> Result<PeopleFound> {
        self.call(Search { search: Cow::Borrowed(search) }).await
    }

    async fn everyone(&self, asking: &UserId, limit: u32) -> Result<Everyone> {
        self.call(ListEveryone { asking: Cow::Borrowed(asking), limit }).await
    }
}
