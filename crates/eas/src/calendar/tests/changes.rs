//! What a phone's elements change.

use super::*;
use dme_model::{Invitation, Item, ItemEdit, Mail, MailKind};

/// What a phone of 14.1 sends of `simple()` when it changes nothing.
fn repeated() -> Vec<Element> {
    told(&simple(), V14_1)
}

fn without(mut elements: Vec<Element>, tag: Tag) -> Vec<Element> {
    elements.retain(|element| element.tag != tag);
    elements
}

/// Without any element of this tag, however deep.
fn without_within(elements: Vec<Element>, tag: Tag) -> Vec<Element> {
    let mut elements = without(elements, tag);
    for element in &mut elements {
        if let dme_wbxml::Content::Children(children) = &mut element.content {
            *children = without_within(std::mem::take(children), tag);
        }
    }
    elements
}

fn with(elements: Vec<Element>, element: Element) -> Vec<Element> {
    let mut elements = without(elements, element.tag);
    elements.push(element);
    elements
}

fn fields(patch: &EventPatch) -> Vec<EventField> {
    patch.fields.iter().copied().collect()
}

fn ghosted(data: &[Element], supported: Option<&[Tag]>, present: &Event) -> EventPatch {
    let ghosting = Ghosting::of(supported);
    let writing = Writing::Change { ghosting: &ghosting, present: Some(present) };
    patch_from_elements(data, V14_1, writing, &context(&home())).unwrap()
}

#[test]
fn left_out_of_a_change_an_element_is_deleted_until_14_1_unless_it_is_ghosted() {
    let present = Event { place: Some("Room 1".into()), reminder: Some(15), ..simple() };
    let data = with(repeated(), text(page::SUBJECT, "Coffee"));
    let patch = ghosted(&data, None, &present);
    assert_eq!(fields(&patch), [EventField::Title, EventField::Place, EventField::Reminder]);
    assert_eq!((patch.value.place, patch.value.reminder), (None, None));
    let patch = ghosted(&data, Some(&[page::SUBJECT, page::LOCATION]), &present);
    assert_eq!(fields(&patch), [EventField::Title, EventField::Place]);
    let patch = ghosted(&data, Some(&[]), &present);
    assert_eq!(fields(&patch), [EventField::Title]);
}

#[test]
fn left_out_of_a_change_everything_stays_from_16_0_on() {
    let patch = change(&[text(page::SUBJECT, "Coffee")], V16_1, &meeting());
    assert_eq!(fields(&patch), [EventField::Title]);
    assert_eq!(patch.value.title, "Coffee");
}

#[test]
fn what_is_sent_empty_is_emptied() {
    let data = [
        Element::empty(base::LOCATION),
        Element::empty(page::REMINDER),
        Element::empty(page::CATEGORIES),
        Element::empty(page::ATTENDEES),
        Element::empty(base::BODY),
    ];
    let mut event = meeting();
    change(&data, V16_1, &meeting()).apply(&mut event);
    assert_eq!((event.place, event.reminder, event.text), (None, None, None));
    assert!(event.categories.is_empty() && event.attendees.is_empty());
}

#[test]
fn notes_and_exceptions_stay_when_they_are_left_out() {
    let data = with(told(&meeting(), V14_1), text(page::SUBJECT, "Coffee"));
    let data = without(without(data, base::BODY), page::EXCEPTIONS);
    assert_eq!(fields(&ghosted(&data, None, &meeting())), [EventField::Title]);
}

#[test]
fn a_meeting_of_another_keeps_its_attendees_organiser_and_answer() {
    let present = Event {
        own: false,
        participation: Participation::Tentative,
        replied: Some(NOW),
        ..meeting()
    };
    let data = without(told(&present, V14_1), page::ATTENDEES);
    let data = with(data, text(page::ORGANIZER_EMAIL, "eve@corp.example"));
    let data = with(data, text(page::RESPONSE_TYPE, "4"));
    assert!(ghosted(&data, None, &present).is_empty());
    let own = Event { own: true, ..present };
    assert_eq!(fields(&ghosted(&data, None, &own)), [EventField::Attendees]);
}

