//! The four situations that the whole is for, on hosts of their own with firewalls between them: an
//! expensive line to a branch, no way into a branch, two mail systems side by side, and several
//! connectors that take over from each other.

mod edge;
mod land;

use crate::journey::ready;
use crate::site::{PATIENCE, USERS};
use anyhow::{Context, Result, ensure};
use dme_phone::{Error, Phone};
use dme_testkit::host::Host;
use land::{CARL, DORA, Land};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

#[test]
fn the_four_situations_on_hosts_with_firewalls_between_them() -> Result<()> {
    let land = Land::start()?;
    no_way_leads_into_a_branch(&land)?;
    at(&land.phones, async {
        two_mail_systems(&land).await.context("two mail systems")?;
        an_unstable_line(&land).await.context("an unstable line")?;
        taking_over(&land).await.context("taking over")?;
        divided_by_group(&land).await.context("divided by group")
    })?;
    edge::a_branch_goes_on_by_itself(&land).context("a branch goes on by itself")
}

/// What phones do at a host: sockets are made where they are used.
fn at<T: Send>(host: &Host, what: impl Future<Output = Result<T>> + Send) -> Result<T> {
    host.inside(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(what)
    })
}

/// Something listens there, and neither the server nor anybody else gets to it from outside.
fn no_way_leads_into_a_branch(land: &Land) -> Result<()> {
    for (host, address) in [(&land.branch, land::BRANCH), (&land.bought, land::BOUGHT)] {
        let place: SocketAddr = format!("{address}:9999").parse()?;
        let reach =
            || Ok(TcpStream::connect_timeout(&place, Duration::from_secs(1)).map(drop).is_ok());
        let _listener = host.inside(|| Ok(std::net::TcpListener::bind(place)?))?;
        ensure!(host.inside(reach)?, "something listens at {place}");
        for outside in [&land.head, &land.phones, &land.second] {
            ensure!(!outside.inside(reach)?, "{place} was reached from outside");
        }
    }
    Ok(())
}

async fn ready_phone(land: &Land, login: &str, password: &str) -> Result<(Phone, String)> {
    let mut phone = land.phone(login, password)?;
    let inbox = ready(&mut phone).await?;
    phone.longest_pause = Duration::ZERO;
    Ok((phone, inbox))
}

