//! `VTIMEZONE` (RFC 5545 §3.6.5) ↔ zones.

use super::line::Line;
use super::object::Component;
use super::rule::{self, Rule};
use super::value::{self, DateTime};
use dme_model::{LocalTime, Timestamp};
use dme_zone::{Observance, ObservanceKind, Zone};

/// How many observances of one zone are read.
const MAX_OBSERVANCES: usize = 500;

/// The name by which lines refer to a `VTIMEZONE`.
pub(crate) fn name(zone: &Component) -> Option<String> {
    zone.value("TZID").map(super::text::unescape)
}

/// The zone that a `VTIMEZONE` says, as its rules are at a time.
pub(crate) fn read(tzid: &str, zone: &Component, at: Timestamp) -> Option<Zone> {
    let observances: Vec<Observance> =
        zone.components().take(MAX_OBSERVANCES).filter_map(observance).collect();
    // Of times before its first rules a definition says nothing.
    let first = observances.iter().map(|one| one.start).min();
    let spoken_of = first.map(|first| first.plus_seconds(400 * value::DAY).as_utc());
    Zone::from_observances(tzid, &observances, spoken_of.map_or(at, |from| from.max(at)))
}

fn observance(component: &Component) -> Option<Observance> {
    let kind = match component.name() {
        "STANDARD" => ObservanceKind::Standard,
        "DAYLIGHT" => ObservanceKind::Daylight,
        _ => return None,
    };
    let start = DateTime::parse(component.value("DTSTART")?)?.local;
    let offset_from = offset(component.value("TZOFFSETFROM")?)?;
    let rule = component.value("RRULE").and_then(|text| {
        // Its end is told in UTC and read by the clock before the change.
        match rule::parse(text, start, |at| at.plus_seconds(offset_from.into()))? {
            // Clocks are changed by months and their days.
            Rule::Neutral(rule) if !rule.counts_by_year() => Some(rule),
            Rule::Neutral(_) | Rule::Part(_) | Rule::Beyond => None,
        }
    });
    let dates = component.all("RDATE").flat_map(|line| line.value().split(','));
    Some(Observance {
        kind,
        start,
        offset_from,
        offset_to: offset(component.value("TZOFFSETTO")?)?,
        rule,
        dates: dates
            .take(MAX_OBSERVANCES)
            .filter_map(|one| Some(DateTime::parse(one)?.local))
            .collect(),
        name: component.value("TZNAME").map(super::text::unescape).unwrap_or_default(),
    })
}

/// `+HHMM` or `+HHMMSS`, in seconds.
fn offset(value: &str) -> Option<i32> {
    let (sign, digits) = match value.as_bytes().first()? {
        b'-' => (-1, value.get(1..)?),
        b'+' => (1, value.get(1..)?),
        _ => (1, value),
    };
    let part = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i32>().ok();
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = part(0..2)? * 3600 + part(2..4)? * 60 + part(4..6).unwrap_or(0);
    (seconds < 86_400).then_some(sign * seconds)
}

/// The `VTIMEZONE` of a zone from the year of `from` on.
pub(crate) fn write(tzid: &str, zone: &Zone, from: LocalTime) -> Component {
    let mut out = Component::new("VTIMEZONE");
    out.push(Line::new("TZID", super::text::escape(tzid)));
    let year: i32 = value::date(from).get(..4).and_then(|year| year.parse().ok()).unwrap_or(1970);
    for observance in zone.observances(year) {
        let mut part = Component::new(match observance.kind {
            ObservanceKind::Standard => "STANDARD",
            ObservanceKind::Daylight => "DAYLIGHT",
        });
        part.push(Line::new("DTSTART", value::date_time(observance.start)));
        part.push(Line::new("TZOFFSETFROM", format_offset(observance.offset_from)));
        part.push(Line::new("TZOFFSETTO", format_offset(observance.offset_to)));
        if let Some(rule) = &observance.rule {
            let until = |last: LocalTime| {
                value::utc(last.plus_seconds(-i64::from(observance.offset_from)).as_utc())
            };
            part.push(Line::new("RRULE", rule::format(rule, until)));
        }
        for date in &observance.dates {
            part.push(Line::new("RDATE", value::date_time(*date)));
        }
        if !observance.name.is_empty() {
            part.push(Line::new("TZNAME", super::text::escape(&observance.name)));
        }
        out.push_component(part);
    }
    out
}

fn format_offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.abs();
    let mut out = format!("{sign}{:02}{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 > 0 {
        out.push_str(&format!("{:02}", seconds % 60));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_and_written() {
        for (text, seconds) in [("+0100", 3600), ("-0330", -12_600), ("+012345", 5025)] {
            assert_eq!(offset(text), Some(seconds));
            assert_eq!(format_offset(seconds), text);
        }
        for text in ["", "+", "0x10", "+99", "+9900", "+1"] {
            assert_eq!(offset(text), None, "{text}");
        }
    }

    #[test]
    fn a_zone_is_known_by_its_name_or_by_the_rules_that_are_defined() {
        let defined = |tzid: &str| {
            let zone = format!(
                "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:{tzid}\r\nBEGIN:STANDARD\r\n\
                 DTSTART:19701101T020000\r\nTZOFFSETFROM:+0530\r\nTZOFFSETTO:+0530\r\nEND:STANDARD\r\n\
                 END:VTIMEZONE\r\nEND:VCALENDAR\r\n"
            );
            let object =
                crate::calendar::object::Object::parse(zone.as_bytes()).expect("an object");
            let zone = object.calendar.components().next().expect("a zone");
            read(tzid, zone, Timestamp::from_seconds(1_800_000_000)).expect("rules")
        };
        assert_eq!(defined("Asia/Kolkata").id().as_str(), "Asia/Kolkata");
        let own = defined("Ours");
        assert_eq!(own.offset_at(Timestamp::from_seconds(1_800_000_000)), 5 * 3600 + 1800);
    }
}