#[test]
fn what_a_phone_does_not_say_of_attendees_stays() {
    let attendee = |email| Element::parent(page::ATTENDEE, texts(&[(page::EMAIL, email)]));
    let attendees = vec![attendee("BO@corp.example"), attendee("cy@corp.example")];
    let data = [Element::parent(page::ATTENDEES, attendees)];
    let patch = change(&data, V16_1, &meeting());
    let [bo, cy] = patch.value.attendees.as_slice() else { panic!("{patch:?}") };
    assert_eq!(bo.participation, Participation::Accepted);
    assert!(bo.proposal.is_some());
    assert_eq!(cy.participation, Participation::NeedsAction);
}

#[test]
fn the_organiser_is_not_among_those_who_are_asked() {
    let attendee = |email| Element::parent(page::ATTENDEE, texts(&[(page::EMAIL, email)]));
    let attendees = vec![attendee("Ann@corp.example"), attendee("cy@corp.example")];
    let mut data = vec![Element::parent(page::ATTENDEES, attendees)];
    let asked =
        |event: Event| event.attendees.into_iter().map(|one| one.address.email).collect::<Vec<_>>();
    assert_eq!(asked(change(&data, V16_1, &meeting()).value), ["cy@corp.example"]);
    data.push(text(page::ORGANIZER_EMAIL, "ann@corp.example"));
    assert_eq!(asked(add(&data, V14_1).unwrap()), ["cy@corp.example"]);
}

#[test]
fn a_rule_that_a_phone_cannot_be_told_outlives_its_changes() {
    // Each Friday the 13th, and the 1st and 15th of each month.
    let friday = NthDay { day: Weekday::Friday, nth: None };
    for (by_day, by_month_day) in [(vec![friday], vec![13]), (vec![], vec![1, 15])] {
        let rule = Recurrence { by_day, by_month_day, ..Recurrence::every(Frequency::Monthly) };
        let present = Event { recurrence: Some(rule), ..simple() };
        let data = with(told(&present, V14_1), text(page::SUBJECT, "Coffee"));
        assert_eq!(fields(&change(&data, V14_1, &present)), [EventField::Title]);
    }
}

/// Each second week on Sunday and Monday.
fn second_weeks(first_day: Option<Weekday>) -> Event {
    let days = [Weekday::Sunday, Weekday::Monday];
    let by_day = days.map(|day| NthDay { day, nth: None }).to_vec();
    let weekly = Recurrence::every(Frequency::Weekly);
    let rule = Recurrence { interval: 2, by_day, first_day, ..weekly };
    Event { recurrence: Some(rule), ..simple() }
}

#[test]
fn weeks_begin_on_a_phone_as_the_rule_has_it_and_that_is_no_change_of_it() {
    for (first_day, code) in
        [(None, "1"), (Some(Weekday::Monday), "1"), (Some(Weekday::Sunday), "0")]
    {
        let present = second_weeks(first_day);
        for version in [V14_1, V16_1] {
            let data = told(&present, version);
            let rule = data.iter().find(|element| element.tag == page::RECURRENCE).unwrap();
            assert_eq!(rule.child(page::FIRST_DAY_OF_WEEK).unwrap().as_text(), Some(code));
            assert!(change(&data, version, &present).is_empty(), "{version}: sent back");
            // Some phones do not know the element.
            let silent = without_within(data.clone(), page::FIRST_DAY_OF_WEEK);
            assert!(change(&silent, version, &present).is_empty(), "{version}: left out");
            // What else a phone changes of the rule is all that changes, either way.
            let mut three = received(&data, version).unwrap();
            three.recurrence.as_mut().unwrap().end = RecurrenceEnd::Count(3);
            let data = told(&three, version);
            for data in [without_within(data.clone(), page::FIRST_DAY_OF_WEEK), data] {
                let patch = change(&data, version, &present);
                assert_eq!(fields(&patch), [EventField::Recurrence]);
                let rule = present.recurrence.clone().unwrap();
                let end = RecurrenceEnd::Count(3);
                assert_eq!(patch.value.recurrence, Some(Recurrence { end, ..rule }));
            }
        }
    }
    // Another day on which weeks begin is another rule.
    let (monday, sunday) = (second_weeks(None), second_weeks(Some(Weekday::Sunday)));
    for (present, other) in [(&monday, &sunday), (&sunday, &monday)] {
        let patch = change(&told(other, V14_1), V14_1, present);
        assert_eq!(fields(&patch), [EventField::Recurrence]);
        let first =
            |event: &Event| event.recurrence.as_ref().unwrap().first_day.unwrap_or(Weekday::Monday);
        assert_eq!(first(&patch.value), first(other));
    }
}

