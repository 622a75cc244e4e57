//! Random events: an edit makes of one whatever another is, and done twice it is as done once.

use crate::world::*;
use dme_model::ZoneId;
use dme_model::*;
use dme_pim::{calendar, recurrence};
use proptest::prelude::*;

const PEOPLE: [&str; 3] = ["bob@x.example", "cem@y.example", "room@x.example"];

fn line() -> impl Strategy<Value = String> {
    "[a-zA-Zäß☕,;:\\\\\"^%=]{1,12}"
}

fn time() -> impl Strategy<Value = Event> {
    let zones = prop_oneof![
        Just(None),
        Just(Some("Etc/UTC")),
        Just(Some("Europe/Berlin")),
        Just(Some("America/New_York")),
        Just(Some("Australia/Lord_Howe")),
    ];
    (18_300i64..21_000, 16i64..92, 0i64..200, zones, prop::bool::weighted(0.3)).prop_map(
        |(day, quarter, length, zone, all_day)| {
            let midnight = LocalTime::from_days(day);
            if all_day {
                let end = midnight.plus_seconds(86_400 * (1 + length % 3));
                return Event { start: midnight, end, all_day, ..Event::default() };
            }
            let start = midnight.plus_seconds(quarter * 900);
            let end = start.plus_seconds(length * 900);
            Event { start, end, zone: zone.map(ZoneId::from), ..Event::default() }
        },
    )
}

fn rule(start: LocalTime) -> impl Strategy<Value = Recurrence> {
    let day = (0usize..7, prop_oneof![Just(None), Just(Some(1i8)), Just(Some(-1i8))]);
    (0u8..4, 1u32..4, prop::collection::vec(day, 0..3), 0u8..3, 1u32..40).prop_map(
        move |(frequency, interval, days, end, count)| {
            let frequency =
                [Frequency::Daily, Frequency::Weekly, Frequency::Monthly, Frequency::Yearly]
                    [usize::from(frequency)];
            let nth = frequency == Frequency::Monthly;
            let by_day = days
                .iter()
                .map(|(day, n)| NthDay { day: Weekday::ALL[*day], nth: n.filter(|_| nth) })
                .collect();
            let days = if matches!(frequency, Frequency::Weekly | Frequency::Monthly) {
                by_day
            } else {
                Vec::new()
            };
            Recurrence {
                interval,
                by_day: days,
                end: match end {
                    0 => RecurrenceEnd::Never,
                    1 => RecurrenceEnd::Count(count),
                    _ => RecurrenceEnd::Until(start.plus_seconds(i64::from(count) * 86_400 * 7)),
                },
                ..Recurrence::every(frequency)
            }
        },
    )
}

fn place() -> impl Strategy<Value = Place> {
    (line(), prop::option::of((-90.0..90.0f64, -180.0..180.0f64)), prop::option::of(line()))
        .prop_map(|(name, at, city)| Place {
            name,
            latitude: at.map(|(latitude, _)| latitude),
            longitude: at.map(|(_, longitude)| longitude),
            city,
            ..Place::default()
        })
}

fn attendees() -> impl Strategy<Value = Vec<Attendee>> {
    let kind = prop_oneof![
        Just(AttendeeKind::Required),
        Just(AttendeeKind::Optional),
        Just(AttendeeKind::Resource)
    ];
    prop::collection::vec(prop::option::of(kind), 3).prop_map(|kinds| {
        let all = kinds.into_iter().zip(PEOPLE);
        let named = all.filter_map(|(kind, email)| Some((kind?, email)));
        named
            .map(|(kind, email)| Attendee {
                address: Address { name: Some("A, B".into()), email: email.into() },
                kind,
                participation: Participation::NeedsAction,
                proposal: None,
            })
            .collect()
    })
}

/// Which instances have exceptions, and whether title and time differ in them.
type Choice = (usize, bool, bool, bool);

fn exceptions(event: &Event, choices: &[Choice]) -> Vec<Exception> {
    let Some(rule) = &event.recurrence else { return Vec::new() };
    let instances: Vec<LocalTime> = recurrence::instances(event.start, rule).take(20).collect();
    let mut out: Vec<Exception> = Vec::new();
    for (at, deleted, titled, moved) in choices {
        let Some(original) = instances.get(*at).copied() else { continue };
        if out.iter().any(|one| one.original == original) {
            continue;
        }
        let length = event.end.as_seconds() - event.start.as_seconds();
        let shift = if event.all_day { 86_400 } else { 1800 };
        let start = original.plus_seconds(if *moved { shift } else { 0 });
        let value = Event {
            title: format!("{} changed", event.title),
            start,
            end: start.plus_seconds(length),
            zone: event.zone.clone(),
            all_day: event.all_day,
            ..Event::default()
        };
        let mut fields = Vec::new();
        if *titled || !*moved {
            fields.push(EventField::Title);
        }
        if *moved {
            fields.push(EventField::Time);
        }
        let change = if *deleted {
            InstanceChange::Deleted
        } else {
            InstanceChange::Changed(Box::new(EventPatch::of(fields, value)))
        };
        out.push(Exception { original, change });
    }
    out.sort_by_key(|one| one.original);
    out
}

