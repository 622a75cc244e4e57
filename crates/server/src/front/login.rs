//! Who a request says it is from: HTTP Basic credentials, or a bearer token's place.

use super::Front;
use super::failure::{Failure, LATER};
use dme_directory::{Admission, Admitted, BasicCredentials, LoginError, Refusal};
use dme_eas::CommonStatus;
use dme_mailbox::{Account, Credentials};
use dme_model::DeviceId;
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
        refuse(front, client, device, "malformed", &error);
        Failure::Password
    })?;
    match front.gate.admit(&credentials.login, &credentials.password, device).await {
        Admission::Admitted { who, .. } => {
            let account = Account {
                user: who.person.user.clone(),
                address: who.person.address.clone(),
                display_name: who.person.display_name.clone(),
                credentials: Credentials::Password(credentials.password),
            };
            Ok((who, account))
        }
        Admission::Refused(refusal) => {
            let (name, failure) = match &refusal {
                Refusal::Login(LoginError::UnknownRealm(_)) => ("unknown_realm", Failure::Password),
                Refusal::Login(_) => ("malformed", Failure::Password),
                Refusal::WrongPassword => ("wrong_password", Failure::Password),
                Refusal::UnknownUser => ("unknown_user", Failure::Password),
                Refusal::NotAllowed(_) => ("not_allowed", CommonStatus::UserDisabledForSync.into()),
            };
            refuse(front, client, device, name, &refusal);
            Err(failure)
        }
        Admission::Throttled { retry_after } => {
            refuse(front, client, device, "throttled", &"too many attempts");
            Err(Failure::Later(retry_after))
        }
        Admission::Unavailable { retry_after } => {
            refuse(front, client, device, "directory_unavailable", &"the directory is down");
            Err(Failure::Later(retry_after.max(LATER / 6)))
        }
    }
}

fn refuse(
    front: &Front,
    client: IpAddr,
    device: Option<&DeviceId>,
    name: &'static str,
    reason: &dyn std::fmt::Display,
) {
    front.metrics.login_refused(name);
    let device = device.map(DeviceId::as_str);
    tracing::info!(%client, device, %reason, "login refused");
}
