//! What is asked for, and how it stands in an answer.

use super::*;

fn preference(kind: BodyType, size: Option<u32>) -> BodyPreference {
    BodyPreference { truncation_size: size, ..BodyPreference::whole(kind) }
}

#[test]
fn options_are_read_as_they_are_written() {
    for options in [
        ContentOptions::default(),
        ContentOptions {
            mime_support: Some(MimeSupport::Smime),
            mime_truncation: MimeTruncation::from_code(4),
            preferences: vec![
                BodyPreference {
                    kind: BodyType::Html,
                    truncation_size: Some(5120),
                    all_or_none: true,
                    preview: Some(255),
                },
                BodyPreference::whole(BodyType::Rtf),
            ],
            part_preference: Some(preference(BodyType::Html, Some(100))),
            rights_management: Some(false),
        },
    ] {
        let mut children = vec![];
        options.put(&mut children);
        let element = Element::parent(air_sync::OPTIONS, children);
        assert_eq!(ContentOptions::from_options(&element), Ok(options));
    }
}

#[test]
fn values_out_of_range_are_refused() {
    let body = |children| Element::parent(page::BODY_PREFERENCE, children);
    for wrong in [
        Element::text(air_sync::MIME_SUPPORT, "3"),
        Element::text(air_sync::MIME_TRUNCATION, "9"),
        body(vec![]),
        body(vec![Element::text(page::TYPE, "5")]),
        body(vec![Element::text(page::TYPE, "1"), Element::text(page::PREVIEW, "256")]),
        body(vec![Element::text(page::TYPE, "1"), Element::text(page::ALL_OR_NONE, "2")]),
        body(vec![Element::text(page::TYPE, "1"), Element::text(page::TRUNCATION_SIZE, "-1")]),
    ] {
        let options = Element::parent(air_sync::OPTIONS, vec![wrong.clone()]);
        assert!(ContentOptions::from_options(&options).is_err(), "{wrong}");
    }
    let number = |tag| Element::text(tag, "1");
    for children in [
        vec![number(page::TRUNCATION_SIZE), number(page::TYPE)],
        vec![number(page::TYPE), number(page::PREVIEW), number(page::ALL_OR_NONE)],
        vec![number(page::TYPE), number(page::ALL_OR_NONE), number(page::ALL_OR_NONE)],
        vec![number(page::TYPE), number(page::ESTIMATED_DATA_SIZE)],
    ] {
        let wrong = body(children);
        let options = Element::parent(air_sync::OPTIONS, vec![wrong.clone()]);
        assert!(ContentOptions::from_options(&options).is_err(), "{wrong}");
    }
    let twice = vec![body(vec![Element::text(page::TYPE, "2")]); 2];
    let options = Element::parent(air_sync::OPTIONS, twice);
    assert!(matches!(ContentOptions::from_options(&options), Err(Error::TooMany { .. })));
    let many = vec![body(vec![Element::text(page::TYPE, "1")]); MAX_PREFERENCES + 1];
    let options = Element::parent(air_sync::OPTIONS, many);
    assert!(matches!(ContentOptions::from_options(&options), Err(Error::TooMany { .. })));
}

#[test]
fn in_neutral_terms_each_form_stands_once_and_rtf_not_at_all() {
    let options = ContentOptions {
        mime_support: Some(MimeSupport::Always),
        mime_truncation: MimeTruncation::from_code(1),
        preferences: vec![
            preference(BodyType::Rtf, None),
            preference(BodyType::Html, Some(10)),
            preference(BodyType::Html, Some(20)),
            preference(BodyType::Mime, None),
        ],
        ..ContentOptions::default()
    };
    let view = options.view();
    let kinds: Vec<_> = view.preferences.iter().map(|p| (p.kind, p.truncation)).collect();
    assert_eq!(kinds, [(BodyKind::Html, Some(10)), (BodyKind::Mime, Some(4096))]);
    assert_eq!(view.mime, MimeSupport::Always);
}

#[test]
fn a_phone_that_wants_smime_gets_it_without_a_preference_for_mime() {
    let mut options = ContentOptions {
        mime_support: Some(MimeSupport::Smime),
        preferences: vec![preference(BodyType::Html, None)],
        ..ContentOptions::default()
    };
    assert_eq!(options.view().preferences.last().map(|p| p.kind), Some(BodyKind::Mime));
    options.mime_support = None;
    assert_eq!(options.view().preferences.len(), 1);
}

#[test]
fn a_body_has_its_elements_in_the_order_of_the_document() {
    let body = Body {
        kind: BodyKind::Html,
        data: Bytes::from_static(b"<p>a\xFF\0b"),
        truncated: true,
        full_size: 9000,
    };
    let element = body_element(&body, Some("ab"));
    let tags: Vec<_> = element.children().iter().map(|child| child.tag).collect();
    let order = [page::TYPE, page::ESTIMATED_DATA_SIZE, page::TRUNCATED, page::DATA, page::PREVIEW];
    assert_eq!(tags, order);
    let received = ReceivedBody::from_element(&element).unwrap();
    assert_eq!(received.data, "<p>a\u{FFFD}b".as_bytes());
    assert_eq!((received.truncated, received.estimated_size), (true, Some(9000)));
    assert_eq!(received.preview.as_deref(), Some("ab"));

    let part = body_part_element(&Body { truncated: false, ..body }, Some("The"));
    let tags: Vec<_> = part.children().iter().map(|child| child.tag).collect();
    let order = [page::STATUS, page::TYPE, page::ESTIMATED_DATA_SIZE, page::DATA, page::PREVIEW];
    assert_eq!(tags, order);
}

#[test]
fn a_body_withheld_by_all_or_none_has_no_data() {
    let body = Body { kind: BodyKind::Plain, data: Bytes::new(), truncated: true, full_size: 9000 };
    let element = body_element(&body, None);
    assert!(element.child(page::DATA).is_none());
    assert!(ReceivedBody::from_element(&element).unwrap().truncated);
}
