//! Bodies and items: the parts of `protocol.rs` for each version.

use crate::protocol::{Findings, STATUS, Speaker, id, item};
use crate::protocol_text::{all, bytes, has, request, text};
use anyhow::{Context, Result};
use dme_eas::ProtocolVersion;
use dme_eas::query::{Command, Parameters};
use dme_phone::Body;
use dme_wbxml::Element;
use std::time::Duration;

/// Where an item's body says its form.
const TYPE: &str = "ApplicationData/Body/Type";
/// Where the text of an item's body stands.
pub const DATA: &str = "ApplicationData/Body/Data";

/// MS-ASAIRS 2.2.2: bodies as they are asked for.
pub async fn bodies(phone: &mut Speaker, f: &mut Findings) -> Result<()> {
    let inbox = phone.folder("2").await?;
    let with = |more: &str, preference: &str| {
        format!(
            "<Options><FilterType>0</FilterType>{more}<AirSyncBase:BodyPreference>{preference}\
             </AirSyncBase:BodyPreference></Options>"
        )
    };
    let (plain, _) = phone.everything(&inbox, &with("", "<Type>1</Type>")).await?;
    let short = item(&plain, "short")?;
    f.text("plain text where it is asked for", short, "ApplicationData/Body/Type", "1");
    let data = text(short, DATA).unwrap_or_default();
    f.that("of HTML", data.contains("Hello Ann") && !data.contains('<'), &data);
    f.text("the original was HTML", short, "ApplicationData/NativeBodyType", "2");
    let cut = with("", "<Type>2</Type><TruncationSize>500</TruncationSize>");
    let (cut, _) = phone.everything(&inbox, &cut).await?;
    let long = item(&cut, "long")?;
    f.text("a long body is cut", long, "ApplicationData/Body/Truncated", "1");
    let size = text(long, DATA).unwrap_or_default().len();
    f.that("at TruncationSize", (1..=500).contains(&size), &size);
    let estimated =
        text(long, "ApplicationData/Body/EstimatedDataSize").and_then(|n| n.parse().ok());
    f.that(
        "with the whole size",
        estimated.is_some_and(|n: usize| n > 10_000),
        &format!("{estimated:?}"),
    );
    f.that(
        "a short one is whole",
        !has(item(&cut, "short")?, "ApplicationData/Body/Truncated"),
        &"cut",
    );
    let none =
        with("", "<Type>2</Type><TruncationSize>500</TruncationSize><AllOrNone>1</AllOrNone>");
    let (none, _) = phone.everything(&inbox, &none).await?;
    let long = item(&none, "long")?;
    f.that("AllOrNone leaves out what does not fit", !has(long, DATA), &long.with_contents());
    let mime = with("<MIMESupport>2</MIMESupport>", "<Type>4</Type>");
    let (mime, _) = phone.everything(&inbox, &mime).await?;
    let short = item(&mime, "short")?;
    f.text("the whole message where it is asked for", short, "ApplicationData/Body/Type", "4");
    let data = text(short, DATA).unwrap_or_default();
    f.that("with its head", data.contains("Subject: short"), &data);
    let never = with("<MIMESupport>0</MIMESupport>", "<Type>4</Type>");
    let (never, _) = phone.everything(&inbox, &never).await?;
    let kind = text(item(&never, "short")?, "ApplicationData/Body/Type");
    f.that("but not without MIMESupport", kind == Some("2"), &format!("{kind:?}"));
    f.that("of which only the size is told", !has(item(&never, "short")?, DATA), &"data");
    let (unasked, _) = phone.everything(&inbox, "").await?;
    let short = item(&unasked, "short")?;
    f.text(
        "where no form is asked for it is the author's",
        short,
        "ApplicationData/Body/Type",
        "2",
    );
    f.that("with data", has(short, DATA), &short.with_contents());
    let twice = "<Options><AirSyncBase:BodyPreference><Type>1</Type></AirSyncBase:BodyPreference>\
                 <AirSyncBase:BodyPreference><Type>1</Type></AirSyncBase:BodyPreference></Options>";
    for (wrong, sentence) in [
        (
            with("", "<TruncationSize>9</TruncationSize><Type>1</Type>"),
            "the elements have an order",
        ),
        (
            with("", "<Type>1</Type><AllOrNone>1</AllOrNone><AllOrNone>1</AllOrNone>"),
            "each is once",
        ),
        (twice.to_owned(), "so is each type"),
    ] {
        let first = phone.first_key(&inbox).await?;
        let answer = phone.sync(&first, &inbox, &wrong).await?;
        f.text(sentence, &answer, "Status", "4");
    }
    if phone.version() >= ProtocolVersion::V14_0 {
        let preview =
            with("", "<Type>1</Type><TruncationSize>40</TruncationSize><Preview>20</Preview>");
        let (preview, _) = phone.everything(&inbox, &preview).await?;
        let shown =
            text(item(&preview, "long")?, "ApplicationData/Body/Preview").unwrap_or_default();
        f.that(
            "a preview of the length asked for",
            (1..=20).contains(&shown.chars().count()),
            &shown,
        );
    }
    let both = "<Type>2</Type><TruncationSize>500</TruncationSize><AllOrNone>1</AllOrNone>\
         </AirSyncBase:BodyPreference><AirSyncBase:BodyPreference><Type>1</Type>\
         <TruncationSize>600</TruncationSize>";
    let (both, _) = phone.everything(&inbox, &with("", both)).await?;
    let long = item(&both, "long")?;
    f.text("what must be whole and is not gives way to the next", long, TYPE, "1");
    let size = text(long, DATA).unwrap_or_default().len();
    f.that("cut as that says", (500..=600).contains(&size), &size);
    f.text("what fits is in the form it was written in", item(&both, "short")?, TYPE, "2");
    let alone = with("", "<Type>2</Type><AllOrNone>1</AllOrNone>");
    let (alone, _) = phone.everything(&inbox, &alone).await?;
    let whole = text(item(&alone, "long")?, DATA).unwrap_or_default().len();
    f.that("AllOrNone without TruncationSize means nothing", whole > 10_000, &whole);
    let nothing = with("", "<Type>1</Type><TruncationSize>0</TruncationSize>");
    let (nothing, _) = phone.everything(&inbox, &nothing).await?;
    let short = item(&nothing, "short")?;
    f.text("of a body no byte may be wanted", short, "ApplicationData/Body/Truncated", "1");
    f.that("so that there is none", !has(short, DATA), &short.with_contents());
    if phone.version() >= ProtocolVersion::V14_0 {
        let first = phone.first_key(&inbox).await?;
        let long = with("", "<Type>1</Type><Preview>256</Preview>");
        let answer = phone.sync(&first, &inbox, &long).await?;
        f.text("a preview is of 255 characters at the most", &answer, "Status", "4");
        let most = with("", "<Type>1</Type><Preview>255</Preview>");
        let (most, _) = phone.everything(&inbox, &most).await?;
        let shown = text(item(&most, "long")?, "ApplicationData/Body/Preview");
        let length = shown.unwrap_or_default().chars().count();
        f.that("which it may have", (200..=255).contains(&length), &length);
    }
    if phone.version() >= ProtocolVersion::V14_1 {
        let within = |limits: &str| {
            format!(
                "<Options><AirSyncBase:BodyPartPreference><Type>2</Type>{limits}\
                 </AirSyncBase:BodyPartPreference></Options>"
            )
        };
        let part = "ApplicationData/BodyPart";
        let cut = within("<TruncationSize>300</TruncationSize><Preview>12</Preview>");
        let (cut, _) = phone.everything(&inbox, &cut).await?;
        let long = item(&cut, "long")?;
        f.text("a part is cut", long, &format!("{part}/Truncated"), "1");
        let size = text(long, &format!("{part}/Data")).unwrap_or_default().len();
        f.that("at TruncationSize", (1..=300).contains(&size), &size);
        f.text("with the preview asked for", long, &format!("{part}/Preview"), "A paragraph");
        f.that("and no body", !has(long, "ApplicationData/Body"), &long.with_contents());
        let all = within("<TruncationSize>300</TruncationSize><AllOrNone>1</AllOrNone>");
        let (all, _) = phone.everything(&inbox, &all).await?;
        let long = item(&all, "long")?;
        f.that("or left out", !has(long, &format!("{part}/Data")), &long.with_contents());
        f.text("its size is told", long, &format!("{part}/Truncated"), "1");
        let short = item(&all, "short")?;
        f.that("where it does not fit", has(short, &format!("{part}/Data")), short);
    }
    if phone.version() >= ProtocolVersion::V14_1 {
        let part = |kind: u8| {
            format!(
                "<Options><AirSyncBase:BodyPartPreference><Type>{kind}</Type>\
             <TruncationSize>300</TruncationSize></AirSyncBase:BodyPartPreference></Options>"
            )
        };
        let (parts, _) = phone.everything(&inbox, &part(2)).await?;
        let long = item(&parts, "long")?;
        f.text("the conversation's part of a body", long, "ApplicationData/BodyPart/Status", "1");
        let first = phone.first_key(&inbox).await?;
        let answer = phone.sync(&first, &inbox, &part(1)).await?;
        let told = text(&answer, "Status") == Some("164")
            || text(&answer, STATUS) == Some("164")
            || all(&answer, "Collections/Collection/Commands/Add/ApplicationData/BodyPart/Status")
                .iter()
                .all(|s| s.as_text() == Some("164"));
        f.that("is HTML and nothing else (164)", told, &answer);
        let fetch = format!(
            "<ItemOperations:ItemOperations><Fetch><Store>Mailbox</Store>\
             <AirSync:CollectionId>{inbox}</AirSync:CollectionId><AirSync:ServerId>{}</AirSync:ServerId>\
             {}</Fetch></ItemOperations:ItemOperations>",
            id(long),
            part(1)
        );
        let answer = phone.ask(Command::ItemOperations, &fetch).await?;
        f.text("in ItemOperations too", &answer, "Status", "164");
        let search = format!(
            "<Search:Search><Store><Name>Mailbox</Name><Query><And><FreeText>long</FreeText></And>\
             </Query>{}</Store></Search:Search>",
            part(1)
        );
        let answer = phone.ask(Command::Search, &search).await?;
        f.text("and in Search", &answer, "Status", "164");
    }
    let (items, _) = phone.everything(&inbox, "").await?;
    let invitation = item(&items, "invitation")?;
    f.text(
        "an invitation is one",
        invitation,
        "ApplicationData/MessageClass",
        "IPM.Schedule.Meeting.Request",
    );
    f.text(
        "with its begin",
        invitation,
        "ApplicationData/MeetingRequest/StartTime",
        "2096-12-01T09:00:00.000Z",
    );
    let new = phone.version() >= ProtocolVersion::V16_0;
    let uid = has(invitation, "ApplicationData/MeetingRequest/UID");
    f.that("from 16.0 on it has the UID", uid == new, &uid);
    let global = has(invitation, "ApplicationData/MeetingRequest/GlobalObjId");
    f.that("before that the GlobalObjId", global != new, &global);
    let conversation =
        bytes(item(&items, "other")?, "ApplicationData/ConversationId").map(<[u8]>::len);
    let expected = (phone.version() >= ProtocolVersion::V14_0).then_some(16);
    f.that(
        "a conversation's id is 16 bytes from 14.0 on",
        conversation == expected,
        &format!("{conversation:?}"),
    );
    Ok(())
}

