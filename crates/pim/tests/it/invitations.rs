//! What a mail shows of the meeting it brings: what the calendar shows of the event.

use crate::world::*;
use dme_eas::calendar::Context;
use dme_eas::server_id::ServerId;
use dme_eas::{ProtocolVersion, item};
use dme_mime::Envelope;
use dme_model::*;
use dme_pim::invitation;
use dme_wbxml::pages::{calendar as events, email as mails};
use dme_wbxml::{Element, Tag};
use dme_zone::Zone;

/// Calendar data of this method about one event; zones of Outlook's and of nobody's are defined.
fn data(method: &str, event: &[&str]) -> String {
    let zone = |name: &str, winter: &str, summer: &str| {
        format!(
            "BEGIN:VTIMEZONE\r\nTZID:{name}\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\n\
             TZOFFSETFROM:{summer}\r\nTZOFFSETTO:{winter}\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\n\
             END:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:{winter}\r\n\
             TZOFFSETTO:{summer}\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\n\
             END:VTIMEZONE\r\n"
        )
    };
    let zones = [
        zone("W. Europe Standard Time", "+0100", "+0200"),
        zone("Customized Time Zone", "-0430", "-0330"),
    ];
    let object = object(event);
    let (head, rest) = object.split_at(object.find("BEGIN:VEVENT").unwrap());
    format!("{head}METHOD:{method}\r\n{}{rest}", zones.concat())
}

fn asked(event: &[&str]) -> Invitation {
    invitation(&data("REQUEST", event), None).unwrap()
}

fn text(elements: &[Element], tag: Tag) -> Option<String> {
    let element = elements.iter().find(|element| element.tag == tag)?;
    element.as_text().map(str::to_owned)
}

/// The compact form of a moment, which calendars have and mails have not.
fn compact(moment: Option<String>) -> Option<String> {
    moment.map(|moment| moment.replace(['-', ':'], "").replace(".000", ""))
}

