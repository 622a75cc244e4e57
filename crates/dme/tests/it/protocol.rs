//! The server's answers against the text of MS-ASHTTP, MS-ASCMD, MS-ASPROV, MS-ASEMAIL and
//! MS-ASAIRS: requests as these print them, in every version, each check a sentence of theirs. All
//! answers are held against the schemas' order (`protocol_shape.rs`) and read by an independent
//! decoder (`protocol_decoder.rs`).

use crate::protocol_decoder::Decoder;
use crate::protocol_mail::{bodies, drafts, finding, items, sending, waiting};
use crate::protocol_shape as shape;
use crate::protocol_text::{all, has, names, request, text};
use crate::site::{REALM, Site, USERS, Wishes};
use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use dme_eas::ProtocolVersion;
use dme_eas::query::{Command, Parameters};
use dme_phone::{Body, Client, QueryForm, Reply};
use dme_wbxml::Element;
use std::time::Duration;

/// What was found wrong, so that one run tells all of it.
#[derive(Default)]
pub struct Findings {
    pub section: String,
    wrong: Vec<String>,
    made: usize,
}

impl Findings {
    /// One sentence of the specification, and whether it holds.
    pub fn that(&mut self, sentence: &str, holds: bool, shown: &dyn std::fmt::Display) {
        self.made += 1;
        if !holds {
            self.wrong.push(format!("{}: {sentence}; but\n{shown}", self.section));
        }
    }

    /// The same for the text at a path of an answer.
    pub fn text(&mut self, sentence: &str, answer: &Element, path: &str, expected: &str) {
        let holds = text(answer, path) == Some(expected);
        self.that(&format!("{sentence} ({path} {expected})"), holds, &answer.with_contents());
    }

    pub fn status(&mut self, sentence: &str, reply: &Reply, expected: u16) {
        self.that(
            &format!("{sentence} (HTTP {expected})"),
            reply.status == expected,
            &reply.status,
        );
    }

    pub fn finish(self) -> Result<()> {
        ensure!(self.made > 0, "nothing was checked");
        ensure!(
            self.wrong.is_empty(),
            "{} of {} checks failed:\n\n{}",
            self.wrong.len(),
            self.made,
            self.wrong.join("\n\n")
        );
        Ok(())
    }
}

/// A phone that says exactly what it is told to.
pub struct Speaker {
    pub client: Client,
    decoder: Decoder,
}

impl Speaker {
    pub fn new(site: &Site, user: &str, version: ProtocolVersion, device: &str) -> Result<Self> {
        let mut client = site.phone(user)?.client;
        client.account.version = version;
        client.account.device = device.into();
        Ok(Self { client, decoder: Decoder::new()? })
    }

    pub fn version(&self) -> ProtocolVersion {
        self.client.account.version
    }

    pub async fn raw(&mut self, command: Command, body: Body) -> Result<Reply> {
        Ok(self.client.command(command, Parameters::default(), body, Duration::ZERO).await?)
    }

    /// Sends a request and takes the answer's element, checked; none for an empty answer.
    pub async fn try_ask(
        &mut self,
        command: Command,
        text: &str,
        opaque: &[u8],
    ) -> Result<Option<Element>> {
        let reply = self.raw(command, Body::Element(request(text, opaque)?)).await?;
        ensure!(
            reply.status == 200,
            "{} is answered HTTP {}: {text}",
            command.name(),
            reply.status
        );
        let Some(element) = reply.element(command)? else { return Ok(None) };
        shape::check(&element).with_context(|| element.with_contents().to_string())?;
        if !reply.is_multipart() {
            self.decoder.check(&reply.body, &element, self.version())?;
        }
        Ok(Some(element))
    }

    pub async fn ask(&mut self, command: Command, text: &str) -> Result<Element> {
        let answer = self.try_ask(command, text, b"").await?;
        answer.with_context(|| format!("an empty answer to {text}"))
    }

