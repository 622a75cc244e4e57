//! Mails from the server's side to the phone's, and back.

use super::*;
use crate::address::format_list;
use crate::calendar::Context;
use crate::server_id::{FileReference, ServerId};
use crate::{Error, ProtocolVersion};
use bytes::Bytes;
use dme_model::{
    Address, Attachment, AttachmentKind, Body, BodyKind, ConversationId, FlagPatch, Flags,
    Followup, Invitation, ItemId, Mail, PartId, Timestamp, ZoneId,
};
use dme_wbxml::pages::{air_sync_base, email as page, email2};
use dme_wbxml::{Element, Limits, decode, encode};
use dme_zone::Zone;
use std::collections::BTreeSet;

fn address(name: &str, email: &str) -> Address {
    Address { name: Some(name.into()), email: email.into() }
}

fn id() -> ServerId {
    ServerId::new(2, ItemId::new("41"))
}

fn mail() -> Mail {
    Mail {
        from: vec![address("Ann Müller", "ann@example.org")],
        sender: Some(address("Office", "office@example.org")),
        reply_to: vec![address("List", "list@example.org")],
        to: vec![address("Bo, the \"second\"", "bo@example.org"), address("王", "w@example.cn")],
        cc: vec![address("Cy", "cy@example.org")],
        bcc: vec![address("Di", "di@example.org")],
        subject: "Re: Grüße\r\nBcc: x".into(),
        thread_topic: "Grüße".into(),
        received: Timestamp::from_millis(1_248_895_537_817),
        conversation: Some(ConversationId([7; 16])),
        conversation_index: vec![1, 2, 3, 4, 5],
        importance: Importance::High,
        flags: Flags {
            seen: true,
            answered: true,
            followup: Followup::Active,
            categories: BTreeSet::from(["Blue".to_owned(), "Red".to_owned()]),
            ..Flags::default()
        },
        native: Some(BodyKind::Html),
        body: Some(Body {
            kind: BodyKind::Html,
            data: Bytes::from_static("<p>Grüße</p>".as_bytes()),
            truncated: true,
            full_size: 90_000,
        }),
        body_part: Some(Body {
            kind: BodyKind::Html,
            data: Bytes::from_static(b"part"),
            truncated: false,
            full_size: 4,
        }),
        preview: Some("Grüße".into()),
        attachments: vec![Attachment {
            part: PartId::new("1.2"),
            name: "Bild.png".into(),
            media_type: "image/png".into(),
            size: 1234,
            kind: AttachmentKind::File,
            content_id: Some("a@b".into()),
            content_location: None,
            inline: true,
        }],
        ..Mail::default()
    }
}

fn to_elements(mail: &Mail, id: &ServerId, version: ProtocolVersion) -> Vec<Element> {
    let context = Context { home: &Zone::utc(), now: Timestamp::default() };
    super::to_elements(mail, id, version, &context)
}

fn names(elements: &[Element]) -> Vec<&'static str> {
    elements.iter().map(|element| element.tag.name().unwrap()).collect()
}

/// Over the wire and back.
fn receive(elements: Vec<Element>) -> EmailView {
    let document = encode(&Element::parent(dme_wbxml::pages::air_sync::APPLICATION_DATA, elements));
    let read = decode(&document.into(), &Limits::default()).unwrap();
    EmailView::from_elements(read.children()).unwrap()
}

#[test]
fn each_version_gets_the_elements_it_knows_in_their_order() {
    let common = [
        "To",
        "Cc",
        "From",
        "Subject",
        "ReplyTo",
        "DateReceived",
        "DisplayTo",
        "ThreadTopic",
        "Importance",
        "Read",
        "Attachments",
        "Body",
    ];
    let then = ["MessageClass", "InternetCPID", "Flag", "ContentClass", "NativeBodyType"];
    let v14 = ["ConversationId", "ConversationIndex", "Sender", "Categories", "LastVerbExecuted"];
    for (version, expected) in [
        (ProtocolVersion::V12_1, [&common[..], &then].concat()),
        (ProtocolVersion::V14_0, [&common[..], &then, &v14].concat()),
        (ProtocolVersion::V14_1, [&common[..], &["BodyPart"], &then, &v14].concat()),
        (
            ProtocolVersion::V16_1,
            [&common[..], &["BodyPart"], &then, &v14, &["Bcc", "IsDraft"]].concat(),
        ),
    ] {
        assert_eq!(names(&to_elements(&mail(), &id(), version)), expected, "{version}");
    }
}

