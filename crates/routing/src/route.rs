//! The judgement on every connector, and the choice among those nothing speaks against.

use crate::{Connector, Duty, Link, Lock, Tier, covers};
use dme_model::{ConnectorId, Function, Timestamp, UserId};
use std::cmp::Ordering;
use std::time::Duration;

/// How long a connector that came back is given less than its share (rule R3).
const WARM_UP: i64 = 60;
/// When to ask again where all who could serve are exhausted.
const RETRY: Duration = Duration::from_secs(5);
/// When to ask again at the latest where one that could serve was lost.
const LOST: Duration = Duration::from_secs(30);

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

    /// Whether the connector could not reach the user's mail system lately.
    fn failed_lately(&self, _: &ConnectorId) -> bool {
        false
    }
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
    /// It links at certain hours only.
    #[error("off hours: it links again at {until}")]
    OffHours {
        /// When that is.
        until: Timestamp,
    },
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
    #[error(
        "its scope is a group that the directory does not have, or whose members are not known yet"
    )]
    ScopeUnknown,
    /// It said that it has not the user's mailbox.
    #[error("it does not have the user's mailbox")]
    NotOwner,
    /// It did not say whether it has the user's mailbox.
    #[error("it has not said whether it has the user's mailbox")]
    OwnershipUnknown,
    /// It was asked for this user lately, and could not reach the mail system.
    #[error("its mail system did not answer for this user lately")]
    Unanswering,
    /// It has all the work it can take.
    #[error("exhausted")]
    Exhausted,
}

impl Objection {
    /// Whether it passes by itself, or by what an administrator does for a while: the user is still
    /// at home there.
    pub const fn is_passing(self) -> bool {
        match self {
            Self::Unlinked
            | Self::OffHours { .. }
            | Self::Draining
            | Self::Locked
            | Self::ScopeUnknown
            | Self::OwnershipUnknown
            | Self::Unanswering
            | Self::Exhausted => true,
            Self::FunctionOff | Self::OutOfScope | Self::NotOwner => false,
        }
    }
}

/// Who served a user before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct History<'a> {
    /// The connector that does while all is well: the primary that was chosen first.
    pub home: Option<&'a ConnectorId>,
    /// The one that did last.
    pub last: Option<&'a ConnectorId>,
    /// The one that serves the same user's mail: others of their functions are best there too.
    pub beside: Option<&'a ConnectorId>,
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
    /// How long it takes until it is this user's turn to come to one that has linked lately, or was
    /// given back lately what it did before. Those whom another can serve wait for it, so that not all
    /// come at once (rule R3).
    pub turn_in: Duration,
    load: Share,
}

impl Candidate {
    /// Whether nothing speaks against it.
    pub const fn is_able(&self) -> bool {
        self.objections.is_empty()
    }

    /// Whether it is better to ask it than nobody.
    fn may_be_tried(&self) -> bool {
        self.objections.iter().all(|objection| *objection == Objection::Unanswering)
    }
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
    now: Timestamp,
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
    /// It is where the user is at home.
    #[error("it serves the user while all is well")]
    Home,
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
    /// Nobody else can; that it did not reach the mail system lately is no reason to ask nobody.
    #[error("nobody else can, though its mail system did not answer lately")]
    LastResort,
}

