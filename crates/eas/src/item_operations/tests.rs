//! Fetching, emptying, moving; inline and in parts.

use super::*;
use crate::body::{BodyPreference, BodyType, ContentOptions, ReceivedBody};
use crate::range::Range;
use dme_model::MimeSupport;
use dme_wbxml::pages::air_sync_base as b;
use dme_wbxml::pages::email;

fn item() -> FetchTarget {
    FetchTarget::Item { collection_id: "5".into(), server_id: "5:12".into() }
}

fn file() -> FetchContent {
    FetchContent::File {
        content_type: Some("image/png".into()),
        range: Range::new(0, 4),
        total: Some(2_000_000_000_000),
        data: Bytes::from_static(b"\0\xffPNG"),
    }
}

fn mail() -> FetchContent {
    let body = vec![Element::text(b::TYPE, "2"), Element::text(b::DATA, "<p>Grüße</p>")];
    FetchContent::Item(vec![Element::text(email::SUBJECT, "hello"), Element::parent(b::BODY, body)])
}

fn answer() -> Response {
    let fetch = |target, class: Option<&str>, content| {
        OperationResponse::Fetch(FetchResponse {
            status: Status::Success,
            target: Some(target),
            class: class.map(str::to_owned),
            content: Some(content),
        })
    };
    Response {
        status: Status::Success,
        operations: vec![
            OperationResponse::Move {
                status: Status::Success,
                conversation_id: Bytes::from_static(&[0xFF; 16]),
            },
            OperationResponse::EmptyFolder {
                status: Status::ResourceAccessDenied,
                collection_id: "9".into(),
            },
            fetch(item(), Some("Email"), mail()),
            fetch(FetchTarget::FileReference("5:12:2".into()), None, file()),
            OperationResponse::Fetch(FetchResponse::failed(
                Status::NotFound,
                FetchTarget::LongId("L".into()),
            )),
        ],
    }
}

#[test]
fn requests_are_read_as_they_are_written() {
    let fetch = Fetch {
        range: Range::new(0, 1023),
        content: ContentOptions {
            mime_support: Some(MimeSupport::Always),
            preferences: vec![BodyPreference::whole(BodyType::Mime)],
            part_preference: Some(BodyPreference::whole(BodyType::Html)),
            ..ContentOptions::default()
        },
        schema: vec![email::SUBJECT, b::BODY],
        remove_rights: true,
        ..Fetch::new(item())
    };
    let request = Request {
        operations: vec![
            Operation::Fetch(fetch),
            Operation::Fetch(Fetch::new(FetchTarget::LongId("L".into()))),
            Operation::Fetch(Fetch::new(FetchTarget::FileReference("5:12:2".into()))),
            Operation::Fetch(Fetch {
                store: Store::DocumentLibrary,
                ..Fetch::new(FetchTarget::Link("\\\\server\\share".into()))
            }),
            Operation::EmptyFolder { collection_id: "9".into(), delete_subfolders: true },
            Operation::Move {
                conversation_id: Bytes::from_static(&[0xFF; 16]),
                destination: "7".into(),
                always: true,
            },
        ],
    };
    assert_eq!(Request::from_element(&request.to_element()), Ok(request));
}

#[test]
fn answers_are_read_as_they_are_written() {
    assert_eq!(Response::from_element(&answer().into_element()), Ok(answer()));
    let failed = Response::status(Status::ProtocolError);
    assert_eq!(Response::from_element(&failed.clone().into_element()), Ok(failed));
}

#[test]
fn in_a_multipart_answer_contents_stand_behind_the_element() {
    let (element, parts) = answer().into_parts();
    assert_eq!(parts, ["<p>Grüße</p>".as_bytes(), b"\0\xffPNG"]);
    let fetched: Vec<_> = element.child(i::RESPONSE).unwrap().each(i::FETCH).collect();
    let properties = |index: usize| fetched[index].child(i::PROPERTIES).unwrap();
    let body = properties(0).child(b::BODY).unwrap();
    assert_eq!((body.child_text(i::PART), body.child(b::DATA)), (Some("1"), None));
    assert_eq!(properties(1).child_text(i::PART), Some("2"));

    let read = Response::from_parts(&element, &parts).unwrap();
    let OperationResponse::Fetch(FetchResponse { content: Some(content), .. }) =
        &read.operations[2]
    else {
        panic!("the third is a fetch: {read:?}")
    };
    let FetchContent::Item(elements) = content else { panic!("an item: {content:?}") };
    let body = ReceivedBody::from_element(&elements[1]).unwrap();
    assert_eq!(body.data, "<p>Grüße</p>".as_bytes());
    assert_eq!(read.operations[3], answer().operations[3]);
    assert!(Response::from_element(&element).is_err(), "the parts are missing");
}

