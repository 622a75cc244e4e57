//! Ways of logging in, and of protecting the line.

use crate::world::{ONCE, PASSWORD, account, config, context, open, plain, submission, users};
use dme_imap::{Auth, ImapConfig, ImapMailSystem, LoginName, ServerConfig, SmtpAuth, TlsMode};
use dme_mailbox::{Account, Credentials, ErrorKind, MailSystem};
use dme_model::Secret;
use dme_testkit::dovecot::Dovecot;
use dme_testkit::postfix::{Postfix, PostfixOptions};

async fn folders(system: &ImapMailSystem, account: &Account) -> Result<usize, ErrorKind> {
    let mailbox = system.open(account, &context()).await.unwrap();
    mailbox.collections().await.map(|all| all.len()).map_err(|error| error.kind)
}

fn with_password(name: &str, password: &str) -> Account {
    Account { credentials: Credentials::Password(Secret::new(password)), ..account(name) }
}

#[tokio::test]
async fn a_wrong_password_is_an_auth_error_and_gets_no_session_of_the_right_one() {
    let dovecot = Dovecot::start(users(&["ann"])).unwrap();
    let system = ImapMailSystem::new(config(&dovecot, None)).unwrap();
    assert_eq!(folders(&system, &with_password("ann", "wrong")).await, Err(ErrorKind::Auth));
    assert!(folders(&system, &with_password("ann", PASSWORD)).await.is_ok());
    assert_eq!(folders(&system, &with_password("ann", "wrong")).await, Err(ErrorKind::Auth));
    assert!(folders(&system, &with_password("ann", PASSWORD)).await.is_ok());
    let none = Account { credentials: Credentials::None, ..account("ann") };
    assert_eq!(folders(&system, &none).await, Err(ErrorKind::Auth));
}

#[tokio::test]
async fn no_error_names_the_password() {
    let dovecot = Dovecot::start(users(&["ann"])).unwrap();
    let system = ImapMailSystem::new(config(&dovecot, None)).unwrap();
    let mailbox = system.open(&with_password("ann", "my secret word"), &context()).await.unwrap();
    let error = mailbox.collections().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
}

