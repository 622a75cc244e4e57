//! Who the user is to the server and where their collections are (RFC 6764 §6, RFC 5397, RFC 4791
//! §6.2, RFC 6352 §7.1, RFC 6638 §2).

use crate::client::Request;
use crate::config::DavConfig;
use crate::error::WireError;
use crate::href::Path;
use crate::lately::Lately;
use crate::mailbox::DavMailbox;
use crate::multistatus::Response;
use crate::report;
use crate::xml::Ns;
use dme_mailbox::{Error, ErrorKind};
use dme_model::UserId;
use http::Method;
use std::sync::Arc;

/// Home sets of one kind that are looked at.
const MAX_HOMES: usize = 16;

/// What the server knows of a user.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Principal {
    /// The addresses under which the server knows the user as an owner of things.
    pub(crate) paths: Vec<Path>,
    /// Collections with calendars in them; empty where none are taken from this server.
    pub(crate) calendar_homes: Vec<Path>,
    /// Collections with address books in them.
    pub(crate) contact_homes: Vec<Path>,
    /// Mail addresses the user has in calendars, lower case.
    pub(crate) addresses: Vec<String>,
    pub(crate) display_name: Option<String>,
    /// Where free/busy is asked for.
    pub(crate) outbox: Option<Path>,
    /// The calendar that invitations go to.
    pub(crate) default_calendar: Option<Path>,
    /// The server itself tells attendees and organisers (RFC 6638).
    pub(crate) schedules: bool,
}

/// What was found of users, with the fingerprint of the credentials it was found with.
pub(crate) type Principals = Lately<UserId, (u64, Arc<Principal>)>;

impl Principal {
    /// Whether this is the path of the user's principal. Logins are not told apart by case alone.
    pub(crate) fn is(&self, path: &Path) -> bool {
        self.paths.iter().any(|own| own.as_str().eq_ignore_ascii_case(path.as_str()))
    }
}

impl DavMailbox {
    /// What the server knows of the user, from memory where it was asked lately.
    pub(crate) async fn principal(&self) -> Result<Arc<Principal>, WireError> {
        let user = &self.account.user;
        let fingerprint = self.shared.fingerprint(&self.account.credentials);
        if let Some((with, known)) = self.shared.principals.of(user)
            && with == fingerprint
        {
            return Ok(known);
        }
        let found = Arc::new(self.find_principal().await?);
        self.shared.principals.keep(user.clone(), (fingerprint, found.clone()));
        Ok(found)
    }

    /// Asks the server who the user is, whatever is remembered.
    pub(crate) async fn find_principal(&self) -> Result<Principal, WireError> {
        let config = &self.shared.config;
        let path = match &config.principal {
            Some(template) => named(config, template, &self.login_name())?,
            None => self.locate().await?,
        };
        let props = "<displayname/><principal-URL/><C:calendar-home-set/><A:addressbook-home-set/>\
                     <C:schedule-inbox-URL/><C:schedule-outbox-URL/><C:calendar-user-address-set/>";
        let found = self.propfind(&path, "0", props).await?;
        let response = found.responses.into_iter().next();
        let response = response.ok_or_else(|| nobody(&format!("{path} tells nothing")))?;
        let homes = |wanted: bool, ns, name| match wanted {
            true => self.hrefs(&response, ns, name).take(MAX_HOMES).collect(),
            false => Vec::new(),
        };
        let itself =
            Path::read(&response.href, &self.shared.client.origin).unwrap_or_else(|| path.clone());
        let mut paths: Vec<Path> = [path.clone(), itself].map(Path::into_collection).into();
        paths.extend(self.hrefs(&response, Ns::Dav, "principal-URL"));
        paths.dedup();
        let mut principal = Principal {
            paths,
            calendar_homes: homes(config.calendars, Ns::CalDav, "calendar-home-set"),
            contact_homes: homes(config.contacts, Ns::CardDav, "addressbook-home-set"),
            addresses: addresses(&response),
            display_name: response.text(Ns::Dav, "displayname").map(str::to_owned),
            ..Principal::default()
        };
        if principal.calendar_homes.is_empty() && principal.contact_homes.is_empty() {
            return Err(nobody(&format!("{path} names neither calendars nor address books")));
        }
        if let Some(home) = principal.calendar_homes.first() {
            let options = self.send(Request::new(Method::OPTIONS, home)).await?.success()?;
            let announced = options.list("dav").iter().any(|it| it == "calendar-auto-schedule");
            principal.outbox = self.hrefs(&response, Ns::CalDav, "schedule-outbox-URL").next();
            principal.schedules = announced && principal.outbox.is_some();
        }
        if let Some(inbox) = self.hrefs(&response, Ns::CalDav, "schedule-inbox-URL").next()
            && config.calendars
            && let Ok(told) = self.propfind(&inbox, "0", "<C:schedule-default-calendar-URL/>").await
            && let Some(told) = told.responses.first()
        {
            let name = "schedule-default-calendar-URL";
            principal.default_calendar = self.hrefs(told, Ns::CalDav, name).next();
        }
        Ok(principal)
    }

