//! Any part may be killed at any moment: phones see at most a retry.

use crate::journey::{ready, wait_parked};
use crate::property::imap::Client;
use crate::protocol_text::{all, request};
use crate::site::{PATIENCE, Site, USERS, Wishes};
use anyhow::{Context, Result, ensure};
use dme_eas::folder_sync::FolderType;
use dme_eas::query::Command;
use dme_phone::{Phone, Woken};
use dme_testkit::ports::wait_until;
use std::time::{Duration, Instant};

fn mail(subject: &str) -> Vec<u8> {
    format!(
        "From: bob@example.org\r\nTo: ann@example.org\r\nSubject: {subject}\r\n\
         Message-ID: <{}@test>\r\n\r\nHello\r\n",
        subject.replace(' ', "-")
    )
    .into_bytes()
}

async fn anns_phone(site: &Site) -> Result<(Phone, String)> {
    let mut phone = site.phone("ann")?;
    let inbox = ready(&mut phone).await?;
    Ok((phone, inbox))
}

/// Repeats what a phone repeats until the inbox holds exactly these.
async fn comes_to(phone: &mut Phone, inbox: &str, subjects: &[&str]) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let synced = phone.sync(inbox).await;
        let mut have: Vec<String> =
            phone.items(inbox)?.values().map(|mail| mail.subject.clone()).collect();
        have.sort();
        if synced.is_ok() && have == subjects {
            return Ok(());
        }
        ensure!(Instant::now() < end, "the phone has {have:?}, and the last sync: {synced:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_connector_leaves_the_phone_parked_and_is_replaced() -> Result<()> {
    let mut site = Site::start(&Wishes::default())?;
    let (mut phone, inbox) = anns_phone(&site).await?;
    let mut waiting = site.phone("ann")?;
    waiting.client.account.device = "waiting".into();
    waiting.folder_sync().await?;
    waiting.sync(&inbox).await?;
    let inbox_of_waiting = inbox.clone();
    let parked = tokio::spawn(async move {
        let woken = waiting.ping(&[&inbox_of_waiting], Duration::from_secs(3000)).await;
        (waiting, woken)
    });
    wait_parked(&site, 1).await?;
    site.kill_connector();
    site.dovecot.deliver("ann@example.org", &mail("while away"))?;
    phone.longest_pause = Duration::ZERO;
    let refused = phone.sync(&inbox).await;
    ensure!(refused.is_err(), "without a connector a phone is told to come later: {refused:?}");
    site.restart_connector()?;
    let (_, woken) = tokio::time::timeout(PATIENCE, parked).await??;
    ensure!(woken? == Woken::Changed(vec![inbox.clone()]), "the parked phone was woken");
    comes_to(&mut phone, &inbox, &["while away"]).await
}