    /// The list of folders as (type, id), and its key.
    pub async fn folders(&mut self) -> Result<(Vec<(String, String)>, String)> {
        let text_of = |element: &Element, name| text(element, name).unwrap_or_default().to_owned();
        let answer = self.ask(Command::FolderSync, &folder_sync("0")).await?;
        let added = all(&answer, "Changes/Add").into_iter();
        let folders = added.map(|add| (text_of(add, "Type"), text_of(add, "ServerId"))).collect();
        Ok((folders, text_of(&answer, "SyncKey")))
    }

    pub async fn folder(&mut self, kind: &str) -> Result<String> {
        let (folders, _) = self.folders().await?;
        let found = folders.into_iter().find(|(one, _)| one == kind);
        found.map(|(_, id)| id).with_context(|| format!("no folder of type {kind}"))
    }

    /// A first key for a collection.
    pub async fn first_key(&mut self, folder: &str) -> Result<String> {
        let answer = self.ask(Command::Sync, &self.sync_text("0", folder, "", "")).await?;
        key(&answer)
    }

    /// A Sync of one collection, as the version wants it.
    pub fn sync_text(&self, key: &str, folder: &str, within: &str, after: &str) -> String {
        let class =
            if self.version() == ProtocolVersion::V12_1 { "<Class>Email</Class>" } else { "" };
        format!(
            "<AirSync:Sync><Collections><Collection>{class}<SyncKey>{key}</SyncKey>\
             <CollectionId>{folder}</CollectionId>{within}</Collection></Collections>{after}\
             </AirSync:Sync>"
        )
    }

    pub async fn sync(&mut self, key: &str, folder: &str, within: &str) -> Result<Element> {
        let text = self.sync_text(key, folder, within, "");
        self.ask(Command::Sync, &text).await
    }

    /// Everything of a folder: the id of each item by its subject, and the key after it.
    pub async fn everything(
        &mut self,
        folder: &str,
        options: &str,
    ) -> Result<(Vec<Element>, String)> {
        let mut at = self.first_key(folder).await?;
        let mut items = Vec::new();
        loop {
            let options = format!("<GetChanges>1</GetChanges>{options}");
            let text = self.sync_text(&at, folder, &options, "");
            let Some(answer) = self.try_ask(Command::Sync, &text, b"").await? else {
                return Ok((items, at));
            };
            at = key(&answer)?;
            items.extend(all(&answer, "Collections/Collection/Commands/Add").into_iter().cloned());
            if !has(&answer, "Collections/Collection/MoreAvailable") {
                return Ok((items, at));
            }
        }
    }
}

pub fn folder_sync(key: &str) -> String {
    format!("<FolderHierarchy:FolderSync><SyncKey>{key}</SyncKey></FolderHierarchy:FolderSync>")
}

pub fn key(answer: &Element) -> Result<String> {
    let key = text(answer, "Collections/Collection/SyncKey");
    Ok(key.with_context(|| answer.with_contents().to_string())?.to_owned())
}

/// The item with this subject.
pub fn item<'e>(items: &'e [Element], subject: &str) -> Result<&'e Element> {
    let found = items.iter().find(|item| text(item, "ApplicationData/Subject") == Some(subject));
    found.with_context(|| format!("no item {subject:?}"))
}

pub fn id(item: &Element) -> &str {
    text(item, "ServerId").unwrap_or_default()
}

pub const STATUS: &str = "Collections/Collection/Status";

