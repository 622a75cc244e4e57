//! Queries as phones send them.

use super::*;
use proptest::prelude::*;

fn line(command: Command) -> RequestLine {
    RequestLine {
        command,
        user: None,
        device: DeviceId::new("v140Device"),
        device_type: "SmartPhone".to_owned(),
        packed: None,
        parameters: Parameters::default(),
    }
}

#[test]
fn the_documents_own_base64_example_is_read_and_written() {
    let query = "jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l";
    let packed = Packed { version: ProtocolVersion::V14_0, policy_key: None, locale: 0x0409 };
    let expected = RequestLine { packed: Some(packed), ..line(Command::Sync) };
    assert_eq!(RequestLine::parse(query), Ok(expected.clone()));
    assert_eq!(expected.to_base64(packed).as_deref(), Ok(query));
}

#[test]
fn the_plain_form_is_read_in_any_case_and_order() {
    let query = "devicetype=iPhone&User=M%C3%BCller%40example.org&DEVICEID=ApplDNPQ&cmd=folderSync";
    let read = RequestLine::parse(query).unwrap();
    assert_eq!(read.command, Command::FolderSync);
    assert_eq!(read.user.as_deref(), Some("Müller@example.org"));
    assert_eq!((read.device.as_str(), &*read.device_type), ("ApplDNPQ", "iPhone"));
    assert_eq!(read.packed, None);
}

#[test]
fn the_parameters_of_a_reply_are_read() {
    let query = "Cmd=SmartReply&User=ann&DeviceId=d1&DeviceType=PocketPC&CollectionId=5\
        &ItemId=5%3A12&SaveInSent=T&Occurrence=2026-01-01T00:00:00.000Z&Future=1";
    let read = RequestLine::parse(query).unwrap().parameters;
    assert_eq!(read.collection_id.as_deref(), Some("5"));
    assert_eq!(read.item_id.as_deref(), Some("5:12"));
    assert_eq!(read.occurrence.as_deref(), Some("2026-01-01T00:00:00.000Z"));
    assert!(read.save_in_sent && !read.accept_multi_part);
    assert_eq!((read.long_id, read.attachment_name), (None, None));
}

#[test]
fn a_backslash_and_a_plus_in_the_user_stay() {
    let query = "Cmd=Ping&User=EXAMPLE%5Cann+phone&DeviceId=d1&DeviceType=x";
    assert_eq!(RequestLine::parse(query).unwrap().user.as_deref(), Some("EXAMPLE\\ann+phone"));
}

#[test]
fn every_command_has_its_name_and_number() {
    for command in Command::ALL {
        assert_eq!(Command::from_code(command.code()), Some(*command));
        assert_eq!(Command::from_name(command.name()), Some(*command));
    }
    assert_eq!(Command::ALL.len(), 20);
    assert_eq!(Command::from_code(5), None);
    assert_eq!(Command::from_name("GetHierarchy"), None);
    let numbers = [(Command::Ping, 18), (Command::Provision, 20), (Command::Find, 23)];
    assert!(numbers.iter().all(|(command, code)| command.code() == *code));
}

#[test]
fn a_device_id_in_16_raw_bytes_is_written_in_hexadecimal() {
    let bytes = [&[141, 18, 9, 4, 16][..], &[0xAB; 16], &[0, 2], b"WP"].concat();
    let query = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    assert_eq!(RequestLine::parse(&query).unwrap().device.as_str(), "AB".repeat(16));
}

