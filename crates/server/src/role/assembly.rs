//! The front, put together of the settings and of what the server has opened.

use super::{Lent, StartError, host};
use crate::admissions::Admissions;
use crate::bearers::Bearers;
use crate::behaviours::Behaviours;
use crate::client_address::TrustedProxies;
use crate::clock::now;
use crate::config::{
    LimitsConfig, PhonesConfig, RealmConfig, ServerConfig, TimesConfig, WhileAway,
};
use crate::connector_orders::ConnectorOrders;
use crate::connectors::{Connectors, Limits};
use crate::emergency::Emergency;
use crate::front::bodies::Bodies;
use crate::front::{Clock, Front};
use crate::home_zone::home_zone;
use crate::membership::GateMembership;
use crate::metrics::Metrics;
use crate::notices::Notices;
use crate::outbox::Outbox;
use crate::own::Own;
use crate::pace::Pace;
use crate::parking::Parking;
use crate::policies::Policies;
use crate::policy::configured;
use crate::quarantine::Quarantine;
use crate::realm::{RealmDirectory, RealmSources};
use crate::records::audit::Audit;
use crate::records::events::{Events, Unwritten};
use crate::records::statistics::Statistics;
use crate::records::webhooks::Webhooks;
use crate::router::Router;
use crate::seal::{OUTBOX, SECOND_FACTORS, Seal};
use crate::second_factor::SecondFactors;
use crate::watch::{RoutedWatches, WatchTimes, Watches};
use crate::wipes::Wipes;
use dme_directory::{Gate, RealmSetup};
use dme_link::{Authority, Links};
use dme_model::Realm;
use dme_policy::Rules;
use dme_store::{OutboxLimits, Store};
use dme_sync::Engine;
use http::header::HeaderName;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What the server has opened before there is a front.
pub(super) struct Opened<'a> {
    pub config: &'a ServerConfig,
    pub store: Store,
    pub links: &'a Links,
    pub authority: Arc<Authority>,
    pub events: Events,
    pub clock: Clock,
    pub stop: CancellationToken,
    /// The policy that no level makes.
    pub rules: Rules,
    /// What is at other fronts, and how long an edge's may serve without its server.
    pub lent: Lent,
}

impl<'a> Opened<'a> {
    /// With the policy that the configuration makes.
    pub(super) fn new(
        config: &'a ServerConfig,
        store: Store,
        links: &'a Links,
        authority: Arc<Authority>,
        lent: Lent,
    ) -> (Self, Unwritten) {
        let clock: Clock = Arc::new(now);
        let (events, unwritten) = Events::new(store.clone(), clock.clone());
        let (stop, rules) = (CancellationToken::new(), configured(&config.policy));
        let opened = Self { config, store, links, authority, events, clock, stop, rules, lent };
        (opened, unwritten)
    }

    /// The front.
    pub(super) async fn front(self) -> Result<Front, StartError> {
        let config = self.config;
        let metrics = Arc::new(Metrics::default());
        let counting = metrics.clone();
        self.links.observe(Arc::new(move |seen| counting.called(seen)));
        let connectors = self.connectors();
        let membership = Arc::new(GateMembership::default());
        let directories = self.directories(&connectors, &membership);
        let gate = self.gate(&directories)?;
        membership.ask(&gate);
        let home = home_zone(&config.phones)
            .map_err(|what| StartError::Settings(format!("phones.time_zone {what}")))?;
        let outbox = self.outbox().await?;
        let Self { store, links, authority, events, clock, stop, rules, lent, .. } = self;
        let parking = Arc::new(Parking::default());
        let policies =
            Policies::open(store.clone(), rules, membership.clone(), parking.clone()).await?;
        let notices = Notices::new(&config.devices.administrators, events.clone());
        let admissions =
            Admissions::open(store.clone(), &config.devices, policies.clone(), parking.clone())
                .await?;
        let behaviours =
            Behaviours::open(store.clone(), parking.clone(), notices.clone(), events.clone())
                .await?;
        let wipes = Wipes {
            store: store.clone(),
            parking: parking.clone(),
            notices: notices.clone(),
            authority,
            host: config.phones.host.clone(),
            per_hour: config.devices.wipes_per_hour,
        };
        let call = config.times.call.0;
        let router = Router::new(connectors.clone(), store.clone(), membership, call);
        let router = Arc::new(router.on_clock(home.id().clone()));
        router.tell(events.clone());
        if let Some(outbox) = &outbox {
            outbox.tell(events.clone());
        }
        let webhooks = Webhooks::new(&config.webhooks, store.clone(), clock.clone());
        let webhooks = webhooks.map_err(StartError::Settings)?;
        let opener = Arc::new(RoutedWatches::new(router.clone(), clock.clone()));
        let seal = open_seal(config, SECOND_FACTORS)?;
        let limits = config.limits.clone();
        let Lent { lease, elsewhere } = lent;
        Ok(Front {
            gate,
            lease,
            elsewhere,
            bearers: Bearers::new(&config.realms, &clock),
            directories,
            own: Own::new(store.clone(), config, clock.clone())?,
            second_factors: SecondFactors::new(store.clone(), seal, clock.clone()),
            emergency: Emergency::new(store.clone(), clock.clone()),
            console: config.console.clone(),
            engine: Engine::new(Arc::new(store.clone()), engine_limits(&limits)),
            connector_orders: ConnectorOrders::new(store.clone(), links.clone(), clock.clone()),
            connectors,
            router,
            outbox,
            watches: Watches::new(opener, watch_times(&config.times), metrics.clone()),
            parking,
            pace: Pace::new(limits.parallel_requests, limits.requests_per_minute),
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
            bodies: Arc::new(Bodies::new(limits.bodies.0, limits.body.0)),
            limits,
            times: config.times.clone(),
            host: config.phones.host.clone(),
            proxies: TrustedProxies::new(config.phones.proxies.clone()),
            certificate_header: certificate_header(&config.phones),
            run: run_number(&clock),
            count: AtomicU64::new(0),
            store,
            clock,
            stop,
        })
    }

