//! What holds for every rule.

use super::*;
use dme_model::{Frequency, NthDay, Weekday};
use proptest::prelude::*;
use proptest::sample::subsequence;

fn frequency() -> impl Strategy<Value = Frequency> {
    prop_oneof![
        Just(Frequency::Daily),
        Just(Frequency::Weekly),
        Just(Frequency::Monthly),
        Just(Frequency::Yearly)
    ]
}

fn day() -> impl Strategy<Value = NthDay> {
    let nth =
        prop_oneof![3 => Just(None), 1 => (-5..=5_i8).prop_map(|n| Some(n).filter(|n| *n != 0))];
    (0..7_usize, nth).prop_map(|(day, nth)| NthDay { day: Weekday::ALL[day], nth })
}

/// Most parts are missing, as in the rules that people make.
fn some<T: Clone + std::fmt::Debug + 'static>(
    values: Vec<T>,
    most: usize,
) -> impl Strategy<Value = Vec<T>> {
    prop_oneof![2 => Just(vec![]), 1 => subsequence(values, 1..=most)]
}

fn any_rule() -> impl Strategy<Value = Recurrence> {
    let month_days: Vec<i8> = (-31..=31).filter(|day| *day != 0).collect();
    let positions: Vec<i16> = vec![-3, -2, -1, 1, 2, 3];
    let end = prop_oneof![
        Just(RecurrenceEnd::Never),
        (0..40_u32).prop_map(RecurrenceEnd::Count),
        (START..START + 4_000).prop_map(|day| RecurrenceEnd::Until(LocalTime::from_days(day))),
    ];
    let days = prop_oneof![1 => Just(vec![]), 1 => prop::collection::vec(day(), 1..4)];
    let months = some((1..=12).collect(), 4);
    let first_day = prop::option::of((0..7_usize).prop_map(|day| Weekday::ALL[day]));
    (frequency(), 1..6_u32, days, some(month_days, 4), months, some(positions, 2), first_day, end)
        .prop_map(
            |(frequency, interval, by_day, by_month_day, by_month, positions, first_day, end)| {
                Recurrence {
                    frequency,
                    interval,
                    by_day,
                    by_month_day,
                    by_month,
                    by_set_position: positions,
                    first_day,
                    end,
                }
            },
        )
}

/// 2019-01-01.
const START: i64 = 17_897;

fn start() -> impl Strategy<Value = LocalTime> {
    (START..START + 1_500, 0..86_400_i64)
        .prop_map(|(day, second)| LocalTime::from_days(day).plus_seconds(second))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn instances_ascend_from_the_start_at_its_time_of_day(start in start(), rule in any_rule()) {
        let all: Vec<LocalTime> = instances(start, &rule).take(40).collect();
        prop_assert_eq!(all.first(), Some(&start));
        prop_assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(all.iter().all(|at| second_of_day(*at) == second_of_day(start)));
    }

    #[test]
    fn a_day_is_an_instance_where_the_series_has_it(start in start(), rule in any_rule()) {
        let days = 400;
        let end = start.plus_seconds(days * 86_400);
        let listed: Vec<LocalTime> = instances(start, &rule).take_while(|at| *at <= end).collect();
        let asked: Vec<LocalTime> = (0..=days)
            .map(|day| start.plus_seconds(day * 86_400))
            .filter(|at| is_instance(start, &rule, *at))
            .collect();
        prop_assert_eq!(&listed, &asked);
        prop_assert!(!is_instance(start, &rule, start.plus_seconds(86_399)));
    }

    #[test]
    fn from_any_time_on_the_instances_are_the_same(
        start in start(),
        rule in any_rule(),
        after in -100_000_000..200_000_000_i64,
    ) {
        let from = start.plus_seconds(after);
        let here: Vec<LocalTime> = instances_from(start, &rule, from).take(5).collect();
        let all = instances(start, &rule).skip_while(|at| *at < from);
        prop_assert_eq!(here, all.take(5).collect::<Vec<_>>());
    }

    #[test]
    fn the_last_instance_is_the_last(start in start(), rule in any_rule()) {
        let last = last(start, &rule);
        match rule.end {
            RecurrenceEnd::Never => prop_assert_eq!(last, None),
            _ => prop_assert_eq!(last, instances(start, &rule).last()),
        }
    }
}
