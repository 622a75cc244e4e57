//! One ActiveSync request, from its query to its answer.

use super::admission::{self, Arrival, Pass};
use super::compose::{self, Body};
use super::exchange::{Exchange, Held, Source};
use super::failure::Failure;
use super::reply::{self, Reply};
use super::{Asked, Front, login, options};
use super::{
    find, folder_create, folder_delete, folder_sync, folder_update, get_attachment,
    get_item_estimate, item_operations, meeting_response, move_items, ping, provision,
    resolve_recipients, search, settings, sync, validate_cert,
};
use crate::config::LimitsConfig;
use crate::notices::quarantined;
use crate::records::{EventKind, Happened, statistics};
use bytes::Bytes;
use dme_eas::query::{Command, RequestLine};
use dme_eas::{CommonStatus, ProtocolVersion};
use dme_mailbox::{Account, ErrorKind, Mailbox};
use dme_model::{RequestId, Timestamp};
use dme_policy::Behaviour;
use dme_store::Sighting;
use dme_sync::DeviceKey;
use dme_wbxml::{Element, decode};
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};
use tracing::Instrument;

/// The longest `User-Agent` kept, in characters.
const USER_AGENT_LENGTH: usize = 200;

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

pub(super) async fn serve(
    front: &Arc<Front>,
    request: Request<Incoming>,
    asked: Asked,
) -> Response<Full<Bytes>> {
    let client = asked.visitor.client;
    let (Parts { uri, headers, .. }, body) = request.into_parts();
    let (line, version) = match read_line(&uri, &headers) {
        Ok(read) => read,
        Err((status, error)) => {
            tracing::info!(%client, %error, "request line refused");
            let response = refused_line(&uri, &headers, status, &error);
            return front.answered("unknown", client, response);
        }
    };
    // A phone may wait for an hour from here on. What is needed before is boxed and gone by then,
    // and so are the line and the headers: they would keep the buffer they were read into.
    drop(uri);
    let served = Served { command: line.command, version, began: Instant::now() };
    let mut waited = false;
    // Filled in afterwards: a phone that waits shall not hold it.
    let mut counted = statistics::Request::default();
    let mut known = None;
    let entry = let_in(front, line, version, headers, body, asked, &mut known);
    let answer = match Box::pin(entry).await {
        Ok((exchange, body)) => {
            let answer = command(&exchange, body).await;
            waited = exchange.waited.into_inner();
            counted.connector = front.router.serving(&exchange.device.user);
            counted.user = exchange.device.user.to_string();
            counted.device = exchange.device.device.to_string();
            counted.received = exchange.received;
            counted.items = exchange.items.into_inner();
            answer
        }
        Err(failure) => Err(failure),
    };
    if let Some(device) = known {
        Box::pin(watch_behaviour(front, &device, answer.as_ref().err())).await;
    }
    let (mut response, refused) = match answer {
        Ok(reply) => (reply.into_response(), None),
        Err(failure) => (reply::failed(&failure, Some((served.command, version))), Some(failure)),
    };
    options::add_release(response.headers_mut());
    let status = response.status().as_u16();
    let bytes = http_body::Body::size_hint(response.body()).lower();
    front.metrics.answered(served.name(), status, (!waited).then(|| served.took()));
    front.metrics.sent(usize::try_from(bytes).unwrap_or(usize::MAX));
    counted.command = served.name();
    counted.failed = refused.is_some();
    counted.sent = bytes;
    counted.took = (!waited).then(|| served.took());
    front.statistics.count(counted);
    let millis = u64::try_from(served.took().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(%client, command = served.name(), version = %served.version, status, bytes,
        millis, waited, refused = refused.map(|failure| format!("{failure:?}")), "answered");
    response
}

/// Counts a request of a device, and the error it ended in. That it must provision, or come later,
/// is none.
async fn watch_behaviour(front: &Front, device: &DeviceKey, failure: Option<&Failure>) {
    let now = (front.clock)();
    front.behaviours.note(device, Behaviour::Requests, 0, now).await;
    if matches!(failure, Some(Failure::Status(_) | Failure::Http(_))) {
        front.behaviours.note(device, Behaviour::Errors, 0, now).await;
    }
}

/// The query, and the version the phone speaks.
fn read_line(
    uri: &http::Uri,
    headers: &HeaderMap,
) -> Result<(RequestLine, ProtocolVersion), (StatusCode, dme_eas::Error)> {
    let line = RequestLine::parse(uri.query().unwrap_or_default()).map_err(|error| {
        // What the statuses 137 and 138 are where there is no answer to put them into
        // (MS-ASCMD 2.2.2).
        let status = match error {
            dme_eas::Error::Command => StatusCode::NOT_IMPLEMENTED,
            dme_eas::Error::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            _ => StatusCode::BAD_REQUEST,
        };
        (status, error)
    })?;
    let version = version(headers, line.packed.map(|packed| packed.version))
        .map_err(|error| (StatusCode::HTTP_VERSION_NOT_SUPPORTED, error))?;
    Ok((line, version))
}

/// The answer to a request line that is not understood: where only the device is wrong, and the
/// version knows 108 and 109 (MS-ASCMD 2.2.2), one of the command's own kind.
fn refused_line(
    uri: &http::Uri,
    headers: &HeaderMap,
    status: StatusCode,
    error: &dme_eas::Error,
) -> Response<Full<Bytes>> {
    let asked = RequestLine::command_of(uri.query().unwrap_or_default());
    let (dme_eas::Error::Device { status: told, .. }, Some((command, packed))) = (error, asked)
    else {
        return super::status_only(status);
    };
    let version = version(headers, packed).unwrap_or(ProtocolVersion::V12_1);
    reply::failed(&(*told).into(), Some((command, version)))
}

/// The version the phone speaks: the header's, else the base64 query's.
fn version(
    headers: &HeaderMap,
    packed: Option<ProtocolVersion>,
) -> Result<ProtocolVersion, dme_eas::Error> {
    let header = headers.get("ms-asprotocolversion").and_then(|value| value.to_str().ok());
    match (header, packed) {
        (Some(text), _) => text.parse(),
        (None, Some(version)) => Ok(version),
        // A phone that names none speaks the oldest (MS-ASHTTP 2.2.1.1.2.6).
        (None, None) => Ok(ProtocolVersion::V12_1),
    }
}

/// The request, once its login is checked and its device admitted, and its body. Which device it is
/// is `known` once the login is checked.
async fn let_in<'a>(
    front: &'a Arc<Front>,
    line: RequestLine,
    version: ProtocolVersion,
    headers: HeaderMap,
    body: Incoming,
    asked: Asked,
    known: &mut Option<DeviceKey>,
) -> Result<(Exchange<'a>, Bytes), Failure> {
    let Asked { visitor, id: request, counted } = asked;
    let ticket = front.parking.ticket();
    let (_, account) = match login::log_in(front, &headers, Some(&line.device), visitor).await {
        Ok(known) => known,
        Err(failure) => {
            // Read a little, so that the phone can send the password on the same connection.
            let _ = front.read_small_body(body).await;
            return Err(failure);
        }
    };
    let device = DeviceKey { user: account.user.clone(), device: line.device.clone() };
    *known = Some(device.clone());
    let turn = front.pace.turn(&device, Instant::now()).map_err(|wait| {
        tracing::warn!(user = %device.user, device = %device.device, ?wait,
            "the device is slowed down: too many requests");
        let words = "a device is slowed down: it makes too many requests";
        front.events.note(Happened::new(EventKind::DeviceSlowed, words).device(&device));
        Failure::Later(wait)
    })?;
    let now = (front.clock)();
    let arrival = Arrival {
        key: &device,
        sighting: sighting(&line, version, &headers),
        command: line.command,
        version,
        policy_key: policy_key(&line, &headers),
        now,
    };
    let (record, pass) = admission::admit(front, arrival).await?;
    if pass == Pass::Quarantine && record.notice_sent.is_none() {
        let told = quarantined(front.clone(), account.clone(), record.clone());
        tokio::spawn(told.in_current_span());
    }
    let (body, room) = front.read_users_body(body, &account.user).await?;
    front.metrics.received(body.len());
    let mailbox = match pass {
        Pass::Mailbox => match open(front, &account, &request, now, line.command).await {
            Ok(mailbox) => {
                front.connectors.served(&account.user);
                Source::Routed(mailbox)
            }
            // Provision needs no mailbox: a lost phone must be wiped while the mail system is down.
            Err(_) if line.command == Command::Provision => {
                Source::Notice(front.quarantine.mailbox(&record))
            }
            Err(error) => {
                front.metrics.mailbox_error(&front.router.serving(&account.user), error.name());
                tracing::warn!(user = %account.user, %error, "no connector serves the user's mail");
                unserved(front, &device, &error, now);
                return Err(Failure::of_mailbox(&error));
            }
        },
        Pass::Quarantine => Source::Notice(front.quarantine.mailbox(&record)),
    };
    let exchange = Exchange {
        front,
        request,
        account,
        device,
        record,
        version,
        line,
        multipart: headers
            .get("ms-asacceptmultipart")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"T")),
        now,
        ticket,
        mailbox,
        held: Arc::new(Held::new(turn, counted, room)),
        waited: AtomicBool::new(false),
        received: body.len() as u64,
        items: AtomicU64::new(0),
    };
    Ok((exchange, body))
}

