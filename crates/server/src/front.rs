//! The front: turns a phone's HTTP request into a typed command on a mailbox, and the answer back.
//!
//! Nothing of a body is read before the login is checked, beyond a small limit that keeps the
//! connection usable; nothing of a command is carried out before the device was admitted.

mod admission;
mod autodiscover;
pub mod bodies;
mod compose;
mod dispatch;
mod drafts;
mod exchange;
mod failure;
mod fetch;
mod find;
mod folder_create;
mod folder_delete;
mod folder_sync;
mod folder_update;
mod get_attachment;
mod get_item_estimate;
mod ids;
mod item_operations;
mod login;
mod meeting_response;
mod move_items;
mod ping;
mod provision;
mod reply;
mod resolve_recipients;
mod room;
mod search;
mod settings;
mod sync;
mod validate_cert;
mod wait;

use crate::client_address::TrustedProxies;
use crate::config::{DevicesConfig, LimitsConfig, TimesConfig};
use crate::metrics::Metrics;
use crate::pace::Pace;
use crate::parking::Parking;
use crate::policy::CurrentPolicy;
use crate::quarantine::Quarantine;
use crate::router::Router;
use crate::watch::Watches;
use bodies::{Bodies, Held};
use bytes::Bytes;
use dme_directory::{DirectoryService, Gate, Person};
use dme_eas::ProtocolVersion;
use dme_eas::options::Options;
use dme_eas::query::Command;
use dme_model::{Realm, RequestId, Timestamp, UserId};
use dme_store::SqliteStore;
use dme_sync::Engine;
use failure::Failure;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// The one path of ActiveSync (MS-ASHTTP 2.2.1.1.1.1).
const EAS_PATH: &str = "/microsoft-server-activesync";
const AUTODISCOVER_XML: &str = "/autodiscover/autodiscover.xml";
const AUTODISCOVER_JSON: &str = "/autodiscover/autodiscover.json";

/// Tells the time; in a test what the test wants.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Everything a request needs; one for the whole server.
pub struct Front {
    /// Who may in.
    pub gate: Arc<Gate>,
    /// Each realm's directory, to find people in.
    pub directories: BTreeMap<Realm, Arc<dyn DirectoryService>>,
    /// Devices and states.
    pub store: SqliteStore,
    /// What phones are told.
    pub engine: Engine,
    /// Which connector.
    pub router: Arc<Router>,
    /// Who is watched.
    pub watches: Arc<Watches>,
    /// Who waits.
    pub parking: Arc<Parking>,
    /// Who hammers.
    pub pace: Arc<Pace>,
    /// What quarantined phones get.
    pub quarantine: Quarantine,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What phones must be set to.
    pub policy: CurrentPolicy,
    /// What becomes of devices.
    pub devices: DevicesConfig,
    /// What is accepted.
    pub limits: LimitsConfig,
    /// The memory of large request bodies.
    pub bodies: Arc<Bodies>,
    /// How long things take.
    pub times: TimesConfig,
    /// The host phones use, with a port if not 443.
    pub host: String,
    /// Whose word about a phone's address counts.
    pub proxies: TrustedProxies,
    /// Begins a request id, so that those of two runs differ.
    pub run: u32,
    /// How many requests there were.
    pub count: AtomicU64,
    /// The time.
    pub clock: Clock,
    /// Cancelled when the server goes down: parked phones are let go.
    pub stop: CancellationToken,
}

impl Front {
    /// Where ActiveSync is, as autodiscover tells it.
    pub fn url(&self) -> String {
        format!("https://{}/Microsoft-Server-ActiveSync", self.host)
    }

