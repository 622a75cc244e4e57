//! Routes: who serves whom and why, and what would become of them (rule R5).

use super::users::account;
use crate::endpoint::{Endpoint, get, post};
use crate::principal::Duty;
use crate::{Console, Refusal, api};
use dme_directory::DirectoryService;
use dme_mailbox::{Account, Credentials};
use dme_model::{Function, RequestId, Timestamp, UserId};
use dme_server::router::{Explained, Judged};
use std::collections::BTreeSet;

/// The functions that are routed by user; of the others the realm decides, and they are explained
/// where they are asked for.
const ROUTED: [Function; 5] =
    [Function::Mail, Function::Calendar, Function::Contacts, Function::Tasks, Function::Notes];

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    vec![
        get("/api/routes/{user}", "Who serves a user, in each function, and why")
            .by(|console, call| async move { console.explain_route(call.arg("user"), None).await }),
        get("/api/routes/{user}/{function}", "Who serves a user in one function, and why").by(
            |console, call| async move {
                console.explain_route(call.arg("user"), Some(call.arg("function"))).await
            },
        ),
        post("/api/routes/{user}/flush", "Ask the connectors anew whose mailbox a user's is")
            .duty(Duty::Operate)
            .by(|console, call| async move { console.flush_routes(Some(call.arg("user"))).await }),
        post("/api/flush", "Ask the connectors anew about everybody")
            .by(|console, _| async move { console.flush_routes(None).await }),
        post("/api/simulate", "What would become of whom, were connectors down")
            .duty(Duty::See)
            .takes::<api::Simulation>()
            .by(|console, mut call| async move { console.simulate(call.body()?).await }),
    ]
}

impl Console {
    pub(crate) async fn explain_route(
        &self,
        user: &str,
        function: Option<&str>,
    ) -> Result<Vec<api::Route>, Refusal> {
        let asked = match function {
            None => ROUTED.to_vec(),
            Some(name) => match Function::named(name) {
                Some(function) => vec![function],
                None => return Err(Refusal::lacks("no-function", name)),
            },
        };
        let account = self.account_of(&self.meant(user).await?).await;
        if let [function] = asked[..]
            && !ROUTED.contains(&function)
        {
            let realm = account.user.realm();
            let directory = realm.and_then(|realm| self.front.directories.get(&realm));
            let directory =
                directory.ok_or_else(|| Refusal::lacks("no-realm-of", account.user.as_str()))?;
            return Ok(vec![route_of(directory.explain(&account.user, function).await)]);
        }
        let (request, now) = (RequestId::from("explain"), (self.front.clock)());
        let explained = self.front.router.explain_each(&account, &request, now, &asked).await;
        Ok(explained.map_err(Refusal::failed)?.into_iter().map(route_of).collect())
    }

    pub(crate) async fn simulate(
        &self,
        api::Simulation { down }: api::Simulation,
    ) -> Result<Vec<api::Moved>, Refusal> {
        let known: BTreeSet<String> =
            self.front.connectors.all().into_iter().map(|one| one.name).collect();
        if let Some(stranger) = down.iter().find(|name| !known.contains(*name)) {
            return Err(Refusal::lacks("no-connector-named", stranger));
        }
        let down: BTreeSet<String> = down.into_iter().collect();
        let (request, now) = (RequestId::from("simulate"), (self.front.clock)());
        let account = |user: &UserId| Account {
            user: user.clone(),
            address: user.to_string(),
            display_name: None,
            credentials: Credentials::None,
        };
        let moved = self.front.router.simulate(&down, &request, now, account).await?;
        let moved = moved.into_iter().map(|one| api::Moved {
            user: one.user.to_string(),
            function: one.function.to_string(),
            from: one.from,
            to: one.to,
        });
        Ok(moved.collect())
    }

    /// What connectors said of whose mailbox it is, is asked anew. Never needed; see rule R4.
    pub(crate) async fn flush_routes(&self, user: Option<&str>) -> Result<api::Done, Refusal> {
        let user = match user {
            Some(user) => Some(self.meant(user).await?),
            None => None,
        };
        self.front.router.flush(user.as_ref()).await?;
        tracing::info!(user = user.as_ref().map(UserId::as_str), "routes flushed");
        Ok(api::Done {})
    }

    /// A user's account as connectors are asked about it.
    async fn account_of(&self, user: &UserId) -> Account {
        let directory = user.realm().and_then(|realm| self.front.directories.get(&realm));
        let found = match directory {
            Some(directory) => directory.find(user).await.ok().flatten(),
            None => None,
        };
        if let Some(person) = &found {
            self.front.router.told(person);
        }
        account(user, found.as_ref())
    }
}

fn route_of(explained: Explained) -> api::Route {
    api::Route {
        function: explained.function.to_string(),
        serving: explained.serving,
        why: explained.why,
        since: explained.since.map(Timestamp::as_seconds),
        home: explained.home,
        next: explained.next,
        candidates: explained.candidates.into_iter().map(candidate).collect(),
    }
}

fn candidate(judged: Judged) -> api::Candidate {
    api::Candidate {
        connector: judged.connector,
        tier: judged.tier.to_string(),
        objections: judged.objections,
        turn_in: judged.turn_in,
        outstanding: judged.outstanding,
        parallel: judged.parallel,
    }
}
