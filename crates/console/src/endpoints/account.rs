//! One's own account in the console: the second factor, the sessions.

use crate::endpoint::{Endpoint, get, post};
use crate::language::Language;
use crate::principal::{Duty, Principal, Reach};
use crate::session::Session;
use crate::{Console, Refusal, api};
use dme_model::{Secret, UserId};
use dme_server::config::SecondFactorMode;
use dme_server::records::audit::changed;

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    let act = |path, summary| post(path, summary).duty(Duty::See).reach(Reach::Oneself);
    vec![
        get("/api/account", "One's own account in the console: second factor, sessions")
            .reach(Reach::Oneself)
            .by(|console, call| async move {
                console.account(&call.principal, call.session.as_deref()).await
            }),
        act("/api/account/second-factor", "Be offered a secret for an authenticator").fresh().by(
            |console, call| async move {
                let session = call.session.as_deref();
                console.offer_own_second_factor(&call.principal, session).await
            },
        ),
        act("/api/account/second-factor/confirm", "Set it up, by the first code of it")
            .takes::<api::Code>()
            .by(|console, mut call| async move {
                let code = call.body()?;
                let session = call.session.as_deref();
                console.confirm_second_factor(&call.principal, session, code).await
            }),
        act("/api/account/second-factor/remove", "Do without a second factor from now on")
            .fresh()
            .by(|console, call| async move { console.remove_second_factor(&call.principal).await }),
        act("/api/account/recovery-codes", "Make new recovery codes; they are shown once")
            .fresh()
            .by(|console, call| async move { console.renew_recovery_codes(&call.principal).await }),
        act("/api/account/sessions/end-others", "End one's own sessions but the one that asks").by(
            |console, call| async move {
                Ok(console.end_other_sessions(&call.principal, call.session.as_deref()))
            },
        ),
        act("/api/account/sessions/{session}/end", "End one of one's own sessions").by(
            |console, call| async move {
                console.end_own_session(&call.principal, call.arg("session"))
            },
        ),
    ]
}

/// Who shows a password, and may show a code beside it.
fn user(principal: &Principal) -> Result<&UserId, Refusal> {
    principal.user.as_ref().ok_or_else(|| Refusal::clash("not-of-directory", ""))
}

/// The session, or sign-in, in which they set one up.
fn place(session: Option<&str>) -> Result<&str, Refusal> {
    session.ok_or_else(|| Refusal::clash("not-of-directory", ""))
}

fn has_none() -> Refusal {
    Refusal::clash("no-second-factor", "")
}

impl Console {
    pub(crate) async fn account(
        &self,
        principal: &Principal,
        session: Option<&str>,
    ) -> Result<api::Account, Refusal> {
        let held = match &principal.user {
            Some(user) => self.front.second_factors.of(user).await?,
            None => None,
        };
        let sessions = self.sessions.of(&principal.name, (self.front.clock)());
        Ok(api::Account {
            who: principal.name.clone(),
            roles: principal.roles.iter().map(|role| role.as_str().to_owned()).collect(),
            second_factor: held.map(|held| api::SecondFactor {
                made: held.made.as_seconds(),
                recovery_codes: held.recovery_codes,
            }),
            second_factor_required: self.front.console.second_factor == SecondFactorMode::Required,
            sessions: sessions.into_iter().map(|one| told(one, session)).collect(),
        })
    }

    /// Ends one of one's own sessions.
    pub(crate) fn end_own_session(
        &self,
        principal: &Principal,
        id: &str,
    ) -> Result<api::SessionsEnded, Refusal> {
        match self.sessions.end_of(&principal.name, |session| session.id == id) {
            0 => Err(Refusal::lacks("no-session", id)),
            ended => Ok(api::SessionsEnded { ended }),
        }
    }