/// Notes that nobody could serve a user's mail, where that is the reason and no arrangement.
fn unserved(front: &Front, device: &DeviceKey, error: &dme_mailbox::Error, now: Timestamp) {
    if matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Timeout) {
        front.connectors.unserved(&device.user, now);
        let words = "nobody could serve the user's mail";
        let happened = Happened::new(EventKind::MailUnserved, words).device(device);
        front.events.note(happened.detail("why", error.to_string()));
    }
}

/// The user's mailbox. What waits for it goes out now that there are credentials.
async fn open(
    front: &Front,
    account: &Account,
    request: &RequestId,
    now: Timestamp,
    command: Command,
) -> dme_mailbox::Result<Arc<dyn Mailbox>> {
    let sends = matches!(command, Command::SendMail | Command::SmartReply | Command::SmartForward);
    let mailbox = match &front.outbox {
        Some(outbox) if sends => front.router.open_to_send(account, request, now, outbox).await?,
        _ => front.router.open(account, request, now).await?,
    };
    if let Some(outbox) = &front.outbox {
        outbox.deliver_soon(&front.router, account);
    }
    Ok(mailbox)
}

/// Carries the command out. Each is boxed: a phone that waits should take no more than its own
/// command needs.
async fn command(exchange: &Exchange<'_>, body: Bytes) -> Result<Reply, Failure> {
    let command = exchange.line.command;
    let composing =
        matches!(command, Command::SendMail | Command::SmartReply | Command::SmartForward);
    if composing && exchange.version == ProtocolVersion::V12_1 {
        return Box::pin(exchange.in_time(compose::handle(exchange, Body::Message(body)))).await;
    }
    let document = if body.is_empty() { None } else { Some(read_document(exchange, &body)?) };
    drop(body);
    match command {
        // Both wait; what they do before and after has its limits of time where it is done.
        Command::Ping => Box::pin(ping::handle(exchange, document)).await.map(Reply::Element),
        Command::Sync => Box::pin(sync::handle(exchange, document)).await,
        // From 14.0 on ItemOperations fetches attachments (MS-ASCMD 2.2.1.7).
        Command::GetAttachment if exchange.version >= ProtocolVersion::V14_0 => {
            Err(CommonStatus::CommandNotSupported.into())
        }
        Command::GetAttachment => {
            Box::pin(exchange.in_time(get_attachment::handle(exchange))).await
        }
        _ => {
            let document = document.ok_or(CommonStatus::InvalidContent)?;
            Box::pin(exchange.in_time(with_document(exchange, command, &document))).await
        }
    }
}

