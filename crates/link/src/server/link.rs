//! One connector's link as the server holds it: a connection for calls with the control call on it, and
//! one for content while there is content.

use super::content::{Content, OnDemand};
use super::gate::Gate;
use super::half::{Half, Way};
use super::links::{Links, LinksConfig};
use super::registrar::Registrar;
use crate::traffic::Meter;
use crate::wire::body::{Outgoing, Records, pieces};
use crate::wire::call::{CONTROL, PATH};
use crate::wire::control::{self, ToConnector, ToServer};
use crate::wire::hello::{Hello, Lane};
use crate::{LinkTimes, Refusal, Refused, Segments, Used, Validity};
use bytes::Bytes;
use dme_model::{ConnectorId, Timestamp};
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Body;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// How often the round trip is measured, unless the keepalive is rarer still.
const ROUND_TRIP_INTERVAL: Duration = Duration::from_secs(60);
/// How long one connection of a link may outlive the other, or a link the one that took its place.
pub(super) const DRAIN_LIMIT: Duration = Duration::from_secs(60);
/// Control messages that may wait to be sent.
const CONTROL_QUEUE: usize = 16;

/// A link that stands.
pub(super) struct Link {
    pub id: ConnectorId,
    pub name: String,
    pub hello: Hello,
    pub peer: String,
    pub since: Timestamp,
    pub gate: Gate,
    /// Of this link and those before it.
    pub meter: Arc<Meter>,
    /// Of the certificate it came with.
    pub certificate: Option<Validity>,
    /// The addresses of its connections, here and there.
    sockets: Mutex<Vec<(SocketAddr, SocketAddr)>>,
    /// Cancelled when the link is given up, which ends every call on it.
    pub closed: CancellationToken,
    /// Why it was given up, where that was not our will.
    lost: OnceLock<String>,
    calls: Way,
    content: Content,
    control: mpsc::Sender<Box<ToConnector>>,
    draining: AtomicBool,
    /// In microseconds; 0 while not measured.
    round_trip: AtomicU64,
    segments: Mutex<Option<Segments>>,
    used: Mutex<Option<Used>>,
    away: Mutex<Option<Timestamp>>,
    times: Mutex<Option<Option<LinkTimes>>>,
}

/// A connection that requests can be sent on.
pub(super) type Opening = SendRequest<Bytes>;

/// Messages on their way to the connector; in boxes, because a queue has room for 32 from the beginning.
pub(super) type ControlQueue = mpsc::Receiver<Box<ToConnector>>;

impl Link {
    #[expect(clippy::too_many_arguments, reason = "the one place where a link is put together")]
    pub(super) fn new(
        id: ConnectorId,
        name: String,
        hello: Hello,
        peer: String,
        since: Timestamp,
        meter: Arc<Meter>,
        limits: &LinksConfig,
        calls: &Half,
        bulk: Option<&Half>,
    ) -> (Self, ControlQueue) {
        let (control, queue) = mpsc::channel(CONTROL_QUEUE);
        let content = match bulk {
            Some(bulk) => Content::Standing(bulk.way.clone()),
            None => Content::OnDemand(OnDemand::new(control.clone(), limits.pairing_limit)),
        };
        let sockets = [Some(calls), bulk].into_iter().flatten().filter_map(|half| half.socket);
        let link = Self {
            id,
            name,
            hello,
            peer,
            since,
            gate: Gate::new(*limits),
            meter,
            certificate: calls.certificate,
            sockets: Mutex::new(sockets.collect()),
            closed: CancellationToken::new(),
            lost: OnceLock::new(),
            calls: calls.way.clone(),
            content,
            control,
            draining: AtomicBool::new(false),
            round_trip: AtomicU64::new(0),
            segments: Mutex::default(),
            used: Mutex::default(),
            away: Mutex::default(),
            times: Mutex::default(),
        };
        (link, queue)
    }

