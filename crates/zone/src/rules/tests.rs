//! Rules found in the changes of a year.

use super::*;

fn rules(zone: &str, year: i16) -> String {
    let zone = Zone::iana(zone).unwrap();
    let at = Timestamp::from_seconds(year_start(year) + 100 * 86_400);
    Rules::of_zone(&zone.clock, at).zone().unwrap().id().as_str().to_owned()
}

#[test]
fn the_rules_of_a_year_are_those_of_the_zone() {
    for (zone, year, is) in [
        ("Europe/Berlin", 2026, "<+01>-1<+02>,M3.5.0/2,M10.5.0/3"),
        ("America/New_York", 2026, "<-05>5<-04>,M3.2.0/2,M11.1.0/2"),
        ("Australia/Sydney", 2026, "<+10>-10<+11>,M10.1.0/2,M4.1.0/3"),
        ("Australia/Lord_Howe", 2026, "<+1030>-10:30<+11>-11,M10.1.0/2,M4.1.0/2"),
        // Summer time is what is ahead, whatever the law calls it.
        ("Europe/Dublin", 2026, "<+00>0<+01>,M3.5.0/1,M10.5.0/2"),
        // Midnight as the end of the day before.
        ("America/Santiago", 2026, "<-04>4<-03>,M9.1.6/24,M4.1.6/24"),
        ("Africa/Cairo", 2026, "<+02>-2<+03>,M4.5.5/0,M10.5.4/24"),
        // The fourth, and in 2021 also the last.
        ("America/Asuncion", 2021, "<-04>4<-03>,M10.1.0/0,M3.4.0/0"),
        ("Asia/Kolkata", 2026, "<+0530>-5:30"),
        ("Africa/Lagos", 2026, "Etc/GMT-1"),
        ("Africa/Bissau", 2026, "Etc/UTC"),
        // Ramadan: the rules of one year.
        ("Africa/Casablanca", 2025, "<+00>0<+01>,M4.1.0/2,M2.4.0/3"),
        // Summer time was given up in autumn; the spring before still had it.
        ("America/Mexico_City", 2022, "<-06>6<-05>,M4.1.0/2,M10.5.0/2"),
        ("America/Mexico_City", 2023, "Etc/GMT+6"),
    ] {
        assert_eq!(rules(zone, year), is, "{zone} {year}");
    }
}

#[test]
fn a_year_with_one_change_begins_with_the_other() {
    // Until 2020-12-27 Volgograd was an hour further east.
    assert_eq!(rules("Europe/Volgograd", 2020), "<+03>-3<+04>,M1.1.3/0,M12.4.0/2");
}
