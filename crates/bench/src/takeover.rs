//! How long phones wait when the process of the connector that serves them ends, and another has to
//! take over.

use crate::load::{Form, Target};
use crate::meter::Times;
use crate::world::{Scale, World, small};
use anyhow::{Context, Result, ensure};
use dme_eas::folder_sync::FolderType;
use dme_phone::Phone;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How many phones ask, each a user's of its own.
pub const PHONES: usize = 8;
/// How often a connector is killed.
const KILLS: usize = 20;
/// Between the requests of a phone: it asks all the time, and does not keep the machine busy.
const PAUSE: Duration = Duration::from_millis(10);
/// How long anything may take to come about.
const PATIENCE: Duration = Duration::from_secs(60);
/// The configurations of the two connectors, and their names.
const CONNECTORS: [(&str, &str); 2] = [("connector", "one"), ("two", "two")];

/// What was measured.
pub struct TakeOver {
    /// Of each phone at each kill: until it had the answer to something it asked afterwards. What was
    /// under way at the kill is answered before that.
    pub times: Times,
    pub kills: usize,
    /// How often a phone was told to come again.
    pub told_again: usize,
}

/// What one phone has seen.
#[derive(Default)]
struct Seen {
    /// When its last answered request was asked and answered.
    last: Mutex<Option<(Instant, Instant)>>,
    told_again: AtomicUsize,
}

impl Seen {
    /// When it had its last answer, if that is to something it asked after a moment. Looked at more
    /// often than it asks, this is the first one.
    fn answered_after(&self, moment: Instant) -> Option<Instant> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.filter(|(asked, _)| *asked >= moment).map(|(_, answered)| answered)
    }
}

/// Kills the connector that serves most phones, until it was done often enough.
///
/// # Errors
/// When a part does not start, or nobody takes over.
pub async fn measure(world: &mut World, target: &Target, scale: &Scale) -> Result<TakeOver> {
    // That of the first is the world's.
    let mut second = world.second_connector()?;
    let target = Target { processes: world.processes().to_vec(), ..target.clone() };
    let users: Vec<String> = small(scale).into_iter().take(PHONES).collect();
    linked(world, 2).await?;
    let (_, phones) =
        target.first_sync(&users, "asks", Form::Html, FolderType::Inbox, scale.small).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut asking = JoinSet::new();
    let mut seen = Vec::new();
    for phone in phones {
        let one = Arc::new(Seen::default());
        // First syncs end in no order.
        seen.push((phone.client.account.user.clone(), one.clone()));
        asking.spawn(ask(phone, one, stop.clone()));
    }
    let mut times = Vec::new();
    for kill in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut theirs: [Vec<&Seen>; 2] = Default::default();
        for (user, one) in &seen {
            theirs[serving(world, user)?].push(one.as_ref());
        }
        let victim = usize::from(theirs[1].len() > theirs[0].len());
        let killed = Instant::now();
        match victim {
            0 => world.connector.kill(),
            _ => second.kill(),
        }
        let mut waiting = std::mem::take(&mut theirs[victim]);
        ensure!(!waiting.is_empty(), "nobody is served at kill {kill}");
        while !waiting.is_empty() {
            ensure!(killed.elapsed() < PATIENCE, "kill {kill}: nobody took over");
            waiting.retain(|one| match one.answered_after(killed) {
                Some(answered) => {
                    times.push(answered - killed);
                    false
                }
                None => true,
            });
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let longest = times.last().map_or(0, Duration::as_millis);
        crate::note(&format!("kill {kill}: all go on, the last after {longest} ms"));
        let again = world.start_connector(CONNECTORS[victim].0)?;
        match victim {
            0 => world.connector = again,
            _ => second = again,
        }
        linked(world, 2).await?;
    }
    stop.store(true, Ordering::SeqCst);
    while let Some(ended) = asking.join_next().await {
        ended??;
    }
    let told_again = seen.iter().map(|(_, one)| one.told_again.load(Ordering::SeqCst)).sum();
    Ok(TakeOver { times: Times::new(times), kills: KILLS, told_again })
}

/// Asks for what is new until it is stopped.
async fn ask(mut phone: Phone, seen: Arc<Seen>, stop: Arc<AtomicBool>) -> Result<()> {
    let folder = phone.folder_of(FolderType::Inbox)?;
    phone.longest_pause = Duration::ZERO;
    while !stop.load(Ordering::SeqCst) {
        let asked = Instant::now();
        match phone.sync_round(&folder).await {
            Ok(_) => {
                let mut last = seen.last.lock().unwrap_or_else(PoisonError::into_inner);
                *last = Some((asked, Instant::now()));
            }
            Err(dme_phone::Error::Http { status: 503, .. })
            | Err(dme_phone::Error::Refused { status: 16, .. }) => {
                seen.told_again.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Which of the connectors serves a user's mail.
fn serving(world: &World, user: &str) -> Result<usize> {
    let said = world.dme(&["route", "explain", user, "mail", "--config", "server.toml"])?;
    let is_served = |(_, name): &(&str, &str)| said.starts_with(&format!("mail: {name}: "));
    CONNECTORS.iter().position(is_served).with_context(|| format!("{user}: {said}"))
}

/// Waits until so many are linked.
async fn linked(world: &World, wanted: usize) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let said = world.dme(&["connector", "list", "--config", "server.toml"])?;
        if said.matches("linked since").count() >= wanted {
            return Ok(());
        }
        ensure!(Instant::now() < end, "not all are linked:\n{said}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
