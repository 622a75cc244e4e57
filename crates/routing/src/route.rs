//! The judgement on every connector, and the choice among those nothing speaks against.

use crate::{Connector, Duty, Link, Lock, Scope, Tier};
use dme_model::{ConnectorId, Function, Timestamp, UserId};
use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

/// How long a connector that came back is given less than its share (rule R3).
const WARM_UP: i64 = 60;
/// When to ask again where all who could serve are exhausted.
const RETRY: Duration = Duration::from_secs(5);

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// For whom.
    pub user: &'a UserId,
    /// What is to be done.
    pub function: Function,
    /// When.
    pub now: Timestamp,
}

/// An answer of somebody else that may not be there yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known {
    /// Yes.
    Yes,
    /// No.
    No,
    /// It was not answered; counts as no, and is told apart from it.
    Unknown,
}

/// What the caller knows of the user.
pub trait Knowledge {
    /// Whether the user is in a directory group, at any depth.
    fn is_in_group(&self, group: &str) -> Known;

    /// What the connector answered to "do you own this user's mailbox?". Asked of mailbox
    /// functions only.
    fn owns_mailbox(&self, connector: &ConnectorId) -> Known;
}

/// What speaks against a connector.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, thiserror::Error)]
pub enum Objection {
    /// An administrator has not unlocked it.
    #[error("locked: compare its fingerprint and unlock it")]
    Locked,
    /// It has not dialled in.
    #[error("not linked")]
    Unlinked,
    /// It is about to stop.
    #[error("draining")]
    Draining,
    /// It does not do this.
    #[error("the function is switched off")]
    FunctionOff,
    /// The user is not one it may serve.
    #[error("the user is outside its scope")]
    OutOfScope,
    /// Whether the user is in its scope cannot be told.
    #[error("its scope is a group that is not known")]
    ScopeUnknown,
    /// It said that it has not the user's mailbox.
    #[error("it does not have the user's mailbox")]
    NotOwner,
    /// It did not say whether it has the user's mailbox.
    #[error("it has not said whether it has the user's mailbox")]
    OwnershipUnknown,
    /// It has all the work it can take.
    #[error("exhausted")]
    Exhausted,
}

/// One connector and what speaks against it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Which.
    pub connector: ConnectorId,
    /// By right or as a substitute.
    pub tier: Tier,
    /// All that speaks against it; nothing, where it can serve.
    pub objections: Vec<Objection>,
    load: Share,
}

/// Outstanding work against what it can take, as a fraction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Share {
    work: u64,
    room: u64,
}

/// The judgement on every connector for one question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// Primaries first, within a tier the least loaded first, then by id.
    candidates: Vec<Candidate>,
}

/// Who serves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice<'a> {
    /// This one.
    Serve(&'a ConnectorId, Why),
    /// Those who could are exhausted.
    Busy {
        /// When to ask again.
        retry_after: Duration,
    },
    /// Nobody can.
    Nobody,
}

/// Why one was chosen among those that can serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Why {
    /// It served the user before.
    #[error("it served the user before")]
    Stuck,
    /// It is the only primary that can.
    #[error("the only primary that can")]
    OnlyPrimary,
    /// It is the least loaded primary.
    #[error("the least loaded primary")]
    LeastLoaded,
    /// No primary can.
    #[error("no primary can")]
    Failover,
}

/// The route in words (rule R5).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation<'a> {
    /// Every connector with what speaks against it.
    pub candidates: &'a [Candidate],
    /// Who serves.
    pub choice: Choice<'a>,
    /// Who would, if that one failed.
    pub next: Option<&'a ConnectorId>,
}

