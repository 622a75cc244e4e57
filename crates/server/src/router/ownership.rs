//! What connectors answered to "do you own this user's mailbox?" (rule R2).

use super::{Router, secretless};
use crate::connectors::Endpoint;
use crate::membership::Membership;
use dme_mailbox::{Account, CallContext, Error, ErrorKind};
use dme_model::{ConnectorId, RequestId, UserId};
use dme_routing::{Knowledge, Known};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// How long "I own this mailbox" holds, and "I do not" where somebody else does.
pub(super) const OWNER_FOR: Duration = Duration::from_secs(600);
/// How long "I do not" holds where nobody else does: a mailbox made just now should not be missed
/// for long.
pub(super) const STRANGER_FOR: Duration = Duration::from_secs(20);
/// How long a connector may think about whose mailbox it is: the others' users wait for it.
pub(super) const OWNER_LIMIT: Duration = Duration::from_secs(10);

/// The answers about one user.
#[derive(Clone, Default)]
pub(super) struct Ownership(HashMap<ConnectorId, Answer>);

#[derive(Clone, Copy)]
struct Answer {
    owns: bool,
    until: Instant,
}

impl Ownership {
    /// Until when all that is known holds.
    pub fn good_until(&self) -> Instant {
        let owned = self.0.values().filter(|answer| answer.owns).map(|answer| answer.until);
        owned.min().unwrap_or_else(Instant::now)
    }

    fn said(&self, connector: &ConnectorId) -> Known {
        match self.0.get(connector) {
            Some(answer) if answer.owns => Known::Yes,
            Some(_) => Known::No,
            None => Known::Unknown,
        }
    }

    fn note(&mut self, connector: ConnectorId, owns: bool, now: Instant) {
        self.0.insert(connector, Answer { owns, until: now + OWNER_FOR });
    }

    /// Drops the answers that have grown old.
    fn age(&mut self, now: Instant) {
        self.0.retain(|_, answer| answer.until > now);
        if !self.0.values().any(|answer| answer.owns) {
            let early = OWNER_FOR - STRANGER_FOR;
            self.0.retain(|_, answer| answer.until > now + early);
        }
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
}

impl Router {
    /// Asks those connectors that could serve the user, and have not said, whether the mailbox is
    /// theirs.
    pub(super) async fn ask_owners(
        &self,
        account: &Account,
        request: &RequestId,
        endpoints: &[Endpoint],
        owns: &mut Ownership,
    ) {
        let limit = self.call.min(OWNER_LIMIT);
        let context = CallContext::new(request.clone(), limit);
        let secretless = secretless(account);
        let now = Instant::now();
        owns.age(now);
        let in_scope = |endpoint: &Endpoint| {
            let in_group = |group: &str| self.membership.of_user(&account.user, group);
            dme_routing::covers(&endpoint.state, &account.user, in_group) == Known::Yes
        };
        let open = endpoints.iter().filter_map(|endpoint| {
            endpoint.mail_needs?;
            let id = &endpoint.state.id;
            let ask = endpoint.is_linked() && owns.said(id) == Known::Unknown && in_scope(endpoint);
            ask.then(|| (id.clone(), self.connectors.mail_system(id)))
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
                Ok(yes) => owns.note(id, yes, now),
                Err(error) => tracing::debug!(connector = %id, %error, "did not say whose mailbox"),
            }
        }
    }
}
