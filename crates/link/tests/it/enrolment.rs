//! How a connector becomes known (rule L1).

use crate::fixtures::*;
use dme_link::{
    Approval, ConnectorState, ConnectorStatus, Error, Fingerprint, Identities, Refusal, Services,
    Token,
};
use std::time::Duration;

fn reason(error: &Error) -> Refusal {
    match error {
        Error::Refused(refused) => refused.reason,
        other => panic!("not a refusal: {other}"),
    }
}

#[tokio::test]
async fn a_connector_waits_locked_until_its_fingerprint_was_compared() {
    let server = Server::start().await;
    let site = Site::new();
    let token = server.token(Approval::Needed).await.to_text().parse::<Token>().unwrap();
    let enrolled = site.enroll(&token).await.unwrap();
    assert!(enrolled.locked);
    assert_eq!(enrolled.name, "branch");

    let mut connector = site.run(Services::default());
    connector
        .until(|status| {
            matches!(status, ConnectorStatus::Refused(refused)
                if refused.reason == Refusal::Locked && refused.retry_after_ms == Some(50))
        })
        .await;
    assert!(server.links.connectors().is_empty());
    // What the administrator sees is what the connector shows.
    let record = server.links.registrar().book().get(&enrolled.id).await.unwrap().unwrap();
    assert_eq!(record.state, ConnectorState::Locked);
    assert_eq!(record.keys, [enrolled.fingerprint]);
    let shown = Identities::open(&site.identity()).unwrap().fingerprint().unwrap();
    assert_eq!(shown.grouped(), record.keys[0].grouped());

    server.links.set_state(&enrolled.id, ConnectorState::Unlocked).await.unwrap();
    connector.until_linked().await;
    server.until_linked(&enrolled.id).await;
}

#[tokio::test]
async fn with_a_token_that_approves_a_connector_serves_at_once() {
    let server = Server::start().await;
    let site = Site::new();
    let token = server.token(Approval::Given).await;
    assert!(!site.enroll(&token).await.unwrap().locked);
    let mut connector = site.run(Services::default());
    connector.until_linked().await;
    connector.stop().await;
}

#[tokio::test]
async fn a_token_serves_once() {
    let server = Server::start().await;
    let token = server.token(Approval::Given).await;
    Site::new().enroll(&token).await.unwrap();
    let error = Site::new().enroll(&token).await.unwrap_err();
    assert_eq!(reason(&error), Refusal::TokenUsed);
    assert!(error.to_string().contains("used already; ask for a new one"), "{error}");
}

#[tokio::test]
async fn an_expired_or_revoked_or_unknown_token_is_refused_in_clear_words() {
    let server = Server::start().await;
    let servers = vec![server.address.to_string()];
    let registrar = server.links.registrar();
    let expired = registrar
        .issue_token("late", servers.clone(), Approval::Given, Duration::ZERO)
        .await
        .unwrap();
    let error = Site::new().enroll(&expired).await.unwrap_err();
    assert_eq!(reason(&error), Refusal::TokenExpired);
    assert!(error.to_string().contains("has expired"), "{error}");

    let unknown = Token::generate(servers, registrar.authority().fingerprint()).unwrap();
    let error = Site::new().enroll(&unknown).await.unwrap_err();
    assert_eq!(reason(&error), Refusal::TokenUnknown);
    assert!(error.to_string().contains("is not known"), "{error}");
}

#[tokio::test]
async fn a_token_sends_no_secret_to_a_server_of_another_authority() {
    let (ours, other) = (Server::start().await, Server::start().await);
    let token =
        Token { servers: vec![other.address.to_string()], ..ours.token(Approval::Given).await };
    assert!(matches!(Site::new().enroll(&token).await, Err(Error::Tls(_))));
    let made_up = Token { authority: Fingerprint::of_public_key(b"?"), ..token };
    assert!(matches!(Site::new().enroll(&made_up).await, Err(Error::Tls(_))));
    assert!(other.links.registrar().book().list().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_enrolment_that_was_cut_short_goes_on_with_the_same_token() {
    let server = Server::start().await;
    let site = Site::new();
    let token = server.token(Approval::Given).await;
    let first = site.enroll(&token).await.unwrap();
    // As after a crash before the last step: the key is there, the answer was not kept.
    let dir = site.identity();
    std::fs::rename(dir.join("identity.pem"), dir.join("next.pem")).unwrap();
    std::fs::remove_file(dir.join("connector.json")).unwrap();
    let second = site.enroll(&token).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(server.links.registrar().book().list().await.unwrap().len(), 1);
    site.run(Services::default()).until_linked().await;
}

#[tokio::test]
async fn an_enrolled_connector_is_not_enrolled_over() {
    let server = Server::start().await;
    let site = server.enrolled().await;
    let token = server.token(Approval::Given).await;
    assert!(matches!(site.enroll(&token).await, Err(Error::AlreadyEnrolled(_))));
    assert!(matches!(
        dme_link::Connector::new(Site::new().config(), Services::default()),
        Err(Error::NotEnrolled(_))
    ));
}

#[tokio::test]
async fn the_other_addresses_of_a_token_are_tried_too() {
    let server = Server::start().await;
    let token = server.token(Approval::Given).await;
    let servers = vec!["127.0.0.1:1".into(), "nonsense".into(), token.servers[0].clone()];
    let site = Site::new();
    site.enroll(&Token { servers, ..token }).await.unwrap();
    site.run(Services::default()).until_linked().await;
}
