//! What the ends say of the link and of the connector itself.

use super::*;
use crate::measured::Counts;
use crate::wire::control::{Drain, ToConnector, ToServer};
use crate::wire::countersign::{Countersign, Countersigned};
use crate::wire::edge::{Exchange, Exchanged, Give, Given, Take, Taken};
use crate::wire::hello::{EnrollReply, EnrollRequest, EnrolledReply, Hello, Lane, Reply, Welcome};
use crate::wire::upkeep::{Check, CheckVerdict, Diagnose, Diagnosis};
use crate::{
    Capabilities, Configuration, ConfigurationReport, CredentialsNeeded, Delta, Facts, Fingerprint,
    Held, Measured, Refusal, Refused, RefusedConfiguration, Used,
};
use dme_audit::{Contradiction, Countersignature, Hash, Signer};

pub(super) fn first_words(frames: &mut Frames) {
    let fingerprint = Fingerprint::of_public_key(b"key");
    let refused = Refused { retry_after_ms: Some(10_000), ..Refused::new(Refusal::Locked) };
    let capabilities = [
        (Function::Mail, CredentialsNeeded::Password),
        (Function::Directory, CredentialsNeeded::None),
    ];
    let hello = Hello {
        version: 1,
        oldest_version: 1,
        session: "00ff".into(),
        lane: Lane::Bulk,
        software: "0.1.0".into(),
        keepalive_ms: 15_000,
        keepalive_timeout_ms: 10_000,
        capabilities: Capabilities::new(capabilities),
        realms: Some([Realm::from("example.org")].into()),
        packing: Vec::new(),
        bulk_on_demand: false,
        edge: false,
    };
    frames.frame("hello", &hello, "");
    let hello = Hello { bulk_on_demand: true, ..hello };
    frames.frame("hello.bulk_on_demand", &hello, "");
    frames.frame("hello.edge", &Hello { edge: true, ..hello }, "");
    let welcome = Welcome {
        version: 1,
        connector: "c1".into(),
        name: "branch".into(),
        software: "0.1.0".into(),
        packing: None,
        servers: Vec::new(),
        bulk_on_demand: false,
    };
    let on_demand = Welcome { bulk_on_demand: true, ..welcome.clone() };
    frames.frame("welcome.bulk_on_demand", &Reply::Welcome(on_demand), "");
    let servers = vec!["a.example.org:8443".to_owned(), "b.example.org:8443".to_owned()];
    let moving = Welcome { servers, packing: Some("zstd".into()), ..welcome.clone() };
    frames.frame("welcome", &Reply::Welcome(welcome), "");
    frames.frame("welcome.servers", &Reply::Welcome(moving), "");
    frames.frame("refused", &Reply::Refused(refused.clone()), "");
    let request = EnrollRequest {
        secret: Secret::new("secret"),
        request: "-----BEGIN CERTIFICATE REQUEST-----".into(),
        software: "0.1.0".into(),
        code: None,
    };
    frames.frame("enroll.request", &request, "");
    // One that comes back has no secret, and proves that it has a code.
    let again = EnrollRequest { secret: Secret::new(""), code: Some("cHJvb2Y".into()), ..request };
    frames.frame("enroll.request_by_code", &again, "");
    let enrolled = EnrolledReply {
        connector: "c1".into(),
        name: "branch".into(),
        fingerprint,
        certificate: "-----BEGIN CERTIFICATE-----".into(),
        authority: "-----BEGIN CERTIFICATE-----".into(),
        locked: true,
        code: None,
    };
    let again = EnrolledReply { code: Some("YW5zd2Vy".into()), ..enrolled.clone() };
    frames.frame("enroll.enrolled", &EnrollReply::Enrolled(enrolled), "");
    frames.frame("enroll.enrolled_by_code", &EnrollReply::Enrolled(again), "");
    frames.frame("enroll.refused", &EnrollReply::Refused(refused.clone()), "");

    frames.frame("control.ping", &ToConnector::Ping { number: 7 }, "");
    let drain = Drain { after_ms: 2_000, servers: vec!["other.example.org:4433".into()] };
    frames.frame("control.drain", &ToConnector::Drain(drain), "");
    let certificate = "-----BEGIN CERTIFICATE-----".to_owned();
    frames.frame("control.certificate", &ToConnector::Certificate { certificate }, "");
    frames.frame("control.renewal_refused", &ToConnector::RenewalRefused(refused), "");
    frames.frame("control.pong", &ToServer::Pong { number: 7 }, "");
    let request = "-----BEGIN CERTIFICATE REQUEST-----".to_owned();
    frames.frame("control.renew", &ToServer::Renew { request }, "");
    frames.frame("control.draining", &ToServer::Draining {}, "");
    let until_ms = 1_700_000_000_000;
    frames.frame("control.away", &ToServer::Away { until_ms }, "");
    let used = Used { bytes: 400_000_000, budget: 500_000_000 };
    frames.frame("control.used", &ToServer::Used(used), "");
    let text = "[people.ldap]\nbind_password = { sealed = true }\n".to_owned();
    let configuration = Configuration { version: 3, text, sealed: "c2VhbGVk".into() };
    frames.frame("control.configuration", &ToConnector::Configuration(configuration), "");
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned().try_into().unwrap();
    let refused = RefusedConfiguration { version: 3, reason: "mail: no host".into() };
    let report =
        ConfigurationReport { key, in_force: Some(2), refused: Some(refused), link_times: None };
    frames.frame("control.configured", &ToServer::Configured(report), "");
    frames.frame("control.rotate", &ToConnector::Rotate {}, "");
    frames.frame("control.bulk", &ToConnector::Bulk {}, "");
    let mut counted = Measured::of("mail", "imap");
    counted.count(Duration::from_millis(2), None);
    counted.count(Duration::from_secs(40), Some("unavailable"));
    let counts = Counts::since(None, &[counted]).unwrap();
    frames.frame("control.counts", &ToServer::Counts(counts), "");
    frames.frame("control.news", &ToServer::News {}, "");
}

