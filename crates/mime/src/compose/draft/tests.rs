use super::*;
use crate::{Envelope, read};
use dme_model::{BodyPreference, BodyView, Mail};

const NOW: Timestamp = Timestamp::from_seconds(1_795_453_200);

fn address(email: &str) -> Address {
    Address { name: Some("Jörg, the first".into()), email: email.into() }
}

fn file(name: &str, content_id: Option<&str>) -> NewAttachment {
    NewAttachment {
        name: name.into(),
        media_type: Some("image/png".into()),
        content_id: content_id.map(str::to_owned),
        data: Bytes::from_static(b"\x89PNG"),
    }
}

fn view(raw: &Bytes, kind: BodyKind) -> (Mail, String) {
    let preference = BodyPreference { kind, truncation: None, all_or_none: false, preview: None };
    let view = BodyView { preferences: vec![preference], ..BodyView::default() };
    let mail = read(raw.clone(), Envelope::default(), &view, |_, _| None).unwrap();
    let text = String::from_utf8(mail.body.as_ref().unwrap().data.to_vec()).unwrap();
    (mail, text.trim_end().to_owned())
}

fn full() -> Bytes {
    let change = DraftChange {
        from: Some(address("me@x.example")),
        to: Some(vec![address("to@x.example")]),
        cc: Some(vec![address("cc@x.example")]),
        bcc: Some(vec![address("bcc@x.example")]),
        reply_to: Some(vec![address("r@x.example")]),
        subject: Some("Grüße aus 北京".into()),
        importance: Some(Importance::High),
        body: Some((BodyKind::Html, Bytes::from("<p>Hällo <img src=\"cid:i@x\"></p>"))),
        attach: vec![file("Übersicht.png", None), file("i.png", Some("i@x"))],
        detach: Vec::new(),
    };
    draft(None, &change, NOW, "seed").unwrap().message
}

#[test]
fn a_new_draft_says_all_that_it_was_told() {
    let (mail, html) = view(&full(), BodyKind::Html);
    assert_eq!(mail.from, [address("me@x.example")]);
    assert_eq!(
        (&mail.to, &mail.cc),
        (&vec![address("to@x.example")], &vec![address("cc@x.example")])
    );
    assert_eq!(
        (&mail.bcc, &mail.reply_to),
        (&vec![address("bcc@x.example")], &vec![address("r@x.example")])
    );
    assert_eq!((mail.subject.as_str(), mail.importance), ("Grüße aus 北京", Importance::High));
    assert_eq!(mail.sent, Some(NOW));
    assert!(mail.message_id.is_some());
    assert_eq!(html, "<p>Hällo <img src=\"cid:i@x\"></p>");
    let names: Vec<_> =
        mail.attachments.iter().map(|one| (one.name.as_str(), one.inline)).collect();
    assert_eq!(names, [("i.png", true), ("Übersicht.png", false)]);
}

#[test]
fn a_change_leaves_everything_else_as_it_was() {
    let old = full();
    let (before, html) = view(&old, BodyKind::Html);
    let change = DraftChange { subject: Some("Neu".into()), ..DraftChange::default() };
    let (after, same) =
        view(&draft(Some(&old), &change, NOW, "other").unwrap().message, BodyKind::Html);
    assert_eq!(same, html);
    let expected = Mail {
        subject: "Neu".into(),
        thread_topic: "Neu".into(),
        body: after.body.clone(),
        attachments: after.attachments.clone(),
        ..before
    };
    assert_eq!(after, expected);
}

#[test]
fn a_new_text_replaces_the_old_in_every_form_and_the_files_stay() {
    let change = DraftChange {
        body: Some((BodyKind::Plain, Bytes::from("Nur Text"))),
        ..DraftChange::default()
    };
    let raw = draft(Some(&full()), &change, NOW, "s").unwrap().message;
    let (mail, text) = view(&raw, BodyKind::Plain);
    assert_eq!((text.as_str(), mail.native), ("Nur Text", Some(BodyKind::Plain)));
    assert_eq!(mail.attachments.len(), 2);
}

