//! What a connector serves, set on the server: sealed, sent, taken or refused, kept, and diagnosed.

use crate::journey::ready;
use crate::site::{PATIENCE, Site, Wishes};
use anyhow::{Context, Result, ensure};
use dme_testkit::ports::{free_port, wait_until};
use dme_testkit::slapd::SERVICE_PASSWORD;
use std::time::Duration;

/// The tables of a connector's file that say what it serves, and the rest.
fn parted(text: &str) -> (String, String) {
    let mut table: toml::Table = toml::from_str(text).unwrap_or_default();
    let services = ["mail", "people"].into_iter().filter_map(|key| table.remove_entry(key));
    let services: toml::Table = services.collect();
    (toml::to_string(&services).unwrap_or_default(), toml::to_string(&table).unwrap_or_default())
}

/// Wants this of the connector; what the command says, whether it went well or not.
fn configure(site: &Site, services: &str) -> Result<String> {
    std::fs::write(site.path("services.toml"), services)?;
    Ok(match site.dme(&["connector", "configure", "branch", "services.toml"]) {
        Ok(said) => said,
        Err(error) => error.to_string(),
    })
}

fn wait_shown(site: &Site, words: &str) -> Result<()> {
    let mut shown = String::new();
    let waited = wait_until("the connector is configured", PATIENCE, || {
        shown = site.dme(&["connector", "show", "branch"])?;
        Ok(shown.contains(words))
    });
    waited.with_context(|| format!("{words}: {shown}"))
}

/// The fingerprint of the connector's key that it uses.
fn fingerprint(site: &Site) -> Result<String> {
    let list = site.dme(&["connector", "list"])?;
    let last = list.lines().filter_map(|line| line.trim().strip_prefix("fingerprint ")).next_back();
    last.map(str::to_owned).context("no fingerprint")
}

