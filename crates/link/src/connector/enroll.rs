//! How a connector becomes known to a server, and known again (rule L1).

use super::config::Proxy;
use super::dial;
use super::identity::{About, Identities};
use crate::authority::SigningRequest;
use crate::code::{Binding, Prover};
use crate::wire::hello::{self, EnrollReply, EnrollRequest, EnrolledReply};
use crate::{Code, Error, Fingerprint, Result, Token, certificate, tls};
use dme_model::{ConnectorId, Secret};
use rcgen::{KeyPair, PublicKeyData};
use rustls::ClientConfig;
use std::path::Path;
use std::sync::Arc;
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
/// leaves it. Where the answer is lost, the same call with the same token goes on. `servers` are
/// tried in the place of the token's where there are any.
///
/// # Errors
/// `Refused` with the reason where the server does not take the token; `AlreadyEnrolled` where
/// the directory has an identity; others where no server of the token can be reached.
pub async fn enroll(
    token: &Token,
    dir: &Path,
    servers: &[String],
    proxy: Option<&Proxy>,
) -> Result<Enrolled> {
    let key = Identities::enrolling_key(dir)?;
    let request = SigningRequest::make(&key)?;
    let way = Way {
        servers: if servers.is_empty() { &token.servers } else { servers },
        proxy,
        tls: tls::enroll_client(token.authority)?,
    };
    let ask = |_: &Binding| EnrollRequest {
        secret: token.secret.clone(),
        request: request.clone(),
        software: crate::SOFTWARE.into(),
        code: None,
    };
    let (reply, _) = way.ask(ask).await?;
    if certified(&reply, &key)? != token.authority {
        return Err(Error::Protocol("the server enrolled another key than ours".into()));
    }
    let (id, name) = (reply.connector.clone(), reply.name.clone());
    let about = About { id, name, servers: token.servers.clone() };
    Identities::enrolled(dir, &about, &reply.authority, &reply.certificate)?;
    Ok(Enrolled::from(reply))
}

/// Has a connector known again, under the id and name that it had, by a [`Code`]. Where the directory
/// still has an identity, the new key is one more beside it until the server knows it; where it has
/// none, one is made there. Where the answer is lost, the same call with the same code goes on.
///
/// # Errors
/// `Refused` with the reason where the server does not take the code; `NoServer` where neither
/// `servers` nor the directory names one; others where none can be reached, or the one that answers
/// has not got the code.
pub async fn enroll_again(
    code: &Code,
    dir: &Path,
    servers: &[String],
    proxy: Option<&Proxy>,
) -> Result<Enrolled> {
    let known = Identities::open(dir).ok();
    let servers = match (servers, &known) {
        ([], Some(known)) => known.servers(),
        (servers, _) => servers,
    };
    let tls = match Identities::authority_in(dir)? {
        Some(authority) => {
            tls::enroll_client(Fingerprint::of_certificate(&certificate::from_pem(&authority)?)?)?
        }
        None => tls::stranger_client()?,
    };
    let worked = tokio::task::spawn_blocking({
        let code = code.clone();
        move || code.key()
    });
    let code = worked.await.map_err(|error| Error::Protocol(error.to_string()))?;
    let key = Identities::returning_key(dir)?;
    let request = SigningRequest::make(&key)?;
    let ask = |binding: &Binding| EnrollRequest {
        secret: Secret::new(""),
        request: request.clone(),
        software: crate::SOFTWARE.into(),
        code: Some(code.prove(Prover::Connector, binding, &[&request])),
    };
    let (reply, binding) = Way { servers, proxy, tls }.ask(ask).await?;
    let said = [reply.connector.as_str(), &reply.name, &reply.certificate, &reply.authority];
    let proof = reply.code.as_deref().unwrap_or_default();
    if !code.is_proven(proof, Prover::Server, &binding, &said) {
        return Err(Error::Protocol("whoever answered has not got the code".into()));
    }
    certified(&reply, &key)?;
    match &known {
        Some(known) if *known.id() != reply.connector => {
            let (dir, name) = (dir.display(), known.name());
            return Err(Error::Protocol(format!(
                "the code is for the connector {}, and {dir} is that of {name}",
                reply.name
            )));
        }
        Some(known) => known.renewed(&reply.certificate)?,
        None => {
            let (id, name) = (reply.connector.clone(), reply.name.clone());
            let about = About { id, name, servers: servers.to_vec() };
            Identities::enrolled(dir, &about, &reply.authority, &reply.certificate)?;
        }
    }
    Ok(Enrolled::from(reply))
}

/// The way to a server that enrols.
struct Way<'a> {
    servers: &'a [String],
    proxy: Option<&'a Proxy>,
    tls: Arc<ClientConfig>,
}

impl Way<'_> {
    /// Asks the first server that answers.
    async fn ask(
        &self,
        request: impl Fn(&Binding) -> EnrollRequest,
    ) -> Result<(EnrolledReply, Binding)> {
        let mut last = Error::NoServer;
        for address in self.servers {
            let asked = tokio::time::timeout(LIMIT, async {
                let tls = self.tls.clone();
                let mut io = dial::tls(address, self.proxy, None, tls, Default::default()).await?;
                let binding = Binding::of(io.get_ref().1)?;
                hello::send(&mut io, &request(&binding)).await?;
                Ok((hello::receive::<EnrollReply>(&mut io).await?, binding))
            });
            match asked.await {
                Ok(Ok((EnrollReply::Enrolled(reply), binding))) => return Ok((reply, binding)),
                Ok(Ok((EnrollReply::Refused(refused), _))) => return Err(Error::Refused(refused)),
                Ok(Err(error)) => {
                    warn!(address, %error, "no enrolment there");
                    last = error;
                }
                Err(_) => {
                    let reason = "it took too long".into();
                    last = Error::Unreachable { address: address.clone(), reason };
                }
            }
        }
        Err(last)
    }
}

/// That the certificate is for our key; answers the fingerprint of the authority that is said to
/// have signed it.
fn certified(reply: &EnrolledReply, key: &KeyPair) -> Result<Fingerprint> {
    let ours = Fingerprint::of_public_key(&key.subject_public_key_info());
    let certified = Fingerprint::of_certificate(&certificate::from_pem(&reply.certificate)?)?;
    if reply.fingerprint != ours || certified != ours {
        return Err(Error::Protocol("the server enrolled another key than ours".into()));
    }
    Fingerprint::of_certificate(&certificate::from_pem(&reply.authority)?)
}

impl From<EnrolledReply> for Enrolled {
    fn from(reply: EnrolledReply) -> Self {
        let EnrolledReply { connector, name, fingerprint, locked, .. } = reply;
        Self { id: connector, name, fingerprint, locked }
    }
}
