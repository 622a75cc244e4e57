//! A connector whose host was set up anew comes back by a short code, with all that is set of it.

use crate::journey::ready;
use crate::site::{PATIENCE, Site, Wishes};
use anyhow::{Context, Result, ensure};
use dme_testkit::ports::wait_until;

#[tokio::test(flavor = "multi_thread")]
async fn a_code_gives_a_new_host_the_place_of_the_old_one() -> Result<()> {
    let mut site = Site::start(&Wishes::default())?;
    site.dme(&["connector", "set", "branch", "--parallel-calls", "7"])?;
    let mut phone = site.phone("ann")?;
    let inbox = ready(&mut phone).await?;

    site.kill_connector();
    std::fs::remove_dir_all(site.path("connector"))?;
    let error = site.run(&["connector", "enroll", "--code", "7KQ2M", "--config", "connector.toml"]);
    let error = error.err().context("half a code was taken")?.to_string();
    ensure!(error.contains("ten characters"), "{error}");
    let code = site.dme(&["connector", "code", "branch", "--valid", "5m"])?;
    let tokens = site.dme(&["connector", "tokens"])?;
    ensure!(tokens.contains("branch: unused, a code to come back with"), "{tokens}");
    ensure!(!tokens.contains(code.trim()), "{tokens}");
    let come_back =
        || site.run(&["connector", "enroll", "--code", code.trim(), "--config", "connector.toml"]);
    // A new host has only its file to know where the server is.
    let error = come_back().err().context("no server was named")?.to_string();
    ensure!(error.contains("name it with `servers`"), "{error}");
    let server = std::fs::read_to_string(site.path("server.toml"))?;
    let address = server.lines().find_map(|line| line.strip_prefix("[links]").map(|_| line));
    let address = address.and(server.lines().find_map(|line| line.strip_prefix("address = ")));
    let servers = format!("servers = [{}]\n", address.context("the link port's address")?);
    let own = std::fs::read_to_string(site.path("connector.toml"))?;
    std::fs::write(site.path("connector.toml"), servers + &own)?;
    let said = come_back()?;
    ensure!(said.contains("known again as branch (c1)"), "{said}");

    site.restart_connector()?;
    wait_until("the connector is back", PATIENCE, || {
        Ok(site.dme(&["connector", "list"])?.contains("branch (c1): running"))
    })?;
    let shown = site.dme(&["connector", "show", "branch"])?;
    ensure!(shown.contains("calls at once: 7 (by command)"), "{shown}");
    let tokens = site.dme(&["connector", "tokens"])?;
    ensure!(tokens.contains("branch: used, a code to come back with"), "{tokens}");
    let mail = "From: bob@example.org\r\nTo: ann@example.org\r\nSubject: Back again\r\n\r\nx";
    site.dovecot.deliver("ann@example.org", mail.as_bytes())?;
    phone.sync(&inbox).await?;
    ensure!(phone.items(&inbox)?.values().any(|mail| mail.subject == "Back again"));
    Ok(())
}
