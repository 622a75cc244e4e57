//! The one way in: who asks, whether they may, doing it, recording it.

use crate::endpoint::{Args, Call, Endpoint};
use crate::form;
use crate::principal::{Allowed, Duty, Origin, Principal, Reach, Role};
use crate::{Console, Refusal, TOKEN_FILE, reply};
use async_trait::async_trait;
use aws_lc_rs::constant_time;
use bytes::Bytes;
use dme_server::site::{Site, SiteBody};
use http::header::{AUTHORIZATION, HeaderValue};
use http::request;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use schemars::SchemaGenerator;
use serde_json::Value;
use std::net::SocketAddr;
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
        _peer: SocketAddr,
    ) -> Response<SiteBody> {
        match self.answer(request).await {
            Ok(response) => response,
            Err(refusal) => reply::refused(&refusal),
        }
    }
}

impl Console {
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<SiteBody>, Refusal> {
        if request.method() == Method::GET
            && let Some(response) = self.probe(request.uri().path()).await
        {
            return Ok(response);
        }
        let (head, body) = request.into_parts();
        let principal = Arc::new(self.bearer(&head)?);
        let (endpoint, args) = self.endpoint(&head)?;
        // Before anything is read of what somebody sends who may not.
        let principal = self.permit(principal, endpoint, &args).await?;
        let body = read(body).await?;
        let body = match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&body)
                .map_err(|error| Refusal::bad(format!("the body is no JSON: {error}")))?,
        };
        let shape = endpoint.query.map(|query| {
            let mut generator = SchemaGenerator::default();
            let named = query(&mut generator);
            let name = named.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next());
            let whole = name.and_then(|name| generator.definitions().get(name).cloned());
            whole.and_then(|whole| whole.try_into().ok()).unwrap_or(named)
        });
        let query = form::object(head.uri.query().unwrap_or_default().as_bytes(), shape.as_ref());
        let call = Call { principal, args, query, body };
        Ok(reply::json(&self.carry_out(endpoint, call).await?))
    }

    /// Does it, and records it where it changes anything.
    async fn carry_out(
        self: &Arc<Self>,
        endpoint: &Endpoint,
        call: Call,
    ) -> Result<Value, Refusal> {
        if endpoint.method == Method::GET {
            return endpoint.run(self.clone(), call).await;
        }
        let (who, args) = (call.principal.clone(), call.args.clone());
        let answer = endpoint.run(self.clone(), call).await;
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
        answer
    }

    /// Whom the token is.
    fn bearer(&self, head: &request::Parts) -> Result<Principal, Refusal> {
        let given = head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let given = given.strip_prefix(b"Bearer ").unwrap_or_default();
        if constant_time::verify_slices_are_equal(given, self.token.expose().as_bytes()).is_err() {
            let words = format!("the token from {TOKEN_FILE} in the server's directory is needed");
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, words));
        }
        Ok(Principal {
            name: TOKEN_FILE.into(),
            user: None,
            origin: Origin::TokenFile,
            roles: vec![Role::Administrator],
            limited_to: None,
        })
    }

    /// The endpoint that is asked for, with the segments of its path.
    fn endpoint(&self, head: &request::Parts) -> Result<(&Endpoint, Args), Refusal> {
        let path = head.uri.path();
        let segments: Vec<String> = path
            .trim_matches('/')
            .split('/')
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let mut other_method = false;
        for endpoint in &self.endpoints {
            if let Some(args) = endpoint.matches(&segments) {
                if endpoint.method == head.method {
                    return Ok((endpoint, args));
                }
                other_method = true;
            }
        }
        if other_method {
            let words = format!("{path} is not asked for by {}", head.method);
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, words));
        }
        Err(Refusal::not_found(format!("{} {path} here", head.method)))
    }

    /// Whether the principal may call the endpoint with these arguments.
    async fn permit(
        &self,
        principal: Arc<Principal>,
        endpoint: &Endpoint,
        args: &Args,
    ) -> Result<Arc<Principal>, Refusal> {
        let named = |wanted: &str| {
            let found = args.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        let within = match principal.may(endpoint.duty) {
            Allowed::Everywhere => return Ok(principal),
            Allowed::Within(boundaries) => boundaries,
            Allowed::No => return Err(may_not(&principal, endpoint.duty)),
        };
        let inside = match endpoint.reach {
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
        };
        if inside { Ok(principal) } else { Err(may_not(&principal, endpoint.duty)) }
    }
}

fn may_not(principal: &Principal, duty: Duty) -> Refusal {
    let (name, roles) = (&principal.name, principal.role_names());
    Refusal::forbidden(format!("{name} ({roles}) may not do this: it takes \"{}\"", duty.as_str()))
}

/// What was sent, within limits.
async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(BODY_TIME, Limited::new(body, BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let words = format!("the body is larger than {BODY} bytes");
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, words))
        }
        Ok(Err(_)) => Err(Refusal::bad("the body was cut off")),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body is missing")),
    }
}