#[test]
fn on_which_day_weeks_begin_is_no_change_where_it_decides_nothing() {
    for first_day in [None, Some(Weekday::Sunday)] {
        for frequency in [Frequency::Daily, Frequency::Weekly, Frequency::Monthly] {
            let rule = Recurrence { first_day, ..Recurrence::every(frequency) };
            let present = Event { recurrence: Some(rule), ..simple() };
            let mut data = told(&present, V14_1);
            let rule = data.iter_mut().find(|one| one.tag == page::RECURRENCE).unwrap();
            let mut children = without(rule.children().to_vec(), page::FIRST_DAY_OF_WEEK);
            children.push(text(page::FIRST_DAY_OF_WEEK, "6"));
            *rule = Element::parent(page::RECURRENCE, children);
            assert!(change(&data, V14_1, &present).is_empty(), "{first_day:?}, {frequency:?}");
        }
    }
}

#[test]
fn a_text_known_in_part_or_in_another_form_outlives_changes() {
    let text = Text { truncated: true, full_size: 9_000, ..Text::plain("Tea\r\nand cake  ") };
    let present = Event { text: Some(text), native: Some(BodyKind::Html), ..simple() };
    let body = |content| {
        let body = texts(&[(base::TYPE, "1"), (base::DATA, content)]);
        with(told(&present, V14_1), Element::parent(base::BODY, body))
    };
    assert!(change(&body("Tea\nand cake\n"), V14_1, &present).is_empty());
    let held_back = Text { text: String::new(), ..present.text.clone().unwrap() };
    let unseen = Event { text: Some(held_back), ..present.clone() };
    assert!(change(&body(""), V14_1, &unseen).is_empty(), "nothing was told, nothing is repeated");
    let patch = change(&body("Tea\nand biscuits"), V14_1, &present);
    assert_eq!(fields(&patch), [EventField::Text]);
    assert_eq!(patch.value.native, Some(BodyKind::Plain));
}

#[test]
fn times_may_be_named_one_by_one_from_16_0_on() {
    let time = |data: &[(Tag, &str)]| {
        let patch = change(&texts(data), V16_1, &simple());
        assert_eq!(fields(&patch), [EventField::Time], "{data:?}");
        let Event { start, end, zone, all_day, .. } = patch.value;
        (start, end, zone, all_day)
    };
    let berlin = Some(ZoneId::from("Europe/Berlin"));
    assert_eq!(
        time(&[(page::START_TIME, "20261201T083000Z")]),
        (at("20261201T093000"), at("20261201T110000"), berlin.clone(), false)
    );
    assert_eq!(
        time(&[(page::END_TIME, "20261201T120000Z")]),
        (at("20261201T100000"), at("20261201T130000"), berlin.clone(), false)
    );
    assert_eq!(
        time(&[(page::START_TIME, "20261202T090000Z")]),
        (at("20261202T100000"), at("20261202T110000"), berlin.clone(), false),
        "a begin behind the end moves the event"
    );
    assert_eq!(
        time(&[
            (page::ALL_DAY_EVENT, "1"),
            (page::START_TIME, "20261201T000000Z"),
            (page::END_TIME, "20261202T000000Z")
        ]),
        (at("20261201T000000"), at("20261202T000000"), None, true)
    );
    assert_eq!(
        time(&[(page::ALL_DAY_EVENT, "1")]),
        (at("20261201T000000"), at("20261202T000000"), None, true),
        "the day it is on"
    );
}

