//! Dates, times and durations as iCalendar writes them (RFC 5545 §3.3.4 to §3.3.6).

use dme_model::{LocalTime, Timestamp, civil};

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// A date, or a date with a time of day, before anyone asked on which clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct DateTime {
    /// What the clock shows; of a date, its midnight.
    pub(crate) local: LocalTime,
    /// A date alone.
    pub(crate) date: bool,
    /// On the clock of UTC.
    pub(crate) utc: bool,
}

impl DateTime {
    /// `YYYYMMDD`, `YYYYMMDDTHHMMSS` or the latter with `Z`. Seconds may be missing, as old
    /// programs have it; a leap second is the one before it.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        let (date, time) = match value.split_once(['T', 't']) {
            Some((date, time)) => (date, Some(time)),
            None => (value, None),
        };
        // RFC 3339's form with separators is met too.
        let digits: String = date.chars().filter(|c| *c != '-').collect();
        if digits.len() != 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let day =
            civil::days(number(&digits, 0..4)?, number(&digits, 4..6)?, number(&digits, 6..8)?)?;
        let midnight = LocalTime::from_days(day);
        let Some(time) = time else {
            return Some(Self { local: midnight, date: true, utc: false });
        };
        let (time, utc) = match time.strip_suffix(['Z', 'z']) {
            Some(time) => (time, true),
            None => (time, false),
        };
        let digits: String = time.chars().filter(|c| *c != ':').collect();
        let digits = if digits.len() == 4 { format!("{digits}00") } else { digits };
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let (hour, minute, second) =
            (number(&digits, 0..2)?, number(&digits, 2..4)?, number(&digits, 4..6)?.min(59));
        if hour > 24 || minute > 59 || (hour == 24 && (minute, second) != (0, 0)) {
            return None;
        }
        let local = midnight.plus_seconds(hour * 3600 + minute * 60 + second);
        Some(Self { local, date: false, utc })
    }
}

fn number(digits: &str, range: std::ops::Range<usize>) -> Option<i64> {
    digits.get(range)?.parse().ok()
}

/// `YYYYMMDD`.
pub(crate) fn date(local: LocalTime) -> String {
    let (year, month, day) = civil::date(local.as_days());
    format!("{:04}{month:02}{day:02}", year.clamp(0, 9999))
}

/// `YYYYMMDDTHHMMSS`.
pub(crate) fn date_time(local: LocalTime) -> String {
    let second = local.as_seconds().rem_euclid(DAY);
    format!("{}T{:02}{:02}{:02}", date(local), second / 3600, second / 60 % 60, second % 60)
}

/// `YYYYMMDDTHHMMSSZ`, as cards have it too (RFC 6350 §4.3.5).
pub(crate) fn utc(at: Timestamp) -> String {
    format!("{}Z", date_time(LocalTime::from_seconds(at.as_seconds())))
}

/// A duration such as `-PT15M`, `P1DT2H` or `P2W`, in seconds; days have 24 hours.
pub(crate) fn duration(value: &str) -> Option<i64> {
    let value = value.trim();
    let (sign, rest) = match value.as_bytes().first()? {
        b'-' => (-1, value.get(1..)?),
        b'+' => (1, value.get(1..)?),
        _ => (1, value),
    };
    let rest = rest.strip_prefix(['P', 'p'])?;
    let mut total: i64 = 0;
    let mut digits = String::new();
    let mut any = false;
    for c in rest.chars() {
        let unit = match c.to_ascii_uppercase() {
            'T' if digits.is_empty() => continue,
            'W' => 7 * DAY,
            'D' => DAY,
            'H' => 3600,
            'M' => 60,
            'S' => 1,
            c if c.is_ascii_digit() => {
                digits.push(c);
                continue;
            }
            _ => return None,
        };
        let count: i64 = digits.parse().ok()?;
        digits.clear();
        any = true;
        total = total.checked_add(count.checked_mul(unit)?)?;
    }
    (any && digits.is_empty()).then_some(sign * total)
}

/// The duration of so many seconds.
pub(crate) fn format_duration(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let seconds = seconds.unsigned_abs();
    let mut out = format!("{sign}P");
    if seconds >= 86_400 {
        out.push_str(&format!("{}D", seconds / 86_400));
    }
    let rest = seconds % 86_400;
    if rest > 0 || seconds == 0 {
        out.push('T');
        for (count, unit) in [(rest / 3600, 'H'), (rest / 60 % 60, 'M'), (rest % 60, 'S')] {
            if count > 0 {
                out.push_str(&format!("{count}{unit}"));
            }
        }
        if seconds == 0 {
            out.push_str("0S");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_utc() {
        assert_eq!(utc(Timestamp::from_seconds(0)), "19700101T000000Z");
        assert_eq!(utc(Timestamp::from_seconds(1_790_000_000)), "20260921T141320Z");
        assert_eq!(utc(Timestamp::from_seconds(-1)), "19691231T235959Z");
    }

    #[test]
    fn times_are_read_and_written() {
        for (value, seconds, date_only, utc) in [
            ("19700101", 0, true, false),
            ("20261126T153000Z", 1_795_707_000, false, true),
            ("20261126T153000", 1_795_707_000, false, false),
            ("20261126T1530", 1_795_707_000, false, false),
            ("2026-11-26T15:30:00Z", 1_795_707_000, false, true),
            ("20240229T235960", 1_709_251_199, false, false),
            ("20240229T240000", 1_709_251_200, false, false),
            ("16010101T000000", -11_644_473_600, false, false),
        ] {
            let read = DateTime::parse(value).unwrap();
            assert_eq!(
                (read.local.as_seconds(), read.date, read.utc),
                (seconds, date_only, utc),
                "{value}"
            );
        }
        for value in ["", "2026", "20260230", "20261301", "20261126T9", "20261126T256000", "äöü"]
        {
            assert_eq!(DateTime::parse(value), None, "{value}");
        }
        for day in (-200_000..2_932_896).step_by(97) {
            let local = LocalTime::from_seconds(day * DAY + 86_399);
            let text = date_time(local);
            if day > -719_000 {
                assert_eq!(DateTime::parse(&text).unwrap().local, local, "{text}");
            }
        }
    }

    #[test]
    fn durations_are_read_and_written() {
        for (value, seconds) in [
            ("-PT15M", -900),
            ("P1DT2H3M4S", 93_784),
            ("P2W", 1_209_600),
            ("PT0S", 0),
            ("+P1D", 86_400),
            ("-P1W", -604_800),
        ] {
            assert_eq!(duration(value), Some(seconds), "{value}");
            assert_eq!(duration(&format_duration(seconds)), Some(seconds), "{value}");
        }
        for value in ["", "P", "PT", "15M", "PT5", "P1X", "P99999999999999999999D", "-"] {
            assert_eq!(duration(value), None, "{value}");
        }
    }
}
