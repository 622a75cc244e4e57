//! The one way in: who asks, whether they may, doing it, recording it.

use crate::endpoint::{Args, Call, Endpoint, Password};
use crate::form;
use crate::language::Language;
use crate::principal::{Allowed, Duty, Origin, Principal, Reach, Role};
use crate::session::{Session, is_csrf};
use crate::sign_in::Again;
use crate::{Console, Refusal, TOKEN_FILE, recorded, reply};
use async_trait::async_trait;
use aws_lc_rs::constant_time;
use bytes::Bytes;
use dme_model::Secret;
use dme_server::site::{Site, SiteBody};
use http::header::AUTHORIZATION;
use http::request;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use percent_encoding::{percent_decode, percent_decode_str};
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// The largest request body.
const BODY: usize = 64 << 10;
/// How long it may take.
const BODY_TIME: Duration = Duration::from_secs(30);

#[async_trait]
impl Site for Console {
    async fn administration(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<SiteBody> {
        let path = request.uri().path();
        let probed = match *request.method() {
            Method::GET => self.probe(path).await,
            _ => None,
        };
        reply::guarded(match probed {
            Some(response) => response,
            None if path != "/api" && !path.starts_with("/api/") => {
                self.browse(request, peer).await
            }
            None => {
                let answer = async {
                    let (head, body) = request.into_parts();
                    let asker = self.asker(&head).await?;
                    self.answer(asker, peer.ip(), &head, body).await
                };
                answer.await.unwrap_or_else(|refusal| reply::refused(&refusal))
            }
        })
    }

    async fn own(
        self: Arc<Self>,
        request: Request<Incoming>,
        client: IpAddr,
    ) -> Response<SiteBody> {
        self.own_way_in(request, client).await
    }
}

impl Console {
    /// Has an endpoint do what is asked for.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        Asker { principal, session, password }: Asker,
        client: IpAddr,
        head: &request::Parts,
        body: Incoming,
    ) -> Result<Response<SiteBody>, Refusal> {
        let (endpoint, args) = self.endpoint(&head.method, head.uri.path())?;
        // Before anything is read of what somebody sends who may not.
        self.permit(&principal, endpoint.duty, endpoint.reach, &args).await?;
        if password < endpoint.password {
            return Err(Refusal::forbidden(match endpoint.password {
                Password::EachTime => {
                    "this takes the session's password each time: show it with this (x-password)"
                }
                _ => "this takes a session whose password was shown just now",
            }));
        }
        let body = read(body).await?;
        let body = match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&body)
                .map_err(|error| Refusal::bad(format!("the body is no JSON: {error}")))?,
        };
        let shape = endpoint.shape(endpoint.query);
        let query = form::object(head.uri.query().unwrap_or_default().as_bytes(), shape.as_ref());
        let language = Language::English;
        let call = Call { principal, client, args, session, query, body, language };
        Ok(reply::json(&self.carry_out(endpoint, call).await?))
    }

    /// Does it, and records it where it changes anything.
    pub(crate) async fn carry_out(
        self: &Arc<Self>,
        endpoint: &Endpoint,
        call: Call,
    ) -> Result<Value, Refusal> {
        if endpoint.method == Method::GET {
            return endpoint.run(self.clone(), call).await;
        }
        let (who, args, client) = (call.principal.clone(), call.args.clone(), call.client);
        let work = endpoint.run(self.clone(), call);
        let deed = recorded::deed(endpoint, &who, client, &args);
        let answer = self.front.audit.record(deed, work, recorded::outcome).await;
        let answer = answer.map_err(recorded::unrecorded)?;
        let refused = answer.as_ref().err().map(|refusal| refusal.words.as_str());
        tracing::info!(
            who = who.name,
            roles = who.role_names(),
            act = %endpoint.method,
            path = endpoint.path,
            ?args,
            refused,
            "administration"
        );
        // Nobody looking is no fault.
        let _ = self.changed.send(());
        answer
    }

    /// Who asks: by a token, or by the session of a browser, which must say with anything but a
    /// look that a page of ours asks (`x-csrf`).
    async fn asker(&self, head: &request::Parts) -> Result<Asker, Refusal> {
        if let Some(given) = head.headers.get(AUTHORIZATION) {
            let principal = Arc::new(self.bearer(given.as_bytes()).await?);
            return Ok(Asker { principal, session: None, password: Password::EachTime });
        }
        let Some((_, session)) = self.session(head).await else { return Err(unknown()) };
        let mark = head.headers.get("x-csrf").and_then(|value| value.to_str().ok());
        if head.method != Method::GET && !is_csrf(&session, mark.unwrap_or_default()) {
            return Err(Refusal::forbidden("x-csrf is not that of the session"));
        }
        let password = match head.method {
            Method::GET => Password::AtFirst,
            _ => self.shown_with(&head.headers, &session).await?,
        };
        Ok(Asker { principal: session.principal, session: Some(session.id), password })
    }

    /// When a session has shown its password that asks by REST: it may do so with what it asks for
    /// (`x-password`, percent-encoded, and `x-code` where it began with a code).
    async fn shown_with(
        &self,
        headers: &HeaderMap,
        session: &Session,
    ) -> Result<Password, Refusal> {
        let shown = |name| {
            let given = headers.get(name).map(|value| percent_decode(value.as_bytes()));
            given.map(|text| Secret::new(text.decode_utf8_lossy().into_owned()))
        };
        let Some(password) = shown("x-password") else {
            return Ok(match session.is_fresh((self.front.clock)()) {
                true => Password::JustNow,
                false => Password::AtFirst,
            });
        };
        let code = shown("x-code").unwrap_or_else(|| Secret::new(""));
        let is_theirs = self.is_password(session, Again { password, code }).await;
        is_theirs.map_err(|why| Refusal::barred(why, ""))?;
        Ok(Password::EachTime)
    }

    /// Whom the token is: the one in the server's directory, or one that was made.
    pub(crate) async fn bearer(&self, given: &[u8]) -> Result<Principal, Refusal> {
        let given = given.strip_prefix(b"Bearer ").ok_or_else(unknown)?;
        if constant_time::verify_slices_are_equal(given, self.token.expose().as_bytes()).is_ok() {
            return Ok(Principal {
                name: TOKEN_FILE.into(),
                user: None,
                origin: Origin::TokenFile,
                roles: vec![Role::Administrator],
                limited_to: None,
            });
        }
        let given = std::str::from_utf8(given).map_err(|_| unknown())?;
        self.by_api_token(&Secret::new(given)).await?.ok_or_else(unknown)
    }

    /// The endpoint that is asked for, with the segments of its path.
    pub(crate) fn endpoint(
        &self,
        method: &Method,
        path: &str,
    ) -> Result<(&Endpoint, Args), Refusal> {
        let segments = segments(path);
        let mut other_method = false;
        for endpoint in &self.endpoints {
            if let Some(args) = arguments(endpoint.path, &segments) {
                if endpoint.method == *method {
                    return Ok((endpoint, args));
                }
                other_method = true;
            }
        }
        if other_method {
            let words = format!("{path} is not asked for by {method}");
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, words));
        }
        Err(Refusal::not_found(format!("{method} {path} here")))
    }

    /// Whether the principal may do something of this duty that reaches so far, with these
    /// arguments.
    pub(crate) async fn permit(
        &self,
        principal: &Principal,
        duty: Duty,
        reach: Reach,
        args: &Args,
    ) -> Result<(), Refusal> {
        let named = |wanted: &str| {
            let found = args.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        let within = match principal.may(duty) {
            Allowed::Everywhere => return Ok(()),
            Allowed::Within(boundaries) => boundaries,
            Allowed::No => return Err(may_not(principal, duty)),
        };
        let inside = match reach {
            Reach::Filtered | Reach::Oneself => true,
            Reach::Everyone => false,
            Reach::Connector => within.connectors.contains(named("connector")),
            Reach::User => {
                let user = self.meant(named("user")).await;
                match user {
                    Ok(user) => self.is_within(&within, &user).await,
                    // Who is outside does not learn who is there.
                    Err(_) => false,
                }
            }
            Reach::Order => match named("order").parse() {
                // Nor how many were ordered.
                Ok(number) => match self.front.wipes.order_of(number).await {
                    Ok(order) => self.is_within(&within, &order.device.user).await,
                    Err(_) => false,
                },
                Err(_) => false,
            },
        };
        if inside { Ok(()) } else { Err(may_not(principal, duty)) }
    }
}

