//! The pages on which it matters what was first: they tell moments to the second or finer, and are
//! searched by whatever is known of an event.

use crate::console::{MAIL, Office, PIXEL, REALM};
use anyhow::{Result, ensure};
use dme_model::{RequestId, Timestamp};
use dme_store::{Level, NewEvent, Store};
use std::time::Duration;

/// 2026-11-26 22:51:07.042 in UTC.
const BEGIN: Timestamp = Timestamp::from_millis(1_795_733_467_042);

fn event(number: u32, device: &str, request: &str) -> NewEvent {
    NewEvent {
        time: BEGIN.plus(Duration::from_secs(u64::from(number) * 60)),
        level: Level::Info,
        kind: "synchronised".into(),
        user: Some(format!("ann@{REALM}").as_str().into()),
        device: Some(device.into()),
        connector: None,
        request: Some(RequestId::from(request)),
        message: format!("event {number}"),
        details: "{}".into(),
    }
}

/// Whether a page tells some moment in this form, in which `0` stands for any digit.
fn tells(page: &str, form: &str) -> bool {
    page.split("<time>").skip(1).filter_map(|rest| rest.split('<').next()).any(|told| {
        told.len() == form.len()
            && told
                .chars()
                .zip(form.chars())
                .all(|(c, wanted)| if wanted == '0' { c.is_ascii_digit() } else { c == wanted })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_searched_by_device_request_and_time_and_keeps_what_came_by_a_link() -> Result<()>
{
    let office = Office::start()?;
    let store = Store::open(office.path("server/dme.db"))?;
    let all = vec![
        event(0, "PIXEL9", "aaaa-1"),
        event(1, "PIXEL9", "aaaa-2"),
        event(2, "MOTO", "aaaa-3"),
        event(3, "PIXEL9", "aaaa-4"),
    ];
    store.put_events(all).await?;
    let carl = office.session("carl")?;
    let look = |query: &str| -> Result<String> { Ok(carl.ask("GET", query, "")?.body) };
    let found = |page: &str| -> Vec<u32> {
        (0..4).filter(|number| page.contains(&format!(">event {number}"))).collect()
    };
    let page = look("/log?text=event")?;
    ensure!(found(&page) == [0, 1, 2, 3], "{page}");
    ensure!(page.contains("<time>2026-11-26 22:51:07</time>"), "to the second: {page}");
    for (query, wanted) in [
        ("device=MOTO", vec![2]),
        ("request=aaaa-2", vec![1]),
        ("from=2026-11-26T22:52:07", vec![1, 2, 3]),
        ("until=2026-11-26T22:53", vec![0, 1]),
        ("from=2026-11-26T22:52&until=2026-11-26T22:54&device=PIXEL9", vec![1]),
    ] {
        let page = look(&format!("/log?text=event&{query}"))?;
        ensure!(found(&page) == wanted, "{query}: {:?}", found(&page));
        // The form asks for the same again, and so does the export.
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or_default();
            let field = page.split("<input ").find(|it| it.contains(&format!("name=\"{name}\"")));
            let field = field.and_then(|field| field.split('>').next()).unwrap_or_default();
            ensure!(field.contains(&format!("value=\"{value}\"")), "{name}: {field}");
        }
        let export = page.split("href=\"/log.jsonl?").nth(1).and_then(|it| it.split('"').next());
        let export = export.unwrap_or_default().replace("&#38;", "&").replace("&amp;", "&");
        let lines = look(&format!("/log.jsonl?{export}"))?;
        let lines = lines.matches("\"message\":\"event ").count();
        ensure!(lines == wanted.len(), "{query}: {lines} lines");
    }
    let slip = carl.ask("GET", "/log?from=yesterday", "")?;
    ensure!(slip.status == 400 && slip.body.contains("yesterday"), "{}", slip.body);
    let slip = carl.ask("GET", "/log.jsonl?until=soon", "")?;
    ensure!(slip.status == 400, "{}", slip.status);
    // So is the record of acts.
    office.root()?.post("/api/flush", &serde_json::json!({}))?;
    ensure!(look("/audit?from=2026-11-26T22:51")?.contains(">flush.post<"));
    ensure!(!look("/audit?until=2026-11-26T22:51")?.contains(">flush.post<"));
    ensure!(tells(&look("/audit")?, "0000-00-00 00:00:00"), "to the second");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_device_was_told_when_is_told_to_the_millisecond() -> Result<()> {
    let office = Office::start()?;
    office.mailbox("ann", MAIL).await?;
    let mut phone = office.phone("ann", "PIXEL9", PIXEL)?;
    phone.folder_sync().await?;
    office.root()?.allow("ann", "PIXEL9")?;
    phone.folder_sync().await?;
    phone.sync(&phone.inbox()?).await?;
    let page = office.session("ada")?.ask("GET", &format!("/devices/ann@{REALM}/PIXEL9"), "")?;
    let steps = page.body.split("id=\"steps\"").nth(1).unwrap_or_default();
    let steps = steps.split("</section>").next().unwrap_or_default();
    ensure!(tells(steps, "0000-00-00 00:00:00.000"), "{steps}");
    Ok(())
}
