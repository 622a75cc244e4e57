//! Events as phones of several makes write them.

use super::*;

/// Berlin's rules without names, as Android writes them.
const BERLIN: &str = "xP///wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAKAAAABQADAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMAAAAFAAIAAAAAAAAAxP///w==";

/// The same with Windows' names, as iOS and Outlook write them.
fn berlin_named() -> String {
    use base64::Engine;
    let blob = home().to_blob(NOW);
    base64::engine::general_purpose::STANDARD.encode(blob)
}

#[test]
fn an_appointment_from_ios_in_14_1() {
    let body = Element::parent(base::BODY, texts(&[(base::TYPE, "1"), (base::DATA, "Bring cups")]));
    let mut data = texts(&[
        (page::TIMEZONE, &berlin_named()),
        (page::ALL_DAY_EVENT, "0"),
        (page::BUSY_STATUS, "2"),
        (page::DT_STAMP, "20261201T075500Z"),
        (page::END_TIME, "20261201T100000Z"),
        (page::LOCATION, "Kitchen"),
        (page::REMINDER, "15"),
        (page::SENSITIVITY, "0"),
        (page::SUBJECT, "Tea"),
        (page::START_TIME, "20261201T090000Z"),
        (page::UID, "4C1A1A3E-6A6B-4B0C-9B44-0C8A2B1D7E10"),
        (page::MEETING_STATUS, "0"),
    ]);
    data.push(body);
    let event = add(&data, V14_1).unwrap();
    let expected = Event {
        uid: "4C1A1A3E-6A6B-4B0C-9B44-0C8A2B1D7E10".into(),
        stamp: moment("20261201T075500Z"),
        place: Some("Kitchen".into()),
        reminder: Some(15),
        text: Some(Text::plain("Bring cups")),
        native: Some(BodyKind::Plain),
        ..simple()
    };
    assert_eq!(event, expected);
}

#[test]
fn a_series_from_android_in_14_1() {
    let recurrence = texts(&[
        (page::TYPE, "1"),
        (page::INTERVAL, "2"),
        (page::DAY_OF_WEEK, "10"),
        (page::UNTIL, "20270301T225959Z"),
    ]);
    let mut data = texts(&[
        (page::TIMEZONE, BERLIN),
        (page::ALL_DAY_EVENT, "0"),
        (page::START_TIME, "20261201T090000Z"),
        (page::END_TIME, "20261201T100000Z"),
        (page::DT_STAMP, "20261130T120000Z"),
        (page::SUBJECT, "Tea"),
        (page::SENSITIVITY, "0"),
        (page::BUSY_STATUS, "2"),
        (page::MEETING_STATUS, "0"),
        (page::UID, "u1"),
    ]);
    data.push(Element::parent(page::RECURRENCE, recurrence));
    let event = add(&data, V14_1).unwrap();
    let days = [Weekday::Monday, Weekday::Wednesday];
    let expected = Event {
        recurrence: Some(Recurrence {
            interval: 2,
            by_day: days.map(|day| NthDay { day, nth: None }).to_vec(),
            end: RecurrenceEnd::Until(at("20270301T235959")),
            ..Recurrence::every(Frequency::Weekly)
        }),
        ..simple()
    };
    assert_eq!(event, expected);
}

