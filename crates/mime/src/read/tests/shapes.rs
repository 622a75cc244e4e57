//! The parts of a message: what is text, what is attached, what kind of mail it is.

use super::*;

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
fn a_search_sees_people_subject_text_and_file_names() {
    let raw = Bytes::from(format!("To: =?utf-8?Q?J=C3=B6rg?= <j@x.example>\r\n{}", ALTERNATIVE));
    let text = crate::search_text(&raw);
    for word in ["Hi", "Ann", "ann@x.example", "Jörg", "Grüße plain"] {
        assert!(text.contains(word), "{word}");
    }
}
