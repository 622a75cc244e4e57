//! A connector's life: dial, serve, renew, and dial again (rules L2, L3).

use super::addresses::Addresses;
use super::backoff::{Backoff, random};
use super::budget::{Budget, Level};
use super::config::ConnectorConfig;
use super::door::{Door, Wire, in_time};
use super::edge::{Edge, EdgeService};
use super::identity::Identities;
use super::session::{Content, Order, Session, Told, Undying};
use super::upkeep::Upkeep;
use super::witness::Witness;
use crate::clock::now;
use crate::measured::Counts;
use crate::traffic::{Meter, Traffic};
use crate::wire::control::ToServer;
use crate::wire::hello::{Hello, Lane, Welcome};
use crate::{
    Configuration, Error, Identity, LinkTimes, Measured, Refusal, Refused, Result, Services, Used,
    tls, wire,
};
use dme_model::Timestamp;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

/// A connector asks again for a certificate it did not get after this long.
const RENEWAL_RETRY: Duration = Duration::from_secs(600);
/// How often it is looked at what the link has used.
const SETTLE: Duration = Duration::from_secs(60);
/// How often the server is told of it, unless there is a warning.
const TELL_USED: Duration = Duration::from_secs(3_600);
/// When to try again to tell the server what it does not listen to yet.
const TELL_AGAIN: Duration = Duration::from_secs(1);

/// What a connector is doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConnectorStatus {
    /// It tries to reach a server.
    Dialling,
    /// It serves.
    Linked {
        /// The address it reached the server at.
        server: String,
    },
    /// It is not to be linked now.
    Away {
        /// When it dials again.
        until: Timestamp,
    },
    /// It waits to dial again.
    Waiting {
        /// What went wrong, for people.
        reason: String,
    },
    /// It waits until the server takes it: locked, removed or unknown.
    Refused(Refused),
    /// It has ended.
    Stopped,
}

/// A connector: what it serves, and how it reaches its server.
pub struct Connector {
    config: ConnectorConfig,
    /// Those that the next link is made with.
    services: Mutex<Services>,
    undying: Undying,
    meter: Arc<Meter>,
    budget: Option<Mutex<Budget>>,
    identities: Identities,
    addresses: Addresses,
    status: watch::Sender<ConnectorStatus>,
}

/// The window in which a connector may be linked.
#[derive(Default)]
struct Window {
    open: bool,
    /// When it began, or the last one did.
    begun: Option<Instant>,
}

/// Hours are looked at again after this long: the clock may have been set.
const LONGEST_NAP: Duration = Duration::from_secs(600);

/// Waits until a moment, or for ever.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// What ended the waiting.
enum Next {
    Shutdown,
    /// The old link goes on until the new one stands.
    Replace,
    /// The old link is to end, and a new one to be dialled after this wait.
    Drain(Duration),
    /// The window is over.
    Away,
    /// The link is no more.
    Lost,
}

impl Connector {
    /// With the identity that enrolment left.
    ///
    /// # Errors
    /// When there is none, or it is damaged.
    pub fn new(config: ConnectorConfig, services: Services) -> Result<Self> {
        let identities = Identities::open(&config.identity)?;
        let status = watch::Sender::new(ConnectorStatus::Dialling);
        let budget = config.thrift.budget;
        let budget = budget.map(|limit| Budget::open(limit, &config.identity)).transpose()?;
        let services = Mutex::new(services);
        let addresses = Addresses::new(&config, identities.clone());
        let (mut undying, meter) = (Undying::new(Witness::new(identities.clone())), Arc::default());
        undying.link_times = config.windows.as_ref().map(LinkTimes::from);
        let budget = budget.map(Mutex::new);
        Ok(Self { config, services, undying, meter, budget, identities, addresses, status })
    }

    /// Which takes configurations from its server, and tells how it is.
    #[must_use]
    pub fn with_upkeep(mut self, upkeep: Arc<dyn Upkeep>) -> Self {
        self.undying.upkeep = Some(upkeep);
        self
    }

