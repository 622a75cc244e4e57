//! Invitations as phones see them.

use super::*;
use dme_model::{Address, BusyStatus, Privacy, ZoneId};

/// Monday, 2026-06-15T08:00:00Z.
fn invitation() -> Invitation {
    let start = Timestamp::from_seconds(1_781_510_400);
    Invitation {
        method: InvitationMethod::Request,
        uid: "{81412D3C-2A24-4E9D-B20E-11F7BBE92799}".into(),
        start,
        end: Timestamp::from_seconds(1_781_514_000),
        zone: Some("Europe/Berlin".into()),
        stamp: Timestamp::from_seconds(1_781_400_000),
        location: "Room 5".into(),
        organizer: Some(Address { name: Some("Ann".into()), email: "ann@example.org".into() }),
        response_requested: true,
        reminder_minutes: Some(15),
        ..Invitation::default()
    }
}

fn zone(name: &str) -> Zone {
    Zone::of(&ZoneId::from(name)).unwrap()
}

/// As a phone of somebody in that zone is told it.
fn told_in(home: &str, invitation: &Invitation, version: ProtocolVersion) -> Element {
    let context = Context { home: &zone(home), now: invitation.stamp };
    super::element(invitation, version, &context)
}

fn element(invitation: &Invitation, version: ProtocolVersion) -> Element {
    told_in("Asia/Tokyo", invitation, version)
}

fn names(element: &Element) -> Vec<&'static str> {
    element.children().iter().map(|child| child.tag.name().unwrap()).collect()
}

#[test]
fn the_elements_are_those_of_the_version_in_the_order_of_its_schema() {
    let start = [
        "AllDayEvent",
        "StartTime",
        "DtStamp",
        "EndTime",
        "InstanceType",
        "Location",
        "Organizer",
        "Reminder",
        "ResponseRequested",
        "Sensitivity",
        "BusyStatus",
        "TimeZone",
    ];
    for (version, rest) in [
        (ProtocolVersion::V12_1, &["GlobalObjId"][..]),
        (ProtocolVersion::V14_0, &["GlobalObjId", "DisallowNewTimeProposal"]),
        (ProtocolVersion::V14_1, &["GlobalObjId", "DisallowNewTimeProposal", "MeetingMessageType"]),
        (ProtocolVersion::V16_0, &["DisallowNewTimeProposal", "MeetingMessageType", "UID"]),
    ] {
        let element = element(&invitation(), version);
        assert_eq!(names(&element), [&start, rest].concat(), "{version}");
    }
}

#[test]
fn times_are_written_in_full_and_the_reminder_in_seconds() {
    let element = element(&invitation(), ProtocolVersion::V14_1);
    assert_eq!(element.child_text(page::START_TIME), Some("2026-06-15T08:00:00.000Z"));
    assert_eq!(element.child_text(page::REMINDER), Some("900"));
    let far = Invitation { reminder_minutes: Some(u32::MAX), ..invitation() };
    let element = told_in("Asia/Tokyo", &far, ProtocolVersion::V14_1);
    assert_eq!(element.child_text(page::REMINDER), Some("65535"));
}

#[test]
fn from_16_0_on_the_location_has_a_name_within() {
    let element = element(&invitation(), ProtocolVersion::V16_0);
    let location = element.child(air_sync_base::LOCATION).unwrap();
    assert_eq!(location.child_text(air_sync_base::DISPLAY_NAME), Some("Room 5"));
}

#[test]
fn the_documents_own_global_object_id_is_made() {
    // The example MS-ASEMAIL gives of turning one into the other.
    let element = element(&invitation(), ProtocolVersion::V12_1);
    assert_eq!(
        element.child_text(page::GLOBAL_OBJ_ID),
        Some(
            "BAAAAIIA4AB0xbcQGoLgCAAAAAAAAAAAAAAAAAAAAAAAAAAAMwAAAHZDYWwtVWlkAQAAAHs4MTQxMkQzQy0yQTI0\
             LTRFOUQtQjIwRS0xMUY3QkJFOTI3OTl9AA=="
        )
    );
}

#[test]
fn a_uid_that_outlook_made_is_the_global_object_id_itself() {
    let uid = "040000008200E00074C5B7101A82E00800000000305D2A3A06FAC6010000000000000000\
        1000000079F6C0B0B0B0B0B0B0B0B0B0B0B0B0B0";
    let instance = Timestamp::from_seconds(1_206_403_200);
    let meeting = Invitation { uid: uid.into(), recurrence_id: Some(instance), ..invitation() };
    let id = global_object_id(&meeting);
    assert_eq!(id.len(), uid.len() / 2);
    assert_eq!(id[..16], CLASS_ID);
    // 2008-03-25.
    assert_eq!(id[16..20], [0x07, 0xD8, 0x03, 0x19]);
    assert_eq!(id[20..24], [0x30, 0x5D, 0x2A, 0x3A]);
}

