//! Routes: who serves whom and why, and what would become of them (rule R5).

use super::users::account;
use crate::endpoint::{Endpoint, get, post};
use crate::language::Language;
use crate::principal::Duty;
use crate::{Console, Refusal, api};
use dme_directory::{Access, DirectoryService, Person, Reason, Right};
use dme_mailbox::Account;
use dme_model::{Function, RequestId, Timestamp, UserId};
use dme_server::realm::LoginsMoved;
use dme_server::router::{Explained, Fate, Judged, Moved};
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
            .by(|console, mut call| async move {
                console.simulate(call.body()?, call.language).await
            }),
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
            let directory = self.front.directory_of(&account.user);
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
        language: Language,
    ) -> Result<api::Simulated, Refusal> {
        let known: BTreeSet<String> =
            self.front.connectors.all().into_iter().map(|one| one.name).collect();
        if let Some(stranger) = down.iter().find(|name| !known.contains(*name)) {
            return Err(Refusal::lacks("no-connector-named", stranger));
        }
        let down: BTreeSet<String> = down.into_iter().collect();
        let (request, now) = (RequestId::from("simulate"), (self.front.clock)());
        let find = |user| self.looked_up(user, language);
        let moved = self.front.router.simulate(&down, &request, now, find).await?;
        let logins = self.front.directories.iter().filter_map(|(realm, directory)| {
            let LoginsMoved { from, to, trouble } = directory.simulate(&down)?;
            let trouble = trouble.map(|error| language.unanswered(&error));
            Some(api::LoginsMoved { realm: realm.to_string(), from, to, trouble })
        });
        Ok(api::Simulated {
            moved: moved.into_iter().map(|one| moved_of(one, language)).collect(),
            logins: logins.collect(),
        })
    }

    /// Somebody as the directory has them, or why it cannot be told in which groups they are.
    async fn looked_up(&self, user: UserId, language: Language) -> Result<Person, String> {
        let gate = &self.front.gate;
        if let Some(who) = gate.admitted(&user) {
            return Ok(who.person.clone());
        }
        let directory = self.front.directory_of(&user);
        let directory = directory.ok_or_else(|| language.of("no-realm-of", user.as_str()))?;
        let found = directory.find(&user).await.map_err(|error| language.unanswered(&error))?;
        let person = found.ok_or_else(|| language.text("user-not-there", &[]))?;
        match gate.explain(Right::User, &person) {
            Access::Refused(why @ Reason::GroupsUnknown) => Err(language.reason(&why)),
            _ => Ok(person),
        }
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
        let directory = self.front.directory_of(user);
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

fn moved_of(moved: Moved, language: Language) -> api::Moved {
    let (to, known, why, against) = match moved.to {
        Fate::Served(name) => (Some(name), true, None, Vec::new()),
        Fate::Nobody(against) => (None, true, None, against),
        Fate::Unknown { why, against } => (None, false, why, against),
    };
    api::Moved {
        user: moved.user.to_string(),
        function: moved.function.to_string(),
        from: moved.from,
        to,
        known,
        why: why.map(|why| language.said(&why)),
        against: against.into_iter().map(against_of).collect(),
    }
}

fn against_of(Judged { connector, objections, .. }: Judged) -> api::Against {
    api::Against { connector, objections }
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
