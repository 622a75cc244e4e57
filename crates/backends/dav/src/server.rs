//! Where the server is: as configured, or as the DNS of a mail domain says (RFC 6764).

use crate::client::Client;
use crate::config::DavConfig;
use crate::error::ConfigError;
use crate::href::{Origin, Path};
use crate::mailbox::Shared;
use dme_dial::{DnsError, Found, find_service};
use dme_mailbox::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

/// How long what DNS said is taken to hold.
const FRESH: Duration = Duration::from_secs(3_600);
/// How long DNS is left alone where it does not answer and the server is known from before.
const PAUSE: Duration = Duration::from_secs(60);

/// One server and how to find it.
pub(crate) struct Server {
    config: DavConfig,
    way: Way,
}

enum Way {
    /// The URL says where it is.
    Given(Arc<Shared>),
    /// DNS does. Who asks it holds the lock, so that it is asked once.
    Domain { at: &'static str, domain: String, known: Mutex<Option<Known>> },
}

/// What DNS said last.
struct Known {
    told: Told,
    shared: Arc<Shared>,
    /// When it is to be asked again.
    due: Instant,
}

/// A place on a server.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Told {
    origin: Origin,
    certified_as: String,
    paths: Vec<Path>,
}

impl Server {
    /// As configured; `at` is the table of the configuration, for errors.
    pub(crate) fn new(
        at: &'static str,
        config: DavConfig,
    ) -> std::result::Result<Self, ConfigError> {
        let way = match &config.domain {
            Some(domain) => {
                let domain = domain.trim().trim_end_matches('.').to_ascii_lowercase();
                // That the settings are right is seen before anybody asks.
                Told::itself(&domain).shared(at, &config)?;
                Way::Domain { at, domain, known: Mutex::default() }
            }
            None => {
                let (origin, path) = config.place(at)?;
                let certified_as = origin.bare_host().to_owned();
                let told = Told { origin, certified_as, paths: vec![path] };
                Way::Given(told.shared(at, &config)?)
            }
        };
        Ok(Self { config, way })
    }

    pub(crate) fn config(&self) -> &DavConfig {
        &self.config
    }

    /// What its users share. Where DNS does not answer any more, that of before.
    pub(crate) async fn shared(&self, deadline: Instant) -> Result<Arc<Shared>> {
        let (at, domain, known) = match &self.way {
            Way::Given(shared) => return Ok(shared.clone()),
            Way::Domain { at, domain, known } => (at, domain, known),
        };
        let late = || Error::new(ErrorKind::Timeout, format!("dav: DNS of {domain}: no answer"));
        let mut known = timeout_at(deadline, known.lock()).await.map_err(|_| late())?;
        if let Some(known) = known.as_ref().filter(|known| Instant::now() < known.due) {
            return Ok(known.shared.clone());
        }
        let asked = timeout_at(deadline, self.ask(domain)).await.map_err(|_| late());
        match (asked.flatten(), known.as_mut()) {
            (Ok(told), Some(known)) if told == known.told => {
                known.due = Instant::now() + FRESH;
                Ok(known.shared.clone())
            }
            (Ok(told), _) => {
                let shared = told.shared(at, &self.config).map_err(|error| {
                    Error::new(ErrorKind::Unavailable, format!("dav: DNS of {domain}: {error}"))
                })?;
                let due = Instant::now() + FRESH;
                *known = Some(Known { told, shared: shared.clone(), due });
                Ok(shared)
            }
            (Err(error), Some(known)) => {
                tracing::warn!(%error, "the server is where DNS said before");
                known.due = Instant::now() + PAUSE;
                Ok(known.shared.clone())
            }
            (Err(error), None) => Err(error),
        }
    }

    /// What DNS says, in words for an administrator.
    pub(crate) async fn told(&self, deadline: Instant) -> Result<String> {
        let shared = self.shared(deadline).await?;
        let origin = &shared.client.origin;
        let Way::Domain { domain, known, .. } = &self.way else { return Ok(origin.to_string()) };
        let known = known.lock().await;
        let named = known.as_ref().map_or(domain, |known| &known.told.certified_as);
        Ok(format!("{origin}; its certificate must be for {named}"))
    }

