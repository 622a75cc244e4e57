//! A mail domain whose DNS says where the server is (RFC 6764), asked beside the calls of users: once
//! the server is known, none of them waits for DNS.

use crate::config::DavConfig;
use crate::error::ConfigError;
use crate::href::{Origin, Path};
use crate::mailbox::Shared;
use crate::server::Location;
use dme_dial::{DnsError, Found, find_service};
use dme_mailbox::{Error, ErrorKind, Result};
use dme_model::Class;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

/// How long what DNS said is taken to hold.
const FRESH: Duration = Duration::from_secs(3_600);
/// How long DNS is left alone where it does not answer and the server is known from before; also the
/// longest wait for all it is asked.
const PAUSE: Duration = Duration::from_secs(60);
/// The services asked for, and what each has.
const SERVICES: [(&str, Class); 2] =
    [("_caldavs._tcp", Class::Calendar), ("_carddavs._tcp", Class::Contacts)];

/// The domain, and what its DNS said.
pub(crate) struct Domain {
    /// The table of the configuration, for errors.
    at: &'static str,
    name: String,
    config: DavConfig,
    last: watch::Sender<Last>,
}

/// What came of asking.
struct Last {
    known: Option<Known>,
    /// Why DNS told nothing the last time.
    failed: Option<Error>,
    /// When it is to be asked again; none while it is asked.
    due: Option<Instant>,
}

/// A server that DNS named.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) location: Location,
    pub(crate) shared: Arc<Shared>,
}

impl Domain {
    /// The domain of this name. DNS is not asked yet.
    ///
    /// # Errors
    /// Where the settings cannot work, wherever the server is.
    pub(crate) fn new(
        at: &'static str,
        name: &str,
        config: DavConfig,
    ) -> std::result::Result<Self, ConfigError> {
        let name = name.trim().trim_end_matches('.').to_ascii_lowercase();
        itself(&name, config.calendars, config.contacts).shared(at, &config)?;
        let last = Last { known: None, failed: None, due: Some(Instant::now()) };
        Ok(Self { at, name, config, last: watch::Sender::new(last) })
    }

    /// The server as far as it is known; until it is, the answer of DNS is waited for.
    pub(crate) async fn known(self: &Arc<Self>, deadline: Instant) -> Result<Known> {
        let mut last = self.last.subscribe();
        self.last.send_if_modified(|last| {
            let is_due = last.due.is_some_and(|due| due <= Instant::now());
            if is_due {
                last.due = None;
                // In a task of its own: it ends though whoever asks has gone.
                tokio::spawn(self.clone().ask());
            }
            is_due
        });
        let answered = |last: &Last| last.known.is_some() || last.due.is_some();
        let last = timeout_at(deadline, last.wait_for(|last| answered(last))).await;
        let last = last.ok().and_then(|last| last.ok()).ok_or_else(|| self.silent())?;
        let failed = || last.failed.clone().unwrap_or_else(|| self.silent());
        last.known.clone().ok_or_else(failed)
    }

    /// Asks DNS, and keeps what it says. Where it says nothing, the server is where it was.
    async fn ask(self: Arc<Self>) {
        let found = timeout(PAUSE, self.find()).await.unwrap_or_else(|_| Err(self.silent()));
        let known = found.and_then(|location| self.at_location(location));
        self.last.send_modify(|last| {
            let now = Instant::now();
            match known {
                Ok(known) => {
                    last.due = Some(now + FRESH);
                    (last.known, last.failed) = (Some(known), None);
                }
                Err(error) => {
                    if last.known.is_some() {
                        tracing::warn!(%error, "the server is where DNS said before");
                    }
                    last.due = Some(if last.known.is_some() { now + PAUSE } else { now });
                    last.failed = Some(error);
                }
            }
        });
    }

    /// The server at a location: the same as before where that is.
    fn at_location(&self, location: Location) -> Result<Known> {
        let same = self.last.borrow().known.clone().filter(|known| known.location == location);
        if let Some(same) = same {
            return Ok(same);
        }
        let shared = location.shared(self.at, &self.config);
        let shared = shared.map_err(|error| self.unavailable(&error.to_string()))?;
        Ok(Known { location, shared })
    }

