//! How a connector becomes known to a server (rule L1).

use super::config::Proxy;
use super::dial;
use super::identity::{About, Identities};
use crate::authority::SigningRequest;
use crate::wire::hello::{self, EnrollReply, EnrollRequest};
use crate::{Error, Fingerprint, Result, Token, tls};
use dme_model::ConnectorId;
use rcgen::PublicKeyData;
use std::path::Path;
use std::time::Duration;
use tracing::warn;

/// How long one address may take.
const LIMIT: Duration = Duration::from_secs(30);

/// What came of an enrolment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enrolled {
    /// The id the server gave.
    pub id: ConnectorId,
    /// The name that came with the token.
    pub name: String,
    /// Of the connector's key: the administrator compares its [`Fingerprint::grouped`] form.
    pub fingerprint: Fingerprint,
    /// The connector may not serve until an administrator unlocks it.
    pub locked: bool,
}

/// Enrols a connector and keeps its identity in the directory. The key is made there and never
/// leaves it. Where the answer is lost, the same call with the same token goes on.
///
/// # Errors
/// `Refused` with the reason where the server does not take the token; `AlreadyEnrolled` where
/// the directory has an identity; others where no server of the token can be reached.
pub async fn enroll(token: &Token, dir: &Path, proxy: Option<&Proxy>) -> Result<Enrolled> {
    let key = Identities::enrolling_key(dir)?;
    let request = EnrollRequest {
        secret: token.secret.clone(),
        request: SigningRequest::make(&key)?,
        software: crate::SOFTWARE.into(),
    };
    let tls = tls::enroll_client(token.authority)?;
    let mut last = Error::Token("it names no server");
    for address in &token.servers {
        let asked = tokio::time::timeout(LIMIT, async {
            let mut io = dial::tls(address, proxy, None, tls.clone(), Default::default()).await?;
            hello::send(&mut io, &request).await?;
            hello::receive::<EnrollReply>(&mut io).await
        });
        let reply = match asked.await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => {
                warn!(address, %error, "no enrolment there");
                last = error;
                continue;
            }
            Err(_) => {
                let reason = "it took too long".into();
                last = Error::Unreachable { address: address.clone(), reason };
                continue;
            }
        };
        let reply = match reply {
            EnrollReply::Enrolled(reply) => reply,
            EnrollReply::Refused(refused) => return Err(Error::Refused(refused)),
        };
        let fingerprint = Fingerprint::of_public_key(&key.subject_public_key_info());
        let certified = Fingerprint::of_certificate(&tls::certificate(&reply.certificate)?)?;
        let authority = Fingerprint::of_certificate(&tls::certificate(&reply.authority)?)?;
        if reply.fingerprint != fingerprint
            || certified != fingerprint
            || authority != token.authority
        {
            return Err(Error::Protocol("the server enrolled another key than ours".into()));
        }
        let about = About {
            id: reply.connector.clone(),
            name: reply.name.clone(),
            servers: token.servers.clone(),
        };
        Identities::enrolled(dir, &about, &reply.authority, &reply.certificate)?;
        let (id, name, locked) = (reply.connector, reply.name, reply.locked);
        return Ok(Enrolled { id, name, fingerprint, locked });
    }
    Err(last)
}
