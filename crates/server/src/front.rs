//! The front: turns a phone's HTTP request into a typed command on a mailbox, and the answer back.
//!
//! Nothing of a body is read before the login is checked, beyond a small limit that keeps the
//! connection usable; nothing of a command is carried out before the device was admitted.

mod admission;
mod autodiscover;
mod availability;
pub mod bodies;
mod certificates;
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
mod oof;
mod people;
mod ping;
mod provision;
mod reply;
mod resolve_recipients;
mod room;
mod search;
mod settings;
mod sync;
mod telling;
mod validate_cert;
mod wait;

use crate::admissions::Admissions;
use crate::bearers::Bearers;
use crate::behaviours::Behaviours;
use crate::client_address::TrustedProxies;
use crate::client_certificate::handed_on;
use crate::config::{ConsoleConfig, LimitsConfig, TimesConfig};
use crate::connector_orders::ConnectorOrders;
use crate::connectors::Connectors;
use crate::emergency::Emergency;
use crate::metrics::{Counted, Metrics};
use crate::notices::Notices;
use crate::outbox::Outbox;
use crate::own::{Own, ShownCertificate};
use crate::pace::Pace;
use crate::parking::Parking;
use crate::policies::Policies;
use crate::quarantine::Quarantine;
use crate::realm::RealmDirectory;
use crate::records::audit::Audit;
use crate::records::events::Events;
use crate::records::statistics::Statistics;
use crate::records::steps::Steps;
use crate::records::webhooks::Webhooks;
use crate::router::Router;
use crate::second_factor::SecondFactors;
use crate::watch::Watches;
use crate::wipes::Wipes;
use bodies::{Bodies, BodyRoom};
use bytes::Bytes;
use dme_directory::{DirectoryService, Gate, PeopleFound, PeopleSearch, on_behalf_of};
use dme_eas::ProtocolVersion;
use dme_eas::options::{Options, RENEGOTIATE};
use dme_eas::query::Command;
use dme_link::Fingerprint;
use dme_model::{Realm, RequestId, Timestamp, UserId};
use dme_store::Store;
use dme_sync::Engine;
use dme_zone::Zone;
use failure::Failure;
use http::header::{ALLOW, CACHE_CONTROL, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use tracing::field::Empty;

/// The one path of ActiveSync (MS-ASHTTP 2.2.1.1.1.1).
const EAS_PATH: &str = "/microsoft-server-activesync";
/// The methods it knows.
const METHODS: &str = "OPTIONS,POST";
const AUTODISCOVER_XML: &str = "/autodiscover/autodiscover.xml";
const AUTODISCOVER_JSON: &str = "/autodiscover/autodiscover.json";

/// Tells the time; in a test what the test wants.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Everything a request needs; one for the whole server.
pub struct Front {
    /// Who may in.
    pub gate: Arc<Gate>,
    /// Whose access tokens let phones in.
    pub bearers: Bearers,
    /// Each realm's directory, to find people in.
    pub directories: BTreeMap<Realm, Arc<RealmDirectory>>,
    /// Devices and states.
    pub store: Store,
    /// What phones are told.
    pub engine: Engine,
    /// Those there are.
    pub connectors: Arc<Connectors>,
    /// What waits for them.
    pub connector_orders: Arc<ConnectorOrders>,
    /// Which of them.
    pub router: Arc<Router>,
    /// What waits for its connector, where messages may.
    pub outbox: Option<Arc<Outbox>>,
    /// What users do for themselves.
    pub own: Own,
    /// What administrators show beside their password.
    pub second_factors: SecondFactors,
    /// The account for emergencies.
    pub emergency: Emergency,
    /// How they sign in.
    pub console: ConsoleConfig,
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
    /// What administrators did.
    pub audit: Arc<Audit>,
    /// What happened.
    pub events: Events,
    /// What is counted by user, device, connector and command.
    pub statistics: Arc<Statistics>,
    /// What each device was told lately, item by item.
    pub steps: Arc<Steps>,
    /// Who is told of events.
    pub webhooks: Arc<Webhooks>,
    /// What phones must be set to.
    pub policies: Arc<Policies>,
    /// The clock of users, for what has no time zone.
    pub home: Zone,
    /// Which devices may in.
    pub admissions: Admissions,
    /// Which misbehave.
    pub behaviours: Behaviours,
    /// Orders to wipe.
    pub wipes: Wipes,
    /// What administrators should hear of.
    pub notices: Notices,
    /// What is accepted.
    pub limits: LimitsConfig,
    /// The memory of large request bodies.
    pub bodies: Arc<Bodies>,
    /// How long things take.
    pub times: TimesConfig,
    /// The host phones use, with a port if not 443.
    pub host: String,
    /// Whose word about a phone's address and certificate counts.
    pub proxies: TrustedProxies,
    /// The header in which they hand on certificates, where they do.
    pub certificate_header: Option<HeaderName>,
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
        let counted = Arc::new(self.metrics.serve());
        let visitor = Visitor {
            client: self.proxies.client(peer.ip(), request.headers()),
            certificate: self.certificate(&request, peer.ip()),
        };
        let by_token = login::shows_token(request.headers());
        // Who it is from is filled in with the login.
        let span = tracing::info_span!("request", request = %id, user = Empty, device = Empty);
        let asked = Asked { visitor, id: id.clone(), counted: counted.clone() };
        let answer = self.route(request, asked);
        let answer = on_behalf_of(id.clone(), answer).instrument(span);
        let mut response = answer.await;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(challenge) = self.bearers.challenge(by_token)
        {
            response.headers_mut().append(WWW_AUTHENTICATE, challenge);
        }
        if let Ok(value) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
        }
        response
    }

    /// The certificate that a phone showed here, or to a listed proxy which says so.
    fn certificate(&self, request: &Request<Incoming>, peer: IpAddr) -> Option<Fingerprint> {
        if let Some(ShownCertificate(shown)) = request.extensions().get() {
            return Some(*shown);
        }
        let name = self.certificate_header.as_ref().filter(|_| self.proxies.contains(peer))?;
        handed_on(request.headers(), name)
    }

    fn next_id(&self) -> RequestId {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        RequestId::from(format!("{:08x}-{count:x}", self.run))
    }

    async fn route(
        self: &Arc<Self>,
        request: Request<Incoming>,
        asked: Asked,
    ) -> Response<Full<Bytes>> {
        let (visitor, client) = (asked.visitor, asked.visitor.client);
        let path = request.uri().path().to_ascii_lowercase();
        match (path.trim_end_matches('/'), request.method()) {
            (EAS_PATH, &Method::POST) => Box::pin(dispatch::serve(self, request, asked)).await,
            (EAS_PATH, &Method::OPTIONS) => Box::pin(self.options(&request, visitor)).await,
            (EAS_PATH, _) => {
                // RFC 9110 §15.5.6: it must say what is allowed.
                let mut response = status_only(StatusCode::METHOD_NOT_ALLOWED);
                response.headers_mut().insert(ALLOW, HeaderValue::from_static(METHODS));
                self.answered("unknown", client, response)
            }
            (AUTODISCOVER_XML, &Method::POST) => {
                Box::pin(self.autodiscover(request, visitor)).await
            }
            (AUTODISCOVER_XML, _) => Box::pin(self.autodiscover_looked_at(&request, visitor)).await,
            (path, &Method::GET) if path.starts_with(AUTODISCOVER_JSON) => {
                let uri = request.uri();
                let query = uri.query().unwrap_or_default();
                let (status, reply) = autodiscover::json(self, uri.path(), query);
                let mut response = reply.into_response();
                *response.status_mut() = status;
                self.answered("autodiscover", client, response)
            }
            _ => self.answered("unknown", client, status_only(StatusCode::NOT_FOUND)),
        }
    }

    /// OPTIONS: which versions and commands there are (MS-ASHTTP 2.2.3); the login is checked, so
    /// that an account's set-up shows a wrong password at once.
    async fn options(
        self: &Arc<Self>,
        request: &Request<Incoming>,
        visitor: Visitor,
    ) -> Response<Full<Bytes>> {
        let response = match login::log_in(self, request.headers(), None, visitor).await {
            Ok(_) => {
                let mut response = Response::new(Full::default());
                add_protocol_headers(response.headers_mut());
                response
            }
            Err(failure) => reply::failed(&failure, None),
        };
        self.answered("options", visitor.client, response)
    }

    /// Counts and logs an answer to what is no command of ActiveSync. Neither path nor query is
    /// told: people put passwords there.
    fn answered(
        &self,
        what: &'static str,
        client: IpAddr,
        response: Response<Full<Bytes>>,
    ) -> Response<Full<Bytes>> {
        let status = response.status().as_u16();
        self.metrics.answered(what, status, None);
        tracing::info!(%client, command = what, status, "answered");
        response
    }

    async fn autodiscover(
        self: &Arc<Self>,
        request: Request<Incoming>,
        visitor: Visitor,
    ) -> Response<Full<Bytes>> {
        let answer = async {
            let (parts, body) = request.into_parts();
            // The document is small; a phone that sends it before it was asked for the password
            // keeps its connection.
            let body = self.read_small_body(body).await?;
            let (who, _) = login::log_in(self, &parts.headers, None, visitor).await?;
            Ok(autodiscover::xml(self, &who, &body))
        };
        let response = match answer.await {
            Ok(reply) => reply.into_response(),
            Err(failure) => reply::failed(&failure, None),
        };
        self.answered("autodiscover", visitor.client, response)
    }

    /// Some phones look first whether there is anything, before they know how to log in or to try
    /// whether they do. There is nothing to be had but by a POST: to a good password that is told
    /// as Exchange does, by a document that says that the request is invalid.
    async fn autodiscover_looked_at(
        self: &Arc<Self>,
        request: &Request<Incoming>,
        visitor: Visitor,
    ) -> Response<Full<Bytes>> {
        let response = match login::log_in(self, request.headers(), None, visitor).await {
            Ok((who, _)) => autodiscover::xml(self, &who, &Bytes::new()).into_response(),
            Err(failure) => reply::failed(&failure, None),
        };
        self.answered("autodiscover", visitor.client, response)
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
    ) -> Result<(Bytes, BodyRoom), Failure> {
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

    /// People of the asking user's own organisation who fit.
    async fn find_people(&self, search: &PeopleSearch) -> Result<PeopleFound, Failure> {
        let realm = search.asking.realm();
        let Some(directory) = realm.and_then(|realm| self.directories.get(&realm)) else {
            return Ok(PeopleFound::default());
        };
        match tokio::time::timeout(self.times.call.0, directory.search(search)).await {
            Ok(Ok(found)) => Ok(found),
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

/// What is spoken here: the release, the versions, the commands. Every answer has some of it, so it
/// is written once.
static OFFERED: LazyLock<Vec<(HeaderName, HeaderValue)>> = LazyLock::new(|| {
    let offered = Options::between(ProtocolVersion::V12_1, ProtocolVersion::V16_1).to_headers();
    let header = |(name, value): (&str, String)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(&value).ok()?))
    };
    offered.into_iter().filter_map(header).collect()
});

