//! Zones as phones read them.

use super::*;

/// 2026-06-15T00:00:00Z.
const SUMMER: Timestamp = Timestamp::from_seconds(1_781_481_600);

fn number(blob: &[u8], at: usize) -> i32 {
    i32::from_le_bytes(blob[at..at + 4].try_into().unwrap())
}

fn rule(blob: &[u8], at: usize) -> [u16; 6] {
    let field = |n: usize| u16::from_le_bytes([blob[at + 2 * n], blob[at + 2 * n + 1]]);
    std::array::from_fn(field)
}

#[test]
fn a_zone_with_summer_time_has_both_rules() {
    let blob = blob(Some("Europe/Berlin"), SUMMER);
    assert_eq!(number(&blob, place::BIAS), -60);
    assert_eq!(number(&blob, place::DAYLIGHT_BIAS), -60);
    // The last Sunday of October at 3 and of March at 2.
    assert_eq!(rule(&blob, place::STANDARD_DATE), [0, 10, 0, 5, 3, 0]);
    assert_eq!(rule(&blob, place::DAYLIGHT_DATE), [0, 3, 0, 5, 2, 0]);
}

#[test]
fn the_rules_do_not_depend_on_the_time_of_year() {
    let winter = Timestamp::from_seconds(SUMMER.as_seconds() - 180 * 86_400);
    for name in ["Europe/Berlin", "America/New_York", "Australia/Sydney", "Africa/Bujumbura"] {
        assert_eq!(blob(Some(name), SUMMER), blob(Some(name), winter), "{name}");
    }
}

#[test]
fn on_the_southern_half_and_in_the_west_signs_and_months_turn() {
    let sydney = blob(Some("Australia/Sydney"), SUMMER);
    assert_eq!(number(&sydney, place::BIAS), -600);
    assert_eq!(rule(&sydney, place::DAYLIGHT_DATE), [0, 10, 0, 1, 2, 0]);
    assert_eq!(rule(&sydney, place::STANDARD_DATE), [0, 4, 0, 1, 3, 0]);
    let new_york = blob(Some("America/New_York"), SUMMER);
    assert_eq!(number(&new_york, place::BIAS), 300);
    assert_eq!(rule(&new_york, place::DAYLIGHT_DATE), [0, 3, 0, 2, 2, 0]);
}

#[test]
fn a_zone_without_summer_time_has_a_bias_alone() {
    let kolkata = blob(Some("Asia/Kolkata"), SUMMER);
    assert_eq!(number(&kolkata, place::BIAS), -330);
    assert!(kolkata[4..].iter().all(|byte| *byte == 0));
}

#[test]
fn what_is_no_zone_is_utc() {
    for name in [None, Some("UTC"), Some("Nowhere/Nothing"), Some("../../etc/passwd"), Some("")] {
        assert_eq!(blob(name, SUMMER), [0; SIZE], "{name:?}");
    }
    assert_eq!(blob(Some("Europe/Berlin"), Timestamp::from_millis(i64::MAX)), [0; SIZE]);
}
