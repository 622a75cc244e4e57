//! What browsers ask for: pages, forms, what pages are made of.

use crate::cookie;
use crate::dispatch::{arguments, read, segments};
use crate::endpoint::{Call, Endpoint, Password};
use crate::notice::{marked, notice, unmarked};
use crate::pages::{Frame, Look, Visit, refused};
use crate::principal::{Allowed, Duty};
use crate::session::{Session, Sessions, is_csrf};
use crate::sign_in::Again;
use crate::{Console, Refusal, changes, form, reply};
use bytes::Bytes;
use dme_model::Secret;
use dme_server::site::SiteBody;
use http::header::{HOST, HeaderValue, LOCATION, ORIGIN, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

pub(crate) const STYLE: &str = include_str!("../static/console.css");
pub(crate) const SCRIPT: &str = include_str!("../static/console.js");
pub(crate) const ICON: &str = include_str!("../static/icon.svg");

/// Where a request came from, and how its answer is to look.
#[derive(Clone, Copy)]
struct Browser {
    look: Look,
    peer: SocketAddr,
}

/// Where a page is told that something changed; it comes again by itself.
const CHANGES: &str = "/changes";
/// What our script says where it asks and nobody else does.
const BY_ITSELF: &str = "x-by-itself";

/// The values of a form.
pub(crate) type Fields = BTreeMap<String, String>;

/// A form that was sent, to be taken apart.
pub(crate) struct Taken {
    fields: Fields,
    /// Where to go afterwards: a path of ours.
    pub back: String,
}

impl Taken {
    fn of(body: &Bytes) -> Self {
        let mut fields = fields(body);
        let back = local(&fields.remove("back").unwrap_or_default());
        Self { fields, back }
    }

    /// What stands in a field; nothing where it is not there.
    pub(crate) fn field(&mut self, name: &str) -> String {
        self.fields.remove(name).unwrap_or_default()
    }

    /// The same, where nobody may see it.
    pub(crate) fn secret(&mut self, name: &str) -> Secret {
        Secret::new(self.field(name))
    }
}

/// What became of what a form asked for.
pub(crate) struct Done {
    /// The cookie that the session has from now on, where it has another.
    pub renewed: Option<Secret>,
    pub done: Result<Value, Refusal>,
}

/// A form that a session sent.
pub(crate) struct Sent<'a> {
    /// Where the session is kept.
    pub sessions: &'a Sessions,
    /// What it is found by.
    pub cookie: &'a Secret,
    pub session: Session,
    /// From which address.
    pub client: IpAddr,
    pub look: Look,
    pub body: &'a Bytes,
}

