//! A mail system that does not answer, and a connector that has too much to do.

use super::day::Day;
use super::pair::Pair;
use super::row::{Parked, Row, Sees, Within};
use super::ways;
use crate::site::{PATIENCE, USERS, Wishes};
use anyhow::{Result, ensure};
use base64::Engine as _;
use dme_testkit::hanging::Hanging;
use dme_testkit::ports::wait_until;
use std::time::Instant;

/// What Ann's sessions at the mail system begin with.
fn anns_login() -> String {
    let login = format!("\0ann@example.org\0{}", USERS[0].1);
    base64::engine::general_purpose::STANDARD.encode(login)
}

/// Has both connectors reach the mail system by ways that can hang.
fn by_ways_that_hang(pair: &mut Pair) -> Result<[Hanging; 2]> {
    let spares = ways::to_imap(pair, "spare.toml")?;
    pair.spare.kill();
    pair.wait_lost("spare")?;
    pair.start_spare(&[])?;
    pair.wait_linked("spare")?;
    let branchs = ways::to_imap(pair, "connector.toml")?;
    ways::restart_branch(pair)?;
    Ok([branchs, spares])
}

/// How long a call may take in the test, in seconds.
const CALL: u64 = 2;

pub const SLOW: Row = Row {
    what: "a mail system that no longer answers, or one mailbox of it, by whichever connector",
    reads: Sees::ComeAgain,
    sends: Sees::ComeAgain,
    parked: Parked::WokenAfterwards,
    noticed: "after `times.call`, 60 s by default, in each request",
    within: Within::Setting { name: "`times.call`", in_test: CALL, more: 5 },
    note: "users of the same connector whose mailboxes do answer notice nothing",
};

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_hangs_is_its_owners_trouble_only() -> Result<()> {
    let wishes = Wishes { server: format!("[times]\ncall = \"{CALL}s\"\n") };
    let mut pair = Pair::start(&wishes).await?;
    let ways = by_ways_that_hang(&mut pair)?;
    let mut day = Day::begin(&pair, "ann").await?;
    for way in &ways {
        way.hang(&anns_login());
    }
    day.while_down(&SLOW, Instant::now()).await?;
    let mut bob = pair.site.phone("bob")?;
    bob.longest_pause = std::time::Duration::ZERO;
    bob.folder_sync().await?;
    let inbox = bob.inbox()?;
    for _ in 0..20 {
        bob.sync(&inbox).await?;
    }
    ensure!(pair.route("bob")?["serving"] == "branch", "by the same connector");
    day.mail_comes(&pair, &SLOW).await?;
    ways.iter().for_each(Hanging::go_on);
    day.end(&pair, &SLOW).await
}

pub const EXHAUSTED: Row = Row {
    what: "a connector with more to do than it may (`parallel_calls`, `queued_calls`); another has \
           the mailbox too",
    reads: Sees::AtTimes,
    sends: Sees::AtTimes,
    parked: Parked::Woken,
    noticed: "at once",
    within: Within::Seconds(15),
    note: "the other serves whoever comes while the queue is full",
};

#[tokio::test(flavor = "multi_thread")]
async fn what_an_exhausted_connector_cannot_take_goes_to_the_other() -> Result<()> {
    let server = "[times]\ncall = \"5s\"\n\
                  [connectors.branch]\nparallel_calls = 1\nqueued_calls = 0\n";
    let mut pair = Pair::start(&Wishes { server: server.into() }).await?;
    let ways = by_ways_that_hang(&mut pair)?;
    let mut day = Day::begin(&pair, "bob").await?;
    for way in &ways {
        way.hang(&anns_login());
    }
    let failed = Instant::now();
    let hanging: Vec<_> = (0..4)
        .map(|number| {
            let mut phone = pair.site.phone("ann")?;
            phone.client.account.device = format!("hangs{number}").as_str().into();
            Ok(tokio::spawn(async move {
                loop {
                    let _ = phone.folder_sync().await;
                }
            }))
        })
        .collect::<Result<_>>()?;
    wait_until("Bob is served by the other", PATIENCE, || {
        let route = pair.route("bob")?;
        Ok(route["serving"] == "spare" && route.to_string().contains("exhausted"))
    })?;
    day.while_down(&EXHAUSTED, failed).await?;
    day.mail_comes(&pair, &EXHAUSTED).await?;
    for one in hanging {
        one.abort();
    }
    ways.iter().for_each(Hanging::go_on);
    day.end(&pair, &EXHAUSTED).await
}
