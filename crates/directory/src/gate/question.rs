//! A question that memory does not answer: asked of the directory once, whoever waits for it.

use super::answer::{Admission, Admitted, Refusal, Revocation, Source};
use super::limits::Taken;
use super::memory::{Mac, Recalled};
use super::part::Part;
use super::{DOWN, Gate};
use crate::asking::carried;
use crate::{Error, Reason, Verdict};
use dme_model::{DeviceId, Secret, Timestamp, UserId};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// When to ask again where too many questions are open.
const BUSY: Duration = Duration::from_secs(1);

/// Who wants in, and with what.
pub(super) struct Question {
    /// As the realm resolved it: what the directory is asked.
    pub(super) login: UserId,
    /// The canonical user where the login is known to mean one, else the login.
    pub(super) user: UserId,
    /// None where the server itself knows what was shown.
    pub(super) password: Option<Secret>,
    /// Of `user` and `password`; of an empty one where there is none, which no password is.
    pub(super) mac: Mac,
}

/// Where an answer comes from.
pub(super) enum Asked {
    /// From the directory, which is being asked.
    Open(Shared<BoxFuture<'static, Admission>>),
    /// It is here.
    Answered(Admission),
}

impl Gate {
    /// What a directory answers, where it does in time.
    pub(super) async fn in_time<T>(
        &self,
        asked: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let late = |_| Err(Error::Unavailable("no answer in time".into()));
        tokio::time::timeout(self.config.check_timeout.0, asked).await.unwrap_or_else(late)
    }

    /// The answer that somebody else with the same question already waits for, or a new one.
    pub(super) fn join_or_ask(
        self: &Arc<Self>,
        part: Arc<Part>,
        question: Question,
        device: Option<&DeviceId>,
        now: Timestamp,
    ) -> Asked {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(check) = open.get(&question.mac) {
            return Asked::Open(check.clone());
        }
        // An answer is remembered before its question is closed: it may have come meanwhile.
        match self.memory.recall(&question.user, &question.mac, now) {
            Recalled::Admitted(who) => {
                return Asked::Answered(Admission::Admitted { who, source: Source::Memory });
            }
            Recalled::Refused(refusal) => return Asked::Answered(Admission::Refused(refusal)),
            Recalled::Nothing => {}
        }
        if open.len() >= self.config.parallel_checks {
            return Asked::Answered(Admission::Throttled { retry_after: BUSY });
        }
        let taken = match self.limits.take(&question.user, device, now) {
            Ok(taken) => taken,
            Err(retry_after) => return Asked::Answered(Admission::Throttled { retry_after }),
        };
        // A task of its own: an answer that was paid for is remembered, also when the phone that
        // asked has gone.
        let (gate, mac) = (self.clone(), question.mac);
        let task = tokio::spawn(carried(async move {
            let _closed = Closed { gate: &gate, mac };
            gate.ask(&part, &question, taken).await
        }));
        let unavailable = Admission::Unavailable { retry_after: DOWN };
        let check = task.map(|answer| answer.unwrap_or(unavailable)).boxed().shared();
        open.insert(mac, check.clone());
        Asked::Open(check)
    }

    /// Asks the directory, and remembers what it says. An attempt that could not be decided for
    /// want of the directory is given back.
    async fn ask(&self, part: &Part, question: &Question, taken: Taken) -> Admission {
        let asked = self.in_time(async {
            let Question { login, password, .. } = question;
            let verdict = match password {
                Some(password) => part.directory.authenticate(login, password).await?,
                None => {
                    let found = part.directory.find(login).await?;
                    found.map_or(Verdict::Unknown, |person| Verdict::Accepted(Box::new(person)))
                }
            };
            let Verdict::Accepted(person) = verdict else { return Ok((verdict, None)) };
            let access = part.access(self, &person).await?;
            Ok((Verdict::Accepted(person), Some(access)))
        });
        let answer = asked.await;
        let now = (self.clock)();
        match answer {
            Ok((Verdict::Accepted(person), Some(Ok(rights)))) => {
                let who = Arc::new(Admitted { person: *person, rights });
                let user = &who.person.user;
                self.memory.alias(&question.login, Some(user));
                let mac = question.password.as_ref().map(|password| self.key.mac(user, password));
                self.memory.admit(who.clone(), mac, now);
                Admission::Admitted { who, source: Source::Directory }
            }
            Ok((Verdict::Accepted(person), Some(Err(reason)))) => {
                self.turn_away(&person.user, question, reason, now)
            }
            Ok((Verdict::Barred(standing), _)) => {
                self.turn_away(&question.user, question, Reason::Standing(standing), now)
            }
            Ok((Verdict::Unknown, _)) => {
                // A mail address that is gone does not mean that its owner is.
                self.memory.alias(&question.login, None);
                self.revoke(&question.login, Revocation::Gone);
                self.refuse(question, Refusal::UnknownUser, now)
            }
            Ok((Verdict::WrongPassword | Verdict::Accepted(_), _)) => {
                self.refuse(question, Refusal::WrongPassword, now)
            }
            Err(error) => {
                part.note_failure(&error, now);
                let admission = self.in_grace(part, question, now);
                // What it refuses in its own way may be how it counts wrong passwords itself.
                if error.is_passing() && !self.is_told_wrong(&admission, question, now) {
                    self.limits.give_back(taken);
                }
                admission
            }
        }
    }

    /// Whether the answer tells a guesser that the password is wrong, though the directory is down:
    /// it does where the right one would be let in from memory. Such guesses count as ever.
    pub(super) fn is_told_wrong(
        &self,
        answer: &Admission,
        question: &Question,
        now: Timestamp,
    ) -> bool {
        !matches!(answer, Admission::Admitted { .. }) && self.memory.could_tell(&question.user, now)
    }

    /// The answer while the directory is down.
    pub(super) fn in_grace(&self, part: &Part, question: &Question, now: Timestamp) -> Admission {
        let password = question.password.is_some().then_some(&question.mac);
        match self.memory.in_grace(&question.user, password, now) {
            Some(who) => Admission::Admitted { who, source: Source::Grace },
            None => Admission::Unavailable { retry_after: part.back_in(now) },
        }
    }

    /// Refuses, and will refuse the same again from memory.
    fn refuse(&self, question: &Question, refusal: Refusal, now: Timestamp) -> Admission {
        let Question { user, mac, .. } = question;
        self.memory.refuse(user.clone(), *mac, refusal.clone(), now);
        Admission::Refused(refusal)
    }

    /// Refuses somebody whom the directory knows, and ends what they have open.
    fn turn_away(
        &self,
        user: &UserId,
        question: &Question,
        reason: Reason,
        now: Timestamp,
    ) -> Admission {
        self.revoke(user, Revocation::NotAllowed(reason.clone()));
        self.refuse(question, Refusal::NotAllowed(reason), now)
    }
}

/// Takes a question off the list of open ones when its task ends, however it ends.
struct Closed<'a> {
    gate: &'a Gate,
    mac: Mac,
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.gate.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.mac);
    }
}