    /// Answers one request.
    pub async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<Full<Bytes>> {
        let id = self.next_id();
        let _counted = self.metrics.serve();
        let client = self.proxies.client(peer.ip(), request.headers());
        let span = tracing::info_span!("request", request = %id);
        let answer = self.route(request, client, id.clone()).instrument(span);
        let mut response = answer.await;
        if let Ok(value) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
        }
        response
    }

    fn next_id(&self) -> RequestId {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        RequestId::from(format!("{:08x}-{count:x}", self.run))
    }

    async fn route(
        &self,
        request: Request<Incoming>,
        client: IpAddr,
        id: RequestId,
    ) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_ascii_lowercase();
        match (path.trim_end_matches('/'), request.method()) {
            (EAS_PATH, &Method::POST) => Box::pin(dispatch::serve(self, request, client, id)).await,
            (EAS_PATH, &Method::OPTIONS) => self.options(&request, client).await,
            (EAS_PATH, _) => status_only(StatusCode::METHOD_NOT_ALLOWED),
            (AUTODISCOVER_XML, &Method::POST) => self.autodiscover(request, client).await,
            // Some phones look first whether there is anything; the password comes with the POST.
            (AUTODISCOVER_XML, _) => reply::failed(&Failure::Password, None),
            (path, &Method::GET) if path.starts_with(AUTODISCOVER_JSON) => {
                let uri = request.uri();
                let query = uri.query().unwrap_or_default();
                let (status, reply) = autodiscover::json(self, uri.path(), query);
                let mut response = reply.into_response();
                *response.status_mut() = status;
                self.metrics.answered("autodiscover", status.as_u16(), None);
                response
            }
            _ => status_only(StatusCode::NOT_FOUND),
        }
    }

    /// OPTIONS: which versions and commands there are (MS-ASHTTP 2.2.3); the login is checked, so
    /// that an account's set-up shows a wrong password at once.
    async fn options(&self, request: &Request<Incoming>, client: IpAddr) -> Response<Full<Bytes>> {
        let response = match login::log_in(self, request.headers(), None, client).await {
            Ok(_) => {
                let mut response = Response::new(Full::default());
                add_protocol_headers(response.headers_mut());
                response
            }
            Err(failure) => reply::failed(&failure, None),
        };
        self.metrics.answered("options", response.status().as_u16(), None);
        response
    }

    async fn autodiscover(
        &self,
        request: Request<Incoming>,
        client: IpAddr,
    ) -> Response<Full<Bytes>> {
        let answer = async {
            let (parts, body) = request.into_parts();
            // The document is small; a phone that sends it before it was asked for the password
            // keeps its connection.
            let body = self.read_small_body(body).await?;
            let (who, _) = login::log_in(self, &parts.headers, None, client).await?;
            Ok(autodiscover::xml(self, &who, &body))
        };
        let response = match answer.await {
            Ok(reply) => reply.into_response(),
            Err(failure) => reply::failed(&failure, None),
        };
        self.metrics.answered("autodiscover", response.status().as_u16(), None);
        response
    }

    /// A body from someone who has not logged in yet.
    async fn read_small_body(&self, body: Incoming) -> Result<Bytes, Failure> {
        let limit = self.limits.body_before_login.0;
        self.read_body(body, limit, |_| true).await
    }

    /// A body from a user who has logged in, and the room it takes.
    async fn read_users_body(
        &self,
        body: Incoming,
        user: &UserId,
    ) -> Result<(Bytes, Held), Failure> {
        let mut held = self.bodies.hold(user);
        let read = self.read_body(body, self.limits.body.0, |size| held.grow_to(size)).await?;
        Ok((read, held))
    }

    /// A body within its limits of size and time. Before each piece is kept, `room` is asked
    /// whether the body may grow to that size.
    async fn read_body(
        &self,
        body: Incoming,
        limit: u64,
        mut room: impl FnMut(u64) -> bool,
    ) -> Result<Bytes, Failure> {
        let mut grow = |size: u64| match size {
            size if size > limit => Err(Failure::Http(StatusCode::PAYLOAD_TOO_LARGE)),
            size if !room(size) => Err(Failure::Later(failure::LATER)),
            _ => Ok(()),
        };
        // What is announced is refused before it is read.
        grow(http_body::Body::size_hint(&body).lower())?;
        let read = async {
            let mut body = std::pin::pin!(body);
            let mut pieces = Vec::new();
            let mut size = 0;
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|_| Failure::Http(StatusCode::BAD_REQUEST))?;
                let Ok(piece) = frame.into_data() else { continue };
                size += piece.len() as u64;
                grow(size)?;
                pieces.push(piece);
            }
            Ok(match pieces.len() {
                1 => pieces.pop().unwrap_or_default(),
                _ => pieces.concat().into(),
            })
        };
        match tokio::time::timeout(self.times.body.0, read).await {
            Ok(read) => read,
            Err(_) => Err(Failure::Http(StatusCode::REQUEST_TIMEOUT)),
        }
    }

    /// People of the user's own organisation whose name or address fits.
    async fn find_people(
        &self,
        user: &UserId,
        text: &str,
        limit: u32,
    ) -> Result<Vec<Person>, Failure> {
        let Some(directory) = user.realm().and_then(|realm| self.directories.get(&realm)) else {
            return Ok(Vec::new());
        };
        let search = directory.search(text.trim(), limit);
        match tokio::time::timeout(self.times.call.0, search).await {
            Ok(Ok(people)) => Ok(people),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the directory could not be searched");
                Err(Failure::Later(failure::LATER))
            }
            Err(_) => Err(Failure::Later(failure::LATER)),
        }
    }
}

/// The limits of the WBXML reader.
fn wbxml_limits(limits: &LimitsConfig) -> dme_wbxml::Limits {
    dme_wbxml::Limits {
        depth: limits.wbxml_depth,
        elements: limits.wbxml_elements,
        value: usize::try_from(limits.wbxml_text.0).unwrap_or(usize::MAX),
    }
}

fn status_only(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// What every answer to OPTIONS carries (MS-ASHTTP 2.2.4).
fn add_protocol_headers(headers: &mut HeaderMap) {
    let offered = Options::between(ProtocolVersion::V12_1, ProtocolVersion::V16_1);
    for (name, value) in offered.to_headers() {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value))
        {
            headers.insert(name, value);
        }
    }
    for (name, value) in
        [("allow", "OPTIONS,POST"), ("public", "OPTIONS,POST"), ("cache-control", "private")]
    {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

/// What is counted and logged of a served command.
struct Served {
    command: Command,
    version: ProtocolVersion,
    began: Instant,
}

impl Served {
    fn name(&self) -> &'static str {
        self.command.name()
    }

    fn took(&self) -> Duration {
        self.began.elapsed()
    }
}
