//! Sending: a part of `protocol.rs` for each version.

use crate::protocol::{Findings, Speaker, id, item};
use crate::protocol_items::DATA;
use crate::protocol_text::text;
use crate::site::{PATIENCE, Site};
use anyhow::{Context, Result, bail};
use dme_eas::ProtocolVersion;
use dme_eas::query::{Command, Parameters};
use dme_phone::Body;
use dme_wbxml::Element;
use std::time::{Duration, Instant};

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
        let one = compose("SendMail", "one", "");
        let answer = phone.try_ask(Command::SendMail, &one, mail.as_bytes()).await?;
        f.that("SendMail is answered by nothing", answer.is_none(), &format!("{answer:?}"));
        let answer = phone.try_ask(Command::SendMail, &one, mail.as_bytes()).await?;
        let answer = answer.context("SendMail with a known ClientId is answered by nothing")?;
        f.text("one that was sent before is not sent again", &answer, "Status", "118");
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
        let other = "<AccountId>other</AccountId>";
        let answer = phone
            .try_ask(Command::SendMail, &compose("SendMail", "six", other), mail.as_bytes())
            .await?;
        let answer = answer.context("sent from an account that there is not")?;
        // MS-ASCMD 2.2.3.3.1: the element is known from 14.1 on.
        let status = if version == ProtocolVersion::V14_0 { "103" } else { "166" };
        f.text("there is no other account to send from", &answer, "Status", status);
        if version >= ProtocolVersion::V16_0 {
            let people =
                "<Forwardees><Forwardee><Email>bob@example.org</Email></Forwardee></Forwardees>";
            let people = format!("{source}{people}");
            let both = compose("SmartForward", "seven", &people);
            let answer = phone.try_ask(Command::SmartForward, &both, mail.as_bytes()).await?;
            let answer = answer.context("forwarded twofold")?;
            f.text("a message and forwardees exclude each other", &answer, "Status", "178");
            let alone = both.replace("<Mime>@</Mime>", "");
            let answer = phone.try_ask(Command::SmartForward, &alone, b"").await?;
            let answer = answer.context("forwarded as a meeting")?;
            f.text("a mail is not forwarded as a meeting is", &answer, "Status", "179");
        }
        let gone =
            format!("<Source><FolderId>{inbox}</FolderId><ItemId>{inbox}:987654</ItemId></Source>");
        let both = format!("<Source><ItemId>{short}</ItemId><LongId>{short}</LongId></Source>");
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
                Command::SendMail,
                "SendMail",
                "<ComposeMail:SendMail><ClientId>n5</ClientId></ComposeMail:SendMail>".into(),
                String::new(),
                "103",
                "and one without an element for it",
            ),
            (
                Command::SmartReply,
                "SmartReply",
                compose("SmartReply", "n6", &both),
                message("both", to_bob),
                "105",
                "and an answer to two mails",
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
            (
                Command::SendMail,
                "SendMail",
                "<ComposeMail:SendMail><ClientId>n5</ClientId></ComposeMail:SendMail>".into(),
                String::new(),
                "103",
                "and one without a message",
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
pub async fn arrival(bob: &mut Speaker, subject: &str) -> Result<Vec<Element>> {
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
