//! A connector that is linked at certain hours only.

use super::day::Day;
use super::pair::Pair;
use super::row::{Parked, Row, Sees, Within};
use crate::site::{Site, Wishes, dovecot, postfix};
use anyhow::{Context, Result, bail, ensure};
use dme_phone::{Error, Phone};
use dme_testkit::ports::wait_until;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
/// Hours are of whole minutes.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often it is looked whether that has come.
const LOOK: Duration = Duration::from_millis(200);

/// Seconds since the epoch.
fn now() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?)
}

/// Lines of a connector's `[link]`: it is linked now, for at least so many seconds more, and again
/// when it was away for so long.
fn hours(at_least: i64, away: i64) -> Result<String> {
    let now = now()?;
    let ends = (now + at_least + MINUTE - 1) / MINUTE * MINUTE;
    let clock = |at: i64| format!("{:02}:{:02}", at / HOUR % 24, at / MINUTE % 60);
    let span = |from, until| format!("{}-{}", clock(from), clock(until));
    let spans = [span(now - MINUTE, ends), span(ends + away, ends + away + 6 * HOUR)];
    Ok(format!("zone = \"UTC\"\n[link.windows]\nhours = {spans:?}\n"))
}

/// When `branch` is back, as `dme connector list` has it; none while it is not off hours.
fn off_hours_until(site: &Site) -> Result<Option<i64>> {
    let said = site.dme(&["connector", "list", "--json"])?;
    let all: Vec<serde_json::Value> = serde_json::from_str(&said)?;
    let branch = all.iter().find(|one| one["name"] == "branch").context("no branch")?;
    Ok(branch["away_until"].as_i64().filter(|_| branch["standing"] == "off-hours"))
}

fn until_off_hours(site: &Site) -> Result<i64> {
    wait_until("branch is off hours", PATIENCE, || {
        std::thread::sleep(LOOK);
        Ok(off_hours_until(site)?.is_some())
    })?;
    off_hours_until(site)?.context("it came back already")
}

/// What a phone sees is the time until then.
async fn is_told_the_hour(phone: &mut Phone, until: i64) -> Result<()> {
    phone.longest_pause = Duration::ZERO;
    let told = match phone.folder_sync().await {
        Err(Error::Http { status: 503, retry_after: Some(told), .. }) => told,
        other => bail!("not told to come again: {other:?}"),
    };
    let (left, told) = (until - now()?, i64::try_from(told.as_secs())?);
    ensure!((told - left).abs() <= 5, "told to come in {told} s, and it is back in {left} s");
    Ok(())
}

pub const OFF_HOURS: Row = Row {
    what: "the only connector, by arrangement (`[link.windows]`); with `sending.while_away = \"keep\"`",
    reads: Sees::ComeAgain,
    sends: Sees::OneRetry,
    parked: Parked::WokenAfterwards,
    noticed: "when it hangs up; also a server that was restarted meanwhile knows",
    within: Within::Seconds(5),
    note: "`Retry-After` is the time until it links again; what is sent meanwhile goes out then",
};

#[tokio::test(flavor = "multi_thread")]
async fn between_its_windows_phones_are_told_the_next_and_what_is_sent_goes_out_in_it() -> Result<()>
{
    let server = "[sending]\nwhile_away = \"keep\"\nkept_messages = 1000\n";
    let mut pair = Pair::start(&Wishes { server: server.into() }).await?;
    pair.spare.kill();
    pair.wait_lost("spare")?;
    // One that is lost may be back any moment, and phones are told so.
    pair.site.dme(&["connector", "lock", "spare"])?;
    let path = pair.site.path("connector.toml");
    let text = std::fs::read_to_string(&path)?;
    pair.site.kill_connector();
    pair.wait_lost("branch")?;
    std::fs::write(&path, format!("{text}{}", hours(40, MINUTE)?))?;
    pair.site.restart_connector()?;
    pair.wait_linked("branch")?;
    pair.wait_serving("ann", "branch")?;
    let mut day = Day::at_pace(&pair, "ann", Duration::from_millis(500)).await?;
    let until = until_off_hours(&pair.site)?;
    day.while_down(&OFF_HOURS, Instant::now()).await?;
    day.mail_comes(&pair, &OFF_HOURS).await?;
    let (mut ann, mut bob) = (pair.site.phone("ann")?, pair.site.phone("bob")?);
    is_told_the_hour(&mut ann, until).await.context("her mail is there")?;
    is_told_the_hour(&mut bob, until).await.context("his password is checked there")?;
    ensure!(now()? < until, "the test was too slow");
    wait_until("branch is linked again", PATIENCE, || {
        std::thread::sleep(LOOK);
        Ok(off_hours_until(&pair.site)?.is_none() && now()? >= until)
    })?;
    pair.wait_linked("branch")?;
    day.end(&pair, &OFF_HOURS).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_and_one_that_forgot_the_routes_know_the_next_window() -> Result<()> {
    let dovecot = dovecot()?;
    let postfix = postfix(&dovecot)?;
    let windows = format!("[link]\n{}", hours(60, 3 * HOUR)?);
    let mut site = Site::on(dovecot, postfix, &windows, &Wishes::default())?;
    let mut ann = site.phone("ann")?;
    ann.folder_sync().await?;
    let asked = ["route", "explain", "ann@example.org", "authentication"];
    let explained = site.dme(&asked)?;
    ensure!(explained.starts_with("authentication: branch: "), "{explained}");
    let until = until_off_hours(&site)?;
    let explained = site.dme(&asked)?;
    ensure!(explained.starts_with("authentication: nobody: "), "{explained}");
    ensure!(explained.contains("off hours: it links again at"), "{explained}");
    is_told_the_hour(&mut ann, until).await?;
    site.dme(&["route", "flush"])?;
    is_told_the_hour(&mut ann, until).await.context("nothing is known of her mailbox")?;
    site.crash_server()?;
    let again = until_off_hours(&site)?;
    ensure!((again - until).abs() <= 2, "back at {again}, not at {until}");
    is_told_the_hour(&mut ann, until).await.context("nobody remembers her password")
}