/// After longer than a call may take (`times.call`): what the phone is then told is looked up anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_sync_tells_of_every_folder_that_changed_while_the_connector_was_away()
-> Result<()> {
    let mut site = Site::start(&Wishes { server: "[times]\ncall = \"2s\"\n".into() })?;
    let (mut phone, inbox) = anns_phone(&site).await?;
    let trash = phone.folder_of(FolderType::Deleted)?;
    phone.sync(&trash).await?;
    let collection = |id: &str| {
        let key = &phone.folder(id)?.sync_key;
        Ok(format!(
            "<Collection><SyncKey>{key}</SyncKey><CollectionId>{id}</CollectionId></Collection>"
        ))
    };
    let both: Result<String> = [&inbox, &trash].into_iter().map(|id| collection(id)).collect();
    let asked =
        format!("<AirSync:Sync><Collections>{}</Collections><Wait>5</Wait></AirSync:Sync>", both?);
    let asked = request(&asked, &[])?;
    let wait = Duration::from_secs(300);
    let waiting =
        tokio::spawn(
            async move { phone.client.send_element(Command::Sync, Some(asked), wait).await },
        );
    wait_parked(&site, 1).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    site.kill_connector();
    let mut other = Client::login(site.dovecot.imap_port, "ann@example.org", USERS[0].1)?;
    other.append("INBOX", "", None, &mail("in the inbox"))?;
    other.append("Trash", "", None, &mail("in the trash"))?;
    site.restart_connector()?;
    let answer = tokio::time::timeout(PATIENCE, waiting).await???.context("nothing was told")?;
    let told = all(&answer, "Collections/Collection/Commands/Add").len();
    ensure!(told == 2, "{}", answer.with_contents());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_forgets_nothing() -> Result<()> {
    let mut site = Site::start(&Wishes::default())?;
    site.dovecot.deliver("ann@example.org", &mail("one"))?;
    let (mut phone, inbox) = anns_phone(&site).await?;
    site.crash_server()?;
    site.dovecot.deliver("ann@example.org", &mail("two"))?;
    phone.client.disconnect();
    comes_to(&mut phone, &inbox, &["one", "two"]).await?;
    ensure!(phone.events.resynced == 0, "no folder had to begin anew");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_mail_systems_cost_a_retry() -> Result<()> {
    let mut site = Site::start(&Wishes::default())?;
    site.dovecot.deliver("ann@example.org", &mail("one"))?;
    let (mut phone, inbox) = anns_phone(&site).await?;
    phone.longest_pause = Duration::ZERO;
    site.dovecot.kill();
    let refused = phone.sync(&inbox).await;
    ensure!(refused.is_err(), "without IMAP a phone is told to come later: {refused:?}");
    site.dovecot.restart()?;
    site.dovecot.deliver("ann@example.org", &mail("two"))?;
    comes_to(&mut phone, &inbox, &["one", "two"]).await?;

    let message = b"From: ann@example.org\r\nTo: bob@example.org\r\nSubject: kept\r\n\r\nHi\r\n";
    let message = dme_eas::compose::Message {
        client_id: Some("kept".into()),
        account_id: None,
        save_in_sent: dme_eas::compose::SaveInSent::Yes,
        mime: bytes::Bytes::from_static(message),
    };
    site.postfix.kill();
    let refused = phone.client.send_mail(&message).await;
    ensure!(
        !matches!(refused, Ok(dme_eas::compose::Response::Sent)),
        "without SMTP nothing counts as sent: {refused:?}"
    );
    site.postfix.restart()?;
    let end = Instant::now() + PATIENCE;
    loop {
        let sent = phone.client.send_mail(&message).await;
        if matches!(sent, Ok(dme_eas::compose::Response::Sent)) {
            break;
        }
        ensure!(Instant::now() < end, "the message is never sent: {sent:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let mut bob = site.phone("bob")?;
    bob.folder_sync().await?;
    let inbox = bob.inbox()?;
    comes_to(&mut bob, &inbox, &["kept"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_down_lets_waiting_phones_go() -> Result<()> {
    let mut site = Site::start(&Wishes::default())?;
    let (mut phone, inbox) = anns_phone(&site).await?;
    let parked = tokio::spawn(async move {
        let woken = phone.ping(&[&inbox], Duration::from_secs(3000)).await;
        (phone, inbox, woken)
    });
    wait_parked(&site, 1).await?;
    let began = Instant::now();
    site.server.stop();
    let (_, _, woken) = tokio::time::timeout(PATIENCE, parked).await??;
    ensure!(woken? == Woken::Expired, "the phone was answered, not cut off");
    ensure!(began.elapsed() < PATIENCE, "and the server ended");
    Ok(())
}

/// What `dme status` says, whether all is well or not.
fn status(site: &Site) -> Result<String> {
    let mut dme = std::process::Command::new(env!("CARGO_BIN_EXE_dme"));
    let asked = dme.args(["status", "--config", "server.toml"]).current_dir(site.path(""));
    Ok(String::from_utf8(asked.output()?.stdout)?)
}

/// Has the phone synchronise until `dme status` says this, or does not any more.
async fn told(
    site: &Site,
    (phone, inbox): (&mut Phone, &str),
    words: &str,
    is_said: bool,
) -> Result<()> {
    // What connectors count is told and looked at four times a minute.
    let end = Instant::now() + 2 * PATIENCE;
    loop {
        let _ = phone.sync(inbox).await;
        let said = status(site)?;
        if said.contains(words) == is_said {
            return Ok(());
        }
        ensure!(Instant::now() < end, "{words:?} is said: {}: {said}", !is_said);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_is_told_of_a_mail_system_that_fails_and_of_users_whom_nobody_serves()
-> Result<()> {
    let mut site = Site::start(&Wishes::default())?;
    let (mut phone, inbox) = anns_phone(&site).await?;
    phone.longest_pause = Duration::ZERO;
    let (fails, unserved) = ("imap (mail) fails most calls", "Nobody could serve the mail of one");
    let said = status(&site)?;
    ensure!(!said.contains(fails) && !said.contains(unserved), "{said}");
    site.dovecot.kill();
    told(&site, (&mut phone, &inbox), fails, true).await?;
    ensure!(site.dme(&["connector", "list"])?.contains("; most fail since"));
    site.dovecot.restart()?;
    told(&site, (&mut phone, &inbox), fails, false).await?;

    site.kill_connector();
    told(&site, (&mut phone, &inbox), unserved, true).await?;
    // The log is written beside the answers.
    wait_until("the log has it", PATIENCE, || {
        let events = site.dme(&["log", "list", "--kind", "mail_unserved"])?;
        Ok(events.contains("ann@example.org"))
    })?;
    site.restart_connector()?;
    told(&site, (&mut phone, &inbox), unserved, false).await
}
