//! Autodiscover as phones and hostile strangers send it.

use super::*;

fn ann() -> User {
    User { display_name: Some("Ann <A&B>".into()), email: "ann@corp.example".into() }
}

#[test]
fn a_phones_request_is_read() {
    let document = br#"<?xml version="1.0" encoding="utf-8"?>
        <Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006">
          <Request>
            <EMailAddress>ann@corp.example</EMailAddress>
            <AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006</AcceptableResponseSchema>
          </Request>
        </Autodiscover>"#;
    let request = Request::from_xml(document).unwrap();
    assert_eq!(request, Request::new("ann@corp.example"));
    assert!(request.wants_mobilesync());
}

#[test]
fn a_prefixed_request_with_a_byte_order_mark_is_read() {
    let document = "\u{feff}<a:Autodiscover xmlns:a=\"x\"><a:Request>\
        <a:EMailAddress>j&#252;rg&amp;co@corp.example</a:EMailAddress></a:Request></a:Autodiscover>";
    let request = Request::from_xml(document.as_bytes()).unwrap();
    assert_eq!(request.email, "jürg&co@corp.example");
    assert!(!request.wants_mobilesync(), "no schema was named");
}

#[test]
fn outlooks_schema_is_not_ours() {
    let schema = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
    let request = Request { email: "a@b.example".into(), schema: schema.into() };
    assert!(!Request::from_xml(request.to_xml().as_bytes()).unwrap().wants_mobilesync());
}

#[test]
fn hostile_documents_are_refused() {
    let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\">]><Autodiscover><Request>\
        <EMailAddress>&a;</EMailAddress></Request></Autodiscover>";
    let unknown_entity =
        "<Autodiscover><Request><EMailAddress>&a;</EMailAddress></Request></Autodiscover>";
    let deep = format!("{}{}", "<a>".repeat(1000), "</a>".repeat(1000));
    let wide = format!("<a>{}</a>", "<b/>".repeat(1000));
    let huge = format!("<a>{}</a>", "x".repeat(MAX_DOCUMENT));
    let long = format!(
        "<Autodiscover><Request><EMailAddress>{}</EMailAddress></Request></Autodiscover>",
        "x".repeat(MAX_ADDRESS + 1)
    );
    let cases: [(&str, &[u8], AutodiscoverError); 7] = [
        ("a document type", laughs.as_bytes(), AutodiscoverError::Entity),
        ("an unknown entity", unknown_entity.as_bytes(), AutodiscoverError::Entity),
        ("great depth", deep.as_bytes(), AutodiscoverError::TooLarge),
        ("many elements", wide.as_bytes(), AutodiscoverError::TooLarge),
        ("great size", huge.as_bytes(), AutodiscoverError::TooLarge),
        ("a long address", long.as_bytes(), AutodiscoverError::TooLarge),
        ("another root", b"<x/>", AutodiscoverError::Missing("the Autodiscover element")),
    ];
    for (case, document, expected) in cases {
        assert_eq!(Request::from_xml(document), Err(expected), "{case}");
    }
    for malformed in
        [&b""[..], b"<a>", b"<a></b>", b"</a>", b"text", b"\xff\xfe<\0a\0", b"<a/><b/>"]
    {
        let error = Request::from_xml(malformed).unwrap_err();
        assert!(matches!(error, AutodiscoverError::Malformed(_)), "{malformed:?}: {error:?}");
    }
}

#[test]
fn every_answer_survives_the_way_to_the_phone() {
    let cases = [
        Response::mobile_sync(ann(), "https://mail.corp.example/Microsoft-Server-ActiveSync"),
        Response::Settings {
            user: ann(),
            culture: "de:de".into(),
            servers: vec![
                Server::MobileSync { url: "https://m.example/Microsoft-Server-ActiveSync".into() },
                Server::CertEnroll { url: "https://c.example/".into(), template: "User".into() },
            ],
        },
        Response::Redirect { user: ann(), email: "ann@other.example".into() },
        Response::Failure {
            user: Some(ann()),
            status: Status::ProtocolError,
            message: "The directory is not reachable".into(),
        },
        Response::Failure { user: None, status: Status::Other(9), message: "x".into() },
        Response::Rejected { code: ErrorCode::NoProvider, time: String::new(), id: 0 },
    ];
    for answer in cases {
        assert_eq!(Response::from_xml(answer.to_xml().as_bytes()).unwrap(), answer);
    }
}

