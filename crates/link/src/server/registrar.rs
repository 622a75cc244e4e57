//! Who may link: admits, enrols and renews connectors (rules A6, L1, L2).

use crate::clock::now;
use crate::wire::hello::{EnrollReply, EnrollRequest, EnrolledReply};
use crate::{
    Approval, Authority, BookError, Configuration, ConfigurationReport, Configurations,
    ConnectorBook, ConnectorRecord, ConnectorState, Enrolment, Enrolments, Error, Fingerprint,
    MemoryConfigurations, Refusal, Refused, Rejection, Result, SigningRequest, Token,
};
use dme_model::ConnectorId;
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
        let enrolment =
            Enrolment { hash: token.hash(), name: name.into(), approval, expires, used_by: None };
        self.enrolments.create(enrolment).await?;
        Ok(token)
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
        let hash = crate::TokenHash::of(&asked.secret);
        let enrolment = match self.enrolments.redeem(&hash, &request.fingerprint, now()).await? {
            Ok(enrolment) => enrolment,
            Err(rejection) => {
                warn!(?rejection, key = ?request.fingerprint, "enrolment refused");
                return refuse(Refused::new(match rejection {
                    Rejection::Unknown => Refusal::TokenUnknown,
                    Rejection::Expired => Refusal::TokenExpired,
                    Rejection::Used => Refusal::TokenUsed,
                }));
            }
        };
        let state = match enrolment.approval {
            Approval::Given => ConnectorState::Unlocked,
            Approval::Needed => ConnectorState::Locked,
        };
        let record = self.book.enrol(&enrolment.name, &request.fingerprint, state, now()).await?;
        let certificate =
            self.authority.sign_connector(&request, &record.id, self.certificate_life)?;
        let fingerprint = request.fingerprint;
        info!(connector = %record.id, name = record.name, key = ?fingerprint, ?state, "enrolled");
        Ok(EnrollReply::Enrolled(EnrolledReply {
            connector: record.id,
            name: record.name,
            fingerprint,
            certificate,
            authority: self.authority.certificate_pem().to_owned(),
            locked: record.state != ConnectorState::Unlocked,
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

    /// Keeps what a connector said of its configuration; answers the one it is to be sent, if any.
    pub(crate) async fn configured(
        &self,
        id: &ConnectorId,
        report: ConfigurationReport,
    ) -> Result<Option<Configuration>, BookError> {
        let report = report.bounded();
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
