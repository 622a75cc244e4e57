use super::*;
use bytes::Bytes;

fn invitation(method: &str, event: &str) -> Option<Invitation> {
    let raw = format!(
        "Content-Type: text/calendar; method={method}; charset=utf-8\r\n\r\n\
         BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:{method}\r\n\
         BEGIN:VTIMEZONE\r\nTZID:W. Europe Standard Time\r\nBEGIN:STANDARD\r\n\
         DTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n\
         RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\n\
         DTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n\
         RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n\
         BEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20260101T070000Z\r\n{event}END:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let message = Message::parse(Bytes::from(raw)).unwrap();
    find(&message).map(|(_, invitation)| invitation)
}

const START: i64 = 1_782_900_000; // 2026-07-01T10:00:00Z

#[test]
fn times_are_read_in_their_zone_by_any_of_its_names() {
    for (start, zone) in [
        ("DTSTART:20260701T100000Z", None),
        ("DTSTART;TZID=Europe/Berlin:20260701T120000", Some("Europe/Berlin")),
        ("DTSTART;TZID=W. Europe Standard Time:20260701T120000", Some("Europe/Berlin")),
    ] {
        let found = invitation("REQUEST", &format!("{start}\r\nDURATION:PT45M\r\n")).unwrap();
        assert_eq!(found.start.as_seconds(), START, "{start}");
        assert_eq!(found.end.as_seconds(), START + 45 * 60, "{start}");
        assert!(!found.all_day);
        assert_eq!(found.time_zone.as_deref(), zone, "{start}");
    }
}

#[test]
fn an_invitation_is_told_with_all_that_the_mail_shows_of_it() {
    let found = invitation(
        "REQUEST",
        "DTSTART;VALUE=DATE:20260701\r\nDTEND;VALUE=DATE:20260703\r\nLOCATION:Room 1\\, left\r\n\
         ORGANIZER;CN=\"Lefèvre, Ann\":MAILTO:ann@x.example\r\nCLASS:PRIVATE\r\nTRANSP:TRANSPARENT\r\n\
         ATTENDEE;RSVP=TRUE:mailto:bob@x.example\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\n\
         RECURRENCE-ID:20260708T000000Z\r\n\
         BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT30M\r\nEND:VALARM\r\n",
    )
    .unwrap();
    assert!(found.all_day && found.private && !found.busy && found.response_requested);
    assert_eq!(found.end.as_seconds() - found.start.as_seconds(), 2 * 86_400);
    assert_eq!(found.location, "Room 1, left");
    let organizer = found.organizer.unwrap();
    assert_eq!(organizer.name.as_deref(), Some("Lefèvre, Ann"));
    assert_eq!(organizer.email, "ann@x.example");
    assert_eq!(found.recurrence.as_deref(), Some("FREQ=WEEKLY;COUNT=3"));
    assert!(found.recurrence_id.is_some());
    assert_eq!(found.reminder_minutes, Some(30));
    assert_eq!((found.uid.as_str(), found.stamp.as_seconds()), ("u1", 1_767_250_800));
}

#[test]
fn the_method_says_what_the_mail_is() {
    let start = "DTSTART:20260701T100000Z\r\n";
    let reply = |status: &str| {
        let event = format!("{start}ATTENDEE;PARTSTAT={status}:mailto:bob@x.example\r\n");
        invitation("REPLY", &event).map(|one| one.method)
    };
    assert_eq!(invitation("CANCEL", start).unwrap().method, InvitationMethod::Cancel);
    assert_eq!(reply("ACCEPTED"), Some(InvitationMethod::Accepted));
    assert_eq!(reply("TENTATIVE"), Some(InvitationMethod::Tentative));
    assert_eq!(reply("DECLINED"), Some(InvitationMethod::Declined));
    assert_eq!(reply("NEEDS-ACTION"), None);
    assert_eq!(invitation("PUBLISH", start), None);
    assert_eq!(invitation("REQUEST", ""), None);
}

#[test]
fn an_answer_is_wanted_where_an_attendee_is_asked_for_one() {
    let wanted = |attendees: &str| {
        let event = format!("DTSTART:20260701T100000Z\r\n{attendees}");
        invitation("REQUEST", &event).unwrap().response_requested
    };
    assert!(wanted(""));
    assert!(wanted("ATTENDEE:mailto:a@x\r\nATTENDEE;RSVP=TRUE:mailto:b@x\r\n"));
    assert!(!wanted("ATTENDEE:mailto:a@x\r\nATTENDEE;RSVP=FALSE:mailto:b@x\r\n"));
}

#[test]
fn a_time_that_the_clocks_skip_is_taken_an_hour_later() {
    let found = invitation("REQUEST", "DTSTART;TZID=Europe/Berlin:20260329T023000\r\n").unwrap();
    assert_eq!(found.start.as_seconds(), 1_774_747_800); // 01:30Z
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