impl Console {
    /// Answers a browser.
    pub(crate) async fn browse(
        self: &Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<SiteBody> {
        let (head, body) = request.into_parts();
        let browser = Browser { look: Look::of(&head.headers), peer };
        let answer = match head.method {
            Method::GET => self.look_at(&head, browser).await,
            Method::POST if !is_from_here(&head.headers) => Err(Refusal::barred("other-site", "")),
            Method::POST => match read(body).await {
                Ok(body) => self.take(&head, browser, &body).await,
                Err(refusal) => Err(refusal),
            },
            _ => Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "pages are looked at")
                .said("no-page", "")),
        };
        match answer {
            Ok(response) => response,
            Err(refusal) => self.refuse(&head, browser.look, refusal).await,
        }
    }

    async fn look_at(
        self: &Arc<Self>,
        head: &Parts,
        Browser { look, peer }: Browser,
    ) -> Result<Response<SiteBody>, Refusal> {
        let path = head.uri.path();
        match path {
            "/static/console.css" => return Ok(still("text/css; charset=utf-8", STYLE)),
            "/static/console.js" => return Ok(still("text/javascript; charset=utf-8", SCRIPT)),
            "/static/icon.svg" => return Ok(still("image/svg+xml", ICON)),
            path if path == "/sign-in" || path.starts_with("/sign-in/") => {
                let query = fields(head.uri.query().unwrap_or_default().as_bytes());
                let browser = (peer.ip(), look);
                return self.ask_to_sign_in(path, &head.headers, &query, browser).await;
            }
            _ => {}
        }
        let whole = head.uri.path_and_query().map_or(path, http::uri::PathAndQuery::as_str);
        let (whole, mark) = unmarked(whole);
        let Some((cookie, session)) = self.session(head).await else {
            return Ok(to_sign_in(&whole));
        };
        let principal = session.principal.clone();
        if path == CHANGES {
            if principal.may(Duty::See) == Allowed::No {
                return Err(Refusal::barred("nothing-to-see", ""));
            }
            return Ok(changes::stream(self.clone()));
        }
        let segments = segments(path);
        let found =
            self.pages.iter().find_map(|page| Some((page, arguments(page.path, &segments)?)));
        let Some((page, args)) = found else {
            return Err(Refusal::lacks("no-page", ""));
        };
        self.permit(&principal, page.duty, page.reach, &args).await?;
        let now = (self.front.clock)();
        let frame = Frame::new(look, &session, &whole, session.is_fresh(now), &self.pages);
        let frame = frame.saying(&session, mark);
        let frame = match principal.sees_all() {
            true => frame.alarmed(self.front.emergency.used().await?),
            false => frame,
        };
        let asked = whole.split_once('?').map_or("", |(_, query)| query).to_owned();
        let query = fields(asked.as_bytes());
        let by_itself = is_by_itself(head);
        let session = session.id.clone();
        let visit = Visit { principal, args, query, asked, by_itself, session, frame };
        let written = page.render(self.clone(), visit).await?;
        // Not before it is there to be read, and not by a page that shows no more than a part of it.
        if let Some(mark) = mark.filter(|_| !by_itself) {
            self.sessions.was_told(&cookie, mark);
        }
        Ok(reply::written(page.kind, written))
    }

    /// Why there is no such page: as a page to whoever is signed in, else in plain words.
    async fn refuse(&self, head: &Parts, look: Look, refusal: Refusal) -> Response<SiteBody> {
        let page = match self.session(head).await {
            Some((_, session)) => {
                let frame = Frame::new(look, &session, "/", true, &self.pages);
                refused(frame, &refusal.words_in(look.language)).ok()
            }
            None => None,
        };
        let answer = match page {
            Some(page) => reply::answer("text/html; charset=utf-8", page),
            None => reply::answer("text/plain; charset=utf-8", refusal.words_in(look.language)),
        };
        reply::with_status(answer, refusal.status)
    }

    /// A form that was sent.
    async fn take(
        self: &Arc<Self>,
        head: &Parts,
        browser: Browser,
        body: &Bytes,
    ) -> Result<Response<SiteBody>, Refusal> {
        let Browser { look, peer } = browser;
        let mut taken = Taken::of(body);
        let path = head.uri.path();
        if matches!(path, "/sign-in" | "/sign-in/code" | "/sign-in/link") {
            let browser = (peer.ip(), look);
            return self.take_sign_in(path, &head.headers, taken, browser).await;
        }
        let back = taken.back.clone();
        let mut field = |name: &str| taken.field(name);
        // Where to try anew what is refused, such as for a wrong password.
        let retry = Some(field("retry")).filter(|path| !path.is_empty());
        let Some((cookie, session)) = self.session(head).await else {
            return Ok(to_sign_in(&back));
        };
        if !is_csrf(&session, &field("csrf")) {
            return Err(Refusal::barred("form-old", ""));
        }
        match path {
            "/sign-out" => {
                self.sessions.end(&cookie);
                Ok(with_cookie(see_other("/sign-in"), &cookie::end_session(cookie::SESSION)))
            }
            "/look" => {
                let set = set_look(&field("language"), &field("theme"))?;
                Ok(with_cookie(see_other(&back), &set))
            }
            _ => match path.strip_prefix("/do/") {
                Some(path) => {
                    // Browsers' forms know no other than GET and POST.
                    let method = match field("method").as_str() {
                        "delete" => Method::DELETE,
                        _ => Method::POST,
                    };
                    let (client, act) = (peer.ip(), format!("/api/{path}"));
                    let sessions = &self.sessions;
                    let sent = Sent { sessions, cookie: &cookie, session, client, look, body };
                    let Done { renewed, done } = self.have_done((method, &act), sent).await;
                    let back = match retry.filter(|_| done.is_err()) {
                        Some(retry) => local(&retry),
                        None => back,
                    };
                    let told =
                        sessions.tell(renewed.as_ref().unwrap_or(&cookie), notice(done, look));
                    let answer = see_other(&marked(&back, &told.map_err(Refusal::failed)?));
                    Ok(match &renewed {
                        Some(renewed) => {
                            with_cookie(answer, &cookie::set_session(cookie::SESSION, renewed))
                        }
                        None => answer,
                    })
                }
                None => Err(Refusal::lacks("no-page", "")),
            },
        }
    }

    /// Has the endpoint of this path do what a form asks for.
    pub(crate) async fn have_done(
        self: &Arc<Self>,
        asked: (Method, &str),
        mut sent: Sent<'_>,
    ) -> Done {
        let mut shown = Taken::of(sent.body);
        let (password, code) = (shown.secret("confirm_password"), shown.secret("confirm_code"));
        let mut renewed = None;
        if !password.expose().is_empty() {
            let Sent { sessions, cookie, session, .. } = &sent;
            match self.confirm(sessions, cookie, session, Again { password, code }).await {
                Ok(next) => renewed = Some(next),
                Err(why) => {
                    return Done { renewed, done: Err(Refusal::barred(why, "")) };
                }
            }
            sent.session.confirmed = (self.front.clock)();
        }
        let shown = renewed.is_some();
        Done { renewed, done: self.act(asked, &sent, shown).await }
    }

    async fn act(
        self: &Arc<Self>,
        (method, path): (Method, &str),
        sent: &Sent<'_>,
        shown: bool,
    ) -> Result<Value, Refusal> {
        let (endpoint, args) = self.endpoint(&method, path)?;
        if !shown && !self.suffices(endpoint, sent) {
            return Err(Refusal::barred("confirm-first", ""));
        }
        let Sent { session, client, look, body, .. } = sent;
        self.permit(&session.principal, endpoint.duty, endpoint.reach, &args).await?;
        let mut sent = form::object(body, endpoint.shape(endpoint.body).as_ref());
        for ours in ["csrf", "back", "retry", "confirm_password", "confirm_code", "method"] {
            sent.remove(ours);
        }
        let (principal, query) = (session.principal.clone(), Default::default());
        let (session, body) = (Some(session.id.clone()), Value::Object(sent));
        let language = look.language;
        let call = Call { principal, client: *client, args, session, query, body, language };
        self.carry_out(endpoint, call).await
    }

    /// Whether what a session has shown before is enough for this.
    fn suffices(&self, endpoint: &Endpoint, sent: &Sent<'_>) -> bool {
        let Sent { sessions, cookie, session, .. } = sent;
        let now = (self.front.clock)();
        match endpoint.password {
            Password::AtFirst => true,
            Password::JustNow => {
                // Who went to the provider for this did not go there for a wipe.
                sessions.use_up(cookie, now);
                session.is_fresh(now)
            }
            Password::EachTime => sessions.use_up(cookie, now),
        }
    }

    /// The session that a browser shows, with the roles it has now.
    pub(crate) async fn session(&self, head: &Parts) -> Option<(Secret, Session)> {
        self.session_shown(&head.headers, is_by_itself(head)).await
    }

    /// The same, by what is shown alone, and whether the page asks by itself that shows it.
    pub(crate) async fn session_shown(
        &self,
        headers: &HeaderMap,
        by_itself: bool,
    ) -> Option<(Secret, Session)> {
        let cookie = cookie::session(headers, cookie::SESSION)?;
        let now = (self.front.clock)();
        let session = match by_itself {
            true => self.sessions.check(&cookie, now),
            false => self.sessions.find(&cookie, now),
        }?;
        let session = self.refreshed(&self.sessions, &cookie, session).await?;
        Some((cookie, session))
    }
}

