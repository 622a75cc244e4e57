//! Who comes back when the server was gone: a thousand connectors and the phones that were parked.

use crate::load::Target;
use crate::meter::cpu_seconds;
use crate::push;
use crate::world::{Scale, World};
use anyhow::{Context, Result, bail};
use dme_link::{
    Connector, ConnectorConfig, ConnectorStatus, CredentialsNeeded, Mailboxes, Services, enroll,
};
use dme_mailbox::memory::MemoryMailSystem;
use dme_phone::Phone;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Connectors that enrol at once.
const ENROLLING: usize = 16;
/// How long a server that was killed is away.
const GONE: Duration = Duration::from_secs(5);
/// How long a server may take to end in order before it is killed.
const ENDING: Duration = Duration::from_secs(30);
/// How soon a phone whose connection broke tries again: within this time, then within twice as long
/// each time.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// By when all have to be back.
const PATIENCE: Duration = Duration::from_secs(300);

/// How the server went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gone {
    /// It was told to end, and started again at once.
    InOrder,
    /// It was killed, and started again five seconds later.
    Killed,
}

/// How they came back. Seconds count from when the server listens again.
#[derive(Debug)]
pub struct Back {
    pub connectors: usize,
    pub phones: usize,
    /// Until half of the connectors were linked.
    pub half_linked: f64,
    /// Until all of them were.
    pub linked: f64,
    /// Until all phones were parked.
    pub parked: f64,
    /// Of all processors of this machine, the server's share until both were.
    pub busy: f64,
    /// How often a phone did not get through, or was told to come again.
    pub in_vain: usize,
}

/// A thousand connectors of nobody's mail, beside the one whose users' phones are parked.
pub struct Crowd {
    links: Vec<watch::Receiver<ConnectorStatus>>,
    /// They end with it.
    _running: JoinSet<dme_link::Result<()>>,
    phones: JoinSet<()>,
    in_vain: Arc<AtomicUsize>,
}

impl Crowd {
    /// Enrols and links the connectors, and parks the phones.
    ///
    /// # Errors
    /// When one is not let in.
    pub async fn gather(world: &World, target: &Target, scale: &Scale) -> Result<Self> {
        let identities = world.new_folder("crowd")?;
        let mut tokens = Vec::new();
        for number in 0..scale.crowd {
            let name = format!("crowd-{number}");
            let order = ["connector", "token", &name, "--approved", "--config", "server.toml"];
            tokens.push((identities.join(&name), world.dme(&order)?));
        }
        let (turns, mut enrolling) = (Arc::new(Semaphore::new(ENROLLING)), JoinSet::new());
        for (folder, token) in tokens {
            let turns = turns.clone();
            enrolling.spawn(async move {
                let _turn = turns.acquire().await?;
                enroll(&token.trim().parse()?, &folder, &[], None).await?;
                anyhow::Ok(folder)
            });
        }
        let (mut links, mut running) = (Vec::new(), JoinSet::new());
        while let Some(enrolled) = enrolling.join_next().await {
            let connector = connector(&enrolled??)?;
            links.push(connector.status());
            running.spawn(connector.run(std::future::pending()));
        }
        let (mut phones, in_vain) = (JoinSet::new(), Arc::<AtomicUsize>::default());
        let mut number = 0;
        push::ready(target, scale, |phone, inbox| {
            number += 1;
            phones.spawn(stays(phone, inbox, number, in_vain.clone()));
            Ok(())
        })
        .await?;
        let crowd = Self { links, _running: running, phones, in_vain };
        crowd.wait(world, Instant::now()).await?;
        Ok(crowd)
    }

    /// Has the server go, and waits until all are back.
    ///
    /// # Errors
    /// When they are not in time, or the server does not start.
    pub async fn after(&self, world: &mut World, gone: Gone) -> Result<Back> {
        match gone {
            Gone::InOrder => world.server.end_by("TERM", ENDING),
            Gone::Killed => {
                world.server.kill();
                tokio::time::sleep(GONE).await;
            }
        }
        self.in_vain.store(0, Ordering::Relaxed);
        world.start_server()?;
        self.wait(world, Instant::now()).await
    }

    async fn wait(&self, world: &World, begun: Instant) -> Result<Back> {
        let server = [world.server.id()];
        let before = cpu_seconds(&server)?;
        let [mut half, mut all, mut parked] = [None; 3];
        while all.is_none() || parked.is_none() {
            let linked = self.links.iter().filter(|link| is_linked(link)).count();
            let now = begun.elapsed();
            if linked * 2 >= self.links.len() {
                half.get_or_insert(now);
            }
            if linked == self.links.len() {
                all.get_or_insert(now);
            }
            let waiting = world.parked_phones().unwrap_or_default();
            if waiting >= self.phones.len() {
                parked.get_or_insert(now);
            }
            if now > PATIENCE {
                bail!(
                    "after {PATIENCE:?} {linked} of {} connectors are linked, {waiting} of {} \
                     phones parked",
                    self.links.len(),
                    self.phones.len()
                );
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let took = begun.elapsed().as_secs_f64();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let seconds = |at: Option<Duration>| at.map_or(f64::NAN, |at| at.as_secs_f64());
        Ok(Back {
            connectors: self.links.len(),
            phones: self.phones.len(),
            half_linked: seconds(half),
            linked: seconds(all),
            parked: seconds(parked),
            busy: (cpu_seconds(&server)? - before) / took / cores as f64,
            in_vain: self.in_vain.load(Ordering::Relaxed),
        })
    }
}

fn is_linked(link: &watch::Receiver<ConnectorStatus>) -> bool {
    matches!(*link.borrow(), ConnectorStatus::Linked { .. })
}

/// One that may serve everybody, and has nobody's mailbox.
fn connector(identity: &Path) -> Result<Connector> {
    let system = Arc::new(MemoryMailSystem::default());
    let mailboxes = Mailboxes::of_mail(system, CredentialsNeeded::None);
    let services = Services { mailboxes: Some(mailboxes), ..Services::default() };
    let config = ConnectorConfig::new(identity.to_owned());
    Connector::new(config, services).context("a connector of the crowd")
}

/// A phone that waits for mail, and does so again whatever comes between.
async fn stays(mut phone: Phone, inbox: String, number: usize, in_vain: Arc<AtomicUsize>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let told_before = phone.events.told_to_wait;
        let woken = phone.ping(&[&inbox], push::HEARTBEAT).await;
        let told = phone.events.told_to_wait - told_before;
        in_vain.fetch_add(told as usize, Ordering::Relaxed);
        if woken.is_ok() {
            pause = FIRST_PAUSE;
            continue;
        }
        let failed = in_vain.fetch_add(1, Ordering::Relaxed);
        // Spread by what differs between phones; the same for each run of it is not needed.
        let part = (number * 7919 + failed * 104_729) % 1000;
        tokio::time::sleep(pause.mul_f64(part as f64 / 1000.0)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
