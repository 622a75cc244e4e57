//! Invitations as phones see them.

use super::*;
use dme_model::{Address, Timestamp};

/// Monday, 2026-06-15T08:00:00Z.
fn invitation() -> Invitation {
    let start = Timestamp::from_seconds(1_781_510_400);
    Invitation {
        method: InvitationMethod::Request,
        uid: "{81412D3C-2A24-4E9D-B20E-11F7BBE92799}".into(),
        start,
        end: Timestamp::from_seconds(1_781_514_000),
        all_day: false,
        time_zone: Some("Europe/Berlin".into()),
        stamp: Timestamp::from_seconds(1_781_400_000),
        recurrence_id: None,
        recurrence: None,
        location: "Room 5".into(),
        organizer: Some(Address { name: Some("Ann".into()), email: "ann@example.org".into() }),
        response_requested: true,
        reminder_minutes: Some(15),
        busy: true,
        private: false,
    }
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
    assert_eq!(element.child_text(page::BUSY_STATUS), Some("2"));
    let far = Invitation { reminder_minutes: Some(u32::MAX), ..invitation() };
    let element = super::element(&far, ProtocolVersion::V14_1);
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
            "Type=1 Interval=2 Until=20300101T120000Z DayOfWeek=65 FirstDayOfWeek=0",
        ),
        ("FREQ=MONTHLY", "Type=2 Interval=1 DayOfMonth=15"),
        (
            "FREQ=MONTHLY;BYMONTHDAY=31;UNTIL=20300101",
            "Type=2 Interval=1 Until=20300101T000000Z DayOfMonth=31",
        ),
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
