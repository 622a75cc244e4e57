//! Requests and answers as they go over the wire.

use super::*;
use crate::body::{BodyPreference, BodyType, ContentOptions, MimeTruncation};
use crate::email;
use crate::{Error, ProtocolVersion};
use bytes::Bytes;
use dme_model::{FlagPatch, MimeSupport};
use dme_wbxml::pages::{air_sync as page, air_sync_base, email as email_page, email2};
use dme_wbxml::{Element, Limits, decode, encode};
use std::time::Duration;

fn over_the_wire(element: &Element) -> Element {
    decode(&Bytes::from(encode(element)), &Limits::default()).unwrap()
}

fn tags(element: &Element) -> Vec<&'static str> {
    element.children().iter().map(|child| child.tag.name().unwrap()).collect()
}

fn options() -> Options {
    Options {
        class: None,
        filter: Some(FilterType::OneWeek),
        content: ContentOptions {
            mime_support: Some(MimeSupport::Smime),
            mime_truncation: MimeTruncation::from_code(8),
            preferences: vec![
                BodyPreference {
                    truncation_size: Some(500),
                    ..BodyPreference::whole(BodyType::Plain)
                },
                BodyPreference { preview: Some(100), ..BodyPreference::whole(BodyType::Html) },
            ],
            part_preference: None,
            rights_management: None,
        },
        conflict: Some(Conflict::ServerWins),
        max_items: None,
    }
}

fn request() -> Request {
    let data = vec![Element::text(email_page::SUBJECT, "Hi")];
    let change = FlagPatch { seen: Some(true), ..FlagPatch::default() };
    Request {
        collections: vec![
            Collection {
                deletes_as_moves: Some(true),
                get_changes: Some(true),
                window_size: Some(25),
                conversation_mode: Some(false),
                options: vec![options(), Options { class: Some(ItemClass::Sms), ..options() }],
                commands: vec![
                    ClientCommand::Add {
                        client_id: "c1".into(),
                        class: None,
                        send: true,
                        data: data.clone(),
                    },
                    ClientCommand::Change {
                        server_id: "1:5".into(),
                        instance_id: Some("20260101T000000Z".into()),
                        class: None,
                        send: false,
                        data: email::patch_to_elements(&change),
                    },
                    ClientCommand::Delete { server_id: "1:6".into(), instance_id: None },
                    ClientCommand::Fetch { server_id: "1:7".into() },
                ],
                ..Collection::new("1", "12-3")
            },
            Collection {
                supported: Some(vec![dme_wbxml::pages::contacts::FILE_AS]),
                ..Collection::new("2", "0")
            },
        ],
        wait: Some(Wait::Seconds(600)),
        window_size: Some(100),
        partial: true,
    }
}

#[test]
fn a_request_is_read_as_it_is_written() {
    for version in [ProtocolVersion::V14_0, ProtocolVersion::V16_1] {
        let element = over_the_wire(&request().to_element(version));
        assert_eq!(Request::from_element(&element), Ok(request()));
    }
}

#[test]
fn a_request_has_its_elements_in_the_order_of_the_schema() {
    let element = request().to_element(ProtocolVersion::V16_0);
    assert_eq!(tags(&element), ["Collections", "HeartbeatInterval", "WindowSize", "Partial"]);
    let collection = &element.children()[0].children()[0];
    assert_eq!(
        tags(collection),
        [
            "SyncKey",
            "CollectionId",
            "DeletesAsMoves",
            "GetChanges",
            "WindowSize",
            "ConversationMode",
            "Options",
            "Options",
            "Commands"
        ]
    );
    assert_eq!(
        tags(&collection.children()[6]),
        [
            "FilterType",
            "MIMESupport",
            "MIMETruncation",
            "BodyPreference",
            "BodyPreference",
            "Conflict"
        ]
    );
    assert_eq!(
        tags(&collection.children()[8].children()[0]),
        ["ClientId", "Send", "ApplicationData"]
    );
}

#[test]
fn only_12_1_names_the_class_and_only_later_versions_the_conversation_mode() {
    let request = Request {
        collections: vec![Collection {
            class: Some(ItemClass::Email),
            conversation_mode: Some(true),
            ..Collection::new("1", "0")
        }],
        ..Request::default()
    };
    for (version, expected) in [
        (ProtocolVersion::V12_1, ["Class", "SyncKey", "CollectionId"]),
        (ProtocolVersion::V14_0, ["SyncKey", "CollectionId", "ConversationMode"]),
    ] {
        let element = request.to_element(version);
        assert_eq!(tags(&element.children()[0].children()[0]), expected);
    }
}

