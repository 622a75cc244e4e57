//! Who may link: admits, enrols and renews connectors (rules A6, L1, L2).

use crate::clock::now;
use crate::code::{Binding, Prover};
use crate::wire::hello::{EnrollReply, EnrollRequest, EnrolledReply};
use crate::{
    Approval, Authority, BookError, Code, CodeKey, Configuration, ConfigurationReport,
    Configurations, ConnectorBook, ConnectorRecord, ConnectorState, Enrolment, Enrolments, Error,
    Fingerprint, LinkTimes, MemoryConfigurations, Refusal, Refused, Rejection, Result,
    SigningRequest, Token, TokenHash,
};
use dme_model::{ConnectorId, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

/// The authority and the two registries, which together know every connector.
pub struct Registrar {
    authority: Arc<Authority>,
    book: Arc<dyn ConnectorBook>,
    enrolments: Arc<dyn Enrolments>,
    configurations: Arc<dyn Configurations>,
    certificate_life: Duration,
}

/// How long a connector's certificate holds unless told otherwise; it is renewed at two thirds.
const CERTIFICATE_LIFE: Duration = Duration::from_secs(30 * 86_400);

impl Registrar {
    /// With certificates that hold for 30 days.
    pub fn new(
        authority: Arc<Authority>,
        book: Arc<dyn ConnectorBook>,
        enrolments: Arc<dyn Enrolments>,
    ) -> Self {
        let configurations = Arc::new(MemoryConfigurations::default());
        let certificate_life = CERTIFICATE_LIFE;
        Self { authority, book, enrolments, configurations, certificate_life }
    }

    /// With certificates that hold for as long as given.
    pub fn certificate_life(mut self, life: Duration) -> Self {
        self.certificate_life = life;
        self
    }

    /// With the configurations of connectors from here; without it nothing is wanted of any.
    pub fn configurations(mut self, configurations: Arc<dyn Configurations>) -> Self {
        self.configurations = configurations;
        self
    }

    /// The server's authority.
    pub fn authority(&self) -> &Arc<Authority> {
        &self.authority
    }

    /// The tokens handed out.
    pub fn enrolments(&self) -> &Arc<dyn Enrolments> {
        &self.enrolments
    }

    /// The connectors.
    pub fn book(&self) -> &Arc<dyn ConnectorBook> {
        &self.book
    }

    /// Makes a token for a connector of this name and remembers its hash. `servers` are the
    /// addresses, `host:port`, at which the connector finds the link port.
    ///
    /// # Errors
    /// When it cannot be remembered.
    pub async fn issue_token(
        &self,
        name: &str,
        servers: Vec<String>,
        approval: Approval,
        life: Duration,
    ) -> Result<Token> {
        let token = Token::generate(servers, self.authority.fingerprint())?;
        let expires = now().plus(life);
        let enrolment = Enrolment {
            hash: token.hash(),
            name: name.into(),
            approval,
            expires,
            used_by: None,
            again: None,
        };
        self.enrolments.create(enrolment).await?;
        Ok(token)
    }

    /// Makes a code by which a connector comes back under its id and name, with another key. Its
    /// old keys are forgotten once it has linked with the new one.
    ///
    /// # Errors
    /// When there is no such connector, it was removed, or the code cannot be remembered.
    pub async fn issue_code(&self, id: &ConnectorId, life: Duration) -> Result<Code> {
        let record = self.book.get(id).await?;
        let record = record.ok_or_else(|| BookError(format!("there is no connector {id}")))?;
        if record.state == ConnectorState::Removed {
            return Err(BookError(format!("{id} was removed; enrol it anew")).into());
        }
        let code = Code::generate()?;
        let worked = tokio::task::spawn_blocking({
            let code = code.clone();
            move || code.key()
        });
        let key = worked.await.map_err(|error| BookError(error.to_string()))?;
        self.enrolments
            .create(Enrolment {
                hash: key.hash(),
                name: record.name,
                // It may what it might before.
                approval: Approval::Needed,
                expires: now().plus(life),
                used_by: None,
                again: Some(record.id),
            })
            .await?;
        Ok(code)
    }

    /// Whether the holder of this key may make a link.
    pub(crate) async fn admit(&self, key: &Fingerprint) -> Result<ConnectorRecord> {
        let refuse = |reason| Err(Error::Refused(Refused::new(reason)));
        let Some(record) = self.book.find(key).await? else { return refuse(Refusal::Unknown) };
        match record.state {
            ConnectorState::Unlocked => Ok(record),
            ConnectorState::Locked => refuse(Refusal::Locked),
            ConnectorState::Removed => refuse(Refusal::Removed),
        }
    }

    /// A link was made with this key. An older key is forgotten from here on.
    pub(crate) async fn linked(&self, id: &ConnectorId, key: &Fingerprint) -> Result<()> {
        Ok(self.book.key_used(id, key, now()).await?)
    }

    /// Enrols whoever holds a token. What it says no to is in the reply; errors are ours.
    pub(crate) async fn enroll(&self, asked: &EnrollRequest) -> Result<EnrollReply> {
        let refuse = |refused| Ok(EnrollReply::Refused(refused));
        let request = match SigningRequest::from_pem(&asked.request) {
            Ok(request) => request,
            Err(error) => {
                return refuse(Refused::because(Refusal::Invalid, error.to_string()));
            }
        };
        let hash = TokenHash::of(&asked.secret);
        let enrolment = match self.enrolments.redeem(&hash, &request.fingerprint, now()).await? {
            Ok(enrolment) => enrolment,
            Err(rejection) => {
                warn!(?rejection, key = ?request.fingerprint, "enrolment refused");
                return refuse(Refused::new(refusal(rejection)));
            }
        };
        if enrolment.again.is_some() {
            // The hash of a secret is no code's key, but by an accident that does not happen.
            return refuse(Refused::new(Refusal::TokenUnknown));
        }
        let state = match enrolment.approval {
            Approval::Given => ConnectorState::Unlocked,
            Approval::Needed => ConnectorState::Locked,
        };
        let record = self.book.enrol(&enrolment.name, &request.fingerprint, state, now()).await?;
        let certificate =
            self.authority.sign_connector(&request, &record.id, self.certificate_life)?;
        let fingerprint = request.fingerprint;
        info!(connector = record.name, id = %record.id, key = ?fingerprint, ?state, "enrolled");
        Ok(EnrollReply::Enrolled(EnrolledReply {
            connector: record.id,
            name: record.name,
            fingerprint,
            certificate,
            authority: self.authority.certificate_pem().to_owned(),
            locked: record.state != ConnectorState::Unlocked,
            code: None,
        }))
    }

    /// Takes a connector back that proves to have a code, on this connection. The new key is in the
    /// book beside the old one before the answer leaves, as in a renewal: whatever is lost from here
    /// on, the connector has a key that is good.
    pub(crate) async fn enroll_again(
        &self,
        asked: &EnrollRequest,
        proof: &str,
        binding: &Binding,
    ) -> Result<EnrollReply> {
        let refuse = |refused| Ok(EnrollReply::Refused(refused));
        let proves = |hash: &TokenHash| {
            let said = [&*asked.request];
            CodeKey::kept(hash).is_proven(proof, Prover::Connector, binding, &said)
        };
        let all = self.enrolments.list().await?;
        let codes = all.into_iter().filter(|enrolment| enrolment.again.is_some());
        let Some(code) = codes.map(|code| code.hash).find(proves) else {
            warn!("a connector came with a code that was not given out");
            return refuse(Refused::new(Refusal::CodeUnknown));
        };
        let request = match SigningRequest::from_pem(&asked.request) {
            Ok(request) => request,
            Err(error) => return refuse(Refused::because(Refusal::Invalid, error.to_string())),
        };
        let redeemed = self.enrolments.redeem(&code, &request.fingerprint, now()).await?;
        let id = match redeemed.map(|enrolment| enrolment.again) {
            Ok(Some(id)) => id,
            Ok(None) => return refuse(Refused::new(Refusal::CodeUnknown)),
            Err(rejection) => return refuse(Refused::new(refusal(rejection))),
        };
        let record = match self.book.get(&id).await? {
            Some(record) if record.state != ConnectorState::Removed => record,
            _ => return refuse(Refused::new(Refusal::Removed)),
        };
        self.book.add_key(&id, &request.fingerprint).await?;
        let certificate = self.authority.sign_connector(&request, &id, self.certificate_life)?;
        let authority = self.authority.certificate_pem().to_owned();
        let fingerprint = request.fingerprint;
        info!(connector = record.name, %id, key = ?fingerprint, "enrolled again by a code");
        let said = [id.as_str(), &record.name, &certificate, &authority];
        let proof = CodeKey::kept(&code).prove(Prover::Server, binding, &said);
        Ok(EnrollReply::Enrolled(EnrolledReply {
            connector: id,
            name: record.name,
            fingerprint,
            certificate,
            authority,
            locked: record.state != ConnectorState::Unlocked,
            code: Some(proof),
        }))
    }

    /// Signs a linked connector's request for a new key. The key is in the book before the
    /// answer leaves, so that the connector can use it whatever else is lost.
    pub(crate) async fn renew(&self, id: &ConnectorId, request: &str) -> Result<String> {
        let request = SigningRequest::from_pem(request)?;
        self.book.add_key(id, &request.fingerprint).await?;
        let certificate = self.authority.sign_connector(&request, id, self.certificate_life)?;
        info!(connector = %id, key = ?request.fingerprint, "certificate renewed");
        Ok(certificate)
    }

    /// When connectors are linked, as each said last, and when each was linked last.
    pub(crate) async fn link_times(
        &self,
    ) -> Result<Vec<(ConnectorId, LinkTimes, Option<Timestamp>)>, BookError> {
        let mut seen: BTreeMap<_, _> =
            self.book.list().await?.into_iter().map(|one| (one.id, one.last_seen)).collect();
        let reports = self.configurations.reports().await?.into_iter();
        let said = reports.filter_map(|(id, report)| {
            let seen = seen.remove(&id).flatten();
            Some((id, report.link_times?, seen))
        });
        Ok(said.collect())
    }

    /// Keeps what a connector said of its configuration, which was bounded; answers the one it is to be sent, if any.
    pub(crate) async fn configured(
        &self,
        id: &ConnectorId,
        report: ConfigurationReport,
    ) -> Result<Option<Configuration>, BookError> {
        self.configurations.reported(id, &report, now()).await?;
        let wanted = self.configurations.wanted(id).await?;
        Ok(wanted.filter(|wanted| report.lacks(wanted)))
    }

    /// What is wanted of a connector.
    pub(crate) async fn wanted(
        &self,
        id: &ConnectorId,
    ) -> Result<Option<Configuration>, BookError> {
        self.configurations.wanted(id).await
    }
}

fn refusal(rejection: Rejection) -> Refusal {
    match rejection {
        Rejection::Unknown => Refusal::TokenUnknown,
        Rejection::Expired => Refusal::TokenExpired,
        Rejection::Used => Refusal::TokenUsed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::new_key;
    use crate::{MemoryBook, MemoryEnrolments};

    #[tokio::test]
    async fn a_connector_gets_no_certificate_for_the_key_of_another() {
        let dir = tempfile::tempdir().unwrap();
        let registrar = Registrar::new(
            Arc::new(Authority::open(dir.path()).unwrap()),
            Arc::new(MemoryBook::default()),
            Arc::new(MemoryEnrolments::default()),
        );
        let mut enrolled = Vec::new();
        for name in ["thief", "victim"] {
            let hour = Duration::from_secs(3_600);
            let token =
                registrar.issue_token(name, Vec::new(), Approval::Given, hour).await.unwrap();
            let request = SigningRequest::make(&new_key().unwrap()).unwrap();
            let asked = EnrollRequest {
                secret: token.secret,
                request: request.clone(),
                software: "t".into(),
                code: None,
            };
            let EnrollReply::Enrolled(reply) = registrar.enroll(&asked).await.unwrap() else {
                panic!("not enrolled")
            };
            enrolled.push((reply.connector, request));
        }
        let [(thief, _), (victim, request)] = enrolled.as_slice() else { unreachable!() };
        assert!(registrar.renew(thief, request).await.is_err());
        assert!(registrar.renew(victim, request).await.is_ok());
        let known = registrar.book().get(thief).await.unwrap().unwrap();
        assert_eq!(known.keys.len(), 1);
    }
}
