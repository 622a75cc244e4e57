use super::*;
use crate::sample::{SampleMail, Sizes, mailbox};
use dme_model::{Address, ConversationId};
use proptest::prelude::*;
use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

fn want(kind: BodyKind, truncation: Option<u64>) -> BodyPreference {
    BodyPreference { kind, truncation, all_or_none: false, preview: None }
}

fn view(preferences: &[BodyPreference]) -> BodyView {
    let mime = MimeSupport::Never;
    BodyView { preferences: preferences.to_vec(), mime, part_preference: None }
}

fn parse(raw: impl AsRef<[u8]>, view: &BodyView) -> Mail {
    let raw = Bytes::copy_from_slice(raw.as_ref());
    read(raw, Envelope::default(), view).unwrap()
}

/// The body in this form, whole.
fn body(raw: impl AsRef<[u8]>, kind: BodyKind) -> String {
    let body = parse(raw, &view(&[want(kind, None)])).body.unwrap();
    assert_eq!((body.truncated, body.full_size), (false, body.data.len() as u64));
    String::from_utf8(body.data.to_vec()).unwrap()
}

const ALTERNATIVE: &str = "From: Ann <ann@x.example>\r\nSubject: Hi\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\npreamble\r\n--b\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
    Gr=C3=BC=C3=9Fe plain\r\n--b\r\nContent-Type: text/html; charset=iso-8859-1\r\n\
    Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>Gr=FC=DFe <b>html</b></p>\r\n--b--\r\n";