    /// Which is an edge: it serves phones near it from a store that replicates with its server's.
    #[must_use]
    pub fn with_edge(mut self, edge: Arc<dyn EdgeService>) -> Self {
        self.undying.edge = Some(Edge::new(edge, self.undying.tasks.clone()));
        self
    }

    /// Who it is.
    pub fn identities(&self) -> &Identities {
        &self.identities
    }

    /// What it is doing, as it changes.
    pub fn status(&self) -> watch::Receiver<ConnectorStatus> {
        self.status.subscribe()
    }

    /// What has crossed its links; the answer can be asked again and again.
    pub fn traffic(&self) -> impl Fn() -> Traffic + Send + Sync + 'static {
        let meter = self.meter.clone();
        move || meter.read()
    }

    /// Serves until the shutdown; then lets what runs end, within the limit.
    ///
    /// # Errors
    /// When the identity cannot be read or written any more. A server that cannot be reached, or
    /// refuses, is no error: it is tried again.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<()> {
        tokio::pin!(shutdown);
        let drains = TaskTracker::new();
        let ended = self.live(shutdown.as_mut(), &drains).await;
        drains.close();
        drains.wait().await;
        self.settle();
        let acts = &self.undying.tasks;
        acts.close();
        if tokio::time::timeout(self.config.drain_limit, acts.wait()).await.is_err() {
            warn!(left = acts.len(), "what was being sent did not end in time, and is cut off");
        }
        self.status.send_replace(ConnectorStatus::Stopped);
        ended
    }

    async fn live<S>(&self, mut shutdown: Pin<&mut S>, drains: &TaskTracker) -> Result<()>
    where
        S: Future<Output = ()> + Send,
    {
        let mut backoff = Backoff::new(self.config.backoff);
        let mut preferred: Vec<String> = Vec::new();
        let mut old: Option<Session> = None;
        let mut window = Window::default();
        loop {
            let away = self.away(&mut window);
            if !away.is_zero() {
                if let Some(old) = old.take() {
                    drains.spawn(old.drain());
                }
                let until = now().plus(away);
                info!(?until, "away until the next window");
                self.status.send_replace(ConnectorStatus::Away { until });
                tokio::select! {
                    () = tokio::time::sleep(away.min(LONGEST_NAP)) => continue,
                    () = &mut shutdown => return Ok(()),
                }
            }
            self.status.send_replace(ConnectorStatus::Dialling);
            let dialled = tokio::select! {
                dialled = self.dial(&preferred) => dialled,
                () = &mut shutdown => Err(None),
            };
            let wait = match dialled {
                Ok((mut session, server)) => {
                    if let Some(old) = old.take() {
                        drains.spawn(old.give_way(session.shared.clone()));
                    }
                    preferred.clear();
                    self.status.send_replace(ConnectorStatus::Linked { server });
                    let next = self.serve(&mut session, &mut shutdown, &mut preferred).await;
                    backoff.held(session.since.elapsed());
                    self.settle();
                    match next {
                        Next::Shutdown => {
                            drains.spawn(session.drain());
                            return Ok(());
                        }
                        Next::Replace => {
                            old = Some(session);
                            // A server that moves us on and on shall not keep us busy with it.
                            backoff.next(random())
                        }
                        Next::Drain(wait) => {
                            drains.spawn(session.drain());
                            wait.max(backoff.next(random()))
                        }
                        Next::Away => {
                            window.open = false;
                            let until = now().plus(self.away(&mut window));
                            let until_ms = until.as_millis();
                            if session.shared.tell(ToServer::Away { until_ms }) == Told::NotYet {
                                warn!("the server does not know when this connector is back");
                            }
                            drains.spawn(session.drain());
                            continue;
                        }
                        Next::Lost => backoff.next(random()),
                    }
                }
                Err(Some(Error::Refused(refused))) => {
                    let wait = self.refused(refused, &mut backoff);
                    preferred.clear();
                    wait
                }
                Err(Some(fatal @ (Error::File { .. } | Error::Damaged { .. }))) => {
                    return Err(fatal);
                }
                Err(Some(error)) => {
                    let wait = backoff.next(random());
                    warn!(%error, wait_ms = wait.as_millis(), "no link");
                    preferred.clear();
                    let reason = error.to_string();
                    self.status.send_replace(ConnectorStatus::Waiting { reason });
                    wait
                }
                Err(None) => {
                    if let Some(old) = old.take() {
                        drains.spawn(old.drain());
                    }
                    return Ok(());
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = &mut shutdown => {
                    if let Some(old) = old.take() {
                        drains.spawn(old.drain());
                    }
                    return Ok(());
                }
            }
        }
    }

    /// How long this connector has to stay away; nothing where it may be linked. A window that is
    /// due is open from here on.
    fn away(&self, window: &mut Window) -> Duration {
        let Some(windows) = &self.config.windows else { return Duration::ZERO };
        if window.open && !windows.is_over(now()) {
            return Duration::ZERO;
        }
        window.open = false;
        let last = window.begun.map(|begun| begun.elapsed());
        let wait = windows.until_begin(last, now());
        if wait.is_zero() {
            *window = Window { open: true, begun: Some(Instant::now()) };
        }
        wait
    }

    /// Says what the refusal means, and for how long to wait.
    fn refused(&self, refused: Refused, backoff: &mut Backoff) -> Duration {
        let told = refused.retry_after_ms.map(Duration::from_millis);
        let wait = match (told, refused.reason) {
            (Some(told), _) => told.min(self.config.backoff.longest).mul_f64(1.0 + random() / 4.0),
            (None, Refusal::Busy) => backoff.next(random()),
            (None, _) => self.config.backoff.longest,
        };
        match (refused.reason, self.identities.fingerprint()) {
            (Refusal::Locked, Ok(key)) => {
                info!(fingerprint = key.grouped(), "waiting for an administrator to unlock us");
            }
            _ => error!(%refused, wait_ms = wait.as_millis(), "the server refuses us"),
        }
        self.status.send_replace(ConnectorStatus::Refused(refused));
        wait
    }

    /// Serves a link until it ends, is to be drained or replaced, or the shutdown comes.
    async fn serve<S>(
        &self,
        session: &mut Session,
        shutdown: &mut Pin<&mut S>,
        preferred: &mut Vec<String>,
    ) -> Next
    where
        S: Future<Output = ()> + Send,
    {
        let mut renewal = Instant::now() + self.renewal_due();
        let mut settle = Instant::now();
        let hang_up = self.config.windows.as_ref().map(|windows| windows.left(now()));
        let hang_up = hang_up.map(|left| Instant::now() + left);
        let mut told_used: Option<Instant> = None;
        let (mut told_counts, mut tell_counts) = (None, Instant::now());
        loop {
            let order = tokio::select! {
                reason = &mut session.task => {
                    let reason = reason.unwrap_or_else(|error| error.to_string());
                    warn!(reason, "link lost");
                    self.status.send_replace(ConnectorStatus::Waiting { reason });
                    return Next::Lost;
                }
                order = session.orders.recv() => order,
                () = sleep_until(renewal) => {
                    renewal = Instant::now() + self.ask_for_certificate(session);
                    continue;
                }
                () = sleep_until(settle), if self.budget.is_some() => {
                    settle = Instant::now() + self.tell_used(session, &mut told_used);
                    continue;
                }
                () = sleep_until(tell_counts), if session.shared.services.counts.is_some() => {
                    tell_counts = Instant::now() + self.tell_counts(session, &mut told_counts);
                    continue;
                }
                () = until(hang_up) => return Next::Away,
                () = &mut *shutdown => return Next::Shutdown,
            };
            match order {
                Some(Order::Drain(drain)) => {
                    info!(after_ms = drain.after_ms, servers = ?drain.servers, "told to go");
                    let replaces = drain.replaces();
                    *preferred = drain.servers;
                    if replaces {
                        return Next::Replace;
                    }
                    let after = Duration::from_millis(drain.after_ms);
                    let after = after.min(self.config.backoff.longest);
                    let reason = "the server goes, and is to be asked again later".to_owned();
                    self.status.send_replace(ConnectorStatus::Waiting { reason });
                    return Next::Drain(after.mul_f64(1.0 + random()));
                }
                Some(Order::Certificate(chain)) => match self.identities.renewed(&chain) {
                    Ok(()) => {
                        info!("certificate renewed; making a new link with it");
                        return Next::Replace;
                    }
                    Err(error) => error!(%error, "the new certificate is of no use"),
                },
                Some(Order::RenewalRefused(refused)) => {
                    error!(%refused, "the server did not renew the certificate");
                }
                Some(Order::Rotate) => {
                    info!("told to take a new key");
                    renewal = Instant::now() + self.ask_for_certificate(session);
                }
                Some(Order::Configuration(configuration)) => {
                    if self.configure(session, configuration).await {
                        return Next::Replace;
                    }
                }
                // The session holds the sender.
                None => return Next::Lost,
            }
        }
    }

    /// Enters what the link has used, and warns where it is much. Answers it where there is a
    /// budget, and whether there was a warning.
    fn settle(&self) -> Option<(Used, bool)> {
        let mut budget = self.budget.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let risen = match budget.settle(self.meter.read().reckoned(), now()) {
            Ok(risen) => risen,
            Err(error) => {
                error!(%error, "what the link has used is not kept");
                None
            }
        };
        let used = budget.used();
        match risen {
            Some(Level::Over) => {
                warn!(used.bytes, used.budget, "the month's budget is used up; the link goes on");
            }
            Some(_) => warn!(used.bytes, used.budget, "four fifths of the month's budget are used"),
            None => {}
        }
        Some((used, risen.is_some()))
    }

    /// Enters what the link has used and tells the server, now and then; answers when to do so
    /// again.
    fn tell_used(&self, session: &Session, told: &mut Option<Instant>) -> Duration {
        let Some((used, warned)) = self.settle() else { return SETTLE };
        let due = told.is_none_or(|told| warned || told.elapsed() >= TELL_USED);
        if !due {
            return SETTLE;
        }
        match session.shared.tell(ToServer::Used(used)) {
            Told::Sent => {
                *told = Some(Instant::now());
                SETTLE
            }
            Told::NotYet => {
                *told = None;
                TELL_AGAIN
            }
        }
    }

    /// Tells the server of what was counted since it was last told, if anything was; answers when to
    /// do so again.
    fn tell_counts(&self, session: &Session, told: &mut Option<Vec<Measured>>) -> Duration {
        let every = self.config.thrift.counts;
        let Some(counting) = &session.shared.services.counts else { return every };
        let counts = counting.counts();
        let Some(news) = Counts::since(told.as_deref(), &counts) else { return every };
        match session.shared.tell(ToServer::Counts(news)) {
            Told::Sent => {
                *told = Some(counts);
                every
            }
            Told::NotYet => TELL_AGAIN,
        }
    }

    /// Takes a configuration; answers whether a link with other services is to be made.
    async fn configure(&self, session: &Session, configuration: Configuration) -> bool {
        let Some(upkeep) = &self.undying.upkeep else { return false };
        let version = configuration.version;
        match upkeep.configure(configuration).await {
            Some(services) => {
                info!(version, "configuration taken; making a new link with its services");
                *self.services.lock().unwrap_or_else(PoisonError::into_inner) = services;
                true
            }
            None => {
                let report = self.undying.report();
                report.map(|report| session.shared.tell(ToServer::Configured(report)));
                false
            }
        }
    }

    fn services(&self) -> Services {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn renewal_due(&self) -> Duration {
        self.identities.renewal_due(SystemTime::now()).unwrap_or_else(|error| {
            error!(%error, "the certificate cannot be read");
            RENEWAL_RETRY
        })
    }

    /// Asks for a certificate; answers when to ask again if none comes.
    fn ask_for_certificate(&self, session: &Session) -> Duration {
        match self.identities.renew() {
            Ok(request) => match session.shared.tell(ToServer::Renew { request }) {
                Told::Sent => RENEWAL_RETRY,
                Told::NotYet => Duration::from_secs(1),
            },
            Err(error) => {
                error!(%error, "no new key");
                RENEWAL_RETRY
            }
        }
    }

    /// Makes a link: tries each address with each identity. Without an error of ours there is
    /// always a reason in the answer.
    async fn dial(&self, preferred: &[String]) -> Result<(Session, String), Option<Error>> {
        let mut last = Error::Protocol("there is no server to dial".into());
        for address in preferred.iter().cloned().chain(self.addresses.in_order()) {
            match self.dial_address(&address).await {
                Ok(session) => return Ok((session, address)),
                Err(error) => last = error,
            }
        }
        Err(Some(last))
    }

    async fn dial_address(&self, address: &str) -> Result<Session> {
        let limit = self.config.dial_limit;
        let mut last = Error::NotEnrolled(self.config.identity.clone());
        for (which, identity) in self.identities.candidates()? {
            match in_time(limit, address, self.link(address, &identity)).await {
                Ok((calls, content, welcome)) => {
                    self.identities.accepted(which)?;
                    let packing = welcome.packing();
                    self.addresses.told(&welcome.servers, address);
                    let (server, name) = (welcome.software, welcome.name);
                    info!(address, server, connector = name, id = %welcome.connector, "linked");
                    let (services, undying) = (self.services(), self.undying.clone());
                    let meter = self.meter.clone();
                    let session = Session::begin(
                        calls,
                        content,
                        services,
                        undying,
                        meter,
                        packing,
                        &self.config,
                    );
                    return Ok(session);
                }
                // With the other key it may know us.
                Err(error @ Error::Refused(Refused { reason: Refusal::Unknown, .. })) => {
                    last = error;
                }
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// The connection for calls of a link, up to the server's welcome, and that for content or how it
    /// is made.
    async fn link(&self, address: &str, identity: &Identity) -> Result<(Wire, Content, Welcome)> {
        let tls = tls::link_client(self.identities.authority(), identity)?;
        let mut session = [0; 16];
        aws_lc_rs::rand::fill(&mut session)
            .map_err(|_| Error::Tls("the system gives no random numbers".into()))?;
        let session: String = session.iter().map(|byte| format!("{byte:02x}")).collect();
        let door = Door {
            address: address.to_owned(),
            proxy: self.config.proxy.clone(),
            congestion: self.config.thrift.congestion.clone(),
            tls,
            meter: self.meter.clone(),
            hello: self.hello(session),
            limit: self.config.dial_limit,
        };
        let (calls, welcome) = door.open(Lane::Calls).await?;
        let content = match welcome.bulk_on_demand {
            true => Content::OnDemand(Box::new(door)),
            false => Content::Standing(Box::new(door.open(Lane::Bulk).await?.0)),
        };
        Ok((calls, content, welcome))
    }

    fn hello(&self, session: String) -> Hello {
        let services = self.services();
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Hello {
            version: wire::VERSION,
            oldest_version: wire::OLDEST_VERSION,
            session,
            lane: Lane::Calls,
            software: crate::SOFTWARE.into(),
            keepalive_ms: ms(self.config.keepalive.interval),
            keepalive_timeout_ms: ms(self.config.keepalive.timeout),
            capabilities: services.capabilities(),
            realms: Some(services.realms),
            packing: self.config.thrift.packing.name().map(str::to_owned).into_iter().collect(),
            bulk_on_demand: self.config.content_on_demand,
            edge: self.undying.edge.is_some(),
        }
    }
}