    /// Asks DNS for what is taken from the server.
    async fn ask(&self, domain: &str) -> Result<Told> {
        let config = &self.config;
        let services = [("_caldavs._tcp", config.calendars), ("_carddavs._tcp", config.contacts)];
        let mut found: Vec<Found> = Vec::new();
        for (service, _) in services.into_iter().filter(|(_, on)| *on) {
            let told = find_service(&config.nameservers, service, domain).await;
            found.extend(told.map_err(|error| refused(domain, &error))?);
        }
        told(domain, &found)
    }
}

/// What to make of the records.
fn told(domain: &str, found: &[Found]) -> Result<Told> {
    let Some(first) = found.first() else {
        return Ok(Told::itself(domain));
    };
    if let Some(other) = found.iter().find(|it| (&it.host, it.port) != (&first.host, first.port)) {
        let context = format!(
            "dav: DNS of {domain} names two servers, {}:{} for calendars and {}:{} for contacts: \
             set one's address as dav.url, and dav.contacts or dav.calendars = false",
            first.host, first.port, other.host, other.port
        );
        return Err(Error::new(ErrorKind::Unavailable, context));
    }
    Ok(Told {
        origin: Origin { tls: true, host: first.host.clone(), port: first.port },
        certified_as: first.certified_as(domain).to_owned(),
        paths: found.iter().filter_map(|it| Path::new(it.path.as_deref()?)).collect(),
    })
}

fn refused(domain: &str, error: &DnsError) -> Error {
    Error::new(ErrorKind::Unavailable, format!("dav: DNS of {domain}: {error}"))
}

impl Told {
    /// Without records it may be at the domain itself, by its own certificate.
    fn itself(domain: &str) -> Self {
        let origin = Origin { tls: true, host: domain.to_owned(), port: 443 };
        Self { origin, certified_as: domain.to_owned(), paths: Vec::new() }
    }

    fn shared(
        &self,
        at: &'static str,
        config: &DavConfig,
    ) -> std::result::Result<Arc<Shared>, ConfigError> {
        let client = Client::new(at, config, self.origin.clone(), &self.certified_as)?;
        Ok(Arc::new(Shared::new(config.clone(), client, self.places(config))))
    }

    /// Where a user's principal may be told: at what was said, at the well-known addresses, at the
    /// root (RFC 6764 §6).
    fn places(&self, config: &DavConfig) -> Vec<Path> {
        let known =
            [("/.well-known/caldav", config.calendars), ("/.well-known/carddav", config.contacts)];
        let mut places: Vec<Path> =
            self.paths.iter().filter(|path| path.as_str() != "/").cloned().collect();
        places.dedup();
        places.extend(known.iter().filter(|(_, on)| *on).filter_map(|(path, _)| Path::new(path)));
        places.extend(Path::new("/"));
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(host: &str, path: Option<&str>) -> Found {
        Found { host: host.to_owned(), port: 8443, path: path.map(str::to_owned) }
    }

    fn places(found: &[Found]) -> Vec<String> {
        let told = told("example.org", found).unwrap();
        told.places(&DavConfig::default()).iter().map(Path::to_string).collect()
    }

    #[test]
    fn the_path_that_dns_tells_comes_before_the_well_known_ones() {
        let known = ["/.well-known/caldav", "/.well-known/carddav", "/"];
        assert_eq!(places(&[found("dav.example.org", None)]), known);
        let dav = found("dav.example.org", Some("/dav/"));
        assert_eq!(places(&[dav.clone(), dav])[..2], ["/dav/", "/.well-known/caldav"]);
        assert_eq!(places(&[found("dav.example.org", Some("no path"))]), known);
    }

    #[test]
    fn without_records_it_is_at_the_domain_itself() {
        let told = told("example.org", &[]).unwrap();
        assert_eq!(told.origin.to_string(), "https://example.org:443");
        assert_eq!(told.certified_as, "example.org");
    }

    #[test]
    fn calendars_and_contacts_are_on_one_server() {
        let two = [found("cal.example.org", None), found("card.example.org", None)];
        let said = told("example.org", &two).unwrap_err().to_string();
        assert!(said.contains("names two servers"), "{said}");
    }
}
