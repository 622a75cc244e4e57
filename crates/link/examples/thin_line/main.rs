//! Measures a link over a thin and bad line, as root: 600 ms of round trip, 64 kbit/s, 5 % of the
//! packets lost, the line gone for 12 s of each minute.
//!
//! ```text
//! thin_line              mail both ways over the bad line, and content over it and a clean one
//! thin_line --short      mail alone, in half a minute; fails where anything is lost or doubled
//! thin_line --bulk       content alone; with the name of a line, over that one
//! thin_line --idle 900   what an idle metered link sends in so many seconds
//! ```
//!
//! Server and connector run in network namespaces of their own, made and removed here. Content is
//! measured on several lines: one that loses nothing, one that loses packets (with `bbr` and `cubic`,
//! and again with 1 Mbit/s), the bad one, and one that is gone for two of each ten minutes (`rare`); on
//! those called `soon` TCP looks each three seconds at the latest whether the line is back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement for people, which may stop at any surprise"
)]

mod line;
mod mail;

use line::Quality;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 253, 77, 1);
const CONNECTOR: Ipv4Addr = Ipv4Addr::new(10, 253, 77, 2);
/// Bits a second.
const RATE: u64 = 64_000;

/// The longest wait of TCP before it tries again, in milliseconds, on the lines called `soon`.
const SOON: u32 = 3_000;

/// Two namespaces and the line between them, gone when dropped.
struct World {
    dir: tempfile::TempDir,
    children: Vec<Child>,
}

impl World {
    fn new(line: &str) -> Self {
        let mut world = Self { dir: tempfile::tempdir().unwrap(), children: Vec::new() };
        for end in ["server", "connector"] {
            ip(&["netns", "add", &name(end)]);
            ip(&["-n", &name(end), "link", "set", "lo", "up"]);
            if line.contains("soon") {
                // Linux 6.15 and newer.
                let often = format!("echo {SOON} > /proc/sys/net/ipv4/tcp_rto_max_ms");
                ip(&["netns", "exec", &name(end), "sh", "-c", &often]);
            }
        }
        for end in ["server", "connector"] {
            world.run(end, &["line", end, line]);
        }
        for end in ["server", "connector"] {
            wait_for(&world.dir.path().join(end));
        }
        world
    }

    /// Runs this program in an end's namespace.
    fn run(&mut self, end: &str, arguments: &[&str]) -> &mut Child {
        let child = Command::new("ip")
            .args(["netns", "exec", &name(end)])
            .arg(std::env::current_exe().unwrap())
            .arg(self.dir.path())
            .args(arguments)
            .spawn()
            .unwrap();
        self.children.push(child);
        self.children.last_mut().unwrap()
    }

    /// The scenario, which the server runs; whether all went well.
    fn play(&mut self, scenario: &str, more: &str) -> bool {
        self.run("connector", &["connector", scenario, more]);
        self.run("server", &["server", scenario, more]).wait().unwrap().success()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
        for end in ["server", "connector"] {
            ip(&["netns", "del", &name(end)]);
        }
    }
}

fn name(end: &str) -> String {
    format!("thin-{end}-{}", std::process::id())
}

fn ip(arguments: &[&str]) {
    assert!(Command::new("ip").args(arguments).status().unwrap().success(), "ip {arguments:?}");
}

/// Waits until a file is there.
fn wait_for(path: &Path) {
    while !path.exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Bits a second.
fn rate(line: &str) -> u64 {
    if line.contains("fast") { 16 * RATE } else { RATE }
}

fn quality(line: &str) -> Quality {
    let second = Duration::from_secs(1);
    let gone = match line {
        line if line.contains("steady") => (Duration::ZERO, Duration::ZERO),
        line if line.contains("short") => (3 * second, 15 * second),
        line if line.contains("idle") || line.contains("rare") => (120 * second, 600 * second),
        _ => (12 * second, 60 * second),
    };
    let loss = if line.contains("clean") { 0.0 } else { 0.05 };
    Quality { delay: Duration::from_millis(300), rate: rate(line), loss, gone }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match arguments.as_slice() {
        [dir, "line", end, line] => {
            let (dir, line) = (PathBuf::from(dir), quality(line));
            runtime.block_on(async {
                if *end == "server" {
                    line::carry(&dir, "server", "connector", SERVER, CONNECTOR, line).await;
                } else {
                    line::carry(&dir, "connector", "server", CONNECTOR, SERVER, line).await;
                }
            });
        }
        [dir, "server", scenario, more] => {
            runtime.block_on(mail::server(&PathBuf::from(dir), scenario, more));
        }
        [dir, "connector", scenario, more] => {
            runtime.block_on(mail::connector(&PathBuf::from(dir), scenario, more));
        }
        options => parent(options),
    }
}

fn parent(options: &[&str]) {
    let line = options.join(" ");
    let fine = match options {
        ["--idle", seconds, ..] => World::new(&line).play("idle", seconds),
        ["--short", ..] => World::new(&line).play("mail", "short"),
        ["--bulk"] => bulk(None),
        ["--bulk", line, ..] => bulk(Some(line)),
        _ => {
            let mail = World::new(&line).play("mail", "long");
            mail && bulk(None)
        }
    };
    std::process::exit(i32::from(!fine));
}

/// Content over several lines, or one.
fn bulk(only: Option<&str>) -> bool {
    let lines = [
        ("clean steady", "bbr"),
        ("steady", "bbr"),
        ("steady", "cubic"),
        ("", "bbr"),
        ("soon", "bbr"),
        ("rare", "bbr"),
        ("rare soon", "bbr"),
        ("fast steady", "bbr"),
        ("fast steady", "cubic"),
    ];
    let wanted = lines.into_iter().filter(|(line, _)| only.is_none_or(|only| *line == only));
    let fine = wanted.map(|(line, congestion)| {
        println!("content with {congestion} over a line that is `{line}`:");
        World::new(line).play("bulk", &format!("{congestion} {line}"))
    });
    // All of them, whatever came of the first.
    fine.collect::<Vec<_>>().iter().all(|fine| *fine)
}
