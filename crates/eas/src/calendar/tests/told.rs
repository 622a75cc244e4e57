//! What a phone of each version is told.

use super::*;

fn value(elements: &[Element], tag: Tag) -> Option<&str> {
    elements.iter().find(|element| element.tag == tag).and_then(Element::as_text)
}

#[test]
fn elements_are_in_the_order_of_the_document() {
    let expected = [
        "Timezone",
        "AllDayEvent",
        "Body",
        "BusyStatus",
        "OrganizerName",
        "OrganizerEmail",
        "DtStamp",
        "EndTime",
        "Location",
        "Reminder",
        "Sensitivity",
        "Subject",
        "StartTime",
        "UID",
        "MeetingStatus",
        "Attendees",
        "Categories",
        "Recurrence",
        "Exceptions",
        "ResponseRequested",
        "ResponseType",
        "DisallowNewTimeProposal",
        "NativeBodyType",
        "OnlineMeetingConfLink",
        "OnlineMeetingExternalLink",
        "Attachments",
    ];
    assert_eq!(names(&told(&meeting(), V16_1)), expected);
    let exception = meeting_exception(V16_1, 1);
    assert_eq!(
        names(exception.children()),
        ["Subject", "StartTime", "EndTime", "Location", "AllDayEvent", "UID", "InstanceId"]
    );
    let exception = meeting_exception(V14_1, 1);
    assert_eq!(
        names(exception.children()),
        ["ExceptionStartTime", "Subject", "StartTime", "EndTime", "Location", "AllDayEvent"]
    );
}

fn meeting_exception(version: ProtocolVersion, place: usize) -> Element {
    let elements = told(&meeting(), version);
    let exceptions = elements.iter().find(|element| element.tag == page::EXCEPTIONS);
    exceptions.unwrap().children()[place].clone()
}

#[test]
fn each_version_is_told_what_it_knows() {
    for (tag, since, until) in [
        (page::RESPONSE_REQUESTED, V14_0, V16_1),
        (page::RESPONSE_TYPE, V14_0, V16_1),
        (page::DISALLOW_NEW_TIME_PROPOSAL, V14_0, V16_1),
        (page::ONLINE_MEETING_CONF_LINK, V14_1, V16_1),
        (page::ONLINE_MEETING_EXTERNAL_LINK, V14_1, V16_1),
        (page::LOCATION, V12_1, V14_1),
        (base::LOCATION, V16_0, V16_1),
        (base::ATTACHMENTS, V16_0, V16_1),
        (base::NATIVE_BODY_TYPE, V12_1, V16_1),
        (page::UID, V12_1, V16_1),
    ] {
        for version in ProtocolVersion::ALL {
            let is_there = told(&meeting(), version).iter().any(|element| element.tag == tag);
            let expected = since <= version && version <= until;
            assert_eq!(is_there, expected, "{:?} in {version}", tag.name());
        }
    }
    let proposed = |version| {
        let elements = told(&meeting(), version);
        let attendees = elements.iter().find(|element| element.tag == page::ATTENDEES).unwrap();
        names(attendees.children()[0].children()).contains(&"ProposedStartTime")
    };
    assert!(proposed(V16_1) && !proposed(V16_0));
}

#[test]
fn a_timed_event_is_told_in_utc_with_its_zone() {
    let elements = told(&simple(), V14_1);
    assert_eq!(value(&elements, page::START_TIME), Some("20261201T090000Z"));
    assert_eq!(value(&elements, page::END_TIME), Some("20261201T100000Z"));
    let zone = value(&elements, page::TIMEZONE).unwrap();
    // Sixty minutes east of UTC are a bias of -60.
    assert!(zone.starts_with("xP///") && zone.len() == 232, "{zone}");
}

