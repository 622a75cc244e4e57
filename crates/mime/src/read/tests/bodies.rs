//! Which form of the text is given, how much of it, and in which characters.

use super::*;

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
    let body = read(raw.clone(), Envelope::default(), &whole, |_, _| None).unwrap().body.unwrap();
    assert_eq!(body.data.as_ptr(), raw.as_ptr());
    // A small piece does not hold on to the rest.
    let piece = BodyView { mime: MimeSupport::Always, ..view(&[want(BodyKind::Mime, Some(10))]) };
    let body = read(raw.clone(), Envelope::default(), &piece, |_, _| None).unwrap().body.unwrap();
    assert_ne!(body.data.as_ptr(), raw.as_ptr());
    assert_eq!(body.data, raw[..10]);
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
