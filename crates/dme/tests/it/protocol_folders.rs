//! The list of folders, and what changed in one: the parts of `protocol.rs` for each version.

use crate::protocol::{Findings, STATUS, Speaker, folder_sync, id, item, key};
use crate::protocol_text::{all, has, names, request, text};
use crate::site::Site;
use anyhow::{Context, Result};
use dme_eas::ProtocolVersion;
use dme_eas::query::Command;
use dme_phone::Body;

/// MS-ASCMD 2.2.1.3 to 2.2.1.6.
pub async fn folders(phone: &mut Speaker, f: &mut Findings) -> Result<()> {
    let (folders, mut at) = phone.folders().await?;
    for (kind, name) in
        [("2", "Inbox"), ("3", "Drafts"), ("4", "Deleted Items"), ("5", "Sent Items")]
    {
        let there = folders.iter().filter(|(one, _)| one == kind).count();
        f.that(&format!("there is one folder {name} of type {kind}"), there == 1, &there);
    }
    let answer = phone.ask(Command::FolderSync, &folder_sync(&at)).await?;
    f.text("nothing changed, and Count says so", &answer, "Changes/Count", "0");
    let answer = phone.ask(Command::FolderSync, &folder_sync("unknown")).await?;
    f.text("an unknown key is refused", &answer, "Status", "9");
    let empty = "<FolderHierarchy:FolderSync/>";
    let answer = phone.ask(Command::FolderSync, empty).await?;
    f.text("a request without a key is malformed", &answer, "Status", "10");
    let create = |at: &str, parent: &str, name: &str| {
        format!(
            "<FolderHierarchy:FolderCreate><SyncKey>{at}</SyncKey><ParentId>{parent}</ParentId>\
             <DisplayName>{name}</DisplayName><Type>12</Type></FolderHierarchy:FolderCreate>"
        )
    };
    let delete = |at: &str, id: &str| {
        format!(
            "<FolderHierarchy:FolderDelete><SyncKey>{at}</SyncKey><ServerId>{id}</ServerId>\
             </FolderHierarchy:FolderDelete>"
        )
    };
    let answer = phone.ask(Command::FolderCreate, &create(&at, "0", "Projects")).await?;
    f.text("a folder is made", &answer, "Status", "1");
    let made = text(&answer, "ServerId").context("no id")?.to_owned();
    at = text(&answer, "SyncKey").context("no key")?.to_owned();
    let answer = phone.ask(Command::FolderCreate, &create(&at, "0", "Projects")).await?;
    f.text("a second of the name is not", &answer, "Status", "2");
    let answer = phone.ask(Command::FolderCreate, &create(&at, "987654", "Within")).await?;
    f.text("nor one in a folder that is not there", &answer, "Status", "5");
    for (name, sentence) in [
        ("x".repeat(257), "one of more than 256 characters is malformed"),
        (String::new(), "and one of none"),
        ("odd.name".into(), "and one that the mail system cannot take"),
    ] {
        let answer = phone.ask(Command::FolderCreate, &create(&at, "0", &name)).await?;
        f.text(sentence, &answer, "Status", "10");
    }
    for (kind, status) in [("19", "3"), ("2", "10"), ("99", "10")] {
        let text = create(&at, "0", "Typed").replace("<Type>12", &format!("<Type>{kind}"));
        let answer = phone.ask(Command::FolderCreate, &text).await?;
        f.text(&format!("no folder of type {kind} is made"), &answer, "Status", status);
    }
    let answer = phone.ask(Command::FolderCreate, &create("unknown", "0", "Third")).await?;
    f.text("nor one with an unknown key", &answer, "Status", "9");
    let update = |at: &str, id: &str, parent: &str, name: &str| {
        format!(
            "<FolderHierarchy:FolderUpdate><SyncKey>{at}</SyncKey><ServerId>{id}</ServerId>\
             <ParentId>{parent}</ParentId><DisplayName>{name}</DisplayName></FolderHierarchy:FolderUpdate>"
        )
    };
    let answer = phone.ask(Command::FolderUpdate, &update(&at, &made, "0", "Renamed")).await?;
    f.text("a folder is renamed", &answer, "Status", "1");
    at = text(&answer, "SyncKey").context("no key")?.to_owned();
    let inbox =
        folders.iter().find(|(kind, _)| kind == "2").map(|(_, id)| id.clone()).unwrap_or_default();
    let answer = phone.ask(Command::FolderUpdate, &update(&at, "987654", "0", "X")).await?;
    f.text("one that is not there is not", &answer, "Status", "4");
    let answer = phone.ask(Command::FolderUpdate, &update(&at, &inbox, "0", "X")).await?;
    f.text("nor is the inbox", &answer, "Status", "2");
    let answer = phone.ask(Command::FolderDelete, &delete(&at, &inbox)).await?;
    f.text("the inbox cannot be deleted", &answer, "Status", "3");
    let answer = phone.ask(Command::FolderDelete, &delete(&at, "987654")).await?;
    f.text("nor what is not there", &answer, "Status", "4");
    let answer = phone.ask(Command::FolderDelete, &delete(&at, &made)).await?;
    f.text("a folder of one's own can", &answer, "Status", "1");
    Ok(())
}