    /// The path of the user's principal, asked for where it may be told.
    async fn locate(&self) -> Result<Path, WireError> {
        let mut last = None;
        for place in &self.shared.places {
            let props = "<current-user-principal/><resourcetype/>";
            match self.propfind(place, "0", props).await {
                Ok(found) => {
                    let Some(response) = found.responses.into_iter().next() else { continue };
                    let named = self.hrefs(&response, Ns::Dav, "current-user-principal").next();
                    let itself = response
                        .prop(Ns::Dav, "resourcetype")
                        .filter(|kind| kind.holds(Ns::Dav, "principal"))
                        .and_then(|_| Path::read(&response.href, &self.shared.client.origin));
                    if let Some(path) = named.or(itself) {
                        return Ok(path);
                    }
                }
                // What is not there, or sends elsewhere, may still be at the next place.
                Err(WireError::Redirected(to)) => last = Some(WireError::Redirected(to)),
                Err(WireError::Nonsense(said)) => last = Some(WireError::Nonsense(said)),
                Err(error) if matches!(error.status(), Some(301..=399 | 400 | 403..=405 | 501)) => {
                    last = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| nobody("the server names no principal for the user")))
    }

    fn hrefs<'a>(
        &'a self,
        response: &'a Response,
        ns: Ns,
        name: &str,
    ) -> impl Iterator<Item = Path> + 'a {
        let hrefs = response.prop(ns, name).into_iter().flat_map(|prop| prop.hrefs());
        let paths = hrefs.filter_map(|href| Path::read(href, &self.shared.client.origin));
        paths.map(Path::into_collection)
    }

    /// Properties of a resource, and of those in it by depth.
    pub(crate) async fn propfind(
        &self,
        path: &Path,
        depth: &str,
        props: &str,
    ) -> Result<crate::multistatus::Multistatus, WireError> {
        let request = Request::xml("PROPFIND", path, report::propfind(props)).depth(depth);
        self.send(request).await?.multistatus()
    }
}

fn named(config: &DavConfig, template: &str, login: &str) -> Result<Path, WireError> {
    // Whatever a login holds, it is one segment.
    let segment = Path::new("/").and_then(|root| root.member(&login.replace('%', "%25")));
    let segment = segment.ok_or_else(|| nobody("the login makes no path"))?;
    Path::new(&template.replace("{login}", segment.name()))
        .ok_or_else(|| nobody(&format!("{:?} makes no path", config.principal)))
}

fn nobody(what: &str) -> WireError {
    Error::new(ErrorKind::NotFound, format!("dav: finding the user: {what}")).into()
}

fn addresses(response: &Response) -> Vec<String> {
    let set = response.prop(Ns::CalDav, "calendar-user-address-set");
    let hrefs = set.into_iter().flat_map(|set| set.hrefs());
    let addresses = hrefs.filter_map(|href| {
        let (scheme, address) = href.split_once(':')?;
        scheme.eq_ignore_ascii_case("mailto").then(|| address.to_lowercase())
    });
    addresses.take(64).collect()
}
