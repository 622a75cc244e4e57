//! What administrators do at the command line, group by group: each a whole journey through the
//! binary against a running server, to what it does to a phone.

use crate::console::{MAIL, Office, PIXEL, REALM, shortest};
use crate::site::PATIENCE;
use anyhow::{Context, Result, ensure};
use dme_model::Timestamp;
use dme_phone::Error;
use dme_store::{Store, WebhookState};
use dme_testkit::ports::wait_until;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::time::Duration;

const ANN: &str = "ann@example.org";
/// Counts are written down once a minute.
const COUNTED: Duration = Duration::from_secs(90);

impl Office {
    /// Runs `dme` against its server.
    pub fn admin(&self, arguments: &[&str]) -> Result<String> {
        self.dme(&[arguments, &["--config", "server.toml"]].concat())
    }

    /// What `dme` says that fails.
    pub fn refused(&self, arguments: &[&str]) -> Result<String> {
        match self.admin(arguments) {
            Ok(said) => anyhow::bail!("{arguments:?} is done: {said}"),
            Err(error) => Ok(format!("{error:#}")),
        }
    }

    /// Writes a file of rules as `dme` reads it.
    fn write(&self, name: &str, content: &Value) -> Result<()> {
        Ok(std::fs::write(self.path(name), content.to_string())?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_set_on_each_level_and_the_phone_follows() -> Result<()> {
    let office = Office::start()?;
    let settings = office.dme(&["policy", "settings"])?;
    ensure!(settings.contains("MinDevicePasswordLength: The shortest code."), "{settings}");
    ensure!(settings.contains("obeyed by iOS Mail: yes"), "{settings}");
    office.mailbox("ann", MAIL).await?;
    let mut phone = office.phone("ann", "PIXEL9", PIXEL)?;
    ensure!(shortest(&mut phone).await? == Some(6), "as the configuration says");

    let set = ["policy", "set", "MinDevicePasswordLength"];
    let said = office.admin(&[&set[..], &["7", "--least", "4", "--preview"]].concat())?;
    ensure!(said.contains("MinDevicePasswordLength 6 -> 7"), "{said}");
    let said = office.admin(&[&set[..], &["7", "--least", "4"]].concat())?;
    ensure!(said.contains("at revision 1; 1 devices take another policy"), "{said}");
    ensure!(shortest(&mut phone).await? == Some(7));

    // A group comes in by a file.
    let shown = office.admin(&["policy", "show", "--json"])?;
    let mut levels: Value = serde_json::from_str(&shown)?;
    levels["levels"]["groups"] = json!([{
        "name": "new phones",
        "members": {"os": ["Android 16*"]},
        "settings": {"MinDevicePasswordLength": {"value": 8}},
    }]);
    office.write("levels.json", &levels)?;
    let said = office.admin(&["policy", "preview", "levels.json"])?;
    ensure!(said.contains(&format!("{ANN} PIXEL9:")) && said.contains(" 7 -> 8"), "{said}");
    ensure!(shortest(&mut phone).await? == Some(7), "a preview changes nothing");
    office.admin(&["policy", "load", "levels.json", "--push"])?;
    ensure!(shortest(&mut phone).await? == Some(8));
    let stale = office.refused(&["policy", "load", "levels.json"])?;
    ensure!(stale.contains("revision"), "{stale}");

    // The device's own level prevails, within the bounds of those above.
    let own = ["--device", ANN, "PIXEL9"];
    let below = office.refused(&[&set[..], &["3"], &own].concat())?;
    ensure!(below.contains("the default level: at least 4"), "{below}");
    office.admin(&[&set[..], &["10", "--lock"], &own].concat())?;
    ensure!(shortest(&mut phone).await? == Some(10));
    let shown = office.admin(&["policy", "show", ANN, "PIXEL9"])?;
    ensure!(shown.contains("MinDevicePasswordLength 10 (device)"), "{shown}");
    ensure!(shown.contains("compliance: compliant"), "{shown}");
    office.admin(&[&["policy", "unset", "MinDevicePasswordLength"], &own[..]].concat())?;
    ensure!(shortest(&mut phone).await? == Some(8));
    let shown = office.admin(&["policy", "show"])?;
    ensure!(shown.contains("the group new phones:\n  MinDevicePasswordLength 8"), "{shown}");

    // What no phone is told of is said to be so.
    let unsaid = "Enforcement is off there";
    let group = [&set[..], &["9", "--group", "new phones"]].concat();
    let enforce =
        |word: &str| office.admin(&["policy", "set", "Enforcement", word, "--group", "new phones"]);
    ensure!(!office.admin(&group)?.contains(unsaid));
    enforce("off")?;
    let said = office.admin(&group)?;
    ensure!(said.contains(unsaid) && said.contains("Enforcement required --group"), "{said}");
    enforce("required")?;
    ensure!(!office.admin(&group)?.contains(unsaid));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_admission_are_tried_loaded_and_applied() -> Result<()> {
    let office = Office::start()?;
    let [mut new, mut old] = office.phones_of_ann().await?;
    let shown = office.admin(&["admission", "show"])?;
    let mut rules: Value = serde_json::from_str(&shown)?;
    rules["rules"] = json!({
        "rules": [{
            "name": "old systems",
            "devices": {"os": ["Android 14*"]},
            "then": {"outcome": "block", "reason": "too old"},
        }],
        "otherwise": {"outcome": "allow"},
    });
    office.write("rules.json", &rules)?;
    let said = office.admin(&["admission", "preview", "rules.json"])?;
    ensure!(said.contains("2 devices would change"), "{said}");
    let blocked = format!("{ANN} MOTO: block (by the rule old systems): too old");
    ensure!(said.contains(&blocked), "{said}");
    let said = office.admin(&["admission", "load", "rules.json"])?;
    ensure!(said.contains("at revision 1"), "{said}");
    let explained = office.admin(&["admission", "explain", ANN, "PIXEL9"])?;
    ensure!(explained.contains("PIXEL9: allow (no rule fits)"), "{explained}");
    let applied = office.admin(&["admission", "apply"])?;
    ensure!(applied.contains("2 devices changed"), "{applied}");
    new.folder_sync().await?;
    let refused = old.folder_sync().await;
    ensure!(matches!(refused, Err(Error::Refused { status: 129, .. })), "{refused:?}");
    let applied = office.admin(&["admission", "apply"])?;
    ensure!(applied.contains("0 devices changed"), "{applied}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_behaviour_are_loaded_and_hold_a_device_back() -> Result<()> {
    let office = Office::start()?;
    office.mailbox("ann", MAIL).await?;
    let mut phone = office.phone("ann", "PIXEL9", PIXEL)?;
    phone.folder_sync().await?;
    office.admin(&["device", "allow", ANN, "PIXEL9"])?;
    let suggested = office.admin(&["behaviour", "show", "--suggested"])?;
    let mut rules: Value = serde_json::from_str(&suggested)?;
    ensure!(rules["rules"]["rules"].as_array().is_some_and(|all| all.len() > 2), "{suggested}");
    rules["rules"]["rules"] = json!([
        {"name": "hammers", "counts": "requests", "threshold": 5, "within": "10m", "then": "block"},
    ]);
    office.write("behaviour.json", &rules)?;
    let said = office.admin(&["behaviour", "load", "behaviour.json"])?;
    ensure!(said.contains("at revision 1"), "{said}");
    let shown = office.admin(&["behaviour", "show"])?;
    ensure!(shown.contains("hammers"), "{shown}");
    let mut came = 0;
    let held = loop {
        match phone.folder_sync().await {
            Ok(_) if came < 20 => came += 1,
            other => break other,
        }
    };
    ensure!(held.is_err(), "it came {came} times");
    let listed = office.admin(&["device", "list", "--json"])?;
    ensure!(listed.contains("by the rule hammers"), "{listed}");
    office.admin(&["device", "release", ANN, "PIXEL9"])?;
    phone.folder_sync().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wipe_is_foretold_confirmed_and_leaves_a_receipt_that_can_be_checked() -> Result<()> {
    let office = Office::start_with(OPTIONAL, "wipes_per_hour = 1\n")?;
    office.mailbox("ann", MAIL).await?;
    let mut phones = Vec::new();
    for id in ["FIRST", "SECOND", "THIRD"] {
        let mut phone = office.phone("ann", id, PIXEL)?;
        phone.folder_sync().await?;
        phones.push(phone);
    }
    let foretold = office.admin(&["wipe", "foretell", ANN, "FIRST"])?;
    ensure!(foretold.contains("wiping the account: By the protocol the account"), "{foretold}");
    office.admin(&["device", "wipe", ANN, "FIRST", "--account"])?;
    let wiped = phones[0].folder_sync().await;
    ensure!(matches!(wiped, Err(Error::Wiped(_))), "{wiped:?}");
    let listed = office.admin(&["wipe", "list"])?;
    ensure!(listed.contains(&format!("1: the account of {ANN} FIRST")), "{listed}");
    ensure!(listed.contains("acknowledged"), "{listed}");

    // The second within the hour is an administrator's, and waits for another, who this is.
    let ada = office.session("ada")?.with_password();
    for id in ["SECOND", "THIRD"] {
        ada.post(&format!("/api/devices/{ANN}/{id}/wipe-account"), &json!({}))?;
    }
    phones[1].folder_sync().await?;
    let confirmed = office.admin(&["wipe", "confirm", "2"])?;
    ensure!(confirmed.contains("SECOND") && confirmed.contains("ordered"), "{confirmed}");
    let wiped = phones[1].folder_sync().await;
    ensure!(matches!(wiped, Err(Error::Wiped(_))), "{wiped:?}");
    let cancelled = office.admin(&["wipe", "cancel", "3"])?;
    ensure!(cancelled.contains("cancelled"), "{cancelled}");
    phones[2].folder_sync().await?;

    let receipt = office.admin(&["wipe", "receipt", "2"])?;
    std::fs::write(office.path("receipt.json"), &receipt)?;
    let verified = office.admin(&["wipe", "verify", "receipt.json"])?;
    ensure!(verified.contains("the signature fits"), "{verified}");
    ensure!(verified.contains(&format!("by ada@{REALM}")), "{verified}");
    ensure!(verified.contains("confirmed by admin.token"), "{verified}");
    std::fs::write(office.path("receipt.json"), receipt.replace("SECOND", "OTHERS"))?;
    let changed = office.refused(&["wipe", "verify", "receipt.json"])?;
    ensure!(changed.contains("signature"), "{changed}");
    Ok(())
}

/// Administrators sign in by their password alone.
const OPTIONAL: &str = "[console]\nsecond_factor = \"optional\"\n";

/// Takes one delivery over plain HTTP, and gives what came.
fn one_delivery(listener: TcpListener) -> std::thread::JoinHandle<Result<(String, String)>> {
    std::thread::spawn(move || {
        let (tcp, _) = listener.accept()?;
        let mut reader = BufReader::new(tcp);
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            if line.trim().is_empty() {
                break;
            }
            head.push_str(&line.to_ascii_lowercase());
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
        reader.get_mut().write_all(answer)?;
        Ok((head, String::from_utf8(body)?))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_listed_tried_and_begun_again() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let near = format!(
        "{OPTIONAL}[webhooks.near]\nurl = \"http://127.0.0.1:{port}/hook\"\nplain_http = true\n\
         allow_networks = [\"127.0.0.1/32\"]\nsecret = {{ file = \"webhook.secret\" }}\n\
         kinds = [\"audit_contradicted\"]\n"
    );
    let office = Office::start_with(&near, "")?;
    let came = one_delivery(listener);
    let said = office.admin(&["webhook", "test", "near"])?;
    ensure!(said.contains("it arrived"), "{said}");
    let (head, body) = came.join().map_err(|_| anyhow::anyhow!("the receiver fell over"))??;
    ensure!(head.starts_with("post /hook") && head.contains("dme-signature: t="), "{head}");
    ensure!(serde_json::from_str::<Value>(&body).is_ok(), "{body}");
    let failed = office.refused(&["webhook", "test", "near"])?;
    ensure!(failed.contains("no connection"), "nobody listens any more: {failed}");
    let listed = office.admin(&["webhook", "list"])?;
    ensure!(listed.contains("near: http://127.0.0.1") && listed.contains(": well"), "{listed}");
    ensure!(listed.contains("helpdesk: https://hooks.example.org/dme"), "{listed}");
    let enabled = office.admin(&["webhook", "enable", "helpdesk"])?;
    ensure!(enabled.contains("helpdesk") && enabled.contains("0 wait"), "{enabled}");
    let unknown = office.refused(&["webhook", "enable", "nobody"])?;
    ensure!(unknown.contains("nobody"), "{unknown}");

    // The console's page shows the same: where each goes, how it stands, why, and what can be done.
    let state = WebhookState {
        name: "near".into(),
        failing_since: Some(Timestamp::from_seconds(1_795_733_467)),
        disabled: true,
        trouble: Some("the receiver answered 500".into()),
        delivered: Some(Timestamp::from_seconds(1_795_700_000)),
    };
    Store::open(office.path("server/dme.db"))?.put_webhook_state(&state).await?;
    let page = office.session("ada")?.ask("GET", "/webhooks", "")?.body;
    let near = page.split("<tr>").find(|row| row.contains(&format!("127.0.0.1:{port}/hook")));
    let near = near.context("it is not listed")?;
    for told in ["given up", "2026-11-26 22:51", "the receiver answered 500", "2026-11-26 13:33"] {
        ensure!(near.contains(told), "{told}: {near}");
    }
    for act in ["test", "enable"] {
        ensure!(near.contains(&format!("action=\"/do/webhooks/near/{act}\"")), "{act}: {near}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_counted_is_told_apart_as_is_wanted() -> Result<()> {
    let office = Office::start()?;
    office.mailbox("ann", MAIL).await?;
    office.phone("ann", "PIXEL9", PIXEL)?.folder_sync().await?;
    let by = ["statistics", "--by", "user", "--by", "command"];
    let mut told = String::new();
    wait_until("it is counted", COUNTED, || {
        std::thread::sleep(Duration::from_millis(500));
        told = office.admin(&by)?;
        Ok(told.contains("FolderSync"))
    })?;
    ensure!(told.starts_with("user\tcommand\t"), "{told}");
    ensure!(told.lines().any(|line| line.starts_with(&format!("{ANN}\tFolderSync\t"))), "{told}");
    let sheet = office.admin(&[&by[..], &["--csv"]].concat())?;
    ensure!(sheet.contains(&format!("{ANN},FolderSync,")), "{sheet}");
    let other = office.admin(&[&by[..], &["--user", "bob@example.org"]].concat())?;
    ensure!(!other.contains("FolderSync"), "{other}");
    let json = office.admin(&["statistics", "--by", "device", "--json"])?;
    let json: Value = serde_json::from_str(&json)?;
    let counts = json.as_array().context("no list")?;
    ensure!(counts.iter().any(|one| one["device"] == "PIXEL9"), "{json}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_waits_is_listed_and_taken_away() -> Result<()> {
    let keeps = format!("{OPTIONAL}[sending]\nwhile_away = \"keep\"\n");
    let office = Office::start_with(&keeps, "")?;
    let said = office.admin(&["outbox", "list"])?;
    ensure!(said.contains("nothing waits"), "{said}");
    // Emma's mail is at a connector of her own.
    let (mut connector, _) = office.connector("lyon")?;
    office.admin(&["connector", "unlock", "lyon"])?;
    office.mailbox_in("lyon-mail", "emma", MAIL).await?;
    let root = office.root()?;
    let linked = |wanted: bool| {
        wait_until("lyon comes or goes", PATIENCE, || {
            let all = root.get("/api/connectors")?;
            let mut all = all.as_array().into_iter().flatten();
            Ok(all.any(|one| one["name"] == "lyon" && one["link"].is_null() != wanted))
        })
    };
    linked(true)?;
    let mut phone = office.phone("emma", "PIXEL9", PIXEL)?;
    phone.folder_sync().await?;
    root.allow("emma", "PIXEL9")?;
    phone.folder_sync().await?;
    connector.kill();
    linked(false)?;
    let mail = format!("To: ann@{REALM}\r\nSubject: later\r\n\r\nHello\r\n");
    phone.longest_pause = Duration::from_secs(1);
    // What was open at the connector ends with it: the phone tries once more.
    let message = phone.new_message(mail);
    if phone.send_message(&message).await.is_err() {
        phone.send_message(&message).await?;
    }
    let said = office.admin(&["outbox", "list"])?;
    ensure!(said.contains(&format!("of emma@{REALM}, since")), "{said}");
    let all: Value = serde_json::from_str(&office.admin(&["outbox", "list", "--json"])?)?;
    let number = all[0]["number"].to_string();
    let said = office.admin(&["outbox", "discard", &number])?;
    ensure!(said.contains("nothing waits"), "{said}");
    let again = office.refused(&["outbox", "discard", &number])?;
    ensure!(again.contains(&number), "{again}");
    Ok(())
}
