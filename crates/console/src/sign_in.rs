//! Signing in to the console: with the directory's password and a code beside it, or by a link that
//! whoever may read the server's directory had made.

mod code;
mod emergency;
mod provider;
mod steps;
mod unfinished;

pub(crate) use provider::OpenId;
pub(crate) use steps::agent;
pub(crate) use unfinished::Unfinished;

use crate::kept::{Kept, NotKept};
use crate::language::Language;
use crate::pages::Alone;
use crate::principal::{Boundaries, Origin, Principal, Role};
use crate::session::{ROLES, Session, Sessions, Shown};
use crate::{Console, Refusal, api};
use askama::Template;
use dme_directory::{Admission, DirectoryService, Login, Person, Right, Standing};
use dme_model::{Secret, Timestamp, UserId};
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// How long a link is good.
const LINK: Duration = Duration::from_secs(5 * 60);
/// Links at once.
const LINKS: usize = 100;
/// Whoever came by a link, in records.
const BY_LINK: &str = "administrator at the server";

/// The page that asks for name and password.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub(crate) struct SignIn {
    pub frame: Alone,
    /// Where to go afterwards.
    pub back: String,
    pub login: String,
    pub trouble: Option<String>,
    /// What the provider is called with which one may sign in instead, and the way to it.
    pub provider: Option<(String, String)>,
}

/// The page that a link leads to: it is used by a button alone, as whoever looks at addresses
/// before a person does, such as a mail system, would use it up.
#[derive(Template)]
#[template(path = "sign_in_link.html")]
pub(crate) struct ByLink {
    pub frame: Alone,
    pub once: String,
}

/// Links that were made and not used.
pub(crate) struct Links(Kept<()>);

impl Default for Links {
    fn default() -> Self {
        Self(Kept::refusing(LINK, LINKS))
    }
}

impl Links {
    /// What to append to the console's address.
    pub(crate) fn make(&self, now: Timestamp) -> Result<Secret, Refusal> {
        self.0.keep((), now).map_err(|why| match why {
            NotKept::Full => {
                let words = "many links are open: use one, or wait five minutes";
                Refusal::new(StatusCode::TOO_MANY_REQUESTS, words).said("too-many", "")
            }
            why @ NotKept::NoRandomness(_) => Refusal::failed(why),
        })
    }

    /// Whether it was made, and can be used yet.
    pub(crate) fn is_open(&self, once: &Secret, now: Timestamp) -> bool {
        self.0.find(once, now).is_some()
    }

    /// Whether it was made and is used for the first time, in time.
    pub(crate) fn take(&self, once: &Secret, now: Timestamp) -> bool {
        self.0.take(once, now).is_some()
    }
}

/// Whoever came by a link.
pub(crate) fn by_link() -> Principal {
    Principal {
        name: BY_LINK.into(),
        user: None,
        origin: Origin::Session,
        roles: vec![Role::Administrator],
        limited_to: None,
    }
}

