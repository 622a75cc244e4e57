//! Rules and their instances.

use dme_model::{LocalTime, Recurrence, RecurrenceEnd, civil};
use dme_pim::calendar::rule::{self, Rule};
use dme_pim::recurrence::*;

/// `YYYYMMDD` or `YYYYMMDDTHHMMSS`.
fn time(text: &str) -> LocalTime {
    let number = |range: std::ops::Range<usize>| {
        text.get(range).map_or(0, |digits| digits.parse::<i64>().unwrap())
    };
    let day = civil::days(number(0..4), number(4..6), number(6..8)).unwrap();
    LocalTime::from_days(day)
        .plus_seconds(number(9..11) * 3600 + number(11..13) * 60 + number(13..15))
}

fn date(time: LocalTime) -> String {
    let (year, month, day) = civil::date(time.as_days());
    format!("{year:04}{month:02}{day:02}")
}

fn rule(text: &str) -> Recurrence {
    match rule::parse(text, LocalTime::default(), |at| at) {
        Some(Rule::Neutral(rule)) => rule,
        other => panic!("{text}: {other:?}"),
    }
}

/// The days of the first instances.
fn days(count: usize, start: &str, text: &str) -> String {
    let instances = instances(time(start), &rule(text)).take(count);
    instances.map(date).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_frequency_steps_by_its_interval() {
    assert_eq!(days(3, "20260101T090000", "FREQ=DAILY"), "20260101 20260102 20260103");
    assert_eq!(days(3, "20260101", "FREQ=DAILY;INTERVAL=10"), "20260101 20260111 20260121");
    assert_eq!(days(3, "20260101", "FREQ=WEEKLY;INTERVAL=2"), "20260101 20260115 20260129");
    assert_eq!(days(3, "20260115", "FREQ=MONTHLY;INTERVAL=6"), "20260115 20260715 20270115");
    assert_eq!(days(3, "20260101", "FREQ=YEARLY;INTERVAL=3"), "20260101 20290101 20320101");
}

#[test]
fn days_that_a_month_or_year_has_not_are_left_out() {
    assert_eq!(days(4, "20260131", "FREQ=MONTHLY"), "20260131 20260331 20260531 20260731");
    assert_eq!(days(3, "20240229", "FREQ=YEARLY"), "20240229 20280229 20320229");
    assert_eq!(days(3, "20960229", "FREQ=YEARLY"), "20960229 21040229 21080229");
    assert_eq!(
        days(4, "20260130", "FREQ=MONTHLY;BYMONTHDAY=30"),
        "20260130 20260330 20260430 20260530"
    );
}

#[test]
fn days_are_counted_from_the_end_where_negative() {
    assert_eq!(
        days(4, "20260131", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        "20260131 20260228 20260331 20260430"
    );
    assert_eq!(days(3, "20260130", "FREQ=MONTHLY;BYDAY=-1FR"), "20260130 20260227 20260327");
    assert_eq!(days(2, "20261228", "FREQ=YEARLY;BYDAY=-1MO"), "20261228 20271227");
}

#[test]
fn the_nth_weekday_is_of_the_month_or_of_the_year() {
    // US Thanksgiving.
    assert_eq!(
        days(3, "20261126", "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"),
        "20261126 20271125 20281123"
    );
    // RFC 5545's example, the 20th Monday.
    assert_eq!(days(3, "19970519", "FREQ=YEARLY;BYDAY=20MO"), "19970519 19980518 19990517");
    assert_eq!(days(3, "20260105", "FREQ=MONTHLY;BYDAY=1MO"), "20260105 20260202 20260302");
    assert_eq!(days(3, "20260130", "FREQ=MONTHLY;BYDAY=5FR"), "20260130 20260529 20260731");
    // Both are meant where one is numbered and the other is not.
    assert_eq!(
        days(6, "20260105", "FREQ=MONTHLY;BYDAY=1MO,FR"),
        "20260105 20260109 20260116 20260123 20260130 20260202"
    );
    // In a week a number means nothing.
    assert_eq!(days(2, "20260105", "FREQ=WEEKLY;BYDAY=3MO"), "20260105 20260112");
}

#[test]
fn days_and_weeks_are_counted_from_both_ends_of_the_year() {
    // RFC 5545's examples: the 1st, 100th and 200th day, and the Monday of week 20.
    assert_eq!(
        days(4, "19970101", "FREQ=YEARLY;INTERVAL=3;BYYEARDAY=1,100,200"),
        "19970101 19970410 19970719 20000101"
    );
    assert_eq!(
        days(3, "19970512", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO"),
        "19970512 19980511 19990517"
    );
    assert_eq!(days(3, "20241231", "FREQ=YEARLY;BYYEARDAY=366,-1"), "20241231 20251231 20261231");
    // Week 1 of 2025 begins in 2024; without a weekday it is that of the start.
    assert_eq!(days(3, "20241230", "FREQ=YEARLY;BYWEEKNO=1"), "20241230 20251229 20270104");
    assert_eq!(days(2, "20201228", "FREQ=YEARLY;BYWEEKNO=53"), "20201228 20261228");
    assert_eq!(days(2, "20261221", "FREQ=YEARLY;BYWEEKNO=-2"), "20261221 20271220");
}

#[test]
fn parts_of_a_rule_limit_each_other() {
    // Every Friday the 13th: RFC 5545's example.
    assert_eq!(
        days(4, "19980213", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13"),
        "19980213 19980313 19981113 19990813"
    );
    // The first Saturday after the first Sunday.
    assert_eq!(
        days(3, "19970913", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13"),
        "19970913 19971011 19971108"
    );
    // Election day.
    assert_eq!(
        days(3, "19961105", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8"),
        "19961105 20001107 20041102"
    );
    assert_eq!(days(3, "20260330", "FREQ=DAILY;BYMONTH=3"), "20260330 20260331 20270301");
    assert_eq!(days(3, "20260105", "FREQ=DAILY;BYDAY=MO,WE"), "20260105 20260107 20260112");
    assert_eq!(days(3, "20260130", "FREQ=WEEKLY;BYMONTH=1"), "20260130 20270101 20270108");
}

#[test]
fn positions_choose_among_the_days_of_a_step() {
    let last_workday = "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1";
    assert_eq!(days(3, "20260130", last_workday), "20260130 20260227 20260331");
    let third = "FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3";
    assert_eq!(days(3, "19970904", third), "19970904 19971007 19971106");
    let both = "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=-1,1";
    assert_eq!(days(4, "20260105", both), "20260105 20260109 20260112 20260116");
    assert_eq!(days(2, "20260105", "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2"), "20260105");
}

#[test]
fn the_first_day_of_the_week_decides_which_weeks_are_hit() {
    // RFC 5545's example.
    let rule = "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU";
    assert_eq!(
        days(9, "19970805", &format!("{rule};WKST=MO")),
        "19970805 19970810 19970819 19970824"
    );
    assert_eq!(
        days(9, "19970805", &format!("{rule};WKST=SU")),
        "19970805 19970817 19970819 19970831"
    );
}

#[test]
fn a_series_ends_with_its_count_or_time() {
    assert_eq!(days(9, "20260101", "FREQ=DAILY;COUNT=3"), "20260101 20260102 20260103");
    let until = "FREQ=DAILY;UNTIL=20260103T090000";
    assert_eq!(days(9, "20260101T090000", until), "20260101 20260102 20260103");
    assert_eq!(days(9, "20260101T090001", until), "20260101 20260102");
}

#[test]
fn the_start_counts_whatever_the_rule_says_of_it() {
    assert_eq!(days(9, "20260101", "FREQ=WEEKLY;BYDAY=MO;COUNT=3"), "20260101 20260105 20260112");
    assert_eq!(days(9, "20260101", "FREQ=WEEKLY;BYDAY=MO;UNTIL=20251231"), "20260101");
    assert_eq!(days(9, "20260101", "FREQ=DAILY;COUNT=0"), "20260101");
    assert!(is_instance(time("20260101"), &rule("FREQ=WEEKLY;BYDAY=MO"), time("20260101")));
}

#[test]
fn the_last_instance_is_found_where_there_is_one() {
    for (start, text, is) in [
        ("20260101", "FREQ=DAILY", None),
        ("20260101", "FREQ=DAILY;COUNT=31", Some("20260131")),
        ("20260101", "FREQ=DAILY;UNTIL=20991231", Some("20991231")),
        ("20260131", "FREQ=MONTHLY;UNTIL=20260630", Some("20260531")),
        ("20240229", "FREQ=YEARLY;UNTIL=21030101", Some("20960229")),
        ("20260101", "FREQ=WEEKLY;INTERVAL=2;UNTIL=20260128", Some("20260115")),
        ("20260101", "FREQ=WEEKLY;BYDAY=MO;UNTIL=20260103", Some("20260101")),
        ("20260101", "FREQ=DAILY;UNTIL=20250101", Some("20260101")),
        // More of them than is gone through.
        ("20260101", "FREQ=DAILY;COUNT=4000000000", None),
        // No second one, ever: the count is never reached.
        ("20260101", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=5", Some("20260101")),
        ("20260101", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20990101", Some("20260101")),
    ] {
        let found = last(time(start), &rule(text)).map(date);
        assert_eq!(found.as_deref(), is, "{start} {text}");
    }
}

#[test]
fn absurd_rules_end() {
    for text in [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=6",
        "FREQ=YEARLY;BYDAY=53MO;BYSETPOS=2",
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=8",
        "FREQ=DAILY;INTERVAL=4294967295",
        "FREQ=YEARLY;INTERVAL=4294967295",
        "FREQ=DAILY",
    ] {
        for start in ["00010101", "20260101", "99991231"] {
            let (start, rule) = (time(start), rule(text));
            assert!(instances(start, &rule).count() <= MAX_INSTANCES, "{text}");
            is_instance(start, &rule, start.plus_seconds(86_400));
        }
        for seconds in [i64::MIN, -100_000_000_000_000, i64::MAX] {
            let start = LocalTime::from_seconds(seconds);
            assert_eq!(instances(start, &rule(text)).count(), 1, "{text}");
            let far = LocalTime::from_seconds(-seconds.saturating_add(1));
            is_instance(start, &rule(text), far);
            is_instance(far, &rule(text), start);
            assert!(instances_from(start, &rule(text), far).count() <= 1);
            let mut until = rule(text);
            until.end = RecurrenceEnd::Until(far);
            last(start, &until);
        }
    }
}
