//! A front without a server around it: an edge's, for the phones near a connector.

use super::assembly::Opened;
use super::{EMBEDDED, Running, StartError, check, links};
use crate::config::ServerConfig;
use crate::elsewhere::Elsewhere;
use crate::front::Front;
use crate::lease::Lease;
use dme_link::{Authority, Services};
use dme_model::ConnectorId;
use dme_policy::Rules;
use dme_store::Store;
use std::net::SocketAddr;
use std::sync::Arc;

/// What a front is lent by whoever runs it.
pub struct Lent {
    /// How long it may serve; without, always.
    pub lease: Option<Arc<Lease>>,
    /// What of its devices is elsewhere.
    pub elsewhere: Arc<dyn Elsewhere>,
}

/// An edge's front that runs.
pub struct EdgeFront {
    /// Where phones connect.
    pub phones: SocketAddr,
    /// The front itself, with what it knows.
    pub front: Arc<Front>,
    running: Running,
}

impl EdgeFront {
    /// Begins to serve phones by these settings, this store and one connector: what the edge's own
    /// serves. There are neither pages nor an administration listener nor one for links.
    ///
    /// # Errors
    /// Whatever keeps it from serving, with the setting to mend.
    pub async fn start(
        config: ServerConfig,
        store: Store,
        services: Services,
        rules: Rules,
        lent: Lent,
    ) -> Result<Self, StartError> {
        check(&config)?;
        let authority = Arc::new(Authority::open(&config.directory.join("authority"))?);
        let links = links(&config, &store, &authority);
        links.attach_local(ConnectorId::from(EMBEDDED), EMBEDDED, services);
        let (opened, unwritten) = Opened::new(&config, store, &links, authority.clone(), lent);
        let opened = Opened { rules, ..opened };
        let running = Running::begin(opened).await?;
        running.front.connectors.begin().await?;
        running.recall_devices().await?;
        let certificate = running.certificate(&config, &authority)?;
        let phones = running.listen_phones(&config, certificate, None).await?;
        running.keep(&links);
        running.keep_records(&config, links, &authority, unwritten);
        Ok(Self { phones, front: running.front.clone(), running })
    }

    /// Ends it: parked phones are released, running requests are answered.
    pub async fn stop(self) {
        self.running.end().await;
    }
}
