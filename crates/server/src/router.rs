//! Which connectors serve a user, now: rules R1 to R5 and R7, as far as a request needs them. The
//! judgement itself is `dme_routing`'s; this remembers what connectors answered, keeps the routes,
//! and opens mailboxes.

mod begun;
mod belonging;
mod explain;
mod ownership;
mod plan;
mod routed;
mod simulate;

use crate::connectors::{Connectors, Endpoint};
use crate::membership::Membership;
use crate::outbox::Outbox;
use crate::records::events::Events;
use crate::records::{EventKind, Happened};
use begun::Begun;
use dme_directory::Person;
use dme_mailbox::{
    Account, CallContext, Credentials, Error, ErrorKind, JoinedMailbox, LastCollections, Mailbox,
    Named, Part, Result,
};
use dme_model::{ConnectorId, Function, RequestId, Timestamp, UserId, ZoneId};
use dme_routing::{History, Known, Question, Route, Scope};
use dme_store::{RouteRecord, Store};
use ownership::{Asked, Asking, Ownership, UserKnowledge};
use plan::{Plan, Routes, Served};

pub use explain::{Explained, Judged};
pub use simulate::{Fate, Moved, NO_TIME};

use routed::RoutedMailbox;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Users whose routes are remembered at the most.
const REMEMBERED: usize = 200_000;

/// How long a route holds where groups are scopes, whose members may change.
const MEMBERS_FOR: Duration = Duration::from_secs(10);

/// Finds the connectors for each request.
pub struct Router {
    connectors: Arc<Connectors>,
    store: Store,
    membership: Arc<dyn Membership>,
    call: Duration,
    clock: ZoneId,
    known: Mutex<HashMap<UserId, Remembered>>,
    last: Arc<LastCollections>,
    begun: Begun,
    events: OnceLock<Events>,
}

#[derive(Clone, Default)]
struct Remembered {
    /// The routes as they were last written down; none where they were not read yet.
    routes: Option<Routes>,
    owns: Ownership,
    plan: Option<Arc<Plan>>,
}

impl Router {
    /// A router over these connectors; `call` limits each call to one.
    pub fn new(
        connectors: Arc<Connectors>,
        store: Store,
        membership: Arc<dyn Membership>,
        call: Duration,
    ) -> Self {
        let last = Arc::default();
        let (known, begun) = (Mutex::default(), Begun::default());
        let (clock, events) = (ZoneId::utc(), OnceLock::new());
        Self { connectors, store, membership, call, clock, known, last, begun, events }
    }

    /// Has the log told of each change of a route from now on. Only the first is heard.
    pub fn tell(&self, events: Events) {
        let _ = self.events.set(events);
    }

    /// A user's first route is no news.
    fn note(&self, user: &UserId, before: &Routes, route: &RouteRecord) {
        let Some(former) = before.get(&route.function) else { return };
        let Some(events) = self.events.get().filter(|_| former.serving != route.serving) else {
            return;
        };
        let RouteRecord { function, serving, why, .. } = route;
        let words = format!("{function}: {serving} in the place of {}: {why}", former.serving);
        let happened = Happened::new(EventKind::RouteChanged, words).user(user);
        events.note(happened.connector(serving).detail("function", function.to_string()));
    }

    /// The same for users of this clock: their times without a time zone are on it at each connector.
    #[must_use]
    pub fn on_clock(self, clock: ZoneId) -> Self {
        Self { clock, ..self }
    }

    /// A handle on the user's mailbox, through the connectors that serve it now. `now` decides how
    /// warm a connector is, nothing else.
    ///
    /// # Errors
    /// `Unavailable` where no connector can serve the user's mail, with the reasons; `Busy` where
    /// all who could have too much to do or are off hours; the connectors' own errors.
    pub async fn open(
        self: &Arc<Self>,
        account: &Account,
        request: &RequestId,
        now: Timestamp,
    ) -> Result<Arc<dyn Mailbox>> {
        self.open_for(account, request, now, self.call).await
    }

    /// The same with a deadline of the caller's.
    ///
    /// # Errors
    /// As [`Router::open`].
    pub async fn open_for(
        self: &Arc<Self>,
        account: &Account,
        request: &RequestId,
        now: Timestamp,
        limit: Duration,
    ) -> Result<Arc<dyn Mailbox>> {
        let context = CallContext::new(request.clone(), limit).on_clock(self.clock.clone());
        let plan = self.plan(account, request, now, Asking::WhereItMatters, limit / 2).await?;
        let part = |served: &Served| {
            let functions = served.classes.iter().map(|class| class.function()).collect();
            let (router, account, context) = (self.clone(), account.clone(), context.clone());
            let by = served.by.clone();
            let mailbox = RoutedMailbox::new(router, account, context, functions, by);
            let named =
                Named::ByClass { serves: served.classes.clone(), hides: served.hides.clone() };
            (named, mailbox)
        };
        let (named, mailbox) = part(&plan.mail);
        // A connector that will not open the mailbox says so now.
        mailbox.open().await?;
        let mail = Part { named, mailbox: Arc::new(mailbox) };
        let others = plan.others.iter().map(part);
        let others = others.map(|(named, mailbox)| Part { named, mailbox: Arc::new(mailbox) });
        let (user, others) = (account.user.clone(), others.collect());
        Ok(Arc::new(JoinedMailbox::new(user, mail, others, self.last.clone())))
    }

