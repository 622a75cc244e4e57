//! Users: who they are, why they may in, who serves them; shutting one out.

use crate::endpoint::{Endpoint, get, post};
use crate::language::Language;
use crate::principal::{Duty, Principal, Reach};
use crate::session::{Session, Shown};
use crate::{Console, Refusal, api};
use dme_directory::{Access, DirectoryService, GroupId, Login, Person, Right};
use dme_mailbox::{Account, Credentials};
use dme_model::{Function, RequestId, UserId};
use dme_server::records::audit::changed;
use http::StatusCode;

/// So many users are given where nothing is said, and at the most.
const PAGE: u32 = 200;
const LARGEST_PAGE: u32 = 1_000;

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    let act = |path, summary, act: UserAct| {
        post(path, summary).duty(Duty::Operate).by(move |console, call| async move {
            console.change_user(call.arg("user"), act).await
        })
    };
    vec![
        get("/api/users", "Users who have devices, by name")
            .reach(Reach::Filtered)
            .asks::<api::UserQuery>()
            .by(|console, mut call| async move {
                let query = call.query()?;
                console.list_users(&call.principal, query).await
            }),
        get("/api/users/{user}", "A user: access and why, who serves them, their devices").by(
            |console, call| async move { console.show_user(call.arg("user"), call.language).await },
        ),
        act("/api/users/{user}/disable", "Shut a user out at once", UserAct::Disable),
        act("/api/users/{user}/enable", "Let a user in again", UserAct::Enable),
        act("/api/users/{user}/forget", "Ask the directory about a user again", UserAct::Forget),
        get("/api/users/{user}/certificates", "The certificates that a user's devices show")
            .by(|console, call| async move { console.list_certificates(call.arg("user")).await }),
        post(
            "/api/users/{user}/certificates/{number}/revoke",
            "Take a certificate of a user's device back, at once",
        )
        .duty(Duty::Operate)
        .by(|console, call| async move {
            console.revoke_certificate(call.arg("user"), call.arg("number")).await
        }),
        get("/api/users/{user}/passwords", "The passwords that a user made for single devices")
            .by(|console, call| async move { console.list_passwords(call.arg("user")).await }),
        post(
            "/api/users/{user}/passwords/{number}/revoke",
            "Take a password for a user's device back, at once",
        )
        .duty(Duty::Operate)
        .by(|console, call| async move {
            console.revoke_password(call.arg("user"), call.arg("number")).await
        }),
        get(
            "/api/users/{user}/sessions",
            "Where a user is signed in: since when, from where, by what",
        )
        .by(|console, call| async move { console.sessions_of(call.arg("user")).await }),
        post("/api/users/{user}/sessions/end", "End a user's sessions in browsers")
            .duty(Duty::Operate)
            .by(|console, call| async move { console.end_sessions(call.arg("user"), None).await }),
        post("/api/users/{user}/sessions/{session}/end", "End one session of a user's")
            .duty(Duty::Operate)
            .by(|console, call| async move {
                console.end_sessions(call.arg("user"), Some(call.arg("session"))).await
            }),
        post("/api/users/{user}/second-factor/reset", "Take away a second factor that was lost")
            .fresh()
            .by(|console, call| async move {
                console.reset_second_factor(&call.principal, call.arg("user")).await
            }),
    ]
}

/// What is done to a user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum UserAct {
    /// Shut out, whatever the directory says.
    Disable,
    /// No longer shut out.
    Enable,
    /// The next request asks the directory again.
    Forget,
}

impl Console {
    /// Users who have devices, of those whom the principal sees.
    pub(crate) async fn list_users(
        &self,
        principal: &Principal,
        query: api::UserQuery,
    ) -> Result<api::UserPage, Refusal> {
        let api::UserQuery { text, after, limit } = query;
        let (text, limit) = (text.unwrap_or_default(), limit.unwrap_or(PAGE).min(LARGEST_PAGE));
        let (users, found) = self.device_owners(principal, text.trim(), after, limit).await?;
        let users = users.into_iter().map(|(user, devices)| api::DeviceOwner { user, devices });
        Ok(api::UserPage { users: users.collect(), found })
    }

