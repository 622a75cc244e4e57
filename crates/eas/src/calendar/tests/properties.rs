//! What holds for every event.

use super::*;
use proptest::prelude::*;

const ZONES: [&str; 5] =
    ["Europe/Berlin", "America/New_York", "Etc/UTC", "Australia/Sydney", "America/Sao_Paulo"];

/// A clock reading that there is on this clock.
fn reading(zone: &'static str) -> impl Strategy<Value = LocalTime> {
    (1_577_836_800i64 / 60..1_893_456_000 / 60).prop_map(move |minutes| {
        let zone = super::zone(zone);
        zone.to_local(zone.to_utc(LocalTime::from_seconds(minutes * 60)))
    })
}

fn weekday() -> impl Strategy<Value = Weekday> {
    (0usize..7).prop_map(|place| Weekday::ALL[place])
}

/// Any rule that ActiveSync can say.
pub(crate) fn rule() -> impl Strategy<Value = Recurrence> {
    let base = Recurrence::every;
    let days = |at_least| {
        let days = proptest::collection::btree_set(weekday(), at_least..6);
        days.prop_map(|days| {
            days.into_iter().map(|day| NthDay { day, nth: None }).collect::<Vec<_>>()
        })
    };
    let nth = prop_oneof![Just(-1i8), 1i8..5];
    let sort = prop_oneof![
        Just(base(Frequency::Daily)),
        (days(1), proptest::option::of(weekday())).prop_map(move |(by_day, first_day)| {
            Recurrence { by_day, first_day, ..base(Frequency::Weekly) }
        }),
        prop_oneof![Just(-1i8), 1i8..29].prop_map(move |day| Recurrence {
            by_month_day: vec![day],
            ..base(Frequency::Monthly)
        }),
        (weekday(), nth.clone()).prop_map(move |(day, nth)| Recurrence {
            by_day: vec![NthDay { day, nth: Some(nth) }],
            ..base(Frequency::Monthly)
        }),
        (days(2), nth.clone()).prop_map(move |(by_day, nth)| Recurrence {
            by_day,
            by_set_position: vec![nth.into()],
            ..base(Frequency::Monthly)
        }),
        (1u8..13, 1i8..29).prop_map(move |(month, day)| Recurrence {
            by_month: vec![month],
            by_month_day: vec![day],
            ..base(Frequency::Yearly)
        }),
        (1u8..13, weekday(), nth).prop_map(move |(month, day, nth)| Recurrence {
            by_month: vec![month],
            by_day: vec![NthDay { day, nth: Some(nth) }],
            ..base(Frequency::Yearly)
        }),
    ];
    let end = prop_oneof![Just(RecurrenceEnd::Never), (1u32..1000).prop_map(RecurrenceEnd::Count),];
    (sort, 1u32..1000, end).prop_map(|(rule, interval, end)| Recurrence { interval, end, ..rule })
}

fn line() -> impl Strategy<Value = String> {
    "[^\\pC\\pZ]{0,12}"
}

fn place() -> impl Strategy<Value = Place> {
    (line(), proptest::option::of(line()), proptest::option::of(-90.0..90.0f64)).prop_map(
        |(name, street, latitude)| Place {
            name,
            street: street.filter(|street| !street.is_empty()),
            latitude,
            ..Place::default()
        },
    )
}

fn attendee() -> impl Strategy<Value = Attendee> {
    ("[a-z]{1,6}@[a-z]{1,6}", 0usize..4, 0usize..3, any::<bool>()).prop_map(
        |(email, participation, kind, proposes)| Attendee {
            address: Address { name: None, email },
            kind: [AttendeeKind::Required, AttendeeKind::Optional, AttendeeKind::Resource][kind],
            participation: [
                Participation::NeedsAction,
                Participation::Accepted,
                Participation::Tentative,
                Participation::Declined,
            ][participation],
            proposal: proposes.then_some(Proposal { start: NOW, end: NOW }),
        },
    )
}

