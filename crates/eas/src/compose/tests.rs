//! Messages sent, answered and forwarded.

use super::*;
use crate::version::ProtocolVersion;
use crate::{CommonStatus, send_mail, smart_forward, smart_reply};
use dme_model::Address;

fn message() -> Message {
    Message {
        client_id: Some("633916348086136194".into()),
        account_id: None,
        save_in_sent: SaveInSent::Yes,
        mime: Bytes::from_static(b"From: ann@corp.example\r\n\r\n\xff\0binary"),
    }
}

fn source() -> Source {
    Source::Item { folder_id: Some("5".into()), item_id: "5:12".into(), instance_id: None }
}

#[test]
fn requests_are_read_as_they_are_written() {
    let sent = send_mail::Request { message: message() };
    assert_eq!(send_mail::Request::from_element(&sent.to_element()), Ok(sent));

    let long_id = Source::LongId {
        long_id: "RgAAAA".into(),
        instance_id: Some("2010-04-08T22:30:00.000Z".into()),
    };
    for (source, replace_mime) in [(source(), false), (long_id, true)] {
        let reply =
            smart_reply::Request { message: message(), source: source.clone(), replace_mime };
        assert_eq!(smart_reply::Request::from_element(&reply.to_element()), Ok(reply));

        let forwardees = vec![Address { name: None, email: "bob@corp.example".into() }];
        let forward =
            smart_forward::Request { message: message(), source, replace_mime, forwardees };
        let element = forward.to_element(ProtocolVersion::V16_0);
        assert_eq!(smart_forward::Request::from_element(&element), Ok(forward));
    }
}

#[test]
fn forwardees_are_for_16_0_and_may_stand_without_a_message() {
    let request = smart_forward::Request {
        message: Message { mime: Bytes::new(), ..message() },
        source: source(),
        replace_mime: false,
        forwardees: vec![Address { name: Some("Bob".into()), email: "bob@corp.example".into() }],
    };
    let element = request.to_element(ProtocolVersion::V16_0);
    assert_eq!(smart_forward::Request::from_element(&element), Ok(request.clone()));
    let older = request.to_element(ProtocolVersion::V14_1);
    assert!(smart_forward::Request::from_element(&older).is_err(), "nothing is left to send");
}

#[test]
fn a_sent_message_is_answered_with_nothing_and_a_failed_one_with_its_status() {
    assert_eq!(send_mail::response_to_element(Response::Sent), None);
    assert_eq!(send_mail::response_from_element(None), Ok(Response::Sent));
    let failed = Response::Failed(CommonStatus::MailSubmissionFailed.into());
    for (written, tag) in [
        (send_mail::response_to_element(failed), c::SEND_MAIL),
        (smart_reply::response_to_element(failed), c::SMART_REPLY),
        (smart_forward::response_to_element(failed), c::SMART_FORWARD),
    ] {
        let element = written.unwrap();
        assert_eq!(element.tag, tag);
        assert_eq!(element.child_text(c::STATUS), Some("120"));
        assert_eq!(Response::from_element(Some(&element), tag), Ok(failed));
    }
}

#[test]
fn a_request_without_its_parts_is_refused() {
    let id = || Element::text(c::CLIENT_ID, "1");
    let mime = || Element::opaque(c::MIME, &b"x"[..]);
    let source = |children| Element::parent(c::SOURCE, children);
    let item = || Element::text(c::ITEM_ID, "5:1");
    let read = |children| {
        smart_reply::Request::from_element(&Element::parent(c::SMART_REPLY, children)).map(|_| ())
    };
    assert_eq!(read(vec![id(), source(vec![item()]), mime()]), Ok(()));
    assert!(read(vec![source(vec![item()]), mime()]).is_err(), "no ClientId");
    assert!(read(vec![id(), mime()]).is_err(), "no Source");
    assert!(read(vec![id(), source(vec![]), mime()]).is_err(), "an empty Source");
    assert!(read(vec![id(), source(vec![item()])]).is_err(), "no message");
    let both = source(vec![item(), Element::text(c::LONG_ID, "L")]);
    assert!(read(vec![id(), both, mime()]).is_err(), "two sources");
    let long = Element::text(c::CLIENT_ID, "x".repeat(41));
    assert!(read(vec![long, source(vec![item()]), mime()]).is_err(), "a long ClientId");
    let empty = Element::text(c::CLIENT_ID, "");
    assert!(read(vec![empty, source(vec![item()]), mime()]).is_err(), "an empty ClientId");
}

#[test]
fn an_empty_account_or_instance_is_none() {
    let source = Element::parent(
        c::SOURCE,
        vec![Element::text(c::ITEM_ID, "5:1"), Element::empty(c::INSTANCE_ID)],
    );
    let children = vec![
        Element::text(c::CLIENT_ID, "1"),
        Element::empty(c::ACCOUNT_ID),
        source,
        Element::opaque(c::MIME, &b"x"[..]),
    ];
    let element = Element::parent(c::SMART_REPLY, children);
    let request = smart_reply::Request::from_element(&element).unwrap();
    assert_eq!(request.message.account_id, None);
    let item_id = "5:1".into();
    assert_eq!(request.source, Source::Item { folder_id: None, item_id, instance_id: None });
}

#[test]
fn in_12_1_the_source_stands_in_the_query() {
    assert_eq!(Source::from_parameters(Some("5"), Some("5:12"), None, None), Some(source()));
    let long_id = Source::LongId { long_id: "L".into(), instance_id: None };
    assert_eq!(Source::from_parameters(Some("5"), None, Some("L"), None), Some(long_id));
    assert_eq!(Source::from_parameters(Some("5"), None, None, None), None);
}

#[test]
fn a_mail_without_a_message_is_not_one_and_an_empty_message_is_the_servers_to_judge() {
    let with = |more: Vec<Element>| {
        let client_id = vec![Element::text(c::CLIENT_ID, "one")];
        let element = Element::parent(c::SEND_MAIL, [client_id, more].concat());
        send_mail::Request::from_element(&element)
    };
    let missing = Error::Missing { parent: c::SEND_MAIL, element: c::MIME };
    assert_eq!(with(vec![]), Err(missing));
    assert!(with(vec![Element::empty(c::MIME)]).is_ok());
}
