//! Server and connectors in one process and in a time of their own: a phone lives a random life
//! ([`dme_sync::property`]) while connectors are lost, hang, are cut off from their mail system or see it
//! fail, are drained, have too much to do and come back, between any two calls and in the midst of
//! them. In the end phone and mail system agree, what was sent went out once, and all along whoever has
//! a connector that can serve is served, with what is theirs and nothing else. A phone that waits
//! through all of it is woken after it, and everybody is served by a primary again.
//!
//! What happens follows from a seed. A life that fails names it; `DME_PROPERTY_SEED` plays that one
//! alone, or a range such as `0..5000`.

mod time;
mod weather;
mod world;

use crate::property::chance::{Chance, seeds};
use crate::property::lives::op;
use anyhow::{Context, Result, ensure};
use dme_sync::property::{Fate, Op, run};
use dme_sync::{MemoryStore, StateStore};
use std::sync::Arc;
use weather::Passed;
use world::{Server, World};

const LIVES: u64 = 150;

/// What a life was like.
#[derive(PartialEq)]
struct Lived {
    storms: u32,
    /// How often somebody was served by a substitute though their own could.
    waited: u32,
    /// Every call on its way, and when.
    passed: Vec<Passed>,
}

/// A life in a time, on a thread and with a chance of its own: nothing in it depends on when it is
/// played, and after what.
fn live(server: &Server, seed: u64) -> Result<Lived> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build()?;
    dme_link::seed_random(seed);
    runtime.block_on(life(server, seed))
}

async fn life(server: &Server, seed: u64) -> Result<Lived> {
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
    let told = || format!("seed {seed}\n{}", world.weather.told());
    world.the_parked_are_woken().await.with_context(told)?;
    world.all_are_back().await.with_context(told)?;
    let (storms, passed) = (world.weather.storms(), world.weather.passed());
    Ok(Lived { storms, waited: world.waited(), passed })
}

#[test]
fn whatever_becomes_of_connectors_phones_are_served_and_nothing_is_lost_or_doubled() -> Result<()> {
    let server = Server::new()?;
    let (mut storms, mut waited) = (0, 0);
    let seeds = seeds(LIVES);
    for seed in &seeds {
        let lived = live(&server, *seed)?;
        storms += lived.storms;
        waited += lived.waited;
    }
    ensure!(storms > 0, "the weather was always fine");
    ensure!(waited > 0 || seeds.len() < 20, "everybody came back at once");
    Ok(())
}

#[test]
fn a_life_follows_from_its_seed() -> Result<()> {
    let server = Server::new()?;
    for seed in 0..5 {
        let first = live(&Server::new()?, seed)?;
        // Others may have lived there before.
        live(&server, seed + 100)?;
        let again = live(&server, seed)?;
        let differs = first.passed.iter().zip(&again.passed).position(|(one, other)| one != other);
        let at = differs.unwrap_or(first.passed.len().min(again.passed.len()));
        let around = |lived: &Lived| format!("{:?}", lived.passed.get(at.saturating_sub(3)..=at));
        ensure!(first == again, "seed {seed}: {}\n{}", around(&first), around(&again));
    }
    Ok(())
}
