use super::*;
use bytes::Bytes;

#[test]
fn the_first_calendar_data_of_a_message_is_what_it_says_of_a_meeting() {
    let raw = "Content-Type: multipart/alternative; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain\r\n\r\nCome!\r\n\
        --b\r\nContent-Type: text/calendar; method=REQUEST; charset=iso-8859-1\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\nB=FCro\r\n\
        --b\r\nContent-Type: text/calendar; method=CANCEL\r\n\r\nsomething else\r\n--b--\r\n";
    let message = Message::parse(Bytes::from(raw)).unwrap();
    let read = |text: &str, method: Option<&str>| {
        assert_eq!((text.trim_end(), method), ("Büro", Some("REQUEST")));
        Some(Invitation { uid: "u1".into(), ..Invitation::default() })
    };
    let (part, found) = find(&message, read).unwrap();
    assert_eq!((message.nodes[part].media_type.as_str(), &*found.uid), ("text/calendar", "u1"));
    assert_eq!(find(&message, |_, _| None), None);
    let large = format!("Content-Type: text/calendar\r\n\r\n{}", "x".repeat(MAX_CALENDAR + 1));
    let message = Message::parse(Bytes::from(large)).unwrap();
    assert_eq!(find(&message, |_, _| panic!("larger than anyone reads")), None);
}

#[test]
fn what_a_calendars_server_may_tell_as_well_is_told_from_the_rest() {
    let said = |method: &str, organizer: &str, text: &str| {
        let raw = format!(
            "From: Ann <ann@x.example>\r\nTo: bob@x.example\r\n\
             Content-Type: multipart/alternative; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n\
             --b\r\nContent-Type: text/calendar; method={method}\r\n\r\n\
             BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\nUID:u1\r\n\
             {organizer}END:VEVENT\r\nEND:VCALENDAR\r\n--b--\r\n"
        );
        let said = crate::scheduling_message(&Bytes::from(raw)).unwrap();
        said.map(|said| (said.from, said.own))
    };
    let (ann, eve) = ("ORGANIZER:mailto:Ann@x.example\r\n", "ORGANIZER:mailto:eve@x.example\r\n");
    for (method, organizer, text, own) in [
        ("REQUEST", ann, "Come!", Some(true)),
        ("CANCEL", ann, "", Some(true)),
        ("REQUEST", eve, "", Some(false)),
        ("REQUEST", "", "", Some(false)),
        ("REPLY", eve, "", Some(true)),
        ("REPLY", eve, "I shall be late.", None),
        ("PUBLISH", ann, "", None),
        ("COUNTER", eve, "", None),
        ("REFRESH", eve, "", None),
    ] {
        let expected = own.map(|own| ("ann@x.example".to_owned(), own));
        assert_eq!(said(method, organizer, text), expected, "{method} {organizer}{text}");
    }
}
