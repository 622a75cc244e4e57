//! Every IANA zone, every year from 2020 to 2030: what is written of a zone and read again shows
//! the same time.

use dme_model::{Timestamp, ZoneId};
use dme_zone::Zone;
use jiff::tz::TimeZone;

const YEARS: std::ops::RangeInclusive<i16> = 2020..=2030;

/// Whether a zone's clocks changed so often in a year that no yearly rules can say it: Ramadan
/// twice, or a year with summer time that ends with a new offset.
fn has_no_rules(zone: &Zone, year: i16) -> bool {
    let changes = changes(zone, start_of(year), start_of(year + 1));
    let is_real = |at: &&Timestamp| zone.offset_at(later(**at, -1)) != zone.offset_at(**at);
    changes.iter().filter(is_real).count() > 2
}

fn zones() -> Vec<Zone> {
    let names = jiff::tz::db().available().map(|name| name.as_str().to_owned());
    let zones: Vec<Zone> = names.filter_map(|name| Zone::of(&ZoneId::from(name))).collect();
    assert!(zones.len() > 550, "{} zones", zones.len());
    zones
}

fn start_of(year: i16) -> Timestamp {
    let start = jiff::civil::date(year, 1, 1).in_tz("UTC").unwrap().timestamp();
    Timestamp::from_seconds(start.as_second())
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_seconds(at.as_seconds() + seconds)
}

/// Where the clocks differ between two moments: looked at just before and at every change of either.
fn difference(one: &Zone, other: &Zone, from: Timestamp, to: Timestamp) -> Option<Timestamp> {
    let changes = [one, other].into_iter().flat_map(|zone| changes(zone, from, to));
    let around = changes.flat_map(|at| [later(at, -1), at]);
    let mut moments = around.chain([from]);
    moments.find(|at| one.to_local(*at) != other.to_local(*at))
}

/// When the time zone library says that something changes.
fn changes(zone: &Zone, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let id = zone.id().as_str();
    let clock = TimeZone::get(id).or_else(|_| TimeZone::posix(id)).unwrap();
    let start = jiff::Timestamp::from_second(from.as_seconds()).unwrap();
    let changes = clock.following(start);
    let moments = changes.map(|change| Timestamp::from_seconds(change.timestamp().as_second()));
    moments.take_while(|at| *at < to).collect()
}

#[test]
fn a_blob_shows_the_same_times_in_its_year() {
    let mut wrong = vec![];
    for zone in zones() {
        for year in YEARS {
            let (from, to) = (start_of(year), start_of(year + 1));
            for day in [5, 185, 360] {
                let at = later(from, day * 86_400);
                let blob = zone.to_blob(at);
                let read = Zone::from_blob(&blob, &[], at).unwrap();
                // Windows has a year with one change begin with another.
                let (from, to) = (later(from, 86_400), later(to, -86_400));
                let no_rules = has_no_rules(&zone, year);
                if let Some(when) = difference(&zone, &read, from, to).filter(|_| !no_rules) {
                    wrong.push(format!(
                        "{:?} {year} {day} as {:?}: {when:?}",
                        zone.id(),
                        read.id()
                    ));
                }
                let own = Zone::from_blob(&blob, &[ZoneId::utc(), zone.id().clone()], at).unwrap();
                if own.id() != zone.id() && !(no_rules) && own.id() != &ZoneId::utc() {
                    wrong.push(format!("{:?} {year} {day} own as {:?}", zone.id(), own.id()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} {:#?}", wrong.len(), &wrong[..wrong.len().min(60)]);
}

#[test]
fn observances_show_the_same_times() {
    let mut wrong = vec![];
    for zone in zones() {
        let observances = zone.observances(2020);
        for year in YEARS {
            let at = later(start_of(year), 100 * 86_400);
            let read = Zone::from_observances("Our office", &observances, at).unwrap();
            let no_rules = has_no_rules(&zone, year);
            let (from, to) = (later(start_of(year), 86_400), later(start_of(year + 1), -86_400));
            if let Some(when) = difference(&zone, &read, from, to).filter(|_| !no_rules) {
                wrong.push(format!("{:?} {year} as {:?}: {when:?}", zone.id(), read.id()));
            }
            let named = Zone::from_observances(zone.id().as_str(), &observances, at).unwrap();
            if named != zone {
                wrong.push(format!("{:?} {year} is {:?}", zone.id(), named.id()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} {:#?}", wrong.len(), &wrong[..wrong.len().min(60)]);
}