/// As phones ask for their inbox the first time, with booleans as empty tags.
#[test]
fn the_first_request_for_an_inbox_is_understood() {
    let document = Bytes::from_static(
        b"\x03\x01\x6A\x00\x45\x5C\x4F\x4B\x03\x30\x00\x01\x52\x03\x31\x00\x01\x1E\x55\x0325\x00\
          \x01\x57\x58\x03\x33\x00\x01\x62\x03\x31\x00\x01\x00\x11\x45\x46\x03\x32\x00\x01\x47\x0332\
          768\x00\x01\x01\x01\x01\x01\x01",
    );
    let element = decode(&document, &Limits::default()).unwrap();
    let request = Request::from_element(&element).unwrap();
    let [collection] = &request.collections[..] else { panic!("one collection") };
    assert_eq!((&*collection.sync_key, &*collection.collection_id), ("0", "1"));
    // Empty booleans are true.
    assert_eq!((collection.deletes_as_moves, collection.get_changes), (Some(true), None));
    assert!(collection.is_initial() && !collection.wants_changes());
    let options = collection.options_for(ItemClass::Email).unwrap();
    assert_eq!(options.filter, Some(FilterType::OneWeek));
    let [preference] = &options.content.preferences[..] else { panic!("one preference") };
    assert_eq!((preference.kind, preference.truncation_size), (BodyType::Html, Some(32_768)));
}

#[test]
fn changes_are_wanted_unless_the_phone_begins_or_says_no() {
    for (key, get, wanted) in [
        ("0", None, false),
        ("0", Some(true), false),
        ("1", None, true),
        ("1", Some(true), true),
        ("1", Some(false), false),
    ] {
        let collection = Collection { get_changes: get, ..Collection::new("1", key) };
        assert_eq!(collection.wants_changes(), wanted, "{key} {get:?}");
    }
}

#[test]
fn each_class_has_its_own_options() {
    let sms = Options { class: Some(ItemClass::Sms), ..Options::default() };
    let collection =
        Collection { options: vec![options(), sms.clone()], ..Collection::new("1", "1") };
    assert_eq!(collection.options_for(ItemClass::Email), Some(&options()));
    assert_eq!(collection.options_for(ItemClass::Sms), Some(&sms));
    assert_eq!(Collection::new("1", "1").options_for(ItemClass::Email), None);
}

#[test]
fn a_wait_out_of_range_is_answered_with_the_nearest_allowed() {
    let hour = Duration::from_secs(3600);
    let minutes = Duration::from_secs(900);
    for (wait, longest, expected) in [
        (Wait::Minutes(1), hour, Ok(60)),
        (Wait::Minutes(59), hour, Ok(3540)),
        (Wait::Minutes(0), hour, Err(Limit(1))),
        (Wait::Minutes(60), hour, Err(Limit(59))),
        (Wait::Minutes(30), minutes, Err(Limit(15))),
        (Wait::Seconds(60), hour, Ok(60)),
        (Wait::Seconds(3540), hour, Ok(3540)),
        (Wait::Seconds(59), hour, Err(Limit(60))),
        (Wait::Seconds(3541), hour, Err(Limit(3540))),
        (Wait::Seconds(901), minutes, Err(Limit(900))),
        (Wait::Seconds(u32::MAX), Duration::ZERO, Err(Limit(60))),
    ] {
        assert_eq!(wait.duration(longest), expected.map(Duration::from_secs), "{wait:?}");
    }
}

