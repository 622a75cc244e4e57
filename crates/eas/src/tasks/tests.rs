use super::*;
use crate::Ghosting;
use dme_model::{
    BodyKind, Frequency, Importance, NthDay, Privacy, Recurrence, RecurrenceEnd, Text, Weekday,
    ZoneId,
};
use proptest::prelude::*;

fn home() -> Zone {
    Zone::of(&ZoneId::from("Europe/Berlin")).unwrap()
}

const NOW: Timestamp = Timestamp::from_seconds(1_796_112_000);
const NEWEST: ProtocolVersion = ProtocolVersion::V16_1;

fn at(text: &str) -> LocalTime {
    clock_reading(date::parse(text).unwrap())
}

/// A task with everything.
fn task() -> Task {
    Task {
        title: "Write the report".into(),
        start: Some(at("20261201T000000")),
        due: Some(at("20261204T000000")),
        whole_days: true,
        recurrence: Some(Recurrence {
            by_day: vec![NthDay { day: Weekday::Tuesday, nth: None }],
            end: RecurrenceEnd::Until(at("20270301T000000")),
            ..Recurrence::every(Frequency::Weekly)
        }),
        regeneration: Regeneration { regenerate: true, dead: false },
        importance: Importance::High,
        privacy: Privacy::Private,
        categories: vec!["Work".into()],
        reminder: Some(date::parse("20261204T080000Z").unwrap()),
        ordinal: Some(NOW),
        sub_ordinal: Some("5".into()),
        complete: true,
        completed: Some(NOW),
        native: Some(BodyKind::Plain),
        text: Some(Text::plain("Ten pages")),
        ..Task::default()
    }
}

fn change(data: &[Element], present: &Task) -> TaskPatch {
    let ghosting = Ghosting::default();
    let writing = Writing::Change { ghosting: &ghosting, present: Some(present) };
    patch_from_elements(data, NEWEST, writing, &home(), NOW).unwrap()
}

fn add(children: &[(Tag, &str)]) -> Result<Task> {
    let data: Vec<_> = children.iter().map(|(tag, text)| Element::text(*tag, *text)).collect();
    patch_from_elements(&data, NEWEST, Writing::Add, &home(), NOW).map(|patch| patch.value)
}

#[test]
fn elements_are_in_one_order_and_read_back() {
    let elements = to_elements(&task(), NEWEST, &home());
    let names: Vec<_> = elements.iter().filter_map(|element| element.tag.name()).collect();
    assert_eq!(
        names,
        [
            "Subject",
            "Importance",
            "UtcStartDate",
            "StartDate",
            "UtcDueDate",
            "DueDate",
            "Categories",
            "Recurrence",
            "Complete",
            "DateCompleted",
            "Sensitivity",
            "ReminderSet",
            "ReminderTime",
            "OrdinalDate",
            "SubOrdinalDate",
            "Body",
            "NativeBodyType",
        ]
    );
    let rule = elements.iter().find(|element| element.tag == page::RECURRENCE).unwrap();
    let names: Vec<_> = rule.children().iter().filter_map(|element| element.tag.name()).collect();
    assert_eq!(names, ["Type", "Start", "Interval", "Until", "DayOfWeek", "Regenerate"]);
    assert_eq!(from_elements(&elements, &home()), Ok(task()));
}

#[test]
fn days_are_the_users_and_told_in_utc_beside() {
    let elements = to_elements(&task(), NEWEST, &home());
    let value =
        |tag| elements.iter().find(|element| element.tag == tag).unwrap().as_text().unwrap();
    assert_eq!(value(page::START_DATE), "2026-12-01T00:00:00.000Z");
    assert_eq!(value(page::UTC_START_DATE), "2026-11-30T23:00:00.000Z");
    // A time on another clock is told on the user's.
    let there = Task {
        zone: Some("America/New_York".into()),
        whole_days: false,
        due: Some(at("20261204T100000")),
        ..task()
    };
    let elements = to_elements(&there, NEWEST, &home());
    let value =
        |tag| elements.iter().find(|element| element.tag == tag).unwrap().as_text().unwrap();
    assert_eq!(value(page::DUE_DATE), "2026-12-04T16:00:00.000Z");
    assert_eq!(value(page::UTC_DUE_DATE), "2026-12-04T15:00:00.000Z");
    assert!(change(&elements, &there).is_empty(), "and repeated it is no change");
}

