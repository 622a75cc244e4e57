//! Searches of mailbox and directory.

use super::*;
use crate::body::{BodyPreference, BodyType};
use crate::gal::PictureStatus;
use bytes::Bytes;
use dme_model::Timestamp;
use dme_wbxml::pages::email;

fn mailbox() -> MailboxQuery {
    MailboxQuery {
        classes: vec!["Email".into()],
        collection_ids: vec!["5".into(), "7".into()],
        free_text: Some("Grüße 你好".into()),
        received_after: Some(Timestamp::from_seconds(1_700_000_000)),
        received_before: Some(Timestamp::from_seconds(1_800_000_000)),
        conversation_id: Some(Bytes::from_static(&[0xFF; 16])),
    }
}

#[test]
fn requests_are_read_as_they_are_written() {
    let content = ContentOptions {
        preferences: vec![BodyPreference::whole(BodyType::Html)],
        ..ContentOptions::default()
    };
    for request in [
        Request {
            range: Range::new(0, 99),
            deep_traversal: true,
            rebuild_results: true,
            content,
            ..Request::new(Query::Mailbox(mailbox()))
        },
        Request {
            picture: Some(PictureLimits { max_size: Some(51_200), max_pictures: Some(5) }),
            ..Request::new(Query::Directory("ann".into()))
        },
        Request::new(Query::DocumentLibrary("\\\\server\\share".into())),
        Request::new(Query::TooComplex),
    ] {
        let element = request.to_element(ProtocolVersion::V14_1);
        assert_eq!(Request::from_element(&element), Ok(request));
    }
}

#[test]
fn answers_are_read_as_they_are_written() {
    let item = Found::Item {
        class: "Email".into(),
        long_id: "RgAAAA".into(),
        collection_id: "5".into(),
        properties: vec![Element::text(email::SUBJECT, "hello")],
    };
    let person = Found::Person(Person {
        display_name: Some("Ann Ämmer".into()),
        email: Some("ann@corp.example".into()),
        picture: Some((PictureStatus::Success, Some(vec![0xFF, 0xD8]))),
        ..Person::default()
    });
    for response in [
        Response::results(vec![item], 3, 17),
        Response::results(vec![person], 0, 1),
        Response::results(vec![], 0, 0),
        Response::store_failed(Status::TooComplex),
        Response::failed(Status::ServerError),
    ] {
        assert_eq!(Response::from_element(&response.clone().into_element()), Ok(response));
    }
}

#[test]
fn no_results_are_told_by_an_empty_one_without_a_range() {
    let element = Response::results(vec![], 0, 0).into_element();
    let store = element.child(s::RESPONSE).unwrap().child(s::STORE).unwrap();
    let tags: Vec<_> = store.children().iter().map(|child| child.tag).collect();
    assert_eq!(tags, [s::STATUS, s::RESULT, s::TOTAL]);
}

#[test]
fn the_range_told_is_that_of_the_results() {
    let person = Found::Person(Person::default());
    let response = Response::results(vec![person.clone(), person], 10, 12);
    assert_eq!(response.store.unwrap().range, Range::new(10, 11));
}

#[test]
fn conditions_may_stand_without_an_and() {
    let query = Element::parent(s::QUERY, vec![Element::text(s::FREE_TEXT, "hello")]);
    let store = Element::parent(s::STORE, vec![Element::text(s::NAME, "Mailbox"), query]);
    let request = Request::from_element(&Element::parent(s::SEARCH, vec![store])).unwrap();
    let expected = MailboxQuery { free_text: Some("hello".into()), ..MailboxQuery::default() };
    assert_eq!(request.query, Query::Mailbox(expected));
}

#[test]
fn conversations_are_for_14_0_and_pictures_for_14_1() {
    let request = Request {
        picture: Some(PictureLimits::default()),
        ..Request::new(Query::Mailbox(mailbox()))
    };
    let read = |version| Request::from_element(&request.to_element(version)).unwrap();
    let Query::Mailbox(query) = read(ProtocolVersion::V12_1).query else { panic!() };
    assert_eq!(query.conversation_id, None);
    assert_eq!(read(ProtocolVersion::V14_0).picture, None);
}

#[test]
fn malformed_searches_are_refused() {
    let read = |name: &str, query: Element| {
        let store = Element::parent(s::STORE, vec![Element::text(s::NAME, name), query]);
        Request::from_element(&Element::parent(s::SEARCH, vec![store]))
    };
    let within = |child| Element::parent(s::QUERY, vec![Element::parent(s::AND, vec![child])]);
    let date = |text: &str| {
        let field = Element::empty(email::DATE_RECEIVED);
        within(Element::parent(s::GREATER_THAN, vec![field, Element::text(s::VALUE, text)]))
    };
    assert!(read("Mailbox", date("2026-01-01T00:00:00.000Z")).is_ok());
    for (case, name, query) in [
        ("an unknown store", "Fridge", Element::text(s::QUERY, "beer")),
        ("an empty query", "GAL", Element::empty(s::QUERY)),
        ("a long query", "GAL", Element::text(s::QUERY, "x".repeat(1025))),
        ("no date", "Mailbox", date("yesterday")),
        ("no comparison", "Mailbox", within(Element::empty(s::LESS_THAN))),
    ] {
        assert!(read(name, query).is_err(), "{case}");
    }
    assert!(Request::from_element(&Element::empty(s::SEARCH)).is_err());
}