/// MS-ASCMD 2.2.1.10, 2.2.1.12, 2.2.1.7.
pub async fn items(phone: &mut Speaker, f: &mut Findings) -> Result<()> {
    let inbox = phone.folder("2").await?;
    let trash = phone.folder("4").await?;
    let (items, _) = phone.everything(&inbox, "").await?;
    let attached = item(&items, "attached")?.clone();
    let reference = text(&attached, "ApplicationData/Attachments/Attachment/FileReference");
    let reference = reference.context("no file reference")?.to_owned();
    let fetch = |target: &str, options: &str| {
        format!(
            "<ItemOperations:ItemOperations><Fetch><Store>Mailbox</Store>{target}{options}</Fetch></ItemOperations:ItemOperations>"
        )
    };
    let by_id = |folder: &str, id: &str| {
        format!(
            "<AirSync:CollectionId>{folder}</AirSync:CollectionId><AirSync:ServerId>{id}</AirSync:ServerId>"
        )
    };
    let file = format!("<AirSyncBase:FileReference>{reference}</AirSyncBase:FileReference>");
    let content = "Response/Fetch/Properties";
    let body = "<Options><AirSyncBase:BodyPreference><Type>1</Type></AirSyncBase:BodyPreference></Options>";
    let answer =
        phone.ask(Command::ItemOperations, &fetch(&by_id(&inbox, id(&attached)), body)).await?;
    f.text("an item is fetched", &answer, "Response/Fetch/Status", "1");
    f.text("with its elements", &answer, &format!("{content}/Subject"), "attached");
    f.that(
        "and body",
        text(&answer, &format!("{content}/Body/Data")).is_some_and(|d| d.contains("See the file")),
        &answer.with_contents(),
    );
    let schema = "<Options><Schema><Email:Subject/></Schema></Options>";
    let answer =
        phone.ask(Command::ItemOperations, &fetch(&by_id(&inbox, id(&attached)), schema)).await?;
    let given = all(&answer, content).first().map_or(0, |p| p.children().len());
    f.that("Schema restricts the elements", given == 1, &answer.with_contents());
    let answer = phone
        .ask(Command::ItemOperations, &fetch(&by_id(&inbox, &format!("{inbox}:987654")), ""))
        .await?;
    f.text("what is gone is not found", &answer, "Response/Fetch/Status", "6");
    let answer = phone.ask(Command::ItemOperations, &fetch(&file, "")).await?;
    f.text("an attachment is fetched", &answer, "Response/Fetch/Status", "1");
    f.text("as base64", &answer, &format!("{content}/Data"), "MDEyMzQ1Njc4OQ==");
    f.text("with its type", &answer, &format!("{content}/ContentType"), "text/plain");
    let answer = phone
        .ask(Command::ItemOperations, &fetch(&file, "<Options><Range>2-5</Range></Options>"))
        .await?;
    f.text("a range of it", &answer, &format!("{content}/Data"), "MjM0NQ==");
    f.text("says which", &answer, &format!("{content}/Range"), "2-5");
    f.text("of how many bytes", &answer, &format!("{content}/Total"), "10");
    let answer = phone
        .ask(Command::ItemOperations, &fetch(&file, "<Options><Range>90-99</Range></Options>"))
        .await?;
    f.text("a range beyond the end is invalid", &answer, "Response/Fetch/Status", "8");
    let gone = "<AirSyncBase:FileReference>nonsense</AirSyncBase:FileReference>";
    let answer = phone.ask(Command::ItemOperations, &fetch(gone, "")).await?;
    f.text("a reference that is not ours is invalid", &answer, "Response/Fetch/Status", "15");
    let empty = "<AirSyncBase:FileReference></AirSyncBase:FileReference>";
    let answer = phone.ask(Command::ItemOperations, &fetch(empty, "")).await?;
    f.text("so is an empty one", &answer, "Response/Fetch/Status", "15");
    let answer = phone.ask(Command::ItemOperations, &fetch(&format!("{file}{file}"), "")).await?;
    f.text("two in one Fetch are too many", &answer, "Status", "2");
    let attic = fetch("<AirSync:ServerId></AirSync:ServerId>", "").replace("Mailbox", "Attic");
    let answer = phone.ask(Command::ItemOperations, &attic).await?;
    f.text("a store that nobody knows is told, whatever is fetched", &answer, "Status", "1");
    f.text("in the fetch", &answer, "Response/Fetch/Status", "9");
    let multipart = Parameters { accept_multi_part: true, ..Parameters::default() };
    let both = fetch(&file, "");
    let reply = phone
        .client
        .command(
            Command::ItemOperations,
            multipart,
            Body::Element(request(&both, b"")?),
            Duration::ZERO,
        )
        .await?;
    let kind = reply.header("content-type").unwrap_or_default().to_owned();
    f.that("a multipart answer has its type", kind == "application/vnd.ms-sync.multipart", &kind);
    let parts = dme_eas::multipart::split(&reply.body)?;
    f.that(
        "and the bytes as a part",
        parts.get(1).is_some_and(|p| &p[..] == b"0123456789"),
        &parts.len(),
    );
    let first = reply.element(Command::ItemOperations)?.context("no element")?;
    f.text("which the document names", &first, &format!("{content}/Part"), "1");
    if phone.version() == ProtocolVersion::V12_1 {
        let parameters =
            Parameters { attachment_name: Some(reference.clone()), ..Parameters::default() };
        let reply = phone
            .client
            .command(Command::GetAttachment, parameters, Body::Empty, Duration::ZERO)
            .await?;
        f.that(
            "GetAttachment gives the bytes",
            reply.status == 200 && &reply.body[..] == b"0123456789",
            &reply.status,
        );
    } else {
        let reply = phone.raw(Command::GetAttachment, Body::Empty).await?;
        f.status("GetAttachment is of older versions", &reply, 501);
    }
    let wrong = "<ItemOperations:ItemOperations><EmptyFolderContents><AirSync:CollectionId>987654</AirSync:CollectionId></EmptyFolderContents></ItemOperations:ItemOperations>";
    let answer = phone.ask(Command::ItemOperations, wrong).await?;
    let status = text(&answer, "Response/EmptyFolderContents/Status");
    f.that(
        "a folder that is not there is not emptied",
        matches!(status, Some("2" | "3" | "6")),
        &answer.with_contents(),
    );

    let moves = |item: &str, from: &str, to: &str| {
        format!(
            "<Move:MoveItems><Move><SrcMsgId>{item}</SrcMsgId><SrcFldId>{from}</SrcFldId><DstFldId>{to}</DstFldId></Move></Move:MoveItems>"
        )
    };
    let other = id(item(&items, "other")?).to_owned();
    for (what, from, to, status, sentence) in [
        (&*format!("{inbox}:987654"), &*inbox, &*trash, "1", "what is gone cannot be moved"),
        (&*other, "987654", &*trash, "1", "nor from a folder that is not there"),
        (&*other, &*trash, &*inbox, "1", "nor from one that it does not lie in"),
        (&*other, &*inbox, "987654", "2", "nor into one"),
        (&*other, &*inbox, &*inbox, "4", "nor into its own"),
    ] {
        let answer = phone.ask(Command::MoveItems, &moves(what, from, to)).await?;
        f.text(sentence, &answer, "Response/Status", status);
    }
    let drafts = phone.folder("3").await?;
    let one = |to: &str| moves(&other, &inbox, to);
    let both = one(&trash).replace("</Move:MoveItems>", "")
        + &one(&drafts).replace("<Move:MoveItems>", "");
    let answer = phone.ask(Command::MoveItems, &both).await?;
    let told: Vec<_> =
        all(&answer, "Response/Status").into_iter().filter_map(Element::as_text).collect();
    f.that("an item goes to one place", told == ["3", "5"], &answer.with_contents());
    let moved = text(&answer, "Response/DstMsgId").context("no new id")?.to_owned();
    let answer = phone.ask(Command::MoveItems, &moves(&moved, &trash, &inbox)).await?;
    f.text("from where it is taken back", &answer, "Response/Status", "3");
    let other = text(&answer, "Response/DstMsgId").context("no new id")?.to_owned();
    let answer = phone.ask(Command::MoveItems, &moves(&other, &inbox, &trash)).await?;
    f.text("an item is moved", &answer, "Response/Status", "3");
    let again = phone.ask(Command::MoveItems, &moves(&other, &inbox, &trash)).await?;
    f.text("a repeated move has the same answer", &again, "Response/Status", "3");
    let moved = text(&answer, "Response/DstMsgId").context("no new id")?.to_owned();
    let answer = phone.ask(Command::MoveItems, &moves(&moved, &trash, &inbox)).await?;
    f.text("and back", &answer, "Response/Status", "3");
    Ok(())
}