#[test]
fn a_phone_sees_what_the_mail_is() {
    let view = receive(to_elements(&mail(), &id(), ProtocolVersion::V16_1));
    let mail = mail();
    assert_eq!((&view.to, &view.cc, &view.bcc), (&mail.to, &mail.cc, &mail.bcc));
    assert_eq!((&view.from, &view.reply_to), (&mail.from, &mail.reply_to));
    assert_eq!(view.sender, mail.sender);
    assert_eq!(view.subject, "Re: Grüße  Bcc: x");
    assert_eq!(view.thread_topic, "Grüße");
    assert_eq!(view.display_to, "Bo, the \"second\";王");
    assert_eq!(view.received, Some(mail.received));
    assert_eq!(view.importance, Some(Importance::High));
    assert!(view.read && !view.is_draft);
    assert_eq!(view.followup, Followup::Active);
    assert_eq!(view.categories, mail.flags.categories);
    assert_eq!(view.last_verb, Some(1));
    assert_eq!(view.message_class, "IPM.Note");
    let body = view.body.unwrap();
    assert_eq!(body.data, "<p>Grüße</p>".as_bytes());
    assert_eq!((body.truncated, body.estimated_size), (true, Some(90_000)));
    assert_eq!(body.preview.as_deref(), Some("Grüße"));
    assert_eq!(view.body_part.unwrap().data, &b"part"[..]);
    assert_eq!(view.conversation_id, Some(Bytes::from_static(&[7; 16])));
    assert_eq!(view.conversation_index, Some(Bytes::from_static(&[1, 2, 3, 4, 5])));
    let [attachment] = &view.attachments[..] else { panic!("one attachment") };
    assert_eq!((attachment.method, attachment.size, attachment.inline), (1, 1234, true));
    assert_eq!(attachment.content_id.as_deref(), Some("a@b"));
    let expected = FileReference { item: id(), part: PartId::new("1.2") };
    assert_eq!(attachment.file_reference.parse(), Ok(expected));
}

#[test]
fn an_empty_mail_still_has_what_every_mail_must() {
    let elements = to_elements(&Mail::default(), &id(), ProtocolVersion::V12_1);
    assert_eq!(
        names(&elements),
        [
            "Subject",
            "DateReceived",
            "ThreadTopic",
            "Importance",
            "Read",
            "MessageClass",
            "InternetCPID",
            "Flag",
            "ContentClass",
        ]
    );
    assert_eq!(elements[7], Element::empty(page::FLAG));
    assert_eq!(receive(elements).received, Some(Timestamp::from_millis(0)));
}

