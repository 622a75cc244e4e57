//! Who kills, and what was killed when.

use crate::property::chance::Chance;
use crate::site::Site;
use anyhow::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What can be killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    Server,
    Connector,
    Dovecot,
    Postfix,
}

/// What was killed, and how mail came in meanwhile.
#[derive(Debug, Default)]
pub struct Report {
    pub kills: Vec<(Part, Instant)>,
    /// Subjects that were delivered to the phone's owner.
    pub delivered: Vec<String>,
}

impl Report {
    /// How often one of these was killed in this time.
    pub fn count(&self, parts: &[Part], from: Instant, to: Instant) -> usize {
        let within =
            |(part, at): &&(Part, Instant)| parts.contains(part) && *at >= from && *at <= to;
        self.kills.iter().filter(within).count()
    }

    pub fn words(&self) -> String {
        let words: Vec<String> = self.kills.iter().map(|(part, _)| format!("{part:?}")).collect();
        words.join(", ")
    }
}

/// Kills and starts again, in a thread of its own.
pub struct Killer {
    over: Arc<AtomicBool>,
    thread: JoinHandle<(Site, Result<Report>)>,
}

impl Killer {
    pub fn start(mut site: Site, seed: u64, storm: Duration) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let told = over.clone();
        let thread = std::thread::spawn(move || {
            let report = kill(&mut site, seed, storm);
            told.store(true, Ordering::SeqCst);
            (site, report)
        });
        Self { over, thread }
    }

    /// Whether everything runs again and nothing more is killed.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Waits until it has ended; the site comes back.
    pub fn end(self) -> (Site, Result<Report>) {
        self.thread.join().expect("the killer does not panic")
    }
}

fn kill(site: &mut Site, seed: u64, storm: Duration) -> Result<Report> {
    let mut chance = Chance::new(!seed);
    let mut report = Report::default();
    let end = Instant::now() + storm;
    let pause = |chance: &mut Chance, longest| {
        std::thread::sleep(Duration::from_millis(chance.below(longest)));
    };
    while Instant::now() < end {
        pause(&mut chance, 900);
        let subject = format!("incoming {seed}.{}", report.delivered.len());
        site.dovecot.deliver("ann@example.org", &mail(&subject))?;
        report.delivered.push(subject);
        let mut parts = vec![part(&mut chance)];
        if chance.one_in(4) {
            parts.push(part(&mut chance));
        }
        for part in &parts {
            pause(&mut chance, 40);
            report.kills.push((*part, Instant::now()));
            match part {
                Part::Server => site.kill_server(),
                Part::Connector => site.kill_connector(),
                Part::Dovecot => site.dovecot.kill(),
                Part::Postfix => site.postfix.kill(),
            }
        }
        pause(&mut chance, 900);
        for part in parts {
            match part {
                Part::Server => site.restart_server()?,
                Part::Connector => site.restart_connector()?,
                Part::Dovecot => site.dovecot.restart()?,
                Part::Postfix => site.postfix.restart()?,
            }
        }
    }
    Ok(report)
}

fn part(chance: &mut Chance) -> Part {
    match chance.below(10) {
        0..3 => Part::Server,
        3..6 => Part::Connector,
        6..8 => Part::Dovecot,
        _ => Part::Postfix,
    }
}

fn mail(subject: &str) -> Vec<u8> {
    let id = subject.replace(' ', "-");
    format!(
        "From: bob@example.org\r\nTo: ann@example.org\r\nSubject: {subject}\r\n\
         Message-ID: <{id}@test>\r\n\r\nHello\r\n"
    )
    .into_bytes()
}
