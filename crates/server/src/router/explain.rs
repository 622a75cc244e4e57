//! Routes in words (rule R5).

use super::ownership::{Asking, OWNER_LIMIT};
use super::plan::Routes;
use super::{Remembered, Router, secretless};
use crate::connectors::Endpoint;
use dme_mailbox::{Account, Result};
use dme_model::{ConnectorId, Function, RequestId, Timestamp};
use dme_routing::{Candidate, Choice, History, Route, Tier};
use std::fmt;
use std::sync::Arc;
use tokio::time::Instant;

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

/// What is gone by to explain a user's routes.
pub(super) struct Said {
    pub endpoints: Arc<[Endpoint]>,
    pub remembered: Remembered,
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
        let asked = self.asked(account, request).await?;
        Ok(self.explained_as(&asked, account, now, function))
    }

    /// The same of several functions: each connector is asked once.
    ///
    /// # Errors
    /// Where the routes cannot be read.
    pub async fn explain_each(
        &self,
        account: &Account,
        request: &RequestId,
        now: Timestamp,
        functions: &[Function],
    ) -> Result<Vec<Explained>> {
        let asked = self.asked(account, request).await?;
        let explained =
            functions.iter().map(|function| self.explained_as(&asked, account, now, *function));
        Ok(explained.collect())
    }

    /// What every connector says of a user's mailbox, and what is remembered of the user.
    pub(super) async fn asked(&self, account: &Account, request: &RequestId) -> Result<Said> {
        let endpoints = self.connectors.snapshot();
        let mut remembered = self.remembered(&account.user).await?;
        let (account_only, owns) = (secretless(account), &mut remembered.owns);
        let until = Instant::now() + OWNER_LIMIT;
        // Who had no time to say has not said, and that is shown.
        let _ = self
            .ask_owners(&account_only, request, &endpoints, owns, Asking::Everybody, until)
            .await;
        Ok(Said { endpoints, remembered })
    }

    fn explained_as(
        &self,
        Said { endpoints, remembered }: &Said,
        account: &Account,
        now: Timestamp,
        function: Function,
    ) -> Explained {
        let nowhere = Routes::default();
        let routes = remembered.routes.as_ref().unwrap_or(&nowhere);
        let route = self.route(account, function, now, endpoints, &remembered.owns);
        self.explained(function, &route, routes, endpoints)
    }

    /// The same of a judgement that was made.
    pub(super) fn explained(
        &self,
        function: Function,
        route: &Route,
        routes: &Routes,
        endpoints: &[Endpoint],
    ) -> Explained {
        let before = routes.get(&function);
        let mail = routes.get(&Function::Mail).filter(|_| function != Function::Mail);
        let id =
            |name: &str| endpoints.iter().find(|one| one.name == name).map(|one| &one.state.id);
        let home = before.and_then(|before| before.home.as_deref());
        let history = History {
            home: home.and_then(id).filter(|home| route.is_home(home)),
            last: before.and_then(|before| id(&before.serving)),
            beside: mail.and_then(|mail| id(&mail.serving)),
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
        let stays = before.filter(|before| serving.is_some() && id(&before.serving) == serving);
        Explained {
            function,
            why: stays.map_or(why, |before| before.why.clone()),
            since: stays.map(|before| before.since),
            serving: serving.map(name),
            home: home.map(str::to_owned),
            next: explained.next.map(name),
            candidates: explained.candidates.iter().map(|one| judged(one, endpoints)).collect(),
        }
    }
}

pub(super) fn judged(candidate: &Candidate, endpoints: &[Endpoint]) -> Judged {
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
            // Only who is served by another waits for a turn.
            let waits = self.serving.as_ref().is_some_and(|one| one != connector);
            match (objections.is_empty(), if waits { *turn_in } else { 0 }) {
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
