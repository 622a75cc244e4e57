use super::*;
use crate::{Envelope, read};
use dme_model::{BodyKind, BodyPreference, BodyView, Mail};

const PLAIN: &str = "From: Ann <ann@x.example>\r\nTo: bob@x.example\r\nSubject: Budget\r\n\
    Date: Mon, 23 Nov 2026 18:00:00 +0100\r\nMessage-ID: <o@x>\r\nReferences: <first@x>\r\n\r\n\
    How much?\r\n> before\r\n";

const HTML: &str = "From: Ann <ann@x.example>\r\nSubject: Budget\r\nMessage-ID: <o@x>\r\n\
    Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\
    Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: text/html; charset=iso-8859-1\r\n\
    Content-Transfer-Encoding: quoted-printable\r\n\r\n\
    <html><head><style>p {}</style></head><body><p>Gr=FC=DFe</p><img src=3D\"cid:i@x\"></body></html>\r\n--r\r\n\
    Content-Type: image/png\r\nContent-ID: <i@x>\r\nContent-Transfer-Encoding: base64\r\n\r\nUE5H\r\n--r--\r\n\
    --m\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\
    Content-Disposition: attachment; filename=\"a.pdf\"\r\n\r\nUERG\r\n--m--\r\n";

fn answer(original: &str, new: &str, verb: Verb) -> Bytes {
    reply(&Bytes::from(original.to_owned()), &Bytes::from(new.to_owned()), verb, false).unwrap()
}

fn view(raw: &Bytes, kind: BodyKind) -> (Mail, String) {
    let preference = BodyPreference { kind, truncation: None, all_or_none: false, preview: None };
    let view = BodyView { preferences: vec![preference], ..BodyView::default() };
    let mail = read(raw.clone(), Envelope::default(), &view, |_, _| None).unwrap();
    let text = String::from_utf8(mail.body.as_ref().unwrap().data.to_vec()).unwrap();
    (mail, text)
}

fn names(mail: &Mail) -> Vec<(&str, bool)> {
    mail.attachments.iter().map(|one| (one.name.as_str(), one.inline)).collect()
}

#[test]
fn plain_below_plain_is_quoted_and_stays_plain() {
    let new = "From: bob@x.example\r\nTo: ann@x.example\r\nSubject: Re: Budget\r\n\r\nA lot.\r\n";
    let (mail, text) = view(&answer(PLAIN, new, Verb::Reply), BodyKind::Plain);
    assert_eq!(mail.native, Some(BodyKind::Plain));
    assert_eq!(
        text.trim_end(),
        "A lot.\r\n\r\n-----Original Message-----\r\nFrom: Ann <ann@x.example>\r\n\
         Sent: Mon, 23 Nov 2026 18:00:00 +0100\r\nTo: bob@x.example\r\nSubject: Budget\r\n\r\n\
         > How much?\r\n>> before"
    );
    let (_, forwarded) = view(&answer(PLAIN, new, Verb::Forward), BodyKind::Plain);
    assert!(forwarded.trim_end().ends_with("\r\n\r\nHow much?\r\n> before"), "{forwarded}");
}

#[test]
fn html_below_html_stands_within_the_new_body() {
    let new =
        "To: ann@x.example\r\nContent-Type: text/html\r\n\r\n<html><body><b>Yes</b></body></html>";
    let raw = answer(HTML, new, Verb::Reply);
    let (mail, html) = view(&raw, BodyKind::Html);
    let at = |piece: &str| html.find(piece).unwrap_or_else(|| panic!("{piece} in {html}"));
    assert!(at("<b>Yes</b>") < at("<hr>"));
    assert!(at("<hr>") < at("<b>From:</b> Ann &lt;ann@x.example&gt;"));
    assert!(at("<b>From:</b>") < at("<p>Grüße</p>") && at("<p>Grüße</p>") < at("</body></html>"));
    assert_eq!(html.matches("<html").count(), 1);
    assert!(html.contains("<style>p {}</style>"));
    // What the quoted text shows goes along, its files do not.
    assert_eq!(names(&mail), [("image-1.png", true)]);
    let (_, plain) = view(&raw, BodyKind::Plain);
    assert!(plain.starts_with("Yes\r\n") && plain.contains("> Grüße"), "{plain}");
}

#[test]
fn a_plain_text_above_html_becomes_html() {
    let raw = answer(HTML, "To: a@x\r\n\r\n1 < 2 & so\r\n", Verb::Forward);
    let (mail, html) = view(&raw, BodyKind::Html);
    assert_eq!(mail.native, Some(BodyKind::Html));
    assert!(html.contains("1 &lt; 2 &amp; so") && html.contains("<p>Grüße</p>"), "{html}");
}

#[test]
fn a_forward_takes_the_originals_files_beside_the_phones_own() {
    let new = "To: a@x\r\nSubject: Fwd: Budget\r\nContent-Type: multipart/mixed; boundary=n\r\n\r\n--n\r\n\r\nSee below\r\n\
               --n\r\nContent-Type: image/jpeg; name=own.jpg\r\nContent-Transfer-Encoding: base64\r\n\r\nSlBH\r\n--n--\r\n";
    let raw = answer(HTML, new, Verb::Forward);
    let (mail, _) = view(&raw, BodyKind::Html);
    assert_eq!(names(&mail), [("image-1.png", true), ("own.jpg", false), ("a.pdf", false)]);
    let contents: Vec<_> = mail
        .attachments
        .iter()
        .map(|one| crate::part(&raw, &one.part, None).unwrap().data)
        .collect();
    assert_eq!(contents, ["PNG", "JPG", "PDF"]);
    let (replied, _) = view(&answer(HTML, new, Verb::Reply), BodyKind::Html);
    assert_eq!(names(&replied), [("image-1.png", true), ("own.jpg", false)]);
}