#[test]
fn the_answers_namespaces_are_those_phones_look_for() {
    let xml = Response::mobile_sync(ann(), "https://m.example/").to_xml();
    assert_eq!(
        xml,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\
         <Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006\">\
         <Culture>en:us</Culture>\
         <User><DisplayName>Ann &lt;A&amp;B&gt;</DisplayName><EMailAddress>ann@corp.example</EMailAddress></User>\
         <Action><Settings><Server><Type>MobileSync</Type><Url>https://m.example/</Url>\
         <Name>https://m.example/</Name></Server></Settings></Action>\
         </Response></Autodiscover>"
    );
    let xml = Response::Rejected {
        code: ErrorCode::InvalidRequest,
        time: "12:00:00.0000000".into(),
        id: 7,
    };
    let xml = xml.to_xml();
    assert!(xml.contains("<Response><Error Time=\"12:00:00.0000000\" Id=\"7\">"), "{xml}");
    assert!(xml.contains("<ErrorCode>600</ErrorCode>"), "{xml}");
}

#[test]
fn v2_requests_are_read_in_both_forms() {
    let expected =
        JsonRequest { email: "ann+x@corp.example".into(), protocol: "ActiveSync".into() };
    let cases = [
        ("/autodiscover/autodiscover.json", "Email=ann+x@corp.example&Protocol=ActiveSync"),
        ("/Autodiscover/AutoDiscover.json", "email=ann%2Bx%40corp.example&protocol=ActiveSync"),
        ("/autodiscover/autodiscover.json/v1.0/ann%2bx@corp.example", "Protocol=ActiveSync"),
    ];
    for (path, query) in cases {
        assert_eq!(JsonRequest::from_target(path, query).unwrap(), expected, "{path}?{query}");
    }
    let target = expected.to_target();
    let (path, query) = target.split_once('?').unwrap();
    assert_eq!(JsonRequest::from_target(path, query).unwrap(), expected);
}

#[test]
fn v2_requests_without_their_parts_are_refused() {
    let path = json::PATH;
    assert_eq!(
        JsonRequest::from_target(path, "Protocol=ActiveSync"),
        Err(AutodiscoverError::Missing("Email"))
    );
    assert_eq!(
        JsonRequest::from_target(path, "Email=a%40b"),
        Err(AutodiscoverError::Missing("Protocol"))
    );
    assert!(JsonRequest::from_target("/", "Email=a@b&Protocol=ActiveSync").is_err());
    let long = format!("Email={}&Protocol=ActiveSync", "a".repeat(5000));
    assert_eq!(JsonRequest::from_target(path, &long), Err(AutodiscoverError::TooLarge));
    assert_eq!(JsonRequest::from_target(path, "Email=%zz%&Protocol=p").unwrap().email, "%zz%");
}

#[test]
fn v2_answers_are_written_as_clients_expect_them() {
    let found = JsonResponse::active_sync("https://m.example/Microsoft-Server-ActiveSync");
    assert_eq!(
        found.to_json(),
        r#"{"Protocol":"ActiveSync","Url":"https://m.example/Microsoft-Server-ActiveSync"}"#
    );
    let failed = JsonResponse::Failed {
        code: "ProtocolNotSupported".into(),
        message: "only ActiveSync is served here".into(),
    };
    for answer in [found, failed] {
        assert_eq!(JsonResponse::from_json(answer.to_json().as_bytes()).unwrap(), answer);
    }
    assert!(JsonResponse::from_json(b"<html>").is_err());
}

proptest::proptest! {
    #[test]
    fn any_address_survives_and_no_document_panics(
        email in "[^\\p{C}\\s]{1,60}@[a-z.<>&\"']{1,20}[a-z]",
        document in "[<>/a-c&;#x0-9\"'! \\[\\]?-]{0,80}",
    ) {
        let request = Request::new(email.as_str());
        proptest::prop_assert_eq!(Request::from_xml(request.to_xml().as_bytes()), Ok(request));
        let request = JsonRequest { email, protocol: "ActiveSync".into() };
        let target = request.to_target();
        let (path, query) = target.split_once('?').unwrap();
        proptest::prop_assert_eq!(JsonRequest::from_target(path, query), Ok(request));
        let _ = Request::from_xml(document.as_bytes());
        let _ = Response::from_xml(document.as_bytes());
    }
}
