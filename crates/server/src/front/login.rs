//! Who a request says it is from: HTTP Basic credentials, a bearer token, or the certificate that the
//! phone showed.

use super::admission::store_failed;
use super::failure::{Failure, LATER};
use super::{Front, Visitor};
use crate::bearers::NotTaken;
use crate::notices::certificate_ends;
use crate::own::CertificateRefusal;
use crate::records::{EventKind, Happened};
use dme_directory::{Admission, Admitted, BasicCredentials, Login, LoginError, Reason, Refusal};
use dme_eas::CommonStatus;
use dme_mailbox::{Account, Credentials};
use dme_model::{DeviceId, Secret, UserId};
use dme_policy::Behaviour;
use dme_store::DeviceCertificate;
use dme_sync::DeviceKey;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{HeaderMap, StatusCode};
use std::net::IpAddr;
use std::sync::Arc;
use tracing::Instrument;

/// What a request shows, as far as it counts.
struct Shown {
    /// Who it says it is from.
    login: Login,
    /// What the gate said of that.
    admission: Admission,
    /// What it opens mailboxes with.
    opens: Credentials,
    /// The phone's certificate, where it showed one that is good.
    certificate: Option<DeviceCertificate>,
}

/// Lets a login in, or says why not. An unknown user, a wrong password and a barred account all
/// look alike from outside, except that a person without the right group is told 403, so that the
/// phone does not ask for the password again and again.
pub(super) async fn log_in(
    front: &Arc<Front>,
    headers: &HeaderMap,
    device: Option<&DeviceId>,
    visitor: Visitor,
) -> Result<(Arc<Admitted>, Account), Failure> {
    let header = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let shown = match header.and_then(token) {
        Some(token) => by_token(front, token, device, visitor).await?,
        None => by_credentials(front, header, device, visitor).await?,
    };
    let Shown { login, admission, opens, certificate } = shown;
    let known = judge(front, &login, (admission, opens), device, visitor.client).await?;
    if let Some(certificate) = certificate {
        tell_of_end(front, &known.1, certificate);
    }
    Ok(known)
}

/// What is shown by HTTP Basic credentials, a certificate, or both.
async fn by_credentials(
    front: &Front,
    header: Option<&[u8]>,
    device: Option<&DeviceId>,
    visitor: Visitor,
) -> Result<Shown, Failure> {
    let client = visitor.client;
    let read = header.map(|header| (header, BasicCredentials::from_header(header)));
    let named = read.as_ref().and_then(|(header, read)| match read {
        Ok(credentials) => Some(credentials.login.clone()),
        Err(_) => BasicCredentials::login_in(header).ok(),
    });
    let uncertified =
        |refusal: CertificateRefusal| uncertified(front, named.as_ref(), client, &refusal);
    let shown = front.certificate_shown(visitor.certificate, named.as_ref(), device).await;
    let certificate = shown.map_err(uncertified)?;
    let credentials = match read {
        Some((_, Ok(credentials))) => Some(credentials),
        Some((_, Err(error))) if certificate.is_none() => {
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
            let (admission, opens) = admitted.map_err(uncertified)?;
            (login, admission, opens)
        }
    };
    Ok(Shown { login, admission, opens, certificate })
}

/// Refuses a phone for its certificate's sake, unless it is the store that failed.
fn uncertified(
    front: &Front,
    login: Option<&Login>,
    client: IpAddr,
    refusal: &CertificateRefusal,
) -> Failure {
    if let CertificateRefusal::Store(error) = refusal {
        return store_failed(error);
    }
    let owner = refusal.owner().and_then(|owner| Login::parse(owner.as_str()).ok());
    refuse(front, login.or(owner.as_ref()), client, "certificate", refusal);
    // To ask for a password would mend nothing.
    Failure::Http(StatusCode::FORBIDDEN)
}

/// The token that follows `Bearer` (RFC 6750 §2.1); an empty one where a phone asks how one is had.
fn token(header: &[u8]) -> Option<&str> {
    let header = std::str::from_utf8(header).ok()?.trim();
    let (scheme, rest) = header.split_at_checked(6)?;
    let rest = rest.strip_prefix(' ').or(rest.is_empty().then_some(rest))?;
    scheme.eq_ignore_ascii_case("bearer").then_some(rest.trim())
}

/// Whether a request shows a token.
pub(super) fn shows_token(headers: &HeaderMap) -> bool {
    let shown = headers.get(AUTHORIZATION).and_then(|header| token(header.as_bytes()));
    shown.is_some_and(|token| !token.is_empty())
}

/// What is shown by an access token. Mailboxes are opened with the same token.
async fn by_token(
    front: &Front,
    token: &str,
    device: Option<&DeviceId>,
    visitor: Visitor,
) -> Result<Shown, Failure> {
    let (token, client) = (Secret::new(token), visitor.client);
    if token.expose().is_empty() {
        return Err(Failure::Password);
    }
    let login = match front.bearers.check(front.gate.realms(), &token).await {
        Ok(login) => login,
        Err(NotTaken::Away(error)) => {
            refuse(front, None, client, "provider_unavailable", &error);
            return Err(Failure::Later(LATER));
        }
        Err(error) => {
            refuse(front, None, client, "wrong_token", &error);
            return Err(Failure::Password);
        }
    };
    let uncertified =
        |refusal: CertificateRefusal| uncertified(front, Some(&login), client, &refusal);
    let shown = front.certificate_shown(visitor.certificate, Some(&login), device).await;
    let certificate = shown.map_err(uncertified)?;
    let admission = front.gate.admit_known(&login, device).await;
    if let Some(certificate) = &certificate {
        let bound = front.bind_certificate(certificate, &admission, device).await;
        bound.map_err(uncertified)?;
    }
    Ok(Shown { login, admission, opens: Credentials::Bearer(token), certificate })
}

/// What becomes of a request by what the gate said.
async fn judge(
    front: &Front,
    login: &Login,
    (admission, opens): (Admission, Credentials),
    device: Option<&DeviceId>,
    client: IpAddr,
) -> Result<(Arc<Admitted>, Account), Failure> {
    note(front, login, &admission, device);
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
                && let Ok(user) = front.gate.realms().resolve(login)
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
            refuse(front, Some(login), client, name, &refusal);
            Err(failure)
        }
        Admission::Throttled { retry_after } => {
            refuse(front, Some(login), client, "throttled", &"too many attempts");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_follows_bearer() {
        for (header, found) in [
            ("Bearer a.b.c", Some("a.b.c")),
            ("bearer  a.b.c ", Some("a.b.c")),
            ("Bearer", Some("")),
            ("Bearer ", Some("")),
            ("Bearera.b.c", None),
            ("Basic YTpi", None),
            ("", None),
        ] {
            assert_eq!(token(header.as_bytes()), found, "{header:?}");
        }
    }
}
