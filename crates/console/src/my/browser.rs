//! What browsers ask for at `/my`: the page, its forms, and the links with which a device is added.

use super::page;
use super::profile::{Identity, Profile};
use crate::browser::{Done, ICON, STYLE, Sent, fields, is_from_here};
use crate::browser::{see_other, set_look, still, with_cookie};
use crate::dispatch::{read, segments};
use crate::endpoints::certificates::Packed;
use crate::notice::{marked, notice, unmarked};
use crate::pages::{Frame, Look};
use crate::reply::guarded;
use crate::session::{Entrant, Shown, is_csrf};
use crate::sign_in::{agent, words};
use crate::{Console, Refusal, api, cookie, reply};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use dme_directory::{DirectoryService, Login};
use dme_model::{Secret, UserId};
use dme_server::site::SiteBody;
use dme_store::Invitation;
use http::header::{CONTENT_DISPOSITION, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;

/// Who asks, and how the answer is to look.
#[derive(Clone, Copy)]
struct Browser {
    look: Look,
    client: IpAddr,
}

impl Console {
    /// Answers a browser.
    pub(super) async fn browse_own(
        self: &Arc<Self>,
        head: &Parts,
        body: Incoming,
        client: IpAddr,
    ) -> Response<SiteBody> {
        let browser = Browser { look: Look::of(&head.headers), client };
        let answer = match head.method {
            Method::GET => self.look_at_own(head, browser).await,
            Method::POST if !is_from_here(&head.headers) => Err(Refusal::barred("other-site", "")),
            Method::POST => match read(body).await {
                Ok(body) => self.take_own(head, browser, &body).await,
                Err(refusal) => Err(refusal),
            },
            _ => Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "pages are looked at")
                .said("no-page", "")),
        };
        guarded(answer.unwrap_or_else(|refusal| page::refused(browser.look, refusal)))
    }

    async fn look_at_own(
        self: &Arc<Self>,
        head: &Parts,
        Browser { look, .. }: Browser,
    ) -> Result<Response<SiteBody>, Refusal> {
        let asked = segments(head.uri.path());
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        match asked[..] {
            ["my", "static", "console.css"] => return Ok(still("text/css; charset=utf-8", STYLE)),
            ["my", "static", "icon.svg"] => return Ok(still("image/svg+xml", ICON)),
            ["my", "sign-in"] => return page::sign_in(look, String::new(), None),
            ["my", "add", secret] => return self.show_invitation(look, &Secret::new(secret)).await,
            ["my"] | ["my", "away"] => {}
            _ => return Err(Refusal::lacks("no-page", "")),
        }
        let Some((cookie, session)) = self.own_session(&head.headers).await else {
            return Ok(see_other("/my/sign-in"));
        };
        let fresh = session.is_fresh((self.front.clock)());
        let whole = head.uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
        let (_, mark) = unmarked(whole);
        let frame = Frame::own(look, &session, head.uri.path(), fresh).saying(&session, mark);
        let own = self.own_page(&session.principal, look.language).await?;
        let page = match asked[..] {
            ["my", "away"] => {
                let away = match own.mail_needs_password {
                    true => None,
                    false => Some(self.own_away(&session.principal, None).await?),
                };
                page::away(frame, own, away)
            }
            _ => page::own(frame, own),
        }?;
        if let Some(mark) = mark {
            self.own_sessions.was_told(&cookie, mark);
        }
        Ok(page)
    }

    /// A form that was sent.
    async fn take_own(
        self: &Arc<Self>,
        head: &Parts,
        browser: Browser,
        body: &Bytes,
    ) -> Result<Response<SiteBody>, Refusal> {
        let Browser { look, client } = browser;
        let mut fields = fields(body);
        let mut field = |name: &str| fields.remove(name).unwrap_or_default();
        let asked = segments(head.uri.path());
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        match asked[..] {
            ["my", "sign-in"] => {
                let (login, password) = (field("login"), Secret::new(field("password")));
                let found = match Login::parse(&login) {
                    Ok(known) => self.own_sign_in(&known, &password, client).await,
                    Err(_) => Err("wrong-password"),
                };
                return match found {
                    Ok(principal) => {
                        if let Some(former) = cookie::session(&head.headers, cookie::OWN_SESSION) {
                            self.own_sessions.end(&former);
                        }
                        let agent = agent(&head.headers);
                        let entrant = Entrant { principal, shown: Shown::Password, client, agent };
                        let begun = self.own_sessions.begin(entrant, (self.front.clock)());
                        let cookie = begun.map_err(Refusal::failed)?;
                        let set = cookie::set_session(cookie::OWN_SESSION, &cookie);
                        Ok(with_cookie(see_other("/my"), &set))
                    }
                    Err(why) => page::sign_in(look, login, Some(words(look.language, why))),
                };
            }
            ["my", "add", secret, "profile"] => {
                return self.give_profile(&Secret::new(secret)).await;
            }
            ["my", "add", secret, "typed"] => {
                return self.give_typed(look, &Secret::new(secret)).await;
            }
            ["my", "file", once] => return self.give_file(&Secret::new(once)),
            _ => {}
        }
        let Some((cookie, session)) = self.own_session(&head.headers).await else {
            return Ok(see_other("/my/sign-in"));
        };
        if !is_csrf(&session, &field("csrf")) {
            return Err(Refusal::barred("form-old", ""));
        }
        let back = match field("back") {
            back if back == "/my/away" => back,
            _ => "/my".to_owned(),
        };
        match asked[..] {
            ["my", "sign-out"] => {
                self.own_sessions.end(&cookie);
                let end = cookie::end_session(cookie::OWN_SESSION);
                Ok(with_cookie(see_other("/my/sign-in"), &end))
            }
            ["my", "look"] => {
                let set = set_look(&field("language"), &field("theme"))?;
                Ok(with_cookie(see_other(&back), &set))
            }
            ["my", "do", ..] => {
                let path = head.uri.path().replacen("/my/do/", "/api/my/", 1);
                let frame = Frame::own(look, &session, "/my", true);
                let (sessions, principal) = (&self.own_sessions, session.principal.clone());
                let sent = Sent { sessions, cookie: &cookie, session, client, look, body };
                let Done { renewed, done } = self.have_done((Method::POST, &path), sent).await;
                let shown = match (done, &*path) {
                    (Ok(made), "/api/my/passwords") => page::made(frame, shape(made)?),
                    (Ok(made), "/api/my/certificates") => {
                        let made: api::MadeCertificate = shape(made)?;
                        let file = STANDARD.decode(&made.file).map_err(Refusal::failed)?;
                        let once = self.files.keep(file, (self.front.clock)())?;
                        page::certified(frame, page::KeyFile { once, password: made.password })
                    }
                    (Ok(made), "/api/my/invitations") => page::invited(frame, shape(made)?),
                    (Ok(away), "/api/my/away/look") => {
                        let own = self.own_page(&principal, look.language).await?;
                        page::away(frame, own, Some(shape(away)?))
                    }
                    (done, _) => {
                        let told =
                            sessions.tell(renewed.as_ref().unwrap_or(&cookie), notice(done, look));
                        Ok(see_other(&marked(&back, &told.map_err(Refusal::failed)?)))
                    }
                };
                match (shown, renewed) {
                    (Ok(page), Some(renewed)) => {
                        let set = cookie::set_session(cookie::OWN_SESSION, &renewed);
                        Ok(with_cookie(page, &set))
                    }
                    (shown, _) => shown,
                }
            }
            _ => Err(Refusal::lacks("no-page", "")),
        }
    }

    /// What whoever opens a link sees: the account, and what to do on which system.
    async fn show_invitation(
        &self,
        look: Look,
        secret: &Secret,
    ) -> Result<Response<SiteBody>, Refusal> {
        let invitation = self.front.own.invitation(secret).await?.ok_or_else(used_up)?;
        let address = self.address_of(&invitation.user).await?;
        let link = format!("/my/add/{}", secret.expose());
        let add = page::Add::new(look, self.to_type(&invitation.user, address));
        add.by(link, invitation.with_password, invitation.with_certificate)
    }

    /// What is to be typed in.
    fn to_type(&self, user: &UserId, address: String) -> page::Account {
        let passwordless = self.front.own.device_certificates_of(user).suffice();
        page::Account {
            host: self.front.host.clone(),
            user: user.to_string(),
            address,
            passwordless,
        }
    }

    /// What a link that is used up gives: a password and a certificate, where either was wanted.
    async fn given(
        &self,
        invitation: &Invitation,
    ) -> Result<(Option<api::MadePassword>, Option<Packed>), Refusal> {
        let Invitation { user, label, .. } = invitation;
        let password = match invitation.with_password {
            true => Some(self.make_password_for(user, label).await?),
            false => None,
        };
        let certificate = match invitation.with_certificate {
            true => Some(self.make_certificate_for(user, label).await?),
            false => None,
        };
        Ok((password, certificate))
    }

    /// The profile of the account, once, with what the device is given.
    async fn give_profile(&self, secret: &Secret) -> Result<Response<SiteBody>, Refusal> {
        let invitation = self.front.own.use_invitation(secret).await?.ok_or_else(used_up)?;
        let address = self.address_of(&invitation.user).await?;
        let (made, packed) = self.given(&invitation).await?;
        let config = &self.front.own.config;
        let identity = packed.as_ref().map(|packed| Identity {
            file: &packed.file,
            password: packed.password.expose(),
            serial: &packed.made.identity.serial,
        });
        let profile = Profile {
            name: &config.account_name,
            host: &self.front.host,
            user: invitation.user.as_str(),
            address: &address,
            password: made.as_ref().map(|made| made.password.as_str()),
            identity,
            days: config.days_of_mail,
        };
        let plist = profile.to_plist().into_bytes();
        let now = (self.front.clock)();
        let signed = self.certificate.as_ref().and_then(|one| super::cms::sign(&plist, one, now));
        let Invitation { user, label, .. } = &invitation;
        tracing::info!(%user, label, signed = signed.is_some(), "a profile was given");
        let kind = "application/x-apple-aspen-config";
        Ok(attached(kind, "mail.mobileconfig", signed.unwrap_or(plist)))
    }

    /// What the device is given, once, for whoever types the account in.
    async fn give_typed(&self, look: Look, secret: &Secret) -> Result<Response<SiteBody>, Refusal> {
        let gives = |known: &Invitation| known.with_password || known.with_certificate;
        if !self.front.own.invitation(secret).await?.is_some_and(|known| gives(&known)) {
            return Err(used_up());
        }
        let invitation = self.front.own.use_invitation(secret).await?.ok_or_else(used_up)?;
        let address = self.address_of(&invitation.user).await?;
        let (made, packed) = self.given(&invitation).await?;
        let file = match packed {
            Some(Packed { file, password, .. }) => {
                let once = self.files.keep(file, (self.front.clock)())?;
                Some(page::KeyFile { once, password: password.expose().to_owned() })
            }
            None => None,
        };
        let add = page::Add::new(look, self.to_type(&invitation.user, address));
        add.given(made.map(|made| made.password), file)
    }

    /// A file that was made for whoever has this, once.
    fn give_file(&self, once: &Secret) -> Result<Response<SiteBody>, Refusal> {
        let file = self.files.take(once, (self.front.clock)()).ok_or_else(used_up)?;
        Ok(attached("application/x-pkcs12", "device.p12", file))
    }

    /// A user's mail address, as the directory has it.
    async fn address_of(&self, user: &UserId) -> Result<String, Refusal> {
        let directory = self.front.directory_of(user);
        let directory = directory.ok_or_else(|| Refusal::lacks("no-user-named", user.as_str()))?;
        match directory.find(user).await {
            Ok(Some(person)) => Ok(person.address),
            Ok(None) => Err(Refusal::lacks("no-user-named", user.as_str())),
            Err(error) => Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
                .said("directory-away", "")),
        }
    }
}

/// A file to keep, or to take in.
fn attached(kind: &'static str, name: &str, file: Vec<u8>) -> Response<SiteBody> {
    let mut response = reply::answer(kind, file);
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    response
}

fn used_up() -> Refusal {
    let words = "this link was used already, or is too old: make another one at /my";
    Refusal::new(StatusCode::GONE, words).said("my-link-used", "")
}

/// An endpoint's answer, for the page that shows it.
fn shape<T: DeserializeOwned>(answer: Value) -> Result<T, Refusal> {
    serde_json::from_value(answer).map_err(Refusal::failed)
}
