//! How a connector becomes known (rule L1).

use crate::fixtures::*;
use dme_link::{
    Approval, Code, ConnectorState, ConnectorStatus, Error, Fingerprint, Identities, Refusal,
    Services, Token,
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

/// Ten minutes.
const WHILE: Duration = Duration::from_secs(600);

#[tokio::test]
async fn a_connector_whose_directory_was_lost_comes_back_by_a_code() {
    let server = Server::start().await;
    let site = server.enrolled().await;
    let id = site.id();
    let old = std::fs::read_to_string(site.identity().join("identity.pem")).unwrap();
    std::fs::remove_dir_all(site.identity()).unwrap();
    let code = server.links.registrar().issue_code(&id, WHILE).await.unwrap();
    let typed = code.to_text().to_lowercase().parse().unwrap();
    let servers = [server.address.to_string()];
    let again = dme_link::enroll_again(&typed, &site.identity(), &servers, None).await.unwrap();
    assert_eq!((&again.id, &*again.name, again.locked), (&id, "branch", false));
    site.run(Services::default()).until_linked().await;
    let record = server.links.registrar().book().get(&id).await.unwrap().unwrap();
    assert_eq!(record.keys, [again.fingerprint], "the old key is no good any more");

    // Whoever has the old key is not let in.
    let thief = Site::new();
    copy(&site.identity(), &thief.identity());
    std::fs::write(thief.identity().join("identity.pem"), old).unwrap();
    thief
        .run(Services::default())
        .until(|status| {
            matches!(status, ConnectorStatus::Refused(refused) if refused.reason == Refusal::Unknown)
        })
        .await;
}

#[tokio::test]
async fn a_connector_that_its_server_forgot_comes_back_by_a_code_with_what_it_has() {
    let server = Server::start().await;
    let site = server.enrolled().await;
    let id = site.id();
    let book = server.links.registrar().book();
    // As from a copy of before its last renewal.
    let before = Fingerprint::of_public_key(b"before");
    book.add_key(&id, &before).await.unwrap();
    book.key_used(&id, &before, dme_model::Timestamp::from_seconds(1)).await.unwrap();
    let mut connector = site.run(Services::default());
    connector.until(|status| matches!(status, ConnectorStatus::Refused(_))).await;

    let code = server.links.registrar().issue_code(&id, WHILE).await.unwrap();
    dme_link::enroll_again(&code, &site.identity(), &[], None).await.unwrap();
    // The service that runs finds the new key by itself.
    connector.until_linked().await;
    assert_eq!(book.get(&id).await.unwrap().unwrap().keys.len(), 1);

    // A server of another authority gets no further than TLS.
    let other = Server::start().await;
    let servers = [other.address.to_string()];
    let stranger = dme_link::enroll_again(&code, &site.identity(), &servers, None).await;
    assert!(matches!(stranger, Err(Error::Tls(_))), "{stranger:?}");
}

#[tokio::test]
async fn a_code_serves_one_key_for_its_time_and_is_not_found_by_trying() {
    let server = Server::start().await;
    let (site, other) = (server.enrolled().await, server.enrolled().await);
    let registrar = server.links.registrar();
    let servers = [server.address.to_string()];
    let enroll = async |code: &Code, site: &Site| {
        dme_link::enroll_again(code, &site.identity(), &servers, None).await
    };
    let late = registrar.issue_code(&site.id(), Duration::ZERO).await.unwrap();
    assert_eq!(reason(&enroll(&late, &site).await.unwrap_err()), Refusal::TokenExpired);
    let code = registrar.issue_code(&site.id(), WHILE).await.unwrap();
    let error = enroll(&code, &other).await.unwrap_err().to_string();
    assert!(error.contains("the code is for the connector branch"), "{error}");
    assert_eq!(reason(&enroll(&code, &site).await.unwrap_err()), Refusal::TokenUsed);
    for _ in 0..2 {
        let made_up = Code::generate().unwrap();
        assert_eq!(reason(&enroll(&made_up, &site).await.unwrap_err()), Refusal::CodeUnknown);
    }
    let code = registrar.issue_code(&site.id(), WHILE).await.unwrap();
    let error = enroll(&code, &site).await.unwrap_err();
    assert_eq!(reason(&error), Refusal::Busy);
    assert!(error.to_string().contains("too many codes were tried"), "{error}");
    assert!(registrar.issue_code(&"c99".into(), WHILE).await.is_err());
    server.links.set_state(&site.id(), ConnectorState::Removed).await.unwrap();
    assert!(registrar.issue_code(&site.id(), WHILE).await.is_err());
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