fn event_strategy() -> impl Strategy<Value = Event> {
    let words = (
        line(),
        prop::option::of(place()),
        prop::collection::btree_set("[a-z,;ä]{1,5}", 0..3),
        prop::option::of("[a-zäß,;\\\\<&]{1,10}(\n[a-z]{1,5})?"),
        prop::option::of("[a-z]{3,8}"),
        prop::option::of("[a-z]{3,8}"),
    );
    let states = (0u8..5, 0u8..4, 0u8..3, prop::option::of(0u32..20_000), any::<bool>());
    let choices = prop::collection::vec(any::<(prop::sample::Index, bool, bool, bool)>(), 0..4);
    let series = time().prop_flat_map(|time| {
        let start = time.start;
        (Just(time), prop::option::of(rule(start)))
    });
    (series, words, states, attendees(), choices).prop_map(
        |((time, recurrence), words, states, attendees, choices)| {
            let (title, place, categories, text, inside, outside) = words;
            let (busy, privacy, status, reminder, no_proposals) = states;
            let link = |name: String| format!("https://{name}.example/");
            let mut event = Event {
                title,
                place,
                categories: categories.into_iter().collect(),
                native: text.as_ref().map(|_| BodyKind::Plain),
                text: text.map(Text::plain),
                online_link: inside.map(link),
                online_external_link: outside.map(link),
                busy: [
                    BusyStatus::Free,
                    BusyStatus::Tentative,
                    BusyStatus::Busy,
                    BusyStatus::OutOfOffice,
                    BusyStatus::WorkingElsewhere,
                ][usize::from(busy)],
                privacy: [
                    Privacy::Normal,
                    Privacy::Personal,
                    Privacy::Private,
                    Privacy::Confidential,
                ][usize::from(privacy)],
                status: [EventStatus::Confirmed, EventStatus::Tentative, EventStatus::Cancelled]
                    [usize::from(status)],
                reminder,
                no_proposals,
                response_requested: !attendees.is_empty(),
                attendees: if time.zone.is_some() { attendees } else { Vec::new() },
                recurrence,
                ..time
            };
            event.response_requested = !event.attendees.is_empty();
            let choices: Vec<Choice> =
                choices.iter().map(|(at, a, b, c)| (at.index(20), *a, *b, *c)).collect();
            event.exceptions = exceptions(&event, &choices);
            event
        },
    )
}

/// What both say of all that an edit can set.
fn assert_same(found: &Event, wanted: &Event) {
    use EventField::*;
    for field in [
        Title,
        Time,
        Recurrence,
        Place,
        Busy,
        Privacy,
        Categories,
        Reminder,
        Status,
        NoProposals,
        ResponseRequested,
        OnlineLink,
        OnlineExternalLink,
        Text,
    ] {
        assert!(found.same(wanted, field), "{field:?}: {found:?}\nwanted {wanted:?}");
    }
    let people = |event: &Event| {
        let mut all: Vec<(String, AttendeeKind)> =
            event.attendees.iter().map(|one| (one.address.email.clone(), one.kind)).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    assert_eq!(people(found), people(wanted));
    assert_eq!(found.exceptions.len(), wanted.exceptions.len(), "{found:?}\nwanted {wanted:?}");
    for (found, wanted) in found.exceptions.iter().zip(&wanted.exceptions) {
        assert_eq!(found.original, wanted.original);
        match (&found.change, &wanted.change) {
            (InstanceChange::Changed(found), InstanceChange::Changed(wanted)) => {
                assert!(wanted.fields.is_subset(&found.fields), "{found:?}\nwanted {wanted:?}");
                for field in &wanted.fields {
                    assert!(found.value.same(&wanted.value, *field), "{field:?}: {found:?}");
                }
            }
            (found, wanted) => assert_eq!(found, wanted),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_edit_makes_of_one_event_another(a in event_strategy(), b in event_strategy()) {
        let whole = ItemEdit::Patch(ItemPatch::Event(Box::new(EventPatch::whole(a.clone()))));
        let made = calendar::apply(None, &whole, &writing("make")).unwrap();
        let made = text(made);
        assert_same(&event(&made), &a);
        prop_assert_eq!(&apply(&made, &whole), &made);

        let edit = edit_to(&event(&made), b.clone());
        let changed = text(calendar::apply(Some(made.as_bytes()), &edit, &writing("b")).unwrap());
        assert_same(&event(&changed), &b);
        let again = text(calendar::apply(Some(changed.as_bytes()), &edit, &writing("c")).unwrap());
        prop_assert_eq!(again, changed);
    }

    #[test]
    fn no_bytes_are_too_odd_to_be_read(
        text in "(BEGIN:(VCALENDAR|VEVENT|VALARM)\n|END:(VEVENT|VALARM)\n|(DTSTART|DTEND|DURATION|\
                 RRULE|EXDATE|RECURRENCE-ID|TRIGGER|ATTENDEE)(;TZID=[A-Z]{1,3})?:[0-9TZPA-Z;=,-]{0,20}\n){0,30}"
    ) {
        let text = format!("BEGIN:VCALENDAR\n{text}");
        let _ = calendar::read(text.as_bytes(), &owner(), &ZoneId::utc(), &view(BodyKind::Html));
        let _ = calendar::summary(text.as_bytes());
    }
}