#[test]
fn a_zone_that_is_not_told_is_the_events_own_or_the_users() {
    let zeros = "A".repeat(231) + "=";
    for data in [
        texts(&[(page::START_TIME, "20261201T140000Z"), (page::END_TIME, "20261201T150000Z")]),
        texts(&[
            (page::TIMEZONE, &zeros),
            (page::START_TIME, "20261201T140000Z"),
            (page::END_TIME, "20261201T150000Z"),
        ]),
    ] {
        let event = add(&data, V14_1).unwrap();
        assert_eq!(
            (event.zone, event.start),
            (Some("Europe/Berlin".into()), at("20261201T150000"))
        );
        let there = Event { zone: Some("America/New_York".into()), ..simple() };
        let event = change(&data, V14_1, &there).value;
        assert_eq!(event.zone, Some("America/New_York".into()));
        assert_eq!(event.start, at("20261201T090000"));
    }
}

#[test]
fn the_end_of_a_series_is_a_day_or_a_moment() {
    let until = |text, start, end| {
        let rule = texts(&[(page::TYPE, "0"), (page::UNTIL, text)]);
        let mut data = texts(&[(page::START_TIME, start), (page::END_TIME, end)]);
        data.push(Element::parent(page::RECURRENCE, rule));
        add(&data, V14_1).unwrap().recurrence.unwrap().end
    };
    // From ten to eleven in Berlin: the begin of the last, the end of its day, its day alone.
    let times = ("20261201T090000Z", "20261201T100000Z");
    for (text, expected) in [
        ("20270301T090000Z", "20270301T100000"),
        ("20270301T225959Z", "20270301T235959"),
        ("20270301T000000Z", "20270301T100000"),
    ] {
        let end = until(text, times.0, times.1);
        assert_eq!(end, RecurrenceEnd::Until(at(expected)), "{text}");
    }
    // From one o'clock in the night, which is midnight in UTC.
    let end = until("20270301T000000Z", "20261201T000000Z", "20261201T010000Z");
    assert_eq!(end, RecurrenceEnd::Until(at("20270301T010000")));
    let end = until("20270301T230000Z", "20261201T230000Z", "20261201T233000Z");
    assert_eq!(end, RecurrenceEnd::Until(at("20270302T000000")));
}

#[test]
fn midnights_of_another_clock_are_the_day_that_is_meant() {
    let new_york = || told(&Event { zone: Some("America/New_York".into()), ..simple() }, V14_1);
    let new_york = new_york().into_iter().find(|element| element.tag == page::TIMEZONE).unwrap();
    for (start, end, zone) in [
        ("20261223T230000Z", "20261224T230000Z", None),
        // A phone on UTC's clock that tells no zone.
        ("20261224T000000Z", "20261225T000000Z", None),
        // Summer time's midnight in winter.
        ("20261223T220000Z", "20261224T220000Z", None),
        ("20261224T050000Z", "20261225T050000Z", Some(new_york)),
        // Within the day.
        ("20261224T100000Z", "20261224T180000Z", None),
        ("20261224T100000Z", "20261224T100000Z", None),
    ] {
        let mut data =
            texts(&[(page::ALL_DAY_EVENT, "1"), (page::START_TIME, start), (page::END_TIME, end)]);
        data.extend(zone);
        let event = add(&data, V14_1).unwrap();
        let days = (at("20261224T000000"), at("20261225T000000"));
        assert_eq!((event.start, event.end), days, "{start}");
        assert_eq!((event.zone, event.all_day), (None, true));
    }
}

#[test]
fn an_event_without_a_begin_or_an_end_has_one() {
    let times =
        |data: &[(Tag, &str)]| add(&texts(data), V14_1).map(|event| (event.start, event.end));
    // The server's clock shows 09:00 in Berlin.
    assert_eq!(times(&[]), Ok((at("20261201T090000"), at("20261201T093000"))));
    assert_eq!(
        times(&[(page::START_TIME, "20261224T100000Z")]),
        Ok((at("20261224T110000"), at("20261224T113000")))
    );
    assert_eq!(
        times(&[(page::END_TIME, "20261224T100000Z")]),
        Ok((at("20261201T090000"), at("20261224T110000")))
    );
    assert!(times(&[(page::END_TIME, "20200101T000000Z")]).is_err());
    assert_eq!(
        times(&[(page::START_TIME, "20261224T100000Z"), (page::END_TIME, "20261224T090000Z")]),
        Err(crate::Error::Conflict(page::START_TIME, page::END_TIME))
    );
}

