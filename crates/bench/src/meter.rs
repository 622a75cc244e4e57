//! What a process used, from `/proc`, and what a row of times comes to.

use anyhow::{Context, Result};
use std::time::Duration;

/// Clock ticks a second in `/proc/PID/stat`: 100 on every Linux that Debian builds (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Seconds of CPU the processes used so far, with all that came from them.
///
/// # Errors
/// When one is not there any more.
pub fn cpu_seconds(processes: &[u32]) -> Result<f64> {
    let mut ticks = 0u64;
    for process in processes {
        read(*process, "stat")?;
        for member in family(*process)? {
            // The time of one that has ended meanwhile is in its parent's.
            let Ok(stat) = read(member, "stat") else { continue };
            // The name stands in brackets and may hold anything; the fields come after it.
            let fields = stat.rsplit_once(')').context("/proc/PID/stat has no name")?.1;
            // utime, stime, cutime, cstime: fields 14 to 17 of proc(5).
            for field in fields.split_whitespace().skip(11).take(4) {
                ticks += field.parse::<u64>().context("/proc/PID/stat")?;
            }
        }
    }
    Ok(ticks as f64 / TICKS)
}

/// Resident memory of a process in bytes.
///
/// # Errors
/// When it is not there any more.
pub fn resident(process: u32) -> Result<u64> {
    let status = read(process, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
    Ok(kilobytes.parse::<u64>()? * 1024)
}

/// A process and all that came from it and still live.
fn family(ancestor: u32) -> Result<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // One that has ended meanwhile is no error.
        let Ok(stat) = read(id, "stat") else { continue };
        let after = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
        let parent = after.split_whitespace().nth(1).and_then(|field| field.parse::<u32>().ok());
        parents.push((id, parent));
    }
    let mut family = vec![ancestor];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(parents.iter().filter(|(_, of)| *of == Some(parent)).map(|(id, _)| *id));
        next += 1;
    }
    Ok(family)
}

fn read(process: u32, file: &str) -> Result<String> {
    std::fs::read_to_string(format!("/proc/{process}/{file}"))
        .with_context(|| format!("process {process} has ended"))
}

/// Times measured, in order of length.
#[derive(Debug, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Puts them in order.
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The time that so many in a hundred do not exceed, in milliseconds (nearest rank).
    pub fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(rank).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
    }
}
