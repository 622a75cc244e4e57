//! Signing in with an OpenID provider, and showing there again who one is.

use super::words;
use crate::browser::{Fields, local, see_other, with_cookie};
use crate::kept::Kept;
use crate::notice::{Notice, marked};
use crate::pages::Look;
use crate::principal::Principal;
use crate::session::Shown;
use crate::{Console, Refusal, cookie};
use dme_directory::Login;
use dme_model::Secret;
use dme_openid::{Attempt, Client, Provider};
use dme_server::config::OpenIdConfig;
use dme_server::front::Clock;
use dme_server::site::SiteBody;
use http::{HeaderMap, Response};
use std::net::IpAddr;
use std::time::Duration;

/// How long somebody may take at the provider.
const LIFE: Duration = Duration::from_secs(10 * 60);
/// Attempts at once; beyond, the oldest is given up.
const ATTEMPTS: usize = 1_000;

/// The provider that administrators sign in with, and who is on the way there.
pub(crate) struct OpenId {
    /// What people call it.
    pub name: String,
    provider: Provider,
    client: Client,
    /// By what their browsers show when they come back.
    attempts: Kept<Begun>,
}

/// Somebody on the way.
struct Begun {
    attempt: Attempt,
    /// Where to go afterwards.
    back: String,
    /// Whether they are signed in already, and show again who they are.
    again: bool,
}

impl OpenId {
    pub(crate) fn new(config: &OpenIdConfig, clock: Clock) -> Self {
        Self {
            name: config.name.clone(),
            provider: Provider::new(config.provider(), clock),
            client: config.client(),
            attempts: Kept::giving_up(LIFE, ATTEMPTS),
        }
    }
}

impl Console {
    /// Sends a browser to the provider.
    pub(super) async fn go_to_provider(
        &self,
        query: &Fields,
    ) -> Result<Response<SiteBody>, Refusal> {
        let openid = self.openid()?;
        let now = (self.front.clock)();
        let again = query.contains_key("again");
        let attempt = Attempt::new(again, now).map_err(Refusal::failed)?;
        let url = openid.provider.begin(&openid.client, &attempt).await;
        let url = url.map_err(|error| {
            tracing::error!(%error, "nobody can sign in with the OpenID provider");
            Refusal::new(http::StatusCode::BAD_GATEWAY, error.to_string()).said("provider-away", "")
        })?;
        let back = local(query.get("back").map_or("/", String::as_str));
        let begun = Begun { attempt, back, again };
        let mark = openid.attempts.keep(begun, now).map_err(Refusal::failed)?;
        Ok(with_cookie(see_other(&url), &cookie::set_session(cookie::PROVIDER, &mark)))
    }

    /// Takes a browser in that comes back from the provider.
    pub(super) async fn come_from_provider(
        &self,
        headers: &HeaderMap,
        query: &Fields,
        (client, look): (IpAddr, Look),
    ) -> Result<Response<SiteBody>, Refusal> {
        let refuse = |who: &str, why| self.not_let_in(who, why, (client, look), ("/".into(), ""));
        let openid = self.openid()?;
        let now = (self.front.clock)();
        let mark = cookie::session(headers, cookie::PROVIDER);
        let begun = mark.and_then(|mark| openid.attempts.take(&mark, now));
        let asked = |name: &str| query.get(name).map_or("", String::as_str);
        let begun = begun.filter(|begun| begun.attempt.is_answered_by(asked("state")));
        let Some(begun) = begun else {
            return refuse("", "provider-over");
        };
        // Which provider answers is said where it can say so (RFC 9207).
        if query.get("iss").is_some_and(|issuer| issuer != openid.provider.issuer()) {
            return refuse("", "provider-refused");
        }
        let code = asked("code");
        if code.is_empty() {
            tracing::warn!(%client, error = asked("error"), "the OpenID provider lets nobody in");
            return refuse("", "provider-refused");
        }
        let code = Secret::new(code);
        let login = match openid.provider.finish(&openid.client, &begun.attempt, &code).await {
            Ok(login) => login,
            Err(error) => {
                tracing::warn!(%client, %error, "the OpenID provider's word does not count");
                let why = if error.is_refusal() { "provider-refused" } else { "provider-away" };
                return refuse("", why);
            }
        };
        let principal = match self.known_by_provider(&login).await {
            Ok(principal) => principal,
            Err(why) => return refuse(&login, why),
        };
        let done = cookie::end_session(cookie::PROVIDER);
        if !begun.again {
            let entered = self.enter(headers, principal, Shown::Provider, client, &begun.back)?;
            return Ok(with_cookie(entered, &done));
        }
        let answer = with_cookie(see_other(&begun.back), &done);
        let Some((cookie, session)) = self.session_shown(headers, false).await else {
            return Ok(with_cookie(see_other("/sign-in"), &done));
        };
        if session.principal.user != principal.user {
            // Somebody else's word is no word for whoever is signed in.
            let words = Notice::Refused(words(look.language, "provider-other"));
            let mark = self.sessions.tell(&cookie, words).map_err(Refusal::failed)?;
            return Ok(with_cookie(see_other(&marked(&begun.back, &mark)), &done));
        }
        match self.sessions.renew(&cookie, true, now).map_err(Refusal::failed)? {
            Some(renewed) => {
                let set = cookie::set_session(cookie::SESSION, &renewed);
                Ok(with_cookie(answer, &set))
            }
            None => Ok(with_cookie(see_other("/sign-in"), &done)),
        }
    }

    /// Whom the provider means, as the directory has them; else why it is nobody, as a text's name.
    async fn known_by_provider(&self, login: &str) -> Result<Principal, &'static str> {
        let login = Login::parse(login).map_err(|_| "no-role")?;
        let user = self.front.gate.realms().resolve(&login).map_err(|_| "no-role")?;
        let realm = self.front.gate.realms().realm_of(&user).ok_or("no-role")?;
        let directory = self.front.directories.get(&realm).ok_or("no-role")?;
        let person = dme_directory::DirectoryService::find(&**directory, &user).await;
        let person = person.map_err(|_| "directory-away")?.ok_or("no-role")?;
        self.with_a_role(self.principal(&person)).await
    }

    fn openid(&self) -> Result<&OpenId, Refusal> {
        self.openid.as_ref().ok_or_else(|| Refusal::lacks("no-page", ""))
    }
}
