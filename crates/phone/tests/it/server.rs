//! A server of a few folders and mails, on loopback, with switches for what a test needs.

use bytes::Bytes;
use dme_eas::autodiscover::{self, JsonResponse};
use dme_eas::folder_sync::{Changes, Folder, FolderType};
use dme_eas::item_operations::{FetchContent, FetchResponse, FetchTarget, Operation as Asked};
use dme_eas::options::{self as names, Options};
use dme_eas::query::{Command, RequestLine};
use dme_eas::sync::{ClientCommand, CollectionResponse, ItemResponse, ServerCommand};
use dme_eas::{
    CommonStatus, ProtocolVersion, compose, folder_sync, item_operations, move_items, multipart,
    ping, provision, send_mail, smart_reply, sync,
};
use dme_phone::{Account, Address};
use dme_wbxml::pages::{air_sync_base, email, ping as ping_page, provision as prov};
use dme_wbxml::{Element, Limits};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

pub const POLICY_KEY: u32 = 4242;

/// What the server has, and what it is told to do.
#[derive(Default)]
pub struct State {
    /// Mails of the inbox: server id, subject, read.
    pub inbox: BTreeMap<String, (String, bool)>,
    /// What each key of the inbox's sync told the phone.
    pub told: BTreeMap<String, BTreeMap<String, (String, bool)>>,
    pub next_key: u32,
    /// Messages sent, by their ClientId; a repetition is not sent again.
    pub sent: Vec<(Option<String>, Bytes)>,
    pub replied_to: Vec<String>,
    /// A policy is required.
    pub policy: bool,
    pub provisioned: bool,
    pub wipe: Option<provision::Wipe>,
    /// Answer so many requests with 503 first.
    pub busy: u32,
    /// Names of the commands served, in order.
    pub served: Vec<String>,
    /// The longest heartbeat allowed.
    pub longest: Option<Duration>,
    /// What Autodiscover says; none for 404.
    pub autodiscover: Option<Autodiscover>,
    /// How many connections were accepted.
    pub connections: u32,
}

/// What Autodiscover says.
#[derive(Clone)]
pub enum Autodiscover {
    /// This address, by JSON only.
    Json(String),
    /// This address, by XML only; `old@corp.example` is sent to `ann@corp.example`.
    Xml(String),
    /// Go to where you are.
    Loop,
}

#[derive(Clone)]
pub struct Server {
    pub state: Arc<Mutex<State>>,
    pub wake: Arc<Notify>,
    pub port: u16,
    /// Ends the server when the last clone is dropped.
    _task: Arc<AbortOnDrop>,
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// With TLS, by this certificate.
    pub async fn start_with(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let wake = Arc::new(Notify::new());
        let (shared, waker) = (Arc::clone(&state), Arc::clone(&wake));
        let task = tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                shared.lock().unwrap().connections += 1;
                let (shared, waker, tls) = (Arc::clone(&shared), Arc::clone(&waker), tls.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let (shared, waker) = (Arc::clone(&shared), Arc::clone(&waker));
                        async move { Ok::<_, Infallible>(serve(request, &shared, &waker).await) }
                    });
                    let http = hyper::server::conn::http1::Builder::new();
                    match tls {
                        Some(tls) => {
                            // A client that does not trust the certificate goes away here.
                            let Ok(stream) = tls.accept(tcp).await else { return };
                            let _ = http.serve_connection(TokioIo::new(stream), service).await;
                        }
                        None => {
                            let _ = http.serve_connection(TokioIo::new(tcp), service).await;
                        }
                    }
                });
            }
        });
        Self { state, wake, port, _task: Arc::new(AbortOnDrop(task)) }
    }

    pub fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    pub fn account(&self) -> Account {
        let address = Address { tls: false, ..Address::active_sync("127.0.0.1", self.port) };
        Account::new(address, "ann@corp.example", dme_model::Secret::new("pässword"))
    }

    pub fn deliver(&self, id: &str, subject: &str) {
        self.with(|state| state.inbox.insert(id.into(), (subject.into(), false)));
        self.wake.notify_waiters();
    }
}

