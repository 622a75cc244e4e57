//! Definitions as calendars carry them.

use super::*;
use dme_model::{Frequency, NthDay, RecurrenceEnd, Weekday, ZoneId};
use jiff::civil::date;
use jiff::tz::Offset;

fn zone(id: &str) -> Zone {
    Zone::of(&ZoneId::from(id)).unwrap()
}

fn local(year: i16, month: i8, day: i8, hour: i8) -> LocalTime {
    let shown = date(year, month, day).at(hour, 0, 0, 0);
    LocalTime::from_seconds(Offset::UTC.to_timestamp(shown).unwrap().as_second())
}

/// 2026-06-15.
fn summer() -> Timestamp {
    local(2026, 6, 15, 0).as_utc()
}

fn yearly(month: u8, nth: i8) -> Recurrence {
    Recurrence {
        by_month: vec![month],
        by_day: vec![NthDay { day: Weekday::Sunday, nth: Some(nth) }],
        ..Recurrence::every(Frequency::Yearly)
    }
}

fn observance(start: LocalTime, from: i32, to: i32, rule: Option<Recurrence>) -> Observance {
    let kind = if to > from { ObservanceKind::Daylight } else { ObservanceKind::Standard };
    let (offset_from, offset_to) = (from * 3600, to * 3600);
    Observance { kind, start, offset_from, offset_to, rule, dates: vec![], name: String::new() }
}

/// As most calendars define Berlin's zone.
fn berlin() -> Vec<Observance> {
    vec![
        observance(local(1970, 3, 29, 2), 1, 2, Some(yearly(3, -1))),
        observance(local(1970, 10, 25, 3), 2, 1, Some(yearly(10, -1))),
    ]
}

fn read(tzid: &str, observances: &[Observance]) -> String {
    let zone = Zone::from_observances(tzid, observances, summer());
    zone.map_or("none".into(), |zone| zone.id().as_str().to_owned())
}

#[test]
fn summer_time_is_a_rule_for_its_begin_and_one_for_its_end() {
    let observances = zone("Europe/Berlin").observances(2026);
    let parts: Vec<_> =
        observances.iter().map(|part| (part.kind, part.start, &*part.name, &part.rule)).collect();
    let (march, october) = (yearly(3, -1), yearly(10, -1));
    assert_eq!(
        parts,
        [
            (ObservanceKind::Standard, local(1999, 1, 1, 0), "CET", &None),
            (ObservanceKind::Daylight, local(1999, 3, 28, 2), "CEST", &Some(march)),
            (ObservanceKind::Standard, local(1999, 10, 31, 3), "CET", &Some(october)),
        ]
    );
}

#[test]
fn a_zone_without_changes_is_one_observance() {
    let observances = zone("Asia/Kolkata").observances(2026);
    let [only] = observances.as_slice() else { panic!("{observances:?}") };
    assert_eq!((only.offset_from, only.offset_to, only.name.as_str()), (19_800, 19_800, "IST"));
    assert_eq!((only.rule.as_ref(), only.dates.len()), (None, 0));
}

#[test]
fn a_weekday_that_is_counted_from_some_day_is_looked_for_among_seven() {
    // The day before the last Sunday, and the night after the last Thursday.
    let nuuk = zone("America/Nuuk").observances(2026);
    let cairo = zone("Africa/Cairo").observances(2026);
    let days = |zone: &[Observance], month: u8| {
        let rules = zone.iter().filter_map(|part| part.rule.as_ref());
        let mut rules = rules.filter(|rule| rule.end == RecurrenceEnd::Never);
        rules.find(|rule| rule.by_month == [month]).unwrap().by_month_day.clone()
    };
    assert_eq!(days(&nuuk, 3), [24, 25, 26, 27, 28, 29, 30]);
    assert_eq!(days(&cairo, 10), [26, 27, 28, 29, 30, 31]);
    assert_eq!(days(&cairo, 11), [1]);
}

#[test]
fn changes_without_a_rule_are_dates_and_rules_that_were_given_up_have_an_end() {
    let casablanca = zone("Africa/Casablanca").observances(2020);
    assert!(casablanca.iter().all(|part| part.rule.is_none()), "{casablanca:#?}");
    assert!(casablanca.iter().any(|part| part.dates.len() > 4));
    let mexico = zone("America/Mexico_City").observances(2015);
    let until = RecurrenceEnd::Until(local(2022, 4, 3, 2));
    assert!(mexico.iter().any(|part| part.rule.as_ref().is_some_and(|rule| rule.end == until)));
}

#[test]
fn the_observances_of_every_zone_are_its_changes() {
    let (year, years) = (2020, 11);
    for name in jiff::tz::db().available() {
        let Some(zone) = Zone::iana(name.as_str()) else { continue };
        let observances = zone.observances(year.into());
        let read = Timeline::of_observances(&observances, year, years);
        assert_eq!(read, Some(Timeline::of_zone(&zone.clock, year, years)), "{name}");
    }
}