#[test]
fn the_answer_keeps_the_order_of_the_schema() {
    let mut shuffled = answer();
    shuffled.operations.reverse();
    let element = shuffled.into_element();
    let tags: Vec<_> =
        element.child(i::RESPONSE).unwrap().children().iter().map(|child| child.tag).collect();
    assert_eq!(tags, [i::MOVE, i::EMPTY_FOLDER_CONTENTS, i::FETCH, i::FETCH, i::FETCH]);
}

#[test]
fn requests_without_their_parts_or_with_two_targets_are_refused() {
    let read = |operation: Element| {
        Request::from_element(&Element::parent(i::ITEM_OPERATIONS, vec![operation]))
    };
    let store = || Element::text(i::STORE, "Mailbox");
    let file = || Element::text(b::FILE_REFERENCE, "5:12:2");
    let server_id = || Element::text(air_sync::SERVER_ID, "5:12");
    for (case, operation) in [
        ("no target", Element::parent(i::FETCH, vec![store()])),
        ("no store", Element::parent(i::FETCH, vec![file()])),
        ("no collection", Element::parent(i::FETCH, vec![store(), server_id()])),
        ("two files", Element::parent(i::FETCH, vec![store(), file(), file()])),
        ("two targets", Element::parent(i::FETCH, vec![store(), file(), server_id()])),
        ("no folder to empty", Element::empty(i::EMPTY_FOLDER_CONTENTS)),
        ("no conversation", Element::parent(i::MOVE, vec![Element::text(i::DST_FLD_ID, "7")])),
        ("nothing known", Element::empty(i::STATUS)),
    ] {
        assert!(read(operation).is_err(), "{case}");
    }
    let many = vec![Element::empty(i::FETCH); MAX_OPERATIONS + 1];
    let many = Request::from_element(&Element::parent(i::ITEM_OPERATIONS, many));
    assert_eq!(many, Err(Error::TooMany { element: i::ITEM_OPERATIONS, limit: MAX_OPERATIONS }));
}

#[test]
fn what_has_a_status_of_its_own_in_the_answer_is_no_fault_of_the_whole_request() {
    let read = |children: Vec<Element>| {
        let fetch = Element::parent(i::FETCH, children);
        let request = Element::parent(i::ITEM_OPERATIONS, vec![fetch]);
        let operation = Request::from_element(&request).unwrap().operations.remove(0);
        let Operation::Fetch(fetch) = operation else { panic!("a fetch: {operation:?}") };
        fetch
    };
    // 9, whatever stands beside the store.
    for server_id in ["", "5:12"] {
        let store = Element::text(i::STORE, "Attic");
        let fetch = read(vec![store, Element::text(air_sync::SERVER_ID, server_id)]);
        assert_eq!(fetch.store, Store::Unknown("Attic".into()));
    }
    // 15: "a zero-length string" (MS-ASAIRS 2.2.2.24).
    let store = Element::text(i::STORE, "Mailbox");
    let fetch = read(vec![store, Element::text(b::FILE_REFERENCE, "")]);
    assert_eq!(fetch.target, FetchTarget::FileReference(String::new()));
}

#[test]
fn a_body_part_goes_behind_the_element_as_a_body_does() {
    let data = Element::text(b::DATA, "own text");
    let part = Element::parent(b::BODY_PART, vec![Element::text(b::TYPE, "2"), data]);
    let fetched = FetchResponse {
        status: Status::Success,
        target: None,
        class: None,
        content: Some(FetchContent::Item(vec![part.clone()])),
    };
    let operations = vec![OperationResponse::Fetch(fetched)];
    let response = Response { status: Status::Success, operations };
    let (element, parts) = response.into_parts();
    assert_eq!(parts, [&b"own text"[..]]);
    assert!(!element.with_contents().to_string().contains("own text"));
    let read = Response::from_parts(&element, &parts).unwrap();
    let [OperationResponse::Fetch(FetchResponse { content: Some(content), .. })] =
        &read.operations[..]
    else {
        panic!("one fetch: {read:?}")
    };
    let FetchContent::Item(elements) = content else { panic!("an item: {content:?}") };
    assert_eq!(elements[0].child(b::DATA).map(to_bytes), Some(parts[0].clone()));
}
