//! The code beside the password: asked for, or set up by who has none.

use super::unfinished::Half;
use super::words;
use crate::browser::{local, see_other, with_cookie};
use crate::endpoint::Call;
use crate::language::Language;
use crate::my::qr;
use crate::pages::{Alone, Look};
use crate::reply::html;
use crate::session::Shown;
use crate::{Console, Refusal, api, cookie};
use askama::Template;
use dme_model::{Secret, UserId};
use dme_server::second_factor::{By, NotTaken};
use dme_server::site::SiteBody;
use http::{HeaderMap, Method, Response, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;

/// The page that asks for a code.
#[derive(Template)]
#[template(path = "sign_in_code.html")]
struct AskForCode {
    frame: Alone,
    trouble: Option<String>,
}

/// The page on which somebody sets an authenticator up.
#[derive(Template)]
#[template(path = "sign_in_enrol.html")]
struct Enrol {
    frame: Alone,
    offered: api::OfferedFactor,
    trouble: Option<String>,
}

/// The page that shows recovery codes, once.
#[derive(Template)]
#[template(path = "sign_in_recovery.html")]
struct Recovery {
    frame: Alone,
    codes: Vec<String>,
    back: String,
}

impl Console {
    /// The page of the step that a sign-in lacks.
    pub(super) async fn show_step(
        &self,
        half: &Half,
        look: Look,
        trouble: Option<String>,
    ) -> Result<Response<SiteBody>, Refusal> {
        let user = known(half)?;
        let status = if trouble.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
        let frame = Alone::new(look);
        match self.front.second_factors.of(user).await? {
            Some(_) => html(&AskForCode { frame, trouble }, status),
            None => {
                let offered = self.offer_second_factor(user, &half.id).await?;
                html(&Enrol { frame, offered, trouble }, status)
            }
        }
    }

    /// Takes the code that a sign-in lacks; the session then begins. Who set the authenticator up by
    /// that is shown the recovery codes.
    pub(super) async fn take_step(
        self: &Arc<Self>,
        headers: &HeaderMap,
        (mark, half): (&Secret, Half),
        code: Secret,
        (client, look): (IpAddr, Look),
    ) -> Result<Response<SiteBody>, Refusal> {
        let user = known(&half)?;
        let mut made = Vec::new();
        let taken = match self.front.second_factors.of(user).await? {
            Some(_) => self.take_code(user, &code).await,
            None => match self.set_up(&half, &code, client).await {
                Ok(codes) => {
                    made = codes;
                    Ok(())
                }
                Err(refusal) if refusal.status == StatusCode::FORBIDDEN => Err("wrong-code"),
                Err(refusal) if refusal.status == StatusCode::TOO_MANY_REQUESTS => Err("too-many"),
                Err(refusal) => return Err(refusal),
            },
        };
        if let Err(why) = taken {
            self.was_refused(&half.principal.name, client, why);
            return self.show_step(&half, look, Some(words(look.language, why))).await;
        }
        // It may have been ended meanwhile.
        let Some(Half { principal, back, .. }) = self.unfinished.take(mark, (self.front.clock)())
        else {
            return Ok(see_other("/sign-in"));
        };
        let session = self.begin_session(headers, principal, Shown::PasswordAndCode, client)?;
        let answer = match made.is_empty() {
            true => see_other(&local(&back)),
            false => {
                let frame = Alone::new(look);
                html(&Recovery { frame, codes: made, back }, StatusCode::OK)?
            }
        };
        let answer = with_cookie(answer, &session);
        Ok(with_cookie(answer, &cookie::end_session(cookie::SIGN_IN)))
    }

    /// Has the endpoint set the authenticator up, so that it is recorded as from anywhere else.
    async fn set_up(
        self: &Arc<Self>,
        half: &Half,
        code: &Secret,
        client: IpAddr,
    ) -> Result<Vec<String>, Refusal> {
        let (endpoint, args) =
            self.endpoint(&Method::POST, "/api/account/second-factor/confirm")?;
        let call = Call {
            principal: Arc::new(half.principal.clone()),
            client,
            args,
            language: Language::English,
            session: Some(half.id.clone()),
            query: Default::default(),
            body: json!({ "code": code.expose() }),
        };
        let made = self.carry_out(endpoint, call).await?;
        let made: api::RecoveryCodes = serde_json::from_value(made).map_err(Refusal::failed)?;
        Ok(made.recovery_codes)
    }

    /// Uses up a code that a user shows; else why it does not count, as a text's name.
    pub(super) async fn take_code(&self, user: &UserId, code: &Secret) -> Result<(), &'static str> {
        match self.front.second_factors.check(user, code).await {
            Ok(By::Code) => Ok(()),
            Ok(By::RecoveryCode) => {
                tracing::warn!(%user, "a recovery code was used");
                Ok(())
            }
            Err(NotTaken::TooMany(_)) => Err("too-many"),
            Err(NotTaken::Unreadable(error)) => {
                tracing::error!(%user, %error, "a second factor cannot be read");
                Err("code-unreadable")
            }
            Err(NotTaken::Store(error)) => {
                tracing::error!(%user, %error, "a second factor cannot be looked up");
                Err("code-unreadable")
            }
            Err(_) => Err("wrong-code"),
        }
    }

    /// Offers a secret to a user's authenticator, in this sign-in or session.
    pub(crate) async fn offer_second_factor(
        &self,
        user: &UserId,
        to: &str,
    ) -> Result<api::OfferedFactor, Refusal> {
        let secret = self.front.second_factors.offer(user, to).await?;
        self.offered_factor(user, &secret)
    }

    /// A secret as authenticators take it: the key URI that all of them know.
    pub(crate) fn offered_factor(
        &self,
        user: &UserId,
        secret: &Secret,
    ) -> Result<api::OfferedFactor, Refusal> {
        let issuer = format!("DME {}", self.front.host);
        let [issuer, user] = [issuer.as_str(), user.as_str()]
            .map(|text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string());
        let secret = secret.expose();
        let link = format!("otpauth://totp/{issuer}:{user}?secret={secret}&issuer={issuer}");
        Ok(api::OfferedFactor { secret: secret.to_owned(), qr: qr::svg(&link)?, link })
    }
}

/// Whose sign-in it is: of a user, as only they have passwords.
fn known(half: &Half) -> Result<&UserId, Refusal> {
    half.principal.user.as_ref().ok_or_else(|| Refusal::failed("nobody's sign-in"))
}

impl From<NotTaken> for Refusal {
    fn from(why: NotTaken) -> Self {
        let status = match &why {
            NotTaken::Wrong => StatusCode::FORBIDDEN,
            NotTaken::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            NotTaken::NotOffered | NotTaken::HasOne => StatusCode::CONFLICT,
            NotTaken::Store(_) | NotTaken::Unreadable(_) | NotTaken::NoRandomness => {
                return Self::failed(why);
            }
        };
        Self::new(status, why.to_string())
    }
}
