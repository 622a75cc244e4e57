//! One link as the connector holds it: its connections are served until they end or are drained.

use super::acts::Acts;
use super::config::{BulkHours, ConnectorConfig};
use super::door::{Door, Wire};
use super::edge::Edge;
use super::gather::Beats;
use super::serve;
use super::upkeep::Upkeep;
use super::witness::Witness;
use crate::h2::{Executor, Pulse};
use crate::traffic::Meter;
use crate::wire::control::{Drain, ToServer};
use crate::wire::hello::Lane;
use crate::{
    Configuration, ConfigurationReport, Error, LinkTimes, Packing, Refusal, Refused, Services,
};
use dme_mailbox::Submitted;
use dme_model::ItemId;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::{debug, warn};

/// What the handlers of a link share.
pub(super) struct Shared {
    pub services: Services,
    /// What is not cancelled when the link is lost.
    pub undying: Undying,
    pub meter: Arc<Meter>,
    /// How records are packed.
    pub packing: Packing,
    /// When changes are told; each at once where not set.
    pub beats: Option<Beats>,
    /// When large content may cross.
    pub bulk: Option<BulkHours>,
    /// What the server orders.
    pub orders: mpsc::Sender<Order>,
    /// Told when the server asks for the connection for content.
    pub content_wanted: Notify,
    /// Cancelled when the link is to end: whatever would last for ever ends then.
    pub ending: CancellationToken,
    /// Where to tell the server something, once it listens.
    teller: Mutex<Option<mpsc::Sender<ToServer>>>,
    /// Cancelled when it listens for the first time: it has taken the link into use.
    in_use: CancellationToken,
}

/// What outlives a link; one set for all links of a connector.
#[derive(Clone)]
pub(super) struct Undying {
    pub sending: Arc<Acts<Submitted>>,
    pub saving: Arc<Acts<ItemId>>,
    pub tasks: TaskTracker,
    pub witness: Arc<Witness>,
    /// Where the connector has any.
    pub upkeep: Option<Arc<dyn Upkeep>>,
    /// Where the connector is one.
    pub edge: Option<Edge>,
    /// When the connector is linked; always where not set.
    pub link_times: Option<LinkTimes>,
}

impl Undying {
    pub(super) fn new(witness: Witness) -> Self {
        let tasks = TaskTracker::new();
        Self {
            sending: Arc::new(Acts::new(tasks.clone(), KEEP_SENT, |sent: &Submitted| {
                !sent.unfinished
            })),
            // A draft that was saved is found by its key, and may have been deleted since.
            saving: Arc::new(Acts::new(tasks.clone(), Duration::ZERO, |_| true)),
            tasks,
            witness: Arc::new(witness),
            upkeep: None,
            edge: None,
            link_times: None,
        }
    }

    /// What the server is told of the connector's configuration; nothing where it has no upkeep.
    pub(super) fn report(&self) -> Option<ConfigurationReport> {
        let report = self.upkeep.as_ref()?.report();
        Some(ConfigurationReport { link_times: self.link_times.clone(), ..report })
    }
}

/// What the server orders.
#[derive(Debug)]
pub(super) enum Order {
    Drain(Drain),
    Certificate(String),
    RenewalRefused(Refused),
    Rotate,
    Configuration(Configuration),
}

impl Shared {
    /// The server listens here from now on.
    pub(super) fn listened(&self, teller: mpsc::Sender<ToServer>) {
        *self.teller.lock().unwrap_or_else(PoisonError::into_inner) = Some(teller);
        self.in_use.cancel();
    }

    /// Tells the server something, if it listens.
    pub(super) fn tell(&self, message: ToServer) -> Told {
        let teller = self.teller.lock().unwrap_or_else(PoisonError::into_inner);
        match teller.as_ref().is_some_and(|teller| teller.try_send(message).is_ok()) {
            true => Told::Sent,
            false => Told::NotYet,
        }
    }
}

/// Whether the server was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    Sent,
    NotYet,
}

/// A link that stands.
pub(super) struct Session {
    pub shared: Arc<Shared>,
    pub orders: mpsc::Receiver<Order>,
    /// Ends when the link does, with the reason; and the link ends with it.
    pub task: AbortOnDropHandle<String>,
    pub since: Instant,
    drain_limit: Duration,
}

/// How long it is known here that a message was sent: phones try again within minutes.
const KEEP_SENT: Duration = Duration::from_secs(15 * 60);
/// Orders that may wait.
const ORDERS: usize = 16;