/// Whether a page asks by itself, as our script has it say, and nobody need be there: whatever says
/// so has no more of it than that its session ends in time (ASVS 5.0, 7.3.1).
fn is_by_itself(head: &Parts) -> bool {
    head.uri.path() == CHANGES || head.headers.contains_key(BY_ITSELF)
}

/// A refusal, for people.
pub(crate) fn plain(refusal: Refusal) -> Response<SiteBody> {
    let response = reply::answer("text/plain; charset=utf-8", refusal.words);
    reply::with_status(response, refusal.status)
}

/// The cookie that remembers the language or theme that was chosen.
pub(crate) fn set_look(language: &str, theme: &str) -> Result<String, Refusal> {
    match (language, theme) {
        (language, _) if !language.is_empty() && sound(language) => {
            Ok(cookie::set_look(cookie::LANGUAGE, language))
        }
        (_, theme) if sound(theme) => Ok(cookie::set_look(cookie::THEME, theme)),
        _ => Err(Refusal::wrong("no-page", "")),
    }
}

/// What browsers may keep: it changes with the release only, and they ask whether it did.
pub(crate) fn still(kind: &'static str, text: &'static str) -> Response<SiteBody> {
    let mut response = reply::answer(kind, text);
    let keep = HeaderValue::from_static("private, max-age=300");
    response.headers_mut().insert(http::header::CACHE_CONTROL, keep);
    response
}

