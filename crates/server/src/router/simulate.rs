//! What would become of everybody's routes, were connectors down (rule R5).

use super::Router;
use super::explain::{Judged, judged};
use super::ownership::{Asking, OWNER_LIMIT};
use crate::connectors::Endpoint;
use dme_directory::Person;
use dme_mailbox::{Account, Credentials};
use dme_model::{Function, RequestId, Timestamp, UserId};
use dme_routing::{Candidate, History, Link, Objection, Route};
use futures_util::{StreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// So many users are looked at in parallel: each is asked of a directory, and of connectors. What
/// the directory tells is remembered of more than these ([`crate::membership`]).
const AT_ONCE: usize = 32;
/// How long the directory and the connectors are asked, for all users together.
const LIMIT: Duration = Duration::from_secs(30);
/// So many connectors are told that might serve a user, were there less against them: of many users
/// and many connectors all would be too much.
const NEAREST: usize = 5;
/// Why it is not known what would become of a user whom nobody was asked about.
pub const NO_TIME: &str = "there were too many users to ask the directory about all in time";

/// What would become of one function of a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    /// Whose.
    pub user: UserId,
    /// Which function.
    pub function: Function,
    /// Who serves it now.
    pub from: String,
    /// Who would.
    pub to: Fate,
}

/// Who would serve a function of a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// This connector.
    Served(String),
    /// Nobody. What speaks against those that have the function and are not down, the least first.
    Nobody(Vec<Judged>),
    /// It is not known.
    Unknown {
        /// Why the user could not be looked up; none where only what a connector has not said is
        /// missing.
        why: Option<String>,
        /// What speaks against those that might, as far as it is known, and then the others.
        against: Vec<Judged>,
    },
}

impl Router {
    /// What would become of everybody's routes without these connectors, by name. `find` asks the
    /// directory for a user, as scopes may be groups, or says why it cannot tell; who owns whose
    /// mailbox is asked of those who have not said.
    ///
    /// # Errors
    /// Where the routes cannot be read.
    pub async fn simulate<F>(
        &self,
        down: &BTreeSet<String>,
        request: &RequestId,
        now: Timestamp,
        find: impl Fn(UserId) -> F,
    ) -> dme_store::Result<Vec<Moved>>
    where
        F: Future<Output = Result<Person, String>>,
    {
        let mut endpoints = self.connectors.all();
        for endpoint in endpoints.iter_mut().filter(|endpoint| down.contains(&endpoint.name)) {
            endpoint.state.link = Link::Lost;
        }
        let routes = self.store.all_routes().await?;
        let affected = routes.into_iter().filter(|(_, route)| down.contains(&route.serving));
        let mut by_user = BTreeMap::<UserId, Vec<_>>::new();
        for (user, route) in affected {
            by_user.entry(user).or_default().push(route);
        }
        let until = Instant::now() + LIMIT;
        let (endpoints, find) = (&endpoints, &find);
        let each = by_user.into_iter().map(|(user, routes)| async move {
            let found = in_time(until, || find(user.clone())).await;
            if let Ok(person) = &found {
                self.told(person);
            }
            let account = account(&user, found.as_ref().ok());
            let known = self.lock().get(&user).map(|known| known.owns.clone());
            let mut owns = known.unwrap_or_default();
            let (until, asking) = (until.min(Instant::now() + OWNER_LIMIT), Asking::WhereItMatters);
            // Who had no time to say has not said, and that is told.
            let _ = self.ask_owners(&account, request, endpoints, &mut owns, asking, until).await;
            let moved = routes.into_iter().map(|record| {
                let route = self.route(&account, record.function, now, endpoints, &owns);
                let to = self.fate(&route, down, endpoints, found.as_ref().err());
                Moved { user: user.clone(), function: record.function, from: record.serving, to }
            });
            moved.collect::<Vec<_>>()
        });
        let moved: Vec<Vec<Moved>> = stream::iter(each).buffered(AT_ONCE).collect().await;
        Ok(moved.concat())
    }

    /// Who would serve by this judgement; `unfound` says why the user could not be looked up.
    fn fate(
        &self,
        route: &Route,
        down: &BTreeSet<String>,
        endpoints: &[Endpoint],
        unfound: Option<&String>,
    ) -> Fate {
        if let Some(id) = route.order(History::default()).first() {
            return Fate::Served(self.connectors.name(id));
        }
        let is_meant = |one: &&Candidate| {
            !down.contains(&self.connectors.name(&one.connector))
                && !one.objections.contains(&Objection::FunctionOff)
        };
        let mut others: Vec<&Candidate> = route.candidates().iter().filter(is_meant).collect();
        // Of whom the directory has not told, a mailbox may go by another address too.
        let is_open = |objection: &Objection| match objection {
            Objection::OwnershipUnknown => true,
            Objection::ScopeUnknown
            | Objection::NotOwner
            | Objection::Exhausted
            | Objection::Unanswering => unfound.is_some(),
            _ => false,
        };
        let may_serve = |one: &Candidate| one.objections.iter().all(is_open);
        others.sort_by_key(|one| (!may_serve(one), one.objections.len()));
        others.truncate(NEAREST);
        let is_unknown = others.first().is_some_and(|one| may_serve(one));
        let against = others.into_iter().map(|one| judged(one, endpoints)).collect();
        match is_unknown {
            true => Fate::Unknown { why: unfound.cloned(), against },
            false => Fate::Nobody(against),
        }
    }
}

/// What is asked of the directory, unless the time is over.
async fn in_time<F>(until: Instant, find: impl FnOnce() -> F) -> Result<Person, String>
where
    F: Future<Output = Result<Person, String>>,
{
    let late = || Err(NO_TIME.to_owned());
    match Instant::now() < until {
        true => tokio::time::timeout_at(until, find()).await.unwrap_or_else(|_| late()),
        false => late(),
    }
}

/// A user's account as connectors are asked about it.
fn account(user: &UserId, person: Option<&Person>) -> Account {
    Account {
        user: user.clone(),
        address: person.map_or_else(|| user.to_string(), |person| person.address.clone()),
        display_name: person.and_then(|person| person.display_name.clone()),
        credentials: Credentials::None,
    }
}
