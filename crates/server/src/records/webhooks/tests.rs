//! Webhooks against a receiver of our own.

use super::*;
use crate::records::events::Unwritten;
use bytes::Bytes;
use dme_link::Authority;
use dme_model::Secret;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU16, Ordering};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What came: the signature, the kind, and the body.
type Came = Arc<Mutex<Vec<(String, String, String)>>>;

/// Takes deliveries over TLS, and answers with a status.
struct Receiver {
    address: SocketAddr,
    came: Came,
    status: Arc<AtomicU16>,
}

impl Receiver {
    async fn start(directory: &Path) -> Self {
        let authority = Authority::open(&directory.join("authority")).unwrap();
        let made = authority.listener_identity(&["127.0.0.1".to_owned()]).unwrap();
        let chain = CertificateDer::pem_slice_iter(made.chain.as_bytes());
        let chain: Vec<_> = chain.map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(made.key.expose().as_bytes()).unwrap();
        let tls = rustls::ServerConfig::builder().with_no_client_auth();
        let tls = TlsAcceptor::from(Arc::new(tls.with_single_cert(chain, key).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (came, status) = (Came::default(), Arc::new(AtomicU16::new(204)));
        let (kept, answered) = (came.clone(), status.clone());
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let Ok(io) = tls.accept(tcp).await else { continue };
                let (kept, answered) = (kept.clone(), answered.clone());
                let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                    let (kept, answered) = (kept.clone(), answered.clone());
                    async move {
                        let header =
                            |name: &str| request.headers()[name].to_str().unwrap().to_owned();
                        let (signature, kind) = (header("dme-signature"), header("dme-event"));
                        let body = request.into_body().collect().await.unwrap().to_bytes();
                        let body = String::from_utf8(body.to_vec()).unwrap();
                        kept.lock().unwrap().push((signature, kind, body));
                        let status = StatusCode::from_u16(answered.load(Ordering::Relaxed));
                        let answer = Response::builder()
                            .status(status.unwrap())
                            .header("location", "https://127.0.0.1:1/elsewhere");
                        Ok::<_, Infallible>(answer.body(Full::<Bytes>::default()).unwrap())
                    }
                });
                let serving = hyper::server::conn::http1::Builder::new();
                tokio::spawn(serving.serve_connection(TokioIo::new(io), service));
            }
        });
        Self { address, came, status }
    }
}

struct World {
    directory: tempfile::TempDir,
    receiver: Receiver,
    time: Arc<AtomicI64>,
    store: Store,
    webhooks: Arc<Webhooks>,
    events: Events,
    _unwritten: Unwritten,
}

fn config(world_directory: &Path, address: SocketAddr, allow: &[&str]) -> WebhookConfig {
    WebhookConfig {
        url: format!("https://{address}/hook"),
        secret: Secret::new("a secret of sixteen signs"),
        kinds: vec!["device_quarantined".into()],
        authority: Some(world_directory.join("authority/authority.pem")),
        allow_networks: allow.iter().map(|net| net.parse().unwrap()).collect(),
        plain_http: false,
    }
}

impl World {
    async fn start(allow: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let receiver = Receiver::start(directory.path()).await;
        let store = Store::open(directory.path().join("dme.db")).unwrap();
        let time = Arc::new(AtomicI64::new(1_800_000_000_000));
        let tells = time.clone();
        let clock: Clock = Arc::new(move || Timestamp::from_millis(tells.load(Ordering::Relaxed)));
        let config = config(directory.path(), receiver.address, allow);
        let config = BTreeMap::from([("helpdesk".to_owned(), config)]);
        let webhooks = Webhooks::new(&config, store.clone(), clock.clone()).unwrap();
        let (events, unwritten) = Events::new(store.clone(), clock);
        Self { directory, receiver, time, store, webhooks, events, _unwritten: unwritten }
    }

    async fn happens(&self, kind: EventKind) {
        let event = dme_store::NewEvent {
            time: self.now(),
            level: kind.level(),
            kind: kind.as_str().into(),
            user: Some("ann@example.org".into()),
            device: None,
            connector: None,
            request: None,
            message: "a new phone".into(),
            details: "{}".into(),
        };
        let kept = self.store.put_events(vec![event]).await.unwrap();
        self.webhooks.consider(&kept).await;
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.time.load(Ordering::Relaxed))
    }

    fn later(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap();
        self.time.fetch_add(millis, Ordering::Relaxed);
    }

    async fn deliver(&self) -> WebhookStanding {
        let webhook = &self.webhooks.all["helpdesk"];
        self.webhooks.deliver_due("helpdesk", webhook, &self.events).await.unwrap();
        self.webhooks.standings().await.unwrap().remove(0)
    }

    fn came(&self) -> usize {
        self.receiver.came.lock().unwrap().len()
    }
}

