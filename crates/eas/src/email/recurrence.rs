//! A series' rule, from RFC 5545 `RRULE` text to `Recurrence` (MS-ASEMAIL 2.2.2.59).

use super::meeting::Telling;
use crate::date;
use crate::recurrence::{self, OF_MAIL};
use dme_model::{
    Frequency, Invitation, LocalTime, NthDay, Recurrence, RecurrenceEnd, Timestamp, Weekday,
};
use dme_wbxml::{Element, pages::email as page};

/// The rule of a series that begins then; none where there is none, or one that ActiveSync cannot
/// say.
pub(super) fn element(
    invitation: &Invitation,
    start: LocalTime,
    telling: &Telling,
) -> Option<Element> {
    let rule = parse(invitation.recurrence.as_deref()?, start, |at| telling.local(at))?;
    let until =
        |last: LocalTime| date::format_compact(telling.moment(recurrence::last_begin(last, start)));
    let children = recurrence::children(&OF_MAIL, &rule, start, telling.version, until)?;
    Some(Element::parent(page::RECURRENCE, children))
}

/// As much of an `RRULE` as ActiveSync can say; its end as the series' own clock shows it. `local` is
/// what that clock shows at a moment.
fn parse(
    text: &str,
    start: LocalTime,
    local: impl Fn(Timestamp) -> LocalTime,
) -> Option<Recurrence> {
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
            "UNTIL" => rule.end = RecurrenceEnd::Until(until(value, start, &local)?),
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

/// A day as the end of a series of times means that whole day; `Z` means a moment, nothing what the
/// series' own clock shows (RFC 5545 §3.3.10).
fn until(
    value: &str,
    start: LocalTime,
    local: impl Fn(Timestamp) -> LocalTime,
) -> Option<LocalTime> {
    let shown = |at: Timestamp| LocalTime::from_seconds(at.as_seconds());
    if !value.contains(['T', 't']) {
        let midnight = shown(date::parse(&format!("{value}T000000"))?);
        let whole_days = start == LocalTime::from_days(start.as_days());
        return Some(if whole_days { midnight } else { midnight.plus_seconds(86_399) });
    }
    let at = date::parse(value)?;
    Some(if value.ends_with(['Z', 'z']) { local(at) } else { shown(at) })
}
