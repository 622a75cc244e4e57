//! Zones as calendars carry them: a `VTIMEZONE`'s `STANDARD` and `DAYLIGHT` parts (RFC 5545
//! §3.6.5) as neutral data.

mod read;
mod write;

use crate::matching::{best_known_as, same_as};
use crate::rules::Rules;
use crate::timeline::{Timeline, clock, year_of};
use crate::zone::Zone;
use dme_model::{LocalTime, Recurrence, Timestamp};

/// How many years after a moment are looked at to tell a rule.
const YEARS: i16 = 12;

/// Which of the two parts it is. Only for people to read: the offsets say what happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ObservanceKind {
    /// `STANDARD`.
    Standard,
    /// `DAYLIGHT`.
    Daylight,
}

/// When a zone goes over to an offset: once, on further dates, or by a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Observance {
    /// Which part it is.
    pub kind: ObservanceKind,
    /// The first time (`DTSTART`), as the clock shows it just before the change.
    pub start: LocalTime,
    /// Seconds ahead of UTC before the change (`TZOFFSETFROM`).
    pub offset_from: i32,
    /// Seconds ahead of UTC after it (`TZOFFSETTO`).
    pub offset_to: i32,
    /// Further times (`RRULE`). Its end is read on the same clock as the start; iCalendar has it in
    /// UTC. Only yearly rules are followed, others' starts alone.
    pub rule: Option<Recurrence>,
    /// Further times (`RDATE`), like the start.
    pub dates: Vec<LocalTime>,
    /// What the clock is called then (`TZNAME`), such as `CEST`; may be empty.
    pub name: String,
}

impl Zone {
    /// The zone that a calendar defines for an item at a moment: the IANA zone that `TZID` names, if
    /// it has the defined offset at that moment; the zone that it means otherwise (a Windows name,
    /// say), if its clock shows the same in that year; the best known zone of which this is true;
    /// else a zone with the rules defined for that year. Without observances the `TZID` decides
    /// alone. None where neither says anything.
    pub fn from_observances(tzid: &str, observances: &[Observance], at: Timestamp) -> Option<Self> {
        let named = Self::from_tzid(tzid);
        let year = year_of(at);
        let Some(defined) = Timeline::of_observances(observances, year, YEARS) else {
            return named;
        };
        let offset = defined.offset_at(at.as_seconds());
        let is_iana = |zone: &Self| zone.id().as_str().eq_ignore_ascii_case(tzid.trim());
        if let Some(zone) = named
            && (same_as(&defined, &zone, at) || is_iana(&zone) && zone.offset_at(at) == offset)
        {
            return Some(zone);
        }
        let year = clock(at.as_seconds(), offset).year().clamp(year - 1, year + 1);
        best_known_as(&defined, at).or_else(|| Rules::of_timeline(&defined, year, at).zone())
    }

    /// The zone's definition for a calendar that has items from a year on (and from 1999 on in any
    /// case): rules where the zone has them, single dates where it does not (Casablanca). Dates reach 30 years ahead; a rule that
    /// holds until then goes on for ever.
    pub fn observances(&self, from_year: i32) -> Vec<Observance> {
        let year = i16::try_from(from_year.clamp(1, 9_000)).unwrap_or(9_000);
        write::observances(&self.clock, year)
    }
}

#[cfg(test)]
mod tests;
