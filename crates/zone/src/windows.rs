//! Windows' names of time zones (Unicode CLDR, `windowsZones.xml`).

use crate::zone::Zone;
use std::sync::LazyLock;

/// A line a zone: its name, what Windows' settings call it, the IANA name of its most populous
/// place and those of others.
const TABLE: &str = include_str!("windows_zones.tsv");

/// A line of the table.
struct Entry {
    name: &'static str,
    description: &'static str,
    /// The most populous place's first.
    zones: Vec<&'static str>,
}

impl Entry {
    fn main_zone(&self) -> &'static str {
        self.zones.first().copied().unwrap_or_default()
    }

    fn has(&self, zone: &str) -> bool {
        self.zones.contains(&zone)
    }
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        let entry = |line: &'static str| {
            let (name, rest) = line.split_once('\t')?;
            let (description, zones) = rest.split_once('\t')?;
            Some(Entry { name, description, zones: zones.split(' ').collect() })
        };
        lines.filter_map(entry).collect()
    });
    ENTRIES.iter()
}

/// The zones of the most populous places, from west to east.
pub(crate) fn main_zones() -> impl Iterator<Item = &'static str> {
    entries().map(Entry::main_zone)
}

/// Windows' name of a zone. None for one that Windows does not know.
pub(crate) fn name_of(zone: &Zone) -> Option<&'static str> {
    let of_name = |name: &str| entries().find(|entry| entry.has(name));
    let entry = of_name(zone.id().as_str());
    Some(entry.or_else(|| of_name(zone.clock.primary_iana_name()?))?.name)
}

/// What the zone with this name is called in summer.
pub(crate) fn daylight_name(name: &str) -> String {
    name.replace("Standard Time", "Daylight Time")
}

/// The zone that Windows calls this: by its name, that for the summer, or the first words of either
/// (`Eastern`, `W. Europe`).
pub(crate) fn zone(name: &str) -> Option<Zone> {
    let name = name.trim();
    let stem = ["Standard Time", "Daylight Time", "Time"]
        .into_iter()
        .find_map(|end| strip_suffix(name, end))
        .unwrap_or(name)
        .trim_end();
    let standard = format!("{stem} Standard Time");
    let whole = name.replace("Daylight Time", "Standard Time");
    let is_it = |entry: &&Entry| {
        [&whole, &standard].into_iter().any(|name| entry.name.eq_ignore_ascii_case(name))
    };
    entries().find(is_it).and_then(|entry| Zone::iana(entry.main_zone()))
}

/// The zone that Windows' settings describe like this, the offset before it left out: the whole
/// description, or the first of its places that is known and goes by an offset, where one is given.
pub(crate) fn described(description: &str, offset: Option<i32>) -> Option<Zone> {
    let whole = entries().find(|entry| entry.description.eq_ignore_ascii_case(description));
    let whole = whole.and_then(|entry| Zone::iana(entry.main_zone()));
    let places = || description.split([',', '/', ';', '&', '(']).map(str::trim);
    whole.or_else(|| {
        let places = places().filter(|place| place.len() >= 3);
        let zones = places.filter_map(|place| place_zone(place).or_else(|| zone(place)));
        zones.into_iter().find(|zone| offset.is_none_or(|offset| goes_by(zone, offset)))
    })
}

/// The zone of a city: the last part of an IANA name, or one of a description's places.
fn place_zone(place: &str) -> Option<Zone> {
    let underscored = place.replace(' ', "_");
    let city = |name: &&str| {
        name.rsplit_once('/').is_some_and(|(_, city)| city.eq_ignore_ascii_case(&underscored))
    };
    let named = entries().find_map(|entry| entry.zones.iter().copied().find(city));
    let described = || {
        let mentions = |entry: &&Entry| {
            entry.description.split(',').any(|known| known.trim().eq_ignore_ascii_case(place))
        };
        entries().find(mentions).map(|entry| entry.main_zone())
    };
    named.or_else(described).and_then(Zone::iana)
}

/// Whether this is the zone's offset in winter or in summer, lately.
fn goes_by(zone: &Zone, offset: i32) -> bool {
    // 2026-01-15 and 2026-07-15.
    [1_768_435_200, 1_784_073_600]
        .into_iter()
        .any(|at| zone.offset_at(dme_model::Timestamp::from_seconds(at)) == offset)
}

fn strip_suffix<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let (start, end) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(start)
}
