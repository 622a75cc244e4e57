use super::*;

#[test]
fn base64_passes_over_what_is_not_in_the_alphabet() {
    for (encoded, expected) in [
        ("SGVsbG8=", "Hello"),
        ("SGVs\r\nbG8=\r\n", "Hello"),
        ("S G V s b G 8", "Hello"),
        ("SGVsbG8", "Hello"),
        ("!!SGV?sbG8=~~", "Hello"),
        ("SGk=SGk=", "HiHi"),
        ("-_8", "\u{0}"),
        ("=", ""),
        ("", ""),
        ("A", ""),
    ] {
        let expected = if encoded == "-_8" { vec![0xFB, 0xFF] } else { expected.into() };
        assert_eq!(base64(encoded.as_bytes()), expected, "{encoded}");
    }
}

#[test]
fn quoted_printable_keeps_what_encodes_nothing() {
    for (encoded, expected) in [
        ("a=20b", "a b"),
        ("Gr=C3=BC=c3=9fe", "Grüße"),
        ("soft=\r\nbreak", "softbreak"),
        ("soft=  \t\r\nbreak", "softbreak"),
        ("soft=\nbreak", "softbreak"),
        ("100% = all", "100% = all"),
        ("=ZZ=4", "=ZZ=4"),
        ("end=", "end"),
        ("line\r\nline", "line\r\nline"),
    ] {
        assert_eq!(quoted_printable(encoded.as_bytes()), expected.as_bytes(), "{encoded}");
        let size = Encoding::QuotedPrintable.decoded_size(encoded.as_bytes());
        assert_eq!(size, expected.len() as u64, "{encoded}");
    }
}

#[test]
fn uuencode_is_read_with_and_without_its_frame() {
    for encoded in ["begin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\n", "#0V%T\n"] {
        assert_eq!(uuencode(encoded.as_bytes()), b"Cat", "{encoded}");
    }
}

#[test]
fn the_encoding_is_found_behind_comments_and_odd_spelling() {
    for (value, expected) in [
        (" Base64\r\n", Encoding::Base64),
        (" \"quoted-printable\"\r\n", Encoding::QuotedPrintable),
        (" quoted-printable; x=y\r\n", Encoding::QuotedPrintable),
        (" 8bit\r\n", Encoding::Identity),
        (" x-unknown\r\n", Encoding::Identity),
        ("\r\n", Encoding::Identity),
        (" x-uuencode\r\n", Encoding::Uuencode),
    ] {
        assert_eq!(Encoding::parse(value.as_bytes()), expected, "{value}");
    }
}

proptest::proptest! {
    #[test]
    fn the_size_of_wrapped_base64_is_known_without_decoding(
        content in proptest::collection::vec(proptest::num::u8::ANY, 0..2000),
        lf in proptest::bool::ANY,
    ) {
        use mail_builder::encoders::base64::Base64Encoder;
        let mut encoded = Base64Encoder::new().wrap_lines().encode(&content).unwrap();
        if lf {
            encoded.retain(|b| *b != b'\r');
        }
        proptest::prop_assert_eq!(&base64(&encoded), &content);
        proptest::prop_assert_eq!(Encoding::Base64.decoded_size(&encoded), content.len() as u64);
    }
}
