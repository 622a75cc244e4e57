//! Letting in by something that the server gave out itself, the password of one device, or by the word
//! of somebody it trusts. The directory is asked only whether the person may still in.

use super::{Admission, Asked, DOWN, Gate, Question, Recalled, Refusal, Source};
use crate::Login;
use dme_model::{DeviceId, Secret, Timestamp, UserId};
use std::fmt::Display;
use std::sync::Arc;

impl Gate {
    /// Whether this login may in with a secret that is looked up by `owner`: whose it is when this
    /// device shows it, none where it is nobody's. The person must be in the directory and allowed,
    /// as with a password. Wrong ones count as wrong passwords do, and one that repeats unchanged
    /// is refused from memory (rule A4).
    pub async fn admit_shown<E: Display>(
        self: &Arc<Self>,
        login: &Login,
        secret: &Secret,
        device: Option<&DeviceId>,
        owner: impl Future<Output = Result<Option<UserId>, E>>,
    ) -> Admission {
        let now = (self.clock)();
        let login = match self.realms.resolve(login) {
            Ok(login) => login,
            Err(error) => return Admission::Refused(error.into()),
        };
        let user = self.memory.canonical(login.clone());
        // What is wrong from one device may be right from another.
        let place = device.map_or("", DeviceId::as_str);
        let shown = Secret::new(format!("{place}\0{}", secret.expose()));
        let mac = self.key.mac(&user, &shown);
        if let Recalled::Refused(refusal) = self.memory.recall(&user, &mac, now) {
            return Admission::Refused(refusal);
        }
        if let Err(retry_after) = self.limits.check(&user, device, now) {
            return Admission::Throttled { retry_after };
        }
        let wrong = || {
            let _ = self.limits.take(&user, device, now);
            self.memory.refuse(user.clone(), mac, Refusal::WrongPassword, now);
            Admission::Refused(Refusal::WrongPassword)
        };
        let owner = match owner.await {
            Ok(Some(owner)) => owner,
            Ok(None) => return wrong(),
            Err(error) => {
                tracing::error!(%error, "it cannot be told whose a login is");
                return Admission::Unavailable { retry_after: DOWN };
            }
        };
        let admission = self.vouched(login, user.clone(), device, now).await;
        if let Admission::Admitted { who, .. } = &admission {
            if who.person.user != owner {
                return wrong();
            }
            if let Some(device) = device {
                self.know(&owner, device);
            }
        }
        admission
    }

    /// Whether this login may in, which somebody vouches for whose word counts, such as the OpenID
    /// provider of its realm.
    pub async fn admit_known(
        self: &Arc<Self>,
        login: &Login,
        device: Option<&DeviceId>,
    ) -> Admission {
        let now = (self.clock)();
        let login = match self.realms.resolve(login) {
            Ok(login) => login,
            Err(error) => return Admission::Refused(error.into()),
        };
        let user = self.memory.canonical(login.clone());
        let admission = self.vouched(login, user, device, now).await;
        if let (Admission::Admitted { who, .. }, Some(device)) = (&admission, device) {
            self.know(&who.person.user, device);
        }
        admission
    }

    /// Whether somebody may in who showed what they are.
    async fn vouched(
        self: &Arc<Self>,
        login: UserId,
        user: UserId,
        device: Option<&DeviceId>,
        now: Timestamp,
    ) -> Admission {
        let mac = self.key.mac(&user, &Secret::new(""));
        if let Recalled::Refused(refusal) = self.memory.recall(&user, &mac, now) {
            return Admission::Refused(refusal);
        }
        if let Some(who) = self.memory.vouched(&user, now) {
            return Admission::Admitted { who, source: Source::Memory };
        }
        let Some(part) = self.part_of(&user).cloned() else {
            return Admission::Refused(Refusal::UnknownUser);
        };
        let question = Question { login, user, password: None, mac };
        if part.is_down(now) {
            return self.in_grace(&part, &question, now);
        }
        match self.join_or_ask(part, question, device, now) {
            Asked::Open(check) => check.await,
            Asked::Answered(admission) => admission,
        }
    }
}