    /// Ends all of one's own sessions but the one that asks.
    pub(crate) fn end_other_sessions(
        &self,
        principal: &Principal,
        asking: Option<&str>,
    ) -> api::SessionsEnded {
        let other = |session: &Session| Some(session.id.as_str()) != asking;
        api::SessionsEnded { ended: self.sessions.end_of(&principal.name, other) }
    }

    pub(crate) async fn offer_own_second_factor(
        &self,
        principal: &Principal,
        session: Option<&str>,
    ) -> Result<api::OfferedFactor, Refusal> {
        self.offer_second_factor(user(principal)?, place(session)?).await
    }

    /// The secret that waits for its first code in this session.
    pub(crate) fn offered_second_factor(
        &self,
        principal: &Principal,
        session: &str,
    ) -> Result<Option<api::OfferedFactor>, Refusal> {
        let Some(user) = &principal.user else { return Ok(None) };
        let secret = self.front.second_factors.offered(user, session);
        secret.map(|secret| self.offered_factor(user, &secret)).transpose()
    }

    pub(crate) async fn confirm_second_factor(
        &self,
        principal: &Principal,
        session: Option<&str>,
        code: api::Code,
    ) -> Result<api::RecoveryCodes, Refusal> {
        let (user, place) = (user(principal)?, place(session)?);
        let code = Secret::new(code.code);
        let codes = self.front.second_factors.confirm(user, place, &code).await?;
        // Whoever else knows the password begins anew, and is asked for a code.
        self.unfinished.end_others(user, place);
        // Whoever is signed in as this user by a password shows a code from now on too.
        self.sessions.ask_for_code(user, true);
        tracing::warn!(%user, "a second factor was set up");
        Ok(shown_once(&codes))
    }

    pub(crate) async fn renew_recovery_codes(
        &self,
        principal: &Principal,
    ) -> Result<api::RecoveryCodes, Refusal> {
        let codes = self.front.second_factors.renew_recovery_codes(user(principal)?).await?;
        Ok(shown_once(&codes.ok_or_else(has_none)?))
    }

    pub(crate) async fn remove_second_factor(
        &self,
        principal: &Principal,
    ) -> Result<api::Done, Refusal> {
        let user = user(principal)?;
        if !self.front.second_factors.remove(user).await? {
            return Err(has_none());
        }
        // A session is worth what was shown for it: this one began with a password and a code.
        let required = self.front.console.second_factor == SecondFactorMode::Required;
        match required {
            true => self.sessions.end_user(user),
            false => self.sessions.ask_for_code(user, false),
        }
        tracing::warn!(%user, "a second factor was removed");
        Ok(api::Done {})
    }

    /// Takes another's second factor away, who has lost it: they sign in by their password, and set
    /// another up where everybody must have one.
    pub(crate) async fn reset_second_factor(
        &self,
        principal: &Principal,
        name: &str,
    ) -> Result<api::User, Refusal> {
        let user = self.meant(name).await?;
        if principal.user.as_ref() == Some(&user) {
            return Err(Refusal::clash("own-second-factor", ""));
        }
        if !self.front.second_factors.remove(&user).await? {
            return Err(Refusal::lacks("no-second-factor", ""));
        }
        changed("second_factor", Some("set up".into()), None);
        self.sessions.end_user(&user);
        tracing::warn!(%user, by = principal.name, "a second factor was reset");
        self.show_user(user.as_str(), Language::English).await
    }
}

fn shown_once(codes: &[Secret]) -> api::RecoveryCodes {
    let codes = codes.iter().map(|code| code.expose().to_owned());
    api::RecoveryCodes { recovery_codes: codes.collect() }
}

fn told(session: Session, asking: Option<&str>) -> api::OwnSession {
    api::OwnSession {
        current: Some(session.id.as_str()) == asking,
        session: session.id,
        began: session.began.as_seconds(),
        seen: session.seen.as_seconds(),
        client: session.client.to_string(),
        agent: session.agent,
        by: session.shown.as_str().to_owned(),
    }
}
