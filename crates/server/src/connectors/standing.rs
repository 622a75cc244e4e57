//! How each connector stands: its state, why, and since when.

use super::{Connectors, Failing};
use crate::connectors::Effective;
use crate::metrics::Metrics;
use dme_link::{ConnectorRecord, ConnectorState, LinkState, Links, Measured};
use dme_model::{ConnectorId, Timestamp};
use dme_routing::Lock;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What a connector can do at this moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// It serves.
    Running,
    /// It finishes what runs, and is given nothing new.
    Draining,
    /// As many calls run and wait as may.
    Exhausted,
    /// It has no link by arrangement, and comes back by itself.
    OffHours,
    /// It may serve, and has no link.
    Unreachable,
    /// It waits for an administrator.
    Locked,
    /// Its key was taken back for ever.
    Revoked,
}

impl State {
    /// All there are.
    pub const ALL: [Self; 7] = [
        Self::Running,
        Self::Draining,
        Self::Exhausted,
        Self::OffHours,
        Self::Unreachable,
        Self::Locked,
        Self::Revoked,
    ];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Draining => "draining",
            Self::Exhausted => "exhausted",
            Self::OffHours => "off-hours",
            Self::Unreachable => "unreachable",
            Self::Locked => "locked",
            Self::Revoked => "revoked",
        }
    }
}

/// Why a connector can do what it can, and no more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// There is nothing to explain.
    Nothing,
    /// It is in the server's process.
    Embedded,
    /// An administrator removed it.
    Removed,
    /// It was not unlocked yet, or is locked again.
    Waits,
    /// By arrangement it links again at this time.
    Until(Timestamp),
    /// It has no link, and nothing is known of the one it had.
    Unlinked,
    /// It lost its link by this, in words.
    Lost(String),
    /// An administrator drains it.
    Drained,
    /// It said that it is about to go, or was told to come back later.
    Leaving,
    /// As many calls run as may, and as many wait.
    Full {
        /// Those that run.
        runs: usize,
        /// Those that wait.
        waits: usize,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Embedded => f.write_str("in the server's process"),
            Self::Removed => f.write_str("removed by an administrator"),
            Self::Waits => f.write_str("waits to be unlocked"),
            Self::Until(back) => write!(f, "it links again at {back}"),
            Self::Unlinked => f.write_str("it has no link"),
            Self::Lost(why) => f.write_str(why),
            Self::Drained => f.write_str("set so by an administrator"),
            Self::Leaving => f.write_str("it is about to go"),
            Self::Full { runs, waits } => write!(f, "{runs} calls run and {waits} wait"),
        }
    }
}

/// How a connector stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Whose.
    pub id: ConnectorId,
    /// Its name.
    pub name: String,
    /// As the book has it; none for the one in this process.
    pub record: Option<ConnectorRecord>,
    /// What it can do.
    pub state: State,
    /// Why.
    pub reason: Reason,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// When it links again, where it is off hours.
    pub away_until: Option<Timestamp>,
    /// Its link, where it has one.
    pub link: Option<LinkState>,
    /// How many users it serves in some function.
    pub users: usize,
    /// What it told last of the calls on the systems behind it, by function and backend.
    pub measured: Vec<Measured>,
    /// Those of these systems that fail.
    pub failing: Vec<Failing>,
}

/// What was seen of connectors before.
#[derive(Default)]
pub(super) struct Seen(Mutex<BTreeMap<ConnectorId, Before>>);

#[derive(Clone)]
struct Before {
    state: State,
    /// None: since before the server looked, and it is not known since when.
    since: Option<Timestamp>,
    /// Why its link was lost.
    lost: Option<String>,
}

impl Seen {
    /// A link was lost.
    pub(super) fn lost(&self, id: &ConnectorId, reason: &str, now: Timestamp) {
        let lost = Some(reason.to_owned());
        let before = Before { state: State::Unreachable, since: Some(now), lost };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), before);
    }

    /// Since when it is so, as far as was seen or is known otherwise, and why the link was lost,
    /// where that is it.
    fn since(
        &self,
        id: &ConnectorId,
        state: State,
        known: Option<Timestamp>,
        now: Timestamp,
    ) -> (Option<Timestamp>, Option<String>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get(id) {
            Some(before) if before.state == state => (before.since, before.lost.clone()),
            before => {
                // What it was before is known: it has just become something else.
                let since = known.or(before.map(|_| now));
                seen.insert(id.clone(), Before { state, since, lost: None });
                (since, None)
            }
        }
    }
}