/// Whoever asks, and when they showed that it is they.
pub(crate) struct Asker {
    pub principal: Arc<Principal>,
    /// The id of the session by which they do.
    pub session: Option<String>,
    /// A token shows it each time.
    pub password: Password,
}

fn unknown() -> Refusal {
    let words = format!(
        "a token is needed: the one from {TOKEN_FILE} in the server's directory, or one \
         that was made for a program (`dme token make`)"
    );
    Refusal::new(StatusCode::UNAUTHORIZED, words)
}

/// The segments of a path, each as it is meant.
pub(crate) fn segments(path: &str) -> Vec<String> {
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    path.trim_matches('/').split('/').map(decoded).collect()
}

/// What the segments have in the place of a pattern's variable ones, by name; none where they do
/// not fit.
pub(crate) fn arguments(pattern: &'static str, segments: &[String]) -> Option<Args> {
    let mut args = Vec::new();
    let mut given = segments.iter();
    for wanted in pattern.trim_matches('/').split('/') {
        let given = given.next()?;
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => args.push((name, given.clone())),
            None if wanted == given => {}
            None => return None,
        }
    }
    given.next().is_none().then_some(args)
}

fn may_not(principal: &Principal, duty: Duty) -> Refusal {
    let (name, roles) = (&principal.name, principal.role_names());
    tracing::warn!(who = name, roles, duty = duty.as_str(), "not allowed");
    let words = format!("{name} ({roles}) may not do this: it takes \"{}\"", duty.as_str());
    Refusal::forbidden(words).said(
        match duty {
            Duty::See => "may-not-see",
            Duty::Operate => "may-not-operate",
            Duty::Configure => "may-not-configure",
            Duty::Audit => "may-not-audit",
            Duty::Own => "may-not-own",
        },
        name,
    )
}

/// What was sent, within limits.
pub(crate) async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(BODY_TIME, Limited::new(body, BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let words = format!("the body is larger than {BODY} bytes");
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, words).said("body-large", ""))
        }
        Ok(Err(_)) => Err(Refusal::wrong("body-missing", "")),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body is missing")
            .said("body-missing", "")),
    }
}