/// The mails Ann has: HTML of two sizes, plain text, an attachment, an invitation.
fn mails() -> Vec<Vec<u8>> {
    let long = "<p>A paragraph of some length that is repeated.</p>\r\n".repeat(300);
    let html = |subject: &str, body: &str| {
        format!(
            "From: Bob Example <bob@example.org>\r\nTo: Ann Example <ann@example.org>\r\n\
             Subject: {subject}\r\nMessage-ID: <{subject}@example.org>\r\n\
             Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/html; charset=utf-8\r\n\r\n<html><body>{body}</body></html>\r\n"
        )
    };
    let attached = "From: Bob Example <bob@example.org>\r\nTo: ann@example.org\r\nSubject: attached\r\n\
         Message-ID: <attached@example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n\
         See the file.\r\n--x\r\nContent-Type: text/plain; name=\"ten.txt\"\r\n\
         Content-Disposition: attachment; filename=\"ten.txt\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\nMDEyMzQ1Njc4OQ==\r\n--x--\r\n";
    let invitation = "From: Bob Example <bob@example.org>\r\nTo: ann@example.org\r\n\
         Subject: invitation\r\nMessage-ID: <invitation@example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/alternative; boundary=\"y\"\r\n\r\n--y\r\n\
         Content-Type: text/plain\r\n\r\nPlease come.\r\n--y\r\n\
         Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\nBEGIN:VCALENDAR\r\n\
         VERSION:2.0\r\nPRODID:-//test//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n\
         UID:meeting-1@example.org\r\nDTSTAMP:20261123T100000Z\r\nDTSTART:20261201T090000Z\r\n\
         DTEND:20261201T100000Z\r\nSUMMARY:invitation\r\nLOCATION:Room 1\r\n\
         ORGANIZER;CN=Bob:mailto:bob@example.org\r\nATTENDEE;RSVP=TRUE:mailto:ann@example.org\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n--y--\r\n";
    vec![
        html("short", "<p>Hello <b>Ann</b></p>").into_bytes(),
        html("long", &long).into_bytes(),
        attached.into(),
        invitation.into(),
        html("other", "<p>One more</p>").into_bytes(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_is_spoken_as_the_documents_say() -> Result<()> {
    let wishes = Wishes { server: "[times]\nshortest_wait = \"1s\"\n".into(), ..Wishes::default() };
    let site = Site::start(&wishes)?;
    let mails = mails();
    site.dovecot.deliver_all("ann@example.org", mails.iter().map(Vec::as_slice))?;
    let mut findings = Findings::default();
    http(&site, &mut findings).await.context("HTTP")?;
    autodiscover(&site, &mut findings).await.context("autodiscover")?;
    for (number, version) in ProtocolVersion::ALL.into_iter().enumerate() {
        let device = format!("speaker{number}");
        let mut phone = Speaker::new(&site, "ann", version, &device)?;
        findings.section = format!("{version}");
        let all = async {
            folders(&mut phone, &mut findings).await.context("folders")?;
            sync(&site, &mut phone, &mut findings).await.context("Sync")?;
            bodies(&mut phone, &mut findings).await.context("bodies")?;
            items(&mut phone, &mut findings).await.context("items")?;
            sending(&site, &mut phone, &mut findings).await.context("sending")?;
            finding(&mut phone, &mut findings).await.context("finding")?;
            waiting(&site, &mut phone, &mut findings).await.context("waiting")?;
            if version >= ProtocolVersion::V16_0 {
                drafts(&site, &mut phone, &mut findings).await.context("drafts")?;
            }
            anyhow::Ok(())
        };
        if let Err(error) = all.await {
            findings.wrong.push(format!("{version}: {error:#}"));
        }
    }
    findings.finish()
}

/// MS-ASHTTP.
async fn http(site: &Site, f: &mut Findings) -> Result<()> {
    f.section = "MS-ASHTTP".into();
    let mut client = site.phone("ann")?.client;
    let path = client.account.address.path.clone();
    let reply = client.send("OPTIONS", &path, None, Bytes::new()).await?;
    f.status("OPTIONS is answered", &reply, 200);
    for (header, expected) in [
        ("ms-asprotocolversions", "12.1,14.0,14.1,16.0,16.1"),
        ("allow", "OPTIONS,POST"),
        ("public", "OPTIONS,POST"),
        ("cache-control", "private"),
        ("content-length", "0"),
    ] {
        let value = reply.header(header).unwrap_or("nothing");
        f.that(&format!("OPTIONS says {header}: {expected}"), value == expected, &value);
    }
    f.that("OPTIONS names the release", reply.header("ms-server-activesync").is_some(), &"none");
    let commands = reply.header("ms-asprotocolcommands").unwrap_or_default().to_owned();
    for command in Command::ALL {
        let named = commands.split(',').any(|name| name == command.name());
        f.that(&format!("OPTIONS names {}", command.name()), named, &commands);
    }
    let who = "User=ann&DeviceId=http1&DeviceType=Test";
    for (query, expected, sentence) in [
        (format!("DeviceId=a&{who}"), 400, "a query without Cmd is refused"),
        (format!("Cmd=Nonsense&{who}"), 501, "an unknown command is not implemented"),
        ("Cmd=Sync&User=ann&DeviceType=Test".into(), 400, "a query without DeviceId is refused"),
        ("Cmd=Sync&User=ann&DeviceId=a".into(), 400, "a query without DeviceType is refused"),
        ("Cmd=Sync&User=ann&DeviceId=a%2Fb&DeviceType=T".into(), 400, "so is an odd DeviceId"),
        (STANDARD.encode([161, 0, 9]), 400, "so is base64 that breaks off"),
        (STANDARD.encode([99, 0, 9, 4, 1, 65, 0, 1, 84]), 505, "and a version not spoken"),
        (String::new(), 400, "and no query at all"),
    ] {
        let target = format!("{path}?{query}");
        let reply = client.send("POST", &target, None, Bytes::new()).await?;
        f.status(sentence, &reply, expected);
    }
    let reply = client.send("GET", &path, None, Bytes::new()).await?;
    f.status("GET is no method of the protocol", &reply, 405);
    let mut wrong = site.phone_as(&format!("ann@{REALM}"), "wrong-password")?.client;
    let reply =
        wrong.command(Command::Ping, Parameters::default(), Body::Empty, Duration::ZERO).await?;
    f.status("a wrong password is unauthorised", &reply, 401);
    let challenge = reply.header("www-authenticate").unwrap_or_default().to_owned();
    f.that("with a Basic challenge", challenge.starts_with("Basic"), &challenge);
    let eve = USERS[2];
    let mut eve = site.phone_as(&format!("{}@{REALM}", eve.0), eve.1)?.client;
    let reply = eve.send("OPTIONS", &path, None, Bytes::new()).await?;
    f.status("one who may not is forbidden", &reply, 403);

    let mut packed = Speaker::new(site, "ann", ProtocolVersion::V14_1, "packed")?;
    packed.client.account.query = QueryForm::Base64;
    let answer = packed.ask(Command::FolderSync, &folder_sync("0")).await?;
    f.text("a base64 query is understood", &answer, "Status", "1");
    let wbxml = Body::Element(request(&folder_sync("0"), b"")?);
    let reply = packed.raw(Command::FolderSync, wbxml).await?;
    let kind = reply.header("content-type").unwrap_or_default().to_owned();
    f.that("WBXML has its media type", kind == "application/vnd.ms-sync.wbxml", &kind);
    let garbage = Body::Raw {
        content_type: "application/vnd.ms-sync.wbxml",
        bytes: vec![3, 1, 0x6a, 0, 0x55].into(),
    };
    let reply = packed.raw(Command::FolderSync, garbage).await?;
    f.status("what is not WBXML is a bad request", &reply, 400);
    for login in ["ann", "EXAMPLE\\ann"] {
        let mut phone = site.phone_as(login, USERS[0].1)?;
        phone.client.account.device = "logins".into();
        let known = phone.client.options().await.is_ok();
        f.that(&format!("the login {login:?} is understood"), known, &"it is not");
    }
    Ok(())
}

/// MS-ASCMD 2.2.1.1, MS-OXDSCLI.
async fn autodiscover(site: &Site, f: &mut Findings) -> Result<()> {
    f.section = "Autodiscover".into();
    let mut client = site.phone("ann")?.client;
    let base = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync";
    let wanted = |schema: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"{base}/requestschema/2006\">\
             <Request><EMailAddress>ann@example.org</EMailAddress>\
             <AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
        )
    };
    for (body, holds, sentence) in [
        (
            wanted(&format!("{base}/responseschema/2006")),
            "<Type>MobileSync</Type>",
            "it names the server",
        ),
        (
            wanted(&format!("{base}/responseschema/2006")),
            "/Microsoft-Server-ActiveSync</Url>",
            "by its URL",
        ),
        (
            wanted(&format!("{base}/responseschema/2006")),
            "<EMailAddress>ann@example.org</EMailAddress>",
            "for the address",
        ),
        (wanted("urn:other"), "<ErrorCode>601</ErrorCode>", "another schema has no provider"),
        ("<nonsense".into(), "<ErrorCode>600</ErrorCode>", "nonsense is an invalid request"),
    ] {
        let path = "/Autodiscover/Autodiscover.xml";
        let reply = client.send("POST", path, Some("text/xml"), body.into()).await?;
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        f.that(sentence, reply.status == 200 && text.contains(holds), &text);
    }
    client.account.user = String::new();
    for (target, status, holds) in [
        (
            "/autodiscover/autodiscover.json?Email=ann%40example.org&Protocol=ActiveSync",
            200,
            "\"Url\"",
        ),
        (
            "/autodiscover/autodiscover.json/v1.0/ann%40example.org?Protocol=ActiveSync",
            200,
            "\"Protocol\":\"ActiveSync\"",
        ),
        (
            "/autodiscover/autodiscover.json?Email=ann%40example.org&Protocol=EWS",
            400,
            "ProtocolNotSupported",
        ),
        ("/autodiscover/autodiscover.json?Protocol=ActiveSync", 400, "MandatoryParameterMissing"),
    ] {
        let reply = client.send("GET", target, None, Bytes::new()).await?;
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        f.that(target, reply.status == status && text.contains(holds), &text);
    }
    Ok(())
}

/// MS-ASCMD 2.2.1.3 to 2.2.1.6.
async fn folders(phone: &mut Speaker, f: &mut Findings) -> Result<()> {
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
    let answer = phone.ask(Command::FolderCreate, &create(&at, "0", "Projects")).await?;
    f.text("a folder is made", &answer, "Status", "1");
    let made = text(&answer, "ServerId").context("no id")?.to_owned();
    at = text(&answer, "SyncKey").context("no key")?.to_owned();
    let answer = phone.ask(Command::FolderCreate, &create(&at, "0", "Projects")).await?;
    f.text("a second of the name is not", &answer, "Status", "2");
    let answer = phone.ask(Command::FolderCreate, &create(&at, "987654", "Within")).await?;
    f.text("nor one in a folder that is not there", &answer, "Status", "5");
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
    f.that(
        "nor is the inbox",
        matches!(text(&answer, "Status"), Some("2" | "3")),
        &answer.with_contents(),
    );
    let delete = |at: &str, id: &str| {
        format!(
            "<FolderHierarchy:FolderDelete><SyncKey>{at}</SyncKey><ServerId>{id}</ServerId>\
             </FolderHierarchy:FolderDelete>"
        )
    };
    let answer = phone.ask(Command::FolderDelete, &delete(&at, &inbox)).await?;
    f.text("the inbox cannot be deleted", &answer, "Status", "3");
    let answer = phone.ask(Command::FolderDelete, &delete(&at, "987654")).await?;
    f.text("nor what is not there", &answer, "Status", "4");
    let answer = phone.ask(Command::FolderDelete, &delete(&at, &made)).await?;
    f.text("a folder of one's own can", &answer, "Status", "1");
    Ok(())
}

/// MS-ASCMD 2.2.1.21 and 2.2.1.9.
async fn sync(site: &Site, phone: &mut Speaker, f: &mut Findings) -> Result<()> {
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
        ("<HeartbeatInterval>59</HeartbeatInterval>", "60"),
        ("<HeartbeatInterval>3541</HeartbeatInterval>", "3540"),
    ] {
        let text = phone.sync_text(&first, &inbox, "", after);
        let answer = phone.ask(Command::Sync, &text).await?;
        f.text(&format!("{after} is out of range"), &answer, "Status", "14");
        f.text(&format!("{after} is answered by the nearest"), &answer, "Limit", limit);
    }
    let (items, mut at) = phone.everything(&inbox, "").await?;
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
    f.text(
        "a change of what is gone is told",
        &answer,
        "Collections/Collection/Responses/Change/Status",
        "8",
    );
    Ok(())
}

async fn inbox_of(phone: &mut Speaker) -> Result<String> {
    phone.folder("2").await
}