#[test]
fn what_is_no_query_is_refused() {
    for query in [
        "",
        "DeviceId=d1&DeviceType=x",
        "Cmd=Sync&DeviceId=d1&DeviceType=x%",
        "Cmd=Sync&DeviceId=d1&DeviceType=x%2",
        "Cmd=Sync&DeviceId=d1&DeviceType=x%ZZ",
        "Cmd=Sync&DeviceId=d1&DeviceType=x&User=%FF",
        "Cmd=Sync&DeviceId=d1&DeviceType=x&User=%00",
        "not base64!",
        "jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob2",
    ] {
        assert!(matches!(RequestLine::parse(query), Err(Error::Query(_))), "{query}");
    }
    assert!(RequestLine::parse(&"A".repeat(5000)).is_err());
    for unknown in ["Cmd=Nothing&DeviceId=d1&DeviceType=x", "jAUJBAp2MTQwRGV2aWNlAApTbWFydFBob25l"]
    {
        assert_eq!(RequestLine::parse(unknown), Err(Error::Command), "{unknown}");
    }
    // Version 2.5.
    let old = "GQAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l";
    assert_eq!(RequestLine::parse(old), Err(Error::Version));
    // Version 19.1, which there is not.
    let none = "vwAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l";
    assert!(matches!(RequestLine::parse(none), Err(Error::Query(_))));
}

#[test]
fn a_device_that_is_none_is_told_from_other_faults_and_the_command_is_known_all_the_same() {
    use CommonStatus::{DeviceIdMissingOrInvalid as Id, DeviceTypeMissingOrInvalid as Type};
    let long = "0123456789012345678901234567890123";
    for (rest, expected) in [
        ("", Id),
        ("&DeviceType=x", Id),
        ("&DeviceId=&DeviceType=x", Id),
        ("&DeviceId=..%2F..%2Fetc&DeviceType=x", Id),
        (&format!("&DeviceId={long}&DeviceType=x"), Id),
        ("&DeviceId=d1", Type),
        ("&DeviceId=d1&DeviceType=x%0A", Type),
        (&format!("&DeviceId=d1&DeviceType={long}"), Type),
    ] {
        let query = format!("Cmd=FolderSync{rest}");
        match RequestLine::parse(&query) {
            Err(Error::Device { status, .. }) => assert_eq!(status, expected, "{query}"),
            other => panic!("{query}: {other:?}"),
        }
        assert_eq!(RequestLine::command_of(&query), Some((Command::FolderSync, None)));
    }
    let bytes = [&[141, 9, 9, 4, 34][..], long.as_bytes(), &[0, 1], b"x"].concat();
    let packed = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    assert!(matches!(RequestLine::parse(&packed), Err(Error::Device { status: Id, .. })));
    let expected = Some((Command::FolderSync, Some(ProtocolVersion::V14_1)));
    assert_eq!(RequestLine::command_of(&packed), expected);
    assert_eq!(RequestLine::command_of("not base64!"), None);
}

fn any_line() -> impl Strategy<Value = RequestLine> {
    let text = || proptest::option::of("[^\0]{1,40}");
    let command = proptest::sample::select(Command::ALL);
    (command, text(), "[A-Za-z0-9]{1,32}", "[A-Za-z ]{1,16}", text(), text(), any::<[bool; 2]>())
        .prop_map(|(command, user, device, kind, item, long, [save, multi])| RequestLine {
            command,
            user,
            device: DeviceId::new(device),
            device_type: kind,
            packed: None,
            parameters: Parameters {
                attachment_name: item.clone(),
                collection_id: long.clone(),
                item_id: item,
                long_id: long,
                occurrence: None,
                save_in_sent: save,
                accept_multi_part: multi,
            },
        })
}

proptest! {
    #[test]
    fn both_forms_are_read_as_they_are_written(
        line in any_line(),
        key in any::<Option<u32>>(),
        locale in any::<u16>(),
        version in proptest::sample::select(&ProtocolVersion::ALL[..]),
    ) {
        let packed = Packed { version, policy_key: key, locale };
        let query = line.to_base64(packed).unwrap();
        prop_assert_eq!(
            RequestLine::parse(&query),
            Ok(RequestLine { packed: Some(packed), ..line.clone() })
        );
        // Whether parts are accepted is a header beside the plain form.
        let mut plain = line;
        plain.parameters.accept_multi_part = false;
        prop_assert_eq!(RequestLine::parse(&plain.to_plain()), Ok(plain));
    }

    #[test]
    fn no_query_panics(query in "\\PC{0,200}") {
        let _ = RequestLine::parse(&query);
    }
}