#[test]
fn requests_that_contradict_themselves_are_refused() {
    let sync = |children| Element::parent(page::SYNC, children);
    let collection = |children: Vec<Element>| {
        let list =
            Element::parent(page::COLLECTIONS, vec![Element::parent(page::COLLECTION, children)]);
        Request::from_element(&sync(vec![list]))
    };
    let key = || Element::text(page::SYNC_KEY, "1");
    let id = || Element::text(page::COLLECTION_ID, "1");
    assert_eq!(
        Request::from_element(&sync(vec![
            Element::text(page::WAIT, "5"),
            Element::text(page::HEARTBEAT_INTERVAL, "300"),
        ])),
        Err(Error::Conflict(page::WAIT, page::HEARTBEAT_INTERVAL))
    );
    assert!(matches!(collection(vec![key()]), Err(Error::Missing { .. })));
    assert!(matches!(collection(vec![id()]), Err(Error::Missing { .. })));
    for wrong in [
        Element::text(page::WINDOW_SIZE, "many"),
        Element::text(page::GET_CHANGES, "2"),
        Element::text(page::CLASS, "Mail"),
        Element::parent(page::OPTIONS, vec![Element::text(page::FILTER_TYPE, "9")]),
        Element::parent(page::OPTIONS, vec![Element::text(page::CONFLICT, "2")]),
        Element::parent(
            page::COMMANDS,
            vec![Element::parent(page::DELETE, vec![Element::empty(page::SERVER_ID)])],
        ),
    ] {
        let result = collection(vec![key(), id(), wrong.clone()]);
        assert!(matches!(result, Err(Error::Value { .. })), "{wrong}");
    }
    for (given, refused) in [("", true), ("1", true), ("0", false)] {
        let get = Element::text(page::GET_CHANGES, given);
        let result = collection(vec![Element::text(page::SYNC_KEY, "0"), id(), get]);
        assert_eq!(result.is_err(), refused, "changes before there is a key: {given:?}");
    }
    let nameless = Element::parent(page::COMMANDS, vec![Element::empty(page::ADD)]);
    assert!(matches!(collection(vec![key(), id(), nameless]), Err(Error::Missing { .. })));
    let many = vec![Element::empty(page::OPTIONS); 9];
    assert!(matches!(collection([vec![key(), id()], many].concat()), Err(Error::TooMany { .. })));
}

#[test]
fn send_is_found_beside_the_content_and_within_it() {
    let add = |beside: bool, within: bool| {
        let data = if within { vec![Element::empty(email2::SEND)] } else { vec![] };
        let mut children = vec![Element::text(page::CLIENT_ID, "c")];
        if beside {
            children.push(Element::empty(email2::SEND));
        }
        children.push(Element::parent(page::APPLICATION_DATA, data));
        match ClientCommand::from_element(&Element::parent(page::ADD, children)) {
            Ok(Some(ClientCommand::Add { send, .. })) => send,
            other => panic!("{other:?}"),
        }
    };
    assert!(add(true, false) && add(false, true) && !add(false, false));
}

fn response() -> Response {
    let data = || vec![Element::text(email_page::SUBJECT, "Hi")];
    let reference = Element::text(air_sync_base::FILE_REFERENCE, "4:9:2");
    let attachment = Element::parent(air_sync_base::ATTACHMENT, vec![reference]);
    let attachments = Element::parent(air_sync_base::ATTACHMENTS, vec![attachment]);
    let id = |n: u32| format!("1:{n}");
    Response {
        status: None,
        limit: None,
        collections: vec![
            CollectionResponse {
                more_available: true,
                commands: vec![
                    ServerCommand::Add { server_id: id(1), class: None, data: data() },
                    ServerCommand::Change {
                        server_id: id(2),
                        class: Some(ItemClass::Sms),
                        data: data(),
                    },
                    ServerCommand::Delete { server_id: id(3) },
                    ServerCommand::SoftDelete { server_id: id(4) },
                ],
                responses: vec![
                    ItemResponse::Add {
                        client_id: "c1".into(),
                        server_id: Some("4:9".into()),
                        class: None,
                        status: Status::Success,
                        data: vec![attachments],
                    },
                    ItemResponse::Add {
                        client_id: "c2".into(),
                        server_id: None,
                        class: None,
                        status: Status::ConversionError,
                        data: vec![],
                    },
                    ItemResponse::Change {
                        server_id: id(5),
                        instance_id: None,
                        class: None,
                        status: Status::Conflict,
                        data: vec![],
                    },
                    ItemResponse::Delete {
                        server_id: id(6),
                        instance_id: None,
                        status: Status::ObjectNotFound,
                    },
                    ItemResponse::Fetch { server_id: id(7), status: Status::Success, data: data() },
                ],
                ..CollectionResponse::new("1", "12-4")
            },
            CollectionResponse::failed("2", "0", Status::InvalidSyncKey),
        ],
    }
}

#[test]
fn an_answer_is_read_as_it_is_written() {
    let element = over_the_wire(&response().into_element(ProtocolVersion::V16_1));
    assert_eq!(Response::from_element(&element), Ok(response()));
}

#[test]
fn an_answer_has_its_elements_in_the_order_phones_expect() {
    let element = response().into_element(ProtocolVersion::V14_1);
    let collection = &element.children()[0].children()[0];
    assert_eq!(
        tags(collection),
        ["SyncKey", "CollectionId", "Status", "MoreAvailable", "Commands", "Responses"]
    );
    assert_eq!(tags(&collection.children()[4]), ["Add", "Change", "Delete", "SoftDelete"]);
    assert_eq!(
        tags(&collection.children()[4].children()[1]),
        ["Class", "ServerId", "ApplicationData"]
    );
    let responses = collection.children()[5].children();
    assert_eq!(tags(&responses[0]), ["ClientId", "ServerId", "Status", "ApplicationData"]);
    assert_eq!(tags(&responses[1]), ["ClientId", "Status"]);
    assert_eq!(tags(&responses[4]), ["ServerId", "Status", "ApplicationData"]);
    let quiet = &element.children()[0].children()[1];
    assert_eq!(tags(quiet), ["SyncKey", "CollectionId", "Status"]);
}

