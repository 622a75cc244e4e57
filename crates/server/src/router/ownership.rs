//! What connectors answered to "do you own this user's mailbox?" (rule R2).

use super::{Router, secretless};
use crate::connectors::Endpoint;
use crate::jitter;
use crate::membership::Membership;
use dme_mailbox::{Account, CallContext, Error, ErrorKind};
use dme_model::{ConnectorId, RequestId, Timestamp, UserId};
use dme_routing::{Duty, Knowledge, Known, Link, Lock};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long an answer holds before it is asked for again, where it matters.
pub(super) const OWNER_FOR: Duration = Duration::from_secs(600);
/// How long "I do not" holds where nobody else does: a mailbox made just now should not be missed
/// for long. And how long one that did not answer is left alone, where another can serve the user.
pub(super) const STRANGER_FOR: Duration = Duration::from_secs(20);
/// How long one that did not answer is left alone where nobody else can.
pub(super) const SILENT_FOR: Duration = Duration::from_secs(2);
/// How long a connector may think about whose mailbox it is: the others' users wait for it.
pub(super) const OWNER_LIMIT: Duration = Duration::from_secs(10);
/// How long a connector that could not reach a user's mail system is passed over.
pub(super) const UNANSWERING_FOR: Duration = Duration::from_secs(60);
/// When to come again where those who may have the mailbox had no time to be asked.
const UNASKED_FOR: Duration = Duration::from_secs(2);

/// The answers about one user. An old one counts until there is a new one.
#[derive(Clone, Default)]
pub(super) struct Ownership {
    said: HashMap<ConnectorId, Answer>,
    /// Those that could not reach the user's mail system, and until when they are passed over.
    unanswering: HashMap<ConnectorId, Instant>,
    /// The names of those that served the user when this process began.
    served: BTreeSet<String>,
}

#[derive(Clone, Copy)]
struct Answer {
    owns: Known,
    /// When it was asked; where it did not answer, when that was known.
    asked: Instant,
    /// Since when the link stood over which it was asked: silence on another one says nothing.
    link: Option<Timestamp>,
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

/// Some who may have the mailbox had no time to be asked, and nobody else can serve the user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unasked {
    /// When to ask them again.
    pub after: Duration,
}

fn linked_since(endpoint: &Endpoint) -> Option<Timestamp> {
    match endpoint.state.link {
        Link::Linked { since } => Some(since),
        Link::Lost | Link::OffHours { .. } => None,
    }
}

impl Ownership {
    /// Where nothing was said yet: these connectors served the user before.
    pub fn served_by(&mut self, names: impl IntoIterator<Item = String>) {
        self.served = names.into_iter().collect();
    }

    /// Until when what decides holds.
    pub fn good_until(&self) -> Instant {
        let owners = self.said.values().filter(|answer| answer.owns == Known::Yes);
        owners.map(|answer| answer.asked + OWNER_FOR).min().unwrap_or_else(Instant::now)
    }

    fn said(&self, connector: &ConnectorId) -> Known {
        self.said.get(connector).map_or(Known::Unknown, |answer| answer.owns)
    }

    fn note(&mut self, endpoint: &Endpoint, owns: Known, asked: Instant) {
        let connector = &endpoint.state.id;
        // Who falls silent has not changed their mind.
        let owns = match owns {
            Known::Unknown => self.said(connector),
            said => said,
        };
        let link = linked_since(endpoint);
        self.said.insert(connector.clone(), Answer { owns, asked, link });
    }

    /// Takes over what was asked later.
    pub fn learn(&mut self, other: &Self) {
        for (connector, answer) in &other.said {
            let known = self.said.get(connector);
            if known.is_none_or(|known| known.asked < answer.asked) {
                self.said.insert(connector.clone(), *answer);
            }
        }
    }

    /// Passes a connector over for a while: it could not reach the user's mail system.
    pub fn failed(&mut self, connector: ConnectorId) {
        self.unanswering.insert(connector, Instant::now() + UNANSWERING_FOR);
    }

