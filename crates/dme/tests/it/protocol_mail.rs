//! The protocol's commands on mails: bodies, items, sending, finding, waiting, drafts. The parts of
//! `protocol.rs` for each version.

use crate::protocol::{Findings, STATUS, Speaker, id, item, key};
use crate::protocol_text::{all, bytes, has, request, text};
use crate::site::{PATIENCE, Site};
use anyhow::{Context, Result, bail};
use dme_eas::ProtocolVersion;
use dme_eas::query::{Command, Parameters};
use dme_phone::Body;
use dme_wbxml::Element;
use std::time::{Duration, Instant};

const DATA: &str = "ApplicationData/Body/Data";

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
    f.that("but not without MIMESupport", kind != Some("4"), &format!("{kind:?}"));
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
        "2026-12-01T09:00:00.000Z",
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
        (&*other, &*inbox, "987654", "2", "nor into one"),
        (&*other, &*inbox, &*inbox, "4", "nor into its own"),
    ] {
        let answer = phone.ask(Command::MoveItems, &moves(what, from, to)).await?;
        f.text(sentence, &answer, "Response/Status", status);
    }
    let answer = phone.ask(Command::MoveItems, &moves(&other, &inbox, &trash)).await?;
    f.text("an item is moved", &answer, "Response/Status", "3");
    let moved = text(&answer, "Response/DstMsgId").context("no new id")?.to_owned();
    let answer = phone.ask(Command::MoveItems, &moves(&moved, &trash, &inbox)).await?;
    f.text("and back", &answer, "Response/Status", "3");
    Ok(())
}

fn message(subject: &str, headers: &str) -> String {
    format!(
        "From: ann@example.org\r\n{headers}Subject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nWritten on a phone.\r\n"
    )
}

