//! The administration listener: health, metrics, and what `dme` on the command line asks for
//! (rule O2). Plain HTTP on loopback; every call but health and metrics needs the token from the
//! server's directory.

pub mod api;
mod configuration;
mod connectors;
mod devices;
mod directory;
mod outbox;
mod routes;
mod users;

use crate::front::Front;
use crate::private_files::write_private;
use crate::role::StartError;
use aws_lc_rs::{constant_time, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use dme_link::Links;
use dme_model::Secret;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The token's file in the server's directory.
pub const TOKEN_FILE: &str = "admin.token";
/// The largest request body.
const BODY: usize = 64 << 10;
/// How long it may take.
const BODY_TIME: Duration = Duration::from_secs(30);

/// What the listener serves.
pub struct Admin {
    /// The phones' side, with all it knows.
    pub front: Arc<Front>,
    /// The connectors.
    pub links: Links,
    /// `host:port` as connectors reach the link port; none where it is not listened on.
    pub link_address: Option<String>,
    /// What a caller must show.
    pub token: Secret,
}

/// Why a call was refused, in words.
pub(crate) struct Refusal(StatusCode, String);

impl Refusal {
    fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self(status, words.into())
    }

    fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no {what}"))
    }

    fn failed(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "an administration call failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl From<dme_store::Error> for Refusal {
    fn from(error: dme_store::Error) -> Self {
        match error {
            dme_store::Error::NotFound(what) => Self::not_found(what),
            error => Self::failed(error),
        }
    }
}

type Answer = Result<Response<Full<Bytes>>, Refusal>;

impl Admin {
    /// Answers one request.
    pub async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match self.route(request).await {
            Ok(response) => response,
            Err(Refusal(status, words)) => {
                let mut response = as_json(&api::Failed { error: words });
                *response.status_mut() = status;
                response
            }
        }
    }

    async fn route(&self, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        match (&parts.method, path.as_str()) {
            (&Method::GET, "/healthz") => return Ok(as_text("ok\n".into())),
            (&Method::GET, "/readyz") => return self.ready(),
            (&Method::GET, "/metrics") => {
                self.front.metrics.carried(&self.links.connectors());
                let standings = self.front.connectors.standings((self.front.clock)()).await;
                match standings {
                    Ok(all) => self.front.metrics.stand(&all),
                    Err(error) => tracing::warn!(%error, "the connectors could not be read"),
                }
                return Ok(as_text(self.front.metrics.to_text()));
            }
            _ => {}
        }
        let given = parts.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let given = given.strip_prefix(b"Bearer ").unwrap_or_default();
        if constant_time::verify_slices_are_equal(given, self.token.expose().as_bytes()).is_err() {
            let words = format!("the token from {TOKEN_FILE} in the server's directory is needed");
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, words));
        }
        let body = match tokio::time::timeout(BODY_TIME, Limited::new(body, BODY).collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(_)) => {
                let words = "the body was cut off, or is too large";
                return Err(Refusal::new(StatusCode::BAD_REQUEST, words));
            }
            Err(_) => return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body is missing")),
        };
        let segments: Vec<String> = path.trim_matches('/').split('/').map(percent_decode).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (&parts.method, segments.as_slice()) {
            (&Method::GET, ["api", "connectors"]) => self.list_connectors().await,
            (&Method::GET, ["api", "tokens"]) => self.list_tokens().await,
            (&Method::POST, ["api", "tokens"]) => self.issue_token(&body).await,
            (&Method::POST, ["api", "tokens", name, "revoke"]) => self.revoke_tokens(name).await,
            (&Method::GET, ["api", "connectors", name, "settings"]) => {
                self.connector_settings(name).await
            }
            (&Method::POST, ["api", "connectors", name, "settings"]) => {
                self.set_connector(name, &body).await
            }
            (&Method::GET, ["api", "connectors", name, "configuration"]) => {
                self.configuration(name).await
            }
            (&Method::POST, ["api", "connectors", name, "configuration"]) => {
                self.configure(name, &body).await
            }
            (&Method::POST, ["api", "connectors", name, "diagnose"]) => self.diagnose(name).await,
            (&Method::GET, ["api", "routes", user]) => self.explain_route(user, None).await,
            (&Method::GET, ["api", "routes", user, function]) => {
                self.explain_route(user, Some(function)).await
            }
            (&Method::POST, ["api", "routes", user, "flush"]) => {
                self.flush_routes(Some(user)).await
            }
            (&Method::POST, ["api", "flush"]) => self.flush_routes(None).await,
            (&Method::POST, ["api", "simulate"]) => self.simulate(&body).await,
            (&Method::GET, ["api", "outbox"]) => self.list_outbox().await,
            (&Method::DELETE, ["api", "outbox", number]) => self.discard(number).await,
            (&Method::GET, ["api", "directory"]) => self.list_realms(),
            (&Method::POST, ["api", "directory", "refresh"]) => self.refresh_directories().await,
            (&Method::POST, ["api", "connectors", name, action]) => {
                self.change_connector(name, action).await
            }
            (&Method::GET, ["api", "devices"]) => self.list_devices(None).await,
            (&Method::GET, ["api", "devices", user]) => self.list_devices(Some(user)).await,
            (&Method::GET, ["api", "devices", user, device, "trace"]) => {
                self.trace(user, device).await
            }
            (&Method::POST, ["api", "devices", user, device, action]) => {
                self.change_device(user, device, action).await
            }
            (&Method::GET, ["api", "users", user]) => self.show_user(user).await,
            (&Method::POST, ["api", "users", user, action]) => self.change_user(user, action).await,
            _ => Err(Refusal::not_found(format!("{} {path} here", parts.method))),
        }
    }

    /// Ready when phones can be served: each realm's groups are known, a connector is linked.
    fn ready(&self) -> Answer {
        let mut missing = Vec::new();
        for realm in self.front.gate.states() {
            if realm.groups_as_of.is_none() {
                let why = realm.trouble.map_or_else(String::new, |error| format!(": {error}"));
                missing.push(format!("the groups of realm {} are not known yet{why}", realm.realm));
            }
        }
        if self.links.connectors().is_empty() {
            missing.push("no connector is linked".into());
        }
        let ready = missing.is_empty();
        let mut response = as_json(&api::Ready { ready, missing });
        if !ready {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        Ok(response)
    }
}

/// The token in this directory; made where there is none.
pub(crate) fn token(directory: &Path) -> Result<Secret, StartError> {
    let path = directory.join(TOKEN_FILE);
    let failed = |reason| StartError::Directory { path: path.clone(), reason };
    match std::fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => return Ok(Secret::new(text.trim())),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| failed(std::io::Error::other("no randomness to be had")))?;
    let token = URL_SAFE_NO_PAD.encode(bytes);
    write_private(&path, token.as_bytes()).map_err(failed)?;
    Ok(Secret::new(token))
}

fn body_as<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string()))
}

fn as_json(value: &impl Serialize) -> Response<Full<Bytes>> {
    let json = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(Full::from(json));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn as_text(text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// `%40` to `@` and so on; what is not an escape stays.
fn percent_decode(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
