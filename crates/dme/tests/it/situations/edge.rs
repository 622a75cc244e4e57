//! The branch's connector is an edge: it serves the phones that are at the branch also while its line
//! is down, and what was decided or done meanwhile goes both ways when the line is there again.

use super::land::{DORA, Land};
use super::{at, gets};
use crate::journey::ready;
use crate::site::PATIENCE;
use anyhow::{Context, Result, anyhow, ensure};
use dme_phone::{Address, Error, Phone, Woken};
use dme_testkit::ports::wait_until;
use std::time::Duration;

pub fn a_branch_goes_on_by_itself(land: &Land) -> Result<()> {
    land.wait_for_all_links()?;
    land.wait_for_edge()?;
    let mut dora = land.roaming_phone(DORA.0, DORA.1)?;
    dora.client.account.device = "DORASPHONE".into();
    let inbox = at(&land.branch, ready(&mut dora))?;
    let listed = land.dme(&["device", "list"])?;
    ensure!(listed.contains("DORASPHONE"), "the server knows who is at its edge: {listed}");

    land.router.cut("branch0")?;
    serves_whom_it_knows(land, &mut dora, &inbox).context("without the line")?;
    let mut new = land.roaming_phone(DORA.0, DORA.1)?;
    new.client.account.device = "NEWPHONE".into();
    waits_for_the_server(land, &mut new).context("a new phone without the line")?;
    // What is decided meanwhile waits for the line.
    land.dme(&["device", "block", DORA.0, "DORASPHONE"])?;
    at(&land.branch, async { dora.sync(&inbox).await.map_err(Into::into).map(drop) })
        .context("nobody there knows that it is blocked")?;
    land.router.mend("branch0")?;

    is_as_decided(land, &mut dora, &inbox).context("blocked at the server")?;
    is_let_in(land, &mut new).context("let in by the server's rules")?;
    land.dme(&["device", "allow", DORA.0, "DORASPHONE"])?;
    goes_to_and_fro(land, &mut dora, &inbox).context("to and fro")?;
    is_wiped(land, &mut dora, &inbox).context("wiped at the branch")?;
    is_no_edge_any_more(land)
}

/// Mail comes and goes, and a waiting phone is woken.
fn serves_whom_it_knows(land: &Land, dora: &mut Phone, inbox: &str) -> Result<()> {
    let arrives = |subject| land.deliver(&land.branch, &land.branches, DORA.0, subject);
    arrives("at the branch alone")?;
    at(&land.branch, gets(dora, inbox, "at the branch alone"))?;
    std::thread::scope(|scope| {
        let delivered = scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(2));
            arrives("wakes it")
        });
        let woken = at(&land.branch, async { Ok(dora.ping(&[inbox], PATIENCE).await?) })?;
        ensure!(matches!(woken, Woken::Changed(_)), "the phone was woken: {woken:?}");
        delivered.join().map_err(|_| anyhow!("the thread that delivers"))?
    })?;
    at(&land.branch, gets(dora, inbox, "wakes it"))?;
    ensure!(dora.events.resynced == 0 && dora.events.told_to_wait == 0, "nothing was noticed");
    Ok(())
}

/// A phone that the edge does not know may not in before the server has decided (rule A7).
fn waits_for_the_server(land: &Land, new: &mut Phone) -> Result<()> {
    let inbox = at(&land.branch, ready(new))?;
    let subjects: Vec<_> = new.items(&inbox)?.values().map(|mail| mail.subject.clone()).collect();
    ensure!(subjects.len() == 1 && subjects[0].contains("approv"), "one mail: {subjects:?}");
    Ok(())
}

fn is_as_decided(land: &Land, dora: &mut Phone, inbox: &str) -> Result<()> {
    wait_until("the edge knows that the phone is blocked", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(200));
        Ok(at(&land.branch, async { Ok(dora.sync(inbox).await) })?.is_err())
    })
}

fn is_let_in(land: &Land, new: &mut Phone) -> Result<()> {
    wait_until("the new phone has Dora's mail", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(200));
        at(&land.branch, async {
            let inbox = ready(new).await?;
            Ok(new.items(&inbox)?.values().any(|mail| mail.subject == "at the branch alone"))
        })
    })
}

/// The same phone goes on where it was, at the server and back at the branch.
fn goes_to_and_fro(land: &Land, dora: &mut Phone, inbox: &str) -> Result<()> {
    let mut moves = |host, address: Address, subject: &str| {
        dora.client.disconnect();
        dora.client.account.address = address;
        land.deliver(&land.branch, &land.branches, DORA.0, subject)?;
        at(host, gets(dora, inbox, subject)).with_context(|| subject.to_owned())
    };
    moves(&land.branch, Land::edge(), "let in again")?;
    moves(&land.phones, Land::server(), "on the way")?;
    moves(&land.branch, Land::edge(), "back at the branch")?;
    ensure!(dora.events.resynced == 0, "no folder began anew: {:?}", dora.events);
    Ok(())
}

/// An order to wipe reaches the phone at the branch, and its receipt the server.
fn is_wiped(land: &Land, dora: &mut Phone, inbox: &str) -> Result<()> {
    land.dme(&["device", "wipe", DORA.0, "DORASPHONE"])?;
    wait_until("the phone is told", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(200));
        Ok(at(&land.branch, async { Ok(dora.sync(inbox).await) })?.is_err())
    })?;
    wait_until("the server has heard of it", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(200));
        Ok(land.dme(&["wipe", "list"])?.contains("acknowledged"))
    })
}

/// The administrator's word ends it at once.
fn is_no_edge_any_more(land: &Land) -> Result<()> {
    land.dme(&["connector", "set", "branch", "--edge", "off"])?;
    let mut late = land.roaming_phone(DORA.0, DORA.1)?;
    wait_until("the edge serves nobody", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(200));
        let refused = at(&land.branch, async { Ok(late.folder_sync().await) })?;
        Ok(!matches!(refused, Ok(_) | Err(Error::Http { .. })))
    })
}
