//! Drafts, from 16.0 on: a part of `protocol.rs` for each version.

use crate::protocol::{Findings, STATUS, Speaker, id, item, key};
use crate::protocol_items::DATA;
use crate::protocol_sending::arrival;
use crate::protocol_text::{all, text};
use crate::site::Site;
use anyhow::{Context, Result};
use dme_eas::query::Command;
use dme_wbxml::Element;
use std::time::Duration;

const PLAIN: &str =
    "<Options><AirSyncBase:BodyPreference><Type>1</Type></AirSyncBase:BodyPreference></Options>";

/// A draft's content; `more` are other elements.
fn data(subject: &str, body: &str, more: &str) -> String {
    format!(
        "<ApplicationData><Email:To>bob@example.org</Email:To><Email:Subject>{subject}</Email:Subject>\
         <AirSyncBase:Body><Type>1</Type><Data>{body}</Data></AirSyncBase:Body>{more}</ApplicationData>"
    )
}

fn commands(commands: &str) -> String {
    format!("<GetChanges>0</GetChanges><Commands>{commands}</Commands>")
}

fn change(draft: &str, data: &str) -> String {
    commands(&format!("<Change><ServerId>{draft}</ServerId>{data}</Change>"))
}

/// Attaches a file whose content is the request's opaque bytes, and takes off others.
fn attach(client: &str, name: &str, off: &str) -> String {
    format!(
        "<AirSyncBase:Attachments><Add><ClientId>{client}</ClientId><Content>@</Content>\
         <DisplayName>{name}</DisplayName><Method>1</Method></Add>{off}</AirSyncBase:Attachments>"
    )
}

/// What an attachment of a draft must be told by.
const FILE: &str = "ApplicationData/Attachments/Attachment";

/// The reference an answer tells for a file the phone attached under this name.
fn reference(response: &Element, client: &str) -> Result<String> {
    let file = all(response, FILE).into_iter().find(|f| text(f, "ClientId") == Some(client));
    let reference = file.and_then(|file| text(file, "FileReference"));
    Ok(reference.with_context(|| response.with_contents().to_string())?.to_owned())
}

/// The names of an item's attachments.
fn files(item: &Element) -> Vec<&str> {
    all(item, &format!("{FILE}/DisplayName")).into_iter().filter_map(Element::as_text).collect()
}

/// What a file reference stands for, as base64.
async fn fetched(phone: &mut Speaker, reference: &str) -> Result<Option<String>> {
    let fetch = format!(
        "<ItemOperations:ItemOperations><Fetch><Store>Mailbox</Store>\
         <AirSyncBase:FileReference>{reference}</AirSyncBase:FileReference></Fetch></ItemOperations:ItemOperations>"
    );
    let answer = phone.ask(Command::ItemOperations, &fetch).await?;
    Ok(text(&answer, "Response/Fetch/Properties/Data").map(str::to_owned))
}

/// The one response an answer has, of this kind.
fn response<'e>(answer: &'e Element, kind: &str) -> Result<&'e Element> {
    let found = all(answer, &format!("Collections/Collection/Responses/{kind}"));
    found.first().copied().with_context(|| answer.with_contents().to_string())
}

