use super::*;
use crate::wire::hello::{EnrollReply, EnrollRequest};
use crate::{
    Approval, Authority, Error, MemoryBook, MemoryEnrolments, Refusal, Refused, Registrar,
};
use std::sync::Arc;

/// One end's word or its memory of it is lost at some point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    /// The connector makes its key, and dies before it asks.
    KeyMade,
    /// The server enters the key, and its answer is lost.
    RenewalAnswerLost,
    /// The certificate arrives and is kept.
    Renewed,
    /// The server takes the link, and the connector dies before it knows.
    WelcomeLost,
    /// The link is made.
    Linked,
}

const STEPS: [Step; 5] =
    [Step::KeyMade, Step::RenewalAnswerLost, Step::Renewed, Step::WelcomeLost, Step::Linked];

struct Ends {
    dir: tempfile::TempDir,
    registrar: Registrar,
}

impl Ends {
    async fn enrolled(authority: &Arc<Authority>) -> Self {
        let registrar = Registrar::new(
            authority.clone(),
            Arc::new(MemoryBook::default()),
            Arc::new(MemoryEnrolments::default()),
        );
        let hour = Duration::from_secs(3600);
        let token = registrar
            .issue_token("branch", vec!["s:1".into()], Approval::Given, hour)
            .await
            .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let key = Identities::enrolling_key(dir.path()).unwrap();
        let request = EnrollRequest {
            secret: token.secret.clone(),
            request: SigningRequest::make(&key).unwrap(),
            software: "test".into(),
            code: None,
        };
        let EnrollReply::Enrolled(reply) = registrar.enroll(&request).await.unwrap() else {
            panic!("not enrolled")
        };
        let about = About { id: reply.connector, name: reply.name, servers: token.servers };
        Identities::enrolled(dir.path(), &about, &reply.authority, &reply.certificate).unwrap();
        Self { dir, registrar }
    }

    /// Nothing is remembered from one step to the next but what is on the disk and in the book.
    async fn step(&self, step: Step) {
        let identities = Identities::open(self.dir.path()).unwrap();
        match step {
            Step::KeyMade => {
                identities.renew().unwrap();
            }
            Step::RenewalAnswerLost => {
                self.registrar.renew(identities.id(), &identities.renew().unwrap()).await.unwrap();
            }
            Step::Renewed => {
                let request = identities.renew().unwrap();
                let chain = self.registrar.renew(identities.id(), &request).await.unwrap();
                identities.renewed(&chain).unwrap();
            }
            Step::WelcomeLost => {
                self.dial(&identities).await.unwrap();
            }
            Step::Linked => {
                let which = self.dial(&identities).await.unwrap();
                identities.accepted(which).unwrap();
            }
        }
    }

    /// As the connector dials and the server admits.
    async fn dial(&self, identities: &Identities) -> Result<Which> {
        for (which, identity) in identities.candidates().unwrap() {
            let key = Fingerprint::of_certificate(&certificate::from_pem(&identity.chain)?)?;
            match self.registrar.admit(&key).await {
                Ok(record) => {
                    self.registrar.linked(&record.id, &key).await?;
                    return Ok(which);
                }
                Err(Error::Refused(Refused { reason: Refusal::Unknown, .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Refused(Refused::new(Refusal::Unknown)))
    }
}

/// All ways in which three steps can follow each other, and after each the connector can link,
/// renew, and link again.
#[tokio::test]
async fn no_loss_at_any_step_of_renewals_strands_a_connector() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Arc::new(Authority::open(dir.path()).unwrap());
    for sequence in 0..125_usize {
        let steps = [sequence % 5, sequence / 5 % 5, sequence / 25].map(|number| STEPS[number]);
        let ends = Ends::enrolled(&authority).await;
        for step in steps {
            ends.step(step).await;
        }
        ends.step(Step::Linked).await;
        let before = Identities::open(ends.dir.path()).unwrap().fingerprint().unwrap();
        ends.step(Step::Renewed).await;
        ends.step(Step::Linked).await;
        let identities = Identities::open(ends.dir.path()).unwrap();
        let after = identities.fingerprint().unwrap();
        assert_ne!(before, after, "{steps:?}");
        let record = ends.registrar.book().get(identities.id()).await.unwrap().unwrap();
        assert_eq!(record.keys, [after], "{steps:?}");
    }
}

#[tokio::test]
async fn a_server_that_lost_the_new_key_is_met_with_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Arc::new(Authority::open(dir.path()).unwrap());
    let ends = Ends::enrolled(&authority).await;
    let identities = Identities::open(ends.dir.path()).unwrap();
    // The certificate is signed, but a restored copy of the book does not have its key.
    let request = SigningRequest::from_pem(&identities.renew().unwrap()).unwrap();
    let life = Duration::from_secs(60);
    let chain = authority.sign_connector(&request, identities.id(), life).unwrap();
    identities.renewed(&chain).unwrap();
    assert_eq!(identities.candidates().unwrap().len(), 2);
    assert_eq!(ends.dial(&identities).await.unwrap(), Which::Current);
    identities.accepted(Which::Current).unwrap();
    assert_eq!(identities.candidates().unwrap().len(), 1);
    ends.step(Step::Renewed).await;
    ends.step(Step::Linked).await;
}

#[tokio::test]
async fn a_certificate_for_another_key_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Arc::new(Authority::open(dir.path()).unwrap());
    let (ours, theirs) = (Ends::enrolled(&authority).await, Ends::enrolled(&authority).await);
    let (ours, theirs) =
        [ours, theirs].map(|ends| (Identities::open(ends.dir.path()).unwrap(), ends)).into();
    ours.0.renew().unwrap();
    let request = theirs.0.renew().unwrap();
    let chain = theirs.1.registrar.renew(theirs.0.id(), &request).await.unwrap();
    assert!(matches!(ours.0.renewed(&chain), Err(Error::Protocol(_))));
    assert_eq!(ours.0.candidates().unwrap().len(), 1);
}

#[tokio::test]
async fn renewal_is_due_at_two_thirds_of_the_life() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Arc::new(Authority::open(dir.path()).unwrap());
    let ends = Ends::enrolled(&authority).await;
    let identities = Identities::open(ends.dir.path()).unwrap();
    let now = SystemTime::now();
    let days = identities.renewal_due(now).unwrap().as_secs_f64() / 86_400.0;
    assert!((days - 20.0).abs() < 0.01, "{days}");
}

#[tokio::test]
async fn a_connector_whose_clock_is_ahead_does_not_renew_without_pause() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Arc::new(Authority::open(dir.path()).unwrap());
    let ends = Ends::enrolled(&authority).await;
    let identities = Identities::open(ends.dir.path()).unwrap();
    let ahead = SystemTime::now() + Duration::from_secs(365 * 86_400);
    let minutes = identities.renewal_due(ahead).unwrap().as_secs() / 60;
    assert_eq!(minutes, 43);
}