/// Since when a state is so, where something else than having watched tells of it.
fn known_since(
    state: State,
    link: Option<&LinkState>,
    record: Option<&ConnectorRecord>,
) -> Option<Timestamp> {
    match state {
        State::Running => link.map(|link| link.since),
        State::Unreachable => record.map(|record| record.last_seen.unwrap_or(record.enrolled)),
        _ => None,
    }
}

impl Connectors {
    /// Notes what has become of every connector that was not removed, so that it is known since when.
    pub(super) fn note(&self, now: Timestamp) {
        let (known, away) = (self.known(), self.links.away());
        let links: BTreeMap<ConnectorId, LinkState> =
            self.links.connectors().into_iter().map(|link| (link.id.clone(), link)).collect();
        for (id, entry) in &known.by_id {
            let lock = match entry.lock {
                Lock::Unlocked => ConnectorState::Unlocked,
                Lock::Locked => ConnectorState::Locked,
            };
            let (link, set) = (links.get(id), self.set(&known, &entry.name));
            let (state, _) = judge(lock, link, away.get(id).copied(), &set);
            // That it is not reached since its last contact is found in the book when it is asked.
            if link.is_some() || state != State::Unreachable {
                self.seen.since(id, state, known_since(state, link, None), now);
            }
        }
    }

    /// How every connector stands, revoked ones included, by name.
    ///
    /// # Errors
    /// When the book or the database cannot be asked.
    pub async fn standings(&self, now: Timestamp) -> dme_store::Result<Vec<Standing>> {
        let book = self.book().await?;
        let served = self.store.users_by_connector().await?;
        let users = |name: &str| served.get(name).copied().unwrap_or(0);
        let (away, mut measured) = (self.links.away(), self.links.measured());
        let mut links: BTreeMap<ConnectorId, LinkState> =
            self.links.connectors().into_iter().map(|link| (link.id.clone(), link)).collect();
        let mut all = Vec::new();
        for record in book {
            let link = links.remove(&record.id);
            let set = self.effective(&record.name);
            let away_until = away.get(&record.id).copied();
            let (state, reason) = judge(record.state, link.as_ref(), away_until, &set);
            let known = known_since(state, link.as_ref(), Some(&record));
            let (since, lost) = self.seen.since(&record.id, state, known, now);
            let lost = lost.filter(|_| state == State::Unreachable).map(Reason::Lost);
            let reason = lost.unwrap_or(reason);
            let (id, name, users) = (record.id.clone(), record.name.clone(), users(&record.name));
            // Its routes wait for one of its name.
            let users = if state == State::Revoked { 0 } else { users };
            let measured = measured.remove(&id).unwrap_or_default();
            let failing = self.health.failing(&id);
            let record = Some(record);
            all.push(Standing {
                id,
                name,
                record,
                state,
                reason,
                since,
                away_until,
                link,
                users,
                measured,
                failing,
            });
        }
        // What is left is in no book: it is in this process.
        all.extend(links.into_values().map(|link| Standing {
            id: link.id.clone(),
            name: link.name.clone(),
            record: None,
            state: State::Running,
            reason: Reason::Embedded,
            since: Some(link.since),
            away_until: None,
            users: users(&link.name),
            measured: measured.remove(&link.id).unwrap_or_default(),
            failing: self.health.failing(&link.id),
            link: Some(link),
        }));
        Ok(all)
    }
}

/// What a connector can do, and why not more.
fn judge(
    lock: ConnectorState,
    link: Option<&LinkState>,
    back: Option<Timestamp>,
    set: &Arc<Effective>,
) -> (State, Reason) {
    match (lock, link) {
        (ConnectorState::Removed, _) => (State::Revoked, Reason::Removed),
        (ConnectorState::Locked, _) => (State::Locked, Reason::Waits),
        (ConnectorState::Unlocked, None) => match back {
            Some(back) => (State::OffHours, Reason::Until(back)),
            None => (State::Unreachable, Reason::Unlinked),
        },
        (ConnectorState::Unlocked, Some(_)) if set.drain => (State::Draining, Reason::Drained),
        (ConnectorState::Unlocked, Some(link)) if link.draining => {
            (State::Draining, Reason::Leaving)
        }
        (ConnectorState::Unlocked, Some(link)) if link.exhausted => {
            let (runs, waits) = (link.outstanding, link.queued);
            (State::Exhausted, Reason::Full { runs, waits })
        }
        (ConnectorState::Unlocked, Some(_)) => (State::Running, Reason::Nothing),
    }
}