#[test]
fn headers_are_decoded_whatever_their_encoding() {
    for (header, subject) in [
        ("Subject: plain", "plain"),
        ("Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= an alle", "Grüße an alle"),
        ("Subject: =?ISO-8859-1?B?R3L832U=?=", "Grüße"),
        ("Subject: =?gb2312?B?1tDOxA==?=", "中文"),
        ("Subject: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        ("Subject: =?koi8-r?B?8NLJ18XU?=", "Привет"),
        // A character cut in two by the client.
        ("Subject: =?utf-8?B?5LitAA==?=", "中"),
        ("Subject: =?utf-8?B?5Lg=?= =?utf-8?B?rQ==?=", "中"),
        ("Subject: =?utf-8?Q?a=C3?=\r\n =?utf-8?Q?=BC?= x", "aü x"),
        ("Subject: =?utf-8?Q?one_two?=\r\n =?utf-8?Q?three?=", "one twothree"),
        ("Subject: folded\r\n  line", "folded line"),
        ("Subject: raw Grüße", "raw Grüße"),
        ("Subject: =?unknown-8bit?Q?x?=", "x"),
        ("Subject: =?utf-8?X?bad?=", "=?utf-8?X?bad?="),
        ("Subject: =?utf-8?Q?open", "=?utf-8?Q?open"),
        ("Subject: tab\there", "tab here"),
        ("Subject:", ""),
        ("X-None: x", ""),
    ] {
        let raw = format!("{header}\r\nFrom: a@x\r\n\r\n");
        assert_eq!(parse(&raw, &view(&[])).subject, subject, "{header}");
    }
    // Latin-1 that nobody declared.
    let mail = parse(b"Subject: Gr\xFC\xDFe\r\nFrom: J\xF6rg <j@x>\r\n\r\n", &view(&[]));
    assert_eq!((mail.subject.as_str(), mail.from[0].name.as_deref()), ("Grüße", Some("Jörg")));
}

#[test]
fn addresses_are_read_as_clients_write_them() {
    let address = |name: Option<&str>, email: &str| Address {
        name: name.map(str::to_owned),
        email: email.to_owned(),
    };
    for (to, expected) in [
        ("ann@x.example", vec![address(None, "ann@x.example")]),
        ("Ann <ann@x.example>", vec![address(Some("Ann"), "ann@x.example")]),
        ("\"Müller, Jörg\" <j@x.example>", vec![address(Some("Müller, Jörg"), "j@x.example")]),
        (
            "=?utf-8?Q?M=C3=BCller=2C_J?= <j@x.example>",
            vec![address(Some("Müller, J"), "j@x.example")],
        ),
        ("ann@x.example (Ann)", vec![address(Some("Ann"), "ann@x.example")]),
        ("a@x,\r\n b@x", vec![address(None, "a@x"), address(None, "b@x")]),
        ("Team: a@x, B <b@x>;", vec![address(None, "a@x"), address(Some("B"), "b@x")]),
        ("undisclosed-recipients:;", vec![]),
        ("ann", vec![address(None, "ann")]),
        ("<>", vec![]),
    ] {
        let raw = format!("To: {to}\r\n\r\n");
        assert_eq!(parse(&raw, &view(&[])).to, expected, "{to}");
    }
}

#[test]
fn all_headers_reach_the_mail() {
    let raw = "From: A <a@x>\r\nSender: S <s@x>\r\nReply-To: r@x\r\nTo: t@x\r\nCc: c@x\r\nBcc: b@x\r\n\
               Subject: AW: Re: Budget\r\nDate: Mon, 23 Nov 2026 18:00:00 +0100\r\n\
               Message-ID: <m@x>\r\nReferences: <first@x>\r\n\r\ntext";
    let envelope =
        Envelope { received: Timestamp::from_seconds(5), size: 99, ..Envelope::default() };
    let mail = read(Bytes::from(raw), envelope, &view(&[])).unwrap();
    assert_eq!(mail.sender.map(|one| one.email), Some("s@x".into()));
    assert_eq!(mail.reply_to[0].email, "r@x");
    assert_eq!((mail.cc[0].email.as_str(), mail.bcc[0].email.as_str()), ("c@x", "b@x"));
    assert_eq!((mail.subject.as_str(), mail.thread_topic.as_str()), ("AW: Re: Budget", "Budget"));
    assert_eq!(mail.sent, Some(Timestamp::from_seconds(1_795_453_200)));
    assert_eq!(mail.received, Timestamp::from_seconds(5));
    assert_eq!(mail.message_id.as_deref(), Some("m@x"));
    assert_eq!(mail.conversation, crate::conversation_of(b"Message-ID: <first@x>\r\n\r\n"));
    assert_eq!(mail.conversation_index.len(), 10);
    assert_eq!((mail.size, mail.native, mail.body), (99, Some(BodyKind::Plain), None));
}

#[test]
fn urgency_is_read_from_whichever_header_says_it() {
    for (header, expected) in [
        ("Importance: High", Importance::High),
        ("X-Priority: 1 (Highest)", Importance::High),
        ("X-Priority: 3", Importance::Normal),
        ("X-Priority: 5", Importance::Low),
        ("Priority: urgent", Importance::High),
        ("Priority: non-urgent", Importance::Low),
        ("X-MSMail-Priority: Low", Importance::Low),
        ("X-Spam: x", Importance::Normal),
    ] {
        let mail = parse(format!("{header}\r\n\r\n"), &view(&[]));
        assert_eq!(mail.importance, expected, "{header}");
    }
}

#[test]
fn the_native_form_is_preferred_then_the_first_named() {
    let (plain, html) = (want(BodyKind::Plain, None), want(BodyKind::Html, None));
    let kind = |raw: &str, preferences: &[BodyPreference]| {
        parse(raw, &view(preferences)).body.map(|body| body.kind)
    };
    assert_eq!(kind(ALTERNATIVE, &[plain, html]), Some(BodyKind::Html));
    assert_eq!(kind(ALTERNATIVE, &[plain]), Some(BodyKind::Plain));
    assert_eq!(kind("\r\ntext", &[html, plain]), Some(BodyKind::Plain));
    assert_eq!(kind("\r\ntext", &[html]), Some(BodyKind::Html));
    assert_eq!(kind(ALTERNATIVE, &[]), None);
}

#[test]
fn a_phone_that_takes_only_mime_and_wants_none_is_told_the_size_alone() {
    let body = parse(ALTERNATIVE, &view(&[want(BodyKind::Mime, None)])).body.unwrap();
    assert_eq!((body.kind, body.truncated, body.data.len()), (BodyKind::Html, true, 0));
    assert_eq!(body.full_size, "<p>Grüße <b>html</b></p>".len() as u64);
}

#[test]
fn each_form_is_given_from_its_own_part_or_made_from_the_other() {
    assert_eq!(body(ALTERNATIVE, BodyKind::Plain), "Grüße plain");
    assert_eq!(body(ALTERNATIVE, BodyKind::Html), "<p>Grüße <b>html</b></p>");
    let only_html = "Content-Type: text/html\r\n\r\n<p>a &lt; b</p>";
    assert_eq!(body(only_html, BodyKind::Plain), "a < b\r\n");
    let only_plain = "\r\na < b\r\n";
    assert_eq!(
        body(only_plain, BodyKind::Html),
        "<html><body>\r\n<div>a &lt; b</div>\r\n</body></html>\r\n"
    );
}

#[test]
fn bodies_are_cut_at_the_border_of_a_character_and_their_whole_size_is_told() {
    let raw = "Content-Type: text/plain; charset=utf-8\r\n\r\näöü€中x";
    for (limit, expected) in [
        (0, ""),
        (1, ""),
        (2, "ä"),
        (3, "ä"),
        (6, "äöü"),
        (7, "äöü"),
        (8, "äöü"),
        (9, "äöü€"),
        (12, "äöü€中"),
        (13, "äöü€中x"),
        (14, "äöü€中x"),
    ] {
        let body = parse(raw, &view(&[want(BodyKind::Plain, Some(limit))])).body.unwrap();
        assert_eq!(body.data, expected.as_bytes(), "{limit}");
        assert_eq!((body.truncated, body.full_size), (limit < 13, 13), "{limit}");
    }
}

#[test]
fn all_or_none_gives_way_to_the_next_form_and_withholds_where_there_is_none() {
    let all = |kind, limit| BodyPreference { all_or_none: true, ..want(kind, Some(limit)) };
    let raw = ALTERNATIVE;
    let body = |preferences: &[BodyPreference]| parse(raw, &view(preferences)).body.unwrap();
    let html = body(&[all(BodyKind::Html, 100)]);
    assert_eq!((html.kind, html.truncated), (BodyKind::Html, false));
    let plain = body(&[all(BodyKind::Html, 3), want(BodyKind::Plain, Some(7))]);
    assert_eq!(
        (plain.kind, plain.truncated, &*plain.data),
        (BodyKind::Plain, true, "Grüße".as_bytes())
    );
    let none = body(&[all(BodyKind::Html, 3), all(BodyKind::Plain, 3)]);
    assert_eq!(
        (none.kind, none.truncated, none.data.len(), none.full_size),
        (BodyKind::Html, true, 0, 26)
    );
    // Without a size there is nothing to exceed.
    let whole = body(&[BodyPreference { all_or_none: true, ..want(BodyKind::Html, None) }]);
    assert!(!whole.truncated);
}

#[test]
fn mime_is_given_where_it_is_wanted_and_meant() {
    let signed = "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\n\
                  --b\r\n\r\ntext\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nx\r\n--b--\r\n";
    let preferences = [want(BodyKind::Plain, None), want(BodyKind::Mime, None)];
    for (mime, raw, expected) in [
        (MimeSupport::Always, ALTERNATIVE, BodyKind::Mime),
        (MimeSupport::Smime, ALTERNATIVE, BodyKind::Plain),
        (MimeSupport::Never, ALTERNATIVE, BodyKind::Plain),
        (MimeSupport::Smime, signed, BodyKind::Mime),
        (MimeSupport::Never, signed, BodyKind::Plain),
    ] {
        let mail = parse(raw, &BodyView { mime, ..view(&preferences) });
        assert_eq!(mail.body.unwrap().kind, expected, "{mime:?}");
    }
    let only_mime = BodyView { mime: MimeSupport::Smime, ..view(&[want(BodyKind::Mime, Some(9))]) };
    let body = parse(ALTERNATIVE, &only_mime).body.unwrap();
    assert_eq!((body.kind, body.data.len()), (BodyKind::Html, 9));
}

#[test]
fn a_whole_message_shares_the_memory_it_was_read_from() {
    let raw = Bytes::from(ALTERNATIVE);
    let whole = BodyView { mime: MimeSupport::Always, ..view(&[want(BodyKind::Mime, None)]) };
    let body = read(raw.clone(), Envelope::default(), &whole).unwrap().body.unwrap();
    assert_eq!(body.data.as_ptr(), raw.as_ptr());
    // A small piece does not hold on to the rest.
    let piece = BodyView { mime: MimeSupport::Always, ..view(&[want(BodyKind::Mime, Some(10))]) };
    let body = read(raw.clone(), Envelope::default(), &piece).unwrap().body.unwrap();
    assert_ne!(body.data.as_ptr(), raw.as_ptr());
    assert_eq!(body.data, raw[..10]);
}

#[test]
fn a_body_parts_preview_is_of_the_authors_own_text() {
    const ANSWER: &str = "Content-Type: text/html\r\n\r\n<html><body><p>Mine, <b>short</b></p>\
        <div class=\"gmail_quote\">theirs</div></body></html>";
    for (kind, length, expected) in [
        (BodyKind::Html, Some(255), Some("Mine, short")),
        (BodyKind::Html, Some(4), Some("Mine")),
        (BodyKind::Html, None, None),
    ] {
        let part = BodyPreference { preview: length, ..want(kind, Some(10)) };
        let mut view = view(&[]);
        view.part_preference = Some(part);
        let mail = parse(ANSWER, &view);
        assert_eq!(mail.part_preview.as_deref(), expected);
        assert_eq!(mail.preview, None);
    }
}

#[test]
fn a_preview_is_the_first_characters_in_one_line() {
    let preview = |raw: &str, length| {
        let preference = BodyPreference { preview: Some(length), ..want(BodyKind::Html, Some(0)) };
        parse(raw, &view(&[preference])).preview.unwrap()
    };
    assert_eq!(preview(ALTERNATIVE, 255), "Grüße plain");
    assert_eq!(preview(ALTERNATIVE, 3), "Grü");
    assert_eq!(preview(ALTERNATIVE, 0), "");
    assert_eq!(
        preview("Content-Type: text/html\r\n\r\n<h1>A</h1>\r\n<p>b &amp; c</p>", 255),
        "A b & c"
    );
    assert_eq!(parse(ALTERNATIVE, &view(&[want(BodyKind::Html, None)])).preview, None);
}

#[test]
fn a_body_part_is_the_authors_own_text() {
    let raw = "Content-Type: text/html\r\n\r\n<p>Yes</p><div class=\"gmail_quote\">No</div>";
    let part = |truncation| BodyView {
        part_preference: Some(want(BodyKind::Html, truncation)),
        ..view(&[])
    };
    let whole = parse(raw, &part(None)).body_part.unwrap();
    assert_eq!((&*whole.data, whole.truncated, whole.full_size), (&b"<p>Yes</p>"[..], false, 10));
    let cut = parse(raw, &part(Some(4))).body_part.unwrap();
    assert_eq!((&*cut.data, cut.truncated, cut.full_size), (&b"<p>Y"[..], true, 10));
}

/// Shapes that clients give their messages: the text, whether HTML, and the attachments.
#[test]
fn the_text_and_the_attachments_are_told_apart_in_the_shapes_of_real_clients() {
    let part = |header: &str, content: &str| format!("{header}\r\n\r\n{content}\r\n");
    let multi = |kind: &str, boundary: &str, parts: &[String]| {
        let mut raw = format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n");
        for part in parts {
            raw.push_str(&format!("--{boundary}\r\n{part}"));
        }
        raw + &format!("--{boundary}--\r\n")
    };
    let plain = || part("Content-Type: text/plain", "plain");
    let html = || part("Content-Type: text/html", "<b>html</b>");
    let pdf = || part("Content-Type: application/pdf; name=a.pdf", "pdf");
    let image = || {
        part(
            "Content-Type: image/png; name=i.png\r\nContent-ID: <i@x>\r\nContent-Disposition: inline",
            "png",
        )
    };
    let calendar = || part("Content-Type: text/calendar", "BEGIN:VCALENDAR");
    let alternative = |parts: &[String]| multi("alternative", "alt", parts);
    for (shape, raw, text, is_html, files) in [
        (
            "Outlook",
            multi(
                "mixed",
                "m",
                &[multi("related", "r", &[alternative(&[plain(), html()]), image()]), pdf()],
            ),
            "plain",
            true,
            vec!["i.png", "a.pdf"],
        ),
        (
            "Gmail",
            multi("mixed", "m", &[alternative(&[plain(), html()]), pdf()]),
            "plain",
            true,
            vec!["a.pdf"],
        ),
        (
            "Apple Mail",
            alternative(&[plain(), multi("mixed", "m", &[html(), pdf(), html()])]),
            "plain",
            true,
            vec!["a.pdf"],
        ),
        (
            "Apple Mail, image between texts",
            multi("mixed", "m", &[plain(), image(), plain()]),
            "plain\r\nplain",
            false,
            vec!["i.png"],
        ),
        (
            "Thunderbird",
            alternative(&[plain(), multi("related", "r", &[html(), image()])]),
            "plain",
            true,
            vec!["i.png"],
        ),
        (
            "mailing list footer",
            multi("mixed", "m", &[plain(), part("Content-Type: text/plain", "footer")]),
            "plain\r\nfooter",
            false,
            vec![],
        ),
        (
            "text file attached",
            multi("mixed", "m", &[plain(), part("Content-Type: text/plain; name=a.txt", "file")]),
            "plain",
            false,
            vec!["a.txt"],
        ),
        (
            "text attached first",
            multi(
                "mixed",
                "m",
                &[
                    part(
                        "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt",
                        "file",
                    ),
                    plain(),
                ],
            ),
            "plain",
            false,
            vec!["a.txt"],
        ),
        ("scanner, no text", multi("mixed", "m", &[pdf()]), "", false, vec!["a.pdf"]),
        ("fax, no multipart", pdf(), "", false, vec!["a.pdf"]),
        (
            "calendar beside text",
            alternative(&[plain(), html(), calendar()]),
            "plain",
            true,
            vec!["invite.ics"],
        ),
        ("only plain in alternative", alternative(&[plain()]), "plain", false, vec![]),
        ("HTML before plain", alternative(&[html(), plain()]), "plain", true, vec![]),
        (
            "related names its root",
            multi(
                "related; start=\"<root@x>\"",
                "r",
                &[image(), part("Content-Type: text/html\r\nContent-ID: <root@x>", "<b>html</b>")],
            ),
            "html\r\n",
            true,
            vec!["i.png"],
        ),
        (
            "PGP signed",
            multi(
                "signed",
                "s",
                &[plain(), part("Content-Type: application/pgp-signature", "sig")],
            ),
            "plain",
            false,
            vec!["signature.asc"],
        ),
        (
            "digest",
            multi(
                "digest",
                "d",
                &["\r\nSubject: One\r\n\r\na\r\n".into(), "\r\nSubject: Two\r\n\r\nb\r\n".into()],
            ),
            "",
            false,
            vec!["One.eml", "Two.eml"],
        ),
        (
            "MDaemon, no end",
            multi("mixed", "m", &[plain(), pdf()]).replace("--m--\r\n", ""),
            "plain",
            false,
            vec!["a.pdf"],
        ),
        (
            "boundary unknown",
            multi("mixed", "m", &[plain()]).replace("--m", "--x"),
            "--x\r\nContent-Type: text/plain\r\n\r\nplain\r\n--x--\r\n",
            false,
            vec![],
        ),
        ("unknown text", part("Content-Type: text/enriched", "x"), "x", false, vec![]),
        ("no header", "Just text.\r\n\r\nMore.".into(), "Just text.\r\n\r\nMore.", false, vec![]),
        (
            "mbox line",
            "From ann Mon Nov 23\r\nSubject: x\r\n\r\nplain".into(),
            "plain",
            false,
            vec![],
        ),
        ("no type", multi("mixed", "m", &["\r\nplain\r\n".into()]), "plain", false, vec![]),
        ("bad type", part("Content-Type: text", "plain"), "plain", false, vec![]),
    ] {
        for lines in ["\r\n", "\n"] {
            let raw = raw.replace("\r\n", lines);
            let mail = parse(&raw, &view(&[want(BodyKind::Plain, None)]));
            let body = mail.body.unwrap();
            let found = std::str::from_utf8(&body.data).unwrap();
            assert_eq!(
                found.replace("\r\n", "\n").trim_end(),
                text.replace("\r\n", "\n").trim_end(),
                "{shape}"
            );
            assert_eq!(mail.native == Some(BodyKind::Html), is_html, "{shape}");
            let names: Vec<_> = mail.attachments.iter().map(|one| one.name.as_str()).collect();
            assert_eq!(names, files, "{shape}");
            for attachment in &mail.attachments {
                crate::part(&Bytes::from(raw.clone()), &attachment.part, None).expect(shape);
            }
        }
    }
}

#[test]
fn text_comes_out_as_utf8_whatever_its_charset() {
    for (charset, bytes, expected) in [
        ("utf-8", "Grüße".as_bytes(), "Grüße"),
        ("iso-8859-1", b"Gr\xFC\xDFe", "Grüße"),
        ("windows-1252", b"\x80 5", "€ 5"),
        ("gb2312", b"\xD6\xD0\xCE\xC4", "中文"),
        ("gbk", b"\xD6\xD0\xCE\xC4", "中文"),
        ("big5", b"\xA4\xA4\xA4\xE5", "中文"),
        ("shift_jis", b"\x93\xFA\x96\x7B", "日本"),
        ("iso-2022-jp", b"\x1B$BF|K\\\x1B(B", "日本"),
        ("euc-kr", b"\xC7\xD1", "한"),
        ("koi8-r", b"\xF0\xD2\xC9", "При"),
        ("utf-7", b"Gr+APwA3w-e", "Grüße"),
        ("us-ascii", b"Gr\xFC\xDFe", "Grüße"),
        ("us-ascii", "Grüße".as_bytes(), "Grüße"),
        ("x-nonsense", b"Gr\xFC\xDFe", "Grüße"),
        ("utf-8", b"cut \xC3", "cut \u{FFFD}"),
        ("utf-8", b"\xEF\xBB\xBFmark", "mark"),
        ("utf-8", b"a\0b", "ab"),
    ] {
        let raw =
            [format!("Content-Type: text/plain; charset={charset}\r\n\r\n").as_bytes(), bytes]
                .concat();
        assert_eq!(body(&raw, BodyKind::Plain), expected, "{charset}");
    }
    let meta = b"Content-Type: text/html\r\n\r\n<meta charset=iso-8859-2><p>\xB3</p>";
    assert_eq!(body(meta, BodyKind::Html), "<meta charset=utf-8><p>ł</p>");
}

#[test]
fn flowed_text_is_joined_again() {
    let raw = "Content-Type: text/plain; format=flowed\r\n\r\none \r\ntwo\r\n> q \r\n> r\r\n-- \r\nAnn\r\n";
    assert_eq!(body(raw, BodyKind::Plain), "one two\r\n> q r\r\n-- \r\nAnn\r\n");
    let delsp = "Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n中 \r\n文\r\n";
    assert_eq!(body(delsp, BodyKind::Plain), "中文\r\n");
}

#[test]
fn reports_and_smime_are_known_by_their_kind() {
    let report = |kind: &str, part: &str| {
        format!(
            "Content-Type: multipart/report; report-type={kind}; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n{part}\r\n--b--\r\n"
        )
    };
    let delivery = |action: &str| {
        report(
            "delivery-status",
            &format!(
                "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: x\r\n\r\nAction: {action}\r\n"
            ),
        )
    };
    let reading = |what: &str| {
        report(
            "disposition-notification",
            &format!(
                "Content-Type: message/disposition-notification\r\n\r\nDisposition: manual-action/MDN-sent-manually; {what}\r\n"
            ),
        )
    };
    for (raw, kind) in [
        (delivery("failed"), MailKind::NonDelivery),
        (delivery("Delivered"), MailKind::Delivery),
        (delivery("delayed"), MailKind::Note),
        (reading("displayed"), MailKind::Read),
        (reading("deleted"), MailKind::Note),
        ("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nx".into(), MailKind::SmimeEncrypted),
        ("Content-Type: application/x-pkcs7-mime\r\n\r\nx".into(), MailKind::SmimeEncrypted),
        ("Content-Type: application/pkcs7-mime; smime-type=certs-only\r\n\r\nx".into(), MailKind::Note),
        ("Content-Type: application/octet-stream; name=smime.p7m\r\n\r\nx".into(), MailKind::SmimeEncrypted),
        ("Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--".into(), MailKind::Note),
        ("\r\nx".into(), MailKind::Note),
    ] {
        assert_eq!(parse(&raw, &view(&[])).kind, kind, "{raw}");
    }
}

#[test]
fn an_invitations_calendar_data_is_told_once() {
    let raw = "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\
        Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nCome\r\n--b\r\n\
        Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n\
        BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260701T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n--b--\r\n\
        --m\r\nContent-Type: application/ics; name=invite.ics\r\n\r\nx\r\n--m--\r\n";
    let mail = parse(raw, &view(&[]));
    assert!(matches!(mail.kind, MailKind::Meeting(_)));
    assert_eq!(mail.attachments.iter().map(|one| one.part.as_str()).collect::<Vec<_>>(), ["2"]);
}

#[test]
fn parts_are_numbered_as_imap_numbers_them_and_given_decoded() {
    let raw = Bytes::from(
        "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n\
         --a\r\n\r\nplain\r\n--a\r\nContent-Type: text/html\r\n\r\nhtml\r\n--a--\r\n--m\r\n\
         Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--m\r\n\
         Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nnested\r\n--m--\r\n",
    );
    let part = |id: &str, range| crate::part(&raw, &id.into(), range);
    assert_eq!(part("1.1", None).unwrap().data, "plain");
    assert_eq!(part("1.2", None).unwrap().media_type, "text/html");
    let pdf = part("2", None).unwrap();
    assert_eq!((&*pdf.data, pdf.name.as_deref(), pdf.full_size), (&b"Hello"[..], Some("a.pdf"), 5));
    assert_eq!(part("3", None).unwrap().data, "Subject: x\r\n\r\nnested");
    for (range, expected) in
        [(1..3, "el"), (3..99, "lo"), (9..12, ""), (4..4, ""), (0..u64::MAX, "Hello")]
    {
        let found = part("2", Some(range)).unwrap();
        assert_eq!((&*found.data, found.full_size), (expected.as_bytes(), 5));
    }
    for id in ["", "0", "4", "1.3", "2.1", "x", "1..2", "-1", "99999999999999999999"] {
        assert_eq!(part(id, None).unwrap_err(), Error::NoSuchPart(id.into()), "{id}");
    }
    assert_eq!(crate::part(&Bytes::from("\r\nonly"), &"1".into(), None).unwrap().data, "only");
}

#[test]
fn only_nothing_and_too_much_are_refused() {
    let read = |raw: Bytes| read(raw, Envelope::default(), &view(&[])).map(|_| ());
    assert_eq!(read(Bytes::new()), Err(Error::Empty));
    for raw in
        ["\r\n", "\n", "x", ":", "\0", "--", "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n"]
    {
        assert_eq!(read(Bytes::from(raw)), Ok(()), "{raw:?}");
    }
}

#[test]
fn a_search_sees_people_subject_text_and_file_names() {
    let raw = Bytes::from(format!("To: =?utf-8?Q?J=C3=B6rg?= <j@x.example>\r\n{}", ALTERNATIVE));
    let text = crate::search_text(&raw);
    for word in ["Hi", "Ann", "ann@x.example", "Jörg", "Grüße plain"] {
        assert!(text.contains(word), "{word}");
    }
}

fn every_view() -> [BodyView; 3] {
    let part = |kind| Some(BodyPreference { preview: Some(100), ..want(kind, Some(1000)) });
    let all = |kind| BodyView {
        preferences: vec![BodyPreference { preview: Some(200), ..want(kind, Some(500)) }],
        mime: MimeSupport::Always,
        part_preference: part(kind),
    };
    [all(BodyKind::Plain), all(BodyKind::Html), all(BodyKind::Mime)]
}

#[test]
fn hostile_messages_are_read_in_bounded_time() {
    let nested = |kind: &str, depth: usize| {
        (0..depth)
            .map(|n| format!("Content-Type: multipart/{kind}; boundary=b{n}\r\n\r\n--b{n}\r\n"))
            .collect::<String>()
    };
    let cases = [
        ("multiparts in each other", nested("mixed", 20_000)),
        ("alternatives in each other", nested("alternative", 20_000)),
        ("messages in each other", "Content-Type: message/rfc822\r\n\r\n".repeat(50_000)),
        ("100,000 fields", "X-Spam: some value of a field\r\n".repeat(100_000) + "\r\ntext"),
        ("100,000 recipients", format!("To: {}\r\n\r\n", "a@b, ".repeat(100_000))),
        ("one long field", format!("Subject: {}\r\n\r\n", "x".repeat(4_000_000))),
        ("one long folded field", format!("Subject:{}\r\n\r\n", " x\r\n".repeat(1_000_000))),
        (
            "open encoded words",
            format!("Subject: {}\r\nFrom: {0}\r\n\r\n", "=?utf-8?q?".repeat(300_000)),
        ),
        ("encoded words", format!("Subject: {}\r\n\r\n", "=?utf-8?q?a?= ".repeat(300_000))),
        ("brackets and quotes", format!("From: {}\r\n\r\n", "<\"(".repeat(300_000))),
        (
            "comments in comments",
            format!("To: {}\r\nContent-Type: {0}\r\n\r\n", "(".repeat(500_000)),
        ),
        ("parameters", format!("Content-Type: text/plain{}\r\n\r\n", "; a*0=b".repeat(300_000))),
        ("references", format!("References: {}\r\n\r\n", "<a@b> ".repeat(300_000))),
        (
            "100,000 parts",
            format!(
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
                "--b\r\n\r\nx\r\n".repeat(100_000)
            ),
        ),
        (
            "100,000 dashes",
            format!(
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
                "--c\r\n".repeat(500_000)
            ),
        ),
        (
            "boundaries never seen",
            format!(
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
                "--b\r\nContent-Type: multipart/mixed; boundary=never\r\n\r\n".repeat(20_000)
            ),
        ),
        (
            "bad base64",
            format!("Content-Transfer-Encoding: base64\r\n\r\n{}", "=!A".repeat(1_000_000)),
        ),
        (
            "bad quoted-printable",
            format!(
                "Content-Transfer-Encoding: quoted-printable\r\n\r\n{}",
                "= = ".repeat(1_000_000)
            ),
        ),
        ("HTML tags", format!("Content-Type: text/html\r\n\r\n{}", "<div><table>".repeat(300_000))),
        (
            "calendar",
            format!(
                "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n{}",
                "BEGIN:VEVENT\r\n".repeat(30_000)
            ),
        ),
        ("no lines", "x".repeat(5_000_000)),
    ];
    for (name, raw) in cases {
        let raw = Bytes::from(raw);
        let size = raw.len();
        let start = Instant::now();
        for view in every_view() {
            let mail = read(raw.clone(), Envelope::default(), &view).unwrap();
            assert!(mail.attachments.len() <= 1000, "{name}");
            assert!(mail.to.len() <= 30_000, "{name}");
        }
        crate::conversation_of(&raw);
        crate::search_text(&raw);
        let seconds = start.elapsed().as_secs_f64();
        println!("{name}: {size} bytes, {seconds:.3} s");
        assert!(start.elapsed() < Duration::from_secs(20), "{name}: {seconds} s for {size} bytes");
    }
}

static SAMPLES: LazyLock<Vec<SampleMail>> = LazyLock::new(|| {
    let owner = Address { name: None, email: "ann@example.com".into() };
    mailbox(&owner, 5, Timestamp::from_seconds(1_790_000_000), 24, Sizes::Realistic)
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_damage_to_a_message_makes_reading_fail(
        which in 0usize..24,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 0..40),
    ) {
        let mut raw = SAMPLES[which].raw.to_vec();
        for (place, byte, how) in damage {
            if raw.is_empty() { break }
            let at = place.index(raw.len());
            match how {
                0 => raw[at] = byte,
                1 => { raw.remove(at); }
                2 => raw.insert(at, byte),
                _ => { let end = (at + usize::from(byte)).min(raw.len()); raw.drain(at..end); }
            }
        }
        let raw = Bytes::from(raw);
        for view in every_view() {
            let Ok(mail) = read(raw.clone(), Envelope::default(), &view) else {
                prop_assert!(raw.is_empty());
                continue;
            };
            for body in mail.body.iter().chain(&mail.body_part) {
                prop_assert!(body.data.len() as u64 <= body.full_size);
                prop_assert_eq!(body.truncated, (body.data.len() as u64) < body.full_size);
                prop_assert!(std::str::from_utf8(&body.data).is_ok() && !body.data.contains(&0));
            }
            for attachment in &mail.attachments {
                let part = crate::part(&raw, &attachment.part, None);
                prop_assert!(part.is_ok(), "{:?}", attachment);
            }
            prop_assert!(mail.preview.unwrap_or_default().chars().count() <= 200);
        }
        let _: Option<ConversationId> = crate::conversation_of(&raw);
    }
}
