//! Settings, each alone and all together.

use super::*;
use dme_model::{MAX_VACATION_TEXT, Timestamp};

fn oof() -> Oof {
    let message = |audience, reply: Option<&str>| OofMessage {
        audience,
        enabled: Some(reply.is_some()),
        reply: reply.map(str::to_owned),
        format: ReplyFormat::Html,
    };
    Oof {
        state: Some(OofState::TimeBased {
            start: Timestamp::from_millis(1_700_000_000_250),
            end: Timestamp::from_seconds(1_800_000_000),
        }),
        messages: vec![
            message(Audience::Internal, Some("<b>away</b>")),
            message(Audience::ExternalKnown, Some("")),
            message(Audience::ExternalUnknown, None),
        ],
    }
}

fn user() -> UserInformation {
    UserInformation {
        accounts: vec![
            Account {
                display_name: Some("Ann Ämmer".into()),
                primary_address: Some("ann@corp.example".into()),
                addresses: vec!["ann@corp.example".into(), "a.aemmer@corp.example".into()],
                ..Account::default()
            },
            Account {
                id: Some("2".into()),
                name: Some("Sales".into()),
                send_disabled: true,
                addresses: vec!["sales@corp.example".into()],
                ..Account::default()
            },
        ],
    }
}

fn everything() -> Response {
    Response {
        oof: Some((Status::Success, Some(oof()))),
        device_information: Some(Status::Success),
        device_password: Some(Status::DeniedByPolicy),
        user_information: Some((Status::Success, Some(user()))),
        rights_management: Some(Status::AccessDenied),
        ..Response::status(Status::Success)
    }
}

#[test]
fn requests_are_read_as_they_are_written() {
    let device = DeviceInformation { model: Some("Pixel".into()), ..Default::default() };
    for request in [
        Request::default(),
        Request {
            oof: Some(Ok(OofRequest::Get { format: ReplyFormat::Html })),
            user_information: true,
            ..Request::default()
        },
        Request {
            oof: Some(Ok(OofRequest::Set(oof()))),
            device_password: Some(Ok(Secret::new("1234"))),
            device_information: Some(device),
            rights_management: true,
            ..Request::default()
        },
    ] {
        let element = request.to_element(ProtocolVersion::V14_1);
        assert_eq!(Request::from_element(&element), Ok(request));
    }
}

#[test]
fn answers_are_read_as_they_are_written() {
    for response in [everything(), Response::status(Status::ServerUnavailable)] {
        let element = response.to_element(ProtocolVersion::V14_1);
        assert_eq!(Response::from_element(&element), Ok(response));
    }
}

#[test]
fn versions_before_14_1_are_told_of_one_account_only() {
    for version in [ProtocolVersion::V12_1, ProtocolVersion::V14_0] {
        let answer = Response::from_element(&everything().to_element(version)).unwrap();
        let (_, user) = answer.user_information.unwrap();
        let addresses = vec!["ann@corp.example".into(), "a.aemmer@corp.example".into()];
        let account = Account { addresses, ..Account::default() };
        assert_eq!(user, Some(UserInformation { accounts: vec![account] }), "{version}");
    }
}

#[test]
fn a_phones_boasting_is_cut_and_its_nonsense_passed_over() {
    let set = Element::parent(
        s::SET,
        vec![
            Element::text(s::MODEL, "ü".repeat(5000)),
            Element::text(s::OS, "  "),
            Element::parent(s::IMEI, vec![Element::empty(s::MODEL)]),
        ],
    );
    let device = DeviceInformation::from_element(&set);
    assert_eq!(device.model.map(|model| model.chars().count()), Some(1024));
    assert_eq!((device.os, device.imei), (None, None));
}

fn oof_request(verb: Tag, children: Vec<Element>) -> Result<OofRequest, Error> {
    let oof = Element::parent(s::OOF, vec![Element::parent(verb, children)]);
    let settings = Element::parent(s::SETTINGS, vec![oof]);
    Request::from_element(&settings).unwrap().oof.unwrap()
}