    /// Whether new work should go elsewhere.
    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The round trip as last measured.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        match self.round_trip.load(Ordering::Relaxed) {
            0 => None,
            micros => Some(Duration::from_micros(micros)),
        }
    }

    /// What was sent over it, and again, when that was last looked at.
    pub(super) fn segments(&self) -> Option<Segments> {
        *self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_segments(&self) {
        let sockets = self.sockets().clone();
        let each = sockets.into_iter().map(|(own, peer)| Segments::of(own, peer));
        match each.collect::<std::io::Result<Vec<_>>>() {
            Ok(counted) if counted.is_empty() => {}
            Ok(counted) => {
                let all = counted.into_iter().fold(Segments::default(), Segments::and);
                *self.segments.lock().unwrap_or_else(PoisonError::into_inner) = Some(all);
            }
            Err(error) => debug!(connector = self.name, %error, "segments are not counted"),
        }
    }

    /// What the connector last said of its budget.
    pub(super) fn used(&self) -> Option<Used> {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the connector will be back, where it said that it hangs up.
    pub(super) fn away_until(&self) -> Option<Timestamp> {
        *self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the connector is linked, where it said so on this link; nothing in there if always.
    pub(super) fn times(&self) -> Option<Option<LinkTimes>> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells the connector something about the link; a connector that does not listen is not
    /// waited for.
    pub(super) fn tell(&self, message: ToConnector) {
        // One that is only to be replaced is served until the other stands, whose address may answer
        // late or not at all.
        if matches!(&message, ToConnector::Drain(drain) if !drain.replaces()) {
            self.drains();
        }
        if self.control.try_send(Box::new(message)).is_err() {
            debug!(connector = self.name, "control message not sent: the link is full or gone");
        }
    }

    /// The connection of a lane, as soon as it is there and takes a request.
    pub(super) async fn open(&self, lane: Lane) -> Result<Opening, SendError> {
        let opened = async {
            let opened = match (lane, &self.content) {
                (Lane::Calls, _) => self.calls.open().await,
                (Lane::Bulk, Content::Standing(way)) => way.open().await,
                (Lane::Bulk, Content::OnDemand(content)) => match content.way().await {
                    Some(way) => way.open().await,
                    None => None,
                },
            };
            // One on which the connector has said farewell is still there while something runs on it,
            // and takes nothing more.
            Ok(opened.ok_or(SendError::Closed)?.ready().await?)
        };
        tokio::select! {
            biased;
            opened = opened => opened,
            () = self.closed.cancelled() => Err(SendError::Closed),
        }
    }

    /// Has the connection for content made before somebody wants it.
    pub(super) fn content_soon(&self) {
        if let Content::OnDemand(content) = &self.content {
            content.wanted_soon();
        }
    }

    /// Keeps a connection for content that was asked for, until it ends.
    pub(super) async fn carry(&self, half: Box<Half>) {
        if let Content::OnDemand(content) = &self.content {
            content.carry(self, half).await;
        }
    }

    /// One of its connections was lost: half a link is none.
    pub(super) fn give_up(&self, reason: String) {
        let _ = self.lost.set(reason);
        self.closed.cancel();
    }

    /// New work should go elsewhere.
    pub(super) fn drains(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(super) fn sockets(&self) -> MutexGuard<'_, Vec<(SocketAddr, SocketAddr)>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request over a connection of this link.
    pub(super) async fn send(
        &self,
        connection: Opening,
        name: &str,
        body: Outgoing,
    ) -> Result<Records, SendError> {
        let counter = self.meter.call(name);
        let mut body = body.counted(counter.clone());
        let answer = async {
            let (answer, mut stream) = begin(connection, name).await?;
            // All of it is there already, and waits in the connection no longer than it would here.
            while let Some(Ok(piece)) = body.frame().await {
                let data = piece.into_data().unwrap_or_default();
                stream.send_data(data, body.is_end_stream())?;
            }
            Ok::<_, SendError>(answer.await?)
        };
        let response = tokio::select! {
            // An answer that came with the link's orderly end is still an answer.
            biased;
            response = answer => response?,
            () = self.closed.cancelled() => return Err(SendError::Closed),
        };
        Ok(Records::of_answer(body_of(response)?, counter))
    }

    /// Keeps the control call until the link ends.
    pub(super) async fn control(&self, links: &Links, mut queue: ControlQueue) {
        let registrar = links.registrar();
        // Boxed, as what comes seldom below, so that a link that lasts does not keep their room.
        let begun = Box::pin(async {
            let (answer, stream) = begin(self.open(Lane::Calls).await?, CONTROL).await?;
            Ok::<_, SendError>((body_of(answer.await?)?, stream))
        });
        let (answer, mut stream) = match begun.await {
            Ok(begun) => begun,
            Err(error) => return warn!(connector = self.name, %error, "no control call"),
        };
        let counter = self.meter.call(CONTROL);
        let mut records = Records::of_answer(answer, counter.clone());
        let interval = ROUND_TRIP_INTERVAL.max(self.hello.keepalive().0);
        let mut ticks = tokio::time::interval(interval);
        let mut ping = (0_u64, Instant::now());
        loop {
            let record = tokio::select! {
                record = records.next() => record,
                Some(message) = queue.recv() => {
                    for piece in pieces(&message, []).unwrap_or_default() {
                        counter.sent(piece.len());
                        if stream.send_data(piece, false).is_err() {
                            return;
                        }
                    }
                    continue;
                }
                _ = ticks.tick() => {
                    self.count_segments();
                    ping = (ping.0.wrapping_add(1), Instant::now());
                    self.tell(ToConnector::Ping { number: ping.0 });
                    continue;
                }
            };
            let Ok(Some(record)) = record else { return };
            match control::parse(&record) {
                Some(ToServer::Pong { number }) if number == ping.0 => {
                    let micros = u64::try_from(ping.1.elapsed().as_micros()).unwrap_or(u64::MAX);
                    self.round_trip.store(micros.max(1), Ordering::Relaxed);
                }
                Some(ToServer::Renew { request }) => {
                    let answer = Box::pin(self.renew(registrar, &request)).await;
                    self.tell(answer);
                }
                Some(ToServer::Draining {}) => self.connector_goes(),
                Some(ToServer::Away { until_ms }) => {
                    let until = Timestamp::from_millis(until_ms);
                    self.connector_goes();
                    *self.away.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
                }
                Some(ToServer::Used(used)) => {
                    if used.bytes >= used.budget {
                        let Used { bytes, budget } = used;
                        warn!(connector = self.name, bytes, budget, "over its budget");
                    }
                    *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Some(used);
                }
                Some(ToServer::Counts(counts)) => self.meter.counted(counts),
                Some(ToServer::News {}) if self.hello.edge => links.news(&self.id),
                Some(ToServer::Configured(report)) => {
                    let report = report.bounded();
                    let times = report.link_times.clone();
                    *self.times.lock().unwrap_or_else(PoisonError::into_inner) = Some(times);
                    match Box::pin(registrar.configured(&self.id, report)).await {
                        Ok(None) => {}
                        Ok(Some(wanted)) => self.tell(ToConnector::Configuration(wanted)),
                        Err(error) => warn!(connector = self.name, %error, "report not kept"),
                    }
                }
                Some(ToServer::Pong { .. } | ToServer::News {}) | None => {}
            }
        }
    }

    fn connector_goes(&self) {
        self.drains();
        if let Content::OnDemand(content) = &self.content {
            content.connector_goes();
        }
    }

    async fn renew(&self, registrar: &Registrar, request: &str) -> ToConnector {
        match registrar.renew(&self.id, request).await {
            Ok(certificate) => ToConnector::Certificate { certificate },
            Err(error) => {
                warn!(connector = self.name, %error, "certificate not renewed");
                let refused = Refused::because(Refusal::Invalid, error.to_string());
                ToConnector::RenewalRefused(refused)
            }
        }
    }
}

/// Begins a request.
async fn begin(
    connection: Opening,
    name: &str,
) -> Result<(ResponseFuture, SendStream<Bytes>), SendError> {
    let request = Request::post(format!("http://connector{PATH}{name}"))
        .body(())
        .map_err(|error| SendError::Answer(error.to_string()))?;
    Ok(connection.ready().await?.send_request(request, false)?)
}

/// What a connector answered, if it did.
fn body_of(response: Response<RecvStream>) -> Result<RecvStream, SendError> {
    match response.status() {
        StatusCode::OK => Ok(response.into_body()),
        StatusCode::NOT_FOUND => Err(SendError::Unsupported),
        status => Err(SendError::Answer(format!("http status {status}"))),
    }
}

/// Why no answer came to a request.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// The connection broke.
    #[error("the line to the connector broke: {0}")]
    Lost(#[from] h2::Error),
    /// We gave the link up.
    #[error("the link was closed")]
    Closed,
    /// The connector does not know the call.
    #[error("the connector's release does not know this call")]
    Unsupported,
    /// The answer is none.
    #[error("{0}")]
    Answer(String),
}

/// Waits until a link ends, with the connection for content where that came with it; answers why.
pub(super) async fn until_lost(link: &Link, calls: &mut Half, bulk: Option<&mut Half>) -> String {
    let closed = || link.lost.get().cloned().unwrap_or_else(|| "closed by the server".into());
    let (ended, rest) = match bulk {
        Some(bulk) => tokio::select! {
            ended = &mut calls.driver => (ended, Some(bulk)),
            ended = &mut bulk.driver => (ended, Some(calls)),
            () = link.closed.cancelled() => return closed(),
        },
        None => tokio::select! {
            ended = &mut calls.driver => (ended, None),
            () = link.closed.cancelled() => return closed(),
        },
    };
    match ended {
        Err(error) if !link.is_draining() => return error,
        _ => {}
    }
    // An orderly end: the connector drains, and what runs on the other connection may end first.
    link.drains();
    let rest_ended = async {
        match (rest, &link.content) {
            (Some(rest), _) if !rest.way.is_idle() => (&mut rest.driver).await,
            (None, Content::OnDemand(content)) => {
                content.ended().await;
                Ok(())
            }
            _ => Ok(()),
        }
    };
    tokio::select! {
        ended = tokio::time::timeout(DRAIN_LIMIT, rest_ended) => match ended {
            Ok(Ok(())) => "closed by the connector".into(),
            Ok(Err(error)) => error,
            Err(_) => "half closed by the connector".into(),
        },
        () = link.closed.cancelled() => closed(),
    }
}
