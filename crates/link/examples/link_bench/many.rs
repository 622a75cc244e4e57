//! What many connectors cost their server: memory of idle links, calls over a hundred of them, and
//! how a thousand come back when the server was gone.

use crate::{Bench, Serving, measure_all, measure_ends, memory, processor};
use std::time::{Duration, Instant};

/// Connectors that are called.
const CALLED: usize = 100;
/// Connectors that come back.
const BACK: usize = 1_000;
/// Pages that were needed for handshakes only are given back within this time.
const SETTLED: Duration = Duration::from_secs(15);
/// How long a server that was killed is away.
const GONE: Duration = Duration::from_secs(5);

pub async fn run(mut bench: Bench) {
    let (first, ids) = bench.connectors("first", CALLED).await;
    let mut mailboxes = Vec::new();
    for id in &ids {
        mailboxes.push(bench.mailbox(id).await);
    }
    measure_all("warming up", &mailboxes, 2_000, 200).await;
    let label = "200 calls at a time, 100 connectors";
    measure_ends(label, &mailboxes, 100_000, 200, &first).await;
    drop((first, mailboxes));
    until_none(&bench).await;

    let (_back, ids) = bench.connectors("back", BACK).await;
    let (begun, cpu) = (Instant::now(), processor(std::process::id()));
    bench.serving.down.send(()).unwrap();
    bench.serving.task.await.unwrap().unwrap();
    (bench.serving, _) = Serving::begin(&bench.links, &bench.address).await;
    came_back(&bench, "after an orderly restart", begun, cpu).await;

    bench.serving.task.abort();
    // The port is closed before the links are, as by a kill.
    let _ = bench.serving.task.await;
    for id in &ids {
        bench.links.close(id);
    }
    tokio::time::sleep(GONE).await;
    let (begun, cpu) = (Instant::now(), processor(std::process::id()));
    (bench.serving, _) = Serving::begin(&bench.links, &bench.address).await;
    came_back(&bench, "after a kill, gone for 5 s", begun, cpu).await;
}

async fn until_none(bench: &Bench) {
    while bench.links.count() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Prints the memory of so many idle links, as soon as they have settled, and after so long.
pub async fn idle(bench: &Bench, count: usize, later: Duration) {
    tokio::time::sleep(SETTLED).await;
    let before = memory(std::process::id());
    let begun = Instant::now();
    let (_idle, _) = bench.connectors("idle", count).await;
    let took = begun.elapsed().as_secs_f64();
    println!("{count} idle links, enrolled and linked in {took:.0} s");
    for after in [SETTLED, later] {
        tokio::time::sleep(after).await;
        let each = (memory(std::process::id()) - before) as f64 / count as f64;
        println!("  {each:.1} KiB of server memory each {:.0} s later", after.as_secs_f64());
    }
}

/// Waits until all are linked, and prints how long that took and how busy the server was.
async fn came_back(bench: &Bench, after: &str, begun: Instant, cpu: f64) {
    let mut half = None;
    loop {
        let linked = bench.links.count();
        if linked >= BACK / 2 {
            half.get_or_insert(begun.elapsed());
        }
        if linked >= BACK {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = begun.elapsed();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let busy = (processor(std::process::id()) - cpu) / took.as_secs_f64() / cores as f64;
    println!(
        "{BACK} connectors {after}: half linked after {:.1} s, all after {:.1} s, {:.0} % of {cores} \
         processors at the server",
        half.unwrap_or(took).as_secs_f64(),
        took.as_secs_f64(),
        busy * 100.0
    );
}
