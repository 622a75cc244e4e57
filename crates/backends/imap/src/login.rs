//! From a connection to a session: greeting, login, what the server can do, where folders are.

use crate::config::{Auth, ImapConfig, LoginName};
use crate::dial::Dialled;
use crate::error::WireError;
use crate::session::{Capabilities, Memory, Place, Session};
use crate::wire::command::Command;
use crate::wire::line::Line;
use crate::wire::name;
use crate::wire::response::{Response, Status, StatusKind, Untagged, words};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dme_mailbox::{Account, Credentials, Error, ErrorKind};
use dme_model::Secret;
use tokio::time::Instant;

/// Who logs in, and with what.
#[derive(Clone)]
pub(crate) enum Login {
    /// A name and its password.
    Password { user: String, secret: Secret },
    /// One account on behalf of another (RFC 4616).
    Plain { on_behalf_of: String, user: String, secret: Secret },
    /// An access token.
    Bearer { user: String, token: Secret },
}

impl Login {
    /// As configured, for this user.
    pub(crate) fn new(auth: &Auth, name: LoginName, account: &Account) -> Result<Self, Error> {
        let user = login_name(name, account);
        match (auth, &account.credentials) {
            (Auth::Password, Credentials::Password(secret)) => {
                Ok(Self::Password { user, secret: secret.clone() })
            }
            (Auth::Master { user: master, secret, separator: Some(separator) }, _) => {
                let user = format!("{user}{separator}{master}");
                Ok(Self::Password { user, secret: secret.clone() })
            }
            (Auth::Master { user: master, secret, separator: None }, _) => {
                Ok(Self::Plain { on_behalf_of: user, user: master.clone(), secret: secret.clone() })
            }
            (Auth::Bearer, Credentials::Bearer(token)) => {
                Ok(Self::Bearer { user, token: token.clone() })
            }
            (Auth::Password, _) => Err(missing("password")),
            (Auth::Bearer, _) => Err(missing("access token")),
        }
    }
}

fn missing(what: &str) -> Error {
    Error::new(ErrorKind::Auth, format!("imap: login: this mail system needs the user's {what}"))
}

/// What of the user is the login name.
pub(crate) fn login_name(name: LoginName, account: &Account) -> String {
    match name {
        LoginName::User => account.user.to_string(),
        LoginName::Local => account.user.local_part().to_owned(),
        LoginName::Address => account.address.clone(),
    }
}

/// Makes a session of a connection.
pub(crate) async fn log_in(
    dialled: Dialled,
    login: &Login,
    config: &ImapConfig,
    deadline: Instant,
) -> Result<Session, WireError> {
    // One answer may hold several texts of a large message.
    let literals = config.max_message_size.0.max(32 << 20);
    let literals = usize::try_from(literals).unwrap_or(usize::MAX);
    let line = Line::new(
        dialled.stream,
        literals.saturating_add(1 << 20),
        config.timeouts.silence.0,
        deadline,
    );
    let mut session = Session::new(line);
    if !dialled.greeted {
        greeting(&mut session).await?;
    }
    if session.capabilities.is_empty() {
        session.run("CAPABILITY", drop).await?;
    }
    let before = session.capabilities.clone();
    session.capabilities = Capabilities::default();
    let status = authenticate(&mut session, &before, login).await?;
    if let Some(list) = status.argument("CAPABILITY") {
        session.capabilities = Capabilities::new(words(list));
    }
    if session.capabilities.is_empty() {
        session.run("CAPABILITY", drop).await?;
    }
    settle(&mut session, config.prefix.as_deref()).await?;
    Ok(session)
}

async fn greeting(session: &mut Session) -> Result<(), WireError> {
    match session.next().await? {
        Response::Untagged(Untagged::Status(Status { kind: StatusKind::Ok, code, .. })) => {
            if let Some(list) = code.as_deref().and_then(|code| code.strip_prefix("CAPABILITY ")) {
                session.capabilities = Capabilities::new(words(list));
            }
            Ok(())
        }
        // Logged in already means as someone whom we did not choose.
        _ => Err(WireError::Nonsense("an unexpected greeting".to_owned())),
    }
}

async fn authenticate(
    session: &mut Session,
    can: &Capabilities,
    login: &Login,
) -> Result<Status, WireError> {
    let encode = |text: String| BASE64_STANDARD.encode(text);
    let result = match login {
        Login::Password { user, secret } if can.has("LOGINDISABLED") || !is_ascii(user, secret) => {
            let initial = encode(format!("\0{user}\0{}", secret.expose()));
            sasl(session, can, "PLAIN", initial).await
        }
        Login::Password { user, secret } => {
            session.run(Command::new("LOGIN").string(user).string(secret.expose()), drop).await
        }
        Login::Plain { on_behalf_of, user, secret } => {
            let initial = encode(format!("{on_behalf_of}\0{user}\0{}", secret.expose()));
            sasl(session, can, "PLAIN", initial).await
        }
        Login::Bearer { user, token } => {
            let mechanism = TokenMechanism::of(|name| can.has(&format!("AUTH={name}")));
            sasl(session, can, mechanism.name(), mechanism.initial(user, token)).await
        }
    };
    result.map_err(|error| match error {
        // A NO without a code, or with one about the credentials, is about the credentials.
        WireError::No { code, text } => match code.as_deref() {
            None | Some("AUTHENTICATIONFAILED" | "AUTHORIZATIONFAILED" | "EXPIRED") => {
                WireError::Login(text)
            }
            _ => WireError::No { code, text },
        },
        other => other,
    })
}

