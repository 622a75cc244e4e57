//! The users' own page, at the phones' listener. It knows nobody but as a user: an administrator who
//! signs in here is none (rule O2), and has a session that the administrators' pages do not know.

mod browser;
mod cms;
mod der;
pub(crate) mod files;
mod page;
pub(crate) mod pkcs12;
mod profile;
pub(crate) mod qr;

use crate::dispatch::Asker;
use crate::endpoint::Password;
use crate::principal::{Principal, Role};
use crate::session::{Session, is_csrf};
use crate::{Console, Refusal, cookie, reply};
use dme_directory::{BasicCredentials, Login};
use dme_model::Secret;
use dme_server::site::SiteBody;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use std::net::IpAddr;
use std::sync::Arc;

impl Console {
    /// Answers whoever asks at the phones' listener.
    pub(crate) async fn own_way_in(
        self: &Arc<Self>,
        request: Request<Incoming>,
        client: IpAddr,
    ) -> Response<SiteBody> {
        let (head, body) = request.into_parts();
        if !head.uri.path().starts_with("/api/") {
            return self.browse_own(&head, body, client).await;
        }
        let answer = async {
            let asker = self.own_asker(&head, client).await?;
            self.answer(asker, client, &head, body).await
        };
        answer.await.unwrap_or_else(|refusal| reply::refused(&refusal))
    }

    /// Who asks by REST: by their password, for programs, or by the session of a browser, which must
    /// say with anything but a look that a page of ours asks (`x-csrf`). No browser is asked for a
    /// password: it would send it along with what other sites' forms do.
    async fn own_asker(&self, head: &Parts, client: IpAddr) -> Result<Asker, Refusal> {
        if let Some(given) = head.headers.get(AUTHORIZATION) {
            let Ok(shown) = BasicCredentials::from_header(given.as_bytes()) else {
                let principal = self.bearer(given.as_bytes()).await?;
                let principal = only_user(principal).map(Arc::new).ok_or_else(nobody)?;
                return Ok(Asker { principal, session: None, password: Password::EachTime });
            };
            return match self.own_sign_in(&shown.login, &shown.password, client).await {
                Ok(principal) => {
                    let (principal, password) = (Arc::new(principal), Password::EachTime);
                    Ok(Asker { principal, session: None, password })
                }
                Err(_) => Err(nobody()),
            };
        }
        let Some((_, session)) = self.own_session(&head.headers).await else {
            return Err(nobody());
        };
        let mark = head.headers.get("x-csrf").and_then(|value| value.to_str().ok());
        if head.method != Method::GET && !is_csrf(&session, mark.unwrap_or_default()) {
            return Err(Refusal::forbidden("x-csrf is not that of the session"));
        }
        let password = match session.is_fresh((self.front.clock)()) {
            true => Password::JustNow,
            false => Password::AtFirst,
        };
        Ok(Asker { principal: session.principal, session: Some(session.id), password })
    }

    /// The user of this name and password; else why it is nobody, as a text's name.
    async fn own_sign_in(
        &self,
        login: &Login,
        password: &Secret,
        client: IpAddr,
    ) -> Result<Principal, &'static str> {
        let found = self.known_as(login, password).await;
        let mut found = found.and_then(|principal| only_user(principal).ok_or("no-user"));
        if let Ok(Principal { user: Some(user), .. }) = &found
            && self.front.store.is_disabled(user).await.unwrap_or(true)
        {
            found = Err("no-user");
        }
        match &found {
            Ok(principal) => tracing::info!(who = principal.name, %client, "signed in to /my"),
            Err(why) => tracing::warn!(login = login.name(), %client, why, "not let in to /my"),
        }
        found
    }

    /// The session of a user's that a browser shows.
    async fn own_session(&self, headers: &HeaderMap) -> Option<(Secret, Session)> {
        let cookie = cookie::session(headers, cookie::OWN_SESSION)?;
        let session = self.own_sessions.find(&cookie, (self.front.clock)())?;
        let session = self.refreshed(&self.own_sessions, &cookie, session).await?;
        let principal = only_user((*session.principal).clone())?;
        Some((cookie, Session { principal: Arc::new(principal), ..session }))
    }
}

/// Somebody as a user and nothing else; none where they are no user.
fn only_user(principal: Principal) -> Option<Principal> {
    let is_one = principal.user.is_some() && principal.roles.contains(&Role::User);
    is_one.then(|| Principal { roles: vec![Role::User], ..principal })
}

fn nobody() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "your user name and your password are needed")
}
