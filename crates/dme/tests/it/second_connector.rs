//! Part 3 of the README, to the letter: a second connector is set up, users are divided by group, the
//! first is taken down, and it is seen who moved where and why. Nothing is used but what stands there.

use crate::journey::ready;
use crate::site::{PATIENCE, Site, Wishes};
use anyhow::{Context, Result, ensure};
use dme_testkit::ports::wait_until;
use dme_testkit::process::Process;
use dme_testkit::slapd::SUFFIX;

const README: &str = include_str!("../../../../README.md");

/// The words of a command that part 3 tells its reader to give, without the comment behind it.
fn told(line: &str) -> Result<Vec<&str>> {
    let part = README.split("## 3. ").nth(1).and_then(|rest| rest.split("\n## ").next());
    let part = part.context("the README has no part 3")?;
    let command = |told: &str| told.split(" #").next().unwrap_or_default().trim() == line;
    ensure!(part.lines().any(command), "part 3 of the README no longer has {line:?}");
    Ok(line.split(' ').skip(1).collect())
}

/// Gives such a command on the server.
fn give(site: &Site, line: &str) -> Result<String> {
    site.dme(&told(line)?)
}

/// The second host: another that has the mail and the directory of the first.
fn south(site: &Site) -> Result<Process> {
    let token = give(site, "dme connector token south")?;
    let own = std::fs::read_to_string(site.path("connector.toml"))?;
    let directory = format!("{:?}", site.path("connector"));
    let config = own.replace(&directory, &format!("{:?}", site.path("south")));
    std::fs::write(site.path("south.toml"), config)?;
    site.run(&["connector", "enroll", token.trim(), "--config", "south.toml"])?;
    give(site, "dme connector set south --scope group:dme-south")?;
    give(site, "dme connector unlock south")?;
    let folder = site.path("");
    crate::site::start(&[], &folder, &["connector", "run", "--config", "south.toml"], "south")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_adds_a_connector_and_sees_who_moves_where_and_why() -> Result<()> {
    let wishes = Wishes { server: "[logins]\nrefresh = \"1s\"\npassword_life = \"1s\"\n".into() };
    let mut site = Site::start(&wishes)?;
    for (group, member) in [("dme-south", "ann"), ("dme-north", "bob")] {
        site.slapd.modify(&format!(
            "dn: cn={group},ou=groups,{SUFFIX}\nchangetype: add\nobjectClass: groupOfNames\n\
             cn: {group}\nmember: uid={member},ou=people,{SUFFIX}\n"
        ))?;
    }
    let realm = "[[realms]]\nname = \"example.org\"\n";
    let named = format!("{realm}connector = [\"branch\", \"south\"]\n");
    ensure!(README.contains(&named), "the README no longer has {named:?}");
    site.reconfigure(|text| text.replace(realm, &named))?;
    site.wait_ready()?;
    let (mut ann, mut bob) = (site.phone("ann")?, site.phone("bob")?);
    let (anns, bobs) = (ready(&mut ann).await?, ready(&mut bob).await?);

    let _south = south(&site)?;
    wait_until("south is linked", PATIENCE, || {
        Ok(site.dme(&["connector", "list"])?.contains("south (c2): running"))
    })?;
    give(&site, "dme connector set branch --scope group:dme-north")?;
    give(&site, "dme connector set branch --logins everyone")?;
    give(&site, "dme connector set south --logins everyone")?;
    let shown = give(&site, "dme connector show south")?;
    ensure!(shown.contains("scope: the group dme-south (by command)"), "{shown}");
    ensure!(shown.contains("logins: everyone (by command)"), "{shown}");

    // Ann moves at her next request, and it is told why; Bob stays.
    ann.sync(&anns).await?;
    bob.sync(&bobs).await?;
    let explained = give(&site, "dme route explain ann@example.org")?;
    ensure!(explained.contains("mail: south: "), "{explained}");
    ensure!(explained.contains("the user is outside its scope"), "{explained}");
    let bobs_route = site.dme(&["route", "explain", "bob@example.org"])?;
    ensure!(bobs_route.contains("mail: branch: "), "{bobs_route}");
    // Events are written a moment later.
    wait_until("it is in the log who moved", PATIENCE, || {
        let moved = give(&site, "dme log list --kind route_changed --since 1h")?;
        ensure!(!moved.contains("bob@example.org"), "{moved}");
        let why = "mail: south in the place of branch: ";
        Ok(moved.contains("[ann@example.org") && moved.contains(why))
    })?;
    let simulated = give(&site, "dme route simulate --down branch")?;
    let why = "because of south: the user is outside its scope";
    let nobody = &*format!("from branch to nobody\n  bob@example.org\n  {why}");
    ensure!(simulated.contains(nobody), "{simulated}");
    let logins = "logins of example.org and its directory: from branch to south\n";
    ensure!(simulated.contains(logins), "{simulated}");
    // So it is after a restart, before any phone has come.
    site.crash_server()?;
    site.wait_ready()?;
    wait_until("the directory tells of those who have not come", PATIENCE, || {
        Ok(site.dme(&["route", "simulate", "--down", "branch"])?.contains(nobody))
    })?;

    // South takes over where it may.
    give(&site, "dme connector set south --scope everyone")?;
    give(&site, "dme connector set south --tier failover")?;
    give(&site, "dme connector drain branch")?;
    bob.sync(&bobs).await?;
    let bobs_route = site.dme(&["route", "explain", "bob@example.org", "mail"])?;
    ensure!(bobs_route.contains("mail: south: "), "{bobs_route}");
    ensure!(bobs_route.contains("branch (primary") && bobs_route.contains("drain"), "{bobs_route}");
    give(&site, "dme connector resume branch")?;

    // The first goes down for good: logins and mail go on, those of a new phone among them.
    site.kill_connector();
    wait_until("the connector is missed", PATIENCE, || {
        Ok(site.dme(&["connector", "list"])?.contains("branch (c1): unreachable since "))
    })?;
    let mail = "From: ann@example.org\r\nTo: bob@example.org\r\nSubject: From the south\r\n\r\nx";
    site.dovecot.deliver("bob@example.org", mail.as_bytes())?;
    give(&site, "dme directory refresh")?;
    let groups = give(&site, "dme directory list")?;
    ensure!(groups.contains("s ago from south; now asked of south"), "{groups}");
    let mut new = site.phone("bob")?;
    new.client.account.device = "another".into();
    let inbox = ready(&mut new).await?;
    ensure!(new.items(&inbox)?.values().any(|mail| mail.subject == "From the south"));
    let explained = site.dme(&["route", "explain", "bob@example.org", "mail"])?;
    ensure!(explained.contains("mail: south: "), "{explained}");

    // A misspelt group is told, wherever it stands.
    let misspelt = site.dme(&["connector", "set", "south", "--scope", "group:dme-sotuh"])?;
    ensure!(misspelt.contains("\"dme-sotuh\" is not in the directory"), "{misspelt}");
    let list = site.dme(&["connector", "list"])?;
    ensure!(list.contains("serves nobody by its scope"), "{list}");
    site.reconfigure(|text| text.replace("[\"dme-users\"]", "[\"dme-usres\"]"))?;
    wait_until("the misspelt group is told", PATIENCE, || {
        let ready = site.get("/readyz")?;
        Ok(ready.starts_with("HTTP/1.1 503") && ready.contains("dme-usres"))
    })?;
    let groups = give(&site, "dme directory list")?;
    ensure!(groups.contains("\"dme-usres\" is not in the directory"), "{groups}");
    Ok(())
}
