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
mod options;
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
use crate::elsewhere::Elsewhere;
use crate::emergency::Emergency;
use crate::lease::Lease;
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
use bodies::Bodies;
use bytes::Bytes;
pub use dme_directory::Clock;
use dme_directory::{Gate, on_behalf_of};
use dme_link::Fingerprint;
use dme_model::{Realm, RequestId, UserId};
use dme_store::Store;
use dme_sync::Engine;
use dme_zone::Zone;
use http::header::{ALLOW, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
pub(crate) use telling::new_device;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use tracing::field::Empty;

/// The one path of ActiveSync (MS-ASHTTP 2.2.1.1.1.1).
const EAS_PATH: &str = "/microsoft-server-activesync";
const AUTODISCOVER_XML: &str = "/autodiscover/autodiscover.xml";
const AUTODISCOVER_JSON: &str = "/autodiscover/autodiscover.json";

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
    /// What of a device is at another front.
    pub elsewhere: Arc<dyn Elsewhere>,
    /// How long an edge's front may serve; a server's always may.
    pub lease: Option<Arc<Lease>>,
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
    /// The directory of the realm that a user is of.
    pub fn directory_of(&self, user: &UserId) -> Option<&Arc<RealmDirectory>> {
        self.directories.get(&user.realm()?)
    }

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
                response.headers_mut().insert(ALLOW, HeaderValue::from_static(options::METHODS));
                self.answered("unknown", client, response)
            }
            (AUTODISCOVER_XML, &Method::POST) => {
                Box::pin(self.autodiscover(request, visitor)).await
            }
            (AUTODISCOVER_XML, _) => Box::pin(self.autodiscover_looked_at(&request, visitor)).await,
            (path, &Method::GET) if path.starts_with(AUTODISCOVER_JSON) => {
                let response = autodiscover::json(self, request.uri());
                self.answered("autodiscover", client, response)
            }
            _ => self.answered("unknown", client, status_only(StatusCode::NOT_FOUND)),
        }
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
}

fn status_only(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
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