    /// A handle to send by. Where the user's mail is at home at a connector that is away, the message
    /// is kept until that is back.
    ///
    /// # Errors
    /// As [`Router::open`].
    pub async fn open_to_send(
        self: &Arc<Self>,
        account: &Account,
        request: &RequestId,
        now: Timestamp,
        outbox: &Arc<Outbox>,
    ) -> Result<Arc<dyn Mailbox>> {
        let error = match self.open(account, request, now).await {
            Ok(_) if outbox.has(&account.user) => {
                Error::new(ErrorKind::Unavailable, "others of the user's wait before it")
            }
            Err(error) if error.is_transient() => match self.home(&account.user).await {
                // One that is linked and does not answer is asked again by the phone.
                Some(home) if !self.connectors.links().is_linked(&home) => error,
                _ => return Err(error),
            },
            opened => return opened,
        };
        let context = CallContext::new(request.clone(), self.call).on_clock(self.clock.clone());
        let (router, account, outbox) = (self.clone(), account.clone(), outbox.clone());
        Ok(Arc::new(RoutedMailbox::keeping(router, account, context, error, outbox)))
    }

    /// The connector where the user's mail was served last; none where it never was, or the
    /// connector is gone.
    pub async fn home(&self, user: &UserId) -> Option<ConnectorId> {
        let routes = self.remembered(user).await.ok()?.routes?;
        let name = &routes.get(&Function::Mail)?.serving;
        self.connectors
            .snapshot()
            .iter()
            .find(|one| one.name == *name)
            .map(|one| one.state.id.clone())
    }

    /// Who serves which of the user's functions.
    async fn plan(
        &self,
        account: &Account,
        request: &RequestId,
        now: Timestamp,
        asking: Asking,
        patience: Duration,
    ) -> Result<Arc<Plan>> {
        if let Some(plan) = self.standing_plan(&account.user) {
            return Ok(plan);
        }
        let mut remembered = self.remembered(&account.user).await?;
        let asked =
            self.know_owners(account, request, &mut remembered.owns, asking, patience).await;
        let Asked { version, endpoints, unasked } = asked;
        let before = remembered.routes.take().unwrap_or_default();
        // What nobody was asked for is asked for at the next request.
        let mut until = match asking {
            Asking::Nobody => Instant::now(),
            _ if unasked.is_some() => Instant::now(),
            _ => remembered.owns.good_until(),
        };
        if endpoints.iter().any(|one| matches!(*one.state.scope, Scope::Group(_))) {
            until = until.min(Instant::now() + MEMBERS_FOR);
        }
        let judged = |function| self.route(account, function, now, &endpoints, &remembered.owns);
        let made =
            plan::make(&endpoints, &before, now, (version, until), judged).and_then(|made| {
                made.ok_or_else(|| {
                    let route = judged(Function::Mail);
                    let words =
                        self.explained(Function::Mail, &route, &before, &endpoints).to_string();
                    let home = plan::home(&before, Function::Mail, &endpoints);
                    let later = unasked.map(|unasked| unasked.after);
                    let kind = plan::nobody(later.or_else(|| route.perhaps_in(home)));
                    Error::new(kind, words.replace('\n', "; "))
                })
            });
        let (plan, after) = match made {
            Ok(made) => made,
            Err(error) => {
                remembered.routes = Some(before);
                self.remember(&account.user, remembered);
                return Err(error);
            }
        };
        let plan = Arc::new(plan);
        if after != before {
            for route in after.values().filter(|route| before.get(&route.function) != Some(*route))
            {
                tracing::info!(user = %account.user, function = %route.function,
                    connector = route.serving, why = route.why, "route");
                self.note(&account.user, &before, route);
            }
            let written = after.values().cloned().collect();
            if let Err(error) = self.store.put_routes(&account.user, written).await {
                tracing::warn!(user = %account.user, %error, "the routes could not be written down");
            }
        }
        remembered.routes = Some(after);
        remembered.plan = Some(plan.clone());
        self.remember(&account.user, remembered);
        Ok(plan)
    }

    /// The plan that was made, where it still holds: found in microseconds.
    fn standing_plan(&self, user: &UserId) -> Option<Arc<Plan>> {
        let plan = self.lock().get(user)?.plan.clone()?;
        let holds = plan.version == self.connectors.version()
            && plan.settled
            && plan.until > Instant::now()
            && plan.connectors().all(|id| self.connectors.takes_work(id));
        holds.then_some(plan)
    }

