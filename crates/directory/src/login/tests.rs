//! What phones send, and whom it means.

use super::*;
use proptest::prelude::*;

fn realms() -> Realms {
    Realms::new("Example.org")
        .with("example.org", ["CORP", "mail.example.org"])
        .with("sub.test", [])
        .with_suffixes("example.org", ["Other.example", "sub.test"])
}

fn resolve(text: &str) -> Result<String, LoginError> {
    Login::parse(text)
        .and_then(|login| realms().resolve(&login))
        .map(|user| user.as_str().to_owned())
}

#[test]
fn every_way_of_writing_a_login_means_its_user() {
    for (text, user) in [
        ("ann", "ann@example.org"),
        (" Ann ", "ann@example.org"),
        ("ANN@EXAMPLE.ORG", "ann@example.org"),
        ("ann@mail.example.org", "ann@example.org"),
        ("CORP\\Ann", "ann@example.org"),
        ("corp \\ ann", "ann@example.org"),
        ("\\ann", "ann@example.org"),
        ("\\ann@sub.test", "ann@sub.test"),
        ("corp\\ann@sub.test", "ann@sub.test"),
        ("corp\\ann@elsewhere.test", "ann@example.org"),
        ("ann@", "ann@example.org"),
        ("jürgen.MÜLLER@example.org", "jürgen.müller@example.org"),
        ("李雷", "李雷@example.org"),
        ("ann b@example.org", "ann b@example.org"),
        ("a@b@example.org", "a@b@example.org"),
    ] {
        assert_eq!(resolve(text).as_deref(), Ok(user), "{text:?}");
    }
}

#[test]
fn what_means_nobody_is_refused_with_a_reason() {
    let long = "x".repeat(MAX_NAME + 1);
    for (text, error) in [
        ("", LoginError::NoName),
        ("  ", LoginError::NoName),
        ("@example.org", LoginError::NoName),
        ("corp\\", LoginError::NoName),
        ("a\\b\\c", LoginError::BadCharacter("user name")),
        ("a\nb", LoginError::BadCharacter("user name")),
        ("a\0b", LoginError::BadCharacter("user name")),
        (&long, LoginError::TooLong("user name")),
        ("ann@elsewhere.test", LoginError::UnknownRealm("elsewhere.test".into())),
        ("OTHER\\ann", LoginError::UnknownRealm("other".into())),
    ] {
        assert_eq!(resolve(text), Err(error), "{text:?}");
    }
}

#[test]
fn both_character_sets_give_the_same_password() {
    let utf8 = BasicCredentials::from_decoded("jürgen:pä€ß".as_bytes()).unwrap();
    let latin = BasicCredentials::from_decoded(b"j\xfcrgen:p\xe4\x80\xdf").unwrap();
    assert_eq!(utf8, latin);
    assert_eq!(utf8.password.expose(), "pä€ß");
}

#[test]
fn a_password_may_have_colons_and_spaces() {
    let credentials = BasicCredentials::from_decoded(b"ann:a: b ").unwrap();
    assert_eq!(credentials.password.expose(), "a: b ");
}

#[test]
fn a_name_in_another_domain_of_the_realm_is_left_for_its_directory_to_tell() {
    for (text, user) in [
        ("Ann@OTHER.example", "ann@other.example"),
        ("corp\\ann@other.example", "ann@other.example"),
        // What is a realm itself is no other domain of one.
        ("ann@sub.test", "ann@sub.test"),
    ] {
        assert_eq!(resolve(text).as_deref(), Ok(user), "{text:?}");
    }
    for (user, realm) in [
        ("ann@example.org", Some("example.org")),
        ("ann@other.example", Some("example.org")),
        ("ann@sub.test", Some("sub.test")),
        ("ann@elsewhere.test", None),
    ] {
        assert_eq!(realms().realm_of(&user.into()), realm.map(Realm::named), "{user}");
    }
}

#[test]
fn the_header_is_read_with_or_without_padding() {
    for header in ["Basic YW5uOnNlY3JldA==", "basic  YW5uOnNlY3JldA", " BASIC YW5uOnNlY3JldA== "] {
        let credentials = BasicCredentials::from_header(header.as_bytes()).unwrap();
        assert_eq!(credentials.login.name(), "ann");
        assert_eq!(credentials.password.expose(), "secret");
    }
}

#[test]
fn a_header_that_is_no_credentials_is_refused() {
    for (header, error) in [
        (&b"Bearer abc"[..], LoginError::NotBasic),
        (b"Basic", LoginError::NotBasic),
        (b"Basic ***", LoginError::NotBasic),
        (b"Basic YW5u", LoginError::NotBasic),
        (b"Basic YW5uOg==", LoginError::NoPassword),
        (b"Basic OnNlY3JldA==", LoginError::NoName),
        (b"Basic YW5uOmEAYg==", LoginError::BadCharacter("password")),
        (&[b'x'; 10_000], LoginError::TooLong("authorization header")),
    ] {
        assert_eq!(BasicCredentials::from_header(header), Err(error));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_what_is_read_is_canonical(
        bytes in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let _ = BasicCredentials::from_header(&bytes);
        if let Ok(credentials) = BasicCredentials::from_decoded(&bytes) {
            prop_assert!(!credentials.password.expose().is_empty());
            if let Ok(user) = realms().resolve(&credentials.login) {
                prop_assert_eq!(resolve(user.as_str()), Ok(user.as_str().to_owned()));
            }
        }
    }
}