#[test]
fn exceptions_name_what_differs_and_no_more() {
    let series = Event { exceptions: vec![], ..meeting() };
    let exception = |children: &[(Tag, &str)]| Element::parent(page::EXCEPTION, texts(children));
    let original = (page::EXCEPTION_START_TIME, "20261208T090000Z");
    let data = with(
        told(&series, V14_1),
        Element::parent(
            page::EXCEPTIONS,
            vec![
                exception(&[original, (page::SUBJECT, "Coffee"), (page::BUSY_STATUS, "3")]),
                exception(&[
                    (page::EXCEPTION_START_TIME, "20261203T090000Z"),
                    (page::DELETED, "1"),
                ]),
                // The same as the series in all.
                exception(&[
                    (page::EXCEPTION_START_TIME, "20261210T090000Z"),
                    (page::SUBJECT, "Tea"),
                    (page::DT_STAMP, "20261130T130000Z"),
                    (page::START_TIME, "20261210T090000Z"),
                    (page::END_TIME, "20261210T100000Z"),
                ]),
            ],
        ),
    );
    let patch = change(&data, V14_1, &series);
    assert_eq!(fields(&patch), [EventField::Exceptions]);
    let [deleted, moved] = patch.value.exceptions.as_slice() else { panic!("{patch:?}") };
    assert_eq!(
        (deleted.original, &deleted.change),
        (at("20261203T100000"), &InstanceChange::Deleted)
    );
    let InstanceChange::Changed(changes) = &moved.change else { panic!("{moved:?}") };
    assert_eq!(fields(changes), [EventField::Title]);
}

#[test]
fn exceptions_that_were_not_told_are_not_lost() {
    let mut series = meeting();
    series.exceptions = (0..300)
        .map(|day| Exception {
            original: series.start.plus_seconds(day * 86_400),
            change: InstanceChange::Deleted,
        })
        .collect();
    let mut data = told(&series, V14_1);
    assert!(change(&data, V14_1, &series).is_empty());
    for element in &mut data {
        if let (page::EXCEPTIONS, dme_wbxml::Content::Children(list)) =
            (element.tag, &mut element.content)
        {
            list.pop();
        }
    }
    let mut after = series.clone();
    change(&data, V14_1, &series).apply(&mut after);
    assert_eq!(after.exceptions, series.exceptions[..299]);
}

#[test]
fn what_of_an_exception_is_repeated_is_as_it_was() {
    let mut series = meeting();
    // Where it cannot be told in full: cut, as one name, as free.
    let value = Event {
        text: Some(Text { truncated: true, full_size: 9_000, ..Text::plain("Bring cups") }),
        place: Some(Place { city: Some("Berne".into()), ..Place::from("Room 2") }),
        busy: BusyStatus::WorkingElsewhere,
        ..Event::default()
    };
    let fields = [EventField::Text, EventField::Place, EventField::Busy];
    let change = InstanceChange::Changed(Box::new(EventPatch::only(fields, &value)));
    series.exceptions = vec![Exception { original: at("20261208T100000"), change: change.clone() }];
    // Another instance is taken out.
    let mut data = without_within(told(&series, V14_1), base::TRUNCATED);
    for element in &mut data {
        if let (page::EXCEPTIONS, dme_wbxml::Content::Children(list)) =
            (element.tag, &mut element.content)
        {
            let out = [(page::EXCEPTION_START_TIME, "20261203T090000Z"), (page::DELETED, "1")];
            list.push(Element::parent(page::EXCEPTION, texts(&out)));
        }
    }
    let patch = self::change(&data, V14_1, &series);
    assert_eq!(self::fields(&patch), [EventField::Exceptions]);
    assert_eq!(patch.value.exceptions.len(), 2);
    assert_eq!(patch.value.exceptions[1].change, change);
}