    pub(crate) async fn show_user(
        &self,
        name: &str,
        language: Language,
    ) -> Result<api::User, Refusal> {
        let user = self.resolve(name)?;
        let directory = self.front.directory_of(&user);
        let authentication = match directory {
            Some(directory) => match directory.source(&user).await {
                Ok(Some(name)) => language.of("checked-by", &name.to_string()),
                Ok(None) => language.text("checked-by-no-scope", &[]),
                Err(error) => language.of("checked-by-nobody", &language.unanswered(&error)),
            },
            None => language.text("checked-by-no-realm", &[]),
        };
        let found = match directory {
            Some(directory) => directory.find(&user).await,
            None => Ok(None),
        };
        let (person, trouble) = match found {
            Ok(person) => (person, None),
            // Who was let in lately is let in for a while from memory.
            Err(error) => {
                let known = self.front.gate.admitted(&user);
                (known.map(|known| known.person.clone()), Some(language.unanswered(&error)))
            }
        };
        let access = person.as_ref().map(|person| self.access(person, language));
        let access = match (access, trouble) {
            (None, None) => language.text("access-unknown", &[]),
            (None, Some(trouble)) => trouble,
            (Some(access), None) => access,
            (Some(access), Some(trouble)) => {
                format!("{access}, {}", language.of("access-by-last", &trouble))
            }
        };
        if let Some(person) = &person {
            self.front.router.told(person);
        }
        let account = account(&user, person.as_ref());
        let (now, request) = ((self.front.clock)(), RequestId::from("explain"));
        let router = &self.front.router;
        let route = match router.explain(&account, &request, now, Function::Mail).await {
            Ok(explained) => explained.to_string(),
            Err(error) => error.to_string(),
        };
        let devices = self.front.store.devices(Some(&account.user)).await?;
        Ok(api::User {
            disabled: self.front.store.is_disabled(&account.user).await?,
            second_factor: self.front.second_factors.of(&account.user).await?.is_some(),
            user: account.user.to_string(),
            address: person.as_ref().map(|person| person.address.clone()),
            display_name: account.display_name,
            access,
            authentication,
            route,
            devices: devices.iter().map(|device| self.device(device)).collect(),
        })
    }

    /// Where a user is signed in, in the administrators' pages and in their own; the one that was used
    /// last first.
    pub(crate) async fn sessions_of(&self, name: &str) -> Result<Vec<api::UserSession>, Refusal> {
        let (user, now) = (self.meant(name).await?, (self.front.clock)());
        let places = [("console", &self.sessions), ("my", &self.own_sessions)];
        let all = places.into_iter().flat_map(|(of, sessions)| {
            sessions.of_user(&user, now).into_iter().map(move |session| api::UserSession {
                session: session.id,
                of: of.to_owned(),
                began: session.began.as_seconds(),
                seen: session.seen.as_seconds(),
                client: session.client.to_string(),
                agent: session.agent,
                by: session.shown.as_str().to_owned(),
                second_factor: session.shown == Shown::PasswordAndCode,
            })
        });
        let mut all: Vec<api::UserSession> = all.collect();
        all.sort_by_key(|session| std::cmp::Reverse(session.seen));
        Ok(all)
    }

    /// Ends one of a user's sessions, or all of them and what they began to sign in by.
    pub(crate) async fn end_sessions(
        &self,
        name: &str,
        one: Option<&str>,
    ) -> Result<api::SessionsEnded, Refusal> {
        let user = self.meant(name).await?;
        let is_meant = |session: &Session| one.is_none_or(|id| session.id == id);
        let ended: usize = [&self.sessions, &self.own_sessions]
            .map(|sessions| sessions.end_of_user(&user, is_meant))
            .iter()
            .sum();
        match one {
            Some(id) if ended == 0 => {
                return Err(Refusal::lacks("no-session-of", format!("{id} ({user})")));
            }
            Some(_) => {}
            None => self.unfinished.end_user(&user),
        }
        tracing::warn!(%user, ended, "sessions were ended");
        Ok(api::SessionsEnded { ended })
    }

