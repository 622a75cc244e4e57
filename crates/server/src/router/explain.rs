//! Routes in words, and what would become of them (rule R5).

use super::{Router, secretless};
use crate::connectors::Endpoint;
use dme_mailbox::{Account, Result};
use dme_model::{ConnectorId, Function, RequestId, Timestamp, UserId};
use dme_routing::{Candidate, Choice, History, Link, Route, Tier};
use dme_store::RouteRecord;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Who serves one function of a user, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explained {
    /// Which function.
    pub function: Function,
    /// Who serves it now; none where nobody can.
    pub serving: Option<String>,
    /// Why that one, or why nobody.
    pub why: String,
    /// Since when, where the user was served so.
    pub since: Option<Timestamp>,
    /// Who serves it while all is well.
    pub home: Option<String>,
    /// Who would serve it if that one failed.
    pub next: Option<String>,
    /// Every connector with the verdict on it, the best first.
    pub candidates: Vec<Judged>,
}

/// One connector and the verdict on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judged {
    /// Its name.
    pub connector: String,
    /// By right or as a substitute.
    pub tier: Tier,
    /// All that speaks against it.
    pub objections: Vec<String>,
    /// The seconds until it is the user's turn to come back to it.
    pub turn_in: u64,
    /// Calls under way or waiting on it.
    pub outstanding: u32,
    /// How many calls run on it at once.
    pub parallel: u32,
}

/// What would become of one function of a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    /// Whose.
    pub user: UserId,
    /// Which function.
    pub function: Function,
    /// Who serves it now.
    pub from: String,
    /// Who would; none where nobody could.
    pub to: Option<String>,
}

impl Router {
    /// Who serves this function of a user's, and why.
    ///
    /// # Errors
    /// Where the routes cannot be read.
    pub async fn explain(
        &self,
        account: &Account,
        request: &RequestId,
        now: Timestamp,
        function: Function,
    ) -> Result<Explained> {
        let endpoints = self.connectors.all();
        let mut remembered = self.remembered(&account.user).await?;
        self.ask_owners(&secretless(account), request, &endpoints, &mut remembered.owns).await;
        let routes = remembered.routes.unwrap_or_default();
        let route = self.route(account, function, now, &endpoints, &remembered.owns);
        Ok(self.explained(function, &route, &routes, &endpoints))
    }

    /// The same of a judgement that was made.
    pub(super) fn explained(
        &self,
        function: Function,
        route: &Route,
        routes: &BTreeMap<Function, RouteRecord>,
        endpoints: &[Endpoint],
    ) -> Explained {
        let before = routes.get(&function);
        let mail = routes.get(&Function::Mail).filter(|_| function != Function::Mail);
        let history = History {
            home: before.map(|route| &route.home).filter(|home| route.is_home(home)),
            last: before.map(|route| &route.serving),
            beside: mail.map(|route| &route.serving),
        };
        let name = |id: &ConnectorId| self.connectors.name(id);
        let explained = route.explain(history);
        let (serving, why) = match explained.choice {
            Choice::Serve(id, why) => (Some(id), why.to_string()),
            Choice::Busy { retry_after } => {
                let seconds = retry_after.as_secs();
                (None, format!("those who could are busy or off hours, for {seconds} s"))
            }
            Choice::Nobody => (None, "no connector can".to_owned()),
        };
        let stays = before.filter(|before| Some(&before.serving) == serving);
        Explained {
            function,
            why: stays.map_or(why, |before| before.why.clone()),
            since: stays.map(|before| before.since),
            serving: serving.map(name),
            home: history.home.map(name),
            next: explained.next.map(name),
            candidates: explained.candidates.iter().map(|one| judged(one, endpoints)).collect(),
        }
    }

    /// What would become of everybody's routes without these connectors, by name. Who owns whose
    /// mailbox is asked of those who have not said.
    ///
    /// # Errors
    /// Where the routes cannot be read.
    pub async fn simulate(
        &self,
        down: &BTreeSet<String>,
        request: &RequestId,
        now: Timestamp,
        account: impl Fn(&UserId) -> Account,
    ) -> dme_store::Result<Vec<Moved>> {
        let mut endpoints = self.connectors.all();
        let gone: BTreeSet<ConnectorId> = endpoints
            .iter()
            .filter(|endpoint| down.contains(&endpoint.name))
            .map(|endpoint| endpoint.state.id.clone())
            .collect();
        let routes = self.store.all_routes().await?;
        let affected = routes.into_iter().filter(|(_, route)| gone.contains(&route.serving));
        let mut by_user = BTreeMap::<UserId, Vec<_>>::new();
        for (user, route) in affected {
            by_user.entry(user).or_default().push(route);
        }
        for endpoint in &mut endpoints {
            if gone.contains(&endpoint.state.id) {
                endpoint.state.link = Link::Lost;
            }
        }
        let mut moved = Vec::new();
        for (user, routes) in by_user {
            let account = account(&user);
            let mut owns =
                self.lock().get(&user).map(|known| known.owns.clone()).unwrap_or_default();
            self.ask_owners(&account, request, &endpoints, &mut owns).await;
            for record in routes {
                let route = self.route(&account, record.function, now, &endpoints, &owns);
                let history = History { home: Some(&record.home), ..History::default() };
                let to = route.order(history).first().map(|id| self.connectors.name(id));
                let from = self.connectors.name(&record.serving);
                moved.push(Moved { user: user.clone(), function: record.function, from, to });
            }
        }
        Ok(moved)
    }
}

fn judged(candidate: &Candidate, endpoints: &[Endpoint]) -> Judged {
    let endpoint = endpoints.iter().find(|one| one.state.id == candidate.connector);
    let load = endpoint.map(|endpoint| endpoint.state.load).unwrap_or_default();
    Judged {
        connector: endpoint
            .map_or_else(|| candidate.connector.to_string(), |endpoint| endpoint.name.clone()),
        tier: candidate.tier,
        objections: candidate.objections.iter().map(ToString::to_string).collect(),
        turn_in: candidate.turn_in.as_secs(),
        outstanding: load.outstanding,
        parallel: load.parallel,
    }
}

/// In words: who serves on the first line, then a line for each connector.
impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.serving {
            Some(name) => write!(f, "served by {name}: {}", self.why)?,
            None => write!(f, "served by nobody: {}", self.why)?,
        }
        if let Some(next) = &self.next {
            write!(f, "; next would be {next}")?;
        }
        for Judged { connector, tier, objections, turn_in, .. } in &self.candidates {
            write!(f, "\n{connector} ({tier}): ")?;
            match (objections.is_empty(), turn_in) {
                (true, 0) => f.write_str("can serve")?,
                (true, wait) => write!(
                    f,
                    "can serve; it is back, and this user, whom another serves, comes in {wait} s"
                )?,
                (false, _) => f.write_str(&objections.join("; "))?,
            }
        }
        Ok(())
    }
}
