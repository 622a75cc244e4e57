//! The zone of an event as Windows writes it: a `TIME_ZONE_INFORMATION` of 172 bytes (MS-ASDTYPE
//! 2.7.6). It has the rules of one year and at most a name, cut to 31 characters.

use crate::matching::{best_known, near, same_year};
use crate::rules::{Daylight, Rules, YearlyChange};
use crate::windows;
use crate::yearly::{Week, YearlyDay};
use crate::zone::Zone;
use dme_model::{Timestamp, ZoneId};
use jiff::civil::{Date, Weekday};

/// The size of the structure.
pub const BLOB_SIZE: usize = 172;

/// Where its fields lie.
mod place {
    pub const BIAS: usize = 0;
    pub const STANDARD_NAME: usize = 4;
    pub const STANDARD_DATE: usize = 68;
    pub const STANDARD_BIAS: usize = 84;
    pub const DAYLIGHT_NAME: usize = 88;
    pub const DAYLIGHT_DATE: usize = 152;
    pub const DAYLIGHT_BIAS: usize = 168;
}

/// What a name takes: 32 characters in UTF-16, the last of them zero.
const NAME_SIZE: usize = 64;

impl Zone {
    /// The zone's rules in the year of a moment, with Windows' name of the zone where it has one.
    /// For a series, that moment should lie where the series' instances are yet to come.
    ///
    /// A year in which the zone changed its clocks more than twice has no such rules: then those
    /// that hold around the moment (Casablanca and Gaza, some years).
    pub fn to_blob(&self, at: Timestamp) -> [u8; BLOB_SIZE] {
        let mut blob = [0; BLOB_SIZE];
        let rules = Rules::of_zone(&self.clock, at);
        if let Some(name) = windows::name_of(self) {
            write_name(&mut blob, place::STANDARD_NAME, name);
            write_name(&mut blob, place::DAYLIGHT_NAME, &windows::daylight_name(name));
        }
        if let Some(daylight) = rules.daylight {
            write(&mut blob, place::STANDARD_DATE, &system_time(daylight.end));
            write(&mut blob, place::DAYLIGHT_DATE, &system_time(daylight.start));
            // Relative to the bias; minutes that are to be added to local time to get UTC.
            let bias = minutes_west(daylight.offset) - minutes_west(rules.standard);
            write(&mut blob, place::DAYLIGHT_BIAS, &bias.to_le_bytes());
        }
        write(&mut blob, place::BIAS, &minutes_west(rules.standard).to_le_bytes());
        blob
    }

    /// The zone that somebody meant who sent these rules for an event at a moment:
    ///
    /// 1. of those preferred (the event's own zone so far, the user's), the first with these rules;
    /// 2. that of the name in the blob, if it has these rules;
    /// 3. the best known with the same clock in that year;
    /// 4. a zone of its own with these rules in all years.
    ///
    /// "These rules" may be those of that year, or the ones that the zone has for good, whichever
    /// the sender wrote; and of which weekday in the month the sender may have thought otherwise.
    /// A blob of zeros says nothing: phones send it for want of a zone. Then it is the first that
    /// is preferred, else UTC. None where it is shorter than the structure or has offsets of a day
    /// and more.
    pub fn from_blob(blob: &[u8], prefer: &[ZoneId], at: Timestamp) -> Option<Self> {
        let blob = blob.get(..BLOB_SIZE)?;
        let preferred: Vec<Self> = prefer.iter().filter_map(Self::of).collect();
        if blob.iter().all(|byte| *byte == 0) {
            return Some(preferred.into_iter().next().unwrap_or_else(Self::utc));
        }
        let rules = read_rules(blob)?;
        let literal = rules.zone()?;
        let named = read_name(blob, place::STANDARD_NAME).and_then(|name| Self::from_tzid(&name));
        let candidates: Vec<Self> = preferred.into_iter().chain(named).collect();
        let exact = candidates.iter().find(|zone| same_year(zone, &literal, at));
        let found = exact.or_else(|| candidates.iter().find(|zone| near(zone, &rules, at)));
        found.cloned().or_else(|| best_known(&literal, at)).or(Some(literal))
    }
}