impl Route {
    /// Judges every connector.
    pub fn new<'a>(
        connectors: impl IntoIterator<Item = &'a Connector>,
        question: Question<'_>,
        knowledge: &dyn Knowledge,
    ) -> Self {
        let mut candidates: Vec<Candidate> = connectors
            .into_iter()
            .map(|connector| Candidate {
                connector: connector.id.clone(),
                tier: connector.tier,
                objections: objections(connector, question, knowledge),
                load: Share::of(connector, question.now),
            })
            .collect();
        candidates.sort_by(|a, b| {
            a.tier
                .cmp(&b.tier)
                .then_with(|| a.load.compare(b.load))
                .then_with(|| a.connector.cmp(&b.connector))
        });
        Self { candidates }
    }

    /// Every connector with what speaks against it.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Those that can serve, in the order in which they should be tried: an interrupted read is
    /// repeated on the next (rule R7). `served_before` is the connector the user is used to.
    pub fn order(&self, served_before: Option<&ConnectorId>) -> Vec<&ConnectorId> {
        let mut able: Vec<&Candidate> =
            self.candidates.iter().filter(|candidate| candidate.objections.is_empty()).collect();
        // Stable: the order by load stays within "used to" and "not used to".
        able.sort_by_key(|candidate| (candidate.tier, Some(&candidate.connector) != served_before));
        able.into_iter().map(|candidate| &candidate.connector).collect()
    }

    /// Who serves. `served_before` is the connector the user is used to; it is kept while it can
    /// serve, unless it is a failover and a primary can again.
    pub fn choose(&self, served_before: Option<&ConnectorId>) -> Choice<'_> {
        let Some(&first) = self.order(served_before).first() else {
            let busy = self.candidates.iter().any(|c| c.objections == [Objection::Exhausted]);
            return if busy { Choice::Busy { retry_after: RETRY } } else { Choice::Nobody };
        };
        let able = |tier| {
            self.candidates.iter().filter(move |c| c.tier == tier && c.objections.is_empty())
        };
        let why = match able(Tier::Primary).count() {
            _ if Some(first) == served_before => Why::Stuck,
            0 => Why::Failover,
            1 => Why::OnlyPrimary,
            _ => Why::LeastLoaded,
        };
        Choice::Serve(first, why)
    }

    /// All of it, for an administrator.
    pub fn explain(&self, served_before: Option<&ConnectorId>) -> Explanation<'_> {
        Explanation {
            candidates: &self.candidates,
            choice: self.choose(served_before),
            next: self.order(served_before).get(1).copied(),
        }
    }
}

fn objections(
    connector: &Connector,
    question: Question<'_>,
    knowledge: &dyn Knowledge,
) -> Vec<Objection> {
    let scope = match &connector.scope {
        Scope::Everyone => Known::Yes,
        Scope::Users(users) if users.contains(question.user) => Known::Yes,
        Scope::Users(_) => Known::No,
        Scope::Group(group) => knowledge.is_in_group(group),
    };
    let owns = match question.function {
        Function::Authentication | Function::Directory | Function::Search => Known::Yes,
        Function::Mail
        | Function::Calendar
        | Function::Contacts
        | Function::Tasks
        | Function::Notes => knowledge.owns_mailbox(&connector.id),
    };
    [
        (connector.lock == Lock::Locked, Objection::Locked),
        (connector.link == Link::Lost, Objection::Unlinked),
        (connector.duty == Duty::Draining, Objection::Draining),
        (!connector.functions.contains(&question.function), Objection::FunctionOff),
        (scope == Known::No, Objection::OutOfScope),
        (scope == Known::Unknown, Objection::ScopeUnknown),
        (owns == Known::No, Objection::NotOwner),
        (owns == Known::Unknown, Objection::OwnershipUnknown),
        (connector.load.is_exhausted(), Objection::Exhausted),
    ]
    .into_iter()
    .filter_map(|(holds, objection)| holds.then_some(objection))
    .collect()
}

impl Share {
    /// What one more call would make of it. One that came back lately counts as smaller than it
    /// is, so that its load grows with the seconds.
    fn of(connector: &Connector, now: Timestamp) -> Self {
        let warm = match connector.link {
            Link::Linked { since } => now.as_seconds().saturating_sub(since.as_seconds()),
            Link::Lost => WARM_UP,
        };
        let warm = u64::try_from(warm.clamp(1, WARM_UP)).unwrap_or(1);
        Self {
            work: u64::from(connector.load.outstanding) + 1,
            room: u64::from(connector.load.parallel.max(1)) * warm,
        }
    }

    fn compare(self, other: Self) -> Ordering {
        let product = |a: u64, b: u64| u128::from(a) * u128::from(b);
        product(self.work, other.room).cmp(&product(other.work, self.room))
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.choice {
            Choice::Serve(connector, why) => write!(f, "served by {connector}: {why}")?,
            Choice::Busy { .. } => f.write_str("served by nobody now: all who could are busy")?,
            Choice::Nobody => f.write_str("served by nobody")?,
        }
        if let Some(next) = self.next {
            write!(f, "; next would be {next}")?;
        }
        for candidate in self.candidates {
            let tier = match candidate.tier {
                Tier::Primary => "primary",
                Tier::Failover => "failover",
            };
            write!(f, "\n{} ({tier}): ", candidate.connector)?;
            if candidate.objections.is_empty() {
                f.write_str("can serve")?;
            }
            for (index, objection) in candidate.objections.iter().enumerate() {
                write!(f, "{}{objection}", if index > 0 { "; " } else { "" })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
