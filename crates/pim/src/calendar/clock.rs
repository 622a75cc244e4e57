//! Which clock a time of an object is read on: `DATE`, `Z`, `TZID` and the object's own
//! `VTIMEZONE`s (RFC 5545 §3.3.5, §3.6.5).

use super::line::Line;
use super::object::Component;
use super::value::{self, DateTime};
use dme_model::{LocalTime, Timestamp, ZoneId};
use dme_zone::Zone;
use std::collections::BTreeMap;

/// A clock.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Clock {
    /// The reader's, whatever it is; of whole days too.
    Floating,
    /// UTC or one of a zone.
    Zone(Zone),
}

impl Clock {
    /// The clock of a neutral item. A zone that nobody knows is taken for UTC.
    pub(crate) fn of(zone: Option<&ZoneId>) -> Self {
        zone.map_or(Self::Floating, |id| Self::Zone(Zone::of(id).unwrap_or_else(Zone::utc)))
    }

    pub(crate) fn zone_id(&self) -> Option<ZoneId> {
        match self {
            Self::Floating => None,
            Self::Zone(zone) => Some(zone.id().clone()),
        }
    }

    pub(crate) fn is_utc(&self) -> bool {
        matches!(self, Self::Zone(zone) if *zone.id() == ZoneId::utc())
    }

    /// A floating time is read as UTC's.
    pub(crate) fn to_utc(&self, local: LocalTime) -> Timestamp {
        match self {
            Self::Floating => local.as_utc(),
            Self::Zone(zone) => zone.to_utc(local),
        }
    }

    pub(crate) fn to_local(&self, at: Timestamp) -> LocalTime {
        match self {
            Self::Floating => LocalTime::from_seconds(at.as_seconds()),
            Self::Zone(zone) => zone.to_local(at),
        }
    }
}

/// A time of an object, with its clock.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct When {
    pub(crate) local: LocalTime,
    pub(crate) clock: Clock,
    /// A day without a time.
    pub(crate) date: bool,
}

impl When {
    pub(crate) fn utc(&self) -> Timestamp {
        self.clock.to_utc(self.local)
    }

    /// What another clock shows then. Days and floating times are the same on each.
    pub(crate) fn on(&self, clock: &Clock) -> LocalTime {
        match (&self.clock, clock) {
            (Clock::Zone(_), Clock::Zone(_)) if self.clock != *clock => clock.to_local(self.utc()),
            _ => self.local,
        }
    }
}

/// The zones that an object tells of.
#[derive(Default, Debug)]
pub(crate) struct Zones {
    by_id: BTreeMap<String, Zone>,
}

/// How many zones of an object are read.
const MAX_ZONES: usize = 200;

impl Zones {
    pub(crate) fn of(calendar: &Component) -> Self {
        let at = newest_start(calendar);
        let named = super::apply::tzids(calendar);
        let mut by_id = BTreeMap::new();
        for zone in calendar.components().filter(|one| one.is("VTIMEZONE")).take(MAX_ZONES) {
            // Some programs define every zone there is.
            let tzid = super::timezone::name(zone).filter(|tzid| named.contains(tzid));
            let Some(tzid) = tzid else { continue };
            if let Some(found) = super::timezone::read(&tzid, zone, at) {
                by_id.insert(tzid, found);
            }
        }
        Self { by_id }
    }

    /// The time of a line. None where it is no time. A zone that neither the object nor anyone
    /// else knows is floating: the reader's own is the best guess.
    pub(crate) fn when(&self, line: &Line) -> Option<When> {
        self.value(line, line.value())
    }

    /// The times of a line that lists them; of periods their begins.
    pub(crate) fn list(&self, line: &Line) -> Vec<When> {
        let values = line.value().split(',').take(MAX_LIST);
        values.filter_map(|one| self.value(line, one.split('/').next().unwrap_or(one))).collect()
    }

    /// One of the times of a line that lists them.
    pub(crate) fn value(&self, line: &Line, value: &str) -> Option<When> {
        let DateTime { local, date, utc } = DateTime::parse(value)?;
        let clock = match line.parameter("TZID") {
            _ if date => Clock::Floating,
            _ if utc => Clock::Zone(Zone::utc()),
            Some(tzid) => self.zone(tzid).map_or(Clock::Floating, Clock::Zone),
            None => Clock::Floating,
        };
        let local = if line.parameter_is("VALUE", "DATE") && !date {
            LocalTime::from_days(local.as_days())
        } else {
            local
        };
        let date = date || line.parameter_is("VALUE", "DATE");
        let clock = if date { Clock::Floating } else { clock };
        Some(When { local, clock, date })
    }

    fn zone(&self, tzid: &str) -> Option<Zone> {
        self.by_id.get(tzid).cloned().or_else(|| Zone::from_tzid(tzid))
    }

    /// The name under which the object has this zone, if it does.
    pub(crate) fn tzid(&self, zone: &Zone) -> Option<&str> {
        self.by_id.iter().find(|(_, one)| one.id() == zone.id()).map(|(tzid, _)| tzid.as_str())
    }
}

/// How many times one line may list.
const MAX_LIST: usize = 5000;

/// When the newest component begins: rules of zones are read as they are then.
fn newest_start(calendar: &Component) -> Timestamp {
    let starts = calendar.components().filter_map(|one| {
        let line = one.line("DTSTART").or_else(|| one.line("DUE"))?;
        Some(DateTime::parse(line.value())?.local.as_utc())
    });
    starts.max().unwrap_or_default()
}

/// Writes a time into a line as the clock has it: `DATE`, `Z`, or `TZID` under the name the object
/// has for the zone. `old` gives the line's other parameters.
pub(crate) fn line(name: &str, old: Option<&Line>, when: &When, tzid: Option<&str>) -> Line {
    let mut line = old.cloned().unwrap_or_else(|| Line::new(name, ""));
    let explicit = line.parameter("VALUE").is_some();
    line.set_parameter(
        "VALUE",
        match when.date {
            true => Some("DATE"),
            false if explicit => Some("DATE-TIME"),
            false => None,
        },
    );
    line.set_parameter("TZID", tzid.filter(|_| !when.date && !when.clock.is_utc()));
    line.set_value(text(when));
    line
}

/// The value of a time.
pub(crate) fn text(when: &When) -> String {
    if when.date {
        value::date(when.local)
    } else if when.clock.is_utc() {
        value::utc(when.local.as_utc())
    } else {
        value::date_time(when.local)
    }
}