/// Tells the metrics of every connector that may serve whether it is linked: also of one that has
/// not come since the server's start, whose absence is what an alert is for.
pub async fn count(links: &Links, metrics: &Metrics) {
    let records = match links.registrar().book().list().await {
        Ok(records) => records,
        Err(error) => return tracing::warn!(%error, "the connectors could not be counted"),
    };
    let mut all = BTreeMap::new();
    for record in records.into_iter().filter(|one| one.state == ConnectorState::Unlocked) {
        let up = links.is_linked(&record.id);
        // Of several with one name, all must be there.
        all.entry(record.name).and_modify(|before| *before &= up).or_insert(up);
    }
    let own = links.connectors().into_iter().filter(|link| link.peer.is_none());
    all.extend(own.map(|own| (own.name, true)));
    metrics.links(&all);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connectors::endpoint::load;
    use crate::connectors::{ConnectorSettings, Limits};
    use dme_link::{Capabilities, Traffic};

    fn link(draining: bool, exhausted: bool) -> LinkState {
        LinkState {
            id: "c1".into(),
            name: "branch".into(),
            capabilities: Capabilities::default(),
            realms: None,
            is_edge: false,
            software: "0.1".into(),
            peer: Some("192.0.2.1:4711".into()),
            since: Timestamp::from_seconds(1),
            round_trip: None,
            outstanding: 25,
            queued: 3,
            watches: 0,
            draining,
            exhausted,
            certificate: None,
            traffic: Traffic::default(),
            segments: None,
            used: None,
        }
    }

    #[test]
    fn each_state_has_its_reason() {
        let set = |drain| {
            let settings = ConnectorSettings { drain, ..ConnectorSettings::default() };
            Arc::new(settings.effective(Limits::default()))
        };
        use ConnectorState::{Locked, Removed, Unlocked};
        for (lock, link, drain, expected, words) in [
            (Removed, None, None, State::Revoked, "removed"),
            (Locked, None, None, State::Locked, "unlocked"),
            (Unlocked, None, None, State::Unreachable, "no link"),
            (Unlocked, Some(link(false, false)), Some(true), State::Draining, "administrator"),
            (Unlocked, Some(link(true, true)), None, State::Draining, "about to go"),
            (Unlocked, Some(link(false, true)), None, State::Exhausted, "25 calls run and 3 wait"),
            (Unlocked, Some(link(false, false)), None, State::Running, ""),
        ] {
            let (state, reason) = judge(lock, link.as_ref(), None, &set(drain));
            assert_eq!(state, expected);
            assert!(reason.to_string().contains(words), "{reason}");
        }
        let back = Some(Timestamp::from_seconds(0));
        let (state, reason) = judge(Unlocked, None, back, &set(None));
        assert_eq!(state, State::OffHours);
        assert!(reason.to_string().contains("1970-01-01 00:00:00"), "{reason}");
    }

    #[test]
    fn the_list_and_the_routes_mean_the_same_by_exhausted() {
        let set =
            Arc::new(ConnectorSettings::default().effective(Limits { parallel: 25, queue: 0 }));
        for (outstanding, queued, exhausted) in
            [(0, 0, false), (24, 0, false), (25, 0, true), (25, 0, false), (13 + 12, 7, false)]
        {
            let link = LinkState { outstanding, queued, ..link(false, exhausted) };
            let load = load(&link, set.limits);
            let (state, _) = judge(ConnectorState::Unlocked, Some(&link), None, &set);
            assert_eq!(load.exhausted, exhausted, "{outstanding} run, {queued} wait");
            assert_eq!(state == State::Exhausted, exhausted, "{outstanding} run, {queued} wait");
            assert_eq!((load.outstanding as usize, load.parallel), (outstanding + queued, 25));
        }
    }

    #[test]
    fn a_state_lasts_since_it_was_first_seen() {
        let (seen, id) = (Seen::default(), ConnectorId::from("c1"));
        let at = Timestamp::from_seconds;
        assert_eq!(seen.since(&id, State::Running, Some(at(5)), at(9)), (Some(at(5)), None));
        assert_eq!(seen.since(&id, State::Exhausted, None, at(10)), (Some(at(10)), None));
        assert_eq!(seen.since(&id, State::Exhausted, None, at(20)), (Some(at(10)), None));
        seen.lost(&id, "cut", at(30));
        let lost = (Some(at(30)), Some("cut".to_owned()));
        assert_eq!(seen.since(&id, State::Unreachable, Some(at(1)), at(40)), lost);
        assert_eq!(seen.since(&id, State::Running, Some(at(50)), at(51)), (Some(at(50)), None));
        // What was so when the server began to look has been so for a while that nobody knows.
        let other = ConnectorId::from("c2");
        assert_eq!(seen.since(&other, State::Locked, None, at(60)), (None, None));
        assert_eq!(seen.since(&other, State::Locked, None, at(70)), (None, None));
        assert_eq!(seen.since(&other, State::Draining, None, at(80)), (Some(at(80)), None));
    }
}
