use super::*;
use crate::{Envelope, read};
use dme_model::{BodyKind, BodyPreference, BodyView};

fn rewritten(raw: &[u8]) -> Bytes {
    let whole = whole(&Message::parse(Bytes::copy_from_slice(raw)).unwrap());
    assert!(is_text(&whole));
    whole
}

fn plain(raw: Bytes) -> String {
    let preference = BodyPreference {
        kind: BodyKind::Plain,
        truncation: None,
        all_or_none: false,
        preview: None,
    };
    let view = BodyView { preferences: vec![preference], ..BodyView::default() };
    let body = read(raw, Envelope::default(), &view, |_, _| None).unwrap().body.unwrap();
    String::from_utf8(body.data.to_vec()).unwrap()
}

#[test]
fn a_message_that_is_text_passes_untouched() {
    let raw = Bytes::from("Subject: Grüße\r\n\r\n中文\r\n");
    let whole = whole(&Message::parse(raw.clone()).unwrap());
    assert_eq!(whole.as_ptr(), raw.as_ptr());
    assert_eq!(whole, raw);
}

#[test]
fn text_in_eight_bits_is_encoded_and_keeps_its_charset_and_headers() {
    let raw =
        b"From: a@x\r\nSubject: Gr\xFC\xDFe\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
                Content-Transfer-Encoding: 8bit\r\nX-Other: kept\r\n\r\nGr\xFC\xDFe\r\n";
    let whole = rewritten(raw);
    let text = std::str::from_utf8(&whole).unwrap();
    assert!(text.contains("X-Other: kept\r\n") && text.contains("charset=iso-8859-1"), "{text}");
    assert!(
        text.contains("Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe"),
        "{text}"
    );
    assert!(text.contains("Subject: Grüße\r\n") && !text.contains("8bit"), "{text}");
    assert_eq!(plain(whole).trim_end(), "Grüße");
}

#[test]
fn binary_parts_and_attached_messages_keep_what_they_hold() {
    let raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n\xFF preamble\r\n--b\r\n\
                Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\x89PNG\0\xFF\r\n--b\r\n\
                Content-Type: message/rfc822\r\n\r\nSubject: x\r\nContent-Type: text/plain; charset=gb2312\r\n\r\n\
                \xD6\xD0\xCE\xC4\r\n--b\r\n\r\nascii\r\n--b--\r\n";
    let whole = rewritten(raw);
    let part = |id: &str| crate::part(&whole, &id.into(), None).unwrap().data;
    assert_eq!(part("1"), &b"\x89PNG\0\xFF"[..]);
    assert_eq!(plain(part("2")).trim_end(), "中文");
    assert_eq!(part("3"), "ascii");
}

#[test]
fn a_zero_byte_in_text_goes_through_encoded() {
    let whole = rewritten(b"Content-Type: text/html\r\n\r\n<p>a\0b = c</p>\r\nd\r\n");
    assert_eq!(crate::part(&whole, &"1".into(), None).unwrap().data, "<p>a\0b = c</p>\r\nd\r\n");
}

#[test]
fn nothing_is_added_where_encoded_content_is_odd() {
    // Eight bits within base64, a NUL in a header.
    let raw = b"X: a\0b\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVs\xFFbG8=";
    assert_eq!(plain(rewritten(raw)), "Hello");
}
