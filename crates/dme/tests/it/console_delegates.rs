//! What those see and do who administer a part: people in some groups, or those at home at some
//! connectors.

use crate::console::{Caller, Office, PIXEL, REALM};
use crate::site::PATIENCE;
use anyhow::{Context, Result, ensure};
use dme_model::{Timestamp, UserId};
use dme_store::{Admission, Newcomers, Sighting, Store};
use dme_sync::DeviceKey;
use dme_testkit::ports::wait_until;
use std::time::{Duration, SystemTime};

/// The devices that somebody is shown, by their ids.
fn devices(caller: &Caller<'_>) -> Result<Vec<String>> {
    let all = caller.get("/api/devices")?;
    let all = all.as_array().cloned().unwrap_or_default();
    Ok(all.iter().filter_map(|one| one["device"].as_str().map(str::to_owned)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_connector_decides_of_the_new_phones_of_those_who_will_be_served_there()
-> Result<()> {
    let office = Office::start()?;
    let _lyon = office.lyon(&office.root()?)?;
    let mail = b"Subject: hello\r\n\r\nHello\r\n";
    office.mailbox("ann", mail).await?;
    office.mailbox_in("lyon-mail", "bob", mail).await?;
    // Both wait: nobody has opened a mailbox for them, and there is no route of theirs.
    for (user, id) in [("ann", "OTHERS"), ("bob", "NEWCOMER")] {
        office.phone(user, id, PIXEL)?.folder_sync().await?;
    }
    let luc = office.session("luc")?;
    ensure!(devices(&luc)? == ["NEWCOMER"], "{:?}", devices(&luc)?);
    let page = luc.ask("GET", &format!("/devices/bob@{REALM}/NEWCOMER"), "")?;
    ensure!(page.status == 200, "{} {}", page.status, page.body);
    luc.allow("bob", "NEWCOMER")?;
    let others = luc.ask("GET", &format!("/devices/ann@{REALM}/OTHERS"), "")?;
    ensure!(others.status == 403, "{} {}", others.status, others.body);
    ensure!(luc.allow("ann", "OTHERS").is_err(), "another's");
    // From then on there is a route, by which it goes.
    office.phone("bob", "NEWCOMER", PIXEL)?.folder_sync().await?;
    ensure!(devices(&luc)? == ["NEWCOMER"], "{:?}", devices(&luc)?);
    Ok(())
}

/// Somebody's device that has never come, as it is entered in the database.
async fn enter(store: &Store, user: &str, device: &str) -> Result<()> {
    let user = UserId::from(format!("{user}@{REALM}").as_str());
    let key = DeviceKey { user, device: device.into() };
    let admission = Admission::Quarantined;
    let newcomers = Newcomers { admission, decision: None, per_user: 10 };
    let now = Timestamp::from(SystemTime::now());
    store.see_device(&key, &Sighting::default(), newcomers, now).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_theirs_is_kept_for_those_who_look_and_asked_anew_of_those_who_act() -> Result<()> {
    let office = Office::start()?;
    let store = Store::open(office.path("server/dme.db"))?;
    for (user, device) in [("chen", "CHENS"), ("farid", "FARIDS"), ("emma", "EMMAS")] {
        enter(&store, user, device).await?;
    }
    let dora = office.session("dora")?;
    let seen = || -> Result<Vec<String>> {
        let mut seen = devices(&dora)?;
        seen.sort();
        Ok(seen)
    };
    ensure!(seen()? == ["CHENS", "FARIDS"], "{:?}", seen()?);
    // He moves to Lyon.
    let path = office.path("people.toml");
    let people = std::fs::read_to_string(&path)?;
    let (before, his) = people.split_once("[users.farid]").context("no Farid")?;
    let his = his.replacen("groups = [\"paris\"]", "groups = [\"lyon\"]", 1);
    std::fs::write(&path, format!("{before}[users.farid]{his}"))?;
    wait_until("the act is refused", PATIENCE, || Ok(dora.allow("farid", "FARIDS").is_err()))?;
    ensure!(seen()? == ["CHENS", "FARIDS"], "it was found out a moment ago: {:?}", seen()?);
    dora.allow("chen", "CHENS")?;
    // What the directory said is kept for ten minutes, what follows from it for one.
    office.later(Duration::from_secs(12 * 60))?;
    ensure!(seen()? == ["CHENS"], "{:?}", seen()?);
    Ok(())
}
