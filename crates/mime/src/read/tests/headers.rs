//! Header fields: encoded words, addresses, urgency.

use super::*;
use dme_model::Address;

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
    let mail = read(Bytes::from(raw), envelope, &view(&[]), |_, _| None).unwrap();
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