    fn has_failed(&self, connector: &ConnectorId) -> bool {
        self.unanswering.get(connector).is_some_and(|until| *until > Instant::now())
    }

    /// How long ago it was asked; none where it was not, or was silent on a link that is gone.
    fn age(&self, endpoint: &Endpoint, now: Instant) -> Option<Duration> {
        let answer = self.said.get(&endpoint.state.id)?;
        let counts = answer.owns != Known::Unknown || answer.link == linked_since(endpoint);
        counts.then(|| now.duration_since(answer.asked))
    }

    /// Whether another of these serves each function that this one could.
    fn is_served(
        &self,
        endpoint: &Endpoint,
        able: &[&Endpoint],
        by: impl Fn(&Endpoint) -> bool,
    ) -> bool {
        endpoint.state.functions.iter().all(|function| {
            able.iter().any(|other| {
                other.state.functions.contains(function)
                    && by(other)
                    && self.said(&other.state.id) == Known::Yes
                    && !self.has_failed(&other.state.id)
            })
        })
    }

    /// Those of these whose answer is wanted.
    fn wanted<'a>(&self, able: &[&'a Endpoint], asking: Asking, now: Instant) -> Vec<&'a Endpoint> {
        // Somebody for each function is enough; who else might is asked when that one cannot.
        let is_served = |endpoint: &Endpoint| {
            self.is_served(endpoint, able, |other| other.state.tier <= endpoint.state.tier)
        };
        let wants = |endpoint: &&&Endpoint| match (asking, self.age(endpoint, now)) {
            (Asking::Nobody, _) => false,
            (Asking::Everybody, age) => age.is_none_or(|age| age >= STRANGER_FOR),
            (Asking::WhereItMatters, None) => !is_served(endpoint),
            (Asking::WhereItMatters, Some(age)) => match self.said(&endpoint.state.id) {
                Known::Yes => age >= OWNER_FOR,
                Known::No => age >= STRANGER_FOR && !is_served(endpoint),
                Known::Unknown => {
                    let alone = !self.is_served(endpoint, able, |_| true);
                    let patience = if alone { SILENT_FOR } else { STRANGER_FOR };
                    age >= patience && !is_served(endpoint)
                }
            },
        };
        let wanted: Vec<&Endpoint> = able.iter().filter(wants).copied().collect();
        // Those that served the user are asked before all others: else a server with many connectors
        // would ask each of them about each of its users when it begins.
        let served = |one: &&&Endpoint| {
            self.served.contains(&one.name) && !self.said.contains_key(&one.state.id)
        };
        let first: Vec<&Endpoint> = wanted.iter().filter(served).copied().collect();
        match asking {
            Asking::WhereItMatters if !first.is_empty() => first,
            _ => wanted,
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

    fn failed_lately(&self, connector: &ConnectorId) -> bool {
        self.owns.has_failed(connector)
    }
}

/// The connectors as they were when the last question about them was asked.
pub(super) struct Asked {
    pub version: u64,
    pub endpoints: Arc<[Endpoint]>,
    pub unasked: Option<Unasked>,
}

impl Router {
    /// Asks those connectors that could serve the user whether the mailbox is theirs. Where those
    /// who may have it have no time to be asked, as when all users of a connector come to another
    /// at once, they are asked again and again while the patience lasts.
    pub(super) async fn know_owners(
        &self,
        account: &Account,
        request: &RequestId,
        owns: &mut Ownership,
        asking: Asking,
        patience: Duration,
    ) -> Asked {
        let until = Instant::now() + patience.min(self.call / 2);
        loop {
            let (version, endpoints) = (self.connectors.version(), self.connectors.snapshot());
            let unasked =
                self.ask_owners(account, request, &endpoints, owns, asking, until).await.err();
            let wait = unasked.map(|unasked| jitter::about(unasked.after));
            match wait {
                Some(wait) if Instant::now() + wait < until => tokio::time::sleep(wait).await,
                _ => return Asked { version, endpoints, unasked },
            }
        }
    }

