//! Who may ask for what: every endpoint and every page of the tables, asked for over HTTP by
//! everybody there is.
//!
//! `docs/endpoints.md` holds what is meant to be allowed; an endpoint that it does not have fails
//! the test. `DME_WRITE_ENDPOINTS=1` writes it anew, for somebody to look at what changed.

use crate::console::{Caller, Office, PASSWORD, PIXEL, REALM};
use crate::my::read_certificate;
use crate::site::PATIENCE;
use anyhow::{Context, Result, ensure};
use dme_console::endpoint::{Endpoint, Password};
use dme_console::endpoints;
use dme_console::pages;
use dme_console::principal::{Duty, Reach};
use dme_model::Secret;
use dme_phone::{Error, Phone, Tls, Trust};
use dme_testkit::ports::wait_until;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// How far somebody goes with a duty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Goes {
    Everywhere,
    Within,
    Nowhere,
}

/// What each may do: see, operate, configure, audit, own.
const MAY: [(&str, [Goes; 5]); 9] = {
    use Goes::{Everywhere as All, Nowhere as Not, Within as In};
    [
        ("nobody", [Not, Not, Not, Not, Not]),
        ("auditor", [All, Not, Not, All, Not]),
        ("delegate", [In, In, Not, Not, Not]),
        ("administrator", [All, All, All, All, Not]),
        ("token file", [All, All, All, All, Not]),
        ("token to see", [All, Not, Not, Not, Not]),
        ("token to operate", [Not, All, Not, Not, Not]),
        ("token to configure", [Not, Not, All, Not, Not]),
        ("token to audit", [Not, Not, Not, All, Not]),
    ]
};

/// Whether that is meant to be allowed. `inside`: what the path names is the delegate's.
fn is_meant(may: [Goes; 5], duty: Duty, reach: Reach, inside: bool) -> bool {
    let [see, operate, configure, audit, own] = may;
    let goes = match duty {
        Duty::See => see,
        Duty::Operate => operate,
        Duty::Configure => configure,
        Duty::Audit => audit,
        Duty::Own => own,
    };
    match (goes, reach) {
        (Goes::Everywhere, _) => true,
        (Goes::Nowhere, _) | (Goes::Within, Reach::Everyone) => false,
        (Goes::Within, Reach::User | Reach::Connector | Reach::Order) => inside,
        (Goes::Within, Reach::Filtered | Reach::Oneself) => true,
    }
}

/// What is made at the server alone: what lets one in as an administrator.
fn is_of_the_server(endpoint: &Endpoint) -> bool {
    endpoint.method == http::Method::POST && endpoint.path.starts_with("/api/console/")
}

