//! Which connector serves which of a user's functions, made of the routes.

use super::BESIDE_MAIL;
use crate::connectors::Endpoint;
use dme_mailbox::{Error, ErrorKind, Result};
use dme_model::{Class, ConnectorId, Function, Timestamp};
use dme_routing::{Choice, History, Route};
use dme_store::RouteRecord;
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// Who serves a user.
#[derive(Clone)]
pub(super) struct Plan {
    /// The version of the connectors it was made for.
    pub version: u64,
    /// Nobody waits for their turn to go home: it need not be made anew before something changes.
    pub settled: bool,
    /// Until when what connectors said of whose mailbox it is holds.
    pub until: Instant,
    /// The connector of the mail.
    pub mail: ConnectorId,
    /// The classes of which that one's mailbox shows nothing: another has them, or they are off.
    pub hidden: BTreeSet<Class>,
    /// What comes from other connectors.
    pub parts: Vec<Beside>,
}

/// Classes from another connector than the mail.
#[derive(Clone)]
pub(super) struct Beside {
    pub classes: BTreeSet<Class>,
    /// Which, or why none can now.
    pub by: Result<ConnectorId>,
}

impl Plan {
    /// Every connector it needs.
    pub fn connectors(&self) -> impl Iterator<Item = &ConnectorId> {
        let parts = self.parts.iter().filter_map(|part| part.by.as_ref().ok());
        std::iter::once(&self.mail).chain(parts)
    }
}

/// The routes of a user while a plan is made.
struct Making<'a> {
    before: &'a BTreeMap<Function, RouteRecord>,
    after: BTreeMap<Function, RouteRecord>,
    now: Timestamp,
    settled: bool,
}

/// Makes a plan from the judgements on each function, and the routes to be written down; none
/// where nobody can serve the mail, for without it there is no account.
///
/// # Errors
/// Where those who could serve the mail are busy or off hours.
pub(super) fn make(
    endpoints: &[Endpoint],
    before: &BTreeMap<Function, RouteRecord>,
    version: u64,
    now: Timestamp,
    judged: impl Fn(Function) -> Route,
) -> Result<Option<(Plan, BTreeMap<Function, RouteRecord>)>> {
    let mut making = Making { before, after: BTreeMap::new(), now, settled: true };
    let Some(mail) = making.choose(Function::Mail, &judged(Function::Mail), None)? else {
        return Ok(None);
    };
    let at_mail = endpoints.iter().find(|endpoint| endpoint.state.id == mail);
    let offered = |function| at_mail.is_some_and(|endpoint| endpoint.offer.offers(function));
    let (mut hidden, mut parts) = (BTreeSet::new(), Vec::<Beside>::new());
    for class in BESIDE_MAIL {
        let function = class.function();
        let elsewhere = |endpoint: &Endpoint| {
            endpoint.state.id != mail && endpoint.state.functions.contains(&function)
        };
        if !offered(function) && !endpoints.iter().any(elsewhere) {
            continue;
        }
        let by = making.choose(function, &judged(function), Some(&mail));
        let by = match by {
            Ok(Some(by)) if by == mail => continue,
            by => by.transpose(),
        };
        if offered(function) {
            hidden.insert(class);
        }
        let Some(by) = by else { continue };
        match parts.iter_mut().find(|part| part.by == by) {
            Some(part) => drop(part.classes.insert(class)),
            None => parts.push(Beside { classes: [class].into(), by }),
        }
    }
    let settled = making.settled;
    let until = Instant::now();
    Ok(Some((Plan { version, settled, until, mail, hidden, parts }, making.after)))
}

impl<'a> Making<'a> {
    fn history<'b>(&'b self, function: Function, mail: Option<&'b ConnectorId>) -> History<'b> {
        let before = self.before.get(&function);
        History {
            home: before.map(|route| &route.home),
            last: before.map(|route| &route.serving),
            beside: mail,
        }
    }

    /// The connector of a function; none where the user has it nowhere.
    ///
    /// # Errors
    /// Where the user is at home at one that cannot serve now.
    fn choose(
        &mut self,
        function: Function,
        route: &Route,
        mail: Option<&ConnectorId>,
    ) -> Result<Option<ConnectorId>> {
        let before = self.before.get(&function);
        let home = before.map(|route| &route.home).filter(|home| route.is_home(home));
        let history = self.history(function, mail);
        let (chosen, why) = match route.choose(history) {
            Choice::Serve(id, why) => (id.clone(), why),
            Choice::Busy { retry_after } => {
                // The mailbox stays where it is known to be.
                self.settled = false;
                self.after.extend(before.map(|route| (function, route.clone())));
                return Err(Error::new(
                    ErrorKind::Busy { after: retry_after },
                    format!("{function}: all connectors that could serve are busy or off hours"),
                ));
            }
            Choice::Nobody => {
                let Some(home) = home else { return Ok(None) };
                self.settled = false;
                self.after.extend(before.map(|route| (function, route.clone())));
                // Without mail there is no account, and the caller says why.
                let Some(_) = mail else { return Ok(None) };
                let words = format!("{function} is served by {home}, which cannot serve now");
                return Err(Error::new(ErrorKind::Unavailable, words));
            }
        };
        let home = home.unwrap_or(&chosen);
        if *home != chosen {
            let back = route.candidate(home).is_some_and(|home| home.objections.is_empty());
            self.settled &= !back;
        }
        let record = match before {
            Some(before) if before.serving == chosen => {
                RouteRecord { home: home.clone(), ..before.clone() }
            }
            _ => RouteRecord {
                function,
                home: home.clone(),
                serving: chosen.clone(),
                since: self.now,
                why: why.to_string(),
            },
        };
        self.after.insert(function, record);
        Ok(Some(chosen))
    }
}
