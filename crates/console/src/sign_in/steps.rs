//! The steps of signing in, as a browser takes them.

use super::{ByLink, SignIn, by_link, words};
use crate::browser::{Fields, Taken, local, see_other, with_cookie};
use crate::form::query;
use crate::pages::{Alone, Look};
use crate::principal::Principal;
use crate::reply::html;
use crate::session::{Entrant, Shown};
use crate::{Console, Refusal, cookie};
use dme_model::Secret;
use dme_server::config::{REDIRECT, SecondFactorMode};
use dme_server::records::{EventKind, Happened};
use dme_server::site::SiteBody;
use http::header::USER_AGENT;
use http::{HeaderMap, Response, StatusCode};
use std::net::IpAddr;
use std::sync::Arc;

/// Letters of what a browser calls itself that are kept.
const AGENT: usize = 200;

impl Console {
    /// A page of signing in, by its path.
    pub(crate) async fn ask_to_sign_in(
        &self,
        path: &str,
        headers: &HeaderMap,
        query: &Fields,
        (client, look): (IpAddr, Look),
    ) -> Result<Response<SiteBody>, Refusal> {
        let asked = |name: &str| query.get(name).map_or("", String::as_str).to_owned();
        match path {
            "/sign-in/code" => {
                let Some((_, half)) = self.unfinished(headers) else {
                    return Ok(see_other("/sign-in"));
                };
                return self.show_step(&half, look, None).await;
            }
            "/sign-in/provider" => return self.go_to_provider(query).await,
            REDIRECT => return self.come_from_provider(headers, query, (client, look)).await,
            _ => {}
        }
        let mut trouble = None;
        let once = asked("once");
        if !once.is_empty() {
            let now = (self.front.clock)();
            if self.open_links.is_open(&Secret::new(once.clone()), now) {
                return html(&ByLink { frame: Alone::new(look), once }, StatusCode::OK);
            }
            trouble = Some(words(look.language, "link-used"));
        }
        self.sign_in_page(look, asked("back"), String::new(), trouble)
    }

    /// A form of signing in, by its path.
    pub(crate) async fn take_sign_in(
        self: &Arc<Self>,
        path: &str,
        headers: &HeaderMap,
        mut taken: Taken,
        (client, look): (IpAddr, Look),
    ) -> Result<Response<SiteBody>, Refusal> {
        if path == "/sign-in/code" {
            let Some((mark, half)) = self.unfinished(headers) else {
                return Ok(see_other("/sign-in"));
            };
            let code = taken.secret("code");
            return self.take_step(headers, (&mark, half), code, (client, look)).await;
        }
        if path == "/sign-in/link" {
            if self.open_links.take(&taken.secret("once"), (self.front.clock)()) {
                return self.enter(headers, by_link(), Shown::Link, client, "/");
            }
            let trouble = words(look.language, "link-used");
            return self.sign_in_page(look, taken.back, String::new(), Some(trouble));
        }
        let (login, password, back) = (taken.field("login"), taken.secret("password"), taken.back);
        let why = match self.emergency_named(&login).await? {
            Some(account) => match self.by_emergency(&account, &password, client).await {
                Ok(principal) => {
                    return self.enter(headers, principal, Shown::Emergency, client, &back);
                }
                Err(why) => why,
            },
            None => match self.sign_in(&login, &password).await {
                Ok(principal) => return self.go_on(headers, principal, client, &back).await,
                Err(why) => why,
            },
        };
        self.not_let_in(&login, why, (client, look), (back, &login))
    }