    fn connectors(&self) -> Arc<Connectors> {
        let Self { config, links, store, .. } = self;
        let limits = Limits {
            parallel: u32::try_from(config.links.parallel_calls).unwrap_or(u32::MAX),
            queue: u32::try_from(config.links.queued_calls).unwrap_or(u32::MAX),
        };
        Connectors::new((*links).clone(), store.clone(), config.connectors.clone(), limits)
    }

    /// Each realm's directory.
    fn directories(
        &self,
        connectors: &Arc<Connectors>,
        membership: &Arc<GateMembership>,
    ) -> BTreeMap<Realm, Arc<RealmDirectory>> {
        let realms = &self.config.realms;
        let directory = |realm: &RealmConfig| {
            let name = Realm::named(realm.name.as_str());
            let directory = RealmDirectory::new(
                connectors.clone(),
                name.clone(),
                RealmSources {
                    connector: realm.connector.clone(),
                    administrators_from: realm.administrators_from.clone(),
                    only: realms.len() == 1,
                },
                membership.clone(),
            );
            (name, directory)
        };
        realms.iter().map(directory).collect()
    }

    fn gate(
        &self,
        directories: &BTreeMap<Realm, Arc<RealmDirectory>>,
    ) -> Result<Arc<Gate>, StartError> {
        let setup = |realm: &RealmConfig| {
            let directory = directories.get(&Realm::named(realm.name.as_str()))?.clone();
            Some(RealmSetup {
                realm: realm.name.clone(),
                aliases: realm.aliases.clone(),
                suffixes: realm.suffixes.clone(),
                directory,
                access: realm.access.clone(),
            })
        };
        let setups = self.config.realms.iter().filter_map(setup).collect();
        Gate::new(self.config.logins.clone(), setups, self.clock.clone())
            .ok_or(StartError::Settings("realms: at least one realm is needed".into()))
    }

    /// What keeps messages while connectors are away, where it shall. What was kept before that was
    /// switched off still goes out.
    async fn outbox(&self) -> Result<Option<Arc<Outbox>>, StartError> {
        let sending = &self.config.sending;
        let keeps = sending.while_away == WhileAway::Keep;
        if !keeps && self.store.all_queued().await?.is_empty() {
            return Ok(None);
        }
        let limits = OutboxLimits {
            messages: if keeps { sending.kept_messages } else { 0 },
            bytes: sending.kept_size.0,
        };
        let seal = open_seal(self.config, OUTBOX)?;
        Ok(Some(Outbox::open(self.store.clone(), seal, limits, self.clock.clone()).await?))
    }
}

/// A key of the server's directory, by its file's name.
fn open_seal(config: &ServerConfig, file: &'static str) -> Result<Seal, StartError> {
    let unusable = |reason| StartError::File { path: config.directory.join(file), reason };
    Seal::open(&config.directory, file).map_err(unusable)
}

fn engine_limits(limits: &LimitsConfig) -> dme_sync::Limits {
    dme_sync::Limits {
        commands: limits.commands,
        folders: limits.mailbox_folders,
        unreadable: limits.unreadable,
        conversation: limits.conversation,
    }
}

fn watch_times(times: &TimesConfig) -> WatchTimes {
    WatchTimes {
        linger: times.watch_linger.0,
        first_pause: Duration::from_millis(200),
        longest_pause: Duration::from_secs(30),
        stand: times.call.0,
    }
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

fn certificate_header(phones: &PhonesConfig) -> Option<HeaderName> {
    let name = phones.certificate_header.as_deref()?;
    HeaderName::from_bytes(name.as_bytes()).ok()
}

/// What begins the ids of this run's requests: the second in which it began.
fn run_number(clock: &Clock) -> u32 {
    let seconds = clock().as_millis().unsigned_abs() / 1000;
    u32::try_from(seconds % u64::from(u32::MAX)).unwrap_or_default()
}
