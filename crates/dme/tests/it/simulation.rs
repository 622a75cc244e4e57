//! Server and connectors in one process and in a time of their own: a phone lives a random life
//! ([`dme_sync::property`]) while connectors are lost, hang, are cut off from their mail system, are
//! drained, have too much to do and come back, between any two calls and in the midst of them. In the
//! end phone and mail system agree, what was sent went out once, and all along whoever has a connector
//! that can serve is served, with what is theirs and nothing else. A phone that waits through all of
//! it is woken after it.
//!
//! What happens follows from a seed. A life that fails names it; `DME_PROPERTY_SEED` plays that one
//! alone, or a range such as `0..5000`.

mod weather;
mod world;

use crate::property::chance::{Chance, seeds};
use crate::property::lives::op;
use anyhow::{Context, Result, ensure};
use dme_sync::property::{Fate, Op, run};
use dme_sync::{MemoryStore, StateStore};
use std::sync::Arc;
use world::{Server, World};

const LIVES: u64 = 150;

async fn live(server: &Server, seed: u64) -> Result<u32> {
    let world = World::new(server, seed).await?;
    let mut chance = Chance::new(seed);
    let begin = std::iter::once(Op::FolderSync { fate: Fate::Answered });
    let events = 20 + chance.below(40);
    let ops: Vec<Op> = begin.chain((0..events).map(|_| op(&mut chance))).collect();
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::default());
    let lived = run(&world, &|| store.clone(), &ops).await;
    lived.map_err(anyhow::Error::msg).with_context(|| {
        let ops: Vec<String> = ops.iter().map(|op| format!("{op:?}")).collect();
        format!("seed {seed}\n{}\n{}\n", world.weather.told(), ops.join("\n"))
    })?;
    let woken = world.the_parked_are_woken().await;
    woken.with_context(|| format!("seed {seed}\n{}", world.weather.told()))?;
    Ok(world.weather.storms())
}

#[tokio::test(start_paused = true)]
async fn whatever_becomes_of_connectors_phones_are_served_and_nothing_is_lost_or_doubled()
-> Result<()> {
    let server = Server::new()?;
    let mut storms = 0;
    for seed in seeds(LIVES) {
        storms += live(&server, seed).await?;
    }
    ensure!(storms > 0, "the weather was always fine");
    Ok(())
}