/// MS-ASCMD 2.2.1.17, 2.2.1.19, 2.2.1.20.
pub async fn sending(site: &Site, phone: &mut Speaker, f: &mut Findings) -> Result<()> {
    let version = phone.version();
    let inbox = phone.folder("2").await?;
    let (items, _) = phone.everything(&inbox, "").await?;
    let short = id(item(&items, "short")?).to_owned();
    let unique = |what: &str| format!("{what} {version}");
    let to_bob = "To: bob@example.org\r\nBcc: eve@example.org\r\n";
    let mail = message(&unique("sent"), to_bob);
    if version == ProtocolVersion::V12_1 {
        for (command, subject) in [
            (Command::SendMail, "sent"),
            (Command::SmartReply, "answer"),
            (Command::SmartForward, "forward"),
        ] {
            let parameters = Parameters {
                save_in_sent: true,
                collection_id: Some(inbox.clone()).filter(|_| command != Command::SendMail),
                item_id: Some(short.clone()).filter(|_| command != Command::SendMail),
                ..Parameters::default()
            };
            let body = Body::Mime(message(&unique(subject), to_bob).into());
            let reply = phone.client.command(command, parameters, body, Duration::ZERO).await?;
            f.that(
                &format!("{} of a bare message is answered by nothing", command.name()),
                reply.status == 200 && reply.body.is_empty(),
                &reply.status,
            );
        }
        let body = Body::Mime(message(&unique("nobody"), "").into());
        let reply = phone
            .client
            .command(Command::SendMail, Parameters::default(), body, Duration::ZERO)
            .await?;
        f.that(
            "one without receivers is refused",
            (400..500).contains(&reply.status),
            &reply.status,
        );
    } else {
        let compose = |command: &str, client: &str, more: &str| {
            format!(
                "<ComposeMail:{command}><ClientId>{client}</ClientId><SaveInSentItems/>{more}<Mime>@</Mime></ComposeMail:{command}>"
            )
        };
        let source =
            format!("<Source><FolderId>{inbox}</FolderId><ItemId>{short}</ItemId></Source>");
        for twice in ["sent", "not sent again"] {
            let answer = phone
                .try_ask(Command::SendMail, &compose("SendMail", "one", ""), mail.as_bytes())
                .await?;
            f.that(
                &format!("SendMail that is {twice} is answered by nothing"),
                answer.is_none(),
                &format!("{answer:?}"),
            );
        }
        let answer = phone
            .try_ask(
                Command::SmartReply,
                &compose("SmartReply", "two", &source),
                message(&unique("answer"), to_bob).as_bytes(),
            )
            .await?;
        f.that("SmartReply is answered by nothing", answer.is_none(), &format!("{answer:?}"));
        let whole = format!("{source}<ReplaceMime/>");
        let answer = phone
            .try_ask(
                Command::SmartReply,
                &compose("SmartReply", "three", &whole),
                message(&unique("replaced"), to_bob).as_bytes(),
            )
            .await?;
        f.that("so is one with ReplaceMime", answer.is_none(), &format!("{answer:?}"));
        let answer = phone
            .try_ask(
                Command::SmartForward,
                &compose("SmartForward", "four", &source),
                message(&unique("forward"), to_bob).as_bytes(),
            )
            .await?;
        f.that("and SmartForward", answer.is_none(), &format!("{answer:?}"));
        let gone =
            format!("<Source><FolderId>{inbox}</FolderId><ItemId>{inbox}:987654</ItemId></Source>");
        for (command, name, text_, opaque, status, sentence) in [
            (
                Command::SendMail,
                "SendMail",
                compose("SendMail", "n1", ""),
                message("nobody", ""),
                "119",
                "one without receivers is refused",
            ),
            (
                Command::SendMail,
                "SendMail",
                compose("SendMail", "n2", ""),
                String::new(),
                "107",
                "and an empty one",
            ),
            (
                Command::SendMail,
                "SendMail",
                compose("SendMail", "n3", ""),
                "no message at all".into(),
                "107",
                "and what is no message",
            ),
            (
                Command::SmartReply,
                "SmartReply",
                compose("SmartReply", "n4", &gone),
                message("gone", to_bob),
                "150",
                "and an answer to what is gone",
            ),
            (
                Command::SendMail,
                "SendMail",
                "<ComposeMail:SendMail><Mime>@</Mime></ComposeMail:SendMail>".into(),
                message("x", to_bob),
                "103",
                "and one without ClientId",
            ),
        ] {
            let answer = phone.try_ask(command, &text_, opaque.as_bytes()).await?;
            let answer = answer.with_context(|| format!("{name}: {sentence}, but it was sent"))?;
            f.text(sentence, &answer, "Status", status);
        }
    }
    let mut bob = Speaker::new(site, "bob", version, "receiver")?;
    let arrived = arrival(&mut bob, &unique("forward")).await?;
    let text_ = |items: &[Element], subject: &str| -> String {
        item(items, subject).ok().and_then(|i| text(i, DATA)).unwrap_or_default().to_owned()
    };
    let answer = text_(&arrived, &unique("answer"));
    f.that(
        "an answer has the original's text",
        answer.contains("Written on a phone") && answer.contains("Hello"),
        &answer,
    );
    let count = arrived
        .iter()
        .filter(|i| text(i, "ApplicationData/Subject") == Some(&*unique("sent")))
        .count();
    f.that("each mail arrives once", count == 1, &count);
    if version >= ProtocolVersion::V14_0 {
        let replaced = text_(&arrived, &unique("replaced"));
        f.that(
            "ReplaceMime leaves the original out",
            replaced.contains("Written") && !replaced.contains("Hello"),
            &replaced,
        );
    }
    let shown = item(&arrived, &unique("sent"))?.with_contents().to_string();
    f.that("Bcc is not told to the others", !shown.contains("eve@"), &shown);
    let sent = phone.folder("5").await?;
    let (kept, _) = phone.everything(&sent, "").await?;
    let copies = kept
        .iter()
        .filter(|i| text(i, "ApplicationData/Subject") == Some(&*unique("sent")))
        .count();
    f.that("a copy is kept in Sent, once", copies == 1, &copies);
    if version >= ProtocolVersion::V14_0 {
        let (items, _) = phone.everything(&inbox, "").await?;
        let verb =
            text(item(&items, "short")?, "ApplicationData/LastVerbExecuted").map(str::to_owned);
        f.that(
            "the original is marked as answered or sent on",
            matches!(verb.as_deref(), Some("1" | "3")),
            &format!("{verb:?}"),
        );
    }
    Ok(())
}