#[tokio::test]
async fn a_master_user_opens_any_mailbox_and_sends_for_its_owner() {
    let mut options = users(&["ann", "bob"]);
    options.master = Some(("overseer".to_owned(), "master secret".to_owned()));
    let dovecot = Dovecot::start(options).unwrap();
    let postfix = Postfix::start(&dovecot, &PostfixOptions::default()).unwrap();
    let ann = Account { credentials: Credentials::None, ..account("ann") };
    for separator in [None, Some("*".to_owned())] {
        let auth = Auth::Master {
            user: "overseer".to_owned(),
            secret: Secret::new("master secret"),
            separator,
        };
        let config = ImapConfig { auth, ..config(&dovecot, Some(&postfix)) };
        let system = ImapMailSystem::new(config).unwrap();
        assert!(folders(&system, &ann).await.is_ok(), "{}", dovecot.log());
        assert!(system.owns(&ann, &context()).await.unwrap());
        let stranger = Account { credentials: Credentials::None, ..account("stranger") };
        assert!(!system.owns(&stranger, &context()).await.unwrap());
        let mailbox = system.open(&ann, &context()).await.unwrap();
        let submission = submission(ONCE);
        let submitted = mailbox.submit(&submission).await.unwrap();
        assert_eq!(submitted.warnings, Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_access_token_opens_the_mailbox_by_either_mechanism() {
    for mechanism in ["oauthbearer", "xoauth2"] {
        token_opens(mechanism).await;
    }
}

async fn token_opens(mechanism: &'static str) {
    let mut options = users(&["ann"]);
    options.token_mechanism = Some(mechanism);
    options.tokens = vec![("good-token".to_owned(), "ann@example.org".to_owned())];
    let dovecot = Dovecot::start(options).unwrap();
    let postfix = Postfix::start(&dovecot, &PostfixOptions::default()).unwrap();
    let config = ImapConfig { auth: Auth::Bearer, ..config(&dovecot, Some(&postfix)) };
    let system = ImapMailSystem::new(config).unwrap();
    let with = |token: &str| Account {
        credentials: Credentials::Bearer(Secret::new(token)),
        ..account("ann")
    };
    assert!(folders(&system, &with("good-token")).await.is_ok(), "{}", dovecot.log());
    assert_eq!(folders(&system, &with("bad-token")).await, Err(ErrorKind::Auth));
    let findings = system.check(&with("good-token"), &context()).await;
    let wrong: Vec<_> = findings.iter().filter(|finding| finding.outcome.is_err()).collect();
    assert!(wrong.is_empty(), "{mechanism}: {wrong:?}\n{}", postfix.log());
    // The server tells the error in a challenge of its own, which must be answered.
    let findings = system.check(&with("bad-token"), &context()).await;
    let wrong: Vec<_> = findings.iter().filter_map(|it| it.outcome.as_ref().err()).collect();
    assert_eq!(wrong.len(), 2, "{mechanism}, IMAP and SMTP: {findings:?}");
    let refused = system.try_login(&with("bad-token"), &context()).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Auth, "{mechanism}");
    system.try_login(&with("good-token"), &context()).await.unwrap();
}

#[tokio::test]
async fn tls_is_verified_from_the_start_and_by_starttls() {
    let mut options = users(&["ann"]);
    options.tls = true;
    let dovecot = Dovecot::start(options).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ca_file = dir.path().join("ca.pem");
    std::fs::write(&ca_file, dovecot.ca_pem.clone().unwrap()).unwrap();
    for (tls, port) in
        [(TlsMode::Implicit, dovecot.imaps_port), (TlsMode::Starttls, dovecot.imap_port)]
    {
        for (ca_file, host, trusted) in [
            (Some(ca_file.clone()), "localhost", true),
            (Some(ca_file.clone()), "127.0.0.1", true),
            // Another name than the certificate's, and an authority that nobody knows.
            (Some(ca_file.clone()), "127.0.0.2", false),
            (None, "localhost", false),
        ] {
            let server = ServerConfig { tls, ca_file, host: host.to_owned(), ..plain(port) };
            let system =
                ImapMailSystem::new(ImapConfig { server, ..config(&dovecot, None) }).unwrap();
            let opened = folders(&system, &account("ann")).await;
            match trusted {
                true => assert!(opened.is_ok(), "{tls:?} {host}: {opened:?}"),
                false => assert_eq!(opened, Err(ErrorKind::Unavailable), "{tls:?} {host}"),
            }
        }
    }
}

#[tokio::test]
async fn check_says_in_words_what_is_wrong() {
    let dovecot = Dovecot::start(users(&["ann"])).unwrap();
    let postfix = Postfix::start(&dovecot, &PostfixOptions::default()).unwrap();
    let system = ImapMailSystem::new(config(&dovecot, Some(&postfix))).unwrap();
    let findings = system.check(&account("ann"), &context()).await;
    assert!(findings.iter().all(|finding| finding.outcome.is_ok()), "{findings:?}");
    let findings = system.check(&with_password("ann", "wrong"), &context()).await;
    let wrong: Vec<_> = findings.iter().filter(|it| it.outcome.is_err()).collect();
    assert_eq!(wrong.len(), 2, "IMAP and SMTP: {findings:?}");
}

#[tokio::test]
async fn a_login_may_be_the_local_part_or_the_address() {
    let mut options = users(&["ann"]);
    options.users.push(("short".to_owned(), PASSWORD.to_owned()));
    let dovecot = Dovecot::start(options).unwrap();
    for (login, user, address) in [
        (LoginName::Local, "short@somewhere", "x@y"),
        (LoginName::Address, "somebody@else", "ann@example.org"),
    ] {
        let config = ImapConfig { login, ..config(&dovecot, None) };
        let system = ImapMailSystem::new(config).unwrap();
        let account = Account { user: user.into(), address: address.to_owned(), ..account("ann") };
        assert!(folders(&system, &account).await.is_ok(), "{login:?}");
    }
}

#[tokio::test]
async fn a_submission_account_may_send_for_all() {
    let mut options = users(&["ann", "bob"]);
    options.users.push(("relay".to_owned(), "relay secret".to_owned()));
    let dovecot = Dovecot::start(options).unwrap();
    let postfix = Postfix::start(&dovecot, &PostfixOptions::default()).unwrap();
    let mut config = config(&dovecot, Some(&postfix));
    let account =
        SmtpAuth::Account { user: "relay".to_owned(), secret: Secret::new("relay secret") };
    config.smtp.as_mut().unwrap().auth = account;
    let system = ImapMailSystem::new(config).unwrap();
    let identity = open(&system, "ann").await.identity().await.unwrap();
    assert_eq!(identity.max_message_size, Some(10_000_000));
}

#[test]
fn a_plain_line_to_another_machine_must_be_allowed() {
    let mut config = ImapConfig { server: plain(143), ..ImapConfig::default() };
    assert!(config.check().is_ok());
    config.server.host = "mail.example.org".to_owned();
    let error = config.check().unwrap_err().to_string();
    assert!(error.contains("imap.server.allow_plain = true"), "{error}");
    config.server.allow_plain = true;
    assert!(config.check().is_ok());
}
