//! The connectors as the router sees them, wherever they run.

use crate::config::ConnectorSettings;
use crate::metrics::Metrics;
use dme_directory::DirectoryService;
use dme_link::{ConnectorState, CredentialsNeeded, LinkEvent, LinkState, Links};
use dme_mailbox::MailSystem;
use dme_model::{ConnectorId, Function, Realm};
use dme_routing::{Connector, Duty, Link, Load, Lock, Scope, Tier};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Every connector that is linked, with what the configuration says of it.
pub struct Connectors {
    links: Links,
    settings: BTreeMap<String, ConnectorSettings>,
    load: Load,
    version: AtomicU64,
}

/// One connector as the router judges it.
#[derive(Clone)]
pub struct Endpoint {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: Connector,
    /// What its mail system needs of the user.
    pub mail_needs: Option<CredentialsNeeded>,
    /// The realms its directory says it is the source of; none where its release does not say.
    pub realms: Option<BTreeSet<Realm>>,
    /// It runs in this process.
    pub in_process: bool,
}

impl Connectors {
    /// The connectors of these links. `load` says how much each may have to do.
    pub fn new(
        links: Links,
        settings: BTreeMap<String, ConnectorSettings>,
        load: Load,
    ) -> Arc<Self> {
        let all = Arc::new(Self { links, settings, load, version: AtomicU64::new(0) });
        let mut events = all.links.subscribe();
        let watching = Arc::downgrade(&all);
        tokio::spawn(async move {
            use tokio::sync::broadcast::error::RecvError;
            loop {
                let event = events.recv().await;
                let Some(all) = watching.upgrade() else { return };
                all.version.fetch_add(1, Ordering::Relaxed);
                match event {
                    Ok(LinkEvent::Connected(id)) => {
                        tracing::info!(connector = %id, "connector linked");
                    }
                    Ok(LinkEvent::Lost { id, reason }) => {
                        tracing::warn!(connector = %id, reason, "connector lost");
                    }
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        });
        all
    }

    /// The links themselves.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Grows whenever a connector comes or goes; routes found before are then found anew.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }

    /// All that are linked, with their state now.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.links.connectors().into_iter().map(|link| self.endpoint(link)).collect()
    }

    /// Whom a connector of this name may serve, linked or not.
    pub fn scope(&self, name: &str) -> Scope {
        let users = self.settings.get(name).and_then(|settings| settings.users.clone());
        users.map_or(Scope::Everyone, Scope::Users)
    }

    /// The names of the connectors that the configuration gives their users, linked or not.
    pub fn scoped(&self) -> impl Iterator<Item = &String> {
        let scoped = self.settings.iter().filter(|(_, settings)| settings.users.is_some());
        scoped.map(|(name, _)| name)
    }

    /// A connector's mail system.
    pub fn mail_system(&self, id: &ConnectorId) -> Arc<dyn MailSystem> {
        self.links.mail_system(id)
    }

    /// A connector's directory.
    pub fn directory(&self, id: &ConnectorId) -> Arc<dyn DirectoryService> {
        self.links.directory(id)
    }

    fn endpoint(&self, link: LinkState) -> Endpoint {
        let settings = self.settings.get(&link.name);
        let outstanding = link.outstanding.saturating_add(link.queued);
        Endpoint {
            mail_needs: link.capabilities.needs(Function::Mail),
            realms: link.realms,
            in_process: link.peer.is_none(),
            state: Connector {
                functions: link.capabilities.functions().collect(),
                id: link.id,
                tier: settings.map_or(Tier::Primary, |settings| settings.tier),
                scope: self.scope(&link.name),
                // A locked connector has no link.
                lock: Lock::Unlocked,
                link: Link::Linked { since: link.since },
                duty: if link.draining { Duty::Draining } else { Duty::Serving },
                load: Load {
                    outstanding: u32::try_from(outstanding).unwrap_or(u32::MAX),
                    ..self.load
                },
            },
            name: link.name,
        }
    }
}

/// Tells the metrics of every connector that may serve whether it is linked: also of one that has
/// not come since the server's start, whose absence is what an alert is for.
pub(crate) async fn count(links: &Links, metrics: &Metrics) {
    let records = match links.registrar().book().list().await {
        Ok(records) => records,
        Err(error) => return tracing::warn!(%error, "the connectors could not be counted"),
    };
    let linked = links.connectors();
    let mut all = BTreeMap::new();
    for record in records.into_iter().filter(|one| one.state == ConnectorState::Unlocked) {
        let up = linked.iter().any(|link| link.id == record.id);
        // Of several with one name, all must be there.
        all.entry(record.name).and_modify(|before| *before &= up).or_insert(up);
    }
    all.extend(linked.into_iter().filter(|link| link.peer.is_none()).map(|own| (own.name, true)));
    metrics.links(&all);
}
