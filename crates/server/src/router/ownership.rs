//! What connectors answered to "do you own this user's mailbox?" (rule R2).

use super::{Router, secretless};
use crate::connectors::Endpoint;
use crate::membership::Membership;
use dme_mailbox::{Account, CallContext, Error, ErrorKind};
use dme_model::{ConnectorId, RequestId, UserId};
use dme_routing::{Duty, Knowledge, Known, Lock};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// How long an answer holds before it is asked for again, where it matters.
pub(super) const OWNER_FOR: Duration = Duration::from_secs(600);
/// How long "I do not" holds where nobody else does: a mailbox made just now should not be missed
/// for long. And how long one that did not answer is left alone.
pub(super) const STRANGER_FOR: Duration = Duration::from_secs(20);
/// How long a connector may think about whose mailbox it is: the others' users wait for it.
pub(super) const OWNER_LIMIT: Duration = Duration::from_secs(10);
/// How long a connector that could not reach a user's mail system is passed over.
const UNANSWERING_FOR: Duration = Duration::from_secs(60);

/// The answers about one user. An old one counts until there is a new one.
#[derive(Clone, Default)]
pub(super) struct Ownership {
    said: HashMap<ConnectorId, Answer>,
    /// Those that could not reach the user's mail system, and until when they are passed over.
    unanswering: HashMap<ConnectorId, Instant>,
}

#[derive(Clone, Copy)]
struct Answer {
    owns: Known,
    asked: Instant,
}

/// Whom to ask whose mailbox it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asking {
    /// Nobody: what is known must do.
    Nobody,
    /// Those whose answer decides something now.
    WhereItMatters,
    /// Everybody who has not said.
    Everybody,
}

impl Ownership {
    /// Until when what decides holds.
    pub fn good_until(&self) -> Instant {
        let owners = self.said.values().filter(|answer| answer.owns == Known::Yes);
        owners.map(|answer| answer.asked + OWNER_FOR).min().unwrap_or_else(Instant::now)
    }

    fn said(&self, connector: &ConnectorId) -> Known {
        self.said.get(connector).map_or(Known::Unknown, |answer| answer.owns)
    }

    fn note(&mut self, connector: ConnectorId, owns: Known, asked: Instant) {
        // Who falls silent has not changed their mind.
        let owns = match owns {
            Known::Unknown => self.said(&connector),
            said => said,
        };
        self.said.insert(connector, Answer { owns, asked });
    }

    /// Passes a connector over for a while: it could not reach the user's mail system.
    pub fn failed(&mut self, connector: ConnectorId) {
        self.unanswering.insert(connector, Instant::now() + UNANSWERING_FOR);
    }

    fn has_failed(&self, connector: &ConnectorId) -> bool {
        self.unanswering.get(connector).is_some_and(|until| *until > Instant::now())
    }

    /// Those of these whose answer is wanted.
    fn wanted<'a>(&self, able: &[&'a Endpoint], asking: Asking, now: Instant) -> Vec<&'a Endpoint> {
        let age = |endpoint: &Endpoint| {
            self.said.get(&endpoint.state.id).map(|answer| now.duration_since(answer.asked))
        };
        // Somebody for each function is enough; who else might is asked when that one cannot.
        let is_served = |endpoint: &&Endpoint| {
            endpoint.state.functions.iter().all(|function| {
                able.iter().any(|other| {
                    other.state.functions.contains(function)
                        && other.state.tier <= endpoint.state.tier
                        && self.said(&other.state.id) == Known::Yes
                        && !self.has_failed(&other.state.id)
                })
            })
        };
        let wants = |endpoint: &&&Endpoint| match (asking, age(endpoint)) {
            (Asking::Nobody, _) => false,
            (Asking::Everybody, age) => age.is_none_or(|age| age >= STRANGER_FOR),
            (Asking::WhereItMatters, None) => !is_served(endpoint),
            (Asking::WhereItMatters, Some(age)) => match self.said(&endpoint.state.id) {
                Known::Yes => age >= OWNER_FOR,
                _ => age >= STRANGER_FOR && !is_served(endpoint),
            },
        };
        able.iter().filter(wants).copied().collect()
    }
}

/// What is known of one user.
pub(super) struct UserKnowledge<'a> {
    pub user: &'a UserId,
    pub owns: &'a Ownership,
    pub membership: &'a dyn Membership,
}

impl Knowledge for UserKnowledge<'_> {
    fn is_in_group(&self, group: &str) -> Known {
        self.membership.of_user(self.user, group)
    }

    fn owns_mailbox(&self, connector: &ConnectorId) -> Known {
        self.owns.said(connector)
    }

    fn failed_lately(&self, connector: &ConnectorId) -> bool {
        self.owns.has_failed(connector)
    }
}

impl Router {
    /// Asks those connectors that could serve the user whether the mailbox is theirs.
    pub(super) async fn ask_owners(
        &self,
        account: &Account,
        request: &RequestId,
        endpoints: &[Endpoint],
        owns: &mut Ownership,
        asking: Asking,
    ) {
        let limit = self.call.min(OWNER_LIMIT);
        let context = CallContext::new(request.clone(), limit);
        let secretless = secretless(account);
        let now = Instant::now();
        let able = |endpoint: &&Endpoint| {
            let in_group = |group: &str| self.membership.of_user(&account.user, group);
            endpoint.is_linked()
                && endpoint.offer.mailbox_needs().is_some()
                && endpoint.state.lock == Lock::Unlocked
                && endpoint.state.duty == Duty::Serving
                && !endpoint.state.load.is_exhausted()
                && dme_routing::covers(&endpoint.state, &account.user, in_group) == Known::Yes
        };
        let able: Vec<&Endpoint> = endpoints.iter().filter(able).collect();
        // Where the one that was thought to own it says no, the others are asked too.
        for _ in 0..2 {
            let wanted = owns.wanted(&able, asking, now);
            self.ask(&secretless, &context, wanted, owns, now).await;
        }
    }

    async fn ask(
        &self,
        secretless: &Account,
        context: &CallContext,
        wanted: Vec<&Endpoint>,
        owns: &mut Ownership,
        now: Instant,
    ) {
        let limit = self.call.min(OWNER_LIMIT);
        let answers = wanted.into_iter().map(|endpoint| {
            let (id, mail) = (&endpoint.state.id, self.connectors.mail_system(&endpoint.state.id));
            async move {
                let answer = tokio::time::timeout(limit, mail.owns(secretless, context)).await;
                (id, answer.unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "no answer"))))
            }
        });
        for (id, answer) in futures_util::future::join_all(answers).await {
            let said = match answer {
                Ok(true) => Known::Yes,
                Ok(false) => Known::No,
                Err(error) => {
                    tracing::debug!(%id, %error, "did not say whose mailbox");
                    Known::Unknown
                }
            };
            owns.note(id.clone(), said, now);
        }
    }
}