    /// Asks those of these connectors that could serve the user whether the mailbox is theirs, each
    /// at most once.
    ///
    /// # Errors
    /// Where some had no time to be asked, and nobody else can serve the user.
    pub(super) async fn ask_owners(
        &self,
        account: &Account,
        request: &RequestId,
        endpoints: &[Endpoint],
        owns: &mut Ownership,
        asking: Asking,
        until: Instant,
    ) -> Result<(), Unasked> {
        let secretless = secretless(account);
        let able = |endpoint: &&Endpoint| {
            let in_group = |group: &str| self.membership.of_user(&account.user, group);
            endpoint.is_linked()
                && endpoint.offer.mailbox_needs().is_some()
                && endpoint.state.lock == Lock::Unlocked
                && endpoint.state.duty != Duty::Draining
                && dme_routing::covers(&endpoint.state, &account.user, in_group) == Known::Yes
        };
        let able: Vec<&Endpoint> = endpoints.iter().filter(able).collect();
        // Where the one that was thought to own it says no, the others are asked too.
        let now = Instant::now();
        loop {
            let wanted = owns.wanted(&able, asking, now);
            if wanted.is_empty() {
                return Ok(());
            }
            self.ask(&secretless, request, wanted, &able, owns, until).await?;
        }
    }

    /// Asks these at once. Whoever answers is known by it, and so is whoever was asked and did not
    /// answer. Who had no time to be asked has said nothing, and is left alone only where another
    /// can serve meanwhile.
    async fn ask(
        &self,
        secretless: &Account,
        request: &RequestId,
        mut wanted: Vec<&Endpoint>,
        able: &[&Endpoint],
        owns: &mut Ownership,
        until: Instant,
    ) -> Result<(), Unasked> {
        let asked = Instant::now();
        let mut answers: FuturesUnordered<_> = wanted
            .iter()
            .map(|endpoint| {
                let endpoint = *endpoint;
                async move { (endpoint, self.question(endpoint, secretless, request, until).await) }
            })
            .collect();
        let (mut unasked, mut after) = (Vec::new(), UNASKED_FOR);
        loop {
            // Whoever can be served by another waits for an answer, and for no place in a queue.
            let is_served = wanted.iter().all(|one| owns.is_served(one, able, |_| true));
            let limit = if is_served { until.min(asked + OWNER_LIMIT) } else { until };
            let Ok(next) = tokio::time::timeout_at(limit, answers.next()).await else { break };
            let Some((endpoint, answer)) = next else { break };
            wanted.retain(|one| one.state.id != endpoint.state.id);
            match answer {
                Ok(yes) => owns.note(endpoint, if yes { Known::Yes } else { Known::No }, asked),
                Err(Error { kind: ErrorKind::Busy { after: told }, .. }) => {
                    after = told;
                    unasked.push(endpoint);
                }
                Err(error) => {
                    tracing::debug!(id = %endpoint.state.id, %error, "did not say whose mailbox");
                    owns.note(endpoint, Known::Unknown, Instant::now());
                }
            }
        }
        drop(answers);
        unasked.append(&mut wanted);
        let (served, lost): (Vec<_>, Vec<_>) =
            unasked.into_iter().partition(|one| owns.is_served(one, able, |_| true));
        for endpoint in served {
            owns.note(endpoint, Known::Unknown, Instant::now());
        }
        if lost.is_empty() { Ok(()) } else { Err(Unasked { after }) }
    }

    async fn question(
        &self,
        endpoint: &Endpoint,
        secretless: &Account,
        request: &RequestId,
        until: Instant,
    ) -> dme_mailbox::Result<bool> {
        let left = until.duration_since(Instant::now());
        let mail = self.connectors.mail_system(&endpoint.state.id);
        if !endpoint.in_process {
            // It waits for its turn, and the link limits what it may take from then on.
            return mail.owns(secretless, &CallContext::new(request.clone(), left)).await;
        }
        let limit = left.min(OWNER_LIMIT);
        let context = CallContext::new(request.clone(), limit);
        let asked = tokio::time::timeout(limit, mail.owns(secretless, &context)).await;
        asked.unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "no answer")))
    }
}