/// What every answer to a command carries: the release, and that it is for its asker alone
/// (MS-ASHTTP 2.2.2.1.2).
fn add_release(headers: &mut HeaderMap) {
    headers.extend(OFFERED.iter().take(1).cloned());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
}

/// What the answer carries with which a phone begins anew: the versions and commands, and the
/// versions again where phones look whether there are others than they know.
fn add_versions(headers: &mut HeaderMap) {
    let [_, (_, spoken), ..] = &OFFERED[..] else { return };
    if let Ok(renegotiate) = HeaderName::from_bytes(RENEGOTIATE.as_bytes()) {
        headers.insert(renegotiate, spoken.clone());
    }
    headers.extend(OFFERED.iter().skip(1).cloned());
}

/// What every answer to OPTIONS carries (MS-ASHTTP 2.2.4).
fn add_protocol_headers(headers: &mut HeaderMap) {
    headers.extend(OFFERED.iter().cloned());
    for (name, value) in [("allow", METHODS), ("public", METHODS), ("cache-control", "private")] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

/// Who asks, before they log in.
#[derive(Clone, Copy)]
struct Visitor {
    client: IpAddr,
    /// The key of the certificate that they showed.
    certificate: Option<Fingerprint>,
}

/// What is known of a request before it is read.
struct Asked {
    visitor: Visitor,
    id: RequestId,
    /// The request is being served as long as any of this is there.
    counted: Arc<Counted>,
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