#[test]
fn an_old_series_is_told_with_the_rules_that_hold_now() {
    let blob = |zone: &str, start: &str| {
        let start = at(start);
        let event = Event {
            start,
            end: start.plus_seconds(3_600),
            zone: Some(zone.into()),
            recurrence: Some(Recurrence::every(Frequency::Daily)),
            ..simple()
        };
        value(&told(&event, V14_1), page::TIMEZONE).unwrap().to_owned()
    };
    let rules = |zone: &str, when: &str| {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(super::zone(zone).to_blob(moment(when)))
    };
    let now = "20261201T080000Z";
    // Mexico gave up summer time in 2022.
    let mexico = "America/Mexico_City";
    assert_ne!(rules(mexico, "20210115T160000Z"), rules(mexico, now));
    assert_eq!(blob(mexico, "20210115T100000"), rules(mexico, now));
    let old = Event {
        start: at("20210115T100000"),
        end: at("20210115T110000"),
        zone: Some("America/Monterrey".into()),
        recurrence: Some(Recurrence::every(Frequency::Daily)),
        ..simple()
    };
    let data = told(&old, V14_1).into_iter().map(|element| match element.tag {
        page::END_TIME => text(page::END_TIME, "20210115T173000Z"),
        _ => element,
    });
    let patch = change(&data.collect::<Vec<_>>(), V14_1, &old);
    assert_eq!(patch.value.zone, old.zone, "and by them its own zone is known again");
    // By the present rules it would have begun at nine.
    assert_eq!(blob(mexico, "20210715T100000"), rules(mexico, "20210715T150000Z"));
    // A single event is told with those of its own time.
    let single = Event { zone: Some(mexico.into()), start: at("20210115T100000"), ..simple() };
    let told = told(&Event { end: single.start, ..single }, V14_1);
    assert_eq!(value(&told, page::TIMEZONE), Some(&*rules(mexico, "20210115T160000Z")));
}

#[test]
fn whole_days_are_midnights_of_the_user_until_14_1_and_days_from_16_0_on() {
    let holiday = Event {
        start: at("20261224T000000"),
        end: at("20261227T000000"),
        zone: None,
        all_day: true,
        ..simple()
    };
    for (version, start, end, zone) in [
        (V12_1, "20261223T230000Z", "20261226T230000Z", true),
        (V14_1, "20261223T230000Z", "20261226T230000Z", true),
        (V16_0, "20261224T000000Z", "20261227T000000Z", false),
        (V16_1, "20261224T000000Z", "20261227T000000Z", false),
    ] {
        let elements = told(&holiday, version);
        assert_eq!(value(&elements, page::START_TIME), Some(start), "{version}");
        assert_eq!(value(&elements, page::END_TIME), Some(end), "{version}");
        assert_eq!(value(&elements, page::TIMEZONE).is_some(), zone, "{version}");
        assert_eq!(received(&elements, version).unwrap(), holiday, "{version}");
    }
}

#[test]
fn the_numbers_of_a_meeting_are_those_of_the_document() {
    let of = |change: fn(&mut Event)| {
        let mut event = Event { recurrence: None, exceptions: vec![], ..meeting() };
        change(&mut event);
        let elements = told(&event, V14_1);
        let number = |tag| value(&elements, tag).unwrap().parse::<u8>().unwrap();
        (number(page::MEETING_STATUS), number(page::RESPONSE_TYPE))
    };
    assert_eq!(of(|_| {}), (1, 1), "the user organises");
    assert_eq!(of(|event| event.attendees.clear()), (0, 0), "an appointment");
    assert_eq!(of(|event| event.status = EventStatus::Cancelled), (5, 1));
    for (participation, response) in [
        (Participation::Accepted, 3),
        (Participation::Tentative, 2),
        (Participation::Declined, 4),
        (Participation::NeedsAction, 5),
    ] {
        let mut event = Event { own: false, participation, ..meeting() };
        let elements = told(&event, V14_1);
        assert_eq!(value(&elements, page::MEETING_STATUS), Some("3"));
        assert_eq!(value(&elements, page::RESPONSE_TYPE), Some(&*response.to_string()));
        event.status = EventStatus::Cancelled;
        assert_eq!(value(&told(&event, V14_1), page::MEETING_STATUS), Some("7"));
    }
}

#[test]
fn working_elsewhere_shows_as_free_where_there_is_no_word_for_it() {
    let event = Event { busy: BusyStatus::WorkingElsewhere, ..simple() };
    assert_eq!(value(&told(&event, V16_0), page::BUSY_STATUS), Some("4"));
    assert_eq!(value(&told(&event, V14_1), page::BUSY_STATUS), Some("0"));
}

#[test]
fn the_end_of_a_series_is_told_as_the_latest_begin_of_its_last_instance() {
    for (until, expected) in [
        ("20270301T100000", "20270301T090000Z"),
        ("20270301T235959", "20270301T090000Z"),
        ("20270301T095959", "20270228T090000Z"),
        ("20270301T000000", "20270228T090000Z"),
    ] {
        let end = RecurrenceEnd::Until(at(until));
        let rule = Recurrence { end, ..Recurrence::every(Frequency::Daily) };
        let event = Event { recurrence: Some(rule), ..simple() };
        let elements = told(&event, V14_1);
        let rule = elements.iter().find(|element| element.tag == page::RECURRENCE).unwrap();
        assert_eq!(rule.child_text(page::UNTIL), Some(expected), "{until}");
        assert!(change(&elements, V14_1, &event).is_empty(), "repeated it is no change");
    }
}

