//! The server as a whole: what is opened, what runs, and how it ends.

use crate::admissions::Admissions;
use crate::bearers::Bearers;
use crate::behaviours::Behaviours;
use crate::client_address::TrustedProxies;
use crate::clock::now;
use crate::config::{ServerConfig, WhileAway};
use crate::connector_orders::ConnectorOrders;
use crate::connectors::{Connectors, Limits};
use crate::emergency::Emergency;
use crate::front::bodies::Bodies;
use crate::front::{Clock, Front};
use crate::home_zone::home_zone;
use crate::host::Host;
use crate::listener::{self, Security, Transport};
use crate::membership::GateMembership;
use crate::metrics::Metrics;
use crate::notices::Notices;
use crate::outbox::Outbox;
use crate::own::Own;
use crate::pace::Pace;
use crate::parking::Parking;
use crate::policies::Policies;
use crate::private_files::private_directory;
use crate::quarantine::Quarantine;
use crate::realm::RealmDirectory;
use crate::records::audit::Audit;
use crate::records::events::{Events, Unwritten};
use crate::records::statistics::Statistics;
use crate::records::webhooks::Webhooks;
use crate::records::{Lookout, Witnesses, expire, look_out};
use crate::router::Router;
use crate::seal::{OUTBOX, SECOND_FACTORS, Seal};
use crate::second_factor::SecondFactors;
use crate::self_made::{certificate_files, keep_self_made};
use crate::site::{Answer, Parts, Site, SiteBody, is_own, whole};
use crate::tls::{ReloadingCertificate, TlsError, phones};
use crate::watch::{RoutedWatches, WatchTimes, Watches, reroute};
use crate::wipes::Wipes;
use dme_directory::{Gate, RealmSetup};
use dme_link::{Authority, ConnectorBook, LinkEvent, Links, ListenConfig, Registrar, Services};
use dme_model::{ConnectorId, Function, Realm};
use dme_store::{OutboxLimits, Store};
use dme_sync::{Engine, StateStore};
use futures_util::FutureExt;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The in-process connector's id and name.
const EMBEDDED: &str = "embedded";
/// The directories are not read more often than this for connectors that come.
const REFRESH_PAUSE: Duration = Duration::from_secs(1);
/// How often the connectors are counted though nothing was heard of a link.
const COUNT_EVERY: Duration = Duration::from_secs(60);
/// How long an expired token is remembered.
const TOKENS_KEPT: Duration = Duration::from_secs(7 * 86_400);
/// How long a phone's certificate is remembered that has ended.
const CERTIFICATES_KEPT: Duration = Duration::from_secs(365 * 86_400);
/// How long the journal of sent messages is kept.
const JOURNAL_LIFE: Duration = Duration::from_secs(7 * 86_400);

/// Requests for the users' own page from one address at once, and in a minute: a whole office may
/// be behind one.
const PAGES_AT_ONCE: usize = 16;
const PAGES_PER_MINUTE: u32 = 600;