#[test]
fn the_thread_goes_on_and_the_phones_own_headers_stay() {
    let raw = answer(PLAIN, "To: a@x\r\nSubject: Re: Budget\r\nX-Own: 1\r\n\r\nx", Verb::Reply);
    let text = std::str::from_utf8(&raw).unwrap();
    assert!(text.contains("References: <first@x>\r\n <o@x>\r\n"), "{text}");
    assert!(text.contains("In-Reply-To: <o@x>\r\n") && text.contains("X-Own: 1\r\n"), "{text}");
    assert_eq!(crate::conversation_of(&raw), crate::conversation_of(PLAIN.as_bytes()));
    // What the phone says itself is not said again.
    let own =
        answer(PLAIN, "To: a@x\r\nReferences: <p@x>\r\nIn-Reply-To: <p@x>\r\n\r\nx", Verb::Reply);
    let own = std::str::from_utf8(&own).unwrap();
    assert_eq!((own.matches("References").count(), own.matches("<o@x>").count()), (1, 0), "{own}");
    // A thread that is long is cut behind its first message.
    let long = format!(
        "Message-ID: <o@x>\r\nReferences: {}\r\n\r\n",
        (0..100).map(|n| format!("<{n}@x> ")).collect::<String>()
    );
    let raw = answer(&long, "To: a@x\r\n\r\nx", Verb::Reply);
    let text = std::str::from_utf8(&raw).unwrap();
    assert_eq!(text.matches("@x>").count(), MAX_REFERENCES + 1, "{text}");
    assert!(text.starts_with("References: <0@x>\r\n <62@x>"), "{text}");
}

#[test]
fn what_the_phone_wrote_whole_or_signed_gets_the_thread_and_nothing_else() {
    let whole = "To: a@x\r\nContent-Type: text/html\r\n\r\n<p>all of it</p>";
    let raw = reply(&Bytes::from(HTML), &Bytes::from(whole), Verb::Forward, true).unwrap();
    assert_eq!(raw, format!("References: <o@x>\r\nIn-Reply-To: <o@x>\r\n{whole}"));
    let signed = "To: a@x\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\n\
                  --b\r\n\r\nsigned\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nx\r\n--b--\r\n";
    let raw = answer(HTML, signed, Verb::Reply);
    assert!(raw.ends_with(signed.as_bytes()));
}

#[test]
fn an_encrypted_original_is_forwarded_whole() {
    let original = "Subject: Secret\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nxyz\r\n";
    let raw = answer(original, "To: a@x\r\n\r\nSee below", Verb::Forward);
    let (mail, _) = view(&raw, BodyKind::Plain);
    assert_eq!(mail.attachments.len(), 1);
    assert_eq!(mail.attachments[0].media_type, "message/rfc822");
    let attached = crate::part(&raw, &mail.attachments[0].part, None).unwrap().data;
    assert_eq!(attached, original.trim_end());
}

#[test]
fn files_that_are_not_fit_for_the_way_are_encoded_anew() {
    let mut original = b"Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nx\r\n--m\r\n\
        Content-Type: application/x-raw; name=raw.bin\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        .to_vec();
    original.extend_from_slice(b"a\0b\xFF\nc\r\n--m--\r\n");
    let raw =
        reply(&original.into(), &Bytes::from("To: a@x\r\n\r\nx"), Verb::Forward, false).unwrap();
    assert!(raw.is_ascii() && !raw.contains(&0));
    let (mail, _) = view(&raw, BodyKind::Plain);
    assert_eq!(mail.attachments[0].name, "raw.bin");
    assert_eq!(
        crate::part(&raw, &mail.attachments[0].part, None).unwrap().data,
        &b"a\0b\xFF\nc"[..]
    );
}

#[test]
fn an_answer_to_every_sample_can_be_read_again() {
    let owner = Address { name: None, email: "ann@example.com".into() };
    let now = dme_model::Timestamp::from_seconds(1_790_000_000);
    let mails = crate::sample::mailbox(&owner, 9, now, 24, crate::sample::Sizes::Realistic);
    for mail in &mails {
        for verb in [Verb::Reply, Verb::Forward] {
            let new = Bytes::from("To: b@x\r\nSubject: Re\r\n\r\nmy words\r\n");
            let raw = reply(&mail.raw, &new, verb, false).unwrap();
            let (answered, text) = view(&raw, BodyKind::Plain);
            assert!(text.starts_with("my words\r\n"), "{text}");
            assert!(!text.contains('\u{FFFD}'), "{text}");
            let (original, quoted) = view(&mail.raw, BodyKind::Plain);
            let first = quoted.split_whitespace().next().unwrap_or_default();
            assert!(text.contains(first), "{first} in {text}");
            if verb == Verb::Forward {
                let kept = |name: &str| answered.attachments.iter().any(|one| one.name == name);
                let lost: Vec<_> =
                    original.attachments.iter().filter(|one| !kept(&one.name)).collect();
                assert!(
                    lost.iter()
                        .all(|one| one.name == "smime.p7s" || one.name.starts_with("attachment-")),
                    "{lost:?}"
                );
            }
        }
    }
}

#[test]
fn a_new_message_with_more_fields_than_are_read_is_refused_and_not_cut() {
    let own: String = (0..1000).map(|number| format!("X-{number}: x\r\n")).collect();
    let new = Bytes::from(format!("{own}To: a@x\r\n\r\nHello\r\n"));
    for replace_mime in [false, true] {
        let refused = reply(&Bytes::from(PLAIN), &new, Verb::Reply, replace_mime);
        assert_eq!(refused, Err(Error::HeaderTooLarge));
    }
}
