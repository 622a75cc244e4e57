//! Rules of every kind, made at random, and what holds for all of them.

use dme_model::{Frequency, LocalTime, NthDay, Recurrence, RecurrenceEnd, Weekday};
use dme_pim::recurrence::{instances, instances_from, is_instance, last};
use proptest::prelude::*;
use proptest::sample::subsequence;

const DAY: i64 = 86_400;

/// 2019-01-01, in days.
const START: i64 = 17_897;

/// A start in four years with a leap day.
pub fn start() -> impl Strategy<Value = LocalTime> {
    (START..START + 1_500, 0..DAY)
        .prop_map(|(day, second)| LocalTime::from_days(day).plus_seconds(second))
}

fn frequency() -> impl Strategy<Value = Frequency> {
    prop_oneof![
        Just(Frequency::Daily),
        Just(Frequency::Weekly),
        Just(Frequency::Monthly),
        Just(Frequency::Yearly)
    ]
}

fn weekday() -> impl Strategy<Value = Weekday> {
    (0..7_usize).prop_map(|day| Weekday::ALL[day])
}

fn day() -> impl Strategy<Value = NthDay> {
    let nth = prop_oneof![3 => Just(None), 1 => (1..=5_i8).prop_map(Some), 1 => Just(Some(-1))];
    (weekday(), nth).prop_map(|(day, nth)| NthDay { day, nth })
}

/// Most parts are missing, as in the rules that people make.
fn some<T: Clone + std::fmt::Debug + 'static>(
    values: impl IntoIterator<Item = T>,
    most: usize,
) -> impl Strategy<Value = Vec<T>> {
    let values: Vec<T> = values.into_iter().collect();
    prop_oneof![2 => Just(vec![]), 1 => subsequence(values, 1..=most)]
}

/// Any rule, also such as RFC 5545 does not allow.
pub fn rule() -> impl Strategy<Value = Recurrence> {
    let end = prop_oneof![
        Just(RecurrenceEnd::Never),
        (1..40_u32).prop_map(RecurrenceEnd::Count),
        (START..START + 4_000).prop_map(|day| RecurrenceEnd::Until(LocalTime::from_days(day))),
    ];
    let of_year = prop_oneof![
        4 => Just((vec![], vec![])),
        1 => (subsequence(vec![-366_i16, -100, -1, 1, 59, 60, 61, 200, 366], 1..=3), Just(vec![])),
        1 => (Just(vec![]), subsequence(vec![-53_i8, -40, -2, -1, 1, 2, 20, 52, 53], 1..=3)),
    ];
    let parts = (
        prop_oneof![1 => Just(vec![]), 1 => prop::collection::vec(day(), 1..4)],
        some((-31..=31).filter(|day| *day != 0), 4),
        some(1..=12, 4),
        of_year,
        some([-3, -2, -1, 1, 2, 3], 2),
    );
    (frequency(), 1..6_u32, parts, prop::option::of(weekday()), end).prop_map(
        |(frequency, interval, parts, first_day, end)| {
            let (by_day, by_month_day, by_month, of_year, by_set_position) = parts;
            let (by_year_day, by_week_number) = of_year;
            Recurrence {
                frequency,
                interval,
                by_day,
                by_month_day,
                by_month,
                by_year_day,
                by_week_number,
                by_set_position,
                first_day,
                end,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() })]

    #[test]
    fn instances_ascend_from_the_start_at_its_time_of_day(start in start(), rule in rule()) {
        let all: Vec<LocalTime> = instances(start, &rule).take(40).collect();
        prop_assert_eq!(all.first(), Some(&start));
        prop_assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
        let is_whole_days = |at: &LocalTime| (at.as_seconds() - start.as_seconds()) % DAY == 0;
        prop_assert!(all.iter().all(is_whole_days));
    }

    #[test]
    fn a_day_is_an_instance_where_the_series_has_it(start in start(), rule in rule()) {
        let days = 400;
        let end = start.plus_seconds(days * DAY);
        let listed: Vec<LocalTime> = instances(start, &rule).take_while(|at| *at <= end).collect();
        let asked: Vec<LocalTime> = (0..=days)
            .map(|day| start.plus_seconds(day * DAY))
            .filter(|at| is_instance(start, &rule, *at))
            .collect();
        prop_assert_eq!(&listed, &asked);
        prop_assert!(!is_instance(start, &rule, start.plus_seconds(DAY - 1)));
    }

    #[test]
    fn from_any_time_on_the_instances_are_the_same(
        start in start(),
        rule in rule(),
        after in -100_000_000..200_000_000_i64,
    ) {
        let from = start.plus_seconds(after);
        let here: Vec<LocalTime> = instances_from(start, &rule, from).take(5).collect();
        let all = instances(start, &rule).skip_while(|at| *at < from);
        prop_assert_eq!(here, all.take(5).collect::<Vec<_>>());
    }

    #[test]
    fn the_last_instance_is_the_last(start in start(), rule in rule()) {
        let last = last(start, &rule);
        match rule.end {
            RecurrenceEnd::Never => prop_assert_eq!(last, None),
            _ => prop_assert_eq!(last, instances(start, &rule).last()),
        }
    }
}