    /// Whether a person may in, and why.
    fn access(&self, person: &Person, language: Language) -> String {
        let text = |name: &str| language.text(name, &[]);
        let reason = match self.front.gate.explain(Right::User, person) {
            Access::Allowed(path) if path.is_empty() => return text("access-everyone"),
            Access::Allowed(path) => {
                let names: Vec<&str> = path.iter().map(|GroupId(id)| id.as_str()).collect();
                return language.of("access-by", &names.join(" in "));
            }
            Access::Refused(reason) => reason,
        };
        language.of("access-refused", &language.reason(&reason))
    }

    pub(crate) async fn change_user(&self, name: &str, act: UserAct) -> Result<api::User, Refusal> {
        let user = self.meant(name).await?;
        let now = (self.front.clock)();
        let was = self.front.store.is_disabled(&user).await?;
        match act {
            UserAct::Disable => self.front.store.disable_user(&user, now).await?,
            UserAct::Enable => self.front.store.enable_user(&user).await?,
            UserAct::Forget => {}
        }
        let is = self.front.store.is_disabled(&user).await?;
        changed("disabled", Some(was.to_string()), Some(is.to_string()));
        if act != UserAct::Enable {
            self.sessions.end_user(&user);
            self.own_sessions.end_user(&user);
            self.unfinished.end_user(&user);
        }
        self.front.gate.forget(&user);
        self.lately.forget(&user);
        self.front.parking.end_user(&user);
        self.front.watches.end(&user);
        tracing::warn!(%user, ?act, "user changed");
        self.show_user(user.as_str(), Language::English).await
    }

    /// The user whom a login means, as the directory has them: what sessions, devices and the list
    /// of those shut out go by, while the login may be a mail address that differs. One whom
    /// nobody knows is refused, lest a slip of the hand look like a change.
    pub(crate) async fn meant(&self, name: &str) -> Result<UserId, Refusal> {
        let store = &self.front.store;
        let resolved = self.resolve(name);
        // Devices are kept by user: who has some is named as they are, also where the realm is not
        // configured any more.
        let login = resolved.as_ref().map_or_else(|_| UserId::from(name), UserId::clone);
        if !store.devices(Some(&login)).await?.is_empty() {
            return Ok(login);
        }
        resolved?;
        let realm = self.front.gate.realms().realm_of(&login);
        let directory = realm.and_then(|realm| self.front.directories.get(&realm));
        let found = match directory {
            Some(directory) => directory.find(&login).await,
            None => Ok(None),
        };
        match found {
            Ok(Some(person)) => Ok(person.user),
            // Whom the directory does not have, or cannot be asked about, may have been shut out.
            _ if store.is_disabled(&login).await? => Ok(login),
            Ok(None) => Err(Refusal::lacks("no-user-known", login.as_str())),
            Err(error) => {
                let words = format!(
                    "it cannot be told who {login} is, and no device is known of them: {error}"
                );
                let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, words);
                Err(refusal.said("user-unclear", format!("{login}: {error}")))
            }
        }
    }

    pub(crate) fn resolve(&self, name: &str) -> Result<UserId, Refusal> {
        Login::parse(name)
            .and_then(|login| self.front.gate.realms().resolve(&login))
            .map_err(|error| Refusal::bad(error.to_string()).said("no-user-named", name))
    }
}

/// A user's account as connectors are asked about it, without anything that opens it; as the
/// directory has the person, where it does.
pub(crate) fn account(user: &UserId, person: Option<&Person>) -> Account {
    Account {
        user: person.map_or_else(|| user.clone(), |person| person.user.clone()),
        address: person.map(|person| person.address.clone()).unwrap_or_default(),
        display_name: person.and_then(|person| person.display_name.clone()),
        credentials: Credentials::None,
    }
}