#[test]
fn files_are_added_and_taken_off() {
    let old = full();
    let (mail, _) = view(&old, BodyKind::Plain);
    let change = DraftChange {
        detach: vec![mail.attachments[1].part.clone()],
        attach: vec![file("new.png", None)],
        ..DraftChange::default()
    };
    let raw = draft(Some(&old), &change, NOW, "s").unwrap().message;
    let (mail, _) = view(&raw, BodyKind::Plain);
    let names: Vec<_> = mail.attachments.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["i.png", "new.png"]);
    assert_eq!(crate::part(&raw, &mail.attachments[1].part, None).unwrap().data, &b"\x89PNG"[..]);

    let none = DraftChange { detach: vec!["9".into()], ..DraftChange::default() };
    assert_eq!(draft(Some(&old), &none, NOW, "s"), Err(Error::NoSuchPart("9".into())));
    assert_eq!(draft(None, &none, NOW, "s"), Err(Error::NoSuchPart("9".into())));
}

#[test]
fn it_is_told_which_part_each_new_file_became() {
    let html = Some((BodyKind::Html, Bytes::from("<img src=\"cid:i@x\"><img src=\"cid:j@x\">")));
    let (a, i) = (file("a.png", None), file("i.png", Some("i@x")));
    for (attach, names) in [
        (vec![a.clone()], ["a.png"].as_slice()),
        (vec![i.clone()], &["i.png"]),
        (vec![a.clone(), i.clone(), a.clone()], &["a.png", "i.png", "a.png"]),
        (vec![], &[]),
    ] {
        for old in [None, Some(full())] {
            let body = html.clone();
            let change = DraftChange { body, attach: attach.clone(), ..DraftChange::default() };
            let Drafted { message, attached } = draft(old.as_ref(), &change, NOW, "s").unwrap();
            let (mail, _) = view(&message, BodyKind::Html);
            let name_of = |part: &Option<PartId>| {
                let part = part.as_ref().unwrap();
                mail.attachments.iter().find(|one| one.part == *part).unwrap().name.clone()
            };
            assert_eq!(attached.iter().map(name_of).collect::<Vec<_>>(), *names);
            let mut different = attached.clone();
            different.dedup();
            assert_eq!(different.len(), attached.len(), "{attached:?}");
        }
    }
}

#[test]
fn the_key_of_an_earlier_form_is_not_taken_over() {
    let mut old = b"X-DME-Key: 1\r\n".to_vec();
    old.extend_from_slice(&full());
    let raw = draft(Some(&old.into()), &DraftChange::default(), NOW, "s").unwrap().message;
    assert!(!String::from_utf8_lossy(&raw).contains("X-DME-Key"));
}

#[test]
fn a_whole_message_gives_its_text_and_files() {
    let given = "Subject: ignored\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ngiven\r\n--b\r\n\
                 Content-Type: application/pdf; name=g.pdf\r\n\r\npdf\r\n--b--\r\n";
    let change = DraftChange {
        subject: Some("Kept".into()),
        body: Some((BodyKind::Mime, Bytes::from(given))),
        ..DraftChange::default()
    };
    let (mail, text) = view(&draft(None, &change, NOW, "s").unwrap().message, BodyKind::Plain);
    assert_eq!((text.as_str(), mail.subject.as_str()), ("given", "Kept"));
    assert_eq!(mail.attachments[0].name, "g.pdf");
}

#[test]
fn nothing_told_can_begin_a_header_or_a_part_of_its_own() {
    let evil = "x\r\nBcc: evil@x\r\n\r\n--b";
    let change = DraftChange {
        from: Some(Address { name: Some(evil.into()), email: evil.into() }),
        to: Some(vec![Address { name: Some(evil.into()), email: evil.into() }]),
        subject: Some(evil.into()),
        attach: vec![NewAttachment {
            name: evil.into(),
            media_type: Some("multipart/mixed; boundary=x\r\nBcc: evil@x".into()),
            content_id: Some(evil.into()),
            data: Bytes::new(),
        }],
        ..DraftChange::default()
    };
    let raw = draft(None, &change, NOW, evil).unwrap().message;
    let (mail, _) = view(&raw, BodyKind::Plain);
    assert!(mail.bcc.is_empty());
    assert!(!std::str::from_utf8(&raw).unwrap().contains("\r\nBcc"));
    assert_eq!(mail.attachments.len(), 1);
}

#[test]
fn an_empty_draft_is_a_draft() {
    let raw = draft(None, &DraftChange::default(), NOW, "s").unwrap().message;
    let (mail, text) = view(&raw, BodyKind::Plain);
    assert_eq!((text.as_str(), mail.subject.as_str(), mail.to.len()), ("", "", 0));
}
