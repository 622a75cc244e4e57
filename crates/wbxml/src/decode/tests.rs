//! Real documents, and what must be refused.

use super::*;
use crate::pages::{air_sync, air_sync_base, contacts, email, folder_hierarchy};
use crate::{Encoder, encode};
use proptest::prelude::*;

fn hex(text: &str) -> Bytes {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn read(text: &str) -> Result<Element, Problem> {
    decode(&hex(text), &Limits::default()).map_err(|error| error.problem)
}

/// The first thing any phone sends.
const FOLDER_SYNC: &str = "03 01 6A 00 00 07 56 52 03 30 00 01 01";

/// MS-ASWBXML's own example: an answer that adds a contact.
const CONTACT: &str = "03 01 6A 00 45 5C 4F 50 03 43 6F 6E 74 61 63 74 73 00 01 4B 03 32 00 01 \
    52 03 32 00 01 4E 03 31 00 01 56 47 4D 03 32 3A 31 00 01 5D 00 11 4A 46 03 31 00 01 4C 03 30 \
    00 01 4D 03 31 00 01 01 00 01 5E 03 46 75 6E 6B 2C 20 44 6F 6E 00 01 5F 03 44 6F 6E 00 01 69 \
    03 46 75 6E 6B 00 01 00 11 56 03 31 00 01 01 01 01 01 01 01";

#[test]
fn the_first_request_of_a_phone_is_read_and_written_the_same() {
    let element = read(FOLDER_SYNC).unwrap();
    let key = Element::text(folder_hierarchy::SYNC_KEY, "0");
    assert_eq!(element, Element::parent(folder_hierarchy::FOLDER_SYNC, vec![key]));
    assert_eq!(encode(&element), hex(FOLDER_SYNC));
}

#[test]
fn the_documents_own_example_is_read_shown_and_written_the_same() {
    let element = read(CONTACT).unwrap();
    assert_eq!(encode(&element), hex(CONTACT));
    let text = element.with_contents().to_string();
    assert!(text.contains(
        "<ApplicationData>\n            <AirSyncBase:Body>\n              <Type>1</Type>"
    ));
    assert!(text.contains("<Contacts:FileAs>Funk, Don</Contacts:FileAs>"));
}

#[test]
fn what_may_be_logged_shows_no_content() {
    let element = Element::parent(
        email::SUBJECT,
        vec![
            Element::text(email::TO, "ann@example.org"),
            Element::opaque(email::MIME_DATA, &b"secret"[..]),
            Element::empty(email::FLAG),
        ],
    );
    assert_eq!(
        element.to_string(),
        "<Email:Subject>\n  <To>[15 bytes of text]</To>\n  <MIMEData>[6 bytes]</MIMEData>\n  \
         <Flag/>\n</Email:Subject>\n"
    );
}

#[test]
fn opaque_data_is_a_view_of_the_document() {
    let element = Element::opaque(air_sync_base::DATA, vec![7; 200]);
    let document = Bytes::from(encode(&element));
    assert_eq!(document[..9], [3, 1, 0x6A, 0, 0, 17, 0x4B, 0xC3, 0x81]);
    let read = decode(&document, &Limits::default()).unwrap();
    let Content::Opaque(data) = &read.content else { panic!("not opaque") };
    assert!(document.as_ptr_range().contains(&data.as_ptr()));
}

#[test]
fn a_vendors_token_in_a_known_page_is_kept() {
    let element = read("03 01 6A 00 7F 03 61 00 01").unwrap();
    assert_eq!(element, Element::text(Tag { page: 0, token: 0x3F }, "a"));
}

#[test]
fn text_in_pieces_is_joined_and_no_text_is_emptiness() {
    let joined = read("03 01 6A 00 4B 03 61 00 03 62 00 01").unwrap();
    assert_eq!(joined, Element::text(air_sync::SYNC_KEY, "ab"));
    let empty = Element::empty(air_sync::SYNC_KEY);
    assert_eq!(read("03 01 6A 00 4B 01").unwrap(), empty);
    assert_eq!(read("03 01 6A 00 4B 03 00 01").unwrap(), empty);
    assert_eq!(read("03 01 6A 00 0B").unwrap(), empty);
    assert_eq!(encode(&Element::text(air_sync::SYNC_KEY, "\0")), hex("03 01 6A 00 0B"));
}

#[test]
fn a_nul_cannot_end_a_text_early() {
    let element =
        Element { tag: air_sync::SYNC_KEY, content: Content::Text("a\0\u{1}b".to_owned()) };
    let read = decode(&encode(&element).into(), &Limits::default()).unwrap();
    assert_eq!(read, Element::text(air_sync::SYNC_KEY, "a\u{1}b"));
}

#[test]
fn text_that_is_not_utf_8_is_mended() {
    let element = read("03 01 6A 00 4B 03 61 FC 62 00 01").unwrap();
    assert_eq!(element.as_text(), Some("a\u{FFFD}b"));
}

#[test]
fn what_activesync_does_not_use_is_refused_by_name() {
    for (document, problem) in [
        ("", Problem::Ends),
        ("03", Problem::Ends),
        ("03 01 6A 00", Problem::Ends),
        ("00 01 6A 00 05", Problem::Version(0)),
        ("04 01 6A 00 05", Problem::Version(4)),
        ("03 00 00 6A 00 05", Problem::PublicId),
        ("03 01 04 00 05", Problem::Charset(4)),
        ("03 01 6A 03 61 62 00 05", Problem::StringTable),
        ("03 90 80 80 80 00 6A 00 05", Problem::Integer),
        ("03 01 6A 00 00 03 05", Problem::Page(3)),
        ("03 01 6A 00 00 1A 05", Problem::Page(26)),
        ("03 01 6A 00 00", Problem::Ends),
        ("03 01 6A 00 01", Problem::Outside),
        ("03 01 6A 00 03 61 00", Problem::Outside),
        ("03 01 6A 00 C3 01 61", Problem::Outside),
        ("03 01 6A 00 45", Problem::Ends),
        ("03 01 6A 00 45 4B 03 61", Problem::Ends),
        ("03 01 6A 00 45 02 10 01", Problem::Token(0x02)),
        ("03 01 6A 00 04 00", Problem::Token(0x04)),
        ("03 01 6A 00 45 83 00 01", Problem::Token(0x83)),
        ("03 01 6A 00 43 01 05", Problem::Token(0x43)),
        ("03 01 6A 00 C4 01 05", Problem::Token(0xC4)),
        ("03 01 6A 00 85 01", Problem::Attributes(0x85)),
        ("03 01 6A 00 C5 01 01", Problem::Attributes(0xC5)),
        ("03 01 6A 00 45 0B 03 61 00 01", Problem::Mixed),
        ("03 01 6A 00 45 03 61 00 0B 01", Problem::Mixed),
        ("03 01 6A 00 45 03 61 00 C3 01 61 01", Problem::Mixed),
        ("03 01 6A 00 45 C3 01 61 03 61 00 01", Problem::Mixed),
        ("03 01 6A 00 45 C3 8F FF FF FF 7F 61", Problem::Value),
        ("03 01 6A 00 45 C3 81 00 61", Problem::Ends),
        ("03 01 6A 00 05 01", Problem::Trailing),
        ("03 01 6A 00 05 05", Problem::Trailing),
    ] {
        assert_eq!(read(document), Err(problem), "{document}");
    }
}

#[test]
fn the_error_says_what_and_where() {
    let error = decode(&hex("03 01 6A 00 45 85"), &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "a tag with attributes (0x85) at byte 6 of the document");
}

#[test]
fn each_limit_holds_at_its_edge() {
    let limits = Limits { depth: 3, elements: 4, value: 5 };
    let nested = |depth: usize| {
        let mut encoder = Encoder::new();
        (0..depth).for_each(|_| encoder.open(air_sync::SYNC));
        Bytes::from(encoder.finish())
    };
    assert!(decode(&nested(3), &limits).is_ok());
    assert_eq!(decode(&nested(4), &limits).unwrap_err().problem, Problem::Depth);

    let wide = |count: usize| {
        let children = vec![Element::empty(air_sync::ADD); count - 1];
        Bytes::from(encode(&Element::parent(air_sync::SYNC, children)))
    };
    assert!(decode(&wide(4), &limits).is_ok());
    assert_eq!(decode(&wide(5), &limits).unwrap_err().problem, Problem::Elements);

    for (length, fits) in [(5, true), (6, false)] {
        let text = encode(&Element::text(air_sync::SYNC_KEY, "x".repeat(length)));
        let opaque = encode(&Element::opaque(air_sync::SYNC_KEY, vec![1; length]));
        for document in [text, opaque] {
            let result = decode(&document.into(), &limits);
            assert_eq!(result.is_ok(), fits);
            assert!(fits || result.unwrap_err().problem == Problem::Value);
        }
    }
}

#[test]
fn a_million_open_tags_end_in_an_error_and_not_in_a_full_stack() {
    let mut document = vec![3, 1, 0x6A, 0];
    document.resize(1_000_000, 0x45);
    let error = decode(&document.into(), &Limits::default()).unwrap_err();
    assert_eq!(error.problem, Problem::Depth);
}

fn any_tag() -> impl Strategy<Value = Tag> {
    (0u8..=25, 0x05u8..=0x3F)
        .prop_filter("page 3 is not there", |(page, _)| *page != 3)
        .prop_map(|(page, token)| Tag { page, token })
}

fn any_element() -> impl Strategy<Value = Element> {
    let leaf = prop_oneof![
        any_tag().prop_map(Element::empty),
        (any_tag(), ".*").prop_map(|(tag, text)| Element::text(tag, text)),
        (any_tag(), proptest::collection::vec(any::<u8>(), 0..300))
            .prop_map(|(tag, bytes)| Element::opaque(tag, bytes)),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        (any_tag(), proptest::collection::vec(inner, 0..8))
            .prop_map(|(tag, children)| Element::parent(tag, children))
    })
}