    /// What comes after the right password: a code, or setting one up, or the session.
    async fn go_on(
        &self,
        headers: &HeaderMap,
        principal: Principal,
        client: IpAddr,
        back: &str,
    ) -> Result<Response<SiteBody>, Refusal> {
        let has_one = match &principal.user {
            Some(user) => self.front.second_factors.of(user).await?.is_some(),
            None => false,
        };
        if !has_one && self.front.console.second_factor == SecondFactorMode::Optional {
            return self.enter(headers, principal, Shown::Password, client, back);
        }
        let mark = self.unfinished.begin(principal, back.to_owned(), (self.front.clock)());
        let set = cookie::set_session(cookie::SIGN_IN, &mark.map_err(Refusal::failed)?);
        Ok(with_cookie(see_other("/sign-in/code"), &set))
    }

    /// The sign-in that a browser shows, and that lacks a step.
    fn unfinished(&self, headers: &HeaderMap) -> Option<(Secret, super::unfinished::Half)> {
        let mark = cookie::session(headers, cookie::SIGN_IN)?;
        let half = self.unfinished.find(&mark, (self.front.clock)())?;
        Some((mark, half))
    }

    /// Begins a session, and goes on.
    pub(super) fn enter(
        &self,
        headers: &HeaderMap,
        principal: Principal,
        shown: Shown,
        client: IpAddr,
        back: &str,
    ) -> Result<Response<SiteBody>, Refusal> {
        let session = self.begin_session(headers, principal, shown, client)?;
        Ok(with_cookie(see_other(&local(back)), &session))
    }

    /// Begins a session; the one that the browser had ends. Gives what sets its cookie.
    pub(super) fn begin_session(
        &self,
        headers: &HeaderMap,
        principal: Principal,
        shown: Shown,
        client: IpAddr,
    ) -> Result<String, Refusal> {
        if let Some(former) = cookie::session(headers, cookie::SESSION) {
            self.sessions.end(&former);
        }
        let (who, by) = (principal.name.clone(), shown.as_str());
        tracing::info!(who, %client, by, "signed in to the console");
        let mut happened = Happened::new(EventKind::ConsoleEntered, format!("{who} signed in"))
            .detail("client", client.to_string())
            .detail("by", by);
        if let Some(user) = &principal.user {
            happened = happened.user(user);
        }
        self.front.events.note(happened);
        let entrant = Entrant { principal, shown, client, agent: agent(headers) };
        let cookie = self.sessions.begin(entrant, (self.front.clock)());
        Ok(cookie::set_session(cookie::SESSION, &cookie.map_err(Refusal::failed)?))
    }

    /// The page that asks who it is.
    pub(super) fn sign_in_page(
        &self,
        look: Look,
        back: String,
        login: String,
        trouble: Option<String>,
    ) -> Result<Response<SiteBody>, Refusal> {
        let status = if trouble.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
        let provider = self.openid.as_ref().map(|openid| {
            let way = format!("/sign-in/provider?{}", query(&[("back", &back)]));
            (openid.name.clone(), way)
        });
        html(&SignIn { frame: Alone::new(look), back, login, trouble, provider }, status)
    }

    /// The page to sign in on, with why somebody was not let in; in its form stand where to go
    /// afterwards and what was typed in.
    pub(super) fn not_let_in(
        &self,
        who: &str,
        why: &'static str,
        (client, look): (IpAddr, Look),
        (back, login): (String, &str),
    ) -> Result<Response<SiteBody>, Refusal> {
        self.was_refused(who, client, why);
        self.sign_in_page(look, back, login.to_owned(), Some(words(look.language, why)))
    }

    /// Notes that somebody was not let in.
    pub(super) fn was_refused(&self, login: &str, client: IpAddr, why: &'static str) {
        tracing::warn!(login, %client, why, "not let in to the console");
        let mut happened = Happened::new(EventKind::ConsoleRefused, format!("not let in: {why}"))
            .detail("client", client.to_string());
        if let Ok(user) = self.resolve(login) {
            happened = happened.user(&user);
        }
        self.front.events.note(happened);
    }
}

/// What a browser calls itself.
pub(crate) fn agent(headers: &HeaderMap) -> String {
    let said = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    said.unwrap_or_default().chars().take(AGENT).collect()
}