pub(super) fn calls_about_the_record_of_acts(frames: &mut Frames) {
    let head = dme_audit::Head { number: 17, hash: Hash::new([7; 32]), time: at(0) };
    frames.asked(Countersign { head, from: 15 }, &"digest of 32 bytes, two of them.".repeat(2));
    let signature = Countersignature {
        head,
        signer: Signer::Connector,
        name: "branch".into(),
        signed: at(1),
        key: vec![1; 91],
        signature: vec![2; 71],
    };
    let shorter = Contradiction::Shorter { signed: 17, shown: 16 };
    for (name, answer) in [
        ("answer", Countersigned::Signed(signature)),
        ("from", Countersigned::From(15)),
        ("shorter", Countersigned::Refused(shorter)),
        ("other", Countersigned::Refused(Contradiction::Other { signed: 17 })),
    ] {
        let answer = Answer::<_, Value>::Ok(answer);
        frames.frame(&format!("connector/countersign.{name}"), &answer, "");
    }
}

pub(super) fn calls_about_the_connector(frames: &mut Frames) {
    let check = |step: &str, verdict| Check { step: step.into(), verdict, said: "so".into() };
    let diagnosis = Diagnosis {
        taken: 1_700_000_000,
        software: "0.1.0".into(),
        system: "Debian GNU/Linux 12".into(),
        started: 1_699_990_000,
        configuration: "from the server, version 3".into(),
        settings: "directory = \"/var/lib/dme\"\n".into(),
        pushed: Some("[people.ldap]\nbind_password = \"***\"\n".into()),
        checks: vec![
            check("clock", CheckVerdict::Good),
            check("imap", CheckVerdict::Warning),
            check("ldap", CheckVerdict::Bad),
            check("dns", CheckVerdict::Unknown),
        ],
        log: vec!["WARN link lost".into()],
    };
    frames.call(Diagnose {}, diagnosis);
}

pub(super) fn calls_of_an_edge(frames: &mut Frames) {
    let held = |version| Held { run: u64::MAX, version };
    let put = || Facts::from([("device/ann/d1".to_owned(), serde_json::json!({ "state": "in" }))]);
    let part = Delta { base: Some(held(3)), held: held(5), put: put(), drop: vec!["x".into()] };
    let whole = Delta { base: None, put: put(), drop: vec![], ..part.clone() };
    frames.call(
        Exchange { heard: Some(held(2)), delta: Some(part) },
        Exchanged { holds: Some(held(5)), delta: whole },
    );
    let nothing = Delta { base: Some(held(5)), held: held(5), put: Facts::new(), drop: vec![] };
    let exchanged = Exchanged { holds: None, delta: nothing };
    let (first, request) = (Exchange { heard: None, delta: None }, Owned(RequestId::from("r-1")));
    let first = Head { request, left_ms: 15_000, clock: None, account: None, args: first };
    frames.frame("edge/exchange.first", &first, "");
    frames.frame("edge/exchange.nothing", &Answer::<_, Value>::Ok(exchanged), "");
    let user = || Owned(UserId::from("ann@example.org"));
    let device = || Owned(DeviceId::from("d1"));
    frames.asked(Give { user: user(), device: device() }, "");
    frames.frame("edge/give.answer", &Answer::<_, Value>::Ok(Given { found: true }), "states");
    frames.frame("edge/give.none", &Answer::<_, Value>::Ok(Given { found: false }), "");
    frames.asked(Take { user: user(), device: device(), found: true }, "states");
    frames.frame("edge/take.answer", &Answer::<_, Value>::Ok(Taken {}), "");
}
