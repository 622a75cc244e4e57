//! What the console's pages do of users, devices, rules and terms, done at the command line.

use crate::console::{MAIL, MOTO, Office, PIXEL, REALM, shortest};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

const ANN: &str = "ann@example.org";
const ADA: &str = "ada@example.org";

#[tokio::test(flavor = "multi_thread")]
async fn a_users_ways_in_are_listed_and_ended() -> Result<()> {
    let office = Office::start()?;
    let nobody = office.admin(&["user", "sessions", ADA])?;
    ensure!(nobody.contains("nobody is signed in by this name"), "{nobody}");
    let sessions = [office.session("ada")?, office.session("ada")?, office.session("ada")?];
    let listed = office.admin(&["user", "sessions", ADA])?;
    ensure!(listed.matches("the console, by password").count() == 3, "{listed}");
    ensure!(listed.contains("from 127.0.0.1"), "{listed}");
    let all: Value = serde_json::from_str(&office.admin(&["user", "sessions", ADA, "--json"])?)?;
    let one = all[0]["session"].as_str().context("no session")?;
    let ended = office.admin(&["user", "sessions", ADA, "--end", one])?;
    ensure!(ended.contains("1 sessions are ended"), "{ended}");
    let live = || -> Result<usize> {
        let statuses = sessions.iter().map(|one| Ok(one.ask("GET", "/api/account", "")?.status));
        Ok(statuses.collect::<Result<Vec<u16>>>()?.iter().filter(|status| **status == 200).count())
    };
    ensure!(live()? == 2, "one was ended");
    let again = office.refused(&["user", "sessions", ADA, "--end", one])?;
    ensure!(again.contains(&format!("there is no session {one}")), "{again}");
    let ended = office.admin(&["user", "sessions", ADA, "--end-all"])?;
    ensure!(ended.contains("2 sessions are ended") && live()? == 0, "{ended}");

    office.mailbox("ann", MAIL).await?;
    let label = json!({"label": "the tablet"}).to_string();
    for what in ["passwords", "certificates"] {
        let none = office.admin(&["user", what, ANN])?;
        ensure!(none.starts_with("no device has a"), "{none}");
        let (status, said) = office.ask_as("ann", "POST", &format!("/api/my/{what}"), &label)?;
        ensure!(status == 200, "{said}");
        let listed = office.admin(&["user", what, ANN])?;
        ensure!(
            listed.contains("1: the tablet, made ") && listed.contains("never used"),
            "{listed}"
        );
        let made: Value = serde_json::from_str(&said)?;
        let secret = made["password"].as_str().context("no password")?;
        ensure!(!listed.contains(secret), "what it says is not kept: {listed}");
        let gone = office.admin(&["user", what, ANN, "--revoke", "1"])?;
        ensure!(gone.starts_with("no device has a"), "{gone}");
        let again = office.refused(&["user", what, ANN, "--revoke", "7"])?;
        ensure!(again.contains("there is no"), "{again}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_wants_somebody_is_found_and_dealt_with() -> Result<()> {
    let office = Office::start()?;
    let [mut pixel, _] = office.phones_of_ann().await?;
    let status = office.admin(&["status"])?;
    ensure!(status.contains("! 2 devices wait"), "{status}");
    ensure!(status.contains("2 devices of 1 users, 0 allowed; 1 of 1 connectors run"), "{status}");
    ensure!(office.admin(&["user", "find", "AN"])?.trim() == format!("{ANN} 2"), "by a part");
    ensure!(office.admin(&["user", "find", "zoe"])?.contains("nobody"), "nobody");

    // Those that wait, as a filter finds them, are let in at once.
    let listed = office.admin(&["device", "list", "--admission", "quarantined", "--json"])?;
    let listed: Vec<Value> = serde_json::from_str(&listed)?;
    ensure!(listed.len() == 2, "{listed:?}");
    let names = listed.iter().filter_map(|one| one["device"].as_str());
    let mut named: Vec<String> = names.map(|device| format!("{ANN}/{device}")).collect();
    named.push(format!("{ANN}/NONE"));
    let mut bulk = vec!["device", "bulk", "allow"];
    bulk.extend(named.iter().map(String::as_str));
    let partly = office.refused(&bulk)?;
    ensure!(partly.contains(&format!("✓ {ANN}/PIXEL9")), "each by itself: {partly}");
    ensure!(partly.contains(&format!("✗ {ANN}/NONE")), "{partly}");
    let by_os =
        office.admin(&["device", "list", "--os", "Android 14", "--admission", "allowed"])?;
    ensure!(by_os.contains("MOTO") && !by_os.contains("PIXEL9"), "{by_os}");
    ensure!(office.admin(&["device", "list", "--held"])?.contains("no devices"));
    ensure!(!office.admin(&["status"])?.contains("devices wait"));

    // What a device holds, and what it was told of it.
    pixel.folder_sync().await?;
    pixel.sync(&pixel.inbox()?).await?;
    let folders = office.admin(&["device", "folders", ANN, "PIXEL9"])?;
    ensure!(folders.contains("Inbox (mail), has 1, 0 to be told"), "{folders}");
    let steps = office.admin(&["device", "steps", ANN, "PIXEL9"])?;
    ensure!(steps.contains("  added ") && steps.contains("acknowledged"), "{steps}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_and_rules_are_made_put_in_order_and_taken_away() -> Result<()> {
    let office = Office::start()?;
    let [mut pixel, _] = office.phones_of_ann().await?;
    office.root()?.allow("ann", "PIXEL9")?;
    let length = "MinDevicePasswordLength";
    let group = ["policy", "group"];
    let make = |name: &str, more: &[&str]| {
        office.admin(&[&group[..], &["make", name, "--os", "Android 16*"], more].concat())
    };
    let everyone = office.refused(&["policy", "group", "make", "all"])?;
    ensure!(everyone.contains("say which devices are in it"), "{everyone}");
    make("strict", &[])?;
    office.admin(&["policy", "set", length, "8", "--group", "strict"])?;
    ensure!(shortest(&mut pixel).await? == Some(8), "its group says so");
    make("mild", &[])?;
    let seen = office.admin(&["policy", "set", length, "5", "--group", "mild", "--preview"])?;
    ensure!(seen.contains(&format!("{length} 8 -> 5")), "the newest is the strongest: {seen}");
    office.admin(&["policy", "set", length, "5", "--group", "mild"])?;
    ensure!(shortest(&mut pixel).await? == Some(5));
    let seen = office.admin(&["policy", "group", "raise", "strict", "--preview"])?;
    ensure!(seen.contains(&format!("{length} 5 -> 8")), "{seen}");
    ensure!(shortest(&mut pixel).await? == Some(5), "a look changes nothing");
    office.admin(&["policy", "group", "raise", "strict"])?;
    ensure!(shortest(&mut pixel).await? == Some(8));
    office.admin(&["policy", "group", "remove", "strict"])?;
    ensure!(shortest(&mut pixel).await? == Some(5));
    let gone = office.refused(&["policy", "group", "remove", "strict"])?;
    ensure!(gone.contains("there is no group strict"), "{gone}");

    let put = ["admission", "put"];
    office.admin(&[&put[..], &["phones", "--os", "Android*", "--then", "allow"]].concat())?;
    let old = ["old", "--os", "Android 14*", "--then", "block", "--reason", "too old"];
    office.admin(&[&put[..], &old].concat())?;
    let explained = office.admin(&["admission", "explain", ANN, "MOTO"])?;
    ensure!(explained.contains("block (by the rule old): too old"), "{explained}");
    office.admin(&["admission", "raise", "phones"])?;
    let explained = office.admin(&["admission", "explain", ANN, "MOTO"])?;
    ensure!(explained.contains("allow (by the rule phones)"), "{explained}");
    office.admin(&["admission", "remove", "phones"])?;
    office.admin(&["admission", "otherwise", "--then", "allow", "--per-user", "5"])?;
    let rules: Value = serde_json::from_str(&office.admin(&["admission", "show"])?)?;
    ensure!(rules["rules"]["rules"].as_array().map(Vec::len) == Some(1), "{rules}");
    ensure!(rules["rules"]["per_user"] == 5, "{rules}");
    ensure!(rules["rules"]["otherwise"]["outcome"] == "allow", "{rules}");

    let add = ["behaviour", "add", "loops", "--counts", "repeated-key", "--threshold", "20"];
    let then = ["--within", "10m", "--then", "slow", "--slow", "30m"];
    office.admin(&[&add[..], &then].concat())?;
    let book: Value = serde_json::from_str(&office.admin(&["behaviour", "show"])?)?;
    let rule = &book["rules"]["rules"][0];
    ensure!(rule["counts"] == "repeated_key" && rule["threshold"] == 20, "{book}");
    office.admin(&["behaviour", "remove", "loops"])?;
    let gone = office.refused(&["behaviour", "remove", "loops"])?;
    ensure!(gone.contains("there is no rule loops"), "{gone}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_are_published_and_who_accepted_them_is_listed() -> Result<()> {
    let office = Office::start()?;
    ensure!(office.admin(&["terms", "list"])?.contains("there are no terms"));
    std::fs::write(office.path("terms.txt"), "Lock your phone.\nTell us when it is lost.\n")?;
    let published = office.admin(&["terms", "publish", "terms.txt"])?;
    ensure!(published.contains("version 1 is published"), "{published}");
    let listed = office.admin(&["terms", "list"])?;
    ensure!(listed.contains("version 1, ") && listed.contains("  Lock your phone."), "{listed}");
    ensure!(office.admin(&["terms", "accepted", "1"])?.contains("nobody accepted it yet"));
    let (status, said) = office.ask_as("ann", "POST", "/api/my/terms/1/accept", "{}")?;
    ensure!(status == 200, "{said}");
    let accepted = office.admin(&["terms", "accepted", "1"])?;
    ensure!(accepted.contains(ANN) && accepted.contains("from 127.0.0.1"), "{accepted}");
    let unknown = office.refused(&["terms", "accepted", "9"])?;
    ensure!(unknown.contains('9'), "{unknown}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_all_is_well_is_told_to_each_of_what_they_see() -> Result<()> {
    let office = Office::start()?;
    for (user, device, kind) in [("ann", "INSIDE", PIXEL), ("bob", "OUTSIDE", MOTO)] {
        office.mailbox(user, b"Subject: hello\r\n\r\nHello\r\n").await?;
        office.phone(user, device, kind)?.folder_sync().await?;
    }
    let wants = |seen: &Value| -> Vec<String> {
        let all = seen["wants"].as_array().into_iter().flatten();
        all.filter_map(|want| want["what"].as_str().map(str::to_owned)).collect()
    };
    let ada = office.session("ada")?.get("/api/overview")?;
    ensure!(ada["devices"] == 2 && ada["users"] == 2 && ada["running"] == 1, "{ada}");
    ensure!(wants(&ada).contains(&"devices_wait".to_owned()), "{ada}");
    ensure!(wants(&ada).contains(&"no_behaviour_rules".to_owned()), "{ada}");
    let first = &ada["wants"][0];
    ensure!(first["page"] == "/devices?admission=quarantined" && first["grave"] == false, "{ada}");
    let dora = office.session("dora")?.get("/api/overview")?;
    ensure!(dora["devices"] == 1 && dora["users"] == 1, "what is hers: {dora}");
    ensure!(wants(&dora) == ["devices_wait"], "{dora}");
    // What there is only so much of, and what ends, for those who see everything.
    let (disk, ends) = (&ada["disk"], &ada["certificate_ends"]);
    ensure!(disk["free"].as_u64() > Some(0) && disk["total"].as_u64() > disk["free"].as_u64());
    ensure!(ends.as_i64() > Some(1_700_000_000), "{ada}");
    ensure!(dora["disk"].is_null() && dora["certificate_ends"].is_null(), "{dora}");
    let page = office.session("ada")?.ask("GET", "/", "")?.body;
    let limits = page.split("id=\"limits\"").nth(1).context("nothing of limits")?;
    let limits = limits.split("</section>").next().unwrap_or_default();
    for told in ["Free on the server's disk", "The phones' certificate ends", "GiB"] {
        ensure!(limits.replace("&#39;", "'").contains(told), "{told}: {limits}");
    }
    let users = office.session("dora")?.get("/api/users")?;
    ensure!(users["found"] == 1 && users["users"][0]["user"] == format!("ann@{REALM}"), "{users}");
    Ok(())
}
