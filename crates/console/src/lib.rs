//! What people see of the server: the REST interface, the administrator's console, the user's own
//! page. Everything there is reached by one table of [endpoints](endpoints::table), which says of
//! each who may ask for it; the pages do nothing that is not in it.

pub mod api;
mod browser;
mod changes;
mod cookie;
pub mod csv;
mod dispatch;
pub mod endpoint;
pub mod endpoints;
mod form;
mod kept;
pub mod language;
mod my;
mod notice;
mod opaque;
mod openapi;
pub mod pages;
pub mod principal;
mod probes;
mod recorded;
mod refusal;
mod reply;
mod seen;
mod session;
mod sign_in;
mod token_file;
mod typed;
mod within;

pub use refusal::Refusal;
pub use token_file::TOKEN_FILE;

use dme_link::Links;
use dme_model::Secret;
use dme_server::config::ServerConfig;
use dme_server::front::Front;
use dme_server::role::{Server, StartError};
use dme_server::site::{Parts, Site};
use dme_server::tls::ReloadingCertificate;
use endpoint::Endpoint;
use pages::Page;
use session::Sessions;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::broadcast;

/// All that people see.
pub struct Console {
    /// The phones' side, with all it knows.
    pub(crate) front: Arc<Front>,
    /// The connectors.
    pub(crate) links: Links,
    /// `host:port` as connectors reach the link port; none where it is not listened on.
    pub(crate) link_addresses: Vec<String>,
    /// The phones' certificate; none where a proxy ends their TLS.
    pub(crate) certificate: Option<Arc<ReloadingCertificate>>,
    /// The server's own directory.
    pub(crate) directory: PathBuf,
    /// What whoever may read the server's directory shows.
    token: Secret,
    /// Everything that can be asked for.
    pub(crate) endpoints: Vec<Endpoint>,
    /// Everything that can be looked at.
    pub(crate) pages: Vec<Page>,
    pub(crate) sessions: Sessions,
    /// Those of the users' own page.
    pub(crate) own_sessions: Sessions,
    /// Links to sign in by that nobody used yet.
    pub(crate) open_links: sign_in::Links,
    /// Files that somebody made and has not fetched yet.
    pub(crate) files: my::files::Files,
    /// What was counted lately, as pages show it.
    pub(crate) measured: pages::Measured,
    /// Sign-ins that lack a step.
    pub(crate) unfinished: sign_in::Unfinished,
    /// Whom delegates see, as it was found lately.
    pub(crate) lately: seen::Lately,
    /// What those may do who made tokens.
    pub(crate) makers: endpoints::Makers,
    /// The provider with which administrators may sign in.
    pub(crate) openid: Option<sign_in::OpenId>,
    /// Something was done: pages may be out of date.
    pub(crate) changed: broadcast::Sender<()>,
}

impl Console {
    /// Of a server's parts.
    ///
    /// # Errors
    /// The server's directory's.
    pub fn new(parts: Parts) -> Result<Self, StartError> {
        let openid = parts.front.console.openid.as_ref();
        Ok(Self {
            openid: openid.map(|config| sign_in::OpenId::new(config, parts.front.clock.clone())),
            token: token_file::token(&parts.directory)?,
            directory: parts.directory,
            front: parts.front,
            links: parts.links,
            link_addresses: parts.link_addresses,
            endpoints: endpoints::table(),
            pages: pages::table(),
            sessions: Sessions::default(),
            own_sessions: Sessions::default(),
            certificate: parts.certificate,
            open_links: sign_in::Links::default(),
            files: my::files::Files::default(),
            measured: pages::Measured::default(),
            lately: seen::Lately::default(),
            makers: endpoints::Makers::default(),
            unfinished: sign_in::Unfinished::default(),
            changed: broadcast::Sender::new(16),
        })
    }
}

/// Starts a server with its console. `embedded` is the connector in this process, if any.
///
/// # Errors
/// Whatever keeps it from serving, with the setting to mend.
pub async fn start(
    config: ServerConfig,
    embedded: Option<dme_link::Services>,
) -> Result<Server, StartError> {
    let site = |parts| Ok(Arc::new(Console::new(parts)?) as Arc<dyn Site>);
    Server::start(config, embedded, site).await
}