#[test]
fn each_sort_of_message_has_its_class() {
    let meeting = |method| {
        MailKind::Meeting(Box::new(Invitation {
            method,
            uid: "u".into(),
            end: Timestamp::from_millis(3_600_000),
            zone: Some(ZoneId::utc()),
            location: "Here".into(),
            ..Invitation::default()
        }))
    };
    for (kind, class, shows_meeting) in [
        (MailKind::Note, "IPM.Note", false),
        (MailKind::SmimeSigned, "IPM.Note.SMIME.MultipartSigned", false),
        (MailKind::SmimeEncrypted, "IPM.Note.SMIME", false),
        (MailKind::NonDelivery, "REPORT.IPM.Note.NDR", false),
        (MailKind::Delivery, "REPORT.IPM.Note.DR", false),
        (MailKind::Read, "REPORT.IPM.Note.IPNRN", false),
        (meeting(InvitationMethod::Request), "IPM.Schedule.Meeting.Request", true),
        (meeting(InvitationMethod::Cancel), "IPM.Schedule.Meeting.Canceled", true),
        (meeting(InvitationMethod::Accepted), "IPM.Schedule.Meeting.Resp.Pos", false),
        (meeting(InvitationMethod::Tentative), "IPM.Schedule.Meeting.Resp.Tent", false),
        (meeting(InvitationMethod::Declined), "IPM.Schedule.Meeting.Resp.Neg", false),
    ] {
        for version in ProtocolVersion::ALL {
            let view = receive(to_elements(
                &Mail { kind: kind.clone(), ..Mail::default() },
                &id(),
                version,
            ));
            assert_eq!(view.message_class, class);
            assert_eq!(view.meeting.is_some(), shows_meeting);
            if let Some(meeting) = view.meeting {
                assert_eq!((&*meeting.location, meeting.recurs), ("Here", false));
                assert_eq!(meeting.end, Timestamp::from_millis(3_600_000));
            }
        }
    }
}

#[test]
fn a_meetings_times_are_on_the_users_clock_where_it_has_none_of_its_own() {
    let tokyo = Zone::of(&ZoneId::from("Asia/Tokyo")).unwrap();
    let context = Context { home: &tokyo, now: Timestamp::default() };
    // The midnight of 2 January 1970, and nine hours before that: midnight in Tokyo.
    let (shown, there) = (Timestamp::from_seconds(86_400), Timestamp::from_seconds(54_000));
    let floating = Invitation { start: shown, end: shown, ..Invitation::default() };
    let days = Invitation { all_day: true, ..floating.clone() };
    let zoned = Invitation { zone: Some(ZoneId::utc()), ..floating.clone() };
    for version in ProtocolVersion::ALL {
        let of_days = if version >= ProtocolVersion::V16_0 { shown } else { there };
        for (meeting, all_day, start) in
            [(&floating, false, there), (&days, true, of_days), (&zoned, false, shown)]
        {
            let kind = MailKind::Meeting(Box::new(meeting.clone()));
            let mail = Mail { kind, ..Mail::default() };
            let view = receive(super::to_elements(&mail, &id(), version, &context));
            let told = view.meeting.unwrap();
            assert_eq!((told.all_day, told.start, told.end), (all_day, start, start), "{version}");
        }
    }
}

#[test]
fn new_marks_change_a_phones_view_and_nothing_else() {
    let mut view = receive(to_elements(&mail(), &id(), ProtocolVersion::V14_1));
    let before = view.clone();
    let flags = Flags { forwarded: true, followup: Followup::Complete, ..Flags::default() };
    view.apply(&flags_to_elements(&flags, ProtocolVersion::V14_1)).unwrap();
    assert!(!view.read && view.categories.is_empty());
    assert_eq!((view.followup, view.last_verb), (Followup::Complete, Some(3)));
    assert_eq!((view.subject, view.body), (before.subject, before.body));
    let old = flags_to_elements(&flags, ProtocolVersion::V12_1);
    assert_eq!(names(&old), ["Read", "Flag"]);
}

#[test]
fn what_a_phone_marks_is_read_as_it_is_written() {
    for patch in [
        FlagPatch::default(),
        FlagPatch { seen: Some(true), ..FlagPatch::default() },
        FlagPatch { seen: Some(false), followup: Some(Followup::None), ..FlagPatch::default() },
        FlagPatch { followup: Some(Followup::Active), ..FlagPatch::default() },
        FlagPatch { followup: Some(Followup::Complete), ..FlagPatch::default() },
        FlagPatch { categories: Some(BTreeSet::new()), ..FlagPatch::default() },
        FlagPatch { categories: Some(mail().flags.categories), ..FlagPatch::default() },
    ] {
        assert_eq!(patch_from_elements(&patch_to_elements(&patch)), Ok(patch));
    }
}

