//! One delivery: to an address that was judged, over TLS, signed, answered in time.

use super::address::{Forbidden, Target};
use crate::config::WebhookConfig;
use aws_lc_rs::hmac;
use bytes::Bytes;
use dme_model::{Secret, Timestamp};
use dme_store::Delivery;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

/// How long a delivery may take, from the question for the address to the answer's head.
const LIMIT: Duration = Duration::from_secs(15);
/// The largest head of an answer. Its body is not read.
const HEAD: usize = 16 << 10;

/// Why a delivery did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum NotDelivered {
    /// The host has no address.
    #[error("the host cannot be found: {0}")]
    Unresolved(std::io::Error),
    /// The host is where webhooks may not go.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Nobody took the connection, or its certificate is not good.
    #[error("no connection: {0}")]
    Unconnected(std::io::Error),
    /// What was said on the connection was no answer.
    #[error("no answer: {0}")]
    Unanswered(hyper::Error),
    /// The receiver did not take it. It is not followed to another place.
    #[error("the receiver answered {0}")]
    Refused(StatusCode),
    /// It took too long.
    #[error("it took longer than {} s", LIMIT.as_secs())]
    Late,
}

/// Delivers to one webhook.
pub(super) struct Courier {
    target: Target,
    secret: Secret,
    allowed: Vec<IpNet>,
    tls: Arc<ClientConfig>,
}

impl Courier {
    pub(super) fn new(config: &WebhookConfig) -> Result<Self, String> {
        let target =
            Target::parse(&config.url, config.plain_http).map_err(|what| format!("url {what}"))?;
        Ok(Self {
            target,
            secret: config.secret.clone(),
            allowed: config.allow_networks.clone(),
            tls: Arc::new(trust(config)?),
        })
    }

    pub(super) async fn deliver(
        &self,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<(), NotDelivered> {
        tokio::time::timeout(LIMIT, self.attempt(delivery, now))
            .await
            .unwrap_or(Err(NotDelivered::Late))
    }

    async fn attempt(&self, delivery: &Delivery, now: Timestamp) -> Result<(), NotDelivered> {
        let Target { host, port, .. } = &self.target;
        let found = lookup_host((host.as_str(), *port)).await.map_err(NotDelivered::Unresolved)?;
        let admitted = self.target.admit(found, &self.allowed)?;
        let tcp = TcpStream::connect(&admitted[..]).await.map_err(NotDelivered::Unconnected)?;
        if !self.target.tls {
            return self.post(tcp, delivery, now).await;
        }
        let unusable = |error: rustls::pki_types::InvalidDnsNameError| {
            NotDelivered::Unconnected(std::io::Error::other(error))
        };
        let name = ServerName::try_from(host.clone()).map_err(unusable)?;
        let tls = TlsConnector::from(self.tls.clone()).connect(name, tcp).await;
        self.post(tls.map_err(NotDelivered::Unconnected)?, delivery, now).await
    }

    async fn post<I>(&self, io: I, delivery: &Delivery, now: Timestamp) -> Result<(), NotDelivered>
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
            .max_buf_size(HEAD)
            .handshake(TokioIo::new(io))
            .await
            .map_err(NotDelivered::Unanswered)?;
        // It ends with the sender: nothing of the answer's body is read.
        tokio::spawn(connection);
        let request = self.request(delivery, now);
        let answer = sender.send_request(request).await.map_err(NotDelivered::Unanswered)?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(NotDelivered::Refused(status)),
        }
    }

    fn request(&self, delivery: &Delivery, now: Timestamp) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::from(delivery.body.clone()));
        *request.method_mut() = http::Method::POST;
        if let Ok(path) = self.target.path.parse() {
            *request.uri_mut() = path;
        }
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, http::HeaderValue::from_static("DME"));
        let signature = sign(&self.secret, now, &delivery.body);
        for (name, value) in [
            (HOST, self.target.authority.clone()),
            (http::HeaderName::from_static("dme-event"), delivery.kind.clone()),
            (http::HeaderName::from_static("dme-delivery"), delivery.n.to_string()),
            (http::HeaderName::from_static("dme-signature"), signature),
        ] {
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        }
        request
    }
}

/// `t=SECONDS,v1=HEX`: what a receiver checks.
pub(super) fn sign(secret: &Secret, now: Timestamp, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let seconds = now.as_seconds();
    let tag = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

/// The system's authorities, or those of the webhook alone.
fn trust(config: &WebhookConfig) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match &config.authority {
        Some(path) => {
            let unusable = |error: &dyn std::fmt::Display| {
                format!("authority: cannot use {}: {error}", path.display())
            };
            let all = CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))?;
            for one in all {
                let one = one.map_err(|error| unusable(&error))?;
                roots.add(one).map_err(|error| unusable(&error))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}