    /// The connectors that serve the user now, the mail's first. Nobody is asked for it.
    ///
    /// # Errors
    /// As [`Router::open`].
    pub async fn serving_now(
        &self,
        account: &Account,
        request: &RequestId,
        now: Timestamp,
    ) -> Result<Vec<ConnectorId>> {
        let plan = self.plan(account, request, now, Asking::Nobody, Duration::ZERO).await?;
        Ok(plan.connectors().cloned().collect())
    }

    /// The next connector for these functions, after those that failed; none where there is no
    /// other for all of them. What the call may still take is not all for finding it.
    async fn other(
        &self,
        account: &Account,
        context: &CallContext,
        functions: &BTreeSet<Function>,
        failed: &[ConnectorId],
        now: Timestamp,
    ) -> Option<ConnectorId> {
        let mut owns = self.remembered(&account.user).await.ok()?.owns;
        // For this question they are not there.
        for one in failed {
            owns.failed(one.clone());
        }
        let patience = context.left() / 2;
        let (request, asking) = (&context.request, Asking::WhereItMatters);
        let asked = self.know_owners(account, request, &mut owns, asking, patience).await;
        if let Some(known) = self.lock().get_mut(&account.user) {
            known.owns.learn(&owns);
        }
        let endpoints = asked.endpoints;
        let orders: Vec<Vec<ConnectorId>> = functions
            .iter()
            .map(|function| {
                let route = self.route(account, *function, now, &endpoints, &owns);
                route.order(History::default()).into_iter().cloned().collect()
            })
            .collect();
        let first = orders.first()?;
        let all = |id: &&ConnectorId| orders.iter().all(|order| order.contains(id));
        first.iter().filter(|id| !failed.contains(id)).find(all).cloned()
    }

    /// A connector could not reach a user's mail system, and another could: it is passed over for a
    /// while.
    fn note_failed(&self, user: &UserId, failed: &ConnectorId) {
        if let Some(known) = self.lock().get_mut(user) {
            known.owns.failed(failed.clone());
            known.plan = None;
        }
    }

    /// Whether a user is of a scope, as far as that is known.
    pub(crate) fn covers(&self, scope: &Scope, user: &UserId) -> Known {
        scope.covers(user, |group| self.membership.of_user(user, group))
    }

    /// The directory has told of somebody: who was not let in yet has groups too.
    pub fn told(&self, person: &Person) {
        self.membership.told(person);
    }

    fn route(
        &self,
        account: &Account,
        function: Function,
        now: Timestamp,
        endpoints: &[Endpoint],
        owns: &Ownership,
    ) -> Route {
        let membership = &*self.membership;
        let knowledge = UserKnowledge { user: &account.user, owns, membership };
        let question = Question { user: &account.user, function, now };
        Route::new(endpoints.iter().map(|endpoint| &endpoint.state), question, &knowledge)
    }

    /// Opens the user's mailbox at one connector.
    async fn open_at(
        &self,
        id: &ConnectorId,
        account: &Account,
        context: &CallContext,
    ) -> Result<Arc<dyn Mailbox>> {
        let needs = self.connectors.links().mailbox_needs(id).unwrap_or_default();
        let account = Account { credentials: needs.admit(&account.credentials), ..account.clone() };
        self.connectors.mail_system(id).open(&account, context).await
    }

    /// What is remembered of a user; the routes are read where they were not.
    async fn remembered(&self, user: &UserId) -> Result<Remembered> {
        let mut remembered = self.lock().get(user).cloned().unwrap_or_default();
        if remembered.routes.is_none() {
            let routes = self.store.routes(user).await.map_err(|error| {
                Error::new(ErrorKind::Unavailable, format!("the routes cannot be read: {error}"))
            })?;
            remembered.owns.served_by(routes.iter().map(|route| route.serving.clone()));
            let routes = routes.into_iter().map(|route| (route.function, route));
            remembered.routes = Some(routes.collect());
        }
        Ok(remembered)
    }

    fn remember(&self, user: &UserId, remembered: Remembered) {
        let mut known = self.lock();
        if known.len() >= REMEMBERED && !known.contains_key(user) {
            known.clear();
        }
        known.insert(user.clone(), remembered);
    }

    /// Forgets what connectors said of a user, or of all, and where they are at home: they are
    /// asked anew.
    ///
    /// # Errors
    /// The database's.
    pub async fn flush(&self, user: Option<&UserId>) -> dme_store::Result<()> {
        self.store.forget_routes(user).await?;
        match user {
            Some(user) => drop(self.lock().remove(user)),
            None => self.lock().clear(),
        }
        Ok(())
    }

    /// The name of the connector that served the user's mail last; empty where none did.
    pub fn serving(&self, user: &UserId) -> String {
        let plan = self.lock().get(user).and_then(|known| known.plan.clone());
        let mail = plan.and_then(|plan| plan.mail.by.clone().ok());
        mail.map(|mail| self.connectors.name(&mail)).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Remembered>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without credentials: no question about who owns a mailbox needs them.
fn secretless(account: &Account) -> Account {
    Account { credentials: Credentials::None, ..account.clone() }
}

#[cfg(test)]
mod tests;
