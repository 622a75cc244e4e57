//! Settings, each alone and all together.

use super::*;
use dme_model::Timestamp;

fn oof() -> Oof {
    let message = |audience, reply: Option<&str>| OofMessage {
        audience,
        enabled: reply.is_some(),
        reply: reply.map(str::to_owned),
        format: ReplyFormat::Html,
    };
    Oof {
        state: OofState::TimeBased {
            start: Timestamp::from_millis(1_700_000_000_250),
            end: Timestamp::from_seconds(1_800_000_000),
        },
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

#[test]
fn out_of_office_needs_a_state_and_one_message_for_each_audience() {
    let set = |children: Vec<Element>| {
        let set = Element::parent(s::SET, children);
        let oof = Element::parent(s::OOF, vec![set]);
        let settings = Element::parent(s::SETTINGS, vec![oof]);
        Request::from_element(&settings).unwrap().oof.unwrap()
    };
    let state = |text: &str| Element::text(s::OOF_STATE, text);
    let message = || {
        let audience = Element::empty(s::APPLIES_TO_INTERNAL);
        Element::parent(s::OOF_MESSAGE, vec![audience, Element::text(s::ENABLED, "1")])
    };
    assert!(set(vec![state("1"), message()]).is_ok());
    assert!(set(vec![message()]).is_err(), "no state");
    assert!(set(vec![state("3")]).is_err(), "an unknown state");
    assert!(set(vec![state("2")]).is_err(), "no times");
    assert!(set(vec![state("1"), message(), message()]).is_err(), "an audience twice");
    let nobody = Element::parent(s::OOF_MESSAGE, vec![Element::text(s::ENABLED, "1")]);
    assert!(set(vec![state("1"), nobody]).is_err(), "no audience");
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