/// MS-ASCMD 2.2.1.21 and 2.2.1.9.
pub async fn sync(site: &Site, phone: &mut Speaker, f: &mut Findings) -> Result<()> {
    let inbox = phone.folder("2").await?;
    let answer = phone.sync("0", &inbox, "").await?;
    f.text("key 0 begins a collection", &answer, STATUS, "1");
    f.that(
        "without items",
        !has(&answer, "Collections/Collection/Commands"),
        &answer.with_contents(),
    );
    let class = has(&answer, "Collections/Collection/Class");
    f.that(
        "12.1 alone is told the class",
        class == (phone.version() == ProtocolVersion::V12_1),
        &class,
    );
    let first = key(&answer)?;
    let estimate = |phone: &Speaker, key: &str, folder: &str| match phone.version() {
        ProtocolVersion::V12_1 => format!(
            "<GetItemEstimate:GetItemEstimate><Collections><Collection><Class>Email</Class>\
             <CollectionId>{folder}</CollectionId><AirSync:FilterType>0</AirSync:FilterType>\
             <AirSync:SyncKey>{key}</AirSync:SyncKey></Collection></Collections></GetItemEstimate:GetItemEstimate>"
        ),
        _ => format!(
            "<GetItemEstimate:GetItemEstimate><Collections><Collection>\
             <AirSync:SyncKey>{key}</AirSync:SyncKey><CollectionId>{folder}</CollectionId>\
             <AirSync:Options><FilterType>0</FilterType></AirSync:Options></Collection>\
             </Collections></GetItemEstimate:GetItemEstimate>"
        ),
    };
    let (items, _) = {
        let mut other = Speaker::new(site, "ann", phone.version(), "counter")?;
        let inbox = inbox_of(&mut other).await?;
        other.everything(&inbox, "").await?
    };
    let answer = phone.ask(Command::GetItemEstimate, &estimate(phone, &first, &inbox)).await?;
    let count = text(&answer, "Response/Collection/Estimate").and_then(|n| n.parse().ok());
    f.that(
        "an estimate is what a Sync would bring",
        count == Some(items.len()),
        &answer.with_contents(),
    );
    for (key, folder, status, sentence) in [
        (&*first, "987654", "2", "an estimate of no folder of ours is refused"),
        ("0", &*inbox, "3", "one before the first Sync too"),
        ("unknown", &*inbox, "4", "and one of an unknown key"),
    ] {
        let answer = phone.ask(Command::GetItemEstimate, &estimate(phone, key, folder)).await?;
        f.text(sentence, &answer, "Response/Status", status);
    }
    let calendars = estimate(phone, &first, &inbox).replace("FilterType>0<", "FilterType>6<");
    if phone.version() == ProtocolVersion::V12_1 {
        let body = Body::Element(request(&calendars, b"")?);
        let reply = phone.raw(Command::GetItemEstimate, body).await?;
        f.status("an estimate by a calendar's filter is refused", &reply, 500);
    } else {
        let answer = phone.ask(Command::GetItemEstimate, &calendars).await?;
        f.text("an estimate by a calendar's filter is refused", &answer, "Status", "110");
    }
    for changes in ["<GetChanges/>", "<GetChanges>1</GetChanges>"] {
        let answer = phone.sync("0", &inbox, changes).await?;
        f.text("there are no changes to get before there is a key", &answer, "Status", "4");
    }
    let small = "<GetChanges>1</GetChanges><WindowSize>2</WindowSize>";
    let answer = phone.sync(&first, &inbox, small).await?;
    let adds = all(&answer, "Collections/Collection/Commands/Add").len();
    f.that("WindowSize is the most there is in an answer", adds == 2, &adds);
    let more = has(&answer, "Collections/Collection/MoreAvailable");
    f.that("and MoreAvailable says that it is not all", more, &answer.with_contents());
    let again = phone.sync(&first, &inbox, small).await?;
    let same = names(&again) == names(&answer)
        && all(&again, "Collections/Collection/Commands/Add/ServerId")
            .first()
            .and_then(|e| e.as_text())
            == all(&answer, "Collections/Collection/Commands/Add/ServerId")
                .first()
                .and_then(|e| e.as_text());
    f.that("a repeated request has the same answer", same, &again.with_contents());
    let answer = phone.sync("unknown", &inbox, "").await?;
    f.text("an unknown key is refused", &answer, STATUS, "3");
    let answer = phone.sync("0", "987654", "").await?;
    let status = text(&answer, STATUS);
    f.that(
        "a folder that is not there is told",
        matches!(status, Some("8" | "12")),
        &answer.with_contents(),
    );
    let twice = "<Options><Class>Email</Class></Options>".repeat(2);
    for (key, within, sentence) in [
        ("0", "<GetChanges>1</GetChanges>", "changes cannot be wanted before there is a key"),
        ("0", "<GetChanges/>", "nor by an empty element, which means the same"),
        (&first, "<Options><FilterType>6</FilterType></Options>", "mail has no filter of months"),
        (&first, "<Options><FilterType>8</FilterType></Options>", "nor one for tasks"),
        (&first, "<Options><FilterType>9</FilterType></Options>", "nor one there is not"),
        (&first, &twice, "options of one class are said once"),
    ] {
        let answer = phone.sync(key, &inbox, within).await?;
        f.text(sentence, &answer, "Status", "4");
    }
    let zero = phone.sync("0", &inbox, "<GetChanges>0</GetChanges>").await?;
    f.text("that changes are not wanted may be said", &zero, STATUS, "1");
    let first = key(&zero)?;
    if phone.version() < ProtocolVersion::V16_0 {
        let add = "<GetChanges>0</GetChanges><Commands><Add><ClientId>c</ClientId>\
             <ApplicationData><Email:Subject>x</Email:Subject></ApplicationData></Add></Commands>";
        let answer = phone.sync(&first, &inbox, add).await?;
        let status = "Collections/Collection/Responses/Add/Status";
        f.text("mail cannot be added", &answer, status, "6");
    }
    let answer = phone.ask(Command::Sync, "<AirSync:Sync><Collections/></AirSync:Sync>").await?;
    f.text("a request without collections is malformed", &answer, "Status", "4");
    let both = phone.sync_text(
        &first,
        &inbox,
        "",
        "<Wait>5</Wait><HeartbeatInterval>60</HeartbeatInterval>",
    );
    let answer = phone.ask(Command::Sync, &both).await?;
    f.text("Wait and HeartbeatInterval exclude each other", &answer, "Status", "4");
    for (after, limit) in [
        ("<Wait>60</Wait>", "59"),
        ("<Wait>0</Wait>", "1"),
        ("<Wait>-1</Wait>", "1"),
        ("<HeartbeatInterval>59</HeartbeatInterval>", "60"),
        ("<HeartbeatInterval>3541</HeartbeatInterval>", "3540"),
    ] {
        let text = phone.sync_text(&first, &inbox, "", after);
        let answer = phone.ask(Command::Sync, &text).await?;
        f.text(&format!("{after} is out of range"), &answer, "Status", "14");
        f.text(&format!("{after} is answered by the nearest"), &answer, "Limit", limit);
    }
    let add = "<GetChanges>0</GetChanges><Commands><Add><ClientId>a1</ClientId><ApplicationData>\
         <Email:Subject>made here</Email:Subject></ApplicationData></Add></Commands>";
    let (_, at) = phone.everything(&inbox, "").await?;
    let answer = phone.sync(&at, &inbox, add).await?;
    f.text(
        "mail is not added by phones",
        &answer,
        "Collections/Collection/Responses/Add/Status",
        "6",
    );
    let (items, mut at) = phone.everything(&inbox, "").await?;
    f.that("nor was it", item(&items, "made here").is_err(), &items.len());
    let hold = "<GetChanges>0</GetChanges>";
    let text_ = phone.sync_text(&at, &inbox, hold, "");
    let silent = phone.try_ask(Command::Sync, &text_, b"").await?;
    f.that("nothing new is an empty answer", silent.is_none(), &format!("{silent:?}"));
    let reply = phone.raw(Command::Sync, Body::Empty).await?;
    f.that(
        "an empty request repeats the last",
        reply.status == 200 && reply.body.is_empty(),
        &reply.status,
    );
    let fresh = Speaker::new(site, "ann", phone.version(), "neverseen")?
        .raw(Command::Sync, Body::Empty)
        .await?;
    let fresh = fresh.element(Command::Sync)?.context("no answer")?;
    f.text("with no last one it is incomplete", &fresh, "Status", "13");
    let partial = "<AirSync:Sync><Partial/></AirSync:Sync>";
    let answer = phone.try_ask(Command::Sync, partial, b"").await?;
    f.that(
        "a partial request takes the rest from the last",
        answer.is_none(),
        &format!("{answer:?}"),
    );
    let fresh = Speaker::new(site, "ann", phone.version(), "neverseen")?
        .ask(Command::Sync, partial)
        .await?;
    f.text("and is incomplete without it", &fresh, "Status", "13");
    let target = id(item(&items, "other")?).to_owned();
    let categories = if phone.version() >= ProtocolVersion::V14_0 {
        "<Email:Categories><Category>blue</Category></Email:Categories>"
    } else {
        ""
    };
    let change = format!(
        "<GetChanges>0</GetChanges><Commands><Change><ServerId>{target}</ServerId><ApplicationData>\
         <Email:Read>1</Email:Read><Email:Flag><Status>2</Status>\
         <FlagType>Flag for follow up</FlagType></Email:Flag>{categories}</ApplicationData></Change></Commands>"
    );
    let answer = phone.sync(&at, &inbox, &change).await?;
    f.text("a change is taken", &answer, STATUS, "1");
    f.that(
        "without a word about it",
        !has(&answer, "Collections/Collection/Responses"),
        &answer.with_contents(),
    );
    at = key(&answer)?;
    let quiet = phone.sync_text(&at, &inbox, "<GetChanges>1</GetChanges>", "");
    let quiet = phone.try_ask(Command::Sync, &quiet, b"").await?;
    f.that(
        "and is not sent back",
        quiet.as_ref().is_none_or(|a| !has(a, "Collections/Collection/Commands")),
        &format!("{quiet:?}"),
    );
    if let Some(answer) = quiet {
        at = key(&answer)?;
    }
    let odd =
        change.replace("</Email:Flag>", "<Tasks:ReminderSet>1</Tasks:ReminderSet></Email:Flag>");
    let answer = phone.sync(&at, &inbox, &odd).await?;
    f.text(
        "a flag that reminds at no time is refused",
        &answer,
        "Collections/Collection/Responses/Change/Status",
        "6",
    );
    at = key(&answer)?;
    let mut other = Speaker::new(site, "ann", phone.version(), "reader")?;
    let seen = inbox_of(&mut other).await?;
    let (seen, _) = other.everything(&seen, "").await?;
    let seen = item(&seen, "other")?;
    f.text("another device sees it read", seen, "ApplicationData/Read", "1");
    f.text("and flagged", seen, "ApplicationData/Flag/Status", "2");
    if !categories.is_empty() {
        f.text("and in its category", seen, "ApplicationData/Categories/Category", "blue");
    }
    let fetch = format!(
        "<GetChanges>0</GetChanges><Commands><Fetch><ServerId>{target}</ServerId></Fetch>\
        <Fetch><ServerId>{inbox}:987654</ServerId></Fetch>\
        <Change><ServerId>{inbox}:987654</ServerId><ApplicationData><Email:Read>1</Email:Read></ApplicationData></Change></Commands>"
    );
    let answer = phone.sync(&at, &inbox, &fetch).await?;
    let statuses: Vec<_> = all(&answer, "Collections/Collection/Responses/Fetch/Status")
        .iter()
        .map(|e| e.as_text())
        .collect();
    f.that(
        "Fetch brings the item, and 8 for what is gone",
        statuses == [Some("1"), Some("8")],
        &answer.with_contents(),
    );
    f.text(
        "the item's elements are there",
        &answer,
        "Collections/Collection/Responses/Fetch/ApplicationData/Subject",
        "other",
    );
    f.that(
        "and its body, as the options of the last request that had some say",
        has(&answer, "Collections/Collection/Responses/Fetch/ApplicationData/Body/Data"),
        &answer.with_contents(),
    );
    f.text(
        "a change of what is gone is told",
        &answer,
        "Collections/Collection/Responses/Change/Status",
        "8",
    );
    Ok(())
}

pub async fn inbox_of(phone: &mut Speaker) -> Result<String> {
    phone.folder("2").await
}
