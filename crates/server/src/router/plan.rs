//! Which connector serves which of a user's functions, made of the routes.

use crate::connectors::Endpoint;
use dme_mailbox::{Error, ErrorKind, Result};
use dme_model::{Class, ConnectorId, Function, Timestamp};
use dme_routing::{Choice, History, Objection, Route, Tier};
use dme_store::RouteRecord;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// Who serves a user.
#[derive(Clone)]
pub(super) struct Plan {
    /// The version of the connectors it was made for.
    pub version: u64,
    /// Nobody waits to go to a better one: it need not be made anew before something changes.
    pub settled: bool,
    /// Until when what connectors said of whose mailbox it is holds.
    pub until: Instant,
    /// The connector of the mail, with what else it serves.
    pub mail: Served,
    /// What comes from other connectors.
    pub others: Vec<Served>,
}

/// What one connector serves of a user.
#[derive(Clone)]
pub(super) struct Served {
    pub classes: BTreeSet<Class>,
    /// Which, or why none can now.
    pub by: Result<ConnectorId>,
    /// The classes that its mailbox has and that another serves, or that are switched off.
    pub hides: BTreeSet<Class>,
}

impl Plan {
    /// Every connector it needs, the mail's first.
    pub fn connectors(&self) -> impl Iterator<Item = &ConnectorId> {
        std::iter::once(&self.mail).chain(&self.others).filter_map(|one| one.by.as_ref().ok())
    }
}

/// The routes of a user by function.
pub(super) type Routes = BTreeMap<Function, RouteRecord>;

/// The connector where a user's function is at home, if it is there.
pub(super) fn home<'a>(
    routes: &Routes,
    function: Function,
    endpoints: &'a [Endpoint],
) -> Option<&'a ConnectorId> {
    let name = routes.get(&function)?.home.as_deref()?;
    endpoints.iter().find(|one| one.name == name).map(|one| &one.state.id)
}

/// What is told where nobody can serve: when to come again, where that is known.
pub(super) fn nobody(back_in: Option<Duration>) -> ErrorKind {
    back_in.map_or(ErrorKind::Unavailable, |after| ErrorKind::Busy { after })
}

/// The routes of a user while a plan is made.
struct Making<'a> {
    before: &'a Routes,
    after: Routes,
    /// The connectors by name.
    ids: BTreeMap<&'a str, &'a ConnectorId>,
    names: BTreeMap<&'a ConnectorId, &'a str>,
    now: Timestamp,
    settled: bool,
}

/// Makes a plan from the judgements on each function, and the routes to be written down; none
/// where nobody can serve the mail, for without it there is no account. It holds in this version of
/// the connectors, and until then.
///
/// # Errors
/// Where those who could serve the mail are busy or off hours.
pub(super) fn make(
    endpoints: &[Endpoint],
    before: &Routes,
    now: Timestamp,
    (version, until): (u64, Instant),
    judged: impl Fn(Function) -> Route,
) -> Result<Option<(Plan, Routes)>> {
    let names = endpoints.iter().map(|one| (&one.state.id, one.name.as_str()));
    let mut making = Making {
        before,
        after: BTreeMap::new(),
        ids: names.clone().map(|(id, name)| (name, id)).collect(),
        names: names.collect(),
        now,
        settled: true,
    };
    let Some(mail) = making.choose(Function::Mail, &judged(Function::Mail), None)? else {
        return Ok(None);
    };
    let offers = |id: &ConnectorId, function| {
        endpoints.iter().any(|one| one.state.id == *id && one.offer.offers(function))
    };
    let mut served = vec![Served {
        classes: [Class::Mail].into(),
        by: Ok(mail.clone()),
        hides: BTreeSet::new(),
    }];
    for class in Class::ALL.into_iter().filter(|class| *class != Class::Mail) {
        let function = class.function();
        let known = before.contains_key(&function);
        if !known && !endpoints.iter().any(|one| one.state.functions.contains(&function)) {
            continue;
        }
        let by = making.choose(function, &judged(function), Some(&mail));
        let Some(by) = by.transpose() else { continue };
        match served.iter_mut().find(|one| one.by == by) {
            Some(one) => drop(one.classes.insert(class)),
            None => served.push(Served { classes: [class].into(), by, hides: Class::ALL.into() }),
        }
    }
    let mut served = served.into_iter();
    let Some(mut at_mail) = served.next() else { return Ok(None) };
    let hides = |class: &Class| offers(&mail, class.function()) && !at_mail.classes.contains(class);
    at_mail.hides = Class::ALL.into_iter().filter(hides).collect();
    let settled = making.settled;
    let plan = Plan { version, settled, until, mail: at_mail, others: served.collect() };
    Ok(Some((plan, making.after)))
}

impl<'a> Making<'a> {
    fn id(&self, name: &str) -> Option<&'a ConnectorId> {
        self.ids.get(name).copied()
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
        let home = before.and_then(|before| before.home.as_deref());
        // One that was removed may be enrolled anew under its name: until the routes are flushed
        // the user stays at home there.
        let home = home.filter(|name| self.id(name).is_none_or(|id| route.is_home(id)));
        let history = History {
            home: home.and_then(|name| self.id(name)),
            last: before.and_then(|before| self.id(&before.serving)),
            beside: mail,
        };
        let (chosen, why) = match route.choose(history) {
            Choice::Serve(id, why) => (id.clone(), why),
            Choice::Busy { retry_after } => {
                self.keep(function);
                return Err(Error::new(
                    ErrorKind::Busy { after: retry_after },
                    format!("{function}: all connectors that could serve are busy or off hours"),
                ));
            }
            Choice::Nobody => {
                let Some(home) = home else { return Ok(None) };
                self.keep(function);
                // Without mail there is no account, and the caller says why.
                let Some(_) = mail else { return Ok(None) };
                let words = format!("{function} is served by {home}, which cannot serve now");
                let back_in = self.id(home).and_then(|home| route.perhaps_in(Some(home)));
                return Err(Error::new(nobody(back_in), words));
            }
        };
        let tier = route.candidate(&chosen).map(|candidate| candidate.tier);
        let name = self.names.get(&chosen).copied().unwrap_or_else(|| chosen.as_str());
        let home = match home {
            Some(home) => Some(home.to_owned()),
            None => (tier == Some(Tier::Primary)).then(|| name.to_owned()),
        };
        if home.as_deref() != Some(name) {
            self.settled &= !waits_for_a_better(route, home.as_deref().and_then(|n| self.id(n)));
        }
        let record = match before {
            Some(before) if before.serving == name => RouteRecord { home, ..before.clone() },
            _ => RouteRecord {
                function,
                home,
                serving: name.to_owned(),
                since: self.now,
                why: why.to_string(),
            },
        };
        self.after.insert(function, record);
        Ok(Some(chosen))
    }

    /// The mailbox stays where it is known to be; what serves it is looked for at each request.
    fn keep(&mut self, function: Function) {
        self.settled = false;
        let before = self.before.get(&function);
        self.after.extend(before.map(|route| (function, route.clone())));
    }
}

/// Whether a better connector than the one that serves may take the user soon, though no connector
/// comes or goes: the home, or without one any primary.
fn waits_for_a_better(route: &Route, home: Option<&ConnectorId>) -> bool {
    route.candidates().iter().any(|candidate| {
        let meant = match home {
            Some(home) => candidate.connector == *home,
            None => candidate.tier == Tier::Primary,
        };
        let soon = |objection: &Objection| {
            matches!(
                objection,
                Objection::Exhausted | Objection::OwnershipUnknown | Objection::Unanswering
            )
        };
        meant && candidate.objections.iter().all(soon)
    })
}