/// All that is to be said of a route (rule R5).
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
                turn_in: turn_in(connector, question),
                load: Share::of(connector, question.now),
            })
            .collect();
        candidates.sort_by(|a, b| {
            a.tier
                .cmp(&b.tier)
                .then_with(|| a.load.compare(b.load))
                .then_with(|| a.connector.cmp(&b.connector))
        });
        Self { candidates, now: question.now }
    }

    /// Every connector with what speaks against it.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Those that can serve, in the order in which they should be tried: an interrupted read is
    /// repeated on the next (rule R7). Those that did not reach the mail system lately come last.
    pub fn order(&self, history: History<'_>) -> Vec<&ConnectorId> {
        let mut able: Vec<&Candidate> =
            self.candidates.iter().filter(|candidate| candidate.may_be_tried()).collect();
        let is_last = |one: &&Candidate| Some(&one.connector) == history.last;
        let last_is_able = able.iter().any(|one| one.is_able() && is_last(one));
        // Stable: the order by load stays within what is alike.
        able.sort_by_key(|candidate| {
            let is = |other: Option<&ConnectorId>| other == Some(&candidate.connector);
            let waits = last_is_able && !is(history.last) && !candidate.turn_in.is_zero();
            let strange = (!is(history.home), !is(history.last), !is(history.beside));
            (!candidate.is_able(), waits, candidate.tier, strange)
        });
        able.into_iter().map(|candidate| &candidate.connector).collect()
    }

    /// Whether the user stays at home there, though it may not be able to serve now.
    pub fn is_home(&self, connector: &ConnectorId) -> bool {
        self.candidate(connector).is_some_and(|candidate| {
            candidate.tier == Tier::Primary
                && candidate.objections.iter().all(|objection| objection.is_passing())
        })
    }

    /// The judgement on one.
    pub fn candidate(&self, connector: &ConnectorId) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.connector == *connector)
    }

    /// Who serves. The user's home is kept, else whoever served last while it can, unless it is a
    /// failover and a primary can again.
    pub fn choose(&self, history: History<'_>) -> Choice<'_> {
        let Some(&first) = self.order(history).first() else {
            return self.later().map_or(Choice::Nobody, |retry_after| Choice::Busy { retry_after });
        };
        let able = |tier| self.candidates.iter().filter(move |c| c.tier == tier && c.is_able());
        let why = match able(Tier::Primary).count() {
            _ if self.candidate(first).is_some_and(|c| !c.is_able()) => Why::LastResort,
            _ if Some(first) == history.home => Why::Home,
            _ if Some(first) == history.last => Why::Stuck,
            0 => Why::Failover,
            1 => Why::OnlyPrimary,
            _ => Why::LeastLoaded,
        };
        Choice::Serve(first, why)
    }

    /// When one can serve that cannot now; none where that is not known.
    fn later(&self) -> Option<Duration> {
        let each = self.candidates.iter().filter_map(|candidate| match *candidate.objections {
            [Objection::Exhausted] => Some(RETRY),
            [Objection::OffHours { until }] => Some(self.until(until)),
            _ => None,
        });
        // Where one is lost that could serve, nobody is sent away until the hours of another: it may
        // be back any moment.
        let lost = self
            .candidates
            .iter()
            .any(|candidate| matches!(*candidate.objections, [Objection::Unlinked]));
        each.min().map(|wait| if lost { wait.min(LOST) } else { wait })
    }

    /// When one may serve of which it is not known whether it has the mailbox: it was not asked
    /// since this process began, or since routes were flushed, and cannot be asked before it links
    /// again at its hours. Where the user is at home somewhere, that one alone is meant. None where
    /// another may be there any moment.
    pub fn perhaps_in(&self, home: Option<&ConnectorId>) -> Option<Duration> {
        let mut meant: Vec<&Candidate> = self
            .candidates
            .iter()
            .filter(|one| one.objections.iter().all(|objection| objection.is_passing()))
            // Nobody waits for one that an administrator has yet to let work.
            .filter(|one| !one.objections.contains(&Objection::Locked))
            .collect();
        if let Some(home) = home.filter(|home| self.candidate(home).is_some()) {
            meant.retain(|one| one.connector == *home);
        }
        let each: Option<Vec<Duration>> = meant.into_iter().map(|one| self.comes_in(one)).collect();
        each?.into_iter().min()
    }

    /// The time until a connector links again at its hours, where nothing else keeps it.
    fn comes_in(&self, candidate: &Candidate) -> Option<Duration> {
        let mut comes = None;
        for objection in &candidate.objections {
            match objection {
                Objection::OffHours { until } => comes = Some(self.until(*until)),
                Objection::OwnershipUnknown | Objection::ScopeUnknown | Objection::Unanswering => {}
                _ => return None,
            }
        }
        comes
    }

    fn until(&self, moment: Timestamp) -> Duration {
        let wait = moment.as_millis().saturating_sub(self.now.as_millis());
        Duration::from_millis(u64::try_from(wait).unwrap_or(0)).max(RETRY)
    }

    /// All of it, for an administrator.
    pub fn explain(&self, history: History<'_>) -> Explanation<'_> {
        Explanation {
            candidates: &self.candidates,
            choice: self.choose(history),
            next: self.order(history).get(1).copied(),
        }
    }
}

/// How many seconds of its warming up a connector has behind it: since it linked, and since it was
/// said whom it is to serve, whichever was later.
fn warmth(connector: &Connector, now: Timestamp) -> i64 {
    let Link::Linked { since } = connector.link else { return WARM_UP };
    let said = match connector.duty {
        Duty::Serving { since } => since,
        Duty::Draining => None,
    };
    let behind = |moment: Timestamp| match now.as_seconds().saturating_sub(moment.as_seconds()) {
        // The clock was set back since: nobody waits until it has caught up.
        ahead if ahead < -WARM_UP => WARM_UP,
        age => age.clamp(0, WARM_UP),
    };
    behind(since).min(said.map_or(WARM_UP, behind))
}

/// How long until it is a user's turn to come to a connector that warms up: each user has a second of
/// their own within that time.
fn turn_in(connector: &Connector, question: Question<'_>) -> Duration {
    let age = warmth(connector, question.now);
    let place = [question.user.as_str(), connector.id.as_str()].concat();
    // FNV-1a: the same on every server, and spread well enough for this.
    let hash = place.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let turn = i64::try_from((hash >> 33) % WARM_UP.unsigned_abs()).unwrap_or(0);
    Duration::from_secs(u64::try_from(turn.saturating_sub(age)).unwrap_or(0))
}

fn objections(
    connector: &Connector,
    question: Question<'_>,
    knowledge: &dyn Knowledge,
) -> Vec<Objection> {
    let scope = covers(connector, question.user, |group| knowledge.is_in_group(group));
    let owns = match question.function {
        Function::Authentication | Function::Directory | Function::Search => Known::Yes,
        Function::Mail
        | Function::Calendar
        | Function::Contacts
        | Function::Tasks
        | Function::Notes => knowledge.owns_mailbox(&connector.id),
    };
    let off_hours = match connector.link {
        Link::OffHours { until } => Some(until),
        Link::Lost | Link::Linked { .. } => None,
    };
    [
        (connector.lock == Lock::Locked, Objection::Locked),
        (connector.link == Link::Lost, Objection::Unlinked),
        (connector.duty == Duty::Draining, Objection::Draining),
        (!connector.functions.contains(&question.function), Objection::FunctionOff),
        (scope == Known::No, Objection::OutOfScope),
        (scope == Known::Unknown, Objection::ScopeUnknown),
        (owns == Known::No, Objection::NotOwner),
        // Who is outside its scope is not asked about.
        (owns == Known::Unknown && scope != Known::No, Objection::OwnershipUnknown),
        (knowledge.failed_lately(&connector.id), Objection::Unanswering),
        (connector.load.exhausted, Objection::Exhausted),
    ]
    .into_iter()
    .filter_map(|(holds, objection)| holds.then_some(objection))
    .chain(off_hours.map(|until| Objection::OffHours { until }))
    .collect()
}

impl Share {
    /// What one more call would make of it. One that warms up counts as smaller than it is, so that
    /// its load grows with the seconds.
    fn of(connector: &Connector, now: Timestamp) -> Self {
        let warm = u64::try_from(warmth(connector, now).max(1)).unwrap_or(1);
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

#[cfg(test)]
mod tests;
