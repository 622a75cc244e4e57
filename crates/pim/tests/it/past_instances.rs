//! What a change of single instances of a running series tells others: of those that are over, nothing.

use crate::meetings::{make, meeting, sent};
use crate::world::*;
use dme_model::*;
use dme_pim::calendar;

/// Each Thursday at ten in Berlin from 5 November 2026 on. It is Thursday, 26 November, 16:30 there.
fn weekly() -> Event {
    Event {
        start: at("2026-11-05T10:00:00"),
        end: at("2026-11-05T11:00:00"),
        recurrence: Some(Recurrence::every(Frequency::Weekly)),
        ..meeting()
    }
}

const LAST_WEEK: &str = "2026-11-19T10:00:00";
const THIS_MORNING: &str = "2026-11-26T10:00:00";
const NEXT_WEEK: &str = "2026-12-03T10:00:00";

/// The instance that begins then in Berlin, in winter.
fn moment(begin: &str) -> Timestamp {
    at(begin).plus_seconds(-3600).as_utc()
}

fn titled(begin: &str) -> ItemEdit {
    let patch =
        EventPatch::of([EventField::Title], Event { title: "Other".into(), ..Event::default() });
    ItemEdit::Instance { original: moment(begin), patch: Box::new(patch) }
}

fn moved(begin: &str, to: &str) -> ItemEdit {
    let (start, end) = (at(to), at(to).plus_seconds(3600));
    let zone = Some(ZoneId::from("Europe/Berlin"));
    let patch = EventPatch::of([EventField::Time], Event { start, end, zone, ..Event::default() });
    ItemEdit::Instance { original: moment(begin), patch: Box::new(patch) }
}

fn dropped(begin: &str) -> ItemEdit {
    ItemEdit::DropInstance { original: moment(begin) }
}

/// As a phone before 16.0 says it, which writes all exceptions anew.
fn listed(object: &[u8], begin: &str, change: InstanceChange) -> ItemEdit {
    let shown = event(object);
    let mut after = shown.clone();
    after.exceptions.retain(|one| one.original != at(begin));
    after.exceptions.push(Exception { original: at(begin), change });
    after.exceptions.sort_by_key(|one| one.original);
    edit_to(&shown, after)
}

fn other_title() -> InstanceChange {
    let value = Event { title: "Other".into(), ..Event::default() };
    InstanceChange::Changed(Box::new(EventPatch::of([EventField::Title], value)))
}

/// What is told, to how many; the change is made in any case.
fn told(object: &[u8], edit: &ItemEdit) -> Vec<(String, usize)> {
    let done = calendar::apply(Some(object), edit, &writing("change")).unwrap();
    assert_ne!(done.object, object, "{edit:?}");
    let again = calendar::apply(Some(&done.object), edit, &writing("change")).unwrap();
    assert_eq!((&again.object, &again.notices), (&done.object, &done.notices), "{edit:?}");
    done.notices.iter().map(sent).map(|one| (one.method, one.to.len())).collect()
}

fn to_both(method: &str) -> Vec<(String, usize)> {
    vec![(method.to_owned(), 2)]
}

#[test]
fn of_an_instance_that_is_over_nobody_is_told() {
    let object = make(&weekly()).object;
    for begin in [LAST_WEEK, THIS_MORNING] {
        for edit in [
            titled(begin),
            dropped(begin),
            moved(begin, "2026-11-20T08:00:00"),
            listed(&object, begin, InstanceChange::Deleted),
            listed(&object, begin, other_title()),
        ] {
            assert_eq!(told(&object, &edit), [], "{edit:?}");
        }
    }
}

#[test]
fn of_an_instance_that_is_to_come_all_are_told() {
    let object = make(&weekly()).object;
    for (edit, method) in [
        (titled(NEXT_WEEK), "REQUEST"),
        (dropped(NEXT_WEEK), "CANCEL"),
        (listed(&object, NEXT_WEEK, InstanceChange::Deleted), "REQUEST"),
        (listed(&object, NEXT_WEEK, other_title()), "REQUEST"),
    ] {
        assert_eq!(told(&object, &edit), to_both(method), "{edit:?}");
    }
}

#[test]
fn an_instance_counts_by_both_times_where_it_is_moved() {
    let object = make(&weekly()).object;
    // What was over takes place once more; what was to come is said to have been.
    for (from, to) in [(LAST_WEEK, "2026-11-30T10:00:00"), (NEXT_WEEK, "2026-11-24T10:00:00")] {
        assert_eq!(told(&object, &moved(from, to)), to_both("REQUEST"), "{from}, {to}");
    }
    // One that was put off is called off or changed as it is now, not as the rule has it.
    let put_off = moved(LAST_WEEK, "2026-11-30T10:00:00");
    let put_off = calendar::apply(Some(&object), &put_off, &writing("put off")).unwrap().object;
    assert_eq!(told(&put_off, &titled(LAST_WEEK)), to_both("REQUEST"));
    assert_eq!(told(&put_off, &dropped(LAST_WEEK)), to_both("CANCEL"));
    let deleted = listed(&put_off, LAST_WEEK, InstanceChange::Deleted);
    assert_eq!(told(&put_off, &deleted), to_both("REQUEST"));
}

#[test]
fn beside_an_instance_that_is_over_what_concerns_all_of_the_series_is_told() {
    let object = make(&weekly()).object;
    let ItemEdit::Patch(ItemPatch::Event(mut patch)) =
        listed(&object, LAST_WEEK, InstanceChange::Deleted)
    else {
        panic!("no patch of the series")
    };
    patch.value.title = "Plans".into();
    patch.fields.insert(EventField::Title);
    assert_eq!(told(&object, &ItemEdit::Patch(ItemPatch::Event(patch))), to_both("REQUEST"));
}

#[test]
fn a_whole_day_is_over_by_the_users_clock() {
    let days = Event {
        start: at("2026-11-05"),
        end: at("2026-11-06"),
        zone: None,
        all_day: true,
        ..weekly()
    };
    let object = make(&days).object;
    let drop = |day: &str| ItemEdit::DropInstance { original: at(day).as_utc() };
    assert_eq!(told(&object, &drop("2026-11-26")), to_both("CANCEL"), "it lasts until midnight");
    assert_eq!(told(&object, &drop("2026-11-19")), []);
    // In Berlin it is the 27th.
    let late = calendar::Writing { now: at("2026-11-26T23:30:00").as_utc(), ..writing("late") };
    let done = calendar::apply(Some(&object), &drop("2026-11-26"), &late).unwrap();
    assert!(done.notices.is_empty());
}