#[test]
fn only_12_1_is_told_the_class() {
    let class = Some(ItemClass::Email);
    let mut response = Response::default();
    response.collections.push(CollectionResponse { class, ..CollectionResponse::new("1", "2") });
    let old = response.clone().into_element(ProtocolVersion::V12_1);
    assert_eq!(tags(&old.children()[0].children()[0])[0], "Class");
    let new = response.into_element(ProtocolVersion::V14_0);
    assert_eq!(tags(&new.children()[0].children()[0])[0], "SyncKey");
}

#[test]
fn a_refusal_of_the_whole_says_why_and_what_is_allowed() {
    for (response, expected) in [
        (Response::failed(Status::IncompleteRequest), vec!["Status"]),
        (Response::limited(Status::InvalidWait, Limit(59)), vec!["Status", "Limit"]),
        (Response::failed(crate::CommonStatus::DeviceNotProvisioned.into()), vec!["Status"]),
    ] {
        let element = response.clone().into_element(ProtocolVersion::V14_1);
        assert_eq!(tags(&element), expected);
        assert_eq!(Response::from_element(&over_the_wire(&element)), Ok(response));
    }
}

#[test]
fn every_class_filter_and_status_is_read_back() {
    for class in [
        ItemClass::Email,
        ItemClass::Calendar,
        ItemClass::Contacts,
        ItemClass::Tasks,
        ItemClass::Notes,
        ItemClass::Sms,
    ] {
        assert_eq!(ItemClass::from_name(class.name()), Some(class));
        assert!(class.to_model().is_none_or(|model| ItemClass::from(model) == class));
    }
    for code in 0..=8 {
        assert_eq!(FilterType::from_code(code).map(FilterType::code), Some(code));
    }
    assert_eq!(FilterType::from_code(9), None);
    assert_eq!(FilterType::OneMonth.span(), Some(Duration::from_secs(31 * 86_400)));
    for code in [1, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 142, 200] {
        assert_eq!(Status::from_code(code).code(), code);
    }
}

#[test]
fn options_of_one_class_stand_once() {
    let sms = Options { class: Some(ItemClass::Sms), ..Options::default() };
    let mail = Options { class: Some(ItemClass::Email), ..Options::default() };
    for (given, fits) in [
        (vec![options(), sms.clone()], true),
        (vec![mail.clone(), sms.clone()], true),
        (vec![options(), options()], false),
        (vec![sms.clone(), mail, sms], false),
    ] {
        let collections = vec![Collection { options: given, ..Collection::new("1", "1") }];
        let request = Request { collections, ..Request::default() };
        let read = Request::from_element(&request.to_element(ProtocolVersion::V14_1));
        assert_eq!(read.is_ok(), fits, "{request:?}");
    }
}

#[test]
fn what_a_phone_supports_is_said_when_it_begins_and_not_again() {
    let collection = |sync_key: &str, supported: &[dme_wbxml::Tag]| {
        let named = supported.iter().copied().map(Element::empty).collect();
        let collection = Element::parent(
            page::COLLECTION,
            vec![
                Element::text(page::SYNC_KEY, sync_key),
                Element::text(page::COLLECTION_ID, "1"),
                Element::parent(page::SUPPORTED, named),
            ],
        );
        let list = Element::parent(page::COLLECTIONS, vec![collection]);
        Request::from_element(&Element::parent(page::SYNC, vec![list]))
            .map(|mut request| request.collections.remove(0).ghosting())
    };
    let job = dme_wbxml::pages::contacts::JOB_TITLE;
    assert_eq!(collection("0", &[job]), Ok(Some(crate::Ghosting::of(Some(&[job])))));
    assert_eq!(collection("0", &[]), Ok(Some(crate::Ghosting::of(Some(&[])))));
    assert_eq!(collection("1", &[job]), Ok(None));
    assert!(matches!(collection("0", &[job; 129]), Err(crate::Error::TooMany { .. })));
    let silent = Collection::new("1", "0").ghosting();
    assert_eq!(silent, Some(crate::Ghosting::default()));
}