#[test]
fn a_day_told_in_utc_alone_is_on_the_users_clock() {
    let task = add(&[(page::UTC_DUE_DATE, "2026-12-03T23:00:00.000Z")]).unwrap();
    assert_eq!((task.due, task.whole_days), (Some(at("20261204T000000")), true));
    let task = add(&[(page::DUE_DATE, "2026-12-04T17:30:00.000Z")]).unwrap();
    assert_eq!((task.due, task.whole_days), (Some(at("20261204T173000")), false));
    assert_eq!(task.zone, Some("Europe/Berlin".into()));
}

#[test]
fn left_out_of_a_change_dates_rule_reminder_and_categories_go_and_all_else_stays() {
    let patch = change(&[], &task());
    let fields: Vec<_> = patch.fields.iter().copied().collect();
    assert_eq!(
        fields,
        [
            TaskField::Start,
            TaskField::Due,
            TaskField::Clock,
            TaskField::Recurrence,
            TaskField::Categories,
            TaskField::Reminder
        ]
    );
}

#[test]
fn what_is_done_was_done_now_where_no_time_is_told() {
    let task = add(&[(page::SUBJECT, "Report"), (page::COMPLETE, "1")]).unwrap();
    assert_eq!((task.complete, task.completed), (true, Some(NOW)));
    let open = add(&[(page::COMPLETE, "0"), (page::DATE_COMPLETED, "2026-12-01T00:00:00.000Z")]);
    assert_eq!(open.unwrap().completed, None);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let (one, two) = ("2026-12-01T00:00:00.000Z", "2026-12-02T00:00:00.000Z");
    assert!(add(&[(page::START_DATE, one), (page::DUE_DATE, two)]).is_ok());
    assert_eq!(
        add(&[(page::START_DATE, two), (page::DUE_DATE, one)]),
        Err(Error::Conflict(page::START_DATE, page::DUE_DATE))
    );
    assert!(matches!(
        add(&[(page::REMINDER_SET, "1")]),
        Err(Error::Missing { element: page::REMINDER_TIME, .. })
    ));
    assert_eq!(
        add(&[(page::REMINDER_SET, "0"), (page::REMINDER_TIME, one)]).unwrap().reminder,
        None
    );
    assert_eq!(
        add(&[(page::IMPORTANCE, "3")]),
        Err(Error::Value { element: page::IMPORTANCE, expected: "0 to 2" })
    );
}

#[test]
fn a_series_without_a_date_of_its_own_begins_with_its_rule() {
    let rule = [(page::TYPE, "0"), (page::START, "2026-12-01T00:00:00.000Z")];
    let rule = rule.map(|(tag, text)| Element::text(tag, text)).to_vec();
    let data = [Element::parent(page::RECURRENCE, rule)];
    let task = from_elements(&data, &home()).unwrap();
    assert_eq!(task.start, Some(at("20261201T000000")));
    assert!(task.recurrence.is_some() && task.whole_days);
}