impl Console {
    /// Who signs in to the administrators' pages with this name and password; else why nobody does,
    /// as a text's name.
    pub(crate) async fn sign_in(
        &self,
        login: &str,
        password: &Secret,
    ) -> Result<Principal, &'static str> {
        let login = Login::parse(login).map_err(|_| "wrong-password")?;
        let principal = self.known_as(&login, password).await?;
        self.with_a_role(principal).await
    }

    /// Somebody who has a role in the administrators' pages and is not shut out; else why it is
    /// nobody, as a text's name.
    async fn with_a_role(&self, principal: Principal) -> Result<Principal, &'static str> {
        let is_shut_out = match &principal.user {
            Some(user) => self.front.store.is_disabled(user).await.unwrap_or(true),
            None => false,
        };
        match is_shut_out || principal.roles.iter().all(|role| *role == Role::User) {
            true => Err("no-role"),
            false => Ok(principal),
        }
    }

    /// Whose name and password these are, with every role they have.
    pub(crate) async fn known_as(
        &self,
        login: &Login,
        password: &Secret,
    ) -> Result<Principal, &'static str> {
        match self.front.gate.sign_in(login, password).await {
            Admission::Admitted { who, .. } => Ok(self.principal(&who.person)),
            Admission::Refused(_) => Err("wrong-password"),
            Admission::Throttled { .. } => Err("too-many"),
            Admission::Unavailable { .. } => Err("directory-away"),
        }
    }

    /// A link to sign in by.
    pub(crate) fn link(&self) -> Result<api::ConsoleLink, Refusal> {
        let once = self.open_links.make((self.front.clock)())?;
        Ok(api::ConsoleLink { path: format!("/sign-in?once={}", once.expose()) })
    }

    /// A person of a directory, with every role they have.
    fn principal(&self, person: &Person) -> Principal {
        Principal {
            name: person.user.to_string(),
            user: Some(person.user.clone()),
            origin: Origin::Session,
            roles: self.roles(person),
            limited_to: None,
        }
    }

    /// What a person of a directory is for the console.
    fn roles(&self, person: &Person) -> Vec<Role> {
        if person.standing != Standing::Active {
            return Vec::new();
        }
        let mut roles = Vec::new();
        for right in self.front.gate.rights(person) {
            match right {
                Right::User => roles.push(Role::User),
                Right::Administrator => roles.push(Role::Administrator),
                Right::Auditor => roles.push(Role::Auditor),
                Right::DelegatedAdministrator => {
                    for part in self.front.gate.delegations(person) {
                        roles.push(Role::Delegate(Boundaries {
                            groups: part.groups.into_iter().collect(),
                            connectors: part.connectors.into_iter().collect(),
                        }));
                    }
                }
            }
        }
        roles
    }

    /// What a user is for the console now; nothing where they are shut out.
    pub(crate) async fn roles_now(&self, user: &UserId) -> Result<Vec<Role>, dme_directory::Error> {
        let directory = self.front.directory_of(user);
        let Some(directory) = directory else { return Ok(Vec::new()) };
        let person = directory.find(user).await?;
        let roles = person.map(|person| self.roles(&person)).unwrap_or_default();
        match self.front.store.is_disabled(user).await.unwrap_or(true) {
            true => Ok(Vec::new()),
            false => Ok(roles),
        }
    }

    /// The session with the roles that the directory gives now: whoever left the administrators is
    /// none within a minute (rule A5). While the directory is down the last word holds.
    pub(crate) async fn refreshed(
        &self,
        sessions: &Sessions,
        cookie: &Secret,
        session: Session,
    ) -> Option<Session> {
        let now = (self.front.clock)();
        if now < session.checked.plus(ROLES) {
            return Some(session);
        }
        let Some(user) = &session.principal.user else {
            let is_over = session.shown == Shown::Emergency
                && !self.front.emergency.account().await.is_ok_and(|account| account.is_some());
            if is_over {
                sessions.end(cookie);
            }
            return (!is_over).then_some(session);
        };
        let roles = match self.roles_now(user).await {
            Ok(roles) => roles,
            Err(error) => {
                tracing::warn!(%user, %error, "an administrator's roles could not be looked up");
                return Some(session);
            }
        };
        if roles.is_empty() {
            tracing::info!(%user, "a session ended: its user has no role any more");
            sessions.end(cookie);
            return None;
        }
        let principal = Arc::new(Principal { roles, ..(*session.principal).clone() });
        sessions.change(cookie, |session| {
            session.checked = now;
            session.principal = principal.clone();
        });
        Some(Session { checked: now, principal, ..session })
    }

    /// The cookie that a session has from now on, where this is the password of its user, and the
    /// code where it began with one; it then counts as fresh.
    pub(crate) async fn confirm(
        &self,
        sessions: &Sessions,
        cookie: &Secret,
        session: &Session,
        again: Again,
    ) -> Result<Secret, &'static str> {
        self.is_password(session, again).await?;
        let renewed = sessions.renew(cookie, false, (self.front.clock)());
        renewed.ok().flatten().ok_or("session-over")
    }

    /// Whether this is the password of a session's user, and the code where it began with one; else
    /// why not, as a text's name.
    pub(crate) async fn is_password(
        &self,
        session: &Session,
        again: Again,
    ) -> Result<(), &'static str> {
        if session.shown == Shown::Provider {
            // A password alone is less than what was shown there.
            return Err("confirm-first");
        }
        if session.shown == Shown::Emergency {
            let account = self.front.emergency.account().await.ok().flatten();
            let account = account.ok_or("session-over")?;
            self.is_emergency_password(&account, &again.password, session.client).await?;
        } else {
            let user = session.principal.user.as_ref().ok_or("link-used")?;
            let login = Login::parse(user.as_str()).map_err(|_| "wrong-password")?;
            let found = self.known_as(&login, &again.password).await?;
            if found.user.as_ref() != Some(user) {
                return Err("wrong-password");
            }
            if session.shown == Shown::PasswordAndCode {
                self.take_code(user, &again.code).await?;
            }
        }
        Ok(())
    }
}

/// What somebody shows again who is signed in already.
pub(crate) struct Again {
    pub password: Secret,
    pub code: Secret,
}

/// A text by its name.
pub(crate) fn words(language: Language, name: &str) -> String {
    language.text(name, &[])
}