/// Why a server cannot start. Each says which setting to mend.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory cannot be used.
    #[error("cannot use the directory {path}: {reason}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// A file in it cannot be read or written.
    #[error("cannot use the file {path}: {reason}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The database cannot be used.
    #[error("cannot open the database")]
    Store(#[from] dme_store::Error),
    /// The authority cannot be used.
    #[error("cannot open the server's certificate authority")]
    Authority(#[from] dme_link::Error),
    /// The phones' certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({setting}): {reason}")]
    Listen {
        /// Which setting.
        setting: &'static str,
        /// Which address.
        address: SocketAddr,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The settings contradict each other.
    #[error("{0}")]
    Settings(String),
}

/// A running server.
pub struct Server {
    /// Where phones connect.
    pub phones: SocketAddr,
    /// Where administrators connect.
    pub admin: SocketAddr,
    /// Where connectors connect.
    pub links: Option<SocketAddr>,
    /// The server's authority, in PEM, for phones that must trust a self-made certificate.
    pub authority: String,
    front: Arc<Front>,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Cancelled when nothing more happens that is to be kept.
    quiet: CancellationToken,
    records: TaskTracker,
}

impl Server {
    /// Opens everything and begins to serve. `embedded` is the connector in this process, if any;
    /// `site` makes what people see of the server's parts.
    ///
    /// # Errors
    /// Whatever keeps it from serving, with the setting to mend.
    pub async fn start(
        config: ServerConfig,
        embedded: Option<Services>,
        site: impl FnOnce(Parts) -> Result<Arc<dyn Site>, StartError>,
    ) -> Result<Self, StartError> {
        check(&config)?;
        private_directory(&config.directory)?;
        let store = config.database().open().await?;
        let authority = Arc::new(Authority::open(&config.directory.join("authority"))?);
        let shared: Arc<Store> = Arc::new(store.clone());
        warn_of_strangers(&config, &*shared).await?;
        let registrar = Registrar::new(authority.clone(), shared.clone(), shared.clone())
            .configurations(shared.clone())
            .certificate_life(config.links.certificate_life.0);
        let links = Links::new(
            Arc::new(registrar),
            dme_link::LinksConfig {
                parallel: config.links.parallel_calls,
                per_user: config.links.calls_per_user,
                queued: config.links.queued_calls,
                parallel_fetches: config.links.parallel_fetches,
                watches: config.links.watches,
                ..dme_link::LinksConfig::default()
            },
        );
        if let Some(services) = embedded {
            links.attach_local(ConnectorId::from(EMBEDDED), EMBEDDED, services);
        }
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let outbox = outbox(&config, &store).await?;
        let clock: Clock = Arc::new(now);
        let (events, unwritten) = Events::new(store.clone(), clock.clone());
        let front = front(
            &config,
            store,
            shared,
            &links,
            outbox,
            authority.clone(),
            events,
            clock,
            stop.clone(),
        )
        .await?;
        let front = Arc::new(front);
        if let Err(error) = links.recall().await {
            tracing::warn!(%error, "which connectors are off hours is not known until they link");
        }
        front.connectors.begin().await?;
        let mut server = Self {
            phones: config.phones.listen,
            admin: config.admin.listen,
            links: None,
            authority: authority.certificate_pem().to_owned(),
            front,
            stop,
            tasks,
            quiet: CancellationToken::new(),
            records: TaskTracker::new(),
        };
        server.listen_links(&config, &links).await?;
        // A device that was let in before has attempts of its own from the start.
        for device in server.front.store.devices(None).await? {
            server.front.gate.know(&device.key.user, &device.key.device);
        }
        let certificate = server.certificate(&config, &authority)?;
        let site = site(server.parts(&config, links.clone(), certificate.clone())?)?;
        server.listen_admin(&config, site.clone()).await?;
        server.listen_phones(&config, certificate, site).await?;
        server.keep(&links);
        server.keep_records(&config, links, authority, unwritten);
        Ok(server)
    }

    /// Waits until at least this many phones are parked; none where they are not in time.
    pub async fn parked(&self, phones: usize, limit: Duration) -> Option<()> {
        self.front.metrics.parked_at_least(phones, limit).await
    }

    /// Ends it: parked phones are released, running requests are answered, links are drained.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        // What a phone began that has hung up since.
        self.front.metrics.none_served(self.front.times.shutdown.0).await;
        self.front.watches.end_all();
        self.quiet.cancel();
        self.records.close();
        self.records.wait().await;
    }

    /// The phones' certificate, which follows its files; none where a proxy ends their TLS.
    fn certificate(
        &self,
        config: &ServerConfig,
        authority: &Arc<Authority>,
    ) -> Result<Option<Arc<ReloadingCertificate>>, StartError> {
        if config.phones.plain_http {
            return Ok(None);
        }
        let (certificate, key) = certificate_files(config, authority)?;
        let certificate = ReloadingCertificate::read(&certificate, &key)?;
        self.run_until_stop(certificate.clone().keep_fresh());
        if config.phones.certificate.is_none() {
            self.run_until_stop(keep_self_made(config.clone(), authority.clone()));
        }
        Ok(Some(certificate))
    }

    async fn listen_phones(
        &mut self,
        config: &ServerConfig,
        certificate: Option<Arc<ReloadingCertificate>>,
        site: Arc<dyn Site>,
    ) -> Result<(), StartError> {
        let security = match certificate {
            Some(certificate) => {
                let devices = self.front.own.authority();
                Security::Tls(Arc::new(phones(certificate, devices)?).into())
            }
            None => Security::PlainFromProxies,
        };
        let transport = Transport {
            security,
            proxy_protocol: config.phones.proxy_protocol,
            proxies: TrustedProxies::new(config.phones.proxies.clone()),
        };
        let limits = listener::Limits {
            connections: config.limits.connections,
            handshakes: config.limits.handshakes,
            handshake: config.times.handshake.0,
            head: config.times.head.0,
            send: config.times.body.0,
            head_size: usize::try_from(config.limits.head.0).unwrap_or(usize::MAX),
            headers: config.limits.headers,
        };
        let socket = listen("phones.listen", config.phones.listen).await?;
        self.phones = socket.local_addr().unwrap_or(config.phones.listen);
        let (front, pace) = (self.front.clone(), Pace::new(PAGES_AT_ONCE, PAGES_PER_MINUTE));
        let (stop, grace) = (self.stop.clone(), config.times.shutdown.0);
        self.tasks.spawn(listener::serve(
            socket,
            transport,
            limits,
            stop,
            grace,
            move |request, peer| {
                let front = front.clone();
                // A phone that waits should take no more than it needs itself.
                match front.own.config.enabled && is_own(request.uri().path()) {
                    false => {
                        front.handle(request, peer).map(|one| one.map(Answer::Phone)).left_future()
                    }
                    true => {
                        let client = front.proxies.client(peer.ip(), request.headers());
                        let page = own(site.clone(), pace.clone(), request, client);
                        page.map(|one| one.map(Answer::Site)).boxed().right_future()
                    }
                }
            },
        ));
        Ok(())
    }

    fn parts(
        &self,
        config: &ServerConfig,
        links: Links,
        certificate: Option<Arc<ReloadingCertificate>>,
    ) -> Result<Parts, StartError> {
        Ok(Parts {
            front: self.front.clone(),
            links,
            link_addresses: link_addresses(config, self.links)?,
            directory: config.directory.clone(),
            certificate,
        })
    }

    async fn listen_admin(
        &mut self,
        config: &ServerConfig,
        site: Arc<dyn Site>,
    ) -> Result<(), StartError> {
        let socket = listen("admin.listen", config.admin.listen).await?;
        self.admin = socket.local_addr().unwrap_or(config.admin.listen);
        let transport = Transport {
            security: Security::Plain,
            proxy_protocol: false,
            proxies: TrustedProxies::default(),
        };
        let limits = listener::Limits {
            connections: 256,
            handshakes: 64,
            handshake: config.times.handshake.0,
            head: Duration::from_secs(30),
            send: Duration::from_secs(30),
            head_size: 16 << 10,
            headers: 64,
        };
        let (stop, grace) = (self.stop.clone(), config.times.shutdown.0);
        self.tasks.spawn(listener::serve(
            socket,
            transport,
            limits,
            stop,
            grace,
            move |request, peer| site.clone().administration(request, peer),
        ));
        Ok(())
    }

    async fn listen_links(
        &mut self,
        config: &ServerConfig,
        links: &Links,
    ) -> Result<(), StartError> {
        let Some(address) = config.links.listen else { return Ok(()) };
        let socket = listen("links.listen", address).await?;
        self.links = socket.local_addr().ok();
        let listening = ListenConfig {
            handshakes: config.links.handshakes,
            drain_limit: config.times.shutdown.0,
            // Where none is set, connectors know the one at which they found this server.
            addresses: config.links.address.0.clone(),
            ..ListenConfig::default()
        };
        let (links, stop) = (links.clone(), self.stop.clone());
        let (served, grace) = (self.front.metrics.clone(), config.times.shutdown.0);
        self.tasks.spawn(async move {
            // Phones are let go first: their last answers still need the links.
            let shutdown = async move {
                stop.cancelled().await;
                served.none_served(grace).await;
            };
            if let Err(error) = dme_link::serve(socket, links, listening, shutdown).await {
                tracing::error!(%error, "connectors can no longer link");
            }
        });
        Ok(())
    }

    /// What runs beside the listeners.
    fn keep(&self, links: &Links) {
        let front = self.front.clone();
        let stop = self.stop.clone();
        self.tasks.spawn(async move { front.gate.clone().run(stop.cancelled()).await });
        let front = self.front.clone();
        self.run_until_stop(async move { front.bearers.begin().await });
        self.run_until_stop(count_links(links.clone(), self.front.metrics.clone()));
        let (front, mut links) = (self.front.clone(), links.subscribe());
        self.run_until_stop(async move {
            // A directory that has just come is asked at once, not at the next interval.
            loop {
                let is_directory = |id: &ConnectorId| {
                    let linked = front.connectors.linked();
                    let found = linked.into_iter().find(|one| one.state.id == *id);
                    found.is_some_and(|one| one.offer.offers(Function::Directory))
                };
                match links.recv().await {
                    Ok(LinkEvent::Connected(id)) if !is_directory(&id) => {}
                    Ok(LinkEvent::Connected(_)) | Err(RecvError::Lagged(_)) => {
                        front.gate.refresh().await;
                        // However often one comes and goes.
                        tokio::time::sleep(REFRESH_PAUSE).await;
                    }
                    Ok(LinkEvent::Lost { .. }) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        });
        self.run_until_stop(reroute(self.front.watches.clone(), self.front.connectors.versions()));
        if let Some(outbox) = self.front.outbox.clone() {
            let (router, connectors) = (self.front.router.clone(), self.front.connectors.clone());
            self.run_until_stop(outbox.run(router, connectors));
        }
        let front = self.front.clone();
        self.run_until_stop(async move {
            let mut revoked = front.gate.revocations();
            loop {
                match revoked.recv().await {
                    Ok(revoked) => {
                        front.parking.end_user(&revoked.user);
                        front.watches.end(&revoked.user);
                    }
                    // Missed some: everyone comes back and is asked again.
                    Err(RecvError::Lagged(_)) => front.parking.end_all(),
                    Err(RecvError::Closed) => return,
                }
            }
        });
        let front = self.front.clone();
        self.run_until_stop(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                let before = (front.clock)().minus(JOURNAL_LIFE);
                if let Err(error) = front.store.expire(before).await {
                    tracing::warn!(%error, "old journal entries could not be dropped");
                }
                let before = (front.clock)().minus(CERTIFICATES_KEPT);
                if let Err(error) = front.store.expire_device_certificates(before).await {
                    tracing::warn!(%error, "certificates that ended could not be dropped");
                }
                // Until then a late one is told that its token has expired, not that it never was.
                let before = (front.clock)().minus(TOKENS_KEPT);
                if let Err(error) = front.store.expire_enrolments(before).await {
                    tracing::warn!(%error, "expired tokens could not be dropped");
                }
            }
        });
    }

    /// What is kept of what happens, and what is done with it.
    fn keep_records(
        &self,
        config: &ServerConfig,
        links: Links,
        authority: Arc<Authority>,
        unwritten: Unwritten,
    ) {
        let (front, stop) = (self.front.clone(), self.quiet.clone());
        let events = front.events.clone();
        self.records.spawn(events.clone().write(unwritten, front.webhooks.clone(), stop.clone()));
        let (statistics, counted) = (front.statistics.clone(), links.clone());
        self.records.spawn(async move { statistics.keep(&counted, stop).await });
        self.run_until_stop(front.connector_orders.clone().run());
        self.run_until_stop(front.webhooks.clone().run(events.clone()));
        self.run_until_stop(expire(front.clone(), config.records.clone()));
        self.run_until_stop(
            Witnesses {
                store: front.store.clone(),
                links,
                authority,
                events: events.clone(),
                clock: front.clock.clone(),
                every: config.records.countersign_every.0,
            }
            .run(),
        );
        self.run_until_stop(look_out(Lookout {
            events,
            gate: front.gate.clone(),
            connectors: front.connectors.clone(),
            clock: front.clock.clone(),
            certificate: config.phones.certificate.clone(),
        }));
    }

    fn run_until_stop(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = work => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

/// What keeps messages while connectors are away, where it shall. What was kept before that was
/// switched off still goes out.
async fn outbox(config: &ServerConfig, store: &Store) -> Result<Option<Arc<Outbox>>, StartError> {
    let sending = &config.sending;
    let keeps = sending.while_away == WhileAway::Keep;
    if !keeps && store.all_queued().await?.is_empty() {
        return Ok(None);
    }
    let limits = OutboxLimits {
        messages: if keeps { sending.kept_messages } else { 0 },
        bytes: sending.kept_size.0,
    };
    let unusable = |reason| StartError::File { path: config.directory.join(OUTBOX), reason };
    let seal = Seal::open(&config.directory, OUTBOX).map_err(unusable)?;
    Ok(Some(Outbox::open(store.clone(), seal, limits, Arc::new(now)).await?))
}

#[expect(clippy::too_many_arguments, reason = "the one place where the front is put together")]
async fn front(
    config: &ServerConfig,
    store: Store,
    shared: Arc<Store>,
    links: &Links,
    outbox: Option<Arc<Outbox>>,
    authority: Arc<Authority>,
    events: Events,
    clock: Clock,
    stop: CancellationToken,
) -> Result<Front, StartError> {
    let metrics = Arc::new(Metrics::default());
    let limits = Limits {
        parallel: u32::try_from(config.links.parallel_calls).unwrap_or(u32::MAX),
        queue: u32::try_from(config.links.queued_calls).unwrap_or(u32::MAX),
    };
    let counting = metrics.clone();
    links.observe(Arc::new(move |seen| counting.called(seen)));
    let connectors =
        Connectors::new(links.clone(), store.clone(), config.connectors.clone(), limits);
    let membership = Arc::new(GateMembership::default());
    let mut directories = BTreeMap::new();
    let mut setups = Vec::new();
    for realm in &config.realms {
        let name = Realm::named(realm.name.as_str());
        let directory = RealmDirectory::new(
            connectors.clone(),
            name.clone(),
            realm.connector.clone(),
            config.realms.len() == 1,
            membership.clone(),
        );
        directories.insert(name, directory.clone());
        setups.push(RealmSetup {
            realm: realm.name.clone(),
            aliases: realm.aliases.clone(),
            suffixes: realm.suffixes.clone(),
            directory,
            access: realm.access.clone(),
        });
    }
    let gate = Gate::new(config.logins.clone(), setups, clock.clone())
        .ok_or(StartError::Settings("realms: at least one realm is needed".into()))?;
    membership.ask(&gate);
    let home = home_zone(&config.phones)
        .map_err(|what| StartError::Settings(format!("phones.time_zone {what}")))?;
    let parking = Arc::new(Parking::default());
    let policies =
        Policies::open(store.clone(), &config.policy, membership.clone(), parking.clone()).await?;
    let notices = Notices::new(&config.devices.administrators, events.clone());
    let admissions =
        Admissions::open(store.clone(), &config.devices, policies.clone(), parking.clone()).await?;
    let behaviours =
        Behaviours::open(store.clone(), parking.clone(), notices.clone(), events.clone()).await?;
    let wipes = Wipes {
        store: store.clone(),
        parking: parking.clone(),
        notices: notices.clone(),
        authority,
        host: config.phones.host.clone(),
        per_hour: config.devices.wipes_per_hour,
    };
    let router = Router::new(connectors.clone(), store.clone(), membership, config.times.call.0);
    let router = Arc::new(router.on_clock(home.id().clone()));
    router.tell(events.clone());
    if let Some(outbox) = &outbox {
        outbox.tell(events.clone());
    }
    let webhooks = Webhooks::new(&config.webhooks, store.clone(), clock.clone());
    let webhooks = webhooks.map_err(StartError::Settings)?;
    let run = now().as_millis().unsigned_abs();
    let opener = Arc::new(RoutedWatches::new(router.clone(), clock.clone()));
    let watch_times = WatchTimes {
        linger: config.times.watch_linger.0,
        first_pause: Duration::from_millis(200),
        longest_pause: Duration::from_secs(30),
        stand: config.times.call.0,
    };
    let own = Own::new(store.clone(), config, clock.clone())?;
    let unusable =
        |reason| StartError::File { path: config.directory.join(SECOND_FACTORS), reason };
    let seal = Seal::open(&config.directory, SECOND_FACTORS).map_err(unusable)?;
    Ok(Front {
        gate,
        bearers: Bearers::new(&config.realms, &clock),
        directories,
        own,
        second_factors: SecondFactors::new(store.clone(), seal, clock.clone()),
        emergency: Emergency::new(store.clone(), clock.clone()),
        console: config.console.clone(),
        engine: Engine::new(
            shared,
            dme_sync::Limits {
                commands: config.limits.commands,
                folders: config.limits.mailbox_folders,
                unreadable: config.limits.unreadable,
                conversation: config.limits.conversation,
            },
        ),
        connector_orders: ConnectorOrders::new(store.clone(), links.clone(), clock.clone()),
        connectors,
        router,
        outbox,
        watches: Watches::new(opener, watch_times, metrics.clone()),
        parking,
        pace: Pace::new(config.limits.parallel_requests, config.limits.requests_per_minute),
        quarantine: Quarantine::new(&quarantine_note(config), &host(config)?.name),
        metrics,
        audit: Audit::new(store.clone(), clock.clone(), events.clone()),
        statistics: Arc::new(Statistics::new(store.clone(), clock.clone())),
        events,
        steps: Arc::default(),
        webhooks,
        policies,
        home,
        admissions,
        behaviours,
        wipes,
        notices,
        limits: config.limits.clone(),
        bodies: Arc::new(Bodies::new(config.limits.bodies.0, config.limits.body.0)),
        times: config.times.clone(),
        host: config.phones.host.clone(),
        proxies: TrustedProxies::new(config.phones.proxies.clone()),
        certificate_header: config
            .phones
            .certificate_header
            .as_deref()
            .and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok()),
        run: u32::try_from(run / 1000 % u64::from(u32::MAX)).unwrap_or_default(),
        count: AtomicU64::new(0),
        store,
        clock,
        stop,
    })
}

/// What a device that waits is told beside the standard words.
fn quarantine_note(config: &ServerConfig) -> String {
    let note = config.devices.quarantine_note.clone();
    match config.my.enabled && config.my.terms_before_mail {
        true => format!(
            "Where there are terms of use that you have not accepted yet, accept them at \
             https://{}/my: the device is then approved by itself.\r\n\r\n{note}",
            config.phones.host
        ),
        false => note,
    }
}

/// Answers a request for the users' own page, unless there were too many from its address.
async fn own(
    site: Arc<dyn Site>,
    pace: Arc<Pace<IpAddr>>,
    request: Request<Incoming>,
    client: IpAddr,
) -> Response<SiteBody> {
    let wait = match pace.turn(&client, Instant::now()) {
        Ok(_turn) => return site.own(request, client).await,
        Err(wait) => wait,
    };
    let mut response = Response::new(whole(""));
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let seconds = wait.as_secs().saturating_add(1);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Keeps the metric of links true, as long as it is polled.
async fn count_links(links: Links, metrics: Arc<Metrics>) {
    let mut events = links.subscribe();
    loop {
        crate::connectors::count(&links, &metrics).await;
        tokio::select! {
            event = events.recv() => match event {
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            // A connector may have been enrolled, and never come.
            () = tokio::time::sleep(COUNT_EVERY) => {}
        }
    }
}

fn check(config: &ServerConfig) -> Result<(), StartError> {
    let problems = config.problems();
    if problems.is_empty() { Ok(()) } else { Err(StartError::Settings(problems.join("\n"))) }
}

/// Names of connectors in the configuration that nobody has: a mistyped one would leave the
/// connector meant without what is set for it. They may be about to enrol.
async fn warn_of_strangers(
    config: &ServerConfig,
    book: &dyn ConnectorBook,
) -> Result<(), StartError> {
    if config.connectors.is_empty() {
        return Ok(());
    }
    let known = book.list().await.map_err(dme_link::Error::from)?;
    for name in config.connectors.keys() {
        if name != EMBEDDED && !known.iter().any(|connector| connector.name == *name) {
            tracing::warn!(
                connector = name.as_str(),
                "the configuration has [connectors.{name}], but no connector of this name is \
                 enrolled: see `dme connector list`"
            );
        }
    }
    Ok(())
}

/// The host phones use, as configured.
/// Where connectors reach the link port, if it is listened on.
fn link_addresses(
    config: &ServerConfig,
    listening: Option<SocketAddr>,
) -> Result<Vec<String>, StartError> {
    Ok(match (listening, config.links.address.0.as_slice()) {
        (None, _) => Vec::new(),
        (Some(socket), []) => {
            vec![Host { port: Some(socket.port()), ..host(config)? }.to_string()]
        }
        (Some(_), addresses) => addresses.to_vec(),
    })
}

pub(crate) fn host(config: &ServerConfig) -> Result<Host, StartError> {
    Host::parse(&config.phones.host)
        .map_err(|what| StartError::Settings(format!("phones.host {what}")))
}

async fn listen(setting: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    let failed = |reason| StartError::Listen { setting, address, reason };
    TcpListener::bind(address).await.map_err(failed)
}
