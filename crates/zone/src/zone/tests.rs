//! Clock readings and moments.

use super::*;

fn zone(id: &str) -> Zone {
    Zone::of(&ZoneId::from(id)).unwrap()
}

fn local(year: i16, month: i8, day: i8, hour: i8, minute: i8) -> LocalTime {
    let shown = jiff::civil::date(year, month, day).at(hour, minute, 0, 0);
    LocalTime::from_seconds(Offset::UTC.to_timestamp(shown).unwrap().as_second())
}

fn utc(year: i16, month: i8, day: i8, hour: i8, minute: i8) -> Timestamp {
    local(year, month, day, hour, minute).as_utc()
}

#[test]
fn a_time_that_is_skipped_or_comes_twice_has_the_offset_before_the_change() {
    let cases = [
        // Skipped: 2:30 is read as winter time and shown as 3:30.
        ("Europe/Berlin", local(2026, 3, 29, 2, 30), utc(2026, 3, 29, 1, 30)),
        ("America/New_York", local(2026, 3, 8, 2, 30), utc(2026, 3, 8, 7, 30)),
        // Twice: the first is meant.
        ("Europe/Berlin", local(2026, 10, 25, 2, 30), utc(2026, 10, 25, 0, 30)),
        ("America/New_York", local(2026, 11, 1, 1, 30), utc(2026, 11, 1, 5, 30)),
        // Half an hour in Lord Howe, and no more.
        ("Australia/Lord_Howe", local(2026, 10, 4, 2, 15), utc(2026, 10, 3, 15, 45)),
        ("Australia/Lord_Howe", local(2026, 4, 5, 1, 45), utc(2026, 4, 4, 14, 45)),
        // A law that calls the winter's clock the unusual one changes nothing.
        ("Europe/Dublin", local(2026, 3, 29, 1, 30), utc(2026, 3, 29, 1, 30)),
        ("Europe/Dublin", local(2026, 7, 1, 12, 0), utc(2026, 7, 1, 11, 0)),
        // At the end of a day.
        ("America/Santiago", local(2026, 9, 6, 0, 30), utc(2026, 9, 6, 4, 30)),
        ("America/Santiago", local(2026, 4, 4, 23, 30), utc(2026, 4, 5, 2, 30)),
        ("Africa/Cairo", local(2026, 4, 24, 0, 30), utc(2026, 4, 23, 22, 30)),
        // None at all.
        ("Asia/Kolkata", local(2026, 7, 1, 12, 0), utc(2026, 7, 1, 6, 30)),
        ("EST5EDT,M3.2.0,M11.1.0", local(2026, 7, 1, 12, 0), utc(2026, 7, 1, 16, 0)),
    ];
    for (id, shown, moment) in cases {
        assert_eq!(zone(id).to_utc(shown), moment, "{id} {shown:?}");
    }
}

#[test]
fn a_moment_is_shown_and_read_again() {
    for id in ["Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "<+0530>-5:30", "UTC"] {
        let zone = zone(id);
        let mut seen_twice = 0;
        for hour in 0..3 * 8_766 {
            let at = Timestamp::from_seconds(1_767_225_600 + hour * 3_600);
            let again = zone.to_utc(zone.to_local(at));
            // The second of two equal readings is read as the first.
            seen_twice += i32::from(again < at);
            assert!(again <= at && again.as_seconds() >= at.as_seconds() - 3_600, "{id} {at:?}");
        }
        assert!(seen_twice <= 6, "{id}: {seen_twice}");
    }
}

#[test]
fn a_zone_is_known_by_iana_name_alias_or_rules() {
    for (id, is) in [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/BERLIN", "Europe/Berlin"),
        ("Asia/Calcutta", "Asia/Calcutta"),
        ("Europe/Amsterdam", "Europe/Amsterdam"),
        ("UTC", "Etc/UTC"),
        ("Zulu", "Etc/UTC"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3"),
    ] {
        assert_eq!(zone(id).id().as_str(), is, "{id}");
    }
    let long = format!("<{}>-1", "A".repeat(1000));
    for id in ["", "Nowhere/Nothing", "../../etc/passwd", "Etc/Unknown", "🕰", &long] {
        assert_eq!(Zone::of(&ZoneId::from(id)), None, "{id}");
    }
}

#[test]
fn no_moment_and_no_reading_is_too_far_away() {
    for id in ["Europe/Berlin", "America/Santiago", "Asia/Kolkata", "UTC"] {
        for seconds in [i64::MIN, i64::MIN + 1, -377_705_116_800, 253_402_300_799, i64::MAX] {
            let zone = zone(id);
            zone.to_utc(LocalTime::from_seconds(seconds));
            zone.to_local(Timestamp::from_seconds(seconds));
            zone.to_blob(Timestamp::from_seconds(seconds));
            Zone::from_blob(&[1; 172], &[], Timestamp::from_seconds(seconds));
            Zone::from_observances("X", &zone.observances(2020), Timestamp::from_seconds(seconds));
        }
        for year in [i32::MIN, -1, 0, 1, 9_999, i32::MAX] {
            assert!(!zone(id).observances(year).is_empty());
        }
    }
}

#[test]
fn a_host_says_its_zone_by_a_link_into_the_database() {
    let of = |link: &str| {
        let zone = Zone::of_host(|at| {
            assert_eq!(at, Path::new("/etc/localtime"));
            Ok(PathBuf::from(link))
        });
        zone.id().as_str().to_owned()
    };
    assert_eq!(of("/usr/share/zoneinfo/Europe/Berlin"), "Europe/Berlin");
    let utc = Zone::utc();
    assert_eq!(of("/usr/share/zoneinfo/Middle/Earth"), utc.id().as_str());
    assert_eq!(of("/etc/other"), utc.id().as_str());
    assert_eq!(Zone::of_host(|_| Err(io::Error::other("no link"))), Zone::utc());
}
