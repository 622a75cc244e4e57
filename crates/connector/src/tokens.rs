//! Logins with an OAuth access token of the mail system's in place of a password.

use async_trait::async_trait;
use dme_directory::{
    DirectoryService, Error, Everyone, GroupSnapshot, PeopleFound, PeopleSearch, Person, Result,
    Verdict,
};
use dme_imap::ImapMailSystem;
use dme_mailbox::{Account, CallContext, Credentials, ErrorKind};
use dme_model::{RequestId, Secret, UserId};
use std::sync::Arc;
use std::time::Duration;

/// How long the mail system may take to judge a token: less than whoever asked waits, so that one
/// user whose sessions are all in use does not look like a directory that is down.
const LIMIT: Duration = Duration::from_secs(8);

/// A directory whose people show a token that only the mail system can judge. Who they are and
/// what groups they are in stays the directory's to say.
pub(crate) struct TokenDirectory {
    people: Arc<dyn DirectoryService>,
    mail: Arc<ImapMailSystem>,
}

impl TokenDirectory {
    pub(crate) fn new(people: Arc<dyn DirectoryService>, mail: Arc<ImapMailSystem>) -> Self {
        Self { people, mail }
    }
}

#[async_trait]
impl DirectoryService for TokenDirectory {
    async fn authenticate(&self, user: &UserId, token: &Secret) -> Result<Verdict> {
        let Some(person) = self.people.find(user).await? else { return Ok(Verdict::Unknown) };
        let account = Account {
            user: person.user.clone(),
            address: person.address.clone(),
            display_name: person.display_name.clone(),
            credentials: Credentials::Bearer(token.clone()),
        };
        let request = dme_directory::asking().unwrap_or_else(|| RequestId::from("login"));
        let context = CallContext::new(request, LIMIT);
        match self.mail.try_login(&account, &context).await {
            Ok(()) => Ok(Verdict::Accepted(Box::new(person))),
            Err(error) if error.kind == ErrorKind::Auth => Ok(Verdict::WrongPassword),
            Err(error) => Err(match error.kind {
                ErrorKind::Busy { .. } | ErrorKind::Timeout => Error::Busy(error.to_string()),
                _ => Error::Unavailable(error.to_string()),
            }),
        }
    }

    async fn find(&self, user: &UserId) -> Result<Option<Person>> {
        self.people.find(user).await
    }

    async fn groups(&self) -> Result<GroupSnapshot> {
        self.people.groups().await
    }

    async fn search(&self, search: &PeopleSearch) -> Result<PeopleFound> {
        self.people.search(search).await
    }

    async fn everyone(&self, asking: &UserId, limit: u32) -> Result<Everyone> {
        self.people.everyone(asking, limit).await
    }
}
