//! Clocks that are wrong, and certificates that are out of date.

use super::day::Day;
use super::pair::Pair;
use super::row::{Parked, Row, Sees, Within};
use crate::clock::on_clock;
use crate::site::Wishes;
use anyhow::{Result, ensure};
use std::time::Instant;

pub const WRONG: Row = Row {
    what: "the clock of a connector's host, a day off; it has to take over",
    reads: Sees::Nothing,
    sends: Sees::OneRetry,
    parked: Parked::WokenByTheOther,
    noticed: "not at all",
    within: Within::Seconds(5),
    note: "certificates of links are taken to be of their own time; who may link is the server's \
           to say",
};

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_a_day_behind_or_ahead_takes_over() -> Result<()> {
    let mut pair = Pair::start(&Wishes::default()).await?;
    pair.spare.kill();
    pair.wait_lost("spare")?;
    pair.start_spare(&on_clock("FAKETIME=-1d"))?;
    pair.wait_linked("spare")?;
    let mut day = Day::begin(&pair, "ann").await?;
    pair.site.kill_connector();
    let failed = Instant::now();
    pair.wait_taken_over("ann", "spare", &WRONG, failed)?;
    day.while_down(&WRONG, failed).await?;
    day.mail_comes(&pair, &WRONG).await?;
    let again = ["connector", "run", "--config", "connector.toml"];
    pair.site.connector = pair.run(&on_clock("FAKETIME=+1d"), &again, "connector")?;
    pair.wait_linked("branch")?;
    day.end(&pair, &WRONG).await?;

    let mut day = Day::begin(&pair, "ann").await?;
    pair.spare.kill();
    let failed = Instant::now();
    pair.wait_taken_over("ann", "branch", &WRONG, failed)?;
    day.while_down(&WRONG, failed).await?;
    day.mail_comes(&pair, &WRONG).await?;
    day.end(&pair, &WRONG).await
}

pub const EXPIRED: Row = Row {
    what: "a connector's certificate that expired while it was away; it has to take over",
    reads: Sees::Nothing,
    sends: Sees::OneRetry,
    parked: Parked::WokenByTheOther,
    noticed: "when it links; it gets a new one within the hour (a thousandth of `certificate_life`)",
    within: Within::Seconds(5),
    note: "its key is what it is known by, until an administrator removes it",
};

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_with_an_expired_certificate_is_let_in_by_its_key_and_renews_it() -> Result<()>
{
    let mut pair = Pair::start(&Wishes::default()).await?;
    pair.site
        .reconfigure(|text| text.replace("[links]\n", "[links]\ncertificate_life = \"60s\"\n"))?;
    // It enrols anew with a server that lives forty days ago.
    pair.spare.kill();
    pair.site.kill_server();
    {
        let mut old =
            pair.run(&on_clock("FAKETIME=-40d"), &["server", "--config", "server.toml"], "old")?;
        old.wait_ready(&[pair.site.phones_port, pair.site.admin_port])?;
        std::fs::remove_dir_all(pair.site.path("spare"))?;
        pair.site.dme(&["connector", "remove", "spare"])?;
        let token = pair.site.dme(&["connector", "token", "spare", "--approved"])?;
        pair.site.run(&["connector", "enroll", token.trim(), "--config", "spare.toml"])?;
        old.kill();
    }
    pair.site.restart_server()?;
    pair.wait_linked("branch")?;
    pair.site.wait_ready()?;
    pair.start_spare(&[])?;
    pair.wait_linked("spare")?;
    pair.wait_serving("ann", "branch")?;
    let mut day = Day::begin(&pair, "ann").await?;
    pair.site.kill_connector();
    let failed = Instant::now();
    pair.wait_taken_over("ann", "spare", &EXPIRED, failed)?;
    day.while_down(&EXPIRED, failed).await?;
    day.mail_comes(&pair, &EXPIRED).await?;
    ensure!(pair.spares_log()?.contains("certificate renewed"), "{}", pair.spares_log()?);
    pair.site.restart_connector()?;
    pair.wait_linked("branch")?;
    day.end(&pair, &EXPIRED).await
}
