use super::*;
use crate::status::CommonStatus;

fn request() -> Request {
    Request {
        to: vec!["ann".into(), "bob@corp.example".into()],
        options: Options {
            certificates: Some(CertificateRetrieval::Full),
            max_certificates: Some(5),
            max_ambiguous: Some(19),
            availability: Some((Timestamp::from_seconds(0), Timestamp::from_seconds(3600))),
            picture: Some(PictureLimits { max_size: Some(1000), max_pictures: None }),
        },
    }
}

#[test]
fn requests_are_read_as_they_are_written() {
    for request in [request(), Request { to: vec!["ann".into()], ..Request::default() }] {
        let element = request.to_element(ProtocolVersion::V14_1);
        assert_eq!(Request::from_element(&element), Ok(request));
    }
}

#[test]
fn older_versions_are_spared_what_they_do_not_know() {
    let options = |version| Request::from_element(&request().to_element(version)).unwrap().options;
    assert_eq!(options(ProtocolVersion::V12_1).availability, None);
    assert_eq!(options(ProtocolVersion::V14_0).picture, None);
    assert!(options(ProtocolVersion::V14_0).availability.is_some());
}

#[test]
fn answers_are_read_as_they_are_written() {
    let answer = Response {
        status: Status::Success,
        resolved: vec![
            Resolved {
                to: "ann".into(),
                status: Status::Success,
                count: 1,
                recipients: vec![Recipient {
                    kind: RecipientType::Directory,
                    display_name: "Ann Ämmer".into(),
                    email: "ann@corp.example".into(),
                    availability: Some((Status::Success, Some("0022".into()))),
                    certificates: Some(Certificates {
                        status: Status::Success,
                        certificate_count: 1,
                        recipient_count: 1,
                        certificates: vec![vec![0x30, 0x82]],
                    }),
                    picture: Some((CommonStatus::NoPicture.into(), None)),
                }],
            },
            Resolved {
                to: "nobody".into(),
                status: Status::NotResolved,
                count: 0,
                recipients: Vec::new(),
            },
        ],
    };
    let element = answer.to_element(ProtocolVersion::V16_1);
    assert_eq!(Response::from_element(&element), Ok(answer));
}

#[test]
fn free_and_busy_times_are_asked_for_half_an_hour_to_six_weeks() {
    let asked = |times: &[(Tag, &str)]| {
        let times = times.iter().map(|(tag, text)| Element::text(*tag, *text)).collect();
        let options = Element::parent(r::OPTIONS, vec![Element::parent(r::AVAILABILITY, times)]);
        let to = Element::text(r::TO, "ann");
        Request::from_element(&Element::parent(r::RESOLVE_RECIPIENTS, vec![to, options]))
            .map(|request| request.options.availability.unwrap())
    };
    let start = (r::START_TIME, "2026-12-01T08:00:00.000Z");
    let (from, to) = asked(&[start]).unwrap();
    assert_eq!(to, from.plus(Duration::from_secs(7 * 86_400)));
    for (end, allowed) in [
        ("2026-12-01T08:29:00.000Z", false),
        ("2026-12-01T08:30:00.000Z", true),
        ("2027-01-12T08:00:00.000Z", true),
        ("2027-01-12T08:30:00.000Z", false),
        ("2026-11-30T08:00:00.000Z", false),
        ("later", false),
    ] {
        assert_eq!(asked(&[start, (r::END_TIME, end)]).is_ok(), allowed, "{end}");
    }
    assert!(asked(&[(r::END_TIME, "2026-12-01T08:30:00.000Z")]).is_err());
}

#[test]
fn requests_beyond_the_limits_are_refused() {
    let with =
        |to: Vec<Element>| Request::from_element(&Element::parent(r::RESOLVE_RECIPIENTS, to));
    let many = vec![Element::text(r::TO, "a"); MAX_RECIPIENTS + 1];
    assert_eq!(with(many), Err(Error::TooMany { element: r::TO, limit: MAX_RECIPIENTS }));
    assert!(with(vec![Element::text(r::TO, "a".repeat(MAX_NAME + 1))]).is_err());
    assert!(with(vec![]).is_err());
    for (limit, is_allowed) in [("0", true), ("9999", true), ("10000", false), ("-1", false)] {
        for tag in [r::MAX_CERTIFICATES, r::MAX_AMBIGUOUS_RECIPIENTS] {
            let options = Element::parent(r::OPTIONS, vec![Element::text(tag, limit)]);
            let request = with(vec![Element::text(r::TO, "a"), options]);
            assert_eq!(request.is_ok(), is_allowed, "{limit}");
        }
    }
}