#[test]
fn weeks_begin_on_monday_where_the_rule_says_nothing_and_that_is_no_change_of_it() {
    let by_day = vec![NthDay { day: Weekday::Sunday, nth: None }];
    let second = Recurrence { interval: 2, by_day, ..Recurrence::every(Frequency::Weekly) };
    let present = Task { recurrence: Some(second.clone()), ..task() };
    let data = to_elements(&present, NEWEST, &home());
    let rule = data.iter().find(|element| element.tag == page::RECURRENCE).unwrap();
    assert_eq!(rule.text_of(page::FIRST_DAY_OF_WEEK), Ok(Some("1")));
    assert!(change(&data, &present).is_empty(), "sent back");
    let other = Recurrence { interval: 3, ..second };
    let other_task = Task { recurrence: Some(other.clone()), ..present.clone() };
    let patch = change(&to_elements(&other_task, NEWEST, &home()), &present);
    assert_eq!(patch.value.recurrence, Some(other));
}

#[test]
fn a_task_from_ios_in_14_1() {
    let task = add(&[
        (page::SUBJECT, "Call Bo"),
        (page::IMPORTANCE, "1"),
        (page::UTC_DUE_DATE, "2026-12-03T23:00:00.000Z"),
        (page::DUE_DATE, "2026-12-04T00:00:00.000Z"),
        (page::SENSITIVITY, "0"),
        (page::COMPLETE, "0"),
        (page::REMINDER_SET, "1"),
        (page::REMINDER_TIME, "2026-12-04T08:00:00.000Z"),
    ])
    .unwrap();
    let expected = Task {
        title: "Call Bo".into(),
        due: Some(at("20261204T000000")),
        whole_days: true,
        reminder: Some(date::parse("20261204T080000Z").unwrap()),
        ..Task::default()
    };
    assert_eq!(task, expected);
}

fn any_task() -> impl Strategy<Value = Task> {
    let days = (proptest::option::of(0i64..9_000), 0i64..30, any::<bool>(), any::<bool>());
    let more = (
        any::<bool>(),
        proptest::option::of(0i64..2_000_000_000),
        0usize..3,
        proptest::collection::btree_set("[a-z]{1,5}", 0..3),
        "[ -~]{0,20}",
    );
    ("[^\\pC]{0,9}", days, more).prop_map(|(title, days, more)| {
        let (start, length, has_due, whole_days) = days;
        let time = |day: i64| {
            LocalTime::from_days(day + 15_000).plus_seconds(if whole_days { 0 } else { 36_000 })
        };
        let due = has_due.then(|| time(start.unwrap_or_default() + length));
        let start = start.map(time);
        let is_whole = whole_days || (start.is_none() && due.is_none());
        let text = (!more.4.is_empty()).then(|| Text::plain(more.4));
        Task {
            title,
            start,
            due,
            zone: (!is_whole).then(|| "Europe/Berlin".into()),
            whole_days: is_whole,
            complete: more.0,
            completed: more.0.then_some(NOW),
            reminder: more.1.map(Timestamp::from_seconds),
            importance: [Importance::Low, Importance::Normal, Importance::High][more.2],
            categories: more.3.into_iter().collect(),
            native: text.as_ref().map(|text| text.kind),
            text,
            ..Task::default()
        }
    })
}

proptest! {
    #[test]
    fn what_the_server_tells_is_what_the_phone_reads_and_repeated_no_change(task in any_task()) {
        for version in ProtocolVersion::ALL {
            let elements = to_elements(&task, version, &home());
            prop_assert_eq!(&from_elements(&elements, &home()).unwrap(), &task);
            let patch = change(&elements, &task);
            prop_assert!(patch.is_empty(), "{:?}", patch);
        }
    }

    #[test]
    fn a_whole_patch_over_the_wire_makes_the_task(before in any_task(), after in any_task()) {
        let wanted = TaskPatch::whole(after.clone());
        let data = patch_to_elements(&wanted, NEWEST, &home());
        let mut made = before.clone();
        change(&data, &before).apply(&mut made);
        if made.text.as_ref().map(|text| text.text.trim_end())
            == after.text.as_ref().map(|text| text.text.trim_end())
        {
            made.text.clone_from(&after.text);
            made.native = after.native;
        }
        prop_assert_eq!(made, after);
    }
}
