//! Asking a provider, over HTTPS; in plain on this machine alone. Nothing it answers is followed to
//! another place.

use bytes::Bytes;
use dme_dial::{Dialer, ServerConfig, ServerError, TlsMode};
use dme_model::Secret;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How long an answer may take, from the question for the address to its last byte.
const LIMIT: Duration = Duration::from_secs(10);
/// The largest head of an answer, and the largest body.
const HEAD: usize = 32 << 10;
const BODY: usize = 1 << 20;

/// Why a provider gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum NotFetched {
    /// The URL is none, or none of https.
    #[error("{url} {what}")]
    Place {
        /// Which.
        url: String,
        /// What is wrong with it.
        what: String,
    },
    /// The authorities cannot be used.
    #[error(transparent)]
    Authorities(#[from] ServerError),
    /// Nobody took the connection, or its certificate is not good.
    #[error("{url}: no connection: {reason}")]
    Unconnected {
        /// Which.
        url: String,
        /// What the system said.
        reason: std::io::Error,
    },
    /// What was said on the connection was no answer.
    #[error("{url}: no answer: {reason}")]
    Unanswered {
        /// Which.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// It refuses.
    #[error("{url} answered {status}: {said}")]
    Refused {
        /// Which.
        url: String,
        /// With what.
        status: StatusCode,
        /// The error code of OAuth (RFC 6749 §5.2) that it gave; may be empty.
        said: String,
    },
    /// It took too long.
    #[error("{url} did not answer within {} s", LIMIT.as_secs())]
    Late {
        /// Which.
        url: String,
    },
}

/// Where something is to be asked for.
pub(crate) struct Place {
    host: String,
    port: u16,
    tls: bool,
    path: String,
    authority: String,
}

impl Place {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// In words that fit after the URL's name.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("is no URL: {error}"))?;
        let authority = uri.authority().ok_or("is no URL of https")?;
        if authority.as_str().contains('@') {
            return Err("has a login in it".into());
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let is_here =
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if is_here => false,
            _ => return Err("is no URL of https".into()),
        };
        Ok(Self {
            host,
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            tls,
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            authority: authority.as_str().to_owned(),
        })
    }
}

/// Asks a provider.
pub(crate) struct Fetch {
    /// Authorities to trust beside the system's.
    pub ca_file: Option<PathBuf>,
}

impl Fetch {
    /// What is there, as JSON.
    pub(crate) async fn get(&self, url: &str) -> Result<Bytes, NotFetched> {
        self.ask(Method::GET, url, None, Bytes::new()).await
    }

    /// What is answered to a form; `basic` is what follows `Basic ` where the client shows a secret
    /// so.
    pub(crate) async fn post(
        &self,
        url: &str,
        basic: Option<&Secret>,
        form: String,
    ) -> Result<Bytes, NotFetched> {
        self.ask(Method::POST, url, basic, form.into()).await
    }

    async fn ask(
        &self,
        method: Method,
        url: &str,
        basic: Option<&Secret>,
        body: Bytes,
    ) -> Result<Bytes, NotFetched> {
        let late = |_| NotFetched::Late { url: url.to_owned() };
        tokio::time::timeout(LIMIT, self.exchange(method, url, basic, body)).await.map_err(late)?
    }

    async fn exchange(
        &self,
        method: Method,
        url: &str,
        basic: Option<&Secret>,
        body: Bytes,
    ) -> Result<Bytes, NotFetched> {
        let place =
            Place::parse(url).map_err(|what| NotFetched::Place { url: url.to_owned(), what })?;
        let server = ServerConfig {
            host: place.host.clone(),
            port: None,
            tls: if place.tls { TlsMode::Implicit } else { TlsMode::None },
            ca_file: self.ca_file.clone(),
            allow_plain: false,
        };
        let unconnected = |reason| NotFetched::Unconnected { url: url.to_owned(), reason };
        let dialer = Dialer::new("openid", &server, place.port)?;
        let tcp = dialer.connect().await.map_err(unconnected)?;
        let io = dialer.secure(tcp).await.map_err(unconnected)?;
        let unanswered = |reason: String| NotFetched::Unanswered { url: url.to_owned(), reason };
        let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
            .max_buf_size(HEAD)
            .handshake(TokioIo::new(io))
            .await
            .map_err(|error| unanswered(error.to_string()))?;
        tokio::spawn(connection);
        let request =
            request(method, &place, basic, body).map_err(|error| unanswered(error.to_string()))?;
        let answer =
            sender.send_request(request).await.map_err(|error| unanswered(error.to_string()))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), BODY).collect().await;
        let body = body.map_err(|error| unanswered(error.to_string()))?.to_bytes();
        if status.is_success() {
            return Ok(body);
        }
        let said = serde_json::from_slice::<serde_json::Value>(&body).unwrap_or_default();
        let said = said.get("error").and_then(serde_json::Value::as_str).unwrap_or_default();
        // What a stranger writes is not put into a log at any length.
        let said: String = said.chars().filter(|sign| !sign.is_control()).take(100).collect();
        Err(NotFetched::Refused { url: url.to_owned(), status, said })
    }
}

fn request(
    method: Method,
    place: &Place,
    basic: Option<&Secret>,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, http::Error> {
    let mut request = Request::builder()
        .method(&method)
        .uri(&place.path)
        .header(HOST, &place.authority)
        .header(USER_AGENT, "DME")
        .header(ACCEPT, "application/json");
    if method == Method::POST {
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    if let Some(basic) = basic {
        let mut value = HeaderValue::try_from(format!("Basic {}", basic.expose()))?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    request.body(Full::new(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_asked_over_https_and_in_plain_on_this_machine_alone() {
        let place = Place::parse("https://id.example.org/realms/dme?x=1").unwrap();
        assert_eq!((place.port, place.tls, place.path.as_str()), (443, true, "/realms/dme?x=1"));
        for here in ["http://127.0.0.1:8080/x", "http://localhost:1/", "http://[::1]:9/"] {
            assert!(!Place::parse(here).unwrap().tls, "{here}");
        }
        for wrong in [
            "http://id.example.org/",
            "ftp://id.example.org/",
            "id.example.org",
            "https://ann:pw@id.example.org/",
            "",
        ] {
            assert!(Place::parse(wrong).is_err(), "{wrong}");
        }
    }
}
