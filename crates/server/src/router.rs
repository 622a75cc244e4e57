//! Which connector serves a user, now: rules R1 to R4, as far as a request needs them. The judgement
//! itself is `dme_routing`'s; this remembers what connectors answered and opens mailboxes.

use crate::connectors::{Connectors, Endpoint};
use dme_link::CredentialsNeeded;
use dme_mailbox::{Account, CallContext, Credentials, Error, ErrorKind, Mailbox, Result};
use dme_model::{ConnectorId, Function, RequestId, Timestamp, UserId};
use dme_routing::{Choice, Duty, Knowledge, Known, Question, Route};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long "I own this mailbox" holds.
const OWNER_FOR: Duration = Duration::from_secs(600);
/// How long "I do not" holds: a mailbox made just now should not be missed for long.
const STRANGER_FOR: Duration = Duration::from_secs(20);
/// How long a connector may think about whose mailbox it is: the others' users wait for it.
const OWNER_LIMIT: Duration = Duration::from_secs(10);
/// Users whose routes are remembered at the most.
const REMEMBERED: usize = 200_000;

/// Finds the connector for each request.
pub struct Router {
    connectors: Arc<Connectors>,
    call: Duration,
    known: Mutex<HashMap<UserId, Remembered>>,
}

#[derive(Clone, Default)]
struct Remembered {
    /// The connector that served last, and the version of the connectors it was chosen in.
    serving: Option<(ConnectorId, u64)>,
    /// Its name.
    name: String,
    owns: HashMap<ConnectorId, (bool, Instant)>,
}

/// What is known of one user.
struct UserKnowledge<'a> {
    owns: &'a HashMap<ConnectorId, (bool, Instant)>,
}

impl Knowledge for UserKnowledge<'_> {
    fn is_in_group(&self, _: &str) -> Known {
        // No configuration gives a connector a group yet.
        Known::Unknown
    }

    fn owns_mailbox(&self, connector: &ConnectorId) -> Known {
        match self.owns.get(connector) {
            Some((owns, until)) if *until > Instant::now() => {
                if *owns {
                    Known::Yes
                } else {
                    Known::No
                }
            }
            _ => Known::Unknown,
        }
    }
}

impl Router {
    /// A router over these connectors; `call` limits each call to one.
    pub fn new(connectors: Arc<Connectors>, call: Duration) -> Self {
        Self { connectors, call, known: Mutex::default() }
    }

    /// A handle on the user's mailbox, through the connector that serves it now. `now` decides how
    /// warm a connector is, nothing else.
    ///
    /// # Errors
    /// `Unavailable` where no connector can serve, with the reasons; `Busy` where all who could
    /// have too much to do; the connector's own errors.
    pub async fn open(
        &self,
        account: &Account,
        request: &RequestId,
        now: Timestamp,
    ) -> Result<Arc<dyn Mailbox>> {
        self.open_for(account, request, now, self.call).await
    }

    /// The same with a deadline of the caller's.
    ///
    /// # Errors
    /// As [`Router::open`].
    pub async fn open_for(
        &self,
        account: &Account,
        request: &RequestId,
        now: Timestamp,
        limit: Duration,
    ) -> Result<Arc<dyn Mailbox>> {
        let context = CallContext::new(request.clone(), limit);
        let (id, needs) = self.endpoint(account, request, now).await?;
        let account = Account { credentials: needs.admit(&account.credentials), ..account.clone() };
        self.connectors.mail_system(&id).open(&account, &context).await
    }