#[test]
fn a_meeting_from_outlook_in_16_1() {
    let body = texts(&[(base::TYPE, "2"), (base::DATA, "<p>Agenda</p>")]);
    let place = texts(&[
        (base::DISPLAY_NAME, "Café"),
        (base::LATITUDE, "52.5200"),
        (base::LONGITUDE, "13.405"),
    ]);
    let attendee =
        texts(&[(page::EMAIL, "bo@corp.example"), (page::NAME, "Bo"), (page::ATTENDEE_TYPE, "2")]);
    let mut data = texts(&[
        (page::CLIENT_UID, "040000008200E00074C5B7101A82E008"),
        (page::TIMEZONE, &berlin_named()),
        (page::ALL_DAY_EVENT, "0"),
        (page::BUSY_STATUS, "2"),
        (page::DT_STAMP, "20261201T075500Z"),
        (page::END_TIME, "20261201T100000Z"),
        (page::SENSITIVITY, "0"),
        (page::SUBJECT, "Plan"),
        (page::START_TIME, "20261201T090000Z"),
        (page::RESPONSE_REQUESTED, "1"),
        (page::DISALLOW_NEW_TIME_PROPOSAL, "0"),
    ]);
    data.push(Element::parent(base::BODY, body));
    data.push(Element::parent(base::LOCATION, place));
    data.push(Element::parent(page::ATTENDEES, vec![Element::parent(page::ATTENDEE, attendee)]));
    let event = add(&data, V16_1).unwrap();
    let expected = Event {
        uid: "040000008200E00074C5B7101A82E008".into(),
        title: "Plan".into(),
        stamp: moment("20261201T075500Z"),
        place: Some(Place {
            name: "Café".into(),
            latitude: Some(52.52),
            longitude: Some(13.405),
            ..Place::default()
        }),
        attendees: vec![Attendee {
            address: address("Bo", "bo@corp.example"),
            kind: AttendeeKind::Optional,
            participation: Participation::NeedsAction,
            proposal: None,
        }],
        response_requested: true,
        text: Some(Text::whole(BodyKind::Html, "<p>Agenda</p>")),
        native: Some(BodyKind::Html),
        ..simple()
    };
    assert_eq!(event, expected);
}

#[test]
fn a_birthday_from_ios_in_16_1() {
    let data = [
        text(page::ALL_DAY_EVENT, "1"),
        text(page::START_TIME, "20261224T000000Z"),
        text(page::END_TIME, "20261225T000000Z"),
        text(page::SUBJECT, "Ann"),
        Element::parent(
            page::RECURRENCE,
            texts(&[
                (page::TYPE, "5"),
                (page::INTERVAL, "1"),
                (page::DAY_OF_MONTH, "24"),
                (page::MONTH_OF_YEAR, "12"),
                (page::CALENDAR_TYPE, "0"),
                (page::IS_LEAP_MONTH, "0"),
            ]),
        ),
    ];
    let event = add(&data, V16_1).unwrap();
    assert_eq!(event.start, at("20261224T000000"));
    assert_eq!(event.end, at("20261225T000000"));
    assert_eq!((event.zone, event.all_day), (None, true));
    let rule = event.recurrence.unwrap();
    assert_eq!(
        (rule.frequency, rule.by_month, rule.by_month_day),
        (Frequency::Yearly, vec![12], vec![24])
    );
}

#[test]
fn a_single_instance_moved_by_android_in_14_1() {
    let series = Event { exceptions: vec![], ..meeting() };
    let exception = texts(&[
        (page::EXCEPTION_START_TIME, "20261208T090000Z"),
        (page::ALL_DAY_EVENT, "0"),
        (page::START_TIME, "20261208T093000Z"),
        (page::END_TIME, "20261208T103000Z"),
        (page::DT_STAMP, "20261201T080000Z"),
        (page::SUBJECT, "Coffee"),
        (page::LOCATION, "Room 2"),
        (page::SENSITIVITY, "2"),
        (page::BUSY_STATUS, "3"),
        (page::MEETING_STATUS, "1"),
        (page::REMINDER, "15"),
    ]);
    let mut data = told(&series, V14_1);
    data.push(Element::parent(page::EXCEPTIONS, vec![Element::parent(page::EXCEPTION, exception)]));
    let patch = change(&data, V14_1, &series);
    let [exception] = patch.value.exceptions.as_slice() else { panic!("{patch:?}") };
    let InstanceChange::Changed(mut changes) = exception.change.clone() else { panic!() };
    assert!(changes.fields.remove(&EventField::Stamp));
    changes.value.stamp = Timestamp::default();
    assert_eq!(InstanceChange::Changed(changes), changed());
}