#[test]
fn a_flag_with_dates_alone_stays_as_it_is_and_a_wrong_one_is_refused() {
    let flag = |child| [Element::parent(page::FLAG, vec![child])];
    let dates = flag(Element::text(dme_wbxml::pages::tasks::DUE_DATE, "2026-01-01T00:00:00.000Z"));
    assert_eq!(patch_from_elements(&dates), Ok(FlagPatch::default()));
    let wrong = flag(Element::text(page::STATUS, "3"));
    assert!(matches!(patch_from_elements(&wrong), Err(Error::Value { .. })));
    let wrong = [Element::text(page::READ, "yes")];
    assert!(matches!(patch_from_elements(&wrong), Err(Error::Value { .. })));
    let many = vec![Element::text(page::CATEGORY, "a"); 301];
    let many = [Element::parent(page::CATEGORIES, many)];
    assert!(matches!(patch_from_elements(&many), Err(Error::TooMany { .. })));
}

fn draft() -> DraftContent {
    DraftContent {
        to: Some(mail().to),
        cc: Some(vec![]),
        bcc: Some(mail().bcc),
        reply_to: None,
        subject: Some("Hello".into()),
        importance: Some(Importance::Low),
        body: Some((BodyKind::Html, Bytes::from_static(b"<p>Hi</p>"))),
        attach: vec![NewAttachment {
            client_id: "c1".into(),
            display_name: "a.bin".into(),
            content: Bytes::from_static(&[0, 159, 146, 150]),
            content_type: Some("application/x-a".into()),
            content_id: Some("x@y".into()),
            content_location: None,
            inline: true,
        }],
        detach: vec!["2:41:1.2".into()],
        marks: FlagPatch { seen: Some(true), ..FlagPatch::default() },
    }
}

#[test]
fn a_draft_is_read_as_it_is_written() {
    for draft in [draft(), DraftContent::default()] {
        assert_eq!(DraftContent::from_elements(&draft.to_elements()), Ok(draft));
    }
    assert!(draft().changes_content());
    let marks = DraftContent { marks: draft().marks, ..DraftContent::default() };
    assert!(!marks.changes_content());
}

#[test]
fn an_attachments_content_may_be_base64_and_else_is_refused() {
    let add = |content| {
        let children = vec![
            Element::text(air_sync_base::CLIENT_ID, "c"),
            Element::text(air_sync_base::DISPLAY_NAME, "a"),
            Element::text(air_sync_base::CONTENT, content),
        ];
        let add = Element::parent(air_sync_base::ADD, children);
        DraftContent::from_elements(&[Element::parent(air_sync_base::ATTACHMENTS, vec![add])])
    };
    assert_eq!(add("aGVs\r\nbG8=").unwrap().attach[0].content, &b"hello"[..]);
    assert!(matches!(add("no!"), Err(Error::Value { .. })));
}

#[test]
fn a_drafts_body_without_data_means_it_did_not_change_and_rtf_is_refused() {
    let body =
        |children| DraftContent::from_elements(&[Element::parent(air_sync_base::BODY, children)]);
    let kind = |code| Element::text(air_sync_base::TYPE, code);
    assert_eq!(body(vec![kind("2")]).unwrap().body, None);
    let data = Element::empty(air_sync_base::DATA);
    assert_eq!(
        body(vec![kind("1"), data.clone()]).unwrap().body,
        Some((BodyKind::Plain, Bytes::new()))
    );
    assert!(matches!(body(vec![kind("3"), data]), Err(Error::Value { .. })));
}

#[test]
fn a_list_a_phone_empties_is_empty_and_one_it_does_not_send_stays() {
    let read = DraftContent::from_elements(&[
        Element::empty(page::TO),
        Element::text(email2::BCC, format_list(&mail().bcc)),
    ])
    .unwrap();
    assert_eq!((read.to, read.cc, read.bcc), (Some(vec![]), None, Some(mail().bcc)));
}