/// A path with something in the place of what varies. Devices and the like are such as nobody has,
/// so that whoever may asks in vain and changes nothing.
fn filled(path: &str, inside: bool) -> String {
    let (user, connector) = if inside { ("ann", "paris") } else { ("bob", "lyon") };
    let part = |part: &str| match part {
        "{user}" => format!("{user}@{REALM}"),
        "{connector}" => connector.to_owned(),
        "{function}" => "mail".to_owned(),
        // The first is of the delegate's device, the second of another's.
        "{order}" => if inside { "1" } else { "2" }.to_owned(),
        part if part.starts_with('{') => "999999".to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn token<'a>(office: &'a Office, duty: &str) -> Result<Caller<'a>> {
    let new = json!({"name": duty, "duties": [duty], "valid_days": 1});
    let made = office.root()?.post("/api/api-tokens", &new)?;
    Ok(office.bearer(made["token"].as_str().context("no token")?))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_and_page_is_for_those_whose_duty_it_is() -> Result<()> {
    let office = Office::start()?;
    for (user, device) in [("ann", "INSIDE"), ("bob", "OUTSIDE")] {
        office.mailbox(user, b"Subject: hello\r\n\r\nHello\r\n").await?;
        office.phone(user, device, PIXEL)?.folder_sync().await?;
        let order = format!("/api/devices/{user}@{REALM}/{device}/wipe-account");
        office.root()?.post(&order, &json!({}))?;
    }
    let callers = [
        office.nobody(),
        office.session("carl")?,
        office.session("dora")?,
        office.session("ada")?,
        office.root()?,
        token(&office, "see")?,
        token(&office, "operate")?,
        token(&office, "configure")?,
        token(&office, "audit")?,
    ];
    let mut wrong = Vec::new();
    let mut asked = 0;
    for endpoint in endpoints::table() {
        for inside in [true, false] {
            let path = filled(endpoint.path, inside);
            // What is no object is refused by whatever takes one, after it was allowed.
            let body = if endpoint.body.is_some() { "[]" } else { "" };
            for ((who, may), caller) in MAY.iter().zip(&callers) {
                let caller = match endpoint.password {
                    Password::EachTime => caller.clone().with_password(),
                    _ => caller.clone(),
                };
                let answer = caller.ask(endpoint.method.as_str(), &path, body)?;
                let is_meant = is_meant(*may, endpoint.duty, endpoint.reach, inside)
                    // Whoever has these is an administrator: only who is one at the server.
                    && (*who == "token file" || !is_of_the_server(&endpoint));
                let refused = if *who == "nobody" { 401 } else { 403 };
                let is_refused = answer.status == refused;
                asked += 1;
                if is_refused == is_meant || (answer.status == 401) != (*who == "nobody") {
                    let (method, status) = (&endpoint.method, answer.status);
                    wrong.push(format!("{who}: {method} {path}: {status} {}", answer.body));
                }
            }
        }
    }
    for page in pages::table() {
        for inside in [true, false] {
            let path = filled(page.path, inside);
            // Tokens are for programs: to a page they are nobody's.
            for ((who, may), caller) in MAY.iter().zip(&callers).take(4) {
                let answer = caller.ask("GET", &path, "")?;
                asked += 1;
                let is_right = match *who {
                    "nobody" => answer.status == 303,
                    _ if is_meant(*may, page.duty, page.reach, inside) => {
                        // Without a question some have nothing to show.
                        [200, 400, 404].contains(&answer.status)
                    }
                    _ => answer.status == 403,
                };
                if !is_right {
                    wrong.push(format!("{who}: page {path}: {} {}", answer.status, answer.body));
                }
            }
        }
    }
    ensure!(wrong.is_empty(), "{} of {asked} differ:\n{}", wrong.len(), wrong.join("\n"));

    // A user has no business here.
    let refused = office.session("bob").err().context("a user signed in")?.to_string();
    ensure!(refused.contains("no administrator"), "{refused}");
    // A form of another site carries the cookie at most.
    let ada = office.session("ada")?.cookie_only();
    for endpoint in endpoints::table().iter().filter(|one| one.method != http::Method::GET) {
        let answer = ada.ask(endpoint.method.as_str(), &filled(endpoint.path, true), "")?;
        ensure!(answer.status == 403, "{} without x-csrf: {}", endpoint.path, answer.status);
    }
    // For some it is shown each time, however lately it was.
    let ada = office.session("ada")?;
    for endpoint in endpoints::table().iter().filter(|one| one.password == Password::EachTime) {
        let path = filled(endpoint.path, true);
        let answer = ada.ask(endpoint.method.as_str(), &path, "")?;
        ensure!(answer.status == 403, "{path} without a password: {}", answer.status);
    }
    // Six minutes later the password was not shown just now.
    office.later(Duration::from_secs(6 * 60))?;
    let (ada, mut asks) = (&callers[3], 0);
    for endpoint in endpoints::table().iter().filter(|one| one.password > Password::AtFirst) {
        let path = filled(endpoint.path, true);
        let answer = ada.ask(endpoint.method.as_str(), &path, "")?;
        ensure!(answer.status == 403, "{path} with an old password: {}", answer.status);
        asks += 1;
    }
    ensure!(asks > 5, "only {asks} endpoints take a password that was shown just now");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_reaches_their_own_and_nothing_else() -> Result<()> {
    let office = Office::start()?;
    office.mailbox("ann", b"To: ann@example.org\r\nSubject: mail\r\n\r\nHello\r\n").await?;
    office.phone("ann", "INSIDE", PIXEL)?.folder_sync().await?;
    let label = json!({"label": "a phone"}).to_string();
    let (status, said) = office.ask_as("ann", "POST", "/api/my/passwords", &label)?;
    ensure!(status == 200, "{status} {said}");
    let (status, made) = office.ask_as("ann", "POST", "/api/my/certificates", &label)?;
    ensure!(status == 200, "{status} {made}");
    let pem = read_certificate(&office.path(""), &serde_json::from_str(&made)?)?;
    // What is another's is there for nobody else, by whatever number or id.
    for path in [
        "/api/my/devices/INSIDE/block",
        "/api/my/devices/INSIDE/lost",
        "/api/my/devices/INSIDE/remove",
        "/api/my/passwords/1/revoke",
        "/api/my/certificates/1/revoke",
    ] {
        let (status, said) = office.ask_as("bob", "POST", path, "{}")?;
        ensure!(status == 404, "bob: {path}: {status} {said}");
    }
    let (_, own) = office.ask_as("ann", "GET", "/api/my", "")?;
    let own: serde_json::Value = serde_json::from_str(&own)?;
    ensure!(own["devices"][0]["admission"] == "quarantined", "{own}");
    ensure!(own["passwords"][0]["number"] == 1 && own["certificates"][0]["number"] == 1, "{own}");
    let (mut asked, mut wrong) = (0, Vec::new());
    for endpoint in endpoints::table() {
        let (method, path) = (endpoint.method.as_str(), filled(endpoint.path, false));
        let (status, said) = office.ask_as("bob", method, &path, "[]")?;
        let is_right = match endpoint.duty {
            Duty::Own => ![401, 403].contains(&status),
            _ => status == 404 && said.is_empty(),
        };
        asked += 1;
        if !is_right {
            wrong.push(format!("bob: {method} {path}: {status} {said}"));
        }
    }
    ensure!(wrong.is_empty(), "{} of {asked} differ:\n{}", wrong.len(), wrong.join("\n"));
    // An administrator who is no user is nobody here.
    ensure!(office.ask_as("ada", "GET", "/api/my", "")?.0 == 401);

    // Her certificate lets her phone in until it ends, and the log says why no longer.
    let trust = Trust::Authority(std::fs::read(office.path("server/authority/authority.pem"))?);
    let mut account = office.phone("ann", "INSIDE", PIXEL)?.client.account;
    account.password = Secret::new("");
    let mut phone = Phone::new(account, Tls::with_identity(&trust, &pem)?);
    phone.folder_sync().await?;
    office.later(Duration::from_secs(366 * 86_400))?;
    let ended = phone.folder_sync().await;
    ensure!(matches!(ended, Err(Error::Http { status: 403, .. })), "{ended:?}");
    let root = office.root()?;
    wait_until("it is in the log", PATIENCE, || {
        let log = root.get("/api/log?kind=login_refused")?.to_string();
        Ok(log.contains(&format!("certificate 1 of ann@{REALM} has ended")))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_until_it_expires_or_is_revoked() -> Result<()> {
    let office = Office::start()?;
    let make = ["token", "make", "--config", "server.toml", "--duty", "see", "--days", "1"];
    let made = office.dme(&[&make[..], &["monitoring"]].concat())?;
    let monitoring = office.bearer(made.trim());
    monitoring.get("/api/devices")?;
    let listed = office.dme(&["token", "list", "--config", "server.toml"])?;
    ensure!(
        listed.contains("monitoring: see; good until") && listed.contains("; used "),
        "{listed}"
    );
    ensure!(!listed.contains(made.trim()), "what a token says is not kept");
    let database = std::fs::read(office.path("server/dme.db"))?;
    let database = String::from_utf8_lossy(&database).into_owned();
    ensure!(!database.contains(made.trim()), "the database holds a token");

    // One that may configure makes none that may do more.
    let configure = office.dme(&[&make[..4], &["--duty", "configure", "provisioning"]].concat())?;
    let more = json!({"name": "more", "duties": ["audit"], "valid_days": 1}).to_string();
    let refused = office.bearer(configure.trim()).ask("POST", "/api/api-tokens", &more)?;
    ensure!(refused.status == 403, "{}", refused.body);

    // One of an administrator's does what that administrator may, as long as they may.
    let see = json!({"name": "adas", "duties": ["see"], "valid_days": 30});
    let made = office.session("ada")?.post("/api/api-tokens", &see)?;
    let adas = office.bearer(made["token"].as_str().context("no token")?);
    adas.get("/api/devices")?;
    let people = std::fs::read_to_string(office.path("people.toml"))?;
    std::fs::write(office.path("people.toml"), people.replace("[\"admins\"]", "[]"))?;
    office.dme(&["directory", "refresh", "--config", "server.toml"])?;
    office.later(Duration::from_secs(120))?;
    let refused = adas.ask("GET", "/api/devices", "")?;
    ensure!(refused.status == 401, "its maker is no administrator any more: {}", refused.body);
    monitoring.get("/api/devices")?;

    office.dme(&["token", "revoke", "provisioning", "--config", "server.toml"])?;
    let revoked = office.bearer(configure.trim()).ask("POST", "/api/flush", "")?;
    ensure!(revoked.status == 401, "{}", revoked.body);
    office.later(Duration::from_secs(25 * 3600))?;
    ensure!(monitoring.ask("GET", "/api/devices", "")?.status == 401, "it has expired");
    let listed = office.dme(&["token", "list", "--config", "server.toml"])?;
    ensure!(listed.contains("monitoring: see; expired"), "{listed}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_kept_as_they_should_be() -> Result<()> {
    let office = Office::start()?;
    // Nobody gives a browser its session: one that it brings is none.
    let form = format!("login=ada%40{REALM}&password={PASSWORD}&back=//evil.example");
    let brought = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Cookie", "__Host-dme-console=of-an-attacker"),
    ];
    let signed_in = office.ask("POST", "/sign-in", &brought, &form)?;
    let cookie = signed_in.header("set-cookie").context("no cookie")?;
    ensure!(!cookie.contains("of-an-attacker"), "{cookie}");
    for wanted in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        ensure!(cookie.contains(wanted), "{cookie}");
    }
    ensure!(signed_in.header("location") == Some("/"), "one comes back to pages of ours only");
    // What browsers are told about every page.
    let policy = signed_in.header("content-security-policy").context("no policy")?;
    ensure!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    ensure!(!policy.contains("unsafe"), "{policy}");
    ensure!(signed_in.header("x-content-type-options") == Some("nosniff"));
    ensure!(signed_in.header("cache-control") == Some("no-store"));
    for path in ["/healthz", "/api/devices", "/nowhere", "/static/console.js"] {
        let answer = office.ask("GET", path, &[("Origin", "https://evil.example")], "")?;
        for name in ["content-security-policy", "x-content-type-options", "referrer-policy"] {
            ensure!(answer.header(name).is_some(), "{path} has no {name}");
        }
        ensure!(answer.header("access-control-allow-origin").is_none(), "{path}");
    }
    // A form of another site.
    let cookie = cookie.split(';').next().unwrap_or_default();
    let from = [("Cookie", cookie), ("Origin", "https://evil.example")];
    ensure!(office.ask("POST", "/sign-out", &from, "csrf=")?.status == 403, "another site's");
    let from = [("Cookie", cookie)];
    ensure!(office.ask("POST", "/sign-out", &from, "csrf=")?.status == 403, "without its mark");
    // Whoever signs in again has another session, and that one only.
    let old = [("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", cookie)];
    let again = office.ask("POST", "/sign-in", &old, &form)?;
    let next = again.header("set-cookie").context("no cookie")?;
    ensure!(!next.starts_with(cookie), "the same cookie");
    ensure!(office.ask("GET", "/devices", &[("Cookie", cookie)], "")?.status == 303, "it lives");
    // Guessing ends soon.
    let mut statuses = Vec::new();
    for guess in 0..20 {
        let form = format!("login=carl%40{REALM}&password=guess{guess}");
        let answer = office.ask("POST", "/sign-in", &brought[..1], &form)?;
        ensure!(answer.status == 403 && !answer.body.contains("guess"), "{}", answer.body);
        statuses.push(answer.body.contains("Too many attempts"));
    }
    ensure!(statuses.contains(&true), "twenty passwords were tried");
    let log = std::fs::read_to_string(office.path("server.log"))?;
    ensure!(log.contains("signed in to the console") && log.contains("not let in"), "{log}");
    let token = std::fs::read_to_string(office.path("server/admin.token"))?;
    let secrets = [PASSWORD, token.trim(), cookie.split('=').nth(1).unwrap_or_default()];
    ensure!(secrets.iter().all(|secret| !log.contains(secret)), "the log holds a secret");
    Ok(())
}

#[test]
fn every_endpoint_has_a_rule_that_somebody_wrote_down() -> Result<()> {
    let mut text = String::from(
        "# Who may ask for what\n\nThe REST interface is at the administration listener; \
         `/api/openapi.json` describes it in full. A duty is had by roles: administrators see, \
         operate, configure and audit; auditors see and audit; delegated administrators see and \
         operate within their groups and connectors; a token has the duties it was made with. \
         *Reach* says how those boundaries are kept: by the user, the connector or the order to \
         wipe that the path names, by giving only what is within them, or by being for those without any. *Password* \
         stands where a session must have shown its password in the last five minutes; *password each \
         time* where it must be shown for this: on its page, or by REST in `x-password` \
         (percent-encoded, with `x-code` beside it where the session began with a code).\n\n\
         | | Path | Duty | Reach | | What |\n|---|---|---|---|---|---|\n",
    );
    let reach = |reach: Reach| match reach {
        Reach::User => "the user",
        Reach::Connector => "the connector",
        Reach::Order => "the order's device",
        Reach::Filtered => "what is within",
        Reach::Everyone => "without boundaries",
        Reach::Oneself => "oneself",
    };
    for one in endpoints::table() {
        let password = match one.password {
            Password::AtFirst => "",
            Password::JustNow => "password",
            Password::EachTime => "password each time",
        };
        let (method, path, duty) = (&one.method, one.path, one.duty.as_str());
        let (reach, what) = (reach(one.reach), one.summary);
        text.push_str(&format!(
            "| {method} | `{path}` | {duty} | {reach} | {password} | {what} |\n"
        ));
    }
    text.push_str("\n## Pages\n\n| Path | Duty | Reach |\n|---|---|---|\n");
    for one in pages::table() {
        let (path, duty, reach) = (one.path, one.duty.as_str(), reach(one.reach));
        text.push_str(&format!("| `{path}` | {duty} | {reach} |\n"));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/endpoints.md");
    if std::env::var_os("DME_WRITE_ENDPOINTS").is_some() {
        std::fs::write(&path, &text)?;
    }
    let written = std::fs::read_to_string(&path)?;
    ensure!(written == text, "docs/endpoints.md differs: write it anew with DME_WRITE_ENDPOINTS=1");
    Ok(())
}

/// All Rust sources below a folder, as one text.
fn sources(folder: &Path) -> Result<String> {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            text.push_str(&sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(path)?);
        }
    }
    Ok(text)
}

#[test]
fn the_tests_that_security_is_held_by_are_there() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sources = sources(&root.join("crates"))?;
    let text = std::fs::read_to_string(root.join("docs/security/asvs.md"))?;
    let met = text.split("## What is met").nth(1).and_then(|rest| rest.split("\n## ").next());
    let mut named = 0;
    for row in met.context("no table")?.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let tests = row.trim_end_matches(['|', ' ']).rsplit(" | ").next().unwrap_or_default();
        ensure!(tests.contains('`'), "no test holds this: {row}");
        for name in tests.split('`').skip(1).step_by(2) {
            ensure!(sources.contains(&format!("fn {name}(")), "there is no test {name}");
            named += 1;
        }
    }
    ensure!(named > 40, "only {named} tests are named");
    Ok(())
}
