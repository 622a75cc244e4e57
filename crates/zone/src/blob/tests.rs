//! Zones as phones read and send them.

use super::*;

/// 2026-06-15T00:00:00Z.
const SUMMER: Timestamp = Timestamp::from_seconds(1_781_481_600);

fn zone(id: &str) -> Zone {
    Zone::of(&ZoneId::from(id)).unwrap()
}

fn blob(id: &str) -> [u8; BLOB_SIZE] {
    zone(id).to_blob(SUMMER)
}

/// Read with nothing preferred.
fn read(blob: &[u8]) -> Option<String> {
    Zone::from_blob(blob, &[], SUMMER).map(|zone| zone.id().as_str().to_owned())
}

/// The same without names, as many phones send it.
fn nameless(mut blob: [u8; BLOB_SIZE]) -> [u8; BLOB_SIZE] {
    blob[place::STANDARD_NAME..place::STANDARD_DATE].fill(0);
    blob[place::DAYLIGHT_NAME..place::DAYLIGHT_DATE].fill(0);
    blob
}

fn date(blob: &[u8], at: usize) -> [u16; 8] {
    let field = |n: usize| u16::from_le_bytes([blob[at + 2 * n], blob[at + 2 * n + 1]]);
    std::array::from_fn(field)
}

#[test]
fn a_zone_with_summer_time_has_both_rules_and_names() {
    let blob = blob("Europe/Berlin");
    assert_eq!(read_number(&blob, place::BIAS), Some(-60));
    assert_eq!(read_number(&blob, place::STANDARD_BIAS), Some(0));
    assert_eq!(read_number(&blob, place::DAYLIGHT_BIAS), Some(-60));
    // The last Sunday of October at 3 and of March at 2.
    assert_eq!(date(&blob, place::STANDARD_DATE), [0, 10, 0, 5, 3, 0, 0, 0]);
    assert_eq!(date(&blob, place::DAYLIGHT_DATE), [0, 3, 0, 5, 2, 0, 0, 0]);
    let name = |at| read_name(&blob, at).unwrap();
    assert_eq!(name(place::STANDARD_NAME), "W. Europe Standard Time");
    assert_eq!(name(place::DAYLIGHT_NAME), "W. Europe Daylight Time");
}

#[test]
fn the_rules_do_not_depend_on_the_time_of_year() {
    let winter = Timestamp::from_seconds(SUMMER.as_seconds() - 150 * 86_400);
    for name in ["Europe/Berlin", "America/New_York", "Australia/Sydney", "Africa/Bujumbura"] {
        assert_eq!(blob(name), zone(name).to_blob(winter), "{name}");
    }
}

#[test]
fn on_the_southern_half_and_in_the_west_signs_and_months_turn() {
    let sydney = blob("Australia/Sydney");
    assert_eq!(read_number(&sydney, place::BIAS), Some(-600));
    assert_eq!(date(&sydney, place::DAYLIGHT_DATE)[..5], [0, 10, 0, 1, 2]);
    assert_eq!(date(&sydney, place::STANDARD_DATE)[..5], [0, 4, 0, 1, 3]);
    let new_york = blob("America/New_York");
    assert_eq!(read_number(&new_york, place::BIAS), Some(300));
    assert_eq!(date(&new_york, place::DAYLIGHT_DATE)[..5], [0, 3, 0, 2, 2]);
}

#[test]
fn the_end_of_a_day_is_its_last_millisecond() {
    let santiago = blob("America/Santiago");
    assert_eq!(date(&santiago, place::DAYLIGHT_DATE), [0, 9, 6, 1, 23, 59, 59, 999]);
    assert_eq!(read(&nameless(santiago)).unwrap(), "America/Santiago");
}

#[test]
fn a_zone_without_summer_time_has_a_bias_alone() {
    let kolkata = nameless(blob("Asia/Kolkata"));
    assert_eq!(read_number(&kolkata, place::BIAS), Some(-330));
    assert!(kolkata[4..].iter().all(|byte| *byte == 0));
}

#[test]
fn without_a_name_the_best_known_zone_with_these_rules_is_taken() {
    for (id, is) in [
        ("Europe/Amsterdam", "Europe/Berlin"),
        ("America/Detroit", "America/New_York"),
        ("Asia/Manila", "Asia/Shanghai"),
        ("Africa/Harare", "Africa/Johannesburg"),
        ("Europe/Lisbon", "Europe/London"),
        ("Africa/Cairo", "Africa/Cairo"),
        ("Australia/Lord_Howe", "Australia/Lord_Howe"),
    ] {
        assert_eq!(read(&nameless(blob(id))).as_deref(), Some(is), "{id}");
    }
}

