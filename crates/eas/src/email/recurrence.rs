//! A series' rule, from RFC 5545 `RRULE` text to `Recurrence` (MS-ASEMAIL 2.2.2.59).

use crate::date;
use crate::recurrence::{self, OF_MAIL};
use crate::version::ProtocolVersion;
use dme_model::{
    Frequency, Invitation, LocalTime, NthDay, Recurrence, RecurrenceEnd, Weekday, ZoneId,
};
use dme_wbxml::{Element, pages::email as page};
use dme_zone::Zone;

/// The rule; none where there is none, or one that ActiveSync cannot say.
pub(super) fn element(invitation: &Invitation, version: ProtocolVersion) -> Option<Element> {
    let rule = parse(invitation.recurrence.as_deref()?)?;
    let zone = invitation.time_zone.as_deref().and_then(|name| Zone::of(&ZoneId::from(name)));
    let start = zone.unwrap_or_else(Zone::utc).to_local(invitation.start);
    // Read as a moment, and so written.
    let until = |last: LocalTime| date::format_compact(last.as_utc());
    let children = recurrence::children(&OF_MAIL, &rule, start, version, until)?;
    Some(Element::parent(page::RECURRENCE, children))
}

/// As much of an `RRULE` as ActiveSync can say; its end as UTC's clock shows it.
fn parse(text: &str) -> Option<Recurrence> {
    let mut frequency = None;
    let mut rule = Recurrence::every(Frequency::Daily);
    rule.first_day = Some(Weekday::Monday);
    for part in text.trim().split(';').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        match name.to_ascii_uppercase().as_str() {
            "FREQ" => {
                frequency = Some(match value.to_ascii_uppercase().as_str() {
                    "DAILY" => Frequency::Daily,
                    "WEEKLY" => Frequency::Weekly,
                    "MONTHLY" => Frequency::Monthly,
                    "YEARLY" => Frequency::Yearly,
                    _ => return None,
                });
            }
            "INTERVAL" => rule.interval = value.parse().ok().filter(|interval| *interval > 0)?,
            "COUNT" => rule.end = RecurrenceEnd::Count(value.parse().ok()?),
            "UNTIL" => rule.end = RecurrenceEnd::Until(until(value)?),
            "BYDAY" => rule.by_day = list(value, nth_day)?,
            "BYMONTHDAY" => rule.by_month_day = numbers(value)?,
            "BYMONTH" => rule.by_month = numbers(value)?,
            "BYSETPOS" => rule.by_set_position = numbers(value)?,
            "WKST" => rule.first_day = Some(weekday(value)?),
            _ => return None,
        }
    }
    Some(Recurrence { frequency: frequency?, ..rule })
}

fn list<T>(value: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    value.split(',').map(read).collect()
}

fn numbers<T: std::str::FromStr>(value: &str) -> Option<Vec<T>> {
    list(value, |number| number.parse().ok())
}

/// `MO`, `2TU`, `-1FR`.
fn nth_day(text: &str) -> Option<NthDay> {
    let (nth, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let nth = if nth.is_empty() { None } else { Some(nth.parse().ok()?) };
    Some(NthDay { day: weekday(name)?, nth })
}

fn weekday(name: &str) -> Option<Weekday> {
    let names = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
    let place = names.iter().position(|known| known.eq_ignore_ascii_case(name))?;
    Weekday::ALL.get(place).copied()
}

/// A day alone means its begin.
fn until(value: &str) -> Option<LocalTime> {
    let whole = if value.contains('T') { value.to_owned() } else { format!("{value}T000000Z") };
    date::parse(&whole).map(|moment| LocalTime::from_seconds(moment.as_seconds()))
}