/// Whether a form was sent by a page of ours: browsers say where it is from.
pub(crate) fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    match (text(ORIGIN), text(HOST)) {
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(host))
        }
        // Not a browser's: the session's mark in the form decides.
        (None, _) => true,
        _ => false,
    }
}

pub(crate) fn see_other(path: &str) -> Response<SiteBody> {
    let mut response = reply::answer("text/plain; charset=utf-8", "");
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(path) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}

fn to_sign_in(back: &str) -> Response<SiteBody> {
    see_other(&format!("/sign-in?{}", form::query(&[("back", back)])))
}

pub(crate) fn with_cookie(mut response: Response<SiteBody>, cookie: &str) -> Response<SiteBody> {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// A path of ours, whatever was asked for: never another site's.
pub(crate) fn local(back: &str) -> String {
    let is_ours = back.starts_with('/')
        && !back.starts_with("//")
        && back.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_ours { back.to_owned() } else { "/".to_owned() }
}

fn sound(value: &str) -> bool {
    (1..=8).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_lowercase())
}

pub(crate) fn fields(text: &[u8]) -> Fields {
    form_urlencoded::parse(text).into_owned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comes_back_to_pages_of_ours_only() {
        for (back, to) in [
            ("/devices?q=a%20b", "/devices?q=a%20b"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a\r\nSet-Cookie: x=y", "/"),
            ("", "/"),
        ] {
            assert_eq!(local(back), to, "{back:?}");
        }
    }

    #[test]
    fn forms_of_other_sites_are_told_by_their_origin() {
        let from = |origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("127.0.0.1:8480"));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
            }
            is_from_here(&headers)
        };
        assert!(from(Some("http://127.0.0.1:8480")));
        assert!(from(None));
        assert!(!from(Some("http://127.0.0.1:8481")));
        assert!(!from(Some("https://evil.example")));
        assert!(!from(Some("null")));
    }
}
