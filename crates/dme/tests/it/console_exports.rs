//! What the console gives to take away: the log as lines of JSON, statistics for a spreadsheet.

use crate::console::{Office, PASSWORD, REALM};
use crate::site::curl;
use anyhow::{Context, Result, ensure};
use dme_model::Timestamp;
use dme_store::{Counted, Counts, Level, NewEvent, Store};
use serde_json::Value;
use std::time::{Duration, SystemTime};

const SESSION: &str = "__Host-dme-console";

/// A browser's cookie in which the auditor is signed in.
fn auditor(office: &Office) -> Result<String> {
    let form = format!("login=carl%40{REALM}&password={PASSWORD}&back=%2F");
    office.form("/sign-in", "", &form)?.cookie(SESSION).context("no session")
}

fn event(begin: Timestamp, number: u32) -> NewEvent {
    NewEvent {
        time: begin.plus(Duration::from_secs(number.into())),
        level: if number.is_multiple_of(10) { Level::Warning } else { Level::Info },
        kind: "synced".into(),
        user: Some("zoe@example.org".into()),
        device: Some("PIXEL9".into()),
        connector: None,
        request: None,
        message: format!("the {number}th, in \"quotes\"\nand on two lines"),
        details: "{\"items\":3}".into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_exported_whole_with_all_that_was_asked_for() -> Result<()> {
    let office = Office::start()?;
    // More than are read at a time, and all of an hour that is to come.
    let store = Store::open(office.path("server/dme.db"))?;
    let begin = Timestamp::from(SystemTime::now()).plus(Duration::from_secs(3600));
    store.put_events((0..2500).map(|number| event(begin, number)).collect()).await?;
    let cookie = format!("Cookie: {}", auditor(&office)?);
    let export = |query: &str| -> Result<Vec<Value>> {
        let url = office.url(&format!("/log.jsonl?{query}"));
        let (status, said) = curl(&office.path(""), &["-H", &cookie], &url)?;
        ensure!(status == 200, "{status}");
        let text = String::from_utf8(said)?;
        ensure!(text.is_empty() || text.ends_with('\n'), "the last line is cut");
        text.lines().map(|line| serde_json::from_str(line).context("no JSON")).collect()
    };
    let all = export("user=zoe%40example.org")?;
    ensure!(all.len() == 2500, "{} events", all.len());
    for (at, line) in all.iter().enumerate() {
        let number = 2499 - at;
        let message = format!("the {number}th, in \"quotes\"\nand on two lines");
        ensure!(line["message"] == message && line["details"]["items"] == 3, "{line}");
        ensure!(line["user"] == "zoe@example.org" && line["device"] == "PIXEL9", "{line}");
        ensure!(line["kind"] == "synced" && line["connector"].is_null(), "{line}");
    }
    // Each is as the interface tells it.
    let told = office.root()?.get("/api/log?user=zoe%40example.org&limit=5")?;
    ensure!(told["events"].as_array().map(Vec::as_slice) == Some(&all[..5]), "{told}");
    let grave = export("user=zoe%40example.org&level=warning")?;
    ensure!(grave.len() == 250 && grave.iter().all(|line| line["level"] == "warning"));
    ensure!(export("user=nobody%40example.org")?.is_empty());
    let url = office.url("/log.jsonl?level=made-up");
    ensure!(curl(&office.path(""), &["-H", &cookie], &url)?.0 == 400, "a level there is not");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_are_told_apart_by_what_is_wanted_on_the_page_and_for_a_spreadsheet()
-> Result<()> {
    let office = Office::start()?;
    let store = Store::open(office.path("server/dme.db"))?;
    let hour = Counted::hour_of(Timestamp::from(SystemTime::now()));
    let ago = |hours: u64| hour.minus(Duration::from_secs(hours * 3600));
    let count = |hours: u64, user: &str, command: &str, requests: u64| {
        let of = Counted {
            start: ago(hours),
            user: user.into(),
            device: "PIXEL9".into(),
            connector: "embedded".into(),
            command: command.into(),
        };
        let mut counts = Counts { received: 10, sent: 20, items: 3, ..Counts::default() };
        for _ in 0..requests {
            counts.requests += 1;
            counts.took(7_000);
        }
        (of, counts)
    };
    let all = vec![
        count(3, "=cmd()@example.org", "Sync", 5),
        count(2, "zoe@example.org", "Sync", 1),
        count(2, "zoe@example.org", "Ping", 2),
    ];
    store.add_counts(all).await?;
    let cookie = auditor(&office)?;
    let look = |path: &str| office.ask("GET", path, &[("Cookie", &cookie)], "");
    let names = "devices,requests,errors,received_bytes,sent_bytes,items,total_ms,longest_ms,\
                 half_within_ms,95_percent_within_ms";
    // Each counted for the same time, so that the rest of a line follows from its requests.
    let line = |of: &str, requests: u64, times: u64| {
        let (received, sent, items, total) = (10 * times, 20 * times, 3 * times, 7 * requests);
        format!("{of},1,{requests},0,{received},{sent},{items},{total},7,10,10")
    };
    let (early, late) = (ago(3).to_string(), ago(2).to_string());
    for (by, lines) in [
        ("hour", vec![line(&early, 5, 1), line(&late, 3, 2)]),
        ("command", vec![line("Ping", 2, 1)]),
        ("user", vec![line("'=cmd()@example.org", 5, 1), line("zoe@example.org", 3, 2)]),
    ] {
        let csv = look(&format!("/statistics.csv?span=day&by={by}"))?;
        ensure!(csv.header("content-type").is_some_and(|kind| kind.starts_with("text/csv")));
        let mut written = csv.body.split("\r\n");
        ensure!(written.next() == Some(&format!("{by},{names}")), "{}", csv.body);
        let written: Vec<&str> = written.collect();
        ensure!(lines.iter().all(|line| written.contains(&line.as_str())), "{}", csv.body);
    }
    // Days begin at midnight (UTC), whatever hours they have.
    let days = look("/statistics.csv?span=week&by=day")?.body;
    let requests: u64 = days
        .split("\r\n")
        .filter(|line| line.contains(" 00:00:00 UTC,"))
        .filter_map(|line| line.split(',').nth(2)?.parse::<u64>().ok())
        .sum();
    ensure!(requests == 8, "{days}");
    // The page shows the same, the latest first.
    let page = look("/statistics?span=day&by=hour")?.body;
    let table = &page[page.find("<table>").context("no table")?..];
    ensure!(table.contains("<th scope=\"col\">Hour</th>"), "{table}");
    let place = |at: &str| table.find(&format!("<th scope=\"row\">{}</th>", &at[..16]));
    let (late, early) = (place(&late), place(&early));
    ensure!(late.is_some() && early.is_some() && late < early, "{late:?} {early:?} {table}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_are_narrowed_and_links_are_counted_apart_from_phones() -> Result<()> {
    let office = Office::start()?;
    let store = Store::open(office.path("server/dme.db"))?;
    let hour = Counted::hour_of(Timestamp::from(SystemTime::now()));
    let ago = |hours: u64| hour.minus(Duration::from_secs(hours * 3600));
    let count = |hours: u64, (user, connector, command): (&str, &str, &str), requests: u64| {
        let device = if user.is_empty() { "" } else { "PIXEL9" };
        let of = Counted {
            start: ago(hours),
            user: user.into(),
            device: device.into(),
            connector: connector.into(),
            command: command.into(),
        };
        (of, Counts { requests, received: 100, sent: 700, ..Counts::default() })
    };
    let (ann, zoe) = ("ann@example.org", "zoe@example.org");
    let all = vec![
        count(3, (ann, "embedded", "Sync"), 5),
        count(2, (zoe, "embedded", "Sync"), 1),
        count(2, (zoe, "branch", "Ping"), 2),
        count(200, (zoe, "branch", "Ping"), 4),
        // As an earlier release counted a minute of a link: as if somebody had asked for something.
        count(2, ("", "branch", "link"), 60),
    ];
    store.add_counts(all).await?;
    let cookie = auditor(&office)?;
    let look = |path: &str| office.ask("GET", path, &[("Cookie", &cookie)], "");
    let root = office.root()?;
    // Each line of a table by what it is of, with how much was asked for.
    let lines = |asked: &str| -> Result<Vec<(String, u64)>> {
        let csv = look(&format!("/statistics.csv?{asked}"))?;
        ensure!(csv.status == 200, "{asked}: {}", csv.body);
        let lines = csv.body.lines().skip(1).map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            Ok((fields[0].to_owned(), fields[2].parse()?))
        });
        lines.collect()
    };
    let told = |all: &[(&str, u64)]| -> Vec<(String, u64)> {
        all.iter().map(|(of, requests)| ((*of).to_owned(), *requests)).collect()
    };
    let time = |hours: u64| ago(hours).to_string()[..16].replace(' ', "T");
    let (early, late) = (time(3), time(2));
    let second = format!("by=user&from={late}&until={}", time(1));
    let first = format!("by=connector&from={early}&until={late}");
    let old = format!("by=user&from={}", time(201));
    for (asked, wanted) in [
        // What crosses links is nobody's request, however it is told apart.
        ("by=connector", told(&[("branch", 2), ("embedded", 6)])),
        ("by=user", told(&[(ann, 5), (zoe, 3)])),
        ("by=command", told(&[("Ping", 2), ("Sync", 6)])),
        // Of whom, of what, and when is chosen.
        ("by=command&user=zoe%40example.org", told(&[("Ping", 2), ("Sync", 1)])),
        ("by=user&connector=embedded&command=Sync", told(&[(ann, 5), (zoe, 1)])),
        ("by=command&device=PIXEL9&user=ann%40example.org", told(&[("Sync", 5)])),
        (&second, told(&[(zoe, 3)])),
        (&first, told(&[("embedded", 5)])),
        (&old, told(&[(ann, 5), (zoe, 7)])),
    ] {
        let lines = lines(asked)?;
        ensure!(lines == wanted, "{asked}: {lines:?}");
    }
    for wrong in ["from=yesterday", &format!("from={late}&until={early}")] {
        ensure!(look(&format!("/statistics?{wrong}"))?.status == 400, "{wrong}");
    }
    // By REST and at the command line it is the same.
    let counted = root.get("/api/statistics?by=connector&by=command")?.to_string();
    ensure!(counted.contains("Ping") && !counted.contains("link"), "{counted}");
    let links = root.get("/api/statistics?by=connector&command=link")?;
    ensure!(links[0]["connector"] == "branch" && links[0]["sent"] == 700, "{links}");
    let said = office.dme(&["statistics", "--by", "command", "--config", "server.toml"])?;
    ensure!(said.contains("Ping") && !said.contains("link"), "{said}");
    // The page has the bytes of links as their own, and its charts count phones alone.
    let page = look("/statistics?by=connector")?.body;
    ensure!(page.contains("Requests <span>at most 5</span>"), "{page}");
    let links = &page[page.find("id=\"links\"").context("no links")?..];
    ensure!(links.contains("branch") && links.contains("<td data-label=\"Sent\">700</td>"));
    let overview = look("/")?.body;
    ensure!(overview.contains("Requests <span>at most 5</span>"), "{overview}");
    // What is narrowed stays so in all that the page leads to, its table for spreadsheets too.
    let asked = format!("/statistics?by=command&user=zoe%40example.org&from={late}");
    let page = look(&asked)?.body;
    ensure!(page.contains("Requests <span>at most 3</span>"), "{page}");
    ensure!(!page.contains("id=\"links\""), "links are no user's");
    let (_, rest) = page.split_once("href=\"/statistics.csv?").context("no CSV")?;
    let (csv, _) = rest.split_once('"').context("no CSV")?;
    let csv = csv.replace("&#38;", "&").replace("&amp;", "&");
    ensure!(lines(&csv)? == told(&[("Ping", 2), ("Sync", 1)]), "{csv}");
    let user = "value=\"zoe@example.org\"";
    ensure!(page.contains(user), "{page}");
    let of_user = root.get(&format!("/api/users/{ann}"))?;
    ensure!(of_user["user"] == ann, "{of_user}");
    let page = look(&format!("/users/{ann}"))?.body;
    ensure!(page.contains("/statistics?span=week") && page.contains("user=ann%40example.org"));
    Ok(())
}
