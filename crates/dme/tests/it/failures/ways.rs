//! The way from a connector to its mail system is cut, while another connector has one.

use super::day::Day;
use super::pair::Pair;
use super::row::{Parked, Row, Sees, Within};
use crate::site::Wishes;
use anyhow::{Context, Result};
use dme_testkit::hanging::Hanging;
use std::path::Path;
use std::time::Instant;

/// How long a connection to a mail server may take to stand in these tests, in seconds.
const CONNECT: u64 = 1;

const IMAP: &str = "[mail.imap.server]\n";
const SMTP: &str = "[mail.imap.smtp.server]\n";
const PEOPLE: &str = "[people.ldap]\n";

/// Has the connector with this configuration reach IMAP by a way of the test's, once it is started
/// again.
pub fn to_imap(pair: &Pair, config: &str) -> Result<Hanging> {
    let way = Hanging::to(pair.site.dovecot.imap_port)?;
    let timeouts = format!("[mail.imap.timeouts]\nconnect = \"{CONNECT}s\"\n");
    lead(&pair.site.path(config), (IMAP, SMTP), &way, &timeouts)?;
    Ok(way)
}

/// The same for SMTP.
fn to_smtp(pair: &Pair, config: &str) -> Result<Hanging> {
    let way = Hanging::to(pair.site.postfix.port)?;
    lead(&pair.site.path(config), (SMTP, PEOPLE), &way, "")?;
    Ok(way)
}

/// Writes another server into a configuration, between these heads of tables.
fn lead(path: &Path, between: (&str, &str), way: &Hanging, more: &str) -> Result<()> {
    let text = std::fs::read_to_string(path)?;
    let (before, rest) = text.split_once(between.0).context("the server's table")?;
    let (_, after) = rest.split_once(between.1).context("the table after it")?;
    let server = format!("host = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n{more}", way.port);
    Ok(std::fs::write(path, format!("{before}{}{server}{}{after}", between.0, between.1))?)
}

/// Starts `branch` again, where both are at home.
pub fn restart_branch(pair: &mut Pair) -> Result<()> {
    pair.site.kill_connector();
    pair.wait_lost("branch")?;
    pair.site.restart_connector()?;
    pair.wait_linked("branch")?;
    pair.wait_serving("ann", "branch")?;
    pair.wait_serving("bob", "branch")
}

/// A day on which this way of the first connector fails, and the other one has its own.
async fn is_gone_around(
    lead: fn(&Pair, &str) -> Result<Hanging>,
    fail: fn(&Hanging),
    row: &Row,
) -> Result<()> {
    let mut pair = Pair::start(&Wishes::default()).await?;
    let way = lead(&pair, "connector.toml")?;
    restart_branch(&mut pair)?;
    let mut day = Day::begin(&pair, "ann").await?;
    fail(&way);
    let failed = Instant::now();
    day.while_down(row, failed).await?;
    pair.wait_serving("ann", "spare")?;
    day.mail_comes(&pair, row).await?;
    way.go_on();
    day.end(&pair, row).await
}

pub const UNREACHED: Row = Row {
    what: "the way from a connector to its mail system, which hangs as behind a firewall that drops \
           all; another connector reaches the mail system",
    reads: Sees::Nothing,
    sends: Sees::OneRetry,
    parked: Parked::WokenByTheOther,
    noticed: "where the mail system is silent for `mail.imap.timeouts.connect`, 10 s by default, and a \
              new connection to it does not stand in that time either",
    within: Within::Setting {
        name: "twice `mail.imap.timeouts.connect`",
        in_test: 2 * CONNECT,
        more: 5,
    },
    note: "what was under way is read elsewhere then; what follows waits for nothing, but for one \
           request a minute, which tries the first connector again",
};

#[tokio::test(flavor = "multi_thread")]
async fn a_way_to_the_mail_system_that_hangs_is_gone_around() -> Result<()> {
    is_gone_around(to_imap, Hanging::hang_all, &UNREACHED).await
}

pub const UNSENDING: Row = Row {
    what: "the way from a connector to the server that takes what is sent (SMTP); another connector \
           reaches it",
    reads: Sees::Nothing,
    sends: Sees::Nothing,
    parked: Parked::Woken,
    noticed: "at once where it is refused, else after `mail.imap.timeouts.connect`, 10 s by default",
    within: Within::Seconds(5),
    note: "what nobody took was not sent, so that the other sends it at once; where it is not known \
           whether a message was taken, it waits for the first",
};

#[tokio::test(flavor = "multi_thread")]
async fn what_one_connector_cannot_send_the_other_sends() -> Result<()> {
    is_gone_around(to_smtp, Hanging::turn_away, &UNSENDING).await
}
