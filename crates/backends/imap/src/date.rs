//! Dates as IMAP writes them (RFC 9051 `date-time` and `date`).

use dme_model::{Timestamp, civil};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads `17-Jul-1996 02:44:25 -0700`.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    let mut words = text.split_ascii_whitespace();
    let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
    let mut date = date.split('-');
    let day: i64 = date.next()?.parse().ok()?;
    let month = date.next()?;
    let month = MONTHS.iter().position(|known| known.eq_ignore_ascii_case(month))?;
    let year: i64 = date.next()?.parse().ok().filter(|year| (1..=9999).contains(year))?;
    let mut time = time.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let (sign, digits) = zone.split_at_checked(1)?;
    let digits: i64 = digits.parse().ok().filter(|digits| (0..=2400).contains(digits))?;
    let offset = (digits / 100 * 60 + digits % 100) * 60 * if sign == "-" { -1 } else { 1 };
    let in_range = (1..=31).contains(&day) && (0..24).contains(&hour);
    if !in_range || !(0..60).contains(&minute) || !(0..=60).contains(&second) {
        return None;
    }
    let days = civil::days(year, i64::try_from(month).ok()? + 1, 1)? + day - 1;
    Some(Timestamp::from_seconds(days * 86_400 + hour * 3600 + minute * 60 + second - offset))
}

/// Writes a day since the epoch as `17-Jul-1996`, within the years IMAP can write.
pub(crate) fn write_day(days: i64) -> String {
    let (year, month, day) = civil::date(days.clamp(-719_162, 2_932_896));
    let month = usize::try_from(month - 1).ok().and_then(|month| MONTHS.get(month));
    format!("{day}-{}-{year:04}", month.unwrap_or(&"Jan"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_with_their_zone() {
        for (text, seconds) in [
            ("01-Jan-1970 00:00:00 +0000", 0),
            ("17-Jul-1996 02:44:25 -0700", 837_596_665),
            (" 1-Mar-2024 00:00:00 +0100", 1_709_247_600),
            ("29-Feb-2000 23:59:59 +0000", 951_868_799),
        ] {
            assert_eq!(read(text), Some(Timestamp::from_seconds(seconds)), "{text}");
        }
        for text in
            ["", "x", "1-Foo-2000 00:00:00 +0000", "1-Jan-2000 25:00:00 +0000", "1-1-1 1:1:1 é"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_comes_back() {
        for days in (-200_000..400_000).step_by(37) {
            let text = format!("{} 00:00:00 +0000", write_day(days));
            assert_eq!(read(&text), Some(Timestamp::from_seconds(days * 86_400)), "{text}");
        }
        assert_eq!(write_day(i64::MAX), "31-Dec-9999");
    }
}