/// Bob's inbox once a mail of this subject is there.
async fn arrival(bob: &mut Speaker, subject: &str) -> Result<Vec<Element>> {
    let end = Instant::now() + PATIENCE;
    let inbox = bob.folder("2").await?;
    loop {
        let options = "<Options><AirSyncBase:BodyPreference><Type>1</Type></AirSyncBase:BodyPreference></Options>";
        let (items, _) = bob.everything(&inbox, options).await?;
        if item(&items, subject).is_ok() {
            return Ok(items);
        }
        if Instant::now() > end {
            bail!("{subject:?} did not arrive");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// MS-ASCMD 2.2.1.2, 2.2.1.15, 2.2.1.16, 2.2.1.18, 2.2.1.22, 2.2.1.11.
pub async fn finding(phone: &mut Speaker, f: &mut Findings) -> Result<()> {
    let inbox = phone.folder("2").await?;
    let version = phone.version();
    let mailbox = |words: &str, range: &str| {
        format!(
            "<Search:Search><Store><Name>Mailbox</Name><Query><And><AirSync:Class>Email</AirSync:Class>\
             <AirSync:CollectionId>{inbox}</AirSync:CollectionId><FreeText>{words}</FreeText></And></Query>\
             <Options><RebuildResults/><Range>{range}</Range></Options></Store></Search:Search>"
        )
    };
    let found = "Response/Store";
    let answer = phone.ask(Command::Search, &mailbox("attached", "0-9")).await?;
    f.text("a search goes well", &answer, &format!("{found}/Status"), "1");
    f.text(
        "and finds the mail",
        &answer,
        &format!("{found}/Result/Properties/Subject"),
        "attached",
    );
    let long_id = text(&answer, &format!("{found}/Result/LongId")).context("no LongId")?.to_owned();
    let fetch = format!(
        "<ItemOperations:ItemOperations><Fetch><Store>Mailbox</Store><Search:LongId>{long_id}</Search:LongId></Fetch></ItemOperations:ItemOperations>"
    );
    let answer = phone.ask(Command::ItemOperations, &fetch).await?;
    f.text(
        "which can be fetched by its LongId",
        &answer,
        "Response/Fetch/Properties/Subject",
        "attached",
    );
    let answer = phone.ask(Command::Search, &mailbox("Xylophone", "0-9")).await?;
    let empty = all(&answer, &format!("{found}/Result"));
    f.that(
        "nothing found is an empty Result",
        empty.len() == 1 && empty[0].children().is_empty(),
        &answer.with_contents(),
    );
    let gal = |text: &str| {
        format!(
            "<Search:Search><Store><Name>GAL</Name><Query>{text}</Query><Options><Range>0-9</Range></Options></Store></Search:Search>"
        )
    };
    let answer = phone.ask(Command::Search, &gal("bob")).await?;
    f.text(
        "people are found",
        &answer,
        &format!("{found}/Result/Properties/EmailAddress"),
        "bob@example.org",
    );
    f.text("their number is told", &answer, &format!("{found}/Total"), "1");
    let answer = phone
        .ask(Command::Search, "<Search:Search><Store><Name>Nonsense</Name></Store></Search:Search>")
        .await?;
    f.that(
        "an unknown store is refused",
        text(&answer, "Status") != Some("1") || text(&answer, "Response/Store/Status") != Some("1"),
        &answer.with_contents(),
    );
    let find = format!(
        "<Find:Find><SearchId>11111111-2222-3333-4444-555555555555</SearchId><ExecuteSearch><MailBoxSearchCriterion><Query><AirSync:Class>Email</AirSync:Class><AirSync:CollectionId>{inbox}</AirSync:CollectionId><FreeText>attached</FreeText></Query><Options><Range>0-4</Range></Options></MailBoxSearchCriterion></ExecuteSearch></Find:Find>"
    );
    if version == ProtocolVersion::V16_1 {
        let answer = phone.ask(Command::Find, &find).await?;
        f.text("Find goes well", &answer, "Response/Status", "1");
        f.text("and finds the mail too", &answer, "Response/Result/Properties/Subject", "attached");
        f.text(
            "says that it has attachments",
            &answer,
            "Response/Result/Properties/HasAttachments",
            "1",
        );
    } else if version >= ProtocolVersion::V14_0 {
        let answer = phone.ask(Command::Find, &find).await?;
        f.text("Find is 16.1's", &answer, "Status", "137");
    } else {
        let reply = phone.raw(Command::Find, Body::Element(request(&find, b"")?)).await?;
        f.status("Find is 16.1's", &reply, 501);
    }
    let resolve = |to: &str| {
        format!(
            "<ResolveRecipients:ResolveRecipients><To>{to}</To><Options><CertificateRetrieval>2</CertificateRetrieval></Options></ResolveRecipients:ResolveRecipients>"
        )
    };
    let answer = phone.ask(Command::ResolveRecipients, &resolve("bob@example.org")).await?;
    f.text("a receiver is resolved", &answer, "Response/Status", "1");
    f.text("to an address", &answer, "Response/Recipient/EmailAddress", "bob@example.org");
    f.text("without a certificate", &answer, "Response/Recipient/Certificates/Status", "7");
    let answer = phone.ask(Command::ResolveRecipients, &resolve("nobody-of-that-name")).await?;
    f.text("nobody is not", &answer, "Response/Status", "4");
    let validate = "<ValidateCert:ValidateCert><Certificates><Certificate>MIIB</Certificate></Certificates></ValidateCert:ValidateCert>";
    let answer = phone.ask(Command::ValidateCert, validate).await?;
    f.text("ValidateCert is understood", &answer, "Status", "1");
    f.that(
        "and vouches for nothing",
        text(&answer, "Certificate/Status").is_some_and(|s| s != "1"),
        &answer.with_contents(),
    );
    let settings = "<Settings:Settings><UserInformation><Get/></UserInformation><DeviceInformation><Set><Model>Test</Model></Set></DeviceInformation></Settings:Settings>";
    let answer = phone.ask(Command::Settings, settings).await?;
    f.text("Settings go well", &answer, "Status", "1");
    f.text("the device's information is taken", &answer, "DeviceInformation/Status", "1");
    let address = if version >= ProtocolVersion::V14_1 {
        "UserInformation/Get/Accounts/Account/EmailAddresses/SMTPAddress"
    } else {
        "UserInformation/Get/EmailAddresses/SMTPAddress"
    };
    let address = if version >= ProtocolVersion::V14_1 && !has(&answer, address) {
        "UserInformation/Get/Accounts/Account/EmailAddresses/PrimarySmtpAddress"
    } else {
        address
    };
    f.text("the user's address is told", &answer, address, "ann@example.org");
    let meeting = format!(
        "<MeetingResponse:MeetingResponse><Request><UserResponse>1</UserResponse><CollectionId>{inbox}</CollectionId><RequestId>{inbox}:987654</RequestId></Request></MeetingResponse:MeetingResponse>"
    );
    let answer = phone.ask(Command::MeetingResponse, &meeting).await?;
    f.text("an answer to no invitation is refused", &answer, "Result/Status", "2");
    Ok(())
}

/// MS-ASCMD 2.2.1.13, and Sync's Wait.
pub async fn waiting(site: &Site, phone: &mut Speaker, f: &mut Findings) -> Result<()> {
    let inbox = phone.folder("2").await?;
    let ping = |seconds: &str, folder: &str| {
        format!(
            "<Ping:Ping><HeartbeatInterval>{seconds}</HeartbeatInterval><Folders><Folder><Id>{folder}</Id><Class>Email</Class></Folder></Folders></Ping:Ping>"
        )
    };
    let device = phone.client.account.device.clone();
    phone.client.account.device = format!("{device}ping").as_str().into();
    let reply = phone.raw(Command::Ping, Body::Empty).await?;
    let answer = reply.element(Command::Ping)?.context("no answer")?;
    f.text("an empty Ping with none before lacks its parameters", &answer, "Status", "3");
    phone.client.account.device = device;
    let (_, at) = phone.everything(&inbox, "").await?;
    let answer = phone.ask(Command::Ping, &ping("1", &inbox)).await?;
    f.text("a Ping ends without a change", &answer, "Status", "1");
    let reply = phone.raw(Command::Ping, Body::Empty).await?;
    let answer = reply.element(Command::Ping)?.context("no answer")?;
    f.text("an empty Ping repeats the last", &answer, "Status", "1");
    let answer = phone.ask(Command::Ping, &ping("0", &inbox)).await?;
    f.text("an interval may be too short", &answer, "Status", "5");
    f.text("the shortest is told", &answer, "HeartbeatInterval", "1");
    let answer = phone.ask(Command::Ping, &ping("99999", &inbox)).await?;
    f.text("or too long", &answer, "HeartbeatInterval", "3540");
    let answer = phone.ask(Command::Ping, &ping("60", "987654")).await?;
    f.text("a folder that is not there asks for FolderSync", &answer, "Status", "7");
    let answer = phone.ask(Command::Ping, "<Ping:Ping><HeartbeatInterval>60</HeartbeatInterval><Folders><Folder><Class>Email</Class></Folder></Folders></Ping:Ping>").await?;
    f.text("a folder without an id is malformed", &answer, "Status", "4");
    let subject = format!("woken {}", phone.version());
    let mail = format!(
        "From: bob@example.org\r\nTo: ann@example.org\r\nSubject: {subject}\r\nMessage-ID: <{}@x>\r\n\r\nx\r\n",
        phone.version()
    );
    site.dovecot.deliver("ann@example.org", mail.as_bytes())?;
    let answer = phone.ask(Command::Ping, &ping("60", &inbox)).await?;
    f.text("a Ping is answered by a change", &answer, "Status", "2");
    f.text("that names the folder", &answer, "Folders/Folder", &inbox);
    let text_ = phone.sync_text(&at, &inbox, "<GetChanges>1</GetChanges>", "<Wait>1</Wait>");
    let answer = phone.try_ask(Command::Sync, &text_, b"").await?.context("nothing came")?;
    let add = "Collections/Collection/Commands/Add";
    f.text(
        "a waiting Sync brings it at once",
        &answer,
        &format!("{add}/ApplicationData/Subject"),
        &subject,
    );
    let new = text(&answer, &format!("{add}/ServerId")).context("no id")?.to_owned();
    let mut at = key(&answer)?;
    for (moves, folder) in [("1", "4"), ("0", "")] {
        if folder.is_empty() {
            site.dovecot.deliver("ann@example.org", mail.as_bytes())?;
            phone.ask(Command::Ping, &ping("60", &inbox)).await?;
        }
        let target = if folder.is_empty() {
            let answer = phone.sync(&at, &inbox, "<GetChanges>1</GetChanges>").await?;
            at = key(&answer)?;
            text(&answer, &format!("{add}/ServerId")).context("no second mail")?.to_owned()
        } else {
            new.clone()
        };
        let trash = phone.folder("4").await?;
        let before = phone.everything(&trash, "").await?.0.len();
        let delete = format!(
            "<DeletesAsMoves>{moves}</DeletesAsMoves><GetChanges>0</GetChanges><Commands><Delete><ServerId>{target}</ServerId></Delete></Commands>"
        );
        let answer = phone.sync(&at, &inbox, &delete).await?;
        f.text("an item is deleted", &answer, STATUS, "1");
        at = key(&answer)?;
        let after = phone.everything(&trash, "").await?.0.len();
        let expected = before + usize::from(moves == "1");
        f.that(
            &format!("DeletesAsMoves {moves} decides whether it goes to the trash"),
            after == expected,
            &format!("{before}, then {after}"),
        );
    }
    Ok(())
}

/// MS-ASCMD 2.2.1.21 and MS-ASEMAIL 2.2.2: drafts, from 16.0 on.
pub async fn drafts(site: &Site, phone: &mut Speaker, f: &mut Findings) -> Result<()> {
    let drafts = phone.folder("3").await?;
    let (_, at) = phone.everything(&drafts, "").await?;
    let version = phone.version();
    let subject = format!("draft {version}");
    let data = |subject: &str, body: &str, more: &str| {
        format!(
            "<ApplicationData><Email:To>bob@example.org</Email:To><Email:Subject>{subject}</Email:Subject>\
         <AirSyncBase:Body><Type>1</Type><Data>{body}</Data></AirSyncBase:Body>{more}</ApplicationData>"
        )
    };
    let attach = "<AirSyncBase:Attachments><Add><ClientId>file1</ClientId><Method>1</Method><Content>@</Content><DisplayName>notes.txt</DisplayName></Add></AirSyncBase:Attachments>";
    let add = format!(
        "<GetChanges>0</GetChanges><Commands><Add><ClientId>c1</ClientId>{}</Add></Commands>",
        data(&subject, "first", attach)
    );
    let text_ = phone.sync_text(&at, &drafts, &add, "");
    let answer = phone.try_ask(Command::Sync, &text_, b"some notes").await?.context("no answer")?;
    f.text("a draft is added", &answer, "Collections/Collection/Responses/Add/Status", "1");
    let draft =
        text(&answer, "Collections/Collection/Responses/Add/ServerId").context("no id")?.to_owned();
    let (items, _) = phone.everything(&drafts, "").await?;
    let shown = item(&items, &subject)?;
    f.text("and is one", shown, "ApplicationData/IsDraft", "1");
    f.text(
        "with its attachment",
        shown,
        "ApplicationData/Attachments/Attachment/DisplayName",
        "notes.txt",
    );
    let (_, at) = phone.everything(&drafts, "").await?;
    let listed: Vec<&str> = items.iter().map(id).collect();
    f.that("under the id that was told", listed.contains(&draft.as_str()), &format!("{listed:?}"));
    let change = format!(
        "<GetChanges>0</GetChanges><Commands><Change><ServerId>{draft}</ServerId>{}</Change></Commands>",
        data(&subject, "second", "")
    );
    let answer = phone.sync(&at, &drafts, &change).await?;
    f.text("a draft is changed", &answer, STATUS, "1");
    let refused = all(&answer, "Collections/Collection/Responses/Change/Status");
    f.that(
        "without complaint",
        refused.iter().all(|s| s.as_text() == Some("1")),
        &answer.with_contents(),
    );
    let options = "<Options><AirSyncBase:BodyPreference><Type>1</Type></AirSyncBase:BodyPreference></Options>";
    let (items, at) = phone.everything(&drafts, options).await?;
    let shown = item(&items, &subject)?;
    f.that(
        "its body is the new one",
        text(shown, DATA).is_some_and(|d| d.contains("second")),
        &shown.with_contents(),
    );
    f.that(
        "its attachment is still there",
        has(shown, "ApplicationData/Attachments/Attachment"),
        &shown.with_contents(),
    );
    let send = format!(
        "<GetChanges>0</GetChanges><Commands><Change><ServerId>{}</ServerId><Email2:Send/>{}</Change></Commands>",
        id(shown),
        data(&subject, "third", "")
    );
    let answer = phone.sync(&at, &drafts, &send).await?;
    let refused = all(&answer, "Collections/Collection/Responses/Change/Status");
    f.that(
        "a draft is sent",
        refused.iter().all(|s| s.as_text() == Some("1")),
        &answer.with_contents(),
    );
    let mut bob = Speaker::new(site, "bob", version, "receiver")?;
    let arrived = arrival(&mut bob, &subject).await?;
    let arrived = item(&arrived, &subject)?;
    f.that(
        "as it was last",
        text(arrived, DATA).is_some_and(|d| d.contains("third")),
        &arrived.with_contents(),
    );
    f.text(
        "with its attachment",
        arrived,
        "ApplicationData/Attachments/Attachment/DisplayName",
        "notes.txt",
    );
    let (left, _) = phone.everything(&drafts, "").await?;
    f.that("and is a draft no longer", item(&left, &subject).is_err(), &left.len());
    Ok(())
}