async fn with_document(
    exchange: &Exchange<'_>,
    command: Command,
    document: &Element,
) -> Result<Reply, Failure> {
    let element = match command {
        Command::FolderSync => return folder_sync::handle(exchange, document).await,
        Command::FolderCreate => folder_create::handle(exchange, document).await,
        Command::FolderUpdate => folder_update::handle(exchange, document).await,
        Command::FolderDelete => folder_delete::handle(exchange, document).await,
        Command::GetItemEstimate => get_item_estimate::handle(exchange, document).await,
        Command::MoveItems => move_items::handle(exchange, document).await,
        Command::Provision => provision::handle(exchange, document).await,
        Command::Settings => settings::handle(exchange, document).await,
        Command::Search => search::handle(exchange, document).await,
        Command::Find => find::handle(exchange, document).await,
        Command::ResolveRecipients => resolve_recipients::handle(exchange, document).await,
        Command::ValidateCert => validate_cert::handle(document),
        Command::MeetingResponse => meeting_response::handle(exchange, document).await,
        Command::ItemOperations => return item_operations::handle(exchange, document).await,
        Command::SendMail | Command::SmartReply | Command::SmartForward => {
            return compose::handle(exchange, Body::Document(document)).await;
        }
        _ => Err(CommonStatus::CommandNotSupported.into()),
    };
    element.map(Reply::Element)
}

/// What is no WBXML, or more of it than is allowed, has a status from 14.0 on and is HTTP 400
/// before (MS-ASCMD 2.2.2).
fn read_document(exchange: &Exchange<'_>, body: &Bytes) -> Result<Element, Failure> {
    decode(body, &wbxml_limits(&exchange.front.limits)).map_err(|error| {
        tracing::info!(user = %exchange.device.user, device = %exchange.device.device, %error,
            "the body is not WBXML as ActiveSync has it");
        CommonStatus::InvalidWbxml.into()
    })
}

/// The limits of the WBXML reader.
fn wbxml_limits(limits: &LimitsConfig) -> dme_wbxml::Limits {
    dme_wbxml::Limits {
        depth: limits.wbxml_depth,
        elements: limits.wbxml_elements,
        value: usize::try_from(limits.wbxml_text.0).unwrap_or(usize::MAX),
    }
}

fn sighting(line: &RequestLine, version: ProtocolVersion, headers: &HeaderMap) -> Sighting {
    let agent = headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    Sighting {
        device_type: line.device_type.clone(),
        user_agent: agent.unwrap_or_default().chars().take(USER_AGENT_LENGTH).collect(),
        protocol: version.to_string(),
    }
}

/// The policy key: the header's, else the base64 query's.
fn policy_key(line: &RequestLine, headers: &HeaderMap) -> Option<u32> {
    headers
        .get("x-ms-policykey")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.trim().parse().ok())
        .or(line.packed.and_then(|packed| packed.policy_key))
}
