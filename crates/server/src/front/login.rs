//! Who a request says it is from: HTTP Basic credentials, or a bearer token's place.

use super::Front;
use super::failure::{Failure, LATER};
use crate::records::{EventKind, Happened};
use dme_directory::{Admission, Admitted, BasicCredentials, Login, LoginError, Reason, Refusal};
use dme_eas::CommonStatus;
use dme_mailbox::Account;
use dme_model::{DeviceId, UserId};
use dme_policy::Behaviour;
use dme_sync::DeviceKey;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use std::net::IpAddr;
use std::sync::Arc;

/// Lets a login in, or says why not. An unknown user, a wrong password and a barred account all
/// look alike from outside, except that a person without the right group is told 403, so that the
/// phone does not ask for the password again and again.
pub(super) async fn log_in(
    front: &Front,
    headers: &HeaderMap,
    device: Option<&DeviceId>,
    client: IpAddr,
) -> Result<(Arc<Admitted>, Account), Failure> {
    let Some(header) = headers.get(AUTHORIZATION) else { return Err(Failure::Password) };
    let credentials = BasicCredentials::from_header(header.as_bytes()).map_err(|error| {
        refuse(front, None, client, "malformed", &error);
        Failure::Password
    })?;
    let BasicCredentials { login, password } = &credentials;
    let (admission, opens) = front.admit_phone(login, password, device).await;
    note(front, &credentials.login, &admission, device);
    match admission {
        Admission::Admitted { who, .. } => {
            let account = Account {
                user: who.person.user.clone(),
                address: who.person.address.clone(),
                display_name: who.person.display_name.clone(),
                credentials: opens,
            };
            Ok((who, account))
        }
        Admission::Refused(refusal) => {
            if let (Refusal::WrongPassword, Some(device)) = (&refusal, device)
                && let Ok(user) = front.gate.realms().resolve(&credentials.login)
            {
                let key = DeviceKey { user, device: device.clone() };
                let now = (front.clock)();
                front.behaviours.note(&key, Behaviour::WrongPassword, 0, now).await;
            }
            let (name, failure) = match &refusal {
                Refusal::Login(LoginError::UnknownRealm(_)) => ("unknown_realm", Failure::Password),
                Refusal::Login(_) => ("malformed", Failure::Password),
                Refusal::WrongPassword => ("wrong_password", Failure::Password),
                Refusal::UnknownUser => ("unknown_user", Failure::Password),
                Refusal::NotAllowed(Reason::Standing(standing)) => {
                    ("barred", Failure::Barred(*standing))
                }
                Refusal::NotAllowed(_) => ("not_allowed", CommonStatus::UserDisabledForSync.into()),
            };
            refuse(front, Some(&credentials.login), client, name, &refusal);
            Err(failure)
        }
        Admission::Throttled { retry_after } => {
            let login = Some(&credentials.login);
            refuse(front, login, client, "throttled", &"too many attempts");
            Err(Failure::Later(retry_after))
        }
        Admission::Unavailable { retry_after } => {
            refuse(front, None, client, "directory_unavailable", &"the directory is down");
            Err(Failure::Later(retry_after.max(LATER / 6)))
        }
    }
}

/// Puts into the request's place in the log whose it is: every line from here on has it.
fn note(front: &Front, login: &Login, admission: &Admission, device: Option<&DeviceId>) {
    let span = tracing::Span::current();
    match admission {
        Admission::Admitted { who, .. } => span.record("user", who.person.user.as_str()),
        // As it would be, if there is such a one.
        _ => match front.gate.realms().resolve(login) {
            Ok(user) => span.record("user", user.as_str()),
            Err(_) => span.record("user", login.name()),
        },
    };
    if let Some(device) = device {
        span.record("device", device.as_str());
    }
}

/// Counts and logs a refusal; with the login, also where administrators look for it.
fn refuse(
    front: &Front,
    login: Option<&Login>,
    client: IpAddr,
    name: &'static str,
    reason: &dyn std::fmt::Display,
) {
    front.metrics.login_refused(name);
    if let Some(login) = login {
        let happened = Happened::new(EventKind::LoginRefused, format!("login refused: {reason}"));
        let happened = match front.gate.realms().resolve(login) {
            Ok(user) => happened.user(&user),
            Err(_) => happened.user(&UserId::from(login.name())),
        };
        front.events.note(happened.detail("reason", name).detail("client", client));
    }
    tracing::info!(%client, %reason, "login refused");
}