#[test]
fn a_mail_tells_of_a_meeting_what_the_calendar_tells_of_the_event() {
    let cases: [&[&str]; 17] = [
        &["DTSTART:20260701T100000Z", "DTEND:20260701T110000Z"],
        // No zone, and zones of which nobody knows.
        &["DTSTART:20260701T100000", "DTEND:20260701T110000"],
        &["DTSTART;TZID=Nowhere/Land:20260701T233000", "DURATION:PT45M"],
        // Zones by names and by definitions.
        &["DTSTART;TZID=America/Los_Angeles:20261204T190000", "DURATION:PT1H"],
        &["DTSTART;TZID=W. Europe Standard Time:20260701T120000", "DURATION:PT1H"],
        &["DTSTART;TZID=Customized Time Zone:20260701T120000", "DURATION:PT1H"],
        &["DTSTART;TZID=Europe/Berlin:20260701T120000", "DTEND;TZID=Asia/Tokyo:20260701T200000"],
        // Days.
        &["DTSTART;VALUE=DATE:20260701", "DTEND;VALUE=DATE:20260703"],
        &["DTSTART;VALUE=DATE:20260701"],
        &["DTSTART;VALUE=DATE:20260701", "DURATION:P1W"],
        &[
            "DTSTART;TZID=Europe/Berlin:20260701T000000",
            "DTEND;TZID=Europe/Berlin:20260702T000000",
            "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
        ],
        // Days are counted on the clock, hours by time that passes.
        &["DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:P1D"],
        &["DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:PT36H"],
        &["DTSTART;TZID=Europe/Berlin:20260329T023000"],
        // Series.
        &["DTSTART:20260701T100000", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20260710T095959"],
        &[
            "DTSTART;TZID=America/Los_Angeles:20260701T190000",
            "DURATION:PT1H",
            "RRULE:FREQ=WEEKLY;UNTIL=20260801",
        ],
        &["DTSTART;VALUE=DATE:20260701", "RRULE:FREQ=YEARLY;UNTIL=20300701"],
    ];
    for event in cases {
        let event = [
            event,
            &[
                "ORGANIZER;CN=Bo:MAILTO:bo%40x.example",
                "ATTENDEE;RSVP=TRUE:mailto:ann@x.example",
                "CLASS:CONFIDENTIAL",
                "LOCATION:Room 1\\, left",
                "X-MICROSOFT-DISALLOW-COUNTER:TRUE",
            ],
        ]
        .concat();
        let object = data("REQUEST", &event);
        let raw = format!("Content-Type: text/calendar; charset=utf-8\r\n\r\n{object}");
        let view = view(BodyKind::Plain);
        let mail = dme_mime::read(raw.into(), Envelope::default(), &view, invitation).unwrap();
        let kept = dme_pim::calendar::read(object.as_bytes(), &owner(), &ZoneId::utc(), &view);
        let (mail, kept) = (Item::Mail(Box::new(mail)), kept.unwrap());
        let id = ServerId::new(1, ItemId::new("1"));
        for home in ["Europe/Berlin", "America/New_York", "Pacific/Auckland", "Etc/UTC"] {
            let zone = Zone::of(&ZoneId::from(home)).unwrap();
            let context = Context { home: &zone, now: NOW };
            for version in ProtocolVersion::ALL {
                let told = |item: &Item| item::to_elements(item, &id, version, &context);
                let (mail, kept) = (told(&mail), told(&kept));
                let meeting = mail.iter().find(|one| one.tag == mails::MEETING_REQUEST).unwrap();
                let meeting = meeting.children();
                let case = format!("{event:?}, {home}, {version}");
                for (of_mail, of_event) in [
                    (mails::START_TIME, events::START_TIME),
                    (mails::END_TIME, events::END_TIME),
                    (mails::DT_STAMP, events::DT_STAMP),
                ] {
                    let said = compact(text(meeting, of_mail));
                    assert_eq!(said, text(&kept, of_event), "{case}");
                }
                for (of_mail, of_event) in [
                    (mails::ALL_DAY_EVENT, events::ALL_DAY_EVENT),
                    (mails::SENSITIVITY, events::SENSITIVITY),
                    (mails::LOCATION, events::LOCATION),
                    (mails::DISALLOW_NEW_TIME_PROPOSAL, events::DISALLOW_NEW_TIME_PROPOSAL),
                ] {
                    assert_eq!(text(meeting, of_mail), text(&kept, of_event), "{case}");
                }
                // Of days alone the calendar tells none, and a mail must.
                if let Some(blob) = text(&kept, events::TIMEZONE) {
                    assert_eq!(text(meeting, mails::TIME_ZONE), Some(blob), "{case}");
                }
                let recurrence = |elements: &[Element], tag| {
                    elements.iter().find(|one| one.tag == tag).map(|one| one.children().to_vec())
                };
                let rules = recurrence(meeting, mails::RECURRENCES).unwrap_or_default();
                let of_mail = recurrence(&rules, mails::RECURRENCE).unwrap_or_default();
                let of_event = recurrence(&kept, events::RECURRENCE).unwrap_or_default();
                for (of, tag) in [(mails::TYPE, events::TYPE), (mails::UNTIL, events::UNTIL)] {
                    assert_eq!(text(&of_mail, of), text(&of_event, tag), "{case}");
                }
                assert_eq!(of_event.is_empty(), !event.iter().any(|line| line.contains("RRULE")));
            }
        }
    }
}

#[test]
fn an_invitation_is_told_with_all_that_the_mail_shows_of_it() {
    let found = asked(&[
        "DTSTART;VALUE=DATE:20260701",
        "DTEND;VALUE=DATE:20260703",
        "LOCATION:Room 1\\, left",
        "ORGANIZER;CN=\"Lefèvre, Ann\":MAILTO:ann@x.example",
        "CLASS:PRIVATE",
        "SEQUENCE:2",
        "TRANSP:TRANSPARENT",
        "X-MICROSOFT-DISALLOW-COUNTER:true",
        "ATTENDEE;RSVP=TRUE:mailto:bob@x.example",
        "RRULE:FREQ=WEEKLY;COUNT=3",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT30M",
        "END:VALARM",
    ]);
    let organizer = Address { name: Some("Lefèvre, Ann".into()), email: "ann@x.example".into() };
    let expected = Invitation {
        method: InvitationMethod::Request,
        uid: "u@x".into(),
        start: at("2026-07-01").as_utc(),
        end: at("2026-07-03").as_utc(),
        all_day: true,
        zone: None,
        stamp: at("2026-01-01").as_utc(),
        sequence: 2,
        recurrence_id: None,
        recurrence: Some("FREQ=WEEKLY;COUNT=3".into()),
        location: "Room 1, left".into(),
        organizer: Some(organizer),
        response_requested: true,
        no_proposals: true,
        reminder_minutes: Some(30),
        busy: BusyStatus::Free,
        privacy: Privacy::Private,
    };
    assert_eq!(found, expected);
}

#[test]
fn an_instance_is_named_on_the_meetings_own_clock() {
    let id = |start: &str, id: &str| asked(&[start, id]).recurrence_id.unwrap();
    let moment = |text| at(text).as_utc();
    for (start, named, meant) in [
        (
            "DTSTART;TZID=Europe/Berlin:20260708T120000",
            "RECURRENCE-ID;TZID=Europe/Berlin:20260707T120000",
            "2026-07-07T10:00:00",
        ),
        // Where one is a day and the other a time, the day counts.
        (
            "DTSTART;TZID=Europe/Berlin:20260708T120000",
            "RECURRENCE-ID;VALUE=DATE:20260707",
            "2026-07-07T10:00:00",
        ),
        (
            "DTSTART;VALUE=DATE:20260708",
            "RECURRENCE-ID;TZID=Europe/Berlin:20260707T000000",
            "2026-07-07T00:00:00",
        ),
        ("DTSTART:20260708T120000", "RECURRENCE-ID:20260707T120000", "2026-07-07T12:00:00"),
    ] {
        assert_eq!(id(start, named), moment(meant), "{start}, {named}");
    }
    // An instance is no series.
    let rule = "RRULE:FREQ=DAILY";
    let told = asked(&["DTSTART:20260708T120000", "RECURRENCE-ID:20260707T120000", rule]);
    assert_eq!(told.recurrence, None);
}

#[test]
fn the_method_says_what_the_mail_is() {
    let start = "DTSTART:20260701T100000Z";
    let reply = |status: &str| {
        let attendee = format!("ATTENDEE;PARTSTAT={status}:mailto:bob@x.example");
        invitation(&data("REPLY", &[start, &attendee]), None).map(|one| one.method)
    };
    let method = |method| invitation(&data(method, &[start]), None).map(|one| one.method);
    assert_eq!(method("CANCEL"), Some(InvitationMethod::Cancel));
    assert_eq!(method("counter"), Some(InvitationMethod::Counter));
    assert_eq!(method("PUBLISH"), None);
    assert_eq!(reply("ACCEPTED"), Some(InvitationMethod::Accepted));
    assert_eq!(reply("TENTATIVE"), Some(InvitationMethod::Tentative));
    assert_eq!(reply("DECLINED"), Some(InvitationMethod::Declined));
    assert_eq!(reply("NEEDS-ACTION"), None);
    // The data's own counts before that of the part it stands in.
    let silent = object(&[start]);
    assert_eq!(invitation(&silent, None), None);
    let read = |object: &str| invitation(object, Some("cancel")).map(|one| one.method);
    assert_eq!(read(&silent), Some(InvitationMethod::Cancel));
    assert_eq!(read(&data("REQUEST", &[start])), Some(InvitationMethod::Request));
    assert_eq!(invitation(&data("REQUEST", &[]), None), None, "it has no time");
    assert_eq!(invitation("nonsense", Some("REQUEST")), None);
}

#[test]
fn an_answer_is_wanted_where_an_attendee_is_asked_for_one() {
    let wanted = |attendees: &[&str]| {
        asked(&[&["DTSTART:20260701T100000Z"][..], attendees].concat()).response_requested
    };
    assert!(wanted(&[]));
    assert!(wanted(&["ATTENDEE:mailto:a@x", "ATTENDEE;RSVP=TRUE:mailto:b@x"]));
    assert!(!wanted(&["ATTENDEE:mailto:a@x", "ATTENDEE;RSVP=FALSE:mailto:b@x"]));
}

#[test]
fn the_time_is_to_show_as_the_organiser_means_it_to() {
    let busy = |lines: &[&str]| asked(&[&["DTSTART:20260701T100000Z"][..], lines].concat()).busy;
    let word = |name: &str, word: &str| format!("X-MICROSOFT-CDO-{name}:{word}");
    assert_eq!(busy(&[]), BusyStatus::Busy);
    assert_eq!(busy(&["TRANSP:TRANSPARENT"]), BusyStatus::Free);
    assert_eq!(busy(&["STATUS:TENTATIVE"]), BusyStatus::Tentative);
    assert_eq!(busy(&[word("BUSYSTATUS", "OOF").as_str()]), BusyStatus::OutOfOffice);
    // Outlook's own: perhaps, until it is answered.
    for (intended, shown) in [
        ("FREE", BusyStatus::Free),
        ("BUSY", BusyStatus::Busy),
        ("OOF", BusyStatus::OutOfOffice),
        ("WORKINGELSEWHERE", BusyStatus::WorkingElsewhere),
    ] {
        let lines = [word("BUSYSTATUS", "TENTATIVE"), word("INTENDEDSTATUS", intended)];
        assert_eq!(busy(&lines.each_ref().map(|line| line.as_str())), shown, "{intended}");
    }
}

#[test]
fn the_time_of_who_comes_shows_as_the_mail_said() {
    for intended in ["FREE", "TENTATIVE", "BUSY", "OOF", "WORKINGELSEWHERE"] {
        let intended = format!("X-MICROSOFT-CDO-INTENDEDSTATUS:{intended}");
        let lines = [
            "DTSTART:20260701T100000Z",
            "ORGANIZER:mailto:bob@x.example",
            "ATTENDEE;RSVP=TRUE:mailto:ann@x.example",
            "TRANSP:OPAQUE",
            "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE",
            &intended,
        ];
        let answered = |object: &str, says, key| {
            let answer = crate::meetings::answer(says);
            let applied = dme_pim::calendar::respond(object.as_bytes(), &answer, &writing(key));
            String::from_utf8(applied.unwrap().object).unwrap()
        };
        let comes = answered(&object(&lines), Participation::Accepted, "yes");
        assert_eq!(event(&comes).busy, asked(&lines).busy, "{intended}");
        let perhaps = answered(&comes, Participation::Tentative, "maybe");
        assert_eq!(event(&perhaps).busy, BusyStatus::Tentative, "{intended}");
    }
}