/// Ann's phone sees her mail of this subject.
async fn anns_phone_gets(site: &Site, subject: &str) -> Result<()> {
    let mail =
        format!("From: bob@example.org\r\nTo: ann@example.org\r\nSubject: {subject}\r\n\r\nx");
    site.dovecot.deliver("ann@example.org", mail.as_bytes())?;
    let mut phone = site.phone("ann")?;
    let inbox = ready(&mut phone).await?;
    let found = phone.items(&inbox)?.values().any(|mail| mail.subject == subject);
    ensure!(found, "Ann's phone has no {subject:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_with_only_its_link_serves_as_the_server_says() -> Result<()> {
    let mut site = Site::start(&Wishes::default())?;
    let (services, rest) = parted(&std::fs::read_to_string(site.path("connector.toml"))?);

    // Its own file goes before; once that says nothing, what is wanted holds.
    let said = configure(&site, &services)?;
    ensure!(said.contains("wanted 1, in force none: the connector's own file"), "{said}");
    site.kill_connector();
    wait_until("the connector is missed", PATIENCE, || {
        let list = site.dme(&["connector", "list"])?;
        Ok(list.contains("branch (c1): unreachable since "))
    })?;
    std::fs::write(site.path("connector.toml"), rest)?;

    // What it is to do while it is away waits, whatever was asked for first in its order.
    let key_before = fingerprint(&site)?;
    site.dme(&["connector", "diagnose", "branch", "--later"])?;
    site.dme(&["connector", "rotate", "branch"])?;
    let waits = site.dme(&["connector", "orders", "branch"])?;
    let (key, diagnosis) = (waits.find("contact: rotate"), waits.find("contact: diagnose"));
    ensure!(key.is_some() && key < diagnosis, "{waits}");
    let list = site.dme(&["connector", "list"])?;
    ensure!(list.contains("  waits for its next contact: rotate, since "), "{list}");

    site.restart_connector()?;
    wait_shown(&site, "wanted 1, in force 1\n")?;
    site.wait_ready()?;
    wait_until("what waited is done", PATIENCE, || {
        Ok(site.dme(&["connector", "orders", "branch"])? == "nothing waits\n")
    })?;
    let told = site.dme(&["connector", "diagnose", "branch", "--last"])?;
    ensure!(told.contains("\"checks\""), "{told}");
    ensure!(fingerprint(&site)? != key_before, "the key is the one from before");
    anns_phone_gets(&site, "By the first configuration").await?;
    let list = site.dme(&["connector", "list"])?;
    for words in ["branch (c1): running since ", "; serves 1 user", "certificate of "] {
        ensure!(list.contains(words), "{words}: {list}");
    }
    let metrics = site.get("/metrics")?;
    for words in [
        "dme_connector_state{connector=\"branch\",state=\"running\"} 1",
        "dme_connector_users{connector=\"branch\"} 1",
        "dme_calls_total{connector=\"branch\",calls=\"authentication\",outcome=\"ok\"}",
        "dme_call_duration_seconds_count{connector=\"branch\",calls=\"fetch\"}",
        "dme_connector_certificate_ends_seconds{connector=\"branch\"}",
    ] {
        ensure!(metrics.contains(words), "{words}: {metrics}");
    }

    // One that makes no sense does not leave the command; one that turns out to be wrong on the
    // connector leaves the former in force.
    let said = configure(&site, &services.replace("bind_dn", "bind_nd"))?;
    ensure!(said.contains("bind_nd") && !said.contains("wanted"), "{said}");
    let wrong = services.replace("dovecot.pem", "nowhere.pem");
    let said = configure(&site, &wrong)?;
    ensure!(said.contains("wanted 2, in force 1: mail: "), "{said}");
    ensure!(said.contains("nowhere.pem"), "{said}");
    let shown = site.dme(&["connector", "show", "branch"])?;
    ensure!(shown.contains("wanted 2, in force 1: mail: "), "{shown}");
    // It can be taken back, and what holds goes on to hold.
    let said = site.dme(&["connector", "configure", "branch", "--remove"])?;
    ensure!(said.contains("none wanted any more, in force 1"), "{said}");
    // Nor is a file read for the server that is not beside the connector's own.
    let password = format!("bind_password = {SERVICE_PASSWORD:?}");
    ensure!(services.contains(&password), "{services}");
    let outside = services.replace(&password, "bind_password = { file = \"/etc/hostname\" }");
    let said = configure(&site, &outside)?;
    ensure!(said.contains("wanted 3, in force 1: people.ldap.bind_password: "), "{said}");

    // A connector that starts while the server is away serves by what it had last.
    site.kill_server();
    site.kill_connector();
    site.restart_connector()?;
    wait_until("the connector has begun", PATIENCE, || {
        Ok(site.logs()?.contains("serving by the server's last configuration"))
    })?;
    site.restart_server()?;
    site.wait_ready()?;
    anns_phone_gets(&site, "By what was kept").await?;
    wait_shown(&site, "wanted 3, in force 1: people.ldap.bind_password: ")?;

    // What is out of order on the connector is found out from the server.
    let port = free_port()?;
    let wrong =
        services.replace(&format!("port = {}", site.dovecot.imaps_port), &format!("port = {port}"));
    let said = configure(&site, &wrong)?;
    ensure!(said.contains("in force: 4"), "{said}");
    wait_shown(&site, "wanted 4, in force 4\n")?;
    site.dme(&["connector", "diagnose", "branch", "--output", "branch.json"])?;
    let text = std::fs::read_to_string(site.path("branch.json"))?;
    let told: serde_json::Value = serde_json::from_str(&text)?;
    let checks = told["checks"].as_array().context("checks")?;
    let verdict = |step: &str| checks.iter().find(|it| it["step"] == step).map(|it| &it["verdict"]);
    ensure!(verdict("IMAP connection and TLS").is_some_and(|it| it == "bad"), "{text}");
    ensure!(verdict("SMTP connection and TLS").is_some_and(|it| it == "good"), "{text}");
    ensure!(verdict("people").is_some_and(|it| it == "good"), "{text}");
    ensure!(text.contains(&format!("localhost:{port}")), "{text}");
    ensure!(told["log"].as_array().is_some_and(|lines| !lines.is_empty()), "{text}");
    ensure!(!text.contains(SERVICE_PASSWORD) && !text.contains("ann@"), "{text}");

    // What the systems behind it do is counted there, by function and backend, and shown here.
    let mut phone = site.phone("ann")?;
    phone.longest_pause = Duration::ZERO;
    ensure!(ready(&mut phone).await.is_err(), "there is no mail system");
    wait_until("the connector's counts are told", PATIENCE, || {
        let metrics = site.get("/metrics")?;
        let of = "{connector=\"branch\",function=\"mail\",backend=\"imap\"";
        let answered = format!("dme_backend_call_duration_seconds_count{of}");
        let failed = format!("dme_backend_errors_total{of}");
        let list = site.dme(&["connector", "list"])?;
        let listed = list.contains("  mail by imap: ") && list.contains(" mailbox.unavailable");
        Ok(metrics.contains(&answered) && metrics.contains(&failed) && listed)
    })?;

    // And nothing the server keeps holds the secret.
    for file in std::fs::read_dir(site.path("server"))?.flatten() {
        if file.path().is_file() {
            let bytes = std::fs::read(file.path())?;
            let holds =
                bytes.windows(SERVICE_PASSWORD.len()).any(|it| it == SERVICE_PASSWORD.as_bytes());
            ensure!(!holds, "{} holds the secret", file.path().display());
        }
    }
    Ok(())
}
