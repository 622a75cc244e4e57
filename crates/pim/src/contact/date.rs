//! Days such as birthdays, in the many forms that cards have them.

use super::card::Version;
use dme_model::{Date, civil::month_length};

/// The year that Apple writes where none is known, beside the parameter `X-APPLE-OMIT-YEAR`.
const NO_YEAR: u16 = 1604;

/// Reads `1985-04-12`, `19850412`, `--0412`, `--04-12`, any of them with a time of day behind it.
/// None for what names no day, such as `1985` and `circa 1800`.
pub(super) fn read(value: &str) -> Option<Date> {
    let value = value.trim();
    let day = value.split(['T', 't', ' ']).next().unwrap_or_default();
    let (year, rest) = match day.strip_prefix("--") {
        Some(rest) => (None, rest),
        None => {
            let (year, rest) = day.split_at_checked(4)?;
            (Some(number(year)?), rest.strip_prefix('-').unwrap_or(rest))
        }
    };
    let (month, rest) = rest.split_at_checked(2)?;
    let month = u8::try_from(number(month)?).ok()?;
    let day = u8::try_from(number(rest.strip_prefix('-').unwrap_or(rest))?).ok()?;
    let year = year.filter(|year| *year != NO_YEAR && *year != 0);
    // A leap year for those of whom no year is known.
    let length = month_length(year.unwrap_or(NO_YEAR).into(), month.into())?;
    (1..=length).contains(&day.into()).then_some(Date { year, month, day })
}

/// The day as a card of this version has it, and the value of `X-APPLE-OMIT-YEAR` that goes with it.
/// `dashed`: between year, month and day stand dashes, as 3.0 has it mostly.
pub(super) fn write(date: Date, version: Version, dashed: bool) -> (String, Option<String>) {
    let Date { year, month, day } = date;
    match (year, version) {
        (None, Version::V4) => (format!("--{month:02}{day:02}"), None),
        (None, _) => (format!("{NO_YEAR}-{month:02}-{day:02}"), Some(NO_YEAR.to_string())),
        (Some(year), _) if dashed => (format!("{year:04}-{month:02}-{day:02}"), None),
        (Some(year), _) => (format!("{year:04}{month:02}{day:02}"), None),
    }
}

fn number(digits: &str) -> Option<u16> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: impl Into<Option<u16>>, month: u8, day: u8) -> Option<Date> {
        Some(Date { year: year.into(), month, day })
    }

    #[test]
    fn days_are_read_in_every_form() {
        for (text, wanted) in [
            ("1985-04-12", date(1985, 4, 12)),
            ("19850412", date(1985, 4, 12)),
            ("1985-04-12T00:00:00Z", date(1985, 4, 12)),
            ("19850412T000000", date(1985, 4, 12)),
            ("--0412", date(None, 4, 12)),
            ("--04-12", date(None, 4, 12)),
            ("1604-02-29", date(None, 2, 29)),
            ("0000-02-29", date(None, 2, 29)),
            ("--0229", date(None, 2, 29)),
            ("1985", None),
            ("1985-04", None),
            ("---12", None),
            ("1985-02-29", None),
            ("1985-13-01", None),
            ("circa 1800", None),
            ("üüüü-04-12", None),
            ("", None),
        ] {
            assert_eq!(read(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for version in [Version::V3, Version::V4] {
            for dashed in [true, false] {
                for day in [date(1985, 4, 12), date(None, 2, 29), date(1, 12, 31)] {
                    assert_eq!(read(&write(day.unwrap(), version, dashed).0), day);
                }
            }
        }
        assert_eq!(write(date(None, 4, 1).unwrap(), Version::V3, true).1.as_deref(), Some("1604"));
    }
}
