//! How long a page of the event log takes with a million events in it, by what is asked for:
//! `cargo run --release -p dme-store --example event_pages [directory]`.

#![allow(clippy::print_stdout, reason = "it prints a table")]

use dme_model::Timestamp;
use dme_store::{EventFilter, Level, NewEvent, Store};
use std::time::{Duration, Instant};

const EVENTS: u64 = 1_000_000;
const USERS: u64 = 10_000;
const ROUNDS: u64 = 200;

fn event(n: u64) -> NewEvent {
    let (user, kind) = (n * 7919 % USERS, n % 23);
    NewEvent {
        time: Timestamp::from_millis(i64::try_from(n * 1000).unwrap_or(i64::MAX)),
        level: if n.is_multiple_of(1000) { Level::Error } else { Level::Info },
        kind: format!("kind_{kind}"),
        user: Some(format!("user{user}@example.org").into()),
        device: Some(format!("device{user}").into()),
        connector: Some(format!("connector{}", n % 40)),
        request: Some(format!("69a1b2c3-{n:x}").into()),
        message: format!("mail in folder {}: to the phone: 3 added, 1 changed, 0 deleted", n % 17),
        details: r#"{"folder":5,"class":"mail","bytes":18211,"millis":34,"more":false}"#.into(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    let path = std::path::Path::new(&home).join(format!("event-pages-{}.db", std::process::id()));
    let store = Store::open(&path)?;
    let begun = Instant::now();
    for from in (0..EVENTS).step_by(10_000) {
        store.put_events((from..from + 10_000).map(event).collect()).await?;
    }
    println!("{EVENTS} events written in {:.1} s", begun.elapsed().as_secs_f64());
    let none = EventFilter::default;
    let at =
        |share: u64| Some(Timestamp::from_millis(i64::try_from(share * 10_000_000).unwrap_or(0)));
    let asked: [(&str, &dyn Fn(u64) -> EventFilter); 8] = [
        ("the newest", &|_| none()),
        ("a user", &|n| EventFilter {
            user: Some(format!("user{n}@example.org").into()),
            ..none()
        }),
        ("a device", &|n| EventFilter { device: Some(format!("device{n}").into()), ..none() }),
        ("a connector", &|n| EventFilter {
            connector: Some(format!("connector{}", n % 40)),
            ..none()
        }),
        ("a request", &|n| EventFilter {
            request: Some(format!("69a1b2c3-{n:x}").into()),
            ..none()
        }),
        ("a kind of a connector", &|n| EventFilter {
            kind: Some(format!("kind_{}", n % 23)),
            connector: Some(format!("connector{}", n % 40)),
            ..none()
        }),
        ("errors", &|_| EventFilter { level: Some(Level::Error), ..none() }),
        ("a time, far back", &|n| EventFilter {
            from: at(n % 90),
            until: at(n % 90 + 1),
            ..none()
        }),
    ];
    println!("{:>24} {:>10} {:>10}", "a page of", "half in", "95 % in");
    for (what, filter) in asked {
        let mut took = Vec::new();
        for n in 0..ROUNDS {
            let begun = Instant::now();
            store.events(&filter(n), 100).await?;
            took.push(begun.elapsed());
        }
        took.sort();
        let at = |share: f64| {
            let place = (took.len() as f64 * share) as usize;
            took.get(place).copied().unwrap_or(Duration::ZERO).as_secs_f64() * 1000.0
        };
        println!("{what:>24} {:>7.2} ms {:>7.2} ms", at(0.5), at(0.95));
    }
    let text = EventFilter { text: Some("nowhere".into()), ..none() };
    let begun = Instant::now();
    store.events(&text, 100).await?;
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    println!("{:>24} {took:>7.2} ms, and then from where it stopped", "a word that is rare");
    drop(store);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    Ok(())
}
