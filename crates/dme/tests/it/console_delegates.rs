//! What those see and do who administer a part: people in some groups, or those at home at some
//! connectors.

use crate::console::{Caller, Office, PIXEL, REALM};
use crate::site::PATIENCE;
use anyhow::{Result, ensure};
use dme_testkit::ports::wait_until;
use dme_testkit::process::Process;
use serde_json::json;

/// The connector of Lyon, at work.
fn lyon(office: &Office) -> Result<Process> {
    let (process, _) = office.connector("lyon")?;
    let root = office.root()?;
    root.post("/api/connectors/lyon/unlock", &json!({}))?;
    wait_until("lyon is linked", PATIENCE, || {
        let all = root.get("/api/connectors")?;
        let all = all.as_array().into_iter().flatten();
        Ok(all.into_iter().any(|one| one["name"] == "lyon" && !one["link"].is_null()))
    })?;
    Ok(process)
}

/// The devices that somebody is shown, by their ids.
fn devices(caller: &Caller<'_>) -> Result<Vec<String>> {
    let all = caller.get("/api/devices")?;
    let all = all.as_array().cloned().unwrap_or_default();
    Ok(all.iter().filter_map(|one| one["device"].as_str().map(str::to_owned)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_connector_decides_of_the_new_phones_of_those_who_will_be_served_there() -> Result<()>
{
    let office = Office::start()?;
    let _lyon = lyon(&office)?;
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
