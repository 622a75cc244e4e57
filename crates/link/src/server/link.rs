//! One connector's link as the server holds it: two HTTP/2 connections and a control call.

use super::gate::Gate;
use super::half::{Half, Way};
use super::registrar::Registrar;
use crate::h2::words;
use crate::traffic::Meter;
use crate::wire::body::{Outgoing, Records, pieces};
use crate::wire::call::{CONTROL, PATH};
use crate::wire::control::{self, ToConnector, ToServer};
use crate::wire::hello::{Hello, Lane};
use crate::{LinkTimes, Refusal, Refused, Segments, Used, Validity};
use dme_model::{ConnectorId, Timestamp};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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
    /// The addresses of its two connections, here and there.
    pub sockets: Vec<(SocketAddr, SocketAddr)>,
    /// Cancelled when the link is given up, which ends every call on it.
    pub closed: CancellationToken,
    calls: Way,
    bulk: Way,
    control: mpsc::Sender<ToConnector>,
    draining: AtomicBool,
    /// In microseconds; 0 while not measured.
    round_trip: AtomicU64,
    segments: Mutex<Option<Segments>>,
    used: Mutex<Option<Used>>,
    away: Mutex<Option<Timestamp>>,
    times: Mutex<Option<Option<LinkTimes>>>,
}

/// Messages on their way to the connector.
pub(super) type ControlQueue = mpsc::Receiver<ToConnector>;

impl Link {
    #[expect(clippy::too_many_arguments, reason = "the one place where a link is put together")]
    pub(super) fn new(
        id: ConnectorId,
        name: String,
        hello: Hello,
        peer: String,
        since: Timestamp,
        gate: Gate,
        meter: Arc<Meter>,
        closed: CancellationToken,
        calls: Way,
        bulk: Way,
    ) -> (Self, ControlQueue) {
        let (control, queue) = mpsc::channel(CONTROL_QUEUE);
        let link = Self {
            id,
            name,
            hello,
            peer,
            since,
            gate,
            meter,
            certificate: None,
            sockets: Vec::new(),
            closed,
            calls,
            bulk,
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
        let each = self.sockets.iter().map(|(own, peer)| Segments::of(*own, *peer));
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
        if matches!(message, ToConnector::Drain(_)) {
            self.draining.store(true, Ordering::Relaxed);
        }
        if self.control.try_send(message).is_err() {
            debug!(connector = self.name, "control message not sent: the link is full or gone");
        }
    }

    /// Sends a request.
    pub(super) async fn send(
        &self,
        lane: Lane,
        name: &str,
        body: Outgoing,
    ) -> Result<Records, SendError> {
        let counter = self.meter.call(name);
        let request = Request::post(format!("http://connector{PATH}{name}"))
            .body(body.counted(counter.clone()))
            .map_err(|error| SendError::Answer(error.to_string()))?;
        let way = match lane {
            Lane::Calls => &self.calls,
            Lane::Bulk => &self.bulk,
        };
        let answer = async {
            let mut connection = way.open().await.ok_or(SendError::Closed)?;
            connection.send_request(request).await.map_err(SendError::Lost)
        };
        let response: Response<Incoming> = tokio::select! {
            // An answer that came with the link's orderly end is still an answer.
            biased;
            response = answer => response?,
            () = self.closed.cancelled() => return Err(SendError::Closed),
        };
        match response.status() {
            StatusCode::OK => Ok(Records::new(response.into_body(), counter)),
            StatusCode::NOT_FOUND => Err(SendError::Unsupported),
            status => Err(SendError::Answer(format!("http status {status}"))),
        }
    }

    /// Keeps the control call until the link ends.
    pub(super) async fn control(&self, registrar: &Registrar, queue: ControlQueue) {
        let messages = futures_util::stream::unfold(queue, async |mut queue| {
            let message = queue.recv().await?;
            Some((pieces(&message, []).unwrap_or_default(), queue))
        });
        // Boxed, as what comes seldom below, so that a link that lasts does not keep their room.
        let control = Box::pin(self.send(Lane::Calls, CONTROL, Outgoing::stream(messages)));
        let mut records = match control.await {
            Ok(records) => records,
            Err(error) => return warn!(connector = self.name, %error, "no control call"),
        };
        let interval = ROUND_TRIP_INTERVAL.max(self.hello.keepalive().0);
        let mut ticks = tokio::time::interval(interval);
        let mut ping = (0_u64, Instant::now());
        loop {
            let record = tokio::select! {
                record = records.next() => record,
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
                Some(ToServer::Draining {}) => self.draining.store(true, Ordering::Relaxed),
                Some(ToServer::Away { until_ms }) => {
                    let until = Timestamp::from_millis(until_ms);
                    self.draining.store(true, Ordering::Relaxed);
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
                Some(ToServer::Pong { .. }) | None => {}
            }
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

/// Why no answer came to a request.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// The connection broke.
    #[error("the line to the connector broke: {}", words(.0))]
    Lost(hyper::Error),
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

/// Waits until a link ends; answers why.
pub(super) async fn until_lost(link: &Link, one: &mut Half, other: &mut Half) -> String {
    let (ended, rest) = tokio::select! {
        ended = &mut one.driver => (ended, other),
        ended = &mut other.driver => (ended, one),
        () = link.closed.cancelled() => return "closed by the server".into(),
    };
    match ended {
        Err(error) if !link.is_draining() => return error,
        _ => {}
    }
    // An orderly end: the connector drains, and what runs on the other connection may end first.
    link.draining.store(true, Ordering::Relaxed);
    if rest.way.is_idle() {
        return "closed by the connector".into();
    }
    tokio::select! {
        ended = tokio::time::timeout(DRAIN_LIMIT, &mut rest.driver) => match ended {
            Ok(Ok(())) => "closed by the connector".into(),
            Ok(Err(error)) => error,
            Err(_) => "half closed by the connector".into(),
        },
        () = link.closed.cancelled() => "closed by the server".into(),
    }
}
