//! Definitions as calendars carry them.

use super::*;

#[test]
fn a_zone_without_changes_is_one_observance() {
    let kolkata = Zone::from_tzid("Asia/Kolkata").unwrap();
    let observances = kolkata.observances(2026);
    let [only] = observances.as_slice() else { panic!("{observances:?}") };
    assert_eq!((only.offset_from, only.offset_to, only.name.as_str()), (19_800, 19_800, "IST"));
    assert_eq!((only.rule.as_ref(), only.dates.len()), (None, 0));
}
