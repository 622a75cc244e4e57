use super::*;
use crate::{Envelope, read};
use dme_model::BodyView;

fn from() -> Address {
    Address { name: Some("Jörg Müller".into()), email: "j.mueller@example.com".into() }
}

fn finished(raw: impl AsRef<[u8]>) -> Result<Finished, Error> {
    let now = Timestamp::from_seconds(1_795_453_200);
    let how = Finish { from: from(), now, seed: "device/SendMail/1".into() };
    finish(&Bytes::copy_from_slice(raw.as_ref()), &how)
}

fn text(bytes: &Bytes) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn what_is_missing_is_added_and_what_is_there_stays() {
    let bare = finished("To: ann@x.example\r\n\r\nHello\r\n").unwrap();
    let mail =
        read(bare.message.clone(), Envelope::default(), &BodyView::default(), |_, _| None).unwrap();
    assert_eq!(mail.from, [from()]);
    assert_eq!(mail.sent, Some(Timestamp::from_seconds(1_795_453_200)));
    assert_eq!(mail.message_id.as_ref(), Some(&bare.message_id));
    assert!(bare.message_id.ends_with("@example.com"), "{}", bare.message_id);
    assert!(text(&bare.message).contains("MIME-Version: 1.0\r\n"));

    let whole = "From: x@y.example\r\nTo: ann@x.example\r\nDate: Mon, 23 Nov 2026 18:00:00 +0100\r\n\
                 Message-ID: <own@y.example>\r\nMIME-Version: 1.0\r\n\r\nHello\r\n";
    let kept = finished(whole).unwrap();
    assert_eq!(text(&kept.message), whole);
    assert_eq!((kept.message_id.as_str(), kept.from.as_str()), ("own@y.example", "x@y.example"));
}

#[test]
fn a_repeated_request_gets_the_same_message_id_and_another_seed_another() {
    let raw = "To: ann@x.example\r\n\r\nHello\r\n";
    let first = finished(raw).unwrap().message_id;
    assert_eq!(finished(raw).unwrap().message_id, first);
    let other = Finish { from: from(), now: Timestamp::default(), seed: "2".into() };
    assert_ne!(finish(&Bytes::from(raw), &other).unwrap().message_id, first);
}

#[test]
fn bcc_is_sent_to_and_filed_but_not_transmitted() {
    let raw = "To: a@x\r\nBcc: Secret <b@x>,\r\n c@x\r\nSubject: s\r\n\r\nHello\r\n";
    let done = finished(raw).unwrap();
    assert_eq!(done.recipients, ["a@x", "b@x", "c@x"]);
    assert!(!text(&done.message).to_lowercase().contains("bcc"), "{}", text(&done.message));
    assert!(!text(&done.message).contains("b@x") && !text(&done.message).contains("c@x"));
    assert!(text(&done.sent_copy).contains("Bcc: Secret <b@x>,\r\n c@x\r\n"));
}

#[test]
fn each_recipient_is_named_once() {
    let done = finished("To: A <a@x>, b@x\r\nCc: A@X, c@x\r\nTo: d@x\r\n\r\n").unwrap();
    assert_eq!(done.recipients, ["a@x", "b@x", "d@x", "c@x"]);
    assert_eq!(done.sent_copy.as_ptr(), done.message.as_ptr());
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let of = |raw: &str| finished(raw).map(|done| done.recipients);
    for raw in [
        "Subject: x\r\n\r\n",
        "To: \r\n\r\n",
        "To: undisclosed-recipients:;\r\n\r\n",
        "To: <>\r\n\r\n",
    ] {
        assert_eq!(of(raw), Err(Error::NoRecipient), "{raw}");
    }
    for raw in [
        "To: Ann Lee\r\n\r\n",
        "To: a@x, Ann Lee\r\n\r\n",
        "To: \"a b\"@x\r\n\r\n",
        "To: <a@x\0b>\r\n\r\n",
    ] {
        assert_eq!(of(raw), Err(Error::BadHeader("To")), "{raw}");
    }
    assert_eq!(of("From: <a b@x>\r\nTo: a@x\r\n\r\n"), Err(Error::BadHeader("From")));
    assert_eq!(of(""), Err(Error::Empty));
}

#[test]
fn a_default_sender_cannot_begin_a_header_of_its_own() {
    let evil = |name: &str, email: &str| Finish {
        from: Address { name: Some(name.into()), email: email.into() },
        now: Timestamp::default(),
        seed: "x\r\nBcc: y@x".into(),
    };
    let raw = Bytes::from("To: a@x\r\n\r\n");
    let named = finish(&raw, &evil("A\r\nBcc: b@x", "a@x.example")).unwrap();
    assert!(!text(&named.message).contains("\r\nBcc"), "{}", text(&named.message));
    let refused = finish(&raw, &evil("A", "a@x\r\nBcc: b@x"));
    assert_eq!(refused, Err(Error::BadHeader("From")));
}