#[test]
fn an_instance_is_changed_against_what_it_is_now() {
    let edit = |instance, data: &[Element]| {
        instance_from_elements(instance, data, V16_1, &meeting(), &context(&home())).unwrap()
    };
    // The rule's third; and the one that is an exception already, half an hour late.
    for (instance, end) in [("20261210T090000Z", "20261210"), ("20261208T090000Z", "20261208")] {
        let data = [text(page::END_TIME, &format!("{end}T120000Z"))];
        let ItemEdit::Instance { original, patch } = edit(instance, &data) else {
            panic!("{instance}")
        };
        assert_eq!(original, moment(instance));
        assert_eq!(fields(&patch), [EventField::Time]);
        let start = if end == "20261208" { "T103000" } else { "T100000" };
        assert_eq!(patch.value.start, at(&format!("{end}{start}")));
        assert_eq!(patch.value.end, at(&format!("{end}T130000")));
    }
    let dropped = drop_instance("20261210T090000Z", Some(&meeting()), &home()).unwrap();
    assert_eq!(dropped, ItemEdit::DropInstance { original: moment("20261210T090000Z") });
    assert!(drop_instance("tomorrow", None, &home()).is_err());
}

#[test]
fn an_instance_of_a_series_without_a_zone_is_named_by_what_the_users_clock_shows() {
    let floating = Event { zone: None, ..meeting() };
    let shown = at("20261210T100000").as_utc();
    // Ten in Berlin.
    let named = "20261210T090000Z";
    let data = [text(page::SUBJECT, "Coffee")];
    let edit = instance_from_elements(named, &data, V16_1, &floating, &context(&home())).unwrap();
    let ItemEdit::Instance { original: meant, patch } = edit else { panic!("{edit:?}") };
    assert_eq!((meant, fields(&patch)), (shown, vec![EventField::Title]));
    let dropped = drop_instance(named, Some(&floating), &home()).unwrap();
    assert_eq!(dropped, ItemEdit::DropInstance { original: shown });
    let item = Item::Event(Box::new(floating));
    assert_eq!(original(moment(named), &item, V16_1, &home()), shown);
}

#[test]
fn an_instance_that_is_answered_is_known_by_its_day_or_its_moment() {
    let berlin = || Some(ZoneId::from("Europe/Berlin"));
    let event =
        |zone: Option<ZoneId>, all_day| Item::Event(Box::new(Event { zone, all_day, ..meeting() }));
    let mail = |zone: Option<ZoneId>, all_day| {
        let asked = Invitation {
            start: moment("20261201T090000Z"),
            end: moment("20261201T100000Z"),
            zone,
            all_day,
            recurrence: Some("FREQ=DAILY".into()),
            ..Invitation::default()
        };
        let kind = MailKind::Meeting(Box::new(asked));
        Item::Mail(Box::new(Mail { kind, ..Mail::default() }))
    };
    for [timed, floating, days] in [
        [event(berlin(), false), event(None, false), event(None, true)],
        [mail(berlin(), false), mail(None, false), mail(None, true)],
    ] {
        for (asked, version, said, meant) in [
            (&timed, V14_1, "20261208T090000Z", "20261208T090000Z"),
            (&timed, V16_1, "20261208T090000Z", "20261208T090000Z"),
            (&floating, V14_1, "20261208T090000Z", "20261208T100000Z"),
            (&floating, V16_1, "20261208T090000Z", "20261208T100000Z"),
            (&days, V14_1, "20261207T230000Z", "20261208T000000Z"),
            (&days, V16_1, "20261208T000000Z", "20261208T000000Z"),
        ] {
            assert_eq!(original(moment(said), asked, version, &home()), moment(meant));
        }
    }
}

