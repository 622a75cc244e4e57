//! What must be quick or small: a mark that reaches the mail system, a mail that wakes a phone,
//! ten thousand phones that wait.

use crate::imap::Imap;
use crate::load::{Form, Target};
use crate::meter::{Times, resident};
use crate::world::{self, PASSWORD, Scale, World};
use anyhow::{Context, Result, ensure};
use dme_phone::{Phone, Woken};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How long a phone asks to wait: longer than any run, within what the server allows.
pub const HEARTBEAT: Duration = Duration::from_secs(3540);
/// Phones being set up at once.
const SETTING_UP: usize = 64;

/// How long it takes until a phone is told that its mark is in the mail system. Each is then looked
/// up there.
///
/// # Errors
/// When a mark is not there.
pub async fn flags(world: &World, phone: &mut Phone, repeats: usize) -> Result<Times> {
    let inbox = phone.inbox()?;
    let mut imap = Imap::log_in(world.dovecot.imap_port, &phone.client.account.user, PASSWORD)?;
    imap.command("SELECT INBOX")?;
    let before = imap.count_seen()?;
    let items: Vec<String> = phone.items(&inbox)?.keys().take(repeats).cloned().collect();
    let mut times = Vec::new();
    for item in &items {
        let began = Instant::now();
        phone.mark_read(&inbox, item, true).await?;
        times.push(began.elapsed());
        imap.command("NOOP")?;
        let seen = imap.count_seen()?;
        ensure!(seen == before + times.len(), "a mark was answered that IMAP does not have");
    }
    Ok(Times::new(times))
}

/// How long it takes until a waiting phone is told of a delivered mail.
#[derive(Debug)]
pub struct Wakes {
    /// From the delivery's acknowledgement to the mail system's own notice, on another IMAP session
    /// that asked for it (RFC 5465). Dovecot gathers changes for half a second before it tells.
    pub notice: Times,
    /// From that notice to the answered Ping: what is ours.
    pub after_notice: Times,
    /// The whole.
    pub whole: Times,
}

/// Delivers mails to a waiting phone.
///
/// # Errors
/// When the phone is not told.
pub async fn wakes(world: &World, target: &Target, repeats: usize) -> Result<Wakes> {
    let mut phone = target.phone(&world::woken(), "woken", Form::Html);
    phone.folder_sync().await?;
    let inbox = phone.inbox()?;
    phone.sync(&inbox).await?;
    let user = phone.client.account.user.clone();
    let (notices, noticed) = mpsc::channel();
    let mut imap = Imap::log_in(world.dovecot.imap_port, &user, PASSWORD)?;
    imap.command("NOTIFY SET (personal (MessageNew MessageExpunge))")?;
    std::thread::spawn(move || {
        while imap.line().is_ok() {
            if notices.send(Instant::now()).is_err() {
                return;
            }
        }
    });
    let (mut notice, mut after_notice, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..repeats {
        let folder = inbox.clone();
        let waiting = tokio::spawn(async move {
            let woken = phone.ping(&[&folder], HEARTBEAT).await;
            (woken, Instant::now(), phone)
        });
        world.wait_parked(1, Duration::from_secs(30))?;
        while noticed.try_recv().is_ok() {}
        let message = format!(
            "From: a@example.net\r\nTo: {user}\r\nSubject: {number}\r\n\
             Message-ID: <{number}.wake@example.net>\r\n\r\nNew mail.\r\n"
        );
        world.dovecot.deliver(&user, message.as_bytes())?;
        let delivered = Instant::now();
        let (woken, at, back) = waiting.await?;
        ensure!(matches!(woken?, Woken::Changed(_)), "the phone was not told");
        let told = noticed.recv_timeout(Duration::from_secs(10)).context("IMAP gave no notice")?;
        notice.push(told.saturating_duration_since(delivered));
        after_notice.push(at.saturating_duration_since(told));
        whole.push(at.saturating_duration_since(delivered));
        phone = back;
        phone.sync(&inbox).await?;
    }
    let (notice, after_notice) = (Times::new(notice), Times::new(after_notice));
    Ok(Wakes { notice, after_notice, whole: Times::new(whole) })
}

/// What waiting phones cost in memory.
#[derive(Debug)]
pub struct Parked {
    /// How many wait.
    pub phones: usize,
    /// Bytes of the server for each.
    pub server_each: u64,
    /// Bytes of the connector for each user watched, its idle IMAP sessions included.
    pub connector_each: u64,
    /// Seconds to set all of them up: log in, folders, two Syncs, Ping.
    pub seconds: f64,
}

/// Sets up the phones that are to be parked, some at once, and gives each away with its inbox.
///
/// # Errors
/// When one cannot be set up, or is not taken.
pub async fn ready(
    target: &Target,
    scale: &Scale,
    mut take: impl FnMut(Phone, String) -> Result<()>,
) -> Result<()> {
    let turns = Arc::new(Semaphore::new(SETTING_UP));
    let mut starting = JoinSet::new();
    for number in 0..scale.phones_each {
        for user in world::parked(scale) {
            let mut phone = target.phone(&user, &format!("parked{number}"), Form::Html);
            let turns = turns.clone();
            starting.spawn(async move {
                let _turn = turns.acquire().await?;
                phone.folder_sync().await?;
                let inbox = phone.inbox()?;
                phone.sync(&inbox).await?;
                anyhow::Ok((phone, inbox))
            });
        }
        while let Some(ready) = starting.join_next().await {
            let (phone, inbox) = ready??;
            take(phone, inbox)?;
        }
    }
    Ok(())
}

/// Parks phones, each on a TLS connection of its own.
///
/// # Errors
/// When one is not parked.
pub async fn park(world: &World, target: &Target, scale: &Scale) -> Result<Parked> {
    let [server, connector] = world.processes();
    let before = (resident(server)?, resident(connector)?);
    let began = Instant::now();
    let mut waiting = JoinSet::new();
    ready(target, scale, |mut phone, inbox| {
        waiting.spawn(async move { phone.ping(&[&inbox], HEARTBEAT).await });
        match waiting.try_join_next() {
            Some(ended) => anyhow::bail!("a phone did not wait: {:?}", ended?),
            None => Ok(()),
        }
    })
    .await?;
    let phones = waiting.len();
    world.wait_parked(phones, Duration::from_secs(120))?;
    let seconds = began.elapsed().as_secs_f64();
    // What setting up left over is given back to the system after some seconds of rest.
    tokio::time::sleep(Duration::from_secs(15)).await;
    let after = (resident(server)?, resident(connector)?);
    ensure!(world.parked_phones()? == phones, "phones were let go");
    Ok(Parked {
        phones,
        server_each: after.0.saturating_sub(before.0) / phones.max(1) as u64,
        connector_each: after.1.saturating_sub(before.1) / scale.parked_users.max(1) as u64,
        seconds,
    })
}
