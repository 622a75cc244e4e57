//! Which known zone has given rules.

use crate::rules::Rules;
use crate::timeline::{Timeline, year_of, year_start};
use crate::windows;
use crate::zone::Zone;
use dme_model::Timestamp;
use std::sync::LazyLock;

/// Of zones with the same rules the one that most people would name, before the order of Windows'
/// own list decides.
const BEST_KNOWN: [&str; 28] = [
    "Etc/UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Helsinki",
    "Europe/Moscow",
    "Europe/Istanbul",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Phoenix",
    "America/Anchorage",
    "America/Halifax",
    "America/Mexico_City",
    "America/Bogota",
    "America/Sao_Paulo",
    "Africa/Johannesburg",
    "Africa/Lagos",
    "Africa/Nairobi",
    "Asia/Riyadh",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Bangkok",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Brisbane",
    "Australia/Sydney",
    "Pacific/Auckland",
];

/// A moment far enough ahead that the zone's rules are those that hold for good, as far as known:
/// 2037-06-01.
const FOR_GOOD: Timestamp = Timestamp::from_seconds(2_127_427_200);

/// Whether both zones' clocks show the same in the year of a moment. New Year's days are left out:
/// Windows' rules for a year may begin or end with a change there that is none.
pub(crate) fn same_year(one: &Zone, other: &Zone, at: Timestamp) -> bool {
    same_as(&Timeline::of_zone(&other.clock, year_of(at), 1), one, at)
}

/// The same for a clock that is no zone.
pub(crate) fn same_as(clock: &Timeline, zone: &Zone, at: Timestamp) -> bool {
    let year = year_of(at);
    let (from, to) = (year_start(year) + 2 * 86_400, year_start(year + 1) - 2 * 86_400);
    // Most zones differ by their offset at either, which is soon found out.
    [from, i64::midpoint(from, to)]
        .into_iter()
        .all(|moment| zone.offset_at(Timestamp::from_seconds(moment)) == clock.offset_at(moment))
        && clock.agrees(&Timeline::of_zone(&zone.clock, year, 1), from, to)
}

/// Whether a zone has these rules, or nearly, in the year of a moment or for good.
pub(crate) fn near(zone: &Zone, rules: &Rules, at: Timestamp) -> bool {
    [at, FOR_GOOD].into_iter().any(|at| Rules::of_zone(&zone.clock, at).alike(rules))
}

/// The best known zone whose clock shows the same in the year of a moment.
pub(crate) fn best_known(zone: &Zone, at: Timestamp) -> Option<Zone> {
    best_known_as(&Timeline::of_zone(&zone.clock, year_of(at), 1), at)
}

/// The same for a clock that is no zone.
pub(crate) fn best_known_as(clock: &Timeline, at: Timestamp) -> Option<Zone> {
    static ZONES: LazyLock<Vec<Zone>> = LazyLock::new(|| {
        let names = BEST_KNOWN.into_iter().chain(windows::main_zones());
        names.filter_map(Zone::iana).collect()
    });
    ZONES.iter().find(|zone| same_as(clock, zone, at)).cloned()
}