/// How an access token is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TokenMechanism {
    /// RFC 7628.
    OauthBearer,
    /// Google's and Microsoft's, from before it.
    Xoauth2,
}

impl TokenMechanism {
    /// The better one of those the server offers.
    pub(crate) fn of(offers: impl Fn(&str) -> bool) -> Self {
        if offers("OAUTHBEARER") { Self::OauthBearer } else { Self::Xoauth2 }
    }

    fn named(name: &str) -> Self {
        Self::of(|other| other == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OauthBearer => "OAUTHBEARER",
            Self::Xoauth2 => "XOAUTH2",
        }
    }

    /// What is said first, in base64.
    pub(crate) fn initial(self, user: &str, token: &Secret) -> String {
        let token = token.expose();
        BASE64_STANDARD.encode(match self {
            Self::OauthBearer => {
                // A `saslname` (RFC 5801 §4): these two would end it.
                let user = user.replace('=', "=3D").replace(',', "=2C");
                format!("n,a={user},\x01auth=Bearer {token}\x01\x01")
            }
            Self::Xoauth2 => format!("user={user}\x01auth=Bearer {token}\x01\x01"),
        })
    }

    /// What is said to the challenge that tells the error, in base64: a single ^A (RFC 7628
    /// §3.2.3), or nothing.
    pub(crate) fn to_error(self) -> &'static str {
        match self {
            Self::OauthBearer => "AQ==",
            Self::Xoauth2 => "",
        }
    }
}

/// LOGIN's strings are ASCII in practice; anything else goes by SASL, which is UTF-8.
fn is_ascii(user: &str, secret: &Secret) -> bool {
    user.is_ascii() && secret.expose().is_ascii()
}

async fn sasl(
    session: &mut Session,
    can: &Capabilities,
    mechanism: &str,
    initial: String,
) -> Result<Status, WireError> {
    let (command, mut answer) = match can.has("SASL-IR") {
        true => (format!("AUTHENTICATE {mechanism} {initial}"), None),
        false => (format!("AUTHENTICATE {mechanism}"), Some(initial)),
    };
    session.send(&[Command::new(command)]).await?;
    loop {
        match session.next().await? {
            // After our answer, a further challenge holds the error of a token, and wants a
            // certain answer before the verdict comes.
            Response::Continue => {
                let to_error = || TokenMechanism::named(mechanism).to_error().to_owned();
                session.send_raw(&answer.take().unwrap_or_else(to_error)).await?;
            }
            Response::Untagged(_) => {}
            Response::Tagged { status, .. } => {
                return match status.kind {
                    StatusKind::Ok => Ok(status),
                    StatusKind::No => Err(WireError::No { code: status.code, text: status.text }),
                    _ => Err(WireError::Bad(status.text)),
                };
            }
        }
    }
}

/// Switches on what is needed, and asks where the folders are: one round trip.
async fn settle(session: &mut Session, prefix: Option<&str>) -> Result<(), WireError> {
    let can = &session.capabilities;
    let memory = match (can.has("QRESYNC"), can.has("CONDSTORE")) {
        (true, _) if can.has("ENABLE") => Memory::Qresync,
        (_, true) => Memory::Condstore,
        _ => Memory::None,
    };
    let mut commands = Vec::new();
    match memory {
        Memory::Qresync => commands.push(Command::new("ENABLE QRESYNC")),
        Memory::Condstore if can.has("ENABLE") => commands.push(Command::new("ENABLE CONDSTORE")),
        _ => {}
    }
    let namespace = can.has("NAMESPACE");
    commands.push(match namespace {
        true => Command::new("NAMESPACE"),
        false => Command::new("LIST \"\" \"\""),
    });
    let mut place = Place::default();
    let results = session
        .run_all(commands, |told| match told {
            Untagged::Namespace(Some((prefix, delimiter))) => {
                let prefix = name::decode(&prefix).unwrap_or_default();
                place = Place { prefix, delimiter };
            }
            Untagged::List(listed) => place.delimiter = listed.delimiter,
            _ => {}
        })
        .await?;
    for result in results {
        result?;
    }
    if let Some(prefix) = prefix {
        place.prefix = prefix.to_owned();
    }
    session.memory = memory;
    session.place = place;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_as_each_mechanism_has_it() {
        let said = |mechanism: TokenMechanism, user: &str| {
            let initial = mechanism.initial(user, &Secret::new("t0ken"));
            String::from_utf8(BASE64_STANDARD.decode(initial).unwrap()).unwrap()
        };
        let bearer = TokenMechanism::of(|name| name == "OAUTHBEARER");
        assert_eq!(
            said(bearer, "ann@example.org"),
            "n,a=ann@example.org,\x01auth=Bearer t0ken\x01\x01"
        );
        assert_eq!(said(bearer, "a=b,c"), "n,a=a=3Db=2Cc,\x01auth=Bearer t0ken\x01\x01");
        let older = TokenMechanism::of(|_| false);
        assert_eq!(said(older, "a=b,c"), "user=a=b,c\x01auth=Bearer t0ken\x01\x01");
        assert_eq!(BASE64_STANDARD.decode(bearer.to_error()).unwrap(), b"\x01");
        assert_eq!(older.to_error(), "");
    }
}
