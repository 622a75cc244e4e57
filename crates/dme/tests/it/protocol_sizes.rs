//! Mail that is larger than the mail system takes: it is refused for good, nothing of it goes out,
//! and what is small enough still does.

use crate::property::imap::Client;
use crate::protocol::{Findings, Speaker, id, item};
use crate::protocol_sending::arrival;
use crate::protocol_text::text;
use crate::site::{REALM, Site, USERS, Wishes};
use anyhow::{Context, Result};
use dme_eas::ProtocolVersion;
use dme_eas::query::{Command, Parameters};
use dme_phone::Body;
use std::time::Duration;

/// More than half of what the tests' Postfix takes (10,000,000 bytes).
const BIG: usize = 6_000_000;

fn message(subject: &str, size: usize) -> Vec<u8> {
    let mut message = format!(
        "From: ann@example.org\r\nTo: bob@example.org\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n\
         With a file.\r\n--x\r\nContent-Type: application/octet-stream; name=\"big.bin\"\r\n\
         Content-Disposition: attachment; filename=\"big.bin\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    )
    .into_bytes();
    let line = format!("{}\r\n", "QUJD".repeat(19));
    while message.len() < size {
        message.extend_from_slice(line.as_bytes());
    }
    message.extend_from_slice(b"--x--\r\n");
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_for_the_mail_system_is_refused_for_good_and_not_sent() -> Result<()> {
    let site = Site::start(&Wishes::default())?;
    let mut f = Findings::default();
    site.dovecot.deliver("ann@example.org", &message("original", BIG))?;
    let mut bob = Speaker::new(&site, "bob", ProtocolVersion::V14_1, "receiver")?;
    for version in [ProtocolVersion::V12_1, ProtocolVersion::V14_1, ProtocolVersion::V16_1] {
        f.section = version.to_string();
        let mut ann =
            Speaker::new(&site, "ann", version, &format!("sizes{version}").replace('.', ""))?;
        let inbox = ann.folder("2").await?;
        let (items, _) = ann.everything(&inbox, "").await?;
        let original = id(item(&items, "original")?).to_owned();
        let mut say = async |command, subject: &str, size| {
            let source = (command != Command::SendMail).then(|| original.clone());
            send(&mut ann, command, &inbox, source, &message(subject, size), subject).await
        };
        let whole = format!("too large {version}");
        let forward = format!("too large with the original {version}");
        let answer = format!("small answer {version}");
        f.that(
            "SendMail of what is too large fails for good",
            say(Command::SendMail, &whole, 2 * BIG).await? == failed(version),
            &whole,
        );
        f.that(
            "so does SmartForward where only both together are too large",
            say(Command::SmartForward, &forward, BIG).await? == failed(version),
            &forward,
        );
        f.that(
            "SmartReply leaves the original's file out, and is small enough",
            say(Command::SmartReply, &answer, BIG).await?.is_none(),
            &answer,
        );
        let arrived = arrival(&mut bob, &answer).await?;
        for subject in [&whole, &forward] {
            f.that("nothing of it arrives", item(&arrived, subject).is_err(), subject);
        }
        let (user, password) = USERS[0];
        let user = format!("{user}@{REALM}");
        let mut other = Client::login(site.dovecot.imap_port, &user, password)?;
        let sent = other.mails("Sent")?;
        for subject in [&whole, &forward] {
            let filed = sent.iter().any(|mail| mail.subject == *subject);
            f.that("nor is it filed as sent", !filed, subject);
        }
        let flags = other.mails("INBOX")?.remove(0).flags;
        f.that(
            "nor the original marked as sent on",
            !flags.contains("$Forwarded"),
            &format!("{flags:?}"),
        );
    }
    f.finish()
}

/// The status of what cannot be sent: HTTP 403 in 12.1, where commands that send have none, else
/// MailSubmissionFailed (MS-ASCMD 2.2.2; there is no status of the size alone).
fn failed(version: ProtocolVersion) -> Option<String> {
    Some(if version == ProtocolVersion::V12_1 { "HTTP 403" } else { "120" }.into())
}

/// What a sending is answered; none where it went well.
async fn send(
    ann: &mut Speaker,
    command: Command,
    folder: &str,
    source: Option<String>,
    mime: &[u8],
    client: &str,
) -> Result<Option<String>> {
    if ann.version() == ProtocolVersion::V12_1 {
        let parameters = Parameters {
            save_in_sent: true,
            collection_id: source.as_ref().map(|_| folder.to_owned()),
            item_id: source,
            ..Parameters::default()
        };
        let body = Body::Mime(mime.to_vec().into());
        let reply = ann.client.command(command, parameters, body, Duration::ZERO).await?;
        return Ok((reply.status != 200).then(|| format!("HTTP {}", reply.status)));
    }
    let source = source.map(|item| {
        format!("<Source><FolderId>{folder}</FolderId><ItemId>{item}</ItemId></Source>")
    });
    let name = command.name();
    let text_ = format!(
        "<ComposeMail:{name}><ClientId>{}</ClientId><SaveInSentItems/>{}<Mime>@</Mime></ComposeMail:{name}>",
        client.replace(' ', "").chars().take(40).collect::<String>(),
        source.unwrap_or_default(),
    );
    let Some(answer) = ann.try_ask(command, &text_, mime).await? else { return Ok(None) };
    Ok(Some(text(&answer, "Status").context("no status")?.to_owned()))
}
