//! The time zone of an event as Windows writes it: a `TIME_ZONE_INFORMATION` of 172 bytes
//! (MS-ASDTYPE 2.7.6). It has the zone's present rules but no name.

use dme_model::Timestamp;
use jiff::tz::{Dst, Offset, TimeZone, TimeZoneTransition};

/// The size of the structure.
const SIZE: usize = 172;

/// Where its fields lie; the two names between are left empty.
mod place {
    pub const BIAS: usize = 0;
    pub const STANDARD_DATE: usize = 68;
    pub const DAYLIGHT_DATE: usize = 152;
    pub const DAYLIGHT_BIAS: usize = 168;
}

/// Longer than any year.
const YEAR_SECONDS: i64 = 400 * 86_400;

/// The rules that hold in the zone with this IANA name in the year after `at`; UTC's for a zone
/// that is not known.
pub(super) fn blob(name: Option<&str>, at: Timestamp) -> [u8; SIZE] {
    let mut blob = [0; SIZE];
    let at = jiff::Timestamp::from_millisecond(at.as_millis());
    let zone = name.and_then(|name| TimeZone::get(name).ok());
    let (Some(zone), Ok(at)) = (zone, at) else { return blob };
    let now = zone.to_offset(at);
    let mut standard = now;
    if let Some((to_daylight, to_standard)) = yearly_changes(&zone, at) {
        standard = to_standard.after;
        write(&mut blob, place::STANDARD_DATE, &to_standard.rule());
        write(&mut blob, place::DAYLIGHT_DATE, &to_daylight.rule());
        // Relative to the bias; minutes that are to be added to local time to get UTC.
        let daylight_bias = minutes_west(to_daylight.after) - minutes_west(standard);
        write(&mut blob, place::DAYLIGHT_BIAS, &daylight_bias.to_le_bytes());
    }
    write(&mut blob, place::BIAS, &minutes_west(standard).to_le_bytes());
    blob
}

/// A change of the clocks: when, and the offsets before and after.
struct Change {
    at: jiff::Timestamp,
    before: Offset,
    after: Offset,
}

/// The changes to daylight saving time and back, where the zone has both within a year.
fn yearly_changes(zone: &TimeZone, at: jiff::Timestamp) -> Option<(Change, Change)> {
    let mut transitions = zone.following(at).take(2);
    let (first, second) = (transitions.next()?, transitions.next()?);
    if second.timestamp().as_second().saturating_sub(at.as_second()) > YEAR_SECONDS {
        return None;
    }
    let change = |transition: &TimeZoneTransition<'_>, before| Change {
        at: transition.timestamp(),
        before,
        after: transition.offset(),
    };
    let (a, b) = (change(&first, zone.to_offset(at)), change(&second, first.offset()));
    match (first.dst(), second.dst()) {
        (Dst::Yes, Dst::No) => Some((a, b)),
        (Dst::No, Dst::Yes) => Some((b, a)),
        _ => None,
    }
}

impl Change {
    /// As a `SYSTEMTIME` with a year of 0: month, weekday from Sunday, which of these weekdays in
    /// the month (5 for the last), hour, minute; by the clock before the change.
    fn rule(&self) -> [u8; 16] {
        let clock = self.before.to_datetime(self.at);
        let is_last = clock.day() + 7 > clock.date().days_in_month();
        let nth = if is_last { 5 } else { (clock.day() - 1) / 7 + 1 };
        let fields = [
            0,
            clock.month(),
            clock.weekday().to_sunday_zero_offset(),
            nth,
            clock.hour(),
            clock.minute(),
        ];
        let mut rule = [0; 16];
        for (place, field) in rule.chunks_exact_mut(2).zip(fields) {
            place.copy_from_slice(&u16::from(field.unsigned_abs()).to_le_bytes());
        }
        rule
    }
}

fn minutes_west(offset: Offset) -> i32 {
    -(offset.seconds() / 60)
}

fn write(blob: &mut [u8; SIZE], at: usize, bytes: &[u8]) {
    if let Some(place) = blob.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests;
