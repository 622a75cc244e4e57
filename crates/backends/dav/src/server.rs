//! Where the server is: as configured, or as the DNS of a mail domain says.

use crate::client::Client;
use crate::config::DavConfig;
use crate::domain::Domain;
use crate::error::ConfigError;
use crate::href::{Origin, Path};
use crate::mailbox::Shared;
use dme_mailbox::Result;
use std::sync::Arc;
use tokio::time::Instant;

/// One server and how to find it.
pub(crate) struct Server {
    config: DavConfig,
    way: Way,
}

enum Way {
    /// The URL says where it is.
    Given(Arc<Shared>),
    /// DNS does.
    Domain(Arc<Domain>),
}

/// A location on a server, and what is taken from there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Location {
    pub(crate) origin: Origin,
    /// The name that its certificate is for.
    pub(crate) certified_as: String,
    pub(crate) paths: Vec<Path>,
    pub(crate) calendars: bool,
    pub(crate) contacts: bool,
}

impl Server {
    /// As configured; `at` is the table of the configuration, for errors.
    pub(crate) fn new(
        at: &'static str,
        config: DavConfig,
    ) -> std::result::Result<Self, ConfigError> {
        let way = match &config.domain {
            Some(domain) => Way::Domain(Arc::new(Domain::new(at, domain, config.clone())?)),
            None => {
                let (origin, path) = config.place(at)?;
                let location = Location {
                    certified_as: origin.bare_host().to_owned(),
                    origin,
                    paths: vec![path],
                    calendars: config.calendars,
                    contacts: config.contacts,
                };
                Way::Given(location.shared(at, &config)?)
            }
        };
        Ok(Self { config, way })
    }

    pub(crate) fn config(&self) -> &DavConfig {
        &self.config
    }

    /// What its users share.
    pub(crate) async fn shared(&self, deadline: Instant) -> Result<Arc<Shared>> {
        match &self.way {
            Way::Given(shared) => Ok(shared.clone()),
            Way::Domain(domain) => Ok(domain.known(deadline).await?.shared),
        }
    }

    /// What DNS says, in words for an administrator; none where it is not asked.
    pub(crate) async fn told(&self, deadline: Instant) -> Result<Option<String>> {
        let Way::Domain(domain) = &self.way else { return Ok(None) };
        let Location { origin, certified_as, calendars, contacts, .. } =
            domain.known(deadline).await?.location;
        let not_offered = match () {
            () if self.config.calendars && !calendars => "; it says that calendars are not offered",
            () if self.config.contacts && !contacts => "; it says that contacts are not offered",
            () => "",
        };
        Ok(Some(format!("{origin}; its certificate must be for {certified_as}{not_offered}")))
    }
}

impl Location {
    /// What the users of this server share.
    ///
    /// # Errors
    /// Where the settings cannot work for it.
    pub(crate) fn shared(
        &self,
        at: &'static str,
        config: &DavConfig,
    ) -> std::result::Result<Arc<Shared>, ConfigError> {
        let client = Client::new(at, config, self.origin.clone(), &self.certified_as)?;
        let (calendars, contacts) = (self.calendars, self.contacts);
        let config = DavConfig { calendars, contacts, ..config.clone() };
        Ok(Arc::new(Shared::new(config, client, self.principals())))
    }

    /// Where a user's principal may be told: at what was said, at the well-known addresses, at the
    /// root (RFC 6764 §6).
    pub(crate) fn principals(&self) -> Vec<Path> {
        let known =
            [("/.well-known/caldav", self.calendars), ("/.well-known/carddav", self.contacts)];
        let mut places: Vec<Path> =
            self.paths.iter().filter(|path| path.as_str() != "/").cloned().collect();
        places.dedup();
        places.extend(known.iter().filter(|(_, on)| *on).filter_map(|(path, _)| Path::new(path)));
        places.extend(Path::new("/"));
        places
    }
}
