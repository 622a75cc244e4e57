//! A disk is full.

use super::day::Day;
use super::pair::Pair;
use super::row::{Parked, Row, Sees, Within};
use crate::site::Wishes;
use anyhow::{Result, ensure};
use dme_testkit::disk::SmallDisk;
use std::time::Instant;

pub const OF_THE_CONNECTOR: Row = Row {
    what: "the disk of a connector's host is full",
    reads: Sees::Nothing,
    sends: Sees::Nothing,
    parked: Parked::Woken,
    noticed: "when its certificate is to be renewed; it says so in its log and tries again",
    within: Within::Seconds(5),
    note: "a connector keeps nothing on disk but its key and certificate",
};

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_needs_no_disk_to_serve() -> Result<()> {
    // It goes after all that lies on it.
    let disk;
    let mut pair = Pair::start(&Wishes::default()).await?;
    pair.site.kill_connector();
    disk = SmallDisk::instead_of(&pair.site.path("connector"), 1)?;
    disk.fill()?;
    pair.site.restart_connector()?;
    pair.wait_linked("branch")?;
    pair.wait_serving("ann", "branch")?;
    let mut day = Day::begin(&pair, "ann").await?;
    day.while_down(&OF_THE_CONNECTOR, Instant::now()).await?;
    day.mail_comes(&pair, &OF_THE_CONNECTOR).await?;
    ensure!(pair.route("ann")?["serving"] == "branch", "it serves on");
    disk.free()?;
    day.end(&pair, &OF_THE_CONNECTOR).await
}

pub const OF_THE_SERVER: Row = Row {
    what: "the server's disk is full",
    reads: Sees::AtTimes,
    sends: Sees::ComeAgain,
    parked: Parked::Woken,
    noticed: "at the next write to the database",
    within: Within::Seconds(15),
    note: "phones that are told nothing new are answered; nothing is acknowledged that is not \
           written down",
};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_disk_is_full_loses_nothing() -> Result<()> {
    // It goes after all that lies on it.
    let disk;
    let mut pair = Pair::start(&Wishes::default()).await?;
    pair.site.kill_server();
    disk = SmallDisk::instead_of(&pair.site.path("server"), 16)?;
    pair.site.restart_server()?;
    pair.wait_linked("branch")?;
    pair.wait_linked("spare")?;
    pair.site.wait_ready()?;
    let mut day = Day::begin(&pair, "ann").await?;
    disk.fill()?;
    day.while_down(&OF_THE_SERVER, Instant::now()).await?;
    day.mail_comes(&pair, &OF_THE_SERVER).await?;
    disk.free()?;
    day.end(&pair, &OF_THE_SERVER).await
}
