//! What servers say, whole and in pieces.

use super::*;
use proptest::prelude::*;

fn all(bytes: &[u8]) -> Vec<Response> {
    let (mut rest, mut found) = (bytes, Vec::new());
    while let Some((response, length)) = take(rest).unwrap() {
        found.push(response);
        rest = &rest[length..];
    }
    assert!(rest.is_empty(), "left over: {rest:?}");
    found
}

fn text(text: &str) -> Token {
    Token::Text(Bytes::copy_from_slice(text.as_bytes()))
}

fn status(kind: StatusKind, code: Option<&str>, text: &str) -> Response {
    Response::Status(Status { kind, code: code.map(str::to_owned), text: text.to_owned() })
}

const GREETING: &[u8] = b"\"IMPLEMENTATION\" \"Dovecot \\\"Pigeonhole\\\"\"\r\n\
    \"SIEVE\" {8}\r\nfileinto\r\n\"STARTTLS\"\r\nOK (TAG {3}\r\nabc) \"ready.\"\r\n";

#[test]
fn a_greeting_is_read() {
    assert_eq!(
        all(GREETING),
        [
            Response::Data(vec![text("IMPLEMENTATION"), text("Dovecot \"Pigeonhole\"")]),
            Response::Data(vec![text("SIEVE"), text("fileinto")]),
            Response::Data(vec![text("STARTTLS")]),
            status(StatusKind::Ok, Some("TAG"), "ready."),
        ]
    );
}

#[test]
fn answers_are_read() {
    for (bytes, read) in [
        (&b"OK\r\n"[..], status(StatusKind::Ok, None, "")),
        (b"no (quota/maxsize) \"full\"\r\n", status(StatusKind::No, Some("QUOTA/MAXSIZE"), "full")),
        (b"NO {9}\r\nline 1\r\nx\r\n", status(StatusKind::No, None, "line 1  x")),
        (b"BYE (REFERRAL \"sieve://a\") \"go\"\n", status(StatusKind::Bye, Some("REFERRAL"), "go")),
        (b"\"a\" ACTIVE\r\n", Response::Data(vec![text("a"), Token::Word("ACTIVE".into())])),
        (b"{3+}\r\nx\r\n\r\n", Response::Data(vec![text("x\r\n")])),
    ] {
        let found = take(bytes).unwrap();
        assert_eq!(found, Some((read, bytes.len())), "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn what_is_no_response_is_refused_as_soon_as_it_can_be_known() {
    for bytes in [
        &b"* OK imap\r\n"[..],
        b"\r\n",
        b"(OK)\r\n",
        b"\"a\r\n",
        b"{99999999}\r\n",
        b"{x}\r\n",
        b"{0123456789012345",
        b"WHAT\r\n",
    ] {
        assert!(take(bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
    }
    assert!(take(&b"\"a\" ".repeat(MAX_TOKENS + 2)).is_err());
    assert!(take(&vec![b'a'; MAX_RESPONSE + 1]).is_err());
}

#[test]
fn strings_are_quoted_or_sent_as_literals_and_cannot_end_a_command() {
    let command = |text: &str| {
        String::from_utf8(Command::new("X").string(text.as_bytes()).into_bytes()).unwrap()
    };
    assert_eq!(command("añ"), "X \"añ\"\r\n");
    assert_eq!(command("a\"b"), "X {3+}\r\na\"b\r\n");
    assert_eq!(command("a\r\nLOGOUT"), "X {9+}\r\na\r\nLOGOUT\r\n");
    assert!(command(&"a".repeat(1025)).starts_with("X {1025+}\r\n"));
    assert_eq!(Command::answer("AQ==").into_bytes(), b"\"AQ==\"\r\n");
    assert_eq!(Command::new("HAVESPACE").number(7).into_bytes(), b"HAVESPACE 7\r\n");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = take(&bytes);
    }

    #[test]
    fn a_response_that_is_cut_anywhere_is_waited_for(cut in 0..GREETING.len()) {
        let mut rest = &GREETING[..cut];
        while let Some((_, length)) = take(rest).unwrap() {
            rest = &rest[length..];
        }
    }
}