/// A link's connection for content.
pub(super) enum Content {
    /// It was made with the link, for a server that does not ask for it, and lasts as long.
    Standing(Box<Wire>),
    /// It is made here when the server asks, which may let go of it again.
    OnDemand(Box<Door>),
}

impl Session {
    /// Serves the connections of a link.
    pub(super) fn begin(
        calls: Wire,
        content: Content,
        services: Services,
        undying: Undying,
        meter: Arc<Meter>,
        packing: Packing,
        config: &ConnectorConfig,
    ) -> Self {
        let (sender, orders) = mpsc::channel(ORDERS);
        let shared = Arc::new(Shared {
            services,
            undying,
            meter,
            packing,
            beats: Beats::every(config.thrift.gather),
            bulk: config.thrift.bulk.clone(),
            orders: sender,
            content_wanted: Notify::new(),
            ending: CancellationToken::new(),
            teller: Mutex::default(),
            in_use: CancellationToken::new(),
        });
        let keepalive = config.keepalive;
        let pulse = Pulse { interval: keepalive.interval, timeout: keepalive.timeout };
        let task = tokio::spawn(run(calls, content, shared.clone(), pulse));
        let task = AbortOnDropHandle::new(task);
        let drain_limit = config.drain_limit;
        Self { shared, orders, task, since: Instant::now(), drain_limit }
    }

    /// Gives its place to another link, and drains: not before the server has taken that one into
    /// use, for until then it begins what is new here.
    pub(super) async fn give_way(self, to: Arc<Shared>) {
        let taken = async {
            tokio::select! {
                () = to.in_use.cancelled() => {}
                () = to.ending.cancelled() => {}
            }
        };
        // A server that welcomes a link and does not use it has lost it.
        let _ = tokio::time::timeout(self.drain_limit, taken).await;
        self.drain().await;
    }

    /// Lets what runs end, within the limit, and nothing new begin.
    pub(super) async fn drain(mut self) {
        self.shared.ending.cancel();
        if tokio::time::timeout(self.drain_limit, &mut self.task).await.is_err() {
            warn!("what ran on the link did not end in time, and is cut off");
        }
    }
}

/// Serves the connections of a link, until that for calls ends, or that for content is lost: half a link
/// is none.
async fn run(calls: Wire, content: Content, shared: Arc<Shared>, pulse: Pulse) -> String {
    let closed = CancellationToken::new();
    let _close_at_end = closed.clone().drop_guard();
    let connection = |io: Wire| {
        let (shared, executor) = (shared.clone(), Executor::new(closed.clone()));
        async move {
            let handlers = shared.clone();
            // Boxed, so that a stream that lasts does not keep the room its beginning needed.
            let service =
                service_fn(move |request| Box::pin(serve::answer(handlers.clone(), request)));
            let serving = crate::h2::server(executor, pulse);
            let mut serving = pin!(serving.serve_connection(TokioIo::new(io), service));
            tokio::select! {
                ended = &mut serving => return ended,
                () = shared.ending.cancelled() => {}
            }
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    let is_draining = || shared.ending.is_cancelled();
    // More than one where the server has asked anew while something still runs on the one before.
    let mut contents = FuturesUnordered::new();
    let door = match content {
        Content::Standing(io) => {
            contents.push(connection(*io));
            None
        }
        Content::OnDemand(door) => Some(door),
    };
    let mut calls = pin!(connection(calls));
    let mut dialling = FuturesUnordered::new();
    let ended = loop {
        tokio::select! {
            ended = &mut calls => {
                // Drained: each ends in its own time, and who hangs up first is no matter.
                while is_draining() && contents.next().await.is_some() {}
                break ended;
            }
            Some(ended) = contents.next() => match (ended, &door) {
                _ if is_draining() => {}
                (Ok(()), Some(_)) => debug!("the server let go of the connection for content"),
                (ended, _) => break ended,
            },
            () = shared.content_wanted.notified() => {
                let door = door.as_ref().filter(|_| dialling.is_empty() && !is_draining());
                dialling.extend(door.map(|door| door.open_in_time(Lane::Bulk)));
            }
            Some(dialled) = dialling.next() => match dialled {
                Ok((io, _)) => contents.push(connection(io)),
                _ if is_draining() => {}
                // The server asks again while somebody wants it.
                Err(Error::Refused(refused)) if refused.reason == Refusal::Busy => {
                    debug!(%refused, "no connection for content now");
                }
                Err(error) => return format!("no connection for content: {error}"),
            },
        }
    };
    match ended {
        Ok(()) => "the server closed it".to_owned(),
        Err(error) => crate::h2::words(&error),
    }
}
