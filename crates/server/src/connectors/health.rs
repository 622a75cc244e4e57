//! How the systems behind connectors fare, judged by what connectors count of the calls on them.

use dme_link::Measured;
use dme_model::{ConnectorId, Timestamp, UserId};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many calls have failed before a system is said to.
const AT_LEAST: u64 = 3;
/// Of a system that failed and is not called any more it is not known for longer how it fares.
const KNOWN_FOR: Duration = Duration::from_secs(3_600);
/// Whom nobody could serve is told of for so long, unless somebody does before.
const UNSERVED_FOR: Duration = Duration::from_secs(600);
/// So many of them are remembered.
const UNSERVED: usize = 10_000;
/// What went wrong where it is the system's fault, by the last part of its name. That a password is
/// refused, a mailbox is full or an item is not there says nothing of the system.
const FAULTS: [&str; 5] = ["unavailable", "timeout", "refused", "protocol", "bug"];

/// A system behind a connector that fails.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failing {
    /// The function it serves; `any` where calls are about several.
    pub function: String,
    /// What it is: `imap`, `dav`, `ldap` and the like.
    pub backend: String,
    /// Since when it was seen to fail.
    pub since: Timestamp,
    /// The name of what went wrong most often lately.
    pub error: String,
    /// How many calls have failed since.
    pub failed: u64,
}

/// A system that has begun to fail, or that answers again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    Fails(ConnectorId, Failing),
    Answers(ConnectorId, Failing),
}

/// How each of them fares, and who is served by nobody.
#[derive(Default)]
pub(super) struct Health {
    systems: Mutex<BTreeMap<ConnectorId, Vec<System>>>,
    unserved: Mutex<HashMap<UserId, Timestamp>>,
}

struct System {
    /// What was counted when it was looked at last.
    counted: Measured,
    /// When calls were last counted.
    called: Timestamp,
    /// Failed calls since one look showed that most calls were answered; none where that was the last.
    bad: Option<Bad>,
}

struct Bad {
    since: Timestamp,
    failed: u64,
    error: String,
}

impl System {
    fn failing(&self) -> Option<Failing> {
        let Bad { since, failed, error } = self.bad.as_ref()?;
        (*failed >= AT_LEAST).then(|| Failing {
            function: self.counted.function.clone(),
            backend: self.counted.backend.clone(),
            since: *since,
            error: error.clone(),
            failed: *failed,
        })
    }

    /// Takes in what is counted now.
    fn look(&mut self, counted: &Measured, now: Timestamp) {
        // A connector that began anew counts from nothing.
        let anew = counted.calls < self.counted.calls;
        let before = if anew { Measured::default() } else { self.counted.clone() };
        let calls = counted.calls - before.calls;
        self.counted = counted.clone();
        if calls == 0 {
            if self.called.plus(KNOWN_FOR) < now {
                self.bad = None;
            }
            return;
        }
        self.called = now;
        let more = |(name, count): (&String, &u64)| {
            let was = before.failed.get(name).copied().unwrap_or_default();
            (name.clone(), count.saturating_sub(was))
        };
        let faults = counted.failed.iter().map(more).filter(|(name, count)| {
            let last = name.rsplit('.').next().unwrap_or_default();
            *count > 0 && FAULTS.contains(&last)
        });
        let faults: Vec<(String, u64)> = faults.collect();
        let failed: u64 = faults.iter().map(|(_, count)| count).sum();
        let worst = faults.into_iter().max_by_key(|(_, count)| *count);
        match worst {
            // Most of them.
            Some((error, _)) if failed.saturating_mul(2) >= calls => {
                let bad =
                    self.bad.get_or_insert(Bad { since: now, failed: 0, error: String::new() });
                bad.failed = bad.failed.saturating_add(failed);
                bad.error = error;
            }
            _ => self.bad = None,
        }
    }
}

impl Health {
    /// Takes in what connectors count now; gives what has become another than it was.
    pub(super) fn look(
        &self,
        all: BTreeMap<ConnectorId, Vec<Measured>>,
        now: Timestamp,
    ) -> Vec<Turn> {
        let mut turns = Vec::new();
        let mut systems = self.systems.lock().unwrap_or_else(PoisonError::into_inner);
        systems.retain(|id, _| all.contains_key(id));
        for (id, rows) in all {
            let known = systems.entry(id.clone()).or_default();
            let is = |system: &System, row: &Measured| {
                system.counted.function == row.function && system.counted.backend == row.backend
            };
            // One that is not told of any more serves nothing.
            known.retain(|system| rows.iter().any(|row| is(system, row)));
            for row in rows {
                let at = known.iter().position(|system| is(system, &row));
                let Some(at) = at else {
                    // What was counted before the server looked says nothing of now.
                    known.push(System { counted: row, called: now, bad: None });
                    continue;
                };
                let system = &mut known[at];
                let before = system.failing();
                system.look(&row, now);
                match (before, system.failing()) {
                    (None, Some(failing)) => turns.push(Turn::Fails(id.clone(), failing)),
                    (Some(failing), None) => turns.push(Turn::Answers(id.clone(), failing)),
                    _ => {}
                }
            }
        }
        turns
    }