    /// The connector that serves the user's mail.
    async fn endpoint(
        &self,
        account: &Account,
        request: &RequestId,
        now: Timestamp,
    ) -> Result<(ConnectorId, CredentialsNeeded)> {
        let version = self.connectors.version();
        let endpoints = self.connectors.endpoints();
        let mut remembered = self.lock().get(&account.user).cloned().unwrap_or_default();
        if let Some((serving, chosen_in)) = &remembered.serving
            && *chosen_in == version
            && remembered.owns.get(serving).is_some_and(|(_, until)| *until > Instant::now())
            && let Some(endpoint) = endpoints.iter().find(|e| e.state.id == *serving)
            && endpoint.state.duty == Duty::Serving
            && !endpoint.state.load.is_exhausted()
        {
            return Ok((serving.clone(), endpoint.mail_needs.unwrap_or_default()));
        }
        self.ask_owners(account, request, &endpoints, &mut remembered).await;
        let knowledge = UserKnowledge { owns: &remembered.owns };
        let question = Question { user: &account.user, function: Function::Mail, now };
        let route = Route::new(endpoints.iter().map(|e| &e.state), question, &knowledge);
        let before = remembered.serving.as_ref().map(|(id, _)| id);
        let chosen = match route.choose(before) {
            Choice::Serve(id, why) => {
                if before != Some(id) {
                    tracing::info!(user = %account.user, connector = %id, %why, "route");
                }
                id.clone()
            }
            Choice::Busy { retry_after } => {
                let kind = ErrorKind::Busy { after: retry_after };
                return Err(Error::new(
                    kind,
                    "all connectors that could serve have too much to do",
                ));
            }
            Choice::Nobody => {
                let words = route.explain(before).to_string().replace('\n', "; ");
                return Err(Error::new(ErrorKind::Unavailable, words));
            }
        };
        let endpoint = endpoints.iter().find(|endpoint| endpoint.state.id == chosen);
        remembered.serving = Some((chosen.clone(), version));
        remembered.name = endpoint.map(|endpoint| endpoint.name.clone()).unwrap_or_default();
        let mut known = self.lock();
        if known.len() >= REMEMBERED && !known.contains_key(&account.user) {
            known.clear();
        }
        known.insert(account.user.clone(), remembered);
        drop(known);
        let needs = endpoint.and_then(|endpoint| endpoint.mail_needs).unwrap_or_default();
        Ok((chosen, needs))
    }

    /// Asks those connectors that could serve, and have not said, whether the mailbox is theirs.
    async fn ask_owners(
        &self,
        account: &Account,
        request: &RequestId,
        endpoints: &[Endpoint],
        remembered: &mut Remembered,
    ) {
        let limit = self.call.min(OWNER_LIMIT);
        let context = CallContext::new(request.clone(), limit);
        let secretless = Account { credentials: Credentials::None, ..account.clone() };
        let now = Instant::now();
        remembered.owns.retain(|_, (_, until)| *until > now);
        let open = endpoints.iter().filter_map(|endpoint| {
            endpoint.mail_needs?;
            let id = &endpoint.state.id;
            (!remembered.owns.contains_key(id))
                .then(|| (id.clone(), self.connectors.mail_system(id)))
        });
        let answers = open.map(|(id, mail)| {
            let (secretless, context) = (&secretless, &context);
            async move {
                let answer = tokio::time::timeout(limit, mail.owns(secretless, context)).await;
                (id, answer.unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "no answer"))))
            }
        });
        for (id, answer) in futures_util::future::join_all(answers).await {
            match answer {
                Ok(owns) => {
                    let until = now + if owns { OWNER_FOR } else { STRANGER_FOR };
                    remembered.owns.insert(id, (owns, until));
                }
                Err(error) => tracing::debug!(connector = %id, %error, "did not say whose mailbox"),
            }
        }
    }

    /// Why a user's mail is served by whom, in words (rule R5).
    pub async fn explain(&self, account: &Account, request: &RequestId, now: Timestamp) -> String {
        let endpoints = self.connectors.endpoints();
        let mut remembered = self.lock().get(&account.user).cloned().unwrap_or_default();
        self.ask_owners(account, request, &endpoints, &mut remembered).await;
        let knowledge = UserKnowledge { owns: &remembered.owns };
        let question = Question { user: &account.user, function: Function::Mail, now };
        let route = Route::new(endpoints.iter().map(|e| &e.state), question, &knowledge);
        let before = remembered.serving.as_ref().map(|(id, _)| id);
        route.explain(before).to_string()
    }

    /// The name of the connector that served the user last; empty where none did.
    pub fn serving(&self, user: &UserId) -> String {
        self.lock().get(user).map(|known| known.name.clone()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Remembered>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