fn oof_message(audience: Tag, more: &[(Tag, &str)]) -> Element {
    let more = more.iter().map(|(tag, text)| Element::text(*tag, *text));
    let children = std::iter::once(Element::empty(audience)).chain(more);
    Element::parent(s::OOF_MESSAGE, children.collect())
}

#[test]
fn what_a_phone_leaves_out_of_its_out_of_office_settings_is_left_alone() {
    let message = oof_message(s::APPLIES_TO_INTERNAL, &[]);
    let Ok(OofRequest::Set(oof)) = oof_request(s::SET, vec![message]) else { panic!() };
    assert_eq!(oof.state, None);
    let message = &oof.messages[0];
    assert_eq!((message.enabled, &message.reply), (None, &None));
}

#[test]
fn times_are_passed_over_where_the_state_needs_none_but_one_alone_is_wrong() {
    let time = |tag| Element::text(tag, "2026-12-01T09:00:00.000Z");
    let set = |state: &str, times: &[Tag]| {
        let state = Element::text(s::OOF_STATE, state);
        let times = times.iter().map(|tag| time(*tag));
        oof_request(s::SET, std::iter::once(state).chain(times).collect())
    };
    for state in ["0", "1", "2"] {
        assert!(set(state, &[s::START_TIME, s::END_TIME]).is_ok());
        assert!(set(state, &[s::START_TIME]).is_err());
        assert!(set(state, &[s::END_TIME]).is_err());
    }
    let passed_over = Oof { state: Some(OofState::Global), messages: Vec::new() };
    assert_eq!(set("1", &[s::START_TIME, s::END_TIME]), Ok(OofRequest::Set(passed_over)));
    assert!(set("2", &[]).is_err(), "no times");
    assert!(set("3", &[]).is_err(), "an unknown state");
}

#[test]
fn a_message_has_one_audience_and_says_its_form() {
    let set = |messages: Vec<Element>| oof_request(s::SET, messages);
    let message = || oof_message(s::APPLIES_TO_INTERNAL, &[(s::ENABLED, "1")]);
    assert!(set(vec![message()]).is_ok());
    assert!(set(vec![message(), message()]).is_err(), "an audience twice");
    let nobody = Element::parent(s::OOF_MESSAGE, vec![Element::text(s::ENABLED, "1")]);
    assert!(set(vec![nobody]).is_err(), "no audience");
    let both =
        vec![Element::empty(s::APPLIES_TO_INTERNAL), Element::empty(s::APPLIES_TO_EXTERNAL_KNOWN)];
    assert!(set(vec![Element::parent(s::OOF_MESSAGE, both)]).is_err(), "two audiences");
    let reply = (s::REPLY_MESSAGE, "away");
    let said = |more: &[(Tag, &str)]| set(vec![oof_message(s::APPLIES_TO_EXTERNAL_UNKNOWN, more)]);
    assert!(said(&[reply, (s::BODY_TYPE, "TEXT")]).is_ok());
    assert!(said(&[reply]).is_err(), "no form");
    assert!(said(&[reply, (s::BODY_TYPE, "RTF")]).is_err(), "an unknown form");
    let long = "x".repeat(MAX_VACATION_TEXT + 1);
    assert!(said(&[(s::REPLY_MESSAGE, &long), (s::BODY_TYPE, "HTML")]).is_err(), "too long");
    assert!(oof_request(s::GET, vec![]).is_err(), "asked for in no form");
    let html = OofRequest::Get { format: ReplyFormat::Html };
    assert_eq!(oof_request(s::GET, vec![Element::text(s::BODY_TYPE, "html")]), Ok(html));
}

#[test]
fn a_password_beyond_the_limit_is_refused_and_an_empty_one_deletes() {
    let with = |text: &str| {
        let set = Element::parent(s::SET, vec![Element::text(s::PASSWORD, text)]);
        let password = Element::parent(s::DEVICE_PASSWORD, vec![set]);
        let settings = Element::parent(s::SETTINGS, vec![password]);
        Request::from_element(&settings).unwrap().device_password.unwrap()
    };
    assert_eq!(with(""), Ok(Secret::new("")));
    assert!(with(&"x".repeat(256)).is_err());
}
