//! The server's answers against the text of MS-ASHTTP, MS-ASCMD, MS-ASPROV, MS-ASEMAIL and
//! MS-ASAIRS: requests as these print them, in every version, each check a sentence of theirs. All
//! answers are held against the schemas' order (`protocol_shape.rs`) and read by an independent
//! decoder (`protocol_decoder.rs`).

use crate::protocol_decoder::Decoder;
use crate::protocol_drafts::drafts;
use crate::protocol_finding::{finding, waiting};
use crate::protocol_folders::{folders, sync};
use crate::protocol_http::{autodiscover, http};
use crate::protocol_items::{bodies, items};
use crate::protocol_people::people;
use crate::protocol_sending::sending;
use crate::protocol_shape as shape;
use crate::protocol_text::{all, has, request, text};
use crate::site::{Site, Wishes};
use anyhow::{Context, Result, ensure};
use dme_eas::ProtocolVersion;
use dme_eas::query::{Command, Parameters};
use dme_phone::{Body, Client, Reply};
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
        shape::check(&element, self.version())
            .with_context(|| element.with_contents().to_string())?;
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
         UID:meeting-1@example.org\r\nDTSTAMP:20261123T100000Z\r\nDTSTART:20961201T090000Z\r\n\
         DTEND:20961201T100000Z\r\nSUMMARY:invitation\r\nLOCATION:Room 1\r\n\
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
    let wishes = Wishes { server: "[times]\nshortest_wait = \"1s\"\n".into() };
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
            people(&mut phone, &mut findings).await.context("people")?;
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
