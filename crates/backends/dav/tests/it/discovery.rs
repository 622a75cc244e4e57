//! A server that is found by the DNS of a mail domain (RFC 6764): Dnsmasq and Radicale.

use crate::world::{PASSWORD, account, config, context};
use dme_dav::{DavConfig, DavMailSystem};
use dme_mailbox::{Error, ErrorKind, MailSystem};
use dme_model::Class;
use dme_testkit::dnsmasq::Dnsmasq;
use dme_testkit::radicale::Radicale;

const USERS: &[(&str, &str)] = &[("ann", PASSWORD)];

/// The server of a domain, by these nameservers.
fn by_domain(domain: &str, dns: &Dnsmasq, server: &Radicale) -> DavMailSystem {
    let config = DavConfig {
        domain: Some(domain.to_owned()),
        nameservers: vec![dns.address],
        ca_file: Some(server.ca_file()),
        ..config(String::new())
    };
    DavMailSystem::new(config).unwrap()
}

/// How many collections the user has there.
async fn collections(system: &DavMailSystem) -> Result<usize, Error> {
    let mailbox = system.open(&account("ann"), &context()).await?;
    mailbox.create_collection(None, "Work", Class::Calendar).await.ok();
    Ok(mailbox.collections().await?.len())
}

/// The records of both services of a domain at a server.
fn records(domain: &str, server: &Radicale) -> [String; 2] {
    let port = server.port;
    ["caldavs", "carddavs"].map(|name| format!("srv-host=_{name}._tcp.{domain},localhost,{port}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_domain_is_enough_to_find_the_server() {
    let server = Radicale::start_with_tls(USERS).unwrap();
    let [calendars, contacts] = records("localhost", &server);
    let path = "txt-record=_caldavs._tcp.localhost,path=/ann/";
    let dns = Dnsmasq::start(&[&calendars, &contacts, path]).unwrap();
    let system = by_domain("Localhost.", &dns, &server);
    let found = system.check(&account("ann"), &context()).await;
    let said = found[0].outcome.as_ref().unwrap();
    let place = format!("https://localhost:{}; its certificate must be for localhost", server.port);
    assert_eq!(*said, place);
    assert!(found.iter().all(|finding| finding.outcome.is_ok()), "{found:?}");
    assert_eq!(collections(&system).await.unwrap(), 1);

    // What was found is remembered for a while.
    drop(dns);
    assert_eq!(collections(&system).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_outside_the_domain_gets_a_password_only_by_the_domains_certificate() {
    for (names, is_trusted) in [(&["localhost"][..], false), (&["example.test"], true)] {
        let server = Radicale::start_as(names, USERS).unwrap();
        let [calendars, contacts] = records("example.test", &server);
        let dns = Dnsmasq::start(&[&calendars, &contacts]).unwrap();
        let asked = collections(&by_domain("example.test", &dns, &server)).await;
        match is_trusted {
            true => assert_eq!(asked.unwrap(), 1),
            false => {
                let refused = asked.unwrap_err();
                assert_eq!(refused.kind, ErrorKind::Unavailable);
                assert!(refused.context.contains("certificate"), "{refused}");
                assert_eq!(server.requests().unwrap(), 0, "nothing was asked");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_dns_says_instead_is_told() {
    let server = Radicale::start_with_tls(USERS).unwrap();
    let [calendars, _] = records("two.test", &server);
    let dns = Dnsmasq::start(&[
        "srv-host=_caldavs._tcp.none.test",
        &calendars,
        "srv-host=_carddavs._tcp.two.test,other.two.test,443",
    ])
    .unwrap();
    for (domain, told) in
        [("none.test", "_caldavs._tcp.none.test is not offered"), ("two.test", "names two servers")]
    {
        let refused = collections(&by_domain(domain, &dns, &server)).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Unavailable);
        assert!(refused.context.contains(told), "{refused}");
    }
    let none = DavConfig { domain: Some("no domain".into()), ..config(String::new()) };
    let refused = DavMailSystem::new(none).err().unwrap().to_string();
    assert!(refused.contains("no domain is not a host name"), "{refused}");
    let away = by_domain("example.test", &dns, &server);
    drop(dns);
    let refused = collections(&away).await.unwrap_err();
    assert!(refused.context.contains("DNS"), "{refused}");
}
