//! From a connection to a session: greeting, login, what the server can do, where folders are.

use crate::config::ImapConfig;
use crate::dial::{Dialer, Dialled};
use crate::error::WireError;
use crate::session::{Capabilities, Memory, Place, Session};
use crate::wire::command::Command;
use crate::wire::line::Line;
use crate::wire::name;
use crate::wire::response::{Response, Status, StatusKind, Untagged, words};
use dme_dial::{Login, TokenMechanism, plain_initial};
use dme_model::Secret;
use std::sync::Arc;
use tokio::time::Instant;

/// Makes a session of a connection that was made in this way.
pub(crate) async fn log_in(
    dialled: Dialled,
    way: &Arc<Dialer>,
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
    let mut session = Session::new(line.by(way.clone()));
    if !dialled.greeted {
        way.greeted(greeting(&mut session)).await??;
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
    let result = match login {
        Login::Password { user, secret } if can.has("LOGINDISABLED") || !is_ascii(user, secret) => {
            sasl(session, can, "PLAIN", plain_initial("", user, secret)).await
        }
        Login::Password { user, secret } => {
            session.run(Command::new("LOGIN").string(user).string(secret.expose()), drop).await
        }
        Login::Plain { on_behalf_of, user, secret } => {
            sasl(session, can, "PLAIN", plain_initial(on_behalf_of, user, secret)).await
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