fn read_rules(blob: &[u8]) -> Option<Rules> {
    let bias = read_number(blob, place::BIAS)?;
    let offset = |at: usize| {
        let minutes = bias.checked_add(read_number(blob, at)?)?;
        minutes.checked_mul(-60).filter(|seconds| seconds.unsigned_abs() < 86_400)
    };
    let standard = offset(place::STANDARD_BIAS)?;
    let (start, end) =
        (read_change(blob, place::DAYLIGHT_DATE), read_change(blob, place::STANDARD_DATE));
    let daylight = match (start, end) {
        // Without dates the other bias means nothing, whatever it is.
        (Some(start), Some(end)) if start != end => {
            let offset = offset(place::DAYLIGHT_BIAS)?;
            (offset != standard).then_some(Daylight { offset, start, end })
        }
        _ => None,
    };
    Some(Rules { standard, daylight })
}

/// A `SYSTEMTIME` with a year of 0 means month, weekday from Sunday, which of these weekdays in the
/// month (5 for the last), hour, minute, second; by the clock before the change. With a year it is
/// a date. The end of a day is written as its last second or millisecond.
fn read_change(blob: &[u8], at: usize) -> Option<YearlyChange> {
    let bytes = blob.get(at..at.checked_add(16)?)?;
    let mut fields = [0_i16; 8];
    for (field, bytes) in fields.iter_mut().zip(bytes.chunks_exact(2)) {
        *field = i16::from_le_bytes(bytes.try_into().ok()?);
    }
    let [year, month, weekday, day, hour, minute, second, _] = fields;
    let month = i8::try_from(month).ok().filter(|month| (1..=12).contains(month))?;
    let day = i8::try_from(day).ok()?;
    let day = if year == 0 {
        let weekday = Weekday::from_sunday_zero_offset(i8::try_from(weekday).ok()?).ok()?;
        let week = match day {
            1..=4 => Week::From(day * 7 - 6),
            5 => Week::Last,
            _ => return None,
        };
        YearlyDay { month, weekday, week }
    } else {
        YearlyDay::by_week(Date::new(year, month, day).ok()?).next()?
    };
    let in_range =
        (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    let second = i32::from(hour) * 3600 + i32::from(minute) * 60 + i32::from(second);
    in_range.then_some(YearlyChange { day, second: if second == 86_399 { 86_400 } else { second } })
}

fn system_time(change: YearlyChange) -> [u8; 16] {
    let week = match change.day.week {
        Week::From(day) => (day + 6) / 7,
        Week::Last => 5,
    };
    let weekday = change.day.weekday.to_sunday_zero_offset();
    let (second, millisecond) = match change.second {
        86_400 => (86_399, 999),
        second => (second, 0),
    };
    let date = [0, change.day.month.into(), weekday.into(), week.into()];
    let time = [second / 3600, second / 60 % 60, second % 60, millisecond];
    let mut bytes = [0; 16];
    for (place, field) in bytes.chunks_exact_mut(2).zip(date.into_iter().chain(time)) {
        place.copy_from_slice(&u16::try_from(field).unwrap_or(0).to_le_bytes());
    }
    bytes
}

fn minutes_west(offset: i32) -> i32 {
    -offset / 60
}

fn read_number(blob: &[u8], at: usize) -> Option<i32> {
    let bytes = blob.get(at..at.checked_add(4)?)?;
    Some(i32::from_le_bytes(bytes.try_into().ok()?))
}

fn read_name(blob: &[u8], at: usize) -> Option<String> {
    let bytes = blob.get(at..at.checked_add(NAME_SIZE)?)?;
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [low, high] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    });
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16(&units).ok().filter(|name| !name.trim().is_empty())
}

fn write_name(blob: &mut [u8; BLOB_SIZE], at: usize, name: &str) {
    let units = name.encode_utf16().take(NAME_SIZE / 2 - 1);
    write(blob, at, &units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
}

fn write(blob: &mut [u8; BLOB_SIZE], at: usize, bytes: &[u8]) {
    if let Some(place) = blob.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests;
