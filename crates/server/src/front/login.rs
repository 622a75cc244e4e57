//! Who a request says it is from: HTTP Basic credentials, or a bearer token's place, or the certificate
//! that the phone showed.

use super::admission::store;
use super::failure::{Failure, LATER};
use super::{Front, Visitor};
use crate::notices::certificate_ends;
use crate::own::CertificateRefusal;
use crate::records::{EventKind, Happened};
use dme_directory::{Admission, Admitted, BasicCredentials, Login, LoginError, Reason, Refusal};
use dme_eas::CommonStatus;
use dme_mailbox::Account;
use dme_model::{DeviceId, UserId};
use dme_policy::Behaviour;
use dme_store::DeviceCertificate;
use dme_sync::DeviceKey;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{HeaderMap, StatusCode};
use std::net::IpAddr;
use std::sync::Arc;
use tracing::Instrument;

/// Lets a login in, or says why not. An unknown user, a wrong password and a barred account all
/// look alike from outside, except that a person without the right group is told 403, so that the
/// phone does not ask for the password again and again.
pub(super) async fn log_in(
    front: &Arc<Front>,
    headers: &HeaderMap,
    device: Option<&DeviceId>,
    visitor: Visitor,
) -> Result<(Arc<Admitted>, Account), Failure> {
    let client = visitor.client;
    let header = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let named = header.and_then(|header| BasicCredentials::login_in(header).ok());
    let uncertified = |refusal: CertificateRefusal| {
        let owner = refusal.owner().and_then(|owner| Login::parse(owner.as_str()).ok());
        refuse(front, named.as_ref().or(owner.as_ref()), client, "certificate", &refusal);
        // To ask for a password would mend nothing.
        Failure::Http(StatusCode::FORBIDDEN)
    };
    let shown = front.certificate_shown(visitor.certificate, named.as_ref(), device).await;
    let certificate = store(shown)?.map_err(uncertified)?;
    let credentials = match header.map(BasicCredentials::from_header) {
        Some(Ok(credentials)) => Some(credentials),
        Some(Err(error)) if certificate.is_none() => {
            refuse(front, None, client, "malformed", &error);
            return Err(Failure::Password);
        }
        _ => None,
    };
    let (login, admission, opens) = match (&certificate, credentials) {
        (None, None) => return Err(Failure::Password),
        (None, Some(BasicCredentials { login, password })) => {
            let (admission, opens) = front.admit_phone(&login, &password, device).await;
            (login, admission, opens)
        }
        (Some(certificate), credentials) => {
            let owner = || Login::parse(certificate.user.as_str()).map_err(|_| Failure::Password);
            let login = named.clone().map_or_else(owner, Ok)?;
            let password = credentials.as_ref().map(|credentials| &credentials.password);
            let admitted = front.admit_certified(certificate, &login, password, device).await;
            let (admission, opens) = store(admitted)?.map_err(uncertified)?;
            (login, admission, opens)
        }
    };
    note(front, &login, &admission, device);
    match admission {
        Admission::Admitted { who, .. } => {
            let account = Account {
                user: who.person.user.clone(),
                address: who.person.address.clone(),
                display_name: who.person.display_name.clone(),
                credentials: opens,
            };
            if let Some(certificate) = certificate {
                tell_of_end(front, &account, certificate);
            }
            Ok((who, account))
        }
        Admission::Refused(refusal) => {
            if let (Refusal::WrongPassword, Some(device)) = (&refusal, device)
                && let Ok(user) = front.gate.realms().resolve(&login)
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
            refuse(front, Some(&login), client, name, &refusal);
            Err(failure)
        }
        Admission::Throttled { retry_after } => {
            let login = Some(&login);
            refuse(front, login, client, "throttled", &"too many attempts");
            Err(Failure::Later(retry_after))
        }
        Admission::Unavailable { retry_after } => {
            refuse(front, None, client, "directory_unavailable", &"the directory is down");
            Err(Failure::Later(retry_after.max(LATER / 6)))
        }
    }
}

/// Has the user told that the phone's certificate ends soon, where they were not.
fn tell_of_end(front: &Arc<Front>, account: &Account, certificate: DeviceCertificate) {
    if certificate.noticed.is_none() && front.own.ends_soon(&certificate, (front.clock)()) {
        let told = certificate_ends(front.clone(), account.clone(), certificate);
        tokio::spawn(told.in_current_span());
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