#[test]
fn a_deleted_instance_is_told_by_when_it_would_have_begun() {
    let exception = meeting_exception(V14_1, 0);
    assert_eq!(names(exception.children()), ["Deleted", "ExceptionStartTime"]);
    assert_eq!(exception.child_text(page::EXCEPTION_START_TIME), Some("20261203T090000Z"));
    let exception = meeting_exception(V16_1, 0);
    assert_eq!(names(exception.children()), ["Deleted", "UID", "InstanceId"]);
    assert_eq!(exception.child_text(base::INSTANCE_ID), Some("20261203T090000Z"));
}

#[test]
fn no_more_exceptions_are_told_than_the_document_allows_and_of_more_the_latest() {
    let mut series = meeting();
    series.exceptions = (0..300)
        .map(|day| Exception {
            original: series.start.plus_seconds(day * 86_400),
            change: InstanceChange::Deleted,
        })
        .collect();
    let elements = told(&series, V14_1);
    let exceptions = elements.iter().find(|element| element.tag == page::EXCEPTIONS).unwrap();
    assert_eq!(exceptions.children().len(), 256);
    let read = received(&elements, V14_1).unwrap().exceptions;
    assert_eq!(read.last(), series.exceptions.last());
}

#[test]
fn a_place_without_a_name_is_told_by_its_address() {
    let place =
        Place { street: Some("Main St 1".into()), city: Some("Berne".into()), ..Place::default() };
    let event = Event { place: Some(place), ..simple() };
    assert_eq!(value(&told(&event, V14_1), page::LOCATION), Some("Main St 1, Berne"));
}

#[test]
fn a_floating_time_is_told_on_the_users_clock() {
    let event = Event { zone: None, ..simple() };
    assert_eq!(value(&told(&event, V14_1), page::START_TIME), Some("20261201T090000Z"));
    let unknown = Event { zone: Some("Nowhere/At_All".into()), ..simple() };
    assert_eq!(value(&told(&unknown, V14_1), page::START_TIME), Some("20261201T090000Z"));
}

#[test]
fn the_text_of_an_event_is_its_body_and_says_where_it_was_cut() {
    let text = Text { truncated: true, full_size: 9_000, ..Text::plain("Tea") };
    let event = Event { text: Some(text), native: Some(BodyKind::Html), ..simple() };
    let elements = told(&event, V14_1);
    let body = elements.iter().find(|element| element.tag == base::BODY).unwrap();
    assert_eq!(
        body.children(),
        texts(&[
            (base::TYPE, "1"),
            (base::ESTIMATED_DATA_SIZE, "9000"),
            (base::TRUNCATED, "1"),
            (base::DATA, "Tea"),
        ])
    );
    assert_eq!(value(&elements, base::NATIVE_BODY_TYPE), Some("2"));
    assert_eq!(received(&elements, V14_1).unwrap(), event);
}

#[test]
fn everything_told_of_a_meeting_is_read_back() {
    let read = received(&told(&meeting(), V16_1), V16_1).unwrap();
    assert_eq!(read, meeting());
}

#[test]
fn files_of_one_exception_are_told_with_it_from_16_0_on() {
    let own = |attachments| {
        let value = Event { attachments, ..Event::default() };
        let patch = EventPatch::of([EventField::Attachments], value);
        InstanceChange::Changed(Box::new(patch))
    };
    let at = |day: &str, change| Exception { original: at(day), change };
    let mut series = meeting();
    let file = Attachment { part: PartId::new("7"), ..series.attachments[0].clone() };
    series.exceptions = vec![
        at("20261203T100000", own(vec![file])),
        at("20261208T100000", own(vec![])),
        at("20261210T100000", changed()),
    ];
    let files = |version| -> Vec<Option<usize>> {
        let elements = told(&series, version);
        let exceptions = elements.iter().find(|one| one.tag == page::EXCEPTIONS).unwrap();
        let of = |one: &Element| one.child(base::ATTACHMENTS).map(|files| files.children().len());
        exceptions.children().iter().map(of).collect()
    };
    // An empty list: none of the series' files.
    assert_eq!(files(V16_1), [Some(1), Some(0), None]);
    assert_eq!(files(V14_1), [None, None, None]);
    let elements = told(&series, V16_1);
    let exceptions = elements.iter().find(|one| one.tag == page::EXCEPTIONS).unwrap();
    let file = &exceptions.children()[0].child(base::ATTACHMENTS).unwrap().children()[0];
    let reference = file.child(base::FILE_REFERENCE).and_then(Element::as_text).unwrap();
    let expected = crate::server_id::FileReference { item: id(), part: PartId::new("7") };
    assert_eq!(reference, expected.to_string());
}
