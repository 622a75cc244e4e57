//! Getting to the server: TLS, every way to log in, and what cannot work.

use crate::world::{PASSWORD, account, config, context, service, users};
use dme_dial::{Auth, LoginName, TlsMode};
use dme_mailbox::{Account, Credentials, ErrorKind, VacationService};
use dme_model::{Secret, UserId, Vacation};
use dme_sieve::{SieveConfig, SieveVacations};
use dme_testkit::dovecot::{Dovecot, DovecotOptions};
use std::io::{BufRead as _, BufReader, Write};
use std::net::TcpListener;

async fn read(config: SieveConfig, auth: Auth, account: &Account) -> dme_mailbox::Result<Vacation> {
    let service = SieveVacations::new(config, auth, LoginName::User).unwrap();
    service.vacation(account, &context()).await
}

#[tokio::test]
async fn tls_is_asked_for_and_verified() {
    let dovecot = Dovecot::start(DovecotOptions { tls: true, ..users(1) }).unwrap();
    let ca_file = dovecot.dir().join("ca.pem");
    std::fs::write(&ca_file, dovecot.ca_pem.as_deref().unwrap()).unwrap();
    let known = SieveConfig {
        host: "localhost".to_owned(),
        tls: TlsMode::Starttls,
        ca_file: Some(ca_file),
        ..config(&dovecot)
    };
    let answer = read(known.clone(), Auth::Password, &account(0)).await;
    assert_eq!(answer, Ok(Vacation::default()));
    let unknown = SieveConfig { ca_file: None, ..known };
    let error = read(unknown, Auth::Password, &account(0)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn a_server_without_starttls_is_not_shown_a_password() {
    let dovecot = Dovecot::start(users(1)).unwrap();
    let config = SieveConfig { tls: TlsMode::Starttls, ..config(&dovecot) };
    let error = read(config, Auth::Password, &account(0)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported, "{error}");
    assert!(!dovecot.log().contains("Login"), "{}", dovecot.log());
}

#[tokio::test]
async fn a_master_user_opens_anyones_scripts() {
    let master = Some(("dme".to_owned(), "master".to_owned()));
    let dovecot = Dovecot::start(DovecotOptions { master, ..users(1) }).unwrap();
    let nobodys = Account { credentials: Credentials::None, ..account(0) };
    for separator in [None, Some("*".to_owned())] {
        let (user, secret) = ("dme".to_owned(), Secret::new("master"));
        let auth = Auth::Master { user, secret, separator };
        assert_eq!(read(config(&dovecot), auth, &nobodys).await, Ok(Vacation::default()));
    }
}

#[tokio::test]
async fn an_access_token_logs_in_by_either_mechanism() {
    for token_mechanism in [Some("oauthbearer"), Some("xoauth2")] {
        let tokens = vec![("t0ken".to_owned(), "user0@example.org".to_owned())];
        let options = DovecotOptions { tokens, token_mechanism, ..users(1) };
        let dovecot = Dovecot::start(options).unwrap();
        let with = |token: &str| Account {
            credentials: Credentials::Bearer(Secret::new(token)),
            ..account(0)
        };
        let answer = read(config(&dovecot), Auth::Bearer, &with("t0ken")).await;
        assert_eq!(answer, Ok(Vacation::default()), "{token_mechanism:?}");
        let error = read(config(&dovecot), Auth::Bearer, &with("other")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Auth, "{token_mechanism:?}: {error}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_one_are_told_and_never_shown() {
    let dovecot = Dovecot::start(users(1)).unwrap();
    let wrong = Credentials::Password(Secret::new("wrong-Zq9"));
    for credentials in [wrong, Credentials::None] {
        let account = Account { credentials, ..account(0) };
        let error = read(config(&dovecot), Auth::Password, &account).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Auth, "{error}");
        assert!(!error.to_string().contains("Zq9"), "{error}");
    }
    let nobody = Account { user: UserId::from("nobody@example.org"), ..account(0) };
    let error = read(config(&dovecot), Auth::Password, &nobody).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth, "{error}");
}

#[tokio::test]
async fn a_server_that_speaks_nonsense_or_is_gone_is_told_apart() {
    for (said, kind) in [
        (&b"* OK IMAP4rev1 ready\r\n"[..], ErrorKind::Protocol),
        (b"BYE \"too busy\"\r\n", ErrorKind::Unavailable),
        (b"\"IMPLEMENTATION\" \"x\"\r\n", ErrorKind::Unavailable),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut tcp, _) = listener.accept().unwrap();
            tcp.write_all(said).unwrap();
        });
        let (host, tls) = ("127.0.0.1".to_owned(), TlsMode::None);
        let config = SieveConfig { host, port, tls, ..SieveConfig::default() };
        let error = read(config, Auth::Password, &account(0)).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        server.join().unwrap();
    }
}

#[tokio::test]
async fn telling_what_is_set_asks_for_no_more_than_that() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // A server that carries out our script, which includes the user's.
    let server = std::thread::spawn(move || {
        let (mut tcp, _) = listener.accept().unwrap();
        tcp.write_all(b"\"SIEVE\" \"vacation\"\r\n\"SASL\" \"PLAIN\"\r\nOK\r\n").unwrap();
        let mut asked = Vec::new();
        for line in BufReader::new(tcp.try_clone().unwrap()).lines() {
            let line = line.unwrap();
            let word = line.split(' ').next().unwrap_or_default().to_owned();
            let answer = match word.as_str() {
                "AUTHENTICATE" => "OK\r\n",
                "LISTSCRIPTS" => "\"dme-vacation\" ACTIVE\r\n\"own\"\r\nOK\r\n",
                "GETSCRIPT" => "{5}\r\nkeep;\r\nOK\r\n",
                _ => "OK\r\n",
            };
            tcp.write_all(answer.as_bytes()).unwrap();
            asked.push(word);
            if line == "LOGOUT" {
                break;
            }
        }
        asked
    });
    let (host, tls) = ("127.0.0.1".to_owned(), TlsMode::None);
    let config = SieveConfig { host, port, tls, ..SieveConfig::default() };
    assert_eq!(read(config, Auth::Password, &account(0)).await, Ok(Vacation::default()));
    assert_eq!(server.join().unwrap(), ["AUTHENTICATE", "LISTSCRIPTS", "GETSCRIPT", "LOGOUT"]);
}

#[tokio::test]
async fn a_check_says_what_the_server_can() {
    let dovecot = Dovecot::start(users(1)).unwrap();
    let findings = service(&dovecot).check(&account(0), &context()).await;
    assert_eq!(findings.len(), 4, "{findings:?}");
    assert!(findings.iter().all(|finding| finding.outcome.is_ok()), "{findings:?}");
    let wrong = Account { credentials: Credentials::Password(Secret::new("x")), ..account(0) };
    let findings = service(&dovecot).check(&wrong, &context()).await;
    assert!(findings[0].outcome.as_ref().unwrap_err().contains("check the password"));
    assert_ne!(PASSWORD, "x");
}