#[test]
fn one_event_a_series_and_an_instance_are_told_apart() {
    let one = invitation();
    let series = Invitation { recurrence: Some("FREQ=DAILY".into()), ..invitation() };
    let instance = Invitation { recurrence_id: Some(one.start), ..invitation() };
    let beyond = Invitation { recurrence: Some("FREQ=HOURLY".into()), ..invitation() };
    for (meeting, kind) in [(one, "0"), (series, "1"), (instance, "3"), (beyond, "0")] {
        let element = element(&meeting, ProtocolVersion::V14_1);
        assert_eq!(element.child_text(page::INSTANCE_TYPE), Some(kind));
    }
}

/// What `Recurrence` says, as `Name=value`, without the calendar type.
fn rule(rule: &str) -> Option<String> {
    let series = Invitation { recurrence: Some(rule.into()), ..invitation() };
    let element = element(&series, ProtocolVersion::V14_1);
    let recurrence = element.child(page::RECURRENCES)?.child(page::RECURRENCE)?;
    let parts = recurrence.children().iter().filter(|part| part.tag != email2::CALENDAR_TYPE);
    let parts = parts.map(|part| format!("{}={}", part.tag, part.as_text().unwrap()));
    Some(parts.collect::<Vec<_>>().join(" "))
}

#[test]
fn rules_are_said_in_the_protocols_terms() {
    for (text, expected) in [
        ("FREQ=DAILY", "Type=0 Interval=1"),
        ("FREQ=DAILY;INTERVAL=3;COUNT=5", "Type=0 Interval=3 Occurrences=5"),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "Type=1 Interval=1 DayOfWeek=62 FirstDayOfWeek=1"),
        ("FREQ=WEEKLY", "Type=1 Interval=1 DayOfWeek=2 FirstDayOfWeek=1"),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,SA;WKST=SU;UNTIL=20300101T120000Z",
            "Type=1 Interval=2 Until=20300101T090000Z DayOfWeek=65 FirstDayOfWeek=0",
        ),
        ("FREQ=MONTHLY", "Type=2 Interval=1 DayOfMonth=15"),
        (
            "FREQ=MONTHLY;BYMONTHDAY=31;UNTIL=20300101",
            "Type=2 Interval=1 Until=20300101T090000Z DayOfMonth=31",
        ),
        // The last instance begins the day before.
        ("FREQ=DAILY;UNTIL=20300101T093000", "Type=0 Interval=1 Until=20291231T090000Z"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "Type=3 Interval=1 WeekOfMonth=5 DayOfWeek=127"),
        ("FREQ=MONTHLY;BYDAY=2TU", "Type=3 Interval=1 WeekOfMonth=2 DayOfWeek=4"),
        ("FREQ=MONTHLY;BYDAY=MO", "Type=1 Interval=1 DayOfWeek=2 FirstDayOfWeek=1"),
        // The one of several on which it begins.
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", "Type=2 Interval=1 DayOfMonth=15"),
        ("FREQ=MONTHLY;BYDAY=1MO,2TU", "Type=3 Interval=1 WeekOfMonth=1 DayOfWeek=2"),
        ("FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1", "Type=3 Interval=1 WeekOfMonth=5 DayOfWeek=32"),
        ("FREQ=YEARLY", "Type=5 Interval=1 DayOfMonth=15 MonthOfYear=6"),
        (
            "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
            "Type=6 Interval=1 WeekOfMonth=4 DayOfWeek=16 MonthOfYear=11",
        ),
    ] {
        assert_eq!(rule(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn rules_the_protocol_cannot_say_are_left_out() {
    for text in [
        "",
        "FREQ=SECONDLY",
        "FREQ=MONTHLY;BYDAY=-2MO",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "FREQ=YEARLY;BYWEEKNO=20",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=WEEKLY;BYDAY=é",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;UNTIL=soon",
        "INTERVAL=2",
        "nonsense",
    ] {
        assert_eq!(rule(text), None, "{text}");
    }
}

#[test]
fn a_meeting_without_a_zone_is_on_the_users_own_clock() {
    // Eight, wherever somebody is; the series' second instance.
    let eight = invitation().start;
    let next = Timestamp::from_seconds(eight.as_seconds() + 86_400);
    let floating = Invitation { zone: None, recurrence_id: Some(next), ..invitation() };
    for (home, start, end, instance) in [
        ("Europe/Berlin", "2026-06-15T06", "2026-06-15T07", "2026-06-16T06"),
        ("America/New_York", "2026-06-15T12", "2026-06-15T13", "2026-06-16T12"),
        ("Asia/Tokyo", "2026-06-14T23", "2026-06-15T00", "2026-06-15T23"),
    ] {
        for version in ProtocolVersion::ALL {
            let told = told_in(home, &floating, version);
            for (tag, hour) in
                [(page::START_TIME, start), (page::END_TIME, end), (page::RECURRENCE_ID, instance)]
            {
                let expected = format!("{hour}:00:00.000Z");
                assert_eq!(told.child_text(tag), Some(&*expected), "{home}, {version}");
            }
            let blob = STANDARD.encode(zone(home).to_blob(eight));
            assert_eq!(told.child_text(page::TIME_ZONE), Some(&*blob), "{home}, {version}");
        }
    }
}

#[test]
fn whole_days_are_the_users_own_and_from_16_0_on_days_alone() {
    let midnight = Timestamp::from_seconds(1_781_481_600);
    let days = Invitation {
        start: midnight,
        end: Timestamp::from_seconds(midnight.as_seconds() + 2 * 86_400),
        all_day: true,
        zone: None,
        recurrence_id: Some(midnight),
        ..invitation()
    };
    for (home, start, end) in [
        ("Europe/Berlin", "2026-06-14T22", "2026-06-16T22"),
        ("America/New_York", "2026-06-15T04", "2026-06-17T04"),
    ] {
        for version in ProtocolVersion::ALL {
            let alone = version >= ProtocolVersion::V16_0;
            let (start, end, clock) = match alone {
                true => ("2026-06-15T00", "2026-06-17T00", Zone::utc()),
                false => (start, end, zone(home)),
            };
            let told = told_in(home, &days, version);
            assert_eq!(told.child_text(page::ALL_DAY_EVENT), Some("1"));
            for (tag, hour) in
                [(page::START_TIME, start), (page::END_TIME, end), (page::RECURRENCE_ID, start)]
            {
                let expected = format!("{hour}:00:00.000Z");
                assert_eq!(told.child_text(tag), Some(&*expected), "{home}, {version}");
            }
            let blob = STANDARD.encode(clock.to_blob(midnight));
            assert_eq!(told.child_text(page::TIME_ZONE), Some(&*blob), "{home}, {version}");
        }
    }
}

#[test]
fn what_the_organiser_wants_is_told() {
    let version = ProtocolVersion::V14_1;
    for (no_proposals, code) in [(false, "0"), (true, "1")] {
        let meeting = Invitation { no_proposals, ..invitation() };
        let told = element(&meeting, version);
        assert_eq!(told.child_text(page::DISALLOW_NEW_TIME_PROPOSAL), Some(code));
    }
    for (busy, code, before_16) in [
        (BusyStatus::Free, "0", "0"),
        (BusyStatus::Tentative, "1", "1"),
        (BusyStatus::Busy, "2", "2"),
        (BusyStatus::OutOfOffice, "3", "3"),
        (BusyStatus::WorkingElsewhere, "4", "0"),
    ] {
        let meeting = Invitation { busy, ..invitation() };
        let told = element(&meeting, ProtocolVersion::V16_0);
        assert_eq!(told.child_text(page::BUSY_STATUS), Some(code));
        let told = element(&meeting, version);
        assert_eq!(told.child_text(page::BUSY_STATUS), Some(before_16));
    }
    for (privacy, code) in [
        (Privacy::Normal, "0"),
        (Privacy::Personal, "1"),
        (Privacy::Private, "2"),
        (Privacy::Confidential, "3"),
    ] {
        let told = element(&Invitation { privacy, ..invitation() }, version);
        assert_eq!(told.child_text(page::SENSITIVITY), Some(code));
    }
}

#[test]
fn a_first_request_is_told_from_a_later_one_and_from_what_asks_nothing() {
    for (method, sequence, code) in [
        (InvitationMethod::Request, 0, "1"),
        (InvitationMethod::Request, 3, "2"),
        (InvitationMethod::Cancel, 0, "0"),
        (InvitationMethod::Cancel, 3, "0"),
    ] {
        let meeting = Invitation { method, sequence, ..invitation() };
        let told = element(&meeting, ProtocolVersion::V14_1);
        assert_eq!(told.child_text(email2::MEETING_MESSAGE_TYPE), Some(code));
    }
}
