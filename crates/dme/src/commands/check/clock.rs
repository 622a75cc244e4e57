//! The clock of this machine, beside others where others tell theirs.

use super::report::Report;
use crate::commands::when;
use dme_phone::{Address, Tls, Trust};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const STEP: &str = "clock";
/// A clock before this (2026) is wrong, whatever others say.
const NOT_BEFORE: i64 = 1_767_225_600;
/// How far apart clocks may be, in seconds; a comparison itself takes a few.
const APART: u64 = 30;
/// How long a host may take to tell its time.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether it can be right at all.
pub fn alone(report: &mut Report) {
    let now = now();
    if now < NOT_BEFORE {
        let said = format_args!("{} is in the past; certificates will not hold", when(now));
        report.bad(STEP, said);
    } else {
        report.good(STEP, when(now));
    }
}

/// Says that there was nothing to compare it with.
pub fn unknown(report: &mut Report) {
    report.unknown(
        STEP,
        "there is nothing to compare it with: directories and mail servers do not tell theirs; \
         keep it right with NTP",
    );
}

/// Beside the clocks of these hosts, as far as they answer HTTPS. They tell it in plain sight, so
/// that whose certificate they show is no matter.
pub async fn compare(report: &mut Report, hosts: impl Iterator<Item = String>) {
    let Ok(tls) = Tls::new(&Trust::Anyone) else { return unknown(report) };
    let mut asked: Vec<String> = Vec::new();
    for host in hosts {
        if asked.contains(&host) {
            continue;
        }
        let address = Address { tls: true, host: host.clone(), port: 443, path: "/".into() };
        asked.push(host.clone());
        let Ok(Some(date)) = dme_phone::date(&address, &tls, PATIENCE).await else { continue };
        let Some(theirs) = read(&date) else { continue };
        return judge(report, &host, theirs, now());
    }
    unknown(report);
}

fn judge(report: &mut Report, host: &str, theirs: i64, ours: i64) {
    let (apart, direction) = match ours.checked_sub(theirs) {
        Some(ahead) if ahead > 0 => (ahead.unsigned_abs(), "ahead of"),
        behind => (behind.unwrap_or(i64::MIN).unsigned_abs(), "behind"),
    };
    if apart <= APART {
        report.good(STEP, format_args!("as at {host}"));
    } else {
        let said = format_args!("{apart} s {direction} that of {host}; set one of them right");
        report.bad(STEP, said);
    }
}

/// The moment in an HTTP date (RFC 9110 §5.6.7).
fn read(date: &str) -> Option<i64> {
    let date = date.trim().strip_suffix("GMT")?;
    let parsed = jiff::fmt::rfc2822::parse(&format!("{date}+0000")).ok()?;
    Some(parsed.timestamp().as_second())
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_date_is_read() {
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(read("yesterday"), None);
    }

    #[test]
    fn clocks_that_are_far_apart_are_a_failure() {
        for (ours, failures) in [(1_000, 0), (1_030, 0), (970, 0), (1_031, 1), (900, 1)] {
            let mut report = Report::default();
            judge(&mut report, "mail.example.org", 1_000, ours);
            assert_eq!(report.failures, failures, "{ours}");
        }
    }
}
