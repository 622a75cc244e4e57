//! The server's database is away.

use super::day::Day;
use super::pair::Pair;
use super::row::{Parked, Row, Sees, Within};
use crate::site::{PATIENCE, Wishes};
use anyhow::{Result, ensure};
use dme_testkit::ports::wait_until;
use dme_testkit::postgres::{Durability, PASSWORD, Postgres};
use std::time::Instant;

pub const AWAY: Row = Row {
    what: "PostgreSQL, where the server's database is in it (`[store] url`)",
    reads: Sees::ComeAgain,
    sends: Sees::ComeAgain,
    parked: Parked::ComeAgain,
    noticed: "in each request; `/readyz` says so",
    within: Within::Seconds(20),
    note: "the server finds it again by itself; what it had answered is there",
};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_crashes_loses_nothing_and_is_found_again() -> Result<()> {
    let mut postgres = Postgres::start(Durability::Full)?;
    let database = postgres.make_database()?;
    let folder = tempfile::tempdir()?;
    let password = folder.path().join("postgres.password");
    std::fs::write(&password, PASSWORD)?;
    let server = format!(
        "[store]\nurl = \"{}?sslmode=verify-full\"\npassword = {{ file = {password:?} }}\n\
         ca_file = {:?}\n",
        postgres.url(&database),
        postgres.ca_file()
    );
    let pair = Pair::start(&Wishes { server }).await?;
    let site = &pair.site;
    ensure!(!site.path("server/dme.db").exists(), "nothing is in SQLite");
    let said = site.dme(&["check", "server"])?;
    ensure!(said.contains("database: PostgreSQL at 127.0.0.1:"), "{said}");

    let mut day = Day::begin(&pair, "ann").await?;
    postgres.kill();
    day.while_down(&AWAY, Instant::now()).await?;
    day.mail_comes(&pair, &AWAY).await?;
    tokio::task::block_in_place(|| {
        wait_until("the server says why it is not ready", PATIENCE, || {
            let said = site.get("/readyz")?;
            Ok(said.starts_with("HTTP/1.1 503") && said.contains("cannot reach PostgreSQL"))
        })
    })?;
    postgres.restart()?;
    day.end(&pair, &AWAY).await?;
    tokio::task::block_in_place(|| site.wait_ready())?;
    ensure!(!site.logs()?.contains(PASSWORD), "the database's password is in a log");
    Ok(())
}