/// Any event as 16.1 can say it.
fn event() -> impl Strategy<Value = Event> {
    let time = (0..ZONES.len()).prop_flat_map(|zone| {
        let zone = ZONES[zone];
        (Just(zone), reading(zone), 0i64..10_000, any::<bool>())
    });
    let what = (line(), place(), 0usize..5, 0usize..4, proptest::option::of(0u32..10_000));
    let people = (proptest::collection::vec(attendee(), 0..4), any::<bool>(), any::<bool>());
    let more = (
        proptest::collection::btree_set("[a-z]{1,5}", 0..4),
        "[ -~]{0,30}",
        any::<bool>(),
        proptest::option::of(rule()),
        any::<bool>(),
    );
    (time, what, people, more).prop_map(|(time, what, people, more)| {
        let (zone, start, minutes, all_day) = time;
        let clock = super::zone(zone);
        let end = clock.to_utc(start).as_seconds() + minutes * 60;
        let mut event = Event {
            uid: "u".into(),
            start,
            end: clock.to_local(Timestamp::from_seconds(end)).max(start),
            zone: Some(zone.into()),
            stamp: NOW,
            ..Event::default()
        };
        if all_day {
            event.zone = None;
            event.all_day = true;
            event.start = LocalTime::from_days(start.as_days());
            event.end = LocalTime::from_days(start.as_days() + 1 + minutes / 1440);
        }
        event.title = what.0;
        event.place = Some(what.1).filter(|place| *place != Place::default());
        event.busy = [
            BusyStatus::Free,
            BusyStatus::Tentative,
            BusyStatus::Busy,
            BusyStatus::OutOfOffice,
            BusyStatus::WorkingElsewhere,
        ][what.2];
        event.privacy =
            [Privacy::Normal, Privacy::Personal, Privacy::Private, Privacy::Confidential][what.3];
        event.reminder = what.4;
        (event.attendees, event.own) = (people.0, people.1);
        event.response_requested = people.2;
        event.participation = match event.own {
            true => Participation::Accepted,
            false => Participation::NeedsAction,
        };
        event.categories = more.0.into_iter().collect();
        event.text = (!more.1.is_empty()).then(|| Text::plain(more.1));
        event.native = event.text.as_ref().map(|text| text.kind);
        event.no_proposals = more.2;
        event.recurrence = more.3;
        if let Some(rule) = event.recurrence.as_mut().filter(|_| more.2) {
            rule.end = RecurrenceEnd::Until(event.start.plus_seconds(minutes * 86_400));
        }
        if event.recurrence.is_some() && more.4 {
            let original = event.start;
            event.exceptions = vec![Exception { original, change: InstanceChange::Deleted }];
        }
        event
    })
}

/// In words only the name of a place is told, or its address where it has none.
fn with_a_name(mut event: Event) -> Event {
    if let Some(place) = &mut event.place
        && place.name.is_empty()
        && let Some(street) = &place.street
    {
        place.name.clone_from(street);
    }
    event
}

/// Weeks begin on Monday where a rule says nothing; where it has each week, it does not matter.
fn with_its_weeks(mut event: Event) -> Event {
    if let Some(rule) = &mut event.recurrence {
        let counts = rule.frequency == Frequency::Weekly && rule.interval > 1;
        rule.first_day = counts.then(|| rule.first_day.unwrap_or(Weekday::Monday));
    }
    event
}

proptest! {
    #[test]
    fn what_the_server_tells_is_what_the_phone_reads(event in event()) {
        let event = with_a_name(event);
        let there = received(&told(&event, V16_1), V16_1).unwrap();
        prop_assert_eq!(with_its_weeks(there), with_its_weeks(event));
    }

    #[test]
    fn what_a_phone_repeats_is_no_change(event in event()) {
        for version in ProtocolVersion::ALL {
            let patch = change(&told(&event, version), version, &event);
            prop_assert!(patch.is_empty(), "{version}: {patch:?}");
        }
    }

    #[test]
    fn a_patch_over_the_wire_is_the_same_patch(before in event(), after in event()) {
        for version in [V14_1, V16_1] {
            let after = with_a_name(Event { own: before.own, ..after.clone() });
            let mut wanted = EventPatch::between(&before, after.clone());
            for field in [EventField::Organizer, EventField::Participation, EventField::Exceptions] {
                wanted.fields.remove(&field);
            }
            if version < V16_0 {
                // What 14.1 cannot say.
                wanted.fields.remove(&EventField::Place);
                wanted.fields.remove(&EventField::Busy);
                wanted.fields.remove(&EventField::Attendees);
            }
            let mut expected = before.clone();
            wanted.apply(&mut expected);
            let all_ghosted = Ghosting::of(Some(&[]));
            let writing = Writing::Change { ghosting: &all_ghosted, present: Some(&before) };
            let data = sent(patch_to_elements(&wanted, Some(&id()), version, &home()));
            let patch = patch_from_elements(&data, version, writing, &context(&home())).unwrap();
            let mut made = before.clone();
            patch.apply(&mut made);
            if version >= V16_0 && !before.exceptions.is_empty() {
                made.exceptions.clone_from(&expected.exceptions);
            }
            prop_assert_eq!(with_its_weeks(made), with_its_weeks(expected), "{}", version);
        }
    }
}