proptest! {
    #[test]
    fn any_tree_comes_back_as_it_was(element in any_element()) {
        let document = Bytes::from(encode(&element));
        prop_assert_eq!(decode(&document, &Limits::default()), Ok(element));
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_what_is_read_is_stable(
        body in proptest::collection::vec(
            prop_oneof![Just(0u8), Just(1), Just(3), Just(0xC3), 0u8..26, 0x40u8..0x80, any::<u8>()],
            0..200,
        ),
    ) {
        let document = [&[3, 1, 0x6A, 0], body.as_slice()].concat();
        if let Ok(element) = decode(&document.into(), &Limits::default()) {
            let again = Bytes::from(encode(&element));
            prop_assert_eq!(decode(&again, &Limits::default()), Ok(element));
        }
    }

    #[test]
    fn a_cut_document_is_refused(element in any_element(), cut in any::<prop::sample::Index>()) {
        let mut document = encode(&element);
        document.truncate(cut.index(document.len()));
        prop_assert!(decode(&document.into(), &Limits::default()).is_err());
    }
}

#[test]
fn a_tag_is_shown_by_its_name_or_else_by_its_number() {
    assert_eq!(contacts::FILE_AS.to_string(), "FileAs");
    assert_eq!(Tag { page: 0, token: 0x3F }.to_string(), "x3F");
}