fn answer(status: u16, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// So many days from now, and half a day more, so that whole days are counted alike all the time.
fn in_days(days: i64) -> SystemTime {
    let now = SystemTime::now() + Duration::from_secs(43_200);
    let span = Duration::from_secs(days.unsigned_abs() * 86_400);
    if days < 0 { now - span } else { now + span }
}

/// A certificate for a name, of so many days from now, and the acceptor that shows it.
pub fn certificate(name: &str, days: std::ops::Range<i64>) -> (String, TlsAcceptor) {
    let mut params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
    params.not_before = in_days(days.start).into();
    params.not_after = in_days(days.end).into();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (certificate.pem(), TlsAcceptor::from(Arc::new(config)))
}

async fn serve(
    request: Request<Incoming>,
    state: &Mutex<State>,
    wake: &Notify,
) -> Response<Full<Bytes>> {
    if request.uri().path().starts_with("/autodiscover/") {
        return autodiscovered(request, state).await;
    }
    // Basic ann@corp.example:pässword, in UTF-8.
    let login = "Basic YW5uQGNvcnAuZXhhbXBsZTpww6Rzc3dvcmQ=";
    if request.headers().get("authorization").is_none_or(|value| value != login) {
        return answer(401, "");
    }
    if request.method() == Method::OPTIONS {
        let mut response = answer(200, "");
        let options = Options::between(ProtocolVersion::V12_1, ProtocolVersion::V16_1);
        for (name, value) in options.to_headers() {
            let name: http::HeaderName = name.parse().unwrap();
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        return response;
    }
    let line = RequestLine::parse(request.uri().query().unwrap_or_default()).unwrap();
    let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
    let version = line.packed.map(|packed| packed.version);
    let version = version.or_else(|| header(names::PROTOCOL_VERSION)?.parse().ok()).unwrap();
    let key = line.packed.and_then(|packed| packed.policy_key);
    let key: Option<u32> = key.or_else(|| header(names::POLICY_KEY)?.parse().ok());
    let in_parts =
        header(names::ACCEPT_MULTIPART) == Some("T") || line.parameters.accept_multi_part;
    let body = request.into_body().collect().await.unwrap().to_bytes();
    {
        let mut state = state.lock().unwrap();
        state.served.push(line.command.name().to_owned());
        if state.busy > 0 {
            state.busy -= 1;
            let mut response = answer(503, "");
            response.headers_mut().insert("retry-after", "0".parse().unwrap());
            return response;
        }
        if state.policy && line.command != Command::Provision && key != Some(POLICY_KEY) {
            return not_provisioned(version, line.command);
        }
    }
    if version == ProtocolVersion::V12_1 && line.command == Command::SendMail {
        state.lock().unwrap().sent.push((None, body));
        return answer(200, "");
    }
    let element = dme_wbxml::decode(&body, &Limits::default()).unwrap();
    let element = match line.command {
        Command::Provision => provision_answer(&element, state).to_element(version),
        Command::FolderSync => folders(&element),
        Command::Sync => return sync_answer(&element, version, state),
        Command::Ping => return ping_answer(&element, state, wake).await,
        Command::SendMail => {
            let message = send_mail::Request::from_element(&element).unwrap().message;
            return sent(&message, state);
        }
        Command::SmartReply => {
            let reply = smart_reply::Request::from_element(&element).unwrap();
            let compose::Source::Item { item_id, .. } = reply.source else { panic!("by item") };
            state.lock().unwrap().replied_to.push(item_id);
            return sent(&reply.message, state);
        }
        Command::MoveItems => moved(&element, state),
        Command::ItemOperations => return fetched(&element, in_parts),
        other => panic!("no test needs {other:?}"),
    };
    answer(200, dme_wbxml::encode(&element))
}

async fn autodiscovered(request: Request<Incoming>, state: &Mutex<State>) -> Response<Full<Bytes>> {
    let Some(mode) = state.lock().unwrap().autodiscover.clone() else { return answer(404, "") };
    let json = request.uri().path().ends_with(".json");
    assert_eq!(request.headers().contains_key("authorization"), !json, "only with a password");
    match mode {
        Autodiscover::Json(url) if json => answer(200, JsonResponse::active_sync(url).to_json()),
        Autodiscover::Xml(url) if !json => {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let asked = autodiscover::Request::from_xml(&body).unwrap();
            assert!(asked.wants_mobilesync());
            let user = autodiscover::User { display_name: None, email: asked.email };
            let found = if user.email == "old@corp.example" {
                autodiscover::Response::Redirect { user, email: "ann@corp.example".into() }
            } else {
                autodiscover::Response::mobile_sync(user, url)
            };
            answer(200, found.to_xml())
        }
        Autodiscover::Loop => {
            let mut response = answer(302, "");
            let path = request.uri().path_and_query().unwrap().as_str();
            response.headers_mut().insert("location", path.parse().unwrap());
            response
        }
        _ => answer(404, ""),
    }
}

fn not_provisioned(version: ProtocolVersion, command: Command) -> Response<Full<Bytes>> {
    let status = CommonStatus::DeviceNotProvisioned;
    if !status.is_known_to(version) {
        return answer(status.http_status(), "");
    }
    let element = match command {
        Command::FolderSync => folder_sync::Response::failed(status.into()).to_element(),
        Command::Sync => sync::Response::failed(status.into()).into_element(version),
        other => panic!("no test needs {other:?}"),
    };
    answer(200, dme_wbxml::encode(&element))
}

fn provision_answer(element: &Element, state: &Mutex<State>) -> provision::Response {
    assert_eq!(element.tag, prov::PROVISION);
    let request = provision::Request::from_element(element).unwrap();
    let mut state = state.lock().unwrap();
    if let Some((wipe, outcome)) = request.wiped {
        assert_eq!((Some(wipe), outcome), (state.wipe.take(), provision::Wiped::Success));
        return provision::Response::status(provision::Status::Success);
    }
    if let Some(wipe) = state.wipe {
        return provision::Response::wipe(wipe);
    }
    match request.policy {
        Some(provision::PolicyRequest::Download { .. }) if !state.policy => {
            let status = provision::PolicyStatus::NoPolicy;
            provision::Response::refused(provision::PolicyType::Wbxml, status)
        }
        Some(provision::PolicyRequest::Download { .. }) => {
            provision::Response::policy(1, provision::Policy::default())
        }
        Some(provision::PolicyRequest::Acknowledge { key: 1, .. }) => {
            state.provisioned = true;
            provision::Response::acknowledged(POLICY_KEY)
        }
        other => panic!("{other:?}"),
    }
}

fn folders(element: &Element) -> Element {
    let request = folder_sync::Request::from_element(element).unwrap();
    let folder = |id: &str, name: &str, kind| Folder {
        server_id: id.into(),
        parent_id: "0".into(),
        display_name: name.into(),
        kind,
    };
    let mut changes = Changes::default();
    match request.sync_key.as_str() {
        "0" => {
            changes.added = vec![
                folder("1", "Inbox", FolderType::Inbox),
                folder("2", "Trash", FolderType::Deleted),
            ];
        }
        "1" => {}
        _ => {
            let status = folder_sync::Status::InvalidSyncKey;
            return folder_sync::Response::failed(status).to_element();
        }
    }
    let status = folder_sync::Status::Success;
    folder_sync::Response { status, sync_key: Some("1".into()), changes }.to_element()
}

fn mail(subject: &str, read: bool) -> Vec<Element> {
    let body = vec![
        Element::text(air_sync_base::TYPE, "1"),
        Element::text(air_sync_base::DATA, format!("about {subject}")),
    ];
    vec![
        Element::text(email::SUBJECT, subject),
        Element::text(email::READ, if read { "1" } else { "0" }),
        Element::parent(air_sync_base::BODY, body),
    ]
}

fn sync_answer(
    element: &Element,
    version: ProtocolVersion,
    state: &Mutex<State>,
) -> Response<Full<Bytes>> {
    let request = sync::Request::from_element(element).unwrap();
    let asked = &request.collections[0];
    assert_eq!(asked.class.is_some(), version == ProtocolVersion::V12_1);
    let mut state = state.lock().unwrap();
    let mut collection = CollectionResponse::new(&*asked.collection_id, "");
    if asked.collection_id != "1" {
        collection.status = sync::Status::ObjectNotFound;
    } else if asked.sync_key == "0" {
        assert!(asked.commands.is_empty() && asked.window_size.is_none());
        collection.sync_key = new_key(&mut state, BTreeMap::new());
    } else if let Some(known) = state.told.get(&asked.sync_key).cloned() {
        collection.responses = carry_out(&asked.commands, &mut state);
        let window = asked.window_size.unwrap_or(100) as usize;
        let mut now = known.clone();
        // What the phone did itself is not told to it.
        for command in &asked.commands {
            let ClientCommand::Change { server_id, .. } = command else { continue };
            if let Some(mail) = state.inbox.get(server_id) {
                now.insert(server_id.clone(), mail.clone());
            }
        }
        for (id, (subject, read)) in &state.inbox {
            let data = mail(subject, *read);
            let command = match now.get(id) {
                None => ServerCommand::Add { server_id: id.clone(), class: None, data },
                Some((_, told)) if told != read => {
                    ServerCommand::Change { server_id: id.clone(), class: None, data }
                }
                Some(_) => continue,
            };
            if collection.commands.len() == window {
                collection.more_available = true;
                break;
            }
            collection.commands.push(command);
            now.insert(id.clone(), (subject.clone(), *read));
        }
        let mine = |id: &String| {
            asked
                .commands
                .iter()
                .any(|c| matches!(c, ClientCommand::Delete { server_id, .. } if server_id == id))
        };
        for id in known.keys().filter(|id| !state.inbox.contains_key(*id)) {
            if !mine(id) {
                collection.commands.push(ServerCommand::Delete { server_id: id.clone() });
            }
            now.remove(id);
        }
        if collection.commands.is_empty() && asked.commands.is_empty() {
            return answer(200, "");
        }
        collection.sync_key = new_key(&mut state, now);
    } else {
        collection.status = sync::Status::InvalidSyncKey;
        collection.sync_key = "0".into();
    }
    let response = sync::Response { collections: vec![collection], ..sync::Response::default() };
    answer(200, dme_wbxml::encode(&response.into_element(version)))
}

fn new_key(state: &mut State, told: BTreeMap<String, (String, bool)>) -> String {
    state.next_key += 1;
    let key = format!("k{}", state.next_key);
    state.told.insert(key.clone(), told);
    key
}

fn carry_out(commands: &[ClientCommand], state: &mut State) -> Vec<ItemResponse> {
    let mut responses = Vec::new();
    for command in commands {
        match command {
            ClientCommand::Change { server_id, data, .. } => {
                let patch = dme_eas::email::patch_from_elements(data).unwrap();
                match state.inbox.get_mut(server_id) {
                    Some(mail) => mail.1 = patch.seen.unwrap_or(mail.1),
                    None => responses.push(ItemResponse::Change {
                        server_id: server_id.clone(),
                        instance_id: None,
                        class: None,
                        status: sync::Status::ObjectNotFound,
                        data: Vec::new(),
                    }),
                }
            }
            ClientCommand::Delete { server_id, .. } => {
                state.inbox.remove(server_id);
            }
            other => panic!("no test needs {other:?}"),
        }
    }
    responses
}

async fn ping_answer(
    element: &Element,
    state: &Mutex<State>,
    wake: &Notify,
) -> Response<Full<Bytes>> {
    assert_eq!(element.tag, ping_page::PING);
    let request = ping::Request::from_element(element).unwrap();
    let heartbeat = request.heartbeat.unwrap();
    let longest = state.lock().unwrap().longest;
    let response = match longest {
        Some(longest) if heartbeat > longest => ping::Response::HeartbeatOutOfRange(longest),
        _ => match tokio::time::timeout(heartbeat, wake.notified()).await {
            Ok(()) => ping::Response::Changed(vec!["1".into()]),
            Err(_) => ping::Response::Expired,
        },
    };
    answer(200, dme_wbxml::encode(&response.to_element()))
}

fn sent(message: &compose::Message, state: &Mutex<State>) -> Response<Full<Bytes>> {
    let mut state = state.lock().unwrap();
    if message.mime.starts_with(b"bad") {
        let failed = compose::Response::Failed(CommonStatus::InvalidMime.into());
        return answer(200, dme_wbxml::encode(&send_mail::response_to_element(failed).unwrap()));
    }
    if !state.sent.iter().any(|(id, _)| *id == message.client_id) {
        state.sent.push((message.client_id.clone(), message.mime.clone()));
    }
    answer(200, "")
}

fn moved(element: &Element, state: &Mutex<State>) -> Element {
    let one = move_items::Request::from_element(element).unwrap().moves.remove(0);
    let gone = state.lock().unwrap().inbox.remove(&one.source);
    let (status, destination) = match gone {
        Some(_) => (move_items::Status::Success, Some(format!("2:{}", one.source))),
        None => (move_items::Status::InvalidSource, None),
    };
    let moved = vec![move_items::Moved { source: one.source, status, destination }];
    move_items::Response { status: None, moved }.to_element()
}

fn fetched(element: &Element, in_parts: bool) -> Response<Full<Bytes>> {
    let request = item_operations::Request::from_element(element).unwrap();
    let Asked::Fetch(fetch) = &request.operations[0] else { panic!("only fetches") };
    let content = match &fetch.target {
        FetchTarget::FileReference(name) if name == "missing" => None,
        FetchTarget::FileReference(_) => Some(FetchContent::File {
            content_type: Some("image/png".into()),
            range: None,
            total: None,
            data: Bytes::from_static(b"\0\xffPNG"),
        }),
        _ => Some(FetchContent::Item(mail("fetched", true))),
    };
    let fetch = FetchResponse {
        status: match content {
            Some(_) => item_operations::Status::Success,
            None => item_operations::Status::InvalidAttachment,
        },
        target: Some(fetch.target.clone()),
        class: None,
        content,
    };
    let status = item_operations::Status::Success;
    let operations = vec![item_operations::OperationResponse::Fetch(fetch)];
    let response = item_operations::Response { status, operations };
    if !in_parts {
        return answer(200, dme_wbxml::encode(&response.into_element()));
    }
    let (element, parts) = response.into_parts();
    let mut all = vec![Bytes::from(dme_wbxml::encode(&element))];
    all.extend(parts);
    let mut response = answer(200, multipart::join(&all).unwrap());
    response.headers_mut().insert("content-type", multipart::CONTENT_TYPE.parse().unwrap());
    response
}