#[test]
fn an_iana_name_is_taken_where_the_offset_agrees_and_a_windows_name_where_the_rules_do() {
    assert_eq!(read("Europe/Berlin", &berlin()), "Europe/Berlin");
    assert_eq!(read("Europe/Rome", &berlin()), "Europe/Rome");
    assert_eq!(read("Romance Standard Time", &berlin()), "Europe/Paris");
    assert_eq!(read("/mozilla.org/20050126_1/Europe/Vienna", &berlin()), "Europe/Vienna");
    // An old definition of a zone that has given up summer time since.
    let mexico = [
        observance(local(1996, 4, 7, 2), -6, -5, Some(yearly(4, 1))),
        observance(local(1996, 10, 27, 2), -5, -6, Some(yearly(10, -1))),
    ];
    let winter = local(2026, 1, 15, 0).as_utc();
    let zone = Zone::from_observances("America/Mexico_City", &mexico, winter).unwrap();
    assert_eq!(zone.id().as_str(), "America/Mexico_City");
    // In summer it defines another time than the zone has.
    let id = read("America/Mexico_City", &mexico);
    assert_eq!(id, "<-06>6<-05>,M4.1.0/2,M10.5.0/2");
}

#[test]
fn a_definition_that_contradicts_its_name_is_what_counts() {
    assert_eq!(read("Asia/Tokyo", &berlin()), "Europe/Berlin");
    assert_eq!(read("Tokyo Standard Time", &berlin()), "Europe/Berlin");
    assert_eq!(read("Customized Time Zone", &berlin()), "Europe/Berlin");
}

#[test]
fn a_definition_of_no_known_zone_has_rules_of_its_own() {
    let mut own = berlin();
    own[1].rule = Some(yearly(9, 2));
    assert_eq!(read("Customized Time Zone", &own), "<+01>-1<+02>,M3.5.0/2,M9.2.0/3");
    // As old calendars say the second Sunday, and as set positions say the last.
    own[1].rule.as_mut().unwrap().by_day[0].nth = None;
    own[1].rule.as_mut().unwrap().by_month_day = (8..=14).collect();
    own[0].rule.as_mut().unwrap().by_day[0].nth = None;
    own[0].rule.as_mut().unwrap().by_set_position = vec![-1];
    assert_eq!(read("Customized Time Zone", &own), "<+01>-1<+02>,M3.5.0/2,M9.2.0/3");
}

#[test]
fn rules_that_have_ended_and_dates_count_as_far_as_they_go() {
    let until = |end| Recurrence { end, ..yearly(3, -1) };
    for end in [RecurrenceEnd::Until(local(1980, 3, 30, 2)), RecurrenceEnd::Count(11)] {
        let mut ended = berlin();
        ended[0].rule = Some(until(end));
        ended[1].rule.as_mut().unwrap().end = RecurrenceEnd::Until(local(1980, 10, 26, 3));
        assert_eq!(read("Our office", &ended), "Africa/Lagos");
        // The last change was in spring.
        ended.truncate(1);
        assert_eq!(read("Our office", &ended), "Africa/Johannesburg");
    }
    let mut dates = berlin();
    for part in &mut dates {
        part.rule = None;
    }
    dates[0].dates = vec![local(2026, 3, 29, 2)];
    dates[1].dates = vec![local(2026, 10, 25, 3)];
    assert_eq!(read("Our office", &dates), "Europe/Berlin");
}

#[test]
fn without_a_definition_the_name_decides_alone() {
    assert_eq!(read("W. Europe Standard Time", &[]), "Europe/Berlin");
    assert_eq!(read("Our office", &[]), "none");
    for offset in [i32::MIN, -86_400, 86_400, i32::MAX] {
        let absurd = Observance { offset_to: offset, ..berlin()[0].clone() };
        assert_eq!(read("Europe/Berlin", std::slice::from_ref(&absurd)), "Europe/Berlin");
        assert_eq!(read("Our office", &[absurd]), "none");
    }
}

#[test]
fn absurd_definitions_end_quickly() {
    let rule = Recurrence {
        interval: u32::MAX,
        by_month: vec![0, 13, 255, 2],
        by_day: vec![NthDay { day: Weekday::Monday, nth: Some(i8::MIN) }; 1_000],
        by_month_day: vec![i8::MIN, 0, i8::MAX],
        by_set_position: vec![i16::MIN, 0, i16::MAX],
        end: RecurrenceEnd::Count(u32::MAX),
        ..Recurrence::every(Frequency::Yearly)
    };
    for seconds in [i64::MIN, -1, i64::MAX] {
        let mut part = observance(LocalTime::from_seconds(seconds), 1, 2, Some(rule.clone()));
        part.dates = vec![LocalTime::from_seconds(seconds); 100_000];
        for at in [i64::MIN, 0, i64::MAX] {
            let parts = vec![part.clone(); 100];
            Zone::from_observances("Our office", &parts, Timestamp::from_seconds(at));
        }
    }
}
