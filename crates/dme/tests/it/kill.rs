//! Kill episodes: a phone lives its life while server, connector, Dovecot and Postfix are killed at
//! random moments and started again. In the end phone and mail system agree, what was sent arrived
//! once, nothing is lost, and the phone was never told anything worse than to come again.
//!
//! What a phone does and what is killed when follow from a seed, which is named where an episode
//! fails; `DME_PROPERTY_SEED` plays that one alone. How the two meet is chance.

mod judge;
mod killer;
mod life;

use crate::property::chance::seeds;
use crate::site::{Site, Wishes};
use anyhow::{Context, Result};
use judge::judge;
use killer::Killer;
use life::Life;
use std::time::Duration;

const EPISODES: u64 = 3;
/// How long things are killed in one episode.
const STORM: Duration = Duration::from_secs(16);

/// People are read again at once, so that the directory is asked while parts of the way are gone.
const WISHES: &str = "[logins]\nrefresh = \"1s\"\n[limits]\nrequests_per_minute = 6000\n";

/// Plays one; the site comes back, so that its folder is kept where the episode failed.
async fn episode(site: Site, seed: u64) -> (Site, Result<()>) {
    let mut life = match Life::begin(&site, seed).await {
        Ok(life) => life,
        Err(error) => return (site, Err(error)),
    };
    let killer = Killer::start(site, seed, STORM);
    let lived = life.live(|| killer.is_over()).await;
    let (site, report) = killer.end();
    let judged = async {
        let report = report?;
        lived.with_context(|| format!("killed were {}", report.words()))?;
        life.settle(&site).await?;
        judge(&site, &life, &report)
    };
    let judged = judged.await;
    (site, judged)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_sent_twice_whatever_is_killed() {
    let wishes = Wishes { server: WISHES.to_owned() };
    let mut site = Site::start(&wishes).expect("the site starts");
    for seed in seeds(EPISODES) {
        eprintln!("kill episode, seed {seed}");
        let (same, ended) = episode(site, seed).await;
        site = same;
        // The site's folder is kept, with the logs.
        ended.unwrap_or_else(|error| panic!("seed {seed}: {error:#}"));
    }
}