#[test]
fn a_new_time_or_rule_of_a_series_ends_its_exceptions_from_16_0_on() {
    let data = [text(page::START_TIME, "20261201T083000Z")];
    let patch = change(&data, V16_1, &meeting());
    assert_eq!(fields(&patch), [EventField::Time, EventField::Exceptions]);
    assert!(patch.value.exceptions.is_empty());
    let data = told(&meeting(), V16_1);
    assert!(change(&data, V16_1, &meeting()).is_empty(), "the same time is not a new one");
}

#[test]
fn files_are_attached_and_taken_off_from_16_0_on() {
    let patch = EventPatch::of(
        [EventField::Attachments],
        Event {
            attach: vec![NewAttachment {
                name: "plan.txt".into(),
                media_type: "text/plain".into(),
                content_id: None,
                data: Bytes::from_static(b"tea at five"),
            }],
            detach: vec![PartId::new("2")],
            ..Event::default()
        },
    );
    let data = sent(patch_to_elements(&patch, Some(&id()), V16_1, &home()));
    assert_eq!(attachment_client_ids(&data).unwrap(), ["file0"]);
    let read = change(&data, V16_1, &meeting());
    assert_eq!(read.value.attach, patch.value.attach);
    assert_eq!(read.value.detach, patch.value.detach);
    assert!(change(&data, V14_1, &meeting()).value.attach.is_empty());
}

#[test]
fn a_new_event_has_what_the_phone_says_and_defaults_for_the_rest() {
    let event = add(
        &texts(&[
            (page::CLIENT_UID, "C1"),
            (page::SUBJECT, "Tea"),
            (page::START_TIME, "20261201T090000Z"),
            (page::END_TIME, "20261201T100000Z"),
            (page::ORGANIZER_EMAIL, "eve@corp.example"),
        ]),
        V16_1,
    )
    .unwrap();
    let expected = Event { uid: "C1".into(), stamp: NOW, ..simple() };
    assert_eq!(event, expected, "no phone of 16.0 or later says who organises");
}

#[test]
fn what_a_value_must_be_is_said_with_its_element() {
    let cases: &[(Tag, &str, &str)] = &[
        (page::START_TIME, "tomorrow", "a date and time"),
        (page::BUSY_STATUS, "7", "0 to 4"),
        (page::SENSITIVITY, "private", "0 to 3"),
        (page::MEETING_STATUS, "x", "0 to 15"),
        (page::REMINDER, "-5", "minutes before the begin"),
        (page::ALL_DAY_EVENT, "2", "0 or 1"),
        (page::TIMEZONE, "!", "a time zone in base64"),
        (page::RESPONSE_TYPE, "9", "0 to 5"),
    ];
    for (tag, value, expected) in cases {
        let error = add(&[text(*tag, value)], V14_1);
        assert_eq!(error, Err(crate::Error::Value { element: *tag, expected }), "{value}");
    }
    let nowhere = Element::parent(page::ATTENDEE, texts(&[(page::NAME, "Bo")]));
    let error = add(&[Element::parent(page::ATTENDEES, vec![nowhere])], V14_1);
    let missing = crate::Error::Missing { parent: page::ATTENDEE, element: page::EMAIL };
    assert_eq!(error, Err(missing));
    let latitude = Element::parent(base::LOCATION, texts(&[(base::LATITUDE, "NaN")]));
    assert!(add(&[latitude], V16_1).is_err());
    assert!(
        add(&[text(page::BODY, "old"), text(Tag { page: 4, token: 0x3F }, "x")], V14_1).is_ok()
    );
}

#[test]
fn too_much_is_refused() {
    let many = |list, one, count| Element::parent(list, vec![Element::empty(one); count]);
    for element in [
        many(page::ATTENDEES, page::ATTENDEE, 5_001),
        many(page::EXCEPTIONS, page::EXCEPTION, 1_001),
        many(page::CATEGORIES, page::CATEGORY, 301),
        many(base::ATTACHMENTS, base::ADD, 1_001),
    ] {
        let error = add(std::slice::from_ref(&element), V16_1);
        assert!(matches!(error, Err(crate::Error::TooMany { .. })), "{:?}", element.tag.name());
    }
    let long = text(page::UID, &"u".repeat(1_025));
    assert!(add(&[long], V14_1).is_err());
}