    /// Those of a connector's that fail.
    pub(super) fn failing(&self, id: &ConnectorId) -> Vec<Failing> {
        let systems = self.systems.lock().unwrap_or_else(PoisonError::into_inner);
        systems.get(id).into_iter().flatten().filter_map(System::failing).collect()
    }

    /// Nobody could serve somebody's mail.
    pub(super) fn unserved(&self, user: &UserId, now: Timestamp) {
        let mut unserved = self.unserved.lock().unwrap_or_else(PoisonError::into_inner);
        if unserved.len() >= UNSERVED {
            unserved.retain(|_, at| now < at.plus(UNSERVED_FOR));
        }
        if unserved.len() < UNSERVED {
            unserved.insert(user.clone(), now);
        }
    }

    /// Somebody serves it.
    pub(super) fn served(&self, user: &UserId) {
        let mut unserved = self.unserved.lock().unwrap_or_else(PoisonError::into_inner);
        if !unserved.is_empty() {
            unserved.remove(user);
        }
    }

    /// Whose mail nobody could serve lately.
    pub(super) fn all_unserved(&self, now: Timestamp) -> Vec<UserId> {
        let unserved = self.unserved.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = unserved.iter().filter(|(_, at)| now < at.plus(UNSERVED_FOR));
        lately.map(|(user, _)| user.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_790_000_000 + seconds)
    }

    /// A row of so many calls that were answered, and so many that failed by this.
    fn row(answered: u64, failed: u64, error: &str) -> Measured {
        let mut row = Measured::of("mail", "imap");
        for number in 0..answered + failed {
            row.count(Duration::from_millis(1), (number >= answered).then_some(error));
        }
        row
    }

    /// What a connector counted at each look, and what that turns.
    struct Watched(Health, i64);

    impl Watched {
        fn new() -> Self {
            Self(Health::default(), 0)
        }

        fn sees(&mut self, row: Measured) -> String {
            self.1 += 15;
            let all = BTreeMap::from([(ConnectorId::from("c1"), vec![row])]);
            let turns = self.0.look(all, at(self.1));
            let told = turns.iter().map(|turn| match turn {
                Turn::Fails(_, failing) => format!("fails by {}", failing.error),
                Turn::Answers(..) => "answers".to_owned(),
            });
            told.collect::<Vec<_>>().join(", ")
        }

        fn failing(&self) -> usize {
            self.0.failing(&"c1".into()).len()
        }
    }

    #[test]
    fn a_system_fails_when_most_calls_do_and_answers_when_most_are_answered() {
        let mut watched = Watched::new();
        let gone = "mailbox.unavailable";
        assert_eq!(watched.sees(row(100, 40, gone)), "", "what was before is not looked at");
        assert_eq!(watched.sees(row(100, 42, gone)), "", "two are few");
        assert_eq!(watched.sees(row(100, 43, gone)), "fails by mailbox.unavailable");
        assert_eq!(watched.sees(row(100, 43, gone)), "", "nobody called it");
        assert_eq!(watched.failing(), 1);
        assert_eq!(watched.sees(row(103, 44, gone)), "answers");
        assert_eq!(watched.failing(), 0);
    }

    #[test]
    fn a_few_among_many_and_what_is_the_users_own_affair_are_no_failure() {
        let mut watched = Watched::new();
        watched.sees(row(0, 0, ""));
        assert_eq!(watched.sees(row(100, 40, "mailbox.timeout")), "");
        for error in ["mailbox.auth", "mailbox.not_found", "mailbox.quota_exceeded"] {
            let mut watched = Watched::new();
            watched.sees(row(0, 0, ""));
            assert_eq!(watched.sees(row(0, 40, error)), "", "{error}");
        }
    }

    #[test]
    fn a_connector_that_began_anew_counts_from_nothing() {
        let mut watched = Watched::new();
        watched.sees(row(1_000, 0, ""));
        assert_eq!(
            watched.sees(row(0, 5, "directory.unavailable")),
            "fails by directory.unavailable"
        );
    }

    #[test]
    fn of_one_that_nobody_calls_any_more_nothing_is_known_after_a_while() {
        let mut watched = Watched::new();
        watched.sees(row(0, 0, ""));
        watched.sees(row(0, 9, "mailbox.timeout"));
        assert_eq!(watched.failing(), 1);
        watched.1 += 3_600;
        assert_eq!(watched.sees(row(0, 9, "mailbox.timeout")), "answers");
    }

    #[test]
    fn whom_nobody_serves_is_told_of_until_somebody_does_or_for_a_while() {
        let health = Health::default();
        let [ann, bob] = ["ann@x", "bob@x"].map(UserId::from);
        health.unserved(&ann, at(0));
        health.unserved(&bob, at(1));
        assert_eq!(health.all_unserved(at(2)).len(), 2);
        health.served(&ann);
        assert_eq!(health.all_unserved(at(2)), std::slice::from_ref(&bob));
        assert!(health.all_unserved(at(601)).is_empty());
    }
}
