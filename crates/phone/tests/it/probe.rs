//! The probe, and Autodiscover before it.

use crate::server::{Autodiscover, Server, certificate};
use dme_eas::ProtocolVersion;
use dme_model::Secret;
use dme_phone::discover::{self, Asker};
use dme_phone::probe::{Outcome, ProbeOptions, Report, StepName, probe};
use dme_phone::{Address, Error, Tls, Trust};
use std::time::Duration;

fn options(port: u16) -> ProbeOptions {
    let place = Address { path: "/".into(), ..Address::active_sync("localhost", port) };
    ProbeOptions {
        places: Some(vec![place]),
        hold: Duration::from_millis(300),
        ..ProbeOptions::new("ann@corp.example", Secret::new("pässword"))
    }
}

fn url(server: &Server) -> String {
    Address::active_sync("localhost", server.port).to_string()
}

async fn tls_server(name: &str, days: std::ops::Range<i64>) -> (Server, String) {
    let (pem, acceptor) = certificate(name, days);
    let server = Server::start_with(Some(acceptor)).await;
    server.with(|state| state.autodiscover = Some(Autodiscover::Xml(url(&server))));
    (server, pem)
}

fn outcomes(report: &Report) -> Vec<(StepName, Outcome)> {
    report.steps.iter().map(|step| (step.name, step.outcome)).collect()
}

#[tokio::test]
async fn a_healthy_server_passes_from_the_address_to_the_held_ping() {
    let (server, pem) = tls_server("localhost", -1..90).await;
    server.deliver("1:1", "hello");
    server.with(|state| state.policy = true);
    let mut options = options(server.port);
    options.trust = Trust::Authority(pem.into_bytes());
    let report = probe(&options).await;
    assert!(report.passed(), "{report}");
    assert_eq!(
        outcomes(&report),
        [
            (StepName::AutodiscoverJson, Outcome::Warned),
            (StepName::AutodiscoverXml, Outcome::Passed),
            (StepName::Dns, Outcome::Passed),
            (StepName::Tcp, Outcome::Passed),
            (StepName::Tls, Outcome::Passed),
            (StepName::Options, Outcome::Passed),
            (StepName::Login, Outcome::Passed),
            (StepName::Provision, Outcome::Passed),
            (StepName::Folders, Outcome::Passed),
            (StepName::Inbox, Outcome::Passed),
            (StepName::Ping, Outcome::Passed),
            (StepName::Beside, Outcome::Passed),
        ],
        "{report}"
    );
    let text = report.to_string();
    assert!(text.contains("90 days left") && text.contains("1 mails"), "{text}");
    assert!(text.contains("no calendar, contacts, tasks or notes"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!((&json["passed"], &json["steps"][2]["name"]), (&true.into(), &"dns".into()));
    assert!(!text.contains("pässword") && !report.to_json().contains("pässword"));
}

#[tokio::test]
async fn a_certificate_is_blamed_for_what_is_wrong_with_it() {
    for (name, days, trusted, outcome, expected) in [
        ("localhost", -1..90, false, Outcome::Failed, "signed by itself"),
        ("localhost", -30..-5, true, Outcome::Failed, "expired 5 days ago"),
        ("localhost", 5..30, true, Outcome::Failed, "not valid yet"),
        ("other.example", -1..90, true, Outcome::Failed, "is for other.example, not for localhost"),
        ("localhost", -1..10, true, Outcome::Warned, "10 days left"),
    ] {
        let (server, pem) = tls_server(name, days).await;
        let mut options = options(server.port);
        options.address = Some(Address::active_sync("localhost", server.port));
        let (other, _) = certificate("else.example", -1..90);
        options.trust = Trust::Authority(if trusted { pem } else { other }.into_bytes());
        let report = probe(&options).await;
        let step = report.steps.iter().find(|step| step.name == StepName::Tls).unwrap();
        assert_eq!(step.outcome, outcome, "{report}");
        assert!(step.detail.contains(expected), "{expected}: {report}");
        assert!(step.advice.is_some());
        assert_eq!(report.passed(), outcome != Outcome::Failed, "{report}");
    }
}

#[tokio::test]
async fn each_obstacle_is_named_and_ends_the_probe() {
    let server = Server::start().await;
    let mut options = options(server.port);
    let address = Address { tls: false, ..Address::active_sync("127.0.0.1", server.port) };
    options.address = Some(address.clone());
    let report = probe(&options).await;
    let tls = report.steps.iter().find(|step| step.name == StepName::Tls).unwrap();
    assert_eq!(tls.outcome, Outcome::Warned, "http is warned of: {report}");
    assert!(report.passed(), "{report}");

    let last = |report: &Report| {
        let step = report.steps.last().unwrap();
        assert!(step.advice.is_some(), "{report}");
        (step.name, step.outcome)
    };
    let wrong = ProbeOptions { password: Secret::new("wrong"), ..options.clone() };
    assert_eq!(last(&probe(&wrong).await), (StepName::Login, Outcome::Failed));

    server.with(|state| state.busy = 100);
    assert_eq!(last(&probe(&options).await), (StepName::Folders, Outcome::Failed));

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    options.address = Some(Address { port: closed, ..address.clone() });
    assert_eq!(last(&probe(&options).await), (StepName::Tcp, Outcome::Failed));

    options.address = Some(Address { host: "no-such-host.invalid".into(), ..address });
    assert_eq!(last(&probe(&options).await), (StepName::Dns, Outcome::Failed));
}

#[tokio::test]
async fn a_domain_without_autodiscover_is_told_so() {
    let (server, pem) = tls_server("localhost", -1..90).await;
    server.with(|state| state.autodiscover = None);
    let trust = Trust::Authority(pem.into_bytes());
    let report = probe(&ProbeOptions { trust, ..options(server.port) }).await;
    let last = report.steps.last().unwrap();
    assert_eq!((last.name, last.outcome), (StepName::Autodiscover, Outcome::Failed), "{report}");
}

#[tokio::test]
async fn autodiscover_is_asked_in_both_dialects_and_follows_a_renamed_user() {
    let (server, pem) = tls_server("localhost", -1..90).await;
    let tls = Tls::new(&Trust::Authority(pem.into_bytes())).unwrap();
    let places = options(server.port).places.unwrap();
    let asker = |email: &str| Asker {
        email: email.into(),
        user: "ann@corp.example".into(),
        password: Secret::new("pässword"),
    };
    let found = discover::discover(&places, &asker("old@corp.example"), &tls).await.unwrap();
    assert_eq!(found.address.to_string(), url(&server));

    server.with(|state| state.autodiscover = Some(Autodiscover::Json(url(&server))));
    let found = discover::discover(&places, &asker("ann@corp.example"), &tls).await.unwrap();
    assert_eq!(found.address.to_string(), url(&server));

    server.with(|state| state.autodiscover = Some(Autodiscover::Loop));
    let error = discover::discover(&places, &asker("ann@corp.example"), &tls).await.unwrap_err();
    assert!(matches!(error, Error::GoesRound(..)), "{error}");
}

#[tokio::test]
async fn an_old_server_is_spoken_to_in_its_own_version() {
    let server = Server::start().await;
    let mut options = options(server.port);
    let address = Address { tls: false, ..Address::active_sync("127.0.0.1", server.port) };
    options.address = Some(address);
    options.version = ProtocolVersion::V12_1;
    let report = probe(&options).await;
    assert!(report.passed(), "{report}");
    assert!(report.to_string().contains("using 12.1"), "{report}");
}
