//! What works when something is down: each failure is made to happen to real parts while phones
//! read, send and wait, and each test states in its [`Row`](row::Row) what they may see of it.
//!
//! `docs/failures.md` is made of these rows: `DME_WRITE_FAILURES=1` writes it anew.

mod clocks;
mod connectors;
mod databases;
mod day;
mod disks;
mod limits;
mod pair;
mod row;
mod ways;
mod windows;

use anyhow::{Result, ensure};
use std::path::Path;

const HEAD: &str = include_str!("failures/head.md");
const FOOT: &str = include_str!("failures/foot.md");

/// Every row, in the order of the table.
const ROWS: [&row::Row; 15] = [
    &connectors::KILLED,
    &connectors::FROZEN,
    &connectors::DRAINED,
    &connectors::ALONE,
    &connectors::KEPT,
    &windows::OFF_HOURS,
    &ways::UNREACHED,
    &ways::UNSENDING,
    &limits::SLOW,
    &limits::EXHAUSTED,
    &disks::OF_THE_CONNECTOR,
    &disks::OF_THE_SERVER,
    &databases::AWAY,
    &clocks::WRONG,
    &clocks::EXPIRED,
];

#[test]
fn the_table_says_what_the_tests_hold_true() -> Result<()> {
    let lines = ROWS.map(row::Row::line).concat();
    let text = format!("{HEAD}{}{lines}{FOOT}", row::TITLES);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/failures.md");
    if std::env::var_os("DME_WRITE_FAILURES").is_some() {
        std::fs::write(&path, &text)?;
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    ensure!(written == text, "docs/failures.md differs: write it anew with DME_WRITE_FAILURES=1");
    Ok(())
}
