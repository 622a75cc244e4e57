//! TLS: by `ldaps://` and by StartTLS, always with the certificate verified.

use crate::world::{accepted, directory, entries, parse, secret, user};
use dme_directory::{DirectoryService, Error, LdapConfig, LdapDirectory, Severity};
use dme_testkit::slapd::{SUFFIX, Slapd, SlapdOptions};

fn slapd() -> Slapd {
    Slapd::start(&SlapdOptions { ldif: entries(), ..SlapdOptions::default() }).unwrap()
}

fn config(url: &str, ca_file: Option<&std::path::Path>) -> LdapConfig {
    let mut config = parse(&format!("urls = ['{url}']\nbases = ['{SUFFIX}']\n"));
    config.ca_file = ca_file.map(Into::into);
    config
}

#[tokio::test]
async fn both_ways_work_with_the_right_authority() {
    let slapd = slapd();
    let by_name = slapd.ldaps_url().replace("127.0.0.1", "localhost");
    for url in [slapd.ldaps_url(), slapd.ldap_url(), by_name] {
        let directory = directory(config(&url, Some(&slapd.ca_file())));
        let answer = directory.authenticate(&user("ann"), &secret("ann's secret")).await;
        accepted(answer.unwrap());
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let slapd = slapd();
    let other = self::slapd();
    for url in [slapd.ldaps_url(), slapd.ldap_url()] {
        for ca_file in [Some(other.ca_file()), None] {
            let directory = directory(config(&url, ca_file.as_deref()));
            let answer = directory.find(&user("ann")).await;
            let refused =
                matches!(&answer, Err(Error::Unavailable(text)) if text.contains("certificate"));
            assert!(refused, "{answer:?}");
            let findings = directory.check(None).await;
            assert_eq!(findings[0].severity, Severity::Failure);
            assert!(findings[0].advice.unwrap().contains("ca_file"));
        }
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let slapd = slapd();
    // The whole of 127/8 is this machine, and the certificate is for 127.0.0.1 only; slapd does
    // not listen there, so a forwarder does.
    let listener = tokio::net::TcpListener::bind("127.0.0.2:0").await.unwrap();
    let url = format!("ldaps://{}", listener.local_addr().unwrap());
    let port = slapd.ldaps_port;
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let mut to = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut from, &mut to).await });
        }
    });
    let answer = directory(config(&url, Some(&slapd.ca_file()))).find(&user("ann")).await;
    let refused = matches!(&answer, Err(Error::Unavailable(text)) if text.contains("certificate"));
    assert!(refused, "{answer:?}");
}

#[tokio::test]
async fn a_server_without_start_tls_gets_no_password() {
    // It answers every StartTLS with "unavailable" and counts what else it is sent.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ldap://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = vec![0; 4096];
        let first = stream.read(&mut heard).await.unwrap();
        // ExtendedResponse to message 1, resultCode 52.
        let refusal = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00";
        stream.write_all(refusal).await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        heard.truncate(first);
        heard.extend(rest);
        heard
    });
    let answer = directory(config(&url, None)).find(&user("ann")).await;
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    let heard = String::from_utf8_lossy(&server.await.unwrap()).into_owned();
    assert!(heard.contains("1.3.6.1.4.1.1466.20037"), "StartTLS was not asked for");
    assert!(!heard.contains("reader"), "the account was named in the clear");
}

#[test]
fn authorities_that_cannot_be_read_are_told_by_their_file() {
    let missing = config("ldaps://localhost", Some("/nowhere/ca.pem".as_ref()));
    let empty = config("ldaps://localhost", Some("/dev/null".as_ref()));
    for (config, told) in [(missing, "/nowhere/ca.pem"), (empty, "no certificate in it")] {
        let error = LdapDirectory::new(config).err().unwrap().to_string();
        assert!(error.contains(told), "{error}");
    }
}