#[test]
fn the_name_decides_between_zones_with_these_rules() {
    assert_eq!(read(&blob("Europe/Paris")).unwrap(), "Europe/Paris");
    let mut renamed = blob("Europe/Berlin");
    renamed[place::STANDARD_NAME..place::STANDARD_DATE].fill(0);
    write_name(&mut renamed, place::STANDARD_NAME, "Europe/Vienna");
    assert_eq!(read(&renamed).unwrap(), "Europe/Vienna");
    // The rules are what counts: a name cannot make them others.
    write_name(&mut renamed, place::STANDARD_NAME, "Tokyo Standard Time");
    assert_eq!(read(&renamed).unwrap(), "Europe/Berlin");
}

#[test]
fn a_preferred_zone_with_these_rules_wins_over_a_name() {
    let prefer =
        ["Asia/Tokyo", "Nowhere/Nothing", "Europe/Rome", "Europe/Berlin"].map(ZoneId::from);
    let read = |id: &str| Zone::from_blob(&blob(id), &prefer, SUMMER).unwrap();
    assert_eq!(read("Europe/Paris").id().as_str(), "Europe/Rome");
    assert_eq!(read("America/New_York").id().as_str(), "America/New_York");
}

#[test]
fn a_preferred_zone_wins_also_by_the_rules_it_has_for_good() {
    // A phone sends today's rules for a meeting of a year in which there still was summer time.
    let (in_2022, prefer) = (Timestamp::from_seconds(1_655_000_000), "America/Mexico_City");
    let today = nameless(blob(prefer));
    let read = Zone::from_blob(&today, &[prefer.into()], in_2022).unwrap();
    assert_eq!(read.id().as_str(), prefer);
    // And one that thinks that the last Sunday of October is always the fourth.
    let mut fourth = nameless(blob("Europe/Rome"));
    fourth[place::STANDARD_DATE + 6] = 4;
    let in_2027 = Timestamp::from_seconds(SUMMER.as_seconds() + 365 * 86_400);
    let read = Zone::from_blob(&fourth, &["Europe/Rome".into()], in_2027).unwrap();
    assert_eq!(read.id().as_str(), "Europe/Rome");
}

#[test]
fn rules_that_no_zone_has_are_a_zone_of_their_own() {
    let mut own = nameless(blob("Europe/Berlin"));
    own[place::STANDARD_DATE + 2] = 9;
    let id = read(&own).unwrap();
    assert_eq!(id, "<+01>-1<+02>,M3.5.0/2,M9.5.0/3");
    assert_eq!(nameless(zone(&id).to_blob(SUMMER)), own);
}

#[test]
fn a_blob_of_zeros_says_nothing() {
    assert_eq!(read(&[0; BLOB_SIZE]).unwrap(), "Etc/UTC");
    let own = Zone::from_blob(&[0; BLOB_SIZE], &["Europe/Rome".into()], SUMMER).unwrap();
    assert_eq!(own.id().as_str(), "Europe/Rome");
    // UTC that is meant has a name.
    let utc = Zone::from_blob(&blob("Etc/UTC"), &["Europe/Rome".into()], SUMMER).unwrap();
    assert_eq!(utc, Zone::utc());
}

#[test]
fn what_is_no_blob_is_none() {
    for size in [0, 1, 4, 171] {
        assert_eq!(read(&blob("Europe/Berlin")[..size]), None, "{size} bytes");
    }
    let long = [&blob("Europe/Berlin")[..], &[7; 100]].concat();
    assert_eq!(read(&long).unwrap(), "Europe/Berlin");
    assert_eq!(read(&[0xFF; BLOB_SIZE]).unwrap(), "<+0002>-0:02");
    assert_eq!(read(&[0x7F; BLOB_SIZE]), None);
    for bias in [i32::MIN, -1_440, 1_440, i32::MAX] {
        let mut far = [0; BLOB_SIZE];
        write(&mut far, place::BIAS, &bias.to_le_bytes());
        assert_eq!(read(&far), None, "{bias}");
    }
}
