//! Tokens that programs administer by: list, make, revoke; and whom one is.

use crate::endpoint::{Endpoint, get, post};
use crate::opaque::{hash, random};
use crate::principal::{Duty, Origin, Principal, Role};
use crate::session::ROLES;
use crate::{Console, Refusal, api};
use dme_model::{Secret, Timestamp, UserId};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
/// The longest a token may be good for, in days.
const LONGEST: u32 = 366;
/// That it was used is written down no oftener.
const NOTED: Duration = Duration::from_secs(60);

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    vec![
        get("/api/api-tokens", "Tokens that programs administer by; what they say is not kept")
            .duty(Duty::Audit)
            .by(|console, _| async move { console.list_api_tokens().await }),
        post("/api/api-tokens", "Make a token for a program; its text is shown once")
            .fresh()
            .takes::<api::NewApiToken>()
            .by(|console, mut call| async move {
                let new = call.body()?;
                console.make_api_token(&call.principal, new).await
            }),
        post("/api/api-tokens/{token}/revoke", "Have a program's token open nothing any more")
            .fresh()
            .by(|console, call| async move { console.revoke_api_token(call.arg("token")).await }),
    ]
}

impl Console {
    pub(crate) async fn list_api_tokens(&self) -> Result<Vec<api::ApiToken>, Refusal> {
        let now = (self.front.clock)();
        let all = self.front.store.api_tokens().await?;
        Ok(all.into_iter().map(|token| shown(token, now)).collect())
    }

    pub(crate) async fn make_api_token(
        &self,
        principal: &Principal,
        new: api::NewApiToken,
    ) -> Result<api::IssuedToken, Refusal> {
        if matches!(principal.origin, Origin::ApiToken { .. }) {
            // Else one that is limited would make one that is not.
            return Err(Refusal::barred("token-no-tokens", ""));
        }
        if principal.origin == Origin::Emergency {
            // It would outlast the emergency.
            return Err(Refusal::barred("emergency-no-tokens", ""));
        }
        let sound = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if new.name.is_empty() || new.name.len() > 64 || !new.name.chars().all(sound) {
            return Err(Refusal::wrong("token-name", ""));
        }
        if new.duties.is_empty() {
            return Err(Refusal::wrong("token-duties", ""));
        }
        if !(1..=LONGEST).contains(&new.valid_days) {
            return Err(Refusal::wrong("token-days", LONGEST.to_string()));
        }
        let mut duties = new.duties;
        duties.sort_unstable();
        duties.dedup();
        let now = (self.front.clock)();
        let text = random().map_err(Refusal::failed)?;
        let token = dme_store::ApiToken {
            name: new.name,
            duties: duties.iter().map(|scope| scope.duty().as_str().to_owned()).collect(),
            made: now,
            made_by: principal.name.clone(),
            maker: principal.user.clone(),
            expires: now.plus(DAY.saturating_mul(new.valid_days)),
            last_used: None,
        };
        let name = token.name.clone();
        if !self.front.store.put_api_token(&kept_by(&text), token).await? {
            return Err(Refusal::clash("token-there", name));
        }
        Ok(api::IssuedToken { token: text.expose().to_owned() })
    }

    pub(crate) async fn revoke_api_token(&self, name: &str) -> Result<api::Done, Refusal> {
        match self.front.store.revoke_api_token(name).await? {
            true => Ok(api::Done {}),
            false => Err(Refusal::lacks("no-token", name)),
        }
    }

    /// Whom a token is, where it is one that was made and is good still.
    pub(crate) async fn by_api_token(&self, text: &Secret) -> Result<Option<Principal>, Refusal> {
        let now = (self.front.clock)();
        let store = &self.front.store;
        let found = store.api_token(&kept_by(text)).await?;
        let Some(token) = found.filter(|token| now < token.expires) else { return Ok(None) };
        let roles = match &token.maker {
            Some(maker) => self.makers_roles(maker, now).await,
            None => vec![Role::Administrator],
        };
        if roles.is_empty() {
            tracing::warn!(token = token.name, maker = token.made_by, "its maker has no role");
            return Ok(None);
        }
        if token.last_used.is_none_or(|used| now >= used.plus(NOTED)) {
            store.use_api_token(&token.name, now).await?;
        }
        let duties = token.duties.iter().filter_map(|name| Duty::named(name)).collect();
        Ok(Some(Principal {
            name: format!("token {}", token.name),
            user: None,
            origin: Origin::ApiToken { maker: token.maker },
            roles,
            limited_to: Some(duties),
        }))
    }
}

/// The roles of those who made tokens, as the directory had them within the last minute.
#[derive(Default)]
pub(crate) struct Makers(Mutex<HashMap<UserId, Known>>);

struct Known {
    roles: Vec<Role>,
    until: Timestamp,
}

impl Console {
    /// What whoever made a token may do now: it never does more (rule A5). While the directory is
    /// down the last word holds; where there is none, the token does nothing.
    async fn makers_roles(&self, maker: &UserId, now: Timestamp) -> Vec<Role> {
        let last = {
            let known = self.makers.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(maker).map(|known| (known.roles.clone(), now < known.until))
        };
        let last = match last {
            Some((roles, true)) => return roles,
            stale => stale.map(|(roles, _)| roles).unwrap_or_default(),
        };
        match self.roles_now(maker).await {
            Ok(mut roles) => {
                roles.retain(|role| *role != Role::User);
                let known = Known { roles: roles.clone(), until: now.plus(ROLES) };
                let mut makers = self.makers.0.lock().unwrap_or_else(PoisonError::into_inner);
                makers.insert(maker.clone(), known);
                roles
            }
            Err(error) => {
                tracing::warn!(user = %maker, %error, "the roles of a token's maker are unknown");
                last
            }
        }
    }
}

/// What a token is kept by, as the store has it.
fn kept_by(text: &Secret) -> String {
    hash(text).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn shown(token: dme_store::ApiToken, now: Timestamp) -> api::ApiToken {
    api::ApiToken {
        expired: now >= token.expires,
        name: token.name,
        duties: token.duties,
        made: token.made.as_seconds(),
        made_by: token.made_by,
        expires: token.expires.as_seconds(),
        last_used: token.last_used.map(Timestamp::as_seconds),
    }
}
