//! A connector is gone, in every way in which one can be.

use super::day::Day;
use super::pair::Pair;
use super::row::{Parked, Row, Sees, Within};
use crate::site::Wishes;
use anyhow::{Result, ensure};
use dme_connector::LinkConfig;
use std::time::{Duration, Instant};

pub const KILLED: Row = Row {
    what: "a connector's process; another connector has the mailbox too",
    reads: Sees::Nothing,
    sends: Sees::OneRetry,
    parked: Parked::WokenByTheOther,
    noticed: "at once",
    within: Within::Seconds(5),
    note: "back again, it gets its users back one by one within a minute",
};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_connector_is_replaced_by_the_other() -> Result<()> {
    let mut pair = Pair::start(&Wishes::default()).await?;
    let mut day = Day::begin(&pair, "ann").await?;
    pair.site.kill_connector();
    let failed = Instant::now();
    pair.wait_taken_over("ann", "spare", &KILLED, failed)?;
    day.while_down(&KILLED, failed).await?;
    let route = pair.route("ann")?;
    ensure!(route["home"] == "branch", "she stays at home at branch: {route:#}");
    let of_branch = route["candidates"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["connector"] == "branch");
    ensure!(format!("{of_branch:?}").contains("not linked"), "{route:#}");
    day.mail_comes(&pair, &KILLED).await?;
    pair.site.restart_connector()?;
    pair.wait_linked("branch")?;
    day.end(&pair, &KILLED).await
}

pub const FROZEN: Row = Row {
    what: "a connector that hangs, or whose line is cut; another has the mailbox too",
    reads: Sees::Nothing,
    sends: Sees::OneRetry,
    parked: Parked::WokenByTheOther,
    noticed: "after `link.keepalive` and `link.keepalive_timeout`, 25 s by default",
    within: Within::Seconds(35),
    note: "what was under way waits for that long, and is then read elsewhere",
};

/// A dead connector is noticed within that (rule L4).
const NOTICED: Duration = Duration::from_secs(30);

#[test]
fn a_line_that_hangs_is_noticed_within_thirty_seconds_by_default() {
    let alive = LinkConfig::default().keep_alive();
    assert_eq!(alive.interval + alive.timeout, Duration::from_secs(25), "as the row says");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_connector_is_replaced_by_the_other() -> Result<()> {
    // By the times that hold where nobody sets others.
    let pair = Pair::linked_so(&Wishes::default(), "").await?;
    let mut day = Day::begin(&pair, "ann").await?;
    pair.site.connector.freeze();
    let failed = Instant::now();
    pair.wait_lost_within("branch", NOTICED)?;
    pair.wait_taken_over("ann", "spare", &FROZEN, failed)?;
    day.while_down(&FROZEN, failed).await?;
    day.mail_comes(&pair, &FROZEN).await?;
    pair.site.connector.thaw();
    pair.wait_linked("branch")?;
    day.end(&pair, &FROZEN).await
}

pub const DRAINED: Row = Row {
    what: "a connector that is drained for maintenance, then stopped; another has the mailbox too",
    reads: Sees::Nothing,
    sends: Sees::Nothing,
    parked: Parked::WokenByTheOther,
    noticed: "it is ordered: `dme connector drain`",
    within: Within::Seconds(5),
    note: "`dme connector resume` ends it; its users come back within a minute",
};

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_connector_is_left_without_a_failed_request() -> Result<()> {
    let mut pair = Pair::start(&Wishes::default()).await?;
    let mut day = Day::begin(&pair, "ann").await?;
    let ordered = Instant::now();
    pair.site.dme(&["connector", "drain", "branch"])?;
    pair.wait_taken_over("ann", "spare", &DRAINED, ordered)?;
    day.while_down(&DRAINED, ordered).await?;
    pair.wait_idle("branch")?;
    pair.site.connector.stop();
    day.stays(&DRAINED).await?;
    day.mail_comes(&pair, &DRAINED).await?;
    pair.site.restart_connector()?;
    pair.wait_linked("branch")?;
    day.goes_on().await?;
    ensure!(pair.route("ann")?["serving"] == "spare", "one that drains gets nothing");
    pair.site.dme(&["connector", "resume", "branch"])?;
    pair.wait_serving("ann", "branch")?;
    day.end(&pair, &DRAINED).await
}

pub const ALONE: Row = Row {
    what: "the only connector that has the mailbox, or the line to it",
    reads: Sees::ComeAgain,
    sends: Sees::ComeAgain,
    parked: Parked::WokenAfterwards,
    noticed: "at once where its process ends, else as above",
    within: Within::Seconds(5),
    note: "what was begun is done when it is back",
};

#[tokio::test(flavor = "multi_thread")]
async fn without_any_connector_phones_are_told_when_to_come_again() -> Result<()> {
    let mut pair = Pair::start(&Wishes::default()).await?;
    pair.spare.kill();
    pair.wait_lost("spare")?;
    let mut day = Day::begin(&pair, "ann").await?;
    pair.site.kill_connector();
    day.while_down(&ALONE, Instant::now()).await?;
    day.mail_comes(&pair, &ALONE).await?;
    pair.site.restart_connector()?;
    day.end(&pair, &ALONE).await
}

pub const KEPT: Row = Row {
    what: "the same, with `sending.while_away = \"keep\"`",
    reads: Sees::ComeAgain,
    sends: Sees::OneRetry,
    parked: Parked::WokenAfterwards,
    noticed: "as above",
    within: Within::Seconds(5),
    note: "what is sent meanwhile goes out when the connector is back",
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_while_the_connector_is_away_goes_out_later() -> Result<()> {
    let keeps = Wishes { server: "[sending]\nwhile_away = \"keep\"\n".into() };
    let mut pair = Pair::start(&keeps).await?;
    pair.spare.kill();
    pair.wait_lost("spare")?;
    let mut day = Day::begin(&pair, "ann").await?;
    pair.site.kill_connector();
    day.while_down(&KEPT, Instant::now()).await?;
    day.mail_comes(&pair, &KEPT).await?;
    pair.site.restart_connector()?;
    day.end(&pair, &KEPT).await
}
