//! Finding, settings, and waiting: the parts of `protocol.rs` for each version.

use crate::protocol::{Findings, STATUS, Speaker, key};
use crate::protocol_text::{all, has, request, text};
use crate::site::Site;
use anyhow::{Context, Result};
use dme_eas::ProtocolVersion;
use dme_eas::query::Command;
use dme_phone::Body;

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
    for beside in [
        "<AirSync:Class>Email</AirSync:Class>",
        "<FreeText>short</FreeText>",
        "<And><FreeText>short</FreeText></And>",
    ] {
        let search = mailbox("attached", "0-9").replace("<Query>", &format!("<Query>{beside}"));
        let answer = phone.ask(Command::Search, &search).await?;
        f.text("conditions beside And are too complex", &answer, &format!("{found}/Status"), "8");
    }
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
    f.text(
        "as the directory has them",
        &answer,
        &format!("{found}/Result/Properties/LastName"),
        "Example",
    );
    f.text(
        "with their telephone",
        &answer,
        &format!("{found}/Result/Properties/Phone"),
        "+1 555 1",
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
    let invalid = mailbox("attached", "0-9").replace(
        "</Options>",
        "<AirSyncBase:BodyPreference><TruncationSize>9</TruncationSize><Type>1</Type>\
         </AirSyncBase:BodyPreference></Options>",
    );
    let answer = phone.ask(Command::Search, &invalid).await?;
    f.text("the command of an invalid search goes well", &answer, "Status", "1");
    f.text("the store says what is wrong", &answer, &format!("{found}/Status"), "2");
    let answer = phone.ask(Command::Search, &mailbox("attached", "0-9")).await?;
    f.that(
        "a result has a body also where none is asked for",
        has(&answer, &format!("{found}/Result/Properties/Body/Data")),
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
        let later = find.replace("0-4", "1-4");
        let answer = phone.ask(Command::Find, &later).await?;
        f.text("a range begins at 0", &answer, "Status", "4");
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
    let mixed = format!(
        "<Settings:Settings><Oof><Set><OofState>2</OofState><StartTime>2026-12-01T09:00:00.000Z</StartTime></Set></Oof>\
         <DevicePassword><Set><Password>{}</Password></Set></DevicePassword>\
         <DeviceInformation><Set><Model>Test</Model></Set></DeviceInformation></Settings:Settings>",
        "x".repeat(256)
    );
    let answer = phone.ask(Command::Settings, &mixed).await?;
    for (setting, status) in [("Oof", "2"), ("DevicePassword", "5"), ("DeviceInformation", "1")] {
        f.text("each setting is judged alone", &answer, &format!("{setting}/Status"), status);
    }
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
    let answer = phone.ask(Command::Ping, &ping("-100", &inbox)).await?;
    f.text("even below nothing", &answer, "Status", "5");
    f.text("the shortest is told then too", &answer, "HeartbeatInterval", "1");
    let answer = phone.ask(Command::Ping, &ping("99999", &inbox)).await?;
    f.text("or too long", &answer, "HeartbeatInterval", "3540");
    let answer = phone.ask(Command::Ping, &ping("60", "987654")).await?;
    f.text("a folder that is not there asks for FolderSync", &answer, "Status", "7");
    let answer = phone.ask(Command::Ping, "<Ping:Ping><HeartbeatInterval>60</HeartbeatInterval><Folders><Folder><Class>Email</Class></Folder></Folders></Ping:Ping>").await?;
    f.text("a folder without an id is malformed", &answer, "Status", "4");
    let answer = phone.ask(Command::Ping, &ping("-100", &inbox)).await?;
    f.text("a negative interval is one too short", &answer, "Status", "5");
    f.text("and told the shortest", &answer, "HeartbeatInterval", "1");
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
    let trash = phone.folder("4").await?;
    let empty = format!(
        "<ItemOperations:ItemOperations><EmptyFolderContents>\
         <AirSync:CollectionId>{trash}</AirSync:CollectionId>\
         </EmptyFolderContents></ItemOperations:ItemOperations>"
    );
    let answer = phone.ask(Command::ItemOperations, &empty).await?;
    f.text("the trash is emptied", &answer, "Response/EmptyFolderContents/Status", "1");
    let left = phone.everything(&trash, "").await?.0.len();
    f.that("and is empty then", left == 0, &left);
    Ok(())
}
