//! The server as a whole: what is opened, what runs, and how it ends.

mod assembly;
mod beside;
mod edge;
mod listening;

pub use edge::{EdgeFront, Lent};

use crate::config::ServerConfig;
use crate::edges::FromEdges;
use crate::front::Front;
use crate::host::Host;
use crate::private_files::private_directory;
use crate::site::{Parts, Site};
use crate::tls::TlsError;
use assembly::Opened;
use dme_link::{Authority, ConnectorBook, Links, LinksConfig, Registrar, Services};
use dme_model::ConnectorId;
use dme_store::Store;
use listening::link_addresses;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The in-process connector's id and name.
const EMBEDDED: &str = "embedded";

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
    running: Running,
}

/// A front that runs, a server's or an edge's, with all that runs beside it.
struct Running {
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
        warn_of_strangers(&config, &store).await?;
        let links = links(&config, &store, &authority);
        if let Some(services) = embedded {
            links.attach_local(ConnectorId::from(EMBEDDED), EMBEDDED, services);
        }
        let from_edges = FromEdges::open(store.clone(), links.clone()).await?;
        let lent = Lent { lease: None, elsewhere: from_edges.clone() };
        let (opened, unwritten) = Opened::new(&config, store, &links, authority.clone(), lent);
        let running = Running::begin(opened).await?;
        let front = running.front.clone();
        if let Err(error) = links.recall().await {
            tracing::warn!(%error, "which connectors are off hours is not known until they link");
        }
        front.connectors.begin().await?;
        let linked = running.listen_links(&config, &links).await?;
        running.recall_devices().await?;
        let certificate = running.certificate(&config, &authority)?;
        let parts = Parts {
            front,
            links: links.clone(),
            link_addresses: link_addresses(&config, linked)?,
            directory: config.directory.clone(),
            certificate: certificate.clone(),
        };
        let site = site(parts)?;
        let admin = running.listen_admin(&config, site.clone()).await?;
        let phones = running.listen_phones(&config, certificate, Some(site)).await?;
        running.keep(&links);
        running.keep_connectors(&config, &links, from_edges);
        running.keep_records(&config, links, &authority, unwritten);
        let authority = authority.certificate_pem().to_owned();
        Ok(Self { phones, admin, links: linked, authority, running })
    }

    /// Waits until at least this many phones are parked; none where they are not in time.
    pub async fn parked(&self, phones: usize, limit: Duration) -> Option<()> {
        self.running.front.metrics.parked_at_least(phones, limit).await
    }

    /// Ends it: parked phones are released, running requests are answered, links are drained.
    pub async fn stop(self) {
        self.running.end().await;
    }
}

impl Running {
    /// Puts the front together.
    async fn begin(opened: Opened<'_>) -> Result<Self, StartError> {
        let stop = opened.stop.clone();
        Ok(Self {
            front: Arc::new(opened.front().await?),
            stop,
            tasks: TaskTracker::new(),
            quiet: CancellationToken::new(),
            records: TaskTracker::new(),
        })
    }

    /// A device that was let in before has attempts of its own from the start.
    async fn recall_devices(&self) -> Result<(), StartError> {
        for device in self.front.store.devices(None).await? {
            self.front.gate.know(&device.key.user, &device.key.device);
        }
        Ok(())
    }

    async fn end(self) {
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

fn check(config: &ServerConfig) -> Result<(), StartError> {
    let problems = config.problems();
    if problems.is_empty() { Ok(()) } else { Err(StartError::Settings(problems.join("\n"))) }
}

/// The links that connectors will have; none of them stands yet.
fn links(config: &ServerConfig, store: &Store, authority: &Arc<Authority>) -> Links {
    let store = Arc::new(store.clone());
    let registrar = Registrar::new(authority.clone(), store.clone(), store.clone())
        .configurations(store)
        .certificate_life(config.links.certificate_life.0);
    let limits = LinksConfig {
        parallel: config.links.parallel_calls,
        per_user: config.links.calls_per_user,
        queued: config.links.queued_calls,
        parallel_fetches: config.links.parallel_fetches,
        watches: config.links.watches,
        ..LinksConfig::default()
    };
    Links::new(Arc::new(registrar), limits)
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
pub(crate) fn host(config: &ServerConfig) -> Result<Host, StartError> {
    Host::parse(&config.phones.host)
        .map_err(|what| StartError::Settings(format!("phones.host {what}")))
}