/// MS-ASCMD 2.2.1.21, MS-ASEMAIL 3.1.5, MS-ASAIRS 2.2.2.7 and 2.2.2.14.
pub async fn drafts(site: &Site, phone: &mut Speaker, f: &mut Findings) -> Result<()> {
    let drafts = phone.folder("3").await?;
    let (_, at) = phone.everything(&drafts, "").await?;
    let version = phone.version();
    let subject = format!("draft {version}");

    let first = data(&subject, "first", &attach("file1", "notes.txt", ""));
    let add = commands(&format!("<Add><ClientId>c1</ClientId>{first}</Add>"));
    let add = phone.sync_text(&at, &drafts, &add, "");
    let answer = phone.try_ask(Command::Sync, &add, b"some notes").await?.context("no answer")?;
    let added = response(&answer, "Add")?;
    f.text("a draft is added", added, "Status", "1");
    let draft = text(added, "ServerId").context("no id")?.to_owned();
    let notes = reference(added, "file1")?;
    let content = fetched(phone, &notes).await?;
    f.that(
        "the answer tells the reference of what was attached",
        content.as_deref() == Some("c29tZSBub3Rlcw=="),
        &format!("{content:?}"),
    );
    // A message is dated to the second.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let again = phone.try_ask(Command::Sync, &add, b"some notes").await?.context("no answer")?;
    let same = response(&again, "Add")? == added;
    f.that("a repeated request has the same response", same, &again.with_contents());
    let at = key(&again)?;
    let mut other = Speaker::new(site, "ann", version, "otherdrafts")?;
    let (items, _) = other.everything(&drafts, "").await?;
    let listed: Vec<&str> = items.iter().map(id).collect();
    f.that("and makes no second draft", listed == [&*draft], &format!("{listed:?}"));
    let shown = item(&items, &subject)?;
    f.text("it is marked as a draft", shown, "ApplicationData/IsDraft", "1");
    f.that("with its attachment", files(shown) == ["notes.txt"], &shown.with_contents());

    let second = data(&subject, "second", &attach("file2", "more.txt", ""));
    let second = phone.sync_text(&at, &drafts, &change(&draft, &second), "");
    let answer = phone.try_ask(Command::Sync, &second, b"more").await?.context("no answer")?;
    f.text("a draft is changed", &answer, STATUS, "1");
    let changed = response(&answer, "Change")?;
    f.text("and its phone told", changed, "Status", "1");
    f.text("under the id it knows", changed, "ServerId", &draft);
    let told = all(changed, FILE).len();
    f.that("what was attached before is not told again", told == 1, &changed.with_contents());
    let more = reference(changed, "file2")?;
    let content = fetched(phone, &more).await?;
    f.that(
        "what is attached to a changed draft has its reference too",
        content.as_deref() == Some("bW9yZQ=="),
        &format!("{content:?}"),
    );
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let again = phone.try_ask(Command::Sync, &second, b"more").await?.context("no answer")?;
    f.that("a repeated change has the same answer", again == answer, &again.with_contents());

    let wanted = format!("<GetChanges>1</GetChanges>{PLAIN}");
    let news = phone.sync(&key(&again)?, &drafts, &wanted).await?;
    let gone = all(&news, "Collections/Collection/Commands/Delete/ServerId");
    f.that(
        "the earlier form goes",
        gone.iter().map(|id| id.as_text()).collect::<Vec<_>>() == [Some(&*draft)],
        &news.with_contents(),
    );
    let shown = all(&news, "Collections/Collection/Commands/Add");
    let shown = *shown.first().context("no new form")?;
    f.that(
        "the new one comes, with the new text",
        text(shown, DATA).is_some_and(|d| d.contains("second")),
        &shown.with_contents(),
    );
    f.that("and both files", files(shown) == ["notes.txt", "more.txt"], &shown.with_contents());
    let references = all(shown, &format!("{FILE}/FileReference"));
    f.that(
        "under the reference told before",
        references.iter().any(|one| one.as_text() == Some(&more)),
        &shown.with_contents(),
    );

    let off = format!("<Delete><FileReference>{more}</FileReference></Delete>");
    let third = data(&subject, "third", &attach("file3", "last.txt", &off));
    let third = phone.sync_text(&key(&news)?, &drafts, &change(id(shown), &third), "");
    let answer = phone.try_ask(Command::Sync, &third, b"last").await?.context("no answer")?;
    f.text("a file is taken off by it", response(&answer, "Change")?, "Status", "1");
    let (items, at) = phone.everything(&drafts, PLAIN).await?;
    let shown = item(&items, &subject)?;
    f.that("and is gone", files(shown) == ["notes.txt", "last.txt"], &shown.with_contents());
    f.that("no draft was lost or doubled", items.len() == 1, &items.len());

    let data = data(&subject, "fourth", "");
    let send = commands(&format!(
        "<Change><ServerId>{}</ServerId><Email2:Send/>{data}</Change>",
        id(shown)
    ));
    let answer = phone.sync(&at, &drafts, &send).await?;
    f.text("a draft is sent", response(&answer, "Change")?, "Status", "1");
    let again = phone.sync(&at, &drafts, &send).await?;
    f.that("a repeated request has the same answer", again == answer, &again.with_contents());
    let mut bob = Speaker::new(site, "bob", version, "receiver")?;
    let arrived = arrival(&mut bob, &subject).await?;
    let copies =
        arrived.iter().filter(|i| text(i, "ApplicationData/Subject") == Some(&*subject)).count();
    f.that("and is sent once", copies == 1, &copies);
    let arrived = item(&arrived, &subject)?;
    f.that(
        "as it was last",
        text(arrived, DATA).is_some_and(|d| d.contains("fourth")),
        &arrived.with_contents(),
    );
    f.that("with its files", files(arrived) == ["notes.txt", "last.txt"], &arrived.with_contents());
    let (left, _) = phone.everything(&drafts, "").await?;
    f.that("and is a draft no longer", item(&left, &subject).is_err(), &left.len());
    Ok(())
}