#[tokio::test]
async fn a_wanted_event_arrives_signed_and_others_do_not() {
    let world = World::start(&["127.0.0.0/8"]).await;
    world.happens(EventKind::DeviceNew).await;
    world.happens(EventKind::DeviceQuarantined).await;
    let standing = world.deliver().await;
    assert_eq!((standing.waiting, standing.state.delivered), (0, Some(world.now())));
    let (signature, kind, body) = world.receiver.came.lock().unwrap().remove(0);
    assert_eq!(kind, "device_quarantined");
    assert!(body.contains("ann@example.org"), "{body}");
    let secret = Secret::new("a secret of sixteen signs");
    assert_eq!(signature, delivery::sign(&secret, world.now(), &body));
    assert_ne!(signature, delivery::sign(&Secret::new("another"), world.now(), &body));
    assert_eq!(world.came(), 0);
}

#[tokio::test]
async fn what_is_refused_is_tried_again_later_for_a_day_and_not_taken_elsewhere() {
    let world = World::start(&["127.0.0.0/8"]).await;
    world.receiver.status.store(302, Ordering::Relaxed);
    world.happens(EventKind::DeviceQuarantined).await;
    let standing = world.deliver().await;
    assert_eq!(standing.waiting, 1);
    assert!(standing.state.trouble.unwrap().contains("302"));
    assert_eq!(world.came(), 1);
    world.deliver().await;
    assert_eq!(world.came(), 1, "it is not due");
    world.later(FIRST_WAIT);
    world.receiver.status.store(200, Ordering::Relaxed);
    let standing = world.deliver().await;
    assert_eq!((world.came(), standing.waiting, standing.state.failing_since), (2, 0, None));

    world.receiver.status.store(500, Ordering::Relaxed);
    world.happens(EventKind::DeviceQuarantined).await;
    world.deliver().await;
    world.later(TRIED_FOR + FIRST_WAIT);
    assert_eq!(world.deliver().await.waiting, 0, "it is given up");
}

#[tokio::test]
async fn a_webhook_that_fails_for_days_is_given_up_until_somebody_enables_it() {
    let world = World::start(&["127.0.0.0/8"]).await;
    world.receiver.status.store(500, Ordering::Relaxed);
    world.happens(EventKind::DeviceQuarantined).await;
    world.deliver().await;
    world.later(GIVEN_UP_AFTER + FIRST_WAIT);
    world.happens(EventKind::DeviceQuarantined).await;
    let standing = world.deliver().await;
    assert!(standing.state.disabled, "{standing:?}");
    let before = world.came();
    world.later(LONGEST_WAIT);
    world.deliver().await;
    assert_eq!(world.came(), before);
    world.receiver.status.store(200, Ordering::Relaxed);
    world.webhooks.enable("helpdesk").await.unwrap();
    let state = world.deliver().await.state;
    assert!(!state.disabled && state.delivered.is_some());
    assert!(world.came() > before);
    // That it begins again does not make it forget when it delivered last.
    world.webhooks.enable("helpdesk").await.unwrap();
    assert_eq!(world.deliver().await.state.delivered, state.delivered);
    assert!(world.webhooks.enable("nobody").await.is_err());
}

#[tokio::test]
async fn our_own_network_is_not_reached_unless_it_is_allowed() {
    let world = World::start(&[]).await;
    let said = world.webhooks.try_out("helpdesk").await.unwrap();
    assert!(matches!(said, Err(NotDelivered::Forbidden(_))), "{said:?}");
    assert_eq!(world.came(), 0);
    let allowed = config(world.directory.path(), world.receiver.address, &["127.0.0.1/32"]);
    let courier = Courier::new(&allowed).unwrap();
    let strange = WebhookConfig { authority: None, ..allowed };
    let distrusting = Courier::new(&strange).unwrap();
    let delivery = Delivery {
        n: 1,
        webhook: "helpdesk".into(),
        kind: "test".into(),
        body: "{}".into(),
        queued: world.now(),
        attempts: 0,
        due: world.now(),
        trouble: None,
    };
    courier.deliver(&delivery, world.now()).await.unwrap();
    let said = distrusting.deliver(&delivery, world.now()).await;
    assert!(matches!(said, Err(NotDelivered::Unconnected(_))), "{said:?}");
}

#[test]
fn the_wait_doubles_up_to_an_hour() {
    assert_eq!(wait(1, 1.0), FIRST_WAIT);
    assert_eq!(wait(1, 0.0), FIRST_WAIT / 2);
    assert_eq!(wait(3, 1.0), FIRST_WAIT * 4);
    assert_eq!(wait(200, 1.0), LONGEST_WAIT);
}
