//! What is kept of what happened: the log, and the record of administrators' acts against somebody
//! who can write into the database.

use crate::site::{PATIENCE, Site, Wishes};
use anyhow::{Result, ensure};
use dme_testkit::ports::wait_until;
use rusqlite::Connection;

/// Does something to the server's database, as somebody who can write its file.
fn tamper(site: &Site, sql: &str) -> Result<()> {
    let database = Connection::open(site.path("server/dme.db"))?;
    database.busy_timeout(PATIENCE)?;
    ensure!(database.execute(sql, [])? > 0, "{sql}");
    Ok(())
}

/// What `dme` says of a record that is not sound.
fn found(said: Result<String>) -> Result<String> {
    match said {
        Ok(said) => anyhow::bail!("it is taken for sound: {said}"),
        Err(error) => Ok(error.to_string()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_and_what_administrators_did_cannot_be_changed_unseen() -> Result<()> {
    let site = Site::start(&Wishes::default())?;
    let mut phone = site.phone("ann")?;
    phone.client.account.device = "lost".into();
    phone.folder_sync().await?;
    let inbox = phone.inbox()?;
    phone.sync(&inbox).await?;
    site.dme(&["device", "block", "ann@example.org", "lost"])?;
    ensure!(phone.folder_sync().await.is_err(), "it is blocked");

    let of_ann = ["log", "list", "--user", "ann@example.org"];
    wait_until("the log tells of it", PATIENCE, || {
        let said = site.dme(&of_ann)?;
        let all = ["device_new", "device_blocked"];
        Ok(all.iter().all(|kind| said.contains(kind)))
    })?;
    let linked = site.dme(&["log", "list", "--kind", "connector_linked"])?;
    ensure!(linked.contains("[branch]"), "{linked}");

    let acts = site.dme(&["audit", "list", "--target", "lost"])?;
    ensure!(acts.contains("admin.token (administrator, command_line from 127.0.0.1)"), "{acts}");
    ensure!(acts.contains("devices.block ann@example.org lost: done"), "{acts}");
    ensure!(acts.contains("admission: allowed -> blocked"), "{acts}");
    let refused = site.dme(&["device", "block", "ann@example.org", "unknown"]);
    ensure!(refused.is_err(), "{refused:?}");
    let acts = site.dme(&["audit", "list", "--target", "unknown"])?;
    ensure!(acts.contains("refused: there is no device"), "{acts}");

    // The connector signed what there was when it linked.
    let mut said = String::new();
    wait_until("the connector signed", PATIENCE, || {
        said = site.dme(&["audit", "verify"])?;
        Ok(said.contains("connector branch signed row"))
    })?;
    ensure!(said.contains("rows: nothing was done to them"), "{said}");
    let export = site.path("record");
    std::fs::write(&export, site.dme(&["audit", "export"])?)?;
    let file = export.to_str().unwrap_or_default();
    let said = site.run(&["audit", "verify", file])?;
    ensure!(said.contains("connector branch signed row"), "{said}");

    tamper(&site, "UPDATE audit SET who = 'nobody' WHERE number = 2")?;
    let said = found(site.dme(&["audit", "verify"]))?;
    ensure!(said.contains("row 2 was changed"), "{said}");
    tamper(&site, "DELETE FROM audit WHERE number = 2")?;
    let said = found(site.dme(&["audit", "verify"]))?;
    ensure!(said.contains("row 2 is missing"), "{said}");
    tamper(&site, "DELETE FROM audit")?;
    let said = found(site.dme(&["audit", "verify"]))?;
    ensure!(said.contains("the end is cut off"), "{said}");
    Ok(())
}
