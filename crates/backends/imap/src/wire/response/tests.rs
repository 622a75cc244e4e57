use super::*;

fn read(text: &str) -> Response {
    Response::read(&Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

fn told(text: &str) -> Untagged {
    match read(text) {
        Response::Untagged(told) => told,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fetch_is_read_in_any_order_with_unknown_items() {
    let text = "* 3 FETCH (FLAGS (\\Seen $Work) X-NEW (a (b \"c\") {2}\r\n)) UID 7 \
                INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" MODSEQ (12) RFC822.SIZE 5 \
                BODY[HEADER.FIELDS (Subject \"To\")]<0> {5}\r\nab\r\nc EMAILID NIL)\r\n";
    let text = text.replace("{2}\r\n))", "{2}\r\n)()");
    let Untagged::Fetch(fetch) = told(&text) else { panic!() };
    assert_eq!((fetch.uid, fetch.size), (Some(7), Some(5)));
    assert_eq!(fetch.flags, Some(vec!["\\Seen".to_owned(), "$Work".to_owned()]));
    assert_eq!(fetch.date, Some(Timestamp::from_seconds(837_596_665)));
    let section = "HEADER.FIELDS (SUBJECT \"TO\")".to_owned();
    assert_eq!(fetch.bodies, [(section, Bytes::from_static(b"ab\r\nc"))]);
}

#[test]
fn lists_figures_and_sets_are_read() {
    let Untagged::List(listed) = told("* LIST (\\HasNoChildren \\Sent) \"/\" \"A \\\"b\\\"\"\r\n")
    else {
        panic!()
    };
    assert_eq!((listed.name.as_str(), listed.delimiter), ("A \"b\"", Some('/')));
    assert_eq!(listed.attributes, ["\\hasnochildren", "\\sent"]);
    let Untagged::List(listed) = told("* LIST () NIL {3}\r\nA b\r\n") else { panic!() };
    assert_eq!((listed.name.as_str(), listed.delimiter), ("A b", None));
    let Untagged::StatusOf(status) = told("* STATUS INBOX (MESSAGES 2 SIZE 9 UIDNEXT 5)\r\n")
    else {
        panic!()
    };
    assert_eq!((status.messages, status.uid_next, status.unseen), (Some(2), Some(5), None));
    let vanished = told("* VANISHED (EARLIER) 1:3,9\r\n");
    let uids = ItemSet::from_sequence("1:3,9").unwrap();
    assert_eq!(vanished, Untagged::Vanished { earlier: true, uids: uids.clone() });
    assert_eq!(told("* ESEARCH (TAG \"A1\") UID ALL 1:3,9\r\n"), Untagged::Esearch(uids));
    assert_eq!(told("* ESEARCH (TAG \"A1\") UID\r\n"), Untagged::Esearch(ItemSet::new()));
    assert_eq!(told("* SEARCH 5 2 (MODSEQ 9)\r\n"), Untagged::Search(vec![5, 2]));
    let place = Some(("INBOX.".to_owned(), Some('.')));
    assert_eq!(told("* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n"), Untagged::Namespace(place));
}

#[test]
fn a_command_ends_with_its_response_code() {
    let Response::Tagged { tag, status } = read("A12 no [trycreate] no such box\r\n") else {
        panic!()
    };
    assert_eq!((tag, status.kind), (12, StatusKind::No));
    assert_eq!(status.code.as_deref(), Some("TRYCREATE"));
    let Response::Tagged { status, .. } = read("A1 OK [APPENDUID 38505 3955] done\r\n") else {
        panic!()
    };
    assert_eq!(status.argument("APPENDUID"), Some("38505 3955"));
}

#[test]
fn a_structure_is_read_with_its_boundaries_and_dispositions() {
    let text = "* 1 FETCH (UID 4 BODYSTRUCTURE (((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \
                \"8bit\" 12 1 NIL NIL NIL NIL)(\"TEXT\" \"HTML\" NIL NIL NIL \"base64\" 78 2) \
                \"alternative\" (\"boundary\" \"in\") NIL NIL)(\"application\" \"pdf\" NIL \"<i>\" NIL \
                \"base64\" 7800000 NIL (\"attachment\" (\"filename\" \"a.pdf\")) NIL)(\"message\" \
                \"rfc822\" NIL NIL NIL \"7bit\" 90 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \
                \"plain\" NIL NIL NIL \"7bit\" 1 1) 5) \"mixed\" (\"boundary\" \"out\")))\r\n";
    let Untagged::Fetch(fetch) = told(text) else { panic!() };
    let Some(Structure::Multipart { parts, boundary }) = fetch.structure else { panic!() };
    assert_eq!(boundary.as_deref(), Some("out"));
    let Structure::Multipart { parts: inner, boundary } = &parts[0] else { panic!() };
    assert_eq!((inner.len(), boundary.as_deref()), (2, Some("in")));
    let Structure::Single { media_type, size, attached, .. } = &parts[1] else { panic!() };
    assert_eq!((media_type.as_str(), *size, *attached), ("application/pdf", 7_800_000, true));
    let Structure::Single { media_type, attached, .. } = &parts[2] else { panic!() };
    assert_eq!((media_type.as_str(), *attached), ("message/rfc822", false));
}

#[test]
fn nonsense_is_an_error_and_never_a_panic() {
    for text in [
        "",
        "\r\n",
        "*\r\n",
        "* 1 FETCH\r\n",
        "* 1 FETCH (UID\r\n",
        "* 1 FETCH (UID 99999999999)\r\n",
        "* LIST\r\n",
        "* 1 FETCH (BODY[] {5}\r\nab)\r\n",
        "* 1 FETCH (BODY[ \r\n",
        "A1\r\n",
        "A1 EH\r\n",
        "* STATUS x (A\r\n",
        "* VANISHED x\r\n",
        "B1 OK\r\n",
        "hello\r\n",
        "* 1 FETCH (FLAGS (\\Seen)\r\n",
    ] {
        let read = Response::read(&Bytes::copy_from_slice(text.as_bytes()));
        assert!(read.is_err(), "{text:?}: {read:?}");
    }
    let deep = format!("* 1 FETCH (X {}\r\n", "(".repeat(100_000));
    assert!(Response::read(&Bytes::from(deep)).is_err());
    let deep = format!("* 1 FETCH (BODYSTRUCTURE {}\r\n", "(".repeat(100_000));
    assert!(Response::read(&Bytes::from(deep)).is_err());
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = Response::read(&Bytes::from(bytes.clone()));
        let mut fetch = b"* 1 FETCH (".to_vec();
        fetch.extend(bytes);
        let _ = Response::read(&Bytes::from(fetch));
    }
}