/// Repeats what a phone repeats until it has a mail with this subject.
async fn gets(phone: &mut Phone, inbox: &str, subject: &str) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let synced = phone.sync(inbox).await;
        if phone.items(inbox)?.values().any(|mail| mail.subject == subject) {
            return Ok(());
        }
        ensure!(Instant::now() < end, "{subject:?} never came; the last sync: {synced:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The company that was bought keeps its mail system and its directory.
async fn two_mail_systems(land: &Land) -> Result<()> {
    let (mut ann, anns) = ready_phone(land, "ann@example.org", USERS[0].1).await?;
    let (mut carl, carls) = ready_phone(land, CARL.0, CARL.1).await?;
    land.deliver(&land.office, &land.offices, "ann@example.org", "to Ann")?;
    land.deliver(&land.bought, &land.boughts, CARL.0, "to Carl")?;
    gets(&mut ann, &anns, "to Ann").await?;
    gets(&mut carl, &carls, "to Carl").await?;
    ensure!(ann.items(&anns)?.len() == 1 && carl.items(&carls)?.len() == 1, "each has their own");
    ensure!(land.dme(&["route", "explain", CARL.0, "mail"])?.starts_with("mail: bought: "));
    Ok(())
}

/// The branch has its own mail system behind a line that fails. A phone of the branch that is away
/// from it waits until the line is there again.
async fn an_unstable_line(land: &Land) -> Result<()> {
    let (mut dora, inbox) = ready_phone(land, DORA.0, DORA.1).await?;
    let (mut ann, anns) = ready_phone(land, "ann@example.org", USERS[0].1).await?;
    land.router.cut("branch0")?;
    land.deliver(&land.branch, &land.branches, DORA.0, "while the line was down")?;
    let refused = dora.sync(&inbox).await;
    let Err(Error::Http { status: 503, retry_after: Some(_), .. }) = refused else {
        anyhow::bail!("without the line, a phone is told when to come again: {refused:?}")
    };
    ann.sync(&anns).await.context("others do not notice")?;
    land.router.mend("branch0")?;
    gets(&mut dora, &inbox, "while the line was down").await?;
    ensure!(dora.events.resynced == 0, "no folder began anew");
    Ok(())
}

/// Two hosts have connectors before the office's mail system; one of them is cut off.
async fn taking_over(land: &Land) -> Result<()> {
    let (mut ann, inbox) = ready_phone(land, "ann@example.org", USERS[0].1).await?;
    let said = land.dme(&["route", "explain", "ann", "mail"])?;
    let (one, other, device) = match said.starts_with("mail: first: ") {
        true => ("first", "second", "first0"),
        false => ("second", "first", "second0"),
    };
    ensure!(said.contains(&format!("next would be {other}")), "{said}");
    land.router.cut(device)?;
    ann.sync(&inbox).await.with_context(|| format!("{one} is cut off within a request"))?;
    let said = land.dme(&["route", "explain", "ann", "mail"])?;
    ensure!(said.contains(&format!("mail: {other}: ")), "{said}");
    land.deliver(&land.office, &land.offices, "ann@example.org", "through the other")?;
    gets(&mut ann, &inbox, "through the other").await?;
    land.router.mend(device)?;
    ensure!(ann.events.told_to_wait == 0, "and nobody noticed");
    Ok(())
}

/// The two connectors share the office's users by group. One is cut off: its user waits, the other's
/// notices nothing; and when the other may stand in, the one who waited is served by it.
async fn divided_by_group(land: &Land) -> Result<()> {
    let (mut ann, anns) = ready_phone(land, "ann@example.org", USERS[0].1).await?;
    let (mut bob, bobs) = ready_phone(land, "bob@example.org", USERS[1].1).await?;
    land.wait_for_all_links()?;
    let set = |name: &str, what: &[&str]| land.dme(&[&["connector", "set", name], what].concat());
    set("first", &["--scope", "group:north"])?;
    set("second", &["--scope", "group:south"])?;
    ann.sync(&anns).await?;
    bob.sync(&bobs).await?;
    let explain = |user: &str| land.dme(&["route", "explain", user, "mail"]);
    for (user, name) in [("ann", "first"), ("bob", "second")] {
        let said = explain(user)?;
        ensure!(said.starts_with(&format!("mail: {name}: ")), "{user}: {said}");
        ensure!(said.contains("the user is outside its scope"), "{user}: {said}");
    }
    let simulated = land.dme(&["route", "simulate", "--down", "first"])?;
    ensure!(simulated.contains("from first to nobody\n  ann@example.org"), "{simulated}");

    land.router.cut("first0")?;
    let refused = ann.sync(&anns).await;
    let Err(Error::Http { status: 503, retry_after: Some(_), .. }) = refused else {
        anyhow::bail!("whom nobody else may serve is told when to come again: {refused:?}")
    };
    land.deliver(&land.office, &land.offices, "bob@example.org", "to Bob, meanwhile")?;
    gets(&mut bob, &bobs, "to Bob, meanwhile").await?;
    ensure!(bob.events.told_to_wait == 0, "Bob noticed nothing");

    set("second", &["--scope", "everyone", "--tier", "failover"])?;
    land.deliver(&land.office, &land.offices, "ann@example.org", "to Ann, by the other")?;
    gets(&mut ann, &anns, "to Ann, by the other").await?;
    let said = explain("ann")?;
    ensure!(said.starts_with("mail: second: no primary can"), "{said}");
    ensure!(said.contains("not linked"), "{said}");
    land.router.mend("first0")?;
    ensure!(ann.events.resynced == 0 && bob.events.resynced == 0, "no folder began anew");
    Ok(())
}