    /// Asks for what is taken from the server.
    async fn find(&self) -> Result<Location> {
        let config = &self.config;
        let mut said = Vec::new();
        let mut refused = None;
        for (service, class) in SERVICES {
            let is_wanted =
                if class == Class::Calendar { config.calendars } else { config.contacts };
            if !is_wanted {
                continue;
            }
            match find_service(&config.nameservers, service, &self.name).await {
                Ok(found) => said.push((class, found)),
                // The other may be offered all the same.
                Err(error @ DnsError::NotOffered(_)) => refused = Some(error),
                Err(error) => return Err(self.unavailable(&error.to_string())),
            }
        }
        match refused.filter(|_| said.is_empty()) {
            Some(error) => Err(self.unavailable(&error.to_string())),
            None => location(&self.name, &said).map_err(|said| self.unavailable(&said)),
        }
    }

    fn unavailable(&self, said: &str) -> Error {
        Error::new(ErrorKind::Unavailable, format!("dav: DNS of {}: {said}", self.name))
    }

    fn silent(&self) -> Error {
        Error::new(ErrorKind::Timeout, format!("dav: DNS of {}: no answer", self.name))
    }
}

/// Without records the server may be at the domain itself, by its own certificate.
fn itself(domain: &str, calendars: bool, contacts: bool) -> Location {
    Location {
        origin: Origin { tls: true, host: domain.to_owned(), port: 443 },
        certified_as: domain.to_owned(),
        paths: Vec::new(),
        calendars,
        contacts,
    }
}

/// What to make of the records of the services that are offered.
fn location(
    domain: &str,
    said: &[(Class, Option<Found>)],
) -> std::result::Result<Location, String> {
    let offers = |class| said.iter().any(|(offered, _)| *offered == class);
    let itself = itself(domain, offers(Class::Calendar), offers(Class::Contacts));
    let found: Vec<&Found> = said.iter().filter_map(|(_, found)| found.as_ref()).collect();
    let Some(first) = found.first() else { return Ok(itself) };
    if let Some(other) = found.iter().find(|it| (&it.host, it.port) != (&first.host, first.port)) {
        return Err(format!(
            "it names two servers, {}:{} for calendars and {}:{} for contacts: set one's address \
             as dav.url, and dav.contacts or dav.calendars = false",
            first.host, first.port, other.host, other.port
        ));
    }
    Ok(Location {
        origin: Origin { tls: true, host: first.host.clone(), port: first.port },
        certified_as: first.certified_as(domain).to_owned(),
        paths: found.iter().filter_map(|it| Path::new(it.path.as_deref()?)).collect(),
        ..itself
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(host: &str, path: Option<&str>) -> Option<Found> {
        Some(Found { host: host.to_owned(), port: 8443, path: path.map(str::to_owned) })
    }

    fn both(calendars: Option<Found>, contacts: Option<Found>) -> [(Class, Option<Found>); 2] {
        [(Class::Calendar, calendars), (Class::Contacts, contacts)]
    }

    fn principals(said: &[(Class, Option<Found>)]) -> Vec<String> {
        let location = location("example.org", said).unwrap();
        location.principals().iter().map(Path::to_string).collect()
    }

    #[test]
    fn the_path_that_dns_tells_comes_before_the_well_known_ones() {
        let known = ["/.well-known/caldav", "/.well-known/carddav", "/"];
        assert_eq!(principals(&both(found("dav.example.org", None), None)), known);
        let dav = found("dav.example.org", Some("/dav/"));
        assert_eq!(principals(&both(dav.clone(), dav))[..2], ["/dav/", "/.well-known/caldav"]);
        assert_eq!(principals(&both(found("dav.example.org", Some("no path")), None)), known);
    }

    #[test]
    fn without_records_it_is_at_the_domain_itself() {
        let location = location("example.org", &both(None, None)).unwrap();
        assert_eq!(location, itself("example.org", true, true));
        assert_eq!(location.origin.to_string(), "https://example.org:443");
        assert_eq!(location.certified_as, "example.org");
    }

    #[test]
    fn calendars_and_contacts_are_on_one_server() {
        let two = both(found("cal.example.org", None), found("card.example.org", None));
        let said = location("example.org", &two).unwrap_err();
        assert!(said.contains("names two servers"), "{said}");
    }

    #[test]
    fn what_is_not_offered_is_not_asked_for() {
        let calendars = [(Class::Calendar, found("dav.example.org", None))];
        let location = location("example.org", &calendars).unwrap();
        assert_eq!((location.calendars, location.contacts), (true, false));
        assert_eq!(principals(&calendars), ["/.well-known/caldav", "/"]);
    }
}
