//! Provision in its two phases, and the orders to wipe.

use super::*;

fn device() -> DeviceInformation {
    DeviceInformation {
        model: Some("iPhone15,2".into()),
        os: Some("iOS 19.1".into()),
        friendly_name: Some("Ann’s phone".into()),
        outbound_sms: Some(false),
        ..DeviceInformation::default()
    }
}

fn strict() -> Policy {
    Policy {
        password_enabled: true,
        min_password_length: Some(6),
        max_inactivity: Some(300),
        simple_password: false,
        bluetooth: Bluetooth::HandsFree,
        max_plain_body: 512,
        forbidden_applications: ApplicationNames(vec!["game.exe".into()]),
        approved_applications: ApplicationHashes(vec!["AAAA".into(), "BBBB".into()]),
        ..Policy::default()
    }
}

#[test]
fn requests_are_read_as_they_are_written() {
    let unknown = PolicyType::Unknown("MS-WAP-Provisioning-XML".into());
    for request in [
        Request::download(Some(device())),
        Request::download(None),
        Request::acknowledge(4_000_000_000, Applied::Partly),
        Request::acknowledge(1, Applied::Unknown(77)),
        Request::wiped(Wipe::Device, Wiped::Success),
        Request::wiped(Wipe::Account, Wiped::Failed),
        Request::default(),
        Request {
            policy: Some(PolicyRequest::Download { policy_type: unknown }),
            ..Request::default()
        },
    ] {
        let element = request.to_element(ProtocolVersion::V16_1);
        assert_eq!(Request::from_element(&element), Ok(request));
    }
}

#[test]
fn answers_are_read_as_they_are_written() {
    for response in [
        Response { device: Some(settings::Status::Success), ..Response::policy(7, strict()) },
        Response::acknowledged(8),
        Response::refused(PolicyType::Wbxml, PolicyStatus::NoPolicy),
        Response::wipe(Wipe::Device),
        Response::wipe(Wipe::Account),
        Response::status(crate::CommonStatus::DeviceNotFullyProvisionable.into()),
    ] {
        let element = response.to_element(ProtocolVersion::V16_1);
        assert_eq!(Response::from_element(&element), Ok(response));
    }
}

#[test]
fn what_a_document_leaves_out_is_free() {
    let empty = Element::empty(p::EAS_PROVISION_DOC);
    assert_eq!(Policy::from_element(&empty), Ok(Policy::default()));
    let none = Element::empty(p::MIN_DEVICE_PASSWORD_LENGTH);
    let document = Element::parent(p::EAS_PROVISION_DOC, vec![none]);
    assert_eq!(Policy::from_element(&document).map(|p| p.min_password_length), Ok(None));
}

#[test]
fn a_policy_with_nonsense_in_it_is_refused() {
    for (tag, text) in [
        (p::DEVICE_PASSWORD_ENABLED, "perhaps"),
        (p::MIN_DEVICE_PASSWORD_LENGTH, "300"),
        (p::MAX_INACTIVITY_TIME_DEVICE_LOCK, "-1"),
        (p::ALLOW_BLUETOOTH, "3"),
    ] {
        let document = Element::parent(p::EAS_PROVISION_DOC, vec![Element::text(tag, text)]);
        assert!(Policy::from_element(&document).is_err(), "{tag} {text}");
    }
}

#[test]
fn the_document_keeps_the_order_of_the_schema() {
    let element = strict().to_element();
    let tags: Vec<Tag> = element.children().iter().map(|child| child.tag).collect();
    let position = |tag: Tag| tags.iter().position(|found| *found == tag).unwrap();
    // PasswordRecoveryEnabled comes before RequireStorageCardEncryption, unlike their tokens.
    assert!(position(p::PASSWORD_RECOVERY_ENABLED) < position(p::REQUIRE_STORAGE_CARD_ENCRYPTION));
    assert_eq!(tags.first(), Some(&p::DEVICE_PASSWORD_ENABLED));
    assert_eq!(tags.last(), Some(&p::APPROVED_APPLICATION_LIST));
    assert_eq!(tags.len(), 42);
}

#[test]
fn versions_before_14_1_keep_the_device_information_out() {
    let request = Request::download(Some(device()));
    for version in ProtocolVersion::ALL {
        let read = Request::from_element(&request.to_element(version)).unwrap();
        assert_eq!(read.device.is_some(), version >= ProtocolVersion::V14_1, "{version}");
    }
}

#[test]
fn an_order_to_wipe_the_account_never_reaches_a_phone_that_would_wipe_the_device() {
    for version in ProtocolVersion::ALL {
        let element = Response::wipe(Wipe::Account).to_element(version);
        assert!(element.child(p::REMOTE_WIPE).is_none());
        let told = element.child(p::ACCOUNT_ONLY_REMOTE_WIPE).is_some();
        assert_eq!(told, version == ProtocolVersion::V16_1, "{version}");
    }
}

#[test]
fn a_key_that_is_no_number_and_another_command_are_refused() {
    let policy = Element::parent(
        p::POLICY,
        vec![Element::text(p::POLICY_TYPE, PolicyType::WBXML), Element::text(p::POLICY_KEY, "x")],
    );
    let policies = Element::parent(p::POLICIES, vec![policy]);
    let request = Element::parent(p::PROVISION, vec![policies]);
    assert!(Request::from_element(&request).is_err());
    assert!(Request::from_element(&Element::empty(s::SETTINGS)).is_err());
}