#[test]
fn every_line_ends_with_crlf_and_eight_bit_headers_are_encoded() {
    let done =
        finished("To: Jörg <a@x>\nSubject: Grüße\nX-A: ü\n\none\ntwo\rthree\r\nlast").unwrap();
    let text = text(&done.message);
    assert!(text.ends_with("\r\n\r\none\r\ntwo\r\nthree\r\nlast\r\n"), "{text}");
    assert!(text.is_ascii(), "{text}");
    let mail =
        read(done.message.clone(), Envelope::default(), &BodyView::default(), |_, _| None).unwrap();
    assert_eq!((mail.subject.as_str(), mail.to[0].name.as_deref()), ("Grüße", Some("Jörg")));
}

#[test]
fn a_signed_message_stays_as_it_was_signed() {
    let signed = "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße  \r\n--b\r\n\
                  Content-Type: application/pkcs7-signature\r\n\r\nx\r\n--b--\r\n";
    let raw = format!(
        "To: a@x\r\nContent-Type: multipart/signed; boundary=b\r\nSubject: ü\r\n\r\n{signed}"
    );
    assert!(text(&finished(raw).unwrap().message).ends_with(signed));
}

/// So many addresses that the field, one to a line, has about `bytes`.
fn crowd(bytes: usize) -> Vec<String> {
    let one = |number| format!("person-{number:05}@mail.example.com");
    (0..bytes / 33).map(one).collect()
}

#[test]
fn everyone_named_gets_the_message_or_it_is_refused() {
    for name in ["To", "Cc", "Bcc"] {
        let people = crowd(60 << 10);
        let done = finished(format!("{name}: {}\r\n\r\nHello\r\n", people.join(",\r\n "))).unwrap();
        assert_eq!(done.recipients, people, "{name}");

        // Longer than is read: the last ones would get nothing, and one would be cut to another's.
        let people = crowd(70 << 10).join(",\r\n ");
        let refused = finished(format!("To: a@x\r\n{name}: {people}\r\n\r\nHello\r\n"));
        assert_eq!(refused, Err(Error::HeaderTooLarge), "{name}");
    }
}

#[test]
fn a_header_of_more_fields_than_are_read_is_refused_and_not_cut() {
    let of = |fields: usize| {
        let own: String = (0..fields - 1).map(|number| format!("X-{number}: x\r\n")).collect();
        finished(format!("{own}To: a@x\r\n\r\nHello\r\n"))
    };
    assert!(text(&of(1000).unwrap().message).contains("X-998: x\r\n"));
    assert_eq!(of(1001), Err(Error::HeaderTooLarge));
}

#[test]
fn a_long_field_goes_out_whole_or_not_at_all() {
    let long = "x".repeat(70 << 10);
    let kept = finished(format!("To: a@x\r\nX-Long: {long}\r\n\r\n")).unwrap();
    assert!(text(&kept.message).contains(&format!("X-Long: {long}\r\n")));
    // It would have to be encoded, and only its beginning is read.
    let refused = finished(format!("To: a@x\r\nSubject: ü{long}\r\n\r\n"));
    assert_eq!(refused, Err(Error::HeaderTooLarge));
}

#[test]
fn raw_names_in_the_content_fields_are_encoded_and_the_boundary_stays() {
    let parts = "--b;1\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b;1--\r\n";
    let raw = format!(
        "To: a@x\r\nContent-Type: multipart/mixed; boundary=\"b;1\"; name=\"Grüße.eml\"\r\n\
         Content-Disposition: attachment; filename=\"Grüße.eml\"\r\n\r\n{parts}"
    );
    let done = finished(raw).unwrap();
    let head = text(&done.message).split("\r\n\r\n").next().unwrap();
    assert!(head.is_ascii(), "{head}");
    let value = |name: &str| {
        let raw = done.message.as_ref();
        let (fields, _) = Fields::parse(raw, 0, Of::Message);
        header::parameters(fields.find(raw, name).unwrap()).unwrap()
    };
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        value("Content-Type"),
        ("multipart/mixed".to_owned(), vec![pair("boundary", "b;1"), pair("name", "Grüße.eml")])
    );
    assert_eq!(
        value("Content-Disposition"),
        ("attachment".to_owned(), vec![pair("filename", "Grüße.eml")])
    );
}
