//! People who sign in at a page, where phones log in with every request.

use super::memory::Recalled;
use super::{Admission, Admitted, DOWN, Gate, Part, Refusal, Source};
use crate::{Delegation, Login, LoginError, Person, Reason, Right, Standing, Verdict};
use dme_model::Secret;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Gate {
    /// Whether this is the person's password, and which rights they have: perhaps none, and not
    /// that of a phone's user for being an administrator (rule A2). The directory is always asked,
    /// but for a wrong password that repeats (rule A4); nothing is remembered that would let a phone
    /// in, and no phone is sent away.
    pub async fn sign_in(&self, login: &Login, password: &Secret) -> Admission {
        let now = (self.clock)();
        let login = match self.realms.resolve(login) {
            Ok(login) => login,
            Err(error) => return Admission::Refused(error.into()),
        };
        if password.expose().is_empty() {
            return Admission::Refused(LoginError::NoPassword.into());
        }
        let user = self.memory.canonical(login.clone());
        let mac = self.key.mac(&user, password);
        if let Recalled::Refused(refusal @ (Refusal::WrongPassword | Refusal::UnknownUser)) =
            self.memory.recall(&user, &mac, now)
        {
            return Admission::Refused(refusal);
        }
        let Some(part) = self.part_of(&user).cloned() else {
            return Admission::Refused(Refusal::UnknownUser);
        };
        if part.is_down(now) {
            return Admission::Unavailable { retry_after: part.back_in(now) };
        }
        let taken = match self.limits.take(&user, None, now) {
            Ok(taken) => taken,
            Err(retry_after) => return Admission::Throttled { retry_after },
        };
        let answer = self.in_time(part.directory.authenticate(&login, password)).await;
        let now = (self.clock)();
        let refused = match answer {
            Ok(Verdict::Accepted(person)) => {
                // A right password is no guess.
                self.limits.give_back(taken);
                return self.let_sign_in(&part, *person).await;
            }
            Ok(Verdict::Barred(standing)) => Refusal::NotAllowed(Reason::Standing(standing)),
            Ok(Verdict::Unknown) => Refusal::UnknownUser,
            Ok(Verdict::WrongPassword) => Refusal::WrongPassword,
            Err(error) => {
                part.note_failure(&error, now);
                if error.is_passing() {
                    self.limits.give_back(taken);
                }
                return Admission::Unavailable { retry_after: part.back_in(now) };
            }
        };
        if matches!(refused, Refusal::UnknownUser | Refusal::WrongPassword) {
            self.memory.refuse(user, mac, refused.clone(), now);
        }
        Admission::Refused(refused)
    }

    async fn let_sign_in(&self, part: &Part, person: Person) -> Admission {
        if let Err(error) = part.vouch_for(&person) {
            tracing::warn!(%error, "a directory spoke for somebody who is not its own");
            return Admission::Refused(Refusal::UnknownUser);
        }
        if person.standing != Standing::Active {
            return Admission::Refused(Refusal::NotAllowed(Reason::Standing(person.standing)));
        }
        let Ok(graph) = part.groups(self).await else {
            return Admission::Unavailable { retry_after: DOWN };
        };
        let rights = part.access.rights(&person, &graph);
        Admission::Admitted {
            who: Arc::new(Admitted { person, rights }),
            source: Source::Directory,
        }
    }

    /// Every right the person has, as the groups are known now.
    pub fn rights(&self, person: &Person) -> BTreeSet<Right> {
        match self.grouped(&person.user) {
            Some((part, graph)) => part.access.rights(person, &graph),
            None => BTreeSet::new(),
        }
    }

    /// The parts that the person administers, as the groups are known now.
    pub fn delegations(&self, person: &Person) -> Vec<Delegation> {
        match self.grouped(&person.user) {
            Some((part, graph)) => {
                part.access.delegations(person, &graph).into_iter().cloned().collect()
            }
            None => Vec::new(),
        }
    }
}
